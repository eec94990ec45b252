/* Writing to a stream of the embedded store: one call is one transaction. */
#include "base/clock.h"
#include "base/err.h"
#include "local/stream.h"
#include "local/wake.h"

#include <string.h>

#define ROWS 50		   /* rows of one INSERT */
#define KEY_MAX_BYTES 1024 /* 256 characters of up to four bytes */
#define TRIM_EVERY_MS 2000 /* how often old records are looked for */
#define TRIM_ROWS 1000	   /* how many are removed at once, and n more in a write of n */

/* ---- which shard ---- */

static int
find_shard(const struct ryde_local_stream *s, ryde_hash_value v)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->shards[i].open && v >= s->more[i].first && v <= s->more[i].last)
			return (int)i;
	return -1;
}

static int
choose_shard(struct ryde_local_stream *s, struct ryde_view key, struct ryde_view hash_key,
    int *shard, struct ryde_err *err)
{
	ryde_hash_value v;

	if (key.n == 0 || key.n > KEY_MAX_BYTES)
		return ryde_err_set(err, RYDE_EDATA,
		    "a partition key has 1 to 256 characters, this one has %zu bytes",
		    key.n);
	if (hash_key.n != 0 && !ryde_hash_parse(hash_key, &v))
		return ryde_err_set(err, RYDE_EDATA,
		    "'%.*s' is no hash key: a decimal from 0 to 2^128 - 1",
		    (int)(hash_key.n < 60 ? hash_key.n : 60), hash_key.p);
	if (s->only_shard >= 0) {
		*shard = s->only_shard;
		return 0;
	}
	if (hash_key.n == 0) {
		if (s->hash == NULL && (s->hash = ryde_hash_new(err)) == NULL)
			return -1;
		v = ryde_hash_key(s->hash, key);
	}
	*shard = find_shard(s, v);
	if (*shard < 0)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: no shard takes hash key of '%.*s'; it was left alone",
		    s->db.path, (int)(key.n < 60 ? key.n : 60), key.p);
	return 0;
}

static int
choose_shards(struct ryde_local_stream *s, struct ryde_record_in *records, size_t n,
    struct ryde_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct ryde_record_in *r = &records[i];
		int shard;

		r->failed = r->misplaced = false;
		if (choose_shard(s, r->key, r->hash_key, &shard, err) != 0)
			return -1;
		if (r->bound && r->shard != shard) {
			r->misplaced = true;
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "%s was resharded while records were packed", s->label);
		}
		r->shard = shard;
	}
	return 0;
}

int
ryde_stream_write_shard_of(struct ryde_stream *base, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err)
{
	return choose_shard(ryde_stream_local(base), key, hash_key, shard, err);
}

/* ---- the rows ---- */

/* The statement that inserts n rows: ?1 is the arrival of all, five more belong to each.
 */
static int
prepare_insert(
    struct ryde_local_stream *s, sqlite3_stmt **st, unsigned n, struct ryde_err *err)
{
	char sql[40 + ROWS * 16] = "INSERT INTO records VALUES", *end = sql + strlen(sql);

	if (*st != NULL)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		memcpy(end, ",(?,?,?1,?,?,?)", 16);
		if (i == 0)
			memcpy(end, "(?2,?3,?1,?,?,?)", 17);
		end += strlen(end);
	}
	return ryde_db_prepare(&s->db, st, sql, err);
}

/* Binds the parameters of one row, from number `at` on. */
static void
bind_row(sqlite3_stmt *st, int at, const struct ryde_record_in *r, int64_t id)
{
	(void)sqlite3_bind_int64(st, at, id);
	(void)sqlite3_bind_int(st, at + 1, r->shard);
	(void)sqlite3_bind_int(st, at + 2, (int)r->form);
	(void)sqlite3_bind_text(st, at + 3, r->key.p, (int)r->key.n, SQLITE_STATIC);
	/* NULL would read back as no data just as well, but is not what was meant */
	(void)sqlite3_bind_blob64(
	    st, at + 4, r->data.p != NULL ? r->data.p : "", r->data.n, SQLITE_STATIC);
}

