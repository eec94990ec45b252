/*
 * Several records packed into one, as the Kinesis Producer Library packs them: magic,
 * protobuf, MD5.
 *
 *	F3 89 9A C2
 *	AggregatedRecord { repeated string partition_key_table = 1;
 *	                   repeated string explicit_hash_key_table = 2;
 *	                   repeated Record records = 3; }
 *	Record { required uint64 partition_key_index = 1;
 *	         optional uint64 explicit_hash_key_index = 2;
 *	         required bytes data = 3; repeated Tag tags = 4; }
 *	MD5 of the protobuf, 16 bytes
 *
 * Source: awslabs/amazon-kinesis-producer, aggregation-format.md; protobuf's encoding.
 */
#ifndef RYDE_LINE_AGGREGATE_H
#define RYDE_LINE_AGGREGATE_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_LINE_AGGREGATE_AROUND 20 /* bytes of magic and MD5 */

/* ---- taking apart ---- */

struct ryde_line_aggregate_part {
	struct ryde_view data, key;
	struct ryde_view hash_key; /* decimal; empty: MD5 of the key */
};

/* {0} is empty. */
struct ryde_line_aggregate {
	struct ryde_line_aggregate_part *parts; /* views of the record */
	size_t n;

	/* The tables; private. */
	struct ryde_view *keys, *hash_keys;
	size_t n_keys, n_hash_keys, cap, cap_keys, cap_hash_keys;
};

/*
 * Takes a record apart, into parts that borrow its bytes; what a held before is gone. 1;
 * 0 where it is an ordinary record (without magic, with another MD5, no protobuf of this
 * form, without parts, or with keys that no stream takes); -1 without memory.
 */
int ryde_line_aggregate_parse(
    struct ryde_line_aggregate *a, struct ryde_view record, struct ryde_err *err);
/* Which of n records have the magic and the right MD5: is[i]. They are looked at side by
 * side, which takes a third of the time. */
void ryde_line_aggregate_check(const struct ryde_view *records, size_t n, bool *is);
/* As ryde_line_aggregate_parse, for a record that has passed that check. */
int ryde_line_aggregate_open(
    struct ryde_line_aggregate *a, struct ryde_view record, struct ryde_err *err);
void ryde_line_aggregate_free(struct ryde_line_aggregate *a);

/* ---- putting together ---- */

struct ryde_line_aggregate_slot;

/* {0}, then init. */
struct ryde_line_aggregate_pack {
	struct ryde_buf keys, hash_keys, records; /* the three tables, encoded */
	struct ryde_buf names;			  /* the bytes of keys, for comparing */
	struct ryde_line_aggregate_slot *slots;	  /* hash table of keys */
	size_t n_slots, n_keys, n_hash_keys, n;
};

/* max: bytes of a whole aggregate. */
void ryde_line_aggregate_pack_init(struct ryde_line_aggregate_pack *p, size_t max);
void ryde_line_aggregate_pack_free(struct ryde_line_aggregate_pack *p);
void ryde_line_aggregate_pack_clear(struct ryde_line_aggregate_pack *p);
/* Bytes that the aggregate would have with this part, too many rather than too few. */
size_t ryde_line_aggregate_pack_size(const struct ryde_line_aggregate_pack *p,
    const struct ryde_line_aggregate_part *part);
/* Adds a part; its bytes are copied. -1 without memory, or beyond max. */
int ryde_line_aggregate_pack_add(struct ryde_line_aggregate_pack *p,
    const struct ryde_line_aggregate_part *part, struct ryde_err *err);
/*
 * Many aggregates that were made in one buffer: what is still missing of them is their
 * MD5, which takes several times less for eight of them at once.
 */
struct ryde_line_aggregate_span {
	size_t at, n; /* where it is; at SIZE_MAX: there is none, it is passed over */
};
/* Appends the aggregate of all parts, of which there is at least one, without its MD5. */
int ryde_line_aggregate_pack_put_unsealed(
    const struct ryde_line_aggregate_pack *p, struct ryde_buf *to, struct ryde_err *err);
/* Fills in the MD5 of all of them. */
void ryde_line_aggregate_seal(
    struct ryde_buf *made, const struct ryde_line_aggregate_span *spans, size_t n);
/* Appends the whole aggregate of all parts, of which there is at least one. */
int ryde_line_aggregate_pack_put(
    const struct ryde_line_aggregate_pack *p, struct ryde_buf *to, struct ryde_err *err);

#endif
