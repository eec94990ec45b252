/*
 * Sequence numbers of the embedded store, shaped as Kinesis' are: the decimal digits of
 *
 *	2 << 184 | created << 148 | id << 36 | shard << 4 | 2
 *
 * where created is the second in which the stream was made, id counts its records from 1
 * over all shards, and shard is the index of the shard. 56 digits.
 * Source: aws-facts 2.4 (the layout that KCL's validator checks).
 */
#ifndef RYDE_LOCAL_SEQ_H
#define RYDE_LOCAL_SEQ_H

#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

#define RYDE_SEQ_DIGITS 56
#define RYDE_SEQ_ID_MAX (((int64_t)1 << 47) - 1)

/* The part that is the same for all numbers of a stream, cut into decimal pieces of 18,
 * 19 and 19 digits; and the text of the first two, which change once in 10^8 records. */
struct ryde_seq {
	uint64_t high, middle, low;
	uint64_t head_high, head_middle; /* what head is the text of */
	char head[37];
};

/* created_s in [0, 2^36); others are brought into it. */
void ryde_seq_init(struct ryde_seq *s, int64_t created_s);
/* The number of record id (0 to RYDE_SEQ_ID_MAX) in shard, about 15 ns. */
void ryde_seq_format(struct ryde_seq *s, int64_t id, int shard, struct ryde_pos *to);
/* Back again. False where the number is none of this stream and shard. */
bool ryde_seq_parse(
    struct ryde_seq *s, const struct ryde_pos *pos, int shard, int64_t *id);

#endif
