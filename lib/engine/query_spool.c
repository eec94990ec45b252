#include "engine/query_spool.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "engine/query_source.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "json/scan.h"
#include "json/string.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10)
#define BUFFER_MAX ((size_t)32 << 20) /* a block and the longest line with its head */

/* What stands before each row in the file. */
struct head {
	uint32_t data_n, shard_n, seq_n, key_n;
	int64_t arrival_ms;
	uint32_t json, has_arrival;
};

struct spool {
	struct ryde_query_source base;
	int fd;
	struct ryde_buf out; /* not yet written */
	int64_t size_bytes;
	bool begun;
};

struct cursor {
	struct ryde_query_cursor base;
	const struct spool *spool;
	struct ryde_buf in;
	size_t at; /* in `in` */
	struct ryde_view meta[RYDE_QUERY_ARRIVAL];
	int64_t arrival_ms;
	bool has_arrival;
	char text[RYDE_TIMESTAMP_MAX];
	int64_t next_offset; /* in the file, behind `in` */
};

static void
spool_close(struct ryde_query_source *base)
{
	struct spool *s = (struct spool *)base;

	if (s->fd >= 0)
		(void)close(s->fd);
	ryde_buf_free(&s->out);
	free(s);
}

int
ryde_query_spool_file(struct ryde_err *err)
{
	const char *dir = getenv("TMPDIR");
	struct ryde_buf path;
	char *name;
	int fd;

	ryde_buf_init(&path, 4096);
	ryde_buf_puts(&path, dir != NULL && dir[0] == '/' ? dir : "/var/tmp");
	ryde_buf_puts(&path, "/ryde-query.XXXXXX");
	name = strdup(ryde_buf_str(&path));
	ryde_buf_free(&path);
	if (name == NULL)
		return ryde_err_nomem(err);
	fd = mkstemp(name);
	if (fd < 0)
		(void)ryde_err_sys(
		    err, RYDE_ECANTCREAT, "cannot make a temporary file %s", name);
	else
		(void)unlink(name);
	free(name);
	return fd;
}

static int
open_file(struct spool *s, struct ryde_err *err)
{
	s->fd = ryde_query_spool_file(err);
	return s->fd < 0 ? -1 : 0;
}

static int
flush(struct spool *s, struct ryde_err *err)
{
	if (ryde_buf_check(&s->out, err) != 0 ||
	    ryde_file_write_all(
		s->fd, ryde_buf_as_view(&s->out), "the temporary file", err) != 0)
		return -1;
	s->size_bytes += (int64_t)s->out.n;
	ryde_buf_clear(&s->out);
	return 0;
}

/* Appends a string of an envelope, and returns its length. */
static uint32_t
put_string(struct spool *s, struct ryde_view raw)
{
	size_t before = s->out.n;

	ryde_json_string_decode(&s->out, raw);
	return (uint32_t)(s->out.n - before);
}

static int
put_row(struct spool *s, const struct ryde_item *item, bool json, struct ryde_err *err)
{
	struct head h = {.data_n = (uint32_t)item->payload.n,
	    .arrival_ms = item->line.arrival_ms,
	    .json = json,
	    .has_arrival = item->line.has_arrival};
	size_t at = s->out.n;

	if (!s->begun)
		s->base.n_extras =
		    item->line.kind == RYDE_LINE_ENVELOPE ? RYDE_QUERY_META : 0;
	s->begun = true;
	ryde_buf_add(&s->out, &h, sizeof(h));
	h.shard_n = put_string(s, item->line.shard);
	h.seq_n = put_string(s, item->line.seq);
	h.key_n = put_string(s, item->line.key);
	ryde_buf_view(&s->out, item->payload);
	if (!s->out.failed)
		memcpy(s->out.p + at, &h, sizeof(h));
	return s->out.n >= BLOCK || s->out.failed ? flush(s, err) : 0;
}

static int
take(struct spool *s, struct ryde_query_sources *o, struct ryde_intake *in,
    const struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	char text[200];
	bool json = ryde_json_check(item->payload, NULL, &fault) == 0;

	if (!json && !item->line.is_base64) {
		(void)snprintf(text, sizeof(text), "not JSON: %s at byte %zu", fault.what,
		    fault.at + 1);
		return ryde_intake_reject(in, item, text, err);
	}
	if (put_row(s, item, json, err) != 0)
		return -1;
	o->input->books->handled++;
	ryde_intake_done(in, item->ticket);
	return 0;
}

static int
wait_for_input(struct ryde_query_sources *o, struct ryde_intake *in, struct ryde_err *err)
{
	struct ryde_waits w = {0};

	ryde_waits_begin(&w);
	ryde_intake_wait(in, &w);
	if (o->tick != NULL)
		o->tick(o->arg, &w);
	if (ryde_waits_poll(&w, err) != 0)
		return -1;
	/* half of the input is no basis for an answer */
	if (ryde_signals_stop() > 0)
		return ryde_err_set(err, RYDE_ETEMPFAIL, "interrupted: no answer");
	return ryde_intake_turn(in, err);
}

