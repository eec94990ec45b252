#include "engine/query_athena_scan.h"

#include "aws/athena.h"
#include "aws/s3.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/query_sql.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

/* ---- what a table is ---- */

/* The rows of the first column, a line each. */
static int
read_rows(struct ryde_athena *a, struct ryde_buf *to, struct ryde_err *err)
{
	const struct ryde_athena_column *columns;
	struct ryde_view *values;
	bool more;
	int n = ryde_athena_open(a, &columns, &more, err), rc = -1;

	if (n <= 0)
		return -1;
	values = calloc((size_t)n, sizeof(*values));
	if (values == NULL)
		return ryde_err_nomem(err);
	while ((rc = ryde_athena_next(a, values, err)) == 1) {
		ryde_buf_view(to, values[0]);
		ryde_buf_putc(to, '\n');
	}
	free(values);
	return rc == 0 ? ryde_buf_check(to, err) : -1;
}

/* Where the table lies. False where it has partitions, or says nothing of it. */
static bool
find_location(struct ryde_view ddl, struct ryde_buf *location)
{
	struct ryde_query_token t;

	ryde_buf_clear(location);
	while ((t = ryde_query_sql_next(&ddl)).kind != RYDE_QUERY_TOKEN_END) {
		if (ryde_query_sql_is(&t, "partitioned"))
			return false;
		if (ryde_query_sql_is(&t, "location") &&
		    ryde_query_sql_peek(ddl).kind == RYDE_QUERY_TOKEN_STRING) {
			t = ryde_query_sql_next(&ddl);
			ryde_query_sql_unquote(location, t.text);
		}
	}
	return !location->failed && ryde_view_starts(ryde_buf_as_view(location), "s3://");
}

static int
add_size(void *sum, const char *key, int64_t size_bytes)
{
	(void)key;
	*(int64_t *)sum += size_bytes;
	return 0;
}

/* Adds the size of the table, where it can be known. */
static void
add_table(const struct ryde_athena_opts *athena, struct ryde_view name, int64_t *sum)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_athena *a = NULL;
	struct ryde_s3_place at;
	struct ryde_buf text, location;

	ryde_buf_init(&text, TEXT_MAX);
	ryde_buf_init(&location, TEXT_MAX);
	ryde_buf_puts(&text, "SHOW CREATE TABLE ");
	ryde_buf_view(&text, name);
	if (!text.failed)
		a = ryde_athena_run(athena, ryde_buf_as_view(&text), &why);
	ryde_buf_clear(&text);
	if (a == NULL || read_rows(a, &text, &why) != 0 ||
	    !find_location(ryde_buf_as_view(&text), &location) ||
	    ryde_s3_place_read(ryde_buf_str(&location), true, &at, &why) != 0 ||
	    ryde_s3_list(athena->aws, at.bucket, at.prefix, false, add_size, sum, &why) !=
		0)
		ryde_log(RYDE_LOG_INFO, "--max-scan: the size of %.*s is not known%s%s",
		    (int)name.n, name.p, why.msg[0] != '\0' ? ": " : "", why.msg);
	ryde_athena_free(a);
	ryde_buf_free(&text);
	ryde_buf_free(&location);
}

/* ---- what a statement reads ---- */

/* Takes NAME or DATABASE.NAME, as DDL writes names: in ``. */
static bool
take_table(struct ryde_view *rest, struct ryde_buf *to)
{
	struct ryde_view name;
	struct ryde_buf plain;
	bool found = false;

	ryde_buf_clear(to);
	ryde_buf_init(&plain, TEXT_MAX);
	while (ryde_query_sql_name(rest, &name)) {
		ryde_query_sql_unquote(&plain, name);
		ryde_buf_putc(to, '`');
		ryde_buf_view(to, ryde_buf_as_view(&plain));
		ryde_buf_putc(to, '`');
		found = !to->failed && !plain.failed &&
			memchr(ryde_buf_str(&plain), '`', plain.n) == NULL;
		if (!found || !ryde_query_sql_take(rest, "."))
			break;
		ryde_buf_putc(to, '.');
	}
	ryde_buf_free(&plain);
	return found;
}

int
ryde_query_athena_scan_check(const struct ryde_athena_opts *athena,
    struct ryde_view statement, int64_t max_bytes, struct ryde_err *err)
{
	struct ryde_athena_opts asking = *athena;
	struct ryde_query_token t = ryde_query_sql_peek(statement);
	struct ryde_buf table;
	int64_t sum = 0;

	/* what else reads anything is not called so */
	if (!ryde_query_sql_is(&t, "select") && !ryde_query_sql_is(&t, "with"))
		return 0;
	asking.max_scan_bytes = 0;
	ryde_buf_init(&table, TEXT_MAX);
	while ((t = ryde_query_sql_next(&statement)).kind != RYDE_QUERY_TOKEN_END)
		if ((ryde_query_sql_is(&t, "from") || ryde_query_sql_is(&t, "join")) &&
		    take_table(&statement, &table))
			add_table(&asking, ryde_buf_as_view(&table), &sum);
	ryde_buf_free(&table);
	if (sum <= max_bytes)
		return 0;
	return ryde_err_set(err, RYDE_EDATA,
	    "not run: the statement would scan %lld bytes, more than --max-scan",
	    (long long)sum);
}
