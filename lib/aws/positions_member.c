/* What a member of a shared group does in the table. Its items, and why this is safe,
 * stand in positions_shared.h. */
#include "aws/positions_shared.h"

#include "aws/answer.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX ((size_t)2 << 20)
#define JOIN_TRIES 20
#define READ_UNITS_PER_S 2000 /* of all members together */
#define EPOCH_COUNTS                                                      \
	((int64_t)1 << 32) /* a later epoch's counts are above all before \
			    */
#define UNIT_BYTES 12288   /* of an answer, for a read unit that is not consistent */

static enum ryde_share_outcome
outcome_of(enum ryde_positions_outcome outcome)
{
	return outcome == RYDE_POSITIONS_DONE	   ? RYDE_SHARE_DONE
	       : outcome == RYDE_POSITIONS_REFUSED ? RYDE_SHARE_REFUSED
						   : RYDE_SHARE_FAILED;
}

/* ---- what is held ---- */

static struct ryde_share_lease *
held(const struct ryde_positions *g, const char *shard)
{
	for (size_t i = 0; i < g->m->n_held; i++)
		if (strcmp(g->m->held[i].shard, shard) == 0)
			return &g->m->held[i];
	return NULL;
}

static int
hold(struct ryde_positions *g, const char *shard, int64_t epoch, struct ryde_err *err)
{
	struct ryde_positions_members *m = g->m;
	struct ryde_share_lease *l = held(g, shard);

	if (l == NULL && m->n_held == m->cap_held) {
		size_t cap = m->cap_held == 0 ? 16 : 2 * m->cap_held;

		l = realloc(m->held, cap * sizeof(*l));
		if (l == NULL)
			return ryde_err_nomem(err);
		m->held = l;
		m->cap_held = cap;
		l = NULL;
	}
	if (l == NULL)
		l = &m->held[m->n_held++];
	*l = (struct ryde_share_lease){.epoch = epoch};
	(void)snprintf(l->shard, sizeof(l->shard), "%s", shard);
	memcpy(l->owner, m->self, sizeof(l->owner));
	return 0;
}

static void
let_go(struct ryde_positions *g, const char *shard)
{
	struct ryde_share_lease *l = held(g, shard);

	if (l != NULL)
		*l = g->m->held[--g->m->n_held];
}

/* ---- looking ---- */

/*
 * What was read need not be the newest: what this member itself has done stands above it.
 * A lease that it holds is another one's only under a later epoch; one that is said to be
 * its own, and is not (it was given, or the answer to its take was lost), is free.
 */
static void
correct(struct ryde_positions *g, struct ryde_share_lease *l)
{
	const struct ryde_share_lease *ours;

	if (g->m->self[0] == '\0')
		return;
	ours = held(g, l->shard);
	if (ours != NULL && l->epoch <= ours->epoch)
		*l = *ours;
	else if (ours == NULL && strcmp(l->owner, g->m->self) == 0)
		l->owner[0] = '\0';
}

static bool
is_there(const struct ryde_positions_members *m, const char *id)
{
	for (size_t i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i].m.id, id) == 0)
			return true;
	return false;
}

static int
hand_out(struct ryde_positions *g, struct ryde_err *err)
{
	struct ryde_positions_members *m = g->m;
	size_t n = 0;

	free(m->out_members);
	free(m->out_leases);
	m->out_members = calloc(m->n_members + 1, sizeof(*m->out_members));
	m->out_leases = calloc(m->n_shards + m->n_held + 1, sizeof(*m->out_leases));
	if (m->out_members == NULL || m->out_leases == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < m->n_members; i++)
		m->out_members[i] = m->members[i].m;
	for (; n < m->n_shards; n++) {
		m->out_leases[n] = m->shards[n].lease;
		correct(g, &m->out_leases[n]);
	}
	return 0;
}

/* Leases that we hold, and of which nothing was read. Behind the others: how many there
 * are then. */
