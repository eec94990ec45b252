/*
 * What an engine must be able to do: one table of functions per kind of resource. The
 * embedded store and AWS implement them, store/ calls them; so neither engine has to know
 * store/ or the other one. Each function's contract is the one of its namesake in
 * store/stream.h, group.h, table.h, queue.h and archive.h.
 *
 * An engine's own structs begin with the struct that carries `ops`, so that the pointer
 * to the one is the pointer to the other.
 */
#ifndef RYDE_LINE_STORE_OPS_H
#define RYDE_LINE_STORE_OPS_H

#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_waits;
struct ryde_group;
struct ryde_stream;
struct ryde_stream_reader;

/* A consumer for enhanced fan-out; status as the service says it. */
typedef void (*ryde_stream_consumer_fn)(
    void *arg, const char *name, const char *status, const char *arn);
struct ryde_stream_ops {
	void (*close)(struct ryde_stream *s);
	const char *(*label)(const struct ryde_stream *s);
	size_t (*record_max)(const struct ryde_stream *s);
	int64_t (*retention_ms)(const struct ryde_stream *s);
	int (*shards)(struct ryde_stream *s, const struct ryde_shard **out, size_t *n,
	    struct ryde_err *err);
	int (*write)(struct ryde_stream *s, struct ryde_record_in *records, size_t n,
	    struct ryde_err *err);
	/* NULL where write always finishes */
	void (*write_wait)(struct ryde_stream *s, struct ryde_waits *w);
	/* NULL where nothing is sent */
	void (*rehearse)(struct ryde_stream *s, struct ryde_buf *requests);
	void (*keep_order)(struct ryde_stream *s); /* NULL where order is always kept */
	int (*shard_of)(struct ryde_stream *s, struct ryde_view key,
	    struct ryde_view hash_key, int *shard, struct ryde_err *err);
	struct ryde_stream_reader *(*reader)(struct ryde_stream *s, struct ryde_err *err);
	struct ryde_group *(*group)(
	    struct ryde_stream *s, const char *name, struct ryde_err *err);
	int (*groups)(struct ryde_stream *s, void (*fn)(void *arg, const char *name),
	    void *arg, struct ryde_err *err);
	int64_t (*now_ms)(struct ryde_stream *s); /* NULL: the clock of data */
	/* NULL where there is no such thing */
	int (*fan_out)(struct ryde_stream *s, const char *consumer, const char **arn,
	    struct ryde_err *err);
	int (*consumer_delete)(
	    struct ryde_stream *s, const char *consumer, struct ryde_err *err);
	int (*consumers)(struct ryde_stream *s, ryde_stream_consumer_fn fn, void *arg,
	    struct ryde_err *err);
};
struct ryde_stream {
	const struct ryde_stream_ops *ops;
	bool rehearses; /* nothing is written */
};

struct ryde_stream_reader_ops {
	void (*free)(struct ryde_stream_reader *r);
	int (*start)(struct ryde_stream_reader *r, int shard,
	    const struct ryde_stream_start *start, struct ryde_pos *resolved, bool *gap,
	    char *gap_text, struct ryde_err *err);
	void (*stop)(struct ryde_stream_reader *r, int shard);
	int (*fetch)(struct ryde_stream_reader *r, size_t max, size_t max_bytes,
	    const struct ryde_record **out, size_t *n, struct ryde_err *err);
	bool (*gap)(struct ryde_stream_reader *r, int *shard, char *gap_text);
	bool (*caught_up)(struct ryde_stream_reader *r, int shard, int64_t *at_ms);
	bool (*ended)(struct ryde_stream_reader *r, int shard);
	int (*lag)(struct ryde_stream_reader *r, int shard, int64_t *age_ms,
	    int64_t *records, struct ryde_err *err);
	void (*wait)(struct ryde_stream_reader *r, struct ryde_waits *w);
	int (*range)(struct ryde_stream_reader *r, int shard,
	    const struct ryde_pos *first, const struct ryde_pos *last, size_t max,
	    const struct ryde_record **out, size_t *n, struct ryde_err *err);
};
struct ryde_stream_reader {
	const struct ryde_stream_reader_ops *ops;
};

