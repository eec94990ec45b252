/* Queues: messages with a visibility time-out, as SQS has them. Time-outs run on the
 * machine's own clock. */
#ifndef RYDE_STORE_QUEUE_H
#define RYDE_STORE_QUEUE_H

#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_queue;
struct ryde_store_settings;

#define RYDE_QUEUE_BODY_MAX (1u << 20)

/* Opens a queue; create makes a missing one (embedded store), else RYDE_ENOINPUT. */
struct ryde_queue *ryde_queue_open(const struct ryde_store_settings *settings,
    const char *name, bool create, struct ryde_err *err);
void ryde_queue_close(struct ryde_queue *q);
const char *ryde_queue_label(const struct ryde_queue *q);

/* Adds a message, durably. */
int ryde_queue_send(struct ryde_queue *q, struct ryde_view body, struct ryde_err *err);

/*
 * Receives up to max visible messages sent at or before not_after_ms (INT64_MAX: any),
 * oldest first, hiding them for visibility_ms. Messages are owned by q until the next
 * call.
 */
int ryde_queue_receive(struct ryde_queue *q, size_t max, int64_t not_after_ms,
    int64_t visibility_ms, const struct ryde_message **out, size_t *n,
    struct ryde_err *err);
/* Deletes a received message. 0 also when it is gone already or was received again by
 * another (then *stale is true). */
int ryde_queue_delete(
    struct ryde_queue *q, const char *receipt, bool *stale, struct ryde_err *err);
/* Sets a received message's remaining time-out; 0 makes it visible at once. */
int ryde_queue_extend(struct ryde_queue *q, const char *receipt, int64_t visibility_ms,
    struct ryde_err *err);
/* Sends what the two above have gathered: SQS takes ten at a time. Receiving and closing
 * do so too. */
int ryde_queue_flush(struct ryde_queue *q, struct ryde_err *err);
/* Looks at messages without taking them, oldest first: up to max after the message with
 * id after ("": from the start). */
int ryde_queue_peek(struct ryde_queue *q, const char *after, size_t max,
    const struct ryde_message **out, size_t *n, struct ryde_err *err);
/* Deletes a message by its id, received or not. *found (may be NULL) says whether it was
 * there. */
int ryde_queue_remove(
    struct ryde_queue *q, const char *id, bool *found, struct ryde_err *err);
int ryde_queue_count(
    struct ryde_queue *q, int64_t *visible, int64_t *hidden, struct ryde_err *err);
/* Deletes all messages; *n becomes how many. */
int ryde_queue_purge(struct ryde_queue *q, int64_t *n, struct ryde_err *err);

#endif
