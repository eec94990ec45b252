/*
 * Sharing: the members of a group divide the shards of its stream among themselves. This
 * is one member's mind: what it sees in the store comes in, what it is to do there goes
 * out. It neither waits nor reads a clock nor touches a store, so that tests and models
 * can drive it. tests/model/share.pml and share_balance.pml are its rules, for spin.
 *
 *	ryde_share_next(s, now, &step)     until it says NONE; each step is done at once:
 *	  BEAT    count the member's beat, while it is there   -> ryde_share_beaten
 *	  LOOK    read all members, and where `whole` all
 *	          leases, in one view       -> ryde_share_saw, ryde_share_looked
 *	  EXPEL   delete a member, while its beat is `beat`    -> ryde_share_done
 *	  TAKE    make the shard ours, while owner and epoch
 *	          are what they were                           -> ryde_share_done
 *	  DRAIN   stop reading the shard; once all that was
 *	          printed of it is stored, let it go           -> ryde_share_gave
 *	  STOP    this member was deleted: it may do nothing more
 *
 * RULES
 *
 *	1  A member beats every half lease, and looks at the others every quarter. At
 *	   their leases it looks as often as the store can bear from all of them at once:
 *	   every quarter in small groups, every other lease in large ones, and sooner once
 *	   something has changed.
 *	2  No clock is compared with another one: a member is lost when its beat has not
 *	   changed for a whole lease on the observer's clock, or its process is known to
 *	   be gone. It is deleted first, while its beat is still the one that was watched;
 *	   then its shards are taken.
 *	3  A member delivers only while its last beat, counted from when it was sent, is
 *	   younger than seven eighths of a lease on its own clock: so before anybody can
 *	   have watched it for a lease.
 *	4  Each take has an epoch of its own. Positions are stored while owner and epoch
 *	   are ours.
 *	5  The target of a member: ready shards through members; one of the rest for those
 *	   that hold most, then by name. Above it, it gives; below it, it takes what is
 *	   free. Which ones: by a hash of member and shard, so that few move.
 */
#ifndef RYDE_FLOW_SHARE_H
#define RYDE_FLOW_SHARE_H

#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_share;

enum ryde_share_kind {
	RYDE_SHARE_NONE,
	RYDE_SHARE_BEAT,
	RYDE_SHARE_LOOK,
	RYDE_SHARE_EXPEL,
	RYDE_SHARE_TAKE,
	RYDE_SHARE_DRAIN,
	RYDE_SHARE_STOP,
};
struct ryde_share_step {
	enum ryde_share_kind kind;
	struct ryde_share_member member; /* EXPEL */
	struct ryde_share_lease lease;	 /* TAKE (what it was), DRAIN */
	bool whole;			 /* LOOK: at the leases, too */
};

/* Member `self` has joined: its first beat was sent at now_ms (monotonic). NULL without
 * memory. */
struct ryde_share *ryde_share_new(
    const char *self, int64_t lease_ms, int64_t now_ms, struct ryde_err *err);
void ryde_share_free(struct ryde_share *s);

/* What is to be done now. may_take false: no TAKE, there is no room for another shard. */
void ryde_share_next(
    struct ryde_share *s, int64_t now_ms, bool may_take, struct ryde_share_step *step);
/* When the next step is due, monotonic. */
int64_t ryde_share_wake_ms(const struct ryde_share *s);
/* Rule 3: true while records may be delivered. */
bool ryde_share_may_deliver(const struct ryde_share *s, int64_t now_ms);

/* The beat that was sent at sent_ms, and what came of it. */
void ryde_share_beaten(
    struct ryde_share *s, int64_t sent_ms, enum ryde_share_outcome outcome);
/* What a look at the members showed, at now_ms; copied. The order does not matter. -1
 * without memory. */
int ryde_share_saw(struct ryde_share *s, int64_t now_ms,
    const struct ryde_share_member *members, size_t n, struct ryde_err *err);
/* What a whole look showed; it may be given where `whole` is false, too. */
int ryde_share_looked(struct ryde_share *s, int64_t now_ms,
    const struct ryde_share_member *members, size_t n_members,
    const struct ryde_share_lease *leases, size_t n_leases, struct ryde_err *err);
/* Looks cost the store something: whole ones are to be at least ms apart. 0, at the
 * beginning: every look is whole. */
void ryde_share_pace(struct ryde_share *s, int64_t ms);
/* The look could not be done: it is tried again soon. */
void ryde_share_blind(struct ryde_share *s, int64_t now_ms);
/* What came of an EXPEL or a TAKE; epoch: of the lease that was taken. */
void ryde_share_done(struct ryde_share *s, const struct ryde_share_step *step,
    enum ryde_share_outcome outcome, int64_t epoch, int64_t now_ms);
/* The shard was let go, or (ended) read to its end: it is not ours any more. */
void ryde_share_gave(struct ryde_share *s, const char *shard, bool ended, int64_t now_ms);

/* How many shards it holds, those that it drains not counted, and should hold. */
size_t ryde_share_held(const struct ryde_share *s);
size_t ryde_share_target(const struct ryde_share *s);
/* Members that were last seen, itself counted. */
size_t ryde_share_members(const struct ryde_share *s);

#endif
