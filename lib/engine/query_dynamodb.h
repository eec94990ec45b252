/*
 * Statements that DynamoDB answers: SELECT with its key in WHERE is its Query, any other
 * one PartiQL (ExecuteStatement). The items are kept in a temporary file as they come,
 * and become a table of SQLite's, from which they are printed.
 */
#ifndef RYDE_ENGINE_QUERY_DYNAMODB_H
#define RYDE_ENGINE_QUERY_DYNAMODB_H

#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_query_session;

/*
 * Does the statement at the front of sql: 1, with the statement that reads its rows
 * appended to `to`, and *used the bytes of sql that it took. 0: it is not DynamoDB's,
 * because the session's engine is none of its and it asks for no key of a table there.
 * -1 with err set.
 */
int ryde_query_dynamodb(struct ryde_query_session *q, const char *sql, size_t *used,
    struct ryde_buf *to, struct ryde_err *err);

#endif
