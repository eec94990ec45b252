/* Groups and their aggregates, by the rows that were met. */
#ifndef RYDE_ENGINE_QUERY_TALLY_H
#define RYDE_ENGINE_QUERY_TALLY_H

#include "base/buf.h"
#include "engine/query_scalar.h"
#include "engine/query_shape.h"
#include "json/decimal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_fault;
struct ryde_json_paths;
struct ryde_json_shapes;
struct ryde_json_value;
struct ryde_query_session;
struct ryde_query_table;

/* What is to be grouped, and how: settled before the first row. */
struct ryde_query_grouping {
	struct ryde_query_session *q;
	struct ryde_query_shape shape;
	struct ryde_query_table *table;
	struct ryde_json_paths *paths;
	size_t key_paths[RYDE_QUERY_SHAPE_MAX], item_paths[RYDE_QUERY_SHAPE_MAX];
	struct ryde_buf text; /* to work in, before and after the rows */
	uint64_t left_out;    /* rows by the source's columns */
};

struct ryde_query_extreme {
	struct ryde_query_scalar value; /* NULL: none so far */
	char *text;			/* its text, owned */
	size_t cap;
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

struct ryde_query_tally {
	const struct ryde_query_grouping *g;
	struct ryde_json_value *values;
	struct ryde_json_shapes *shapes;
	struct ryde_query_grouped *groups;
	size_t n, cap;
	size_t *slots; /* hash table of groups + 1 */
	size_t n_slots;
	struct ryde_buf keys, row_key, text;
	size_t bytes;
	uint64_t rows; /* met, wanted or not */
};

/* For the rows of g, which must outlive it. Free it in any case. */
int ryde_query_tally_init(struct ryde_query_tally *t, const struct ryde_query_grouping *g,
    struct ryde_err *err);
void ryde_query_tally_free(struct ryde_query_tally *t);
/* Takes a payload. RYDE_QUERY_PLAIN: SQLite has to do it all; RYDE_QUERY_TALLY_BAD, with
 * fault set: it is no JSON. */
int ryde_query_tally_row(struct ryde_query_tally *t, struct ryde_view row,
    struct ryde_json_fault *fault, struct ryde_err *err);
#define RYDE_QUERY_TALLY_BAD 2
/* Adds what another tally of the same rows' grouping has met, which stays. */
int ryde_query_tally_merge(struct ryde_query_tally *t,
    const struct ryde_query_tally *other, struct ryde_err *err);

#endif
