#include "engine/window_list.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/window_agg.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 4

struct item {
	struct ryde_window_agg_kept kept;
	char *text;
	uint32_t n; /* a line is at most 10 MiB */
};

struct ryde_window_list_values {
	struct item *items; /* in order */
	size_t n, cap, bytes;
	uint64_t omitted;
	/* The first one that was left out. What stands behind it is left out too, even
	 * where it would fit: else it would matter what came first. */
	bool cut;
	struct ryde_window_agg_kept first_out;
};

static struct ryde_window_agg_order
order_of(const struct ryde_window_agg_kept *kept, const struct ryde_window_group *group)
{
	return (struct ryde_window_agg_order){
	    kept->at_ms, kept->ordinal, (uint32_t)kept->shard, group, NULL};
}

/* Where a record's value stands. Values mostly come in order. */
static size_t
place_of(
    const struct ryde_window_list_values *v, const struct ryde_window_agg_order *order)
{
	size_t low = 0, high = v->n;

	if (high > 0 && !ryde_window_agg_is_before(order, &v->items[high - 1].kept))
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ryde_window_agg_is_before(order, &v->items[middle].kept))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void
leave_out(struct ryde_window_list_values *v, const struct ryde_window_agg_order *order)
{
	v->omitted++;
	if (!v->cut || ryde_window_agg_is_before(order, &v->first_out)) {
		v->cut = true;
		ryde_window_agg_keep(&v->first_out, order);
	}
}

static void
drop_last(struct ryde_window_list_values *v, const struct ryde_window_group *group)
{
	struct item *last = &v->items[--v->n];
	struct ryde_window_agg_order order = order_of(&last->kept, group);

	leave_out(v, &order);
	v->bytes -= last->n;
	free(last->text);
}

static int
insert(struct ryde_window_list_values *v, struct ryde_view value,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	size_t cap = v->cap != 0 ? 2 * v->cap : FIRST, at = place_of(v, order);
	struct item *items, item = {.n = (uint32_t)value.n};

	if (v->n == v->cap) {
		items = realloc(v->items, cap * sizeof(*items));
		if (items == NULL)
			return ryde_err_nomem(err);
		v->items = items;
		v->cap = cap;
	}
	item.text = malloc(value.n);
	if (item.text == NULL)
		return ryde_err_nomem(err);
	memcpy(item.text, value.p, value.n);
	ryde_window_agg_keep(&item.kept, order);
	memmove(&v->items[at + 1], &v->items[at], (v->n - at) * sizeof(*v->items));
	v->items[at] = item;
	v->n++;
	v->bytes += value.n;
	return 0;
}

static int
start(struct ryde_window_list *l, struct ryde_err *err)
{
	if (l->values == NULL)
		l->values = calloc(1, sizeof(*l->values));
	return l->values != NULL ? 0 : ryde_err_nomem(err);
}

int
ryde_window_list_add(struct ryde_window_list *l, size_t max, struct ryde_view value,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_list_values *v;

	if (start(l, err) != 0)
		return -1;
	v = l->values;
	/* A full list need not take in what would be its new end. */
	if ((v->cut && !ryde_window_agg_is_before(order, &v->first_out)) ||
	    (v->n == max && !ryde_window_agg_is_before(order, &v->items[max - 1].kept))) {
		leave_out(v, order);
		return 0;
	}
	if (insert(v, value, order, err) != 0)
		return -1;
	while (v->n > 0 && (v->n > max || v->bytes > RYDE_WINDOW_LIST_BYTES_MAX))
		drop_last(v, order->group);
	return 0;
}

int
ryde_window_list_merge(struct ryde_window_list *l, size_t max,
    const struct ryde_window_list *from, const struct ryde_window_group *group,
    struct ryde_err *err)
{
	const struct ryde_window_list_values *f = from->values;
	struct ryde_window_agg_order order;

	if (f == NULL)
		return 0;
	if (start(l, err) != 0)
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		order = order_of(&f->items[i].kept, group);
		if (ryde_window_list_add(l, max,
			ryde_view_mem(f->items[i].text, f->items[i].n), &order, err) != 0)
			return -1;
	}
	if (!f->cut)
		return 0;
	order = order_of(&f->first_out, group);
	leave_out(l->values, &order);
	l->values->omitted += f->omitted - 1;
	order = order_of(&l->values->first_out, group);
	while (l->values->n > 0 && ryde_window_agg_is_before(
				       &order, &l->values->items[l->values->n - 1].kept))
		drop_last(l->values, group);
	return 0;
}

void
ryde_window_list_put(const struct ryde_window_list *l, struct ryde_buf *to)
{
	ryde_buf_putc(to, '[');
	for (size_t i = 0; l->values != NULL && i < l->values->n; i++) {
		if (i > 0)
			ryde_buf_putc(to, ',');
		ryde_buf_add(to, l->values->items[i].text, l->values->items[i].n);
	}
	ryde_buf_putc(to, ']');
}

uint64_t
ryde_window_list_omitted(const struct ryde_window_list *l)
{
	return l->values != NULL ? l->values->omitted : 0;
}

size_t
ryde_window_list_bytes(const struct ryde_window_list *l)
{
	const struct ryde_window_list_values *v = l->values;

	return v != NULL ? sizeof(*v) + v->cap * sizeof(*v->items) + v->bytes : 0;
}

void
ryde_window_list_free(struct ryde_window_list *l)
{
	if (l->values == NULL)
		return;
	for (size_t i = 0; i < l->values->n; i++)
		free(l->values->items[i].text);
	free(l->values->items);
	free(l->values);
	l->values = NULL;
}
