/*
 * The files in which an archive's objects grow, in a directory of this process alone:
 * they have numbers for names until they are put where they belong. What the archives of
 * both sides do alike.
 */
#ifndef RYDE_LINE_ARCHIVE_WORK_H
#define RYDE_LINE_ARCHIVE_WORK_H

#include "line/store_ops.h"

#include <stddef.h>

struct ryde_err;

#define RYDE_ARCHIVE_WORK_MAX 3100			    /* of the directory's path */
#define RYDE_ARCHIVE_WORK_PATH (RYDE_ARCHIVE_WORK_MAX + 24) /* of a file's */

struct ryde_archive_work {
	char folder[RYDE_ARCHIVE_WORK_MAX];
	unsigned long long made; /* numbers given so far */
};

/* The first member of an object that grows. */
struct ryde_archive_growing {
	struct ryde_archive_object base;
	struct ryde_archive_work *work;
	unsigned long long number;
};

/* An object of `size` bytes, all else zero, with the next number; free() it. work must
 * outlive it. NULL without memory. */
struct ryde_archive_growing *ryde_archive_work_object(struct ryde_archive_work *work,
    const struct ryde_archive_ops *ops, size_t size, struct ryde_err *err);
/* The path of the file with that number. */
void ryde_archive_work_path(const struct ryde_archive_work *work,
    unsigned long long number, char to[RYDE_ARCHIVE_WORK_PATH]);
/* A descriptor to append to the object's file, which is made where it is not there; -1
 * with err set. The caller closes it. */
int ryde_archive_work_open(const struct ryde_archive_growing *o, struct ryde_err *err);
/* Removes the object's file, and frees the object. */
void ryde_archive_work_drop(struct ryde_archive_growing *o);

#endif
