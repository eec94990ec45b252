#include "engine/window_agg.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/window_canon.h"
#include "engine/window_distinct.h"
#include "engine/window_extreme.h"
#include "engine/window_group.h"
#include "engine/window_list.h"
#include "engine/window_quantile.h"
#include "engine/window_sum.h"

#include <stdlib.h>
#include <string.h>

enum form {
	NOTHING, /* no value yet */
	SMALL,	 /* there is one */
};

struct mean {
	struct ryde_window_sum sum;
	uint64_t count;
};

struct deviation {
	struct mean mean;
	struct ryde_window_sum squares;
};

struct edge {
	char *text;
	uint32_t n, cap;
	struct ryde_window_agg_kept kept; /* form NOTHING: none yet */
};

bool
ryde_window_agg_is_before(
    const struct ryde_window_agg_order *order, const struct ryde_window_agg_kept *kept)
{
	if (order->at_ms != kept->at_ms)
		return order->at_ms < kept->at_ms;
	if (order->shard != kept->shard)
		return ryde_window_group_cmp(
			   order->group, order->shard, (uint32_t)kept->shard) < 0;
	return order->ordinal < kept->ordinal;
}

bool
ryde_window_agg_is_numeric(enum ryde_window_def_function f)
{
	return f == RYDE_WINDOW_DEF_SUM || f == RYDE_WINDOW_DEF_AVG ||
	       f == RYDE_WINDOW_DEF_MIN || f == RYDE_WINDOW_DEF_MAX ||
	       f == RYDE_WINDOW_DEF_STDDEV || f == RYDE_WINDOW_DEF_PERCENTILE;
}

bool
ryde_window_agg_is_columnar(enum ryde_window_def_function f)
{
	return f == RYDE_WINDOW_DEF_SUM || f == RYDE_WINDOW_DEF_AVG ||
	       f == RYDE_WINDOW_DEF_MIN || f == RYDE_WINDOW_DEF_MAX ||
	       f == RYDE_WINDOW_DEF_COUNT_ALL || f == RYDE_WINDOW_DEF_COUNT;
}

bool
ryde_window_agg_is_scalar(enum ryde_window_def_function f)
{
	return f == RYDE_WINDOW_DEF_DISTINCT;
}

size_t
ryde_window_agg_bytes(enum ryde_window_def_function f)
{
	switch (f) {
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
		return 0;
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		return sizeof(uint64_t);
	case RYDE_WINDOW_DEF_SUM:
		return sizeof(struct ryde_window_sum);
	case RYDE_WINDOW_DEF_AVG:
		return sizeof(struct mean);
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		return sizeof(struct ryde_window_extreme);
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		return sizeof(struct edge);
	case RYDE_WINDOW_DEF_STDDEV:
		return sizeof(struct deviation);
	case RYDE_WINDOW_DEF_DISTINCT:
		return sizeof(struct ryde_window_distinct);
	case RYDE_WINDOW_DEF_PERCENTILE:
		return sizeof(struct ryde_window_quantile);
	case RYDE_WINDOW_DEF_LIST:
		return sizeof(struct ryde_window_list);
	}
	return 0;
}

/* The sum, or (digits not 0) the mean in so many of them. */
static int
mean_put(const struct ryde_window_sum *s, uint64_t count, unsigned digits,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_decimal total = {0}, by = {0};
	char text[RYDE_WINDOW_NUMBER_TEXT];
	size_t n;
	int rc;

	if (ryde_window_sum_is_empty(s)) {
		ryde_buf_puts(to, "null");
		return 0;
	}
	if (digits == 0 && (n = ryde_window_sum_text(s, text)) > 0) {
		ryde_buf_add(to, text, n);
		return 0;
	}
	rc = ryde_window_sum_total(s, &total, err);
	if (rc == 0 && digits != 0) {
		/* a count of lines: far below 2^63 */
		ryde_decimal_of_i64(&by, (int64_t)count);
		rc = ryde_decimal_div(&total, &total, &by, digits, err);
	}
	if (rc == 0)
		ryde_decimal_put(to, &total);
	ryde_decimal_free(&total);
	return rc;
}

/* The deviation of a sample: the root of (n * squares - sum^2) / (n * (n - 1)), of which
 * only the last step is rounded. */
