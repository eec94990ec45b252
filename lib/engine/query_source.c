#include "engine/query_source.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "engine/query_archive.h"
#include "engine/query_spool.h"
#include "store/catalog.h"
#include "store/name.h"
#include "store/stream.h"
#include "store/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCH_ROWS 1000
#define FETCH_BYTES ((size_t)1 << 20)

const struct ryde_query_extra ryde_query_source_meta[RYDE_QUERY_META] = {
    {"shardId", RYDE_QUERY_EXTRA_TEXT},
    {"sequenceNumber", RYDE_QUERY_EXTRA_TEXT},
    {"partitionKey", RYDE_QUERY_EXTRA_TEXT},
    {"approximateArrivalTimestamp", RYDE_QUERY_EXTRA_TEXT},
};

/* ---- tables ---- */

struct table {
	struct ryde_query_source base;
	struct ryde_table *table;
};

struct table_cursor {
	struct ryde_query_cursor base;
	struct ryde_table_cursor *items;
};

static void
table_free_cursor(struct ryde_query_cursor *base)
{
	struct table_cursor *c = (struct table_cursor *)base;

	ryde_table_cursor_free(c->items);
	free(c);
}

static struct ryde_query_cursor *
table_cursor(struct ryde_query_source *base, const struct ryde_query_filter *filter,
    struct ryde_err *err)
{
	struct table *s = (struct table *)base;
	struct table_cursor *c = calloc(1, sizeof(*c));

	(void)filter;
	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->items = ryde_table_cursor_new(s->table, err);
	if (c->items == NULL) {
		free(c);
		return NULL;
	}
	c->base.ops = base->ops;
	return &c->base;
}

static int
table_next(
    struct ryde_query_cursor *base, struct ryde_query_row *row, struct ryde_err *err)
{
	struct table_cursor *c = (struct table_cursor *)base;

	*row = (struct ryde_query_row){.json = true};
	return ryde_table_cursor_next(c->items, &row->data, err);
}

static void
table_close(struct ryde_query_source *base)
{
	struct table *s = (struct table *)base;

	ryde_table_close(s->table);
	free(s);
}

static const struct ryde_query_source_ops table_ops = {.cursor = table_cursor,
    .next = table_next,
    .free_cursor = table_free_cursor,
    .close = table_close};

static struct ryde_query_source *
open_table(const struct ryde_query_sources *o, const char *name, struct ryde_err *err)
{
	struct table *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->base.ops = &table_ops;
	s->base.counted = true;
	s->table = ryde_table_open(o->store, name, err);
	if (s->table != NULL)
		return &s->base;
	free(s);
	return NULL;
}

static int
next_item(void *cursor, struct ryde_view *item, struct ryde_err *err)
{
	return ryde_table_cursor_next(cursor, item, err);
}

/* A table on AWS: one scan of it, whatever the query does with it then. */
static struct ryde_query_source *
open_remote_table(struct ryde_query_sources *o, const char *name, struct ryde_err *err)
{
	struct ryde_query_source *source = NULL;
	struct ryde_table *t = ryde_table_open(o->store, name, err);
	struct ryde_table_cursor *items =
	    t != NULL ? ryde_table_cursor_new(t, err) : NULL;

	if (items != NULL)
		source = ryde_query_spool_rows(o, next_item, items, err);
	ryde_table_cursor_free(items);
	ryde_table_close(t);
	return source;
}

/* ---- streams ---- */

struct stream {
	struct ryde_query_source base;
	struct ryde_query_sources *o;
	struct ryde_stream *stream;
	bool remote; /* on AWS: a scan ends where it has caught up */
};

/* A shard, and the last record that it had when the cursor was made: it ends there. */
struct shard {
	struct ryde_pos last;
	char id[RYDE_SHARD_ID_MAX + 1];
};

struct stream_cursor {
	struct ryde_query_cursor base;
	struct stream *stream;
	bool follow; /* no shard ends */
	bool remote; /* what a shard's last record is, nobody says */
	struct ryde_stream_reader *reader;
	struct shard *shards;
	size_t n_shards;
	const struct ryde_record *records; /* the reader's */
	size_t n, at;
	const struct ryde_record *row; /* the one given last */
	char text[RYDE_TIMESTAMP_MAX];
};

