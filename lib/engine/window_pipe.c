#include "engine/window_pipe.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "engine/window.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "flow/rejects.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/writer.h"

#include <string.h>

#define POSITIONS_EVERY_MS 1000
#define CLOCK_LINES 64 /* the clock is looked at once in so many */
#define KEY_MAX 256    /* characters of a partition key */
#define ROW_MAX (64u << 20)

struct job {
	const struct ryde_window_pipe_opts *o;
	struct ryde_window *window;
	struct ryde_window_record record;
	struct ryde_err why; /* of a reject; not cleared for each line */
	struct ryde_buf row, key, at, ack, stream;
	bool begun, grouped, has_early, plain;
	bool in_lines;		   /* payloads may be taken many at once */
	int64_t positions_mono_ms; /* when positions may be printed next */
	int64_t early_ms;	   /* when open windows are shown next, by the clock */
	unsigned turn;
};

/* ---- lines out ---- */

/* What the clock of data makes due: open windows that are to be shown, and with -t now
 * the end of one. */
static void
wait_for_clock(const struct job *j, struct ryde_waits *waits)
{
	int64_t next_ms = j->early_ms, end_ms;

	if (j->o->def->time == RYDE_WINDOW_DEF_NOW &&
	    ryde_window_next_end(j->window, &end_ms) &&
	    (j->o->every_ms == 0 || end_ms < next_ms))
		next_ms = end_ms;
	else if (j->o->every_ms == 0)
		return;
	ryde_waits_until(waits, ryde_clock_mono_ms() + next_ms - ryde_clock_data_ms());
}

static int
wait_once(struct job *j, bool input, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	ryde_waits_begin(&waits);
	ryde_writer_wait(j->o->out, &waits);
	if (input)
		ryde_intake_wait(j->o->intake, &waits);
	else
		ryde_intake_wait_quietly(j->o->intake, &waits);
	if (j->grouped && ryde_window_has_moved(j->window) &&
	    !ryde_window_is_behind(j->window))
		ryde_waits_until(&waits, j->positions_mono_ms);
	wait_for_clock(j, &waits);
	j->o->tick(j->o->arg, &waits);
	if (ryde_waits_poll(&waits, err) != 0 || ryde_writer_check_closed(j->o->out))
		return -1;
	return ryde_writer_flush(j->o->out, err) < 0 ? -1 : 0;
}

/* Waits until the pipe has taken most of what is gathered, and hears the reader
 * meanwhile. */
static int
make_room(struct job *j, struct ryde_err *err)
{
	while (ryde_writer_pending(j->o->out) > RYDE_WRITER_HIGH) {
		if (wait_once(j, false, err) != 0 ||
		    ryde_intake_turn_quietly(j->o->intake, err) != 0)
			return -1;
	}
	return 0;
}

/* What was put aside must be safe before a later line is passed on (rule 4). */
static int
sync_aside(struct job *j, struct ryde_err *err)
{
	if (j->o->late != NULL && ryde_rejects_sync(j->o->late, err) != 0)
		return -1;
	return ryde_intake_sync(j->o->intake, err);
}

/* The first KEY_MAX characters. */
static struct ryde_view
partition_key(const struct ryde_buf *key)
{
	size_t n = 0;

	for (size_t characters = 0; n < key->n; n++) {
		/* bytes 10xxxxxx go on with a character */
		if (((unsigned char)key->p[n] & 0xc0) != 0x80 && characters++ == KEY_MAX)
			break;
	}
	return ryde_view_mem(key->p, n);
}

static struct ryde_line_head
group_head(const struct job *j)
{
	return (struct ryde_line_head){
	    .stream = ryde_buf_as_view(&j->stream), .ack = ryde_buf_as_view(&j->ack)};
}

