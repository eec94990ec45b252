#include "aws/dynamodb_select.h"

#include "aws/dynamodb_item.h"
#include "aws/dynamodb_pages.h"
#include "base/err.h"
#include "json/string.h"

static bool
is_of(const struct ryde_dynamodb_test *test, const char *field, char type)
{
	return field[0] != '\0' && ryde_view_is(test->field, field) &&
	       type == (test->number ? 'N' : 'S');
}

static void
put_value(
    struct ryde_buf *b, const char *name, const struct ryde_dynamodb_test *test, size_t i)
{
	ryde_buf_printf(b, "\"%s\":{\"%s\":", name, test->number ? "N" : "S");
	ryde_json_string_put(b, test->values[i]);
	ryde_buf_putc(b, '}');
}

/* The sort key's condition; its values are called :s and :t. */
static void
put_sort(struct ryde_buf *b, enum ryde_dynamodb_op op)
{
	static const char *const signs[] = {
	    [RYDE_DYNAMODB_EQ] = "=",
	    [RYDE_DYNAMODB_LT] = "<",
	    [RYDE_DYNAMODB_LE] = "<=",
	    [RYDE_DYNAMODB_GT] = ">",
	    [RYDE_DYNAMODB_GE] = ">=",
	};

	if (op == RYDE_DYNAMODB_BETWEEN)
		ryde_buf_puts(b, " AND #s BETWEEN :s AND :t");
	else
		ryde_buf_printf(b, " AND #s %s :s", signs[op]);
}

static void
put_query(struct ryde_buf *b, const struct ryde_dynamodb_table *t,
    const struct ryde_dynamodb_test *key, const struct ryde_dynamodb_test *sort)
{
	ryde_buf_puts(b, "{\"TableName\":");
	ryde_json_string_put(b, ryde_view_of(t->name));
	ryde_buf_puts(b, ",\"KeyConditionExpression\":\"#k = :k");
	if (sort != NULL)
		put_sort(b, sort->op);
	ryde_buf_puts(b, "\",\"ExpressionAttributeNames\":{\"#k\":");
	ryde_json_string_put(b, ryde_view_of(t->key));
	if (sort != NULL) {
		ryde_buf_puts(b, ",\"#s\":");
		ryde_json_string_put(b, ryde_view_of(t->sort));
	}
	ryde_buf_puts(b, "},\"ExpressionAttributeValues\":{");
	put_value(b, ":k", key, 0);
	for (size_t i = 0; sort != NULL && i < 1 + (sort->op == RYDE_DYNAMODB_BETWEEN);
	     i++) {
		ryde_buf_putc(b, ',');
		put_value(b, i == 0 ? ":s" : ":t", sort, i);
	}
	ryde_buf_putc(b, '}');
}

int
ryde_dynamodb_select_by_key(struct ryde_table *base,
    const struct ryde_dynamodb_test *tests, size_t n, struct ryde_dynamodb_pages **pages,
    struct ryde_err *err)
{
	const struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);
	struct ryde_dynamodb_pages_opts o = {.aws = t->aws,
	    .operation = "Query",
	    .what = t->what,
	    .region = t->region[0] != '\0' ? t->region : NULL};
	const struct ryde_dynamodb_test *key = NULL, *sort = NULL;
	struct ryde_buf body;

	for (size_t i = 0; i < n; i++) {
		if (key == NULL && tests[i].op == RYDE_DYNAMODB_EQ &&
		    is_of(&tests[i], t->key, t->key_type))
			key = &tests[i];
		else if (sort == NULL && is_of(&tests[i], t->sort, t->sort_type))
			sort = &tests[i];
		else
			return 0;
	}
	if (key == NULL)
		return 0;
	ryde_buf_init(&body, (size_t)64 << 10);
	put_query(&body, t, key, sort);
	*pages = NULL;
	o.body = ryde_buf_as_view(&body);
	if (ryde_buf_check(&body, err) == 0)
		*pages = ryde_dynamodb_pages_new(&o, err);
	ryde_buf_free(&body);
	return *pages != NULL ? 1 : -1;
}

struct ryde_dynamodb_pages *
ryde_dynamodb_select_statement(
    struct ryde_aws *aws, struct ryde_view statement, struct ryde_err *err)
{
	struct ryde_dynamodb_pages_opts o = {
	    .aws = aws, .operation = "ExecuteStatement", .what = "the statement"};
	struct ryde_dynamodb_pages *pages = NULL;
	struct ryde_buf body;

	if (statement.n > RYDE_DYNAMODB_STATEMENT_MAX) {
		(void)ryde_err_set(err, RYDE_EUSAGE,
		    "a statement of %zu bytes: DynamoDB takes %d", statement.n,
		    RYDE_DYNAMODB_STATEMENT_MAX);
		return NULL;
	}
	ryde_buf_init(&body, (size_t)64 << 10);
	ryde_buf_puts(&body, "{\"Statement\":");
	ryde_json_string_put(&body, statement);
	o.body = ryde_buf_as_view(&body);
	if (ryde_buf_check(&body, err) == 0)
		pages = ryde_dynamodb_pages_new(&o, err);
	ryde_buf_free(&body);
	return pages;
}
