/*
 * The rows of a source by the values of some columns, so that a join does not read the
 * source again for each row of the other side. SQLite makes no such index for a virtual
 * table by itself.
 *
 * The rows are kept as they were read, in a database of SQLite's of its own, which is a
 * file without a name as soon as it is more than a few MiB. Values that SQL may call
 * equal are found together, whatever the affinities of both sides; some that it does not
 * call equal are among them: SQL looks again. Rows come in the order of the source.
 */
#ifndef RYDE_ENGINE_QUERY_INDEX_H
#define RYDE_ENGINE_QUERY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_query_cursor;
struct ryde_query_index;
struct ryde_query_plan;
struct ryde_query_row;
struct ryde_query_source;
struct sqlite3_value;

/*
 * For a plan with keys of a table, whose source's extra columns begin with first_extra.
 * numeric_texts: some column of the statement gives texts and is compared as a number
 * (RYDE_QUERY_EXTRA_EITHER). NULL: no memory.
 */
struct ryde_query_index *ryde_query_index_new(const struct ryde_query_plan *p,
    const struct ryde_query_source *source, size_t first_extra, bool numeric_texts);
void ryde_query_index_free(struct ryde_query_index *x);
/* Where the next one is kept: a list is the caller's. */
struct ryde_query_index **ryde_query_index_next(struct ryde_query_index *x);

enum ryde_query_index_way {
	RYDE_QUERY_INDEX_SCAN,	/* read the source: there may be no second time */
	RYDE_QUERY_INDEX_BUILD, /* gather the rows, then find some */
	RYDE_QUERY_INDEX_FIND,
};
/*
 * How a scan with these values of the plan's conditions is best done. left_out, per
 * condition, says which ones the rows are not to be gathered by, since their values are
 * not the same each time. Good until the next call.
 */
enum ryde_query_index_way ryde_query_index_way(struct ryde_query_index *x,
    const struct ryde_query_plan *p, struct sqlite3_value **values,
    const bool **left_out);

/* Begins to gather, from nothing. -1 with err set, also where there is no more disk. */
int ryde_query_index_begin(struct ryde_query_index *x, struct ryde_err *err);
/* Takes the row that c stands on; keys are its values in the plan's key columns.
 * Positions grow. */
int ryde_query_index_add(struct ryde_query_index *x, struct ryde_query_cursor *c,
    const struct ryde_query_row *row, int64_t position, struct sqlite3_value **keys,
    struct ryde_err *err);
int ryde_query_index_end(struct ryde_query_index *x, struct ryde_err *err);

/*
 * A walk over the rows that may have these values in the key columns. It has next, extra,
 * position and free_cursor alone; only one at a time. NULL with err set.
 */
struct ryde_query_cursor *ryde_query_index_find(struct ryde_query_index *x,
    const struct ryde_query_plan *p, struct sqlite3_value **values, struct ryde_err *err);

#endif
