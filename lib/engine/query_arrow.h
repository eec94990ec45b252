/*
 * The operator ->> with exact numbers: what it finds in a JSON text is what a column of
 * that value would be (query_value.h), where SQLite's own gives the nearest double.
 * Everything but numbers is what SQLite's gives.
 */
#ifndef RYDE_ENGINE_QUERY_ARROW_H
#define RYDE_ENGINE_QUERY_ARROW_H

struct ryde_err;
struct ryde_query_arrow;
struct ryde_query_seen;
struct sqlite3;

/* Puts it in SQLite's place; free it after db is closed. seen must outlive it. NULL with
 * err set. */
struct ryde_query_arrow *ryde_query_arrow_new(
    struct sqlite3 *db, struct ryde_query_seen *seen, struct ryde_err *err);
/* Takes NULL. */
void ryde_query_arrow_free(struct ryde_query_arrow *a);

#endif
