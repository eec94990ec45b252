/* Conditions of WHERE on extra columns, as far as a source may use them to read less. */
#ifndef RYDE_ENGINE_QUERY_FILTER_H
#define RYDE_ENGINE_QUERY_FILTER_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_query_extra;
struct sqlite3_value;

struct ryde_query_test {
	size_t extra; /* which extra column */
	int op;	      /* SQLITE_INDEX_CONSTRAINT_EQ, GT, LE, LT or GE */
	bool is_number, is_text;
	double number;
	struct ryde_view text; /* borrowed from the value */
};

/* All of them hold for the rows that are wanted. */
struct ryde_query_filter {
	const struct ryde_query_test *tests;
	size_t n;
};

/* Takes the value that the column is compared with; what is neither a number nor a text
 * lets everything through. */
void ryde_query_test_value(struct ryde_query_test *t, struct sqlite3_value *value);
/*
 * The order of an extra column's text and the value of a test, below 0, 0 or above, as
 * SQL compares with the affinity of the column's kind. RYDE_QUERY_FILTER_UNSURE where
 * that is not plain.
 */
int ryde_query_filter_order(const struct ryde_query_test *t,
    const struct ryde_query_extra *extra, struct ryde_view text);
#define RYDE_QUERY_FILTER_UNSURE 2
/* True where an order is what op (as in a test) asks for. */
bool ryde_query_filter_holds(int op, int order);
/*
 * False only where no row can be wanted whose extra column i has this text. Compares as
 * SQL does with the affinity of the column's kind; where that is not plain, it is true.
 */
bool ryde_query_filter_lets(const struct ryde_query_filter *f, size_t i,
    const struct ryde_query_extra *extra, struct ryde_view text);

#endif
