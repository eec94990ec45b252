#include "engine/consume.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "engine/consume_print.h"
#include "engine/consume_run.h"
#include "engine/consume_start.h"
#include "flow/ack_server.h"
#include "flow/books.h"
#include "line/envelope.h"
#include "line/writer.h"
#include "store/group.h"
#include "store/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FETCH_RECORDS 2000
#define FETCH_BYTES ((size_t)1 << 20)
#define MARK_MS 1000
#define SINK_WAIT_MS 30000

static int
serve(struct ryde_consume_run *c, struct ryde_err *err)
{
	if (ryde_consume_positions_renew(c, err) != 0)
		return -1;
	if (c->acks != NULL) {
		uint64_t progress;

		if (ryde_ack_server_turn(c->acks, err) != 0 ||
		    ryde_consume_shards_requests(c, err) != 0)
			return -1;
		progress = ryde_ack_server_progress(c->acks);
		if (progress != c->progress)
			c->progress_at_ms = ryde_clock_mono_ms();
		c->progress = progress;
		if (ryde_consume_positions_store(c, false, err) != 0)
			return -1;
	}
	if (ryde_writer_flush(c->out, err) < 0)
		return -1;
	if (c->o->ack_write && ryde_consume_positions_written(c, false, err) != 0)
		return -1;
	return 0;
}

static void
wait_quietly(struct ryde_consume_run *c, struct ryde_waits *w)
{
	ryde_waits_begin(w);
	ryde_writer_wait(c->out, w);
	if (c->acks != NULL)
		ryde_ack_server_wait(c->acks, w);
	if (c->share != NULL)
		ryde_consume_share_wait(c, w);
	else if (c->group != NULL)
		ryde_waits_until(w, c->renew_at_ms);
	if (c->group != NULL && c->store_at_ms > ryde_clock_mono_ms())
		ryde_waits_until(w, c->store_at_ms);
}

static bool
past_end(
    struct ryde_consume_run *c, struct ryde_consume_shard *s, const struct ryde_record *r)
{
	if (c->has_to && !c->to_end && r->arrival_ms > c->to_ms) {
		s->past_to = true;
		ryde_stream_reader_stop(c->reader, s->index);
	}
	return s->past_to;
}

int
ryde_consume_room(struct ryde_consume_run *c, struct ryde_err *err)
{
	int64_t until = -1;

	if (ryde_writer_added(c->out, err) != 0)
		return -1;
	while (ryde_writer_pending(c->out) >= RYDE_WRITER_HIGH) {
		struct ryde_waits w = {0};

		if (serve(c, err) != 0)
			return -1;
		/* all of it may be gone at once: then nothing is left to wake us */
		if (ryde_writer_pending(c->out) < RYDE_WRITER_HIGH)
			break;
		wait_quietly(c, &w);
		if (ryde_signals_stop() > 0 && until < 0)
			until = ryde_clock_mono_ms() + c->o->grace_ms;
		if (until >= 0 && ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "the pipe did not take what was left within --grace");
		if (until >= 0)
			ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		if (ryde_writer_check_closed(c->out))
			return ryde_err_set(err, RYDE_EIO, "standard output is closed");
	}
	return 0;
}

/* True when -n lines were printed. */
static bool
counted(const struct ryde_consume_run *c)
{
	return c->o->count > 0 && c->printed_records >= c->o->count;
}

