#include "local/stream.h"

#include "base/clock.h"
#include "base/err.h"
#include "local/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX \
	(((size_t)10 << 20) + 2048) /* a line of 10 MiB, its newline, its key */

const struct ryde_db_kind ryde_stream_local_kind = {
    .folder = "streams",
    .noun = "stream",
    .application_id = 0x72796473, /* "ryds" */
    .version = 1,
    .page_bytes = 4096,
    .full_sync = true,
    .schema =
	"CREATE TABLE meta(created_ms INTEGER,retention_ms INTEGER,trimmed_id INTEGER,"
	"trimmed_arrival INTEGER,shards_version INTEGER,deleted INTEGER);"
	"CREATE TABLE shards(ix INTEGER PRIMARY KEY,id TEXT,parent INTEGER,parent2 "
	"INTEGER,"
	"first_hash TEXT,last_hash TEXT,closed_at INTEGER,trimmed_id INTEGER,"
	"last_id INTEGER);"
	"CREATE TABLE records(id INTEGER PRIMARY KEY,shard INTEGER,arrival INTEGER,"
	"form INTEGER,key TEXT,data BLOB)",
};

/* ---- making ---- */

struct shape {
	int shards;
	int64_t retention_ms;
};

static int
fill(struct ryde_db *db, void *arg, struct ryde_err *err)
{
	const struct shape *shape = arg;
	sqlite3_stmt *meta = NULL, *shard = NULL;
	int rc = -1;

	if (ryde_db_prepare(db, &meta, "INSERT INTO meta VALUES(?,?,0,0,1,0)", err) !=
		0 ||
	    ryde_db_prepare(
		db, &shard, "INSERT INTO shards VALUES(?,?,-1,-1,?,?,0,0,0)", err) != 0)
		goto out;
	(void)sqlite3_bind_int64(meta, 1, ryde_clock_data_ms());
	(void)sqlite3_bind_int64(meta, 2, shape->retention_ms);
	if (ryde_db_step(db, meta, err) < 0)
		goto out;
	for (int i = 0; i < shape->shards; i++) {
		unsigned u = (unsigned)i, n = (unsigned)shape->shards;
		char id[32], first[40], last[40];

		(void)snprintf(id, sizeof(id), "shardId-%012d", i);
		ryde_hash_print(ryde_hash_split(u, n), first);
		ryde_hash_print(ryde_hash_split(u + 1, n) - 1, last);
		(void)sqlite3_bind_int(shard, 1, i);
		(void)sqlite3_bind_text(shard, 2, id, -1, SQLITE_TRANSIENT);
		(void)sqlite3_bind_text(shard, 3, first, -1, SQLITE_TRANSIENT);
		(void)sqlite3_bind_text(shard, 4, last, -1, SQLITE_TRANSIENT);
		if (ryde_db_step(db, shard, err) < 0)
			goto out;
	}
	rc = 0;
out:
	(void)sqlite3_finalize(meta);
	(void)sqlite3_finalize(shard);
	return rc;
}

static int
same_shape(
    const char *dir, const char *name, const struct shape *shape, struct ryde_err *err)
{
	struct ryde_stream *base = ryde_stream_local_open(dir, name, false, err);
	struct ryde_local_stream *s = ryde_stream_local(base);
	int open = 0, rc = 0;

	if (base == NULL)
		return -1;
	for (size_t i = 0; i < s->n; i++)
		open += s->shards[i].open;
	if (open != shape->shards || s->retention_ms != shape->retention_ms)
		rc = ryde_err_set(err, RYDE_ECANTCREAT,
		    "stream %s exists already, with %d shard%s and %s%lld ms%s", name,
		    open, open == 1 ? "" : "s",
		    s->retention_ms == 0 ? "no retention (" : "retention ",
		    (long long)s->retention_ms, s->retention_ms == 0 ? ")" : "");
	base->ops->close(base);
	return rc;
}

