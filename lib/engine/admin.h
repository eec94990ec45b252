/*
 * What ryde-admin prints and does beside the catalog: descriptions, and the positions of
 * groups. Everything is NDJSON, one object per line.
 */
#ifndef RYDE_ENGINE_ADMIN_H
#define RYDE_ENGINE_ADMIN_H

#include "store/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;

/* Appends {"kind":"stream","name":…} for each stream, table or queue; what is "streams",
 * "tables" or "queues". */
int ryde_admin_list(const struct ryde_store_settings *s, const char *what,
    struct ryde_buf *out, struct ryde_err *err);
/* Appends {"kind":"group","stream":…,"name":…} for each group of each stream. */
int ryde_admin_list_groups(
    const struct ryde_store_settings *s, struct ryde_buf *out, struct ryde_err *err);
/* Appends a line for each stream, table and queue of this name. RYDE_ENOINPUT where there
 * is none. */
int ryde_admin_describe(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *out, struct ryde_err *err);

/* Registers a consumer for enhanced fan-out where it is not yet, and appends a line with
 * its ARN. */
int ryde_admin_fan_out(const struct ryde_store_settings *s, const char *stream,
    const char *consumer, struct ryde_buf *out, struct ryde_err *err);
/* Deregisters it. RYDE_ENOINPUT where it is not registered. */
int ryde_admin_delete_consumer(const struct ryde_store_settings *s, const char *stream,
    const char *consumer, struct ryde_err *err);
/* Appends a line for each consumer of the stream. */
int ryde_admin_list_consumers(const struct ryde_store_settings *s, const char *stream,
    struct ryde_buf *out, struct ryde_err *err);

/*
 * Appends a line per shard: shardId, sequenceNumber (null: before the first record),
 * lagRecords (null: unknown), lagMs, updated, owner (null: nobody reads), and behind a
 * window from, seen and closed. *lag_ms becomes the largest lag. RYDE_ENOINPUT where the
 * stream has no such group.
 */
int ryde_admin_positions(const struct ryde_store_settings *s, const char *stream,
    const char *group, struct ryde_buf *out, int64_t *lag_ms, struct ryde_err *err);
/*
 * Sets the group's position in each shard to where `start` is now, and forgets its
 * window's. Makes a missing group. RYDE_ETEMPFAIL while a reader lives.
 */
int ryde_admin_reset(const struct ryde_store_settings *s, const char *stream,
    const char *group, const struct ryde_stream_start *start, struct ryde_err *err);
/* Deletes the group. RYDE_ENOINPUT where there is none, RYDE_ETEMPFAIL while a reader
 * lives. */
int ryde_admin_forget(const struct ryde_store_settings *s, const char *stream,
    const char *group, struct ryde_err *err);

#endif
