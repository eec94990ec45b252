#include "engine/process_lane.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "engine/process.h"
#include "engine/process_event.h"
#include "engine/process_filter.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "json/string.h"
#include "line/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest --batch-bytes, the largest single record in base64, a state, and more. */
#define EVENT_MAX ((size_t)96 << 20)
#define STEP_AGAIN 1 /* the phase has changed: go on */
#define STEP_WAIT 0

struct ryde_process_lane *
ryde_process_lane_new(struct ryde_view raw_stream, struct ryde_view raw_shard,
    int64_t tumble_ms, struct ryde_err *err)
{
	struct ryde_process_lane *l = calloc(1, sizeof *l);

	if (l != NULL) {
		ryde_buf_init(&l->marks[0], RYDE_LINE_MAX);
		ryde_buf_init(&l->marks[1], RYDE_LINE_MAX);
		ryde_buf_init(&l->event, EVENT_MAX);
		ryde_buf_init(&l->ahead, EVENT_MAX);
		ryde_process_tumble_init(&l->tumble, tumble_ms);
		l->raw_stream = ryde_view_copy(raw_stream);
		l->raw_shard = ryde_view_copy(raw_shard);
		l->sibling = l->first = l;
		l->begin_up_to = UINT64_MAX;
		l->stream = ryde_json_string_copy(raw_stream);
		l->shard = ryde_json_string_copy(raw_shard);
	}
	if (l == NULL || l->raw_stream == NULL || l->raw_shard == NULL ||
	    l->stream == NULL || l->shard == NULL) {
		ryde_process_lane_free(l);
		ryde_err_nomem(err);
		return NULL;
	}
	return l;
}

void
ryde_process_lane_free(struct ryde_process_lane *l)
{
	if (l == NULL)
		return;
	if (l->call != NULL)
		l->call->ops->free(l->call);
	ryde_process_batch_free(&l->batch);
	ryde_buf_free(&l->marks[0]);
	ryde_buf_free(&l->marks[1]);
	free(l->raw_stream);
	free(l->raw_shard);
	free(l->stream);
	free(l->shard);
	free(l->parents);
	free(l->input);
	ryde_buf_free(&l->event);
	ryde_buf_free(&l->ahead);
	ryde_process_tumble_free(&l->tumble);
	free(l);
}

void
ryde_process_lane_join(struct ryde_process_lane *l, struct ryde_process_lane *of)
{
	l->sibling = of->sibling;
	of->sibling = l;
	l->first = of->first;
}

uint64_t
ryde_process_lane_oldest(const struct ryde_process_lane *l)
{
	const struct ryde_process_lane *s = l;
	uint64_t oldest = UINT64_MAX;

	do {
		if (s->batch.n > 0 && ryde_process_batch_at(&s->batch, 0)->order < oldest)
			oldest = ryde_process_batch_at(&s->batch, 0)->order;
		s = s->sibling;
	} while (s != l);
	return oldest;
}

bool
ryde_process_lane_is(const struct ryde_process_lane *l, struct ryde_view raw_stream,
    struct ryde_view raw_shard)
{
	return ryde_view_is(raw_shard, l->raw_shard) &&
	       ryde_view_is(raw_stream, l->raw_stream);
}

/* The filter criteria do not let it pass. Its line is done once the items before it are,
 * which a filter program made of the same line. */
static void
drop(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    const struct ryde_item *item)
{
	struct ryde_process_batch_record *before = NULL;

	if (l->batch.n > 0)
		before = ryde_process_batch_at(&l->batch, l->batch.n - 1);
	if (before != NULL && before->number == item->number && !item->more) {
		before->ticket = item->ticket;
		before->more = item->line.more;
	} else {
		ryde_intake_done(c->in, item->ticket);
	}
	l->first->mid_line = item->more;
	c->books->filtered++;
	ryde_books_extra(c->books, "FilteredOutEventCount", 1);
}

int
ryde_process_lane_add(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    const struct ryde_item *item, struct ryde_view data, bool base64, uint32_t source,
    struct ryde_err *err)
{
	const struct ryde_line *line = &item->line;
	struct ryde_ack_sink *sink = ryde_intake_sink(c->in);
	struct ryde_process_batch_record r = {
	    .data = data,
	    .seq = line->seq,
	    .arrival_ms = line->arrival_ms,
	    .ticket = item->ticket,
	    .number = item->number,
	    .order = c->order++,
	    .source = source,
	    .gen = line->gen,
	    .redrives = line->redrives,
	    .sub = line->sub,
	    .has_sub = line->has_sub,
	    .last = line->last,
	    .has_arrival = line->has_arrival,
	    .lf = line->lf,
	    .base64 = base64,
	    .more = line->more || item->more,
	};
	const struct ryde_process_event_source events = {l->stream, l->shard, c->region};
	size_t bytes = l->batch.bytes;
	char *key = NULL;
	int result;

