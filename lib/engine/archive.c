#include "engine/archive.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "engine/archive_joint.h"
#include "engine/archive_pile.h"
#include "engine/archive_prefix.h"
#include "flow/ack_going.h"
#include "flow/backoff.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "flow/rejects.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"
#include "json/string.h"
#include "line/reader.h"
#include "line/writer.h"
#include "store/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_BASE_MS 100
#define RETRY_CAP_MS 20000

struct ryde_archiver {
	struct ryde_archive_opts o;
	struct ryde_intake *intake;
	struct ryde_archive *archive;
	struct ryde_archive_piles *piles;
	struct ryde_archive_joints *joints;
	struct ryde_archive_prefix *prefix, *error_prefix;
	struct ryde_json_paths *paths;
	struct ryde_json_value *values;
	struct ryde_json_shapes *shapes;
	size_t time_path, clock_path;
	struct ryde_buf folder; /* what the prefix became, for the time step below */
	int64_t folder_step;
	bool folder_known;
	struct ryde_buf text, error_folder;
	int64_t now_ms;		       /* the clock of data, of this turn */
	struct ryde_archive_line line; /* the one that is being added */
	struct ryde_random random;
	uint64_t repeated, objects;
};

/* ---- trying until it works ---- */

/* Waits, hearing the reader and signals; nothing is read meanwhile. */
static int
pause_for(struct ryde_archiver *a, int64_t delay_ms, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + delay_ms;

	while (ryde_clock_mono_ms() < until && ryde_signals_stop() == 0) {
		struct ryde_waits w = {0};

		ryde_waits_begin(&w);
		ryde_intake_wait_quietly(a->intake, &w);
		ryde_waits_until(&w, until);
		a->o.tick(a->o.arg, &w);
		if (ryde_waits_poll(&w, err) != 0 ||
		    ryde_intake_turn_quietly(a->intake, err) != 0)
			return -1;
	}
	return 0;
}

/* Calls step again and again while its fault may pass. Returns what it returned. */
static int
persist(struct ryde_archiver *a,
    int (*step)(struct ryde_archiver *a, struct ryde_err *err), struct ryde_err *err)
{
	struct ryde_backoff backoff;

	ryde_backoff_init(&backoff, RETRY_BASE_MS, RETRY_CAP_MS, a->o.retry_for_ms);
	for (;;) {
		struct ryde_err why = RYDE_ERR_INIT;
		int rc = step(a, &why);
		int64_t delay_ms;

		if (rc >= 0)
			return rc;
		if (why.code != RYDE_ETEMPFAIL && why.code != RYDE_EUNAVAILABLE) {
			*err = why;
			return -1;
		}
		if (ryde_signals_stop() > 0 ||
		    !ryde_backoff_failed(&backoff, ryde_clock_mono_ms(),
			ryde_random_unit(&a->random), &delay_ms)) {
			*err = why;
			/* given up, and worth another run */
			err->code = RYDE_ETEMPFAIL;
			return -1;
		}
		ryde_log(RYDE_LOG_WARNING, "%s; trying again", why.msg);
		if (pause_for(a, delay_ms, err) != 0)
			return -1;
	}
}

static int
step_add(struct ryde_archiver *a, struct ryde_err *err)
{
	return ryde_archive_piles_add(a->piles, &a->line, err);
}

static int
step_relieve(struct ryde_archiver *a, struct ryde_err *err)
{
	int64_t now;

	if (ryde_archive_piles_relieve(a->piles, err) != 0)
		return -1;
	if (!ryde_archive_piles_pressed(a->piles))
		return 0;
	now = ryde_clock_mono_ms();
	return ryde_archive_piles_commit(a->piles, now, false, err);
}

static int
step_due(struct ryde_archiver *a, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();

	if (ryde_archive_piles_cut(a->piles, now, false, err) != 0)
		return -1;
	return ryde_archive_piles_commit(a->piles, now, false, err);
}

static int
step_idle(struct ryde_archiver *a, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();

	if (ryde_archive_piles_cut(a->piles, now, false, err) != 0)
		return -1;
	return ryde_archive_piles_commit(a->piles, now, true, err);
}

static int
step_commit(struct ryde_archiver *a, struct ryde_err *err)
{
	return ryde_archive_piles_commit(a->piles, ryde_clock_mono_ms(), true, err);
}

static int
step_end(struct ryde_archiver *a, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();

	if (ryde_archive_piles_cut(a->piles, now, true, err) != 0)
		return -1;
	return ryde_archive_piles_commit(a->piles, now, true, err);
}

/* ---- what is durable ---- */

static void
done(struct ryde_archiver *a, uint64_t ticket)
{
	ryde_intake_done(a->intake, ryde_archive_joints_done(a->joints, ticket));
}

