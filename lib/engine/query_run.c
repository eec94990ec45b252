#include "engine/query_run.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/outlet.h"
#include "engine/query.h"
#include "engine/query_cell.h"
#include "engine/query_ddl.h"
#include "engine/query_dynamodb.h"
#include "engine/query_exact.h"
#include "engine/query_fault.h"
#include "engine/query_group.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "flow/books.h"
#include "line/writer.h"

#include <sqlite3.h>
#include <string.h>

#define HELD_MAX ((size_t)1 << 20) /* output that waits until its columns are sure */

/* A statement being run, and how far its output can be trusted. */
struct run {
	struct ryde_query_session *q;
	const char *sql; /* its text, n bytes with its semicolon */
	size_t n;
	struct ryde_query_sql look;
	sqlite3_stmt *st;
	struct ryde_query_cells cells;
	struct ryde_query_head head;
	size_t mark; /* where its output begins in the writer's buffer */
	uint64_t rows;
	bool blind;   /* too much for the buffer: nothing is kept, it will run again */
	bool settled; /* after a blind run, which has seen everything */
};

/* ---- preparing ---- */

/* The rest of SQLite's message behind prefix, or NULL. */
static const char *
behind(const char *message, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(message, prefix, n) == 0 ? message + n : NULL;
}

static int
open_missing(struct ryde_query_session *q, const char *name, struct ryde_err *err)
{
	/* what a view names is looked for in its own schema */
	const char *bare = behind(name, "main.");

	if (bare == NULL)
		bare = behind(name, "temp.");
	return ryde_query_vtab_open(&q->tables, bare != NULL ? bare : name, err);
}

/* A column that no table in use is declared with. 0: there is hope, try again. */
static int
find_missing(struct run *r, const char *name, struct ryde_err *err)
{
	struct ryde_query_vtab *v = &r->q->tables;
	const char *dot = strrchr(name, '.');
	bool added = false;

	if (ryde_query_vtab_is_partial(v, true))
		return ryde_query_vtab_complete(v, true, err);
	if (ryde_query_vtab_add_column(v, dot != NULL ? dot + 1 : name, &added, err) != 0)
		return -1;
	if (added)
		return 0;
	return ryde_query_fault_no_column(v, r->sql, name, err);
}

static void
forget_use(struct ryde_query_vtab *v)
{
	for (size_t i = 0; i < v->n; i++)
		v->tables[i]->used = false;
}

static size_t
tables_in_use(const struct ryde_query_vtab *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->tables[i]->used;
	return n;
}

/* SQLite's message without what newer versions add to it. */
static void
copy_name(struct ryde_buf *b, const char *name)
{
	const char *end = strstr(name, " - should this be");

	ryde_buf_clear(b);
	ryde_buf_add(b, name, end != NULL ? (size_t)(end - name) : strlen(name));
}

/* One try: 1 when r->st is ready (NULL: an empty statement), 0 to try again, -1. */
static int
try_prepare(struct run *r, struct ryde_buf *name, struct ryde_err *err)
{
	struct ryde_query_session *q = r->q;
	const char *tail, *found, *message;

	forget_use(&q->tables);
	if (sqlite3_prepare_v2(q->db, r->sql, -1, &r->st, &tail) == SQLITE_OK) {
		r->n = (size_t)(tail - r->sql);
		return 1;
	}
	message = sqlite3_errmsg(q->db);
	if ((found = behind(message, "no such table: ")) != NULL) {
		copy_name(name, found);
		return ryde_buf_check(name, err) != 0 ||
			       open_missing(q, ryde_buf_str(name), err) != 0
			   ? -1
			   : 0;
	}
	if ((found = behind(message, "no such column: ")) != NULL) {
		copy_name(name, found);
		return ryde_buf_check(name, err) != 0 ||
			       find_missing(r, ryde_buf_str(name), err) != 0
			   ? -1
			   : 0;
	}
	return ryde_query_fault_refused(q->db, r->sql, err);
}

static int
prepare(struct run *r, struct ryde_err *err)
{
	struct ryde_query_vtab *v = &r->q->tables;
	struct ryde_buf name;
	int rc = 0;

	ryde_buf_init(&name, RYDE_QUERY_SQL_MAX);
	for (;;) {
		while ((rc = try_prepare(r, &name, err)) == 0)
			continue;
		/* a column of one table must not be taken for another one's */
		if (rc < 0 || tables_in_use(v) < 2 ||
		    !ryde_query_vtab_is_partial(v, false))
			break;
		(void)sqlite3_finalize(r->st);
		r->st = NULL;
		if (ryde_query_vtab_complete(v, false, err) != 0) {
			rc = -1;
			break;
		}
	}
	ryde_buf_free(&name);
	return rc < 0 ? -1 : 0;
}

