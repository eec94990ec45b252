/* ryde-window: aggregates per window of time and key. */
#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"
#include "cli.h"
#include "engine/window_def.h"
#include "engine/window_pipe.h"
#include "engine/window_sql.h"
#include "flow/intake.h"
#include "flow/rejects.h"
#include "line/writer.h"

#include <unistd.h>

static struct cli cli;
static struct {
	int64_t offset_ms, lateness_ms, idle_ms, allow_ms, every_ms, max_bytes;
	struct ryde_strings by;
	const char *tumble, *hop, *session, *cumulate, *time, *late, *where, *having,
	    *accuracy, *sql, *zone;
	int64_t digits, list_max;
	bool flush, no_flush, explain;
} opt = {.idle_ms = 30000,
    .lateness_ms = RYDE_WINDOW_DEF_LATENESS,
    .digits = RYDE_WINDOW_DEF_DIGITS,
    .list_max = RYDE_WINDOW_DEF_LIST_MAX};

static const struct ryde_opt options[] = {
    {"tumble", 0, RYDE_OPT_STRING, &opt.tumble, "D",
	"windows of this length, one behind the other", 0, 0},
    {"hop", 0, RYDE_OPT_STRING, &opt.hop, "SIZE/SLIDE",
	"windows of SIZE, one begins every SLIDE", 0, 0},
    {"session", 0, RYDE_OPT_STRING, &opt.session, "GAP",
	"one window of a key until it is silent for GAP", 0, 0},
    {"cumulate", 0, RYDE_OPT_STRING, &opt.cumulate, "SIZE/STEP",
	"windows of SIZE, shown every STEP with all from their start on", 0, 0},
    {"by", 0, RYDE_OPT_STRINGS, &opt.by, "[NAME=]PATH",
	"one row for each value of this field; repeatable", 0, 0},
    {"time", 't', RYDE_OPT_STRING, &opt.time, "PATH|arrival|now",
	"field that holds the time (.StatusTime, else arrival)", 0, 0},
    {"lateness", 0, RYDE_OPT_DURATION, &opt.lateness_ms, "D",
	"how far times may run back before a line is late (0; with --session: GAP)", 0,
	0},
    {"allow-late", 0, RYDE_OPT_DURATION, &opt.allow_ms, "D",
	"print a window again, with \"revision\", for lines so late (0)", 0, 0},
    {"late", 0, RYDE_OPT_STRING, &opt.late, "FILE", "append lines whose window is closed",
	0, 0},
    {"offset", 0, RYDE_OPT_DURATION, &opt.offset_ms, "D",
	"windows begin so long after multiples of their length or SLIDE (0)", 0, 0},
    {"zone", 0, RYDE_OPT_STRING, &opt.zone, "TZ",
	"time zone of days and of times in rows, such as Europe/Berlin (UTC)", 0, 0},
    {"idle", 0, RYDE_OPT_DURATION, &opt.idle_ms, "D",
	"a shard without records for so long holds nothing back (30s)", 0, 0},
    {"every", 0, RYDE_OPT_DURATION, &opt.every_ms, "D",
	"show what changed in open windows so often, marked \"early\"", 1, 0},
    {"max-state", 0, RYDE_OPT_SIZE, &opt.max_bytes, "SIZE",
	"print all windows, marked \"terminatedEarly\", where they take more", 1, 0},
    {"where", 0, RYDE_OPT_STRING, &opt.where, "CONDITION",
	"look only at records for which this is true: .a < 1 and .b = \"x\"", 0, 0},
    {"having", 0, RYDE_OPT_STRING, &opt.having, "CONDITION",
	"print only rows for which this is true: .Distance > 100 or count() > 9", 0, 0},
    {"scale", 0, RYDE_OPT_INT, &opt.digits, "DIGITS",
	"significant digits of avg and stddev (17)", 1, RYDE_WINDOW_DEF_DIGITS_MAX},
    {"accuracy", 0, RYDE_OPT_STRING, &opt.accuracy, "PERCENT",
	"largest relative error of percentiles, from 1000 values on (1%)", 0, 0},
    {"list-max", 0, RYDE_OPT_INT, &opt.list_max, "N",
	"how many values list(P) keeps (1000)", 1, 1000000},
    {"sql", 0, RYDE_OPT_STRING, &opt.sql, "FILE|TEXT",
	"windows, keys and columns from a Flink SQL job", 0, 0},
    {"explain", 0, RYDE_OPT_FLAG, &opt.explain, NULL,
	"with --sql: print the command line that does the same, and end", 0, 0},
    {"flush", 0, RYDE_OPT_FLAG, &opt.flush, NULL,
	"in a group: print open windows at the end, as they stand", 0, 0},
    {"no-flush", 0, RYDE_OPT_FLAG, &opt.no_flush, NULL,
	"do not print open windows at the end (as in a group)", 0, 0},
};

