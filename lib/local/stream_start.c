/* Where reading begins in a stream of the embedded store, how far it is behind, and
 * records by their sequence numbers. */
#include "base/clock.h"
#include "base/err.h"
#include "local/stream_read.h"

#include <stdio.h>

#define COUNT_MAX 2000000 /* rows that are counted to tell how far behind a shard is */

static int
check_shard(const struct ryde_local_reader *r, int shard, struct ryde_err *err)
{
	if (shard < 0 || (size_t)shard >= r->n_places)
		return ryde_err_set(err, RYDE_ENOINPUT,
		    "stream %s has no shard number %d", r->s->name, shard);
	return 0;
}

static int
parse(struct ryde_local_stream *s, const struct ryde_pos *pos, int shard, int64_t *id,
    struct ryde_err *err)
{
	if (pos->n == 0) {
		*id = 0;
		return 0;
	}
	if (!ryde_seq_parse(&s->seq, pos, shard, id))
		return ryde_err_set(err, RYDE_EDATA,
		    "sequence number %.*s is none of %s of stream %s", (int)pos->n,
		    pos->seq, s->shards[shard].id, s->name);
	return 0;
}

void
ryde_stream_start_gap_text(
    struct ryde_local_stream *s, int shard, int64_t after, int64_t until, char *text)
{
	struct ryde_pos from, to;

	ryde_seq_format(&s->seq, after, shard, &from);
	ryde_seq_format(&s->seq, until, shard, &to);
	(void)snprintf(text, 256,
	    "%.60s: records after %.*s up to %.*s are no longer held",
	    s->shards[shard].id, RYDE_SEQ_DIGITS, from.seq, RYDE_SEQ_DIGITS, to.seq);
}

/* ---- the first record that arrived at or after a time ---- */

/* The arrival of the first record with at least this id; false at the end. */
static int
arrival_at(struct ryde_local_stream *s, int64_t id, int64_t *arrival_ms, bool *is,
    struct ryde_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&s->db, &s->st.arrival_at,
		"SELECT arrival FROM records WHERE id>=? ORDER BY id LIMIT 1", err) != 0)
		return -1;
	st = s->st.arrival_at;
	(void)sqlite3_bind_int64(st, 1, id);
	rc = ryde_db_step(&s->db, st, err);
	if (rc < 0)
		return -1;
	*is = rc == 1;
	if (*is)
		*arrival_ms = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

/* Arrivals grow with the ids, so halving finds it: *after becomes the id before it. */
static int
find_time(struct ryde_local_stream *s, int64_t low, int64_t high, int64_t at_ms,
    int64_t *after, struct ryde_err *err)
{
	/* all up to low came before at_ms, all after high at or after it */
	while (low < high) {
		int64_t mid = low + (high - low) / 2 + 1, arrival_ms = 0;
		bool is;

		if (arrival_at(s, mid, &arrival_ms, &is, err) != 0)
			return -1;
		if (is && arrival_ms < at_ms)
			low = mid;
		else
			high = mid - 1;
	}
	*after = low;
	return 0;
}

/* ---- start ---- */

struct resolution {
	int64_t after;	   /* reading begins behind this id */
	int64_t asked;	   /* what was asked for lies behind this id */
	int64_t gap_until; /* records up to here are gone; 0: nothing is missing */
	int64_t end;	   /* the last id of the stream */
};

/* Finds out, within one view of the file, where start lies. */
static int
resolve(struct ryde_local_stream *s, int shard, const struct ryde_stream_start *start,
    struct resolution *res, struct ryde_err *err)
{
	int64_t id = 0, arrival_ms, trimmed;
	struct ryde_local_meta m;
	bool at;

