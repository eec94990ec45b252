/*
 * Enhanced fan-out: a consumer that is registered with a stream has each shard's records
 * sent to it, 2 MB/s of its own, in place of asking for them. A subscription lasts five
 * minutes at most and is then renewed behind the last event's continuation, which also
 * moves where no records come.
 *
 * Rules of the service (aws-facts 3): a shard may be subscribed to again five seconds
 * after the last time; events come every few seconds, records or not; a shard has ended
 * where an event has no continuation.
 */
#ifndef RYDE_AWS_KINESIS_FAN_H
#define RYDE_AWS_KINESIS_FAN_H

#include <stdbool.h>

struct ryde_err;
struct ryde_kinesis_fan;
struct ryde_kinesis_shard;
struct ryde_waits;

/* As ryde_kinesis_shard_turn; may_ask false: no more than one page is kept at hand. */
int ryde_kinesis_fan_turn(
    struct ryde_kinesis_shard *s, bool may_ask, struct ryde_err *err);
void ryde_kinesis_fan_wait(const struct ryde_kinesis_shard *s, struct ryde_waits *w);
/* Forgets what came of a subscription that was given up. NULL is fine. */
void ryde_kinesis_fan_reset(struct ryde_kinesis_fan *f);
void ryde_kinesis_fan_free(struct ryde_kinesis_fan *f);

#endif
