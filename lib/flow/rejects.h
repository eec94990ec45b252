/* --rejects FILE, --late FILE: lines that were not handled, kept where a person finds
 * them. */
#ifndef RYDE_FLOW_REJECTS_H
#define RYDE_FLOW_REJECTS_H

#include "base/view.h"

#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_rejects;

/* Opens path for appending (created with mode 0600). */
struct ryde_rejects *ryde_rejects_open(const char *path, struct ryde_err *err);
void ryde_rejects_close(struct ryde_rejects *r);
/*
 * Appends to a buffer what a rejected line becomes, with its newline:
 * {"error":…,"line":N,"data":…}. data is the line as JSON where it is one JSON
 * text, else as a string, bytes that are no UTF-8 as "dataBase64".
 */
void ryde_rejects_put(
    struct ryde_buf *to, const char *error, uint64_t line, struct ryde_view data);
/* Appends that to the file: written at once, synced by ryde_rejects_sync. */
int ryde_rejects_add(struct ryde_rejects *r, const char *error, uint64_t line,
    struct ryde_view data, struct ryde_err *err);
/* Appends a line as it is, with a newline (--late). */
int ryde_rejects_raw(struct ryde_rejects *r, struct ryde_view line, struct ryde_err *err);
/* fsync, when something was added since the last one. Before any later line is passed on
 * or acknowledged. */
int ryde_rejects_sync(struct ryde_rejects *r, struct ryde_err *err);

#endif
