/*
 * Where the records of open sessions begin. Sessions are many and small, so none of them
 * keeps a position of its own. Instead all shards' places are kept now and then, and each
 * session counts for the last places before its oldest record: an epoch. Where the oldest
 * epoch that has an open session began, all of them can be read again. That is a little
 * earlier than it would have to be, and no more than a bounded number of epochs is kept.
 */
#ifndef RYDE_ENGINE_WINDOW_BIRTH_H
#define RYDE_ENGINE_WINDOW_BIRTH_H

#include "line/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_window_group;

/* Where a shard stood: what was seen of it (n == 0: nothing in this life), and its own
 * watermark. */
struct ryde_window_birth_place {
	struct ryde_pos seen;
	bool has_time;
	int64_t time_ms;
};

struct ryde_window_birth_epoch {
	uint64_t ordinal;			/* of the last record before it */
	uint64_t open;				/* sessions whose oldest record it has */
	struct ryde_window_birth_place *places; /* by shard; those that came later are
						   not in it */
	uint32_t n;
};

#define RYDE_WINDOW_BIRTH_EPOCHS 128

struct ryde_window_birth {
	struct ryde_window_birth_epoch epochs[RYDE_WINDOW_BIRTH_EPOCHS];
	size_t n;
};

void ryde_window_birth_free(struct ryde_window_birth *b);
/* Call it before each record is taken; ordinal: of the last one. Begins an epoch where it
 * is time to. -1 without memory. */
int ryde_window_birth_note(struct ryde_window_birth *b, const struct ryde_window_group *g,
    uint64_t ordinal, struct ryde_err *err);
/* A session whose oldest record has that ordinal is there, or is no more. */
void ryde_window_birth_open(struct ryde_window_birth *b, uint64_t ordinal);
void ryde_window_birth_close(struct ryde_window_birth *b, uint64_t ordinal);
/* Where a shard must be read again from. */
struct ryde_window_birth_place ryde_window_birth_oldest(
    const struct ryde_window_birth *b, const struct ryde_window_group *g, uint32_t shard);

#endif