	if (!r.has_arrival)
		r.arrival_ms = ryde_clock_data_ms();
	/* What the stream does not give back for a sequence number. */
	if (c->fail != NULL)
		r.keep_data = c->settings->filtered || line->seq.n == 0 || line->more ||
			      !ryde_ack_sink_direct(sink, line);
	r.key = line->key;
	if (line->key.n > 0 && memchr(line->key.p, '\\', line->key.n) != NULL) {
		key = ryde_json_string_copy(line->key);
		if (key == NULL)
			return ryde_err_nomem(err);
		r.key = ryde_view_of(key);
	}
	r.weight = r.data.n + 1;
	if (c->settings->event == RYDE_PROCESS_EVENT_LAMBDA)
		r.weight = ryde_process_event_bytes(&events, &r);
	if (l->batch.n == 0 && l->window_from_ms == 0)
		l->window_from_ms = ryde_clock_mono_ms();
	ryde_books_extra(c->books, "PolledEventCount", 1);
	result = 1;
	if (c->filter != NULL)
		result = ryde_process_filter_passes(c->filter, &events, &r, err);
	if (result == 0)
		drop(l, c, item);
	else if (result == 1 && ryde_process_batch_add(&l->batch, &r, err) != 0)
		result = -1;
	free(key);
	if (result != 1)
		return result;
	l->first->mid_line = item->more;
	l->first->can_hold = line->ack.n > 0 && ryde_ack_sink_can_hold(sink, line);
	/* For another sink it was read again, and can be held again. */
	if (l->first->held && line->gen > l->first->hold_gen)
		l->first->held = false;
	l->tumble.own_time = !line->has_arrival;
	l->tumble.marked = l->tumble.marked || line->ack.n > 0;
	l->tumble.heard_mono_ms = l->window_from_ms;
	c->hand_records++;
	c->hand_bytes += l->batch.bytes - bytes;
	return 0;
}

/* Batches. */

static int64_t
window_ends(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	return l->window_from_ms + c->settings->batch_window_ms;
}

/* Opens, closes or keeps the window, as what is in hand asks for. True where the next
 * call closes it. */
static bool
turn_window(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, struct ryde_err *err)
{
	struct ryde_process_tumble *t = &l->tumble;
	int64_t first_ms = 0, until_ms;
	bool any = l->batch.n > 0, over;

	if (any)
		first_ms = ryde_process_batch_at(&l->batch, 0)->arrival_ms;
	if (!t->open)
		return any && ryde_process_tumble_open(t, first_ms, err) != 0;
	if (any)
		over = first_ms >= ryde_process_tumble_end_ms(t);
	else
		over = c->close_windows || ryde_process_tumble_over(t,
					       ryde_clock_data_ms(), now_ms, &until_ms);
	if (over)
		t->closing = RYDE_PROCESS_TUMBLE_FINAL;
	return over;
}

/* What a batch may hold now: no record behind the open window, and room for its state. */
static struct ryde_process_batch_limits
limits_now(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	struct ryde_process_batch_limits limits = c->limits;

	if (!l->tumble.open)
		return limits;
	limits.before_ms = ryde_process_tumble_end_ms(&l->tumble);
	limits.bytes -=
	    l->tumble.state.n < limits.bytes ? l->tumble.state.n : limits.bytes;
	return limits;
}

/* True where no more records can join the batch at the front. */
static bool
front_is_whole(
    const struct ryde_process_lane *l, const struct ryde_process_batch_limits *limits)
{
	return ryde_process_batch_full(&l->batch, limits) ||
	       (limits->before_ms != 0 &&
		   ryde_process_batch_at(&l->batch, l->batch.n - 1)->arrival_ms >=
		       limits->before_ms);
}

