/* Reading a stream of the embedded store on from where a reader is. */
#include "local/stream_read.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"
#include "local/wake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_MS 100	 /* how often to look without having been woken */
#define POLL_MS 3	 /* the same without inotify */
#define QUIET_MS 100	 /* how long a time from caught_up serves all shards */
#define SCAN_ROWS 200000 /* rows of other shards passed over in one fetch */
#define BYTES_MAX ((size_t)1 << 30)

/* ---- records at hand ---- */

int
ryde_stream_read_places(struct ryde_local_reader *r, struct ryde_err *err)
{
	struct ryde_local_place *p;

	if (r->n_places >= r->s->n)
		return 0;
	p = realloc(r->places, r->s->n * sizeof(*p));
	if (p == NULL)
		return ryde_err_nomem(err);
	memset(p + r->n_places, 0, (r->s->n - r->n_places) * sizeof(*p));
	r->places = p;
	r->n_places = r->s->n;
	return 0;
}

int
ryde_stream_read_room(struct ryde_local_reader *r, size_t max, struct ryde_err *err)
{
	ryde_buf_clear(&r->bytes);
	if (max > r->room) {
		struct ryde_record *records = realloc(r->records, max * sizeof(*records));

		if (records == NULL)
			return ryde_err_nomem(err);
		r->records = records;
		r->room = max;
	}
	return 0;
}

/* The buffer has moved: the views of n records with it. */
static void
rebase(struct ryde_local_reader *r, size_t n)
{
	const char *p = r->bytes.p;

	for (size_t i = 0; i < n; i++) {
		r->records[i].key.p = p;
		r->records[i].data.p = p + r->records[i].key.n;
		p += r->records[i].key.n + r->records[i].data.n;
	}
}

int
ryde_stream_read_row(
    struct ryde_local_reader *r, size_t n, sqlite3_stmt *st, struct ryde_err *err)
{
	struct ryde_record *rec = &r->records[n];
	const void *key = sqlite3_column_blob(st, 4);
	size_t key_n = (size_t)sqlite3_column_bytes(st, 4);
	const void *data = sqlite3_column_blob(st, 5);
	size_t data_n = (size_t)sqlite3_column_bytes(st, 5);
	const char *was = r->bytes.p;
	char *to = ryde_buf_room(&r->bytes, key_n + data_n);

	if (to == NULL)
		return ryde_err_nomem(err);
	if (r->bytes.p != was)
		rebase(r, n);
	if (key_n > 0)
		memcpy(to, key, key_n);
	if (data_n > 0)
		memcpy(to + key_n, data, data_n);
	ryde_buf_added(&r->bytes, key_n + data_n);
	rec->key = ryde_view_mem(to, key_n);
	rec->data = ryde_view_mem(to + key_n, data_n);
	rec->behind = 0;
	rec->shard = sqlite3_column_int(st, 1);
	rec->arrival_ms = sqlite3_column_int64(st, 2);
	rec->form = (enum ryde_record_form)sqlite3_column_int(st, 3);
	if (rec->form < RYDE_RECORD_UNKNOWN || rec->form > RYDE_RECORD_BINARY)
		rec->form = RYDE_RECORD_UNKNOWN;
	ryde_seq_format(&r->s->seq, sqlite3_column_int64(st, 0), rec->shard, &rec->seq);
	return 0;
}

/* ---- fetch ---- */

static bool
any_started(const struct ryde_local_reader *r)
{
	for (size_t i = 0; i < r->n_places; i++)
		if (r->places[i].started)
			return true;
	return false;
}

/*
 * Ids grow by one, so that records were removed exactly where one is missing: `next` is
 * the first id there is behind `scanned`. Notes for which shards that matters.
 */
static void
note_gaps(struct ryde_local_reader *r)
{
	for (size_t i = 0; i < r->n_places; i++) {
		struct ryde_local_place *p = &r->places[i];
		int64_t after = p->after > r->scanned ? p->after : r->scanned;

		if (!p->started || r->s->more[i].trimmed_id <= after)
			continue;
		if (p->gap_until == 0)
			p->gap_after = after;
		p->gap_until = r->s->more[i].trimmed_id;
		r->has_gap = true;
	}
}

/*
 * Reads meta and, where they have changed or records are missing, the shards. next is the
 * first id behind `scanned`, 0 where there is none.
 */
