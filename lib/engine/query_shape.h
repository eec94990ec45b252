/*
 * The shape that ryde groups by itself: SELECT columns and aggregates of columns FROM one
 * source GROUP BY columns. Everything else is SQLite's.
 */
#ifndef RYDE_ENGINE_QUERY_SHAPE_H
#define RYDE_ENGINE_QUERY_SHAPE_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

#define RYDE_QUERY_SHAPE_MAX 32 /* columns of a result, and of GROUP BY */

enum ryde_query_aggregate {
	RYDE_QUERY_KEY_COLUMN, /* a column that GROUP BY has, too */
	RYDE_QUERY_COUNT_ALL,
	RYDE_QUERY_COUNT,
	RYDE_QUERY_SUM,
	RYDE_QUERY_TOTAL,
	RYDE_QUERY_AVG,
	RYDE_QUERY_MIN,
	RYDE_QUERY_MAX,
};

struct ryde_query_shape {
	struct {
		enum ryde_query_aggregate what;
		struct ryde_view column; /* a token; empty for count(*) */
		struct ryde_view name;	 /* what the result calls it: a token, or SQL */
		bool named;		 /* it is a token behind AS */
	} items[RYDE_QUERY_SHAPE_MAX];
	size_t n_items;
	struct ryde_view keys[RYDE_QUERY_SHAPE_MAX]; /* tokens */
	size_t n_keys;
	struct ryde_view from; /* a token */
	struct ryde_view tail; /* ORDER BY and LIMIT, or empty */
	struct ryde_view rest; /* behind the statement */
};

/* True where the statement at the front of sql has this shape. All views are its. */
bool ryde_query_shape_read(struct ryde_query_shape *s, struct ryde_view sql);

#endif
