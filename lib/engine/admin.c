#include "engine/admin.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/timestamp.h"
#include "flow/window_at.h"
#include "json/string.h"
#include "store/catalog.h"
#include "store/group.h"
#include "store/group_share.h"
#include "store/queue.h"
#include "store/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_AT_MAX ((size_t)4 << 20)

static void
put_text(struct ryde_buf *out, const char *name, const char *text)
{
	ryde_buf_printf(out, "\"%s\":", name);
	ryde_json_string_put(out, ryde_view_of(text));
}

static void
put_pos(struct ryde_buf *out, const char *name, const struct ryde_pos *pos)
{
	if (pos->n == 0)
		ryde_buf_printf(out, ",\"%s\":null", name);
	else
		ryde_buf_printf(out, ",\"%s\":\"%.*s\"", name, (int)pos->n, pos->seq);
}

/* One that may be inside a record, in one word. */
static void
put_place(struct ryde_buf *out, const char *name, const struct ryde_pos *pos)
{
	ryde_buf_printf(out, pos->n == 0 ? ",\"%s\":null" : ",\"%s\":\"", name);
	ryde_pos_put(out, pos);
	if (pos->n > 0)
		ryde_buf_putc(out, '"');
}

static void
put_time(struct ryde_buf *out, const char *name, bool is, int64_t at_ms)
{
	char text[RYDE_TIMESTAMP_MAX];

	if (is)
		(void)ryde_timestamp_rfc3339(at_ms, text);
	ryde_buf_printf(out, is ? ",\"%s\":\"%s\"" : ",\"%s\":null", name, text);
}

/* ---- names ---- */

struct lister {
	struct ryde_buf *out;
	const char *kind, *stream; /* stream: of groups, else NULL */
	bool array;		   /* names only, with commas between */
	size_t n;
};

static void
put_name(void *arg, const char *name)
{
	struct lister *l = arg;

	if (l->array) {
		if (l->n++ > 0)
			ryde_buf_putc(l->out, ',');
		ryde_json_string_put(l->out, ryde_view_of(name));
		return;
	}
	l->n++;
	ryde_buf_printf(l->out, "{\"kind\":\"%s\",", l->kind);
	if (l->stream != NULL) {
		put_text(l->out, "stream", l->stream);
		ryde_buf_putc(l->out, ',');
	}
	put_text(l->out, "name", name);
	ryde_buf_puts(l->out, "}\n");
}

int
ryde_admin_list(const struct ryde_store_settings *s, const char *what,
    struct ryde_buf *out, struct ryde_err *err)
{
	enum ryde_catalog_kind kind = RYDE_CATALOG_STREAM;
	struct lister l = {.out = out, .kind = "stream"};

	if (strcmp(what, "tables") == 0) {
		kind = RYDE_CATALOG_TABLE;
		l.kind = "table";
	} else if (strcmp(what, "queues") == 0) {
		kind = RYDE_CATALOG_QUEUE;
		l.kind = "queue";
	}
	return ryde_catalog_list(s, kind, put_name, &l, err);
}

/* Names of streams, each with its NUL, one behind the other. */
static void
gather_name(void *arg, const char *name)
{
	ryde_buf_add(arg, name, strlen(name) + 1);
}

int
ryde_admin_list_groups(
    const struct ryde_store_settings *s, struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_stream *stream = NULL;
	struct ryde_buf names;
	int rc = -1;

	ryde_buf_init(&names, (size_t)64 << 20);
	if (ryde_catalog_list(s, RYDE_CATALOG_STREAM, gather_name, &names, err) != 0 ||
	    ryde_buf_check(&names, err) != 0)
		goto out;
	for (size_t at = 0; at < names.n; at += strlen(names.p + at) + 1) {
		struct lister l = {.out = out, .kind = "group", .stream = names.p + at};

		stream = ryde_stream_open(s, names.p + at, RYDE_STREAM_READ, err);
		if (stream == NULL || ryde_group_list(stream, put_name, &l, err) != 0)
			goto out;
		ryde_stream_close(stream);
		stream = NULL;
	}
	rc = 0;
out:
	ryde_stream_close(stream);
	ryde_buf_free(&names);
	return rc;
}

/* ---- descriptions ---- */

