/*
 * Sharing at size: the real flow/share.c of 200 readers against a store in memory with
 * 1,000 shards, in simulated time. Readers come, die, stop and wake; their clocks stand
 * where they like; requests take their time, and fail while the store is throttled.
 * Checked at every step: no shard is delivered by two at once. Reported: how long balance
 * takes, and how many requests it costs. Everything follows from the seed. usage: share
 * [SEED [MINUTES]]     MINUTES: how long it rests at the end (3)
 */
#include "flow/share.h"
#include "base/num.h"
#include "base/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 1000
#define READERS 200
#define MEMBERS (READERS * 4)
#define LEASE_MS 10000
#define STEP_MS 20

/* A reader's life; one that comes again is another member. */
struct reader {
	char id[RYDE_SHARE_ID_MAX + 1];
	struct ryde_share *share;
	int64_t clock_ms; /* its clock minus the simulation's */
	int64_t busy_ms;  /* it waits for an answer until then */
	bool dead, stopped, expelled;
	int64_t drained_ms[SHARDS]; /* when what it drains is done; 0: it does not */
	size_t drains;
};

static struct {
	struct ryde_share_member members[MEMBERS];
	size_t n_members;
	struct ryde_share_lease leases[SHARDS];
	bool throttled;
	uint64_t looks, beats, takes, gives, expels, failed, moved;
} store;

static struct reader *readers[MEMBERS];
static size_t n_readers;
static int64_t now_ms;
static uint64_t random_state;
static unsigned passed, faults;

static uint64_t
any(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static void
check(bool good, const char *what)
{
	passed += good;
	faults += !good;
	if (!good)
		printf("at %" PRId64 " ms: not so: %s\n", now_ms, what);
}

/* ---- the store ---- */

static struct ryde_share_member *
member_of(const char *id)
{
	for (size_t i = 0; i < store.n_members; i++)
		if (strcmp(store.members[i].id, id) == 0)
			return &store.members[i];
	return NULL;
}

static void
remove_member(struct ryde_share_member *m)
{
	*m = store.members[--store.n_members];
}

static size_t
number_of(const char *shard)
{
	size_t i = 0;

	while (strcmp(store.leases[i].shard, shard) != 0)
		i++;
	return i;
}

/* While the store is throttled half of all requests fail. */
static bool
fails(uint64_t *counter)
{
	++*counter;
	if (!store.throttled || any(2) == 0)
		return false;
	store.failed++;
	return true;
}

/* ---- a reader ---- */

static void
come(void)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct ryde_share_member *m = &store.members[store.n_members++];

	if (r == NULL)
		exit(71);
	*m = (struct ryde_share_member){.beat = 0};
	(void)snprintf(r->id, sizeof(r->id), "m%06zu", n_readers);
	memcpy(m->id, r->id, sizeof(m->id));
	r->clock_ms = (int64_t)any(1000000000);
	r->share = ryde_share_new(r->id, LEASE_MS, now_ms + r->clock_ms, NULL);
	readers[n_readers++] = r;
}

static void
expel(struct reader *r, const struct ryde_share_step *step, int64_t t)
{
	struct ryde_share_member *m = member_of(step->member.id);
	enum ryde_share_outcome outcome = RYDE_SHARE_REFUSED;

	if (fails(&store.expels)) {
		outcome = RYDE_SHARE_FAILED;
	} else if (m != NULL && m->beat == step->member.beat) {
		remove_member(m);
		outcome = RYDE_SHARE_DONE;
	}
	ryde_share_done(r->share, step, outcome, 0, t);
}

static void
take(struct reader *r, const struct ryde_share_step *step, int64_t t)
{
	struct ryde_share_lease *l = &store.leases[number_of(step->lease.shard)];
	enum ryde_share_outcome outcome = RYDE_SHARE_REFUSED;

	if (fails(&store.takes)) {
		outcome = RYDE_SHARE_FAILED;
	} else if (l->epoch == step->lease.epoch &&
		   strcmp(l->owner, step->lease.owner) == 0) {
		memcpy(l->owner, r->id, sizeof(l->owner));
		l->epoch++;
		store.moved++;
		outcome = RYDE_SHARE_DONE;
	}
	ryde_share_done(r->share, step, outcome, l->epoch, t);
}

