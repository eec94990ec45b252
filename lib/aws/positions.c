#include "aws/positions.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/attribute.h"
#include "aws/positions_item.h"
#include "aws/positions_shared.h"
#include "base/clock.h"
#include "base/err.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_MAX ((size_t)400 << 10)
#define VALUES_MAX ((size_t)2 << 20)

const char *
ryde_positions_table(void)
{
	const char *name = getenv("RYDE_POSITIONS");

	return name != NULL && name[0] != '\0' ? name : "ryde-positions";
}

static void
close_group(struct ryde_group *base)
{
	struct ryde_positions *g = ryde_positions_of(base);

	ryde_positions_share_ops.leave(base);
	ryde_positions_members_free(g->m);
	ryde_buf_free(&g->window);
	ryde_buf_free(&g->fingerprint);
	free(g->positions);
	free(g);
}

/* A shared group's members hold positions, too. */
static int
add_shared(struct ryde_positions *g, struct ryde_err *err)
{
	if (!g->shared || g->held)
		return 0;
	return ryde_positions_members_make(g, err) != 0 ||
		       ryde_positions_members_read(g, RYDE_POSITIONS_ALL, true, err) != 0
		   ? -1
		   : ryde_positions_members_merge(g, err);
}

static int
load(struct ryde_group *base, const struct ryde_group_position **out, size_t *n,
    struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);

	if (ryde_positions_item_read(g, err) != 0 || add_shared(g, err) != 0)
		return -1;
	*out = g->positions;
	*n = g->n;
	return 0;
}

/* A member knows what it has looked at, and what it has stored since. */
static int
load_member(struct ryde_group *base, const struct ryde_group_position **out, size_t *n,
    struct ryde_err *err)
{
	const struct ryde_positions *g = ryde_positions_of(base);

	(void)err;
	*out = g->positions;
	*n = g->n;
	return 0;
}

static int
put_window(const struct ryde_positions *g, struct ryde_buf *at,
    struct ryde_buf *fingerprint, struct ryde_err *err)
{
	ryde_buf_view(at, ryde_buf_as_view(&g->window));
	ryde_buf_view(fingerprint, ryde_buf_as_view(&g->fingerprint));
	return ryde_buf_check(at, err) != 0 || ryde_buf_check(fingerprint, err) != 0 ? -1
										     : 0;
}

/* As it was when it joined: no window's reader comes while a member is there. */
static int
load_member_window(struct ryde_group *base, struct ryde_buf *at,
    struct ryde_buf *fingerprint, struct ryde_err *err)
{
	return put_window(ryde_positions_of(base), at, fingerprint, err);
}

static int
load_window(struct ryde_group *base, struct ryde_buf *at, struct ryde_buf *fingerprint,
    struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);

	return ryde_positions_item_read(g, err) != 0
		   ? -1
		   : put_window(g, at, fingerprint, err);
}

/* Takes the new positions into the item. */
static int
merge(struct ryde_positions *g, const struct ryde_group_position *p, size_t n,
    struct ryde_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct ryde_group_position *to = ryde_positions_item_shard(g, p[i].shard);

		if (to == NULL)
			return ryde_err_nomem(err);
		to->pos = p[i].pos;
		to->at_ms = p[i].at_ms;
		to->updated_ms = ryde_clock_wall_ms();
	}
	return 0;
}

static enum ryde_group_lease
write_item(struct ryde_positions *g, struct ryde_view at, struct ryde_view fingerprint,
    bool fenced, struct ryde_err *err)
{
	const char *condition = fenced	    ? "#epoch = :epoch"
				: g->exists ? "#epoch = :epoch AND #beat = :seen"
					    : "attribute_not_exists(#stream)";
	enum ryde_positions_outcome outcome;
	struct ryde_buf v, update;

	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_init(&update, 512);
	ryde_buf_puts(&update, "SET #positions = :positions");
	ryde_buf_puts(&v, "\":one\":{\"N\":\"1\"},\":positions\":");
	ryde_positions_item_put(g, &v);
	if (fenced || g->exists)
		ryde_buf_printf(&v, ",\":epoch\":{\"N\":\"%lld\"}", (long long)g->epoch);
	if (!fenced && g->exists)
		ryde_buf_printf(&v, ",\":seen\":{\"N\":\"%lld\"}", (long long)g->beat);
	if (!fenced && !g->exists) {
		ryde_buf_puts(&update, ", #epoch = :zero");
		ryde_buf_puts(&v, ",\":zero\":{\"N\":\"0\"}");
	}
	if (at.n > 0) {
		ryde_buf_puts(
		    &update, ", #window = :window, #fingerprint = :fingerprint");
		ryde_buf_puts(&v, ",\":window\":{\"S\":");
		ryde_json_string_put(&v, at);
		ryde_buf_puts(&v, "},\":fingerprint\":{\"S\":");
		ryde_json_string_put(&v, fingerprint);
		ryde_buf_putc(&v, '}');
	}
	if (!fenced)
		ryde_buf_puts(&update, " REMOVE #owner, #process");
	ryde_buf_puts(&update, " ADD #beat :one");
	outcome =
	    ryde_buf_check(&v, err) != 0
		? RYDE_POSITIONS_FAILED
		: ryde_positions_item_write(g, ryde_buf_str(&update), condition, &v, err);
	ryde_buf_free(&v);
	ryde_buf_free(&update);
	switch (outcome) {
	case RYDE_POSITIONS_DONE:
		g->exists = true;
		g->beat_mono_ms = ryde_clock_mono_ms();
		return RYDE_GROUP_HELD;
	case RYDE_POSITIONS_REFUSED:
		return fenced ? RYDE_GROUP_LOST : RYDE_GROUP_BUSY;
	case RYDE_POSITIONS_FAILED:
		break;
	}
	return RYDE_GROUP_FAILED;
}