static const struct cli_program program = {
    .name = "ryde-window",
    .synopsis =
	"(--tumble D | --hop SIZE/SLIDE | --session GAP | --cumulate SIZE/STEP)\n"
	"                   [--by PATH]... [-t PATH|arrival|now] [--lateness D]\n"
	"                   [--allow-late D] [--late FILE] [--offset D] [--zone TZ]\n"
	"                   [--idle D] [--every D] [--max-state SIZE] [--where "
	"CONDITION]\n"
	"                   [--having CONDITION] [--scale DIGITS] [--accuracy PERCENT]\n"
	"                   [--list-max N] [--flush]\n"
	"                   (COLUMN... | --sql FILE|TEXT [--explain])",
    .about =
	"Prints one line per closed window and key: the keys, then the columns. A "
	"column is\n"
	"NAME=FUNCTION, with start, end, count(), count(P), sum(P), min(P), max(P), "
	"avg(P),\n"
	"stddev(P), first(P), last(P), distinct(P), list(P), p50(P) ... p99.9(P). In "
	"the\n"
	"brackets may follow: where CONDITION. Sums and means are exact.",
    .examples = {"ryde-consume -g sum wildrydes | ryde-window --tumble 1m --by .Name "
		 "'Distance=sum(.Distance)' | ryde-produce wildrydes-summary",
	"ryde-window --tumble 1h -t .at 'N=count()' 'Mean=avg(.value)' < "
	"readings.ndjson"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .reads_lines = true,
    .min_operands = 0,
    .max_operands = -1,
};

/* The one option that says which windows there are. */
static int
define_extent(struct ryde_window_extent *e, struct ryde_err *err)
{
	const char *const texts[] = {[RYDE_WINDOW_TUMBLE] = opt.tumble,
	    [RYDE_WINDOW_HOP] = opt.hop,
	    [RYDE_WINDOW_CUMULATE] = opt.cumulate,
	    [RYDE_WINDOW_SESSION] = opt.session};
	int kinds = 0;

	e->offset_ms = opt.offset_ms;
	for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
		if (texts[i] == NULL)
			continue;
		kinds++;
		if (ryde_window_extent_read(
			e, (enum ryde_window_extent_kind)i, texts[i], err) != 0)
			return -1;
	}
	if (kinds != 1)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "which windows? want one of --tumble, --hop, --session, "
		    "--cumulate");
	return 0;
}

/* sql: NULL without --sql. */
static int
define(struct ryde_window_def *d, const struct ryde_window_sql *sql, struct ryde_err *err)
{
	const char *const *by = sql != NULL ? sql->by : opt.by.v;
	size_t n_by = sql != NULL ? sql->n_by : opt.by.n;
	size_t n_columns = sql != NULL ? sql->n_columns : (size_t)cli.n_operands;

	if (define_extent(&d->extent, err) != 0)
		return -1;
	if (opt.zone != NULL && ryde_window_def_zone(d, opt.zone, err) != 0)
		return -1;
	d->lateness_ms = opt.lateness_ms;
	d->idle_ms = opt.idle_ms;
	d->digits = (unsigned)opt.digits; /* within what the option allows */
	d->list_max = (size_t)opt.list_max;
	d->allow_ms = opt.allow_ms;
	d->early = opt.every_ms > 0;
	d->max_bytes = (size_t)opt.max_bytes; /* not negative: the option's least is 1 */
	if (opt.time != NULL && ryde_window_def_time(d, opt.time, err) != 0)
		return -1;
	for (size_t i = 0; i < n_by; i++) {
		if (ryde_window_def_by(d, by[i], err) != 0)
			return -1;
	}
	if (opt.where != NULL && ryde_window_def_where(d, opt.where, err) != 0)
		return -1;
	if (opt.accuracy != NULL && ryde_window_def_accuracy(d, opt.accuracy, err) != 0)
		return -1;
	for (size_t i = 0; i < n_columns; i++) {
		if (ryde_window_def_column(
			d, sql != NULL ? sql->columns[i] : cli.operands[i], err) != 0)
			return -1;
	}
	if (opt.having != NULL && ryde_window_def_having(d, opt.having, err) != 0)
		return -1;
	return ryde_window_def_finish(d, err);
}

static void
tick(void *arg, struct ryde_waits *w)
{
	cli_tick(arg, w);
}