static size_t
add_held(struct ryde_positions_members *m)
{
	size_t n = m->n_shards;

	for (size_t i = 0; i < m->n_held; i++) {
		bool read = false;

		for (size_t k = 0; k < m->n_shards && !read; k++)
			read = strcmp(m->shards[k].lease.shard, m->held[i].shard) == 0;
		if (!read)
			m->out_leases[n++] = m->held[i];
	}
	return n;
}

/* All members together read no more than the table gives. */
static int64_t
pace_ms(const struct ryde_positions *g)
{
	size_t units = g->m->bytes / UNIT_BYTES + 1;
	int64_t ms = (int64_t)(g->m->n_members * units * 1000 / READ_UNITS_PER_S);

	return ms < g->base.lease_ms / 2 ? ms : g->base.lease_ms / 2;
}

/* Reads what is asked for; a member that is not there itself is worth another question.
 */
static int
read_all(struct ryde_positions *g, enum ryde_positions_part part, struct ryde_err *err)
{
	bool member = g->m->self[0] != '\0';
	bool consistent = !member || !g->m->looked;

	if (ryde_positions_members_read(g, part, consistent, err) != 0)
		return -1;
	return member && !consistent && !is_there(g->m, g->m->self)
		   ? ryde_positions_members_read(g, part, true, err)
		   : 0;
}

static int
look(struct ryde_group *base, const struct ryde_share_member **members, size_t *n_members,
    const struct ryde_share_lease **leases, size_t *n_leases, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_part part =
	    leases != NULL ? RYDE_POSITIONS_ALL : RYDE_POSITIONS_MEMBERS;
	bool member = g->m != NULL && g->m->self[0] != '\0';

	if (!member && ryde_positions_item_read(g, err) != 0)
		return -1;
	if (!member && !g->shared)
		return 0;
	if (ryde_positions_members_make(g, err) != 0 || read_all(g, part, err) != 0 ||
	    hand_out(g, err) != 0)
		return -1;
	*members = g->m->out_members;
	*n_members = g->m->n_members;
	if (leases == NULL)
		return 0;
	if (ryde_positions_members_merge(g, err) != 0)
		return -1;
	g->m->looked = member;
	g->base.look_every_ms = pace_ms(g);
	*leases = g->m->out_leases;
	*n_leases = add_held(g->m);
	return 0;
}

/* ---- coming and going ---- */

static enum ryde_positions_outcome
write_self(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	char item[RYDE_SHARE_ID_MAX + 8];
	struct ryde_buf v;
	const struct ryde_positions_change change = {.item = item,
	    .update = "SET #beat = :zero, #owner = :owner, #process = :process",
	    .condition = "attribute_not_exists(#stream) OR #beat = :zero",
	    .values = &v};

	(void)snprintf(item, sizeof(item), "#m#%s", g->m->self);
	ryde_buf_init(&v, 4096);
	ryde_positions_put_n(&v, "zero", 0);
	ryde_positions_put_s(&v, "owner", g->self);
	ryde_positions_put_s(
	    &v, "process", g->self_process[0] != '\0' ? g->self_process : "-");
	outcome = ryde_positions_change_do(g, &change, NULL, err);
	ryde_buf_free(&v);
	return outcome;
}

/*
 * Sets `shared` in the group's item while it is as it was read, but for epoch and beat
 * where nobody owns it: members that join at once do not stand in each other's way. The
 * new epoch shuts out what an earlier owner wrote and comes late.
 */
