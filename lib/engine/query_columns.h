/* The columns of a source: the keys of its rows in order of first appearance. */
#ifndef RYDE_ENGINE_QUERY_COLUMNS_H
#define RYDE_ENGINE_QUERY_COLUMNS_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;

/* SQLite takes 2000 in a table; the rest is reachable by data->>'$.Name'. */
#define RYDE_QUERY_COLUMNS_MAX 1900

/* What values a column has shown, so that an untouched one is printed as it was. */
enum {
	RYDE_QUERY_SAW_BOOL = 1,
	RYDE_QUERY_SAW_NUMBER = 2,
	RYDE_QUERY_SAW_NESTED = 4,
	RYDE_QUERY_SAW_BRACKET = 8, /* a string that begins as an array or object does */
};

/* What CREATE EXTERNAL TABLE says of a column. */
enum ryde_query_type {
	RYDE_QUERY_TYPE_ANY,
	RYDE_QUERY_TYPE_TEXT,
	RYDE_QUERY_TYPE_INTEGER,
	RYDE_QUERY_TYPE_NUMBER,
	RYDE_QUERY_TYPE_BOOLEAN,
	RYDE_QUERY_TYPE_NESTED,
};

struct ryde_query_column {
	char *name; /* decoded, not empty, without NUL */
	char *raw;  /* as it stands in the payload, escapes and all; raw_n bytes */
	size_t raw_n;
	/*
	 * Of the column, RYDE_QUERY_COLUMNS_MAX for a key that is none. A key that
	 * differs from an earlier one in letter case alone has that one's: its values
	 * are the column's where the earlier key is missing.
	 */
	size_t index;
	enum ryde_query_type type;
	unsigned saw;
};

struct ryde_query_columns {
	struct ryde_query_column *keys; /* every key met: columns and others */
	size_t n_keys, cap_keys;
	size_t *columns; /* the keys that are columns, in order */
	size_t n, cap;
	size_t expected; /* which key comes next, if rows repeat one shape */
	bool overflow;	 /* there were more than the maximum */
	bool fixed;	 /* no new columns: a key is one's by its name, or none's */
};

/*
 * Adds the keys of a payload (checked JSON; only an object has any). A reserved one (see
 * below), an empty one, and one with a NUL become no column. -1 without memory.
 */
int ryde_query_columns_take(
    struct ryde_query_columns *c, struct ryde_view payload, struct ryde_err *err);
/* Makes `name` no column when it comes as a key: it is another one's. Before any payload.
 */
int ryde_query_columns_reserve(
    struct ryde_query_columns *c, const char *name, struct ryde_err *err);
/* Adds a column that no row has. */
int ryde_query_columns_add(
    struct ryde_query_columns *c, const char *name, struct ryde_err *err);
/* The column of that name, letter case apart, or NULL. */
struct ryde_query_column *ryde_query_columns_find(
    const struct ryde_query_columns *c, const char *name);
static inline struct ryde_query_column *
ryde_query_columns_at(const struct ryde_query_columns *c, size_t i)
{
	return &c->keys[c->columns[i]];
}
void ryde_query_columns_free(struct ryde_query_columns *c);

#endif
