/*
 * How a statement reads a table of ours: as a scan, which is told of conditions that its
 * source may use to leave rows out, or by the values of columns that another table's rows
 * give (query_index.h).
 */
#ifndef RYDE_ENGINE_QUERY_PLAN_H
#define RYDE_ENGINE_QUERY_PLAN_H

#include "engine/query_filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_query_index;
struct ryde_query_table;
struct sqlite3_index_info;
struct sqlite3_value;

#define RYDE_QUERY_PLAN_ARGS 16 /* conditions that a scan is told of */
#define RYDE_QUERY_PLAN_KEYS 3	/* of these, those that an index is made for */

/* A condition whose value comes with the scan. */
struct ryde_query_arg {
	size_t column; /* by its number in the table */
	bool is_test;  /* the source is told */
	bool is_key;   /* an index finds its rows */
	struct ryde_query_test test;
};

/* What x_best_index settled for a scan; idxNum is its number. */
struct ryde_query_plan {
	uint64_t mask; /* the columns that are wanted, as colUsed has them */
	struct ryde_query_arg args[RYDE_QUERY_PLAN_ARGS];
	size_t n, n_keys;
	struct ryde_query_index *index; /* once there was a scan; borrowed */
};

struct ryde_query_plans {
	struct ryde_query_plan *plans;
	size_t n, cap;
};

/*
 * Settles a plan for a table: what xBestIndex does. may_index: its rows may be gathered
 * before the first one is given. A code of SQLite's.
 */
int ryde_query_plan(struct ryde_query_plans *all, const struct ryde_query_table *t,
    bool may_index, struct sqlite3_index_info *info);
/*
 * Takes the values of a plan's conditions, and puts those for the source into tests,
 * which has room for all of them. left_out (NULL: none), per condition: not this one.
 * Returns their number. What was put is good as long as the values.
 */
size_t ryde_query_plan_tests(const struct ryde_query_plan *p,
    struct sqlite3_value **values, const bool *left_out, struct ryde_query_test *tests);

#endif
