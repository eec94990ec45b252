#include "engine/query_table.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/signals.h"
#include "engine/query_source.h"
#include "engine/query_sql.h"
#include "json/scan.h"

#include <stdlib.h>
#include <string.h>

void
ryde_query_table_free(struct ryde_query_table *t)
{
	if (t == NULL)
		return;
	ryde_query_source_close(t->source);
	ryde_query_columns_free(&t->columns);
	free(t->name);
	free(t);
}

/* Takes the keys of the first `most` rows. */
static int
look(struct ryde_query_table *t, uint64_t most, struct ryde_err *err)
{
	struct ryde_query_cursor *c = t->source->ops->cursor(t->source, NULL, err);
	struct ryde_query_row row;
	struct ryde_json_fault fault;
	uint64_t n = 0;
	int rc = -1;

	if (c == NULL)
		return -1;
	while (n < most && (rc = c->ops->next(c, &row, err)) == 1) {
		n++;
		/* a store's own rows were checked when they were written, but by whom? */
		if (row.json && ryde_json_check(row.data, NULL, &fault) == 0 &&
		    ryde_query_columns_take(&t->columns, row.data, err) != 0) {
			rc = -1;
			break;
		}
		if (n % RYDE_QUERY_TABLE_SAMPLE == 0 && ryde_signals_stop() > 0) {
			rc = ryde_err_set(err, RYDE_ETEMPFAIL, "interrupted: no answer");
			break;
		}
	}
	c->ops->free_cursor(c);
	if (rc < 0)
		return -1;
	t->complete = rc == 0;
	if (rc == 0)
		t->empty = n == 0;
	return 0;
}

/* The columns that a statement gave, and no others. */
static int
fix(struct ryde_query_table *t, const struct ryde_query_columns *given,
    struct ryde_err *err)
{
	for (size_t i = 0; i < given->n; i++) {
		const struct ryde_query_column *from = ryde_query_columns_at(given, i);
		struct ryde_query_column *to;

		if (ryde_query_columns_add(&t->columns, from->name, err) != 0)
			return -1;
		to = ryde_query_columns_find(&t->columns, from->name);
		/* a name that a path of the source has taken is no payload's */
		if (to != NULL)
			to->type = from->type;
	}
	t->columns.fixed = true;
	return 0;
}

struct ryde_query_table *
ryde_query_table_new(const char *name, struct ryde_query_source *source,
    const struct ryde_query_columns *columns, struct ryde_err *err)
{
	struct ryde_query_table *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		ryde_query_source_close(source);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	t->source = source;
	t->n_extras = source->n_extras;
	t->name = strdup(name);
	if (t->name == NULL) {
		(void)ryde_err_nomem(err);
		goto fail;
	}
	for (size_t i = 0; i < t->n_extras; i++)
		if (ryde_query_columns_reserve(
			&t->columns, source->extras[i].name, err) != 0)
			goto fail;
	if (columns != NULL && fix(t, columns, err) != 0)
		goto fail;
	if (look(t, RYDE_QUERY_TABLE_SAMPLE, err) != 0)
		goto fail;
	if (columns != NULL) {
		t->complete = true;
		t->empty = false;
	}
	return t;
fail:
	ryde_query_table_free(t);
	return NULL;
}

int
ryde_query_table_complete(struct ryde_query_table *t, struct ryde_err *err)
{
	return t->complete ? 0 : look(t, UINT64_MAX, err);
}

size_t
ryde_query_table_data_column(const struct ryde_query_table *t)
{
	return t->n_columns + t->n_extras;
}

const char *
ryde_query_table_column_name(const struct ryde_query_table *t, size_t i)
{
	if (i < t->n_columns)
		return ryde_query_columns_at(&t->columns, i)->name;
	if (i < t->n_columns + t->n_extras)
		return t->source->extras[i - t->n_columns].name;
	return ryde_query_columns_find(&t->columns, "data") != NULL ? "_data" : "data";
}

/* A payload's fields have none: 1 and '1' are not equal. */
static const char *
affinity(const struct ryde_query_extra *e)
{
	switch (e->kind) {
	case RYDE_QUERY_EXTRA_INTEGER:
		return " INTEGER";
	case RYDE_QUERY_EXTRA_EITHER:
		return " NUMERIC";
	case RYDE_QUERY_EXTRA_TEXT:
		break;
	}
	return " TEXT";
}

void
ryde_query_table_declare(struct ryde_query_table *t, struct ryde_buf *sql)
{
	size_t data;

	t->n_columns = t->columns.n;
	data = ryde_query_table_data_column(t);
	ryde_buf_puts(sql, "CREATE TABLE x(");
	for (size_t i = 0; i < data; i++) {
		ryde_query_sql_quote(
		    sql, ryde_view_of(ryde_query_table_column_name(t, i)));
		if (i >= t->n_columns)
			ryde_buf_puts(
			    sql, affinity(&t->source->extras[i - t->n_columns]));
		ryde_buf_putc(sql, ',');
	}
	ryde_query_sql_quote(sql, ryde_view_of(ryde_query_table_column_name(t, data)));
	ryde_buf_puts(sql, data > 0 ? " HIDDEN)" : ")");
}