static int
look_around(struct ryde_local_reader *r, int64_t next, struct ryde_err *err)
{
	struct ryde_local_meta m;
	bool missing;

	if (ryde_stream_local_meta(r->s, &m, err) != 0)
		return -1;
	missing = next > 0 ? next - 1 > r->scanned : m.trimmed_id > r->scanned;
	/* the stream may have been asked for its shards, and know them already */
	if (m.shards_version == r->s->shards_version && !missing)
		return ryde_stream_read_places(r, err);
	if (ryde_stream_local_load(r->s, err) != 0 ||
	    ryde_stream_read_places(r, err) != 0)
		return -1;
	r->s->shards_version = m.shards_version;
	if (missing) {
		note_gaps(r);
		if (next > 0)
			r->scanned = next - 1;
		else
			r->scanned = m.trimmed_id;
	}
	return 0;
}

/* One pass over the table from `scanned` on, in the transaction that is open. */
static int
scan(struct ryde_local_reader *r, size_t max, size_t max_bytes, size_t *n,
    struct ryde_err *err)
{
	struct ryde_db *db = &r->s->db;
	sqlite3_stmt *st;
	int64_t passed = 0, id = 0;
	int rc;

	if (ryde_db_prepare(db, &r->s->st.rows,
		"SELECT id,shard,arrival,form,key,data FROM records WHERE id>? ORDER BY "
		"id",
		err) != 0)
		return -1;
	st = r->s->st.rows;
	(void)sqlite3_bind_int64(st, 1, r->scanned);
	rc = ryde_db_step(db, st, err);
	if (rc >= 0) {
		if (rc == 1)
			id = sqlite3_column_int64(st, 0);
		/* with rows in sequence there is nothing to be found out but new shards,
		 * and those also turn up when there are no rows */
		if ((rc == 0 || id != r->scanned + 1) && look_around(r, id, err) != 0)
			rc = -1;
	}
	for (; rc == 1; rc = ryde_db_step(db, st, err)) {
		int64_t shard = sqlite3_column_int64(st, 1);

		id = sqlite3_column_int64(st, 0);
		if (shard >= 0 && (size_t)shard >= r->n_places &&
		    look_around(r, id, err) != 0)
			break;
		if (shard >= 0 && (size_t)shard < r->n_places &&
		    r->places[shard].started && id > r->places[shard].after) {
			if (ryde_stream_read_row(r, *n, st, err) != 0)
				break;
			r->scanned = id;
			if (++*n == max || r->bytes.n >= max_bytes)
				goto full;
		} else if (++passed == SCAN_ROWS) {
			r->scanned = id;
			goto full;
		}
		r->scanned = id;
	}
	if (rc == 0)
		r->at_end = true;
	else
		(void)sqlite3_reset(st);
	return rc == 0 ? 0 : -1;
full:
	(void)sqlite3_reset(st);
	return 0;
}

/* Whether anything can have come since the last time. */
static int
news(struct ryde_local_reader *r, bool *is, struct ryde_err *err)
{
	int64_t v = ryde_db_data_version(&r->s->db, err), now_ms;

	if (v < 0)
		return -1;
	*is = !r->at_end || v != r->data_version || r->own_commits != r->s->own_commits;
	r->data_version = v;
	r->own_commits = r->s->own_commits;
	now_ms = ryde_clock_mono_ms();
	if (*is || now_ms - r->checked_ms < CHECK_MS)
		return 0;
	r->checked_ms = now_ms;
	return ryde_db_gone(&r->s->db) ? ryde_db_deleted(&r->s->db, err) : 0;
}

static int
fetch(struct ryde_stream_reader *base, size_t max, size_t max_bytes,
    const struct ryde_record **out, size_t *n, struct ryde_err *err)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);
	size_t got = 0;
	bool is;
	int rc;

	*n = 0;
	/* calls that came before this moment are answered by what follows */
	if (r->at_end)
		ryde_wake_drain(r->watch_fd);
	if (news(r, &is, err) != 0)
		return -1;
	if (!is || max == 0)
		return 0;
	if (ryde_stream_read_room(r, max, err) != 0 ||
	    ryde_db_begin_read(&r->s->db, err) != 0)
		return -1;
	r->at_end = !any_started(r);
	if (!r->at_end)
		rc = scan(r, max, max_bytes, &got, err);
	else
		rc = look_around(r, 0, err);
	ryde_db_rollback(&r->s->db);
	if (rc != 0)
		return -1;
	*out = r->records;
	*n = got;
	return 0;
}

static void
stop(struct ryde_stream_reader *base, int shard)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);

	if (shard >= 0 && (size_t)shard < r->n_places)
		r->places[shard] = (struct ryde_local_place){0};
}