static void
stream_free_cursor(struct ryde_query_cursor *base)
{
	struct stream_cursor *c = (struct stream_cursor *)base;

	ryde_stream_reader_free(c->reader);
	free(c->shards);
	free(c);
}

/* Starts the shards that are not started yet. */
static int
start_shards(struct stream_cursor *c, struct ryde_err *err)
{
	const struct ryde_stream_start from = {.kind = RYDE_START_HORIZON};
	const struct ryde_shard *found;
	struct shard *shards;
	size_t n, before = c->n_shards;

	if (ryde_stream_shards(c->stream->stream, &found, &n, err) != 0)
		return -1;
	if (n == before && c->shards != NULL)
		return 0;
	shards = realloc(c->shards, (n + 1) * sizeof(*shards));
	if (shards == NULL)
		return ryde_err_nomem(err);
	c->shards = shards;
	c->n_shards = n;
	/* copied first: starting a reader may move what the stream gave */
	for (size_t i = before; i < n; i++) {
		shards[i].last = found[i].last;
		memcpy(shards[i].id, found[i].id, sizeof(shards[i].id));
	}
	for (size_t i = before; i < n; i++)
		if ((c->follow || c->remote || shards[i].last.n > 0) &&
		    ryde_stream_reader_start(
			c->reader, (int)i, &from, NULL, NULL, NULL, err) != 0)
			return -1;
	return 0;
}

static struct ryde_query_cursor *
stream_cursor(struct ryde_query_source *base, const struct ryde_query_filter *filter,
    struct ryde_err *err)
{
	struct stream *s = (struct stream *)base;
	struct stream_cursor *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->base.ops = base->ops;
	c->stream = s;
	/* a look at the columns alone ends */
	c->follow = s->o->follow && filter != NULL;
	c->remote = s->remote;
	c->reader = ryde_stream_reader_new(s->stream, err);
	if (c->reader == NULL || start_shards(c, err) != 0) {
		stream_free_cursor(&c->base);
		return NULL;
	}
	return &c->base;
}

static bool
all_read(struct stream_cursor *c)
{
	int64_t at_ms;

	for (size_t i = 0; i < c->n_shards; i++)
		if ((c->remote || c->shards[i].last.n > 0) &&
		    !ryde_stream_reader_caught_up(c->reader, (int)i, &at_ms) &&
		    !ryde_stream_reader_ended(c->reader, (int)i))
			return false;
	return true;
}

/* Nothing is there now: what is held back is shown, and the stream waited for. */
static int
wait_for_more(struct stream_cursor *c, struct ryde_err *err)
{
	struct ryde_query_sources *o = c->stream->o;
	struct ryde_waits w = {0};

	ryde_waits_begin(&w);
	if (o->idle != NULL && o->idle(o->idle_arg, &w, err) != 0)
		return -1;
	ryde_stream_reader_wait(c->reader, &w);
	if (o->tick != NULL)
		o->tick(o->arg, &w);
	return ryde_waits_poll(&w, err) == 0 && (!c->follow || start_shards(c, err) == 0)
		   ? 0
		   : -1;
}

/* True where the record is one of this scan. */
static bool
is_wanted(struct stream_cursor *c, const struct ryde_record *r)
{
	struct shard *shard;

	/* shards that a reshard adds meanwhile are not part of a scan with an end */
	if ((size_t)r->shard >= c->n_shards)
		return false;
	shard = &c->shards[r->shard];
	if (c->follow || c->remote ||
	    (shard->last.n > 0 && ryde_pos_cmp(&r->seq, &shard->last) <= 0))
		return true;
	if (shard->last.n > 0)
		ryde_stream_reader_stop(c->reader, r->shard);
	shard->last.n = 0;
	return false;
}

static int
stream_next(
    struct ryde_query_cursor *base, struct ryde_query_row *row, struct ryde_err *err)
{
	struct stream_cursor *c = (struct stream_cursor *)base;
	const struct ryde_record *r;

	for (;;) {
		if (c->at < c->n) {
			r = &c->records[c->at++];
			if (is_wanted(c, r))
				break;
			continue;
		}
		/* with --follow a signal is the end of the stream */
		if (c->follow && ryde_signals_stop() > 0)
			return 0;
		if (ryde_stream_reader_fetch(
			c->reader, FETCH_ROWS, FETCH_BYTES, &c->records, &c->n, err) != 0)
			return -1;
		c->at = 0;
		if (c->n > 0)
			continue;
		if (!c->follow && all_read(c))
			return 0;
		if (wait_for_more(c, err) != 0)
			return -1;
	}
	c->row = r;
	*row = (struct ryde_query_row){r->data, r->form != RYDE_RECORD_BINARY};
	return 1;
}

