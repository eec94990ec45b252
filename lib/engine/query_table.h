/* A source as a table of SQL: its columns, and the rows' values in them. */
#ifndef RYDE_ENGINE_QUERY_TABLE_H
#define RYDE_ENGINE_QUERY_TABLE_H

#include "engine/query_columns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_query_source;

#define RYDE_QUERY_TABLE_SAMPLE 1000 /* rows whose keys are looked at first */

struct ryde_query_table {
	char *name; /* as FROM names it */
	struct ryde_query_source *source;
	struct ryde_query_columns columns; /* those met so far */
	size_t n_columns;		   /* those declared: the first ones of these */
	size_t n_extras;		   /* the source's */
	bool complete;			   /* columns has every key there is */
	bool empty;			   /* it had no row */
	bool used;			   /* by the statement at hand */
};

/*
 * Takes the source over, and looks at the first rows. With `columns` (NULL: none) it has
 * those, of their types, and no others. NULL with err set.
 */
struct ryde_query_table *ryde_query_table_new(const char *name,
    struct ryde_query_source *source, const struct ryde_query_columns *columns,
    struct ryde_err *err);
void ryde_query_table_free(struct ryde_query_table *t);
/* Looks at every row, unless that was done. RYDE_ETEMPFAIL when a signal ended it. */
int ryde_query_table_complete(struct ryde_query_table *t, struct ryde_err *err);

/*
 * Columns are numbered: the payload's, then the source's extra ones, then the whole
 * payload's. That one is `data`, or `_data` where a payload has a key of that name; it is
 * hidden from *, unless it is the only one.
 */
size_t ryde_query_table_data_column(const struct ryde_query_table *t);
const char *ryde_query_table_column_name(const struct ryde_query_table *t, size_t i);
/*
 * Appends the CREATE TABLE that sqlite3_declare_vtab takes, with all columns met so far.
 * What is met later is not there until the next time.
 */
void ryde_query_table_declare(struct ryde_query_table *t, struct ryde_buf *sql);

#endif
