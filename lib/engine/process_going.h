/*
 * Sharing: shards that their reader gives to another one (flow/ack_going.h). What is not
 * begun of them is dropped, what runs is waited for; then the shard is let go.
 */
#ifndef RYDE_ENGINE_PROCESS_GOING_H
#define RYDE_ENGINE_PROCESS_GOING_H

#include <stddef.h>

struct ryde_process_lane;
struct ryde_process_lane_common;

/* Every turn, before lanes go on. */
void ryde_process_going_turn(
    struct ryde_process_lane_common *c, struct ryde_process_lane *const *lanes, size_t n);

#endif
