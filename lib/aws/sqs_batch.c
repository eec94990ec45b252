#include "aws/sqs_parts.h"

#include "aws/answer.h"
#include "base/err.h"
#include "base/log.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)64 << 10)

/* The entries of a batch; their Id is the place in the list. */
static void
put_entries(struct ryde_sqs_queue *q, const size_t *numbers, size_t n, bool extends,
    struct ryde_buf *b)
{
	bool first = true;

	ryde_buf_puts(b, "{\"QueueUrl\":");
	ryde_json_string_put(b, ryde_view_of(q->url));
	ryde_buf_puts(b, ",\"Entries\":[");
	for (size_t i = 0; i < n; i++) {
		if (q->taken[numbers[i]].handle == NULL)
			continue;
		ryde_buf_printf(b,
		    "%s{\"Id\":\"%zu\",\"ReceiptHandle\":", first ? "" : ",", numbers[i]);
		first = false;
		ryde_json_string_put(b, ryde_view_of(q->taken[numbers[i]].handle));
		if (extends)
			ryde_buf_printf(b, ",\"VisibilityTimeout\":%lld",
			    (long long)q->visibility_s[i]);
		ryde_buf_putc(b, '}');
	}
	ryde_buf_puts(b, "]}");
}

/* What became of the entries of a batch that were refused. */
static int
read_failed(struct ryde_sqs_queue *q, const struct ryde_aws_call *call,
    const char *operation, bool extends, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	struct ryde_view body;

	if (ryde_answer_body(call, operation, &body, err) != 0)
		return -1;
	v = ryde_answer_member(body, "Failed");
	if (v.kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&w, v.text))
		return 0;
	while (ryde_json_walk_next(&w, &key, &v)) {
		struct ryde_view code = ryde_answer_text(v.text, "Code");
		struct ryde_view id = ryde_answer_text(v.text, "Id");

		/* a time-out that is over: the message is visible again, or somebody
		 * else's */
		ryde_log(extends ? RYDE_LOG_INFO : RYDE_LOG_WARNING,
		    "%s: %s: entry %.*s: %.*s", q->what, operation, (int)id.n, id.p,
		    (int)code.n, code.n > 0 ? code.p : "");
	}
	return 0;
}

static int
send_batch(struct ryde_sqs_queue *q, const char *operation, const size_t *numbers,
    size_t n, bool extends, struct ryde_err *err)
{
	struct ryde_aws_call *call = NULL;
	struct ryde_buf b;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		any = any || q->taken[numbers[i]].handle != NULL;
	if (!any)
		return 0;
	ryde_buf_init(&b, BODY_MAX);
	put_entries(q, numbers, n, extends, &b);
	call = ryde_sqs_queue_ask(q, operation, &b, NULL, err);
	rc = call != NULL ? read_failed(q, call, operation, extends, err) : -1;
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

int
ryde_sqs_batch_flush(struct ryde_sqs_queue *q, struct ryde_err *err)
{
	size_t n;

	/* time-outs first: a message that is to be deleted needs none */
	n = q->n_extends;
	if (n > 0 &&
	    send_batch(q, "ChangeMessageVisibilityBatch", q->extends, n, true, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct ryde_sqs_taken *t = &q->taken[q->extends[i]];

		if (q->visibility_s[i] > 0)
			continue;
		free(t->handle);
		t->handle = NULL;
	}
	q->n_extends = 0;
	n = q->n_deletes;
	if (n > 0 && send_batch(q, "DeleteMessageBatch", q->deletes, n, false, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		free(q->taken[q->deletes[i]].handle);
		q->taken[q->deletes[i]].handle = NULL;
	}
	q->n_deletes = 0;
	return 0;
}

int
ryde_sqs_batch_delete(struct ryde_sqs_queue *q, size_t number, struct ryde_err *err)
{
	if (q->n_deletes == RYDE_SQS_BATCH && ryde_sqs_batch_flush(q, err) != 0)
		return -1;
	q->deletes[q->n_deletes++] = number;
	return 0;
}

int
ryde_sqs_batch_extend(
    struct ryde_sqs_queue *q, size_t number, int64_t visibility_s, struct ryde_err *err)
{
	for (size_t i = 0; i < q->n_extends; i++) {
		if (q->extends[i] == number) {
			q->visibility_s[i] = visibility_s;
			return 0;
		}
	}
	if (q->n_extends == RYDE_SQS_BATCH && ryde_sqs_batch_flush(q, err) != 0)
		return -1;
	q->extends[q->n_extends] = number;
	q->visibility_s[q->n_extends++] = visibility_s;
	return 0;
}
