#include "engine/process_batch.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SMALL 4096
#define CHUNK_LARGE 65536

/* Payloads grow from the front, sequence numbers and keys from the back, so that payloads
 * touch. */
struct ryde_process_batch_chunk {
	size_t front, back; /* the free room is between them */
	size_t records;	    /* that lie in it; it is freed with the last one */
	char bytes[];
};

static void
chunk_drop(struct ryde_process_batch *b, struct ryde_process_batch_chunk *c)
{
	if (--c->records > 0)
		return;
	if (b->last == c)
		b->last = NULL;
	b->n_chunks--;
	free(c);
}

void
ryde_process_batch_free(struct ryde_process_batch *b)
{
	while (b->n > 0) {
		chunk_drop(b, ryde_process_batch_at(b, 0)->chunk);
		b->head = (b->head + 1) & (b->cap - 1);
		b->n--;
	}
	free(b->ring);
	*b = (struct ryde_process_batch){0};
}

static int
grow_ring(struct ryde_process_batch *b, struct ryde_err *err)
{
	size_t cap = b->cap > 0 ? b->cap * 2 : 16;
	struct ryde_process_batch_record *ring = malloc(cap * sizeof *ring);

	if (ring == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < b->n; i++)
		ring[i] = *ryde_process_batch_at(b, i);
	free(b->ring);
	b->ring = ring;
	b->cap = cap;
	b->head = 0;
	return 0;
}

/* A chunk with room for n bytes. Shards with little in hand get small ones. */
static struct ryde_process_batch_chunk *
chunk_for(struct ryde_process_batch *b, size_t n, struct ryde_err *err)
{
	struct ryde_process_batch_chunk *c = b->last;
	size_t size = b->bytes < CHUNK_LARGE / 2 ? CHUNK_SMALL : CHUNK_LARGE;

	if (c != NULL && c->back - c->front >= n)
		return c;
	if (size < n)
		size = n;
	c = malloc(sizeof *c + size);
	if (c == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	c->front = c->records = 0;
	c->back = size;
	b->last = c;
	b->n_chunks++;
	return c;
}

static struct ryde_view
put_back(struct ryde_process_batch_chunk *c, struct ryde_view v)
{
	c->back -= v.n;
	if (v.n > 0)
		memcpy(c->bytes + c->back, v.p, v.n);
	return ryde_view_mem(c->bytes + c->back, v.n);
}

/* What a record takes in memory. */
static size_t
size_of(const struct ryde_process_batch_record *r)
{
	return r->data.n + 1 + r->seq.n + r->key.n;
}

int
ryde_process_batch_add(struct ryde_process_batch *b,
    const struct ryde_process_batch_record *r, struct ryde_err *err)
{
	struct ryde_process_batch_record *to;
	struct ryde_process_batch_chunk *c;

	if (b->n == b->cap && grow_ring(b, err) != 0)
		return -1;
	c = chunk_for(b, size_of(r), err);
	if (c == NULL)
		return -1;
	to = &b->ring[(b->head + b->n) & (b->cap - 1)];
	*to = *r;
	to->chunk = c;
	to->seq = put_back(c, r->seq);
	to->key = put_back(c, r->key);
	to->data = ryde_view_mem(c->bytes + c->front, r->data.n);
	if (r->data.n > 0)
		memcpy(c->bytes + c->front, r->data.p, r->data.n);
	c->front += r->data.n;
	c->bytes[c->front++] = '\n';
	c->records++;
	b->n++;
	b->bytes += size_of(r);
	b->weight += r->weight;
	return 0;
}

struct ryde_process_batch_record *
ryde_process_batch_at(const struct ryde_process_batch *b, size_t i)
{
	return &b->ring[(b->head + i) & (b->cap - 1)];
}

bool
ryde_process_batch_full(
    const struct ryde_process_batch *b, const struct ryde_process_batch_limits *limits)
{
	return b->n >= limits->records || b->weight >= limits->bytes;
}

size_t
ryde_process_batch_measure(const struct ryde_process_batch *b, size_t i,
    const struct ryde_process_batch_limits *limits, bool *whole)
{
	const struct ryde_process_batch_record *r = ryde_process_batch_at(b, i);
	uint32_t source = r->source;
	size_t n = 1, bytes = r->weight;

	for (; i + n < b->n && n < limits->records; n++) {
		r = ryde_process_batch_at(b, i + n);
		if (r->source != source || bytes + r->weight > limits->bytes ||
		    (limits->before_ms != 0 && r->arrival_ms >= limits->before_ms))
			break;
		bytes += r->weight;
	}
	*whole = i + n < b->n || n == limits->records;
	return n;
}

void
ryde_process_batch_cut(
    struct ryde_process_batch *b, const struct ryde_process_batch_limits *limits)
{
	bool whole;

	b->parts[0] = ryde_process_batch_measure(b, 0, limits, &whole);
	b->n_parts = 1;
}

size_t
ryde_process_batch_size(const struct ryde_process_batch *b)
{
	return b->n_parts > 0 ? b->parts[b->n_parts - 1] : 0;
}

size_t
ryde_process_batch_total(const struct ryde_process_batch *b)
{
	size_t n = 0;

	for (int i = 0; i < b->n_parts; i++)
		n += b->parts[i];
	return n;
}

void
ryde_process_batch_bisect(struct ryde_process_batch *b)
{
	size_t n = ryde_process_batch_size(b);

	if (n < 2 || b->n_parts == RYDE_PROCESS_BATCH_PARTS)
		return;
	b->parts[b->n_parts - 1] = n - n / 2;
	b->parts[b->n_parts++] = n / 2;
}

void
ryde_process_batch_release(struct ryde_process_batch *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ryde_process_batch_record *r = ryde_process_batch_at(b, 0);

		b->bytes -= size_of(r);
		b->weight -= r->weight;
		chunk_drop(b, r->chunk);
		b->head = (b->head + 1) & (b->cap - 1);
		b->n--;
	}
	if (b->n_parts > 0) {
		b->parts[b->n_parts - 1] -= n;
		if (b->parts[b->n_parts - 1] == 0)
			b->n_parts--;
	}
}

