/*
 * The one window engine in the house: records in, rows out, in event time.
 *
 *	struct ryde_window *w = ryde_window_new(def, &err);
 *	ryde_window_shard(w, stream, shard, &record.shard, &err);
 *	ryde_window_feed(w, &record, &err);
 *	ryde_window_advance(w);
 *	while (ryde_window_due(w))
 *		ryde_window_row(w, &row, &key, &err);
 *
 * Rows come out by the end of their windows, then by key (as bytes). They do not depend
 * on how the records of different shards, or of one within the lateness, were
 * interleaved. Positions and restarts: engine/window_group.h.
 */
#ifndef RYDE_ENGINE_WINDOW_H
#define RYDE_ENGINE_WINDOW_H

#include "base/view.h"
#include "engine/window_def.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_window;

/* Borrows def, which must be finished and outlive the window. */
struct ryde_window *ryde_window_new(
    const struct ryde_window_def *def, struct ryde_err *err);
void ryde_window_free(struct ryde_window *w);

/*
 * The number of a shard; a new one holds the watermark until it has a record or is idle.
 * Plain payloads are one shard, of two empty views. Both views without NUL.
 */
int ryde_window_shard(struct ryde_window *w, struct ryde_view stream, struct ryde_view id,
    uint32_t *index, struct ryde_err *err);

struct ryde_window_record {
	struct ryde_view payload; /* one JSON text; borrowed for the call */
	size_t behind; /* so many bytes behind it may be read; none is right too */
	uint32_t shard;
	bool more; /* not the last line of its record: positions do not count it yet */
	bool has_arrival;
	int64_t arrival_ms;
	struct ryde_pos pos; /* n == 0: unknown */
};

enum ryde_window_fed {
	RYDE_WINDOW_TAKEN,
	RYDE_WINDOW_SKIPPED,  /* was counted in the life before */
	RYDE_WINDOW_LATE,     /* its windows are closed */
	RYDE_WINDOW_FILTERED, /* the condition on all records is not true */
	RYDE_WINDOW_WRONG,    /* err says why, RYDE_EDATA; nothing has changed */
	RYDE_WINDOW_FAILED,   /* err: no memory */
};
/* err must not be NULL: it is where WRONG says why. */
enum ryde_window_fed ryde_window_feed(
    struct ryde_window *w, const struct ryde_window_record *record, struct ryde_err *err);
/*
 * Feeds lines of a shard, plain payloads one behind the other, of which the last may have
 * no end yet; the watermark moves with each. It stops where a row is due
 * (ryde_window_due), behind a late line, and before a line that feed must look at, which
 * is any that is not like earlier ones: so it may have taken none. 128 bytes behind the
 * lines may be read. -1: no memory.
 */
struct ryde_window_lines {
	size_t bytes;		  /* of what was taken, newlines and the late line too */
	uint64_t taken, filtered; /* lines */
	struct ryde_view late;	  /* n == 0: none */
};
int ryde_window_feed_lines(struct ryde_window *w, struct ryde_view lines, uint32_t shard,
    struct ryde_window_lines *did, struct ryde_err *err);
/* A wrong record is dealt with: positions move past it. */
void ryde_window_pass(struct ryde_window *w, const struct ryde_window_record *record);
/* Nothing more comes of a shard: it is closed, and what it was split or merged into is
 * known. */
void ryde_window_closed(struct ryde_window *w, uint32_t shard);
/* Everything of the shard up to pos (n == 0: unknown) was fed; with has_time, all later
 * records arrive at or after at_ms. */
void ryde_window_mark(struct ryde_window *w, uint32_t shard, const struct ryde_pos *pos,
    bool has_time, int64_t at_ms);

/* With -t now: the clock, which moves the watermark. */
void ryde_window_now(struct ryde_window *w, int64_t now_ms);
/* When the next open window ends; false: there is none. */
bool ryde_window_next_end(struct ryde_window *w, int64_t *end_ms);

/* Moves the watermark. Call it between records (never between the lines of one). Returns
 * ryde_window_due. */
bool ryde_window_advance(struct ryde_window *w);
/* True when a row can be taken. Once begun, take them all before the next feed. */
bool ryde_window_due(struct ryde_window *w);
/*
 * Appends the next row to row (one JSON object, no newline) and its keys, strings as
 * their bytes and joined by commas, to key (NULL: not wanted).
 */
int ryde_window_row(struct ryde_window *w, struct ryde_buf *row, struct ryde_buf *key,
    struct ryde_err *err);
/* Begins to give out what has changed in open windows, marked as early; returns
 * ryde_window_due. Between records. */
bool ryde_window_early(struct ryde_window *w);
/* All windows are due, as at the end of input. */
void ryde_window_close(struct ryde_window *w);
/* Lines in windows that are open; those in several count in the last one to end. */
uint64_t ryde_window_pending(const struct ryde_window *w);
/* Lines that were taken, and yet too late for some of their windows. */
uint64_t ryde_window_missed(const struct ryde_window *w);
/* Lines that were taken, and then found to be in a session that was given out in the life
 * before. */
uint64_t ryde_window_recounted(const struct ryde_window *w);

/* Keeps positions from now on, after those of the life before (raw JSON, empty: none).
 * Before the first record. */
int ryde_window_restore(struct ryde_window *w, struct ryde_view at, struct ryde_err *err);
/* True while a shard has not reached what was seen in the life before: nothing is due,
 * and there are no positions. */
bool ryde_window_is_behind(const struct ryde_window *w);
/* True when seen has moved since positions were last put. */
bool ryde_window_has_moved(const struct ryde_window *w);
/* Appends the positions as they stand, a JSON object. */
int ryde_window_positions(
    struct ryde_window *w, struct ryde_buf *at, struct ryde_err *err);

#endif
