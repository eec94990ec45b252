#include "engine/query_tally.h"

#include "base/err.h"
#include "base/mix.h"
#include "base/num.h"
#include "engine/query_group.h"
#include "engine/query_number.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdlib.h>
#include <string.h>

#define ROW_MAX ((size_t)64 << 20)

/* ---- groups ---- */

/* A number as its key: equal ones have equal bytes. */
static int
put_number(struct ryde_query_tally *t, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_query_number n;

	ryde_buf_clear(&t->text);
	if (ryde_query_number(&n, text, &t->text) != 0)
		return ryde_err_nomem(err);
	if (n.kind == RYDE_QUERY_NUMBER_EXACT)
		return RYDE_QUERY_PLAIN;
	if (n.kind == RYDE_QUERY_NUMBER_REAL && n.real <= RYDE_QUERY_SCALAR_WHOLE &&
	    n.real >= -RYDE_QUERY_SCALAR_WHOLE && (double)(int64_t)n.real == n.real) {
		n.kind = RYDE_QUERY_NUMBER_INTEGER;
		n.integer = (int64_t)n.real;
	}
	/* beyond, an INTEGER and a REAL may be equal and look different */
	if (n.kind == RYDE_QUERY_NUMBER_REAL &&
	    (n.real > RYDE_QUERY_SCALAR_WHOLE || n.real < -RYDE_QUERY_SCALAR_WHOLE))
		return RYDE_QUERY_PLAIN;
	if (n.kind == RYDE_QUERY_NUMBER_INTEGER) {
		ryde_buf_putc(&t->row_key, 'i');
		ryde_buf_add(&t->row_key, &n.integer, sizeof(n.integer));
	} else {
		ryde_buf_putc(&t->row_key, 'r');
		ryde_buf_add(&t->row_key, &n.real, sizeof(n.real));
	}
	return 0;
}

/* The row's key: each value's kind, and its bytes with their number. */
static int
put_key(struct ryde_query_tally *t, struct ryde_err *err)
{
	int rc = 0;

	ryde_buf_clear(&t->row_key);
	for (size_t i = 0; rc == 0 && i < t->g->shape.n_keys; i++) {
		const struct ryde_json_value *v = &t->values[t->g->key_paths[i]];
		uint32_t n = (uint32_t)v->text.n;

		if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL) {
			ryde_buf_putc(&t->row_key, 'n');
		} else if (v->kind == RYDE_JSON_NUMBER) {
			rc = put_number(t, v->text, err);
		} else if (v->kind == RYDE_JSON_STRING && !v->escaped) {
			ryde_buf_putc(&t->row_key, 's');
			ryde_buf_add(&t->row_key, &n, sizeof(n));
			ryde_buf_view(&t->row_key, v->text);
		} else {
			rc = RYDE_QUERY_PLAIN;
		}
	}
	return rc == 0 ? ryde_buf_check(&t->row_key, err) : rc;
}