int
ryde_stream_local_create(const char *dir, const char *name, int shards,
    int64_t retention_ms, struct ryde_err *err)
{
	struct shape shape = {shards, retention_ms};
	bool made;

	if (shards < 1 || shards > RYDE_LOCAL_SHARDS_MAX)
		return ryde_err_set(err, RYDE_EUSAGE, "a stream has 1 to %d shards",
		    RYDE_LOCAL_SHARDS_MAX);
	if (ryde_db_create(
		&ryde_stream_local_kind, dir, name, fill, &shape, &made, err) != 0)
		return -1;
	return made ? 0 : same_shape(dir, name, &shape, err);
}

static char *
wake_path(const char *db_path)
{
	size_t n = strlen(db_path) - 3; /* without ".db" */
	char *path = malloc(n + 6);

	if (path != NULL) {
		memcpy(path, db_path, n);
		memcpy(path + n, ".wake", 6);
	}
	return path;
}

int
ryde_stream_local_delete(const char *dir, const char *name, struct ryde_err *err)
{
	char path[4096];
	int n;

	/* groups first: positions without their stream would be taken for those of the
	 * next stream of that name */
	if (ryde_db_exists(&ryde_stream_local_kind, dir, name) &&
	    ryde_group_local_delete_all(dir, name, err) != 0)
		return -1;
	if (ryde_db_delete(&ryde_stream_local_kind, dir, name, err) != 0)
		return -1;
	n = snprintf(path, sizeof(path), "%s/streams/%s.wake", dir, name);
	if (n > 0 && (size_t)n < sizeof(path))
		(void)unlink(path);
	return 0;
}

/* ---- opening ---- */

int
ryde_stream_local_meta(
    struct ryde_local_stream *s, struct ryde_local_meta *m, struct ryde_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&s->db, &s->st.meta,
		"SELECT deleted,created_ms,retention_ms,trimmed_id,trimmed_arrival,"
		"shards_version FROM meta",
		err) != 0)
		return -1;
	st = s->st.meta;
	rc = ryde_db_step(&s->db, st, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: its table meta is empty; it was left alone",
		    s->db.path);
	*m = (struct ryde_local_meta){
	    .deleted = sqlite3_column_int(st, 0) != 0,
	    .created_ms = sqlite3_column_int64(st, 1),
	    .retention_ms = sqlite3_column_int64(st, 2),
	    .trimmed_id = sqlite3_column_int64(st, 3),
	    .trimmed_arrival = sqlite3_column_int64(st, 4),
	    .shards_version = sqlite3_column_int64(st, 5),
	};
	(void)sqlite3_reset(st);
	return m->deleted ? ryde_db_deleted(&s->db, err) : 0;
}

int
ryde_stream_local_last(struct ryde_local_stream *s, const struct ryde_local_meta *m,
    int64_t *id, int64_t *arrival_ms, struct ryde_err *err)
{
	int rc;

	if (ryde_db_prepare(&s->db, &s->st.last,
		"SELECT id,arrival FROM records ORDER BY id DESC LIMIT 1", err) != 0)
		return -1;
	rc = ryde_db_step(&s->db, s->st.last, err);
	if (rc < 0)
		return -1;
	*id = m->trimmed_id;
	*arrival_ms = m->trimmed_arrival;
	if (rc == 1) {
		*id = sqlite3_column_int64(s->st.last, 0);
		*arrival_ms = sqlite3_column_int64(s->st.last, 1);
		(void)sqlite3_reset(s->st.last);
	}
	return 0;
}

static int
grow(struct ryde_local_stream *s, size_t n, struct ryde_err *err)
{
	struct ryde_shard *a;
	struct ryde_local_shard *b;

	a = realloc(s->shards, n * sizeof(*a));
	if (a == NULL)
		return ryde_err_nomem(err);
	s->shards = a;
	b = realloc(s->more, n * sizeof(*b));
	if (b == NULL)
		return ryde_err_nomem(err);
	s->more = b;
	return 0;
}

static struct ryde_view
column(sqlite3_stmt *st, int i)
{
	/* the pointer first: asking for it may convert, and change the length */
	const char *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);

	return ryde_view_mem(p, p == NULL ? 0 : (size_t)n);
}

static bool
copy_text(char *to, size_t room, struct ryde_view v)
{
	if (v.n >= room)
		return false;
	if (v.n > 0)
		memcpy(to, v.p, v.n);
	to[v.n] = '\0';
	return true;
}