/* ---- running ---- */

int
ryde_query_run_idle(void *session, struct ryde_waits *w, struct ryde_err *err)
{
	struct ryde_query_session *q = session;
	const struct ryde_query_opts *o = q->o;

	if (q->printer != NULL && o->printer->pause != NULL &&
	    o->printer->pause(q->printer, ryde_writer_buf(o->out), err) != 0)
		return -1;
	/* before a statement is sure of its columns nothing of it may leave */
	if (q->sure && ryde_outlet_drain(o->out, o->grace_ms, err) != 0)
		return -1;
	ryde_writer_wait(o->out, w);
	return ryde_writer_check_closed(o->out) ? -1 : 0;
}

/* True where rows have shown that the statement was prepared for other ones. */
static bool
is_wrong(const struct run *r)
{
	return (r->look.star && ryde_query_vtab_has_grown(&r->q->tables)) ||
	       (r->look.min_max && !r->q->exact_min_max && r->q->tables.seen.exact);
}

/* True where no row to come can show that. */
static bool
is_sure(const struct run *r)
{
	return r->settled ||
	       (!is_wrong(r) &&
		   !(r->look.star && ryde_query_vtab_is_partial(&r->q->tables, false)) &&
		   !(r->look.min_max && !r->q->exact_min_max));
}

static int
print_row(struct run *r, struct ryde_err *err)
{
	const struct ryde_query_opts *o = r->q->o;
	struct ryde_buf *out = ryde_writer_buf(o->out);

	if (r->blind)
		return 0;
	if (ryde_query_cells_read(&r->cells, r->st, err) != 0 ||
	    o->printer->row(r->q->printer, r->cells.cells, out, err) != 0)
		return -1;
	r->rows++;
	if (!r->q->sure && is_sure(r))
		r->q->sure = true;
	if (!r->q->sure && out->n - r->mark > HELD_MAX) {
		r->blind = true;
		out->n = r->mark;
	}
	if (!r->q->sure)
		return 0;
	o->books->out++;
	if (ryde_writer_pending(o->out) > RYDE_WRITER_HIGH)
		return ryde_outlet_drain(o->out, o->grace_ms, err);
	return ryde_writer_added(o->out, err);
}

static int
step_failed(struct run *r, int rc, struct ryde_err *err)
{
	const struct ryde_err *scan = &r->q->tables.err;

	if (ryde_signals_stop() > 0)
		return ryde_err_set(
		    err, RYDE_ETEMPFAIL, "interrupted: the answer is not whole");
	if (scan->code != RYDE_OK) {
		*err = *scan;
		return -1;
	}
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return ryde_err_nomem(err);
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return ryde_err_set(err, RYDE_EIO, "%s", sqlite3_errmsg(r->q->db));
	default:
		return ryde_err_set(err, RYDE_EDATA, "%s", sqlite3_errmsg(r->q->db));
	}
}

static int
step_all(struct run *r, struct ryde_err *err)
{
	int rc;

	while ((rc = sqlite3_step(r->st)) == SQLITE_ROW)
		if (print_row(r, err) != 0)
			return -1;
	return rc == SQLITE_DONE ? 0 : step_failed(r, rc, err);
}

/* Runs what is prepared, once. *again: that was for nothing, apart from what it taught.
 */