static void
put_receipt(struct ryde_buf *out, const struct ryde_archive_durable *d)
{
	ryde_buf_puts(out, "{\"object\":");
	ryde_json_string_put(out, ryde_view_of(d->name));
	ryde_buf_puts(out, ",\"lines\":");
	ryde_buf_u64(out, d->lines);
	ryde_buf_puts(out, ",\"bytes\":");
	ryde_buf_u64(out, d->bytes);
	ryde_buf_puts(out, ",\"stored\":");
	ryde_buf_u64(out, d->stored);
	ryde_buf_puts(out, "}\n");
}

static int
durable(void *arg, const struct ryde_archive_durable *d, struct ryde_err *err)
{
	struct ryde_archiver *a = arg;

	for (size_t i = 0; i < d->n_tickets; i++)
		done(a, d->tickets[i]);
	if (d->is_error)
		a->o.books->rejected += d->lines;
	else
		a->o.books->handled += d->lines;
	a->o.books->out += d->lines;
	a->objects++;
	ryde_log(RYDE_LOG_INFO, "%s: %llu lines, %llu bytes", d->name,
	    (unsigned long long)d->lines, (unsigned long long)d->stored);
	if (!a->o.receipts)
		return 0;
	put_receipt(ryde_writer_buf(a->o.out), d);
	return ryde_writer_drain(a->o.out, err);
}

/* ---- lines ---- */

/* Adds a->line, a line of the books. */
static int
add_line(struct ryde_archiver *a, struct ryde_err *err)
{
	int rc;

	while ((rc = persist(a, step_add, err)) == 2)
		if (persist(a, step_commit, err) != 0) {
			rc = -1;
			break;
		}
	if (rc < 0) {
		a->o.books->pending++;
		return -1;
	}
	if (rc == 0) {
		done(a, a->line.ticket);
		a->o.books->filtered++;
		a->repeated++;
	}
	return persist(a, step_relieve, err);
}

int
ryde_archiver_keep(void *archiver, const char *error, uint64_t number, uint64_t ticket,
    struct ryde_view data, struct ryde_err *err)
{
	static const struct ryde_line nowhere = {0};
	struct ryde_archiver *a = archiver;
	const char *wrong;

	ryde_buf_clear(&a->text);
	ryde_rejects_put(&a->text, error, number, data);
	ryde_buf_clear(&a->error_folder);
	wrong =
	    ryde_archive_prefix_put(a->error_prefix, a->now_ms, NULL, &a->error_folder);
	if (wrong != NULL)
		return ryde_err_set(err, RYDE_EUSAGE, "--error-prefix: %s", wrong);
	if (ryde_buf_check(&a->text, err) != 0)
		return -1;
	a->line = (struct ryde_archive_line){.prefix = ryde_buf_as_view(&a->error_folder),
	    .text = ryde_view_mem(a->text.p, a->text.n - 1),
	    .line = &nowhere,
	    .at_ms = a->now_ms,
	    .ticket = ticket,
	    .is_error = true};
	return add_line(a, err);
}

/* The time of the prefix into *at_ms. NULL, or what is wrong. */
static const char *
time_of(const struct ryde_archiver *a, const struct ryde_item *item, int64_t *at_ms)
{
	const struct ryde_json_value *v;

	if (a->o.time == NULL) {
		*at_ms = item->line.has_arrival ? item->line.arrival_ms : a->now_ms;
		return NULL;
	}
	v = &a->values[a->time_path];
	if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL)
		return "the time field is missing";
	if ((v->kind != RYDE_JSON_STRING && v->kind != RYDE_JSON_NUMBER) ||
	    !ryde_timestamp_parse(v->text, at_ms))
		return "the time field is no time";
	return NULL;
}

static int64_t
step_of(int64_t at_ms, int64_t step_ms)
{
	return at_ms / step_ms - (at_ms % step_ms < 0);
}

/* The prefix into a->folder. NULL, or what is wrong. */
static const char *
find_folder(struct ryde_archiver *a, int64_t at_ms)
{
	int64_t step = step_of(at_ms, ryde_archive_prefix_step_ms(a->prefix));
	const char *wrong;

	if (a->folder_known && step == a->folder_step)
		return NULL;
	ryde_buf_clear(&a->folder);
	wrong = ryde_archive_prefix_put(a->prefix, at_ms, a->values, &a->folder);
	a->folder_known = wrong == NULL && !ryde_archive_prefix_has_fields(a->prefix);
	a->folder_step = step;
	return wrong;
}

static void
observe_time(struct ryde_archiver *a)
{
	const struct ryde_json_value *v = &a->values[a->clock_path];
	int64_t ms;

	if ((v->kind == RYDE_JSON_STRING || v->kind == RYDE_JSON_NUMBER) &&
	    ryde_timestamp_parse(v->text, &ms))
		ryde_clock_observe(ms);
	a->now_ms = ryde_clock_data_ms();
}

