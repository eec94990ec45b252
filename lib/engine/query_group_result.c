#include "engine/query_group_result.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_run.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "engine/query_tally.h"

#include <sqlite3.h>
#include <string.h>

#define ROW_MAX ((size_t)64 << 20)
#define MEAN_DIGITS 17 /* as query_exact.c */

/* Takes a value from the front of a group's key and binds it. */
static const char *
bind_key(sqlite3_stmt *st, int at, const char *p)
{
	uint32_t n;
	int64_t integer;
	double real;

	switch (*p++) {
	case 'i':
		memcpy(&integer, p, sizeof(integer));
		(void)sqlite3_bind_int64(st, at, integer);
		return p + sizeof(integer);
	case 'r':
		memcpy(&real, p, sizeof(real));
		(void)sqlite3_bind_double(st, at, real);
		return p + sizeof(real);
	case 's':
		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		(void)sqlite3_bind_text(st, at, p, (int)n, SQLITE_STATIC);
		return p + n;
	default:
		(void)sqlite3_bind_null(st, at);
		return p;
	}
}

/* The sum's text, divided for an average; SQL makes of it what sum() would give. */
static int
bind_sum(struct ryde_query_tally *t, sqlite3_stmt *st, int at,
    struct ryde_query_aggregated *a, bool mean, struct ryde_err *err)
{
	struct ryde_decimal total = {0}, n = {0};
	int rc = ryde_decimal_sum_total(&a->sum, &total, err);

	if (rc == 0 && mean) {
		ryde_decimal_of_i64(&n, a->n);
		rc = ryde_decimal_div(&total, &total, &n, MEAN_DIGITS, err);
	}
	ryde_buf_clear(&t->text);
	ryde_decimal_put(&t->text, &total);
	if (rc == 0 && ryde_buf_check(&t->text, err) == 0)
		(void)sqlite3_bind_text(
		    st, at, t->text.p, (int)t->text.n, SQLITE_TRANSIENT);
	ryde_decimal_free(&total);
	ryde_decimal_free(&n);
	return rc;
}

static void
bind_scalar(sqlite3_stmt *st, int at, const struct ryde_query_scalar *s)
{
	switch (s->kind) {
	case RYDE_QUERY_SCALAR_NULL:
		(void)sqlite3_bind_null(st, at);
		break;
	case RYDE_QUERY_SCALAR_INTEGER:
		(void)sqlite3_bind_int64(st, at, s->integer);
		break;
	case RYDE_QUERY_SCALAR_REAL:
		(void)sqlite3_bind_double(st, at, s->real);
		break;
	case RYDE_QUERY_SCALAR_TEXT:
		(void)sqlite3_bind_text(st, at, s->text.n > 0 ? s->text.p : "",
		    (int)s->text.n, SQLITE_STATIC);
		break;
	}
}

static int
bind_item(struct ryde_query_tally *t, sqlite3_stmt *st, int at, size_t i,
    struct ryde_query_aggregated *a, struct ryde_err *err)
{
	switch (t->g->shape.items[i].what) {
	case RYDE_QUERY_KEY_COLUMN:
		break;
	case RYDE_QUERY_COUNT_ALL:
	case RYDE_QUERY_COUNT:
		(void)sqlite3_bind_int64(st, at, a->n);
		break;
	case RYDE_QUERY_SUM:
	case RYDE_QUERY_TOTAL:
	case RYDE_QUERY_AVG:
		if (a->n > 0)
			return bind_sum(t, st, at, a,
			    t->g->shape.items[i].what == RYDE_QUERY_AVG, err);
		(void)sqlite3_bind_null(st, at);
		break;
	case RYDE_QUERY_MIN:
	case RYDE_QUERY_MAX:
		bind_scalar(st, at, &a->best.value);
		break;
	}
	return 0;
}