static void
beat(struct reader *r, int64_t t)
{
	struct ryde_share_member *m = member_of(r->id);

	if (fails(&store.beats)) {
		ryde_share_beaten(r->share, t, RYDE_SHARE_FAILED);
		return;
	}
	if (m != NULL)
		m->beat++;
	ryde_share_beaten(r->share, t, m != NULL ? RYDE_SHARE_DONE : RYDE_SHARE_REFUSED);
}

static void
look(struct reader *r, int64_t t)
{
	if (fails(&store.looks))
		ryde_share_blind(r->share, t);
	else if (ryde_share_looked(r->share, t, store.members, store.n_members,
		     store.leases, SHARDS, NULL) != 0)
		exit(71);
}

/* Gives what has drained. */
static void
give(struct reader *r, int64_t t)
{
	for (size_t i = 0; r->drains > 0 && i < SHARDS; i++) {
		if (r->drained_ms[i] == 0 || r->drained_ms[i] > now_ms ||
		    fails(&store.gives))
			continue;
		r->drained_ms[i] = 0;
		r->drains--;
		check(strcmp(store.leases[i].owner, r->id) == 0,
		    "what drains is the reader's");
		store.leases[i].owner[0] = '\0';
		ryde_share_gave(r->share, store.leases[i].shard, false, t);
	}
}

/* One step; each that asks the store takes 2 to 30 ms. */
static bool
act(struct reader *r, const struct ryde_share_step *step, int64_t t)
{
	switch (step->kind) {
	case RYDE_SHARE_NONE:
		return false;
	case RYDE_SHARE_STOP:
		r->expelled = true;
		return false;
	case RYDE_SHARE_BEAT:
		beat(r, t);
		break;
	case RYDE_SHARE_LOOK:
		look(r, t);
		break;
	case RYDE_SHARE_EXPEL:
		expel(r, step, t);
		break;
	case RYDE_SHARE_TAKE:
		take(r, step, t);
		break;
	case RYDE_SHARE_DRAIN:
		/* its sinks need up to a second and a half */
		r->drained_ms[number_of(step->lease.shard)] =
		    now_ms + 1 + (int64_t)any(1500);
		r->drains++;
		return true;
	}
	r->busy_ms = now_ms + 2 + (int64_t)any(28);
	return true;
}

static bool
runs(const struct reader *r)
{
	return !r->dead && !r->stopped && !r->expelled;
}

static void
turn(struct reader *r)
{
	int64_t t = now_ms + r->clock_ms;
	struct ryde_share_step step;

	if (!runs(r) || now_ms < r->busy_ms)
		return;
	if (r->drains > 0)
		give(r, t);
	do
		ryde_share_next(r->share, t, true, &step);
	while (act(r, &step, t) && now_ms >= r->busy_ms);
}

/* Nobody delivers a shard that another one holds in the store. */
static void
check_single(void)
{
	size_t held = 0, delivered = 0;

	for (size_t i = 0; i < n_readers; i++) {
		const struct reader *r = readers[i];

		if (!runs(r) || !ryde_share_may_deliver(r->share, now_ms + r->clock_ms))
			continue;
		delivered += ryde_share_held(r->share) + r->drains;
		for (size_t k = 0; k < SHARDS; k++)
			held += strcmp(store.leases[k].owner, r->id) == 0;
	}
	check(delivered == held, "each shard is delivered by its owner alone");
}

static void
run_for(int64_t ms)
{
	for (int64_t end = now_ms + ms; now_ms < end; now_ms += STEP_MS) {
		for (size_t i = 0; i < n_readers; i++)
			turn(readers[i]);
		if (now_ms % 1000 == 0)
			check_single();
	}
}