/* Sharing: waits while our lease does not stand, for the store to say whether it does. */
static int
await_lease(struct ryde_consume_run *c, struct ryde_err *err)
{
	while (!ryde_consume_share_stands(c)) {
		struct ryde_waits w = {0};

		if (ryde_consume_share_turn(c, false, err) != 0)
			return -1;
		if (ryde_consume_share_stands(c))
			break;
		if (ryde_signals_stop() > 0)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "told to stop while the lease could not be renewed");
		ryde_waits_begin(&w);
		ryde_consume_share_wait(c, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
	return 0;
}

/* One fetch, printed. *n becomes the number of records it gave. */
static int
fetch(struct ryde_consume_run *c, size_t *n, struct ryde_err *err)
{
	const struct ryde_record *r;
	size_t max = FETCH_RECORDS;

	if (c->o->count > 0 && c->o->count - c->printed_records < (int64_t)max)
		max = (size_t)(c->o->count - c->printed_records);
	if (ryde_stream_reader_fetch(c->reader, max, FETCH_BYTES, &r, n, err) != 0)
		return -1;
	c->fetches++;
	if (ryde_consume_print_ahead(&c->print, r, *n, err) != 0)
		return -1;
	for (size_t i = 0; i < *n && !counted(c); i++) {
		struct ryde_consume_shard *s = ryde_consume_shards_find(c, r[i].shard);

		if (await_lease(c, err) != 0)
			return -1;
		if (s != NULL && ryde_consume_shards_reads(c, s) &&
		    !past_end(c, s, &r[i]) &&
		    ryde_consume_lines_record(c, s, &r[i], err) != 0)
			return -1;
	}
	c->wrote = c->wrote || *n > 0;
	return await_lease(c, err) != 0 ? -1 : ryde_consume_shards_gaps(c, err);
}

/* True when every shard has been read to its present end, and none waits to be begun. */
static bool
at_tip(const struct ryde_consume_run *c)
{
	int64_t at_ms;

	for (size_t i = 0; i < c->n; i++) {
		const struct ryde_consume_shard *s = &c->shards[i];

		if (!s->given && !s->past_to &&
		    !ryde_stream_reader_ended(c->reader, s->index) &&
		    !ryde_stream_reader_caught_up(c->reader, s->index, &at_ms))
			return false;
	}
	return !c->waiting;
}

/* True when everything that this run is to print has been printed. */
static bool
reached_end(const struct ryde_consume_run *c, size_t fetched)
{
	bool all_past = true, none_held = true;

	if (ryde_signals_stop() > 0)
		return true;
	if (counted(c))
		return true;
	for (size_t i = 0; i < c->n; i++) {
		all_past = all_past && c->shards[i].past_to;
		none_held = none_held && !c->shards[i].held;
	}
	if (!c->has_to || !none_held)
		return false;
	if (fetched > 0)
		return all_past && !c->to_end;
	return all_past ||
	       (at_tip(c) && (c->to_end || ryde_stream_now_ms(c->stream) > c->to_ms));
}

/* The age of the oldest record not yet read; *records: how many there are, -1 unknown. */
static int64_t
lag_ms(struct ryde_consume_run *c, int64_t *records)
{
	int64_t worst = 0, age, n;
	struct ryde_err ignored;

	*records = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (!ryde_consume_shards_reads(c, &c->shards[i]))
			continue;
		if (ryde_stream_reader_lag(
			c->reader, c->shards[i].index, &age, &n, &ignored) != 0)
			n = -1;
		else if (age > worst)
			worst = age;
		*records = n < 0 || *records < 0 ? -1 : *records + n;
	}
	return worst;
}

/* How far this run is, where it has an end: in lines, records, or arrival times. */
static void
keep_progress(struct ryde_consume_run *c, int64_t lag, int64_t records)
{
	struct ryde_books *b = c->o->books;
	int64_t passed = c->last_ms - c->first_ms;

	if (c->o->count > 0) {
		b->whole = (uint64_t)c->o->count;
	} else if (c->to_end && records >= 0) {
		b->whole = b->in + (uint64_t)records;
	} else if (c->has_to && b->in > 0 && passed >= 0) {
		c->by_time = true;
		b->whole = (uint64_t)(c->to_end ? passed + lag : c->to_ms - c->first_ms);
	}
}

static void
tick(struct ryde_consume_run *c, struct ryde_waits *w)
{
	int64_t now = ryde_clock_mono_ms();
	int64_t lag = -1, records;

	if (c->o->tick == NULL)
		return;
	if (now >= c->time_at_ms) {
		lag = lag_ms(c, &records);
		keep_progress(c, lag, records);
		c->time_at_ms = now + 1000;
	}
	c->o->books->reached = c->o->count > 0 ? (uint64_t)c->printed_records
			       : c->by_time    ? (uint64_t)(c->last_ms - c->first_ms)
					       : c->o->books->in;
	c->o->tick(c->o->arg, w, lag);
}

