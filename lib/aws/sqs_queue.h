/*
 * Queues on SQS, behind store/queue.h's interface, in its JSON protocol. What SQS cannot
 * do is done as near as it gets: looking at messages takes them for half a minute and
 * gives them back, and removing one by its id finds it so; both count as a receive there.
 * Deletes and time-outs go in batches of ten: ryde_queue_flush sends what is gathered.
 */
#ifndef RYDE_AWS_SQS_QUEUE_H
#define RYDE_AWS_SQS_QUEUE_H

#include <stdbool.h>

struct ryde_aws;
struct ryde_err;
struct ryde_queue;
struct ryde_store_name;
struct ryde_store_settings;

/* Opens a queue that exists: RYDE_ENOINPUT, with the command that creates it, otherwise.
 * settings are copied. */
struct ryde_queue *ryde_sqs_queue_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err);
/* As ryde_catalog_create_queue and ryde_catalog_delete. A name that ends in .fifo makes a
 * FIFO queue. */
int ryde_sqs_queue_create(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err);
int ryde_sqs_queue_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err);
int ryde_sqs_queue_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err);
/* Calls fn for each queue of the region. */
int ryde_sqs_queue_list(struct ryde_aws *aws, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err);

#endif