static int
grow_slots(struct ryde_query_tally *t, struct ryde_err *err)
{
	size_t n = t->n_slots == 0 ? 1024 : t->n_slots * 2;
	size_t *slots;

	if (t->n * 2 < t->n_slots)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (slots == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < t->n; i++) {
		size_t at = (size_t)t->groups[i].hash & (n - 1);

		while (slots[at] != 0)
			at = (at + 1) & (n - 1);
		slots[at] = i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	return 0;
}

static int
add_group(struct ryde_query_tally *t, uint64_t hash, struct ryde_err *err)
{
	struct ryde_query_grouped *new;
	size_t n = t->g->shape.n_items;

	if (t->n == t->cap) {
		size_t cap = t->cap * 2 + 64;
		struct ryde_query_grouped *groups =
		    realloc(t->groups, cap * sizeof(*groups));

		if (groups == NULL)
			return ryde_err_nomem(err);
		t->groups = groups;
		t->cap = cap;
	}
	new = &t->groups[t->n];
	*new = (struct ryde_query_grouped){
	    .hash = hash, .key_at = t->keys.n, .key_n = t->row_key.n};
	new->aggregates = calloc(n, sizeof(*new->aggregates));
	if (new->aggregates == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		ryde_decimal_sum_init(&new->aggregates[i].sum);
	t->n++;
	ryde_buf_view(&t->keys, ryde_buf_as_view(&t->row_key));
	t->bytes += sizeof(*new) + n * sizeof(*new->aggregates) + t->row_key.n + 64;
	if (t->bytes > RYDE_QUERY_GROUP_MAX || t->keys.failed)
		return RYDE_QUERY_PLAIN;
	return grow_slots(t, err);
}

/* The row's group, by its key. */
static int
find_group(
    struct ryde_query_tally *t, struct ryde_query_grouped **found, struct ryde_err *err)
{
	uint64_t hash = ryde_mix(t->row_key.p, t->row_key.n);
	size_t at;
	int rc;

	if (t->n_slots == 0 && grow_slots(t, err) != 0)
		return -1;
	for (at = (size_t)hash & (t->n_slots - 1); t->slots[at] != 0;
	     at = (at + 1) & (t->n_slots - 1)) {
		struct ryde_query_grouped *o = &t->groups[t->slots[at] - 1];

		if (o->hash == hash && o->key_n == t->row_key.n &&
		    memcmp(t->keys.p + o->key_at, t->row_key.p, o->key_n) == 0) {
			*found = o;
			return 0;
		}
	}
	t->slots[at] = t->n + 1;
	rc = add_group(t, hash, err);
	*found = t->n > 0 ? &t->groups[t->n - 1] : NULL;
	return rc;
}

/* ---- values ---- */

static int
add_number(struct ryde_query_aggregated *a, struct ryde_view text, struct ryde_err *err)
{
	int64_t whole;

	if (!a->fractions && !ryde_num_i64(text, INT64_MIN, INT64_MAX, &whole))
		a->fractions = true;
	return ryde_decimal_sum_add(&a->sum, text, err);
}

static int
keep(struct ryde_query_tally *t, struct ryde_query_extreme *best,
    const struct ryde_query_scalar *v, struct ryde_err *err)
{
	if (v->kind == RYDE_QUERY_SCALAR_TEXT && v->text.n > best->cap) {
		char *text = realloc(best->text, v->text.n * 2);

		if (text == NULL)
			return ryde_err_nomem(err);
		t->bytes += v->text.n * 2;
		best->text = text;
		best->cap = v->text.n * 2;
	}
	best->value = *v;
	if (v->kind == RYDE_QUERY_SCALAR_TEXT) {
		if (v->text.n > 0)
			memcpy(best->text, v->text.p, v->text.n);
		best->value.text = ryde_view_mem(best->text, v->text.n);
	}
	return t->bytes > RYDE_QUERY_GROUP_MAX ? RYDE_QUERY_PLAIN : 0;
}

static int
keep_better(struct ryde_query_tally *t, struct ryde_query_extreme *best,
    const struct ryde_query_scalar *v, int sign, struct ryde_err *err)
{
	int c = best->value.kind == RYDE_QUERY_SCALAR_NULL
		    ? sign
		    : ryde_query_scalar_order(v, &best->value);

	if (c == RYDE_QUERY_SCALAR_UNSURE)
		return RYDE_QUERY_PLAIN;
	return c * sign > 0 ? keep(t, best, v, err) : 0;
}

static int
take_extreme(struct ryde_query_tally *t, struct ryde_query_extreme *best,
    const struct ryde_json_value *value, int sign, struct ryde_err *err)
{
	struct ryde_query_scalar v;
	int rc;

	if (value->kind != RYDE_JSON_NUMBER && value->kind != RYDE_JSON_STRING)
		return RYDE_QUERY_PLAIN;
	rc = ryde_query_scalar(&v, value, &t->text, err);
	return rc == 0 ? keep_better(t, best, &v, sign, err) : rc;
}

static int
take_value(struct ryde_query_tally *t, struct ryde_query_grouped *group, size_t i,
    struct ryde_err *err)
{
	struct ryde_query_aggregated *a = &group->aggregates[i];
	const struct ryde_json_value *v;

	if (t->g->shape.items[i].what == RYDE_QUERY_KEY_COLUMN)
		return 0;
	if (t->g->shape.items[i].what == RYDE_QUERY_COUNT_ALL) {
		a->n++;
		return 0;
	}
	v = &t->values[t->g->item_paths[i]];
	if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL)
		return 0;
	a->n++;
	switch (t->g->shape.items[i].what) {
	case RYDE_QUERY_SUM:
	case RYDE_QUERY_TOTAL:
	case RYDE_QUERY_AVG:
		return v->kind == RYDE_JSON_NUMBER ? add_number(a, v->text, err)
						   : RYDE_QUERY_PLAIN;
	case RYDE_QUERY_MIN:
		return take_extreme(t, &a->best, v, -1, err);
	case RYDE_QUERY_MAX:
		return take_extreme(t, &a->best, v, 1, err);
	case RYDE_QUERY_KEY_COLUMN:
	case RYDE_QUERY_COUNT_ALL:
	case RYDE_QUERY_COUNT:
		break;
	}
	return 0;
}

int
ryde_query_tally_row(struct ryde_query_tally *t, struct ryde_view row,
    struct ryde_json_fault *fault, struct ryde_err *err)
{
	struct ryde_query_grouped *group;
	bool wanted;
	int rc;

	if (ryde_json_shapes_read(t->shapes, row, t->g->paths, t->values, fault) != 0)
		return RYDE_QUERY_TALLY_BAD;
	t->rows++;
	rc =
	    ryde_query_where_holds(&t->g->shape.where, t->values, &t->text, &wanted, err);
	if (rc != 0 || !wanted)
		return rc;
	rc = put_key(t, err);
	if (rc == 0)
		rc = find_group(t, &group, err);
	for (size_t i = 0; rc == 0 && i < t->g->shape.n_items; i++)
		rc = take_value(t, group, i, err);
	return rc;
}

static int
merge_value(struct ryde_query_tally *t, struct ryde_query_aggregated *a,
    const struct ryde_query_aggregated *other, enum ryde_query_aggregate what,
    struct ryde_err *err)
{
	a->n += other->n;
	a->fractions = a->fractions || other->fractions;
	switch (what) {
	case RYDE_QUERY_SUM:
	case RYDE_QUERY_TOTAL:
	case RYDE_QUERY_AVG:
		return ryde_decimal_sum_merge(&a->sum, &other->sum, err);
	case RYDE_QUERY_MIN:
	case RYDE_QUERY_MAX:
		if (other->best.value.kind == RYDE_QUERY_SCALAR_NULL)
			return 0;
		return keep_better(t, &a->best, &other->best.value,
		    what == RYDE_QUERY_MAX ? 1 : -1, err);
	case RYDE_QUERY_KEY_COLUMN:
	case RYDE_QUERY_COUNT_ALL:
	case RYDE_QUERY_COUNT:
		break;
	}
	return 0;
}

int
ryde_query_tally_merge(struct ryde_query_tally *t, const struct ryde_query_tally *other,
    struct ryde_err *err)
{
	struct ryde_query_grouped *group;
	int rc = 0;

	t->rows += other->rows;
	for (size_t i = 0; rc == 0 && i < other->n; i++) {
		const struct ryde_query_grouped *from = &other->groups[i];

		ryde_buf_clear(&t->row_key);
		ryde_buf_add(&t->row_key, other->keys.p + from->key_at, from->key_n);
		rc = ryde_buf_check(&t->row_key, err);
		if (rc == 0)
			rc = find_group(t, &group, err);
		for (size_t k = 0; rc == 0 && k < t->g->shape.n_items; k++)
			rc = merge_value(t, &group->aggregates[k], &from->aggregates[k],
			    t->g->shape.items[k].what, err);
	}
	return rc;
}

int
ryde_query_tally_init(
    struct ryde_query_tally *t, const struct ryde_query_grouping *g, struct ryde_err *err)
{
	*t = (struct ryde_query_tally){.g = g};
	ryde_buf_init(&t->keys, RYDE_QUERY_GROUP_MAX);
	ryde_buf_init(&t->row_key, ROW_MAX);
	ryde_buf_init(&t->text, ROW_MAX);
	t->values = calloc(ryde_json_paths_count(g->paths) + 1, sizeof(*t->values));
	t->shapes = malloc(sizeof(*t->shapes));
	if (t->values == NULL || t->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(t->shapes);
	return 0;
}

void
ryde_query_tally_free(struct ryde_query_tally *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < t->g->shape.n_items; k++) {
			ryde_decimal_sum_free(&t->groups[i].aggregates[k].sum);
			free(t->groups[i].aggregates[k].best.text);
		}
		free(t->groups[i].aggregates);
	}
	free(t->groups);
	free(t->slots);
	free(t->values);
	free(t->shapes);
	ryde_buf_free(&t->keys);
	ryde_buf_free(&t->row_key);
	ryde_buf_free(&t->text);
	*t = (struct ryde_query_tally){0};
}
