/* A batch of records packed into fewer: those for one shard into aggregates
 * (line/aggregate.h), in their order. */
#ifndef RYDE_ENGINE_PRODUCE_PACK_H
#define RYDE_ENGINE_PRODUCE_PACK_H

#include "base/buf.h"
#include "line/aggregate.h"
#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;
struct ryde_produce_bin;
struct ryde_stream;

/* An aggregate's bytes, which the KPL has as its default too: two units of 25 KB, by
 * which Kinesis charges. */
#define RYDE_PRODUCE_PACK_BYTES 51200

/* Where a record of the batch went. */
struct ryde_produce_place {
	size_t record; /* number in records */
	bool is_part;  /* of an aggregate: its sub-th */
	size_t sub;
};

struct ryde_produce_pack {
	/* What comes out, good until the next call. */
	struct ryde_record_in *records;
	size_t n;
	struct ryde_produce_place *places; /* by record of the batch */

	/* Private. */
	size_t cap;
	struct ryde_buf data; /* of aggregates */
	struct ryde_line_aggregate_span
	    *spans;		       /* by record: where its bytes are in data */
	struct ryde_produce_bin *bins; /* by shard */
	size_t n_bins;
};

/* max: bytes of all aggregates of a batch. */
void ryde_produce_pack_init(struct ryde_produce_pack *p, size_t max);
void ryde_produce_pack_free(struct ryde_produce_pack *p);
/*
 * Packs n records, whose bytes must live as long as what comes out. A record that is
 * alone, or too long for an aggregate, stays as it is. An aggregate has the partition key
 * "a", as the KPL's have, and an explicit hash key of its shard.
 */
int ryde_produce_pack(struct ryde_produce_pack *p, struct ryde_stream *stream,
    const struct ryde_record_in *batch, size_t n, struct ryde_err *err);

#endif
