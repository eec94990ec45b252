/*
 * Lines that are like the ones before, many at once: what they tell is found line by line
 * (json/shape.h), and then read and added column by column.
 */
#ifndef RYDE_ENGINE_WINDOW_BLOCK_H
#define RYDE_ENGINE_WINDOW_BLOCK_H

#include "base/view.h"
#include "engine/window_agg.h"
#include "engine/window_extent.h"
#include "engine/window_number.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_window_def;
struct ryde_window_group;
struct ryde_window_keys;
struct ryde_window_keys_pane;
struct ryde_window_read;

#define RYDE_WINDOW_BLOCK RYDE_WINDOW_AGG_BLOCK

struct ryde_window_block {
	const struct ryde_window_def *def;
	struct ryde_window_read *read;
	struct ryde_window_keys *keys;
	const struct ryde_window_group *group;
	bool usual; /* nothing is asked for but a time, a key, sums and the like */
	struct ryde_view lines;
	size_t n, max; /* lines found, and how many are looked for */

	/* By line; values then by path, numbers by path first. */
	size_t ends[RYDE_WINDOW_BLOCK];
	struct ryde_json_value *values;
	struct ryde_window_number *numbers;
	int64_t at_ms[RYDE_WINDOW_BLOCK];
	struct ryde_view key[RYDE_WINDOW_BLOCK];
	uint32_t hash[RYDE_WINDOW_BLOCK];
	void *states[RYDE_WINDOW_BLOCK];
};

/* Borrows all of them. -1 without memory. */
int ryde_window_block_start(struct ryde_window_block *b, struct ryde_window_read *read,
    struct ryde_window_keys *keys, const struct ryde_window_group *group,
    struct ryde_err *err);
void ryde_window_block_free(struct ryde_window_block *b);

/* Makes it those of the lines, from the first on, that are like earlier ones: how many.
 * They are borrowed; RYDE_JSON_SHAPE_BEHIND bytes behind all lines may be read. */
size_t ryde_window_block_find(struct ryde_window_block *b, struct ryde_view lines);
/*
 * Takes lines from the i-th on, of a shard that is plain (engine/window_group.h), as long
 * as they lie in the window that was used last, which must be the cell's only one and
 * open (or in the slice, whose windows must all be open), and none lets the watermark
 * pass the end of a window. Returns how many, or -1
 * without memory. Of the rest nothing is known. *latest_ms becomes their greatest time.
 */
int ryde_window_block_take(struct ryde_window_block *b, size_t i,
    const struct ryde_window_extent_cell *cell, uint32_t shard, uint64_t ordinal,
    int64_t *latest_ms, struct ryde_err *err);
/* So many of its lines were of use: it looks for more, or fewer, the next time. */
void ryde_window_block_used(struct ryde_window_block *b, size_t n);

/* The i-th line without its newline. */
static inline struct ryde_view
ryde_window_block_line(const struct ryde_window_block *b, size_t i)
{
	size_t from = i > 0 ? b->ends[i - 1] + 1 : 0;

	return ryde_view_mem(b->lines.p + from, b->ends[i] - from);
}

#endif
