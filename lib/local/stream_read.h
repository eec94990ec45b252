/*
 * A reader of a stream of the embedded store. There is one table for all shards, so there
 * is one place up to which it has been scanned; a shard that was started further on has
 * its own place, and rows before that are skipped.
 */
#ifndef RYDE_LOCAL_STREAM_READ_H
#define RYDE_LOCAL_STREAM_READ_H

#include "base/buf.h"
#include "local/stream.h"

struct ryde_local_place {
	bool started;
	int64_t after; /* records up to here are not wanted, or were given */
	int64_t
	    gap_until; /* records up to here were removed unread; 0: none to be told */
	int64_t gap_after; /* the last one before them that was read */
};

struct ryde_local_reader {
	struct ryde_stream_reader base;
	struct ryde_local_stream *s;
	struct ryde_local_place *places; /* per shard */
	size_t n_places;
	int64_t scanned; /* the table was read up to this id */
	int64_t
	    data_version; /* of the file when it was last read; -1: read it in any case */
	int64_t own_commits;
	bool at_end;	     /* nothing lay behind `scanned` then */
	bool has_gap;	     /* some place has a gap to be told */
	int64_t checked_ms;  /* monotonic: when the file's name was last looked at */
	int64_t quiet_at_ms; /* data clock: see ryde_stream_reader_caught_up */
	int64_t quiet_mono_ms;
	int watch_fd; /* inotify; -1: none */
	bool watch_tried;
	struct ryde_record *records;
	size_t room;
	struct ryde_buf bytes;
};

static inline struct ryde_local_reader *
ryde_stream_read_local(struct ryde_stream_reader *base)
{
	return (struct ryde_local_reader *)base;
}

/* Makes places for shards that were found since. */
int ryde_stream_read_places(struct ryde_local_reader *r, struct ryde_err *err);
/* Empties what was read, makes room for max records. */
int ryde_stream_read_room(struct ryde_local_reader *r, size_t max, struct ryde_err *err);
/*
 * Copies the row that st is on (id, shard, arrival, form, key, data) to records[n]. -1
 * with err set without memory.
 */
int ryde_stream_read_row(
    struct ryde_local_reader *r, size_t n, sqlite3_stmt *st, struct ryde_err *err);

/* The functions of the vtable that stand in stream_start.c. */
int ryde_stream_start_local(struct ryde_stream_reader *base, int shard,
    const struct ryde_stream_start *start, struct ryde_pos *resolved, bool *gap,
    char *gap_text, struct ryde_err *err);
int ryde_stream_start_lag(struct ryde_stream_reader *base, int shard, int64_t *age_ms,
    int64_t *records, struct ryde_err *err);
int ryde_stream_start_range(struct ryde_stream_reader *base, int shard,
    const struct ryde_pos *first, const struct ryde_pos *last, size_t max,
    const struct ryde_record **out, size_t *n, struct ryde_err *err);
/* Writes what is missing of a shard into text[256]. */
void ryde_stream_start_gap_text(
    struct ryde_local_stream *s, int shard, int64_t after, int64_t until, char *text);

#endif
