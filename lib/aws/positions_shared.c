#include "aws/positions_shared.h"

#include "aws/answer.h"
#include "aws/positions.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 16
#define QUERY_MAX ((size_t)64 << 10)

int
ryde_positions_members_make(struct ryde_positions *g, struct ryde_err *err)
{
	if (g->m == NULL)
		g->m = calloc(1, sizeof(*g->m));
	return g->m != NULL ? 0 : ryde_err_nomem(err);
}

void
ryde_positions_members_free(struct ryde_positions_members *m)
{
	if (m == NULL)
		return;
	free(m->members);
	free(m->shards);
	free(m->out_members);
	free(m->out_leases);
	free(m->held);
	free(m);
}

/* ---- reading ---- */

/* Room for one more of `n`; all is NULL without memory, and what was there is kept. */
static bool
grow(void **all, size_t n, size_t *cap, size_t each)
{
	size_t more = *cap == 0 ? 16 : 2 * *cap;
	void *p;

	if (n < *cap)
		return true;
	p = realloc(*all, more * each);
	if (p == NULL)
		return false;
	*all = p;
	*cap = more;
	return true;
}

int
ryde_positions_shard_take(const struct ryde_positions *g, const char *item,
    struct ryde_view attributes, struct ryde_positions_shard *to, struct ryde_err *err)
{
	struct ryde_share_lease *l = &to->lease;

	*to = (struct ryde_positions_shard){.placed = false};
	if (strlen(item) < 4 || strlen(item) >= sizeof(l->shard) + 3)
		return ryde_positions_foreign(g, item, "group", err);
	(void)snprintf(l->shard, sizeof(l->shard), "%s", item + 3);
	(void)snprintf(to->position.shard, sizeof(to->position.shard), "%s", item + 3);
	if (!ryde_positions_has(attributes, "epoch") ||
	    !ryde_positions_number(attributes, "epoch", &l->epoch))
		return ryde_positions_foreign(g, item, "epoch", err);
	if (!ryde_positions_string(attributes, "member", l->owner, sizeof(l->owner)))
		return ryde_positions_foreign(g, item, "member", err);
	if (!ryde_positions_position(attributes, &to->position))
		return ryde_positions_foreign(g, item, "seq", err);
	l->done = ryde_positions_has(attributes, "done");
	to->placed = ryde_positions_has(attributes, "updated");
	return 0;
}

static int
take_shard(struct ryde_positions *g, const char *item, struct ryde_view attributes,
    struct ryde_err *err)
{
	struct ryde_positions_members *m = g->m;

	if (!grow((void **)&m->shards, m->n_shards, &m->cap_shards, sizeof(*m->shards)))
		return ryde_err_nomem(err);
	return ryde_positions_shard_take(
	    g, item, attributes, &m->shards[m->n_shards++], err);
}

static int
take_member(struct ryde_positions *g, const char *item, struct ryde_view attributes,
    const struct ryde_positions_member *before, size_t n_before, struct ryde_err *err)
{
	struct ryde_positions_members *m = g->m;
	struct ryde_positions_member *to;
	char process[RYDE_ALIVE_MAX];
	int64_t beat;

	if (!grow(
		(void **)&m->members, m->n_members, &m->cap_members, sizeof(*m->members)))
		return ryde_err_nomem(err);
	to = &m->members[m->n_members++];
	*to = (struct ryde_positions_member){.since_ms = ryde_clock_mono_ms()};
	if (strlen(item) < 4 || strlen(item) >= sizeof(to->m.id) + 3)
		return ryde_positions_foreign(g, item, "group", err);
	(void)snprintf(to->m.id, sizeof(to->m.id), "%s", item + 3);
	if (!ryde_positions_has(attributes, "beat") ||
	    !ryde_positions_number(attributes, "beat", &beat))
		return ryde_positions_foreign(g, item, "beat", err);
	if (!ryde_positions_string(
		attributes, "owner", to->m.owner, sizeof(to->m.owner)) ||
	    !ryde_positions_string(attributes, "process", process, sizeof(process)))
		return ryde_positions_foreign(g, item, "owner", err);
	to->m.beat = (uint64_t)beat;
	to->m.gone = strcmp(to->m.id, m->self) != 0 && ryde_alive_is_gone(process);
	for (size_t i = 0; i < n_before; i++) {
		if (strcmp(before[i].m.id, to->m.id) != 0)
			continue;
		to->changed = before[i].changed || before[i].m.beat != to->m.beat;
		if (before[i].m.beat == to->m.beat)
			to->since_ms = before[i].since_ms;
	}
	return 0;
}

