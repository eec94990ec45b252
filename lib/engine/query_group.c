#include "engine/query_group.h"

#include "base/err.h"
#include "base/mix.h"
#include "base/num.h"
#include "base/signals.h"
#include "engine/query.h"
#include "engine/query_filter.h"
#include "engine/query_group_result.h"
#include "engine/query_number.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_BETWEEN_LOOKS 4096
#define ROW_MAX ((size_t)64 << 20)
#define WHOLE_MAX 9007199254740992 /* integers up to here are doubles */
#define PLAIN 1 /* what functions return beside 0 and -1: SQLite has to do it */

/* ---- before ---- */

/* The path of a plain column of the payload; PLAIN where it is something else. */
static int
find_path(struct ryde_query_grouping *g, struct ryde_view token, size_t *path,
    struct ryde_err *err)
{
	const struct ryde_query_columns *columns = &g->table->columns;
	const struct ryde_query_column *c;

	ryde_query_sql_unquote(&g->text, token);
	c = ryde_query_columns_find(columns, ryde_buf_str(&g->text));
	if (c == NULL || c->index >= g->table->n_columns ||
	    c->type != RYDE_QUERY_TYPE_ANY)
		return PLAIN;
	for (size_t i = 0; i < columns->n_keys; i++)
		if (columns->keys[i].index == c->index && &columns->keys[i] != c)
			return PLAIN;
	ryde_buf_clear(&g->text);
	ryde_buf_puts(&g->text, ".\"");
	ryde_buf_add(&g->text, c->raw, c->raw_n);
	ryde_buf_putc(&g->text, '"');
	if (ryde_buf_check(&g->text, err) != 0)
		return -1;
	return ryde_json_paths_add(g->paths, ryde_buf_str(&g->text), path, err);
}