static bool
stream_extra(struct ryde_query_cursor *base, size_t i, struct ryde_view *text)
{
	struct stream_cursor *c = (struct stream_cursor *)base;

	switch ((enum ryde_query_meta)i) {
	case RYDE_QUERY_SHARD:
		*text = ryde_view_of(c->shards[c->row->shard].id);
		break;
	case RYDE_QUERY_SEQUENCE:
		*text = ryde_pos_view(&c->row->seq);
		break;
	case RYDE_QUERY_KEY:
		*text = c->row->key;
		break;
	case RYDE_QUERY_ARRIVAL:
		*text = ryde_view_mem(
		    c->text, ryde_timestamp_rfc3339(c->row->arrival_ms, c->text));
		break;
	case RYDE_QUERY_META:
		return false;
	}
	return true;
}

static void
stream_close(struct ryde_query_source *base)
{
	struct stream *s = (struct stream *)base;

	ryde_stream_close(s->stream);
	free(s);
}

static const struct ryde_query_source_ops stream_ops = {.cursor = stream_cursor,
    .next = stream_next,
    .extra = stream_extra,
    .free_cursor = stream_free_cursor,
    .close = stream_close};

static struct ryde_query_source *
open_stream(
    struct ryde_query_sources *o, const char *name, bool remote, struct ryde_err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->base.ops = &stream_ops;
	s->base.counted = true;
	s->o = o;
	s->remote = remote;
	s->base.live = true;
	s->base.extras = ryde_query_source_meta;
	s->base.n_extras = RYDE_QUERY_META;
	s->stream = ryde_stream_open(o->store, name, RYDE_STREAM_READ, err);
	if (s->stream != NULL)
		return &s->base;
	free(s);
	return NULL;
}

/* ---- names ---- */

static int
say_unknown(const struct ryde_query_sources *o, const char *name, const char *bare,
    struct ryde_err *err)
{
	struct ryde_near near = {.wanted = bare};
	struct ryde_buf b;

	/* a store that cannot be listed has no near names; that is not the fault here */
	(void)ryde_catalog_list(
	    o->store, RYDE_CATALOG_TABLE, ryde_near_offer, &near, NULL);
	(void)ryde_catalog_list(
	    o->store, RYDE_CATALOG_STREAM, ryde_near_offer, &near, NULL);
	ryde_buf_init(&b, 1024);
	ryde_near_put(&near, &b);
	if (access(name, F_OK) == 0)
		ryde_buf_printf(&b, "; the file of that name is \"./%s\"", name);
	(void)ryde_err_set(err, RYDE_ENOINPUT, "there is no table or stream %s%s", name,
	    ryde_buf_str(&b));
	ryde_buf_free(&b);
	return -1;
}

struct ryde_query_source *
ryde_query_source(struct ryde_query_sources *o, const char *name, struct ryde_err *err)
{
	static const char stream[] = "stream:";
	bool as_stream = strncmp(name, stream, sizeof(stream) - 1) == 0;
	const char *text = as_stream ? name + sizeof(stream) - 1 : name;
	struct ryde_store_name found;
	bool is[3] = {false, false, false};

	if (strcmp(name, "-") == 0)
		return ryde_query_spool(o, NULL, err);
	if (strchr(name, '/') != NULL)
		return ryde_query_archive(o, name, err);
	if (ryde_store_resolve(o->store, text, &found, err) != 0) {
		if (err->code == RYDE_EUSAGE)
			err->code = RYDE_ENOINPUT;
		return NULL;
	}
	if (ryde_catalog_find(o->store, text, is, err) != 0)
		return NULL;
	if (is[RYDE_CATALOG_TABLE] && !as_stream)
		return found.kind == RYDE_STORE_AWS ? open_remote_table(o, text, err)
						    : open_table(o, text, err);
	if (is[RYDE_CATALOG_STREAM])
		return open_stream(o, text, found.kind == RYDE_STORE_AWS, err);
	(void)say_unknown(o, name, found.name, err);
	return NULL;
}

void
ryde_query_source_close(struct ryde_query_source *s)
{
	if (s != NULL)
		s->ops->close(s);
}
