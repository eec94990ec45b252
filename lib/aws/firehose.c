#include "aws/firehose.h"

#include "aws/client.h"
#include "aws/fault.h"
#include "aws/service.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define WHY_MAX 200

struct ryde_firehose {
	struct ryde_aws *aws;
	char name[NAME_MAX_BYTES + 1];
	char what[NAME_MAX_BYTES + 32];
	struct ryde_buf body;
};

struct ryde_firehose *
ryde_firehose_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err)
{
	size_t n = strlen(name);
	struct ryde_firehose *f;

	if (n == 0 || n > NAME_MAX_BYTES ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789_.-") != n) {
		(void)ryde_err_set(err, RYDE_EUSAGE,
		    "'%.200s' is no delivery stream's name: 1 to %d letters, digits, "
		    "'_', '-' and '.'",
		    name, NAME_MAX_BYTES);
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	(void)snprintf(f->what, sizeof(f->what), "delivery stream %s", name);
	/* base64 of a full call, and what stands around its records */
	ryde_buf_init(&f->body, RYDE_FIREHOSE_BYTES_MAX * 2);
	f->aws = ryde_aws_open(settings, err);
	if (f->aws != NULL)
		return f;
	free(f);
	return NULL;
}

void
ryde_firehose_close(struct ryde_firehose *f)
{
	if (f == NULL)
		return;
	ryde_aws_close(f->aws);
	ryde_buf_free(&f->body);
	free(f);
}

static void
put_body(struct ryde_firehose *f, const struct ryde_view *records, size_t n)
{
	struct ryde_buf *b = &f->body;

	ryde_buf_clear(b);
	ryde_buf_printf(b, "{\"DeliveryStreamName\":\"%s\",\"Records\":[", f->name);
	for (size_t i = 0; i < n; i++) {
		ryde_buf_puts(b, i == 0 ? "{\"Data\":\"" : ",{\"Data\":\"");
		ryde_json_string_base64_put(b, records[i]);
		ryde_buf_puts(b, "\"}");
	}
	ryde_buf_puts(b, "]}");
}

/* One record's answer: true where it was not taken. */
static bool
read_answer(struct ryde_view text, char *why)
{
	struct ryde_json_value key, v, code = {0}, message = {0};
	struct ryde_json_walk w;

	if (!ryde_json_walk_begin(&w, text))
		return true;
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (ryde_view_is(key.text, "ErrorCode"))
			code = v;
		else if (ryde_view_is(key.text, "ErrorMessage"))
			message = v;
	}
	if (code.kind != RYDE_JSON_STRING || code.text.n == 0)
		return false;
	if (why[0] == '\0')
		(void)snprintf(why, WHY_MAX, "%.*s: %.*s", (int)code.text.n, code.text.p,
		    (int)message.text.n, message.text.p);
	return true;
}

/* Answers stand in the order of the records. */
static int
read_answers(
    struct ryde_view body, size_t n, bool *failed, char *why, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_fault fault;
	struct ryde_json_walk w, list;
	size_t i = 0;

	if (ryde_json_check(body, NULL, &fault) != 0 || !ryde_json_walk_begin(&w, body))
		goto strange;
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (!ryde_view_is(key.text, "RequestResponses") ||
		    v.kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&list, v.text))
			continue;
		while (i < n && ryde_json_walk_next(&list, &key, &v))
			failed[i++] = read_answer(v.text, why);
	}
	if (i == n)
		return 0;
strange:
	return ryde_err_set(
	    err, RYDE_EUNAVAILABLE, "PutRecordBatch: the answer is none of Firehose's");
}

int
ryde_firehose_put(struct ryde_firehose *f, const struct ryde_view *records, size_t n,
    bool *failed, char *why, struct ryde_err *err)
{
	struct ryde_aws_request request = {
	    .service = RYDE_AWS_FIREHOSE, .operation = "PutRecordBatch", .what = f->what};
	struct ryde_aws_call *call;
	int rc;

	why[0] = '\0';
	put_body(f, records, n);
	if (ryde_buf_check(&f->body, err) != 0)
		return -1;
	request.body = ryde_buf_as_view(&f->body);
	call = ryde_aws_do(f->aws, &request, err);
	if (call == NULL)
		return -1;
	if (ryde_aws_reply(call)->fault.kind != RYDE_AWS_FINE)
		rc = ryde_aws_reply_err(call, err);
	else
		rc = read_answers(ryde_aws_reply(call)->body, n, failed, why, err);
	ryde_aws_free(call);
	return rc;
}