static enum ryde_group_lease
store(struct ryde_group *base, const struct ryde_group_position *p, size_t n,
    struct ryde_view at, struct ryde_view fingerprint, bool fenced, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_group_lease lease;

	if (fenced && !g->held)
		return RYDE_GROUP_LOST;
	if (!fenced) {
		lease = ryde_positions_lease_free(g, true, err);
		if (lease != RYDE_GROUP_HELD)
			return lease;
	}
	if (merge(g, p, n, err) != 0)
		return RYDE_GROUP_FAILED;
	lease = write_item(g, at, fingerprint, fenced, err);
	if (lease == RYDE_GROUP_LOST)
		g->held = false;
	return lease;
}

static enum ryde_group_lease delete (
    struct ryde_group *base, bool window_only, struct ryde_err *err) {
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_group_lease lease = ryde_positions_lease_free(g, true, err);
	struct ryde_buf v;

	if (lease != RYDE_GROUP_HELD || !g->exists) return lease;
	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_printf(&v, "\":epoch\":{\"N\":\"%lld\"},\":seen\":{\"N\":\"%lld\"}",
	    (long long)g->epoch, (long long)g->beat);
	switch (ryde_positions_item_write(g,
	    window_only ? "REMOVE #window, #fingerprint, #owner, #process" : NULL,
	    "#epoch = :epoch AND #beat = :seen", &v, err)){
		case RYDE_POSITIONS_DONE : lease = RYDE_GROUP_HELD; break;
		case RYDE_POSITIONS_REFUSED : lease = RYDE_GROUP_BUSY;
		break;
		case RYDE_POSITIONS_FAILED : lease = RYDE_GROUP_FAILED;
		break;
	}
ryde_buf_free(&v);
return lease;
}

static int
owner(struct ryde_group *base, char *to, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	size_t living = 0;

	to[0] = '\0';
	if (ryde_positions_item_read(g, err) != 0 || add_shared(g, err) != 0)
		return -1;
	if (!ryde_alive_is_gone(g->process))
		memcpy(to, g->owner, sizeof(g->owner));
	if (!g->shared || to[0] != '\0')
		return 0;
	for (size_t i = 0; i < g->m->n_members; i++)
		living += !g->m->members[i].m.gone;
	ryde_positions_describe(living, to);
	return 0;
}

#define OPS                                                                           \
	.close = close_group, .acquire = ryde_positions_lease_acquire,                \
	.renew = ryde_positions_lease_renew, .release = ryde_positions_lease_release, \
	.wait = ryde_positions_lease_wait, .store = store, .delete = delete,          \
	.owner = owner, .share = &ryde_positions_share_ops

static const struct ryde_group_ops ops = {
    OPS,
    .load = load,
    .load_window = load_window,
    .store_every_ms = 1000,
};
/* Each shard of a member is a write of its own. */
static const struct ryde_group_ops member_ops = {
    OPS,
    .load = load_member,
    .load_window = load_member_window,
    .store_every_ms = 5000,
};

void
ryde_positions_as_member(struct ryde_positions *g, bool member)
{
	g->base.ops = member ? &member_ops : &ops;
}