static enum ryde_positions_outcome
write_shared(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	struct ryde_buf v, item;
	struct ryde_positions_change change = {.item = "", .values = &v};

	ryde_buf_init(&v, 4096);
	ryde_buf_init(&item, VALUES_MAX);
	ryde_positions_put_n(&v, "one", 1);
	if (!g->exists) {
		ryde_buf_puts(&v, ",\":none\":{\"M\":{}}");
		change.update =
		    "SET #shared = :one, #positions = :none ADD #epoch :one, #beat "
		    ":one";
		change.condition = "attribute_not_exists(#stream)";
	} else if (g->owner[0] == '\0') {
		change.update = "SET #shared = :one ADD #epoch :one, #beat :one";
		change.condition =
		    "attribute_exists(#stream) AND attribute_not_exists(#owner)";
	} else {
		ryde_positions_put_n(&v, "epoch", g->epoch);
		ryde_positions_put_n(&v, "seen", g->beat);
		change.update =
		    "SET #shared = :one REMOVE #owner, #process ADD #epoch :one, "
		    "#beat :one";
		change.condition = "#epoch = :epoch AND #beat = :seen";
	}
	outcome = ryde_positions_change_do(g, &change, &item, err);
	if (outcome == RYDE_POSITIONS_DONE &&
	    ryde_positions_item_take(g, ryde_buf_as_view(&item), err) != 0)
		outcome = RYDE_POSITIONS_FAILED;
	ryde_buf_free(&v);
	ryde_buf_free(&item);
	return outcome;
}

static void
forget_self(struct ryde_positions *g)
{
	struct ryde_err ignored = RYDE_ERR_INIT;

	if (g->m == NULL || g->m->self[0] == '\0')
		return;
	/* what it held is free now: its owner is no member. Where this fails the others
	 * find out */
	(void)ryde_positions_member_delete(g, g->m->self, NULL, &ignored);
	g->m->self[0] = '\0';
	g->m->n_held = 0;
	g->m->looked = false;
	ryde_positions_as_member(g, false);
}

static void
leave(struct ryde_group *base)
{
	forget_self(ryde_positions_of(base));
}

/* One try: DONE; REFUSED, where the group is not as it was read. */
static enum ryde_positions_outcome
try_join(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;

	if (ryde_random_token(g->m->self, err) != 0)
		return RYDE_POSITIONS_FAILED;
	g->m->beat = g->m->count = 0;
	outcome = write_self(g, err);
	if (outcome == RYDE_POSITIONS_DONE)
		outcome = write_shared(g, err);
	if (outcome != RYDE_POSITIONS_DONE)
		forget_self(g);
	return outcome;
}

/* The group's positions as they are now, those of shards' items included. */
static int
know_positions(struct ryde_positions *g, struct ryde_err *err)
{
	return ryde_positions_members_read(g, RYDE_POSITIONS_ALL, true, err) != 0
		   ? -1
		   : ryde_positions_members_merge(g, err);
}

static enum ryde_group_lease
join(struct ryde_group *base, char *id, char *owner, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_outcome outcome = RYDE_POSITIONS_REFUSED;

	for (int i = 0; outcome == RYDE_POSITIONS_REFUSED && i < JOIN_TRIES; i++) {
		enum ryde_group_lease lease = ryde_positions_lease_free(g, false, err);

		if (lease == RYDE_GROUP_BUSY)
			memcpy(owner, g->owner, sizeof(g->owner));
		if (lease != RYDE_GROUP_HELD)
			return lease;
		if (ryde_positions_members_make(g, err) != 0)
			return RYDE_GROUP_FAILED;
		outcome = try_join(g, err);
	}
	if (outcome == RYDE_POSITIONS_REFUSED)
		(void)ryde_err_set(err, RYDE_ETEMPFAIL,
		    "group %s changes again and again: it could not be joined", g->group);
	if (outcome != RYDE_POSITIONS_DONE)
		return RYDE_GROUP_FAILED;
	ryde_positions_as_member(g, true);
	if (know_positions(g, err) != 0) {
		forget_self(g);
		return RYDE_GROUP_FAILED;
	}
	memcpy(id, g->m->self, sizeof(g->m->self));
	return RYDE_GROUP_HELD;
}

