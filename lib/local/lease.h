/*
 * The lock file of a lease: held by the living holder, and free the moment it dies. There
 * is one per (group, epoch), groups/STREAM.leases/GROUP.EPOCH, so that a holder that
 * comes to after it was taken over never blocks its successors.
 */
#ifndef RYDE_LOCAL_LEASE_H
#define RYDE_LOCAL_LEASE_H

#include <stdint.h>

struct ryde_err;

/* What a try to take a lock file showed. */
enum ryde_lease_state {
	RYDE_LEASE_FREE,   /* nobody holds it: *fd is the lock, ours now, or -1 without a
			      file */
	RYDE_LEASE_TAKEN,  /* a living process holds it, be it stopped */
	RYDE_LEASE_FAILED, /* err is set */
};

/* The directory of the lock files of stream, into to[4096]. */
int ryde_lease_folder(
    const char *dir, const char *stream, char *to, struct ryde_err *err);
/* Makes and locks the file of a new epoch; the descriptor (close-on-exec), or -1. */
int ryde_lease_make(
    const char *folder, const char *group, int64_t epoch, struct ryde_err *err);
enum ryde_lease_state ryde_lease_try(
    const char *folder, const char *group, int64_t epoch, int *fd, struct ryde_err *err);
/* Removes the file. The lock goes when its descriptor is closed. */
void ryde_lease_remove(const char *folder, const char *group, int64_t epoch);
/* Removes all lock files and the directory. */
void ryde_lease_sweep(const char *folder);

#endif
