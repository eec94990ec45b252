#include "engine/window_block.h"

#include "base/err.h"
#include "engine/window_group.h"
#include "engine/window_keys.h"
#include "engine/window_read.h"
#include "engine/window_slices.h"
#include "json/shape.h"
#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

#define FEW 4	       /* lines that are looked for where the last ones were of no use */
#define MANY_KEYS 2048 /* of a window: their groups are far from the processor */

/* True where a line is mostly nothing but a time, a string as its key, and numbers. */
static bool
is_usual(const struct ryde_window_def *d)
{
	for (size_t i = 0; i < d->n_states; i++) {
		if (!ryde_window_agg_is_columnar(d->states[i].function))
			return false;
	}
	return d->n_conditions == 0 && d->n_keys <= 1 && !d->early && d->max_bytes == 0 &&
	       d->extent.kind != RYDE_WINDOW_SESSION &&
	       d->time != RYDE_WINDOW_DEF_ARRIVAL && d->time != RYDE_WINDOW_DEF_NOW;
}

int
ryde_window_block_start(struct ryde_window_block *b, struct ryde_window_read *read,
    struct ryde_window_keys *keys, const struct ryde_window_group *group,
    struct ryde_err *err)
{
	const struct ryde_window_def *d = read->def;

	b->def = d;
	b->read = read;
	b->keys = keys;
	b->group = group;
	b->usual = is_usual(d);
	b->max = FEW;
	b->values = calloc(d->n_paths * RYDE_WINDOW_BLOCK, sizeof(*b->values));
	b->numbers = calloc(d->n_paths * RYDE_WINDOW_BLOCK, sizeof(*b->numbers));
	if (b->values == NULL || b->numbers == NULL)
		return ryde_err_nomem(err);
	return 0;
}

void
ryde_window_block_free(struct ryde_window_block *b)
{
	free(b->values);
	free(b->numbers);
	b->values = NULL;
	b->numbers = NULL;
}

size_t
ryde_window_block_find(struct ryde_window_block *b, struct ryde_view lines)
{
	const struct ryde_json_shape_found to = {b->values, b->ends, b->def->n_paths};

	b->lines = lines;
	b->n = ryde_json_shapes_find_lines(b->read->shapes, lines, &to, b->max);
	return b->n;
}

void
ryde_window_block_used(struct ryde_window_block *b, size_t n)
{
	if (n == b->max)
		b->max = 2 * n < RYDE_WINDOW_BLOCK ? 2 * n : RYDE_WINDOW_BLOCK;
	else if (n < b->n)
		b->max = n / 2 > FEW ? n / 2 : FEW;
}

/* ---- column by column ---- */

/* How many lines from i on have a usual time in [from_ms, to_ms). */
static size_t
read_times(struct ryde_window_block *b, size_t i, int64_t from_ms, int64_t to_ms,
    int64_t *latest_ms)
{
	const struct ryde_json_value *v =
	    b->values + i * b->def->n_paths + b->def->time_path;
	size_t first = i;

	for (; i < b->n; i++, v += b->def->n_paths) {
		struct ryde_view line = ryde_window_block_line(b, i);

		if ((v->kind != RYDE_JSON_STRING && v->kind != RYDE_JSON_NUMBER) ||
		    line.n > RYDE_LINE_MAX || !ryde_line_is_bare(line) ||
		    !ryde_window_read_time(b->read, v->text, &b->at_ms[i]) ||
		    b->at_ms[i] < from_ms || b->at_ms[i] >= to_ms)
			break;
		*latest_ms = b->at_ms[i] > *latest_ms ? b->at_ms[i] : *latest_ms;
	}
	return i - first;
}

/* How many of n lines have a small number at a path. */
static size_t
read_numbers(struct ryde_window_block *b, size_t i, size_t n, size_t path)
{
	const struct ryde_json_value *v = b->values + i * b->def->n_paths + path;
	struct ryde_window_number *to = b->numbers + path * RYDE_WINDOW_BLOCK + i;

	for (size_t k = 0; k < n; k++, v += b->def->n_paths) {
		if (v->kind != RYDE_JSON_NUMBER)
			return k;
		if (ryde_window_number_read_short(&to[k], v->text))
			continue;
		ryde_window_number_read(&to[k], v->text);
		if (!to[k].small)
			return k;
	}
	return n;
}

/* How many of n lines have a value at a path that columns read, and a small number where
 * they want one. */
static size_t
read_inputs(struct ryde_window_block *b, size_t i, size_t n)
{
	const struct ryde_window_def *d = b->def;

	for (size_t u = 0; u < d->n_used; u++) {
		const struct ryde_json_value *v = b->values + i * d->n_paths + d->used[u];

		if (d->numeric[d->used[u]]) {
			n = read_numbers(b, i, n, d->used[u]);
			continue;
		}
		for (size_t k = 0; k < n; k++, v += d->n_paths) {
			if (v->kind <= RYDE_JSON_NULL)
				n = k;
		}
	}
	return n;
}

