/* What SQLite does not take, in words that help. */
#ifndef RYDE_ENGINE_QUERY_FAULT_H
#define RYDE_ENGINE_QUERY_FAULT_H

struct ryde_err;
struct ryde_query_vtab;
struct sqlite3;

/*
 * Sets err: the statement at the front of sql names a column that is nowhere. Says which
 * ones it may have meant, and that a text is written in single quotes. Always -1.
 */
int ryde_query_fault_no_column(const struct ryde_query_vtab *v, const char *sql,
    const char *name, struct ryde_err *err);
/* Sets err from SQLite's: preparing the statement at the front of sql failed. Always -1.
 */
int ryde_query_fault_refused(struct sqlite3 *db, const char *sql, struct ryde_err *err);

#endif
