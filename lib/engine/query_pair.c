#define _GNU_SOURCE /* sched_getaffinity */

#include "engine/query_pair.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_group.h"
#include "engine/query_source.h"
#include "engine/query_table.h"
#include "engine/query_tally.h"
#include "json/scan.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)128 << 10)
#define BLOCK_ROWS 2048
#define BLOCKS 4 /* one being filled, one at work, and two for it to come to */

struct row {
	uint32_t at, n; /* in the block's bytes */
	bool bad;
	int64_t position;
};

/* Owned by one thread at a time, and handed over whole. */
struct block {
	struct ryde_buf bytes;
	struct row rows[BLOCK_ROWS];
	size_t n, bad;
	int rc; /* what ended it, or 0 */
	struct ryde_err err;
	size_t tallied; /* bytes of groups of whoever tallied it, by then */
};

struct queue {
	struct block *blocks[BLOCKS];
	size_t n;
};

struct ryde_query_pair {
	const struct ryde_query_grouping *g;
	struct ryde_query_cursor *c;
	struct ryde_query_tally own, other; /* the other thread's */
	struct block *blocks[BLOCKS];
	struct queue spare;   /* the reading thread's */
	struct block *filled; /* the one being filled, or NULL */
	size_t handed;	      /* blocks that the other thread has, or is done with */
	bool tried, running, plain;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t come, done_one;
	struct queue todo, done;
	bool quit;
};

static void
push(struct queue *q, struct block *b)
{
	q->blocks[q->n++] = b;
}

static struct block *
pop(struct queue *q)
{
	struct block *b = q->blocks[0];

	q->n--;
	memmove(&q->blocks[0], &q->blocks[1], q->n * sizeof(q->blocks[0]));
	return b;
}

/* ---- a block ---- */

static struct ryde_view
bytes_of(const struct block *b, const struct row *r)
{
	return ryde_view_mem(b->bytes.p + r->at, r->n);
}

static void
tally(struct ryde_query_tally *t, struct block *b)
{
	struct ryde_json_fault fault;

	for (size_t i = 0; b->rc == 0 && i < b->n; i++) {
		struct row *r = &b->rows[i];

		b->rc = ryde_query_tally_row(t, bytes_of(b, r), &fault, &b->err);
		if (b->rc != RYDE_QUERY_TALLY_BAD)
			continue;
		b->rc = 0;
		b->bad++;
		r->bad = true;
	}
	b->tallied = t->bytes;
}

static void
empty(struct ryde_query_pair *p, struct block *b)
{
	ryde_buf_clear(&b->bytes);
	b->n = b->bad = 0;
	b->rc = 0;
	b->err = (struct ryde_err)RYDE_ERR_INIT;
	push(&p->spare, b);
}

/* Deals with what a block has met: those before it were dealt with. It is spare then. */
static int
settle_block(struct ryde_query_pair *p, struct block *b, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	int rc = 0;

	for (size_t i = 0; rc == 0 && b->bad > 0 && i < b->n; i++) {
		const struct row *r = &b->rows[i];

		if (!r->bad)
			continue;
		b->bad--;
		if (!p->g->table->source->unchecked)
			rc = RYDE_QUERY_PLAIN;
		else if (ryde_json_check(bytes_of(b, r), NULL, &fault) != 0)
			rc = p->c->ops->bad(
			    p->c, r->position, bytes_of(b, r), &fault, err);
	}
	if (rc == 0 && b->rc != 0) {
		rc = b->rc;
		*err = b->err;
	}
	empty(p, b);
	return rc;
}

/* ---- the other thread ---- */

static void *
work(void *arg)
{
	struct ryde_query_pair *p = arg;
	struct block *b;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		while (p->todo.n == 0 && !p->quit)
			(void)pthread_cond_wait(&p->come, &p->lock);
		if (p->quit)
			break;
		b = pop(&p->todo);
		(void)pthread_mutex_unlock(&p->lock);
		tally(&p->other, b);
		(void)pthread_mutex_lock(&p->lock);
		push(&p->done, b);
		(void)pthread_cond_signal(&p->done_one);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static bool
has_two_cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) >= 2;
}

/* Starts it, where it is of use. Signals stay with the thread that reads. */
static int
start(struct ryde_query_pair *p, struct ryde_err *err)
{
	sigset_t all, before;

	p->tried = true;
	if (!has_two_cores())
		return 0;
	if (ryde_query_tally_init(&p->other, p->g, err) != 0)
		return -1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	p->running = pthread_create(&p->thread, NULL, work, p) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return 0;
}

static void
stop(struct ryde_query_pair *p)
{
	if (!p->running)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->quit = true;
	(void)pthread_cond_signal(&p->come);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	p->running = false;
}

/* Takes back what it is done with, or waits for all that it has. */
static int
take_back(struct ryde_query_pair *p, bool all, struct ryde_err *err)
{
	size_t bytes = 0;
	int rc = 0;

	while (rc == 0 && p->handed > 0) {
		struct block *b = NULL;

		(void)pthread_mutex_lock(&p->lock);
		while (all && p->done.n == 0)
			(void)pthread_cond_wait(&p->done_one, &p->lock);
		if (p->done.n > 0)
			b = pop(&p->done);
		(void)pthread_mutex_unlock(&p->lock);
		if (b == NULL)
			break;
		p->handed--;
		bytes = b->tallied;
		rc = settle_block(p, b, err);
	}
	/* the groups of both are to have room where one's would: one goes on alone */
	if (rc == 0 && bytes + p->own.bytes > RYDE_QUERY_GROUP_MAX) {
		rc = all ? 0 : take_back(p, true, err);
		stop(p);
		if (rc == 0)
			rc = ryde_query_tally_merge(&p->own, &p->other, err);
		ryde_query_tally_free(&p->other);
	}
	return rc;
}

