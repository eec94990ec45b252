#include "engine/query_archive.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "engine/query_filter.h"
#include "engine/query_partition.h"
#include "engine/query_place.h"
#include "engine/query_source.h"
#include "engine/query_spool.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "flow/rejects.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LONGEST ((size_t)128 << 10)
#define ROW_BYTES 170 /* of a usual line, where only sizes are known */
#define LINE_BITS 40  /* of a row's position; the rest is its object's */
#define PARTS 5	      /* year, month, day, hour, approximateArrivalTimestamp */

struct object {
	char *name;
	int64_t size_bytes;
	uint64_t said; /* bad lines up to here have been said and counted */
};

struct archive {
	struct ryde_query_source base;
	struct ryde_query_sources *o;
	struct ryde_query_place *place;
	struct object *objects; /* sorted by name */
	size_t n, cap;
	struct ryde_query_extra *extras;
	size_t n_extras, n_parts, n_keys; /* parts first, then keys, then a stream's */
	size_t cap_extras;
	struct ryde_buf path, text;
};

struct cursor {
	struct ryde_query_cursor base;
	struct archive *archive;
	bool *left_out; /* per object; NULL: none, and nothing is counted */
	size_t at;	/* the object at hand, or the next one */
	struct ryde_reader *reader;
	struct ryde_buf path; /* of the object's file, its NUL included */
	char *file;	      /* the same for the reader */
	int fd;		      /* to be closed with it, or -1 */
	struct ryde_view raw; /* the line at hand */
	struct ryde_line line;
	struct ryde_buf payload, texts[RYDE_QUERY_META + 1];
};

/* ---- what a path says ---- */

static struct ryde_view
whole_path(struct archive *a, const struct object *o)
{
	ryde_buf_clear(&a->path);
	ryde_buf_puts(&a->path, a->place->path);
	ryde_buf_puts(&a->path, o->name);
	return ryde_buf_as_view(&a->path);
}

static bool
put_part(struct archive *a, size_t i, const struct object *o)
{
	struct ryde_view parts[RYDE_QUERY_HOUR_PARTS];

	if (!ryde_query_partition_hour(whole_path(a, o), parts))
		return false;
	if (i < RYDE_QUERY_HOUR_PARTS) {
		ryde_buf_view(&a->text, parts[i]);
		return true;
	}
	for (size_t k = 0; k < RYDE_QUERY_HOUR_PARTS; k++) {
		ryde_buf_puts(&a->text, k == 0 ? "" : k == RYDE_QUERY_HOUR ? "T" : "-");
		ryde_buf_view(&a->text, parts[k]);
	}
	ryde_buf_puts(&a->text, ":00:00.000Z");
	return true;
}

/* The object's value of extra column i into a->text; false: it has none. */
static bool
value_of(struct archive *a, size_t i, const struct object *o)
{
	struct ryde_view path, key, value;
	struct ryde_buf decoded;
	bool found = false;

	ryde_buf_clear(&a->text);
	if (i < a->n_parts)
		return put_part(a, i, o);
	path = whole_path(a, o);
	ryde_buf_init(&decoded, PATH_LONGEST);
	while (ryde_query_partition_next(&path, &key, &value)) {
		ryde_buf_clear(&decoded);
		ryde_query_partition_decode(&decoded, key);
		if (strcmp(ryde_buf_str(&decoded), a->extras[i].name) != 0)
			continue;
		ryde_buf_clear(&a->text);
		ryde_query_partition_decode(&a->text, value);
		found = !ryde_view_is(value, "__HIVE_DEFAULT_PARTITION__");
	}
	ryde_buf_free(&decoded);
	return found && !a->text.failed;
}

static bool
lets(struct archive *a, const struct ryde_query_filter *f, const struct object *o)
{
	for (size_t i = 0; f != NULL && i < f->n; i++) {
		size_t k = f->tests[i].extra;

		if (k >= a->n_parts + a->n_keys)
			continue;
		/* no comparison holds with a value that is not there */
		if (!value_of(a, k, o) || !ryde_query_filter_lets(f, k, &a->extras[k],
					      ryde_buf_as_view(&a->text)))
			return false;
	}
	return true;
}

