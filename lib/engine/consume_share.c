/*
 * One of several readers of a group: does in the store what flow/share.h decides, and
 * carries shards from reader to reader.
 *
 * Giving: the shard is no longer read; once all that was printed of it is acknowledged
 * and stored, its lease goes back. Sinks that need longer than a lease are told to drop
 * what they have not begun, and are waited for until nothing of it is under way: so no
 * line is handled by two at once, however slow a sink is.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "engine/consume.h"
#include "engine/consume_run.h"
#include "flow/ack_server.h"
#include "flow/share.h"
#include "store/group.h"
#include "store/group_share.h"
#include "store/stream.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 200 /* where the store could not be reached */

/* ---- beginning and end ---- */

/* A group without positions begins where --from says, for all shards at once: a member
 * that comes later, or a second run, begins nowhere else. */
static int
found(struct ryde_consume_run *c, struct ryde_err *err)
{
	struct ryde_group_position *p;
	size_t n;
	int rc = ryde_consume_shards_first(c, &p, &n, err);

	if (rc == 0 && n > 0 &&
	    ryde_group_share_found(c->group, p, n, err) == RYDE_SHARE_FAILED)
		rc = -1;
	free(p);
	return rc;
}

int
ryde_consume_share_join(struct ryde_consume_run *c, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();
	char id[RYDE_SHARE_ID_MAX + 1], owner[64];

	switch (ryde_group_share_join(c->group, id, owner, err)) {
	case RYDE_GROUP_HELD:
		break;
	case RYDE_GROUP_BUSY:
	case RYDE_GROUP_LOST:
		return ryde_err_set(err, RYDE_ECONFIG,
		    "group %s is being read by %s without --share: stop that reader "
		    "first",
		    c->o->group, owner);
	case RYDE_GROUP_FAILED:
		return -1;
	}
	c->share = ryde_share_new(id, ryde_group_lease_ms(), now, err);
	if (c->share == NULL) {
		ryde_group_share_leave(c->group);
		return -1;
	}
	return found(c, err);
}

void
ryde_consume_share_leave(struct ryde_consume_run *c)
{
	ryde_group_share_leave(c->group);
	ryde_share_free(c->share);
	c->share = NULL;
}

bool
ryde_consume_share_stands(const struct ryde_consume_run *c)
{
	return c->share == NULL || ryde_share_may_deliver(c->share, ryde_clock_mono_ms());
}

void
ryde_consume_share_wait(const struct ryde_consume_run *c, struct ryde_waits *w)
{
	int64_t now = ryde_clock_mono_ms();

	ryde_waits_until(w, ryde_share_wake_ms(c->share));
	for (size_t i = 0; i < c->n; i++)
		if (c->shards[i].draining)
			ryde_waits_until(w, now + AGAIN_MS);
}

/* ---- steps ---- */

/* Whether the failure may pass: the store is tried again. */
static bool
may_pass(const struct ryde_err *err)
{
	return err->code == RYDE_EUNAVAILABLE || err->code == RYDE_ETEMPFAIL;
}

/* An outcome, where a failure that will not pass ends the run: -1. */
static int
settle(enum ryde_share_outcome outcome, const char *what, struct ryde_err *err)
{
	if (outcome != RYDE_SHARE_FAILED)
		return 0;
	if (!may_pass(err))
		return -1;
	ryde_log(RYDE_LOG_INFO, "%s: %s; trying again", what, err->msg);
	*err = (struct ryde_err)RYDE_ERR_INIT;
	return 0;
}

static int
do_beat(struct ryde_consume_run *c, struct ryde_err *err)
{
	int64_t sent = ryde_clock_mono_ms();
	enum ryde_share_outcome outcome = ryde_group_share_beat(c->group, err);

	ryde_share_beaten(c->share, sent, outcome);
	return settle(outcome, "the lease could not be renewed", err);
}

