#include "engine/outlet.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/signals.h"
#include "base/waits.h"
#include "line/writer.h"

int
ryde_outlet_drain(struct ryde_writer *w, int64_t grace_ms, struct ryde_err *err)
{
	int64_t until_mono_ms = RYDE_WAITS_FOREVER;
	struct ryde_waits waits = {0};
	int rc;

	while ((rc = ryde_writer_flush(w, err)) == 0) {
		if (ryde_signals_stop() > 0 && until_mono_ms == RYDE_WAITS_FOREVER)
			until_mono_ms = ryde_clock_mono_ms() + grace_ms;
		if (ryde_clock_mono_ms() >= until_mono_ms)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "standard output did not take the last lines within --grace");
		ryde_waits_begin(&waits);
		ryde_writer_wait(w, &waits);
		ryde_waits_until(&waits, until_mono_ms);
		if (ryde_waits_poll(&waits, err) != 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}
