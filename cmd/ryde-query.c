/* ryde-query: SQL over tables, streams, archives and lines. */
#include "cli.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"
#include "engine/query.h"
#include "engine/query_print.h"
#include "flow/intake.h"
#include "line/writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct cli cli;

static void
tick(void *arg, struct ryde_waits *w)
{
	cli_tick(arg, w);
}

/* 0 where nothing is to be cut: no terminal. */
static size_t
width_of_terminal(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns != NULL && ryde_num_i64(ryde_view_of(columns), 20, 10000, &n))
		return (size_t)n;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 80;
}

static const struct ryde_query_printer *
printer_of(const char *form)
{
	const struct ryde_query_printer *p;

	if (form == NULL)
		form = isatty(STDOUT_FILENO) ? "table" : "ndjson";
	p = ryde_query_print(form);
	if (p == NULL)
		cli_usage(
		    &cli, "-o: '%s' is none of table, ndjson, csv, tsv, chart", form);
	return p;
}

static enum ryde_query_engine
engine_of(const char *name)
{
	static const char *const names[] = {
	    [RYDE_QUERY_ENGINE_SQLITE] = "sqlite",
	    [RYDE_QUERY_ENGINE_DYNAMODB] = "dynamodb",
	    [RYDE_QUERY_ENGINE_ATHENA] = "athena",
	};

	for (size_t i = 1; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum ryde_query_engine)i;
	if (name != NULL)
		cli_usage(
		    &cli, "--engine: '%s' is none of sqlite, dynamodb, athena", name);
	return RYDE_QUERY_ENGINE_ANY;
}

/* The SQL: the operand, or the file's. */
static int
read_sql(const char *file, struct ryde_buf *sql, struct ryde_err *err)
{
	if ((file == NULL) == (cli.n_operands == 0))
		cli_usage(&cli,
		    file == NULL ? "no SQL: give a statement, or -F FILE"
				 : "SQL comes as an operand or from -F FILE, not both");
	if (file == NULL)
		ryde_buf_puts(sql, cli.operands[0]);
	else if (ryde_file_read(file, sql, err) != 0)
		return -1;
	return ryde_buf_check(sql, err);
}

int
main(int argc, char **argv)
{
	const char *form = NULL, *file = NULL, *engine = NULL;
	struct ryde_intake_opts in = {.role = RYDE_ACK_FILTER, .program = "ryde-query"};
	struct ryde_query_opts o = {.store = &cli.store,
	    .input = &in,
	    .books = &cli.books,
	    .tick = tick,
	    .arg = &cli};
	const struct ryde_opt options[] = {
	    {"output", 'o', RYDE_OPT_STRING, &form, "FORM",
		"table, ndjson, csv, tsv or chart (table on a terminal, else ndjson)", 0,
		0},
	    {"file", 'F', RYDE_OPT_STRING, &file, "FILE", "read the SQL from FILE", 0, 0},
	    {"engine", 0, RYDE_OPT_STRING, &engine, "sqlite|dynamodb|athena",
		"who runs the SQL (sqlite, and DynamoDB for an item by its key)", 0, 0},
	    {"workgroup", 0, RYDE_OPT_STRING, &o.athena.workgroup, "NAME",
		"Athena's workgroup (primary)", 0, 0},
	    {"database", 0, RYDE_OPT_STRING, &o.athena.database, "NAME",
		"Athena's database (default)", 0, 0},
	    {"results", 0, RYDE_OPT_STRING, &o.athena.results, "S3-PLACE",
		"where Athena writes results (the workgroup's)", 0, 0},
	    {"max-scan", 0, RYDE_OPT_SIZE, &o.athena.max_scan_bytes, "SIZE",
		"refuse, or stop, what scans more in Athena (no limit)", 1, INT64_MAX},
	    {"follow", 0, RYDE_OPT_FLAG, &o.follow, NULL,
		"streams go on: wait for more, until a signal", 0, 0},
	    {"ascii", 0, RYDE_OPT_FLAG, &o.ascii, NULL, "charts of plain characters", 0,
		0},
	};
	const struct cli_program program = {.name = "ryde-query",
	    .synopsis = "[OPTION...] SQL | -F FILE",
	    .about =
		"Runs SQL over tables and streams by name, archives and files by path, "
		"and standard\ninput as \"-\". The fields of payloads are columns. "
		"Numbers are not rounded.",
	    .examples = {"ryde-query 'SELECT Name, sum(Distance) FROM UnicornSensorData "
			 "GROUP BY Name'",
		"ryde-unicorn -m 9 --fast | ryde-query -o csv 'SELECT * FROM \"-\"'"},
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .reads_lines = true,
	    .min_operands = 0,
	    .max_operands = 1};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf sql;
	int status = -1;

	cli_start(&cli, &program, argc, argv);
	o.printer = printer_of(form);
	o.engine = engine_of(engine);
	if (o.follow && o.engine > RYDE_QUERY_ENGINE_SQLITE)
		cli_usage(
		    &cli, "--follow: streams are read here, not by --engine %s", engine);
	o.width_columns = width_of_terminal();
	o.grace_ms = cli.grace_ms;
	cli_input(&cli, cli.n_operands, &in);
	ryde_buf_init(&sql, RYDE_QUERY_SQL_MAX);
	if (read_sql(file, &sql, &err) == 0 &&
	    (o.out = ryde_writer_new(STDOUT_FILENO, &err)) != NULL) {
		cli_ready(&cli);
		status = ryde_query(&o, ryde_buf_str(&sql), sql.n, &err);
	}
	ryde_buf_free(&sql);
	if (o.out != NULL && ryde_writer_closed(o.out))
		cli_finish_closed(&cli);
	ryde_writer_free(o.out);
	return cli_finish(&cli, status < 0 ? RYDE_ESOFTWARE : status, &err);
}
