#include "aws/athena.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/waits.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)2 << 20)
#define LOOK_FIRST_MS 200
#define LOOK_LAST_MS 3000
#define STOP_MS 5000
#define PAGE_ROWS 1000

struct ryde_athena {
	struct ryde_athena_opts o;
	struct ryde_buf body;
	char id[130], location[RYDE_ATHENA_LOCATION_MAX];
	int64_t scanned_bytes;
	bool has_header; /* rows of SELECT have one */
	struct ryde_aws_call *page;
	struct ryde_json_walk rows;
	struct ryde_buf next; /* raw; empty: this is the last page */
	struct ryde_buf names, texts;
	struct ryde_athena_column *columns;
	size_t *ends; /* of the row's texts; n_columns of them */
	size_t n_columns;
	bool first; /* the next row is the first one */
};

static struct ryde_aws_call *
ask(struct ryde_athena *a, const char *operation, int64_t timeout_ms,
    struct ryde_view *answer, struct ryde_err *err)
{
	const struct ryde_ask q = {.aws = a->o.aws,
	    .service = RYDE_AWS_ATHENA,
	    .operation = operation,
	    .what = "the statement",
	    .body = &a->body,
	    .timeout_ms = timeout_ms};
	struct ryde_aws_call *call = ryde_ask(&q, NULL, err);

	if (call != NULL && ryde_answer_body(call, operation, answer, err) != 0) {
		ryde_aws_free(call);
		return NULL;
	}
	return call;
}

static void
put_text(struct ryde_buf *b, const char *name, const char *text)
{
	ryde_buf_printf(b, "\"%s\":", name);
	ryde_json_string_put(b, ryde_view_of(text));
}

static void
put_id(struct ryde_athena *a)
{
	ryde_buf_clear(&a->body);
	ryde_buf_putc(&a->body, '{');
	put_text(&a->body, "QueryExecutionId", a->id);
}

/* ---- running ---- */

static int
start(struct ryde_athena *a, struct ryde_view statement, struct ryde_err *err)
{
	struct ryde_aws_call *call;
	struct ryde_view answer;
	char token[RYDE_RANDOM_TOKEN + 1];
	int rc = -1;

	/* the same token in each try: a lost answer does not run, and cost, twice */
	if (ryde_random_token(token, err) != 0)
		return -1;
	ryde_buf_puts(&a->body, "{\"QueryString\":");
	ryde_json_string_put(&a->body, statement);
	ryde_buf_printf(&a->body, ",\"ClientRequestToken\":\"ryde-query-%s\"", token);
	if (a->o.database != NULL) {
		ryde_buf_puts(&a->body, ",\"QueryExecutionContext\":{");
		put_text(&a->body, "Database", a->o.database);
		ryde_buf_putc(&a->body, '}');
	}
	if (a->o.results != NULL) {
		ryde_buf_puts(&a->body, ",\"ResultConfiguration\":{");
		put_text(&a->body, "OutputLocation", a->o.results);
		ryde_buf_putc(&a->body, '}');
	}
	if (a->o.workgroup != NULL) {
		ryde_buf_putc(&a->body, ',');
		put_text(&a->body, "WorkGroup", a->o.workgroup);
	}
	ryde_buf_putc(&a->body, '}');
	call = ask(a, "StartQueryExecution", 0, &answer, err);
	if (call == NULL) {
		/* what it will not have is the statement */
		if (err->code == RYDE_EDATA)
			err->code = RYDE_EUSAGE;
		return -1;
	}
	if (ryde_answer_copy(
		a->id, sizeof(a->id), ryde_answer_text(answer, "QueryExecutionId")) &&
	    a->id[0] != '\0')
		rc = 0;
	else
		(void)ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "StartQueryExecution: the answer has no QueryExecutionId");
	ryde_aws_free(call);
	return rc;
}

static void
stop(struct ryde_athena *a)
{
	struct ryde_view answer;

	put_id(a);
	ryde_buf_putc(&a->body, '}');
	/* what cannot be stopped runs on, and there is nothing else to do about it */
	ryde_aws_free(ask(a, "StopQueryExecution", STOP_MS, &answer, NULL));
}

/* Sets err from a statement that ended without success. */
static int
failed(struct ryde_view status, bool cancelled, struct ryde_err *err)
{
	struct ryde_view error = ryde_answer_member(status, "AthenaError").text;
	/* 1: Athena itself, 2: what was asked, 3: others */
	int64_t category = ryde_answer_number(error, "ErrorCategory", 2);
	struct ryde_buf why;

	ryde_buf_init(&why, 4096);
	ryde_json_string_decode(&why, ryde_answer_text(status, "StateChangeReason"));
	(void)ryde_err_set(err,
	    cancelled	    ? RYDE_ETEMPFAIL
	    : category == 2 ? RYDE_EUSAGE
			    : RYDE_EUNAVAILABLE,
	    "Athena: %s%s%.400s", cancelled ? "the statement was cancelled" : "",
	    cancelled && why.n > 0 ? ": " : "", ryde_buf_str(&why));
	ryde_buf_free(&why);
	return -1;
}

