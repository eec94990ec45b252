#include "aws/positions_item.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/attribute.h"
#include "aws/dynamodb_table.h"
#include "aws/positions.h"
#include "base/err.h"
#include "base/num.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_MAX ((size_t)2 << 20)
#define TIMEOUT_MS 4000

static struct ryde_aws_call *
ask(struct ryde_positions *g, const char *operation, struct ryde_buf *body,
    struct ryde_aws_fault *fault, struct ryde_err *err)
{
	const struct ryde_ask q = {.aws = g->aws,
	    .service = RYDE_AWS_DYNAMODB,
	    .operation = operation,
	    .what = g->what,
	    .region = g->region[0] != '\0' ? g->region : NULL,
	    .body = body,
	    .timeout_ms = TIMEOUT_MS};

	return ryde_ask(&q, fault, err);
}

static void
put_key(const struct ryde_positions *g, struct ryde_buf *b)
{
	ryde_buf_puts(b, "{\"TableName\":");
	ryde_json_string_put(b, ryde_view_of(ryde_positions_table()));
	ryde_buf_puts(b, ",\"Key\":{\"stream\":{\"S\":");
	ryde_json_string_put(b, ryde_view_of(g->stream));
	ryde_buf_puts(b, "},\"group\":{\"S\":");
	ryde_json_string_put(b, ryde_view_of(g->group));
	ryde_buf_puts(b, "}}");
}

/* ---- reading ---- */

struct ryde_group_position *
ryde_positions_item_shard(struct ryde_positions *g, const char *shard)
{
	struct ryde_group_position *more;

	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->positions[i].shard, shard) == 0)
			return &g->positions[i];
	if (g->n == g->cap) {
		size_t cap = g->cap == 0 ? 16 : 2 * g->cap;

		more = realloc(g->positions, cap * sizeof(*more));
		if (more == NULL)
			return NULL;
		g->positions = more;
		g->cap = cap;
	}
	g->positions[g->n] = (struct ryde_group_position){0};
	(void)ryde_answer_copy(g->positions[g->n].shard, sizeof(g->positions[g->n].shard),
	    ryde_view_of(shard));
	return &g->positions[g->n++];
}

/* The text of attribute `name` of an item or map, whatever it is. */
static struct ryde_view
attribute(struct ryde_view item, const char *name)
{
	struct ryde_json_value v = ryde_answer_member(item, name);
	char kind;

	return v.kind == RYDE_JSON_OBJECT ? ryde_attribute_text(v.text, &kind)
					  : ryde_view_mem(NULL, 0);
}

static int64_t
number(struct ryde_view item, const char *name)
{
	int64_t n = 0;

	(void)ryde_num_i64(attribute(item, name), 0, INT64_MAX / 4, &n);
	return n;
}

static int
take_positions(struct ryde_positions *g, struct ryde_view item, struct ryde_err *err)
{
	struct ryde_view map =
	    ryde_answer_member(ryde_answer_member(item, "positions").text, "M").text;
	struct ryde_json_value key, v;
	struct ryde_json_walk w;

	g->n = 0;
	if (map.n == 0 || !ryde_json_walk_begin(&w, map))
		return 0;
	while (ryde_json_walk_next(&w, &key, &v)) {
		struct ryde_view one = ryde_answer_member(v.text, "M").text;
		char id[RYDE_SHARD_ID_MAX + 1];
		struct ryde_group_position *p;
		uint64_t sub;

		if (!ryde_answer_copy(id, sizeof(id), key.text))
			continue;
		p = ryde_positions_item_shard(g, id);
		if (p == NULL)
			return ryde_err_nomem(err);
		if (!ryde_pos_set(&p->pos, attribute(one, "seq")))
			p->pos.n = 0;
		else if (ryde_num_u64(attribute(one, "sub"), RYDE_SUB_MAX, &sub))
			p->pos.lines = (uint32_t)sub + 1;
		p->at_ms = number(one, "at");
		p->updated_ms = number(one, "updated");
	}
	return 0;
}

static int
take_item(struct ryde_positions *g, struct ryde_view item, struct ryde_err *err)
{
	g->exists = item.n > 0;
	g->epoch = number(item, "epoch");
	g->beat = number(item, "beat");
	(void)ryde_answer_copy(g->owner, sizeof(g->owner), attribute(item, "owner"));
	(void)ryde_answer_copy(
	    g->process, sizeof(g->process), attribute(item, "process"));
	ryde_buf_clear(&g->window);
	ryde_json_string_decode(&g->window, attribute(item, "window"));
	ryde_buf_clear(&g->fingerprint);
	ryde_json_string_decode(&g->fingerprint, attribute(item, "fingerprint"));
	if (ryde_buf_check(&g->window, err) != 0 ||
	    ryde_buf_check(&g->fingerprint, err) != 0)
		return -1;
	return take_positions(g, item, err);
}

