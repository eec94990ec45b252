#include "aws/dynamodb_table.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/attribute.h"
#include "aws/dynamodb_item.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/signals.h"
#include "base/waits.h"
#include "json/path.h"
#include "json/string.h"
#include "store/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 120000
#define LOOK_MS 500
#define NAME_MIN 3 /* characters of a table's name */

static struct ryde_aws_call *
ask(struct ryde_dynamodb_table *t, const char *operation, struct ryde_buf *body,
    struct ryde_aws_fault *fault, struct ryde_err *err)
{
	const struct ryde_ask q = {.aws = t->aws,
	    .service = RYDE_AWS_DYNAMODB,
	    .operation = operation,
	    .what = t->what,
	    .region = t->region[0] != '\0' ? t->region : NULL,
	    .body = body};

	return ryde_ask(&q, fault, err);
}

static void
put_name(const struct ryde_dynamodb_table *t, struct ryde_buf *b)
{
	ryde_buf_puts(b, "\"TableName\":");
	ryde_json_string_put(b, ryde_view_of(t->name));
}

/* ---- describing ---- */

/* The type of a key field, from AttributeDefinitions. */
static char
type_of(struct ryde_view definitions, struct ryde_view name)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;

	if (definitions.n > 0 && ryde_json_walk_begin(&w, definitions))
		while (ryde_json_walk_next(&w, &key, &v))
			if (ryde_view_eq(
				ryde_answer_text(v.text, "AttributeName"), name) &&
			    ryde_answer_text(v.text, "AttributeType").n == 1)
				return ryde_answer_text(v.text, "AttributeType").p[0];
	return '?';
}

static bool
take_keys(struct ryde_dynamodb_table *t, struct ryde_view d)
{
	struct ryde_view definitions = ryde_answer_member(d, "AttributeDefinitions").text;
	struct ryde_view keys = ryde_answer_member(d, "KeySchema").text;
	struct ryde_json_value k, v;
	struct ryde_json_walk w;

	t->key[0] = t->sort[0] = '\0';
	if (keys.n == 0 || !ryde_json_walk_begin(&w, keys))
		return false;
	while (ryde_json_walk_next(&w, &k, &v)) {
		struct ryde_view name = ryde_answer_text(v.text, "AttributeName");
		bool hash = ryde_view_is(ryde_answer_text(v.text, "KeyType"), "HASH");
		struct ryde_buf plain;

		ryde_buf_init(&plain, sizeof(t->key) - 1);
		ryde_json_string_decode(&plain, name);
		(void)ryde_answer_copy(
		    hash ? t->key : t->sort, sizeof(t->key), ryde_buf_as_view(&plain));
		ryde_buf_free(&plain);
		*(hash ? &t->key_type : &t->sort_type) = type_of(definitions, name);
	}
	return t->key[0] != '\0';
}

/* One look: status[16] becomes ACTIVE, CREATING, …, "" where there is no such table. */
static int
look(struct ryde_dynamodb_table *t, char *status, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_view body, d;
	struct ryde_buf b;
	int rc = -1;

	status[0] = '\0';
	/* no table has so short a name, and asking for it would be an error */
	if (strlen(t->name) < NAME_MIN)
		return 0;
	ryde_buf_init(&b, 4096);
	ryde_buf_putc(&b, '{');
	put_name(t, &b);
	ryde_buf_putc(&b, '}');
	call = ask(t, "DescribeTable", &b, &fault, &why);
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			rc = 0;
		else
			*err = why;
		goto out;
	}
	if (ryde_answer_body(call, "DescribeTable", &body, err) != 0)
		goto out;
	d = ryde_answer_member(body, "Table").text;
	if (!ryde_answer_copy(status, 16, ryde_answer_text(d, "TableStatus")) ||
	    !take_keys(t, d)) {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "%s: the answer does not describe a table: is the endpoint DynamoDB?",
		    t->what);
		goto out;
	}
	t->items = ryde_answer_number(d, "ItemCount", 0);
	rc = 0;
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

static int
missing(struct ryde_dynamodb_table *t, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ENOINPUT,
	    "there is no %s here on AWS (%s); to create it: ryde-admin create table "
	    "aws:NAME --key FIELD [--sort FIELD]",
	    t->what, t->region[0] != '\0' ? t->region : ryde_aws_region(t->aws, NULL));
}

