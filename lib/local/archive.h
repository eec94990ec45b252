/*
 * Archives in a directory: objects are files, their folders directories. What is being
 * written lies in ROOT/.ryde/, in a directory of each process that holds a lock on it;
 * what a killed one left there, the next one removes.
 */
#ifndef RYDE_LOCAL_ARCHIVE_H
#define RYDE_LOCAL_ARCHIVE_H

struct ryde_archive;
struct ryde_err;

/* The contract is the one of ryde_archive_open in store/archive.h. */
struct ryde_archive *ryde_archive_local_open(const char *dir, struct ryde_err *err);

#endif
