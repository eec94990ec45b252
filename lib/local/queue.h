/* Queues of the embedded store, queues/NAME.db. The interface is store/queue.h's. */
#ifndef RYDE_LOCAL_QUEUE_H
#define RYDE_LOCAL_QUEUE_H

#include "line/store_ops.h"

struct ryde_queue *ryde_queue_local_open(
    const char *dir, const char *name, bool create, struct ryde_err *err);
int ryde_queue_local_create(const char *dir, const char *name, struct ryde_err *err);
int ryde_queue_local_delete(const char *dir, const char *name, struct ryde_err *err);

#endif