static int
deviation_put(
    const struct deviation *s, unsigned digits, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_decimal a = {0}, b = {0}, n = {0}, less = {0};
	int rc = -1;

	if (s->mean.count < 2) {
		ryde_buf_puts(to, "null");
		return 0;
	}
	ryde_decimal_of_i64(&n, (int64_t)s->mean.count);
	ryde_decimal_of_i64(&less, (int64_t)s->mean.count - 1);
	if (ryde_window_sum_total(&s->squares, &a, err) != 0 ||
	    ryde_decimal_mul(&a, &n, err) != 0 ||
	    ryde_window_sum_total(&s->mean.sum, &b, err) != 0 ||
	    ryde_decimal_mul(&b, &b, err) != 0 || ryde_decimal_sub(&a, &b, err) != 0 ||
	    ryde_decimal_mul(&n, &less, err) != 0 ||
	    ryde_decimal_root(&a, &a, &n, digits, err) != 0)
		goto out;
	ryde_decimal_put(to, &a);
	rc = 0;
out:
	ryde_decimal_free(&a);
	ryde_decimal_free(&b);
	ryde_decimal_free(&n);
	return rc;
}

/* A value in the form that all equal ones have. */
static int
distinct_add(struct ryde_window_distinct *d, const struct ryde_window_agg_input *in,
    struct ryde_err *err)
{
	struct ryde_window_number n;
	struct ryde_buf canon;
	int rc;

	if (in->kind == RYDE_JSON_NUMBER) {
		ryde_window_number_read(&n, in->text);
		if (n.small && n.plain && n.scale == 0)
			return ryde_window_distinct_add(d, in->text, err);
	} else if (in->kind != RYDE_JSON_STRING || !in->escaped) {
		return ryde_window_distinct_add(d, in->text, err);
	}
	ryde_buf_init(&canon, RYDE_WINDOW_CANON_MAX);
	rc = in->kind == RYDE_JSON_NUMBER
		 ? ryde_window_canon_number(&canon, in->text, err)
		 : ryde_window_canon_string(&canon, in->text, true, err);
	if (rc == 0)
		rc = ryde_buf_check(&canon, err);
	if (rc == 0)
		rc = ryde_window_distinct_add(d, ryde_buf_as_view(&canon), err);
	ryde_buf_free(&canon);
	return rc;
}

struct ryde_window_agg_order
ryde_window_agg_order_of(
    const struct ryde_window_agg_kept *kept, const struct ryde_window_group *group)
{
	return (struct ryde_window_agg_order){
	    kept->at_ms, kept->ordinal, (uint32_t)kept->shard, group, NULL};
}

static int
edge_add(struct edge *e, bool latest, struct ryde_view value,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	char *text;

	/* A record has one place: what is not before is behind (or another line of the
	 * same record, also behind). */
	if (e->kept.form != NOTHING &&
	    ryde_window_agg_is_before(order, &e->kept) == latest)
		return 0;
	if (value.n > e->cap) {
		text = realloc(e->text, value.n);
		if (text == NULL)
			return ryde_err_nomem(err);
		e->text = text;
		e->cap = (uint32_t)value.n; /* a line is at most 10 MiB */
	}
	memcpy(e->text, value.p, value.n);
	e->n = (uint32_t)value.n;
	e->kept.form = SMALL;
	ryde_window_agg_keep(&e->kept, order);
	return 0;
}

static void
edge_put(const struct edge *e, struct ryde_buf *to)
{
	if (e->kept.form == NOTHING)
		ryde_buf_puts(to, "null");
	else
		ryde_buf_add(to, e->text, e->n);
}

static int
edge_merge(struct edge *e, bool latest, const struct edge *from,
    const struct ryde_window_group *group, struct ryde_err *err)
{
	struct ryde_window_agg_order order = ryde_window_agg_order_of(&from->kept, group);

	if (from->kept.form == NOTHING)
		return 0;
	return edge_add(e, latest, ryde_view_mem(from->text, from->n), &order, err);
}

static int
deviation_add(
    struct deviation *s, const struct ryde_window_agg_input *in, struct ryde_err *err)
{
	s->mean.count++;
	if (ryde_window_sum_add(&s->mean.sum, &in->number, &in->exact, err) != 0)
		return -1;
	return ryde_window_sum_add_square(&s->squares, &in->number, &in->exact, err);
}

