#include "engine/query_athena.h"

#include "aws/athena.h"
#include "aws/client.h"
#include "aws/s3.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/outlet.h"
#include "engine/query.h"
#include "engine/query_athena_scan.h"
#include "engine/query_csv.h"
#include "engine/query_print.h"
#include "engine/query_spool.h"
#include "engine/query_sql.h"
#include "flow/books.h"
#include "json/scan.h"
#include "line/writer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USD_PER_TB 5.0
#define BILLED_MIN_BYTES 10000000.0 /* of a statement that scans anything */

/* A statement that has ended, and where its rows come from. */
struct result {
	const struct ryde_query_opts *o;
	struct ryde_athena *athena;
	const struct ryde_athena_column *columns;
	size_t n;
	struct ryde_query_csv *csv; /* NULL: page by page */
	int fd;			    /* of the csv, or -1 */
	struct ryde_view *names, *values;
	struct ryde_query_cell *cells;
};

/* ---- cells ---- */

static bool
is_type(struct ryde_view type, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ryde_view_is(type, names[i]))
			return true;
	return false;
}

/* How a value of that type is printed. What Athena writes as no JSON has (NaN, rows and
 * maps) stays a text. */
static enum ryde_query_cell_kind
kind_of(struct ryde_view type, struct ryde_view value)
{
	static const char *const numbers[] = {"tinyint", "smallint", "int", "integer",
	    "bigint", "float", "real", "double", "decimal"};
	static const char *const booleans[] = {"boolean"}, *const jsons[] = {"json"};
	enum ryde_json_kind kind;
	struct ryde_json_fault fault;
	bool is_json;

	if (value.p == NULL)
		return RYDE_QUERY_NULL;
	is_json = ryde_json_check(value, &kind, &fault) == 0;
	if (!is_json)
		return RYDE_QUERY_TEXT;
	if (kind == RYDE_JSON_NUMBER &&
	    is_type(type, numbers, sizeof(numbers) / sizeof(numbers[0])))
		return RYDE_QUERY_NUMBER;
	if ((kind == RYDE_JSON_TRUE || kind == RYDE_JSON_FALSE) &&
	    is_type(type, booleans, 1))
		return RYDE_QUERY_BOOL;
	return is_type(type, jsons, 1) ? RYDE_QUERY_JSON : RYDE_QUERY_TEXT;
}

/* ---- rows ---- */

/*
 * Opens the file of the results in place of the pages that are left: a thousand rows a
 * call take minutes where a file takes seconds. Not where it is not to be had.
 */
static void
open_file(struct result *r, struct ryde_aws *aws)
{
	const char *location = ryde_athena_location(r->athena);
	size_t n = strlen(location);
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_s3_place at;

	if (strncmp(location, "s3://", 5) != 0 || n < 4 ||
	    strcmp(location + n - 4, ".csv") != 0)
		return;
	r->fd = ryde_query_spool_file(&why);
	if (r->fd >= 0 && ryde_s3_place_read(location, false, &at, &why) == 0 &&
	    ryde_s3_get(aws, at.bucket, at.prefix, r->fd, &why) == 0 &&
	    lseek(r->fd, 0, SEEK_SET) == 0)
		r->csv = ryde_query_csv_new(r->fd, r->n, &why);
	/* its first record are the names */
	if (r->csv != NULL && ryde_query_csv_next(r->csv, r->values, &why) == 1)
		return;
	ryde_query_csv_free(r->csv);
	r->csv = NULL;
	ryde_log(RYDE_LOG_INFO, "%s cannot be read (%s): rows come page by page",
	    location, why.msg);
}

static int
next(struct result *r, struct ryde_err *err)
{
	return r->csv != NULL ? ryde_query_csv_next(r->csv, r->values, err)
			      : ryde_athena_next(r->athena, r->values, err);
}

static int
print_rows(struct result *r, void *printer, struct ryde_err *err)
{
	const struct ryde_query_opts *o = r->o;
	struct ryde_buf *out = ryde_writer_buf(o->out);
	int rc;

	while ((rc = next(r, err)) == 1) {
		for (size_t i = 0; i < r->n; i++) {
			r->cells[i].kind = kind_of(r->columns[i].type, r->values[i]);
			r->cells[i].text = r->values[i];
		}
		if (o->printer->row(printer, r->cells, out, err) != 0)
			return -1;
		o->books->in++;
		o->books->handled++;
		o->books->out++;
		if (o->tick != NULL)
			o->tick(o->arg, NULL);
		if (ryde_writer_pending(o->out) > RYDE_WRITER_HIGH
			? ryde_outlet_drain(o->out, o->grace_ms, err) != 0
			: ryde_writer_added(o->out, err) != 0)
			return -1;
	}
	return rc < 0 ? -1 : o->printer->end(printer, out, err);
}

