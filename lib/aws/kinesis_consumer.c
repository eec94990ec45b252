#include "aws/kinesis_consumer.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/kinesis_stream.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdio.h>
#include <string.h>

#define REGISTER_MS 60000
#define LIST_MAX 100
#define LOOK_MS 200

/* One call about the stream's consumer. */
static struct ryde_aws_call *
ask(struct ryde_kinesis_stream *s, const char *operation, struct ryde_aws_fault *fault,
    struct ryde_err *err)
{
	struct ryde_aws_call *call;
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	ryde_buf_printf(&b, "{\"StreamARN\":\"%s\",\"ConsumerName\":\"%s\"}", s->arn,
	    s->consumer_name);
	call = ryde_kinesis_stream_ask(s, operation, &b, fault, err);
	ryde_buf_free(&b);
	return call;
}

int
ryde_kinesis_consumer_describe(
    struct ryde_kinesis_stream *s, char *status, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call = ask(s, "DescribeStreamConsumer", &fault, &why);
	struct ryde_view body, d;
	int rc = -1;

	status[0] = '\0';
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			return 0;
		*err = why;
		return -1;
	}
	if (ryde_answer_body(call, "DescribeStreamConsumer", &body, err) != 0)
		goto out;
	d = ryde_answer_member(body, "ConsumerDescription").text;
	if (!ryde_answer_copy(status, 16, ryde_answer_text(d, "ConsumerStatus")) ||
	    status[0] == '\0' ||
	    !ryde_answer_copy(
		s->consumer, sizeof(s->consumer), ryde_answer_text(d, "ConsumerARN"))) {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "%s: the answer does not describe a consumer: is the endpoint "
		    "Kinesis?",
		    s->what);
		goto out;
	}
	rc = 0;
out:
	ryde_aws_free(call);
	return rc;
}

static int
enroll(struct ryde_kinesis_stream *s, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call = ask(s, "RegisterStreamConsumer", &fault, &why);

	/* another one may have done so meanwhile */
	if (call == NULL && !ryde_aws_fault_is(&fault, "ResourceInUseException")) {
		*err = why;
		return -1;
	}
	if (call != NULL)
		ryde_log(RYDE_LOG_NOTICE, "%s: consumer %s is registered now", s->what,
		    s->consumer_name);
	ryde_aws_free(call);
	return 0;
}

static int
valid(const char *name, struct ryde_err *err)
{
	size_t n = strlen(name);

	if (n >= 1 && n <= 128 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_.-") == n)
		return 0;
	return ryde_err_set(err, RYDE_EUSAGE,
	    "'%.140s' is no name for a consumer: 1 to 128 letters, digits, '_', '.' and "
	    "'-'",
	    name);
}

/* Rests, until the next look at what is still of this status; -1 once it is too late. */
static int
look_later(struct ryde_kinesis_stream *s, const char *status, int64_t until_mono_ms,
    struct ryde_err *err)
{
	if (ryde_clock_mono_ms() >= until_mono_ms)
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "%s: its consumer %s is %s, still; try again", s->what,
		    s->consumer_name, status[0] != '\0' ? status : "missing");
	return ryde_kinesis_stream_rest(LOOK_MS, err);
}

int
ryde_kinesis_consumer_register(struct ryde_stream *base, const char *consumer,
    const char **arn, struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);
	int64_t until = ryde_clock_mono_ms() + REGISTER_MS;
	bool enrolled = false;
	char status[16];

	if (valid(consumer, err) != 0)
		return -1;
	(void)snprintf(s->consumer_name, sizeof(s->consumer_name), "%s", consumer);
	for (;;) {
		if (ryde_kinesis_consumer_describe(s, status, err) != 0)
			return -1;
		if (strcmp(status, "ACTIVE") == 0)
			break;
		if (status[0] == '\0' && !enrolled && enroll(s, err) != 0)
			return -1;
		enrolled = enrolled || status[0] == '\0';
		if (look_later(s, status, until, err) != 0)
			return -1;
	}
	*arn = s->consumer;
	return 0;
}

/* It is being deleted: until it is gone. */
static int
until_gone(struct ryde_kinesis_stream *s, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + REGISTER_MS;
	char status[16];

	for (;;) {
		if (ryde_kinesis_consumer_describe(s, status, err) != 0)
			return -1;
		if (status[0] == '\0')
			return 0;
		if (look_later(s, status, until, err) != 0)
			return -1;
	}
}

int
ryde_kinesis_consumer_delete(
    struct ryde_stream *base, const char *consumer, struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;

	if (valid(consumer, err) != 0)
		return -1;
	(void)snprintf(s->consumer_name, sizeof(s->consumer_name), "%s", consumer);
	call = ask(s, "DeregisterStreamConsumer", &fault, &why);
	if (call == NULL && fault.kind == RYDE_AWS_MISSING)
		return ryde_err_set(
		    err, RYDE_ENOINPUT, "%s has no consumer %s", s->what, consumer);
	/* in use: it is being deleted already, or not yet made */
	if (call == NULL && !ryde_aws_fault_is(&fault, "ResourceInUseException")) {
		*err = why;
		return -1;
	}
	ryde_aws_free(call);
	return until_gone(s, err);
}

/* Calls fn for each consumer of an answer; next becomes where the list goes on. */
static void
hand_out(
    struct ryde_view body, struct ryde_buf *next, ryde_stream_consumer_fn fn, void *arg)
{
	struct ryde_json_value key, v = ryde_answer_member(body, "Consumers");
	struct ryde_json_walk w;
	char name[129], status[16], arn[RYDE_KINESIS_ARN_MAX * 2];

	ryde_buf_clear(next);
	if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text))
		while (ryde_json_walk_next(&w, &key, &v))
			if (ryde_answer_copy(name, sizeof(name),
				ryde_answer_text(v.text, "ConsumerName")) &&
			    ryde_answer_copy(status, sizeof(status),
				ryde_answer_text(v.text, "ConsumerStatus")) &&
			    ryde_answer_copy(arn, sizeof(arn),
				ryde_answer_text(v.text, "ConsumerARN")))
				fn(arg, name, status, arn);
	ryde_buf_view(next, ryde_answer_text(body, "NextToken"));
}

int
ryde_kinesis_consumer_list(
    struct ryde_stream *base, ryde_stream_consumer_fn fn, void *arg, struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);
	struct ryde_aws_call *call;
	struct ryde_view body;
	struct ryde_buf b, next;
	int rc = -1;

	ryde_buf_init(&b, (size_t)2 << 20);
	ryde_buf_init(&next, (size_t)2 << 20);
	do {
		ryde_buf_clear(&b);
		ryde_buf_printf(
		    &b, "{\"StreamARN\":\"%s\",\"MaxResults\":%d", s->arn, LIST_MAX);
		if (next.n > 0) {
			ryde_buf_puts(&b, ",\"NextToken\":");
			ryde_json_string_put(&b, ryde_buf_as_view(&next));
		}
		ryde_buf_putc(&b, '}');
		call = ryde_kinesis_stream_ask(s, "ListStreamConsumers", &b, NULL, err);
		rc = call == NULL
			 ? -1
			 : ryde_answer_body(call, "ListStreamConsumers", &body, err);
		if (rc == 0)
			hand_out(body, &next, fn, arg);
		ryde_aws_free(call);
	} while (rc == 0 && next.n > 0);
	ryde_buf_free(&b);
	ryde_buf_free(&next);
	return rc;
}