static void
plan(struct ryde_query_source *base, const struct ryde_query_filter *f,
    struct ryde_buf *words, double *rows)
{
	struct archive *a = (struct archive *)base;
	int64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (!lets(a, f, &a->objects[i]))
			continue;
		n++;
		bytes += a->objects[i].size_bytes;
	}
	ryde_buf_printf(words, "%zu of %zu objects, %" PRId64 " bytes", n, a->n, bytes);
	*rows = (double)bytes / ROW_BYTES + 1;
}

/* ---- rows ---- */

static void
close_object(struct cursor *c)
{
	if (c->reader != NULL && c->left_out != NULL) {
		ryde_books_extra(c->archive->o->books, "objects", 1);
		ryde_books_extra(
		    c->archive->o->books, "bytesRead", ryde_reader_bytes(c->reader));
	}
	ryde_reader_free(c->reader);
	c->reader = NULL;
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	free(c->file);
	c->file = NULL;
}

static void
free_cursor(struct ryde_query_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	close_object(c);
	free(c->left_out);
	ryde_buf_free(&c->path);
	ryde_buf_free(&c->payload);
	for (size_t i = 0; i <= RYDE_QUERY_META; i++)
		ryde_buf_free(&c->texts[i]);
	free(c);
}

static struct ryde_query_cursor *
cursor(struct ryde_query_source *base, const struct ryde_query_filter *filter,
    struct ryde_err *err)
{
	struct archive *a = (struct archive *)base;
	struct cursor *c = calloc(1, sizeof(*c));
	size_t skipped = 0;

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->base.ops = base->ops;
	c->archive = a;
	c->fd = -1;
	ryde_buf_init(&c->path, PATH_LONGEST);
	ryde_buf_init(&c->payload, RYDE_LINE_ENVELOPE_MAX);
	for (size_t i = 0; i <= RYDE_QUERY_META; i++)
		ryde_buf_init(&c->texts[i], PATH_LONGEST);
	if (filter == NULL)
		return &c->base;
	c->left_out = calloc(a->n + 1, sizeof(*c->left_out));
	if (c->left_out == NULL) {
		free_cursor(&c->base);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < a->n; i++) {
		c->left_out[i] = !lets(a, filter, &a->objects[i]);
		skipped += c->left_out[i];
	}
	ryde_books_extra(a->o->books, "objectsLeftOut", skipped);
	return &c->base;
}

/* Tells the place what comes behind the object at hand. */
static void
look_ahead(struct cursor *c)
{
	const struct archive *a = c->archive;
	size_t told = 0;

	/* a look at the columns mostly ends in the first one */
	if (a->place->ops->ahead == NULL || (c->left_out == NULL && c->at == 0))
		return;
	for (size_t i = c->at + 1; i < a->n && told < RYDE_QUERY_PLACE_AHEAD; i++) {
		if (c->left_out != NULL && c->left_out[i])
			continue;
		a->place->ops->ahead(
		    a->place, a->objects[i].name, a->objects[i].size_bytes);
		told++;
	}
}

static int
open_object(struct cursor *c, struct ryde_err *err)
{
	const struct object *o = &c->archive->objects[c->at];

	ryde_buf_clear(&c->path);
	look_ahead(c);
	if (c->archive->place->ops->file(
		c->archive->place, o->name, &c->path, &c->fd, err) != 0)
		return -1;
	c->file = strdup(ryde_buf_str(&c->path));
	if (c->file == NULL)
		return ryde_err_nomem(err);
	c->reader = ryde_reader_new(&c->file, 1, err);
	return c->reader != NULL ? 0 : -1;
}

/* A line, or the rest of an object, that cannot be a row: said, counted, kept. */
static int
reject_of(struct cursor *c, struct object *o, const char *what, uint64_t line,
    struct ryde_view data, struct ryde_err *err)
{
	struct archive *a = c->archive;
	struct ryde_query_sources *s = a->o;
	char text[320];

