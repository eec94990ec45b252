/*
 * The loop of programs that write what they read: lines are gathered into batches, a
 * batch is written durably, then its lines are acknowledged. What a batch is, and how it
 * is written, the program says.
 */
#ifndef RYDE_ENGINE_GATHER_H
#define RYDE_ENGINE_GATHER_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_item;
struct ryde_waits;

struct ryde_gather {
	struct ryde_intake *intake;
	struct ryde_books *books;
	size_t batch_size;    /* lines in a batch, at most */
	size_t batch_bytes;   /* and bytes, about */
	int64_t linger_ms;    /* how long a batch waits for more input; 0: not at all */
	int64_t retry_for_ms; /* how long a service may fail before the program gives up;
				 0: for ever */
	int64_t rate_per_s;   /* lines per second at most; 0: no limit */
	/* Takes the item into the batch, copying it. 1: taken, with its size in *bytes;
	 * 0: rejected; -1. */
	int (*add)(
	    void *arg, const struct ryde_item *item, size_t *bytes, struct ryde_err *err);
	/*
	 * Writes the batch, durably, and empties it. n > 0: so much of it is still under
	 * way; call it again once what `under_way` adds to w has happened. -1: the batch
	 * stays.
	 */
	int (*flush)(void *arg, struct ryde_err *err);
	void (*under_way)(void *arg, struct ryde_waits *w); /* NULL: never */
	/* NULL, or what is wrong with line i of the batch that was written: it is
	 * rejected. Its number and payload, good until the next add. */
	const char *(*refused)(
	    void *arg, size_t i, uint64_t *number, struct ryde_view *payload);
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

/*
 * Runs to the end of the input. Returns the exit status; err is set where a message is
 * due. Lines that were taken and not written are in books->pending.
 */
int ryde_gather(struct ryde_gather *g, struct ryde_err *err);

#endif
