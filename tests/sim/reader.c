#include "reader.h"

#include "dynamodb.h"
#include "flow/pace.h"
#include "flow/share.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE_MS 5000  /* between two positions of a shard: aws/positions_shared.h */
#define AGAIN_MS 200   /* where the store could not be reached */
#define RATE_PPM 20000 /* clocks are so much too fast or too slow at most */
#define UNREAD_MS                                                            \
	3000 /* a shard that nobody reads: at rest it is asked once a second \
	      */
#define UNREAD_MOST_MS 60000

/* A shard as one reader reads it. */
struct slot {
	struct event e;
	struct slot *next;
	struct reader *r;
	size_t shard;
	int64_t epoch;
	struct ryde_pace pace;
	bool calling, draining, ended;
	int64_t got;		      /* of the call under way: -1 refused */
	int64_t at;		      /* records below this one were printed */
	int64_t acked, soon, soon_ms; /* the program behind is done; will be then */
	int64_t store_ms;	      /* when its position may be stored again */
};

struct reader {
	struct event e;
	char id[RYDE_SHARE_ID_MAX + 1];
	struct ryde_share *share;
	int64_t offset_ms, ppm; /* its clock */
	int64_t sinks_ms;	/* the program behind it needs so long */
	struct slot *slots;
	bool dead, ended, leaving;
	int64_t stopped_ms; /* it stands still until then */
	/* the request under way */
	bool asking;
	struct ryde_share_step step;
	int64_t sent_ms; /* by its own clock */
};

static struct deeds deeds;
static size_t born;

const struct deeds *
reader_deeds(void)
{
	return &deeds;
}

/* ---- its clock ---- */

static int64_t
local_ms(const struct reader *r)
{
	return r->offset_ms + sim_now() + sim_now() * r->ppm / 1000000;
}

/* When its clock shows that, or a moment later. */
static int64_t
true_ms(const struct reader *r, int64_t local)
{
	return (int64_t)((double)(local - r->offset_ms) * 1e6 / (1e6 + (double)r->ppm)) +
	       1;
}

bool
reader_runs(const struct reader *r)
{
	return !r->dead && !r->ended && sim_now() >= r->stopped_ms;
}

static struct slot *
slot_of(const struct reader *r, size_t shard)
{
	for (struct slot *s = r->slots; s != NULL; s = s->next)
		if (s->shard == shard)
			return s;
	return NULL;
}

static void
drop(struct reader *r, struct slot *s)
{
	struct slot **at = &r->slots;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	sim_cancel(&s->e);
	free(s);
}

static void
drop_all(struct reader *r)
{
	while (r->slots != NULL)
		drop(r, r->slots);
}

/* ---- a shard ---- */

/* Somebody reads it: how long nobody did. */
static void
mark_read(struct shard *s)
{
	int64_t gap = sim_now() - s->read_ms;

	if (gap > UNREAD_MS)
		deeds.unread_ms += gap - UNREAD_MS;
	if (gap > deeds.longest_ms)
		deeds.longest_ms = gap;
	sim_check(gap <= UNREAD_MOST_MS, "a shard has a reader within a minute");
	s->read_ms = sim_now();
}

void
reader_count_unread(void)
{
	stream_ready();
	for (size_t i = 0; i < stream_n; i++)
		if (stream_leases[i].ready)
			mark_read(&stream_shards[i]);
}

/* Prints what has come. */
static void
deliver(struct slot *sl, int64_t n)
{
	struct shard *s = &stream_shards[sl->shard];
	const struct ryde_share_lease *l = &stream_leases[sl->shard];

	/* rule 3 holds by true time: whoever delivers is the owner */
	sim_check(l->epoch == sl->epoch && strcmp(l->owner, sl->r->id) == 0,
	    "only its owner delivers a shard");
	sim_check(l->ready && !l->done, "parents come before their children");
	sim_check(sl->at <= s->high, "no record is passed over");
	mark_read(s);
	deeds.records += (uint64_t)n;
	if (sl->at < s->high)
		deeds.twice +=
		    (uint64_t)((sl->at + n < s->high ? sl->at + n : s->high) - sl->at);
	sl->at += n;
	if (sl->at > s->high)
		s->high = sl->at;
}

