#include "engine/map.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "engine/outlet.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "line/writer.h"

/* The least time between two pictures, and how much of all time drawing may take. */
#define PICTURE_MS 15
#define PICTURE_SHARE 8
#define PICTURE_MAX_MS 1000
#define FORGET_EVERY_MS 500

struct job {
	const struct ryde_map_opts *o;
	struct ryde_map_fleet *fleet;
	struct ryde_map_http *http;
	struct ryde_view run; /* lines to hand on, where the reader has them */
	int64_t next_picture_ms, last_picture_ms; /* monotonic */
	bool said_undrawn;
	uint64_t overtaken, undrawn; /* counted here line by line, in the books a turn */
};

static void
keep_books(const struct job *j)
{
	if (j->overtaken > 0)
		ryde_books_extra_set(j->o->books, "Overtaken", j->overtaken);
	if (j->undrawn > 0)
		ryde_books_extra_set(j->o->books, "Undrawn", j->undrawn);
}

/* ---- what becomes of lines ---- */

static void
on_done(void *arg, uint64_t ticket, bool overtaken)
{
	struct job *j = arg;

	j->o->books->handled++;
	if (overtaken)
		j->overtaken++;
	ryde_intake_done(j->o->intake, ticket);
}

/* Where lines are handed on, one that cannot be drawn is somebody else's business. */
static int
on_bad(void *arg, const struct ryde_map_line *line, const char *why, struct ryde_err *err)
{
	struct job *j = arg;

	if (j->o->out == NULL)
		return ryde_intake_reject_late(
		    j->o->intake, line->number, line->ticket, line->payload, why, err);
	if (!j->said_undrawn)
		ryde_log(RYDE_LOG_NOTICE,
		    "line %llu is not on the map: %s (it is handed on; further ones are "
		    "counted, see --stats)",
		    (unsigned long long)line->number, why);
	j->said_undrawn = true;
	j->o->books->handled++;
	j->undrawn++;
	ryde_intake_done(j->o->intake, line->ticket);
	return 0;
}

/* Hands on the lines that lie one behind the other. */
static int
hand_on(struct job *j, struct ryde_err *err)
{
	struct ryde_view run = j->run;

	j->run = ryde_view_mem(NULL, 0);
	if (run.n == 0)
		return 0;
	return ryde_writer_through(j->o->out, run, err);
}

/* Adds a line, with its newline, to those that are handed on next. */
static int
add_to_run(struct job *j, struct ryde_view raw, struct ryde_err *err)
{
	if (j->o->out == NULL)
		return 0;
	if (j->run.n > 0 && raw.p == j->run.p + j->run.n) {
		j->run.n += raw.n + 1;
		return 0;
	}
	if (hand_on(j, err) != 0)
		return -1;
	j->run = ryde_view_mem(raw.p, raw.n + 1);
	return 0;
}

static int
take(struct job *j, const struct ryde_item *item, struct ryde_err *err)
{
	const struct ryde_map_line line = {
	    .payload = item->payload,
	    .number = item->number,
	    .ticket = item->ticket,
	    .arrival_ms = item->line.has_arrival ? item->line.arrival_ms : -1,
	    .lasting = !item->changed && !item->line.is_base64,
	};

	if (j->o->out != NULL)
		j->o->books->out++;
	if (add_to_run(j, item->line.raw, err) != 0)
		return -1;
	return ryde_map_fleet_take(j->fleet, &line, err);
}

/* Lines behind a plain payload, which are mostly of the same kind: many at once. */
static int
take_lines(struct job *j, uint64_t number, struct ryde_err *err)
{
	struct ryde_view rest = ryde_intake_rest(j->o->intake);
	struct ryde_map_taken t = ryde_map_fleet_take_lines(j->fleet, rest, number);

	if (t.lines == 0)
		return 0;
	ryde_intake_took(j->o->intake, t.bytes, t.lines);
	j->o->books->handled += t.overtaken;
	j->overtaken += t.overtaken;
	if (j->o->out == NULL)
		return 0;
	j->o->books->out += t.lines;
	return add_to_run(j, ryde_view_mem(rest.p, t.bytes - 1), err);
}

/* ---- turns ---- */

/* A picture, where one is due. The more it costs, the longer the next one waits, so that
 * the lines never wait for those who look at them. */
static int
picture(struct job *j, bool now_or_never, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms(), spent;
	bool lines = ryde_map_fleet_waiting(j->fleet);

	if (lines ? now < j->next_picture_ms && !now_or_never
		  : now < j->last_picture_ms + FORGET_EVERY_MS)
		return 0;
	if (ryde_map_fleet_draw(j->fleet, now, err) != 0 ||
	    ryde_map_http_turn(j->http, now, err) != 0)
		return -1;
	j->last_picture_ms = now;
	if (!lines)
		return 0;
	spent = (ryde_clock_mono_ms() - now) * PICTURE_SHARE;
	spent = spent > PICTURE_MAX_MS ? PICTURE_MAX_MS : spent;
	j->next_picture_ms = now + (spent > PICTURE_MS ? spent : PICTURE_MS);
	return 0;
}

