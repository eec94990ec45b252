/* A value of a payload as SQL compares it, without SQLite. */
#ifndef RYDE_ENGINE_QUERY_SCALAR_H
#define RYDE_ENGINE_QUERY_SCALAR_H

#include "base/view.h"

#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_json_value;

enum ryde_query_scalar_kind {
	RYDE_QUERY_SCALAR_NULL,
	RYDE_QUERY_SCALAR_INTEGER,
	RYDE_QUERY_SCALAR_REAL,
	RYDE_QUERY_SCALAR_TEXT,
};
struct ryde_query_scalar {
	enum ryde_query_scalar_kind kind;
	int64_t integer;
	double real;
	struct ryde_view text; /* borrowed */
};

/* What functions about groups return beside 0 and -1: it is not plain, and SQLite's. */
#define RYDE_QUERY_PLAIN 1

/*
 * Reads a payload's value; `text` is for what has to be made, and the scalar may borrow
 * from it. RYDE_QUERY_PLAIN for a number that is neither an INTEGER nor a REAL.
 */
int ryde_query_scalar(struct ryde_query_scalar *s, const struct ryde_json_value *value,
    struct ryde_buf *text, struct ryde_err *err);
/*
 * The order of two that are not NULL: below 0, 0 or above. Numbers come before texts, and
 * texts are in the order of their bytes. RYDE_QUERY_SCALAR_UNSURE for an INTEGER and a
 * REAL that are too large.
 */
int ryde_query_scalar_order(
    const struct ryde_query_scalar *a, const struct ryde_query_scalar *b);
#define RYDE_QUERY_SCALAR_UNSURE 2
#define RYDE_QUERY_SCALAR_WHOLE 9007199254740992 /* integers up to here are doubles */

#endif