static int
read_all(struct ryde_consume_run *c, struct ryde_err *err)
{
	size_t n = 0;

	for (;;) {
		struct ryde_waits w = {0};

		if (serve(c, err) != 0)
			return -1;
		if (ryde_writer_pending(c->out) >= RYDE_WRITER_HIGH) {
			wait_quietly(c, &w);
		} else {
			/* children are announced before their parent's last mark */
			if (fetch(c, &n, err) != 0 ||
			    (c->share != NULL
				    ? ryde_consume_share_turn(c, true, err)
				    : ryde_consume_shards_begin(c, false, err)) != 0)
				return -1;
			ryde_consume_lines_marks(c, n > 0);
			if (ryde_writer_added(c->out, err) != 0)
				return -1;
			if (reached_end(c, n)) {
				c->at_end = c->to_end && ryde_signals_stop() == 0 &&
					    !counted(c) && at_tip(c);
				return 0;
			}
			if (n > 0) {
				tick(c, NULL);
				continue;
			}
			if (serve(c, err) != 0)
				return -1;
			wait_quietly(c, &w);
			ryde_stream_reader_wait(c->reader, &w);
			if (c->marks)
				ryde_waits_until(&w, ryde_clock_mono_ms() + MARK_MS);
		}
		tick(c, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		if (ryde_signals_stop() > 0)
			return 0;
		if (ryde_writer_check_closed(c->out))
			return ryde_err_set(err, RYDE_EIO, "standard output is closed");
	}
}

/* The last marks, the end mark, and everything out: a reader that does not take it gets
 * --grace. */
static int
print_end(struct ryde_consume_run *c, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + c->o->grace_ms;

	if (c->marks) {
		struct ryde_line_head head = {.stream = c->print.stream,
		    .ack = c->print.ack,
		    .mark = true,
		    .end = true};

		ryde_consume_lines_last_marks(c);
		ryde_line_put(
		    ryde_writer_buf(c->out), &head, ryde_view_mem(NULL, 0), false);
	}
	while (ryde_writer_flush(c->out, err) == 0) {
		struct ryde_waits w = {0};
		uint64_t before = ryde_writer_bytes(c->out);

		if (serve(c, err) != 0)
			return -1;
		if (ryde_signals_stop() > 0 && ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "the pipe did not take what was left within --grace");
		wait_quietly(c, &w);
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		if (ryde_writer_bytes(c->out) != before ||
		    c->progress_at_ms + c->o->grace_ms > until)
			until = ryde_clock_mono_ms() + c->o->grace_ms;
		if (ryde_writer_check_closed(c->out))
			return ryde_err_set(err, RYDE_EIO, "standard output is closed");
	}
	if (err->code != RYDE_OK)
		return -1;
	if (c->acks != NULL)
		ryde_ack_server_ended(c->acks);
	c->ended = true;
	if (c->o->ack_write && ryde_consume_positions_written(c, true, err) != 0)
		return -1;
	return ryde_writer_close(c->out, err);
}

/* Waits until all is acknowledged, or nothing has come for --grace. */
static int
await_sinks(struct ryde_consume_run *c, struct ryde_err *err)
{
	if (c->acks == NULL)
		return 0;
	c->progress_at_ms = ryde_clock_mono_ms();
	for (;;) {
		struct ryde_waits w = {0};
		bool deserted, complete, late;

		deserted = ryde_ack_server_deserted(c->acks);
		if (ryde_consume_positions_renew(c, err) != 0 ||
		    ryde_ack_server_turn(c->acks, err) != 0 ||
		    ryde_consume_shards_requests(c, err) != 0)
			return -1;
		if (ryde_ack_server_progress(c->acks) != c->progress) {
			c->progress = ryde_ack_server_progress(c->acks);
			c->progress_at_ms = ryde_clock_mono_ms();
		}
		complete = ryde_ack_server_complete(c->acks);
		late = ryde_clock_mono_ms() - c->progress_at_ms >= c->o->grace_ms;
		/* once at the end, then, where that failed, from time to time */
		if (ryde_consume_positions_store(
			c, (complete && !c->unstored) || late, err) != 0)
			return -1;
		complete = complete && !c->unstored;
		if (complete && (ryde_ack_server_leave(c->acks) || late))
			return 0;
		if (!complete && (deserted || late))
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "not everything that was printed was acknowledged: a new run "
			    "goes on from there");
		wait_quietly(c, &w);
		ryde_waits_until(&w, c->progress_at_ms + c->o->grace_ms);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
}

/* ---- beginning and end ---- */

static int
open_acks(struct ryde_consume_run *c, struct ryde_err *err)
{
	struct ryde_ack_server_opts opts = {.sinks = c->o->sinks,
	    .can_hold = true,
	    .shared = c->o->share,
	    .out_fd = STDOUT_FILENO,
	    .retention_ms = ryde_stream_retention_ms(c->stream),
	    .sink_wait_ms = SINK_WAIT_MS};
	struct ryde_buf at;
	int rc = -1;

	ryde_buf_init(&at, (size_t)8 << 20);
	if (ryde_group_load_window(c->group, &at, &c->fingerprint, err) != 0)
		goto out;
	if (c->o->share && at.n > 0) {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "this group's position belongs to a window, which several readers "
		    "cannot share: use another group, or ryde-admin positions --reset");
		goto out;
	}
	if (c->o->ack_write) {
		if (at.n > 0)
			(void)ryde_err_set(err, RYDE_ECONFIG,
			    "this group's position belongs to a window, and --ack write "
			    "would skip its open "
			    "windows: use another group, or ryde-admin positions "
			    "--reset");
		else
			rc = 0;
		goto out;
	}
	c->acks = ryde_ack_server_new(&opts, err);
	if (c->acks == NULL)
		goto out;
	rc = ryde_ack_server_window(
	    c->acks, ryde_buf_as_view(&at), ryde_buf_as_view(&c->fingerprint), err);
	c->print.ack = ryde_ack_server_token(c->acks);
out:
	ryde_buf_free(&at);
	return rc;
}