/* At the members only: what they hold is as it was. */
static int
do_glance(struct ryde_consume_run *c, struct ryde_err *err)
{
	const struct ryde_share_member *members;
	size_t n;

	if (ryde_group_share_look(c->group, &members, &n, NULL, NULL, err) == 0)
		return ryde_share_saw(c->share, ryde_clock_mono_ms(), members, n, err);
	ryde_share_blind(c->share, ryde_clock_mono_ms());
	return settle(RYDE_SHARE_FAILED, "the group cannot be looked at", err);
}

static int
do_look(struct ryde_consume_run *c, struct ryde_err *err)
{
	const struct ryde_share_member *members;
	struct ryde_share_lease *leases = NULL;
	size_t n_members, n;
	int rc = 0;

	if (ryde_group_share_look(
		c->group, &members, &n_members, &c->leases, &c->n_leases, err) != 0 ||
	    ryde_consume_shards_leases(c, &leases, &n, err) != 0) {
		ryde_share_blind(c->share, ryde_clock_mono_ms());
		rc = settle(RYDE_SHARE_FAILED, "the group cannot be looked at", err);
	} else {
		ryde_share_pace(c->share, ryde_group_share_look_every_ms(c->group));
		rc = ryde_share_looked(
		    c->share, ryde_clock_mono_ms(), members, n_members, leases, n, err);
	}
	c->leases = NULL;
	c->n_leases = 0;
	free(leases);
	return rc;
}

static int
do_expel(
    struct ryde_consume_run *c, const struct ryde_share_step *step, struct ryde_err *err)
{
	enum ryde_share_outcome outcome =
	    ryde_group_share_expel(c->group, &step->member, err);

	if (outcome == RYDE_SHARE_DONE)
		ryde_log(RYDE_LOG_NOTICE, "%s is gone: its shards are taken over",
		    step->member.owner);
	ryde_share_done(c->share, step, outcome, 0, ryde_clock_mono_ms());
	return settle(outcome, "a reader that is gone could not be deleted", err);
}

static int
do_take(
    struct ryde_consume_run *c, const struct ryde_share_step *step, struct ryde_err *err)
{
	struct ryde_group_position at = {.pos.n = 0};
	bool placed = false;
	int64_t epoch = 0;
	enum ryde_share_outcome outcome =
	    ryde_group_share_take(c->group, &step->lease, &epoch, &at, &placed, err);

	ryde_share_done(c->share, step, outcome, epoch, ryde_clock_mono_ms());
	if (outcome != RYDE_SHARE_DONE)
		return settle(outcome, "a shard could not be taken", err);
	if (ryde_consume_shards_taken(
		c, step->lease.shard, epoch, placed ? &at : NULL, err) != 0)
		return -1;
	ryde_log(RYDE_LOG_INFO, "%s is read here now", step->lease.shard);
	return placed ? 0 : ryde_consume_positions_first(c, err);
}

static struct ryde_consume_shard *
shard_of(struct ryde_consume_run *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->shards[i].id, id) == 0)
			return &c->shards[i];
	return NULL;
}

static void
do_drain(struct ryde_consume_run *c, const struct ryde_share_step *step)
{
	struct ryde_consume_shard *s = shard_of(c, step->lease.shard);

	/* at the end of the run everything is given anyway */
	if (s == NULL || s->given || c->ended || ryde_signals_stop() > 0)
		return;
	s->draining = true;
	s->told = false;
	s->drain_at_ms = ryde_clock_mono_ms();
	ryde_stream_reader_stop(c->reader, s->index);
	ryde_log(RYDE_LOG_INFO, "%s goes to another reader", s->id);
}

/* ---- giving ---- */

