/*
 * A search for keys in a process of its own, so that nothing waits for it: a
 * credential_process may take minutes, and meanwhile leases are to be renewed and records
 * to flow. The process is a copy of ours without its descriptors; it says what it found
 * through a pipe, and dies with us.
 */
#ifndef RYDE_AWS_KEYS_AHEAD_H
#define RYDE_AWS_KEYS_AHEAD_H

#include <stdbool.h>

struct ryde_aws_keys;
struct ryde_err;

struct ryde_aws_keys_ahead;

/* Does the search, in the other process: 0 with keys, -1 with err. It may wait, and what
 * it changes in memory is lost. */
typedef int ryde_aws_keys_search(
    void *arg, struct ryde_aws_keys *keys, struct ryde_err *err);

/* Begins. NULL with err where there can be no process. */
struct ryde_aws_keys_ahead *ryde_aws_keys_ahead_start(
    ryde_aws_keys_search *search, void *arg, struct ryde_err *err);
/* Never waits. False while it is under way. True once it has ended: *rc, keys and err are
 * what the search said. */
bool ryde_aws_keys_ahead_done(struct ryde_aws_keys_ahead *a, int *rc,
    struct ryde_aws_keys *keys, struct ryde_err *err);
/* Ends the process, if it still runs, and frees a. NULL is fine. */
void ryde_aws_keys_ahead_free(struct ryde_aws_keys_ahead *a);

#endif