static int
take_items(struct ryde_positions *g, struct ryde_view items,
    const struct ryde_positions_member *before, size_t n_before, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	int rc = 0;

	if (items.n == 0 || !ryde_json_walk_begin(&w, items))
		return 0;
	while (rc == 0 && ryde_json_walk_next(&w, &key, &v)) {
		char range[RYDE_POSITIONS_RANGE_MAX];
		const char *item = range + strlen(g->group);

		if (!ryde_positions_string(v.text, "group", range, sizeof(range)) ||
		    strlen(range) <= strlen(g->group))
			rc = ryde_positions_foreign(g, "", "group", err);
		else if (strncmp(item, "#m#", 3) == 0)
			rc = take_member(g, item, v.text, before, n_before, err);
		else if (strncmp(item, "#s#", 3) == 0)
			rc = take_shard(g, item, v.text, err);
		else
			rc = ryde_positions_foreign(g, range, "group", err);
	}
	return rc;
}

static void
put_query(const struct ryde_positions *g, enum ryde_positions_part part, bool consistent,
    const struct ryde_buf *next, struct ryde_buf *body)
{
	char prefix[RYDE_POSITIONS_RANGE_MAX];

	(void)snprintf(prefix, sizeof(prefix), "%s#%s", g->group,
	    part == RYDE_POSITIONS_MEMBERS ? "m#" : "");
	ryde_buf_puts(body, "{\"TableName\":");
	ryde_json_string_put(body, ryde_view_of(ryde_positions_table()));
	ryde_buf_puts(body,
	    ",\"KeyConditionExpression\":\"#s = :s AND begins_with(#g, :g)\","
	    "\"ExpressionAttributeNames\":{\"#s\":\"stream\",\"#g\":\"group\"},"
	    "\"ExpressionAttributeValues\":{\":s\":{\"S\":");
	ryde_json_string_put(body, ryde_view_of(g->stream));
	ryde_buf_puts(body, "},\":g\":{\"S\":");
	ryde_json_string_put(body, ryde_view_of(prefix));
	ryde_buf_printf(body, "}},\"ConsistentRead\":%s", consistent ? "true" : "false");
	if (next->n > 0) {
		ryde_buf_puts(body, ",\"ExclusiveStartKey\":");
		ryde_buf_view(body, ryde_buf_as_view(next));
	}
	ryde_buf_putc(body, '}');
}

int
ryde_positions_members_read(struct ryde_positions *g, enum ryde_positions_part part,
    bool consistent, struct ryde_err *err)
{
	struct ryde_positions_members *m = g->m;
	struct ryde_positions_member *before = m->members;
	size_t n_before = m->n_members;
	struct ryde_buf body, next;
	int rc = 0;

	m->members = NULL;
	m->n_members = m->cap_members = m->bytes = 0;
	if (part == RYDE_POSITIONS_ALL)
		m->n_shards = 0;
	ryde_buf_init(&body, QUERY_MAX);
	ryde_buf_init(&next, QUERY_MAX);
	do {
		struct ryde_err why = RYDE_ERR_INIT;
		struct ryde_aws_fault fault;
		struct ryde_aws_call *call;
		struct ryde_view answer;

		ryde_buf_clear(&body);
		put_query(g, part, consistent, &next, &body);
		ryde_buf_clear(&next);
		call = ryde_positions_ask(g, "Query", &body, &fault, &why);
		if (call == NULL) {
			if (fault.kind != RYDE_AWS_MISSING) {
				*err = why;
				rc = -1;
			}
			break;
		}
		rc = ryde_answer_body(call, "Query", &answer, err);
		if (rc == 0) {
			m->bytes += answer.n;
			rc = take_items(g, ryde_answer_member(answer, "Items").text,
			    before, n_before, err);
			ryde_buf_view(
			    &next, ryde_answer_member(answer, "LastEvaluatedKey").text);
		}
		ryde_aws_free(call);
	} while (rc == 0 && next.n > 0);
	ryde_buf_free(&body);
	ryde_buf_free(&next);
	if (rc == 0) {
		free(before);
		return 0;
	}
	/* what was watched is still to be known */
	free(m->members);
	m->members = before;
	m->n_members = m->cap_members = n_before;
	return -1;
}

