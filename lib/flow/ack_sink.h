/*
 * The sink's side of acknowledgement: what a program at the end (or in the middle) of a
 * pipe tells the reader at its beginning. The protocol and its rules are in
 * flow/ack_server.h.
 *
 * A program takes each line, does its work, and says when it is done; this file keeps the
 * order: a position is acknowledged once it and every line of its shard before it are
 * done. Lines without an `ack` cost nothing.
 *
 *	ryde_ack_sink_take(s, &line, &ticket, &err)
 *		before any effect of the line; connects at the first one
 *	… effects, durable …
 *	ryde_ack_sink_done(s, ticket) or ryde_ack_sink_done_all(s)
 *	ryde_ack_sink_turn(s, &err)
 *		every turn of the loop: sends, hears that the reader is gone
 *	ryde_ack_sink_eof(s, &clean, &err)
 *		at the end of the input
 *	ryde_ack_sink_finish(s, &err)
 *		everything done was said
 */
#ifndef RYDE_FLOW_ACK_SINK_H
#define RYDE_FLOW_ACK_SINK_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_ack_sink;
struct ryde_err;
struct ryde_line;
struct ryde_waits;

enum ryde_ack_role {
	RYDE_ACK_SINK,	 /* the end of the line: acknowledges; one of the reader's --sinks
			  */
	RYDE_ACK_FILTER, /* passes positions on: connects to learn of the reader's end,
			    acknowledges nothing */
	RYDE_ACK_WINDOW, /* ryde-window: a filter that is given the group's window
			    positions */
};

/* program is its name ("ryde-put"), for the reader's messages. */
struct ryde_ack_sink *ryde_ack_sink_new(
    enum ryde_ack_role role, const char *program, struct ryde_err *err);
void ryde_ack_sink_free(struct ryde_ack_sink *s);
/* RYDE_ACK_WINDOW: the fingerprint of the window's definition, before the first line.
 * Copied. */
void ryde_ack_sink_fingerprint(struct ryde_ack_sink *s, const char *fingerprint);

/* What to do with a line that was taken. */
enum ryde_ack_take {
	RYDE_ACK_TAKEN,	 /* handle it, and say done with its ticket */
	RYDE_ACK_STALE,	 /* an older generation of a held shard, or known from before the
			    hold: drop it, count it nowhere */
	RYDE_ACK_FAILED, /* err: RYDE_ETEMPFAIL the reader cannot be reached or is gone,
			    RYDE_ECONFIG it refuses; begin no effect */
};
/*
 * Takes a line in, connecting at the first one of a reader. *ticket (0 for lines that
 * need no acknowledgement: payloads, filters) names it later; a mark is taken like any
 * other line and is done as soon as what came before it is. Never blocks longer than the
 * reader's answer to a new connection (30 s at most).
 */
enum ryde_ack_take ryde_ack_sink_take(struct ryde_ack_sink *s,
    const struct ryde_line *line, uint64_t *ticket, struct ryde_err *err);
/* The line's effects are durable (or it was filtered out, or is safe in --rejects). Any
 * order; 0 is allowed. */
void ryde_ack_sink_done(struct ryde_ack_sink *s, uint64_t ticket);
/* Everything taken so far is done. */
void ryde_ack_sink_done_all(struct ryde_ack_sink *s);

/* Sends what is due, without blocking, and hears the reader. -1 with RYDE_ETEMPFAIL when
 * a reader is gone or has lost its lease: rule 2. */
int ryde_ack_sink_turn(struct ryde_ack_sink *s, struct ryde_err *err);
void ryde_ack_sink_wait(struct ryde_ack_sink *s, struct ryde_waits *w);
/*
 * At the end of input: *clean is true where the input may be taken as whole: the end mark
 * was seen for each reader, or the reader confirms it, or no line had an `ack` (then:
 * where no mark was ever seen, or the last line was an end mark). Waits for the answer.
 */
int ryde_ack_sink_eof(struct ryde_ack_sink *s, bool *clean, struct ryde_err *err);
/* Sends everything that is done and takes leave, waiting up to timeout_ms. -1 where that
 * was not possible. */
int ryde_ack_sink_finish(
    struct ryde_ack_sink *s, int64_t timeout_ms, struct ryde_err *err);

/* True when at least one line had an `ack`: the program stands in a group's pipe. */
bool ryde_ack_sink_in_group(const struct ryde_ack_sink *s);
/* Lines taken and not done yet. */
uint64_t ryde_ack_sink_outstanding(const struct ryde_ack_sink *s);

/*
 * True where nothing stands between the line's reader and this program: both ends are of
 * one pipe, so the payloads are surely the records' own. (The sink sends its stdin's
 * device and inode, the reader compares.)
 */
bool ryde_ack_sink_direct(const struct ryde_ack_sink *s, const struct ryde_line *line);

/* Rule 7, only for role SINK. */
/* True where the line's reader lets shards be held. */
bool ryde_ack_sink_can_hold(const struct ryde_ack_sink *s, const struct ryde_line *line);
/*
 * Asks the reader to hold the shard of ticket `last`: every line of that shard after
 * `last`, which has no `more`, is forgotten here (the caller drops those that are
 * not done; none of them may be under way), lines that still come from before the hold
 * are STALE. So are lines that come again and were taken in up to `last`, or done behind
 * it: nothing is handled twice because of a hold.
 */
void ryde_ack_sink_hold(struct ryde_ack_sink *s, uint64_t last);
/* Asks the reader to read that shard again, from its position (after everything done). */
void ryde_ack_sink_resume(struct ryde_ack_sink *s, uint64_t last);

/* RYDE_ACK_WINDOW: the stored positions of the group (raw JSON, empty: none), good while
 * s is. After the first take. */
struct ryde_view ryde_ack_sink_window_at(const struct ryde_ack_sink *s);
/* RYDE_ACK_WINDOW: the stream's retention in ms as the reader knows it; 0: for ever or
 * unknown. */
int64_t ryde_ack_sink_retention_ms(const struct ryde_ack_sink *s);

#endif
