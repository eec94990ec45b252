/*
 * GROUP BY over one source without SQLite in the way: a hash table of groups that a scan
 * fills, several times as fast as sorting all rows. Its result is a table of SQLite's,
 * and the statement becomes one that reads it, so that order, limits and printing stay
 * SQLite's.
 *
 * It gives the same answer or none: where a value is met whose place in a group, a sum or
 * an order is not plain (a boolean, an array, a number that is neither INTEGER nor REAL,
 * a text in a sum), or the groups are too many, SQLite does it all.
 */
#ifndef RYDE_ENGINE_QUERY_GROUP_H
#define RYDE_ENGINE_QUERY_GROUP_H

#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_query_session;

/* Bytes of groups; beyond, SQLite's sorter spills. */
#define RYDE_QUERY_GROUP_MAX ((size_t)24 << 20)

/*
 * Does the statement at the front of sql, where it can: 1, with the statement that reads
 * the result appended to `to`, and *used the bytes of sql that it took. 0: it is
 * SQLite's. -1 with err set.
 */
int ryde_query_group(struct ryde_query_session *q, const char *sql, size_t *used,
    struct ryde_buf *to, struct ryde_err *err);

#endif