/* Waits until the table can be used (or, gone: until it is no more). */
static int
settle(struct ryde_dynamodb_table *t, bool gone, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + SETTLE_MS, pause = LOOK_MS / 10;
	char status[16];

	for (;;) {
		struct ryde_waits w = {0};

		if (look(t, status, err) != 0)
			return -1;
		if (status[0] == '\0')
			return gone ? 0 : missing(t, err);
		if (!gone &&
		    (strcmp(status, "ACTIVE") == 0 || strcmp(status, "UPDATING") == 0))
			return 0;
		if (!gone && strcmp(status, "DELETING") == 0)
			return ryde_err_set(
			    err, RYDE_ENOINPUT, "%s is being deleted", t->what);
		if (ryde_clock_mono_ms() >= until || ryde_signals_stop() > 0)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "%s is %s, still; try again", t->what, status);
		ryde_waits_begin(&w);
		ryde_waits_until(&w, ryde_clock_mono_ms() + pause);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		pause = pause * 2 < LOOK_MS ? pause * 2 : LOOK_MS;
	}
}

static void
name_table(struct ryde_dynamodb_table *t, const struct ryde_store_name *name)
{
	(void)snprintf(t->name, sizeof(t->name), "%s",
	    name->arn[0] != '\0' ? name->arn : name->name);
	(void)snprintf(t->what, sizeof(t->what), "table %s", name->name);
	(void)snprintf(t->region, sizeof(t->region), "%s", name->region);
}

/* ---- opening ---- */

static void
close_table(struct ryde_table *base)
{
	struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);

	ryde_dynamodb_write_free(t->write);
	ryde_json_paths_free(t->paths);
	ryde_buf_free(&t->scratch);
	if (t->aws != NULL)
		ryde_aws_close(t->aws);
	free(t);
}

static const char *
key(const struct ryde_table *base)
{
	return ((const struct ryde_dynamodb_table *)base)->key;
}

static const char *
sort(const struct ryde_table *base)
{
	const struct ryde_dynamodb_table *t = (const struct ryde_dynamodb_table *)base;

	return t->sort[0] != '\0' ? t->sort : NULL;
}

static int
count(struct ryde_table *base, int64_t *n, struct ryde_err *err)
{
	struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);
	char status[16];

	if (look(t, status, err) != 0)
		return -1;
	*n = t->items;
	return status[0] != '\0' ? 0 : missing(t, err);
}

static void
rehearse(struct ryde_table *base, struct ryde_buf *requests)
{
	ryde_dynamodb_item_table(base)->rehearsal = requests;
}

static const struct ryde_table_ops ops = {
    .close = close_table,
    .key = key,
    .sort = sort,
    .keys = ryde_dynamodb_item_keys,
    .write = ryde_dynamodb_write,
    .write_wait = ryde_dynamodb_write_wait,
    .rehearse = rehearse,
    .cursor = ryde_dynamodb_scan_cursor,
    .count = count,
};

/* Any field name is a path once it is quoted. */
static int
add_path(
    struct ryde_dynamodb_table *t, const char *field, size_t *index, struct ryde_err *err)
{
	struct ryde_buf path;
	int rc;

	ryde_buf_init(&path, 2048);
	ryde_buf_putc(&path, '.');
	ryde_json_string_put(&path, ryde_view_of(field));
	rc = ryde_buf_check(&path, err);
	if (rc == 0)
		rc = ryde_json_paths_add(t->paths, ryde_buf_str(&path), index, err);
	ryde_buf_free(&path);
	return rc;
}

static int
open_keys(struct ryde_dynamodb_table *t, struct ryde_err *err)
{
	size_t whole;

	if (t->key_type == 'B' || (t->sort[0] != '\0' && t->sort_type == 'B'))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "%s has bytes as a key, which no JSON line can hold", t->what);
	t->paths = ryde_json_paths_new();
	if (t->paths == NULL)
		return ryde_err_nomem(err);
	if (ryde_json_paths_add(t->paths, ".", &whole, err) != 0 ||
	    add_path(t, t->key, &t->key_path, err) != 0)
		return -1;
	return t->sort[0] == '\0' ? 0 : add_path(t, t->sort, &t->sort_path, err);
}

struct ryde_table *
ryde_dynamodb_table_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_dynamodb_table *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	t->base.ops = &ops;
	name_table(t, name);
	ryde_buf_init(&t->scratch, (size_t)64 << 20);
	t->aws = ryde_aws_open(settings, err);
	if (t->aws != NULL && settle(t, false, err) == 0 && open_keys(t, err) == 0)
		return &t->base;
	close_table(&t->base);
	return NULL;
}

/* ---- what there is ---- */

