#include "engine/process_going.h"

#include "base/log.h"
#include "engine/process_lane.h"
#include "engine/process_source.h"
#include "flow/ack_going.h"
#include "flow/books.h"
#include "flow/intake.h"

#include <string.h>

/* Drops the records behind the first `keep`, and says so to their reader. */
static size_t
drop(struct ryde_process_lane *l, struct ryde_process_lane_common *c, size_t keep)
{
	size_t bytes = l->batch.bytes, dropped = l->batch.n - keep;
	uint64_t ticket = 0;

	for (size_t i = keep; ticket == 0 && i < l->batch.n; i++)
		ticket = ryde_process_batch_at(&l->batch, i)->ticket;
	ryde_ack_going_drop(ryde_intake_sink(c->in), ticket);
	if (keep > 0)
		(void)ryde_process_batch_truncate(&l->batch, keep);
	else
		ryde_process_batch_free(&l->batch);
	c->hand_records -= dropped;
	c->hand_bytes -= bytes - l->batch.bytes;
	/* another one reads them, and counts them */
	c->books->in -= dropped;
	return dropped;
}

/* The open window is computed anew, by another one. */
static size_t
drop_window(struct ryde_process_lane *l, struct ryde_process_lane_common *c)
{
	struct ryde_process_tumble *t = &l->tumble;
	uint64_t n = t->handled + t->failed;

	if (t->n > 0)
		ryde_ack_going_drop(ryde_intake_sink(c->in), t->tickets[0]);
	c->window_records -= n;
	c->books->in -= n;
	t->closing = RYDE_PROCESS_TUMBLE_FINAL;
	ryde_process_tumble_closed(t);
	return n;
}

/* How many records stay: those of the call that runs, to the end of their last line. */
static size_t
running(const struct ryde_process_lane *l)
{
	size_t keep;

	if (l->phase != RYDE_PROCESS_LANE_RUNNING &&
	    l->phase != RYDE_PROCESS_LANE_PRINTING)
		return 0;
	keep = ryde_process_batch_total(&l->batch);
	while (keep > 0 && keep < l->batch.n &&
	       ryde_process_batch_at(&l->batch, keep - 1)->ticket == 0)
		keep++;
	return keep;
}

/* One lane of the shard. True where nothing of it is under way. */
static bool
leave(struct ryde_process_lane *l, struct ryde_process_lane_common *c)
{
	bool runs = l->phase == RYDE_PROCESS_LANE_RUNNING ||
		    l->phase == RYDE_PROCESS_LANE_PRINTING;
	size_t dropped = 0;

	l->going = true;
	l->begin_up_to = UINT64_MAX;
	/* the rest of its line comes at once */
	if (l->first->mid_line)
		return false;
	if (l->batch.n > running(l))
		dropped = drop(l, c, running(l));
	if (!runs) {
		if (l->tumble.open)
			dropped += drop_window(l, c);
		ryde_buf_clear(&l->marks[0]);
		ryde_buf_clear(&l->marks[1]);
		l->phase = RYDE_PROCESS_LANE_IDLE;
		l->calls = 0;
		l->discard = 0;
		l->ahead_n = 0;
		l->first->held = false;
	}
	if (dropped > 0)
		ryde_log(RYDE_LOG_NOTICE,
		    "%s: goes to another reader, %zu records are not handled here",
		    l->shard, dropped);
	return !runs;
}

/* The number of a reader, n_sources: no record of it was ever taken. */
static size_t
source_of(const struct ryde_process_lane_common *c, struct ryde_view ack)
{
	size_t i = 0;

	while (i < c->n_sources && !ryde_view_is(ack, c->sources[i].raw))
		i++;
	return i;
}

/* True where the lane has nothing of that reader's shard under way. */
static bool
leave_of(struct ryde_process_lane *l, struct ryde_process_lane_common *c, size_t source)
{
	if (strcmp(l->stream, c->sources[source].stream) != 0)
		return true;
	/* an earlier reader's records are no business of this one: they go first */
	if (l->batch.n > 0 && ryde_process_batch_at(&l->batch, 0)->source != source)
		return ryde_process_batch_at(&l->batch, l->batch.n - 1)->source != source;
	return leave(l, c);
}

void
ryde_process_going_turn(
    struct ryde_process_lane_common *c, struct ryde_process_lane *const *lanes, size_t n)
{
	struct ryde_ack_sink *sink = ryde_intake_sink(c->in);
	struct ryde_view ack, shard;

	for (size_t at = 0; ryde_ack_going_next(sink, &at, &ack, &shard);) {
		size_t source = source_of(c, ack);
		bool idle = true;

		for (size_t i = 0; source < c->n_sources && i < n; i++)
			if (ryde_view_is(shard, lanes[i]->raw_shard) &&
			    !leave_of(lanes[i], c, source))
				idle = false;
		if (!idle)
			continue;
		for (size_t i = 0; i < n; i++)
			if (ryde_view_is(shard, lanes[i]->raw_shard))
				lanes[i]->going = false;
		ryde_ack_going_let_go(sink, at);
	}
}
