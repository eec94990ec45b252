#include "engine/query_cell.h"

#include "base/err.h"
#include "engine/query_columns.h"
#include "engine/query_exact.h"
#include "engine/query_number.h"
#include "engine/query_table.h"
#include "engine/query_vtab.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>

#define NUMBER_MAX 512 /* bytes that a double or an integer takes, at most */

static void
find_origin(
    struct ryde_query_origin *o, sqlite3_stmt *st, int i, const struct ryde_query_vtab *v)
{
	const char *table = sqlite3_column_table_name(st, i);
	const char *name = sqlite3_column_origin_name(st, i);

	o->table = table != NULL ? ryde_query_vtab_find(v, table) : NULL;
	for (o->column = 0; o->table != NULL && name != NULL; o->column++) {
		if (o->column == o->table->n_columns)
			break;
		if (sqlite3_stricmp(
			ryde_query_columns_at(&o->table->columns, o->column)->name,
			name) == 0)
			return;
	}
	o->table = NULL;
}

int
ryde_query_cells_begin(struct ryde_query_cells *c, sqlite3_stmt *st,
    const struct ryde_query_vtab *v, const struct ryde_query_exact *exact,
    struct ryde_err *err)
{
	size_t n = (size_t)sqlite3_column_count(st);

	*c = (struct ryde_query_cells){.exact = exact, .n = n};
	ryde_buf_init(&c->texts, (n + 1) * NUMBER_MAX);
	c->names = calloc(n + 1, sizeof(*c->names));
	c->cells = calloc(n + 1, sizeof(*c->cells));
	c->origins = calloc(n + 1, sizeof(*c->origins));
	if (c->names == NULL || c->cells == NULL || c->origins == NULL ||
	    ryde_buf_room(&c->texts, n * NUMBER_MAX) == NULL) {
		ryde_query_cells_end(c);
		return ryde_err_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		c->names[i] = ryde_view_of(sqlite3_column_name(st, (int)i));
		find_origin(&c->origins[i], st, (int)i, v);
	}
	return 0;
}

void
ryde_query_cells_end(struct ryde_query_cells *c)
{
	free(c->names);
	free(c->cells);
	free(c->origins);
	ryde_buf_free(&c->texts);
	*c = (struct ryde_query_cells){0};
}

static struct ryde_view
bytes(sqlite3_stmt *st, int i)
{
	const char *p = sqlite3_column_blob(st, i);

	return ryde_view_mem(p, p != NULL ? (size_t)sqlite3_column_bytes(st, i) : 0);
}

/* What untouched values of the column have been in payloads: RYDE_QUERY_SAW_…. */
static unsigned
saw(const struct ryde_query_origin *o)
{
	return o->table != NULL
		   ? ryde_query_columns_at(&o->table->columns, o->column)->saw
		   : 0;
}

static void
read_integer(
    struct ryde_query_cells *c, struct ryde_query_cell *cell, int64_t v, unsigned seen)
{
	size_t at = c->texts.n;

	/* SQL has no booleans: 1 is true where the column's payloads had no numbers */
	if ((v == 0 || v == 1) && (seen & RYDE_QUERY_SAW_BOOL) != 0 &&
	    (seen & RYDE_QUERY_SAW_NUMBER) == 0) {
		cell->kind = RYDE_QUERY_BOOL;
		cell->text = ryde_view_of(v == 1 ? "true" : "false");
		return;
	}
	ryde_buf_i64(&c->texts, v);
	cell->kind = RYDE_QUERY_NUMBER;
	cell->text = ryde_view_mem(c->texts.p + at, c->texts.n - at);
}

static void
read_real(struct ryde_query_cells *c, struct ryde_query_cell *cell, double v)
{
	size_t at = c->texts.n;

	cell->kind = RYDE_QUERY_NUMBER;
	if (ryde_query_exact_text(c->exact, v, &cell->text))
		return;
	if (!isfinite(v)) {
		/* JSON has no such number */
		cell->kind = RYDE_QUERY_TEXT;
		cell->text = ryde_view_of(v > 0 ? "Infinity" : "-Infinity");
		return;
	}
	ryde_query_number_put(&c->texts, v);
	cell->text = ryde_view_mem(c->texts.p + at, c->texts.n - at);
}

static void
read_text(struct ryde_query_cell *cell, struct ryde_view text, unsigned seen)
{
	bool nested =
	    (seen & RYDE_QUERY_SAW_NESTED) != 0 && (seen & RYDE_QUERY_SAW_BRACKET) == 0;

	cell->kind = nested && text.n > 0 && (text.p[0] == '{' || text.p[0] == '[')
			 ? RYDE_QUERY_JSON
			 : RYDE_QUERY_TEXT;
	cell->text = text;
}

int
ryde_query_cells_read(struct ryde_query_cells *c, sqlite3_stmt *st, struct ryde_err *err)
{
	ryde_buf_clear(&c->texts);
	for (size_t i = 0; i < c->n; i++) {
		struct ryde_query_cell *cell = &c->cells[i];
		int k = (int)i;

		*cell = (struct ryde_query_cell){RYDE_QUERY_NULL, {NULL, 0}};
		switch (sqlite3_column_type(st, k)) {
		case SQLITE_INTEGER:
			read_integer(
			    c, cell, sqlite3_column_int64(st, k), saw(&c->origins[i]));
			break;
		case SQLITE_FLOAT:
			read_real(c, cell, sqlite3_column_double(st, k));
			break;
		case SQLITE_TEXT:
			read_text(cell, bytes(st, k), saw(&c->origins[i]));
			break;
		case SQLITE_BLOB:
			cell->kind = RYDE_QUERY_BYTES;
			cell->text = bytes(st, k);
			if (ryde_query_number_exact(cell->text, &cell->text))
				cell->kind = RYDE_QUERY_NUMBER;
			break;
		default:
			break;
		}
	}
	return ryde_buf_check(&c->texts, err);
}
