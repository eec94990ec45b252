/*
 * What DynamoDB answers in pages, item by item: Scan, Query, ExecuteStatement. A page may
 * be empty and not the last one. Source: the API reference of DynamoDB (LastEvaluatedKey,
 * NextToken); aws-facts 5.
 */
#ifndef RYDE_AWS_DYNAMODB_PAGES_H
#define RYDE_AWS_DYNAMODB_PAGES_H

#include "base/view.h"

struct ryde_aws;
struct ryde_dynamodb_pages;
struct ryde_err;

/* Strings are borrowed and must outlive the walk, except body. */
struct ryde_dynamodb_pages_opts {
	struct ryde_aws *aws;
	const char *operation; /* "Scan" */
	const char *what;      /* "table T": in messages */
	const char *region;    /* NULL: the configured one */
	struct ryde_view body; /* of the request, without its last brace. Copied */
};

/* No call is made yet. */
struct ryde_dynamodb_pages *ryde_dynamodb_pages_new(
    const struct ryde_dynamodb_pages_opts *o, struct ryde_err *err);
/* 1 with the next item as plain JSON on one line, good until the next call; 0 at the end;
 * -1 with err set. */
int ryde_dynamodb_pages_next(
    struct ryde_dynamodb_pages *p, struct ryde_view *item, struct ryde_err *err);
/* Takes NULL. */
void ryde_dynamodb_pages_free(struct ryde_dynamodb_pages *p);

#endif
