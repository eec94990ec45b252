/* The values of a payload in the columns of a table that a scan wants. */
#ifndef RYDE_ENGINE_QUERY_FIELDS_H
#define RYDE_ENGINE_QUERY_FIELDS_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_fault;
struct ryde_json_paths;
struct ryde_json_shapes;
struct ryde_json_value;
struct ryde_query_columns;
struct ryde_query_table;

/* All zero: for no columns yet. */
struct ryde_query_fields {
	uint64_t mask; /* the columns that paths was made for, as colUsed has them */
	struct ryde_json_paths *paths;
	struct ryde_json_shapes *shapes;
	struct ryde_json_value *values; /* one per path */
	size_t *slots;			/* per key of the table: its path, or none */
	size_t n_slots;
	bool spellings; /* some column has several keys */
};

/* One scan of a payload shall find the columns of the mask, and nothing else. */
int ryde_query_fields_want(struct ryde_query_fields *f, const struct ryde_query_table *t,
    uint64_t mask, struct ryde_err *err);
void ryde_query_fields_free(struct ryde_query_fields *f);
/* Reads a payload. False with fault set: it is no JSON. */
bool ryde_query_fields_read(
    struct ryde_query_fields *f, struct ryde_view payload, struct ryde_json_fault *fault);
/* The value of column i of the payload read last, or NULL where it has none. */
const struct ryde_json_value *ryde_query_fields_find(const struct ryde_query_fields *f,
    const struct ryde_query_columns *columns, size_t i);

#endif
