/*
 * Statements that Athena runs; their rows go to the printer as they come. Large results
 * are read from the file that Athena wrote. What was scanned, and what that costs, is
 * said at the end of each statement.
 */
#ifndef RYDE_ENGINE_QUERY_ATHENA_H
#define RYDE_ENGINE_QUERY_ATHENA_H

struct ryde_err;
struct ryde_query_opts;

/* Runs the statements of sql, which ends with a NUL, one after the other: ryde_query. */
int ryde_query_athena(
    const struct ryde_query_opts *o, const char *sql, struct ryde_err *err);

#endif
