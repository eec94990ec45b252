#include "aws/sqs_queue.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/sqs_parts.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "json/string.h"
#include "store/name.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)8 << 20)
#define BYTES_MAX ((size_t)16 << 20)
#define VISIBILITY_MAX_S 43200
#define WAIT_S \
	1 /* long polling asks all servers; a longer wait would keep the pipe waiting */
#define LATER_MAX 10000

struct ryde_aws_call *
ryde_sqs_queue_ask(struct ryde_sqs_queue *q, const char *operation, struct ryde_buf *body,
    struct ryde_aws_fault *fault, struct ryde_err *err)
{
	const struct ryde_ask ask = {.aws = q->aws,
	    .service = RYDE_AWS_SQS,
	    .operation = operation,
	    .what = q->what,
	    .region = q->region[0] != '\0' ? q->region : NULL,
	    .body = body,
	    .timeout_ms = 30000};

	return ryde_ask(&ask, fault, err);
}

static void
put_url(const struct ryde_sqs_queue *q, struct ryde_buf *b)
{
	ryde_buf_puts(b, "{\"QueueUrl\":");
	ryde_json_string_put(b, ryde_view_of(q->url));
}

/* Lower-case hexadecimal MD5. */
static bool
md5_is(struct ryde_view bytes, struct ryde_view hex)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(bytes.p, bytes.n, sum, &n, EVP_md5(), NULL) != 1 || hex.n != 2 * n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (hex.p[2 * i] != digits[sum[i] >> 4] ||
		    hex.p[2 * i + 1] != digits[sum[i] & 15])
			return false;
	return true;
}

/* ---- sending ---- */

/*
 * Our bodies are JSON texts; U+FFFE and U+FFFF, which SQS does not take, stand in its
 * strings, where an escape says the same.
 */
static void
put_taken_text(struct ryde_buf *b, struct ryde_view body)
{
	size_t run = 0;

	for (size_t i = 0; i + 2 < body.n; i++) {
		if (memcmp(body.p + i, "\xef\xbf\xbe", 3) != 0 &&
		    memcmp(body.p + i, "\xef\xbf\xbf", 3) != 0)
			continue;
		ryde_buf_add(b, body.p + run, i - run);
		ryde_buf_puts(b, body.p[i + 2] == '\xbe' ? "\\ufffe" : "\\uffff");
		i += 2;
		run = i + 1;
	}
	ryde_buf_add(b, body.p + run, body.n - run);
}

static void
put_fifo(const struct ryde_sqs_queue *q, struct ryde_view body, struct ryde_buf *b)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!q->fifo)
		return;
	/* the same body again within five minutes is the same message sent again */
	ryde_buf_puts(b, ",\"MessageGroupId\":\"ryde\",\"MessageDeduplicationId\":\"");
	if (EVP_Digest(body.p, body.n, sum, &n, EVP_sha256(), NULL) != 1)
		n = 0;
	for (unsigned i = 0; i < n; i++)
		ryde_buf_printf(b, "%02x", sum[i]);
	ryde_buf_putc(b, '"');
}

static int
send_message(struct ryde_queue *base, struct ryde_view body, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	struct ryde_aws_call *call = NULL;
	struct ryde_view answer;
	struct ryde_buf b, text;
	int rc = -1;

	ryde_buf_init(&b, BODY_MAX);
	ryde_buf_init(&text, BODY_MAX);
	put_taken_text(&text, body);
	put_url(q, &b);
	ryde_buf_puts(&b, ",\"MessageBody\":");
	ryde_json_string_put(&b, ryde_buf_as_view(&text));
	put_fifo(q, ryde_buf_as_view(&text), &b);
	ryde_buf_putc(&b, '}');
	if (ryde_buf_check(&text, err) != 0)
		goto out;
	call = ryde_sqs_queue_ask(q, "SendMessage", &b, NULL, err);
	if (call == NULL || ryde_answer_body(call, "SendMessage", &answer, err) != 0)
		goto out;
	if (!md5_is(
		ryde_buf_as_view(&text), ryde_answer_text(answer, "MD5OfMessageBody")))
		(void)ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: SQS has received other bytes than were sent (MD5)", q->what);
	else
		rc = 0;
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	ryde_buf_free(&text);
	return rc;
}

/* ---- receiving ---- */

