#include "flow/share.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* At rest a group asks for one in so many of the looks that its store can bear. */
#define REST 8

/* A member, and since when its beat has been the one that is known. */
struct watched {
	struct ryde_share_member m;
	int64_t since_ms;
	size_t held; /* when it was last looked at */
	bool expelled;
};

struct held {
	struct ryde_share_lease l;
	bool draining;
	bool refused;	 /* somebody else was faster: not before the next look */
	uint64_t weight; /* the more, the rather it is taken and kept */
};

struct ryde_share {
	char self[RYDE_SHARE_ID_MAX + 1];
	int64_t lease_ms;
	int64_t sent_ms;      /* the last beat that counted was sent then */
	int64_t beat_at_ms;   /* the next one is due */
	int64_t look_at_ms;   /* the next look is due */
	int64_t whole_at_ms;  /* from then on a look is at the leases, too */
	int64_t whole_ms;     /* when the last one was */
	int64_t pace_ms;      /* whole looks are at least this far apart */
	bool looked, stopped; /* has looked at all; was deleted */
	bool settled;	      /* nothing to take or give until something changes */
	struct watched *members;
	size_t n_members;
	struct held *leases; /* by shard */
	size_t n_leases;
};

/* FNV-1a over both names, mixed, as rendezvous hashing needs: each pair has its own
 * number. */
