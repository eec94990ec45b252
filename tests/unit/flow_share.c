/* Who holds which shard: one member's mind, and many of them against a store in memory.
 * Source: flow/share.h, "RULES". */
#include "check.h"
#include "flow/share.h"

#include <stdio.h>
#include <stdlib.h>

#define LEASE 1000
#define MEMBERS_MAX 16
#define SHARDS_MAX 64

/* ---- a store ---- */

static struct {
	struct ryde_share_member members[MEMBERS_MAX];
	size_t n_members;
	struct ryde_share_lease leases[SHARDS_MAX];
	size_t n_leases;
} store;

static struct ryde_share_member *
stored_member(const char *id)
{
	for (size_t i = 0; i < store.n_members; i++)
		if (strcmp(store.members[i].id, id) == 0)
			return &store.members[i];
	return NULL;
}

static void
store_leases(size_t n)
{
	memset(&store, 0, sizeof(store));
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(store.leases[i].shard, sizeof(store.leases[i].shard),
		    "shardId-%012zu", i);
		store.leases[i].ready = true;
	}
	store.n_leases = n;
}

static void
store_remove(struct ryde_share_member *m)
{
	*m = store.members[--store.n_members];
}

/* ---- a member ---- */

struct one {
	char id[24];
	struct ryde_share *share;
	bool stopped, frozen; /* has seen its end; does not run */
	char drains[SHARDS_MAX][RYDE_SHARD_ID_MAX + 1];
	size_t n_drains;
	unsigned looks, wholes;
};

static void
join(struct one *o, const char *id, int64_t now)
{
	struct ryde_share_member *m = &store.members[store.n_members++];

	memset(o, 0, sizeof(*o));
	memset(m, 0, sizeof(*m));
	(void)snprintf(o->id, sizeof(o->id), "%s", id);
	(void)snprintf(m->id, sizeof(m->id), "%s", id);
	o->share = ryde_share_new(id, LEASE, now, NULL);
}

static void
expel(struct one *o, const struct ryde_share_step *step, int64_t now)
{
	struct ryde_share_member *m = stored_member(step->member.id);
	bool same = m != NULL && m->beat == step->member.beat;

	if (same)
		store_remove(m);
	ryde_share_done(
	    o->share, step, same ? RYDE_SHARE_DONE : RYDE_SHARE_REFUSED, 0, now);
}

static void
take(struct one *o, const struct ryde_share_step *step, int64_t now)
{
	for (size_t i = 0; i < store.n_leases; i++) {
		struct ryde_share_lease *l = &store.leases[i];
		bool same;

		if (strcmp(l->shard, step->lease.shard) != 0)
			continue;
		same = l->epoch == step->lease.epoch &&
		       strcmp(l->owner, step->lease.owner) == 0;
		if (same) {
			/* rule 2: from nobody that is still a member */
			CHECK(l->owner[0] == '\0' || stored_member(l->owner) == NULL);
			memcpy(l->owner, o->id, sizeof(o->id));
			l->epoch++;
		}
		ryde_share_done(o->share, step,
		    same ? RYDE_SHARE_DONE : RYDE_SHARE_REFUSED, l->epoch, now);
	}
}

/* Lets go what it drains. */
static void
give_all(struct one *o, int64_t now)
{
	for (size_t d = 0; d < o->n_drains; d++) {
		for (size_t i = 0; i < store.n_leases; i++)
			if (strcmp(store.leases[i].shard, o->drains[d]) == 0 &&
			    strcmp(store.leases[i].owner, o->id) == 0)
				store.leases[i].owner[0] = '\0';
		ryde_share_gave(o->share, o->drains[d], false, now);
	}
	o->n_drains = 0;
}