/* A child gets no record before its parents are closed. */
static int64_t
born_after(const struct ryde_local_stream *s, size_t ix)
{
	const struct ryde_shard *a = &s->shards[ix];
	int64_t after = 0;

	if (a->parent >= 0 && s->more[a->parent].closed_at - 1 > after)
		after = s->more[a->parent].closed_at - 1;
	if (a->parent2 >= 0 && s->more[a->parent2].closed_at - 1 > after)
		after = s->more[a->parent2].closed_at - 1;
	return after;
}

/* One row of shards into place ix. */
static bool
take_shard(struct ryde_local_stream *s, size_t ix, sqlite3_stmt *st)
{
	struct ryde_shard *a = &s->shards[ix];
	struct ryde_local_shard *b = &s->more[ix];
	struct ryde_view first = column(st, 4), last = column(st, 5);

	*a = (struct ryde_shard){
	    .parent = sqlite3_column_int(st, 2),
	    .parent2 = sqlite3_column_int(st, 3),
	};
	*b = (struct ryde_local_shard){
	    .closed_at = sqlite3_column_int64(st, 6),
	    .trimmed_id = sqlite3_column_int64(st, 7),
	    .last_id = sqlite3_column_int64(st, 8),
	};
	a->open = b->closed_at == 0;
	return sqlite3_column_int64(st, 0) == (int64_t)ix && a->parent < (int)ix &&
	       a->parent2 < (int)ix && copy_text(a->id, sizeof(a->id), column(st, 1)) &&
	       copy_text(a->first_hash, sizeof(a->first_hash), first) &&
	       copy_text(a->last_hash, sizeof(a->last_hash), last) &&
	       ryde_hash_parse(first, &b->first) && ryde_hash_parse(last, &b->last);
}

int
ryde_stream_local_load(struct ryde_local_stream *s, struct ryde_err *err)
{
	size_t n = 0;
	int rc, open = 0;

	if (ryde_db_prepare(&s->db, &s->st.shards,
		"SELECT ix,id,parent,parent2,first_hash,last_hash,closed_at,trimmed_id,"
		"last_id FROM shards ORDER BY ix",
		err) != 0)
		return -1;
	s->only_shard = -1;
	while ((rc = ryde_db_step(&s->db, s->st.shards, err)) == 1) {
		if ((n & (n - 1)) == 0 && grow(s, n == 0 ? 1 : 2 * n, err) != 0) {
			(void)sqlite3_reset(s->st.shards);
			return -1;
		}
		if (n >= (size_t)RYDE_LOCAL_SHARDS_MAX * 10 ||
		    !take_shard(s, n, s->st.shards)) {
			(void)sqlite3_reset(s->st.shards);
			return ryde_err_set(err, RYDE_EIO,
			    "%s is damaged: its shards make no sense; it was left alone",
			    s->db.path);
		}
		s->more[n].born_after = born_after(s, n);
		if (s->shards[n].open) {
			open++;
			s->only_shard = (int)n;
		}
		n++;
	}
	if (rc < 0)
		return -1;
	s->n = n;
	if (open != 1)
		s->only_shard = -1;
	if (n == 0)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: it has no shards; it was left alone", s->db.path);
	return 0;
}

static void
close_stream(struct ryde_stream *base)
{
	struct ryde_local_stream *s = ryde_stream_local(base);

	ryde_db_close(&s->db);
	if (s->wake_fd >= 0)
		(void)close(s->wake_fd);
	ryde_hash_free(s->hash);
	free(s->shards);
	free(s->more);
	free(s->dir);
	free(s->name);
	free(s->label);
	free(s->wake_path);
	free(s);
}

static const char *
label(const struct ryde_stream *base)
{
	return ((const struct ryde_local_stream *)base)->label;
}

static size_t
record_max(const struct ryde_stream *base)
{
	(void)base;
	return RECORD_MAX;
}

static int64_t
retention_ms(const struct ryde_stream *base)
{
	return ((const struct ryde_local_stream *)base)->retention_ms;
}