/* Notes a receipt handle; its number is q->n_taken - 1 then. */
static int
note_taken(struct ryde_sqs_queue *q, struct ryde_view handle, const char *id,
    struct ryde_err *err)
{
	struct ryde_sqs_taken *more;
	struct ryde_buf plain;

	if (q->n_taken == q->cap_taken) {
		size_t cap = q->cap_taken == 0 ? 64 : 2 * q->cap_taken;

		more = realloc(q->taken, cap * sizeof(*more));
		if (more == NULL)
			return ryde_err_nomem(err);
		q->taken = more;
		q->cap_taken = cap;
	}
	ryde_buf_init(&plain, 4096);
	ryde_json_string_decode(&plain, handle);
	more = &q->taken[q->n_taken];
	more->handle = strdup(ryde_buf_str(&plain));
	ryde_buf_free(&plain);
	if (more->handle == NULL)
		return ryde_err_nomem(err);
	memcpy(more->id, id, sizeof(more->id));
	q->n_taken++;
	return 0;
}

static int
take_message(struct ryde_sqs_queue *q, struct ryde_message *m, struct ryde_view entry,
    struct ryde_err *err)
{
	struct ryde_view attributes = ryde_answer_member(entry, "Attributes").text;
	size_t before = q->bytes.n;

	*m = (struct ryde_message){.sent_ms = 0};
	if (!ryde_answer_copy(m->id, sizeof(m->id), ryde_answer_text(entry, "MessageId")))
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: an answer that makes no sense: a message without an id",
		    q->what);
	(void)ryde_num_i64(
	    ryde_answer_text(attributes, "SentTimestamp"), 0, INT64_MAX, &m->sent_ms);
	(void)ryde_num_i64(ryde_answer_text(attributes, "ApproximateReceiveCount"), 0,
	    INT64_MAX, &m->receives);
	ryde_json_string_decode(&q->bytes, ryde_answer_text(entry, "Body"));
	if (ryde_buf_check(&q->bytes, err) != 0)
		return -1;
	m->body.n = q->bytes.n - before;
	if (!md5_is(ryde_view_mem(q->bytes.p + before, m->body.n),
		ryde_answer_text(entry, "MD5OfBody")))
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: message %s has other bytes than SQS says (MD5)", q->what, m->id);
	if (note_taken(q, ryde_answer_text(entry, "ReceiptHandle"), m->id, err) != 0)
		return -1;
	(void)snprintf(m->receipt, sizeof(m->receipt), "%zu", q->n_taken - 1);
	return 0;
}

static int
take_all(struct ryde_sqs_queue *q, struct ryde_view list, size_t *n, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	const char *p;

	if (list.n == 0 || !ryde_json_walk_begin(&w, list))
		return 0;
	while (*n < RYDE_SQS_BATCH && ryde_json_walk_next(&w, &key, &v)) {
		if (take_message(q, &q->messages[*n], v.text, err) != 0)
			return -1;
		++*n;
	}
	/* once the buffer moves no more */
	p = ryde_buf_str(&q->bytes);
	for (size_t i = 0; i < *n; i++) {
		q->messages[i].body.p = p;
		p += q->messages[i].body.n;
	}
	return 0;
}

