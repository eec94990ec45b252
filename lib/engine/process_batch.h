/*
 * The records of one shard in hand, in order, and the batch that was cut from their
 * front. A payload is copied once, out of the reader's buffer; from there it is written
 * to commands as it lies. Payloads follow each other in memory, each with its newline, so
 * that a batch is a few long runs of bytes.
 *
 * A batch that was bisected is a pile of parts: the one on top is what runs next, and is
 * always the front of the records, so that the order of the shard is kept.
 */
#ifndef RYDE_ENGINE_PROCESS_BATCH_H
#define RYDE_ENGINE_PROCESS_BATCH_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ryde_err;
struct ryde_process_batch_chunk;

#define RYDE_PROCESS_BATCH_PARTS 32 /* more than log2 of the largest batch */

struct ryde_process_batch_record {
	struct ryde_process_batch_chunk *chunk;
	struct ryde_view data; /* what the command reads, without the newline behind it */
	struct ryde_view seq, key; /* plain bytes; empty where the line had none */
	int64_t arrival_ms;
	uint64_t ticket; /* for ryde_intake_done */
	uint64_t number; /* of its line */
	uint64_t order;	 /* in which it was taken in, over all shards */
	size_t weight;	 /* counts against the batch's bytes, in the form that is sent */
	uint32_t source; /* whose acknowledgement: records of two sources are never in one
			    batch */
	uint32_t gen, redrives;
	uint32_t sub;	    /* of an aggregate this line, … */
	bool has_sub, last; /* … where it is a part of one; the last one of it */
	bool has_arrival;
	bool lf;	/* the record ended in a newline */
	bool base64;	/* data is the record in base64, in quotes */
	bool more;	/* other lines or items made of the same line follow */
	bool keep_data; /* a failure document must carry it: the stream's record may
			   differ */
};

struct ryde_process_batch {
	struct ryde_process_batch_record *ring;
	size_t cap, head, n; /* cap is a power of two */
	size_t bytes;	     /* of data with newlines, seq and key, over all n */
	size_t weight;	     /* of all n */
	size_t parts[RYDE_PROCESS_BATCH_PARTS];
	int n_parts;
	struct ryde_process_batch_chunk *last; /* what is added to */
	size_t n_chunks;
};

struct ryde_process_batch_limits {
	size_t records, bytes; /* bytes: sum of the weights */
	/* Only records that arrived before, beside the first one; 0: all. */
	int64_t before_ms;
};

/* {0} is an empty batch. Frees what it holds; it is empty then. */
void ryde_process_batch_free(struct ryde_process_batch *b);

/* Appends a copy of r: its views are copied, its chunk is set here. -1 where there is no
 * memory. */
int ryde_process_batch_add(struct ryde_process_batch *b,
    const struct ryde_process_batch_record *r, struct ryde_err *err);
/* The i-th record in hand, from 0. Good until the next add or release. */
struct ryde_process_batch_record *ryde_process_batch_at(
    const struct ryde_process_batch *b, size_t i);

/* True where there is enough for a whole batch. Cheap. */
bool ryde_process_batch_full(
    const struct ryde_process_batch *b, const struct ryde_process_batch_limits *limits);
/* Cuts a batch from the front, as large as the limits allow and at least one record.
 * There must be one, and no batch. */
void ryde_process_batch_cut(
    struct ryde_process_batch *b, const struct ryde_process_batch_limits *limits);
/*
 * How many records a batch would have that begins with the i-th one in hand. *whole
 * becomes true where no record that is still to come could join it.
 */
size_t ryde_process_batch_measure(const struct ryde_process_batch *b, size_t i,
    const struct ryde_process_batch_limits *limits, bool *whole);
/* Records of the part that is next; 0 where no batch is cut. */
size_t ryde_process_batch_size(const struct ryde_process_batch *b);
/* Records of the whole batch, all its parts. */
size_t ryde_process_batch_total(const struct ryde_process_batch *b);
/* Cuts the next part in two; the lower half (the smaller one, where it is odd) is next.
 * Its size is at least 2. */
void ryde_process_batch_bisect(struct ryde_process_batch *b);
/* Forgets the first n records of the next part (n <= size). */
void ryde_process_batch_release(struct ryde_process_batch *b, size_t n);
/* Forgets all records after the first n; the batch itself must be among those n. Returns
 * how many. */
size_t ryde_process_batch_truncate(struct ryde_process_batch *b, size_t n);

/*
 * The bytes of the next part as runs, in *iov (malloc'd, grown as needed, *cap entries).
 * Good until the next release.
 */
int ryde_process_batch_input(const struct ryde_process_batch *b, struct iovec **iov,
    size_t *cap, int *n, struct ryde_err *err);

#endif