static bool
act(struct one *o, const struct ryde_share_step *step, int64_t now)
{
	struct ryde_share_member *m = stored_member(o->id);

	switch (step->kind) {
	case RYDE_SHARE_NONE:
		return false;
	case RYDE_SHARE_STOP:
		o->stopped = true;
		return false;
	case RYDE_SHARE_BEAT:
		if (m != NULL)
			m->beat++;
		ryde_share_beaten(
		    o->share, now, m != NULL ? RYDE_SHARE_DONE : RYDE_SHARE_REFUSED);
		break;
	case RYDE_SHARE_LOOK:
		o->looks++;
		o->wholes += step->whole;
		if (step->whole)
			CHECK(ryde_share_looked(o->share, now, store.members,
				  store.n_members, store.leases, store.n_leases,
				  NULL) == 0);
		else
			CHECK(ryde_share_saw(o->share, now, store.members,
				  store.n_members, NULL) == 0);
		break;
	case RYDE_SHARE_EXPEL:
		expel(o, step, now);
		break;
	case RYDE_SHARE_TAKE:
		take(o, step, now);
		break;
	case RYDE_SHARE_DRAIN:
		memcpy(o->drains[o->n_drains++], step->lease.shard,
		    sizeof(step->lease.shard));
		break;
	}
	return true;
}

static void
turn(struct one *o, int64_t now)
{
	struct ryde_share_step step;

	if (o->frozen || o->stopped)
		return;
	give_all(o, now);
	do
		ryde_share_next(o->share, now, true, &step);
	while (act(o, &step, now));
}

static size_t
stored_of(const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < store.n_leases; i++)
		n += strcmp(store.leases[i].owner, id) == 0;
	return n;
}

static int64_t
run(struct one *all, size_t n, int64_t from, int64_t for_ms)
{
	for (int64_t now = from; now < from + for_ms; now += 10)
		for (size_t i = 0; i < n; i++)
			turn(&all[i], now + (int64_t)i);
	return from + for_ms;
}

/* ---- tests ---- */

static void
test_alone(void)
{
	struct one a;

	store_leases(5);
	join(&a, "a", 0);
	turn(&a, 0);
	CHECK(stored_of("a") == 5, "all at once: it is alone");
	CHECK(ryde_share_target(a.share) == 5 && ryde_share_members(a.share) == 1);
	CHECK(ryde_share_wake_ms(a.share) == LEASE / 16, "it had less than its target");
	CHECK(ryde_share_may_deliver(a.share, LEASE - LEASE / 8 - 1));
	CHECK(!ryde_share_may_deliver(a.share, LEASE - LEASE / 8));
	ryde_share_free(a.share);
}

static void
test_balance(void)
{
	struct one m[4];
	int64_t now = 0;

	store_leases(10);
	join(&m[0], "a", now);
	now = run(m, 1, now, 50);
	join(&m[1], "b", now);
	now = run(m, 2, now, LEASE);
	CHECK(stored_of("a") == 5 && stored_of("b") == 5);
	join(&m[2], "c", now);
	join(&m[3], "d", now);
	now = run(m, 4, now, LEASE);
	for (size_t i = 0; i < 4; i++) {
		CHECK(stored_of(m[i].id) == 2 || stored_of(m[i].id) == 3);
		ryde_share_free(m[i].share);
	}
}

static void
test_lost(void)
{
	struct one m[3];
	int64_t now = 0;

	store_leases(9);
	for (size_t i = 0; i < 3; i++)
		join(&m[i], i == 0 ? "a" : i == 1 ? "b" : "c", now);
	now = run(m, 3, now, 2 * LEASE);
	CHECK(stored_of("a") == 3 && stored_of("b") == 3 && stored_of("c") == 3);
	m[1].frozen = true;
	now = run(m, 3, now, LEASE / 2 - 20);
	CHECK(stored_of("b") == 3 && stored_member("b") != NULL, "its lease runs");
	CHECK(ryde_share_held(m[1].share) == 3);
	now = run(m, 3, now, 2 * LEASE);
	CHECK(stored_of("b") == 0 && stored_member("b") == NULL);
	CHECK(stored_of("a") + stored_of("c") == 9);
	CHECK(!ryde_share_may_deliver(m[1].share, now), "it wakes");
	m[1].frozen = false;
	turn(&m[1], now);
	CHECK(m[1].stopped && stored_of("b") == 0);
	for (size_t i = 0; i < 3; i++)
		ryde_share_free(m[i].share);
}

