/* What the tokens of a statement tell. Source: engine/query_sql.h. */
#include "base/buf.h"
#include "check.h"
#include "engine/query_sql.h"

static const struct {
	const char *sql;
	bool star, min_max;
} looks[] = {
    {"SELECT * FROM t", true, false},
    {"select\n*from t", true, false},
    {"SELECT a, * FROM t", true, false},
    {"SELECT t.* FROM t", true, false},
    {"SELECT DISTINCT * FROM t", true, false},
    {"SELECT * FROM (SELECT 1)", true, false},
    {"SELECT count(*) FROM t", false, false},
    {"SELECT a*b, 2 * 3 FROM t", false, false},
    {"SELECT '* from', \"x\"\"*\", [*] /* , * */ -- , *\n FROM t", false, false},
    {"SELECT Max (a) FROM t", false, true},
    {"SELECT min(a), * FROM t", true, true},
    {"SELECT \"min\"(a), 'max(' FROM t", false, false},
    {"SELECT maximum(a), max FROM t", false, false},
    {"", false, false},
    {"/* never ends *", false, false},
    {"'never ends", false, false},
};

static const struct {
	const char *sql, *want;
} explains[] = {
    {"EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT 1"},
    {"explain query plan SELECT 1", "explain query plan SELECT 1"},
    {"SELECT 1; explain /* x */ SELECT 2;",
	"SELECT 1; explain /* x */ QUERY PLAN SELECT 2;"},
    {"SELECT 'explain x'", "SELECT 'explain x'"},
    {"SELECT explain FROM t -- end", "SELECT explain FROM t -- end"},
    {"", ""},
};

int
main(void)
{
	struct ryde_query_sql look;
	struct ryde_buf b;

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		ryde_query_sql_look(&look, ryde_view_of(looks[i].sql));
		CHECK(look.star == looks[i].star, "%s", looks[i].sql);
		CHECK(look.min_max == looks[i].min_max, "%s", looks[i].sql);
	}
	ryde_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(explains) / sizeof(explains[0]); i++) {
		ryde_buf_clear(&b);
		ryde_query_sql_explain(&b, ryde_view_of(explains[i].sql));
		CHECK(strcmp(ryde_buf_str(&b), explains[i].want) == 0, "%s",
		    ryde_buf_str(&b));
	}
	ryde_buf_free(&b);
	CHECK(ryde_query_sql_quotes(ryde_view_of("a = \"b\""), "b"), "quoted");
	CHECK(!ryde_query_sql_quotes(ryde_view_of("a = 'b' OR \"bb\" \""), "b"), "not");
	return check_end("engine_query_sql");
}