	if (ryde_stream_local_meta(s, &m, err) != 0 ||
	    ryde_stream_local_load(s, err) != 0 ||
	    ryde_stream_local_last(s, &m, &res->end, &arrival_ms, err) != 0 ||
	    parse(s, &start->pos, shard, &id, err) != 0)
		return -1;
	s->shards_version = m.shards_version;
	trimmed = s->more[shard].trimmed_id;
	res->gap_until = 0;
	switch (start->kind) {
	case RYDE_START_HORIZON:
		/* a child has nothing before its parents' ends */
		res->asked = s->more[shard].born_after;
		if (res->asked < m.trimmed_id)
			res->asked = m.trimmed_id;
		break;
	case RYDE_START_LATEST:
		res->asked = res->end;
		break;
	case RYDE_START_AFTER:
	case RYDE_START_AT:
		/* no position at all is the horizon; of a record that was read in part
		 * the rest lies behind its position */
		at = start->kind == RYDE_START_AT || start->pos.lines > 0;
		res->asked = at && id > 0 ? id - 1 : id;
		if (start->pos.n != 0 && trimmed > res->asked)
			res->gap_until = trimmed;
		break;
	case RYDE_START_TIME:
		if (find_time(
			s, m.trimmed_id, res->end, start->at_ms, &res->asked, err) != 0)
			return -1;
		break;
	}
	res->after = res->asked < m.trimmed_id ? m.trimmed_id : res->asked;
	if (res->after > res->end)
		res->after = res->end;
	return 0;
}

/* Places the shard at `after` in the reader's one scan. */
static void
place(struct ryde_local_reader *r, int shard, int64_t after)
{
	struct ryde_local_place *p = &r->places[shard];

	/* the scan may go back: what the others have must not come again */
	for (size_t i = 0; i < r->n_places; i++)
		if (r->places[i].started && r->places[i].after < r->scanned)
			r->places[i].after = r->scanned;
	*p = (struct ryde_local_place){.started = true, .after = after};
	r->scanned = after;
	for (size_t i = 0; i < r->n_places; i++)
		if (r->places[i].started && r->places[i].after < r->scanned)
			r->scanned = r->places[i].after;
	r->at_end = false;
	r->quiet_at_ms = INT64_MIN;
}

int
ryde_stream_start_local(struct ryde_stream_reader *base, int shard,
    const struct ryde_stream_start *start, struct ryde_pos *resolved, bool *gap,
    char *gap_text, struct ryde_err *err)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);
	struct ryde_local_stream *s = r->s;
	struct resolution res;
	bool beyond;
	int rc;

	if (ryde_stream_read_places(r, err) != 0 || check_shard(r, shard, err) != 0 ||
	    ryde_db_begin_read(&s->db, err) != 0)
		return -1;
	rc = resolve(s, shard, start, &res, err);
	ryde_db_rollback(&s->db);
	if (rc != 0 || ryde_stream_read_places(r, err) != 0)
		return -1;
	beyond = res.asked > res.end;
	if (gap != NULL)
		*gap = beyond || res.gap_until != 0;
	if (gap_text != NULL && res.gap_until != 0)
		ryde_stream_start_gap_text(s, shard, res.asked, res.gap_until, gap_text);
	else if (gap_text != NULL && beyond)
		(void)snprintf(gap_text, 256,
		    "%.60s: position %.*s lies beyond the end of the stream, which has "
		    "lost records",
		    s->shards[shard].id, (int)start->pos.n, start->pos.seq);
	if (resolved != NULL) {
		resolved->n = 0;
		if (start->kind == RYDE_START_AFTER && start->pos.lines > 0 &&
		    res.after == res.asked)
			*resolved = start->pos;
		else if (res.after > 0)
			ryde_seq_format(&s->seq, res.after, shard, resolved);
	}
	place(r, shard, res.after);
	return 0;
}

/* ---- lag ---- */

/* What of shard lies behind id: the oldest record's arrival. */
static int
first_behind(struct ryde_local_stream *s, int shard, int64_t id, int64_t *arrival_ms,
    bool *is, struct ryde_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&s->db, &s->st.first_of,
		"SELECT arrival FROM records WHERE id>? AND shard=? ORDER BY id LIMIT 1",
		err) != 0)
		return -1;
	st = s->st.first_of;
	(void)sqlite3_bind_int64(st, 1, id);
	(void)sqlite3_bind_int(st, 2, shard);
	rc = ryde_db_step(&s->db, st, err);
	if (rc < 0)
		return -1;
	*is = rc == 1;
	if (*is)
		*arrival_ms = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