/* What --sql says, from a file of that name, else from the text itself. */
static struct ryde_window_sql *
read_sql(struct ryde_err *err)
{
	struct ryde_window_sql *sql;
	struct ryde_buf text;

	ryde_buf_init(&text, RYDE_WINDOW_SQL_TEXT_MAX);
	if (access(opt.sql, F_OK) != 0)
		ryde_buf_puts(&text, opt.sql);
	else if (ryde_file_read(opt.sql, &text, err) != 0)
		goto fail;
	if (ryde_buf_check(&text, err) != 0)
		goto fail;
	sql = ryde_window_sql_new(ryde_buf_as_view(&text), err);
	ryde_buf_free(&text);
	return sql;
fail:
	ryde_buf_free(&text);
	return NULL;
}

/* Puts what SQL says in the place of the options that say the same. */
static int
use_sql(const struct ryde_window_sql *sql, struct ryde_err *err)
{
	if (opt.tumble != NULL || opt.hop != NULL || opt.cumulate != NULL ||
	    opt.session != NULL || opt.offset_ms != 0 || opt.time != NULL ||
	    opt.by.n > 0 || opt.where != NULL || opt.having != NULL || cli.n_operands > 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--sql says all of windows, time, keys, conditions and columns: "
		    "nothing else may");
	opt.tumble = sql->tumble;
	opt.hop = sql->hop;
	opt.cumulate = sql->cumulate;
	opt.session = sql->session;
	opt.time = sql->time;
	opt.where = sql->where;
	opt.having = sql->having;
	if ((sql->offset != NULL &&
		!ryde_num_duration_ms(ryde_view_of(sql->offset), &opt.offset_ms)) ||
	    (sql->lateness != NULL &&
		!ryde_num_duration_ms(ryde_view_of(sql->lateness), &opt.lateness_ms)))
		return ryde_err_set(
		    err, RYDE_EUSAGE, "SQL: an interval that is too long");
	return 0;
}

/* Prints the command line that does what SQL says. */
static int
explain(const struct ryde_window_sql *sql, struct ryde_err *err)
{
	struct ryde_buf text;
	int rc;

	ryde_buf_init(&text, (size_t)16 * RYDE_WINDOW_SQL_TEXT_MAX);
	ryde_window_sql_explain(sql, &text);
	rc = ryde_buf_check(&text, err);
	if (rc == 0)
		rc = ryde_file_write_all(
		    STDOUT_FILENO, ryde_buf_as_view(&text), "standard output", err);
	ryde_buf_free(&text);
	return rc;
}

/* The definition from the command line; NULL with an error. */
static struct ryde_window_def *
definition(const struct ryde_window_sql *sql, struct ryde_err *err)
{
	struct ryde_window_def *d = ryde_window_def_new(err);

	if (d == NULL || define(d, sql, err) == 0)
		return d;
	ryde_window_def_free(d);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake_opts in = {.role = RYDE_ACK_WINDOW, .program = program.name};
	struct ryde_window_pipe_opts o = {.books = &cli.books, .tick = tick, .arg = &cli};
	struct ryde_window_sql *sql = NULL;
	struct ryde_window_def *def = NULL;
	bool closed = false;
	int status = 0;

	cli_start(&cli, &program, argc, argv);
	if (opt.flush && opt.no_flush)
		cli_usage(&cli, "--flush and --no-flush exclude each other");
	if (opt.sql == NULL && opt.explain)
		cli_usage(&cli, "--explain explains --sql");
	if (opt.sql != NULL &&
	    ((sql = read_sql(&err)) == NULL || use_sql(sql, &err) != 0))
		goto out;
	def = definition(sql, &err);
	if (def == NULL)
		goto out;
	if (opt.explain) {
		(void)explain(sql, &err);
		goto out;
	}
	cli_input(&cli, cli.n_operands, &in);
	in.fingerprint = def->fingerprint;
	o.def = def;
	o.flush = opt.flush;
	o.no_flush = opt.no_flush;
	o.every_ms = opt.every_ms;
	o.passes_rejects = cli.rejects != NULL && !cli.strict;
	if (opt.late != NULL && (o.late = ryde_rejects_open(opt.late, &err)) == NULL)
		goto out;
	o.out = ryde_writer_new(STDOUT_FILENO, &err);
	o.intake = o.out != NULL ? ryde_intake_new(&in, &err) : NULL;
	if (o.intake == NULL)
		goto out;
	cli_ready(&cli);
	status = ryde_window_pipe(&o, &err);
	closed = ryde_writer_closed(o.out);
out:
	ryde_intake_free(o.intake);
	ryde_writer_free(o.out);
	ryde_rejects_close(o.late);
	ryde_window_def_free(def);
	ryde_window_sql_free(sql);
	ryde_strings_free(&opt.by);
	if (closed)
		cli_finish_closed(&cli);
	if (err.code == RYDE_EUSAGE)
		cli_usage(&cli, "%s", err.msg);
	return cli_finish(&cli, status, &err);
}
