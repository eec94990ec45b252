/* The values of payloads as values of SQL. */
#ifndef RYDE_ENGINE_QUERY_VALUE_H
#define RYDE_ENGINE_QUERY_VALUE_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_json_value;
struct ryde_query_column;
struct ryde_query_exact;
struct sqlite3_context;

/* What values have shown, counted on. */
struct ryde_query_seen {
	uint64_t misfits; /* values that were not of their column's type: NULL */
	struct ryde_query_exact *numbers; /* stand for those that no REAL can */
	bool exact; /* a number that no REAL stands for was given to SQL */
};

/*
 * Makes the value of a column ctx's result, of the column's type where it has one, and
 * notes in column->saw what it was. text is room. -1 without memory.
 */
int ryde_query_value(struct sqlite3_context *ctx, struct ryde_query_column *column,
    const struct ryde_json_value *value, struct ryde_query_seen *seen,
    struct ryde_buf *text);
/* Makes a number of JSON ctx's result, as it was written. text is room. -1 without
 * memory.
 */
int ryde_query_value_number(struct sqlite3_context *ctx, struct ryde_view number,
    struct ryde_query_seen *seen, struct ryde_buf *text);
/* Makes a text ctx's result. */
void ryde_query_value_text(struct sqlite3_context *ctx, struct ryde_view v);

#endif
