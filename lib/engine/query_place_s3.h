/*
 * S3 as a place of objects (query_place.h). Objects are copied into temporary files that
 * have no name, the next ones while one is read; a few are kept in case that they are
 * asked for again.
 */
#ifndef RYDE_ENGINE_QUERY_PLACE_S3_H
#define RYDE_ENGINE_QUERY_PLACE_S3_H

struct ryde_err;
struct ryde_query_place;
struct ryde_store_settings;

/* Opens s3://BUCKET[/PREFIX]: ryde_query_place_open. No call is made yet. */
struct ryde_query_place *ryde_query_place_s3(
    const struct ryde_store_settings *store, const char *place, struct ryde_err *err);

#endif