/* One row in its envelope; with_at: the last one of a firing carries the positions. */
static int
put_wrapped(struct job *j, bool with_at, struct ryde_err *err)
{
	struct ryde_line_head head = group_head(j);

	ryde_buf_clear(&j->row);
	ryde_buf_clear(&j->key);
	ryde_buf_clear(&j->at);
	if (ryde_window_row(j->window, &j->row, &j->key, err) != 0)
		return -1;
	head.key = partition_key(&j->key);
	head.more = !with_at || ryde_window_due(j->window);
	if (!head.more) {
		if (ryde_window_positions(j->window, &j->at, err) != 0)
			return -1;
		head.at = ryde_buf_as_view(&j->at);
		j->positions_mono_ms = ryde_clock_mono_ms() + POSITIONS_EVERY_MS;
	}
	ryde_line_put(
	    ryde_writer_buf(j->o->out), &head, ryde_buf_as_view(&j->row), false);
	return 0;
}

/* All rows that are due. */
static int
fire(struct job *j, bool with_at, struct ryde_err *err)
{
	if (sync_aside(j, err) != 0)
		return -1;
	while (ryde_window_due(j->window)) {
		struct ryde_buf *out = ryde_writer_buf(j->o->out);

		if (j->grouped) {
			if (put_wrapped(j, with_at, err) != 0)
				return -1;
		} else {
			if (ryde_window_row(j->window, out, NULL, err) != 0)
				return -1;
			ryde_buf_putc(out, '\n');
		}
		j->o->books->out++;
		if (ryde_writer_added(j->o->out, err) != 0 || make_room(j, err) != 0)
			return -1;
	}
	return 0;
}

/* A mark with the positions in j->at (empty: none can be told). */
static int
put_mark(struct job *j, bool end, struct ryde_err *err)
{
	struct ryde_line_head head = group_head(j);

	head.mark = true;
	head.end = end;
	head.at = ryde_buf_as_view(&j->at);
	if (sync_aside(j, err) != 0)
		return -1;
	ryde_line_put(ryde_writer_buf(j->o->out), &head, ryde_view_mem(NULL, 0), false);
	j->positions_mono_ms = ryde_clock_mono_ms() + POSITIONS_EVERY_MS;
	return ryde_writer_added(j->o->out, err);
}

/* The positions as they stand into j->at; empty while a restart has not caught up. */
static int
take_positions(struct job *j, struct ryde_err *err)
{
	ryde_buf_clear(&j->at);
	if (ryde_window_is_behind(j->window))
		return 0;
	return ryde_window_positions(j->window, &j->at, err);
}

/* Tells positions that moved without a firing, about once a second. */
static int
tell_positions(struct job *j, struct ryde_err *err)
{
	if (!j->grouped || !ryde_window_has_moved(j->window) ||
	    ryde_window_is_behind(j->window) ||
	    ryde_clock_mono_ms() < j->positions_mono_ms)
		return 0;
	return take_positions(j, err) != 0 ? -1 : put_mark(j, false, err);
}

/* What the clock of data makes due, looked at about now and then. */
static int
follow_clock(struct job *j, struct ryde_err *err)
{
	int64_t now_ms;
	bool first;

	if (j->o->every_ms == 0 && j->o->def->time != RYDE_WINDOW_DEF_NOW)
		return 0;
	now_ms = ryde_clock_data_ms();
	if (j->o->def->time == RYDE_WINDOW_DEF_NOW) {
		ryde_window_now(j->window, now_ms);
		if (ryde_window_advance(j->window) && fire(j, true, err) != 0)
			return -1;
	}
	if (j->o->every_ms == 0 || (j->has_early && now_ms < j->early_ms))
		return 0;
	/* At times that are multiples of it, whenever we began. */
	first = !j->has_early;
	j->has_early = true;
	j->early_ms = now_ms - now_ms % j->o->every_ms + j->o->every_ms;
	if (first || !ryde_window_early(j->window))
		return 0;
	if (fire(j, false, err) != 0)
		return -1;
	if (!j->grouped)
		return 0;
	/* What follows them makes the sink acknowledge them. */
	return take_positions(j, err) != 0 ? -1 : put_mark(j, false, err);
}

/* ---- lines in ---- */