int
ryde_positions_item_read(struct ryde_positions *g, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_view body;
	struct ryde_buf b;
	int rc = -1;

	ryde_buf_init(&b, 4096);
	put_key(g, &b);
	ryde_buf_puts(&b, ",\"ConsistentRead\":true}");
	call = ask(g, "GetItem", &b, &fault, &why);
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			rc = take_item(g, ryde_view_mem(NULL, 0), err);
		else
			*err = why;
	} else if (ryde_answer_body(call, "GetItem", &body, err) == 0) {
		rc = take_item(g, ryde_answer_member(body, "Item").text, err);
	}
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

/* ---- writing ---- */

void
ryde_positions_item_put(const struct ryde_positions *g, struct ryde_buf *b)
{
	ryde_buf_puts(b, "{\"M\":{");
	for (size_t i = 0; i < g->n; i++) {
		const struct ryde_group_position *p = &g->positions[i];
		const char *comma = "";

		ryde_buf_puts(b, i > 0 ? "," : "");
		ryde_json_string_put(b, ryde_view_of(p->shard));
		ryde_buf_puts(b, ":{\"M\":{");
		if (p->pos.n > 0) {
			ryde_buf_printf(
			    b, "\"seq\":{\"S\":\"%.*s\"}", (int)p->pos.n, p->pos.seq);
			if (p->pos.lines > 0)
				ryde_buf_printf(b, ",\"sub\":{\"N\":\"%lu\"}",
				    (unsigned long)p->pos.lines - 1);
			comma = ",";
		} else if (p->at_ms > 0) {
			ryde_buf_printf(
			    b, "\"at\":{\"N\":\"%lld\"}", (long long)p->at_ms);
			comma = ",";
		}
		ryde_buf_printf(b, "%s\"updated\":{\"N\":\"%lld\"}}}", comma,
		    (long long)p->updated_ms);
	}
	ryde_buf_puts(b, "}}");
}

/* #name in an expression stands for the attribute of that name. */
static void
put_names(struct ryde_buf *b, const char *update, const char *condition)
{
	static const char *const names[] = {"stream", "epoch", "beat", "owner", "process",
	    "positions", "window", "fingerprint"};
	bool first = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char mark[16] = "#";

		memcpy(mark + 1, names[i], strlen(names[i]) + 1);
		if ((update == NULL || strstr(update, mark) == NULL) &&
		    strstr(condition, mark) == NULL)
			continue;
		ryde_buf_printf(b, "%s\"%s\":\"%s\"",
		    first ? ",\"ExpressionAttributeNames\":{" : ",", mark, names[i]);
		first = false;
	}
	if (!first)
		ryde_buf_putc(b, '}');
}

static int
make_table(struct ryde_positions *g, struct ryde_err *err)
{
	const struct ryde_dynamodb_shape shape = {
	    .name = ryde_positions_table(), .key = "stream", .sort = "group"};

	return ryde_dynamodb_table_make(
	    g->aws, g->region[0] != '\0' ? g->region : NULL, &shape, err);
}

enum ryde_positions_outcome
ryde_positions_item_write(struct ryde_positions *g, const char *update,
    const char *condition, const struct ryde_buf *values, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome = RYDE_POSITIONS_FAILED;
	struct ryde_aws_call *call = NULL;
	struct ryde_buf b;
	bool made = false;

	ryde_buf_init(&b, ITEM_MAX);
	put_key(g, &b);
	if (update != NULL) {
		ryde_buf_puts(&b, ",\"UpdateExpression\":");
		ryde_json_string_put(&b, ryde_view_of(update));
	}
	ryde_buf_puts(&b, ",\"ConditionExpression\":");
	ryde_json_string_put(&b, ryde_view_of(condition));
	put_names(&b, update, condition);
	if (values->n > 0) {
		ryde_buf_puts(&b, ",\"ExpressionAttributeValues\":{");
		ryde_buf_view(&b, ryde_buf_as_view(values));
		ryde_buf_putc(&b, '}');
	}
	ryde_buf_putc(&b, '}');
	for (;;) {
		struct ryde_err why = RYDE_ERR_INIT;
		struct ryde_aws_fault fault;

		call = ask(
		    g, update != NULL ? "UpdateItem" : "DeleteItem", &b, &fault, &why);
		if (call != NULL) {
			outcome = RYDE_POSITIONS_DONE;
			break;
		}
		if (ryde_aws_fault_is(&fault, "ConditionalCheckFailedException")) {
			outcome = RYDE_POSITIONS_REFUSED;
			break;
		}
		if (fault.kind != RYDE_AWS_MISSING || made) {
			*err = why;
			break;
		}
		made = true;
		if (make_table(g, err) != 0)
			break;
	}
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return outcome;
}