/* The program behind the reader. */
static void
acknowledge(struct slot *sl)
{
	if (sl->soon > sl->acked && sim_now() >= sl->soon_ms)
		sl->acked = sl->soon;
	if (sl->at > sl->acked && sl->soon <= sl->acked) {
		sl->soon = sl->at;
		sl->soon_ms = sim_now() + sl->r->sinks_ms / 2 +
			      (int64_t)sim_any((uint64_t)sl->r->sinks_ms);
	}
}

/* Stores its position: 1, 0 where that has to wait, -1 where the shard is another's. */
static int
store(struct slot *sl, bool at_once)
{
	struct shard *s = &stream_shards[sl->shard];
	const struct ryde_share_lease *l = &stream_leases[sl->shard];

	if (sl->acked == s->stored || (!at_once && sim_now() < sl->store_ms))
		return 1;
	if (!dynamodb_write(REQUEST_STORE)) {
		sl->store_ms = sim_now() + AGAIN_MS;
		return 0;
	}
	if (l->epoch != sl->epoch || strcmp(l->owner, sl->r->id) != 0)
		return -1;
	sim_check(sl->acked >= s->stored, "a position moves on");
	s->stored = sl->acked;
	sl->store_ms = sim_now() + STORE_MS;
	return 1;
}

static void turn(struct event *e);

/* Lets it go, once all that was printed is done and stored. True: it is gone. */
static bool
give(struct slot *sl)
{
	struct reader *r = sl->r;
	struct ryde_share_lease *l = &stream_leases[sl->shard];
	size_t shard = sl->shard;
	bool ended = sl->ended;

	if (sl->acked < sl->at || store(sl, true) != 1 || !dynamodb_write(REQUEST_GIVE))
		return false;
	sim_check(l->epoch == sl->epoch && strcmp(l->owner, r->id) == 0,
	    "what is given is one's own");
	l->owner[0] = '\0';
	l->done = l->done || ended;
	if (ended)
		stream_ready();
	drop(r, sl);
	ryde_share_gave(r->share, stream_leases[shard].shard, ended, local_ms(r));
	if (!r->asking)
		sim_at(&r->e, sim_now() + 1);
	return true;
}

static void
fence(struct reader *r)
{
	r->ended = true;
	drop_all(r);
}

/* What a call gave, or that the next one is due. */
static void
hear(struct slot *sl)
{
	int64_t now = local_ms(sl->r);

	sl->calling = false;
	if (sl->got < 0) {
		ryde_pace_throttled(&sl->pace, now, sim_unit());
		return;
	}
	ryde_pace_got(&sl->pace, (size_t)sl->got, (size_t)(sl->got * RECORD_BYTES),
	    sl->at + sl->got >= stream_count(sl->shard));
	deliver(sl, sl->got);
	sl->ended = stream_shards[sl->shard].closed_ms <= sim_now() &&
		    sl->at == stream_count(sl->shard);
	sl->draining = sl->draining || sl->ended;
}

static void
call(struct slot *sl)
{
	ryde_pace_asked(&sl->pace, local_ms(sl->r));
	sl->got = stream_get(sl->shard, sl->at);
	sl->calling = true;
	sim_at(&sl->e, sim_now() + 5 + (int64_t)sim_any(sim_any(500) == 0 ? 3000 : 30));
}

static void
step_slot(struct event *e)
{
	struct slot *sl = (struct slot *)e;
	struct reader *r = sl->r;
	bool may = ryde_share_may_deliver(r->share, local_ms(r));

	if (!reader_runs(r)) {
		sim_at(e, r->stopped_ms);
		return;
	}
	/* without a lease nothing is printed, and the call is made again */
	if (sl->calling && may && !sl->draining)
		hear(sl);
	sl->calling = false;
	acknowledge(sl);
	if (sl->draining && give(sl))
		return;
	if (!sl->draining && store(sl, false) < 0) {
		fence(r);
		return;
	}
	if (sl->draining || !may)
		sim_at(e, sim_now() + AGAIN_MS);
	else if (local_ms(r) >= sl->pace.due_ms)
		call(sl);
	else
		sim_at(e, true_ms(r, sl->pace.due_ms));
}