static int
shards(struct ryde_stream *base, const struct ryde_shard **out, size_t *n,
    struct ryde_err *err)
{
	struct ryde_local_stream *s = ryde_stream_local(base);
	struct ryde_local_meta m;
	int64_t id, arrival_ms;
	int rc = -1;

	if (ryde_db_begin_read(&s->db, err) != 0)
		return -1;
	if (ryde_stream_local_meta(s, &m, err) != 0 ||
	    ryde_stream_local_load(s, err) != 0 ||
	    ryde_stream_local_last(s, &m, &id, &arrival_ms, err) != 0)
		goto out;
	s->shards_version = m.shards_version;
	/* a stream that has only ever had one shard does not note its last record */
	if (s->n == 1)
		s->more[0].last_id = id;
	for (size_t i = 0; i < s->n; i++) {
		s->shards[i].gone =
		    !s->shards[i].open && s->more[i].last_id <= m.trimmed_id;
		if (s->more[i].last_id != 0)
			ryde_seq_format(
			    &s->seq, s->more[i].last_id, (int)i, &s->shards[i].last);
	}
	*out = s->shards;
	*n = s->n;
	rc = 0;
out:
	ryde_db_rollback(&s->db);
	return rc;
}

static struct ryde_group *
open_group(struct ryde_stream *base, const char *name, struct ryde_err *err)
{
	const struct ryde_local_stream *s = ryde_stream_local(base);

	return ryde_group_local_open(s->dir, s->name, name, err);
}

static int
list_groups(struct ryde_stream *base, void (*fn)(void *arg, const char *name), void *arg,
    struct ryde_err *err)
{
	const struct ryde_local_stream *s = ryde_stream_local(base);

	return ryde_group_local_list(s->dir, s->name, fn, arg, err);
}

static const struct ryde_stream_ops ops = {
    .close = close_stream,
    .label = label,
    .record_max = record_max,
    .retention_ms = retention_ms,
    .shards = shards,
    .write = ryde_stream_write_local,
    .shard_of = ryde_stream_write_shard_of,
    .reader = ryde_stream_read_new,
    .group = open_group,
    .groups = list_groups,
};

static int
open_db(struct ryde_local_stream *s, bool create, struct ryde_err *err)
{
	struct shape one = {1, 0};
	struct ryde_err first = RYDE_ERR_INIT;

	if (ryde_db_open(
		&s->db, &ryde_stream_local_kind, s->dir, s->name, create, &first) == 0)
		return 0;
	if (first.code == RYDE_ENOINPUT && create) {
		if (ryde_db_create(&ryde_stream_local_kind, s->dir, s->name, fill, &one,
			NULL, err) != 0)
			return -1;
		return ryde_db_open(
		    &s->db, &ryde_stream_local_kind, s->dir, s->name, true, err);
	}
	if (err != NULL)
		*err = first;
	return -1;
}

static int
open_names(
    struct ryde_local_stream *s, const char *dir, const char *name, struct ryde_err *err)
{
	size_t n = strlen(name);

	s->dir = strdup(dir);
	s->name = strdup(name);
	s->label = malloc(n + 7);
	if (s->dir == NULL || s->name == NULL || s->label == NULL)
		return ryde_err_nomem(err);
	memcpy(s->label, "local:", 6);
	memcpy(s->label + 6, name, n + 1);
	return 0;
}

struct ryde_stream *
ryde_stream_local_open(
    const char *dir, const char *name, bool create, struct ryde_err *err)
{
	struct ryde_local_stream *s = calloc(1, sizeof(*s));
	struct ryde_local_meta m;

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->base.ops = &ops;
	s->wake_fd = -1;
	if (open_names(s, dir, name, err) != 0 || open_db(s, create, err) != 0)
		goto failed;
	s->wake_path = wake_path(s->db.path);
	if (s->wake_path == NULL) {
		(void)ryde_err_nomem(err);
		goto failed;
	}
	if (ryde_stream_local_meta(s, &m, err) != 0 ||
	    ryde_stream_local_load(s, err) != 0)
		goto failed;
	s->shards_version = m.shards_version;
	s->retention_ms = m.retention_ms;
	ryde_seq_init(&s->seq, m.created_ms / 1000);
	return &s->base;
failed:
	close_stream(&s->base);
	return NULL;
}