int
ryde_sqs_queue_take(struct ryde_sqs_queue *q, size_t max, int64_t visibility_s,
    int wait_s, size_t *n, struct ryde_err *err)
{
	struct ryde_aws_call *call;
	struct ryde_view answer;
	struct ryde_buf b;
	int rc = -1;

	*n = 0;
	ryde_buf_clear(&q->bytes);
	ryde_buf_init(&b, 8192);
	put_url(q, &b);
	ryde_buf_printf(&b,
	    ",\"MaxNumberOfMessages\":%zu,\"VisibilityTimeout\":%lld,\"WaitTimeSeconds\":"
	    "%d,\"AttributeNames\":[\"SentTimestamp\",\"ApproximateReceiveCount\"]}",
	    max < RYDE_SQS_BATCH ? max : RYDE_SQS_BATCH, (long long)visibility_s, wait_s);
	call = ryde_sqs_queue_ask(q, "ReceiveMessage", &b, NULL, err);
	if (call != NULL && ryde_answer_body(call, "ReceiveMessage", &answer, err) == 0)
		rc = take_all(q, ryde_answer_member(answer, "Messages").text, n, err);
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

static int64_t
seconds(int64_t ms)
{
	int64_t s = (ms + 999) / 1000;

	return s > VISIBILITY_MAX_S ? VISIBILITY_MAX_S : s;
}

/* Keeps a message that was sent too late hidden until the end. */
static int
put_off(struct ryde_sqs_queue *q, size_t number, struct ryde_err *err)
{
	if (q->n_later == LATER_MAX)
		return ryde_sqs_batch_extend(q, number, 0, err);
	if (q->n_later == q->cap_later) {
		size_t cap = q->cap_later == 0 ? 16 : 2 * q->cap_later;
		size_t *more = realloc(q->later, cap * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		q->later = more;
		q->cap_later = cap;
	}
	q->later[q->n_later++] = number;
	return ryde_sqs_batch_extend(q, number, 900, err);
}

static int
receive(struct ryde_queue *base, size_t max, int64_t not_after_ms, int64_t visibility_ms,
    const struct ryde_message **out, size_t *n, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	size_t got, kept;

	*n = 0;
	*out = q->messages;
	if (not_after_ms < INT64_MAX / 2)
		not_after_ms += ryde_aws_skew_ms(q->aws);
	do {
		if (ryde_sqs_batch_flush(q, err) != 0 ||
		    ryde_sqs_queue_take(
			q, max, seconds(visibility_ms), WAIT_S, &got, err) != 0)
			return -1;
		kept = 0;
		for (size_t i = 0; i < got; i++) {
			if (q->messages[i].sent_ms <= not_after_ms)
				q->messages[kept++] = q->messages[i];
			else if (put_off(q, q->n_taken - got + i, err) != 0)
				return -1;
		}
	} while (got > 0 && kept == 0);
	*n = kept;
	return 0;
}

int
ryde_sqs_queue_number(const struct ryde_sqs_queue *q, const char *receipt, size_t *number,
    struct ryde_err *err)
{
	uint64_t u;

	if (!ryde_num_u64(ryde_view_of(receipt), UINT32_MAX, &u) || u >= q->n_taken)
		return ryde_err_set(err, RYDE_EDATA, "'%.60s' is no receipt", receipt);
	*number = (size_t)u;
	return 0;
}

static int
delete_message(
    struct ryde_queue *base, const char *receipt, bool *stale, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	size_t number;

	if (stale != NULL)
		*stale = false;
	if (ryde_sqs_queue_number(q, receipt, &number, err) != 0)
		return -1;
	return ryde_sqs_batch_delete(q, number, err);
}

static int
extend(struct ryde_queue *base, const char *receipt, int64_t visibility_ms,
    struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	size_t number;

	if (ryde_sqs_queue_number(q, receipt, &number, err) != 0)
		return -1;
	return ryde_sqs_batch_extend(q, number, seconds(visibility_ms), err);
}

static int
flush(struct ryde_queue *base, struct ryde_err *err)
{
	return ryde_sqs_batch_flush(ryde_sqs_parts_of(base), err);
}

/* ---- counting ---- */

static int
count(struct ryde_queue *base, int64_t *visible, int64_t *hidden, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	struct ryde_aws_call *call;
	struct ryde_view answer, a;
	struct ryde_buf b;
	int64_t delayed = 0;
	int rc = -1;

	*visible = *hidden = 0;
	ryde_buf_init(&b, 8192);
	put_url(q, &b);
	ryde_buf_puts(&b, ",\"AttributeNames\":[\"ApproximateNumberOfMessages\","
			  "\"ApproximateNumberOfMessagesNotVisible\","
			  "\"ApproximateNumberOfMessagesDelayed\"]}");
	call = ryde_sqs_queue_ask(q, "GetQueueAttributes", &b, NULL, err);
	if (call != NULL &&
	    ryde_answer_body(call, "GetQueueAttributes", &answer, err) == 0) {
		a = ryde_answer_member(answer, "Attributes").text;
		(void)ryde_num_i64(ryde_answer_text(a, "ApproximateNumberOfMessages"), 0,
		    INT64_MAX, visible);
		(void)ryde_num_i64(
		    ryde_answer_text(a, "ApproximateNumberOfMessagesNotVisible"), 0,
		    INT64_MAX / 2, hidden);
		(void)ryde_num_i64(
		    ryde_answer_text(a, "ApproximateNumberOfMessagesDelayed"), 0,
		    INT64_MAX / 2, &delayed);
		*hidden += delayed;
		rc = 0;
	}
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

static int
purge(struct ryde_queue *base, int64_t *n, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	struct ryde_err why = RYDE_ERR_INIT;
	int64_t visible, hidden;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_buf b;

	if (count(base, &visible, &hidden, err) != 0)
		return -1;
	ryde_buf_init(&b, 8192);
	put_url(q, &b);
	ryde_buf_putc(&b, '}');
	call = ryde_sqs_queue_ask(q, "PurgeQueue", &b, &fault, &why);
	ryde_aws_free(call);
	ryde_buf_free(&b);
	if (call != NULL) {
		*n = visible + hidden;
		return 0;
	}
	if (strstr(fault.code, "PurgeQueueInProgress") != NULL)
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "%s was purged less than a minute ago: SQS wants that long between "
		    "two "
		    "purges",
		    q->what);
	*err = why;
	return -1;
}

/* ---- opening and making ---- */

static void
close_queue(struct ryde_queue *base)
{
	struct ryde_sqs_queue *q = ryde_sqs_parts_of(base);
	struct ryde_err err = RYDE_ERR_INIT;
	int rc = 0;

	/* where giving back fails the time-out does it */
	if (q->url != NULL) {
		for (size_t i = 0; i < q->n_later && rc == 0; i++)
			rc = ryde_sqs_batch_extend(q, q->later[i], 0, &err);
		if (rc != 0 || ryde_sqs_look_end(q, &err) != 0)
			ryde_log(RYDE_LOG_WARNING, "%s", err.msg);
	}
	for (size_t i = 0; i < q->n_taken; i++)
		free(q->taken[i].handle);
	free(q->taken);
	free(q->later);
	free(q->url);
	ryde_buf_free(&q->bytes);
	if (q->aws != NULL)
		ryde_aws_close(q->aws);
	free(q);
}

static const char *
label(const struct ryde_queue *base)
{
	return ((const struct ryde_sqs_queue *)base)->label;
}

static const struct ryde_queue_ops ops = {
    .close = close_queue,
    .label = label,
    .send = send_message,
    .receive = receive,
    .delete = delete_message,
    .extend = extend,
    .flush = flush,
    .peek = ryde_sqs_look_peek,
    .remove = ryde_sqs_look_remove,
    .count = count,
    .purge = purge,
};

static void
name_queue(struct ryde_sqs_queue *q, const struct ryde_store_name *name)
{
	size_t n = strlen(name->name);

	(void)snprintf(q->name, sizeof(q->name), "%s", name->name);
	(void)snprintf(q->what, sizeof(q->what), "queue %s", name->name);
	(void)snprintf(q->label, sizeof(q->label), "%s", name->label);
	(void)snprintf(q->region, sizeof(q->region), "%s", name->region);
	(void)snprintf(q->account, sizeof(q->account), "%s", name->account);
	q->fifo = n > 5 && strcmp(name->name + n - 5, ".fifo") == 0;
}

/* Finds the queue's URL; stays NULL where there is no such queue. */
static int
find_url(struct ryde_sqs_queue *q, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_view answer;
	struct ryde_buf b;
	int rc = -1;

	ryde_buf_init(&b, 8192);
	ryde_buf_puts(&b, "{\"QueueName\":");
	ryde_json_string_put(&b, ryde_view_of(q->name));
	if (q->account[0] != '\0')
		ryde_buf_printf(&b, ",\"QueueOwnerAWSAccountId\":\"%s\"", q->account);
	ryde_buf_putc(&b, '}');
	call = ryde_sqs_queue_ask(q, "GetQueueUrl", &b, &fault, &why);
	ryde_buf_clear(&b);
	if (call == NULL) {
		rc = fault.kind == RYDE_AWS_MISSING ? 0 : -1;
		if (rc != 0)
			*err = why;
	} else if (ryde_answer_body(call, "GetQueueUrl", &answer, err) == 0) {
		ryde_json_string_decode(&b, ryde_answer_text(answer, "QueueUrl"));
		if (b.n == 0)
			(void)ryde_err_set(err, RYDE_ECONFIG,
			    "%s: the answer has no QueueUrl: is the endpoint SQS?",
			    q->what);
		else if ((q->url = strdup(ryde_buf_str(&b))) == NULL)
			(void)ryde_err_nomem(err);
		else
			rc = 0;
	}
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

static int
missing(const struct ryde_sqs_queue *q, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ENOINPUT,
	    "there is no queue %s here on AWS (%s); to create it: ryde-admin create "
	    "queue "
	    "aws:%s",
	    q->name, q->region[0] != '\0' ? q->region : ryde_aws_region(q->aws, NULL),
	    q->name);
}

struct ryde_queue *
ryde_sqs_queue_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_sqs_queue *q = calloc(1, sizeof(*q));

	if (q == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	q->base.ops = &ops;
	name_queue(q, name);
	ryde_buf_init(&q->bytes, BYTES_MAX);
	q->aws = ryde_aws_open(settings, err);
	if (q->aws != NULL && find_url(q, err) == 0) {
		if (q->url != NULL)
			return &q->base;
		(void)missing(q, err);
	}
	close_queue(&q->base);
	return NULL;
}

/* One call about a queue by itself: body is what stands in it. */
static int
order(struct ryde_sqs_queue *q, const char *operation, struct ryde_buf *body,
    struct ryde_err *err)
{
	struct ryde_aws_call *call = ryde_sqs_queue_ask(q, operation, body, NULL, err);

	ryde_aws_free(call);
	return call != NULL ? 0 : -1;
}

int
ryde_sqs_queue_create(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_sqs_queue q = {.aws = aws};
	struct ryde_buf b;
	int rc;

	name_queue(&q, name);
	ryde_buf_init(&b, 8192);
	ryde_buf_puts(&b, "{\"QueueName\":");
	ryde_json_string_put(&b, ryde_view_of(q.name));
	if (q.fifo)
		ryde_buf_puts(&b, ",\"Attributes\":{\"FifoQueue\":\"true\"}");
	ryde_buf_putc(&b, '}');
	rc = order(&q, "CreateQueue", &b, err);
	ryde_buf_free(&b);
	return rc;
}

int
ryde_sqs_queue_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_sqs_queue q = {.aws = aws};
	struct ryde_buf b;
	int rc = -1;

	name_queue(&q, name);
	ryde_buf_init(&b, 8192);
	if (find_url(&q, err) == 0) {
		if (q.url == NULL) {
			(void)missing(&q, err);
		} else {
			put_url(&q, &b);
			ryde_buf_putc(&b, '}');
			rc = order(&q, "DeleteQueue", &b, err);
		}
	}
	free(q.url);
	ryde_buf_free(&b);
	return rc;
}

int
ryde_sqs_queue_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err)
{
	struct ryde_sqs_queue q = {.aws = aws};
	int rc;

	name_queue(&q, name);
	rc = find_url(&q, err);
	*exists = q.url != NULL;
	free(q.url);
	return rc;
}