/* How a bound item is stored: a sum's text as sum() would give it. */
static const char *
store_as(const struct ryde_query_grouping *g, size_t i)
{
	switch (g->shape.items[i].what) {
	case RYDE_QUERY_SUM:
		return "ryde_sum(?,?)";
	case RYDE_QUERY_AVG:
		return "ryde_sum(?,0)";
	case RYDE_QUERY_TOTAL:
		return "ifnull(ryde_sum(?,0),0.0)";
	case RYDE_QUERY_KEY_COLUMN:
	case RYDE_QUERY_COUNT_ALL:
	case RYDE_QUERY_COUNT:
	case RYDE_QUERY_MIN:
	case RYDE_QUERY_MAX:
		break;
	}
	return "?";
}

static int
insert_groups(struct ryde_query_tally *t, sqlite3_stmt *st, struct ryde_err *err)
{
	for (size_t k = 0; k < t->n; k++) {
		const char *key = t->keys.p + t->groups[k].key_at;
		int at = 1;

		for (size_t i = 0; i < t->g->shape.n_keys; i++)
			key = bind_key(st, at++, key);
		for (size_t i = 0; i < t->g->shape.n_items; i++) {
			struct ryde_query_aggregated *a = &t->groups[k].aggregates[i];

			if (t->g->shape.items[i].what == RYDE_QUERY_KEY_COLUMN)
				continue;
			if (bind_item(t, st, at++, i, a, err) != 0)
				return -1;
			if (t->g->shape.items[i].what == RYDE_QUERY_SUM)
				(void)sqlite3_bind_int(st, at++, !a->fractions);
		}
		if (sqlite3_step(st) != SQLITE_DONE)
			return ryde_err_set(
			    err, RYDE_EDATA, "%s", sqlite3_errmsg(t->g->q->db));
		(void)sqlite3_reset(st);
	}
	return 0;
}

static int
execute(const struct ryde_query_grouping *g, const char *sql, struct ryde_err *err)
{
	return sqlite3_exec(g->q->db, sql, NULL, NULL, NULL) == SQLITE_OK
		   ? 0
		   : ryde_err_set(err, RYDE_ESOFTWARE, "%s", sqlite3_errmsg(g->q->db));
}

/* The groups as a table of SQLite's, in the order that GROUP BY gives them. */
int
ryde_query_group_result_store(struct ryde_query_tally *t, struct ryde_err *err)
{
	struct ryde_buf sql, order;
	sqlite3_stmt *st = NULL;
	int rc;

	ryde_buf_init(&sql, ROW_MAX);
	ryde_buf_init(&order, ROW_MAX);
	ryde_buf_puts(&sql, "DROP TABLE IF EXISTS temp.ryde_groups;"
			    "DROP TABLE IF EXISTS temp.ryde_result;"
			    "CREATE TEMP TABLE ryde_groups(");
	for (size_t i = 0; i < t->g->shape.n_keys; i++) {
		ryde_buf_printf(&sql, "%sk%zu", i > 0 ? "," : "", i);
		ryde_buf_printf(&order, "%sk%zu", i > 0 ? "," : "", i);
	}
	for (size_t i = 0; i < t->g->shape.n_items; i++)
		if (t->g->shape.items[i].what != RYDE_QUERY_KEY_COLUMN)
			ryde_buf_printf(&sql, ",a%zu", i);
	ryde_buf_puts(&sql, ")");
	rc = execute(t->g, ryde_buf_str(&sql), err);
	ryde_buf_clear(&sql);
	ryde_buf_puts(&sql, "INSERT INTO temp.ryde_groups VALUES(");
	for (size_t i = 0; i < t->g->shape.n_keys; i++)
		ryde_buf_puts(&sql, i > 0 ? ",?" : "?");
	for (size_t i = 0; i < t->g->shape.n_items; i++)
		if (t->g->shape.items[i].what != RYDE_QUERY_KEY_COLUMN)
			ryde_buf_printf(&sql, ",%s", store_as(t->g, i));
	ryde_buf_puts(&sql, ")");
	if (rc == 0 && sqlite3_prepare_v2(
			   t->g->q->db, ryde_buf_str(&sql), -1, &st, NULL) != SQLITE_OK)
		rc = ryde_err_set(err, RYDE_ESOFTWARE, "%s", sqlite3_errmsg(t->g->q->db));
	if (rc == 0)
		rc = insert_groups(t, st, err);
	(void)sqlite3_finalize(st);
	ryde_buf_clear(&sql);
	ryde_buf_printf(&sql,
	    "CREATE TEMP TABLE ryde_result AS SELECT * FROM temp.ryde_groups ORDER BY %s;"
	    "DROP TABLE temp.ryde_groups",
	    ryde_buf_str(&order));
	if (rc == 0)
		rc = execute(t->g, ryde_buf_str(&sql), err);
	ryde_buf_free(&sql);
	ryde_buf_free(&order);
	return rc;
}