/* Inserts by ROWS at a time, which costs a quarter less than one by one, and the rest
 * singly. */
static int
insert(struct ryde_local_stream *s, struct ryde_record_in *records, size_t n, int64_t id,
    int64_t arrival_ms, struct ryde_err *err)
{
	while (n > 0) {
		unsigned rows = n >= ROWS ? ROWS : 1;
		sqlite3_stmt **slot = rows == 1 ? &s->st.insert : &s->st.insert_rows, *st;

		if (prepare_insert(s, slot, rows, err) != 0)
			return -1;
		st = *slot;
		(void)sqlite3_bind_int64(st, 1, arrival_ms);
		for (unsigned i = 0; i < rows; i++) {
			struct ryde_record_in *r = records++;

			bind_row(st, 2 + 5 * (int)i, r, id);
			ryde_seq_format(&s->seq, id, r->shard, &r->seq);
			s->more[r->shard].last_id = id++;
		}
		if (ryde_db_step(&s->db, st, err) != 0)
			return -1;
		n -= rows;
	}
	return 0;
}

/* Notes the last record of each shard that got one: those after id. */
static int
note_last(struct ryde_local_stream *s, int64_t id, struct ryde_err *err)
{
	if (s->n == 1)
		return 0;
	if (ryde_db_prepare(&s->db, &s->st.shard_last,
		"UPDATE shards SET last_id=?2 WHERE ix=?1", err) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (s->more[i].last_id <= id)
			continue;
		(void)sqlite3_bind_int64(s->st.shard_last, 1, (int64_t)i);
		(void)sqlite3_bind_int64(s->st.shard_last, 2, s->more[i].last_id);
		if (ryde_db_step(&s->db, s->st.shard_last, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- the retention ---- */

struct trimmed {
	int64_t id, arrival_ms;
	size_t n;
};

/* Finds the oldest records, up to max, that came before cutoff_ms, and notes per shard
 * which was the last of them. */
static int
find_old(struct ryde_local_stream *s, int64_t cutoff_ms, size_t max, struct trimmed *t,
    struct ryde_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&s->db, &s->st.oldest,
		"SELECT id,arrival,shard FROM records ORDER BY id LIMIT ?", err) != 0)
		return -1;
	st = s->st.oldest;
	(void)sqlite3_bind_int64(st, 1, (int64_t)max);
	*t = (struct trimmed){0};
	while ((rc = ryde_db_step(&s->db, st, err)) == 1) {
		int64_t shard = sqlite3_column_int64(st, 2);

		if (sqlite3_column_int64(st, 1) >= cutoff_ms) {
			(void)sqlite3_reset(st);
			return 0;
		}
		t->id = sqlite3_column_int64(st, 0);
		t->arrival_ms = sqlite3_column_int64(st, 1);
		t->n++;
		if (shard >= 0 && (size_t)shard < s->n)
			s->more[shard].trimmed_id = t->id;
	}
	return rc;
}

static int
remove_old(struct ryde_local_stream *s, const struct trimmed *t, struct ryde_err *err)
{
	if (ryde_db_prepare(
		&s->db, &s->st.trim, "DELETE FROM records WHERE id<=?", err) != 0 ||
	    ryde_db_prepare(&s->db, &s->st.trim_meta,
		"UPDATE meta SET trimmed_id=?,trimmed_arrival=?", err) != 0 ||
	    ryde_db_prepare(&s->db, &s->st.trim_shard,
		"UPDATE shards SET trimmed_id=?2 WHERE ix=?1 AND trimmed_id<?2",
		err) != 0)
		return -1;
	(void)sqlite3_bind_int64(s->st.trim, 1, t->id);
	(void)sqlite3_bind_int64(s->st.trim_meta, 1, t->id);
	(void)sqlite3_bind_int64(s->st.trim_meta, 2, t->arrival_ms);
	if (ryde_db_step(&s->db, s->st.trim, err) != 0 ||
	    ryde_db_step(&s->db, s->st.trim_meta, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (s->more[i].trimmed_id == 0)
			continue;
		(void)sqlite3_bind_int64(s->st.trim_shard, 1, (int64_t)i);
		(void)sqlite3_bind_int64(s->st.trim_shard, 2, s->more[i].trimmed_id);
		if (ryde_db_step(&s->db, s->st.trim_shard, err) != 0)
			return -1;
	}
	return 0;
}

/*
 * Removes what is older than the retention, a piece at a time: each write removes at most
 * a little more than it adds, and once all is young enough nobody looks for two seconds.
 */
static int
trim(struct ryde_local_stream *s, const struct ryde_local_meta *m, int64_t now_ms,
    size_t n, struct ryde_err *err)
{
	int64_t mono_ms;
	struct trimmed t;

	if (m->retention_ms == 0)
		return 0;
	mono_ms = ryde_clock_mono_ms();
	if (mono_ms < s->next_trim_ms)
		return 0;
	/* Debian's SQLite overwrites what it deletes, which doubles the work */
	if (s->st.oldest == NULL &&
	    ryde_db_exec(&s->db, "PRAGMA secure_delete=0", err) != 0)
		return -1;
	if (find_old(s, now_ms - m->retention_ms, n + TRIM_ROWS, &t, err) != 0)
		return -1;
	if (t.n < n + TRIM_ROWS)
		s->next_trim_ms = mono_ms + TRIM_EVERY_MS;
	return t.n == 0 ? 0 : remove_old(s, &t, err);
}

/* ---- all of it ---- */

static int
write_in_transaction(struct ryde_local_stream *s, struct ryde_record_in *records,
    size_t n, struct ryde_err *err)
{
	int64_t id, arrival_ms, now_ms;
	struct ryde_local_meta m;

	if (ryde_stream_local_meta(s, &m, err) != 0)
		return -1;
	if (m.shards_version != s->shards_version) {
		if (ryde_stream_local_load(s, err) != 0 ||
		    choose_shards(s, records, n, err) != 0)
			return -1;
		s->shards_version = m.shards_version;
	}
	if (ryde_stream_local_last(s, &m, &id, &arrival_ms, err) != 0)
		return -1;
	if (id > RYDE_SEQ_ID_MAX - (int64_t)n - 1)
		return ryde_err_set(
		    err, RYDE_EIO, "%s: no sequence numbers left", s->db.path);
	/* under the lock, so that no later record has an earlier time */
	now_ms = ryde_clock_data_ms();
	if (arrival_ms < now_ms)
		arrival_ms = now_ms;
	if (insert(s, records, n, id + 1, arrival_ms, err) != 0 ||
	    note_last(s, id, err) != 0 || trim(s, &m, arrival_ms, n, err) != 0)
		return -1;
	return ryde_db_commit(&s->db, err);
}

void
ryde_stream_write_wake(struct ryde_local_stream *s)
{
	s->own_commits++;
	if (s->wake_fd < 0)
		s->wake_fd = ryde_wake_open(s->wake_path);
	ryde_wake_call(s->wake_fd);
}

int
ryde_stream_write_local(struct ryde_stream *base, struct ryde_record_in *records,
    size_t n, struct ryde_err *err)
{
	struct ryde_local_stream *s = ryde_stream_local(base);

	if (n == 0)
		return 0;
	if (choose_shards(s, records, n, err) != 0 || ryde_db_begin(&s->db, err) != 0)
		return -1;
	if (write_in_transaction(s, records, n, err) != 0) {
		ryde_db_rollback(&s->db);
		/* what is noted of the shards may be of rows that are not there */
		s->shards_version = -1;
		return -1;
	}
	ryde_stream_write_wake(s);
	return 0;
}