/* The first line decides whether a group's reader stands before us. */
static int
begin(struct job *j, const struct ryde_line *line, struct ryde_err *err)
{
	struct ryde_ack_sink *sink = ryde_intake_sink(j->o->intake);
	int64_t retention_ms = ryde_ack_sink_retention_ms(sink);
	const struct ryde_window_def *d = j->o->def;
	int64_t needed_ms = d->extent.size_ms + d->lateness_ms + d->allow_ms;

	j->begun = true;
	j->grouped = line->ack.n > 0;
	if (!j->grouped)
		return 0;
	ryde_buf_view(&j->ack, line->ack);
	ryde_json_string_decode(&j->stream, line->stream);
	if (ryde_buf_check(&j->ack, err) != 0 || ryde_buf_check(&j->stream, err) != 0)
		return -1;
	if (d->time == RYDE_WINDOW_DEF_NOW)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "-t now does not go with a group: read again, a record would come at "
		    "another time");
	if (retention_ms > 0 && needed_ms > retention_ms)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "a window and its lateness are longer than the stream keeps its "
		    "records: after a "
		    "restart its first records would be gone");
	if (retention_ms > 0 && needed_ms > retention_ms / 2)
		ryde_log(RYDE_LOG_WARNING,
		    "a window and its lateness are longer than half of what the stream "
		    "keeps: after a long stop its first records could be gone");
	j->positions_mono_ms = ryde_clock_mono_ms() + POSITIONS_EVERY_MS;
	return ryde_window_restore(j->window, ryde_ack_sink_window_at(sink), err);
}

/* Positions have a meaning only where all lines come from one reader, and straight from
 * its stream. */
static int
check_line(struct job *j, const struct ryde_line *line, struct ryde_err *err)
{
	if (!j->begun && begin(j, line, err) != 0)
		return -1;
	if (!ryde_view_eq(line->ack, ryde_buf_as_view(&j->ack)))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "lines of a group and others on one input: a window takes the lines "
		    "of one reader");
	if (line->at.n > 0 || (j->grouped && line->shard.n == 0 && !line->end))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "a window behind a window: put a stream between them");
	return 0;
}

/* The line's shard and place into the record. RYDE_EDATA where they are none. */
static int
locate(struct job *j, const struct ryde_line *line, struct ryde_err *err)
{
	struct ryde_window_record *r = &j->record;

	r->pos.n = 0;
	/* Plain payloads are all of the shard that the last one was of. */
	if (line->kind == RYDE_LINE_PAYLOAD && j->plain)
		return 0;
	j->plain = line->kind == RYDE_LINE_PAYLOAD;
	j->in_lines = j->plain && line->ack.n == 0 && !ryde_clock_follows() &&
		      j->o->every_ms == 0 && j->o->def->time != RYDE_WINDOW_DEF_NOW;
	if (line->shard.n > RYDE_SHARD_ID_MAX)
		return ryde_err_set(err, RYDE_EDATA, "a shardId of more than %d bytes",
		    RYDE_SHARD_ID_MAX);
	if (j->grouped && line->seq.n > 0 && !ryde_line_pos(line, &r->pos))
		return ryde_err_set(err, RYDE_EDATA, "the sequenceNumber is no number");
	return ryde_window_shard(j->window, line->stream, line->shard, &r->shard, err);
}

/*
 * A payload stays as it is. What came in an envelope keeps it, for its arrival time, but
 * not the reader's `ack`: the file is read when that reader is gone.
 */
static int
keep_late(struct job *j, const struct ryde_item *item, struct ryde_err *err)
{
	const struct ryde_line *line = &item->line;
	struct ryde_line_head head = {
	    .arrival_ms = line->arrival_ms, .has_arrival = line->has_arrival};

	if (j->o->late == NULL)
		return 0;
	if (line->kind == RYDE_LINE_PAYLOAD && !ryde_line_imitates(item->payload))
		return ryde_rejects_raw(j->o->late, item->payload, err);
	ryde_buf_clear(&j->row);
	ryde_buf_clear(&j->key);
	ryde_json_string_decode(&j->key, line->key);
	if (ryde_buf_check(&j->key, err) != 0)
		return -1;
	head.stream = line->stream;
	head.shard = line->shard;
	head.seq = line->seq;
	head.has_sub = line->has_sub;
	head.sub = line->sub;
	head.last = line->last;
	head.key = ryde_buf_as_view(&j->key);
	ryde_line_put(&j->row, &head, item->payload, false);
	if (ryde_buf_check(&j->row, err) != 0)
		return -1;
	return ryde_rejects_raw(j->o->late, ryde_view_mem(j->row.p, j->row.n - 1), err);
}

