/*
 * Archives in S3: objects are gathered in files of a temporary directory of ours
 * ($TMPDIR, else /tmp) and put when they are complete.
 */
#ifndef RYDE_AWS_S3_ARCHIVE_H
#define RYDE_AWS_S3_ARCHIVE_H

struct ryde_archive;
struct ryde_err;
struct ryde_store_settings;

/* place is s3://BUCKET[/PREFIX]. The contract is the one of ryde_archive_open in
 * store/archive.h. */
struct ryde_archive *ryde_s3_archive_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err);

#endif
