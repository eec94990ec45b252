/* What there is in the default store: ryde-admin's side of streams, tables and queues. */
#ifndef RYDE_STORE_CATALOG_H
#define RYDE_STORE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;

enum ryde_catalog_kind {
	RYDE_CATALOG_STREAM,
	RYDE_CATALOG_TABLE,
	RYDE_CATALOG_QUEUE,
};

/* Creating what exists with the same shape is no error; with another shape
 * RYDE_ECANTCREAT. retention_ms 0: for ever. */
int ryde_catalog_create_stream(const struct ryde_store_settings *s, const char *name,
    int shards, int64_t retention_ms, struct ryde_err *err);
int ryde_catalog_create_table(const struct ryde_store_settings *s, const char *name,
    const char *key, const char *sort, struct ryde_err *err);
int ryde_catalog_create_queue(
    const struct ryde_store_settings *s, const char *name, struct ryde_err *err);
/*
 * Resharding, while readers and writers go on: shards are closed, and their children take
 * what comes from then on. A shard is split in the middle of its hash keys; two that
 * follow each other are merged; ..._reshard splits or merges until there are so many.
 * RYDE_EUSAGE where that cannot be done, RYDE_ENOINPUT where the stream or a shard is not
 * there.
 */
int ryde_catalog_split(const struct ryde_store_settings *s, const char *stream,
    const char *shard, struct ryde_err *err);
int ryde_catalog_merge(const struct ryde_store_settings *s, const char *stream,
    const char *a, const char *b, struct ryde_err *err);
int ryde_catalog_reshard(const struct ryde_store_settings *s, const char *stream,
    int shards, struct ryde_err *err);
/* Deletes a resource and all that belongs to it (a stream's groups too). RYDE_ENOINPUT
 * where it does not exist. */
int ryde_catalog_delete(const struct ryde_store_settings *s, enum ryde_catalog_kind kind,
    const char *name, struct ryde_err *err);
/* Calls fn for each name of a kind, sorted. */
int ryde_catalog_list(const struct ryde_store_settings *s, enum ryde_catalog_kind kind,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);
/* Which kinds a name is: *is[kind] set for each of the three. */
int ryde_catalog_find(const struct ryde_store_settings *s, const char *name, bool is[3],
    struct ryde_err *err);

#endif
