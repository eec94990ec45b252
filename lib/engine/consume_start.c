#include "engine/consume_start.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/timestamp.h"

#include <string.h>

/* Sequence numbers have far more digits than any time: epoch milliseconds have 13. */
static bool
is_sequence(struct ryde_view v)
{
	if (v.n < 20 || v.n > RYDE_SEQ_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

int
ryde_consume_start_from(
    const char *text, struct ryde_stream_start *out, struct ryde_err *err)
{
	struct ryde_view v = ryde_view_of(text);
	int64_t ms;

	*out = (struct ryde_stream_start){.kind = RYDE_START_HORIZON};
	if (ryde_view_is(v, "start"))
		return 0;
	if (ryde_view_is(v, "end")) {
		out->kind = RYDE_START_LATEST;
		return 0;
	}
	if (is_sequence(v)) {
		out->kind = RYDE_START_AT;
		(void)ryde_pos_set(&out->pos, v);
		return 0;
	}
	out->kind = RYDE_START_TIME;
	if (v.n > 1 && v.p[0] == '-' &&
	    ryde_num_duration_ms(ryde_view_mem(v.p + 1, v.n - 1), &ms)) {
		out->at_ms = ryde_clock_data_ms() - ms;
		return 0;
	}
	if (ryde_timestamp_parse(v, &out->at_ms))
		return 0;
	return ryde_err_set(err, RYDE_EUSAGE,
	    "--from: '%s' is none of start, end, a time, -DURATION, a sequence number",
	    text);
}

int
ryde_consume_start_to(
    const char *text, bool *to_end, int64_t *to_ms, struct ryde_err *err)
{
	struct ryde_view v = ryde_view_of(text);

	*to_end = ryde_view_is(v, "end");
	if (*to_end || ryde_timestamp_parse(v, to_ms))
		return 0;
	return ryde_err_set(
	    err, RYDE_EUSAGE, "--to: '%s' is neither end nor a time", text);
}