static int
count_behind(struct ryde_local_stream *s, int shard, int64_t id, int64_t end,
    int64_t *records, struct ryde_err *err)
{
	sqlite3_stmt *st;

	if (s->n == 1) {
		*records = end > id ? end - id : 0;
		return 0;
	}
	*records = -1;
	if (end - id > COUNT_MAX)
		return 0;
	if (ryde_db_prepare(&s->db, &s->st.count,
		"SELECT count(*) FROM records WHERE id>? AND shard=?", err) != 0)
		return -1;
	st = s->st.count;
	(void)sqlite3_bind_int64(st, 1, id);
	(void)sqlite3_bind_int(st, 2, shard);
	if (ryde_db_step(&s->db, st, err) != 1)
		return -1;
	*records = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

static int
lag(struct ryde_local_reader *r, int shard, int64_t *age_ms, int64_t *records,
    struct ryde_err *err)
{
	struct ryde_local_stream *s = r->s;
	const struct ryde_local_place *p = &r->places[shard];
	int64_t end, last_ms, arrival_ms = 0, id = p->after;
	struct ryde_local_meta m;
	bool is;

	if (ryde_stream_local_meta(s, &m, err) != 0 ||
	    ryde_stream_local_last(s, &m, &end, &last_ms, err) != 0)
		return -1;
	if (id < r->scanned && r->scanned != INT64_MAX)
		id = r->scanned;
	if (id < m.trimmed_id)
		id = m.trimmed_id;
	if (first_behind(s, shard, id, &arrival_ms, &is, err) != 0 ||
	    count_behind(s, shard, id, end, records, err) != 0)
		return -1;
	*age_ms = is ? ryde_clock_data_ms() - arrival_ms : 0;
	if (*age_ms < 0)
		*age_ms = 0;
	return 0;
}

int
ryde_stream_start_lag(struct ryde_stream_reader *base, int shard, int64_t *age_ms,
    int64_t *records, struct ryde_err *err)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);
	int rc;

	if (check_shard(r, shard, err) != 0 || ryde_db_begin_read(&r->s->db, err) != 0)
		return -1;
	rc = lag(r, shard, age_ms, records, err);
	ryde_db_rollback(&r->s->db);
	return rc;
}

/* ---- range ---- */

int
ryde_stream_start_range(struct ryde_stream_reader *base, int shard,
    const struct ryde_pos *first, const struct ryde_pos *last, size_t max,
    const struct ryde_record **out, size_t *n, struct ryde_err *err)
{
	struct ryde_local_reader *r = ryde_stream_read_local(base);
	struct ryde_local_stream *s = r->s;
	int64_t from, to;
	sqlite3_stmt *st;
	size_t got = 0;
	int rc;

	*n = 0;
	if (check_shard(r, shard, err) != 0 || parse(s, first, shard, &from, err) != 0 ||
	    parse(s, last, shard, &to, err) != 0 ||
	    ryde_stream_read_room(r, max, err) != 0)
		return -1;
	if (ryde_db_prepare(&s->db, &s->st.range,
		"SELECT id,shard,arrival,form,key,data FROM records "
		"WHERE id BETWEEN ? AND ? AND shard=? ORDER BY id LIMIT ?",
		err) != 0)
		return -1;
	st = s->st.range;
	(void)sqlite3_bind_int64(st, 1, from);
	(void)sqlite3_bind_int64(st, 2, to);
	(void)sqlite3_bind_int(st, 3, shard);
	(void)sqlite3_bind_int64(st, 4, (int64_t)max);
	while ((rc = ryde_db_step(&s->db, st, err)) == 1) {
		if (ryde_stream_read_row(r, got, st, err) != 0) {
			(void)sqlite3_reset(st);
			return -1;
		}
		got++;
	}
	if (rc < 0)
		return -1;
	*out = r->records;
	*n = got;
	return 0;
}