static void
put_shard(const struct ryde_shard *all, const struct ryde_shard *s, struct ryde_buf *out)
{
	ryde_buf_putc(out, '{');
	put_text(out, "shardId", s->id);
	ryde_buf_printf(out, ",\"open\":%s", s->open ? "true" : "false");
	if (s->parent >= 0)
		ryde_buf_printf(out, ",\"parent\":\"%s\"", all[s->parent].id);
	if (s->parent2 >= 0)
		ryde_buf_printf(out, ",\"parent2\":\"%s\"", all[s->parent2].id);
	ryde_buf_printf(out, ",\"firstHashKey\":\"%s\",\"lastHashKey\":\"%s\"",
	    s->first_hash, s->last_hash);
	put_pos(out, "lastSequenceNumber", &s->last);
	ryde_buf_putc(out, '}');
}

static int
describe_stream(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_stream *stream = ryde_stream_open(s, name, RYDE_STREAM_READ, err);
	struct lister groups = {.out = out, .array = true};
	const struct ryde_shard *shards;
	size_t n;
	int rc = -1;

	if (stream == NULL || ryde_stream_shards(stream, &shards, &n, err) != 0)
		goto out;
	ryde_buf_puts(out, "{\"kind\":\"stream\",");
	put_text(out, "name", name);
	ryde_buf_putc(out, ',');
	put_text(out, "label", ryde_stream_label(stream));
	if (ryde_stream_retention_ms(stream) > 0)
		ryde_buf_printf(out, ",\"retentionMs\":%lld",
		    (long long)ryde_stream_retention_ms(stream));
	else
		ryde_buf_puts(out, ",\"retentionMs\":null");
	ryde_buf_printf(
	    out, ",\"recordMaxBytes\":%zu,\"shards\":[", ryde_stream_record_max(stream));
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(out, ',');
		put_shard(shards, &shards[i], out);
	}
	ryde_buf_puts(out, "],\"groups\":[");
	rc = ryde_group_list(stream, put_name, &groups, err);
	ryde_buf_puts(out, "]}\n");
out:
	ryde_stream_close(stream);
	return rc;
}

static int
describe_table(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_table *table = ryde_table_open(s, name, err);
	int64_t n;
	int rc = -1;

	if (table == NULL || ryde_table_count(table, &n, err) != 0)
		goto out;
	ryde_buf_puts(out, "{\"kind\":\"table\",");
	put_text(out, "name", name);
	ryde_buf_putc(out, ',');
	put_text(out, "key", ryde_table_key(table));
	ryde_buf_puts(out, ",\"sort\":");
	if (ryde_table_sort(table) != NULL)
		ryde_json_string_put(out, ryde_view_of(ryde_table_sort(table)));
	else
		ryde_buf_puts(out, "null");
	ryde_buf_printf(out, ",\"items\":%lld}\n", (long long)n);
	rc = 0;
out:
	ryde_table_close(table);
	return rc;
}

static int
describe_queue(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_queue *queue = ryde_queue_open(s, name, false, err);
	int64_t visible, hidden;
	int rc = -1;

	if (queue == NULL || ryde_queue_count(queue, &visible, &hidden, err) != 0)
		goto out;
	ryde_buf_puts(out, "{\"kind\":\"queue\",");
	put_text(out, "name", name);
	ryde_buf_putc(out, ',');
	put_text(out, "label", ryde_queue_label(queue));
	ryde_buf_printf(out, ",\"visible\":%lld,\"hidden\":%lld}\n", (long long)visible,
	    (long long)hidden);
	rc = 0;
out:
	ryde_queue_close(queue);
	return rc;
}

static int
say_unknown(const struct ryde_store_settings *s, const char *name, struct ryde_err *err)
{
	struct ryde_near near = {.wanted = name};
	struct ryde_buf b;
	int rc;

	/* a store that cannot be listed has no near names; that is not the fault here */
	for (int kind = RYDE_CATALOG_STREAM; kind <= RYDE_CATALOG_QUEUE; kind++)
		(void)ryde_catalog_list(
		    s, (enum ryde_catalog_kind)kind, ryde_near_offer, &near, NULL);
	ryde_buf_init(&b, 1024);
	ryde_near_put(&near, &b);
	rc = ryde_err_set(err, RYDE_ENOINPUT, "there is no stream, table or queue %s%s",
	    name, ryde_buf_str(&b));
	ryde_buf_free(&b);
	return rc;
}

