/*
 * Where a window stands in its input: shards, their watermarks, and the positions that a
 * group's reader keeps.
 *
 * TIME. A shard's watermark is its greatest record time less the lateness (with arrival
 * times also the time of its last mark): no record of it is expected before. The overall
 * watermark is the least of all shards that are not idle, and never runs back. A shard of
 * which only marks are known has none yet, and holds it. A shard is idle when its last
 * mark with a time is --idle or more past its last record (its first mark, where it has
 * none). Where all are idle, none holds anything back, and the greatest counts.
 *
 * --allow-late keeps a window for a while after it was given out (fired); it is closed
 * once that has passed too.
 *
 * POSITIONS. `seen` is the last record of a shard that was taken whole, or the last mark.
 * Of each open window and shard the position before the shard's first record in it is
 * kept, and `from` is the one of the oldest open window; seen never runs back, so the
 * entries of a shard stand in their order. `closed` is the overall watermark, less what
 * --allow-late allows. These three are taken at one moment, between two records, so each
 * record up to seen was counted in a window whose end is at or before closed (or was late
 * for it), or is in an open one and behind from.
 *
 * AFTER A RESTART the reader goes back to from. Until every shard has reached its seen,
 * the watermark stays at closed and nothing is given out. A record up to seen whose
 * window ended by closed was counted: it is skipped. Beyond seen it is late. All others
 * go into their windows, as they did before.
 *
 * SESSIONS have no end that a record alone could tell, so neither `closed` nor the
 * overall watermark, which depends on how shards were interleaved, may decide which of
 * their records are late: after a restart it would be decided anew, and otherwise. What
 * decides is the shard's own watermark, which follows from the shard's records alone. It
 * is kept with `from`, and so each life finds the same records late. All that are taken
 * are at or behind the overall watermark, and never touch a session that was given out.
 * Only a shard that was idle, or is new, could come back before it: its records are late
 * up to where the watermark was then (its floor), and floors that made a record late are
 * kept as well. `from` is where every shard stood when the oldest record of an open
 * session was taken (engine/window_birth.h).
 */
#ifndef RYDE_ENGINE_WINDOW_GROUP_H
#define RYDE_ENGINE_WINDOW_GROUP_H

#include "base/view.h"
#include "engine/window_def.h"
#include "flow/window_at.h"
#include "line/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_window_birth;

/* The first record of a shard in an open window. */
struct ryde_window_group_entry {
	int64_t end_ms;
	struct ryde_pos before;
};

struct ryde_window_group_shard {
	size_t stream_n, id_n;
	char *stream,
	    *id; /* stream is NULL while it is known from stored positions alone */
	bool has_mark, has_time, heard, idle, behind, has_floor;
	int64_t time_ms;  /* its watermark */
	int64_t floor_ms; /* with sessions: of records behind the target */
	int64_t heard_ms; /* arrival of its last record, or its first mark */
	int64_t mark_ms;  /* the last mark with a time */
	struct ryde_pos seen;
	struct ryde_pos target; /* seen in the life before; n == 0: nothing */
	struct ryde_window_group_entry *entries; /* from `first` on */
	size_t first, n, cap;
	struct ryde_window_at_shard stored; /* with sessions: its floors, and its time
					       where this life began */
};

struct ryde_window_group {
	const struct ryde_window_def *def;
	struct ryde_window_group_shard *shards;
	uint32_t n, cap, last; /* last: the index that was asked for last */
	uint32_t behind;       /* shards that have not reached their target */
	bool tracks;	       /* positions are kept */
	bool moved;	       /* seen has moved since they were given out */
	bool stale;	       /* the overall watermark may have moved */
	bool has_watermark, has_closed, has_restored;
	int64_t watermark_ms;
	int64_t closed_ms;   /* windows that ended by then are closed, whatever is
				allowed */
	int64_t restored_ms; /* what was closed in the life before */
	uint64_t count;	     /* of positions given out */
};

void ryde_window_group_start(
    struct ryde_window_group *g, const struct ryde_window_def *def);
void ryde_window_group_free(struct ryde_window_group *g);

/* The index of a shard, made where it is new. -1 without memory, or RYDE_EDATA where
 * there are too many. */
