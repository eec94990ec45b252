/* What a reader prints of its shards: records and marks. */
#include "base/clock.h"
#include "base/err.h"
#include "engine/consume.h"
#include "engine/consume_run.h"
#include "flow/ack_server.h"
#include "flow/books.h"
#include "line/envelope.h"
#include "line/writer.h"

#include <stdio.h>
#include <string.h>

#define LINES_AT_ONCE 256 /* of an aggregate, which has no bound but its length */
#define MARK_MS 1000

void
ryde_consume_lines_mark(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    int64_t at_ms, struct ryde_view parents, int64_t now)
{
	struct ryde_line_head head = {.stream = c->print.stream,
	    .parents = parents,
	    .shard = ryde_view_of(s->id),
	    .seq = ryde_pos_view(&s->printed),
	    .ack = c->print.ack,
	    .arrival_ms = at_ms,
	    .has_arrival = at_ms != INT64_MIN,
	    .gen = s->gen,
	    .has_sub = s->printed.lines > 0,
	    .sub = s->printed.lines - 1,
	    .mark = true,
	    .closed = s->said_closed};

	s->mark_at_mono_ms = now;
	s->mark_due = false;
	ryde_line_put(ryde_writer_buf(c->out), &head, ryde_view_mem(NULL, 0), false);
	if (c->acks != NULL)
		ryde_ack_server_printed(c->acks, s->ack, s->gen, &s->printed, false);
}

static void
print_mark(
    struct ryde_consume_run *c, struct ryde_consume_shard *s, int64_t at_ms, int64_t now)
{
	ryde_consume_lines_mark(c, s, at_ms, ryde_view_mem(NULL, 0), now);
}

/* Whether the shard has nothing more before *at_ms, and its time may be told: that of one
 * read to its end would pass its children by. */
static bool
has_time(struct ryde_consume_run *c, const struct ryde_consume_shard *s, int64_t *at_ms)
{
	return (s->followed || !ryde_stream_reader_ended(c->reader, s->index)) &&
	       ryde_stream_reader_caught_up(c->reader, s->index, at_ms);
}

void
ryde_consume_lines_marks(struct ryde_consume_run *c, bool fetched)
{
	int64_t now;

	if (!c->marks)
		return;
	now = ryde_clock_mono_ms();
	for (size_t i = 0; i < c->n; i++) {
		struct ryde_consume_shard *s = &c->shards[i];
		int64_t at_ms;

		if (s->held || s->given)
			continue;
		if (s->followed && !s->said_closed) {
			s->said_closed = true;
			print_mark(c, s, INT64_MIN, now);
			continue;
		}
		if (s->mark_due) {
			print_mark(c, s, INT64_MIN, now);
			continue;
		}
		if (fetched || s->draining || now - s->mark_at_mono_ms < MARK_MS)
			continue;
		if (has_time(c, s, &at_ms))
			print_mark(c, s, at_ms, now);
	}
}

void
ryde_consume_lines_last_marks(struct ryde_consume_run *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct ryde_consume_shard *s = &c->shards[i];
		int64_t at_ms;

		if (s->held || s->given)
			continue;
		if (c->at_end && has_time(c, s, &at_ms))
			print_mark(c, s, at_ms, 0);
		else if (s->mark_due)
			print_mark(c, s, INT64_MIN, 0);
	}
}

/* Up to which line of its record the shard is printed: 0, unless it was before. */
static uint64_t
first_line(const struct ryde_consume_run *c, const struct ryde_consume_shard *s,
    const struct ryde_record *r)
{
	size_t all = c->print.aggregate.n;

	if (s->printed.lines == 0 || ryde_pos_cmp_record(&s->printed, &r->seq) != 0)
		return 0;
	return s->printed.lines < all ? s->printed.lines : all;
}

/* The first `lines` lines of the record are printed, 0: all of it. */
static void
note_printed(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_record *r, uint64_t lines)
{
	s->printed = r->seq;
	s->printed.lines = (uint32_t)lines; /* a record is far below 4 GiB */
	s->mark_due = s->any = true;
	if (c->acks != NULL)
		ryde_ack_server_printed(c->acks, s->ack, s->gen, &s->printed, true);
}

/* Lines *i to n of an aggregate. *i stops before n where the shard was held or given
 * away meanwhile: the rest comes again, here or there. */
static int
print_lines(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_record *r, uint64_t *i, uint64_t n, struct ryde_err *err)
{
	uint32_t gen = s->gen;
	uint64_t from = *i;

	for (; *i < n; ++*i) {
		if ((*i - from) % LINES_AT_ONCE == LINES_AT_ONCE - 1) {
			note_printed(c, s, r, *i);
			if (ryde_consume_room(c, err) != 0)
				return -1;
			if (s->gen != gen || !ryde_consume_shards_reads(c, s))
				return 0;
		}
		ryde_consume_print_line(
		    &c->print, r, *i, s->id, gen, ryde_writer_buf(c->out));
	}
	return 0;
}

/* An aggregate, from where the shard stands on; *printed becomes how many lines. */
static int
print_aggregate(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_record *r, uint64_t *printed, struct ryde_err *err)
{
	uint64_t all = c->print.aggregate.n, n = all, from = first_line(c, s, r),
		 left = (uint64_t)(c->o->count - c->printed_records), i = from;

	if (from == all) {
		s->printed = r->seq;
		s->mark_due = true;
	}
	if (c->o->count > 0 && left < n - from)
		n = from + left;
	if (print_lines(c, s, r, &i, n, err) != 0)
		return -1;
	if (i == n && i > from)
		note_printed(c, s, r, n < all ? n : 0);
	*printed = i - from;
	return 0;
}

int
ryde_consume_lines_record(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_record *r, struct ryde_err *err)
{
	uint64_t printed = 1;

	if (ryde_consume_print_begin(&c->print, r) == 0)
		return ryde_err_nomem(err);
	if (c->print.aggregate.n == 0) {
		ryde_consume_print_line(
		    &c->print, r, 0, s->id, s->gen, ryde_writer_buf(c->out));
		note_printed(c, s, r, 0);
	} else if (print_aggregate(c, s, r, &printed, err) != 0) {
		return -1;
	}
	if (printed == 0)
		return 0;
	c->printed_records += (int64_t)printed; /* fewer than bytes of a record */
	if (c->o->books->in == 0)
		c->first_ms = r->arrival_ms;
	c->last_ms = r->arrival_ms;
	c->o->books->in++;
	c->o->books->out += printed;
	c->o->books->bytes += r->data.n;
	ryde_clock_observe(r->arrival_ms);
	return 0;
}
