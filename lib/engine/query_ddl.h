/*
 * CREATE EXTERNAL TABLE as Athena takes it, for archives of JSON. Source: Athena's
 * reference of CREATE TABLE, and the workshop's own statement.
 */
#ifndef RYDE_ENGINE_QUERY_DDL_H
#define RYDE_ENGINE_QUERY_DDL_H

#include "base/buf.h"
#include "engine/query_columns.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;
struct ryde_store_settings;

struct ryde_query_ddl {
	struct ryde_buf name, location;
	struct ryde_query_columns columns; /* in the statement's order, with types */
	bool if_not_exists;
	size_t location_at, location_n; /* the token in the statement */
};

/*
 * Reads the statement in sql, and takes it and its semicolon from the front. -1 with
 * RYDE_EUSAGE, which says what was not understood. d is to be freed either way.
 */
int ryde_query_ddl_read(
    struct ryde_query_ddl *d, struct ryde_view *sql, struct ryde_err *err);
void ryde_query_ddl_free(struct ryde_query_ddl *d);

/*
 * Runs the statement at the front of *sql where it is about external tables: CREATE
 * EXTERNAL TABLE, or DROP TABLE of one. *done: it was, and *sql is behind it.
 */
int ryde_query_ddl_run(const struct ryde_store_settings *store, struct ryde_view *sql,
    bool *done, struct ryde_err *err);

#endif