static enum ryde_share_outcome
beat(struct ryde_group *base, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_outcome outcome;
	char item[RYDE_SHARE_ID_MAX + 8];
	struct ryde_buf v;
	const struct ryde_positions_change change = {.item = item,
	    .update = "SET #beat = :next",
	    .condition = "#beat = :last OR #beat = :next",
	    .values = &v};

	(void)snprintf(item, sizeof(item), "#m#%s", g->m->self);
	ryde_buf_init(&v, 256);
	ryde_positions_put_n(&v, "last", g->m->beat);
	ryde_positions_put_n(&v, "next", g->m->beat + 1);
	outcome = ryde_positions_change_do(g, &change, NULL, err);
	ryde_buf_free(&v);
	if (outcome == RYDE_POSITIONS_DONE)
		g->m->beat++;
	return outcome_of(outcome);
}

static enum ryde_share_outcome
expel(
    struct ryde_group *base, const struct ryde_share_member *member, struct ryde_err *err)
{
	return outcome_of(ryde_positions_member_delete(
	    ryde_positions_of(base), member->id, &member->beat, err));
}

/* ---- shards ---- */

/* Whether this member's item exists: 1, 0, or -1 with err set. One that was deleted never
 * comes back. */
static int
member_exists(struct ryde_positions *g, const char *id, struct ryde_err *err)
{
	char item[RYDE_SHARE_ID_MAX + 8];
	struct ryde_aws_call *call;
	struct ryde_view answer;
	struct ryde_buf body;
	int exists = -1;

	if (strcmp(g->m->gone, id) == 0)
		return 0;
	(void)snprintf(item, sizeof(item), "#m#%s", id);
	ryde_buf_init(&body, 4096);
	ryde_positions_put_key(g, item, &body);
	ryde_buf_puts(&body, ",\"ConsistentRead\":true}");
	call = ryde_positions_ask(g, "GetItem", &body, NULL, err);
	if (call != NULL && ryde_answer_body(call, "GetItem", &answer, err) == 0)
		exists = ryde_answer_member(answer, "Item").kind != RYDE_JSON_ABSENT;
	ryde_aws_free(call);
	ryde_buf_free(&body);
	if (exists == 0)
		memcpy(g->m->gone, id, strlen(id) + 1);
	return exists;
}

static enum ryde_positions_outcome
write_take(struct ryde_positions *g, const struct ryde_share_lease *lease,
    const char *item, struct ryde_buf *answer, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	struct ryde_buf v;
	struct ryde_positions_change change = {.item = item,
	    .update = "SET #member = :self, #epoch = :next",
	    .condition = "attribute_not_exists(#stream) OR (#member = :self AND "
			 "#epoch = :next)",
	    .values = &v};

	ryde_buf_init(&v, 4096);
	ryde_positions_put_s(&v, "self", g->m->self);
	ryde_positions_put_n(&v, "next", lease->epoch + 1);
	if (lease->epoch > 0) {
		ryde_positions_put_n(&v, "epoch", lease->epoch);
		ryde_positions_put_s(
		    &v, "owner", lease->owner[0] != '\0' ? lease->owner : g->m->self);
		change.condition =
		    "(#epoch = :epoch AND attribute_not_exists(#done) AND "
		    "(attribute_not_exists(#member) OR #member = :owner)) OR "
		    "(#member = :self AND #epoch = :next)";
	}
	outcome = ryde_positions_change_do(g, &change, answer, err);
	ryde_buf_free(&v);
	return outcome;
}

/* The shard is ours, as `answer` says. */
static int
taken(struct ryde_positions *g, const char *item, const struct ryde_buf *answer,
    int64_t epoch, struct ryde_group_position *position, bool *placed,
    struct ryde_err *err)
{
	const struct ryde_group_position *known = NULL;
	struct ryde_positions_shard s;