static int
step_idle(struct ryde_process_lane *l, struct ryde_process_lane_common *c, bool flush,
    int64_t now_ms, struct ryde_err *err)
{
	struct ryde_process_batch_limits limits;

	if (c->stopping || ryde_process_lane_barred(l))
		return STEP_WAIT;
	if (l->tumble.size_ms > 0 && turn_window(l, c, now_ms, err)) {
		if (l->tumble.closing == RYDE_PROCESS_TUMBLE_NO)
			return -1;
		l->calls = 0;
		l->phase = RYDE_PROCESS_LANE_READY;
		return STEP_AGAIN;
	}
	if (l->batch.n == 0)
		return STEP_WAIT;
	limits = limits_now(l, c);
	if (!flush && !front_is_whole(l, &limits) &&
	    (c->settings->batch_window_ms == 0 || now_ms < window_ends(l, c)))
		return STEP_WAIT;
	ryde_process_batch_cut(&l->batch, &limits);
	l->calls = 0;
	l->phase = RYDE_PROCESS_LANE_READY;
	return STEP_AGAIN;
}

int
ryde_process_lane_turn(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    bool flush, int64_t now_mono_ms, struct ryde_err *err)
{
	int r = STEP_AGAIN;

	while (r == STEP_AGAIN) {
		if (l->going && l->phase != RYDE_PROCESS_LANE_RUNNING &&
		    l->phase != RYDE_PROCESS_LANE_PRINTING)
			return 0;
		switch (l->phase) {
		case RYDE_PROCESS_LANE_IDLE:
			r = step_idle(l, c, flush, now_mono_ms, err);
			break;
		case RYDE_PROCESS_LANE_READY:
			r = ryde_process_lane_ready(l, c, now_mono_ms, err);
			break;
		case RYDE_PROCESS_LANE_RUNNING:
			r = ryde_process_lane_running(l, c, now_mono_ms, err);
			break;
		case RYDE_PROCESS_LANE_PRINTING:
			r = ryde_process_lane_printing(l, c, now_mono_ms, err);
			break;
		case RYDE_PROCESS_LANE_DELAYED:
			if (c->stopping || now_mono_ms < l->until_ms)
				return 0;
			l->phase = RYDE_PROCESS_LANE_READY;
			break;
		case RYDE_PROCESS_LANE_DISCARDING:
			r = ryde_process_lane_discarding(l, c, now_mono_ms, err);
			break;
		}
	}
	return r;
}

static void
wait_idle(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c,
    struct ryde_waits *w)
{
	int64_t until_ms, now_ms;

	if (l->batch.n > 0 && c->settings->batch_window_ms > 0)
		ryde_waits_until(w, window_ends(l, c));
	if (l->batch.n > 0 || !l->tumble.open)
		return;
	now_ms = ryde_clock_mono_ms();
	if (ryde_process_tumble_over(&l->tumble, ryde_clock_data_ms(), now_ms, &until_ms))
		until_ms = now_ms;
	ryde_waits_until(w, until_ms);
}

void
ryde_process_lane_wait(const struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, struct ryde_waits *w)
{
	switch (l->phase) {
	case RYDE_PROCESS_LANE_IDLE:
		if (!c->stopping && !ryde_process_lane_barred(l))
			wait_idle(l, c, w);
		break;
	case RYDE_PROCESS_LANE_RUNNING:
		if (l->judge_ms != 0)
			ryde_waits_until(w, l->judge_ms);
		else
			l->call->ops->wait(l->call, w);
		break;
	case RYDE_PROCESS_LANE_DELAYED:
	case RYDE_PROCESS_LANE_DISCARDING:
		if (!c->stopping)
			ryde_waits_until(w, l->until_ms);
		break;
	case RYDE_PROCESS_LANE_READY: /* the end of another lane's call wakes the loop */
		if (c->children < RYDE_PROCESS_CHILDREN_MAX && !c->stopping &&
		    !ryde_process_lane_barred(l))
			ryde_waits_until(w, 0);
		break;
	case RYDE_PROCESS_LANE_PRINTING: /* room in the pipe does */
		if (ryde_writer_pending(c->out) < RYDE_WRITER_HIGH && !c->stopping)
			ryde_waits_until(w, 0);
		break;
	}
}

void
ryde_process_lane_stop(struct ryde_process_lane *l, int64_t now_mono_ms)
{
	if (l->phase == RYDE_PROCESS_LANE_RUNNING)
		l->call->ops->stop(l->call, now_mono_ms);
}

void
ryde_process_lane_hear(struct ryde_process_lane *l, const struct ryde_line *line)
{
	l->tumble.heard_mono_ms = ryde_clock_mono_ms();
	l->tumble.marked = l->tumble.marked || line->ack.n > 0;
	if (line->has_arrival && line->arrival_ms > l->tumble.later_ms)
		l->tumble.later_ms = line->arrival_ms;
}

bool
ryde_process_lane_busy(const struct ryde_process_lane *l)
{
	return l->batch.n > 0 || l->tumble.open;
}
