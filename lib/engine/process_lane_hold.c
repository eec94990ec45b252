/* Rule 7: a shard whose batches fail for ever is put on hold, so that the others go on.
 */
#include "base/log.h"
#include "engine/process_lane.h"
#include "flow/ack_sink.h"
#include "flow/books.h"
#include "flow/intake.h"

static uint64_t
order_at(const struct ryde_process_lane *l, size_t i)
{
	return ryde_process_batch_at(&l->batch, i)->order;
}

/* The order of the last record of its batch; of the first where it closes a window. */
static uint64_t
batch_end(const struct ryde_process_lane *l)
{
	size_t n = ryde_process_batch_total(&l->batch);

	return order_at(l, n > 0 ? n - 1 : 0);
}

/* How many of its records have an order up to `order`. */
static size_t
count_up_to(const struct ryde_process_lane *l, uint64_t order)
{
	size_t from = 0, to = l->batch.n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (order_at(l, mid) <= order)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool
failing(const struct ryde_process_lane *l)
{
	if (l->batch.n == 0)
		return false;
	return l->phase == RYDE_PROCESS_LANE_DELAYED || l->batch.n_parts > 1 ||
	       l->calls > 1 ||
	       (l->phase == RYDE_PROCESS_LANE_DISCARDING && l->delivery.failures > 0);
}

/* The lane whose batch fails, the oldest one; NULL: none does. */
static const struct ryde_process_lane *
failing_longest(const struct ryde_process_lane *first)
{
	const struct ryde_process_lane *s = first, *oldest = NULL;

	do {
		if (failing(s) &&
		    (oldest == NULL || order_at(s, 0) < order_at(oldest, 0)))
			oldest = s;
		s = s->sibling;
	} while (s != first);
	return oldest;
}

/* Up to `order`, or to the end of a batch that goes on behind it. */
static uint64_t
whole_batches(const struct ryde_process_lane *first, uint64_t order)
{
	const struct ryde_process_lane *s = first;
	uint64_t end = order;

	do {
		if (s->batch.n_parts > 0 && order_at(s, 0) <= order && batch_end(s) > end)
			end = batch_end(s);
		s = s->sibling;
	} while (s != first);
	return end;
}

/* The first record in hand with an order of at least `order` that is the last line of its
 * record; NULL: none. */
static const struct ryde_process_batch_record *
record_end(const struct ryde_process_lane *first, uint64_t order)
{
	const struct ryde_process_batch_record *end = NULL, *r;
	const struct ryde_process_lane *s = first;

	do {
		size_t i = order > 0 ? count_up_to(s, order - 1) : 0;

		for (; i < s->batch.n; i++) {
			r = ryde_process_batch_at(&s->batch, i);
			if (r->more)
				continue;
			if (end == NULL || r->order < end->order)
				end = r;
			break;
		}
		s = s->sibling;
	} while (s != first);
	return end;
}

/* The last record that stays: that of the batch, or the next one that ends neither in a
 * record of several lines nor in another batch. NULL: there is none to say. */
static const struct ryde_process_batch_record *
last_to_stay(const struct ryde_process_lane *first)
{
	const struct ryde_process_lane *oldest = failing_longest(first);
	const struct ryde_process_batch_record *last;
	uint64_t whole;

	if (oldest == NULL)
		return NULL;
	whole = batch_end(oldest);
	do {
		last = record_end(first, whole);
		if (last == NULL)
			return NULL;
		whole = whole_batches(first, last->order);
	} while (whole != last->order);
	return last;
}

/* Records of a later reader are not the held one's to read again. */
static bool
of_one_reader(const struct ryde_process_lane *first, uint32_t source)
{
	const struct ryde_process_lane *s = first;

	do {
		if (s->batch.n > 0 &&
		    (ryde_process_batch_at(&s->batch, 0)->source != source ||
			ryde_process_batch_at(&s->batch, s->batch.n - 1)->source !=
			    source))
			return false;
		s = s->sibling;
	} while (s != first);
	return true;
}

bool
ryde_process_lane_holdable(struct ryde_process_lane *l, struct ryde_process_lane_hold *h)
{
	const struct ryde_process_batch_record *last;
	const struct ryde_process_lane *s = l;

	/* Not in the middle of a line: the rest of it is still to come. */
	if (l->first != l || l->held || !l->can_hold || l->mid_line)
		return false;
	last = last_to_stay(l);
	if (last == NULL || !of_one_reader(l, last->source))
		return false;
	*h = (struct ryde_process_lane_hold){.first = l, .up_to = last->order};
	do {
		size_t stays = count_up_to(s, h->up_to);

		h->frees += s->batch.n - stays;
		/* what is with a command beside it is not given to another call */
		if (s->phase == RYDE_PROCESS_LANE_RUNNING && s->batch.n_parts > 0 &&
		    batch_end(s) > h->up_to)
			h->wait = true;
		s = s->sibling;
	} while (s != l);
	return true;
}

bool
ryde_process_lane_barred(const struct ryde_process_lane *l)
{
	uint64_t up_to = l->first->begin_up_to;

	return up_to != UINT64_MAX && l->batch.n > 0 && order_at(l, 0) > up_to;
}

/* Drops what came behind the records that stay. Returns how many that were. */
static size_t
drop_behind(struct ryde_process_lane *l, uint64_t up_to)
{
	size_t stays = count_up_to(l, up_to);

	if (stays == 0 && l->batch.n > 0) {
		/* a batch of its own that fails, too */
		l->batch.n_parts = 0;
		l->calls = 0;
		l->phase = RYDE_PROCESS_LANE_IDLE;
	}
	return ryde_process_batch_truncate(&l->batch, stays);
}

void
ryde_process_lane_hold(
    const struct ryde_process_lane_hold *h, struct ryde_process_lane_common *c)
{
	struct ryde_process_lane *first = h->first, *s = first;
	const struct ryde_process_batch_record *last;
	size_t dropped = 0;

	first->begin_up_to = h->up_to;
	if (h->wait)
		return;
	last = record_end(first, h->up_to);
	first->hold_ticket = last->ticket;
	first->hold_gen = last->gen;
	first->held = true;
	ryde_ack_sink_hold(ryde_intake_sink(c->in), first->hold_ticket);
	do {
		size_t bytes = s->batch.bytes, n = drop_behind(s, h->up_to);

		c->hand_records -= n;
		c->hand_bytes -= bytes - s->batch.bytes;
		dropped += n;
		s = s->sibling;
	} while (s != first);
	first->begin_up_to = UINT64_MAX;
	/* They come again, and are counted then. */
	c->books->in -= dropped;
	ryde_log(RYDE_LOG_WARNING,
	    "%s: its batch keeps failing: the shard is put on hold, %zu records are read "
	    "again later",
	    first->shard, dropped);
}