int
ryde_positions_members_merge(struct ryde_positions *g, struct ryde_err *err)
{
	for (size_t i = 0; i < g->m->n_shards; i++) {
		const struct ryde_positions_shard *s = &g->m->shards[i];
		struct ryde_group_position *to;

		if (!s->placed)
			continue;
		to = ryde_positions_item_shard(g, s->lease.shard);
		if (to == NULL)
			return ryde_err_nomem(err);
		if (to->updated_ms == 0 || ryde_pos_cmp(&to->pos, &s->position.pos) < 0)
			*to = s->position;
	}
	return 0;
}

enum ryde_positions_outcome
ryde_positions_member_delete(
    struct ryde_positions *g, const char *id, const uint64_t *beat, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	char item[RYDE_SHARE_ID_MAX + 8];
	struct ryde_buf v;
	const struct ryde_positions_change change = {.item = item,
	    .condition = beat != NULL ? "#beat = :beat" : NULL,
	    .values = &v};

	(void)snprintf(item, sizeof(item), "#m#%s", id);
	ryde_buf_init(&v, 256);
	if (beat != NULL)
		ryde_positions_put_n(&v, "beat", (int64_t)*beat);
	outcome = ryde_positions_change_do(g, &change, NULL, err);
	ryde_buf_free(&v);
	return outcome;
}

/* ---- several writes ---- */

static void
start(struct ryde_positions *g, struct ryde_positions_job *job, struct ryde_err *err)
{
	const struct ryde_aws_request request = {.service = RYDE_AWS_DYNAMODB,
	    .operation = job->deletes ? "DeleteItem" : "UpdateItem",
	    .what = g->what,
	    .region = g->region[0] != '\0' ? g->region : NULL,
	    .body = ryde_buf_as_view(&job->body),
	    .timeout_ms = ryde_positions_timeout_ms(g)};

	if (ryde_buf_check(&job->body, err) == 0)
		job->call = ryde_aws_start(g->aws, &request, err);
}

int
ryde_positions_jobs(struct ryde_positions *g, struct ryde_positions_job *jobs, size_t n,
    struct ryde_err *err)
{
	size_t begun = 0, under_way = 0;
	struct ryde_waits w = {.n = 0};
	bool failed = false;

	for (size_t i = 0; i < n; i++) {
		jobs[i].call = NULL;
		jobs[i].outcome = RYDE_POSITIONS_FAILED;
	}
	while (!failed && (begun < n || under_way > 0)) {
		while (begun < n && under_way < AT_ONCE && !failed) {
			start(g, &jobs[begun], err);
			failed = jobs[begun].call == NULL;
			under_way += !failed;
			begun++;
		}
		ryde_waits_begin(&w);
		ryde_aws_wait(g->aws, &w);
		if (failed || ryde_waits_poll(&w, err) != 0 ||
		    ryde_aws_turn(g->aws, err) != 0)
			break;
		for (size_t i = 0; i < begun; i++) {
			if (jobs[i].call == NULL || !ryde_aws_done(jobs[i].call))
				continue;
			jobs[i].outcome = ryde_positions_outcome_of(jobs[i].call, err);
			ryde_aws_free(jobs[i].call);
			jobs[i].call = NULL;
			under_way--;
		}
	}
	failed = failed || begun < n || under_way > 0;
	for (size_t i = 0; i < n; i++) {
		failed = failed || jobs[i].outcome == RYDE_POSITIONS_FAILED;
		ryde_aws_free(jobs[i].call);
		ryde_buf_free(&jobs[i].body);
	}
	return failed ? -1 : 0;
}
