/*
 * Groups on AWS: one item per group in a DynamoDB table (RYDE_POSITIONS, else
 * ryde-positions), with the stream as its hash key and the group as its range key:
 *
 *	stream, group   S
 *	epoch           N   counts the leases
 *	beat            N   counts the holder's signs of life
 *	owner, process  S   who holds the lease, for people and for a look at the process;
 *	                    absent: nobody does
 *	positions       M   shard id -> {seq S, sub N, at N, updated N}
 *	                    sub: the last line done of a record that is not done whole
 *	window, fingerprint S
 *	shared          N   members share it: positions_shared.h
 *
 * Each write of a holder is one UpdateItem under the condition that `epoch` is still its
 * own: so it is fenced, and positions and window change together or not at all. Nobody
 * compares clocks: a stand-by watches `beat`, and takes over when it has not changed for
 * the length of a lease on the stand-by's own clock. A holder whose process is gone from
 * this same machine is not waited for.
 *
 * The item holds 400 KB: some 2,000 shards.
 */
#ifndef RYDE_AWS_POSITIONS_H
#define RYDE_AWS_POSITIONS_H

struct ryde_aws;
struct ryde_err;
struct ryde_group;

/* Opens a group; the table is made by the first write. aws must outlive it; region may be
 * NULL. */
struct ryde_group *ryde_positions_open(struct ryde_aws *aws, const char *region,
    const char *stream, const char *group, struct ryde_err *err);
/* Calls fn for each group of a stream; none where there is no table. */
int ryde_positions_list(struct ryde_aws *aws, const char *region, const char *stream,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);
/* Deletes all groups of a stream, held or not. */
int ryde_positions_delete_all(
    struct ryde_aws *aws, const char *region, const char *stream, struct ryde_err *err);
/* The name of the table. */
const char *ryde_positions_table(void);

#endif