static int
find_paths(struct ryde_query_grouping *g, struct ryde_err *err)
{
	int rc = 0;

	g->paths = ryde_json_paths_new();
	if (g->paths == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_keys; i++)
		rc = find_path(g, g->shape.keys[i], &g->key_paths[i], err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_items; i++)
		if (g->shape.items[i].what != RYDE_QUERY_COUNT_ALL)
			rc = find_path(
			    g, g->shape.items[i].column, &g->item_paths[i], err);
	if (rc != 0)
		return rc;
	g->values = calloc(ryde_json_paths_count(g->paths) + 1, sizeof(*g->values));
	g->shapes = malloc(sizeof(*g->shapes));
	if (g->values == NULL || g->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(g->shapes);
	return 0;
}

/* True where SQLite has a table or a view of that name. */
static bool
is_known(sqlite3 *db, const char *name)
{
	sqlite3_stmt *st = NULL;
	bool known = true;

	if (sqlite3_prepare_v2(db,
		"SELECT 1 FROM (SELECT name FROM sqlite_schema UNION ALL "
		"SELECT name FROM temp.sqlite_schema) WHERE name=? COLLATE NOCASE",
		-1, &st, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
		known = sqlite3_step(st) != SQLITE_DONE;
	}
	(void)sqlite3_finalize(st);
	return known;
}

static int
find_table(struct ryde_query_grouping *g, struct ryde_err *err)
{
	struct ryde_query_vtab *v = &g->q->tables;
	struct ryde_buf name;
	struct ryde_err e = RYDE_ERR_INIT;
	int rc = 0;

	(void)err;
	ryde_buf_init(&name, RYDE_QUERY_GROUP_MAX);
	ryde_query_sql_unquote(&name, g->shape.from);
	g->table = ryde_query_vtab_find(v, ryde_buf_str(&name));
	if (g->table == NULL) {
		/* a view or a table of SQLite's comes first; what fails, fails there */
		if (is_known(g->q->db, ryde_buf_str(&name)) ||
		    ryde_query_vtab_open(v, ryde_buf_str(&name), &e) != 0)
			rc = PLAIN;
		else
			g->table = ryde_query_vtab_find(v, ryde_buf_str(&name));
	}
	ryde_buf_free(&name);
	return g->table != NULL ? rc : PLAIN;
}

/* ---- groups ---- */

/* A number as its key: equal ones have equal bytes. */
static int
put_number(struct ryde_query_grouping *g, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_query_number n;

	ryde_buf_clear(&g->text);
	if (ryde_query_number(&n, text, &g->text) != 0)
		return ryde_err_nomem(err);
	if (n.kind == RYDE_QUERY_NUMBER_EXACT)
		return PLAIN;
	if (n.kind == RYDE_QUERY_NUMBER_REAL && n.real <= WHOLE_MAX &&
	    n.real >= -WHOLE_MAX && (double)(int64_t)n.real == n.real) {
		n.kind = RYDE_QUERY_NUMBER_INTEGER;
		n.integer = (int64_t)n.real;
	}
	/* beyond, an INTEGER and a REAL may be equal and look different */
	if (n.kind == RYDE_QUERY_NUMBER_REAL &&
	    (n.real > WHOLE_MAX || n.real < -WHOLE_MAX))
		return PLAIN;
	if (n.kind == RYDE_QUERY_NUMBER_INTEGER) {
		ryde_buf_putc(&g->row_key, 'i');
		ryde_buf_add(&g->row_key, &n.integer, sizeof(n.integer));
	} else {
		ryde_buf_putc(&g->row_key, 'r');
		ryde_buf_add(&g->row_key, &n.real, sizeof(n.real));
	}
	return 0;
}

/* The row's key: each value's kind, and its bytes with their number. */
static int
put_key(struct ryde_query_grouping *g, struct ryde_err *err)
{
	int rc = 0;

	ryde_buf_clear(&g->row_key);
	for (size_t i = 0; rc == 0 && i < g->shape.n_keys; i++) {
		const struct ryde_json_value *v = &g->values[g->key_paths[i]];
		uint32_t n = (uint32_t)v->text.n;

		if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL) {
			ryde_buf_putc(&g->row_key, 'n');
		} else if (v->kind == RYDE_JSON_NUMBER) {
			rc = put_number(g, v->text, err);
		} else if (v->kind == RYDE_JSON_STRING && !v->escaped) {
			ryde_buf_putc(&g->row_key, 's');
			ryde_buf_add(&g->row_key, &n, sizeof(n));
			ryde_buf_view(&g->row_key, v->text);
		} else {
			rc = PLAIN;
		}
	}
	return rc == 0 ? ryde_buf_check(&g->row_key, err) : rc;
}

static int
grow_slots(struct ryde_query_grouping *g, struct ryde_err *err)
{
	size_t n = g->n_slots == 0 ? 1024 : g->n_slots * 2;
	size_t *slots;

	if (g->n * 2 < g->n_slots)
		return 0;
	slots = calloc(n, sizeof(*slots));
	if (slots == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < g->n; i++) {
		size_t at = (size_t)g->groups[i].hash & (n - 1);

		while (slots[at] != 0)
			at = (at + 1) & (n - 1);
		slots[at] = i + 1;
	}
	free(g->slots);
	g->slots = slots;
	g->n_slots = n;
	return 0;
}

static int
add_group(struct ryde_query_grouping *g, uint64_t hash, struct ryde_err *err)
{
	struct ryde_query_grouped *new;
	size_t n = g->shape.n_items;

	if (g->n == g->cap) {
		size_t cap = g->cap * 2 + 64;
		struct ryde_query_grouped *groups =
		    realloc(g->groups, cap * sizeof(*groups));

		if (groups == NULL)
			return ryde_err_nomem(err);
		g->groups = groups;
		g->cap = cap;
	}
	new = &g->groups[g->n];
	*new = (struct ryde_query_grouped){
	    .hash = hash, .key_at = g->keys.n, .key_n = g->row_key.n};
	new->aggregates = calloc(n, sizeof(*new->aggregates));
	if (new->aggregates == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		ryde_decimal_sum_init(&new->aggregates[i].sum);
	g->n++;
	ryde_buf_view(&g->keys, ryde_buf_as_view(&g->row_key));
	g->bytes += sizeof(*new) + n * sizeof(*new->aggregates) + g->row_key.n + 64;
	if (g->bytes > RYDE_QUERY_GROUP_MAX || g->keys.failed)
		return PLAIN;
	return grow_slots(g, err);
}

/* The row's group, by its key. */
static int
find_group(struct ryde_query_grouping *g, struct ryde_query_grouped **found,
    struct ryde_err *err)
{
	uint64_t hash = ryde_mix(g->row_key.p, g->row_key.n);
	size_t at;
	int rc;

	if (g->n_slots == 0 && grow_slots(g, err) != 0)
		return -1;
	for (at = (size_t)hash & (g->n_slots - 1); g->slots[at] != 0;
	     at = (at + 1) & (g->n_slots - 1)) {
		struct ryde_query_grouped *o = &g->groups[g->slots[at] - 1];

		if (o->hash == hash && o->key_n == g->row_key.n &&
		    memcmp(g->keys.p + o->key_at, g->row_key.p, o->key_n) == 0) {
			*found = o;
			return 0;
		}
	}
	g->slots[at] = g->n + 1;
	rc = add_group(g, hash, err);
	*found = g->n > 0 ? &g->groups[g->n - 1] : NULL;
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

/* Numbers come before texts; PLAIN_ORDER where an order is not plain. */
#define PLAIN_ORDER 2

static int
compare(const struct ryde_query_extreme *a, const struct ryde_query_extreme *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	double x, y;
	int c;

	if ((a->kind == RYDE_QUERY_BEST_TEXT) != (b->kind == RYDE_QUERY_BEST_TEXT))
		return a->kind == RYDE_QUERY_BEST_TEXT ? 1 : -1;
	if (a->kind == RYDE_QUERY_BEST_TEXT) {
		c = n > 0 ? memcmp(a->text, b->text, n) : 0;
		c = c != 0 ? c : (a->n > b->n) - (a->n < b->n);
		return c < 0 ? -1 : c > 0;
	}
	if (a->kind == RYDE_QUERY_BEST_INTEGER && b->kind == RYDE_QUERY_BEST_INTEGER)
		return (a->integer > b->integer) - (a->integer < b->integer);
	x = a->kind == RYDE_QUERY_BEST_INTEGER ? (double)a->integer : a->real;
	y = b->kind == RYDE_QUERY_BEST_INTEGER ? (double)b->integer : b->real;
	if (a->kind != b->kind && (x > WHOLE_MAX || x < -WHOLE_MAX))
		return PLAIN_ORDER;
	return (x > y) - (x < y);
}

static int
keep(struct ryde_query_grouping *g, struct ryde_query_extreme *best,
    const struct ryde_query_extreme *v, struct ryde_err *err)
{
	char *text = best->text;
	size_t cap = best->cap;

	if (v->kind == RYDE_QUERY_BEST_TEXT && v->n > cap) {
		text = realloc(best->text, v->n * 2);
		if (text == NULL)
			return ryde_err_nomem(err);
		g->bytes += v->n * 2;
		cap = v->n * 2;
	}
	if (v->kind == RYDE_QUERY_BEST_TEXT && v->n > 0)
		memcpy(text, v->text, v->n);
	*best = *v;
	best->text = text;
	best->cap = cap;
	return g->bytes > RYDE_QUERY_GROUP_MAX ? PLAIN : 0;
}

static int
take_extreme(struct ryde_query_grouping *g, struct ryde_query_extreme *best,
    const struct ryde_json_value *value, int sign, struct ryde_err *err)
{
	struct ryde_query_number n;
	struct ryde_query_extreme v = {.kind = RYDE_QUERY_BEST_TEXT};
	int c;

	if (value->kind == RYDE_JSON_NUMBER) {
		ryde_buf_clear(&g->text);
		if (ryde_query_number(&n, value->text, &g->text) != 0)
			return ryde_err_nomem(err);
		if (n.kind == RYDE_QUERY_NUMBER_EXACT)
			return PLAIN;
		v.kind = n.kind == RYDE_QUERY_NUMBER_INTEGER ? RYDE_QUERY_BEST_INTEGER
							     : RYDE_QUERY_BEST_REAL;
		v.integer = n.integer;
		v.real = n.real;
	} else if (value->kind == RYDE_JSON_STRING && !value->escaped) {
		/* only read from: keep copies it */
		memcpy(&v.text, &value->text.p, sizeof(v.text));
		v.n = value->text.n;
	} else {
		return PLAIN;
	}
	c = best->kind == RYDE_QUERY_BEST_NONE ? sign : compare(&v, best);
	if (c == PLAIN_ORDER)
		return PLAIN;
	return c * sign > 0 ? keep(g, best, &v, err) : 0;
}

static int
take_value(struct ryde_query_grouping *g, struct ryde_query_grouped *group, size_t i,
    struct ryde_err *err)
{
	struct ryde_query_aggregated *a = &group->aggregates[i];
	const struct ryde_json_value *v;

	if (g->shape.items[i].what == RYDE_QUERY_KEY_COLUMN)
		return 0;
	if (g->shape.items[i].what == RYDE_QUERY_COUNT_ALL) {
		a->n++;
		return 0;
	}
	v = &g->values[g->item_paths[i]];
	if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL)
		return 0;
	a->n++;
	switch (g->shape.items[i].what) {
	case RYDE_QUERY_SUM:
	case RYDE_QUERY_TOTAL:
	case RYDE_QUERY_AVG:
		return v->kind == RYDE_JSON_NUMBER ? add_number(a, v->text, err) : PLAIN;
	case RYDE_QUERY_MIN:
		return take_extreme(g, &a->best, v, -1, err);
	case RYDE_QUERY_MAX:
		return take_extreme(g, &a->best, v, 1, err);
	case RYDE_QUERY_KEY_COLUMN:
	case RYDE_QUERY_COUNT_ALL:
	case RYDE_QUERY_COUNT:
		break;
	}
	return 0;
}

static int
take_row(struct ryde_query_grouping *g, struct ryde_query_cursor *c,
    const struct ryde_query_row *row, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	struct ryde_query_grouped *group;
	int rc;

	if (!row->json)
		return PLAIN;
	if (ryde_json_shapes_read(g->shapes, row->data, g->paths, g->values, &fault) != 0)
		return g->table->source->unchecked ? c->ops->bad(c, &fault, err) : PLAIN;
	g->rows++;
	rc = put_key(g, err);
	if (rc == 0)
		rc = find_group(g, &group, err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_items; i++)
		rc = take_value(g, group, i, err);
	return rc;
}

static int
scan(struct ryde_query_grouping *g, struct ryde_err *err)
{
	const struct ryde_query_filter all = {NULL, 0};
	struct ryde_query_source *source = g->table->source;
	struct ryde_query_cursor *c = source->ops->cursor(source, &all, err);
	struct ryde_query_sources *o = &g->q->sources;
	struct ryde_query_row row;
	uint64_t n = 0;
	int rc = c != NULL ? 0 : -1;

	while (rc == 0 && (rc = c->ops->next(c, &row, err)) == 1) {
		rc = take_row(g, c, &row, err);
		if (rc != 0 || ++n % ROWS_BETWEEN_LOOKS != 0)
			continue;
		if (o->tick != NULL)
			o->tick(o->arg, NULL);
		if (ryde_signals_stop() > 0)
			rc = ryde_err_set(
			    err, RYDE_ETEMPFAIL, "interrupted: the answer is not whole");
	}
	if (c != NULL)
		c->ops->free_cursor(c);
	return rc;
}

static void
clear(struct ryde_query_grouping *g)
{
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < g->shape.n_items; k++) {
			ryde_decimal_sum_free(&g->groups[i].aggregates[k].sum);
			free(g->groups[i].aggregates[k].best.text);
		}
		free(g->groups[i].aggregates);
	}
	free(g->groups);
	free(g->slots);
	free(g->values);
	free(g->shapes);
	ryde_json_paths_free(g->paths);
	ryde_buf_free(&g->keys);
	ryde_buf_free(&g->row_key);
	ryde_buf_free(&g->text);
}

int
ryde_query_group(struct ryde_query_session *q, const char *sql, size_t *used,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_query_grouping g = {.q = q};
	int rc;

	if (q->o->follow || !ryde_query_shape_read(&g.shape, ryde_view_of(sql)))
		return 0;
	ryde_buf_init(&g.keys, RYDE_QUERY_GROUP_MAX);
	ryde_buf_init(&g.row_key, ROW_MAX);
	ryde_buf_init(&g.text, ROW_MAX);
	rc = find_table(&g, err);
	if (rc == 0)
		rc = find_paths(&g, err);
	if (rc == 0)
		rc = scan(&g, err);
	if (rc == 0)
		rc = ryde_query_group_result_store(&g, err);
	if (rc == 0)
		rc = ryde_query_group_result_statement(&g, to, err);
	if (rc == 0) {
		*used = (size_t)(g.shape.rest.p - sql);
		if (g.table->source->counted)
			q->tables.rows += g.rows;
	}
	clear(&g);
	return rc == 0 ? 1 : rc == PLAIN ? 0 : -1;
}
