/*
 * Athena: a statement is started, looked at until it has ended, and its rows are read
 * page by page. Source: the API reference of Athena; aws-facts 8.
 */
#ifndef RYDE_AWS_ATHENA_H
#define RYDE_AWS_ATHENA_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_athena;
struct ryde_aws;
struct ryde_err;
struct ryde_waits;

#define RYDE_ATHENA_STATEMENT_MAX 262144 /* bytes */
#define RYDE_ATHENA_LOCATION_MAX 1200

/* Strings are borrowed for as long as the statement runs, and may be NULL. */
struct ryde_athena_opts {
	struct ryde_aws *aws;
	const char *workgroup, *database;
	const char *results;	/* s3://… where Athena writes them */
	int64_t max_scan_bytes; /* ended when it has scanned more; 0: no limit */
	/* Called before each wait; may add to w. May be NULL. */
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

/*
 * Runs the statement and waits for its end. After a signal it is stopped:
 * RYDE_ETEMPFAIL. NULL with err set: RYDE_EUSAGE where Athena does not take it or it
 * fails on what was asked, RYDE_EDATA beyond max_scan_bytes, RYDE_EUNAVAILABLE where
 * Athena fails.
 */
struct ryde_athena *ryde_athena_run(
    const struct ryde_athena_opts *o, struct ryde_view statement, struct ryde_err *err);
void ryde_athena_free(struct ryde_athena *a);

/* Of the statement that has ended. */
int64_t ryde_athena_scanned_bytes(const struct ryde_athena *a);
/* s3://… of the file of its results; "" where there is none. */
const char *ryde_athena_location(const struct ryde_athena *a);

/* A column of the result; name is decoded, type as Athena calls it ("varchar"). */
struct ryde_athena_column {
	struct ryde_view name, type;
};
/*
 * Reads the first page, for the columns, and whether there are more. *columns are a's,
 * good while it is; their count is returned (0: a statement without rows), -1 with err
 * set.
 */
int ryde_athena_open(struct ryde_athena *a, const struct ryde_athena_column **columns,
    bool *more, struct ryde_err *err);
/*
 * The next row, without the header that Athena puts before the rows of SELECT: 1 with
 * values[columns], p NULL of one that is NULL, good until the next call; 0 at the end;
 * -1.
 */
int ryde_athena_next(
    struct ryde_athena *a, struct ryde_view *values, struct ryde_err *err);

#endif
