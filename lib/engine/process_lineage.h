/*
 * Resharding, as those who work on shards side by side see it: the first mark of a shard
 * names the shards that it came from, and what it brings waits for what they have in
 * hand, so that a key's records stay in order also where it has moved to another shard.
 */
#ifndef RYDE_ENGINE_PROCESS_LINEAGE_H
#define RYDE_ENGINE_PROCESS_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_line;
struct ryde_process_lane;

/*
 * Takes a mark that names parents: the shard's lanes wait for all of its parents' records
 * that came before it, those with an order below `order`. l is a lane of the mark's
 * shard.
 */
int ryde_process_lineage_hear(struct ryde_process_lane *l, const struct ryde_line *mark,
    uint64_t order, struct ryde_err *err);
/* True while l may not begin a batch; once false it stays so. */
bool ryde_process_lineage_waits(
    struct ryde_process_lane *l, struct ryde_process_lane *const *lanes, size_t n);

#endif