int
ryde_admin_describe(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *out, struct ryde_err *err)
{
	bool is[3];

	if (ryde_catalog_find(s, name, is, err) != 0)
		return -1;
	if (!is[RYDE_CATALOG_STREAM] && !is[RYDE_CATALOG_TABLE] &&
	    !is[RYDE_CATALOG_QUEUE])
		return say_unknown(s, name, err);
	if (is[RYDE_CATALOG_STREAM] && describe_stream(s, name, out, err) != 0)
		return -1;
	if (is[RYDE_CATALOG_TABLE] && describe_table(s, name, out, err) != 0)
		return -1;
	if (is[RYDE_CATALOG_QUEUE] && describe_queue(s, name, out, err) != 0)
		return -1;
	return 0;
}

/* ---- consumers ---- */

struct consumers {
	struct ryde_buf *out;
	const char *stream;
};

/* status NULL: it is registered, and can be used. */
static void
put_consumer(void *arg, const char *name, const char *status, const char *arn)
{
	struct consumers *c = arg;

	ryde_buf_puts(c->out, "{\"kind\":\"consumer\",");
	put_text(c->out, "stream", c->stream);
	ryde_buf_putc(c->out, ',');
	put_text(c->out, "name", name);
	if (status != NULL) {
		ryde_buf_putc(c->out, ',');
		put_text(c->out, "status", status);
	}
	ryde_buf_putc(c->out, ',');
	put_text(c->out, "arn", arn);
	ryde_buf_puts(c->out, "}\n");
}

int
ryde_admin_fan_out(const struct ryde_store_settings *s, const char *stream,
    const char *consumer, struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_stream *st = ryde_stream_open(s, stream, RYDE_STREAM_READ, err);
	struct consumers c = {.out = out, .stream = stream};
	const char *arn;
	int rc = st == NULL ? -1 : ryde_stream_fan_out(st, consumer, &arn, err);

	if (rc == 0)
		put_consumer(&c, consumer, NULL, arn);
	ryde_stream_close(st);
	return rc;
}

int
ryde_admin_delete_consumer(const struct ryde_store_settings *s, const char *stream,
    const char *consumer, struct ryde_err *err)
{
	struct ryde_stream *st = ryde_stream_open(s, stream, RYDE_STREAM_READ, err);
	int rc = st == NULL ? -1 : ryde_stream_consumer_delete(st, consumer, err);

	ryde_stream_close(st);
	return rc;
}

int
ryde_admin_list_consumers(const struct ryde_store_settings *s, const char *stream,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_stream *st = ryde_stream_open(s, stream, RYDE_STREAM_READ, err);
	struct consumers c = {.out = out, .stream = stream};
	int rc = st == NULL ? -1 : ryde_stream_consumers(st, put_consumer, &c, err);

	ryde_stream_close(st);
	return rc;
}

/* ---- positions ---- */

/* A group and all that says where it stands. */
struct standing {
	struct ryde_stream *stream;
	struct ryde_stream_reader *reader;
	struct ryde_group *group;
	struct ryde_shard *shards; /* a copy: starting one may read the list anew */
	size_t n_shards;
	const struct ryde_group_position *positions;
	size_t n_positions;
	struct ryde_window_at window;
	bool has_window;
	char owner[64];
	const struct ryde_share_member *members; /* of a shared group */
	const struct ryde_share_lease *leases;
	size_t n_members, n_leases;
};

struct finder {
	const char *name;
	bool found;
};

static void
find_name(void *arg, const char *name)
{
	struct finder *f = arg;

	f->found = f->found || strcmp(f->name, name) == 0;
}

static void
standing_free(struct standing *st)
{
	if (st->has_window)
		ryde_window_at_free(&st->window);
	ryde_group_close(st->group);
	ryde_stream_reader_free(st->reader);
	ryde_stream_close(st->stream);
	free(st->shards);
}