static int
print(struct result *r, struct ryde_err *err)
{
	const struct ryde_query_opts *o = r->o;
	struct ryde_query_head head = {
	    .n = r->n, .width_columns = o->width_columns, .ascii = o->ascii};
	void *printer;
	int rc = -1;

	for (size_t i = 0; i < r->n; i++)
		r->names[i] = r->columns[i].name;
	head.names = r->names;
	printer = o->printer->start(&head, err);
	if (printer == NULL)
		return -1;
	rc = print_rows(r, printer, err);
	o->printer->free(printer);
	return rc;
}

static void
say_cost(const struct ryde_query_opts *o, int64_t bytes)
{
	double billed = bytes > 0 && (double)bytes < BILLED_MIN_BYTES ? BILLED_MIN_BYTES
								      : (double)bytes;

	ryde_books_extra(o->books, "bytesScanned", (uint64_t)bytes);
	ryde_log(RYDE_LOG_NOTICE,
	    "Athena scanned %lld bytes: about %.6f USD, at %.0f USD per TB and at least "
	    "10 MB",
	    (long long)bytes, billed / 1e12 * USD_PER_TB, USD_PER_TB);
}

static int
open_result(struct result *r, struct ryde_aws *aws, struct ryde_err *err)
{
	bool more;
	int n = ryde_athena_open(r->athena, &r->columns, &more, err);

	if (n < 0)
		return -1;
	r->n = (size_t)n;
	r->names = calloc(r->n + 1, sizeof(*r->names));
	r->values = calloc(r->n + 1, sizeof(*r->values));
	r->cells = calloc(r->n + 1, sizeof(*r->cells));
	if (r->names == NULL || r->values == NULL || r->cells == NULL)
		return ryde_err_nomem(err);
	if (more)
		open_file(r, aws);
	return 0;
}

/* Runs one statement. *results counts those that had rows, or could have. */
static int
run(const struct ryde_query_opts *o, const struct ryde_athena_opts *athena,
    struct ryde_view statement, size_t *results, struct ryde_err *err)
{
	struct result r = {.o = o, .fd = -1};
	int rc = -1;

	if (o->athena.max_scan_bytes > 0 &&
	    ryde_query_athena_scan_check(
		athena, statement, o->athena.max_scan_bytes, err) != 0)
		return -1;
	r.athena = ryde_athena_run(athena, statement, err);
	if (r.athena == NULL)
		return -1;
	say_cost(o, ryde_athena_scanned_bytes(r.athena));
	rc = open_result(&r, athena->aws, err);
	if (rc == 0 && r.n > 0) {
		if ((*results)++ > 0)
			ryde_buf_puts(ryde_writer_buf(o->out), o->printer->between);
		rc = print(&r, err);
	}
	ryde_query_csv_free(r.csv);
	if (r.fd >= 0)
		(void)close(r.fd);
	free(r.names);
	free(r.values);
	free(r.cells);
	ryde_athena_free(r.athena);
	return rc;
}

int
ryde_query_athena(const struct ryde_query_opts *o, const char *sql, struct ryde_err *err)
{
	struct ryde_athena_opts athena = {.workgroup = o->athena.workgroup,
	    .database = o->athena.database,
	    .results = o->athena.results,
	    .max_scan_bytes = o->athena.max_scan_bytes,
	    .tick = o->tick,
	    .arg = o->arg};
	size_t results = 0, used;
	int rc = 0;

	athena.aws = ryde_aws_open(o->store, err);
	if (athena.aws == NULL)
		return -1;
	for (; rc == 0 && *sql != '\0'; sql += used) {
		struct ryde_view statement = ryde_query_sql_first(sql, &used);

		if (statement.n > 0)
			rc = run(o, &athena, statement, &results, err);
	}
	ryde_aws_close(athena.aws);
	return rc == 0 ? ryde_outlet_drain(o->out, o->grace_ms, err) : -1;
}
