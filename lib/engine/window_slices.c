#include "engine/window_slices.h"

#include "base/view.h"
#include "engine/window_agg.h"
#include "engine/window_def.h"
#include "engine/window_keys.h"

bool
ryde_window_slices_suit(const struct ryde_window_def *d)
{
	return (d->extent.kind == RYDE_WINDOW_HOP ||
		   d->extent.kind == RYDE_WINDOW_CUMULATE) &&
	       d->extent.zone == NULL && d->allow_ms == 0 && !d->early &&
	       d->max_bytes == 0;
}

struct ryde_window_keys_pane *
ryde_window_slices_open(struct ryde_window_keys *k,
    const struct ryde_window_extent_cell *cell, int64_t first_end_ms,
    struct ryde_err *err)
{
	const struct ryde_window_extent_span span = {cell->from_ms, cell->to_ms};
	size_t n = k->n;
	struct ryde_window_keys_pane *p = ryde_window_keys_open(k, &span, false, err);

	if (p != NULL && k->n > n) {
		p->first_end_ms = first_end_ms;
		p->last_end_ms = cell->spans[cell->n - 1].end_ms;
	}
	return p;
}

/* The first window of a slice that is not out; behind its last one where there is none.
 * Without a zone they end a step apart. */
static int64_t
next_end(const struct ryde_window_keys *k, const struct ryde_window_keys_pane *p)
{
	int64_t step_ms = k->def->extent.step_ms;

	if (p->first_end_ms > k->out_ms)
		return p->first_end_ms;
	return p->first_end_ms + ((k->out_ms - p->first_end_ms) / step_ms + 1) * step_ms;
}

bool
ryde_window_slices_end(const struct ryde_window_keys *k, int64_t *end_ms)
{
	/* Of a later slice no window ends before all of an earlier one. */
	if (k->n == 0)
		return false;
	*end_ms = next_end(k, k->panes[0]);
	return true;
}

/* Adds the groups of a slice to those of a window. */
static int
add_slice(struct ryde_window_keys *k, struct ryde_window_keys_pane *to,
    const struct ryde_window_keys_pane *from, const struct ryde_window_group *group,
    struct ryde_err *err)
{
	for (size_t i = 0; i < from->cap; i++) {
		struct ryde_window_keys_group *g = from->table[i].group, *mine;
		struct ryde_window_agg_order order = {0};
		struct ryde_view key;

		if (g == NULL)
			continue;
		key = ryde_window_keys_key(k, g);
		if (g->written != NULL)
			order = ryde_window_agg_order_of(&g->written->kept, group);
		mine = ryde_window_keys_group(k, to, key, g->hash,
		    g->written != NULL ? ryde_window_keys_text(k, g) : key, &order, err);
		if (mine == NULL ||
		    ryde_window_agg_merge(k->def, ryde_window_keys_states(mine),
			ryde_window_keys_states(g), group, err) != 0)
			return -1;
	}
	return 0;
}

struct ryde_window_keys_pane *
ryde_window_slices_join(struct ryde_window_keys *k, const struct ryde_window_group *group)
{
	struct ryde_window_extent_span span = {0};
	const struct ryde_window_keys_pane *first = k->panes[0];
	struct ryde_window_keys_pane *p;

	span.end_ms = next_end(k, first);
	span.start_ms =
	    (k->def->extent.kind == RYDE_WINDOW_HOP ? span.end_ms : first->last_end_ms) -
	    k->def->extent.size_ms;
	p = ryde_window_keys_pane_new(k, &span);
	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < k->n && k->panes[i]->end_ms <= span.end_ms; i++) {
		if (add_slice(k, p, k->panes[i], group, NULL) != 0) {
			ryde_window_keys_pane_free(k, p);
			return NULL;
		}
	}
	return p;
}

void
ryde_window_slices_done(struct ryde_window_keys *k, int64_t end_ms)
{
	k->out_ms = end_ms;
	while (k->n > 0 && k->panes[0]->last_end_ms <= end_ms)
		ryde_window_keys_drop(k, 0);
}
