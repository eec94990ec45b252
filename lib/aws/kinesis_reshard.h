/*
 * Splitting and merging shards of a stream on Kinesis. Each call waits until the service
 * has made the change: until then a next one would be refused.
 */
#ifndef RYDE_AWS_KINESIS_RESHARD_H
#define RYDE_AWS_KINESIS_RESHARD_H

struct ryde_aws;
struct ryde_err;
struct ryde_store_name;

/* As ryde_catalog_split, ryde_catalog_merge and ryde_catalog_reshard. */
int ryde_kinesis_reshard_split(struct ryde_aws *aws, const struct ryde_store_name *name,
    const char *shard, struct ryde_err *err);
int ryde_kinesis_reshard_merge(struct ryde_aws *aws, const struct ryde_store_name *name,
    const char *a, const char *b, struct ryde_err *err);
int ryde_kinesis_reshard_to(struct ryde_aws *aws, const struct ryde_store_name *name,
    int shards, struct ryde_err *err);

#endif
