/*
 * stdin as a source: read once, to its end, into a temporary file that has no name, so
 * that a query can go over it as often as it wants in bounded memory.
 */
#ifndef RYDE_ENGINE_QUERY_SPOOL_H
#define RYDE_ENGINE_QUERY_SPOOL_H

#include "base/view.h"

struct ryde_err;
struct ryde_query_source;
struct ryde_query_sources;

/*
 * Reads o->input, or the file of that name where it is not NULL, to its end: payloads and
 * envelopes, whose own columns are there when the first line is one. Bad lines are
 * rejects: o->input_status says so. The file is in $TMPDIR, else /var/tmp. NULL with err
 * set; RYDE_ETEMPFAIL when a signal ended it.
 */
struct ryde_query_source *ryde_query_spool(
    struct ryde_query_sources *o, const char *file, struct ryde_err *err);

/* Gives the next row: 1 with one JSON text that has passed a check, 0 at the end, -1. */
typedef int ryde_query_spool_fn(void *arg, struct ryde_view *data, struct ryde_err *err);
/* The same of rows from elsewhere, which are read once: what is remote costs. */
struct ryde_query_source *ryde_query_spool_rows(struct ryde_query_sources *o,
    ryde_query_spool_fn *fn, void *arg, struct ryde_err *err);
/* Makes a file without a name in $TMPDIR, else /var/tmp. -> its descriptor, to be closed;
 * -1 with err set. */
int ryde_query_spool_file(struct ryde_err *err);

#endif
