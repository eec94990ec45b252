/* Rule 7: a shard whose batches fail for ever is put on hold, so that the others go on.
 */
#include "base/log.h"
#include "engine/process_lane.h"
#include "flow/ack_sink.h"
#include "flow/books.h"
#include "flow/intake.h"

/* How many records stay: the batch, and what belongs to the line that its last record
 * came from. */
static size_t
hold_keeps(const struct ryde_process_lane *l)
{
	size_t keep = ryde_process_batch_total(&l->batch);

	while (
	    keep < l->batch.n && ryde_process_batch_at(&l->batch, keep - 1)->ticket == 0)
		keep++;
	return keep;
}

size_t
ryde_process_lane_holdable(const struct ryde_process_lane *l)
{
	bool failing =
	    l->phase == RYDE_PROCESS_LANE_DELAYED || l->batch.n_parts > 1 ||
	    l->calls > 1 ||
	    (l->phase == RYDE_PROCESS_LANE_DISCARDING && l->delivery.failures > 0);

	/* Not in the middle of a line: the rest of it is still to come. */
	if (!failing || l->held || !l->can_hold || l->mid_line)
		return 0;
	/* Records of a later reader are not the held one's to read again. */
	if (ryde_process_batch_at(&l->batch, 0)->source !=
	    ryde_process_batch_at(&l->batch, l->batch.n - 1)->source)
		return 0;
	return l->batch.n - hold_keeps(l);
}

void
ryde_process_lane_hold(struct ryde_process_lane *l, struct ryde_process_lane_common *c)
{
	size_t keep = hold_keeps(l), bytes = l->batch.bytes, dropped;

	l->hold_ticket = ryde_process_batch_at(&l->batch, keep - 1)->ticket;
	ryde_ack_sink_hold(ryde_intake_sink(c->in), l->hold_ticket);
	dropped = ryde_process_batch_truncate(&l->batch, keep);
	l->held = true;
	c->hand_records -= dropped;
	c->hand_bytes -= bytes - l->batch.bytes;
	/* They come again, and are counted then. */
	c->books->in -= dropped;
	ryde_log(RYDE_LOG_WARNING,
	    "%s: its batch keeps failing: the shard is put on hold, %zu records are read "
	    "again later",
	    l->shard, dropped);
}