static void
wait_for(struct job *j, struct ryde_waits *w, bool input)
{
	ryde_waits_begin(w);
	if (j->o->out != NULL)
		ryde_writer_wait(j->o->out, w);
	if (input)
		ryde_intake_wait(j->o->intake, w);
	else
		ryde_intake_wait_quietly(j->o->intake, w);
	ryde_map_http_wait(j->http, w);
	if (ryde_map_fleet_waiting(j->fleet))
		ryde_waits_until(w, j->next_picture_ms);
	else if (ryde_map_fleet_count(j->fleet) > 0)
		ryde_waits_until(w, j->last_picture_ms + FORGET_EVERY_MS);
	keep_books(j);
	j->o->tick(
	    j->o->arg, w, ryde_map_fleet_count(j->fleet), ryde_map_http_viewers(j->http));
}

/* Everything that was read is taken: hand it on, draw, answer, wait, read. */
static int
turn(struct job *j, struct ryde_err *err)
{
	struct ryde_waits waits = {0};
	struct ryde_writer *out = j->o->out;
	bool room;

	if (hand_on(j, err) != 0 || picture(j, false, err) != 0 ||
	    ryde_map_fleet_keep(j->fleet, err) != 0)
		return -1;
	do {
		room = out == NULL || ryde_writer_pending(out) <= RYDE_WRITER_HIGH;
		wait_for(j, &waits, room);
		if (ryde_waits_poll(&waits, err) != 0 ||
		    (out != NULL && (ryde_writer_check_closed(out) ||
					ryde_writer_flush(out, err) < 0)))
			return -1;
		if (picture(j, false, err) != 0 ||
		    ryde_map_http_turn(j->http, ryde_clock_mono_ms(), err) != 0 ||
		    (!room && ryde_intake_turn_quietly(j->o->intake, err) != 0))
			return -1;
	} while (!room);
	return ryde_intake_turn(j->o->intake, err);
}

/* Takes lines to their end. */
static int
take_all(struct job *j, struct ryde_err *err)
{
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(j->o->intake, &item, err)) {
		case RYDE_INTAKE_ITEM:
			if (take(j, &item, err) != 0 ||
			    (item.line.kind == RYDE_LINE_PAYLOAD &&
				take_lines(j, item.number + 1, err) != 0))
				return -1;
			continue;
		case RYDE_INTAKE_MARK:
			if (add_to_run(j, item.line.raw, err) != 0)
				return -1;
			continue;
		case RYDE_INTAKE_AGAIN:
			if (turn(j, err) != 0)
				return -1;
			continue;
		case RYDE_INTAKE_END:
			return hand_on(j, err) != 0 ? -1 : picture(j, true, err);
		case RYDE_INTAKE_FAILED:
			break;
		}
		/* the lines before are whole */
		(void)hand_on(j, NULL);
		return -1;
	}
}

/* After the end of the lines: shows what is there until a signal. */
static int
linger(struct job *j, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	while (ryde_signals_stop() == 0) {
		ryde_waits_begin(&waits);
		ryde_map_http_wait(j->http, &waits);
		if (ryde_map_fleet_count(j->fleet) > 0)
			ryde_waits_until(&waits, j->last_picture_ms + FORGET_EVERY_MS);
		keep_books(j);
		j->o->tick(j->o->arg, &waits, ryde_map_fleet_count(j->fleet),
		    ryde_map_http_viewers(j->http));
		if (ryde_waits_poll(&waits, err) != 0 || picture(j, false, err) != 0 ||
		    ryde_map_http_turn(j->http, ryde_clock_mono_ms(), err) != 0)
			return -1;
	}
	return 0;
}

static int
run(struct job *j, struct ryde_err *err)
{
	struct ryde_writer *out = j->o->out;
	int status;

	if (take_all(j, err) != 0) {
		/* lines before an input that cannot be read are whole; behind a reader
		 * that is gone they are not */
		if (out != NULL && err->code != RYDE_ETEMPFAIL &&
		    !ryde_writer_closed(out))
			(void)ryde_outlet_drain(out, j->o->grace_ms, NULL);
		return 0;
	}
	if (out != NULL && (ryde_outlet_drain(out, j->o->grace_ms, err) != 0))
		return 0;
	if (ryde_intake_finish(j->o->intake, err) != 0)
		return 0;
	status = ryde_intake_status(j->o->intake);
	if (!j->o->stay)
		return status;
	/* who stands behind us need not wait */
	if (out != NULL && ryde_writer_close(out, err) != 0)
		return 0;
	(void)linger(j, err);
	return status;
}

int
ryde_map(const struct ryde_map_opts *opts, struct ryde_err *err)
{
	struct job j = {.o = opts};
	const struct ryde_map_fleet_opts fleet = {
	    .fields = opts->fields,
	    .forget_ms = opts->forget_ms,
	    .mono_zero_ms = ryde_clock_wall_ms() - ryde_clock_mono_ms(),
	    .done = on_done,
	    .bad = on_bad,
	    .arg = &j,
	};
	struct ryde_map_http_opts http = opts->http;
	int status = 0;

	j.fleet = ryde_map_fleet_new(&fleet, err);
	if (j.fleet == NULL)
		return 0;
	http.fleet = j.fleet;
	j.http = ryde_map_http_new(&http, err);
	if (j.http != NULL) {
		opts->ready(opts->arg, j.http);
		status = run(&j, err);
		keep_books(&j);
		opts->books->pending += ryde_map_fleet_pending(j.fleet);
		ryde_map_http_bye(j.http);
	}
	ryde_map_http_free(j.http);
	ryde_map_fleet_free(j.fleet);
	return status;
}
