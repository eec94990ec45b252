/* A group's item as positions.c and positions_lease.c know it. */
#ifndef RYDE_AWS_POSITIONS_ITEM_H
#define RYDE_AWS_POSITIONS_ITEM_H

#include "aws/client.h"
#include "base/alive.h"
#include "base/buf.h"
#include "line/store_ops.h"

struct ryde_positions {
	struct ryde_group base;
	struct ryde_aws *aws;
	char region[32], stream[129], group[129], what[300];
	/* the item as it was last read or written */
	bool exists;
	int64_t epoch, beat;
	char owner[64], process[RYDE_ALIVE_MAX]; /* owner "": nobody holds it */
	struct ryde_group_position *positions;
	size_t n, cap;
	struct ryde_buf window, fingerprint;
	/* our lease */
	bool held, lost;
	char self[64], self_process[RYDE_ALIVE_MAX];
	int64_t beat_mono_ms; /* of our last sign of life */
	/* what a stand-by has seen, and since when it has not changed */
	int64_t seen_epoch, seen_beat, seen_mono_ms, look_mono_ms;
	bool warned;
};

/* What a conditional write came to. */
enum ryde_positions_outcome {
	RYDE_POSITIONS_DONE,
	RYDE_POSITIONS_REFUSED, /* the condition does not hold */
	RYDE_POSITIONS_FAILED,	/* err is set */
};

static inline struct ryde_positions *
ryde_positions_of(struct ryde_group *base)
{
	return (struct ryde_positions *)base;
}

/* Reads the item, consistently. A missing one, or a missing table, is an empty one. */
int ryde_positions_item_read(struct ryde_positions *g, struct ryde_err *err);
/*
 * Writes: `update` is an UpdateExpression (NULL: the item is deleted), `condition` a
 * ConditionExpression, `values` the members of ExpressionAttributeValues (no braces). All
 * attribute names are written #name. A missing table is made.
 */
enum ryde_positions_outcome ryde_positions_item_write(struct ryde_positions *g,
    const char *update, const char *condition, const struct ryde_buf *values,
    struct ryde_err *err);
/* Appends the value of `positions`. */
void ryde_positions_item_put(const struct ryde_positions *g, struct ryde_buf *b);
/* The position of a shard, made where there is none. NULL without memory. */
struct ryde_group_position *ryde_positions_item_shard(
    struct ryde_positions *g, const char *shard);

/* positions_lease.c */
enum ryde_group_lease ryde_positions_lease_acquire(
    struct ryde_group *base, int64_t lease_ms, char *owner, struct ryde_err *err);
enum ryde_group_lease ryde_positions_lease_renew(
    struct ryde_group *base, int64_t lease_ms, struct ryde_err *err);
void ryde_positions_lease_release(struct ryde_group *base);
void ryde_positions_lease_wait(struct ryde_group *base, struct ryde_waits *w);
/*
 * For writes without a lease: makes sure that nobody holds the group, watching it for the
 * length of a lease where somebody seems to. HELD: it is free, and `epoch` and `beat` are
 * what a write has to find; BUSY; FAILED.
 */
enum ryde_group_lease ryde_positions_lease_free(
    struct ryde_positions *g, struct ryde_err *err);

#endif