int ryde_window_group_shard(struct ryde_window_group *g, struct ryde_view stream,
    struct ryde_view id, uint32_t *index, struct ryde_err *err);
/* The order of two shards: by stream, then by id. */
int ryde_window_group_cmp(const struct ryde_window_group *g, uint32_t a, uint32_t b);

/* Begins where the stored positions end (NULL: none), and keeps positions from now on.
 * Takes the floors out of at. */
int ryde_window_group_restore(
    struct ryde_window_group *g, struct ryde_window_at *at, struct ryde_err *err);

enum ryde_window_group_verdict {
	RYDE_WINDOW_GROUP_TAKE,
	RYDE_WINDOW_GROUP_SKIP, /* was counted in the life before */
	RYDE_WINDOW_GROUP_LATE,
};
/* True for a record that was seen in the life before. */
bool ryde_window_group_is_again(
    const struct ryde_window_group *g, uint32_t shard, const struct ryde_pos *pos);
/* What to do with a record at pos whose window ends at end_ms. */
enum ryde_window_group_verdict ryde_window_group_judge(const struct ryde_window_group *g,
    uint32_t shard, const struct ryde_pos *pos, int64_t end_ms);
/* The same with sessions, for a record at pos with that time. -1: no memory. */
int ryde_window_group_judge_session(struct ryde_window_group *g, uint32_t shard,
    const struct ryde_pos *pos, int64_t at_ms, enum ryde_window_group_verdict *verdict,
    struct ryde_err *err);
/* The shard has its first record in the window that ends at end_ms; before it was taken.
 */
int ryde_window_group_enter(
    struct ryde_window_group *g, uint32_t shard, int64_t end_ms, struct ryde_err *err);
/* A record's time, and its arrival where it has one. */
void ryde_window_group_time(struct ryde_window_group *g, uint32_t shard, int64_t at_ms,
    bool has_arrival, int64_t arrival_ms);
/* Everything of the shard up to pos was taken. */
void ryde_window_group_seen(
    struct ryde_window_group *g, uint32_t shard, const struct ryde_pos *pos);
/* True where there is but this shard, nothing of it is kept, and its records alone move
 * the overall watermark. */
static inline bool
ryde_window_group_is_plain(const struct ryde_window_group *g, uint32_t shard)
{
	const struct ryde_window_group_shard *s = &g->shards[shard];

	return g->n == 1 && !g->tracks && g->behind == 0 && !s->idle && !s->has_mark;
}
/* A mark with a time: all later records of the shard arrive at or after it. */
void ryde_window_group_mark(struct ryde_window_group *g, uint32_t shard, int64_t at_ms);
/* Nothing more comes of the shard, which is closed: it holds nothing any more, as one
 * that is idle. */
void ryde_window_group_end(struct ryde_window_group *g, uint32_t shard);
/* Brings the overall watermark up to date; true where it has moved. */
bool ryde_window_group_advance(struct ryde_window_group *g);
/* Moves all shards' watermarks to the clock, where that is the time of records. */
void ryde_window_group_now(struct ryde_window_group *g, int64_t now_ms);
/* All windows that were there are closed by now, and no position needs them. */
void ryde_window_group_forget(struct ryde_window_group *g);
/* True where the watermark has reached end_ms. */
static inline bool
ryde_window_group_is_past(const struct ryde_window_group *g, int64_t end_ms)
{
	return g->has_watermark && end_ms <= g->watermark_ms;
}

static inline bool
ryde_window_group_is_closed(const struct ryde_window_group *g, int64_t end_ms)
{
	return ryde_window_group_is_past(g, end_ms + g->def->allow_ms) ||
	       (g->has_closed && end_ms <= g->closed_ms);
}

/* Fills at, which is all zeros, with the positions as they stand, all but `revisions`.
 * birth: with sessions, where their records begin; else NULL. Only when no shard is
 * behind. Free it with ryde_window_at_free also where this fails. */
int ryde_window_group_put(struct ryde_window_group *g,
    const struct ryde_window_birth *birth, struct ryde_window_at *at,
    struct ryde_err *err);

#endif