static int
begin(struct ryde_consume_run *c, struct ryde_err *err)
{
	const struct ryde_consume_opts *o = c->o;
	const char *from = o->from != NULL		       ? o->from
			   : o->group != NULL || o->to != NULL ? "start"
							       : "end";
	const char *arn;
	struct stat st;

	if (ryde_consume_start_from(from, &c->from, err) != 0)
		return -1;
	if (o->to != NULL &&
	    ryde_consume_start_to(o->to, &c->to_end, &c->to_ms, err) != 0)
		return -1;
	c->has_to = o->to != NULL;
	c->out = ryde_writer_new(STDOUT_FILENO, err);
	c->stream = ryde_stream_open(o->store, o->stream, RYDE_STREAM_READ, err);
	if (c->out == NULL || c->stream == NULL)
		return -1;
	c->out_is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	if (o->fan_out != NULL &&
	    ryde_stream_fan_out(c->stream, o->fan_out, &arn, err) != 0)
		return -1;
	c->reader = ryde_stream_reader_new(c->stream, err);
	if (c->reader == NULL)
		return -1;
	c->print.stream = ryde_view_of(ryde_stream_label(c->stream));
	c->print.envelopes = o->envelopes || o->group != NULL;
	c->print.whole = o->whole;
	c->marks = o->marks || (o->group != NULL && !o->ack_write);
	if (o->group != NULL &&
	    (c->group = ryde_group_open(c->stream, o->group, err)) == NULL)
		return -1;
	return 0;
}

/* Counts what was printed and is not done: those records come again. */
static void
count_pending(struct ryde_consume_run *c)
{
	struct ryde_books *b = c->o->books;

	for (size_t i = 0;
	     c->acks != NULL && i < c->n && !ryde_ack_server_complete(c->acks); i++) {
		if (c->shards[i].any && !c->shards[i].given)
			b->pending += ryde_consume_positions_open(c, &c->shards[i]);
	}
	b->pending += c->passed_on;
	if (b->pending > b->in)
		b->pending = b->in;
	b->handled = b->in - b->pending;
}

static void
finish(struct ryde_consume_run *c)
{
	if (c->reader != NULL)
		count_pending(c);
	if (c->share != NULL)
		ryde_consume_share_leave(c);
	else if (c->group != NULL && !c->lost)
		ryde_group_release(c->group);
	ryde_ack_server_free(c->acks);
	ryde_group_close(c->group);
	ryde_stream_reader_free(c->reader);
	ryde_stream_close(c->stream);
	ryde_writer_free(c->out);
	ryde_consume_print_free(&c->print);
	ryde_buf_free(&c->fingerprint);
	ryde_buf_free(&c->at);
	free(c->shards);
	free(c->placed);
}

static int
run(struct ryde_consume_run *c, struct ryde_err *err)
{
	int rc;

	if (begin(c, err) != 0)
		return -1;
	if (c->group != NULL) {
		rc = c->o->share ? ryde_consume_share_join(c, err)
				 : ryde_consume_positions_take(c, err);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (open_acks(c, err) != 0)
			return -1;
		if (c->o->ack_write)
			ryde_log(RYDE_LOG_NOTICE, "--ack write: what is written to "
						  "standard output counts as done");
	}
	if (c->share != NULL) {
		if (ryde_consume_share_turn(c, true, err) != 0)
			return -1;
	} else if (ryde_consume_shards_begin(c, true, err) != 0 ||
		   (c->group != NULL && ryde_consume_positions_first(c, err) != 0))
		return -1;
	if (c->o->ready != NULL)
		c->o->ready(c->o->arg);
	if (read_all(c, err) != 0 || print_end(c, err) != 0)
		return -1;
	return await_sinks(c, err);
}

bool
ryde_consume_from_sequence(const char *from)
{
	struct ryde_stream_start start;

	return ryde_consume_start_from(from, &start, NULL) == 0 && start.pos.n > 0;
}

int
ryde_consume(const struct ryde_consume_opts *opts, bool *closed, struct ryde_err *err)
{
	struct ryde_consume_run c = {.o = opts};
	int rc;

	ryde_buf_init(&c.fingerprint, 256);
	ryde_buf_init(&c.at, (size_t)8 << 20);
	rc = run(&c, err);
	*closed = c.out != NULL && ryde_writer_closed(c.out);
	/* what came in before the end, whatever it was, still counts */
	if (rc != 0 && c.acks != NULL && !c.lost && err->code != RYDE_ECONFIG) {
		struct ryde_err ignored = RYDE_ERR_INIT;

		(void)ryde_consume_positions_store(&c, true, &ignored);
	}
	finish(&c);
	if (rc != 0)
		return ryde_err_status(err);
	return c.gap ? RYDE_EDATA : 0;
}