/* Looks through the payload. NULL, or what is wrong with it. */
static const char *
look(struct ryde_archiver *a, const struct ryde_item *item, char *text, size_t room)
{
	struct ryde_json_fault fault;
	const char *wrong;

	if (ryde_json_shapes_read(
		a->shapes, item->payload, a->paths, a->values, &fault) != 0) {
		(void)snprintf(
		    text, room, "not JSON: %s at byte %zu", fault.what, fault.at + 1);
		return text;
	}
	if (ryde_clock_follows())
		observe_time(a);
	wrong = time_of(a, item, &a->line.at_ms);
	return wrong != NULL ? wrong : find_folder(a, a->line.at_ms);
}

/* A text in base64 may have newlines between its tokens: they become blanks. */
static struct ryde_view
on_one_line(struct ryde_archiver *a, struct ryde_view text)
{
	if (memchr(text.p, '\n', text.n) == NULL)
		return text;
	ryde_buf_clear(&a->text);
	ryde_buf_view(&a->text, text);
	for (size_t i = 0; i < a->text.n; i++)
		if (a->text.p[i] == '\n')
			a->text.p[i] = ' ';
	return ryde_buf_as_view(&a->text);
}

/* The ticket that goes with what becomes of the item. */
static int
ticket_of(struct ryde_archiver *a, const struct ryde_item *item, uint64_t *ticket,
    struct ryde_err *err)
{
	*ticket = item->ticket;
	if (!item->more && !ryde_archive_joints_open(a->joints))
		return 0;
	return ryde_archive_joints_take(
	    a->joints, item->line.ack.n > 0, item->ticket, item->more, ticket, err);
}

static int
reject(struct ryde_archiver *a, const struct ryde_item *item, const char *why,
    struct ryde_err *err)
{
	struct ryde_item bare = *item;

	/* a joint's ticket says nothing to the intake */
	if (ticket_of(a, item, &bare.ticket, err) != 0 ||
	    ryde_intake_reject(a->intake, &bare, why, err) != 0)
		return -1;
	if (bare.ticket != item->ticket && a->o.error_prefix == NULL && a->o.has_rejects)
		done(a, bare.ticket);
	return 0;
}

static int
one(struct ryde_archiver *a, const struct ryde_item *item, struct ryde_err *err)
{
	const char *wrong;
	char text[160];

	wrong = look(a, item, text, sizeof(text));
	if (wrong != NULL)
		return reject(a, item, wrong, err);
	a->line.prefix = ryde_buf_as_view(&a->folder);
	a->line.text =
	    item->line.is_base64 ? on_one_line(a, item->payload) : item->payload;
	a->line.line = &item->line;
	a->line.is_error = false;
	if (ticket_of(a, item, &a->line.ticket, err) != 0)
		return -1;
	return add_line(a, err);
}

/* ---- the loop ---- */