static bool
gap(struct ryde_stream_reader *base, int *shard, char *gap_text)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);

	for (size_t i = 0; r->has_gap && i < r->n_places; i++) {
		struct ryde_local_place *p = &r->places[i];

		if (p->gap_until == 0)
			continue;
		ryde_stream_start_gap_text(
		    r->s, (int)i, p->gap_after, p->gap_until, gap_text);
		*shard = (int)i;
		p->gap_until = 0;
		return true;
	}
	r->has_gap = false;
	return false;
}

/* ---- where it stands ---- */

/*
 * A time such that what is not yet read arrives at or after it: it is read while the
 * write lock is ours, and nothing is behind `scanned`. Where the lock is another's, or
 * the file cannot be written, that cannot be told. False: there is something.
 */
static bool
quiet(struct ryde_local_reader *r, int64_t *at_ms)
{
	struct ryde_local_stream *s = r->s;
	int64_t id, last_ms, mono_ms = ryde_clock_mono_ms();
	struct ryde_local_meta m;
	bool is = true;

	*at_ms = r->quiet_at_ms;
	if (r->quiet_at_ms != INT64_MIN && mono_ms - r->quiet_mono_ms < QUIET_MS)
		return true;
	*at_ms = INT64_MIN;
	if (s->db.read_only || !ryde_db_try_begin(&s->db))
		return true;
	if (ryde_stream_local_meta(s, &m, NULL) == 0 &&
	    ryde_stream_local_last(s, &m, &id, &last_ms, NULL) == 0) {
		is = id <= r->scanned;
		if (is) {
			*at_ms = ryde_clock_data_ms();
			if (*at_ms < last_ms)
				*at_ms = last_ms;
			r->quiet_at_ms = *at_ms;
			r->quiet_mono_ms = mono_ms;
		}
	}
	ryde_db_rollback(&s->db);
	return is;
}

static bool
caught_up(struct ryde_stream_reader *base, int shard, int64_t *at_ms)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);

	*at_ms = INT64_MIN;
	if (shard < 0 || (size_t)shard >= r->n_places || !r->places[shard].started ||
	    !r->at_end)
		return false;
	return quiet(r, at_ms);
}

static bool
ended(struct ryde_stream_reader *base, int shard)
{
	const struct ryde_local_reader *r = ryde_stream_read_local(base);
	int64_t closed_at;

	if (shard < 0 || (size_t)shard >= r->n_places || !r->places[shard].started)
		return false;
	closed_at = r->s->more[shard].closed_at;
	return closed_at != 0 &&
	       (r->scanned >= closed_at - 1 || r->places[shard].after >= closed_at - 1);
}

static void
wait_for_news(struct ryde_stream_reader *base, struct ryde_waits *w)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);
	int64_t now_ms = ryde_clock_mono_ms();

	if (!r->watch_tried) {
		r->watch_tried = true;
		r->watch_fd = ryde_wake_watch(r->s->wake_path);
		/* what was committed before the watch began was not announced to it */
		ryde_waits_until(w, now_ms);
	}
	if (!r->at_end)
		ryde_waits_until(w, now_ms);
	ryde_waits_fd(w, r->watch_fd, POLLIN);
	ryde_waits_until(w, now_ms + (r->watch_fd >= 0 ? CHECK_MS : POLL_MS));
}

/* ---- life ---- */

static void
free_reader(struct ryde_stream_reader *base)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);

	if (r->watch_fd >= 0)
		(void)close(r->watch_fd);
	ryde_buf_free(&r->bytes);
	free(r->records);
	free(r->places);
	free(r);
}

static const struct ryde_stream_reader_ops ops = {
    .free = free_reader,
    .start = ryde_stream_start_local,
    .stop = stop,
    .fetch = fetch,
    .gap = gap,
    .caught_up = caught_up,
    .ended = ended,
    .lag = ryde_stream_start_lag,
    .wait = wait_for_news,
    .range = ryde_stream_start_range,
};

struct ryde_stream_reader *
ryde_stream_read_new(struct ryde_stream *base, struct ryde_err *err)
{
	struct ryde_local_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	r->base.ops = &ops;
	r->s = ryde_stream_local(base);
	r->watch_fd = -1;
	r->data_version = -1;
	r->quiet_at_ms = INT64_MIN;
	r->scanned = INT64_MAX; /* nothing is wanted yet */
	ryde_buf_init(&r->bytes, BYTES_MAX);
	if (ryde_stream_read_places(r, err) != 0) {
		free(r);
		return NULL;
	}
	return &r->base;
}
