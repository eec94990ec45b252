/* The values of a row of SQLite as cells for a printer. */
#ifndef RYDE_ENGINE_QUERY_CELL_H
#define RYDE_ENGINE_QUERY_CELL_H

#include "base/buf.h"
#include "engine/query_print.h"

#include <stddef.h>

struct ryde_err;
struct ryde_query_exact;
struct ryde_query_table;
struct ryde_query_vtab;
struct sqlite3_stmt;

/* Where a column of the result comes from, untouched; table is NULL where it was
 * computed.
 */
struct ryde_query_origin {
	const struct ryde_query_table *table;
	size_t column;
};

struct ryde_query_cells {
	const struct ryde_query_exact *exact;
	size_t n;
	struct ryde_view *names;
	struct ryde_query_cell *cells;
	struct ryde_query_origin *origins;
	struct ryde_buf texts; /* of numbers */
};

/* For the rows of st, which must outlive c, and so must v and exact. */
int ryde_query_cells_begin(struct ryde_query_cells *c, struct sqlite3_stmt *st,
    const struct ryde_query_vtab *v, const struct ryde_query_exact *exact,
    struct ryde_err *err);
/*
 * Reads the row that st stands on into c->cells, good until its next step. A value that
 * comes untouched from a payload is what it was there: a boolean, an array, an object. -1
 * without memory.
 */
int ryde_query_cells_read(
    struct ryde_query_cells *c, struct sqlite3_stmt *st, struct ryde_err *err);
void ryde_query_cells_end(struct ryde_query_cells *c);

#endif