static void
begin(struct reader *r, size_t shard)
{
	struct slot *sl = calloc(1, sizeof(*sl));

	if (sl == NULL)
		exit(71);
	*sl = (struct slot){.e.happen = step_slot,
	    .next = r->slots,
	    .r = r,
	    .shard = shard,
	    .epoch = stream_leases[shard].epoch,
	    .at = stream_shards[shard].stored,
	    .acked = stream_shards[shard].stored};
	r->slots = sl;
	ryde_pace_begin(&sl->pace, local_ms(r));
	sim_at(&sl->e, sim_now() + 1);
}

/* ---- what the mind wants done ---- */

static void
do_look(struct reader *r, bool whole)
{
	size_t items = stream_n_members + (whole ? stream_n : 0);

	if (!dynamodb_read(whole ? REQUEST_LOOK : REQUEST_GLANCE, items)) {
		ryde_share_blind(r->share, local_ms(r));
		return;
	}
	if (!whole) {
		if (ryde_share_saw(r->share, local_ms(r), stream_members,
			stream_n_members, NULL) != 0)
			exit(71);
		return;
	}
	ryde_share_pace(r->share, dynamodb_pace_ms(stream_n_members, items, LEASE_MS));
	stream_ready();
	if (ryde_share_looked(r->share, local_ms(r), stream_members, stream_n_members,
		stream_leases, stream_n, NULL) != 0)
		exit(71);
}

static void
do_beat(struct reader *r)
{
	struct ryde_share_member *m = stream_member(r->id);

	if (!dynamodb_write(REQUEST_BEAT)) {
		ryde_share_beaten(r->share, r->sent_ms, RYDE_SHARE_FAILED);
		return;
	}
	if (m != NULL)
		m->beat++;
	ryde_share_beaten(
	    r->share, r->sent_ms, m != NULL ? RYDE_SHARE_DONE : RYDE_SHARE_REFUSED);
}

static void
do_expel(struct reader *r)
{
	struct ryde_share_member *m = stream_member(r->step.member.id);
	enum ryde_share_outcome outcome = RYDE_SHARE_REFUSED;

	if (!dynamodb_write(REQUEST_EXPEL)) {
		outcome = RYDE_SHARE_FAILED;
	} else if (m != NULL && m->beat == r->step.member.beat) {
		stream_remove(m);
		outcome = RYDE_SHARE_DONE;
	}
	ryde_share_done(r->share, &r->step, outcome, 0, local_ms(r));
}

static void
do_take(struct reader *r)
{
	size_t i = stream_number(r->step.lease.shard);
	struct ryde_share_lease *l = &stream_leases[i];
	enum ryde_share_outcome outcome = RYDE_SHARE_REFUSED;

	if (!dynamodb_write(REQUEST_TAKE)) {
		outcome = RYDE_SHARE_FAILED;
	} else if (l->epoch == r->step.lease.epoch && !l->done &&
		   strcmp(l->owner, r->step.lease.owner) == 0) {
		memcpy(l->owner, r->id, sizeof(l->owner));
		l->epoch++;
		deeds.moved++;
		outcome = RYDE_SHARE_DONE;
	}
	ryde_share_done(r->share, &r->step, outcome, l->epoch, local_ms(r));
	if (outcome == RYDE_SHARE_DONE)
		begin(r, i);
}

