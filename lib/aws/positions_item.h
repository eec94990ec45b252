/* A group's item as positions.c and positions_lease.c know it. */
#ifndef RYDE_AWS_POSITIONS_ITEM_H
#define RYDE_AWS_POSITIONS_ITEM_H

#include "aws/client.h"
#include "base/alive.h"
#include "base/buf.h"
#include "line/store_ops.h"

#define RYDE_POSITIONS_RANGE_MAX 512 /* a range key and its NUL */

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
	bool shared; /* the item says that members may hold shards */
	size_t hint; /* of `positions`: where the last search ended */
	struct ryde_positions_members *m; /* positions_shared.h; NULL: none were met */
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

/* Reads the item, consistently. A missing one, or a missing table, is an empty one. 78
 * where the item is not one of ours. */
int ryde_positions_item_read(struct ryde_positions *g, struct ryde_err *err);
/* The same of an item that an answer carries. */
int ryde_positions_item_take(
    struct ryde_positions *g, struct ryde_view item, struct ryde_err *err);
/*
 * Writes: `update` is an UpdateExpression (NULL: the item is deleted), `condition` a
 * ConditionExpression, `values` the members of ExpressionAttributeValues (no braces). All
 * attribute names are written #name. A missing table is made.
 */
enum ryde_positions_outcome ryde_positions_item_write(struct ryde_positions *g,
    const char *update, const char *condition, const struct ryde_buf *values,
    struct ryde_err *err);

/* Any item of a group: its own, or one of a member or a shard. */
struct ryde_positions_change {
	const char *item; /* what its range key has behind the group's name: "", "#m#ID",
			     "#s#SHARD" */
	const char *update, *condition; /* as above; condition NULL: none */
	const struct ryde_buf *values;
};
/* Appends the request of a change. all: the answer is to carry the item as it is then. */
void ryde_positions_change_put(const struct ryde_positions *g,
    const struct ryde_positions_change *change, bool all, struct ryde_buf *body);
/* Does it. item (may be NULL) becomes the item as it is then, raw; empty where it was
 * refused. */
enum ryde_positions_outcome ryde_positions_change_do(struct ryde_positions *g,
    const struct ryde_positions_change *change, struct ryde_buf *item,
    struct ryde_err *err);
/* What a call that is done came to. */
enum ryde_positions_outcome ryde_positions_outcome_of(
    const struct ryde_aws_call *call, struct ryde_err *err);
/* A question, waited for: as ryde_ask. */
struct ryde_aws_call *ryde_positions_ask(struct ryde_positions *g, const char *operation,
    struct ryde_buf *body, struct ryde_aws_fault *fault, struct ryde_err *err);
/* How long an attempt may take: a member's requests end well before its lease. */
int64_t ryde_positions_timeout_ms(const struct ryde_positions *g);
/* Appends table and key of an item: {"TableName":…,"Key":{…} */
void ryde_positions_put_key(
    const struct ryde_positions *g, const char *item, struct ryde_buf *b);
/* Append the value :name, with a comma where something stands before it. */
void ryde_positions_put_n(struct ryde_buf *b, const char *name, int64_t n);
void ryde_positions_put_s(struct ryde_buf *b, const char *name, const char *text);

/* Attributes of an item. False where there is one of this name and it is something else:
 * no whole number from 0 on; no string, or too long for `room`. Absent: 0, "". */
bool ryde_positions_number(struct ryde_view item, const char *name, int64_t *n);
bool ryde_positions_string(
    struct ryde_view item, const char *name, char *to, size_t room);
bool ryde_positions_has(struct ryde_view item, const char *name);
/* Attributes seq, sub, at and updated. False where they are no position. */
bool ryde_positions_position(struct ryde_view attributes, struct ryde_group_position *p);
/* Says that an item is not one of ours, because of an attribute: 78, -1. */
int ryde_positions_foreign(const struct ryde_positions *g, const char *item,
    const char *attribute, struct ryde_err *err);
/* The later of two positions of a shard; either may be NULL. */
const struct ryde_group_position *ryde_positions_later(
    const struct ryde_group_position *a, const struct ryde_group_position *b);
/* Writes all positions of the group's item, fenced by our epoch. */
enum ryde_positions_outcome ryde_positions_item_store(
    struct ryde_positions *g, struct ryde_err *err);
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
/* So many members, in words (64 bytes); "" for none. */
void ryde_positions_describe(size_t living, char *owner);
/*
 * For writes without a lease: makes sure that nobody holds the group (members: nor any
 * shard of it; then it is no longer shared), watching it for the length of a lease where
 * somebody seems to. HELD: it is free, and `epoch` and `beat` are what a write has to
 * find; BUSY; FAILED.
 */
enum ryde_group_lease ryde_positions_lease_free(
    struct ryde_positions *g, bool members, struct ryde_err *err);

#endif