struct ryde_group *
ryde_positions_open(struct ryde_aws *aws, const char *region, const char *stream,
    const char *group, struct ryde_err *err)
{
	struct ryde_positions *g = calloc(1, sizeof(*g));
	char host[40] = "?";

	if (g == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	g->base.ops = &ops;
	g->aws = aws;
	(void)snprintf(g->region, sizeof(g->region), "%s", region != NULL ? region : "");
	(void)snprintf(g->stream, sizeof(g->stream), "%s", stream);
	(void)snprintf(g->group, sizeof(g->group), "%s", group);
	(void)snprintf(g->what, sizeof(g->what), "group %s of %s in table %s", group,
	    stream, ryde_positions_table());
	ryde_buf_init(&g->window, WINDOW_MAX);
	ryde_buf_init(&g->fingerprint, WINDOW_MAX);
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(g->self, sizeof(g->self), "%s, process %ld", host, (long)getpid());
	ryde_alive_identity(g->self_process);
	return &g->base;
}

/* ---- all groups of a stream ---- */

/* One page of a query; next becomes the key that the next one begins behind, raw. */
static int
list_page(const struct ryde_ask *q, const char *stream, bool all, struct ryde_buf *next,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_json_value key, v;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_json_walk w;
	struct ryde_view body;
	int rc = -1;
	char kind;

	ryde_buf_clear(q->body);
	ryde_buf_puts(q->body, "{\"TableName\":");
	ryde_json_string_put(q->body, ryde_view_of(ryde_positions_table()));
	ryde_buf_puts(q->body,
	    ",\"KeyConditionExpression\":\"#s = :s\",\"ProjectionExpression\":\"#g\","
	    "\"ConsistentRead\":true,\"ExpressionAttributeNames\":{\"#s\":\"stream\","
	    "\"#g\":\"group\"},\"ExpressionAttributeValues\":{\":s\":{\"S\":");
	ryde_json_string_put(q->body, ryde_view_of(stream));
	ryde_buf_puts(q->body, "}}");
	if (next->n > 0) {
		ryde_buf_puts(q->body, ",\"ExclusiveStartKey\":");
		ryde_buf_view(q->body, ryde_buf_as_view(next));
	}
	ryde_buf_putc(q->body, '}');
	ryde_buf_clear(next);
	call = ryde_ask(q, &fault, &why);
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			return 0;
		*err = why;
		return -1;
	}
	if (ryde_answer_body(call, "Query", &body, err) != 0)
		goto out;
	v = ryde_answer_member(body, "Items");
	if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text)) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			struct ryde_view name = ryde_attribute_text(
			    ryde_answer_member(v.text, "group").text, &kind);
			char text[RYDE_POSITIONS_RANGE_MAX];

			/* what members and shards have is no group */
			if (name.n > 0 && ryde_answer_copy(text, sizeof(text), name) &&
			    (all || strchr(text, '#') == NULL))
				fn(arg, text);
		}
	}
	ryde_buf_view(next, ryde_answer_member(body, "LastEvaluatedKey").text);
	rc = ryde_buf_check(next, err);
out:
	ryde_aws_free(call);
	return rc;
}

/* all: members' and shards' items, too. */
static int
list_items(struct ryde_aws *aws, const char *region, const char *stream, bool all,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	struct ryde_buf b, next;
	const struct ryde_ask q = {.aws = aws,
	    .service = RYDE_AWS_DYNAMODB,
	    .operation = "Query",
	    .what = ryde_positions_table(),
	    .region = region,
	    .body = &b};
	int rc;

	ryde_buf_init(&b, 65536);
	ryde_buf_init(&next, 32768);
	do
		rc = list_page(&q, stream, all, &next, fn, arg, err);
	while (rc == 0 && next.n > 0);
	ryde_buf_free(&b);
	ryde_buf_free(&next);
	return rc;
}

int
ryde_positions_list(struct ryde_aws *aws, const char *region, const char *stream,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	return list_items(aws, region, stream, false, fn, arg, err);
}

struct names {
	struct ryde_buf all; /* each with its NUL */
	size_t n;
};

static void
gather_name(void *arg, const char *name)
{
	struct names *to = arg;

	ryde_buf_add(&to->all, name, strlen(name) + 1);
	to->n++;
}

/* Deletes the items of these range keys; g is any group of the stream. */
static int
delete_items(struct ryde_positions *g, const struct names *names, struct ryde_err *err)
{
	struct ryde_positions_job *jobs = calloc(names->n + 1, sizeof(*jobs));
	struct ryde_buf none;
	size_t at = 0;
	int rc;

	if (jobs == NULL)
		return ryde_err_nomem(err);
	ryde_buf_init(&none, 16);
	for (size_t i = 0; i < names->n; i++) {
		const struct ryde_positions_change change = {
		    .item = names->all.p + at, .values = &none};

		jobs[i].deletes = true;
		ryde_buf_init(&jobs[i].body, 16384);
		ryde_positions_change_put(g, &change, false, &jobs[i].body);
		at += strlen(names->all.p + at) + 1;
	}
	rc = ryde_positions_jobs(g, jobs, names->n, err);
	free(jobs);
	return rc;
}

int
ryde_positions_delete_all(
    struct ryde_aws *aws, const char *region, const char *stream, struct ryde_err *err)
{
	struct ryde_group *base;
	struct names names = {.n = 0};
	int rc;

	ryde_buf_init(&names.all, (size_t)16 << 20);
	rc = list_items(aws, region, stream, true, gather_name, &names, err);
	if (rc == 0)
		rc = ryde_buf_check(&names.all, err);
	if (rc == 0 && names.n > 0) {
		/* the names are whole range keys: a group without a name puts nothing
		 * before them */
		base = ryde_positions_open(aws, region, stream, "", err);
		rc = base == NULL ? -1
				  : delete_items(ryde_positions_of(base), &names, err);
		if (base != NULL)
			close_group(base);
	}
	ryde_buf_free(&names.all);
	return rc;
}
