/* One statement of a query, from its text to its rows. */
#ifndef RYDE_ENGINE_QUERY_RUN_H
#define RYDE_ENGINE_QUERY_RUN_H

#include "engine/query_source.h"
#include "engine/query_vtab.h"

struct ryde_err;
struct ryde_query_arrow;
struct ryde_query_exact;
struct ryde_query_opts;
struct ryde_waits;
struct sqlite3;

/* What the statements of one query share. */
struct ryde_query_session {
	const struct ryde_query_opts *o;
	struct ryde_query_sources sources;
	struct sqlite3 *db;
	struct ryde_query_vtab tables;
	struct ryde_query_exact *exact;
	struct ryde_query_arrow *arrow;
	bool exact_min_max; /* min and max are the exact ones by now */
	size_t results;	    /* statements that gave rows or could have */
	bool sure;	    /* what the statement prints stays printed */
	void *printer;	    /* the state of the one at work, NULL: none */
};

/*
 * Runs the statement at the front of *sql, which ends with a NUL, and prints its rows;
 * *sql becomes what is behind it. -1 with err set (see ryde_query).
 */
int ryde_query_run(struct ryde_query_session *q, const char **sql, struct ryde_err *err);

/* For struct ryde_query_sources: shows what was printed, and waits for its reader. */
int ryde_query_run_idle(void *session, struct ryde_waits *w, struct ryde_err *err);

#endif