static int
reject(struct job *j, const struct ryde_item *item, const char *why, struct ryde_err *err)
{
	if (ryde_intake_reject(j->o->intake, item, why, err) != 0)
		return -1;
	/* Only what is safe in --rejects may be passed over. */
	if (j->o->passes_rejects)
		ryde_window_pass(j->window, &j->record);
	return 0;
}

static int
take_item(struct job *j, const struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_window_record *r = &j->record;

	if (check_line(j, &item->line, err) != 0)
		return -1;
	r->payload = item->payload;
	r->behind = item->behind;
	r->more = item->more || item->line.more;
	r->has_arrival = item->line.has_arrival;
	r->arrival_ms = item->line.arrival_ms;
	if (locate(j, &item->line, &j->why) != 0) {
		if (j->why.code == RYDE_EDATA)
			return reject(j, item, j->why.msg, err);
		*err = j->why;
		return -1;
	}
	switch (ryde_window_feed(j->window, r, &j->why)) {
	case RYDE_WINDOW_TAKEN:
		j->o->books->handled++;
		break;
	case RYDE_WINDOW_SKIPPED:
	case RYDE_WINDOW_FILTERED:
		j->o->books->filtered++;
		break;
	case RYDE_WINDOW_LATE:
		j->o->books->late++;
		if (keep_late(j, item, err) != 0)
			return -1;
		break;
	case RYDE_WINDOW_WRONG:
		if (reject(j, item, j->why.msg, err) != 0)
			return -1;
		break;
	case RYDE_WINDOW_FAILED:
		*err = j->why;
		return -1;
	}
	ryde_intake_done(j->o->intake, item->ticket);
	if (r->more)
		return 0;
	if (ryde_window_advance(j->window) && fire(j, true, err) != 0)
		return -1;
	/* Reading the clock for each line would cost as much as the line. */
	if (ryde_clock_follows() || ++j->turn % CLOCK_LINES == 0)
		return follow_clock(j, err);
	return 0;
}

/* Lines behind a plain payload, which are mostly of the same kind: many at once. */
static int
take_lines(struct job *j, struct ryde_err *err)
{
	struct ryde_books *books = j->o->books;
	struct ryde_window_lines did;
	struct ryde_item item = {0};

	do {
		if (ryde_window_feed_lines(j->window, ryde_intake_rest(j->o->intake),
			j->record.shard, &did, err) != 0)
			return -1;
		ryde_intake_took(
		    j->o->intake, did.bytes, did.taken + did.filtered + (did.late.n > 0));
		books->handled += did.taken;
		books->filtered += did.filtered;
		if (did.late.n > 0) {
			books->late++;
			ryde_line_be_payload(&item.line, did.late);
			item.payload = did.late;
			if (keep_late(j, &item, err) != 0)
				return -1;
		}
		if (ryde_window_due(j->window) && fire(j, true, err) != 0)
			return -1;
	} while (did.bytes > 0);
	return 0;
}

static int
take_mark(struct job *j, const struct ryde_item *item, struct ryde_err *err)
{
	const struct ryde_line *line = &item->line;

	if (check_line(j, line, err) != 0)
		return -1;
	if (line->shard.n == 0)
		return 0;
	if (locate(j, line, err) != 0)
		return -1;
	ryde_window_mark(j->window, j->record.shard, &j->record.pos, line->has_arrival,
	    line->arrival_ms);
	if (line->closed)
		ryde_window_closed(j->window, j->record.shard);
	return ryde_window_advance(j->window) ? fire(j, true, err) : 0;
}

/* ---- the whole ---- */

/* In a group nothing is closed: the next run goes on. --flush shows what is open, and the
 * positions stay before it. */