static uint64_t
weight_of(const char *member, const char *shard)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (const char *p = member; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3U;
	h = (h ^ '/') * 0x100000001b3U;
	for (const char *p = shard; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3U;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
	return h ^ (h >> 33);
}

struct ryde_share *
ryde_share_new(const char *self, int64_t lease_ms, int64_t now_ms, struct ryde_err *err)
{
	struct ryde_share *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	memcpy(s->self, self, strnlen(self, RYDE_SHARE_ID_MAX));
	s->lease_ms = lease_ms;
	s->sent_ms = now_ms;
	s->beat_at_ms = now_ms + lease_ms / 2;
	s->look_at_ms = s->whole_at_ms = s->whole_ms = now_ms;
	return s;
}

void
ryde_share_free(struct ryde_share *s)
{
	if (s == NULL)
		return;
	free(s->members);
	free(s->leases);
	free(s);
}

static bool
is_ours(const struct ryde_share *s, const struct held *h)
{
	return strcmp(h->l.owner, s->self) == 0;
}

/* ---- what was seen ---- */

/* Members and leases begin with their names, and are sorted by them. */
static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
sort(void *all, size_t n, size_t each)
{
	const char *p = all;
	size_t i = 1;

	/* stores give them in order */
	while (i < n && strcmp(p + (i - 1) * each, p + i * each) <= 0)
		i++;
	if (i < n)
		qsort(all, n, each, compare);
}

static struct watched *
find_member(const struct ryde_share *s, const char *id)
{
	return s->n_members == 0
		   ? NULL
		   : bsearch(id, s->members, s->n_members, sizeof(*s->members), compare);
}

static struct held *
find_lease(const struct ryde_share *s, const char *shard)
{
	return s->n_leases == 0
		   ? NULL
		   : bsearch(shard, s->leases, s->n_leases, sizeof(*s->leases), compare);
}

/* A member that is seen with another beat than before is watched anew. True where others
 * were seen than before. */
static bool
watch(struct ryde_share *s, int64_t now_ms, const struct ryde_share_member *members,
    size_t n, struct watched *to)
{
	bool self = false, others = n != s->n_members;

	for (size_t i = 0; i < n; i++) {
		/* mostly nothing has changed, and it stands where it stood */
		const struct watched *known =
		    i < s->n_members && strcmp(members[i].id, s->members[i].m.id) == 0
			? &s->members[i]
			: find_member(s, members[i].id);

		to[i] = (struct watched){.m = members[i], .since_ms = now_ms};
		if (known != NULL)
			to[i].held = known->held;
		if (known != NULL && known->m.beat == members[i].beat)
			to[i].since_ms = known->since_ms;
		others = others || known == NULL;
		self = self || strcmp(members[i].id, s->self) == 0;
	}
	s->stopped = s->stopped || !self;
	sort(to, n, sizeof(*to));
	return others;
}

static void
take_leases(struct ryde_share *s, const struct ryde_share_lease *leases, size_t n,
    struct held *to)
{
	for (size_t i = 0; i < n; i++) {
		const struct held *known =
		    i < s->n_leases && strcmp(leases[i].shard, s->leases[i].l.shard) == 0
			? &s->leases[i]
			: find_lease(s, leases[i].shard);

		to[i] = (struct held){.l = leases[i]};
		to[i].weight =
		    known != NULL ? known->weight : weight_of(s->self, leases[i].shard);
		to[i].draining = known != NULL && known->draining && is_ours(s, &to[i]);
		/* nobody takes a shard but from a member that was deleted */
		if (known != NULL && is_ours(s, known) && !is_ours(s, &to[i]))
			s->stopped = true;
	}
	sort(to, n, sizeof(*to));
}

/* How many shards each member holds. */
static void
count_held(struct ryde_share *s)
{
	for (size_t i = 0; i < s->n_members; i++)
		s->members[i].held = 0;
	for (size_t i = 0; i < s->n_leases; i++) {
		struct watched *owner =
		    s->leases[i].l.ready ? find_member(s, s->leases[i].l.owner) : NULL;

		if (owner != NULL)
			owner->held++;
	}
}

/* ---- when to look ---- */

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Between two whole looks at least. */
static int64_t
haste_ms(const struct ryde_share *s)
{
	return longer(s->lease_ms / 16, s->pace_ms);
}

/* Whether others are waited for: below its target, or while it gives. */
static bool
is_loose(const struct ryde_share *s)
{
	size_t ready = 0, draining = 0;

	for (size_t i = 0; i < s->n_leases; i++) {
		ready += s->leases[i].l.ready;
		draining += s->leases[i].draining;
	}
	return ready > 0 && (draining > 0 || ryde_share_held(s) < ryde_share_target(s));
}

/* Between two whole looks while nothing changes. */
static int64_t
rest_ms(const struct ryde_share *s)
{
	int64_t rest = REST * s->pace_ms;

	if (rest > 2 * s->lease_ms)
		rest = longer(2 * s->lease_ms, s->pace_ms);
	return longer(s->lease_ms / 4, rest);
}

/* Between two looks at the members, which are a part of all that there is to see. */
static int64_t
glance_ms(const struct ryde_share *s)
{
	size_t all = s->n_members + s->n_leases + 1;

	return longer(s->lease_ms / 4, s->pace_ms * (int64_t)s->n_members / (int64_t)all);
}

/* The next look, at the members or whole. */
static void
set_look(struct ryde_share *s, int64_t now_ms)
{
	s->look_at_ms = now_ms + glance_ms(s);
	if (s->look_at_ms > s->whole_at_ms)
		s->look_at_ms = s->whole_at_ms;
}

/* Something has changed: a whole look at at_ms, if the store can bear it. */
static void
look_soon(struct ryde_share *s, int64_t at_ms)
{
	at_ms = longer(at_ms, s->whole_ms + haste_ms(s));
	if (s->whole_at_ms > at_ms)
		s->whole_at_ms = at_ms;
	if (s->look_at_ms > s->whole_at_ms)
		s->look_at_ms = s->whole_at_ms;
}

int
ryde_share_saw(struct ryde_share *s, int64_t now_ms,
    const struct ryde_share_member *members, size_t n, struct ryde_err *err)
{
	struct watched *w = calloc(n + 1, sizeof(*w));
	bool others;

	if (w == NULL)
		return ryde_err_nomem(err);
	others = watch(s, now_ms, members, n, w);
	free(s->members);
	s->members = w;
	s->n_members = n;
	set_look(s, now_ms);
	if (others) {
		count_held(s);
		s->settled = false;
		look_soon(s, now_ms);
	}
	return 0;
}

int
ryde_share_looked(struct ryde_share *s, int64_t now_ms,
    const struct ryde_share_member *members, size_t n_members,
    const struct ryde_share_lease *leases, size_t n_leases, struct ryde_err *err)
{
	struct held *h = calloc(n_leases + 1, sizeof(*h));

	if (h == NULL)
		return ryde_err_nomem(err);
	if (ryde_share_saw(s, now_ms, members, n_members, err) != 0) {
		free(h);
		return -1;
	}
	take_leases(s, leases, n_leases, h);
	free(s->leases);
	s->leases = h;
	s->n_leases = n_leases;
	count_held(s);
	s->looked = true;
	s->settled = false;
	s->whole_ms = now_ms;
	s->whole_at_ms = now_ms + (is_loose(s) ? haste_ms(s) : rest_ms(s));
	set_look(s, now_ms);
	return 0;
}

void
ryde_share_pace(struct ryde_share *s, int64_t ms)
{
	s->pace_ms = ms;
}

void
ryde_share_blind(struct ryde_share *s, int64_t now_ms)
{
	s->look_at_ms = now_ms + s->lease_ms / 16;
	if (s->whole_at_ms <= now_ms)
		s->whole_at_ms = now_ms + haste_ms(s);
}

/* ---- targets ---- */

size_t
ryde_share_held(const struct ryde_share *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_leases; i++)
		n += is_ours(s, &s->leases[i]) && !s->leases[i].draining;
	return n;
}

