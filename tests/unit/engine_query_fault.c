/* What SQLite does not take, in words. Source: engine/query_fault.h. */
#include "engine/query_fault.h"

#include "base/err.h"
#include "check.h"
#include "engine/query_columns.h"
#include "engine/query_table.h"
#include "engine/query_vtab.h"

#include <sqlite3.h>

static void
refused(sqlite3 *db, const char *sql, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;
	sqlite3_stmt *st = NULL;

	CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK, "%s", sql);
	CHECK(ryde_query_fault_refused(db, sql, &err) == -1);
	CHECK(err.code == RYDE_EUSAGE && strcmp(err.msg, want) == 0, "%s", err.msg);
	(void)sqlite3_finalize(st);
}

static void
test_refused(void)
{
	sqlite3 *db;

	CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
	refused(db, "SELEC 1", "SQL: near \"SELEC\": syntax error, at \"SELEC 1\"");
	refused(db, "SELECT 1 FROM a-b",
	    "SQL: near \"-\": syntax error, at \"-b\"; a name with other characters than "
	    "letters, digits and _ is written in double quotes");
	refused(
	    db, "SELECT nosuch(1)", "SQL: no such function: nosuch, at \"nosuch(1)\"");
	refused(db, "SELECT", "SQL: incomplete input");
	(void)sqlite3_close(db);
}

static void
no_column(
    const struct ryde_query_vtab *v, const char *sql, const char *name, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_query_fault_no_column(v, sql, name, &err) == -1);
	CHECK(err.code == RYDE_EUSAGE && strcmp(err.msg, want) == 0, "%s", err.msg);
}

static void
test_no_column(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_table t = {.name = (char[]){"t"}};
	struct ryde_query_table *list[] = {&t};
	struct ryde_query_vtab v = {.tables = list, .n = 1};

	CHECK(ryde_query_columns_take(
		  &t.columns, ryde_view_of("{\"Distance\":1,\"Name\":2}"), &err) == 0);
	t.n_columns = t.columns.n;
	no_column(&v, "SELECT Distnce FROM t", "Distnce",
	    "no such column: Distnce (did you mean Distance?)");
	no_column(&v, "SELECT x.NAM FROM t AS x", "x.NAM",
	    "no such column: x.NAM (did you mean Name or data?)");
	no_column(
	    &v, "SELECT zzzzzzzzzz FROM t", "zzzzzzzzzz", "no such column: zzzzzzzzzz");
	no_column(&v, "SELECT 1 FROM t WHERE Name = \"Shadowfax\"", "Shadowfax",
	    "no such column: Shadowfax; a text is written in single quotes: 'Shadowfax'");
	ryde_query_columns_free(&t.columns);
}

int
main(void)
{
	test_refused();
	test_no_column();
	return check_end("engine_query_fault");
}