/* The name of item i as SQLite would give it. */
static void
put_name(struct ryde_query_grouping *g, size_t i, struct ryde_buf *to)
{
	const struct ryde_query_column *c;

	if (g->shape.items[i].named) {
		ryde_query_sql_unquote(&g->text, g->shape.items[i].name);
		ryde_query_sql_quote(to, ryde_buf_as_view(&g->text));
	} else if (g->shape.items[i].what == RYDE_QUERY_KEY_COLUMN) {
		ryde_query_sql_unquote(&g->text, g->shape.items[i].column);
		c = ryde_query_columns_find(&g->table->columns, ryde_buf_str(&g->text));
		ryde_query_sql_quote(
		    to, c != NULL ? ryde_view_of(c->name) : ryde_buf_as_view(&g->text));
	} else {
		ryde_query_sql_quote(to, g->shape.items[i].name);
	}
}

static void
put_key(const struct ryde_query_grouping *g, size_t i, struct ryde_buf *to)
{
	for (size_t k = 0; k < g->shape.n_keys; k++) {
		if (!ryde_query_sql_is_name(g->shape.keys[k], g->shape.items[i].column))
			continue;
		ryde_buf_printf(to, "k%zu", k);
		return;
	}
}

/* HAVING as a condition of the rows that there are, blanks where it has some. */
static void
put_having(const struct ryde_query_grouping *g, struct ryde_buf *to)
{
	const char *end = NULL;

	for (size_t i = 0; i < g->shape.n_having; i++) {
		const struct ryde_query_having *h = &g->shape.having[i];

		ryde_buf_puts(to, i == 0 ? "WHERE " : end != h->text.p ? " " : "");
		switch (h->kind) {
		case RYDE_QUERY_HAVING_SQL:
		case RYDE_QUERY_HAVING_NAME:
			ryde_buf_view(to, h->text);
			break;
		case RYDE_QUERY_HAVING_KEY:
			ryde_buf_printf(to, "k%zu", h->item);
			break;
		case RYDE_QUERY_HAVING_ITEM:
			ryde_buf_printf(to, "a%zu", h->item);
			break;
		}
		end = h->text.p + h->text.n;
	}
	if (g->shape.n_having > 0)
		ryde_buf_putc(to, ' ');
}

int
ryde_query_group_result_statement(
    struct ryde_query_grouping *g, struct ryde_buf *to, struct ryde_err *err)
{
	ryde_buf_puts(to, "SELECT ");
	for (size_t i = 0; i < g->shape.n_shown; i++) {
		if (i > 0)
			ryde_buf_putc(to, ',');
		if (g->shape.items[i].what != RYDE_QUERY_KEY_COLUMN)
			ryde_buf_printf(to, "a%zu", i);
		else
			put_key(g, i, to);
		ryde_buf_puts(to, " AS ");
		put_name(g, i, to);
	}
	ryde_buf_puts(to, " FROM temp.ryde_result ");
	put_having(g, to);
	ryde_buf_view(to, g->shape.tail);
	return ryde_buf_check(to, err);
}