/* One value that is there. */
static int
add(const struct ryde_window_def *def, enum ryde_window_def_function f, void *state,
    const struct ryde_window_agg_input *in, const struct ryde_window_agg_order *order,
    struct ryde_err *err)
{
	switch (f) {
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		++*(uint64_t *)state;
		return 0;
	case RYDE_WINDOW_DEF_AVG:
		((struct mean *)state)->count++;
		return ryde_window_sum_add(
		    &((struct mean *)state)->sum, &in->number, &in->exact, err);
	case RYDE_WINDOW_DEF_SUM:
		return ryde_window_sum_add(state, &in->number, &in->exact, err);
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		return ryde_window_extreme_add(
		    state, f == RYDE_WINDOW_DEF_MAX, in, order, err);
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		return edge_add(state, f == RYDE_WINDOW_DEF_LAST, in->text, order, err);
	case RYDE_WINDOW_DEF_STDDEV:
		return deviation_add(state, in, err);
	case RYDE_WINDOW_DEF_DISTINCT:
		return distinct_add(state, in, err);
	case RYDE_WINDOW_DEF_PERCENTILE:
		return ryde_window_quantile_add(
		    state, def->accuracy_ppm, &in->number, &in->exact, err);
	case RYDE_WINDOW_DEF_LIST:
		return ryde_window_list_add(state, def->list_max, in->text, order, err);
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
		break;
	}
	return 0;
}

/* What one state holds on the heap. */
static size_t
heap_of(enum ryde_window_def_function f, const void *state)
{
	switch (f) {
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		return ((const struct edge *)state)->cap;
	case RYDE_WINDOW_DEF_DISTINCT:
		return ryde_window_distinct_bytes(state);
	case RYDE_WINDOW_DEF_PERCENTILE:
		return ryde_window_quantile_bytes(state);
	case RYDE_WINDOW_DEF_LIST:
		return ryde_window_list_bytes(state);
	case RYDE_WINDOW_DEF_SUM:
		return ryde_window_sum_bytes(state);
	case RYDE_WINDOW_DEF_AVG:
		return ryde_window_sum_bytes(&((const struct mean *)state)->sum);
	case RYDE_WINDOW_DEF_STDDEV:
		return ryde_window_sum_bytes(
			   &((const struct deviation *)state)->mean.sum) +
		       ryde_window_sum_bytes(&((const struct deviation *)state)->squares);
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		return ryde_window_extreme_bytes(state);
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		break;
	}
	return 0;
}

size_t
ryde_window_agg_heap_bytes(const struct ryde_window_def *def, const void *states)
{
	size_t bytes = 0;

	for (size_t i = 0; i < def->n_states; i++)
		bytes += heap_of(
		    def->states[i].function, (const char *)states + def->states[i].slot);
	return bytes;
}

/* What nearly all records do to the usual functions; true where that was all. */
static inline bool
take_usual(enum ryde_window_def_function f, void *state,
    const struct ryde_window_agg_input *in, const struct ryde_window_agg_order *order)
{
	if (f == RYDE_WINDOW_DEF_MIN || f == RYDE_WINDOW_DEF_MAX)
		return ryde_window_extreme_holds(
		    state, f == RYDE_WINDOW_DEF_MAX, &in->number, order->at_ms);
	if (f == RYDE_WINDOW_DEF_SUM)
		return ryde_window_sum_add_usual(state, &in->number);
	return false;
}

int
ryde_window_agg_take(const struct ryde_window_def *def, void *states,
    const struct ryde_window_agg_input *inputs, const bool *passes,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	for (size_t i = 0; i < def->n_states; i++) {
		const struct ryde_window_def_state *s = &def->states[i];
		const struct ryde_window_agg_input *in = NULL;
		size_t before = 0;
		void *state;

		if (s->where != RYDE_WINDOW_DEF_ALWAYS && !passes[s->where])
			continue;
		if (s->has_path) {
			in = &inputs[s->path];
			if (in->kind == RYDE_JSON_ABSENT || in->kind == RYDE_JSON_NULL)
				continue;
		}
		state = (char *)states + s->slot;
		if (in != NULL && take_usual(s->function, state, in, order))
			continue;
		if (order->heap_bytes != NULL)
			before = heap_of(s->function, state);
		if (add(def, s->function, state, in, order, err) != 0)
			return -1;
		if (order->heap_bytes != NULL)
			*order->heap_bytes += heap_of(s->function, state) - before;
	}
	return 0;
}

static struct ryde_window_agg_order
order_in(const struct ryde_window_agg_block *b, size_t i)
{
	return (struct ryde_window_agg_order){
	    b->at_ms[i], b->ordinal + i, b->shard, b->group, NULL};
}

