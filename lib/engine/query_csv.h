/*
 * CSV as Athena writes it: RFC 4180 with every value in quotes; what has none is NULL.
 */
#ifndef RYDE_ENGINE_QUERY_CSV_H
#define RYDE_ENGINE_QUERY_CSV_H

#include "base/view.h"

#include <stddef.h>

struct ryde_err;
struct ryde_query_csv;

/* A reader of fd, from where it stands, which stays the caller's. NULL with err set. */
struct ryde_query_csv *ryde_query_csv_new(int fd, size_t columns, struct ryde_err *err);
/*
 * The next record: 1 with values[columns], p NULL of one that is NULL, good until the
 * next call; 0 at the end; -1: a record of another number of values, or one that does not
 * end.
 */
int ryde_query_csv_next(
    struct ryde_query_csv *c, struct ryde_view *values, struct ryde_err *err);
/* Takes NULL. */
void ryde_query_csv_free(struct ryde_query_csv *c);

#endif
