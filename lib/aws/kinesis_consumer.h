/* Consumers for enhanced fan-out, as they are registered with a stream (kinesis_fan.h
 * reads as one of them). */
#ifndef RYDE_AWS_KINESIS_CONSUMER_H
#define RYDE_AWS_KINESIS_CONSUMER_H

#include "line/store_ops.h"

struct ryde_err;
struct ryde_kinesis_stream;

/* As ryde_stream_fan_out. */
int ryde_kinesis_consumer_register(struct ryde_stream *base, const char *consumer,
    const char **arn, struct ryde_err *err);
/* As ryde_stream_consumer_delete. */
int ryde_kinesis_consumer_delete(
    struct ryde_stream *base, const char *consumer, struct ryde_err *err);
/* As ryde_stream_consumers. */
int ryde_kinesis_consumer_list(struct ryde_stream *base, ryde_stream_consumer_fn fn,
    void *arg, struct ryde_err *err);
/* status[16] of the stream's consumer becomes CREATING, ACTIVE, …, "" where there is no
 * such. */
int ryde_kinesis_consumer_describe(
    struct ryde_kinesis_stream *s, char *status, struct ryde_err *err);

#endif