/* One page of the list; next becomes its NextToken. */
static int
list_page(struct ryde_sqs_queue *q, struct ryde_buf *next,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_aws_call *call;
	struct ryde_view answer;
	struct ryde_json_walk w;
	struct ryde_buf b, url;
	int rc = -1;

	ryde_buf_init(&b, 65536);
	ryde_buf_init(&url, 8192);
	ryde_buf_puts(&b, "{\"MaxResults\":1000");
	if (next->n > 0)
		ryde_buf_printf(&b, ",\"NextToken\":\"%s\"", ryde_buf_str(next));
	ryde_buf_putc(&b, '}');
	ryde_buf_clear(next);
	call = ryde_sqs_queue_ask(q, "ListQueues", &b, NULL, err);
	if (call == NULL || ryde_answer_body(call, "ListQueues", &answer, err) != 0)
		goto out;
	v = ryde_answer_member(answer, "QueueUrls");
	if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text)) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			const char *slash;

			ryde_buf_clear(&url);
			ryde_json_string_decode(&url, v.text);
			slash = strrchr(ryde_buf_str(&url), '/');
			if (slash != NULL)
				fn(arg, slash + 1);
		}
	}
	ryde_buf_view(next, ryde_answer_text(answer, "NextToken"));
	rc = ryde_buf_check(next, err);
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	ryde_buf_free(&url);
	return rc;
}

int
ryde_sqs_queue_list(struct ryde_aws *aws, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err)
{
	struct ryde_sqs_queue q = {.aws = aws, .what = "the list of queues"};
	struct ryde_buf next;
	int rc;

	ryde_buf_init(&next, 16384);
	do
		rc = list_page(&q, &next, fn, arg, err);
	while (rc == 0 && next.n > 0);
	ryde_buf_free(&next);
	return rc;
}
