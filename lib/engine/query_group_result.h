/* The groups that query_group.c has made, and what becomes of them. */
#ifndef RYDE_ENGINE_QUERY_GROUP_RESULT_H
#define RYDE_ENGINE_QUERY_GROUP_RESULT_H

#include "base/buf.h"
#include "engine/query_run.h"
#include "engine/query_shape.h"
#include "json/decimal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_paths;
struct ryde_json_shapes;
struct ryde_json_value;

/* A value to be compared: {0} is none. */
struct ryde_query_extreme {
	enum {
		RYDE_QUERY_BEST_NONE,
		RYDE_QUERY_BEST_INTEGER,
		RYDE_QUERY_BEST_REAL,
		RYDE_QUERY_BEST_TEXT,
	} kind;
	int64_t integer;
	double real;
	char *text; /* owned */
	size_t n, cap;
};

struct ryde_query_aggregated {
	int64_t n;	/* values that are not NULL; rows for count(*) */
	bool fractions; /* some were no integers */
	struct ryde_decimal_sum sum;
	struct ryde_query_extreme best;
};

struct ryde_query_grouped {
	uint64_t hash;
	size_t key_at, key_n; /* in `keys` */
	struct ryde_query_aggregated *aggregates;
};

struct ryde_query_grouping {
	struct ryde_query_session *q;
	struct ryde_query_shape shape;
	struct ryde_query_table *table;
	struct ryde_json_paths *paths;
	struct ryde_json_value *values;
	struct ryde_json_shapes *shapes;
	size_t key_paths[RYDE_QUERY_SHAPE_MAX], item_paths[RYDE_QUERY_SHAPE_MAX];
	struct ryde_query_grouped *groups;
	size_t n, cap;
	size_t *slots; /* hash table of groups + 1 */
	size_t n_slots;
	struct ryde_buf keys, row_key, text;
	size_t bytes;
	uint64_t rows;
};

/* Makes a table of SQLite's of the groups, in the order in which GROUP BY gives them. */
int ryde_query_group_result_store(struct ryde_query_grouping *g, struct ryde_err *err);
/* Appends the statement that reads it as the one that was asked for would have. */
int ryde_query_group_result_statement(
    struct ryde_query_grouping *g, struct ryde_buf *to, struct ryde_err *err);

#endif
