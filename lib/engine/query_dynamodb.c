#include "engine/query_dynamodb.h"

#include "aws/client.h"
#include "aws/dynamodb_pages.h"
#include "aws/dynamodb_select.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/query.h"
#include "engine/query_columns.h"
#include "engine/query_condition.h"
#include "engine/query_run.h"
#include "engine/query_source.h"
#include "engine/query_spool.h"
#include "engine/query_sql.h"
#include "engine/query_vtab.h"
#include "store/name.h"
#include "store/table.h"

#include <stdio.h>

#define FIELDS_MAX 64
#define TESTS_MAX 2 /* the key, the sort key */
#define TEXT_MAX ((size_t)64 << 10)

/* SELECT fields FROM one WHERE conditions, as far as it is so plain. */
struct select {
	struct ryde_view fields[FIELDS_MAX]; /* tokens */
	size_t n_fields;		     /* 0: * */
	struct ryde_view from;		     /* a token */
	struct ryde_query_condition conditions[TESTS_MAX];
	size_t n_conditions;
};

/* ---- reading ---- */

/* Takes plain fields, or *, and FROM. Where they are not plain the items' own names
 * count, as with * */
static bool
take_fields(struct ryde_view *rest, struct select *s)
{
	size_t n = 0;

	if (!ryde_query_sql_take(rest, "*")) {
		do {
			if (n == FIELDS_MAX ||
			    !ryde_query_sql_name(rest, &s->fields[n++]))
				return false;
		} while (ryde_query_sql_take(rest, ","));
	}
	if (!ryde_query_sql_take(rest, "from"))
		return false;
	s->n_fields = n;
	return true;
}

/* True where Query could answer it. */
static bool
is_lookup(struct ryde_view statement, struct select *s)
{
	return ryde_query_sql_take(&statement, "select") && take_fields(&statement, s) &&
	       ryde_query_sql_name(&statement, &s->from) &&
	       ryde_query_sql_take(&statement, "where") &&
	       ryde_query_condition_read(
		   &statement, s->conditions, TESTS_MAX, &s->n_conditions) &&
	       ryde_query_sql_peek(statement).kind == RYDE_QUERY_TOKEN_END;
}

/* ---- asking ---- */

/* The conditions as tests, their texts unquoted into texts. */
static bool
make_tests(
    const struct select *s, struct ryde_dynamodb_test *tests, struct ryde_buf *texts)
{
	static const enum ryde_dynamodb_op ops[] = {
	    [RYDE_QUERY_EQ] = RYDE_DYNAMODB_EQ,
	    [RYDE_QUERY_LT] = RYDE_DYNAMODB_LT,
	    [RYDE_QUERY_LE] = RYDE_DYNAMODB_LE,
	    [RYDE_QUERY_GT] = RYDE_DYNAMODB_GT,
	    [RYDE_QUERY_GE] = RYDE_DYNAMODB_GE,
	    [RYDE_QUERY_BETWEEN] = RYDE_DYNAMODB_BETWEEN,
	};
	size_t k = 0;

	for (size_t i = 0; i < s->n_conditions; i++) {
		const struct ryde_query_condition *c = &s->conditions[i];

		if (c->op == RYDE_QUERY_NE || c->op == RYDE_QUERY_IS_NULL ||
		    c->op == RYDE_QUERY_NOT_NULL)
			return false;
		ryde_query_sql_unquote(&texts[k], c->field);
		tests[i].field = ryde_buf_as_view(&texts[k++]);
		tests[i].op = ops[c->op];
		tests[i].number = c->number;
		for (size_t v = 0; v < 2; v++) {
			ryde_query_sql_unquote(&texts[k], c->values[v]);
			tests[i].values[v] = ryde_buf_as_view(&texts[k++]);
		}
	}
	return true;
}

static int
look_up(struct ryde_table *t, const struct select *s, struct ryde_dynamodb_pages **pages,
    struct ryde_err *err)
{
	struct ryde_dynamodb_test tests[TESTS_MAX];
	struct ryde_buf texts[TESTS_MAX * 3];
	int rc = 0;

	for (size_t i = 0; i < TESTS_MAX * 3; i++)
		ryde_buf_init(&texts[i], TEXT_MAX);
	if (make_tests(s, tests, texts))
		rc = ryde_dynamodb_select_by_key(t, tests, s->n_conditions, pages, err);
	for (size_t i = 0; i < TESTS_MAX * 3; i++)
		ryde_buf_free(&texts[i]);
	return rc;
}

static int
next_item(void *pages, struct ryde_view *item, struct ryde_err *err)
{
	return ryde_dynamodb_pages_next(pages, item, err);
}

static struct ryde_query_source *
gather(
    struct ryde_query_session *q, struct ryde_dynamodb_pages *pages, struct ryde_err *err)
{
	struct ryde_query_source *source =
	    pages != NULL ? ryde_query_spool_rows(&q->sources, next_item, pages, err)
			  : NULL;

