/*
 * Where the objects of an archive lie, behind one struct of functions: a directory or a
 * file here, or S3. Names that begin with . or _ are no objects, nor is what lies in
 * folders of such a name. Source: Athena's rule, and ryde-archive's.
 */
#ifndef RYDE_ENGINE_QUERY_PLACE_H
#define RYDE_ENGINE_QUERY_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_query_place;
struct ryde_store_settings;

/* Called for an object with its name below the place; not 0 ends the listing with -1. */
typedef int ryde_query_place_fn(
    void *arg, const char *name, int64_t size_bytes, struct ryde_err *err);

struct ryde_query_place_ops {
	/* Calls fn for each object, in no order. */
	int (*list)(struct ryde_query_place *p, ryde_query_place_fn *fn, void *arg,
	    struct ryde_err *err);
	/*
	 * Appends the path of a file that holds the object's bytes. *fd: the caller
	 * closes it when the file has been read, -1 where there is nothing to close.
	 */
	int (*file)(struct ryde_query_place *p, const char *name, struct ryde_buf *path,
	    int *fd, struct ryde_err *err);
	/* NULL, or: the object will be asked for soon. */
	void (*ahead)(struct ryde_query_place *p, const char *name, int64_t size_bytes);
	void (*close)(struct ryde_query_place *p);
};
struct ryde_query_place {
	const struct ryde_query_place_ops *ops;
	/* Time and keys may also stand in the place's own path. Ends with a slash where
	 * names are added to it. Names of S3 are whole keys: its path is the bucket's. */
	const char *path;
};

#define RYDE_QUERY_PLACE_AHEAD 8 /* objects that are worth telling `ahead` of */

/*
 * Opens a directory, a regular file as a place of one object, or s3://BUCKET/PREFIX: the
 * object of that key, and those below it as a folder. RYDE_ENOINPUT where there is none
 * (of S3, list says so).
 */
struct ryde_query_place *ryde_query_place_open(
    const struct ryde_store_settings *store, const char *path, struct ryde_err *err);

#endif
