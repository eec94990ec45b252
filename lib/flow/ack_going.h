/*
 * Sharing: a reader gives shards to others. Lines of such a shard that still come are
 * STALE, and the reader waits until all that were taken are done. A program that holds
 * lines back heeds this: it asks which shards go, drops what it has not begun of them,
 * and lets each go once nothing of it is under way.
 */
#ifndef RYDE_FLOW_ACK_GOING_H
#define RYDE_FLOW_ACK_GOING_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_ack_sink;

/* This program will ask, and say. Before the first line. */
void ryde_ack_going_heed(struct ryde_ack_sink *s);
/* True while a shard goes. */
bool ryde_ack_going_any(const struct ryde_ack_sink *s);
/* The next shard from *at on (0 at first) that goes and was not let go; good until the
 * next take. */
bool ryde_ack_going_next(const struct ryde_ack_sink *s, size_t *at, struct ryde_view *ack,
    struct ryde_view *shard);
/* The line of this ticket was dropped: it and all lines of its shard behind it will not
 * be acknowledged, done or not. */
void ryde_ack_going_drop(struct ryde_ack_sink *s, uint64_t ticket);
/* The shard that ryde_ack_going_next gave last (*at as it left it) may go. */
void ryde_ack_going_let_go(struct ryde_ack_sink *s, size_t at);

#endif
