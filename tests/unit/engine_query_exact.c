/* Exact aggregates in SQLite. Source: engine/query_exact.h. */
#include "base/err.h"
#include "check.h"
#include "engine/query_exact.h"

#include <sqlite3.h>

/* Results that no REAL stands for are told by their text; others as SQLite has them. */
static const struct {
	const char *sql, *want;
} queries[] = {
    {"SELECT sum(column1) FROM (VALUES(0.1),(0.2),(0.3),(0.4))", "1.0"},
    {"SELECT sum(column1) FROM (VALUES(1),(2),(3))", "6"},
    {"SELECT typeof(sum(column1)) FROM (VALUES(1),(2.5))", "real"},
    {"SELECT sum(column1) FROM (VALUES(9223372036854775807),(1))",
	"=9223372036854775808"},
    {"SELECT sum(column1) FROM (VALUES('123456789012345678901.5'),(1))",
	"=123456789012345678902.5"},
    {"SELECT sum(column1) FROM (VALUES(NULL),(NULL))", "NULL"},
    {"SELECT total(column1) FROM (VALUES(NULL))", "0.0"},
    {"SELECT avg(column1) FROM (VALUES(1),(2))", "1.5"},
    {"SELECT avg(column1) FROM (VALUES(1),(1),(2))", "1.33333333333333"},
    {"SELECT sum(column1) FROM (VALUES('abc'),(2))", "2.0"},
    {"SELECT max(exact(column1)) > 5 FROM (VALUES('7'),('6'))", "1"},
    {"SELECT group_concat(s) FROM (SELECT sum(column1) OVER (ROWS 1 PRECEDING) AS s "
     "FROM (VALUES(1),(2),(4)))",
	"1,3,6"},
};

static void
put_result(const struct ryde_query_exact *x, sqlite3_stmt *st, char *got, size_t n)
{
	const unsigned char *text;
	struct ryde_view exact;

	if (sqlite3_column_type(st, 0) == SQLITE_FLOAT &&
	    ryde_query_exact_text(x, sqlite3_column_double(st, 0), &exact)) {
		(void)snprintf(got, n, "=%.*s", (int)exact.n, exact.p);
		return;
	}
	text = sqlite3_column_text(st, 0);
	(void)snprintf(got, n, "%s", text != NULL ? (const char *)text : "NULL");
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_exact *x;
	sqlite3 *db;
	char got[200];

	CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK, "open");
	x = ryde_query_exact_new(db, &err);
	CHECK(x != NULL, "%s", err.msg);
	for (size_t i = 0; x != NULL && i < sizeof(queries) / sizeof(queries[0]); i++) {
		sqlite3_stmt *st = NULL;

		CHECK(sqlite3_prepare_v2(db, queries[i].sql, -1, &st, NULL) == SQLITE_OK,
		    "%s: %s", queries[i].sql, sqlite3_errmsg(db));
		CHECK(sqlite3_step(st) == SQLITE_ROW, "%s: %s", queries[i].sql,
		    sqlite3_errmsg(db));
		put_result(x, st, got, sizeof(got));
		CHECK(strcmp(got, queries[i].want) == 0, "%s: %s", queries[i].sql, got);
		(void)sqlite3_finalize(st);
	}
	(void)sqlite3_close(db);
	ryde_query_exact_free(x);
	return check_end("engine_query_exact");
}