	ryde_dynamodb_pages_free(pages);
	return source;
}

/* The table that FROM names, where it is on AWS: 1, 0 where it is no table there. */
static int
open_table(struct ryde_query_session *q, const struct select *s,
    struct ryde_table **table, struct ryde_err *err)
{
	struct ryde_store_settings settings = *q->o->store;
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_store_name found;
	struct ryde_buf name;
	int rc = 0;

	if (q->o->engine == RYDE_QUERY_ENGINE_DYNAMODB)
		settings.engine = "aws";
	ryde_buf_init(&name, TEXT_MAX);
	ryde_query_sql_unquote(&name, s->from);
	if (ryde_store_resolve(&settings, ryde_buf_str(&name), &found, NULL) == 0 &&
	    found.kind == RYDE_STORE_AWS) {
		*table = ryde_table_open(&settings, ryde_buf_str(&name), &why);
		rc = *table != NULL ? 1 : 0;
		/* it may be a stream, where that is not settled */
		if (*table == NULL && (q->o->engine == RYDE_QUERY_ENGINE_DYNAMODB ||
					  why.code != RYDE_ENOINPUT))
			rc = ryde_err_set(err, why.code, "%s", why.msg);
	}
	ryde_buf_free(&name);
	return rc;
}

static int
by_key(struct ryde_query_session *q, const struct select *s,
    struct ryde_query_source **source, struct ryde_err *err)
{
	struct ryde_table *table = NULL;
	struct ryde_dynamodb_pages *pages = NULL;
	int rc = open_table(q, s, &table, err);

	if (rc == 1)
		rc = look_up(table, s, &pages, err);
	if (rc == 1) {
		*source = gather(q, pages, err);
		rc = *source != NULL ? 1 : -1;
	}
	ryde_table_close(table);
	return rc;
}

static int
by_statement(struct ryde_query_session *q, struct ryde_view statement,
    struct ryde_query_source **source, struct ryde_err *err)
{
	struct ryde_query_token t = ryde_query_sql_peek(statement);
	struct ryde_aws *aws;

	/* nothing is changed by a query */
	if (!ryde_query_sql_is(&t, "select"))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--engine dynamodb runs SELECT, and nothing else: '%.*s'",
		    (int)(statement.n < 40 ? statement.n : 40), statement.p);
	aws = ryde_aws_open(q->o->store, err);
	if (aws == NULL)
		return -1;
	*source = gather(q, ryde_dynamodb_select_statement(aws, statement, err), err);
	ryde_aws_close(aws);
	return *source != NULL ? 1 : -1;
}

/* ---- the rows as a table ---- */

static int
put_statement(struct ryde_query_session *q, const struct select *s,
    struct ryde_query_source *source, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_query_columns columns = {0};
	struct ryde_buf field;
	char name[40];
	int rc = 0;

	(void)snprintf(name, sizeof(name), "ryde_items_%zu", q->tables.n);
	ryde_buf_init(&field, TEXT_MAX);
	ryde_buf_puts(to, s->n_fields > 0 ? "SELECT " : "SELECT *");
	for (size_t i = 0; rc == 0 && i < s->n_fields; i++) {
		ryde_query_sql_unquote(&field, s->fields[i]);
		rc = ryde_query_columns_add(&columns, ryde_buf_str(&field), err);
		ryde_buf_puts(to, i > 0 ? "," : "");
		ryde_query_sql_quote(to, ryde_buf_as_view(&field));
	}
	ryde_buf_printf(to, " FROM %s", name);
	/* the fields that are asked for are columns, whether items have them or not */
	if (rc != 0)
		ryde_query_source_close(source);
	else
		rc = ryde_query_vtab_add(
		    &q->tables, name, source, s->n_fields > 0 ? &columns : NULL, err);
	ryde_query_columns_free(&columns);
	ryde_buf_free(&field);
	return rc == 0 ? ryde_buf_check(to, err) : -1;
}

int
ryde_query_dynamodb(struct ryde_query_session *q, const char *sql, size_t *used,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_view statement = ryde_query_sql_first(sql, used);
	struct select s = {.n_fields = 0};
	struct ryde_query_source *source = NULL;
	int rc = 0;

	if (q->o->engine == RYDE_QUERY_ENGINE_SQLITE ||
	    q->o->engine == RYDE_QUERY_ENGINE_ATHENA || q->o->follow || statement.n == 0)
		return 0;
	if (is_lookup(statement, &s))
		rc = by_key(q, &s, &source, err);
	if (rc == 0 && q->o->engine == RYDE_QUERY_ENGINE_DYNAMODB)
		rc = by_statement(q, statement, &source, err);
	if (rc != 1)
		return rc;
	return put_statement(q, &s, source, to, err) == 0 ? 1 : -1;
}
