/* Asking DynamoDB for some items: by their key (Query), or by a statement of PartiQL. */
#ifndef RYDE_AWS_DYNAMODB_SELECT_H
#define RYDE_AWS_DYNAMODB_SELECT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_aws;
struct ryde_dynamodb_pages;
struct ryde_err;
struct ryde_table;

#define RYDE_DYNAMODB_STATEMENT_MAX 8192 /* bytes */

enum ryde_dynamodb_op {
	RYDE_DYNAMODB_EQ,
	RYDE_DYNAMODB_LT,
	RYDE_DYNAMODB_LE,
	RYDE_DYNAMODB_GT,
	RYDE_DYNAMODB_GE,
	RYDE_DYNAMODB_BETWEEN,
};
/* FIELD OP VALUE, or FIELD BETWEEN VALUE AND VALUE. */
struct ryde_dynamodb_test {
	struct ryde_view field;
	enum ryde_dynamodb_op op;
	struct ryde_view values[2];
	bool number; /* the values are numbers, else strings (their bytes) */
};

/*
 * The items of a table (on AWS; it must outlive the pages) for which all n tests hold, in
 * order of the sort key. 1 with *pages; 0 where Query cannot answer that: the tests are
 * not `key = value`, alone or beside one of the sort key, with values of their types; -1.
 */
int ryde_dynamodb_select_by_key(struct ryde_table *t,
    const struct ryde_dynamodb_test *tests, size_t n, struct ryde_dynamodb_pages **pages,
    struct ryde_err *err);

/* What the statement gives; it is sent with the first page. NULL with err set. */
struct ryde_dynamodb_pages *ryde_dynamodb_select_statement(
    struct ryde_aws *aws, struct ryde_view statement, struct ryde_err *err);

#endif
