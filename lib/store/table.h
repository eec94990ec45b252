/* Tables: items by key. An item is a JSON object, kept as the text it came in. */
#ifndef RYDE_STORE_TABLE_H
#define RYDE_STORE_TABLE_H

#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;
struct ryde_table;
struct ryde_table_cursor;
struct ryde_waits;

/* Opens an existing table: RYDE_ENOINPUT, with the command that creates it, otherwise. */
struct ryde_table *ryde_table_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err);
void ryde_table_close(struct ryde_table *t);
/* The names of the key fields; sort is NULL where there is none. */
const char *ryde_table_key(const struct ryde_table *t);
const char *ryde_table_sort(const struct ryde_table *t);

/*
 * Finds the key fields in data and appends their comparable forms to key and sort: "S"
 * and the string's bytes, or "N" and the number in canonical form (1, 1.0 and 1e0 are one
 * key). -1 with RYDE_EDATA: no JSON object, a key field missing, empty, or neither string
 * nor number, an item over the engine's limit. Nothing is appended then.
 */
int ryde_table_keys(struct ryde_table *t, struct ryde_view data, struct ryde_buf *key,
    struct ryde_buf *sort, struct ryde_err *err);
/*
 * Writes n items durably: of two with one key the later wins. The embedded store writes
 * all or none. n > 0: so many are still under way; call it again with the same items once
 * what ryde_table_write_wait adds has happened. An item that the service will not have
 * gets its `refused` and counts as done. -1 as ryde_stream_write.
 */
int ryde_table_write(
    struct ryde_table *t, struct ryde_table_item *items, size_t n, struct ryde_err *err);
void ryde_table_write_wait(struct ryde_table *t, struct ryde_waits *w);
/* As ryde_stream_rehearse. */
void ryde_table_rehearse(struct ryde_table *t, struct ryde_buf *requests);

/*
 * A walk over all items in order of their keys. It copies a piece at a time and leaves
 * nothing open between calls, so it may take as long as it likes; items that are written
 * meanwhile are seen or not. t must outlive it.
 */
struct ryde_table_cursor *ryde_table_cursor_new(
    struct ryde_table *t, struct ryde_err *err);
/* 1 with *item, good until the next call; 0 at the end; -1 with err set. */
int ryde_table_cursor_next(
    struct ryde_table_cursor *c, struct ryde_view *item, struct ryde_err *err);
/* Takes NULL. */
void ryde_table_cursor_free(struct ryde_table_cursor *c);
/* The number of items. */
int ryde_table_count(struct ryde_table *t, int64_t *n, struct ryde_err *err);

#endif
