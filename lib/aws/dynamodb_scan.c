#include "aws/dynamodb_item.h"
#include "aws/dynamodb_pages.h"
#include "base/err.h"
#include "json/string.h"

#include <stdlib.h>

struct cursor {
	struct ryde_table_cursor base;
	struct ryde_dynamodb_pages *pages;
};

static int
cursor_next(struct ryde_table_cursor *base, struct ryde_view *item, struct ryde_err *err)
{
	return ryde_dynamodb_pages_next(((struct cursor *)base)->pages, item, err);
}

static void
cursor_free(struct ryde_table_cursor *base)
{
	ryde_dynamodb_pages_free(((struct cursor *)base)->pages);
	free(base);
}

struct ryde_table_cursor *
ryde_dynamodb_scan_cursor(struct ryde_table *base, struct ryde_err *err)
{
	static const struct ryde_table_cursor_ops ops = {cursor_next, cursor_free};
	struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);
	struct ryde_dynamodb_pages_opts o = {.aws = t->aws,
	    .operation = "Scan",
	    .what = t->what,
	    .region = t->region[0] != '\0' ? t->region : NULL};
	struct cursor *c = calloc(1, sizeof(*c));
	struct ryde_buf body;

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->base.ops = &ops;
	ryde_buf_init(&body, 4096);
	ryde_buf_puts(&body, "{\"TableName\":");
	ryde_json_string_put(&body, ryde_view_of(t->name));
	o.body = ryde_buf_as_view(&body);
	if (ryde_buf_check(&body, err) == 0)
		c->pages = ryde_dynamodb_pages_new(&o, err);
	ryde_buf_free(&body);
	if (c->pages != NULL)
		return &c->base;
	free(c);
	return NULL;
}
