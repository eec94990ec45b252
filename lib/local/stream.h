/*
 * A stream of the embedded store: one table of records in the order of their commit, over
 * all shards. The interface is store/stream.h's; this is what the parts of its
 * implementation know of each other.
 */
#ifndef RYDE_LOCAL_STREAM_H
#define RYDE_LOCAL_STREAM_H

#include "line/hash.h"
#include "line/store_ops.h"
#include "local/db.h"
#include "local/seq.h"

#define RYDE_LOCAL_SHARDS_MAX 10000 /* open ones */

struct ryde_local_shard {
	ryde_hash_value first, last;
	int64_t closed_at;  /* the first id that it cannot have any more; 0: open */
	int64_t born_after; /* its records have ids above this one */
	int64_t trimmed_id; /* its last record that the retention removed; 0: none */
	int64_t last_id;    /* its last record ever; 0: none */
};

struct ryde_local_stream {
	struct ryde_stream base;
	struct ryde_db db;
	char *dir, *name, *label, *wake_path;
	struct ryde_seq seq;
	int64_t retention_ms;
	int64_t shards_version; /* of the shards that are loaded */
	struct ryde_shard *shards;
	struct ryde_local_shard *more; /* the same shards, what only this engine knows */
	size_t n;
	int only_shard; /* index of the one that is open, -1 where several are */
	struct ryde_hash *hash;
	int wake_fd;	      /* of writers; -1: not open */
	int64_t next_trim_ms; /* monotonic */
	int64_t own_commits;  /* data_version does not show these to us */
	struct {
		sqlite3_stmt *meta, *last, *shards, *insert, *insert_rows, *shard_last;
		sqlite3_stmt *oldest, *trim, *trim_shard, *trim_meta;
		sqlite3_stmt *rows, *arrival_at, *count, *first_of, *range;
		sqlite3_stmt *close_shard, *add_shard, *reshaped;
	} st;
};

/* The row of the table meta. */
struct ryde_local_meta {
	bool deleted;
	int64_t created_ms, retention_ms, trimmed_id, trimmed_arrival, shards_version;
};

extern const struct ryde_db_kind ryde_stream_local_kind;

/* The stream NAME in DIR. create: a missing one is made, with one shard. */
struct ryde_stream *ryde_stream_local_open(
    const char *dir, const char *name, bool create, struct ryde_err *err);
/* As ryde_catalog_create_stream and ryde_catalog_delete. */
int ryde_stream_local_create(const char *dir, const char *name, int shards,
    int64_t retention_ms, struct ryde_err *err);
int ryde_stream_local_delete(const char *dir, const char *name, struct ryde_err *err);

/* As ryde_catalog_split, ryde_catalog_merge and ryde_catalog_reshard. */
int ryde_stream_reshard_split(
    const char *dir, const char *name, const char *shard, struct ryde_err *err);
int ryde_stream_reshard_merge(const char *dir, const char *name, const char *a,
    const char *b, struct ryde_err *err);
int ryde_stream_reshard_to(
    const char *dir, const char *name, int shards, struct ryde_err *err);

/* Reads meta; RYDE_ENOINPUT where the stream was deleted. */
int ryde_stream_local_meta(
    struct ryde_local_stream *s, struct ryde_local_meta *m, struct ryde_err *err);
/* Loads the shards again, from the transaction that is open if one is. */
int ryde_stream_local_load(struct ryde_local_stream *s, struct ryde_err *err);
/* The last record's id and arrival, or what the retention left of them. */
int ryde_stream_local_last(struct ryde_local_stream *s, const struct ryde_local_meta *m,
    int64_t *id, int64_t *arrival_ms, struct ryde_err *err);

/* Tells readers that something was committed, by this handle. */
void ryde_stream_write_wake(struct ryde_local_stream *s);

/* The functions of the vtable that stand in other files. */
int ryde_stream_write_local(struct ryde_stream *base, struct ryde_record_in *records,
    size_t n, struct ryde_err *err);
int ryde_stream_write_shard_of(struct ryde_stream *base, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err);
struct ryde_stream_reader *ryde_stream_read_new(
    struct ryde_stream *base, struct ryde_err *err);

/* From the first member to the whole, and the other way round for free. */
static inline struct ryde_local_stream *
ryde_stream_local(struct ryde_stream *base)
{
	return (struct ryde_local_stream *)base;
}

#endif