/* One look: 1 when it has ended well, 0 while it runs, -1. A statement that runs may be
 * queued again. */
static int
look(struct ryde_athena *a, struct ryde_err *err)
{
	struct ryde_view answer, execution, status, state;
	struct ryde_aws_call *call;
	int rc = 0;

	put_id(a);
	ryde_buf_putc(&a->body, '}');
	call = ask(a, "GetQueryExecution", 0, &answer, err);
	if (call == NULL)
		return -1;
	execution = ryde_answer_member(answer, "QueryExecution").text;
	status = ryde_answer_member(execution, "Status").text;
	state = ryde_answer_text(status, "State");
	a->scanned_bytes = ryde_answer_number(
	    ryde_answer_member(execution, "Statistics").text, "DataScannedInBytes", 0);
	a->has_header = ryde_view_is(ryde_answer_text(execution, "StatementType"), "DML");
	(void)ryde_answer_copy(a->location, sizeof(a->location),
	    ryde_answer_text(ryde_answer_member(execution, "ResultConfiguration").text,
		"OutputLocation"));
	if (ryde_view_is(state, "SUCCEEDED"))
		rc = 1;
	else if (ryde_view_is(state, "FAILED") || ryde_view_is(state, "CANCELLED"))
		rc = failed(status, ryde_view_is(state, "CANCELLED"), err);
	else if (!ryde_view_is(state, "RUNNING") && !ryde_view_is(state, "QUEUED"))
		rc = ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "GetQueryExecution: the statement's state is '%.40s'",
		    state.n > 0 ? state.p : "");
	ryde_aws_free(call);
	return rc;
}

static int
wait_for_end(struct ryde_athena *a, struct ryde_err *err)
{
	int64_t pause = LOOK_FIRST_MS;
	int rc;

	while ((rc = look(a, err)) == 0) {
		int64_t until = ryde_clock_mono_ms() + pause;

		if (a->o.max_scan_bytes > 0 && a->scanned_bytes > a->o.max_scan_bytes) {
			stop(a);
			return ryde_err_set(err, RYDE_EDATA,
			    "stopped: the statement has scanned %lld bytes, more than "
			    "--max-scan",
			    (long long)a->scanned_bytes);
		}
		while (ryde_clock_mono_ms() < until && ryde_signals_stop() == 0) {
			struct ryde_waits w = {.n = 0};

			ryde_waits_begin(&w);
			ryde_waits_until(&w, until);
			if (a->o.tick != NULL)
				a->o.tick(a->o.arg, &w);
			if (ryde_waits_poll(&w, err) != 0)
				return -1;
		}
		if (ryde_signals_stop() > 0) {
			stop(a);
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "interrupted: Athena was asked to stop the statement");
		}
		pause = pause * 3 / 2 < LOOK_LAST_MS ? pause * 3 / 2 : LOOK_LAST_MS;
	}
	return rc < 0 ? -1 : 0;
}