/* A process that is known to be no more is not waited for. */
static void
test_gone(void)
{
	struct one m[2];
	int64_t now = 0;

	store_leases(4);
	join(&m[0], "a", now);
	join(&m[1], "b", now);
	now = run(m, 2, now, LEASE);
	CHECK(stored_of("a") == 2 && stored_of("b") == 2);
	stored_member("b")->gone = true;
	m[1].frozen = true;
	now = run(m, 2, now, LEASE / 2);
	CHECK(stored_of("a") == 4 && stored_member("b") == NULL);
	ryde_share_free(m[0].share);
	ryde_share_free(m[1].share);
}

/* One that beats again between the look and the deletion stays. */
static void
test_unchanged_only(void)
{
	struct one m[2];
	struct ryde_share_step step;

	store_leases(2);
	join(&m[0], "a", 0);
	join(&m[1], "b", 0);
	turn(&m[0], 0);
	for (int64_t now = 0; now < LEASE; now += 10)
		turn(&m[0], now);
	CHECK(stored_member("b") != NULL);
	stored_member("b")->beat++;
	for (int64_t now = LEASE; now < LEASE + LEASE / 2; now += 10)
		turn(&m[0], now);
	CHECK(stored_member("b") != NULL);
	step = (struct ryde_share_step){.kind = RYDE_SHARE_EXPEL};
	(void)snprintf(step.member.id, sizeof(step.member.id), "b");
	expel(&m[0], &step, 2000);
	CHECK(stored_member("b") != NULL, "another beat");
	ryde_share_free(m[0].share);
	ryde_share_free(m[1].share);
}

static void
test_store_away(void)
{
	struct ryde_share_step step;
	struct one a;

	store_leases(2);
	join(&a, "a", 0);
	turn(&a, 0);
	ryde_share_next(a.share, LEASE / 2, true, &step);
	CHECK(step.kind == RYDE_SHARE_BEAT);
	ryde_share_beaten(a.share, LEASE / 2, RYDE_SHARE_FAILED);
	ryde_share_next(a.share, LEASE / 2, true, &step);
	CHECK(step.kind == RYDE_SHARE_LOOK, "a beat is tried again later");
	ryde_share_blind(a.share, LEASE / 2);
	ryde_share_next(a.share, LEASE - LEASE / 8, true, &step);
	CHECK(step.kind == RYDE_SHARE_BEAT);
	ryde_share_beaten(a.share, LEASE - LEASE / 8, RYDE_SHARE_FAILED);
	ryde_share_next(a.share, LEASE - LEASE / 8, true, &step);
	CHECK(step.kind == RYDE_SHARE_NONE &&
	      !ryde_share_may_deliver(a.share, LEASE - LEASE / 8));
	CHECK(ryde_share_wake_ms(a.share) > LEASE - LEASE / 8,
	    "it sleeps until the next beat");
	ryde_share_beaten(a.share, LEASE, RYDE_SHARE_DONE);
	CHECK(ryde_share_may_deliver(a.share, LEASE), "nobody has deleted it");
	ryde_share_free(a.share);
}

/* What is read to its end is nobody's, and its children are taken. */
static void
test_children(void)
{
	struct one m[2];
	int64_t now = 0;

	store_leases(3);
	store.leases[1].ready = store.leases[2].ready = false;
	join(&m[0], "a", now);
	join(&m[1], "b", now);
	now = run(m, 2, now, LEASE);
	CHECK(stored_of("a") + stored_of("b") == 1);
	store.leases[0].ready = false;
	for (size_t i = 0; i < 2; i++)
		if (strcmp(store.leases[0].owner, m[i].id) == 0)
			ryde_share_gave(m[i].share, store.leases[0].shard, true, now);
	store.leases[0].owner[0] = '\0';
	store.leases[1].ready = store.leases[2].ready = true;
	now = run(m, 2, now, LEASE);
	CHECK(stored_of("a") == 1 && stored_of("b") == 1 &&
	      store.leases[0].owner[0] == '\0');
	ryde_share_free(m[0].share);
	ryde_share_free(m[1].share);
}