	if (ryde_positions_shard_take(g, item, ryde_buf_as_view(answer), &s, err) != 0 ||
	    hold(g, s.lease.shard, epoch, err) != 0)
		return -1;
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->positions[i].shard, s.lease.shard) == 0)
			known = &g->positions[i];
	known = ryde_positions_later(s.placed ? &s.position : NULL, known);
	*placed = known != NULL;
	if (known != NULL)
		*position = *known;
	return 0;
}

static enum ryde_share_outcome
take(struct ryde_group *base, const struct ryde_share_lease *lease, int64_t *epoch,
    struct ryde_group_position *position, bool *placed, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_outcome outcome;
	char item[RYDE_SHARD_ID_MAX + 8];
	struct ryde_buf answer;
	int lives;

	/* members and leases are not read in one moment: its owner may have come between
	 */
	lives = lease->owner[0] != '\0' ? member_exists(g, lease->owner, err) : 0;
	if (lives != 0)
		return lives < 0 ? RYDE_SHARE_FAILED : RYDE_SHARE_REFUSED;
	(void)snprintf(item, sizeof(item), "#s#%s", lease->shard);
	*epoch = lease->epoch + 1;
	ryde_buf_init(&answer, 65536);
	outcome = write_take(g, lease, item, &answer, err);
	if (outcome == RYDE_POSITIONS_DONE &&
	    taken(g, item, &answer, *epoch, position, placed, err) != 0)
		outcome = RYDE_POSITIONS_FAILED;
	ryde_buf_free(&answer);
	return outcome_of(outcome);
}

static enum ryde_share_outcome
give(struct ryde_group *base, const char *shard, int64_t epoch, bool done,
    struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_outcome outcome;
	char item[RYDE_SHARD_ID_MAX + 8];
	struct ryde_buf v;
	const struct ryde_positions_change change = {.item = item,
	    .update = done ? "SET #done = :one REMOVE #member" : "REMOVE #member",
	    /* nobody's under our epoch: it was us, and the answer was lost */
	    .condition = "#epoch = :epoch AND (#member = :self OR "
			 "attribute_not_exists(#member))",
	    .values = &v};

	(void)snprintf(item, sizeof(item), "#s#%s", shard);
	ryde_buf_init(&v, 4096);
	ryde_positions_put_s(&v, "self", g->m->self);
	ryde_positions_put_n(&v, "epoch", epoch);
	if (done)
		ryde_positions_put_n(&v, "one", 1);
	outcome = ryde_positions_change_do(g, &change, NULL, err);
	ryde_buf_free(&v);
	if (outcome == RYDE_POSITIONS_DONE)
		let_go(g, shard);
	return outcome_of(outcome);
}

/* ---- positions ---- */

#define STORE "SET #updated = :updated, #count = :count"

static void
put_store(struct ryde_positions *g, const struct ryde_group_position *p, int64_t epoch,
    int64_t now_ms, struct ryde_positions_job *job)
{
	struct ryde_buf v;
	struct ryde_positions_change change = {.item = job->item,
	    .update = STORE " REMOVE #seq, #sub, #at",
	    /* an earlier write of ours may come late */
	    .condition = "#member = :self AND #epoch = :epoch AND "
			 "(attribute_not_exists(#count) OR #count <= :count)",
	    .values = &v};

	(void)snprintf(job->item, sizeof(job->item), "#s#%s", p->shard);
	ryde_buf_init(&v, 4096);
	ryde_positions_put_s(&v, "self", g->m->self);
	ryde_positions_put_n(&v, "epoch", epoch);
	ryde_positions_put_n(&v, "count", epoch * EPOCH_COUNTS + g->m->count);
	ryde_positions_put_n(&v, "updated", now_ms);
	if (p->pos.n > 0) {
		change.update = STORE ", #seq = :seq REMOVE #sub, #at";
		if (p->pos.lines > 0) {
			change.update = STORE ", #seq = :seq, #sub = :sub REMOVE #at";
			ryde_positions_put_n(&v, "sub", (int64_t)p->pos.lines - 1);
		}
		ryde_buf_printf(
		    &v, ",\":seq\":{\"S\":\"%.*s\"}", (int)p->pos.n, p->pos.seq);
	} else if (p->at_ms > 0) {
		change.update = STORE ", #at = :at REMOVE #seq, #sub";
		ryde_positions_put_n(&v, "at", p->at_ms);
	}
	ryde_buf_init(&job->body, 16384);
	ryde_positions_change_put(g, &change, false, &job->body);
	ryde_buf_free(&v);
}