	if (c->left_out == NULL || line <= o->said)
		return 0;
	o->said = line;
	(void)snprintf(text, sizeof(text), "%s%s: %s", a->place->path, o->name, what);
	ryde_log(RYDE_LOG_WARNING, "line %" PRIu64 " of %s", line, text);
	s->books->in++;
	s->books->rejected++;
	s->input_status = RYDE_EDATA;
	if (s->input->rejects != NULL) {
		if (s->rejects == NULL)
			s->rejects = ryde_rejects_open(s->input->rejects, err);
		if (s->rejects == NULL ||
		    ryde_rejects_add(s->rejects, text, line, data, err) != 0)
			return -1;
	}
	if (s->input->strict)
		return ryde_err_set(err, RYDE_EDATA,
		    "--strict: stopped at line %" PRIu64 " of %s%s", line, a->place->path,
		    o->name);
	return 0;
}

/* The same for the object at hand. What earlier rows are to be rejected for comes first.
 */
static int
reject(struct cursor *c, const char *what, uint64_t line, struct ryde_view data,
    struct ryde_err *err)
{
	int rc = c->base.settle != NULL ? c->base.settle(c->base.settle_arg, err) : 0;

	return rc == 0 ? reject_of(c, &c->archive->objects[c->at], what, line, data, err)
		       : rc;
}

static int
bad(struct ryde_query_cursor *base, int64_t position, struct ryde_view data,
    const struct ryde_json_fault *fault, struct ryde_err *err)
{
	struct cursor *c = (struct cursor *)base;
	char text[200];

	(void)snprintf(
	    text, sizeof(text), "not JSON: %s at byte %zu", fault->what, fault->at + 1);
	return reject_of(c, &c->archive->objects[position >> LINE_BITS], text,
	    (uint64_t)position & (((uint64_t)1 << LINE_BITS) - 1), data, err);
}

/* Reads on. What an object cannot give (torn gzip) costs that object's rest alone. */
static int
fill(struct cursor *c, bool *over, struct ryde_err *err)
{
	struct ryde_err e = RYDE_ERR_INIT;
	const char *what = e.msg;

	if (ryde_signals_stop() > 0)
		return ryde_err_set(
		    err, RYDE_ETEMPFAIL, "interrupted: the answer is not whole");
	if (ryde_reader_fill(c->reader, &e) == 0)
		return 0;
	if (e.code != RYDE_EDATA) {
		*err = e;
		return -1;
	}
	*over = true;
	/* the reader says which file it was, and so does reject */
	if (strncmp(what, c->file, strlen(c->file)) == 0 && what[strlen(c->file)] == ':')
		what += strlen(c->file) + 2;
	return reject(
	    c, what, ryde_reader_line_number(c->reader) + 1, ryde_view_of(""), err);
}

/* A line that may be a row: 1, 0 where it is none, -1. */
static int
take(struct cursor *c, struct ryde_query_row *row, struct ryde_err *err)
{
	struct ryde_err e = RYDE_ERR_INIT;
	uint64_t number = ryde_reader_line_number(c->reader);

	if (c->raw.n == 0)
		return reject(c, "an empty line", number, c->raw, err);
	if (!ryde_view_starts(c->raw, "{\"ryde\"")) {
		c->line.kind = RYDE_LINE_PAYLOAD;
		*row = (struct ryde_query_row){c->raw, true};
		return 1;
	}
	if (ryde_line_parse(c->raw, &c->line, &e) != 0)
		return reject(c, e.msg, number, c->raw, err);
	if (c->line.kind == RYDE_LINE_MARK)
		return 0;
	row->json = !c->line.is_base64;
	if (ryde_line_payload(&c->line, &c->payload, &row->data, &e) != 0)
		return reject(c, e.msg, number, c->raw, err);
	return 1;
}

static int
next_of_object(struct cursor *c, struct ryde_query_row *row, struct ryde_err *err)
{
	bool over = false;
	int rc;

	while (!over) {
		switch (ryde_reader_next(c->reader, &c->raw)) {
		case RYDE_READER_LINE:
		case RYDE_READER_TORN:
			rc = take(c, row, err);
			if (rc != 0)
				return rc;
			break;
		case RYDE_READER_AGAIN:
			if (fill(c, &over, err) != 0)
				return -1;
			break;
		case RYDE_READER_LONG:
			if (reject(c, "a line that is too long",
				ryde_reader_line_number(c->reader), c->raw, err) != 0)
				return -1;
			break;
		case RYDE_READER_END:
			over = true;
			break;
		}
	}
	return 0;
}