/* make: a missing group is made. Free st afterwards in any case. */
static int
standing_open(struct standing *st, const struct ryde_store_settings *s,
    const char *stream, const char *group, bool make, struct ryde_err *err)
{
	struct finder f = {group, make};
	const struct ryde_shard *shards;
	size_t n;

	*st = (struct standing){0};
	st->stream = ryde_stream_open(s, stream, RYDE_STREAM_READ, err);
	if (st->stream == NULL)
		return -1;
	if (!make && ryde_group_list(st->stream, find_name, &f, err) != 0)
		return -1;
	if (!f.found)
		return ryde_err_set(err, RYDE_ENOINPUT, "%s has no group %s",
		    ryde_stream_label(st->stream), group);
	st->group = ryde_group_open(st->stream, group, err);
	if (st->group == NULL)
		return -1;
	st->reader = ryde_stream_reader_new(st->stream, err);
	if (st->reader == NULL)
		return -1;
	if (ryde_stream_shards(st->stream, &shards, &n, err) != 0)
		return -1;
	st->shards = calloc(n + 1, sizeof(*shards));
	if (st->shards == NULL)
		return ryde_err_nomem(err);
	memcpy(st->shards, shards, n * sizeof(*shards));
	st->n_shards = n;
	return 0;
}

static int
load_window(struct standing *st, struct ryde_err *err)
{
	struct ryde_buf at, fingerprint;
	int rc = -1;

	ryde_buf_init(&at, WINDOW_AT_MAX);
	ryde_buf_init(&fingerprint, WINDOW_AT_MAX);
	if (ryde_group_load_window(st->group, &at, &fingerprint, err) != 0)
		goto out;
	if (at.n > 0) {
		if (ryde_window_at_parse(&st->window, ryde_buf_as_view(&at), err) != 0)
			goto out;
		st->has_window = true;
	}
	rc = 0;
out:
	ryde_buf_free(&at);
	ryde_buf_free(&fingerprint);
	return rc;
}

static const struct ryde_group_position *
find_position(const struct standing *st, const char *shard)
{
	for (size_t i = 0; i < st->n_positions; i++)
		if (strcmp(st->positions[i].shard, shard) == 0)
			return &st->positions[i];
	return NULL;
}

/* How far the group is behind in shard i, counted from what was acknowledged or `seen`.
 */
static int
find_lag(struct standing *st, int i, const struct ryde_pos *done, int64_t at_ms,
    int64_t *lag_ms, int64_t *records, struct ryde_err *err)
{
	struct ryde_stream_start start = {.kind = RYDE_START_HORIZON};
	char gap_text[256];
	bool gap;

	if (done->n > 0) {
		start.kind = RYDE_START_AFTER;
		start.pos = *done;
	} else if (at_ms > 0) {
		start.kind = RYDE_START_TIME;
		start.at_ms = at_ms;
	}
	if (ryde_stream_reader_start(st->reader, i, &start, NULL, &gap, gap_text, err) !=
	    0)
		return -1;
	return ryde_stream_reader_lag(st->reader, i, lag_ms, records, err);
}

/* Who reads the shard: whoever holds the group, or the member that holds the shard;
 * empty: nobody. */
static const char *
owner_of(const struct standing *st, const char *shard)
{
	const char *member = "";
	bool shared = false;

	for (size_t i = 0; i < st->n_leases; i++)
		if (strcmp(st->leases[i].shard, shard) == 0)
			member = st->leases[i].owner;
	for (size_t i = 0; i < st->n_members; i++) {
		shared = shared || !st->members[i].gone;
		if (!st->members[i].gone && strcmp(st->members[i].id, member) == 0)
			return st->members[i].owner;
	}
	return shared ? "" : st->owner;
}

static int
put_position(struct standing *st, int i, struct ryde_buf *out, int64_t *worst_ms,
    struct ryde_err *err)
{
	const struct ryde_shard *shard = &st->shards[i];
	const struct ryde_group_position *p = find_position(st, shard->id);
	const struct ryde_window_at_shard *w = NULL;
	const struct ryde_pos none = {0};
	const struct ryde_pos *done = p != NULL ? &p->pos : &none;
	int64_t lag_ms, records;