size_t
ryde_share_members(const struct ryde_share *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++)
		n += !s->members[i].expelled;
	return n;
}

size_t
ryde_share_target(const struct ryde_share *s)
{
	size_t members = ryde_share_members(s), ready = 0, before = 0, rest;
	size_t mine = 0;

	for (size_t i = 0; i < s->n_leases; i++) {
		ready += s->leases[i].l.ready;
		mine += s->leases[i].l.ready && is_ours(s, &s->leases[i]);
	}
	if (members == 0)
		return 0;
	rest = ready % members;
	for (size_t i = 0; rest > 0 && i < s->n_members; i++) {
		const struct watched *w = &s->members[i];

		if (w->expelled || strcmp(w->m.id, s->self) == 0)
			continue;
		before +=
		    w->held > mine || (w->held == mine && strcmp(w->m.id, s->self) < 0);
	}
	return ready / members + (before < rest);
}

/* ---- what is to be done ---- */

/* Rule 2. */
static const struct watched *
find_lost(const struct ryde_share *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->n_members; i++) {
		const struct watched *w = &s->members[i];

		if (!w->expelled && strcmp(w->m.id, s->self) != 0 &&
		    (w->m.gone || now_ms - w->since_ms >= s->lease_ms))
			return w;
	}
	return NULL;
}

static bool
is_free(const struct ryde_share *s, const struct held *h)
{
	const struct watched *w;

	if (!h->l.ready || h->refused)
		return false;
	if (h->l.owner[0] == '\0')
		return true;
	w = find_member(s, h->l.owner);
	return w == NULL || w->expelled;
}

/* Rule 5: the free shard that it would rather have than all others, or the one of its own
 * that it would rather give. */
static struct held *
choose(const struct ryde_share *s, bool to_take)
{
	struct held *best = NULL;

	for (size_t i = 0; i < s->n_leases; i++) {
		struct held *h = &s->leases[i];

		if (to_take ? !is_free(s, h) : !is_ours(s, h) || h->draining)
			continue;
		if (best == NULL || (h->weight > best->weight) == to_take)
			best = h;
	}
	return best;
}

static void
balance(struct ryde_share *s, bool may_take, struct ryde_share_step *step)
{
	size_t target, held;
	struct held *h = NULL;

	if (s->settled)
		return;
	target = ryde_share_target(s);
	held = ryde_share_held(s);
	if (held > target) {
		h = choose(s, false);
		step->kind = RYDE_SHARE_DRAIN;
	} else if (held < target && may_take) {
		h = choose(s, true);
		step->kind = RYDE_SHARE_TAKE;
	}
	if (h == NULL) {
		step->kind = RYDE_SHARE_NONE;
		s->settled = held >= target || may_take;
		return;
	}
	step->lease = h->l;
	h->draining = step->kind == RYDE_SHARE_DRAIN;
}