static int
fill(struct spool *s, struct ryde_query_sources *o, struct ryde_intake *in,
    struct ryde_err *err)
{
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(in, &item, err)) {
		case RYDE_INTAKE_ITEM:
			if (take(s, o, in, &item, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_MARK:
			break;
		case RYDE_INTAKE_AGAIN:
			if (wait_for_input(o, in, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_END:
			if (flush(s, err) != 0)
				return -1;
			return ryde_intake_finish(in, err);
		case RYDE_INTAKE_FAILED:
			return -1;
		}
	}
}

static int
read_all(
    struct spool *s, struct ryde_query_sources *o, const char *file, struct ryde_err *err)
{
	struct ryde_intake_opts opts = *o->input;
	char *name = file != NULL ? strdup(file) : NULL;
	struct ryde_intake *in;
	int rc = -1;

	if (file != NULL && name == NULL)
		return ryde_err_nomem(err);
	if (file != NULL) {
		opts.files = &name;
		opts.n_files = 1;
	}
	in = ryde_intake_new(&opts, err);
	if (in != NULL && open_file(s, err) == 0 && fill(s, o, in, err) == 0) {
		if (ryde_intake_status(in) != 0)
			o->input_status = ryde_intake_status(in);
		rc = 0;
	}
	ryde_intake_free(in);
	free(name);
	return rc;
}

/* ---- cursors ---- */

static void
spool_free_cursor(struct ryde_query_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	ryde_buf_free(&c->in);
	free(c);
}

static struct ryde_query_cursor *
spool_cursor(struct ryde_query_source *base, const struct ryde_query_filter *filter,
    struct ryde_err *err)
{
	struct cursor *c = calloc(1, sizeof(*c));

	(void)filter;
	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->base.ops = base->ops;
	c->spool = (const struct spool *)base;
	ryde_buf_init(&c->in, BUFFER_MAX);
	return &c->base;
}

/* Sees to it that n bytes are at hand. 1, 0 at the end of the file, -1. */
static int
need(struct cursor *c, size_t n, struct ryde_err *err)
{
	size_t have = c->in.n - c->at;

	if (have >= n)
		return 1;
	ryde_buf_drop(&c->in, c->at);
	c->at = 0;
	while (c->in.n < n) {
		size_t want = n - c->in.n > BLOCK ? n - c->in.n : BLOCK;
		char *room = ryde_buf_room(&c->in, want);
		ssize_t got;

		if (room == NULL)
			return ryde_err_nomem(err);
		got = pread(c->spool->fd, room, want, (off_t)c->next_offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ryde_err_sys(
			    err, RYDE_EIO, "cannot read the temporary file");
		if (got == 0 && c->in.n == 0)
			return 0;
		if (got == 0)
			return ryde_err_set(err, RYDE_EIO, "the temporary file was cut");
		ryde_buf_added(&c->in, (size_t)got);
		c->next_offset += got;
	}
	return 1;
}

static struct ryde_view
slice(struct cursor *c, size_t n)
{
	struct ryde_view v = ryde_view_mem(c->in.p + c->at, n);

	c->at += n;
	return v;
}

static int
spool_next(
    struct ryde_query_cursor *base, struct ryde_query_row *row, struct ryde_err *err)
{
	struct cursor *c = (struct cursor *)base;
	struct head h;
	int rc = need(c, sizeof(h), err);

	if (rc != 1)
		return rc;
	memcpy(&h, c->in.p + c->at, sizeof(h));
	rc = need(c, sizeof(h) + h.shard_n + h.seq_n + h.key_n + (size_t)h.data_n, err);
	if (rc != 1)
		return rc;
	c->at += sizeof(h);
	c->meta[RYDE_QUERY_SHARD] = slice(c, h.shard_n);
	c->meta[RYDE_QUERY_SEQUENCE] = slice(c, h.seq_n);
	c->meta[RYDE_QUERY_KEY] = slice(c, h.key_n);
	row->data = slice(c, h.data_n);
	row->json = h.json != 0;
	c->arrival_ms = h.arrival_ms;
	c->has_arrival = h.has_arrival != 0;
	return 1;
}

static bool
spool_extra(struct ryde_query_cursor *base, size_t i, struct ryde_view *text)
{
	struct cursor *c = (struct cursor *)base;

	if (i == RYDE_QUERY_ARRIVAL) {
		*text = ryde_view_mem(
		    c->text, ryde_timestamp_rfc3339(c->arrival_ms, c->text));
		return c->has_arrival;
	}
	*text = c->meta[i];
	return text->n > 0;
}

static const struct ryde_query_source_ops spool_ops = {.cursor = spool_cursor,
    .next = spool_next,
    .extra = spool_extra,
    .free_cursor = spool_free_cursor,
    .close = spool_close};

static struct spool *
new_spool(struct ryde_err *err)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->fd = -1;
	s->base.ops = &spool_ops;
	s->base.extras = ryde_query_source_meta;
	ryde_buf_init(&s->out, BUFFER_MAX);
	return s;
}

struct ryde_query_source *
ryde_query_spool(struct ryde_query_sources *o, const char *file, struct ryde_err *err)
{
	struct spool *s = new_spool(err);

	if (s == NULL || read_all(s, o, file, err) == 0)
		return s != NULL ? &s->base : NULL;
	spool_close(&s->base);
	return NULL;
}

struct ryde_query_source *
ryde_query_spool_rows(struct ryde_query_sources *o, ryde_query_spool_fn *fn, void *arg,
    struct ryde_err *err)
{
	struct spool *s = new_spool(err);
	struct ryde_item item = {.line.kind = RYDE_LINE_PAYLOAD};
	int rc = s != NULL ? open_file(s, err) : -1;

	while (rc == 0 && (rc = fn(arg, &item.payload, err)) == 1) {
		rc = put_row(s, &item, true, err);
		if (o->tick != NULL)
			o->tick(o->arg, NULL);
		if (rc == 0 && ryde_signals_stop() > 0)
			rc = ryde_err_set(err, RYDE_ETEMPFAIL, "interrupted: no answer");
	}
	if (rc == 0)
		rc = flush(s, err);
	if (s == NULL || rc == 0) {
		if (s != NULL)
			s->base.counted = true;
		return s != NULL ? &s->base : NULL;
	}
	spool_close(&s->base);
	return NULL;
}
