#include "engine/consume_start.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/timestamp.h"

#include <string.h>

/* Sequence numbers have far more digits than any time: epoch milliseconds have 13. */
static bool
set_sequence(struct ryde_stream_start *out, struct ryde_view v)
{
	struct ryde_pos at;

	if (!ryde_pos_parse(&at, v) || at.n < 20)
		return false;
	/* at line SUB is behind SUB lines of its record */
	out->kind = at.lines > 1 ? RYDE_START_AFTER : RYDE_START_AT;
	out->pos = at;
	out->pos.lines = at.lines > 1 ? at.lines - 1 : 0;
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
	if (set_sequence(out, v))
		return 0;
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