/* One record of a block, where its value is not the usual one. */
static int
take_one(const struct ryde_window_def *def, const struct ryde_window_def_state *s,
    const struct ryde_window_agg_block *b, size_t i, struct ryde_err *err)
{
	const struct ryde_window_agg_order order = order_in(b, i);
	struct ryde_window_agg_input in = {.kind = RYDE_JSON_NUMBER,
	    .text = b->values[i * def->n_paths + s->path].text,
	    .number = b->numbers[s->path * RYDE_WINDOW_AGG_BLOCK + i]};

	return add(def, s->function, (char *)b->states[i] + s->slot, &in, &order, err);
}

static inline bool
mean_add_usual(struct mean *m, const struct ryde_window_number *n)
{
	bool usual = ryde_window_sum_add_usual(&m->sum, n);

	m->count += usual;
	return usual;
}

/* What a record of a block does to a state, where it is the usual. */
static inline __attribute__((always_inline)) int
take_column(const struct ryde_window_def *def, const struct ryde_window_def_state *s,
    enum ryde_window_def_function f, const struct ryde_window_agg_block *b,
    struct ryde_err *err)
{
	const struct ryde_window_number *n = b->numbers + s->path * RYDE_WINDOW_AGG_BLOCK;
	size_t slot = s->slot;

