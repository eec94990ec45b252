#include "engine/window_extreme.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* A number that cannot be written again from its value, or is too long for it. */
struct ryde_window_extreme_written {
	struct ryde_window_number number;
	size_t n;
	char text[];
};

static struct ryde_window_number
number_of(const struct ryde_window_extreme *e)
{
	if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
		return e->u.written->number;
	return (struct ryde_window_number){
	    e->u.coefficient, (int)e->kept.scale, true, true};
}

/* The exact value of what an extreme holds: the slow way. */
static int
exact_of(
    const struct ryde_window_extreme *e, struct ryde_decimal *to, struct ryde_err *err)
{
	if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
		return ryde_decimal_parse(
		    to, ryde_view_mem(e->u.written->text, e->u.written->n), err);
	return ryde_window_number_decimal(e->u.coefficient, (int)e->kept.scale, to, err);
}

/* *cmp becomes -1, 0, 1: the input against what is held. */
static int
compare(const struct ryde_window_extreme *e, const struct ryde_window_agg_input *in,
    int *cmp, struct ryde_err *err)
{
	struct ryde_window_number held = number_of(e);
	struct ryde_decimal a = {0}, b = {0};
	int rc;

	if (held.small && in->number.small) {
		*cmp = ryde_window_number_cmp(&in->number, &held);
		return 0;
	}
	rc = ryde_decimal_parse(&a, in->text, err);
	if (rc == 0)
		rc = exact_of(e, &b, err);
	if (rc == 0)
		*cmp = ryde_decimal_cmp(&a, &b);
	ryde_decimal_free(&a);
	ryde_decimal_free(&b);
	return rc;
}

static int
set(struct ryde_window_extreme *e, const struct ryde_window_agg_input *in,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_extreme_written *w;

	if (in->number.small && in->number.plain) {
		if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
			free(e->u.written);
		e->u.coefficient = in->number.coefficient;
		e->kept.scale = (unsigned)in->number.scale & 31;
		e->kept.form = RYDE_WINDOW_EXTREME_SMALL;
	} else {
		w = calloc(1, sizeof(*w) + in->text.n);
		if (w == NULL)
			return ryde_err_nomem(err);
		w->number = in->number;
		w->n = in->text.n;
		memcpy(w->text, in->text.p, in->text.n);
		if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
			free(e->u.written);
		e->u.written = w;
		e->kept.form = RYDE_WINDOW_EXTREME_LARGE;
	}
	ryde_window_agg_keep(&e->kept, order);
	return 0;
}

int
ryde_window_extreme_add(struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_agg_input *in, const struct ryde_window_agg_order *order,
    struct ryde_err *err)
{
	const struct ryde_window_number *n = &in->number;
	int cmp = 0;

	if (e->kept.form == RYDE_WINDOW_EXTREME_NOTHING)
		return set(e, in, order, err);
	if (e->kept.form == RYDE_WINDOW_EXTREME_SMALL && n->small &&
	    n->scale == e->kept.scale) {
		/* Nearly all values neither exceed what is held nor come before it. */
		if (greatest ? n->coefficient < e->u.coefficient
			     : n->coefficient > e->u.coefficient)
			return 0;
		if (n->coefficient != e->u.coefficient)
			return set(e, in, order, err);
	} else if (compare(e, in, &cmp, err) != 0)
		return -1;
	if (greatest)
		cmp = -cmp;
	if (cmp > 0 || (cmp == 0 && !ryde_window_agg_is_before(order, &e->kept)))
		return 0;
	return set(e, in, order, err);
}

void
ryde_window_extreme_put(const struct ryde_window_extreme *e, struct ryde_buf *to)
{
	char text[RYDE_WINDOW_NUMBER_TEXT];

	if (e->kept.form == RYDE_WINDOW_EXTREME_NOTHING)
		ryde_buf_puts(to, "null");
	else if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
		ryde_buf_add(to, e->u.written->text, e->u.written->n);
	else
		ryde_buf_add(to, text,
		    ryde_window_number_text(e->u.coefficient, (int)e->kept.scale, text));
}

int
ryde_window_extreme_merge(struct ryde_window_extreme *e, bool greatest,
    const struct ryde_window_extreme *from, const struct ryde_window_group *group,
    struct ryde_err *err)
{
	struct ryde_window_agg_order order = ryde_window_agg_order_of(&from->kept, group);
	struct ryde_window_agg_input in = {.kind = RYDE_JSON_NUMBER};
	char text[RYDE_WINDOW_NUMBER_TEXT];

	if (from->kept.form == RYDE_WINDOW_EXTREME_NOTHING)
		return 0;
	in.number = number_of(from);
	if (in.number.small &&
	    ryde_window_extreme_add_usual(e, greatest, &in.number, &order))
		return 0;
	if (from->kept.form == RYDE_WINDOW_EXTREME_LARGE)
		in.text = ryde_view_mem(from->u.written->text, from->u.written->n);
	else
		in.text = ryde_view_mem(text, ryde_window_number_text(from->u.coefficient,
						  (int)from->kept.scale, text));
	return ryde_window_extreme_add(e, greatest, &in, &order, err);
}

size_t
ryde_window_extreme_bytes(const struct ryde_window_extreme *e)
{
	return e->kept.form == RYDE_WINDOW_EXTREME_LARGE
		   ? sizeof(*e->u.written) + e->u.written->n
		   : 0;
}

void
ryde_window_extreme_free(struct ryde_window_extreme *e)
{
	if (e->kept.form == RYDE_WINDOW_EXTREME_LARGE)
		free(e->u.written);
}