void
ryde_share_next(
    struct ryde_share *s, int64_t now_ms, bool may_take, struct ryde_share_step *step)
{
	const struct watched *lost;

	*step = (struct ryde_share_step){.kind = RYDE_SHARE_NONE};
	if (s->stopped) {
		step->kind = RYDE_SHARE_STOP;
		return;
	}
	if (now_ms >= s->beat_at_ms) {
		step->kind = RYDE_SHARE_BEAT;
		return;
	}
	if (!ryde_share_may_deliver(s, now_ms)) {
		s->look_at_ms = longer(s->look_at_ms, s->beat_at_ms);
		return;
	}
	if (now_ms >= s->look_at_ms) {
		step->kind = RYDE_SHARE_LOOK;
		step->whole = now_ms >= s->whole_at_ms;
		return;
	}
	if (!s->looked)
		return;
	lost = find_lost(s, now_ms);
	if (lost != NULL) {
		step->kind = RYDE_SHARE_EXPEL;
		step->member = lost->m;
		return;
	}
	balance(s, may_take, step);
}

int64_t
ryde_share_wake_ms(const struct ryde_share *s)
{
	return s->look_at_ms < s->beat_at_ms ? s->look_at_ms : s->beat_at_ms;
}

bool
ryde_share_may_deliver(const struct ryde_share *s, int64_t now_ms)
{
	return !s->stopped && now_ms - s->sent_ms < s->lease_ms - s->lease_ms / 8;
}

/* ---- what came of it ---- */

void
ryde_share_beaten(struct ryde_share *s, int64_t sent_ms, enum ryde_share_outcome outcome)
{
	switch (outcome) {
	case RYDE_SHARE_DONE:
		s->sent_ms = sent_ms;
		s->beat_at_ms = sent_ms + s->lease_ms / 2;
		break;
	case RYDE_SHARE_REFUSED:
		s->stopped = true;
		break;
	case RYDE_SHARE_FAILED:
		s->beat_at_ms = sent_ms + s->lease_ms / 16;
		break;
	}
}

static void
expelled(struct ryde_share *s, const struct ryde_share_step *step,
    enum ryde_share_outcome outcome, int64_t now_ms)
{
	struct watched *w = find_member(s, step->member.id);

	if (w == NULL)
		return;
	if (outcome == RYDE_SHARE_DONE) {
		w->expelled = true;
		return;
	}
	/* it lives, or somebody else has deleted it: the next look tells */
	w->since_ms = now_ms;
	w->m.gone = false;
	s->look_at_ms =
	    outcome == RYDE_SHARE_REFUSED ? now_ms : now_ms + s->lease_ms / 16;
}

void
ryde_share_done(struct ryde_share *s, const struct ryde_share_step *step,
    enum ryde_share_outcome outcome, int64_t epoch, int64_t now_ms)
{
	struct held *h;

	s->settled = false;
	if (step->kind == RYDE_SHARE_EXPEL) {
		expelled(s, step, outcome, now_ms);
		return;
	}
	h = find_lease(s, step->lease.shard);
	if (h == NULL)
		return;
	if (outcome == RYDE_SHARE_DONE) {
		memcpy(h->l.owner, s->self, sizeof(h->l.owner));
		h->l.epoch = epoch;
		return;
	}
	h->refused = true;
	look_soon(s, now_ms + s->lease_ms / 16);
}

void
ryde_share_gave(struct ryde_share *s, const char *shard, bool ended, int64_t now_ms)
{
	struct held *h = find_lease(s, shard);

	s->settled = false;
	if (h == NULL)
		return;
	h->l.owner[0] = '\0';
	h->l.ready = h->l.ready && !ended;
	h->draining = false;
	/* not back at once: it was given for somebody else */
	h->refused = true;
	if (ended)
		look_soon(s, now_ms);
}
