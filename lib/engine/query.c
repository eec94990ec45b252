#include "engine/query.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/outlet.h"
#include "engine/query_arrow.h"
#include "engine/query_athena.h"
#include "engine/query_exact.h"
#include "engine/query_run.h"
#include "engine/query_source.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "flow/books.h"
#include "flow/rejects.h"
#include "line/writer.h"

#include <sqlite3.h>
#include <string.h>

#define TICK_OPS 20000 /* of SQLite's machine between two looks at the signals */

/* Not 0: the statement ends with SQLITE_INTERRUPT. */
static int
look_around(void *arg)
{
	const struct ryde_query_opts *o = ((struct ryde_query_session *)arg)->o;

	if (o->tick != NULL)
		o->tick(o->arg, NULL);
	return !o->follow && ryde_signals_stop() > 0;
}

/* Notes which tables a statement reads, and lets nobody drop one: it would still be
 * there.
 */
static int
authorize(
    void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
	struct ryde_query_session *q = arg;
	struct ryde_query_table *t;

	(void)b;
	(void)c;
	(void)d;
	if (action == SQLITE_READ && a != NULL) {
		t = ryde_query_vtab_find(&q->tables, a);
		if (t != NULL)
			t->used = true;
	}
	return action == SQLITE_DROP_VTABLE && !q->tables.declaring ? SQLITE_DENY
								    : SQLITE_OK;
}

static int
open_session(struct ryde_query_session *q, struct ryde_err *err)
{
	int on;

	if (sqlite3_open(":memory:", &q->db) != SQLITE_OK)
		return ryde_err_nomem(err);
	q->exact = ryde_query_exact_new(q->db, err);
	if (q->exact == NULL || ryde_query_vtab(&q->tables, q->db, &q->sources, err) != 0)
		return -1;
	q->tables.seen.numbers = q->exact;
	q->arrow = ryde_query_arrow_new(q->db, &q->tables.seen, err);
	if (q->arrow == NULL)
		return -1;
	/* a name in "" is a name: what is misspelt must not become a text */
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DML, 0, &on);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DDL, 0, &on);
	sqlite3_progress_handler(q->db, TICK_OPS, look_around, q);
	(void)sqlite3_set_authorizer(q->db, authorize, q);
	return 0;
}

static void
close_session(struct ryde_query_session *q)
{
	/* the tables' sources go behind the statements that read them */
	(void)sqlite3_close_v2(q->db);
	ryde_query_vtab_free(&q->tables);
	ryde_query_arrow_free(q->arrow);
	ryde_query_exact_free(q->exact);
}

static int
run_all(struct ryde_query_session *q, const char *sql, size_t n, struct ryde_err *err)
{
	struct ryde_buf text;
	const char *at;
	int rc;

	ryde_buf_init(&text, RYDE_QUERY_SQL_MAX * 2);
	ryde_query_sql_explain(&text, ryde_view_mem(sql, n));
	rc = ryde_buf_check(&text, err);
	at = ryde_buf_str(&text);
	while (rc == 0 && *at != '\0')
		rc = ryde_query_run(q, &at, err);
	ryde_buf_free(&text);
	return rc == 0 ? ryde_outlet_drain(q->o->out, q->o->grace_ms, err) : rc;
}

int
ryde_query(
    const struct ryde_query_opts *o, const char *sql, size_t sql_n, struct ryde_err *err)
{
	struct ryde_query_session q = {.o = o,
	    .sources = {.store = o->store,
		.input = o->input,
		.books = o->books,
		.follow = o->follow,
		.idle = ryde_query_run_idle,
		.tick = o->tick,
		.arg = o->arg}};
	int rc;

	if (sql_n > 0 && memchr(sql, '\0', sql_n) != NULL)
		return ryde_err_set(err, RYDE_EUSAGE, "there is a NUL byte in the SQL");
	if (o->engine == RYDE_QUERY_ENGINE_ATHENA)
		return ryde_query_athena(o, sql, err);
	q.sources.idle_arg = &q;
	rc = open_session(&q, err);
	if (rc == 0)
		rc = run_all(&q, sql, sql_n, err);
	o->books->in += q.tables.rows;
	o->books->handled += q.tables.rows;
	close_session(&q);
	if (q.sources.rejects != NULL && ryde_rejects_sync(q.sources.rejects, err) != 0)
		rc = -1;
	ryde_rejects_close(q.sources.rejects);
	return rc == 0 ? q.sources.input_status : rc;
}