	for (size_t i = 0; i < b->n; i++) {
		const struct ryde_window_agg_order order = order_in(b, i);
		void *state = (char *)b->states[i] + slot;
		bool usual = true;

		if (f == RYDE_WINDOW_DEF_COUNT)
			++*(uint64_t *)state;
		else if (f == RYDE_WINDOW_DEF_SUM)
			usual = ryde_window_sum_add_usual(state, &n[i]);
		else if (f == RYDE_WINDOW_DEF_AVG)
			usual = mean_add_usual(state, &n[i]);
		else
			usual = ryde_window_extreme_add_usual(
			    state, f == RYDE_WINDOW_DEF_MAX, &n[i], &order);
		if (!usual && take_one(def, s, b, i, err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_window_agg_take_block(const struct ryde_window_def *def,
    const struct ryde_window_agg_block *b, struct ryde_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < def->n_states && rc == 0; i++) {
		const struct ryde_window_def_state *s = &def->states[i];

		if (s->function == RYDE_WINDOW_DEF_SUM)
			rc = take_column(def, s, RYDE_WINDOW_DEF_SUM, b, err);
		else if (s->function == RYDE_WINDOW_DEF_MIN)
			rc = take_column(def, s, RYDE_WINDOW_DEF_MIN, b, err);
		else if (s->function == RYDE_WINDOW_DEF_MAX)
			rc = take_column(def, s, RYDE_WINDOW_DEF_MAX, b, err);
		else if (s->function == RYDE_WINDOW_DEF_AVG)
			rc = take_column(def, s, RYDE_WINDOW_DEF_AVG, b, err);
		else
			rc = take_column(def, s, RYDE_WINDOW_DEF_COUNT, b, err);
	}
	return rc;
}

static int
mean_merge(struct mean *m, const struct mean *from, struct ryde_err *err)
{
	m->count += from->count;
	return ryde_window_sum_merge(&m->sum, &from->sum, err);
}

static int
deviation_merge(struct deviation *s, const struct deviation *from, struct ryde_err *err)
{
	if (mean_merge(&s->mean, &from->mean, err) != 0)
		return -1;
	return ryde_window_sum_merge(&s->squares, &from->squares, err);
}

static int
merge(const struct ryde_window_def *def, enum ryde_window_def_function f, void *state,
    const void *from, const struct ryde_window_group *group, struct ryde_err *err)
{

	switch (f) {
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		*(uint64_t *)state += *(const uint64_t *)from;
		return 0;
	case RYDE_WINDOW_DEF_AVG:
		return mean_merge(state, from, err);
	case RYDE_WINDOW_DEF_SUM:
		return ryde_window_sum_merge(state, from, err);
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		return ryde_window_extreme_merge(
		    state, f == RYDE_WINDOW_DEF_MAX, from, group, err);
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		return edge_merge(state, f == RYDE_WINDOW_DEF_LAST, from, group, err);
	case RYDE_WINDOW_DEF_STDDEV:
		return deviation_merge(state, from, err);
	case RYDE_WINDOW_DEF_DISTINCT:
		return ryde_window_distinct_merge(state, from, err);
	case RYDE_WINDOW_DEF_PERCENTILE:
		return ryde_window_quantile_merge(state, def->accuracy_ppm, from, err);
	case RYDE_WINDOW_DEF_LIST:
		return ryde_window_list_merge(state, def->list_max, from, group, err);
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
		break;
	}
	return 0;
}

int
ryde_window_agg_merge(const struct ryde_window_def *def, void *states, const void *from,
    const struct ryde_window_group *group, struct ryde_err *err)
{
	for (size_t i = 0; i < def->n_states; i++) {
		const struct ryde_window_def_state *s = &def->states[i];

		if (merge(def, s->function, (char *)states + s->slot,
			(const char *)from + s->slot, group, err) != 0)
			return -1;
	}
	return 0;
}

static int
list_put(const struct ryde_window_def_column *c, const struct ryde_window_list *l,
    struct ryde_buf *to)
{
	uint64_t omitted = ryde_window_list_omitted(l);

	ryde_window_list_put(l, to);
	if (omitted > 0) {
		/* the label is `,"name":` or `{"name":` */
		ryde_buf_putc(to, ',');
		ryde_buf_add(to, c->label + 1, c->label_n - 3);
		ryde_buf_puts(to, RYDE_WINDOW_DEF_OMITTED "\":");
		ryde_buf_u64(to, omitted);
	}
	return 0;
}

int
ryde_window_agg_put(const struct ryde_window_def *def, const void *states, size_t column,
    struct ryde_buf *to, struct ryde_err *err)
{
	const struct ryde_window_def_column *c = &def->columns[column];
	const void *state = (const char *)states + def->states[c->state].slot;
	const struct mean *mean = state;

	switch (c->function) {
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		ryde_buf_u64(to, *(const uint64_t *)state);
		return 0;
	case RYDE_WINDOW_DEF_SUM:
		return mean_put(state, 0, 0, to, err);
	case RYDE_WINDOW_DEF_AVG:
		return mean_put(&mean->sum, mean->count, def->digits, to, err);
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		ryde_window_extreme_put(state, to);
		return 0;
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		edge_put(state, to);
		return 0;
	case RYDE_WINDOW_DEF_STDDEV:
		return deviation_put(state, def->digits, to, err);
	case RYDE_WINDOW_DEF_DISTINCT:
		ryde_buf_u64(to, ryde_window_distinct_count(state));
		return 0;
	case RYDE_WINDOW_DEF_PERCENTILE:
		return ryde_window_quantile_put(
		    state, def->accuracy_ppm, c->part, c->of, to, err);
	case RYDE_WINDOW_DEF_LIST:
		return list_put(c, state, to);
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
		break;
	}
	return 0;
}

static void
release(enum ryde_window_def_function f, void *state)
{
	switch (f) {
	case RYDE_WINDOW_DEF_SUM:
		ryde_window_sum_free(state);
		break;
	case RYDE_WINDOW_DEF_AVG:
		ryde_window_sum_free(&((struct mean *)state)->sum);
		break;
	case RYDE_WINDOW_DEF_MIN:
	case RYDE_WINDOW_DEF_MAX:
		ryde_window_extreme_free(state);
		break;
	case RYDE_WINDOW_DEF_FIRST:
	case RYDE_WINDOW_DEF_LAST:
		free(((struct edge *)state)->text);
		break;
	case RYDE_WINDOW_DEF_STDDEV:
		ryde_window_sum_free(&((struct deviation *)state)->mean.sum);
		ryde_window_sum_free(&((struct deviation *)state)->squares);
		break;
	case RYDE_WINDOW_DEF_DISTINCT:
		ryde_window_distinct_free(state);
		break;
	case RYDE_WINDOW_DEF_PERCENTILE:
		ryde_window_quantile_free(state);
		break;
	case RYDE_WINDOW_DEF_LIST:
		ryde_window_list_free(state);
		break;
	case RYDE_WINDOW_DEF_START:
	case RYDE_WINDOW_DEF_END:
	case RYDE_WINDOW_DEF_COUNT_ALL:
	case RYDE_WINDOW_DEF_COUNT:
		break;
	}
}

void
ryde_window_agg_free(const struct ryde_window_def *def, void *states)
{
	for (size_t i = 0; i < def->n_states; i++)
		release(def->states[i].function, (char *)states + def->states[i].slot);
}