static int
next(struct ryde_query_cursor *base, struct ryde_query_row *row, struct ryde_err *err)
{
	struct cursor *c = (struct cursor *)base;
	int rc;

	for (;;) {
		if (c->at == c->archive->n)
			return 0;
		if (c->left_out != NULL && c->left_out[c->at]) {
			c->at++;
			continue;
		}
		if (c->reader == NULL && open_object(c, err) != 0)
			return -1;
		rc = next_of_object(c, row, err);
		if (rc != 0)
			return rc;
		close_object(c);
		c->at++;
	}
}

static bool
meta(struct cursor *c, size_t i, struct ryde_view *text)
{
	const struct ryde_view views[] = {
	    [RYDE_QUERY_SHARD] = c->line.shard,
	    [RYDE_QUERY_SEQUENCE] = c->line.seq,
	    [RYDE_QUERY_KEY] = c->line.key,
	};
	struct ryde_buf *b = &c->texts[i];
	char at[RYDE_TIMESTAMP_MAX];

	if (c->line.kind != RYDE_LINE_ENVELOPE)
		return false;
	ryde_buf_clear(b);
	if (i != RYDE_QUERY_ARRIVAL)
		ryde_json_string_decode(b, views[i]);
	else if (c->line.has_arrival)
		ryde_buf_add(b, at, ryde_timestamp_rfc3339(c->line.arrival_ms, at));
	*text = ryde_buf_as_view(b);
	return b->n > 0;
}

static bool
extra(struct ryde_query_cursor *base, size_t i, struct ryde_view *text)
{
	struct cursor *c = (struct cursor *)base;
	struct archive *a = c->archive;
	struct ryde_buf *b = &c->texts[RYDE_QUERY_META];

	if (i >= a->n_parts + a->n_keys)
		return meta(c, i - a->n_parts - a->n_keys, text);
	if (!value_of(a, i, &a->objects[c->at]))
		return false;
	ryde_buf_clear(b);
	ryde_buf_view(b, ryde_buf_as_view(&a->text));
	*text = ryde_buf_as_view(b);
	return !b->failed;
}

static int64_t
position(const struct ryde_query_cursor *base)
{
	const struct cursor *c = (const struct cursor *)base;

	return (int64_t)c->at << LINE_BITS | (int64_t)ryde_reader_line_number(c->reader);
}

/* ---- opening ---- */

static int
take_object(void *arg, const char *name, int64_t size_bytes, struct ryde_err *err)
{
	struct archive *a = arg;

	if (a->n == a->cap) {
		size_t cap = a->cap * 2 + 64;
		struct object *objects = realloc(a->objects, cap * sizeof(*objects));

		if (objects == NULL)
			return ryde_err_nomem(err);
		a->objects = objects;
		a->cap = cap;
	}
	a->objects[a->n] =
	    (struct object){.name = strdup(name), .size_bytes = size_bytes};
	if (a->objects[a->n].name == NULL)
		return ryde_err_nomem(err);
	a->n++;
	return 0;
}

static int
by_name(const void *x, const void *y)
{
	return strcmp(((const struct object *)x)->name, ((const struct object *)y)->name);
}

static int
add_extra(struct archive *a, const char *name, enum ryde_query_extra_kind kind,
    struct ryde_err *err)
{
	for (size_t i = 0; i < a->n_extras; i++)
		if (strcmp(a->extras[i].name, name) == 0)
			return 0;
	if (a->n_extras == a->cap_extras) {
		size_t cap = a->cap_extras * 2 + 16;
		struct ryde_query_extra *extras =
		    realloc(a->extras, cap * sizeof(*extras));

		if (extras == NULL)
			return ryde_err_nomem(err);
		a->extras = extras;
		a->cap_extras = cap;
	}
	a->extras[a->n_extras].name = strdup(name);
	a->extras[a->n_extras].kind = kind;
	if (a->extras[a->n_extras].name == NULL)
		return ryde_err_nomem(err);
	a->n_extras++;
	return 0;
}

static int
find_keys(struct archive *a, const struct object *o, struct ryde_err *err)
{
	struct ryde_view path = whole_path(a, o), key, value;

	while (ryde_query_partition_next(&path, &key, &value)) {
		ryde_buf_clear(&a->text);
		ryde_query_partition_decode(&a->text, key);
		if (ryde_buf_check(&a->text, err) != 0 ||
		    add_extra(a, ryde_buf_str(&a->text), RYDE_QUERY_EXTRA_EITHER, err) !=
			0)
			return -1;
	}
	return 0;
}

