/*
 * Splitting and merging shards of the embedded store. One change is one transaction: the
 * parents are closed at the next record's id and their children, which get it, appear at
 * once; writers see the new list in the transaction of their next write, readers with
 * their next fetch.
 */
#include "base/err.h"
#include "local/stream.h"

#include <stdio.h>
#include <string.h>

/* The change that is being made, and the id of the stream's next record. */
struct change {
	struct ryde_local_stream *s;
	int64_t next_id;
	size_t open;
};

static int
close_shard(struct change *c, int ix, struct ryde_err *err)
{
	struct ryde_local_stream *s = c->s;
	sqlite3_stmt *st;

	if (ryde_db_prepare(&s->db, &s->st.close_shard,
		"UPDATE shards SET closed_at=?2,last_id=?3 WHERE ix=?1", err) != 0)
		return -1;
	st = s->st.close_shard;
	/* a stream that has only ever had one shard does not note its last record */
	if (s->n == 1)
		s->more[0].last_id = c->next_id - 1;
	(void)sqlite3_bind_int(st, 1, ix);
	(void)sqlite3_bind_int64(st, 2, c->next_id);
	(void)sqlite3_bind_int64(st, 3, s->more[ix].last_id);
	return ryde_db_step(&s->db, st, err);
}

static int
add_shard(struct change *c, size_t ix, int parent, int parent2, ryde_hash_value first,
    ryde_hash_value last, struct ryde_err *err)
{
	struct ryde_local_stream *s = c->s;
	char id[32], first_text[40], last_text[40];
	sqlite3_stmt *st;

	if (ryde_db_prepare(&s->db, &s->st.add_shard,
		"INSERT INTO shards VALUES(?,?,?,?,?,?,0,0,0)", err) != 0)
		return -1;
	st = s->st.add_shard;
	(void)snprintf(id, sizeof(id), "shardId-%012zu", ix);
	ryde_hash_print(first, first_text);
	ryde_hash_print(last, last_text);
	(void)sqlite3_bind_int64(st, 1, (int64_t)ix);
	(void)sqlite3_bind_text(st, 2, id, -1, SQLITE_TRANSIENT);
	(void)sqlite3_bind_int(st, 3, parent);
	(void)sqlite3_bind_int(st, 4, parent2);
	(void)sqlite3_bind_text(st, 5, first_text, -1, SQLITE_TRANSIENT);
	(void)sqlite3_bind_text(st, 6, last_text, -1, SQLITE_TRANSIENT);
	return ryde_db_step(&s->db, st, err);
}

/* Loads the shards as the change has left them. */
static int
look(struct change *c, struct ryde_err *err)
{
	if (ryde_stream_local_load(c->s, err) != 0)
		return -1;
	c->open = 0;
	for (size_t i = 0; i < c->s->n; i++)
		c->open += c->s->shards[i].open;
	return 0;
}

static int
split(struct change *c, int ix, struct ryde_err *err)
{
	struct ryde_local_stream *s = c->s;
	ryde_hash_value first = s->more[ix].first, last = s->more[ix].last,
			middle = first + (last - first) / 2;
	size_t n = s->n;

	if (first == last)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s has a single hash key: it cannot be split", s->shards[ix].id);
	if (c->open >= RYDE_LOCAL_SHARDS_MAX)
		return ryde_err_set(err, RYDE_EUSAGE, "a stream has 1 to %d shards",
		    RYDE_LOCAL_SHARDS_MAX);
	if (close_shard(c, ix, err) != 0 ||
	    add_shard(c, n, ix, -1, first, middle, err) != 0 ||
	    add_shard(c, n + 1, ix, -1, middle + 1, last, err) != 0)
		return -1;
	return look(c, err);
}

static int
merge(struct change *c, int a, int b, struct ryde_err *err)
{
	struct ryde_local_stream *s = c->s;

	if (s->more[a].first > s->more[b].first) {
		int swap = a;

		a = b;
		b = swap;
	}
	if (a == b || s->more[a].last + 1 != s->more[b].first)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s and %s are not neighbours: their hash keys do not meet",
		    s->shards[a].id, s->shards[b].id);
	if (close_shard(c, a, err) != 0 || close_shard(c, b, err) != 0 ||
	    add_shard(c, s->n, a, b, s->more[a].first, s->more[b].last, err) != 0)
		return -1;
	return look(c, err);
}

/* ---- to a number ---- */

/* The open shard with the most hash keys. */
static int
widest(const struct ryde_local_stream *s)
{
	ryde_hash_value most = 0;
	int best = -1;

	for (size_t i = 0; i < s->n; i++) {
		ryde_hash_value width = s->more[i].last - s->more[i].first;

		if (s->shards[i].open && (best < 0 || width > most)) {
			most = width;
			best = (int)i;
		}
	}
	return best;
}

