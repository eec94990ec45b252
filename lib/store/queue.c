#include "store/queue.h"

#include "aws/sqs_queue.h"
#include "base/err.h"
#include "line/store_ops.h"
#include "local/queue.h"
#include "store/name.h"

struct ryde_queue *
ryde_queue_open(const struct ryde_store_settings *settings, const char *name, bool create,
    struct ryde_err *err)
{
	struct ryde_store_name found;
	char dir[4096];

	if (ryde_store_resolve(settings, name, &found, err) != 0)
		return NULL;
	if (found.kind == RYDE_STORE_AWS)
		return ryde_sqs_queue_open(settings, &found, err);
	if (ryde_store_data_dir(settings, dir, err) != 0)
		return NULL;
	return ryde_queue_local_open(dir, found.name, create, err);
}

void
ryde_queue_close(struct ryde_queue *q)
{
	if (q != NULL)
		q->ops->close(q);
}

const char *
ryde_queue_label(const struct ryde_queue *q)
{
	return q->ops->label(q);
}

int
ryde_queue_send(struct ryde_queue *q, struct ryde_view body, struct ryde_err *err)
{
	if (body.n > RYDE_QUEUE_BODY_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "a message of %zu bytes: %s takes at most %u", body.n,
		    ryde_queue_label(q), RYDE_QUEUE_BODY_MAX);
	return q->ops->send(q, body, err);
}

int
ryde_queue_receive(struct ryde_queue *q, size_t max, int64_t not_after_ms,
    int64_t visibility_ms, const struct ryde_message **out, size_t *n,
    struct ryde_err *err)
{
	return q->ops->receive(q, max, not_after_ms, visibility_ms, out, n, err);
}

int
ryde_queue_delete(
    struct ryde_queue *q, const char *receipt, bool *stale, struct ryde_err *err)
{
	return q->ops->delete (q, receipt, stale, err);
}

int
ryde_queue_extend(struct ryde_queue *q, const char *receipt, int64_t visibility_ms,
    struct ryde_err *err)
{
	return q->ops->extend(q, receipt, visibility_ms, err);
}

int
ryde_queue_flush(struct ryde_queue *q, struct ryde_err *err)
{
	return q->ops->flush != NULL ? q->ops->flush(q, err) : 0;
}

int
ryde_queue_peek(struct ryde_queue *q, const char *after, size_t max,
    const struct ryde_message **out, size_t *n, struct ryde_err *err)
{
	return q->ops->peek(q, after, max, out, n, err);
}

int
ryde_queue_remove(struct ryde_queue *q, const char *id, bool *found, struct ryde_err *err)
{
	return q->ops->remove(q, id, found, err);
}

int
ryde_queue_count(
    struct ryde_queue *q, int64_t *visible, int64_t *hidden, struct ryde_err *err)
{
	return q->ops->count(q, visible, hidden, err);
}

int
ryde_queue_purge(struct ryde_queue *q, int64_t *n, struct ryde_err *err)
{
	return q->ops->purge(q, n, err);
}
