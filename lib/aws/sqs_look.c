#include "aws/sqs_parts.h"

#include "base/err.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_S 30 /* how long messages are hidden while they are looked at */
#define SEEN_MAX 10000
#define SEEN_BYTES ((size_t)256 << 20)

static void
forget(struct ryde_sqs_queue *q)
{
	for (size_t i = 0; i < q->n_seen; i++)
		free((void *)(uintptr_t)q->seen[i].body.p);
	free(q->seen);
	free(q->seen_taken);
	q->seen = NULL;
	q->seen_taken = NULL;
	q->n_seen = q->cap_seen = 0;
	q->looked = false;
}

int
ryde_sqs_look_end(struct ryde_sqs_queue *q, struct ryde_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < q->n_seen && rc == 0; i++)
		if (q->taken[q->seen_taken[i]].handle != NULL)
			rc = ryde_sqs_batch_extend(q, q->seen_taken[i], 0, err);
	if (rc == 0)
		rc = ryde_sqs_batch_flush(q, err);
	forget(q);
	return rc;
}

static int
keep(struct ryde_sqs_queue *q, const struct ryde_message *m, size_t number,
    struct ryde_err *err)
{
	char *body;

	if (q->n_seen == q->cap_seen) {
		size_t cap = q->cap_seen == 0 ? 64 : 2 * q->cap_seen;
		struct ryde_message *more = realloc(q->seen, cap * sizeof(*more));
		size_t *numbers;

		if (more == NULL)
			return ryde_err_nomem(err);
		q->seen = more;
		numbers = realloc(q->seen_taken, cap * sizeof(*numbers));
		if (numbers == NULL)
			return ryde_err_nomem(err);
		q->seen_taken = numbers;
		q->cap_seen = cap;
	}
	body = malloc(m->body.n + 1);
	if (body == NULL)
		return ryde_err_nomem(err);
	if (m->body.n > 0)
		memcpy(body, m->body.p, m->body.n);
	q->seen[q->n_seen] = *m;
	q->seen[q->n_seen].receives--; /* this look apart */
	q->seen[q->n_seen].body.p = body;
	q->seen_taken[q->n_seen++] = number;
	return 0;
}

static bool
known(const struct ryde_sqs_queue *q, const char *id)
{
	for (size_t i = 0; i < q->n_seen; i++)
		if (strcmp(q->seen[i].id, id) == 0)
			return true;
	return false;
}

static struct ryde_sqs_queue *sorting; /* qsort has no argument; one thread, one call */

static int
by_time(const void *a, const void *b)
{
	const struct ryde_message *x = &sorting->seen[*(const size_t *)a];
	const struct ryde_message *y = &sorting->seen[*(const size_t *)b];

	if (x->sent_ms != y->sent_ms)
		return x->sent_ms < y->sent_ms ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Oldest first. */
static int
sort_seen(struct ryde_sqs_queue *q, struct ryde_err *err)
{
	size_t n = q->n_seen + 1;
	size_t *order = malloc(n * sizeof(*order)), *numbers = malloc(n * sizeof(*order));
	struct ryde_message *seen = malloc(n * sizeof(*seen));
	int rc = -1;

	if (order == NULL || numbers == NULL || seen == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < q->n_seen; i++)
		order[i] = i;
	sorting = q;
	qsort(order, q->n_seen, sizeof(*order), by_time);
	for (size_t i = 0; i < q->n_seen; i++) {
		seen[i] = q->seen[order[i]];
		numbers[i] = q->seen_taken[order[i]];
	}
	memcpy(q->seen, seen, q->n_seen * sizeof(*seen));
	memcpy(q->seen_taken, numbers, q->n_seen * sizeof(*numbers));
	rc = 0;
out:
	free(order);
	free(numbers);
	free(seen);
	return rc;
}

/* Takes all visible messages for a moment. */
static int
look(struct ryde_sqs_queue *q, struct ryde_err *err)
{
	size_t bytes = 0, n;

	if (q->looked)
		return 0;
	q->looked = true;
	for (;;) {
		if (ryde_sqs_queue_take(q, RYDE_SQS_BATCH, LOOK_S, 1, &n, err) != 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			size_t number = q->n_taken - n + i;

			if (known(q, q->messages[i].id))
				continue;
			if (keep(q, &q->messages[i], number, err) != 0)
				return -1;
			bytes += q->messages[i].body.n;
		}
		if (n == 0)
			return q->n_seen > 0 ? sort_seen(q, err) : 0;
		if (q->n_seen >= SEEN_MAX || bytes >= SEEN_BYTES) {
			ryde_log(RYDE_LOG_WARNING,
			    "%s: more messages than can be looked at: these are %zu of "
			    "them",
			    q->what, q->n_seen);
			return sort_seen(q, err);
		}
	}
}

int
ryde_sqs_look_peek(struct ryde_queue *base, const char *after, size_t max,
    const struct ryde_message **out, size_t *n, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	size_t from = 0;

	if (after[0] == '\0' && q->looked && ryde_sqs_look_end(q, err) != 0)
		return -1;
	if (look(q, err) != 0)
		return -1;
	for (size_t i = 0; after[0] != '\0' && i < q->n_seen; i++)
		if (strcmp(q->seen[i].id, after) == 0)
			from = i + 1;
	*out = q->n_seen > 0 ? q->seen + from : NULL;
	*n = q->n_seen - from < max ? q->n_seen - from : max;
	return 0;
}

int
ryde_sqs_look_remove(
    struct ryde_queue *base, const char *id, bool *found, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);

	if (found != NULL)
		*found = false;
	if (look(q, err) != 0)
		return -1;
	for (size_t i = 0; i < q->n_seen; i++) {
		if (strcmp(q->seen[i].id, id) != 0 ||
		    q->taken[q->seen_taken[i]].handle == NULL)
			continue;
		if (found != NULL)
			*found = true;
		if (ryde_sqs_batch_delete(q, q->seen_taken[i], err) != 0)
			return -1;
		return ryde_sqs_batch_flush(q, err);
	}
	return 0;
}
