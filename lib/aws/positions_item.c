#include "aws/positions_item.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/attribute.h"
#include "aws/dynamodb_table.h"
#include "aws/positions.h"
#include "aws/positions_shared.h"
#include "base/err.h"
#include "base/num.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MAX ((size_t)2 << 20)
#define TIMEOUT_MS 4000
#define TIMEOUT_LEAST_MS 1000

int64_t
ryde_positions_timeout_ms(const struct ryde_positions *g)
{
	int64_t ms = g->base.lease_ms / 4;

	if (g->m == NULL || g->m->self[0] == '\0' || ms > TIMEOUT_MS)
		return TIMEOUT_MS;
	return ms < TIMEOUT_LEAST_MS ? TIMEOUT_LEAST_MS : ms;
}

struct ryde_aws_call *
ryde_positions_ask(struct ryde_positions *g, const char *operation, struct ryde_buf *body,
    struct ryde_aws_fault *fault, struct ryde_err *err)
{
	const struct ryde_ask q = {.aws = g->aws,
	    .service = RYDE_AWS_DYNAMODB,
	    .operation = operation,
	    .what = g->what,
	    .region = g->region[0] != '\0' ? g->region : NULL,
	    .body = body,
	    .timeout_ms = ryde_positions_timeout_ms(g)};

	return ryde_ask(&q, fault, err);
}

void
ryde_positions_put_key(
    const struct ryde_positions *g, const char *item, struct ryde_buf *b)
{
	char range[RYDE_POSITIONS_RANGE_MAX];

	(void)snprintf(range, sizeof(range), "%s%s", g->group, item);
	ryde_buf_puts(b, "{\"TableName\":");
	ryde_json_string_put(b, ryde_view_of(ryde_positions_table()));
	ryde_buf_puts(b, ",\"Key\":{\"stream\":{\"S\":");
	ryde_json_string_put(b, ryde_view_of(g->stream));
	ryde_buf_puts(b, "},\"group\":{\"S\":");
	ryde_json_string_put(b, ryde_view_of(range));
	ryde_buf_puts(b, "}}");
}

/* ---- reading ---- */

struct ryde_group_position *
ryde_positions_item_shard(struct ryde_positions *g, const char *shard)
{
	struct ryde_group_position *more;

	for (size_t k = 0; k < g->n; k++) {
		size_t i = (g->hint + k) % g->n;

		if (strcmp(g->positions[i].shard, shard) == 0) {
			/* they are mostly asked for in order */
			g->hint = i + 1;
			return &g->positions[i];
		}
	}
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

int
ryde_positions_foreign(const struct ryde_positions *g, const char *item,
    const char *attribute, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ECONFIG,
	    "table %s: item %s of stream %s is not one of ryde's: its `%s` is something "
	    "else. RYDE_POSITIONS names the table",
	    ryde_positions_table(), item[0] != '\0' ? item : g->group, g->stream,
	    attribute);
}

/* The text of attribute `name` of an item or map; *kind: 'S', 'N', 0 for another one, '-'
 * where there is none. */
static struct ryde_view
attribute(struct ryde_view item, const char *name, char *kind)
{
	struct ryde_json_value v = ryde_answer_member(item, name);

	*kind = '-';
	if (v.kind == RYDE_JSON_ABSENT)
		return ryde_view_mem(NULL, 0);
	*kind = 0;
	return v.kind == RYDE_JSON_OBJECT ? ryde_attribute_text(v.text, kind)
					  : ryde_view_mem(NULL, 0);
}

bool
ryde_positions_has(struct ryde_view item, const char *name)
{
	return ryde_answer_member(item, name).kind != RYDE_JSON_ABSENT;
}

bool
ryde_positions_number(struct ryde_view item, const char *name, int64_t *n)
{
	char kind;
	struct ryde_view text = attribute(item, name, &kind);

	*n = 0;
	return kind == '-' || (kind == 'N' && ryde_num_i64(text, 0, INT64_MAX / 4, n));
}

bool
ryde_positions_string(struct ryde_view item, const char *name, char *to, size_t room)
{
	char kind;
	struct ryde_view text = attribute(item, name, &kind);

	to[0] = '\0';
	return kind == '-' || (kind == 'S' && ryde_answer_copy(to, room, text));
}

