/*
 * --emit: what a command printed for a batch, passed on once the batch has succeeded.
 * Each of its lines must be one JSON text; they leave in the batch's envelope with
 * `more`, and a mark after them says how far everything is done (rule 6 of ryde-line(5)).
 * Where the batch had no envelope they leave as they are.
 */
#ifndef RYDE_ENGINE_PROCESS_EMIT_H
#define RYDE_ENGINE_PROCESS_EMIT_H

#include "base/view.h"
#include "line/envelope.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_process_batch;
struct ryde_writer;

/* 0 where every line of output is JSON; else -1 with RYDE_EDATA naming the first one that
 * is none. */
int ryde_process_emit_check(struct ryde_view output, struct ryde_err *err);

/*
 * The envelope of the output of the first n records: the last one's position, the key
 * where all have the same, the acknowledgement. Views into the records and the strings
 * given.
 */
struct ryde_line_head ryde_process_emit_head(const struct ryde_process_batch *b, size_t n,
    const char *stream, const char *shard, const char *ack);

/*
 * Adds lines of a checked output to out, from *at on, until all are there (1) or out
 * holds RYDE_WRITER_HIGH (0): call it again when that has left. Counts them in *lines. -1
 * as ryde_writer_added.
 */
int ryde_process_emit_print(struct ryde_writer *out, const struct ryde_line_head *head,
    struct ryde_view output, size_t *at, uint64_t *lines, struct ryde_err *err);

/*
 * Adds the mark that says that the first n records are done: up to the last one of them
 * that no other line of the same record follows. Nothing where there is no such record,
 * or nobody waits for acknowledgement.
 */
int ryde_process_emit_mark(struct ryde_writer *out, const struct ryde_process_batch *b,
    size_t n, const char *stream, const char *shard, const char *ack,
    struct ryde_err *err);

#endif
