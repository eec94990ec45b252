/*
 * SQL as command lines. Source of the accepted forms: Apache Flink's manual, "SQL":
 * CREATE Statements, INSERT Statement, Windowing TVF, Window Aggregation, Group Window
 * Aggregation; the first job is the workshop's.
 */
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "engine/window_sql.h"

#define RIDES                                                                        \
	"CREATE TABLE rides (Name STRING NOT NULL, StatusTime TIMESTAMP(3),\n"       \
	" Distance DECIMAL(9, 3), `Health Points` INT COMMENT 'it''s', pos ROW<lat " \
	"DOUBLE, tags ARRAY<STRING>>, arrived TIMESTAMP(3) METADATA FROM "           \
	"'timestamp' VIRTUAL, at AS TO_TIMESTAMP(StatusTime, 'yyyy'), PRIMARY KEY "  \
	"(Name) NOT ENFORCED, WATERMARK FOR StatusTime AS StatusTime - INTERVAL "    \
	"'5' SECOND) WITH ('connector' = 'kinesis', 'stream' = 'wildrydes', "        \
	"'format' = 'json');\n"
#define T "FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)"

static const struct {
	const char *sql, *explained;
} good[] = {
    {"%flink.ssql(type=update)\n"
     "CREATE TABLE wildrydes (Name VARCHAR, StatusTime AS proctime(), Distance DOUBLE, "
     "MagicPoints INT, HealthPoints INT) PARTITIONED BY (Name) WITH ('connector' = "
     "'kinesis', 'stream' = 'wildrydes', 'aws.region' = 'us-east-1', "
     "'scan.stream.initpos' = 'LATEST', 'format' = 'json');\n"
     "CREATE TABLE wildrydes_summary (Name VARCHAR, StatusTime TIMESTAMP(3), Distance "
     "DOUBLE, MinMagicPoints INT, MaxMagicPoints INT) PARTITIONED BY (Name) WITH "
     "('connector' = 'kinesis', 'stream' = 'wildrydes-summary', 'format' = 'json');\n"
     "%flink.ssql(type=update)\n"
     "INSERT INTO wildrydes_summary SELECT Name, TUMBLE_START(StatusTime, INTERVAL '1' "
     "MINUTE) AS StatusTime, SUM(Distance) AS Distance, MIN(MagicPoints) AS "
     "MinMagicPoints, MAX(MagicPoints) AS MaxMagicPoints FROM wildrydes GROUP BY "
     "TUMBLE(StatusTime, INTERVAL '1' MINUTE), Name;",
	"ryde-consume -g wildrydes_summary --from end wildrydes |\n"
	"  ryde-window --tumble 1m --by .Name StatusTime=start "
	"'Distance=sum(.Distance)' 'MinMagicPoints=min(.MagicPoints)' "
	"'MaxMagicPoints=max(.MagicPoints)' |\n"
	"  ryde-produce -k .Name wildrydes-summary\n"},
    {"SELECT COUNT(*) AS n " T, "ryde-window --tumble 1m -t .ts 'n=count()'\n"},
    {"SELECT COUNT(1) FILTER (WHERE a > 0) AS n " T,
	"ryde-window --tumble 1m -t .ts 'n=count(where .a > 0)'\n"},
    {"select count(*) n, Count(distinct a) \"no\" " T, NULL},
    {"select count(*) n, Count(distinct a) b, AVG(`x y`), first_value(a.b), "
     "LAST_VALUE(t.a), STDDEV_SAMP(a), ARRAY_AGG(a) l " T ";",
	"ryde-window --tumble 1m -t .ts 'n=count()' 'b=distinct(.a)' 'EXPR$2=avg(.\"x "
	"y\")' 'EXPR$3=first(.a.b)' 'EXPR$4=last(.a)' 'EXPR$5=stddev(.a)' "
	"'l=list(.a)'\n"},
    {RIDES "SELECT window_start, window_end, Name AS who, SUM(Distance) FILTER (WHERE "
	   "`Health Points` >= -5 AND Name <> 'it''s') AS d FROM TABLE(HOP(TABLE rides, "
	   "DESCRIPTOR(StatusTime), INTERVAL '10' SECOND, INTERVAL '90' SECONDS)) AS r "
	   "WHERE r.pos.lat BETWEEN 1 AND 2.5 OR Name LIKE 'S%' -- why\n GROUP BY "
	   "window_start, window_end, Name HAVING COUNT(*) > 3 AND SUM(Distance) IS NOT "
	   "NULL AND Name <> 'x'",
	"ryde-consume -g window wildrydes |\n"
	"  ryde-window --hop 90s/10s -t .StatusTime --lateness 5s --by who=.Name "
	"--where '.pos.lat between 1 and 2.5 or .Name like \"S%\"' --having 'count() > 3 "
	"and sum(.Distance) is not null and .who <> \"x\"' window_start=start "
	"window_end=end 'd=sum(.Distance where .\"Health Points\" >= -5 and .Name <> "
	"\"it'\\''s\")'\n"},
    {RIDES "SELECT COUNT(*) AS n FROM TABLE(CUMULATE(DATA => TABLE rides, TIMECOL => "
	   "DESCRIPTOR(arrived), SIZE => INTERVAL '1' DAY, STEP => INTERVAL '1' HOUR, "
	   "OFFSET => INTERVAL '30' MINUTE)) GROUP BY window_start, window_end",
	"ryde-consume -g window wildrydes |\n"
	"  ryde-window --cumulate 1d/1h --offset 30m -t arrival 'n=count()'\n"},
    {RIDES "SELECT Name, SESSION_START(at, INTERVAL '0.5' SECOND) s, SESSION_END(at, "
	   "INTERVAL '0.5' SECOND), COUNT(Distance) FROM rides GROUP BY Name, "
	   "SESSION(at, INTERVAL '0.5' SECOND)",
	"ryde-consume -g window wildrydes |\n"
	"  ryde-window --session 500ms -t .StatusTime --by .Name s=start "
	"window_end=end 'EXPR$3=count(.Distance)'\n"},
    {"SELECT a, COUNT(*) AS n FROM SESSION(TABLE t PARTITION BY a, DESCRIPTOR(ts), "
     "INTERVAL '5' MINUTES) GROUP BY a, window_start, window_end",
	"ryde-window --session 5m -t .ts --by .a 'n=count()'\n"},
    {"SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY, "
     "INTERVAL '-8' HOUR)) GROUP BY window_start, window_end",
	"ryde-window --tumble 1d --offset 16h -t .ts 'n=count()'\n"},
    {"CREATE TABLE s (x INT, y INT) WITH ('connector'='print'); CREATE TABLE t (ts "
     "TIMESTAMP(3) WITH LOCAL TIME ZONE, v INT); DROP TABLE IF EXISTS q; INSERT INTO s "
     "(y, x) SELECT SUM(v), MAX(v) " T,
	"ryde-window --tumble 1m -t .ts 'y=sum(.v)' 'x=max(.v)'\n"},
};

