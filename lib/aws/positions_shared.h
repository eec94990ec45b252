/*
 * Shared groups on AWS. Beside the group's item (positions.h) the table has, under the
 * same stream, one item per member and one per shard that a member ever held:
 *
 *	GROUP#m#ID      beat N      counts the member's signs of life
 *	                owner S, process S
 *	GROUP#s#SHARD   member S    who reads the shard; absent: nobody
 *	                epoch N     counts those who took it
 *	                seq S, sub N, at N, updated N
 *	                            the position, as in the group's item
 *	                count N     grows with each write of the position, within an
 *	                            epoch and from one to the next
 *	                done N      it is closed, and all of it is acknowledged
 *
 * No group's name has a `#`. A member's ID is random, and never used again: a member that
 * was deleted never comes back.
 *
 * Each write is one conditional write of one item, and is harmless when it comes again or
 * late (a request that was given up may still arrive, minutes later): a take asks for the
 * epoch that was seen, or the one that it would make; a position for member and epoch and
 * for no later `count`; a beat for the one before it, or itself.
 *
 * A shard's position is the later one of its item's and of the group's item's. The
 * group's is written when the group begins (ryde_group_share_found) and by readers
 * without --share, never by members.
 *
 * FROM PLAIN TO SHARED AND BACK (tests/model/share_plain.pml)
 *
 *	A member writes its own item first, and then joins: it sets `shared` in the
 *	group's item, while that has no owner (or one that was watched for a lease).
 *	A reader without --share reads the group's item, then the members. While one of
 *	them lives it stays away; those that have not beaten for a lease are deleted. It
 *	takes the group's item as it was read: whoever joined meanwhile has changed its
 *	beat, and who wants to join later finds an owner. Now it takes the positions of
 *	the shards' items over, deletes those, each as it was read, until there are none,
 *	and removes `shared`. Where it dies on the way the next one does it again.
 *
 * WHAT IT COSTS, in requests of DynamoDB; L: a lease, 10 s
 *
 *	beat    one write per member and L / 2
 *	store   one write per shard that moved, at most every 5 s
 *	look    a Query of all items of the group, 170 bytes per shard and per member,
 *	        half a read unit per 4 KB, for it need not be consistent; or of the
 *	        members alone. Which one when is flow/share.h's. So that a partition of
 *	        the table (3,000 read units a second) is not overrun, whole looks of all
 *	        members together read at most 2,000 units a second: they are further
 *	        apart in large groups (200 members and 1,000 shards: 25 units, 2.5 s
 *	        while shards move).
 *	take    a write; where its last member is gone a read of that member before
 *	give    a write. join: two writes and a read; leave, expel: a write
 */
#ifndef RYDE_AWS_POSITIONS_SHARED_H
#define RYDE_AWS_POSITIONS_SHARED_H

#include "aws/positions_item.h"

/* A shard's item. */
struct ryde_positions_shard {
	struct ryde_share_lease lease;
	struct ryde_group_position position;
	bool placed; /* it has a position */
};
/* A member's item. `known`: since when its beat has not changed; changed: it has, since
 * it was first seen. */
struct ryde_positions_member {
	struct ryde_share_member m;
	int64_t since_ms;
	bool changed;
};
/* What is known of a group's members and shards. */
struct ryde_positions_members {
	struct ryde_positions_member *members;
	struct ryde_positions_shard *shards;
	size_t n_members, cap_members, n_shards, cap_shards;
	size_t bytes; /* of the answers that it was read from */
	/* as they are handed out */
	struct ryde_share_member *out_members;
	struct ryde_share_lease *out_leases;
	/* this process as a member: "" none. held: the shards that it has taken, whose
	 * leases are its own */
	char self[RYDE_SHARE_ID_MAX + 1];
	int64_t beat, count;
	struct ryde_share_lease *held;
	size_t n_held, cap_held;
	char gone[RYDE_SHARE_ID_MAX + 1]; /* the last member that was found deleted */
	bool looked;
};

extern const struct ryde_group_share_ops ryde_positions_share_ops;

/* Makes g->m where it is NULL. -1 without memory. */
int ryde_positions_members_make(struct ryde_positions *g, struct ryde_err *err);
void ryde_positions_members_free(struct ryde_positions_members *m);
/* What is read of a group. */
enum ryde_positions_part {
	RYDE_POSITIONS_MEMBERS,
	RYDE_POSITIONS_ALL, /* the shards, too */
};
/* Reads items into g->m, in the order of their names. What was known of a member's beat
 * stays, and of the shards where those are not read. */
int ryde_positions_members_read(struct ryde_positions *g, enum ryde_positions_part part,
    bool consistent, struct ryde_err *err);
/* A shard's item as an answer carries it. `item`: its range key behind the group's name.
 */
int ryde_positions_shard_take(const struct ryde_positions *g, const char *item,
    struct ryde_view attributes, struct ryde_positions_shard *to, struct ryde_err *err);
/* Takes the positions of g->m's shards into the group's, where they are later. */
int ryde_positions_members_merge(struct ryde_positions *g, struct ryde_err *err);
/* Deletes a member while its beat is the one given. */
enum ryde_positions_outcome ryde_positions_member_delete(
    struct ryde_positions *g, const char *id, const uint64_t *beat, struct ryde_err *err);

/* Several writes side by side. */
struct ryde_positions_job {
	char item[RYDE_SHARD_ID_MAX + 8];
	struct ryde_buf body; /* ryde_positions_change_put */
	bool deletes;
	enum ryde_positions_outcome outcome; /* out */
	struct ryde_aws_call *call;
};
/* Does them all, and frees their bodies. -1 with the err of one that failed. */
int ryde_positions_jobs(struct ryde_positions *g, struct ryde_positions_job *jobs,
    size_t n, struct ryde_err *err);

/* positions.c: what a member asks of its group, and how often it stores. */
void ryde_positions_as_member(struct ryde_positions *g, bool member);

/* positions_plain.c */
/*
 * For a reader without --share, where the group's item says `shared`: looks whether its
 * members live, and deletes those that do not. HELD: none is left; BUSY: that cannot be
 * told yet; LOST: one lives, `living` are there; FAILED.
 */
enum ryde_group_lease ryde_positions_plain_watch(
    struct ryde_positions *g, int64_t lease_ms, size_t *living, struct ryde_err *err);
/* Once the group's item is ours: takes all shards' positions over, and ends the sharing.
 * LOST: the item is not ours any more. */
enum ryde_group_lease ryde_positions_plain_end(
    struct ryde_positions *g, struct ryde_err *err);

#endif
