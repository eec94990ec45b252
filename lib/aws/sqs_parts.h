/* What the parts of a queue on SQS know of each other: sqs_queue.c opens, sends, receives
 * and makes, sqs_batch.c gathers deletes and time-outs, sqs_look.c looks without taking.
 */
#ifndef RYDE_AWS_SQS_PARTS_H
#define RYDE_AWS_SQS_PARTS_H

#include "aws/client.h"
#include "base/buf.h"
#include "line/store_ops.h"

#define RYDE_SQS_BATCH 10

/* A message that was received: what delete and extend need. Its receipt in
 * store/queue.h's sense is its number in the list, in decimal. */
struct ryde_sqs_taken {
	char *handle; /* owned; NULL once it is deleted or given back */
	char id[RYDE_QUEUE_ID_MAX];
};

struct ryde_sqs_queue {
	struct ryde_queue base;
	struct ryde_aws *aws;
	char name[129], what[150], label[150], region[32], account[16];
	char *url; /* owned */
	bool fifo;
	/* the last receive */
	struct ryde_message messages[RYDE_SQS_BATCH];
	struct ryde_buf bytes;
	struct ryde_sqs_taken *taken;
	size_t n_taken, cap_taken;
	/* gathered, to be sent together */
	size_t deletes[RYDE_SQS_BATCH], extends[RYDE_SQS_BATCH];
	int64_t visibility_s[RYDE_SQS_BATCH];
	size_t n_deletes, n_extends;
	/* messages sent too late for a receive: given back at the end */
	size_t *later;
	size_t n_later, cap_later;
	/* what a look has found: owned copies, oldest first */
	struct ryde_message *seen;
	size_t n_seen, cap_seen;
	size_t *seen_taken;
	bool looked;
};

static inline struct ryde_sqs_queue *
ryde_sqs_parts_of(struct ryde_queue *base)
{
	return (struct ryde_sqs_queue *)base;
}

/* Asks; as ryde_ask. */
struct ryde_aws_call *ryde_sqs_queue_ask(struct ryde_sqs_queue *q, const char *operation,
    struct ryde_buf *body, struct ryde_aws_fault *fault, struct ryde_err *err);
/* One ReceiveMessage of up to max messages, hidden for visibility_s, waiting for wait_s
 * at most: they are in q->messages, their bodies in q->bytes. */
int ryde_sqs_queue_take(struct ryde_sqs_queue *q, size_t max, int64_t visibility_s,
    int wait_s, size_t *n, struct ryde_err *err);
/* The number of a receipt; -1 with RYDE_EDATA where it is none. */
int ryde_sqs_queue_number(const struct ryde_sqs_queue *q, const char *receipt,
    size_t *number, struct ryde_err *err);

/* sqs_batch.c */
int ryde_sqs_batch_delete(struct ryde_sqs_queue *q, size_t number, struct ryde_err *err);
int ryde_sqs_batch_extend(
    struct ryde_sqs_queue *q, size_t number, int64_t visibility_s, struct ryde_err *err);
int ryde_sqs_batch_flush(struct ryde_sqs_queue *q, struct ryde_err *err);

/* sqs_look.c */
int ryde_sqs_look_peek(struct ryde_queue *base, const char *after, size_t max,
    const struct ryde_message **out, size_t *n, struct ryde_err *err);
int ryde_sqs_look_remove(
    struct ryde_queue *base, const char *id, bool *found, struct ryde_err *err);
/* Gives back what was taken for a look, and forgets it. */
int ryde_sqs_look_end(struct ryde_sqs_queue *q, struct ryde_err *err);

#endif