struct ryde_group_ops {
	void (*close)(struct ryde_group *g);
	enum ryde_group_lease (*acquire)(
	    struct ryde_group *g, int64_t lease_ms, char *owner, struct ryde_err *err);
	enum ryde_group_lease (*renew)(
	    struct ryde_group *g, int64_t lease_ms, struct ryde_err *err);
	void (*release)(struct ryde_group *g);
	void (*wait)(struct ryde_group *g, struct ryde_waits *w);
	int (*load)(struct ryde_group *g, const struct ryde_group_position **out,
	    size_t *n, struct ryde_err *err);
	int (*load_window)(struct ryde_group *g, struct ryde_buf *at,
	    struct ryde_buf *fingerprint, struct ryde_err *err);
	enum ryde_group_lease (*store)(struct ryde_group *g,
	    const struct ryde_group_position *p, size_t n, struct ryde_view at,
	    struct ryde_view fingerprint, bool fenced, struct ryde_err *err);
	enum ryde_group_lease (*delete)(
	    struct ryde_group *g, bool window_only, struct ryde_err *err);
	int (*owner)(struct ryde_group *g, char *owner, struct ryde_err *err);
	int64_t store_every_ms; /* how often positions are worth a write; 0: always */
	const struct ryde_group_share_ops *share;
};
/* Of groups that several members read: store/group_share.h. */
struct ryde_group_share_ops {
	enum ryde_group_lease (*join)(
	    struct ryde_group *g, char *id, char *owner, struct ryde_err *err);
	void (*leave)(struct ryde_group *g);
	enum ryde_share_outcome (*beat)(struct ryde_group *g, struct ryde_err *err);
	int (*look)(struct ryde_group *g, const struct ryde_share_member **members,
	    size_t *n_members, const struct ryde_share_lease **leases, size_t *n_leases,
	    struct ryde_err *err);
	enum ryde_share_outcome (*expel)(struct ryde_group *g,
	    const struct ryde_share_member *member, struct ryde_err *err);
	enum ryde_share_outcome (*take)(struct ryde_group *g,
	    const struct ryde_share_lease *lease, int64_t *epoch,
	    struct ryde_group_position *position, bool *placed, struct ryde_err *err);
	enum ryde_share_outcome (*give)(struct ryde_group *g, const char *shard,
	    int64_t epoch, bool done, struct ryde_err *err);
	enum ryde_group_lease (*store)(struct ryde_group *g,
	    const struct ryde_group_position *p, const int64_t *epochs, size_t n,
	    struct ryde_err *err);
	enum ryde_share_outcome (*found)(struct ryde_group *g,
	    const struct ryde_group_position *p, size_t n, struct ryde_err *err);
};
struct ryde_group {
	const struct ryde_group_ops *ops;
	int64_t lease_ms;      /* set by store/group.c once it is open */
	int64_t look_every_ms; /* as ryde_group_share_look_every_ms */
};

struct ryde_table;
struct ryde_table_cursor;
struct ryde_table_ops {
	void (*close)(struct ryde_table *t);
	const char *(*key)(const struct ryde_table *t);
	const char *(*sort)(const struct ryde_table *t);
	int (*keys)(struct ryde_table *t, struct ryde_view data, struct ryde_buf *key,
	    struct ryde_buf *sort, struct ryde_err *err);
	int (*write)(struct ryde_table *t, struct ryde_table_item *items, size_t n,
	    struct ryde_err *err);
	/* NULL where write always finishes */
	void (*write_wait)(struct ryde_table *t, struct ryde_waits *w);
	/* NULL where nothing is sent */
	void (*rehearse)(struct ryde_table *t, struct ryde_buf *requests);
	struct ryde_table_cursor *(*cursor)(struct ryde_table *t, struct ryde_err *err);
	int (*count)(struct ryde_table *t, int64_t *n, struct ryde_err *err);
};
struct ryde_table {
	const struct ryde_table_ops *ops;
	bool rehearses; /* nothing is written */
};

struct ryde_table_cursor_ops {
	int (*next)(
	    struct ryde_table_cursor *c, struct ryde_view *item, struct ryde_err *err);
	void (*free)(struct ryde_table_cursor *c);
};
struct ryde_table_cursor {
	const struct ryde_table_cursor_ops *ops;
};

struct ryde_queue;
struct ryde_queue_ops {
	void (*close)(struct ryde_queue *q);
	const char *(*label)(const struct ryde_queue *q);
	int (*send)(struct ryde_queue *q, struct ryde_view body, struct ryde_err *err);
	int (*receive)(struct ryde_queue *q, size_t max, int64_t not_after_ms,
	    int64_t visibility_ms, const struct ryde_message **out, size_t *n,
	    struct ryde_err *err);
	int (*delete)(
	    struct ryde_queue *q, const char *receipt, bool *stale, struct ryde_err *err);
	int (*extend)(struct ryde_queue *q, const char *receipt, int64_t visibility_ms,
	    struct ryde_err *err);
	/* NULL where nothing is gathered */
	int (*flush)(struct ryde_queue *q, struct ryde_err *err);
	int (*peek)(struct ryde_queue *q, const char *after, size_t max,
	    const struct ryde_message **out, size_t *n, struct ryde_err *err);
	int (*remove)(
	    struct ryde_queue *q, const char *id, bool *found, struct ryde_err *err);
	int (*count)(struct ryde_queue *q, int64_t *visible, int64_t *hidden,
	    struct ryde_err *err);
	int (*purge)(struct ryde_queue *q, int64_t *n, struct ryde_err *err);
};
struct ryde_queue {
	const struct ryde_queue_ops *ops;
};

struct ryde_archive;
struct ryde_archive_object;
struct ryde_archive_ops {
	void (*close)(struct ryde_archive *a);
	struct ryde_archive_object *(*create)(
	    struct ryde_archive *a, struct ryde_err *err);
	int (*append)(
	    struct ryde_archive_object *o, struct ryde_view data, struct ryde_err *err);
	void (*settle)(struct ryde_archive_object *o);
	int (*finish)(struct ryde_archive *a, struct ryde_archive_finish *f, size_t n,
	    struct ryde_err *err);
	void (*abandon)(struct ryde_archive_object *o);
	int (*list)(struct ryde_archive *a, const char *prefix, ryde_archive_name_fn *fn,
	    void *arg, struct ryde_err *err);
	int (*fetch)(struct ryde_archive *a, const char *name, char *path,
	    bool *temporary, struct ryde_err *err);
};
struct ryde_archive {
	const struct ryde_archive_ops *ops;
};
struct ryde_archive_object {
	const struct ryde_archive_ops *ops;
};

#endif
