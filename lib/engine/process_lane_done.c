/* How records leave a lane: released as done, or discarded. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "engine/process.h"
#include "engine/process_emit.h"
#include "engine/process_event.h"
#include "engine/process_lane.h"
#include "engine/process_source.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "line/writer.h"

#include <stdio.h>

const char *
ryde_process_lane_ack(
    const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	return c->sources[ryde_process_batch_at(&l->batch, 0)->source].ack;
}

/* Marks. */

static int
pass_marks(
    struct ryde_process_lane *l, struct ryde_process_lane_common *c, struct ryde_err *err)
{
	uint64_t oldest = ryde_process_lane_oldest(l);
	struct ryde_buf empty;

	while (l->marks[0].n > 0 && oldest >= l->mark_after[0]) {
		if (ryde_writer_line(c->out, ryde_buf_as_view(&l->marks[0]), err) != 0)
			return -1;
		empty = l->marks[0];
		ryde_buf_clear(&empty);
		l->marks[0] = l->marks[1];
		l->marks[1] = empty;
		l->mark_after[0] = l->mark_after[1];
	}
	return 0;
}

int
ryde_process_lane_mark(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    struct ryde_view raw, struct ryde_err *err)
{
	/* The oldest waiting one stays, so that a busy shard's marks do pass; of the
	 * others the newest is enough. */
	int i;

	l = l->first;
	i = l->marks[0].n > 0;
	ryde_buf_clear(&l->marks[i]);
	ryde_buf_view(&l->marks[i], raw);
	l->mark_after[i] = c->order;
	if (ryde_buf_check(&l->marks[i], err) != 0)
		return -1;
	return pass_marks(l, c, err);
}

/* The end of records. */

/* How many of the first n records nothing of the shard precedes that is still in hand. */
static size_t
done_before(const struct ryde_process_lane *l, size_t n)
{
	uint64_t oldest = UINT64_MAX;

	for (const struct ryde_process_lane *s = l->sibling; s != l; s = s->sibling) {
		if (s->batch.n > 0 && ryde_process_batch_at(&s->batch, 0)->order < oldest)
			oldest = ryde_process_batch_at(&s->batch, 0)->order;
	}
	while (n > 0 && ryde_process_batch_at(&l->batch, n - 1)->order > oldest)
		n--;
	return n;
}

