/*
 * Lines to stdout. Output is gathered in one buffer and leaves when the buffer is full,
 * or before the program waits. Writing never blocks a loop that has other duties: a pipe
 * takes what it has room for, and the rest waits for POLLOUT.
 */
#ifndef RYDE_LINE_WRITER_H
#define RYDE_LINE_WRITER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;
struct ryde_waits;
struct ryde_writer;

/* A writer to fd (stdout as a rule). */
struct ryde_writer *ryde_writer_new(int fd, struct ryde_err *err);
void ryde_writer_free(struct ryde_writer *w);

/* Where to put lines (whole ones, newline included). After adding, call ryde_writer_added
 * or flush. */
struct ryde_buf *ryde_writer_buf(struct ryde_writer *w);
/* Writes what fits while more than a block is gathered. 0, or -1 (writer broken: see
 * ryde_writer_closed). */
int ryde_writer_added(struct ryde_writer *w, struct ryde_err *err);
/* Copies a line and its newline, then as ryde_writer_added. */
int ryde_writer_line(struct ryde_writer *w, struct ryde_view line, struct ryde_err *err);
/* Whole lines as they lie in the caller's memory: written from there as far as the
 * descriptor takes them now, and only the rest is copied. 0 or -1. */
int ryde_writer_through(
    struct ryde_writer *w, struct ryde_view lines, struct ryde_err *err);
/* Writes as much as the descriptor takes now. 1 when everything is out, 0 when some is
 * left, -1 on error. */
int ryde_writer_flush(struct ryde_writer *w, struct ryde_err *err);
/* Writes everything, waiting as long as it takes. 0 or -1. */
int ryde_writer_drain(struct ryde_writer *w, struct ryde_err *err);
/* Adds POLLOUT while something is left; always watches for the reader's going away, so
 * that an idle program ends with its pipe. */
void ryde_writer_wait(const struct ryde_writer *w, struct ryde_waits *waits);
/* Bytes gathered and not yet written. Stop reading input while this is over
 * RYDE_WRITER_HIGH. */
size_t ryde_writer_pending(const struct ryde_writer *w);
#define RYDE_WRITER_HIGH (1u << 20)
/* Looks whether the other end is gone; sets and returns the flag. */
bool ryde_writer_check_closed(struct ryde_writer *w);
/* True when the other end closed its pipe: end quietly, as cat does
 * (ryde_signals_die_of_pipe). */
bool ryde_writer_closed(const struct ryde_writer *w);
/* Closes the descriptor (and our second one), so that the next program sees the end. 0,
 * or -1 where close reports a failed write. */
int ryde_writer_close(struct ryde_writer *w, struct ryde_err *err);
/* Bytes accepted by the descriptor so far. */
uint64_t ryde_writer_bytes(const struct ryde_writer *w);

#endif