static int
run_once(struct run *r, bool *again, struct ryde_err *err)
{
	struct ryde_query_session *q = r->q;
	const struct ryde_query_printer *p = q->o->printer;
	struct ryde_buf *out = ryde_writer_buf(q->o->out);
	int rc = -1;

	*again = false;
	if (ryde_query_cells_begin(&r->cells, r->st, &q->tables, q->exact, err) != 0)
		return -1;
	r->head = (struct ryde_query_head){.names = r->cells.names,
	    .n = r->cells.n,
	    .width_columns = q->o->width_columns,
	    .ascii = q->o->ascii};
	r->q->printer = p->start(&r->head, err);
	if (r->q->printer == NULL)
		goto out;
	r->mark = out->n;
	if (r->head.n > 0 && q->results > 0)
		ryde_buf_puts(out, p->between);
	r->rows = 0;
	r->blind = false;
	q->tables.seen.exact = false;
	q->tables.seen.misfits = 0;
	r->q->sure = is_sure(r);
	if (step_all(r, err) != 0)
		goto out;
	rc = 0;
	*again = !r->q->sure && (r->blind || is_wrong(r));
	if (*again) {
		out->n = r->mark;
		goto out;
	}
	if (is_wrong(r))
		ryde_log(RYDE_LOG_WARNING,
		    "rows that came while the statement ran are not as those before: "
		    "run it again");
	if (q->tables.seen.misfits > 0)
		ryde_log(RYDE_LOG_WARNING,
		    "%llu values are not of their column's type, and NULL here",
		    (unsigned long long)q->tables.seen.misfits);
	if (r->head.n > 0) {
		rc = p->end(r->q->printer, out, err);
		q->results++;
	}
	if (!r->q->sure)
		q->o->books->out += r->rows;
out:
	p->free(q->printer);
	q->printer = NULL;
	ryde_query_cells_end(&r->cells);
	return rc;
}

/* Makes of what a run for nothing has taught the next one's basis. */
static int
learn(struct run *r, struct ryde_err *err)
{
	struct ryde_query_session *q = r->q;

	(void)sqlite3_finalize(r->st);
	r->st = NULL;
	ryde_query_vtab_forget(&q->tables);
	if (q->tables.seen.exact && r->look.min_max && !q->exact_min_max) {
		if (ryde_query_exact_min_max(q->exact, q->db, err) != 0)
			return -1;
		q->exact_min_max = true;
	}
	return ryde_query_vtab_declare(&q->tables, NULL, err);
}

/* True where the statement reads something that goes on. */
static bool
is_live(const struct ryde_query_vtab *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->tables[i]->used && v->tables[i]->source->live)
			return true;
	return false;
}

static int
run_prepared(struct run *r, struct ryde_err *err)
{
	struct ryde_query_session *q = r->q;
	bool again;

	q->tables.watch = r->look.star;
	if (q->o->follow) {
		if (!is_live(&q->tables))
			return ryde_err_set(
			    err, RYDE_EUSAGE, "--follow: the statement reads no stream");
		/* no run has an end that could teach: all is settled before */
		if (r->look.min_max && !q->exact_min_max)
			q->tables.seen.exact = true;
		if (ryde_query_vtab_complete(&q->tables, false, err) != 0 ||
		    learn(r, err) != 0 || prepare(r, err) != 0)
			return -1;
		r->settled = true;
	}
	for (;;) {
		if (run_once(r, &again, err) != 0)
			return -1;
		if (!again)
			break;
		r->settled = r->blind;
		if (learn(r, err) != 0 || prepare(r, err) != 0)
			return -1;
	}
	return 0;
}

/* Runs what the front of *sql says, and makes *sql what is behind it. */
static int
run_statement(struct ryde_query_session *q, const char **sql, struct ryde_err *err)
{
	struct run r = {.q = q, .sql = *sql};
	int rc = prepare(&r, err);

	if (rc == 0 && r.st != NULL) {
		ryde_query_sql_look(&r.look, ryde_view_mem(r.sql, r.n));
		rc = run_prepared(&r, err);
		q->tables.watch = false;
	}
	(void)sqlite3_finalize(r.st);
	ryde_query_vtab_forget(&q->tables);
	*sql += r.n;
	return rc;
}

int
ryde_query_run(struct ryde_query_session *q, const char **sql, struct ryde_err *err)
{
	struct ryde_view rest = ryde_view_of(*sql);
	struct ryde_buf text;
	const char *at;
	bool done = false;
	size_t used;
	int rc = ryde_query_ddl_run(q->o->store, &rest, &done, err);

	if (done) {
		*sql = rest.p;
		return rc;
	}
	ryde_buf_init(&text, RYDE_QUERY_SQL_MAX);
	rc = ryde_query_dynamodb(q, *sql, &used, &text, err);
	if (rc == 0)
		rc = ryde_query_group(q, *sql, &used, &text, err);
	if (rc == 0) {
		rc = run_statement(q, sql, err);
	} else if (rc == 1) {
		*sql += used;
		at = ryde_buf_str(&text);
		rc = run_statement(q, &at, err);
	}
	ryde_buf_free(&text);
	return rc;
}