/* ---- what is measured ---- */

static bool
balanced(void)
{
	size_t least = SHARDS, most = 0, sum = 0;

	for (size_t i = 0; i < n_readers; i++) {
		size_t held = 0;

		if (!runs(readers[i]))
			continue;
		for (size_t k = 0; k < SHARDS; k++)
			held += strcmp(store.leases[k].owner, readers[i]->id) == 0;
		least = held < least ? held : least;
		most = held > most ? held : most;
		sum += held;
	}
	return sum == SHARDS && most <= least + 1;
}

static void
until_balanced(const char *what)
{
	int64_t from = now_ms;
	uint64_t moved = store.moved;

	while (!balanced() && now_ms < from + 300000)
		run_for(500);
	printf("%-44s balanced after %5.1f s, %" PRIu64 " shards moved\n", what,
	    (double)(now_ms - from) / 1000, store.moved - moved);
	check(now_ms - from <= 60000, "balanced within 60 seconds");
}

/* Some of the living are marked. */
static void
strike(size_t n, bool die)
{
	while (n > 0) {
		struct reader *r = readers[any(n_readers)];

		if (!runs(r))
			continue;
		if (die)
			r->dead = true;
		else
			r->stopped = true;
		n--;
	}
}

static void
rest(int64_t ms)
{
	uint64_t looks = store.looks, beats = store.beats, takes = store.takes,
		 gives = store.gives, moved = store.moved;
	double hours = (double)ms / 3600000;
	uint64_t writes;

	run_for(ms);
	writes = store.beats - beats + store.takes - takes + store.gives - gives;
	printf("at rest, an hour: %.0f looks, %.0f beats, %" PRIu64 " shards moved\n",
	    (double)(store.looks - looks) / hours, (double)(store.beats - beats) / hours,
	    store.moved - moved);
	printf("at rest: %.3f writes per shard and 5 seconds\n",
	    (double)writes / SHARDS / ((double)ms / 5000));
	check(store.moved == moved, "nothing moves at rest");
	check((double)writes <= SHARDS * ((double)ms / 5000),
	    "at most one write per shard and 5 seconds");
}

int
main(int argc, char **argv)
{
	uint64_t seed = 7, minutes = 3;

	if ((argc > 1 && !ryde_num_u64(ryde_view_of(argv[1]), UINT64_MAX, &seed)) ||
	    (argc > 2 && !ryde_num_u64(ryde_view_of(argv[2]), 10000, &minutes)))
		return 64;
	random_state = seed * 0x9e3779b97f4a7c15U + 1;
	for (size_t i = 0; i < SHARDS; i++) {
		(void)snprintf(store.leases[i].shard, sizeof(store.leases[i].shard),
		    "shardId-%012zu", i);
		store.leases[i].ready = true;
	}
	come();
	until_balanced("one reader");
	for (size_t i = 1; i < READERS; i++)
		come();
	until_balanced("199 more at once");
	for (size_t i = 0; i < 10; i++) {
		come();
		run_for(1000);
	}
	until_balanced("ten more, one a second");
	strike(20, true);
	until_balanced("twenty die");
	strike(20, false);
	until_balanced("twenty are stopped");
	for (size_t i = 0; i < n_readers; i++)
		readers[i]->stopped = false;
	run_for(5000);
	until_balanced("they wake, and are told");
	store.throttled = true;
	strike(10, true);
	for (size_t i = 0; i < 20; i++)
		come();
	until_balanced("ten die, twenty come, half of requests fail");
	store.throttled = false;
	run_for(10000);
	rest((int64_t)minutes * 60000);
	for (size_t i = 0; i < n_readers; i++) {
		ryde_share_free(readers[i]->share);
		free(readers[i]);
	}
	printf("share: %u passed, %u failed\n", passed, faults);
	return faults != 0;
}