size_t
ryde_process_batch_truncate(struct ryde_process_batch *b, size_t n)
{
	size_t dropped = 0;

	while (b->n > n) {
		struct ryde_process_batch_record *r = ryde_process_batch_at(b, b->n - 1);

		b->bytes -= size_of(r);
		b->weight -= r->weight;
		chunk_drop(b, r->chunk);
		b->n--;
		dropped++;
	}
	return dropped;
}

int
ryde_process_batch_input(const struct ryde_process_batch *b, struct iovec **iov,
    size_t *cap, int *n, struct ryde_err *err)
{
	size_t size = ryde_process_batch_size(b), used = 0;
	char *run_end = NULL;

	/* There is at most one run per chunk. */
	if (*cap < b->n_chunks) {
		struct iovec *more = realloc(*iov, b->n_chunks * 2 * sizeof *more);

		if (more == NULL)
			return ryde_err_nomem(err);
		*iov = more;
		*cap = b->n_chunks * 2;
	}
	for (size_t i = 0; i < size; i++) {
		const struct ryde_process_batch_record *r = ryde_process_batch_at(b, i);
		char *p = r->chunk->bytes + (r->data.p - r->chunk->bytes);

		if (p == run_end) {
			(*iov)[used - 1].iov_len += r->data.n + 1;
		} else {
			(*iov)[used].iov_base = p;
			(*iov)[used++].iov_len = r->data.n + 1;
		}
		run_end = p + r->data.n + 1;
	}
	*n = (int)used; /* at most one per chunk: far below INT_MAX */
	return 0;
}
