/*
 * The shape that ryde groups by itself: SELECT columns and aggregates of columns FROM one
 * source WHERE plain conditions (query_where.h) GROUP BY columns HAVING something about
 * these. Everything else is SQLite's.
 */
#ifndef RYDE_ENGINE_QUERY_SHAPE_H
#define RYDE_ENGINE_QUERY_SHAPE_H

#include "base/view.h"
#include "engine/query_where.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;

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

#define RYDE_QUERY_HAVING_MAX 128 /* tokens */
struct ryde_query_having {
	enum {
		RYDE_QUERY_HAVING_SQL,	/* as it is written */
		RYDE_QUERY_HAVING_NAME, /* of a key, or what the result calls an item */
		RYDE_QUERY_HAVING_KEY,	/* what a name turned out to be */
		RYDE_QUERY_HAVING_ITEM, /* an aggregate */
	} kind;
	struct ryde_view text; /* a token */
	size_t item;
};

struct ryde_query_shape {
	struct {
		enum ryde_query_aggregate what;
		struct ryde_view column; /* a token; empty for count(*) */
		struct ryde_view name;	 /* what the result calls it: a token, or SQL */
		bool named;		 /* it is a token behind AS */
	} items[RYDE_QUERY_SHAPE_MAX];
	size_t n_items, n_shown; /* those behind the shown ones are HAVING's */
	struct ryde_view keys[RYDE_QUERY_SHAPE_MAX]; /* tokens */
	size_t n_keys;
	struct ryde_view from; /* a token */
	struct ryde_query_where where;
	struct ryde_query_having having[RYDE_QUERY_HAVING_MAX];
	size_t n_having;
	struct ryde_view tail; /* ORDER BY and LIMIT, or empty */
	struct ryde_view rest; /* behind the statement */
};

/* RYDE_QUERY_PLAIN where the statement at the front of sql has not this shape. All views
 * are its. Free it in any case. */
int ryde_query_shape_read(
    struct ryde_query_shape *s, struct ryde_view sql, struct ryde_err *err);
void ryde_query_shape_free(struct ryde_query_shape *s);

#endif
