/* The least or the greatest of numbers, as the first record that had it wrote it. All
 * zeros: of none. */
#ifndef RYDE_ENGINE_WINDOW_EXTREME_H
#define RYDE_ENGINE_WINDOW_EXTREME_H

#include "engine/window_agg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_window_extreme_written;

enum ryde_window_extreme_form {
	RYDE_WINDOW_EXTREME_NOTHING, /* no value yet */
	RYDE_WINDOW_EXTREME_SMALL,   /* in the struct */
	RYDE_WINDOW_EXTREME_LARGE,   /* on the heap */
};

struct ryde_window_extreme {
	union {
		int64_t coefficient;
		struct ryde_window_extreme_written *written;
	} u;
	struct ryde_window_agg_kept kept;
};

/* Takes a number in. -1 only without memory. */
int ryde_window_extreme_add(struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_agg_input *in, const struct ryde_window_agg_order *order,
    struct ryde_err *err);
/* True for a value that lies within what is held, or equals it and came later, as nearly
 * all do: it changes nothing. False may also mean that a closer look is needed. */
static inline bool
ryde_window_extreme_holds(const struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_number *n, int64_t at_ms)
{
	if (e->kept.form != RYDE_WINDOW_EXTREME_SMALL || !n->small ||
	    n->scale != e->kept.scale)
		return false;
	if (n->coefficient == e->u.coefficient)
		return at_ms > e->kept.at_ms;
	return greatest ? n->coefficient < e->u.coefficient
			: n->coefficient > e->u.coefficient;
}

/* Takes a small number in that is of the scale of what is held, as nearly all are. False,
 * with nothing changed, where it is another, or equals what is held and is not later. */
static inline bool
ryde_window_extreme_add_usual(struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_number *n, const struct ryde_window_agg_order *order)
{
	if (e->kept.form != RYDE_WINDOW_EXTREME_SMALL || !n->plain ||
	    n->scale != e->kept.scale)
		return false;
	if (n->coefficient == e->u.coefficient)
		return order->at_ms > e->kept.at_ms;
	if (greatest ? n->coefficient > e->u.coefficient
		     : n->coefficient < e->u.coefficient) {
		e->u.coefficient = n->coefficient;
		ryde_window_agg_keep(&e->kept, order);
	}
	return true;
}

/* Takes in what another one holds. */
int ryde_window_extreme_merge(struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_extreme *from, const struct ryde_window_group *group,
    struct ryde_err *err);
/* Appends it, null where there is none. */
void ryde_window_extreme_put(const struct ryde_window_extreme *e, struct ryde_buf *to);
/* What it holds on the heap. */
size_t ryde_window_extreme_bytes(const struct ryde_window_extreme *e);
/* Frees what it holds. */
void ryde_window_extreme_free(struct ryde_window_extreme *e);

#endif
