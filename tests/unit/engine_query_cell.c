/* Values of SQLite as cells. Source: engine/query_cell.h. */
#include "engine/query_cell.h"

#include "base/err.h"
#include "check.h"
#include "engine/query_columns.h"
#include "engine/query_exact.h"
#include "engine/query_table.h"
#include "engine/query_vtab.h"

#include <sqlite3.h>

static sqlite3 *db;
static struct ryde_query_exact *exact;
static struct ryde_query_vtab tables;

/* What the first row's first column is. */
static void
is(const char *sql, enum ryde_query_cell_kind kind, const char *text)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_cells c;
	sqlite3_stmt *st = NULL;

	CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, "%s",
	    sqlite3_errmsg(db));
	CHECK(ryde_query_cells_begin(&c, st, &tables, exact, &err) == 0);
	CHECK(sqlite3_step(st) == SQLITE_ROW && ryde_query_cells_read(&c, st, &err) == 0);
	CHECK(c.cells[0].kind == kind && ryde_view_is(c.cells[0].text, text),
	    "%s: %d %.*s", sql, (int)c.cells[0].kind, (int)c.cells[0].text.n,
	    c.cells[0].text.p);
	ryde_query_cells_end(&c);
	(void)sqlite3_finalize(st);
}

static void
test_computed(void)
{
	is("SELECT NULL", RYDE_QUERY_NULL, "");
	is("SELECT -9223372036854775808", RYDE_QUERY_NUMBER, "-9223372036854775808");
	is("SELECT 1.50", RYDE_QUERY_NUMBER, "1.5");
	is("SELECT -0.0", RYDE_QUERY_NUMBER, "0");
	is("SELECT 1e999", RYDE_QUERY_TEXT, "Infinity");
	is("SELECT -1e999", RYDE_QUERY_TEXT, "-Infinity");
	is("SELECT ''", RYDE_QUERY_TEXT, "");
	is("SELECT '{}'", RYDE_QUERY_TEXT, "{}");
	is("SELECT x'01ff'", RYDE_QUERY_BYTES, "\1\xff");
	is("SELECT exact('18446744073709551617')", RYDE_QUERY_NUMBER,
	    "18446744073709551617");
	is("SELECT 1", RYDE_QUERY_NUMBER, "1");
}

/* What comes untouched from a payload is what it was there. */
static void
test_untouched(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_table t = {.name = (char[]){"T"}};
	struct ryde_query_table *list[] = {&t};
	struct ryde_query_column *flag, *nested;

	CHECK(
	    sqlite3_exec(db, "CREATE TABLE t(flag,nested);INSERT INTO t VALUES(1,'[2]')",
		NULL, NULL, NULL) == SQLITE_OK);
	CHECK(ryde_query_columns_take(
		  &t.columns, ryde_view_of("{\"flag\":true,\"nested\":[2]}"), &err) == 0);
	t.n_columns = t.columns.n;
	tables.tables = list;
	tables.n = 1;
	flag = ryde_query_columns_find(&t.columns, "flag");
	nested = ryde_query_columns_find(&t.columns, "nested");
	is("SELECT flag FROM t", RYDE_QUERY_NUMBER, "1");
	flag->saw = RYDE_QUERY_SAW_BOOL;
	is("SELECT flag FROM t", RYDE_QUERY_BOOL, "true");
	is("SELECT 1-flag FROM t", RYDE_QUERY_NUMBER, "0");
	is("SELECT f FROM (SELECT flag AS f FROM t)", RYDE_QUERY_BOOL, "true");
	flag->saw |= RYDE_QUERY_SAW_NUMBER;
	is("SELECT flag FROM t", RYDE_QUERY_NUMBER, "1");
	is("SELECT nested FROM t", RYDE_QUERY_TEXT, "[2]");
	nested->saw = RYDE_QUERY_SAW_NESTED;
	is("SELECT nested FROM t", RYDE_QUERY_JSON, "[2]");
	is("SELECT nested||'' FROM t", RYDE_QUERY_TEXT, "[2]");
	nested->saw |= RYDE_QUERY_SAW_BRACKET;
	is("SELECT nested FROM t", RYDE_QUERY_TEXT, "[2]");
	ryde_query_columns_free(&t.columns);
	tables.n = 0;
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
	exact = ryde_query_exact_new(db, &err);
	CHECK(exact != NULL);
	test_computed();
	test_untouched();
	(void)sqlite3_close(db);
	ryde_query_exact_free(exact);
	return check_end("engine_query_cell");
}