int
ryde_process_lane_release(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    size_t n, bool failed, struct ryde_err *err)
{
	size_t bytes = l->batch.bytes, before = done_before(l, n);

	if (c->out != NULL && before > 0 &&
	    ryde_process_emit_mark(c->out, &l->batch, before, l->stream, l->shard,
		ryde_process_lane_ack(l, c), err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		uint64_t ticket = ryde_process_batch_at(&l->batch, i)->ticket;

		if (!l->tumble.open)
			ryde_intake_done(c->in, ticket);
		else if (ryde_process_tumble_keep(&l->tumble, ticket, failed, err) != 0)
			return -1;
	}
	ryde_process_batch_release(&l->batch, n);
	if (l->tumble.open)
		c->window_records += n;
	else if (failed)
		c->books->failed += n;
	else
		c->books->handled += n;
	c->hand_records -= n;
	c->hand_bytes -= bytes - l->batch.bytes;
	l->calls = 0; /* the checkpoint has moved */
	if (l->first->held && ryde_process_lane_oldest(l) == UINT64_MAX) {
		l->first->held = false;
		ryde_log(RYDE_LOG_NOTICE, "%s: goes on", l->shard);
		ryde_ack_sink_resume(ryde_intake_sink(c->in), l->first->hold_ticket);
	}
	return c->out != NULL ? pass_marks(l->first, c, err) : 0;
}

void
ryde_process_lane_closed(
    struct ryde_process_lane *l, struct ryde_process_lane_common *c, int64_t now_ms)
{
	struct ryde_process_tumble *t = &l->tumble;

	for (size_t i = 0; i < t->n; i++)
		ryde_intake_done(c->in, t->tickets[i]);
	c->books->handled += t->handled;
	c->books->failed += t->failed;
	c->window_records -= t->handled + t->failed;
	ryde_process_tumble_closed(t);
	l->calls = 0;
	ryde_process_lane_next_part(l, now_ms);
}

size_t
ryde_process_lane_size(const struct ryde_process_lane *l)
{
	if (l->tumble.closing != RYDE_PROCESS_TUMBLE_NO)
		return 0;
	return ryde_process_batch_size(&l->batch);
}

void
ryde_process_lane_next_part(struct ryde_process_lane *l, int64_t now_ms)
{
	if (l->tumble.closing != RYDE_PROCESS_TUMBLE_NO ||
	    ryde_process_batch_size(&l->batch) > 0) {
		l->phase = RYDE_PROCESS_LANE_READY;
	} else {
		l->phase = RYDE_PROCESS_LANE_IDLE;
		l->window_from_ms = now_ms;
	}
}

void
ryde_process_lane_describe(
    const struct ryde_process_lane *l, size_t n, char *to, size_t size)
{
	const struct ryde_process_batch_record *first, *last;
	char end[RYDE_TIMESTAMP_MAX], from_text[RYDE_PROCESS_EVENT_NUMBER],
	    to_text[RYDE_PROCESS_EVENT_NUMBER];
	struct ryde_view seq[2];

	if (n == 0) {
		ryde_timestamp_rfc3339(ryde_process_tumble_end_ms(&l->tumble), end);
		snprintf(to, size, "%.128s %.128s, the window up to %s", l->stream,
		    l->shard, end);
		return;
	}
	first = ryde_process_batch_at(&l->batch, 0);
	last = ryde_process_batch_at(&l->batch, n - 1);
	seq[0] = ryde_process_event_sequence(first, from_text);
	seq[1] = ryde_process_event_sequence(last, to_text);
	if (first->seq.n == 0)
		snprintf(to, size, "lines %llu to %llu (%zu)",
		    (unsigned long long)first->number, (unsigned long long)last->number,
		    n);
	else
		snprintf(to, size, "%.128s %.128s, records %.*s to %.*s (%zu)", l->stream,
		    l->shard, (int)(seq[0].n < 150 ? seq[0].n : 150), seq[0].p,
		    (int)(seq[1].n < 150 ? seq[1].n : 150), seq[1].p, n);
}

/* Discards. */

void
ryde_process_lane_discard(struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, size_t n,
    enum ryde_process_fail_condition condition, const char *what)
{
	l->phase = RYDE_PROCESS_LANE_DISCARDING;
	l->discard = n;
	l->discard_calls = l->calls;
	l->condition = condition;
	l->until_ms = 0;
	snprintf(l->what, sizeof l->what, "%s", what);
	ryde_backoff_init(&l->delivery, c->settings->backoff_ms,
	    RYDE_PROCESS_BACKOFF_CAP_MS, c->settings->retry_for_ms);
}

static int
discard_lost(
    struct ryde_process_lane *l, struct ryde_process_lane_common *c, struct ryde_err *err)
{
	char records[RYDE_PROCESS_LANE_TEXT];

	ryde_process_lane_describe(l, l->discard, records, sizeof records);
	ryde_log(RYDE_LOG_WARNING, "%s: discarded (%s); no --on-failure keeps them",
	    records, l->what);
	ryde_books_extra(c->books, "DroppedEventCount", l->discard);
	c->lost = true;
	return ryde_process_lane_release(l, c, l->discard, true, err);
}

static int
delivery_failed(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, struct ryde_err *failure, struct ryde_err *err)
{
	int64_t delay_ms;

	/* A record that never fits, or no memory: trying again is no use. */
	if (failure->code == RYDE_EDATA || failure->code == RYDE_EOSERR) {
		*err = *failure;
		return -1;
	}
	if (!ryde_backoff_failed(
		&l->delivery, now_ms, ryde_random_unit(&c->random), &delay_ms))
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "--on-failure %s failed for too long: %.300s",
		    c->settings->on_failure, failure->msg);
	ryde_log(RYDE_LOG_WARNING, "--on-failure %s: %s; again in %lld ms",
	    c->settings->on_failure, failure->msg, (long long)delay_ms);
	l->until_ms = now_ms + delay_ms;
	return 0;
}

static int
deliver(struct ryde_process_lane *l, struct ryde_process_lane_common *c, int64_t now_ms,
    struct ryde_err *err)
{
	struct ryde_process_fail_batch doc = {
	    .batch = &l->batch,
	    .stream = l->stream,
	    .shard = l->shard,
	    .function = c->function,
	    .region = c->region,
	    .request = l->id,
	    .error = l->what,
	    .condition = l->condition,
	    .response = l->answer,
	    .calls = l->discard_calls,
	};
	struct ryde_err failure = RYDE_ERR_INIT;
	size_t delivered = 0;
	char records[RYDE_PROCESS_LANE_TEXT];

	while (l->discard > 0) {
		doc.n = l->discard;
		if (ryde_process_fail_send(c->fail, &doc, &delivered, &failure) != 0)
			return delivery_failed(l, c, now_ms, &failure, err);
		ryde_backoff_worked(&l->delivery);
		ryde_process_lane_describe(l, delivered, records, sizeof records);
		ryde_log(RYDE_LOG_WARNING, "%s: discarded (%s), now in %s", records,
		    l->what, c->settings->on_failure);
		ryde_books_extra(
		    c->books, "OnFailureDestinationDeliveredEventCount", delivered);
		if (ryde_process_lane_release(l, c, delivered, true, err) != 0)
			return -1;
		l->discard -= delivered;
	}
	return 1;
}

int
ryde_process_lane_discarding(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_ms, struct ryde_err *err)
{
	int r;

	if (c->stopping || now_ms < l->until_ms)
		return 0;
	if (c->fail != NULL)
		r = deliver(l, c, now_ms, err);
	else
		r = discard_lost(l, c, err) == 0 ? 1 : -1;
	if (r == 1)
		ryde_process_lane_next_part(l, now_ms);
	return r;
}