/* Nothing whole is buffered: read on, or make durable what is due, or wait. */
static int
turn(struct ryde_archiver *a, struct ryde_err *err)
{
	struct ryde_waits w = {0};

	/* a shard goes to another reader, which waits for what is gathered here */
	if (ryde_ack_going_any(ryde_intake_sink(a->intake)) &&
	    persist(a, step_end, err) != 0)
		return -1;
	if (!ryde_reader_ready(ryde_intake_reader(a->intake))) {
		if (persist(a, step_idle, err) != 0 ||
		    ryde_intake_turn_quietly(a->intake, err) != 0)
			return -1;
		ryde_waits_begin(&w);
		ryde_intake_wait(a->intake, &w);
		ryde_waits_until(&w, ryde_archive_piles_due_mono_ms(a->piles));
		a->o.tick(a->o.arg, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	} else {
		if (persist(a, step_due, err) != 0)
			return -1;
		a->o.tick(a->o.arg, NULL);
	}
	a->now_ms = ryde_clock_data_ms();
	return ryde_intake_turn(a->intake, err);
}

static int
run(struct ryde_archiver *a, struct ryde_err *err)
{
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(a->intake, &item, err)) {
		case RYDE_INTAKE_ITEM:
			if (one(a, &item, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_MARK:
			/* a reader that ends waits for what it has printed */
			if (item.line.end && persist(a, step_end, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_AGAIN:
			if (turn(a, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_END:
			return persist(a, step_end, err);
		case RYDE_INTAKE_FAILED:
			return -1;
		}
	}
}

int
ryde_archiver_run(
    struct ryde_archiver *a, struct ryde_intake *intake, struct ryde_err *err)
{
	struct ryde_err later = RYDE_ERR_INIT;
	int rc;

	a->intake = intake;
	a->now_ms = ryde_clock_data_ms();
	rc = run(a, err);
	a->o.books->pending += ryde_archive_piles_pending(a->piles);
	ryde_books_extra(a->o.books, "objects", a->objects);
	if (a->repeated > 0)
		ryde_log(RYDE_LOG_NOTICE,
		    "%llu lines were in the archive already, and are not added again",
		    (unsigned long long)a->repeated);
	/* what is durable is acknowledged, however the run ended */
	if (ryde_intake_finish(intake, &later) != 0 && rc == 0) {
		*err = later;
		rc = -1;
	}
	return rc != 0 ? ryde_err_status(err) : ryde_intake_status(intake);
}

/* ---- beginning and end ---- */

static int
read_expressions(struct ryde_archiver *a, struct ryde_err *err)
{
	const char *prefix = a->o.prefix != NULL ? a->o.prefix : "";

	a->paths = ryde_json_paths_new();
	if (a->paths == NULL)
		return ryde_err_nomem(err);
	a->prefix = ryde_archive_prefix_new(prefix, false, a->paths, err);
	if (a->prefix == NULL)
		return ryde_err_prefix(err, "--prefix");
	if (a->o.error_prefix != NULL &&
	    (a->error_prefix = ryde_archive_prefix_new(
		 a->o.error_prefix, true, a->paths, err)) == NULL)
		return ryde_err_prefix(err, "--error-prefix");
	if (a->o.time != NULL &&
	    ryde_json_paths_add(a->paths, a->o.time, &a->time_path, err) != 0)
		return ryde_err_prefix(err, "--time");
	if (ryde_clock_follows() &&
	    ryde_json_paths_add(a->paths, ".StatusTime", &a->clock_path, err) != 0)
		return -1;
	a->values = calloc(ryde_json_paths_count(a->paths) + 1, sizeof(*a->values));
	a->shapes = malloc(sizeof(*a->shapes));
	if (a->values == NULL || a->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(a->shapes);
	return 0;
}

/* What a prefix becomes is wrong for every line where it has no fields: said at once. */
static int
try_prefixes(struct ryde_archiver *a, struct ryde_err *err)
{
	const char *wrong = NULL;

	if (!ryde_archive_prefix_has_fields(a->prefix))
		wrong = ryde_archive_prefix_put(a->prefix, 0, NULL, &a->folder);
	if (wrong != NULL)
		return ryde_err_set(err, RYDE_EUSAGE, "--prefix: %s", wrong);
	if (a->error_prefix != NULL)
		wrong =
		    ryde_archive_prefix_put(a->error_prefix, 0, NULL, &a->error_folder);
	if (wrong != NULL)
		return ryde_err_set(err, RYDE_EUSAGE, "--error-prefix: %s", wrong);
	return 0;
}

struct ryde_archiver *
ryde_archiver_new(const struct ryde_archive_opts *opts, struct ryde_err *err)
{
	struct ryde_archiver *a = calloc(1, sizeof(*a));
	struct ryde_archive_pile_opts piles = {.size_bytes = opts->size_bytes,
	    .every_ms = opts->every_ms,
	    .level = opts->level,
	    .durable = durable,
	    .arg = a};

	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->o = *opts;
	ryde_random_seed(&a->random, (uint64_t)ryde_clock_mono_us());
	ryde_buf_init(&a->folder, RYDE_ARCHIVE_PREFIX_MAX * 8);
	ryde_buf_init(&a->error_folder, RYDE_ARCHIVE_PREFIX_MAX * 8);
	/* base64 of the longest line, and what stands around it */
	ryde_buf_init(&a->text, (size_t)32 << 20);
	if (read_expressions(a, err) != 0 || try_prefixes(a, err) != 0)
		goto fail;
	a->archive = ryde_archive_open(opts->store, opts->place, err);
	if (a->archive == NULL)
		goto fail;
	piles.archive = a->archive;
	a->joints = ryde_archive_joints_new(err);
	if (a->joints == NULL)
		goto fail;
	a->piles = ryde_archive_piles_new(&piles, err);
	if (a->piles != NULL)
		return a;
fail:
	ryde_archiver_free(a);
	return NULL;
}

void
ryde_archiver_free(struct ryde_archiver *a)
{
	if (a == NULL)
		return;
	ryde_archive_piles_free(a->piles);
	ryde_archive_joints_free(a->joints);
	ryde_archive_close(a->archive);
	ryde_archive_prefix_free(a->prefix);
	ryde_archive_prefix_free(a->error_prefix);
	ryde_json_paths_free(a->paths);
	free(a->values);
	free(a->shapes);
	ryde_buf_free(&a->folder);
	ryde_buf_free(&a->error_folder);
	ryde_buf_free(&a->text);
	free(a);
}
