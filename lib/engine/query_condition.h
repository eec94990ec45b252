/* Conditions that can be told from SQL's tokens: COLUMN compared with literals, joined by
 * AND. */
#ifndef RYDE_ENGINE_QUERY_CONDITION_H
#define RYDE_ENGINE_QUERY_CONDITION_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

enum ryde_query_op {
	RYDE_QUERY_EQ,
	RYDE_QUERY_NE,
	RYDE_QUERY_LT,
	RYDE_QUERY_LE,
	RYDE_QUERY_GT,
	RYDE_QUERY_GE,
	RYDE_QUERY_BETWEEN, /* both ends are in */
	RYDE_QUERY_IS_NULL,
	RYDE_QUERY_NOT_NULL,
};

struct ryde_query_condition {
	struct ryde_view field; /* a token */
	enum ryde_query_op op;
	struct ryde_view values[2]; /* literals as written; both numbers, or both texts */
	bool number;
};

/*
 * Takes conditions from the front of *rest, as far as they go: up to max of them. False,
 * with *rest anywhere, where one is of another kind or there are more.
 */
bool ryde_query_condition_read(
    struct ryde_view *rest, struct ryde_query_condition *c, size_t max, size_t *n);

#endif