bool
ryde_positions_position(struct ryde_view attributes, struct ryde_group_position *p)
{
	char kind;
	struct ryde_view seq = attribute(attributes, "seq", &kind);
	int64_t sub;

	p->pos = (struct ryde_pos){.n = 0};
	if (kind != '-' && (kind != 'S' || !ryde_pos_set(&p->pos, seq)))
		return false;
	if (ryde_positions_has(attributes, "sub")) {
		if (p->pos.n == 0 || !ryde_positions_number(attributes, "sub", &sub) ||
		    sub > RYDE_SUB_MAX)
			return false;
		p->pos.lines = (uint32_t)sub + 1;
	}
	return ryde_positions_number(attributes, "at", &p->at_ms) &&
	       ryde_positions_number(attributes, "updated", &p->updated_ms);
}

static int
take_positions(struct ryde_positions *g, struct ryde_view item, struct ryde_err *err)
{
	struct ryde_json_value map =
	    ryde_answer_member(ryde_answer_member(item, "positions").text, "M");
	struct ryde_json_value key, v;
	struct ryde_json_walk w;

	g->n = g->hint = 0;
	if (!ryde_positions_has(item, "positions"))
		return 0;
	if (map.kind != RYDE_JSON_OBJECT || !ryde_json_walk_begin(&w, map.text))
		return ryde_positions_foreign(g, "", "positions", err);
	while (ryde_json_walk_next(&w, &key, &v)) {
		char id[RYDE_SHARD_ID_MAX + 1];
		struct ryde_group_position *p;

		v = ryde_answer_member(v.text, "M");
		if (!ryde_answer_copy(id, sizeof(id), key.text) ||
		    v.kind != RYDE_JSON_OBJECT)
			return ryde_positions_foreign(g, "", "positions", err);
		p = ryde_positions_item_shard(g, id);
		if (p == NULL)
			return ryde_err_nomem(err);
		if (!ryde_positions_position(v.text, p))
			return ryde_positions_foreign(g, "", "positions", err);
	}
	return 0;
}

/* The attribute that is not as we write it; NULL: all are. */
static const char *
take_lease(struct ryde_positions *g, struct ryde_view item)
{
	g->epoch = g->beat = 0;
	g->owner[0] = g->process[0] = '\0';
	g->shared = g->exists && ryde_positions_has(item, "shared");
	if (!g->exists)
		return NULL;
	if (!ryde_positions_has(item, "epoch") ||
	    !ryde_positions_number(item, "epoch", &g->epoch))
		return "epoch";
	if (!ryde_positions_has(item, "beat") ||
	    !ryde_positions_number(item, "beat", &g->beat))
		return "beat";
	if (!ryde_positions_string(item, "owner", g->owner, sizeof(g->owner)))
		return "owner";
	if (!ryde_positions_string(item, "process", g->process, sizeof(g->process)))
		return "process";
	return NULL;
}

static const char *
take_window(struct ryde_positions *g, struct ryde_view item)
{
	char kind;
	struct ryde_view text = attribute(item, "window", &kind);

	ryde_buf_clear(&g->window);
	ryde_buf_clear(&g->fingerprint);
	if (kind != 'S' && kind != '-')
		return "window";
	ryde_json_string_decode(&g->window, text);
	text = attribute(item, "fingerprint", &kind);
	if (kind != 'S' && kind != '-')
		return "fingerprint";
	ryde_json_string_decode(&g->fingerprint, text);
	return NULL;
}

int
ryde_positions_item_take(
    struct ryde_positions *g, struct ryde_view item, struct ryde_err *err)
{
	const char *wrong;