/* True where the other thread has taken the block. */
static bool
hand_over(struct ryde_query_pair *p, struct block *b)
{
	bool room;

	if (!p->running || p->handed == BLOCKS - 1)
		return false;
	(void)pthread_mutex_lock(&p->lock);
	room = p->todo.n < BLOCKS - 2;
	if (room) {
		push(&p->todo, b);
		(void)pthread_cond_signal(&p->come);
	}
	(void)pthread_mutex_unlock(&p->lock);
	p->handed += room;
	return room;
}

/* Everything so far, in its order. */
static int
settle(struct ryde_query_pair *p, struct ryde_err *err)
{
	struct block *b = p->filled;
	int rc = take_back(p, true, err);

	p->filled = NULL;
	if (b == NULL)
		return rc;
	if (rc == 0)
		tally(&p->own, b);
	return rc == 0 ? settle_block(p, b, err) : rc;
}

/* The same for the source, which knows 0 and -1 alone. */
static int
settle_first(void *arg, struct ryde_err *err)
{
	struct ryde_query_pair *p = arg;
	int rc = settle(p, err);

	p->plain = rc == RYDE_QUERY_PLAIN;
	return rc == 0 ? 0 : -1;
}

bool
ryde_query_pair_is_plain(const struct ryde_query_pair *p)
{
	return p->plain;
}

/* Has the block tallied that is full. */
static int
finish_block(struct ryde_query_pair *p, struct ryde_err *err)
{
	struct block *b = p->filled;
	int rc = p->tried ? 0 : start(p, err);

	if (rc == 0)
		rc = take_back(p, false, err);
	p->filled = NULL;
	if (rc != 0 || hand_over(p, b))
		return rc;
	tally(&p->own, b);
	if (b->bad > 0 || b->rc != 0)
		rc = take_back(p, true, err);
	return rc == 0 ? settle_block(p, b, err) : rc;
}

/* ---- rows ---- */

static int
take_block(struct ryde_query_pair *p, struct ryde_err *err)
{
	struct block *b;

	if (p->spare.n > 0) {
		p->filled = pop(&p->spare);
		return 0;
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		if (p->blocks[i] != NULL)
			continue;
		b = calloc(1, sizeof(*b));
		if (b == NULL)
			return ryde_err_nomem(err);
		ryde_buf_init(&b->bytes, BLOCK_BYTES);
		p->blocks[i] = p->filled = b;
		return 0;
	}
	/* the other thread has all but this one */
	return ryde_err_set(err, RYDE_ESOFTWARE, "no block is left");
}

/* A row that no block has room for. */
static int
take_large(
    struct ryde_query_pair *p, const struct ryde_query_row *row, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	int rc = settle(p, err);

	if (rc == 0)
		rc = ryde_query_tally_row(&p->own, row->data, &fault, err);
	if (rc != RYDE_QUERY_TALLY_BAD)
		return rc;
	if (!p->g->table->source->unchecked)
		return RYDE_QUERY_PLAIN;
	return p->c->ops->bad(p->c, p->c->ops->position(p->c), row->data, &fault, err);
}

int
ryde_query_pair_row(
    struct ryde_query_pair *p, const struct ryde_query_row *row, struct ryde_err *err)
{
	struct block *b = p->filled;
	struct row *r;
	int rc = 0;

	if (row->data.n > BLOCK_BYTES)
		return take_large(p, row, err);
	if (b != NULL && (b->n == BLOCK_ROWS || b->bytes.n + row->data.n > BLOCK_BYTES))
		rc = finish_block(p, err);
	if (rc == 0 && p->filled == NULL)
		rc = take_block(p, err);
	if (rc != 0)
		return rc;
	b = p->filled;
	r = &b->rows[b->n++];
	*r = (struct row){.at = (uint32_t)b->bytes.n, .n = (uint32_t)row->data.n};
	if (p->c->ops->position != NULL)
		r->position = p->c->ops->position(p->c);
	ryde_buf_view(&b->bytes, row->data);
	return ryde_buf_check(&b->bytes, err);
}

int
ryde_query_pair_end(
    struct ryde_query_pair *p, struct ryde_query_tally **t, struct ryde_err *err)
{
	bool was = p->running;
	int rc = settle(p, err);

	stop(p);
	if (rc == 0 && was && p->other.g != NULL)
		rc = ryde_query_tally_merge(&p->own, &p->other, err);
	*t = &p->own;
	return rc;
}

struct ryde_query_pair *
ryde_query_pair_new(const struct ryde_query_grouping *g, struct ryde_query_cursor *c,
    struct ryde_err *err)
{
	struct ryde_query_pair *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	p->g = g;
	p->c = c;
	c->settle = settle_first;
	c->settle_arg = p;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->come, NULL);
	(void)pthread_cond_init(&p->done_one, NULL);
	if (ryde_query_tally_init(&p->own, g, err) == 0)
		return p;
	ryde_query_pair_free(p);
	return NULL;
}

void
ryde_query_pair_free(struct ryde_query_pair *p)
{
	if (p == NULL)
		return;
	stop(p);
	p->c->settle = NULL;
	for (size_t i = 0; i < BLOCKS; i++) {
		if (p->blocks[i] != NULL)
			ryde_buf_free(&p->blocks[i]->bytes);
		free(p->blocks[i]);
	}
	ryde_query_tally_free(&p->own);
	ryde_query_tally_free(&p->other);
	(void)pthread_cond_destroy(&p->come);
	(void)pthread_cond_destroy(&p->done_one);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