static void
put_shape(const struct ryde_dynamodb_shape *s, struct ryde_buf *b)
{
	const char *const fields[2] = {s->key, s->sort};

	ryde_buf_puts(b, "{\"TableName\":");
	ryde_json_string_put(b, ryde_view_of(s->name));
	ryde_buf_puts(
	    b, ",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":[");
	for (int i = 0; i < 2 && fields[i] != NULL; i++) {
		ryde_buf_puts(b, i > 0 ? ",{\"AttributeName\":" : "{\"AttributeName\":");
		ryde_json_string_put(b, ryde_view_of(fields[i]));
		ryde_buf_puts(b, ",\"AttributeType\":\"S\"}");
	}
	ryde_buf_puts(b, "],\"KeySchema\":[");
	for (int i = 0; i < 2 && fields[i] != NULL; i++) {
		ryde_buf_puts(b, i > 0 ? ",{\"AttributeName\":" : "{\"AttributeName\":");
		ryde_json_string_put(b, ryde_view_of(fields[i]));
		ryde_buf_printf(b, ",\"KeyType\":\"%s\"}", i == 0 ? "HASH" : "RANGE");
	}
	ryde_buf_puts(b, "]}");
}

int
ryde_dynamodb_table_make(struct ryde_aws *aws, const char *region,
    const struct ryde_dynamodb_shape *shape, struct ryde_err *err)
{
	struct ryde_dynamodb_table t = {.aws = aws};
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_buf b;
	bool existed = false;

	if (strlen(shape->name) < NAME_MIN)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%s' is too short: a table on DynamoDB has a name of %d to 255 "
		    "characters",
		    shape->name, NAME_MIN);
	(void)snprintf(t.name, sizeof(t.name), "%s", shape->name);
	(void)snprintf(t.what, sizeof(t.what), "table %s", shape->name);
	(void)snprintf(t.region, sizeof(t.region), "%s", region != NULL ? region : "");
	ryde_buf_init(&b, 16384);
	put_shape(shape, &b);
	call = ask(&t, "CreateTable", &b, &fault, &why);
	ryde_aws_free(call);
	ryde_buf_free(&b);
	if (call == NULL) {
		existed = ryde_aws_fault_is(&fault, "ResourceInUseException");
		if (!existed) {
			*err = why;
			return -1;
		}
	}
	if (settle(&t, false, err) != 0)
		return -1;
	if (existed && (strcmp(t.key, shape->key) != 0 ||
			   strcmp(t.sort, shape->sort != NULL ? shape->sort : "") != 0))
		return ryde_err_set(err, RYDE_ECANTCREAT,
		    "table %s exists already, with key \"%s\" and %s%s%s", shape->name,
		    t.key, t.sort[0] != '\0' ? "sort \"" : "no sort field", t.sort,
		    t.sort[0] != '\0' ? "\"" : "");
	return 0;
}

int
ryde_dynamodb_table_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_dynamodb_table t = {.aws = aws};
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_buf b;

	name_table(&t, name);
	ryde_buf_init(&b, 4096);
	ryde_buf_putc(&b, '{');
	put_name(&t, &b);
	ryde_buf_putc(&b, '}');
	call = ask(&t, "DeleteTable", &b, &fault, &why);
	ryde_aws_free(call);
	ryde_buf_free(&b);
	if (call != NULL)
		return settle(&t, true, err);
	if (fault.kind == RYDE_AWS_MISSING)
		return ryde_err_set(
		    err, RYDE_ENOINPUT, "there is no table %s on AWS", name->name);
	*err = why;
	return -1;
}

int
ryde_dynamodb_table_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err)
{
	struct ryde_dynamodb_table t = {.aws = aws};
	char status[16];

	name_table(&t, name);
	if (look(&t, status, err) != 0)
		return -1;
	*exists = status[0] != '\0';
	return 0;
}

int
ryde_dynamodb_table_list(struct ryde_aws *aws, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err)
{
	struct ryde_dynamodb_table t = {.aws = aws, .what = "the list of tables"};
	struct ryde_json_value k, v;
	struct ryde_aws_call *call;
	struct ryde_json_walk w;
	struct ryde_view body;
	struct ryde_buf b;
	char last[256] = "";
	int rc = 0;

	ryde_buf_init(&b, 4096);
	do {
		ryde_buf_clear(&b);
		ryde_buf_putc(&b, '{');
		if (last[0] != '\0')
			ryde_buf_printf(&b, "\"ExclusiveStartTableName\":\"%s\"", last);
		ryde_buf_putc(&b, '}');
		last[0] = '\0';
		call = ask(&t, "ListTables", &b, NULL, err);
		if (call == NULL ||
		    ryde_answer_body(call, "ListTables", &body, err) != 0) {
			ryde_aws_free(call);
			rc = -1;
			break;
		}
		v = ryde_answer_member(body, "TableNames");
		if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text)) {
			while (ryde_json_walk_next(&w, &k, &v)) {
				char name[256];

				if (ryde_answer_copy(name, sizeof(name), v.text))
					fn(arg, name);
			}
		}
		(void)ryde_answer_copy(
		    last, sizeof(last), ryde_answer_text(body, "LastEvaluatedTableName"));
		ryde_aws_free(call);
	} while (last[0] != '\0');
	ryde_buf_free(&b);
	return rc;
}