	g->exists = item.n > 0;
	wrong = take_lease(g, item);
	if (wrong == NULL)
		wrong = take_window(g, item);
	if (wrong != NULL)
		return ryde_positions_foreign(g, "", wrong, err);
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
	ryde_positions_put_key(g, "", &b);
	ryde_buf_puts(&b, ",\"ConsistentRead\":true}");
	call = ryde_positions_ask(g, "GetItem", &b, &fault, &why);
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			rc = ryde_positions_item_take(g, ryde_view_mem(NULL, 0), err);
		else
			*err = why;
	} else if (ryde_answer_body(call, "GetItem", &body, err) == 0) {
		rc = ryde_positions_item_take(
		    g, ryde_answer_member(body, "Item").text, err);
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
	/* none is the beginning of another one */
	static const char *const names[] = {"stream", "epoch", "beat", "owner", "process",
	    "positions", "window", "fingerprint", "shared", "member", "done", "count",
	    "seq", "sub", "at", "updated"};
	bool first = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char mark[16] = "#";

		memcpy(mark + 1, names[i], strlen(names[i]) + 1);
		if ((update == NULL || strstr(update, mark) == NULL) &&
		    (condition == NULL || strstr(condition, mark) == NULL))
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

void
ryde_positions_put_n(struct ryde_buf *b, const char *name, int64_t n)
{
	ryde_buf_printf(
	    b, "%s\":%s\":{\"N\":\"%lld\"}", b->n > 0 ? "," : "", name, (long long)n);
}

void
ryde_positions_put_s(struct ryde_buf *b, const char *name, const char *text)
{
	ryde_buf_printf(b, "%s\":%s\":{\"S\":", b->n > 0 ? "," : "", name);
	ryde_json_string_put(b, ryde_view_of(text));
	ryde_buf_putc(b, '}');
}

void
ryde_positions_change_put(const struct ryde_positions *g,
    const struct ryde_positions_change *change, bool all, struct ryde_buf *body)
{
	ryde_positions_put_key(g, change->item, body);
	if (change->update != NULL) {
		ryde_buf_puts(body, ",\"UpdateExpression\":");
		ryde_json_string_put(body, ryde_view_of(change->update));
	}
	if (change->condition != NULL) {
		ryde_buf_puts(body, ",\"ConditionExpression\":");
		ryde_json_string_put(body, ryde_view_of(change->condition));
	}
	put_names(body, change->update, change->condition);
	if (change->values->n > 0) {
		ryde_buf_puts(body, ",\"ExpressionAttributeValues\":{");
		ryde_buf_view(body, ryde_buf_as_view(change->values));
		ryde_buf_putc(body, '}');
	}
	ryde_buf_puts(body, all ? ",\"ReturnValues\":\"ALL_NEW\"}" : "}");
}

enum ryde_positions_outcome
ryde_positions_outcome_of(const struct ryde_aws_call *call, struct ryde_err *err)
{
	const struct ryde_aws_fault *fault = &ryde_aws_reply(call)->fault;

	if (fault->kind == RYDE_AWS_FINE)
		return RYDE_POSITIONS_DONE;
	if (ryde_aws_fault_is(fault, "ConditionalCheckFailedException"))
		return RYDE_POSITIONS_REFUSED;
	(void)ryde_aws_reply_err(call, err);
	return RYDE_POSITIONS_FAILED;
}

static int
take_answer(const struct ryde_aws_call *call, struct ryde_buf *item, struct ryde_err *err)
{
	struct ryde_view body;

	if (ryde_answer_body(call, "UpdateItem", &body, err) != 0)
		return -1;
	ryde_buf_view(item, ryde_answer_member(body, "Attributes").text);
	return ryde_buf_check(item, err);
}

enum ryde_positions_outcome
ryde_positions_change_do(struct ryde_positions *g,
    const struct ryde_positions_change *change, struct ryde_buf *item,
    struct ryde_err *err)
{
	enum ryde_positions_outcome outcome = RYDE_POSITIONS_FAILED;
	struct ryde_aws_call *call = NULL;
	struct ryde_buf b;
	bool made = false;

	ryde_buf_init(&b, ITEM_MAX);
	ryde_positions_change_put(g, change, item != NULL, &b);
	for (;;) {
		struct ryde_err why = RYDE_ERR_INIT;
		struct ryde_aws_fault fault;

		call = ryde_positions_ask(g,
		    change->update != NULL ? "UpdateItem" : "DeleteItem", &b, &fault,
		    &why);
		if (call != NULL) {
			if (item == NULL || take_answer(call, item, err) == 0)
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

enum ryde_positions_outcome
ryde_positions_item_write(struct ryde_positions *g, const char *update,
    const char *condition, const struct ryde_buf *values, struct ryde_err *err)
{
	const struct ryde_positions_change change = {
	    .item = "", .update = update, .condition = condition, .values = values};

	return ryde_positions_change_do(g, &change, NULL, err);
}

enum ryde_positions_outcome
ryde_positions_item_store(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome = RYDE_POSITIONS_FAILED;
	struct ryde_buf v;

	ryde_buf_init(&v, ITEM_MAX);
	ryde_positions_put_n(&v, "epoch", g->epoch);
	ryde_positions_put_n(&v, "one", 1);
	ryde_buf_puts(&v, ",\":positions\":");
	ryde_positions_item_put(g, &v);
	if (ryde_buf_check(&v, err) == 0)
		outcome = ryde_positions_item_write(g,
		    "SET #positions = :positions ADD #beat :one", "#epoch = :epoch", &v,
		    err);
	ryde_buf_free(&v);
	return outcome;
}

const struct ryde_group_position *
ryde_positions_later(
    const struct ryde_group_position *a, const struct ryde_group_position *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return ryde_pos_cmp(&a->pos, &b->pos) < 0 ? b : a;
}