static const struct {
	const char *sql, *error;
} bad[] = {
    {"", "line 1, column 1: there is no query"},
    {"SELECT 1", "column 9: the end: here FROM must stand"},
    {"DELETE FROM t", "column 1: DELETE: this statement is not supported"},
    {"SELECT COUNT(*) " T "; SELECT COUNT(*) " T, "SELECT: a second query"},
    {"SELECT * " T, "column 8: *: SELECT * is not supported"},
    {"SELECT DISTINCT a " T, "SELECT DISTINCT is not supported"},
    {"SELECT a " T, "column 8: what is neither aggregated nor in GROUP BY"},
    {"SELECT COUNT(*) FROM t", "a query without GROUP BY is not supported"},
    {"SELECT a, COUNT(*) FROM t GROUP BY a", "a query without a window"},
    {"SELECT COUNT(*) FROM t JOIN u ON a = b GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
	"column 24: JOIN"},
    {"SELECT COUNT(*) FROM t, u " T, "a second table is not supported"},
    {"SELECT COUNT(*) FROM (SELECT 1) " T, "a query inside a query"},
    {"SELECT SUM(a + 1) " T, "column 14: +: more than a column in an aggregate"},
    {"SELECT SUM(a) + 1 " T, "column 15: +: arithmetic is not supported"},
    {"SELECT COUNT(DISTINCT 1) " T, "column 23: 1: here a name must stand"},
    {"SELECT SUM(DISTINCT a) " T, "DISTINCT outside of COUNT"},
    {"SELECT SUM(a) OVER w " T, "OVER is not supported"},
    {"SELECT LISTAGG(a) " T, "LISTAGG: this function is not supported"},
    {"SELECT COUNT(*)\n FROM t WHERE a >\nGROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
	"line 3, column 1: here a path such as .Name or a literal must stand"},
    {"SELECT COUNT(*) FROM t WHERE a * 2 > 1 GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
	"column 32: *: arithmetic is not supported"},
    {"SELECT COUNT(*) FROM t WHERE a = NULL GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)",
	"column 34: nothing compares with null"},
    {"SELECT COUNT(*) FROM t WHERE LOWER(a) = 'x' GROUP BY TUMBLE(ts, INTERVAL '1' "
     "MINUTE)",
	"column 30: LOWER: a function here is not supported"},
    {"SELECT COUNT(*) " T " ORDER BY 1", "ORDER: this is not supported"},
    {"SELECT COUNT(*) " T " HAVING b > 1", "neither a key nor a selected column"},
    {"SELECT COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MONTH)",
	"column 57: MONTH: this unit of an interval"},
    {"SELECT COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '0' MINUTE)",
	"an interval that is not positive"},
    {"SELECT COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '0.0001' SECOND)",
	"column 53: no number of whole milliseconds"},
    {"SELECT COUNT(*) FROM t GROUP BY HOP(ts, INTERVAL '1' MINUTE)",
	"column 41: an interval is missing"},
    {"SELECT TUMBLE_START(ts, INTERVAL '2' MINUTE) " T,
	"column 8: this is not the window of GROUP BY"},
    {"SELECT HOP_END(ts, INTERVAL '1' MINUTE, INTERVAL '1' MINUTE) " T,
	"this is not the window of GROUP BY"},
    {"SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
     "GROUP BY window_start",
	"both window_start and window_end"},
    {"SELECT COUNT(*) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), a",
	"column 66: a key that is not selected"},
    {"CREATE TABLE t (a INT); SELECT SUM(b) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' "
     "MINUTE)",
	"column 36: the table has no such column"},
    {"CREATE TABLE t (a INT); SELECT SUM(a) FROM u GROUP BY TUMBLE(a, INTERVAL '1' "
     "MINUTE)",
	"nobody created the table"},
    {"CREATE TABLE t (a INT, a INT)", "column 24: a second column of this name"},
    {"CREATE TABLE t (a AS b * 2)", "b: a computed column of this kind"},
    {"CREATE TABLE t (a INT) WITH ('format' = 'csv')", "column 41: a format other than"},
    {"CREATE TABLE t (a INT, WATERMARK FOR a AS a * 2)",
	"column 45: *: here ) must stand"},
    {"CREATE VIEW v AS SELECT 1", "VIEW: CREATE of anything but a TABLE"},
    {"SELECT 'x " T, "here FROM must stand"},
    {"CREATE TABLE s (x INT); CREATE TABLE t (ts INT, v INT); INSERT INTO s SELECT "
     "SUM(v), MAX(v) " T,
	"the sink has no such column"},
    {"CREATE TABLE s (x INT, y INT); CREATE TABLE t (ts INT, v INT); INSERT INTO s "
     "SELECT SUM(v) " T,
	"the sink has more columns"},
};

static void
test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_window_sql *s =
		    ryde_window_sql_new(ryde_view_of(good[i].sql), &err);
		struct ryde_buf text;

		ryde_buf_init(&text, 1u << 20);
		if (s != NULL)
			ryde_window_sql_explain(s, &text);
		if (good[i].explained == NULL)
			CHECK(s == NULL, "%s", good[i].sql);
		else
			CHECK(strcmp(ryde_buf_str(&text), good[i].explained) == 0,
			    "%s\n%s%s", good[i].sql, ryde_buf_str(&text), err.msg);
		ryde_buf_free(&text);
		ryde_window_sql_free(s);
	}
}

static void
test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_window_sql *s =
		    ryde_window_sql_new(ryde_view_of(bad[i].sql), &err);

		CHECK(s == NULL && err.code == RYDE_EUSAGE &&
			  strstr(err.msg, bad[i].error) != NULL,
		    "%s\n%s", bad[i].sql, err.msg);
		ryde_window_sql_free(s);
	}
}

int
main(void)
{
	test_good();
	test_bad();
	return check_end("engine_window_sql");
}
