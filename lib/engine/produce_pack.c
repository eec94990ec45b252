#include "engine/produce_pack.h"

#include "base/err.h"
#include "store/stream.h"

#include <stdlib.h>
#include <string.h>

#define NOWHERE SIZE_MAX /* not in data: a record of the batch as it is */

/* What is gathered for one shard. */
struct ryde_produce_bin {
	struct ryde_line_aggregate_pack pack;
	size_t first;	   /* the first record of the batch in it */
	size_t record;	   /* its number in what comes out */
	char hash_key[40]; /* a hash of the shard */
};

void
ryde_produce_pack_init(struct ryde_produce_pack *p, size_t max)
{
	memset(p, 0, sizeof(*p));
	ryde_buf_init(&p->data, max);
}

void
ryde_produce_pack_free(struct ryde_produce_pack *p)
{
	for (size_t i = 0; i < p->n_bins; i++)
		ryde_line_aggregate_pack_free(&p->bins[i].pack);
	free(p->bins);
	free(p->records);
	free(p->places);
	free(p->spans);
	ryde_buf_free(&p->data);
}

/* Room for n records, and a bin for each shard. */
static int
make_room(struct ryde_produce_pack *p, size_t n, struct ryde_stream *stream,
    struct ryde_err *err)
{
	const struct ryde_shard *shards;
	struct ryde_produce_place *places;
	struct ryde_record_in *records;
	struct ryde_produce_bin *bins;
	struct ryde_line_aggregate_span *spans;
	size_t n_shards;

	if (n > p->cap) {
		records = realloc(p->records, n * sizeof(*records));
		if (records == NULL)
			return ryde_err_nomem(err);
		p->records = records;
		places = realloc(p->places, n * sizeof(*places));
		if (places == NULL)
			return ryde_err_nomem(err);
		p->places = places;
		spans = realloc(p->spans, n * sizeof(*spans));
		if (spans == NULL)
			return ryde_err_nomem(err);
		p->spans = spans;
		p->cap = n;
	}
	if (ryde_stream_shards(stream, &shards, &n_shards, err) != 0)
		return -1;
	if (n_shards > p->n_bins) {
		bins = realloc(p->bins, n_shards * sizeof(*bins));
		if (bins == NULL)
			return ryde_err_nomem(err);
		p->bins = bins;
		for (; p->n_bins < n_shards; p->n_bins++)
			ryde_line_aggregate_pack_init(
			    &bins[p->n_bins].pack, 2 * RYDE_PRODUCE_PACK_BYTES);
	}
	for (size_t i = 0; i < n_shards; i++) {
		ryde_line_aggregate_pack_clear(&p->bins[i].pack);
		memcpy(p->bins[i].hash_key, shards[i].first_hash,
		    sizeof(p->bins[i].hash_key));
	}
	return 0;
}

/* What a bin holds becomes a record. Its data is known once all are made. */
static int
close_bin(struct ryde_produce_pack *p, struct ryde_produce_bin *b,
    const struct ryde_record_in *batch, struct ryde_err *err)
{
	struct ryde_record_in *r;
	size_t from = p->data.n;

	if (b->pack.n == 0)
		return 0;
	r = &p->records[b->record];
	if (b->pack.n == 1) {
		*r = batch[b->first];
		p->places[b->first].is_part = false;
		p->spans[b->record].at = NOWHERE;
	} else {
		if (ryde_line_aggregate_pack_put_unsealed(&b->pack, &p->data, err) != 0)
			return -1;
		*r = (struct ryde_record_in){.data = {NULL, p->data.n - from},
		    .key = ryde_view_of("a"),
		    .hash_key = ryde_view_of(b->hash_key),
		    .form = RYDE_RECORD_BINARY,
		    .bound = true,
		    .shard = (int)(b - p->bins)};
		p->spans[b->record] =
		    (struct ryde_line_aggregate_span){from, p->data.n - from};
	}
	ryde_line_aggregate_pack_clear(&b->pack);
	return 0;
}

static int
add(struct ryde_produce_pack *p, struct ryde_produce_bin *b,
    const struct ryde_record_in *batch, size_t i, size_t max, struct ryde_err *err)
{
	struct ryde_line_aggregate_part part = {
	    batch[i].data, batch[i].key, batch[i].hash_key};

	if (b->pack.n > 0 && ryde_line_aggregate_pack_size(&b->pack, &part) > max &&
	    close_bin(p, b, batch, err) != 0)
		return -1;
	if (b->pack.n == 0) {
		b->first = i;
		b->record = p->n++;
		if (ryde_line_aggregate_pack_size(&b->pack, &part) > max) {
			p->records[b->record] = batch[i];
			p->spans[b->record].at = NOWHERE;
			p->places[i] = (struct ryde_produce_place){b->record, false, 0};
			return 0;
		}
	}
	p->places[i] = (struct ryde_produce_place){b->record, true, b->pack.n};
	return ryde_line_aggregate_pack_add(&b->pack, &part, err);
}

int
ryde_produce_pack(struct ryde_produce_pack *p, struct ryde_stream *stream,
    const struct ryde_record_in *batch, size_t n, struct ryde_err *err)
{
	size_t max = ryde_stream_record_max(stream) - 1; /* less the key "a" */
	int shard;

	if (max > RYDE_PRODUCE_PACK_BYTES)
		max = RYDE_PRODUCE_PACK_BYTES;
	p->n = 0;
	ryde_buf_clear(&p->data);
	if (make_room(p, n, stream, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (ryde_stream_shard_of(
			stream, batch[i].key, batch[i].hash_key, &shard, err) != 0)
			return -1;
		if ((size_t)shard >= p->n_bins)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "the stream is being resharded: try again");
		if (add(p, &p->bins[shard], batch, i, max, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < p->n_bins; i++) {
		if (close_bin(p, &p->bins[i], batch, err) != 0)
			return -1;
	}
	ryde_line_aggregate_seal(&p->data, p->spans, p->n);
	for (size_t i = 0; i < p->n; i++) {
		if (p->spans[i].at != NOWHERE)
			p->records[i].data.p = p->data.p + p->spans[i].at;
	}
	return 0;
}
