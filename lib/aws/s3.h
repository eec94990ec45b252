/*
 * S3's objects: put whole or not at all, list, get. Calls here wait for their end.
 *
 * Source: the S3 API reference (PutObject, multipart uploads, ListObjectsV2, conditional
 * requests); aws-facts 7.
 */
#ifndef RYDE_AWS_S3_H
#define RYDE_AWS_S3_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_aws;
struct ryde_err;

#define RYDE_S3_BUCKET_MAX 63
#define RYDE_S3_KEY_MAX 1024

/* Where s3://BUCKET/PREFIX leads. */
struct ryde_s3_place {
	char bucket[RYDE_S3_BUCKET_MAX + 1];
	char prefix[RYDE_S3_KEY_MAX + 1]; /* empty, or ends in a slash where folder was
					     asked for */
};
/* -1 with RYDE_EUSAGE where text is no such place. With folder set, a slash is added to a
 * prefix that lacks one. */
int ryde_s3_place_read(
    const char *text, bool folder, struct ryde_s3_place *out, struct ryde_err *err);

/*
 * Puts an object, where there is none of that key: in one request up to 16 MiB, else in
 * parts, of which none is left where it fails. *taken becomes true, with nothing changed,
 * where an object with other content has that key; one with the same content is as good
 * as ours. The content is what file (open, readable, size_bytes long) holds from its
 * beginning. -1: RYDE_EUNAVAILABLE and RYDE_ETEMPFAIL can be tried again.
 */
int ryde_s3_put(struct ryde_aws *aws, const char *bucket, const char *key, int file,
    int64_t size_bytes, bool *taken, struct ryde_err *err);

/*
 * Calls fn for each object whose key begins with prefix, in the order of keys; with flat
 * set only for those without a slash behind it. Returns what fn returned, 0 at the end,
 * -1 on failure.
 */
int ryde_s3_list(struct ryde_aws *aws, const char *bucket, const char *prefix, bool flat,
    int (*fn)(void *arg, const char *key, int64_t size_bytes), void *arg,
    struct ryde_err *err);

/* Writes the object's bytes to file, which is open, writable and empty. As
 * ryde_s3_fetch_wait. */
int ryde_s3_get(struct ryde_aws *aws, const char *bucket, const char *key, int file,
    struct ryde_err *err);

#endif
