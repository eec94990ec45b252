/*
 * The conditions of WHERE that ryde looks at without SQLite: a column of the payload
 * beside literals (=, <>, <, <=, >, >=, IN, BETWEEN, LIKE, IS NULL), with NOT, AND, OR
 * and brackets, in SQL's logic of three values. A column of the source (a path's part)
 * may be compared where all of AND has to hold, so that the source can leave rows out.
 */
#ifndef RYDE_ENGINE_QUERY_WHERE_H
#define RYDE_ENGINE_QUERY_WHERE_H

#include "base/view.h"
#include "engine/query_filter.h"
#include "engine/query_scalar.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_json_value;
struct ryde_query_cursor;
struct ryde_query_source;

#define RYDE_QUERY_WHERE_MAX 64 /* conditions, and literals */

enum ryde_query_where_kind {
	RYDE_QUERY_WHERE_AND,
	RYDE_QUERY_WHERE_OR,
	RYDE_QUERY_WHERE_NOT,
	RYDE_QUERY_WHERE_COMPARE, /* with op; with several literals: any of them */
	RYDE_QUERY_WHERE_LIKE,
	RYDE_QUERY_WHERE_IS_NULL,
};
struct ryde_query_where_node {
	enum ryde_query_where_kind kind;
	int op;		    /* of COMPARE: SQLITE_INDEX_CONSTRAINT_EQ, LT, LE, GT, GE */
	size_t left, right; /* nodes; NOT has left alone */
	struct ryde_view column; /* a token */
	size_t first, n;	 /* its literals */
	bool certain;		 /* the row is wanted only if it holds */
	bool is_extra;
	size_t at; /* its path, or the number of the extra column */
};
struct ryde_query_where {
	struct ryde_query_where_node nodes[RYDE_QUERY_WHERE_MAX];
	size_t n, root; /* 0 nodes: everything is wanted */
	bool has_like;	/* so LIKE must be SQLite's own */
	struct ryde_query_scalar literals[RYDE_QUERY_WHERE_MAX];
	char *texts[RYDE_QUERY_WHERE_MAX]; /* of literals, owned, with a NUL */
	size_t n_literals;
};

/*
 * Reads what stands behind WHERE, up to what is none of it. RYDE_QUERY_PLAIN where it has
 * other things; free it in any case.
 */
int ryde_query_where_read(
    struct ryde_query_where *w, struct ryde_view *rest, struct ryde_err *err);
void ryde_query_where_free(struct ryde_query_where *w);
/*
 * What the source may leave rows out by, once `at` of each node is known. tests has room
 * for RYDE_QUERY_WHERE_MAX; returns their number. They borrow from w.
 */
size_t ryde_query_where_tests(
    const struct ryde_query_where *w, struct ryde_query_test *tests);
/*
 * True in *holds where the extra columns of the row that c stands on are as wanted.
 * RYDE_QUERY_PLAIN where SQL's comparison is not plain.
 */
int ryde_query_where_extras(const struct ryde_query_where *w,
    const struct ryde_query_source *source, struct ryde_query_cursor *c, bool *holds);
/* The same for the payload: values by path. `text` is room to work in. */
int ryde_query_where_holds(const struct ryde_query_where *w,
    const struct ryde_json_value *values, struct ryde_buf *text, bool *holds,
    struct ryde_err *err);

#endif
