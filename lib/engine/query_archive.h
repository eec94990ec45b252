/*
 * Archives as a source: the lines of all objects of a place (query_place.h), in order of
 * their names, NDJSON plain or packed with gzip.
 *
 * Extra columns come from the objects' paths (query_partition.h): year, month, day, hour
 * and, as the time of that hour, approximateArrivalTimestamp; and each key of Hive's
 * key=value. A filter on them leaves out the objects that cannot match, unopened. Where
 * the first line is an envelope, rows have a stream's columns too.
 */
#ifndef RYDE_ENGINE_QUERY_ARCHIVE_H
#define RYDE_ENGINE_QUERY_ARCHIVE_H

struct ryde_err;
struct ryde_query_source;
struct ryde_query_sources;

/*
 * Opens a directory, a file or s3://BUCKET/PREFIX. What is neither (a pipe) is read to
 * its end like stdin. NULL with err set.
 */
struct ryde_query_source *ryde_query_archive(
    struct ryde_query_sources *o, const char *path, struct ryde_err *err);

#endif
