/*
 * Archives: objects full of lines, under names that are folders and a file. An object
 * appears whole or not at all, and is never changed once it is there. A handle belongs to
 * one thread.
 */
#ifndef RYDE_STORE_ARCHIVE_H
#define RYDE_STORE_ARCHIVE_H

#include "base/view.h"
#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_archive;
struct ryde_archive_object;
struct ryde_err;
struct ryde_store_settings;

/* What a place is, by its text alone. */
enum ryde_archive_kind {
	RYDE_ARCHIVE_DIRECTORY, /* a path */
	RYDE_ARCHIVE_S3,	/* s3://bucket[/prefix] */
	RYDE_ARCHIVE_FIREHOSE,	/* firehose:NAME: takes records, has no objects */
};
/* -1 with RYDE_EUSAGE where place is none of these. */
int ryde_archive_kind_of(
    const char *place, enum ryde_archive_kind *kind, struct ryde_err *err);

/* Opens a place of objects for writing; a directory is made where there is none. */
struct ryde_archive *ryde_archive_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err);
/* Objects that are not finished by now are nowhere. */
void ryde_archive_close(struct ryde_archive *a);

/* Begins an object that nobody can see yet. */
struct ryde_archive_object *ryde_archive_create(
    struct ryde_archive *a, struct ryde_err *err);
/* Adds bytes. On -1 the object can only be abandoned. */
int ryde_archive_append(
    struct ryde_archive_object *o, struct ryde_view data, struct ryde_err *err);
/* Nothing more comes: begins to bring it to the disk without waiting for it, so that
 * finish has less to wait for. */
void ryde_archive_settle(struct ryde_archive_object *o);
/*
 * Makes n objects durable, together, because together they cost little more than one. 0:
 * each one is THERE or TAKEN. -1: some may be THERE, the others are kept;
 * RYDE_ETEMPFAIL and RYDE_EUNAVAILABLE can be tried again with those.
 */
int ryde_archive_finish(struct ryde_archive *a, struct ryde_archive_finish *f, size_t n,
    struct ryde_err *err);
/* Forgets it (NULL: nothing). */
void ryde_archive_abandon(struct ryde_archive_object *o);

/*
 * Calls fn for each object whose name begins with prefix and has no slash behind it: what
 * is in one folder. In no order. Returns what fn returned, 0 where there are none, -1 on
 * failure.
 */
int ryde_archive_list(struct ryde_archive *a, const char *prefix,
    ryde_archive_name_fn *fn, void *arg, struct ryde_err *err);
/*
 * Finds or makes a file of ours that holds the object's bytes: its path into
 * path[RYDE_ARCHIVE_PATH_MAX]. Where *temporary becomes true the caller removes it.
 */
int ryde_archive_fetch(struct ryde_archive *a, const char *name, char *path,
    bool *temporary, struct ryde_err *err);

/* ---- places that take records, and have no objects ---- */

#define RYDE_ARCHIVE_RECORDS_MAX 500		     /* of one call */
#define RYDE_ARCHIVE_RECORDS_BYTES ((size_t)4 << 20) /* of one call */
#define RYDE_ARCHIVE_RECORD_MAX 1024000		     /* bytes of one record */

struct ryde_archive_records;
/* Opens firehose:NAME. No call is made yet. */
struct ryde_archive_records *ryde_archive_records_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err);
void ryde_archive_records_close(struct ryde_archive_records *r);
/*
 * Puts n records. 0: failed[i] says which ones were not taken and are to be put again,
 * why[200] what the service says of the first of them. -1: nothing counts as taken;
 * RYDE_ETEMPFAIL and RYDE_EUNAVAILABLE can be tried again.
 */
int ryde_archive_records_put(struct ryde_archive_records *r,
    const struct ryde_view *records, size_t n, bool *failed, char *why,
    struct ryde_err *err);

#endif