/* How many of n lines have a plain string as their key; its hash too. */
static size_t
read_keys(struct ryde_window_block *b, size_t i, size_t n,
    const struct ryde_window_keys_pane *pane)
{
	const struct ryde_window_def *d = b->def;
	const struct ryde_json_value *v;

	if (d->n_keys == 0) {
		b->key[i] = ryde_view_mem("", 0);
		b->hash[i] = ryde_window_keys_hash(b->keys, b->key[i]);
		return n;
	}
	v = b->values + i * d->n_paths + d->keys[0].path;
	for (size_t k = i; k < i + n; k++, v += d->n_paths) {
		if (v->kind != RYDE_JSON_STRING)
			return k - i;
		b->key[k] = ryde_view_mem(v->text.p - 1, v->text.n + 2);
		b->hash[k] = ryde_window_keys_hash(b->keys, b->key[k]);
		__builtin_prefetch(&pane->table[b->hash[k] & (pane->cap - 1)]);
	}
	return n;
}

/* Fetches what the slots point at, all of them at the same time. */
static void
fetch_groups(const struct ryde_window_block *b, size_t i, size_t n,
    const struct ryde_window_keys_pane *pane)
{
	for (size_t k = i; k < i + n; k++) {
		const char *g =
		    (const char *)pane->table[b->hash[k] & (pane->cap - 1)].group;

		__builtin_prefetch(g, 1);
		__builtin_prefetch(g + 64, 1);
	}
}

/* The groups of n lines. -1 without memory. */
static int
find_groups(struct ryde_window_block *b, size_t i, size_t n,
    struct ryde_window_keys_pane *pane, struct ryde_err *err)
{
	size_t distinct = b->def->n_keys == 0 ? 1 : n, at;

	for (size_t k = i; k < i + distinct; k++) {
		struct ryde_window_keys_group *g =
		    ryde_window_keys_find(b->keys, pane, b->key[k], b->hash[k], &at);

		/* Keys that are strings are written in one way: no order is needed. */
		if (g == NULL)
			g = ryde_window_keys_group(
			    b->keys, pane, b->key[k], b->hash[k], b->key[k], NULL, err);
		if (g == NULL)
			return -1;
		g->changed = 1;
		b->states[k] = ryde_window_keys_states(g);
	}
	for (size_t k = i + distinct; k < i + n; k++)
		b->states[k] = b->states[i];
	return 0;
}

/* The window that was used last, where it is the cell's only one, or the slice of its
 * windows, where all of them are open. */
static struct ryde_window_keys_pane *
open_pane(const struct ryde_window_block *b, const struct ryde_window_extent_cell *cell)
{
	struct ryde_window_keys_pane *pane = b->keys->last;

	if (!b->usual || cell->n == 0 || pane == NULL || pane->fired ||
	    (b->keys->sliced ? pane->end_ms != cell->to_ms
			     : cell->n != 1 || pane->end_ms != cell->spans[0].end_ms) ||
	    ryde_window_group_is_closed(b->group, cell->spans[0].end_ms))
		return NULL;
	return pane;
}

int
ryde_window_block_take(struct ryde_window_block *b, size_t i,
    const struct ryde_window_extent_cell *cell, uint32_t shard, uint64_t ordinal,
    int64_t *latest_ms, struct ryde_err *err)
{
	struct ryde_window_keys_pane *pane = open_pane(b, cell);
	struct ryde_window_agg_block block;
	int64_t to_ms = cell->to_ms, due_ms;
	size_t n;

	if (pane == NULL)
		return 0;
	/* The first window that is not out yet is due by that time. */
	if (!b->keys->sliced)
		due_ms = b->keys->panes[b->keys->n_fired]->end_ms;
	else if (!ryde_window_slices_end(b->keys, &due_ms))
		return 0;
	due_ms += b->def->lateness_ms;
	to_ms = due_ms < to_ms ? due_ms : to_ms;
	n = read_times(b, i, cell->from_ms, to_ms, latest_ms);
	n = read_inputs(b, i, n);
	n = read_keys(b, i, n, pane);
	if (n == 0)
		return 0;
	if (pane->n > MANY_KEYS)
		fetch_groups(b, i, n, pane);
	if (find_groups(b, i, n, pane, err) != 0)
		return -1;
	block = (struct ryde_window_agg_block){.n = n,
	    .states = b->states + i,
	    .values = b->values + i * b->def->n_paths,
	    .numbers = b->numbers + i,
	    .at_ms = b->at_ms + i,
	    .ordinal = ordinal,
	    .shard = shard,
	    .group = b->group};
	if (ryde_window_agg_take_block(b->def, &block, err) != 0)
		return -1;
	pane->records += n;
	pane->changed = true;
	return (int)n;
}