static int
end_group(struct job *j, struct ryde_err *err)
{
	bool clean = ryde_intake_clean(j->o->intake);

	if (!clean && !ryde_window_has_moved(j->window))
		return 0;
	if (take_positions(j, err) != 0)
		return -1;
	if (clean && j->o->flush && j->at.n > 0) {
		struct ryde_buf at = j->at; /* rows use the other one */
		int rc;

		ryde_buf_init(&j->at, ROW_MAX);
		ryde_window_close(j->window);
		rc = fire(j, false, err);
		ryde_buf_free(&j->at);
		j->at = at;
		if (rc != 0)
			return -1;
	}
	return clean || j->at.n > 0 ? put_mark(j, clean, err) : 0;
}

/*
 * The books: a line is handled once it is in its window. In a group it stays so at the
 * end, counted in `seen`; of plain input that died, what never came out is pending.
 */
static int
end(struct job *j, struct ryde_err *err)
{
	uint64_t pending, missed = ryde_window_missed(j->window);
	uint64_t recounted = ryde_window_recounted(j->window);

	j->o->books->handled -= recounted;
	j->o->books->filtered += recounted;
	if (missed > 0) {
		ryde_books_extra(j->o->books, "missed", missed);
		ryde_log(RYDE_LOG_WARNING,
		    "%llu lines were too late for some of their windows, and count in "
		    "the others",
		    (unsigned long long)missed);
	}
	if (j->grouped) {
		if (end_group(j, err) != 0)
			return -1;
	} else if (ryde_intake_clean(j->o->intake) && !j->o->no_flush) {
		ryde_window_close(j->window);
		if (fire(j, false, err) != 0)
			return -1;
	} else {
		pending = ryde_window_pending(j->window);
		j->o->books->handled -= pending;
		j->o->books->pending += pending;
	}
	if (sync_aside(j, err) != 0 || ryde_writer_drain(j->o->out, err) != 0)
		return -1;
	return ryde_intake_finish(j->o->intake, err);
}

/* After a failure nothing that is open will come out, nor will the line that was in hand.
 */
static void
leave(const struct job *j)
{
	struct ryde_books *b = j->o->books;
	uint64_t open = ryde_window_pending(j->window);

	b->handled -= open < b->handled ? open : b->handled;
	b->pending =
	    b->in - (b->handled + b->filtered + b->late + b->rejected + b->failed);
}

static int
run(struct job *j, struct ryde_err *err)
{
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(j->o->intake, &item, err)) {
		case RYDE_INTAKE_ITEM:
			if (take_item(j, &item, err) != 0 ||
			    (j->in_lines && take_lines(j, err) != 0))
				return -1;
			break;
		case RYDE_INTAKE_MARK:
			if (take_mark(j, &item, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_AGAIN:
			if (ryde_writer_flush(j->o->out, err) < 0 ||
			    make_room(j, err) != 0 || wait_once(j, true, err) != 0 ||
			    follow_clock(j, err) != 0 || tell_positions(j, err) != 0 ||
			    ryde_intake_turn(j->o->intake, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_END:
			return end(j, err);
		case RYDE_INTAKE_FAILED:
			return -1;
		}
	}
}

int
ryde_window_pipe(const struct ryde_window_pipe_opts *o, struct ryde_err *err)
{
	struct job j = {.o = o};
	int rc = -1;

	ryde_buf_init(&j.row, ROW_MAX);
	ryde_buf_init(&j.key, ROW_MAX);
	ryde_buf_init(&j.at, ROW_MAX);
	ryde_buf_init(&j.ack, RYDE_LINE_MAX);
	ryde_buf_init(&j.stream, RYDE_LINE_MAX);
	j.window = ryde_window_new(o->def, err);
	if (j.window == NULL)
		goto out;
	rc = run(&j, err);
	if (rc != 0)
		leave(&j);
out:
	ryde_window_free(j.window);
	ryde_buf_free(&j.row);
	ryde_buf_free(&j.key);
	ryde_buf_free(&j.at);
	ryde_buf_free(&j.ack);
	ryde_buf_free(&j.stream);
	return rc == 0 ? ryde_intake_status(o->intake) : -1;
}