/* Gives the lease back: 1 done, 0 not yet, -1. */
static int
give(struct ryde_consume_run *c, struct ryde_consume_shard *s, bool ended,
    struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();
	enum ryde_share_outcome outcome;

	if (now < c->give_at_ms)
		return 0;
	/* with --ack write all of the shard is stored already */
	if (c->acks != NULL && ryde_consume_positions_store(c, true, err) != 0)
		return -1;
	if (c->unstored) {
		c->give_at_ms = now + AGAIN_MS;
		return 0;
	}
	outcome = ryde_group_share_give(c->group, s->id, s->epoch, ended, err);
	if (outcome == RYDE_SHARE_REFUSED)
		return ryde_consume_positions_lost(c, err);
	if (outcome == RYDE_SHARE_FAILED) {
		c->give_at_ms = now + AGAIN_MS;
		return settle(outcome, "a shard could not be given", err);
	}
	ryde_share_gave(c->share, s->id, ended, now);
	if (ryde_pos_cmp(&s->stored, &s->printed) < 0)
		c->passed_on += ryde_consume_positions_open(c, s);
	s->gen++;
	if (c->acks != NULL)
		ryde_ack_server_forget(c->acks, s->ack, s->gen);
	s->given = true;
	s->draining = s->told = s->held = s->any = s->mark_due = false;
	s->printed = s->stored;
	return 1;
}

/* Whether all that was printed of the shard is done, stored or not. */
static bool
is_done(struct ryde_consume_run *c, const struct ryde_consume_shard *s)
{
	struct ryde_pos pos;
	uint32_t gen;

	return ryde_pos_cmp(&s->stored, &s->printed) >= 0 ||
	       (c->acks != NULL &&
		   ryde_ack_server_position(c->acks, s->ack, &gen, &pos) &&
		   gen == s->gen && ryde_pos_cmp(&pos, &s->printed) >= 0);
}

/* One step on the way of a shard that drains. */
static int
drain(struct ryde_consume_run *c, struct ryde_consume_shard *s, struct ryde_err *err)
{
	bool done;

	/* what is written need not wait for the next time that positions are stored */
	if (c->o->ack_write && ryde_consume_positions_written(c, true, err) != 0)
		return -1;
	done = is_done(c, s);

	if (!done && c->acks != NULL && !s->told &&
	    (s->held || ryde_clock_mono_ms() - s->drain_at_ms >= ryde_group_lease_ms())) {
		ryde_log(RYDE_LOG_NOTICE,
		    "%s goes to another reader: its lines that were not begun are "
		    "dropped here",
		    s->id);
		ryde_ack_server_gone(c->acks, s->ack, s->gen);
		s->told = true;
	}
	if (!done && !(s->told && ryde_ack_server_forgotten(c->acks, s->ack)))
		return 0;
	return give(c, s, false, err) < 0 ? -1 : 0;
}

/* Gives what has drained, and (between) leaves what is read to its end. */
static int
give_all(struct ryde_consume_run *c, bool between, struct ryde_err *err)
{
	for (size_t i = 0; i < c->n && !c->lost; i++) {
		struct ryde_consume_shard *s = &c->shards[i];

		if (s->draining && drain(c, s, err) != 0)
			return -1;
		if (!between || s->draining || s->given || s->held || s->mark_due ||
		    !ryde_stream_reader_ended(c->reader, s->index) || !is_done(c, s))
			continue;
		if (give(c, s, true, err) < 0)
			return -1;
	}
	return 0;
}

int
ryde_consume_share_turn(struct ryde_consume_run *c, bool between, struct ryde_err *err)
{
	bool counted = c->o->count > 0 && c->printed_records >= c->o->count;
	bool may_take = between && !counted && !c->ended && ryde_signals_stop() == 0;
	struct ryde_share_step step;
	int rc = c->lost ? -1 : 0;

	do {
		ryde_share_next(c->share, ryde_clock_mono_ms(), may_take, &step);
		switch (step.kind) {
		case RYDE_SHARE_NONE:
			break;
		case RYDE_SHARE_BEAT:
			rc = do_beat(c, err);
			break;
		case RYDE_SHARE_LOOK:
			rc = step.whole ? do_look(c, err) : do_glance(c, err);
			break;
		case RYDE_SHARE_EXPEL:
			rc = do_expel(c, &step, err);
			break;
		case RYDE_SHARE_TAKE:
			rc = do_take(c, &step, err);
			break;
		case RYDE_SHARE_DRAIN:
			do_drain(c, &step);
			break;
		case RYDE_SHARE_STOP:
			return ryde_consume_positions_lost(c, err);
		}
	} while (rc == 0 && step.kind != RYDE_SHARE_NONE);
	return rc == 0 ? give_all(c, may_take, err) : -1;
}
