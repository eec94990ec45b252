/*
 * The stream: shards that get records at a steady rate, are split and merged, and give so
 * many calls and bytes a second to whoever reads them; and the group's items: members,
 * and a lease and a position for each shard. A record is a number from 0 on.
 */
#ifndef RYDE_SIM_STREAM_H
#define RYDE_SIM_STREAM_H

#include "line/record.h"

#define SHARDS_MAX 8000
#define MEMBERS_MAX 1000 /* at a time */
#define RECORD_BYTES 200

struct shard {
	int parents[2];		      /* -1: none */
	int64_t opened_ms, closed_ms; /* INT64_MAX: open */
	int64_t per_s;		      /* records */
	/* what the service still gives */
	int64_t calls, bytes, filled_ms;
	/* the group's: */
	int64_t stored;	 /* records below this one are done */
	int64_t high;	 /* records below this one were delivered at least once */
	int64_t read_ms; /* when it was last read, or could first be */
};

extern struct shard stream_shards[SHARDS_MAX];
extern struct ryde_share_lease stream_leases[SHARDS_MAX];
extern size_t stream_n;
extern struct ryde_share_member stream_members[MEMBERS_MAX];
extern size_t stream_n_members;

void stream_make(size_t shards);
/* Splits an open shard, or merges two. */
void stream_split(size_t i);
void stream_merge(size_t i, size_t k);
/* A random open shard; `but` is another one. */
size_t stream_any_open(size_t but);
/* How many records the shard has by now. */
int64_t stream_count(size_t i);
/* Its number by its name. */
size_t stream_number(const char *shard);
/* GetRecords from record `from`: how many it gives, -1 where it is refused. */
int64_t stream_get(size_t i, int64_t from);
/* Until then one call in five is refused. */
void stream_trouble(int64_t until_ms);
uint64_t stream_calls(void);
uint64_t stream_refused(void);
/* Shards whose parents are done may be read. */
void stream_ready(void);
struct ryde_share_member *stream_member(const char *id);
void stream_remove(struct ryde_share_member *m);

#endif
