#include "flow/intake.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "flow/books.h"
#include "flow/rejects.h"
#include "json/jq.h"
#include "json/scan.h"
#include "line/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ryde_intake {
	struct ryde_intake_opts opts;
	struct ryde_reader *reader;
	struct ryde_ack_sink *sink;
	struct ryde_rejects *rejects;
	struct ryde_jq *jq;
	struct ryde_buf scratch; /* base64 */
	struct ryde_buf out[2];	 /* outputs of -f: one is given while the next is known */
	int given;		 /* which one the last item is in */
	bool running;		 /* -f may have more outputs of `current` */
	struct ryde_line current; /* the line that -f works on */
	struct ryde_view current_payload;
	uint64_t current_ticket;
	bool ended, clean, torn, stopped, late_stop;
	bool rejected;
	int64_t stop_by_mono_ms; /* set once a signal asked to stop */
};

struct ryde_intake *
ryde_intake_new(const struct ryde_intake_opts *opts, struct ryde_err *err)
{
	struct ryde_intake *in = calloc(1, sizeof(*in));

	if (in == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	in->opts = *opts;
	in->stop_by_mono_ms = RYDE_WAITS_FOREVER;
	ryde_buf_init(&in->scratch, RYDE_LINE_MAX);
	ryde_buf_init(&in->out[0], RYDE_LINE_MAX);
	ryde_buf_init(&in->out[1], RYDE_LINE_MAX);
	in->sink = ryde_ack_sink_new(opts->role, opts->program, err);
	if (in->sink == NULL)
		goto fail;
	if (opts->fingerprint != NULL)
		ryde_ack_sink_fingerprint(in->sink, opts->fingerprint);
	if (opts->filter != NULL && (in->jq = ryde_jq_new(opts->filter, err)) == NULL)
		goto fail;
	if (opts->rejects != NULL &&
	    (in->rejects = ryde_rejects_open(opts->rejects, err)) == NULL)
		goto fail;
	in->reader = ryde_reader_new(opts->files, opts->n_files, err);
	if (in->reader == NULL)
		goto fail;
	return in;
fail:
	ryde_intake_free(in);
	return NULL;
}

void
ryde_intake_free(struct ryde_intake *in)
{
	if (in == NULL)
		return;
	ryde_reader_free(in->reader);
	ryde_ack_sink_free(in->sink);
	ryde_rejects_close(in->rejects);
	ryde_jq_free(in->jq);
	ryde_buf_free(&in->scratch);
	ryde_buf_free(&in->out[0]);
	ryde_buf_free(&in->out[1]);
	free(in);
}

static const char too_long[] = "a line longer than 10 MiB (its beginning is kept)";

/* ---- rejects ---- */

static void
say_rejected(const struct ryde_intake *in, uint64_t number, const char *error)
{
	const char *file = ryde_reader_file(in->reader);

	ryde_log(RYDE_LOG_WARNING, "%s%sline %llu: %s", file != NULL ? file : "",
	    file != NULL ? ": " : "", (unsigned long long)number, error);
}

int
ryde_intake_reject_late(struct ryde_intake *in, uint64_t number, uint64_t ticket,
    struct ryde_view payload, const char *error, struct ryde_err *err)
{
	say_rejected(in, number, error);
	in->rejected = true;
	if (in->opts.keep != NULL) {
		in->stopped = in->stopped || in->opts.strict;
		return in->opts.keep(
		    in->opts.keep_arg, error, number, ticket, payload, err);
	}
	in->opts.books->rejected++;
	if (in->rejects != NULL) {
		if (ryde_rejects_add(in->rejects, error, number, payload, err) != 0 ||
		    ryde_rejects_sync(in->rejects, err) != 0)
			return -1;
		ryde_ack_sink_done(in->sink, ticket);
	}
	/* rule 4: in a group a bad line that is kept nowhere must not be passed over */
	if (in->opts.strict || (in->rejects == NULL && ryde_ack_sink_in_group(in->sink)))
		in->stopped = true;
	return 0;
}

int
ryde_intake_reject(struct ryde_intake *in, const struct ryde_item *item,
    const char *error, struct ryde_err *err)
{
	return ryde_intake_reject_late(
	    in, item->number, item->ticket, item->payload, error, err);
}

int
ryde_intake_sync(struct ryde_intake *in, struct ryde_err *err)
{
	return in->rejects != NULL ? ryde_rejects_sync(in->rejects, err) : 0;
}

/* ---- lines ---- */

/* The next output of -f for the current line. */
static enum ryde_intake_event
filtered(struct ryde_intake *in, struct ryde_item *item, struct ryde_err *err)
{
	int more, next = 1 - in->given;

	*item = (struct ryde_item){.line = in->current,
	    .payload = ryde_buf_as_view(&in->out[in->given]),
	    .ticket = 0,
	    .number = ryde_reader_line_number(in->reader),
	    .changed = true};
	in->opts.books->in++;
	more = ryde_jq_next(in->jq, &in->out[next], err);
	if (more < 0) {
		/* what it gave before it failed is passed on; the line itself is a reject
		 */
		char text[256];

		(void)snprintf(text, sizeof(text), "-f: %.200s", err->msg);
		*err = (struct ryde_err)RYDE_ERR_INIT;
		in->running = false;
		item->more = false;
		in->opts.books->in++;
		if (ryde_intake_reject_late(
			in, item->number, 0, in->current_payload, text, err) != 0)
			return RYDE_INTAKE_FAILED;
		/* the line is done with its last output, not before it */
		if (in->rejects != NULL || in->opts.keep != NULL)
			item->ticket = in->current_ticket;
		return RYDE_INTAKE_ITEM;
	}
	in->running = more == 1;
	item->more = in->running;
	in->given = next;
	if (!in->running)
		item->ticket = in->current_ticket;
	return RYDE_INTAKE_ITEM;
}

/* Rejects the current line with a text. AGAIN means: go on with the next line. */
static enum ryde_intake_event
reject_line(struct ryde_intake *in, uint64_t ticket, struct ryde_view data,
    const char *text, struct ryde_err *err)
{
	in->opts.books->in++;
	if (ryde_intake_reject_late(
		in, ryde_reader_line_number(in->reader), ticket, data, text, err) != 0)
		return RYDE_INTAKE_FAILED;
	return RYDE_INTAKE_AGAIN;
}

/* Runs -f on the current line. */
static enum ryde_intake_event
begin_filter(struct ryde_intake *in, struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	char text[256];
	int more;

	if (ryde_json_check(in->current_payload, NULL, &fault) != 0) {
		(void)snprintf(text, sizeof(text), "not JSON: %s at byte %zu", fault.what,
		    fault.at + 1);
		return reject_line(
		    in, in->current_ticket, in->current_payload, text, err);
	}
	if (ryde_jq_start(in->jq, in->current_payload, err) != 0)
		more = -1;
	else
		more = ryde_jq_next(in->jq, &in->out[in->given], err);
	if (more < 0) {
		(void)snprintf(text, sizeof(text), "-f: %.200s", err->msg);
		*err = (struct ryde_err)RYDE_ERR_INIT;
		return reject_line(
		    in, in->current_ticket, in->current_payload, text, err);
	}
	if (more == 0) {
		in->opts.books->in++;
		in->opts.books->filtered++;
		ryde_ack_sink_done(in->sink, in->current_ticket);
		return RYDE_INTAKE_AGAIN;
	}
	in->running = true;
	return filtered(in, item, err);
}

/* A payload as it stands, which nearly all lines of files are; false: another line. */
static inline bool
take_bare(struct ryde_intake *in, struct ryde_view raw, struct ryde_item *item)
{
	struct ryde_err unused;

	if (in->jq != NULL || raw.n > RYDE_LINE_MAX || !ryde_line_is_bare(raw))
		return false;
	ryde_line_be_payload(&item->line, raw);
	/* What has no `ack` is always taken. */
	(void)ryde_ack_sink_take(in->sink, &item->line, &item->ticket, &unused);
	in->opts.books->in++;
	in->opts.books->bytes += raw.n;
	item->payload = raw;
	item->behind = RYDE_READER_BEHIND;
	item->number = ryde_reader_line_number(in->reader);
	item->more = item->changed = false;
	return true;
}

/* A whole line. AGAIN means: nothing to give, go on. */
static enum ryde_intake_event
one_line(struct ryde_intake *in, struct ryde_view raw, struct ryde_item *item,
    struct ryde_err *err)
{
	uint64_t ticket = 0;
	struct ryde_view payload;

	if (ryde_line_parse(raw, &item->line, err) != 0) {
		struct ryde_err e = *err;

		*err = (struct ryde_err)RYDE_ERR_INIT;
		return reject_line(in, 0, raw, e.msg, err);
	}
	switch (ryde_ack_sink_take(in->sink, &item->line, &ticket, err)) {
	case RYDE_ACK_TAKEN:
		break;
	case RYDE_ACK_STALE:
		return RYDE_INTAKE_AGAIN;
	case RYDE_ACK_FAILED:
		return RYDE_INTAKE_FAILED;
	}
	item->number = ryde_reader_line_number(in->reader);
	if (item->line.kind == RYDE_LINE_MARK)
		return RYDE_INTAKE_MARK;
	payload = item->line.data;
	if (payload.n > RYDE_LINE_MAX)
		return reject_line(
		    in, ticket, ryde_view_mem(payload.p, 1024), too_long, err);
	if (item->line.is_base64) {
		struct ryde_line bare = item->line;

		bare.lf = false;
		if (ryde_line_payload(&bare, &in->scratch, &payload, err) != 0) {
			struct ryde_err e = *err;

			*err = (struct ryde_err)RYDE_ERR_INIT;
			return reject_line(in, ticket, raw, e.msg, err);
		}
	}
	in->opts.books->bytes += payload.n;
	if (in->jq != NULL) {
		in->current = item->line;
		in->current_payload = payload;
		in->current_ticket = ticket;
		return begin_filter(in, item, err);
	}
	in->opts.books->in++;
	item->payload = payload;
	item->behind = item->line.is_base64 ? 0 : RYDE_READER_BEHIND;
	item->ticket = ticket;
	item->more = item->changed = false;
	return RYDE_INTAKE_ITEM;
}

static enum ryde_intake_event
at_end(struct ryde_intake *in, struct ryde_err *err)
{
	if (in->ended)
		return RYDE_INTAKE_END;
	in->ended = true;
	if (ryde_ack_sink_eof(in->sink, &in->clean, err) != 0)
		return RYDE_INTAKE_FAILED;
	if (in->torn)
		in->clean = false;
	else if (!in->clean)
		ryde_log(RYDE_LOG_WARNING, "the input ended without its end mark: a "
					   "program before this one died, or a filter "
					   "dropped marks");
	return RYDE_INTAKE_END;
}

static enum ryde_intake_event
torn_line(struct ryde_intake *in, struct ryde_view line)
{
	in->torn = true;
	ryde_log(RYDE_LOG_WARNING,
	    "the input ended inside line %llu, after %zu bytes without a newline: not "
	    "taken",
	    (unsigned long long)ryde_reader_line_number(in->reader), line.n);
	return RYDE_INTAKE_AGAIN;
}

enum ryde_intake_event
ryde_intake_next(struct ryde_intake *in, struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_view line;
	enum ryde_intake_event e;

	if (in->running)
		return filtered(in, item, err);
	for (;;) {
		if (in->stopped || in->late_stop) {
			in->ended = true;
			return RYDE_INTAKE_END;
		}
		switch (ryde_reader_next(in->reader, &line)) {
		case RYDE_READER_LINE:
			if (take_bare(in, line, item))
				return RYDE_INTAKE_ITEM;
			e = one_line(in, line, item, err);
			break;
		case RYDE_READER_LONG:
			e = reject_line(in, 0, line, too_long, err);
			break;
		case RYDE_READER_TORN:
			e = torn_line(in, line);
			break;
		case RYDE_READER_END:
			return at_end(in, err);
		case RYDE_READER_AGAIN:
		default:
			return RYDE_INTAKE_AGAIN;
		}
		if (e != RYDE_INTAKE_AGAIN)
			return e;
	}
}

struct ryde_view
ryde_intake_rest(const struct ryde_intake *in)
{
	if (in->jq != NULL || in->stopped || in->late_stop)
		return ryde_view_mem(NULL, 0);
	return ryde_reader_rest(in->reader);
}

void
ryde_intake_took(struct ryde_intake *in, size_t bytes, uint64_t lines)
{
	ryde_reader_took(in->reader, bytes, lines);
	in->opts.books->in += lines;
	in->opts.books->bytes += bytes - lines;
}

/* ---- turns ---- */

/* After a signal the input is read on to its end, but not for longer than --grace. */
static void
watch_grace(struct ryde_intake *in)
{
	if (ryde_signals_stop() == 0)
		return;
	if (in->stop_by_mono_ms == RYDE_WAITS_FOREVER)
		in->stop_by_mono_ms = ryde_clock_mono_ms() + in->opts.grace_ms;
	else if (!in->ended && ryde_clock_mono_ms() >= in->stop_by_mono_ms &&
		 !in->late_stop) {
		in->late_stop = true;
		ryde_log(RYDE_LOG_WARNING,
		    "told to stop, and the input has not ended within --grace");
	}
}

void
ryde_intake_wait_quietly(struct ryde_intake *in, struct ryde_waits *w)
{
	ryde_ack_sink_wait(in->sink, w);
	if (in->stop_by_mono_ms != RYDE_WAITS_FOREVER)
		ryde_waits_until(w, in->stop_by_mono_ms);
}

void
ryde_intake_wait(struct ryde_intake *in, struct ryde_waits *w)
{
	watch_grace(in);
	ryde_reader_wait(in->reader, w);
	ryde_intake_wait_quietly(in, w);
}

int
ryde_intake_turn_quietly(struct ryde_intake *in, struct ryde_err *err)
{
	watch_grace(in);
	in->opts.books->reached = ryde_reader_reached(in->reader);
	in->opts.books->whole = ryde_reader_total_bytes(in->reader);
	return ryde_ack_sink_turn(in->sink, err);
}

int
ryde_intake_turn(struct ryde_intake *in, struct ryde_err *err)
{
	if (ryde_intake_turn_quietly(in, err) != 0)
		return -1;
	if (!in->ended && ryde_reader_ready(in->reader) &&
	    ryde_reader_fill(in->reader, err) != 0)
		return -1;
	return 0;
}

void
ryde_intake_done(struct ryde_intake *in, uint64_t ticket)
{
	ryde_ack_sink_done(in->sink, ticket);
}

void
ryde_intake_done_all(struct ryde_intake *in)
{
	ryde_ack_sink_done_all(in->sink);
}

bool
ryde_intake_late(const struct ryde_intake *in)
{
	return ryde_clock_mono_ms() >= in->stop_by_mono_ms;
}

bool
ryde_intake_clean(const struct ryde_intake *in)
{
	return in->ended && in->clean && !in->torn && !in->stopped && !in->late_stop;
}

int
ryde_intake_finish(struct ryde_intake *in, struct ryde_err *err)
{
	return ryde_ack_sink_finish(in->sink, in->opts.grace_ms, err);
}

int
ryde_intake_status(const struct ryde_intake *in)
{
	/* an end that calls for a new run outweighs lines that are kept in --rejects */
	if (in->ended && !in->stopped && !ryde_intake_clean(in))
		return RYDE_ETEMPFAIL;
	return in->rejected ? RYDE_EDATA : 0;
}

struct ryde_ack_sink *
ryde_intake_sink(struct ryde_intake *in)
{
	return in->sink;
}

struct ryde_reader *
ryde_intake_reader(struct ryde_intake *in)
{
	return in->reader;
}