/* The request that is under way reaches the store, and its answer the reader. */
static void
answer(struct reader *r)
{
	r->asking = false;
	switch (r->step.kind) {
	case RYDE_SHARE_BEAT:
		do_beat(r);
		break;
	case RYDE_SHARE_LOOK:
		do_look(r, r->step.whole);
		break;
	case RYDE_SHARE_EXPEL:
		do_expel(r);
		break;
	case RYDE_SHARE_TAKE:
		do_take(r);
		break;
	case RYDE_SHARE_NONE:
	case RYDE_SHARE_DRAIN:
	case RYDE_SHARE_STOP:
		break;
	}
}

static void
drain(struct reader *r, const char *shard)
{
	struct slot *sl = slot_of(r, stream_number(shard));

	sim_check(sl != NULL, "what is to be given is read");
	if (sl == NULL)
		return;
	sl->draining = true;
	sim_at(&sl->e, sim_now() + 1);
}

/* All is given: it is a member no longer. */
static void
leave(struct reader *r)
{
	struct ryde_share_member *m = stream_member(r->id);

	for (struct slot *s = r->slots; s != NULL; s = s->next)
		s->draining = true;
	if (r->slots != NULL) {
		sim_at(&r->e, sim_now() + AGAIN_MS);
		return;
	}
	(void)dynamodb_write(REQUEST_EXPEL);
	if (m != NULL)
		stream_remove(m);
	r->ended = true;
}

static void
turn(struct event *e)
{
	struct reader *r = (struct reader *)e;

	if (r->dead || r->ended)
		return;
	if (sim_now() < r->stopped_ms) {
		sim_at(e, r->stopped_ms);
		return;
	}
	if (r->asking)
		answer(r);
	if (r->leaving) {
		leave(r);
		return;
	}
	for (;;) {
		ryde_share_next(r->share, local_ms(r), true, &r->step);
		if (r->step.kind == RYDE_SHARE_STOP) {
			fence(r);
			return;
		}
		if (r->step.kind != RYDE_SHARE_DRAIN)
			break;
		drain(r, r->step.lease.shard);
	}
	if (r->step.kind == RYDE_SHARE_NONE) {
		sim_at(e, true_ms(r, ryde_share_wake_ms(r->share)));
		return;
	}
	/* a request takes 2 to 30 ms, and now and then seconds */
	r->asking = true;
	r->sent_ms = local_ms(r);
	sim_at(e, sim_now() + 2 + (int64_t)sim_any(sim_any(2000) == 0 ? 4000 : 28));
}

/* ---- a reader's life ---- */

struct reader *
reader_come(void)
{
	struct ryde_share_member *m = &stream_members[stream_n_members];
	struct reader *r = calloc(1, sizeof(*r));

	if (r == NULL || stream_n_members == MEMBERS_MAX)
		exit(71);
	stream_n_members++;
	r->e.happen = turn;
	(void)snprintf(r->id, sizeof(r->id), "m%06zu", born++);
	*m = (struct ryde_share_member){.beat = 0};
	memcpy(m->id, r->id, sizeof(m->id));
	r->offset_ms = (int64_t)sim_any(1000000000);
	r->ppm = (int64_t)sim_any(2 * RATE_PPM + 1) - RATE_PPM;
	r->sinks_ms = 100 + (int64_t)sim_any(1000);
	r->share = ryde_share_new(r->id, LEASE_MS, local_ms(r), NULL);
	if (r->share == NULL)
		exit(71);
	sim_at(&r->e, sim_now() + 1);
	return r;
}

void
reader_free(struct reader *r)
{
	drop_all(r);
	sim_cancel(&r->e);
	ryde_share_free(r->share);
	free(r);
}

void
reader_die(struct reader *r)
{
	r->dead = true;
	drop_all(r);
}

void
reader_stop(struct reader *r, int64_t ms)
{
	r->stopped_ms = sim_now() + ms;
}

void
reader_leave(struct reader *r)
{
	r->leaving = true;
}

size_t
reader_holds(const struct reader *r)
{
	size_t n = 0;

	for (size_t i = 0; i < stream_n; i++)
		n += stream_leases[i].ready && strcmp(stream_leases[i].owner, r->id) == 0;
	return n;
}