/* True where the first row is an envelope. */
static bool
has_envelopes(struct archive *a)
{
	struct ryde_query_cursor *c = cursor(&a->base, NULL, NULL);
	struct ryde_query_row row;
	struct ryde_err err = RYDE_ERR_INIT;
	bool has = c != NULL && next(c, &row, &err) == 1 &&
		   ((struct cursor *)c)->line.kind == RYDE_LINE_ENVELOPE;

	if (c != NULL)
		free_cursor(c);
	return has;
}

static int
find_extras(struct archive *a, struct ryde_err *err)
{
	static const struct ryde_query_extra parts[PARTS] = {
	    {"year", RYDE_QUERY_EXTRA_INTEGER},
	    {"month", RYDE_QUERY_EXTRA_INTEGER},
	    {"day", RYDE_QUERY_EXTRA_INTEGER},
	    {"hour", RYDE_QUERY_EXTRA_INTEGER},
	    {"approximateArrivalTimestamp", RYDE_QUERY_EXTRA_TEXT},
	};
	struct ryde_view found[RYDE_QUERY_HOUR_PARTS];
	bool hours = false, envelopes = has_envelopes(a);

	for (size_t i = 0; i < a->n && !hours; i++)
		hours = ryde_query_partition_hour(whole_path(a, &a->objects[i]), found);
	/* an envelope tells the arrival to the millisecond */
	for (size_t i = 0; hours && i < (envelopes ? PARTS - 1 : PARTS); i++)
		if (add_extra(a, parts[i].name, parts[i].kind, err) != 0)
			return -1;
	a->n_parts = a->n_extras;
	for (size_t i = 0; i < a->n; i++)
		if (find_keys(a, &a->objects[i], err) != 0)
			return -1;
	a->n_keys = a->n_extras - a->n_parts;
	for (size_t i = 0; envelopes && i < RYDE_QUERY_META; i++)
		if (add_extra(a, ryde_query_source_meta[i].name,
			ryde_query_source_meta[i].kind, err) != 0)
			return -1;
	a->base.extras = a->extras;
	a->base.n_extras = a->n_extras;
	return 0;
}

static void
close_archive(struct ryde_query_source *base)
{
	struct archive *a = (struct archive *)base;

	if (a->place != NULL)
		a->place->ops->close(a->place);
	for (size_t i = 0; i < a->n; i++)
		free(a->objects[i].name);
	for (size_t i = 0; i < a->n_extras; i++) {
		/* our own copies: see add_extra */
		char *name;

		memcpy(&name, &a->extras[i].name, sizeof(name));
		free(name);
	}
	free(a->objects);
	free(a->extras);
	ryde_buf_free(&a->path);
	ryde_buf_free(&a->text);
	free(a);
}

static const struct ryde_query_source_ops archive_ops = {.cursor = cursor,
    .next = next,
    .extra = extra,
    .position = position,
    .bad = bad,
    .plan = plan,
    .free_cursor = free_cursor,
    .close = close_archive};

struct ryde_query_source *
ryde_query_archive(struct ryde_query_sources *o, const char *path, struct ryde_err *err)
{
	struct archive *a;
	struct stat st;

	if (strncmp(path, "s3://", 5) != 0 && stat(path, &st) == 0 &&
	    !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return ryde_query_spool(o, path, err);
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->base = (struct ryde_query_source){
	    .ops = &archive_ops, .counted = true, .unchecked = true};
	a->o = o;
	ryde_buf_init(&a->path, PATH_LONGEST);
	ryde_buf_init(&a->text, PATH_LONGEST);
	a->place = ryde_query_place_open(o->store, path, err);
	if (a->place == NULL || a->place->ops->list(a->place, take_object, a, err) != 0)
		goto failed;
	if (a->n > 0)
		qsort(a->objects, a->n, sizeof(*a->objects), by_name);
	if (find_extras(a, err) == 0)
		return &a->base;
failed:
	close_archive(&a->base);
	return NULL;
}