struct ryde_athena *
ryde_athena_run(
    const struct ryde_athena_opts *o, struct ryde_view statement, struct ryde_err *err)
{
	struct ryde_athena *a;

	if (statement.n > RYDE_ATHENA_STATEMENT_MAX) {
		(void)ryde_err_set(err, RYDE_EUSAGE,
		    "a statement of %zu bytes: Athena takes %d", statement.n,
		    RYDE_ATHENA_STATEMENT_MAX);
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->o = *o;
	a->first = true;
	ryde_buf_init(&a->body, BODY_MAX);
	ryde_buf_init(&a->next, BODY_MAX);
	ryde_buf_init(&a->names, BODY_MAX);
	ryde_buf_init(&a->texts, (size_t)64 << 20);
	if (start(a, statement, err) == 0 && wait_for_end(a, err) == 0)
		return a;
	ryde_athena_free(a);
	return NULL;
}

void
ryde_athena_free(struct ryde_athena *a)
{
	if (a == NULL)
		return;
	ryde_aws_free(a->page);
	ryde_buf_free(&a->body);
	ryde_buf_free(&a->next);
	ryde_buf_free(&a->names);
	ryde_buf_free(&a->texts);
	free(a->columns);
	free(a->ends);
	free(a);
}

int64_t
ryde_athena_scanned_bytes(const struct ryde_athena *a)
{
	return a->scanned_bytes;
}

const char *
ryde_athena_location(const struct ryde_athena *a)
{
	return a->location;
}

/* ---- rows ---- */

/* The columns of the result set. Names are decoded one behind the other. */
static int
take_columns(struct ryde_athena *a, struct ryde_view set, struct ryde_err *err)
{
	struct ryde_view info = ryde_answer_member(
	    ryde_answer_member(set, "ResultSetMetadata").text, "ColumnInfo")
				    .text;
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	size_t n = 0, at = 0;

	if (info.n == 0 || !ryde_json_walk_begin(&w, info))
		return 0;
	while (ryde_json_walk_next(&w, &key, &v))
		n++;
	a->columns = calloc(n + 1, sizeof(*a->columns));
	a->ends = calloc(n + 1, sizeof(*a->ends));
	/* nothing is longer than it is written: what is sliced stays where it is */
	if (a->columns == NULL || a->ends == NULL ||
	    ryde_buf_room(&a->names, info.n) == NULL)
		return ryde_err_nomem(err);
	(void)ryde_json_walk_begin(&w, info);
	while (ryde_json_walk_next(&w, &key, &v)) {
		struct ryde_athena_column *c = &a->columns[a->n_columns++];

		ryde_json_string_decode(&a->names, ryde_answer_text(v.text, "Name"));
		c->name = ryde_buf_slice(&a->names, at, a->names.n - at);
		at = a->names.n;
		ryde_json_string_decode(&a->names, ryde_answer_text(v.text, "Type"));
		c->type = ryde_buf_slice(&a->names, at, a->names.n - at);
		at = a->names.n;
	}
	return 0;
}

static int
next_page(struct ryde_athena *a, struct ryde_err *err)
{
	struct ryde_view answer, set, rows;

	put_id(a);
	ryde_buf_printf(&a->body, ",\"MaxResults\":%d", PAGE_ROWS);
	if (a->next.n > 0) {
		ryde_buf_puts(&a->body, ",\"NextToken\":\"");
		ryde_buf_view(&a->body, ryde_buf_as_view(&a->next));
		ryde_buf_putc(&a->body, '"');
	}
	ryde_buf_putc(&a->body, '}');
	ryde_aws_free(a->page);
	a->rows = (struct ryde_json_walk){.at = 0};
	a->page = ask(a, "GetQueryResults", 30000, &answer, err);
	if (a->page == NULL)
		return -1;
	ryde_buf_clear(&a->next);
	ryde_buf_view(&a->next, ryde_answer_text(answer, "NextToken"));
	set = ryde_answer_member(answer, "ResultSet").text;
	rows = ryde_answer_member(set, "Rows").text;
	if (rows.n > 0)
		(void)ryde_json_walk_begin(&a->rows, rows);
	if (a->columns == NULL && take_columns(a, set, err) != 0)
		return -1;
	return ryde_buf_check(&a->next, err);
}

int
ryde_athena_open(struct ryde_athena *a, const struct ryde_athena_column **columns,
    bool *more, struct ryde_err *err)
{
	if (next_page(a, err) != 0)
		return -1;
	*columns = a->columns;
	*more = a->next.n > 0;
	return (int)a->n_columns;
}

/* The row's values, decoded one behind the other. */
static int
take_row(struct ryde_athena *a, struct ryde_view row, struct ryde_view *values,
    struct ryde_err *err)
{
	struct ryde_view data = ryde_answer_member(row, "Data").text;
	struct ryde_json_value key, v, text;
	struct ryde_json_walk w;
	size_t n = 0, at = 0;

	ryde_buf_clear(&a->texts);
	for (size_t i = 0; i < a->n_columns; i++)
		values[i] = ryde_view_mem(NULL, 0);
	if (data.n == 0 || !ryde_json_walk_begin(&w, data))
		return 0;
	for (; n < a->n_columns && ryde_json_walk_next(&w, &key, &v); n++) {
		text = ryde_answer_member(v.text, "VarCharValue");
		if (text.kind == RYDE_JSON_STRING) {
			ryde_json_string_decode(&a->texts, text.text);
			values[n].p = "";
		}
		a->ends[n] = a->texts.n;
	}
	if (ryde_buf_check(&a->texts, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (values[i].p != NULL && a->ends[i] > at)
			values[i] = ryde_buf_slice(&a->texts, at, a->ends[i] - at);
		at = a->ends[i];
	}
	return 0;
}

/* True where the row says what the columns are called. */
static bool
is_header(const struct ryde_athena *a, const struct ryde_view *values)
{
	for (size_t i = 0; i < a->n_columns; i++)
		if (values[i].p == NULL || !ryde_view_eq(values[i], a->columns[i].name))
			return false;
	return a->has_header;
}

int
ryde_athena_next(struct ryde_athena *a, struct ryde_view *values, struct ryde_err *err)
{
	struct ryde_json_value key, row;

	for (;;) {
		if (a->rows.text.n > 0 && ryde_json_walk_next(&a->rows, &key, &row)) {
			bool first = a->first;

			if (take_row(a, row.text, values, err) != 0)
				return -1;
			a->first = false;
			if (first && is_header(a, values))
				continue;
			return 1;
		}
		if (a->next.n == 0)
			return 0;
		if (next_page(a, err) != 0)
			return -1;
	}
}