/* The open shard that begins where a ends; -1 behind the last one. */
static int
neighbour(const struct ryde_local_stream *s, size_t a)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->shards[i].open && s->more[i].first == s->more[a].last + 1 &&
		    s->more[i].first != 0)
			return (int)i;
	return -1;
}

/* The two neighbours with the fewest hash keys together. */
static void
narrowest(const struct ryde_local_stream *s, int *a, int *b)
{
	ryde_hash_value least = 0;

	*a = *b = -1;
	for (size_t i = 0; i < s->n; i++) {
		int next = s->shards[i].open ? neighbour(s, i) : -1;
		ryde_hash_value width;

		if (next < 0)
			continue;
		width = s->more[next].last - s->more[i].first;
		if (*a < 0 || width < least) {
			least = width;
			*a = (int)i;
			*b = next;
		}
	}
}

static int
to_number(struct change *c, size_t n, struct ryde_err *err)
{
	while (c->open < n)
		if (split(c, widest(c->s), err) != 0)
			return -1;
	while (c->open > n) {
		int a, b;

		narrowest(c->s, &a, &b);
		if (a < 0)
			return ryde_err_set(err, RYDE_EIO,
			    "%s is damaged: its shards do not meet; it was left alone",
			    c->s->db.path);
		if (merge(c, a, b, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- one change ---- */

/* What is asked for: a shard to split, two to merge, or a number. */
struct wish {
	const char *a, *b;
	int n;
};

static int
find_open(const struct ryde_local_stream *s, const char *id, struct ryde_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->shards[i].id, id) != 0)
			continue;
		if (s->shards[i].open)
			return (int)i;
		return ryde_err_set(err, RYDE_EUSAGE, "%s is closed already", id);
	}
	return ryde_err_set(err, RYDE_ENOINPUT, "stream %s has no shard %s", s->name, id);
}

static int
change_as(struct change *c, const struct wish *w, struct ryde_err *err)
{
	int a, b;

	if (w->a == NULL)
		return to_number(c, (size_t)w->n, err);
	a = find_open(c->s, w->a, err);
	if (a < 0 || w->b == NULL)
		return a < 0 ? -1 : split(c, a, err);
	b = find_open(c->s, w->b, err);
	return b < 0 ? -1 : merge(c, a, b, err);
}

static int
change_in_transaction(
    struct ryde_local_stream *s, const struct wish *w, struct ryde_err *err)
{
	struct change c = {.s = s};
	struct ryde_local_meta m;
	int64_t arrival_ms;

	if (ryde_stream_local_meta(s, &m, err) != 0 ||
	    ryde_stream_local_last(s, &m, &c.next_id, &arrival_ms, err) != 0 ||
	    look(&c, err) != 0)
		return -1;
	c.next_id++;
	if (change_as(&c, w, err) != 0 ||
	    ryde_db_prepare(&s->db, &s->st.reshaped,
		"UPDATE meta SET shards_version=shards_version+1", err) != 0 ||
	    ryde_db_step(&s->db, s->st.reshaped, err) != 0)
		return -1;
	return ryde_db_commit(&s->db, err);
}

static int
change(const char *dir, const char *name, const struct wish *w, struct ryde_err *err)
{
	struct ryde_stream *base = ryde_stream_local_open(dir, name, false, err);
	struct ryde_local_stream *s = ryde_stream_local(base);
	int rc = -1;

	if (base == NULL)
		return -1;
	if (ryde_db_begin(&s->db, err) == 0) {
		rc = change_in_transaction(s, w, err);
		ryde_db_rollback(&s->db);
	}
	if (rc == 0)
		ryde_stream_write_wake(s);
	base->ops->close(base);
	return rc;
}

int
ryde_stream_reshard_split(
    const char *dir, const char *name, const char *shard, struct ryde_err *err)
{
	return change(dir, name, &(struct wish){.a = shard}, err);
}

int
ryde_stream_reshard_merge(
    const char *dir, const char *name, const char *a, const char *b, struct ryde_err *err)
{
	return change(dir, name, &(struct wish){.a = a, .b = b}, err);
}

int
ryde_stream_reshard_to(
    const char *dir, const char *name, int shards, struct ryde_err *err)
{
	if (shards < 1 || shards > RYDE_LOCAL_SHARDS_MAX)
		return ryde_err_set(err, RYDE_EUSAGE, "a stream has 1 to %d shards",
		    RYDE_LOCAL_SHARDS_MAX);
	return change(dir, name, &(struct wish){.n = shards}, err);
}
