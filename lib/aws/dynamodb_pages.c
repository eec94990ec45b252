#include "aws/dynamodb_pages.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/attribute.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)256 << 10)
#define ITEM_MAX ((size_t)4 << 20)
#define TIMEOUT_MS 60000

struct ryde_dynamodb_pages {
	struct ryde_dynamodb_pages_opts o;
	const char *in, *out; /* what the place of the next page is called */
	struct ryde_buf body;
	size_t body_n; /* without what makes a page of it */
	struct ryde_aws_call *page;
	struct ryde_json_walk items;
	struct ryde_buf next; /* raw; empty: this is the last page */
	struct ryde_buf item;
	bool last;
};

struct ryde_dynamodb_pages *
ryde_dynamodb_pages_new(const struct ryde_dynamodb_pages_opts *o, struct ryde_err *err)
{
	struct ryde_dynamodb_pages *p = calloc(1, sizeof(*p));
	bool tokens = strcmp(o->operation, "ExecuteStatement") == 0;

	if (p == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	p->o = *o;
	p->in = tokens ? "NextToken" : "ExclusiveStartKey";
	p->out = tokens ? "NextToken" : "LastEvaluatedKey";
	ryde_buf_init(&p->body, BODY_MAX);
	ryde_buf_init(&p->next, BODY_MAX);
	ryde_buf_init(&p->item, ITEM_MAX);
	ryde_buf_view(&p->body, o->body);
	p->body_n = p->body.n;
	if (ryde_buf_check(&p->body, err) == 0)
		return p;
	ryde_dynamodb_pages_free(p);
	return NULL;
}

void
ryde_dynamodb_pages_free(struct ryde_dynamodb_pages *p)
{
	if (p == NULL)
		return;
	ryde_aws_free(p->page);
	ryde_buf_free(&p->body);
	ryde_buf_free(&p->next);
	ryde_buf_free(&p->item);
	free(p);
}

static int
next_page(struct ryde_dynamodb_pages *p, struct ryde_err *err)
{
	const struct ryde_ask ask = {.aws = p->o.aws,
	    .service = RYDE_AWS_DYNAMODB,
	    .operation = p->o.operation,
	    .what = p->o.what,
	    .region = p->o.region,
	    .body = &p->body,
	    .timeout_ms = TIMEOUT_MS};
	struct ryde_json_value items, next;
	struct ryde_view body;

	p->body.n = p->body_n;
	if (p->next.n > 0) {
		ryde_buf_printf(&p->body, ",\"%s\":", p->in);
		ryde_buf_view(&p->body, ryde_buf_as_view(&p->next));
	}
	ryde_buf_putc(&p->body, '}');
	ryde_buf_clear(&p->next);
	ryde_aws_free(p->page);
	p->items = (struct ryde_json_walk){.at = 0};
	p->page = ryde_ask(&ask, NULL, err);
	if (p->page == NULL || ryde_answer_body(p->page, p->o.operation, &body, err) != 0)
		return -1;
	items = ryde_answer_member(body, "Items");
	if (items.kind == RYDE_JSON_ARRAY)
		(void)ryde_json_walk_begin(&p->items, items.text);
	next = ryde_answer_member(body, p->out);
	if (next.kind == RYDE_JSON_STRING)
		ryde_buf_putc(&p->next, '"');
	ryde_buf_view(&p->next, next.text);
	if (next.kind == RYDE_JSON_STRING)
		ryde_buf_putc(&p->next, '"');
	p->last = p->next.n == 0;
	return ryde_buf_check(&p->next, err);
}

int
ryde_dynamodb_pages_next(
    struct ryde_dynamodb_pages *p, struct ryde_view *item, struct ryde_err *err)
{
	struct ryde_json_value key, v;

	while (p->items.text.n == 0 || !ryde_json_walk_next(&p->items, &key, &v)) {
		if (p->page != NULL && p->last)
			return 0;
		if (next_page(p, err) != 0)
			return -1;
	}
	ryde_buf_clear(&p->item);
	if (ryde_attribute_get_item(&p->item, v.text, err) != 0)
		return -1;
	*item = ryde_buf_as_view(&p->item);
	return 1;
}