/* What was stored is what is known. */
static int
remember(struct ryde_positions *g, const struct ryde_group_position *p, int64_t now_ms,
    struct ryde_err *err)
{
	struct ryde_group_position *to = ryde_positions_item_shard(g, p->shard);

	if (to == NULL)
		return ryde_err_nomem(err);
	to->pos = p->pos;
	to->at_ms = p->at_ms;
	to->updated_ms = now_ms;
	return 0;
}

static enum ryde_group_lease
store(struct ryde_group *base, const struct ryde_group_position *p, const int64_t *epochs,
    size_t n, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	struct ryde_positions_job *jobs = calloc(n + 1, sizeof(*jobs));
	enum ryde_group_lease rc = RYDE_GROUP_HELD;
	int64_t now_ms = ryde_clock_wall_ms();

	if (jobs == NULL) {
		(void)ryde_err_nomem(err);
		return RYDE_GROUP_FAILED;
	}
	g->m->count++;
	for (size_t i = 0; i < n; i++)
		put_store(g, &p[i], epochs[i], now_ms, &jobs[i]);
	if (ryde_positions_jobs(g, jobs, n, err) != 0)
		rc = RYDE_GROUP_FAILED;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].outcome == RYDE_POSITIONS_REFUSED)
			rc = RYDE_GROUP_LOST;
		else if (jobs[i].outcome == RYDE_POSITIONS_DONE &&
			 remember(g, &p[i], now_ms, err) != 0)
			rc = RYDE_GROUP_FAILED;
	}
	free(jobs);
	return rc;
}

/* All at once, in the group's item. */
static enum ryde_share_outcome
found(struct ryde_group *base, const struct ryde_group_position *p, size_t n,
    struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	enum ryde_positions_outcome outcome = RYDE_POSITIONS_FAILED;
	int64_t now_ms = ryde_clock_wall_ms();
	struct ryde_buf v;

	/* somebody else's positions are not ours to write: nothing is known yet */
	if (g->n > 0)
		return RYDE_SHARE_REFUSED;
	for (size_t i = 0; i < n; i++)
		if (remember(g, &p[i], now_ms, err) != 0)
			return RYDE_SHARE_FAILED;
	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_puts(&v, "\":positions\":");
	ryde_positions_item_put(g, &v);
	ryde_buf_puts(&v, ",\":none\":{\"M\":{}}");
	ryde_positions_put_n(&v, "one", 1);
	if (ryde_buf_check(&v, err) == 0)
		outcome = ryde_positions_item_write(g,
		    "SET #positions = :positions ADD #beat :one",
		    "attribute_exists(#shared) AND (attribute_not_exists(#positions) OR "
		    "#positions = :none)",
		    &v, err);
	ryde_buf_free(&v);
	if (outcome == RYDE_POSITIONS_DONE)
		return RYDE_SHARE_DONE;
	/* it has some: those are to be known */
	if (outcome == RYDE_POSITIONS_REFUSED && ryde_positions_item_read(g, err) == 0 &&
	    know_positions(g, err) == 0)
		return RYDE_SHARE_REFUSED;
	return RYDE_SHARE_FAILED;
}

const struct ryde_group_share_ops ryde_positions_share_ops = {
    .join = join,
    .leave = leave,
    .beat = beat,
    .look = look,
    .expel = expel,
    .take = take,
    .give = give,
    .store = store,
    .found = found,
};
