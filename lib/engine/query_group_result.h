/* The groups that query_group.c has made, and what becomes of them. */
#ifndef RYDE_ENGINE_QUERY_GROUP_RESULT_H
#define RYDE_ENGINE_QUERY_GROUP_RESULT_H

struct ryde_buf;
struct ryde_err;
struct ryde_query_grouping;
struct ryde_query_tally;

/* Makes a table of SQLite's of the groups, in the order in which GROUP BY gives them. */
int ryde_query_group_result_store(struct ryde_query_tally *t, struct ryde_err *err);
/* Appends the statement that reads it as the one that was asked for would have. */
int ryde_query_group_result_statement(
    struct ryde_query_grouping *g, struct ryde_buf *to, struct ryde_err *err);

#endif
