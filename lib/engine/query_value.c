#include "engine/query_value.h"

#include "base/buf.h"
#include "base/num.h"
#include "engine/query_columns.h"
#include "engine/query_exact.h"
#include "engine/query_number.h"
#include "json/scan.h"
#include "json/string.h"

#include <math.h>
#include <sqlite3.h>

void
ryde_query_value_text(sqlite3_context *ctx, struct ryde_view v)
{
	sqlite3_result_text64(
	    ctx, v.n > 0 ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int
ryde_query_value_number(sqlite3_context *ctx, struct ryde_view number,
    struct ryde_query_seen *seen, struct ryde_buf *text)
{
	struct ryde_query_number n;
	double handle = 0;

	ryde_buf_clear(text);
	if (ryde_query_number(&n, number, text) != 0)
		return -1;
	switch (n.kind) {
	case RYDE_QUERY_NUMBER_INTEGER:
		sqlite3_result_int64(ctx, n.integer);
		break;
	case RYDE_QUERY_NUMBER_REAL:
		sqlite3_result_double(
		    ctx, ryde_query_exact_real(seen->numbers, n.real, number.n));
		break;
	case RYDE_QUERY_NUMBER_EXACT:
		seen->exact = true;
		if (isfinite(n.real) &&
		    ryde_query_number_exact(ryde_buf_as_view(text), &number))
			handle = ryde_query_exact_handle(seen->numbers, n.real, number);
		if (handle != 0)
			sqlite3_result_double(ctx, handle);
		else
			sqlite3_result_blob64(ctx, text->p, text->n, SQLITE_TRANSIENT);
		break;
	}
	return 0;
}

static int
result_number(sqlite3_context *ctx, struct ryde_query_column *column,
    struct ryde_view number, struct ryde_query_seen *seen, struct ryde_buf *text)
{
	column->saw |= RYDE_QUERY_SAW_NUMBER;
	return ryde_query_value_number(ctx, number, seen, text);
}

static int
result_string(sqlite3_context *ctx, struct ryde_query_column *column,
    const struct ryde_json_value *value, struct ryde_buf *text)
{
	struct ryde_view shown = value->text;

	if (value->escaped) {
		ryde_buf_clear(text);
		ryde_json_string_decode(text, shown);
		if (text->failed)
			return -1;
		shown = ryde_buf_as_view(text);
	}
	if (shown.n > 0 && (shown.p[0] == '[' || shown.p[0] == '{'))
		column->saw |= RYDE_QUERY_SAW_BRACKET;
	ryde_query_value_text(ctx, shown);
	return 0;
}

static int
result_value(sqlite3_context *ctx, struct ryde_query_column *column,
    const struct ryde_json_value *value, struct ryde_query_seen *seen,
    struct ryde_buf *text)
{
	switch (value->kind) {
	case RYDE_JSON_ABSENT:
	case RYDE_JSON_NULL:
		break;
	case RYDE_JSON_FALSE:
	case RYDE_JSON_TRUE:
		column->saw |= RYDE_QUERY_SAW_BOOL;
		sqlite3_result_int(ctx, value->kind == RYDE_JSON_TRUE);
		break;
	case RYDE_JSON_NUMBER:
		return result_number(ctx, column, value->text, seen, text);
	case RYDE_JSON_STRING:
		return result_string(ctx, column, value, text);
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
		column->saw |= RYDE_QUERY_SAW_NESTED;
		ryde_query_value_text(ctx, value->text);
		break;
	}
	return 0;
}

/* A string as the JSON text in it, where it is one of that kind. */
static bool
reads_as(const struct ryde_json_value *value, struct ryde_json_value *read)
{
	struct ryde_json_fault fault;

	*read = *value;
	if (value->kind != RYDE_JSON_STRING)
		return true;
	if (value->escaped || ryde_json_check(value->text, &read->kind, &fault) != 0)
		return false;
	return read->kind != RYDE_JSON_STRING;
}

/*
 * A value as its column's type has it: what does not fit is NULL, and counted. A number
 * or a boolean may stand in quotes. Source: Athena's JSON SerDes.
 */
static int
result_typed(sqlite3_context *ctx, struct ryde_query_column *column,
    const struct ryde_json_value *value, struct ryde_query_seen *seen,
    struct ryde_buf *text)
{
	enum ryde_json_kind kind = value->kind;
	struct ryde_json_value read;
	int64_t whole;

	if (kind == RYDE_JSON_NULL)
		return 0;
	switch (column->type) {
	case RYDE_QUERY_TYPE_TEXT:
		if (kind == RYDE_JSON_STRING)
			return result_string(ctx, column, value, text);
		ryde_query_value_text(ctx, value->text);
		return 0;
	case RYDE_QUERY_TYPE_INTEGER:
		if (!reads_as(value, &read) || read.kind != RYDE_JSON_NUMBER ||
		    !ryde_num_i64(read.text, INT64_MIN, INT64_MAX, &whole))
			break;
		return result_number(ctx, column, read.text, seen, text);
	case RYDE_QUERY_TYPE_NUMBER:
		if (!reads_as(value, &read) || read.kind != RYDE_JSON_NUMBER)
			break;
		return result_number(ctx, column, read.text, seen, text);
	case RYDE_QUERY_TYPE_BOOLEAN:
		if (!reads_as(value, &read) ||
		    (read.kind != RYDE_JSON_TRUE && read.kind != RYDE_JSON_FALSE))
			break;
		return result_value(ctx, column, &read, seen, text);
	case RYDE_QUERY_TYPE_NESTED:
		if (kind != RYDE_JSON_ARRAY && kind != RYDE_JSON_OBJECT)
			break;
		return result_value(ctx, column, value, seen, text);
	case RYDE_QUERY_TYPE_ANY:
		return result_value(ctx, column, value, seen, text);
	}
	seen->misfits++;
	return 0;
}

int
ryde_query_value(sqlite3_context *ctx, struct ryde_query_column *column,
    const struct ryde_json_value *value, struct ryde_query_seen *seen,
    struct ryde_buf *text)
{
	return column->type != RYDE_QUERY_TYPE_ANY
		   ? result_typed(ctx, column, value, seen, text)
		   : result_value(ctx, column, value, seen, text);
}