/* Rule 1: in a large group the leases are looked at seldom, until something changes. The
 * group is of 200 members with 64 shards; this is one of them, the others are beats in
 * the store. */
static void
test_large(void)
{
	static struct ryde_share_member others[200];
	unsigned looks = 0, wholes = 0;
	struct ryde_share_step step;
	struct ryde_share *s;
	int64_t now = 0;

	store_leases(SHARDS_MAX);
	for (size_t i = 0; i < 200; i++)
		(void)snprintf(others[i].id, sizeof(others[i].id), "m%03zu", i);
	for (size_t i = 0; i < SHARDS_MAX; i++)
		memcpy(store.leases[i].owner, others[i].id, sizeof(others[i].id));
	(void)snprintf(others[199].id, sizeof(others[199].id), "a");
	s = ryde_share_new("a", LEASE, 0, NULL);
	ryde_share_pace(s, LEASE / 2);
	for (; now < 20 * LEASE; now += 10) {
		size_t n = now < 10 * LEASE ? 200 : 199;

		for (size_t i = 0; i < 199; i++)
			others[i].beat = (uint64_t)(now / (LEASE / 2));
		/* the one that goes had a shard */
		if (n == 199)
			others[7] = others[199];
		ryde_share_next(s, now, true, &step);
		if (step.kind == RYDE_SHARE_BEAT) {
			ryde_share_beaten(s, now, RYDE_SHARE_DONE);
		} else if (step.kind == RYDE_SHARE_TAKE) {
			CHECK(wholes > 0 && n == 199 &&
			      strcmp(step.lease.owner, "m007") == 0);
			break;
		} else if (step.kind == RYDE_SHARE_LOOK) {
			looks++;
			wholes += step.whole;
			CHECK(
			    (step.whole ? ryde_share_looked(s, now, others, n,
					      store.leases, store.n_leases, NULL)
					: ryde_share_saw(s, now, others, n, NULL)) == 0);
		}
	}
	/* eight times half a lease is more than two leases: so two */
	CHECK(
	    now >= 10 * LEASE && now <= 11 * LEASE + 20, "taken at %lld", (long long)now);
	CHECK(looks >= 30 && wholes >= 5 && wholes <= 7, "%u looks, %u whole", looks,
	    wholes);
	ryde_share_free(s);
}

/* Members come, stop, wake and go at random; whenever they are let alone, all is held and
 * balanced. */
static void
test_random(void)
{
	struct one m[MEMBERS_MAX];
	unsigned seed = 7;
	int64_t now = 0;

	for (int round = 0; round < 20; round++) {
		size_t n = 2 + (size_t)(rand_r(&seed) % (MEMBERS_MAX - 2)), left = 0;
		size_t shards = 1 + (size_t)(rand_r(&seed) % (SHARDS_MAX - 1));
		size_t least = SHARDS_MAX, most = 0, all = 0;

		store_leases(shards);
		for (size_t i = 0; i < n; i++) {
			char id[24];

			(void)snprintf(id, sizeof(id), "m%zu", i);
			join(&m[i], id, now);
			now = run(m, i + 1, now, rand_r(&seed) % LEASE);
			m[rand_r(&seed) % (int)(i + 1)].frozen = rand_r(&seed) % 4 == 0;
		}
		now = run(m, n, now, 6 * LEASE);
		for (size_t i = 0; i < n; i++) {
			size_t held = stored_of(m[i].id);

			if (m[i].frozen)
				CHECK(held == 0);
			ryde_share_free(m[i].share);
			if (m[i].frozen || m[i].stopped)
				continue;
			left++;
			all += held;
			least = held < least ? held : least;
			most = held > most ? held : most;
		}
		CHECK(left == 0 || (all == shards && most - least <= 1),
		    "round %d: %zu of %zu, %zu to %zu", round, all, shards, least, most);
	}
}

int
main(void)
{
	test_alone();
	test_balance();
	test_lost();
	test_gone();
	test_unchanged_only();
	test_store_away();
	test_children();
	test_large();
	test_random();
	return check_end("flow_share");
}