	if (st->has_window)
		w = ryde_window_at_find(&st->window, ryde_view_of(shard->id));
	if (w != NULL && ryde_pos_cmp(&w->seen, done) > 0)
		done = &w->seen;
	if (find_lag(st, i, done, p != NULL ? p->at_ms : 0, &lag_ms, &records, err) != 0)
		return -1;
	if (lag_ms > *worst_ms)
		*worst_ms = lag_ms;
	ryde_buf_putc(out, '{');
	put_text(out, "shardId", shard->id);
	put_pos(out, "sequenceNumber", p != NULL ? &p->pos : &none);
	if (p != NULL && p->pos.lines > 0)
		ryde_buf_printf(out, ",\"sub\":%lu", (unsigned long)p->pos.lines - 1);
	if (records >= 0)
		ryde_buf_printf(out, ",\"lagRecords\":%lld", (long long)records);
	else
		ryde_buf_puts(out, ",\"lagRecords\":null");
	ryde_buf_printf(out, ",\"lagMs\":%lld", (long long)lag_ms);
	put_time(out, "updated", p != NULL, p != NULL ? p->updated_ms : 0);
	ryde_buf_puts(out, ",\"owner\":");
	if (owner_of(st, shard->id)[0] != '\0')
		ryde_json_string_put(out, ryde_view_of(owner_of(st, shard->id)));
	else
		ryde_buf_puts(out, "null");
	if (st->has_window) {
		put_place(out, "from", w != NULL ? &w->from : &none);
		put_place(out, "seen", w != NULL ? &w->seen : &none);
		put_time(out, "closed", st->window.has_closed, st->window.closed_ms);
	}
	ryde_buf_puts(out, "}\n");
	return 0;
}

int
ryde_admin_positions(const struct ryde_store_settings *s, const char *stream,
    const char *group, struct ryde_buf *out, int64_t *lag_ms, struct ryde_err *err)
{
	struct standing st;
	int rc = -1;

	*lag_ms = 0;
	if (standing_open(&st, s, stream, group, false, err) != 0 ||
	    ryde_group_load(st.group, &st.positions, &st.n_positions, err) != 0 ||
	    load_window(&st, err) != 0 ||
	    ryde_group_owner(st.group, st.owner, err) != 0 ||
	    ryde_group_share_look(
		st.group, &st.members, &st.n_members, &st.leases, &st.n_leases, err) != 0)
		goto out;
	for (size_t i = 0; i < st.n_shards; i++)
		if (put_position(&st, (int)i, out, lag_ms, err) != 0)
			goto out;
	rc = 0;
out:
	standing_free(&st);
	return rc;
}

/* What a change of a group's positions came to. */
static int
changed(struct standing *st, enum ryde_group_lease lease, const char *group,
    struct ryde_err *err)
{
	char owner[64] = "";

	switch (lease) {
	case RYDE_GROUP_HELD:
		return 0;
	case RYDE_GROUP_BUSY:
	case RYDE_GROUP_LOST:
		(void)ryde_group_owner(st->group, owner, NULL);
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "group %s has a living reader (%s): stop it first", group, owner);
	case RYDE_GROUP_FAILED:
		break;
	}
	return -1;
}

int
ryde_admin_reset(const struct ryde_store_settings *s, const char *stream,
    const char *group, const struct ryde_stream_start *start, struct ryde_err *err)
{
	struct ryde_group_position *p = NULL;
	struct ryde_view none = {NULL, 0};
	char gap_text[256];
	struct standing st;
	int rc = -1;
	bool gap;

	if (standing_open(&st, s, stream, group, true, err) != 0)
		goto out;
	p = calloc(st.n_shards, sizeof(*p));
	if (p == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < st.n_shards; i++) {
		memcpy(p[i].shard, st.shards[i].id, sizeof(p[i].shard));
		if (start->kind == RYDE_START_TIME)
			p[i].at_ms = start->at_ms;
		else if (start->kind == RYDE_START_LATEST)
			p[i].at_ms = ryde_stream_now_ms(st.stream);
		if (start->kind != RYDE_START_HORIZON &&
		    ryde_stream_reader_start(
			st.reader, (int)i, start, &p[i].pos, &gap, gap_text, err) != 0)
			goto out;
	}
	/* the window's first: its positions stand above the shards', which would have no
	 * effect */
	if (changed(&st, ryde_group_delete(st.group, true, err), group, err) != 0)
		goto out;
	rc = changed(&st,
	    ryde_group_store(st.group, p, st.n_shards, none, none, false, err), group,
	    err);
out:
	free(p);
	standing_free(&st);
	return rc;
}

int
ryde_admin_forget(const struct ryde_store_settings *s, const char *stream,
    const char *group, struct ryde_err *err)
{
	struct standing st;
	int rc = -1;

	if (standing_open(&st, s, stream, group, false, err) == 0)
		rc = changed(&st, ryde_group_delete(st.group, false, err), group, err);
	standing_free(&st);
	return rc;
}
