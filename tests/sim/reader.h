/*
 * A reader: a member's mind (flow/share.c) and a pace for each shard that it reads
 * (flow/pace.c), both as ryde-consume runs them, on a clock of its own; and the program
 * behind it, which is done with what was printed after a while.
 */
#ifndef RYDE_SIM_READER_H
#define RYDE_SIM_READER_H

#include "line/record.h"
#include "sim.h"

#define LEASE_MS 10000

struct reader;

/* What all readers did. */
struct deeds {
	uint64_t records, twice; /* delivered; of them again */
	uint64_t moved;		 /* shards */
	int64_t unread_ms;	 /* of all shards that could be read, without a reader */
	int64_t longest_ms;	 /* the longest such time of one shard */
};

/* A new member; NULL without memory. */
struct reader *reader_come(void);
void reader_free(struct reader *r);
bool reader_runs(const struct reader *r);
/* Dies: its process and all that it knows. */
void reader_die(struct reader *r);
/* Stands still until ms from now. */
void reader_stop(struct reader *r, int64_t ms);
/* Ends in good order: what was printed is done, then it leaves. */
void reader_leave(struct reader *r);
/* What it holds in the store. */
size_t reader_holds(const struct reader *r);
const struct deeds *reader_deeds(void);
/* Shards that could be read, and have not been for the longest time. */
void reader_count_unread(void);

#endif
