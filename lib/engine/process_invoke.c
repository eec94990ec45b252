#include "engine/process_invoke.h"

#include "aws/client.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "engine/process_call.h"
#include "engine/process_response.h"
#include "json/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_MAX 170	     /* of an ARN with its alias */
#define ANSWER_MAX ((size_t)8 << 20) /* 6 MB, and what an error is wrapped in */
#define IDLE_MS 930000		     /* 15 minutes, the longest that a function runs */

struct ryde_process_invoke {
	struct ryde_aws *aws;
	char path[3 * FUNCTION_MAX + 48];
	char what[FUNCTION_MAX + 16];
	char region[32]; /* of an ARN, else "" */
};

struct invocation {
	struct ryde_process_call base;
	struct ryde_aws_call *call;
	struct ryde_buf output;
	int64_t timeout_ms, timeout_at_ms;
	bool ended;
};

/* ---- the function ---- */

static bool
is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789-_:$");

	return n > 0 && n <= FUNCTION_MAX && s[n] == '\0';
}

/* The fourth part of arn:aws:lambda:REGION:…; "" where it is no ARN. */
static void
find_region(struct ryde_process_invoke *i, const char *function)
{
	const char *p = function;
	size_t n;

	if (strncmp(function, "arn:", 4) != 0)
		return;
	for (int k = 0; k < 3 && p != NULL; k++)
		p = strchr(p, ':') != NULL ? strchr(p, ':') + 1 : NULL;
	n = p != NULL ? strcspn(p, ":") : 0;
	if (n < sizeof i->region)
		snprintf(i->region, sizeof i->region, "%.*s", (int)n, p != NULL ? p : "");
}

struct ryde_process_invoke *
ryde_process_invoke_open(const struct ryde_store_settings *settings, const char *function,
    struct ryde_err *err)
{
	struct ryde_process_invoke *i;
	size_t at;

	if (!is_name(function)) {
		ryde_err_set(err, RYDE_EUSAGE,
		    "--invoke %s: the name or ARN of a Lambda function", function);
		return NULL;
	}
	i = calloc(1, sizeof *i);
	if (i == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	i->aws = ryde_aws_open(settings, err);
	if (i->aws == NULL) {
		free(i);
		return NULL;
	}
	find_region(i, function);
	snprintf(i->what, sizeof i->what, "function %s", function);
	at = (size_t)snprintf(i->path, sizeof i->path, "/2015-03-31/functions/");
	for (const char *s = function; *s != '\0'; s++)
		at += (size_t)snprintf(i->path + at, sizeof i->path - at,
		    *s == ':' || *s == '$' ? "%%%02X" : "%c", (unsigned char)*s);
	snprintf(i->path + at, sizeof i->path - at, "/invocations");
	return i;
}

void
ryde_process_invoke_close(struct ryde_process_invoke *i)
{
	if (i == NULL)
		return;
	ryde_aws_close(i->aws);
	free(i);
}

void
ryde_process_invoke_wait(const struct ryde_process_invoke *i, struct ryde_waits *w)
{
	ryde_aws_wait(i->aws, w);
}

int
ryde_process_invoke_turn(struct ryde_process_invoke *i, struct ryde_err *err)
{
	return ryde_aws_turn(i->aws, err);
}

/* ---- the end of a call ---- */

/* The last 4 KB that the function has logged, line by line. */
static void
say_log(const struct ryde_aws_call *call)
{
	struct ryde_view coded = ryde_aws_reply_header(call, "x-amz-log-result");
	struct ryde_buf text;
	size_t n;
	char *p;

	if (coded.n == 0 || !ryde_log_on(RYDE_LOG_INFO))
		return;
	ryde_buf_init(&text, coded.n + 8);
	p = ryde_buf_room(&text, coded.n + 8);
	if (p != NULL && ryde_base64_decode(p, coded.p, coded.n, &n)) {
		while (n > 0) {
			const char *nl = memchr(p, '\n', n);
			size_t line = nl != NULL ? (size_t)(nl - p) : n;

			if (line > 0)
				ryde_log(RYDE_LOG_INFO, "%.*s", (int)line, p);
			line += nl != NULL;
			p += line;
			n -= line;
		}
	}
	ryde_buf_free(&text);
}

/* The function has answered. */
static void
take_answer(struct invocation *v)
{
	const struct ryde_aws_reply *reply = ryde_aws_reply(v->call);
	struct ryde_view failed = ryde_aws_reply_header(v->call, "x-amz-function-error");
	char why[sizeof v->base.what - 32];

	say_log(v->call);
	if (failed.n > 0) {
		if (!ryde_process_response_error(reply->body, why, sizeof why))
			why[0] = '\0';
		snprintf(v->base.what, sizeof v->base.what, "%.*s%s%s",
		    failed.n < 20 ? (int)failed.n : 20, failed.p,
		    why[0] != '\0' ? ": " : "", why);
		return;
	}
	/* as a line it has no newlines in it */
	ryde_buf_init(&v->output, ANSWER_MAX);
	ryde_buf_view(&v->output, reply->body);
	for (size_t i = 0; i < v->output.n; i++)
		if (v->output.p[i] == '\n' || v->output.p[i] == '\r')
			v->output.p[i] = ' ';
	v->base.succeeded = true;
}

/* No answer of the function's: whose fault is that? */
static void
take_fault(struct invocation *v)
{
	const struct ryde_aws_reply *reply = ryde_aws_reply(v->call);
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_aws_reply_err(v->call, &err);
	snprintf(v->base.what, sizeof v->base.what, "%.150s", err.msg);
	/* what the service will not have, an event that is too large say, is a failed
	 * batch */
	if (reply->fault.kind != RYDE_AWS_REFUSED)
		v->base.unreached = err;
}

static bool
invocation_turn(struct ryde_process_call *base, int64_t now_ms)
{
	struct invocation *v = (struct invocation *)base;

	if (v->ended)
		return true;
	if (v->call != NULL && ryde_aws_done(v->call)) {
		if (ryde_aws_reply(v->call)->fault.kind == RYDE_AWS_FINE)
			take_answer(v);
		else
			take_fault(v);
	} else if (now_ms >= v->timeout_at_ms) {
		ryde_process_call_timed_out(base, v->timeout_ms);
	} else {
		return false;
	}
	v->ended = true;
	base->ended_ms = now_ms;
	ryde_aws_free(v->call);
	v->call = NULL;
	return true;
}

static void
invocation_wait(const struct ryde_process_call *base, struct ryde_waits *w)
{
	const struct invocation *v = (const struct invocation *)base;

	ryde_waits_until(w, v->timeout_at_ms);
}

/* The function itself runs on: nobody can stop it. */
static void
invocation_stop(struct ryde_process_call *base, int64_t now_ms)
{
	struct invocation *v = (struct invocation *)base;

	if (v->ended)
		return;
	base->stopped = v->ended = true;
	base->ended_ms = now_ms;
	ryde_aws_free(v->call);
	v->call = NULL;
}

static int
invocation_output(
    struct ryde_process_call *base, struct ryde_view *out, struct ryde_err *err)
{
	struct invocation *v = (struct invocation *)base;

	*out = ryde_buf_as_view(&v->output);
	return ryde_buf_check(&v->output, err);
}

static void
invocation_free(struct ryde_process_call *base)
{
	struct invocation *v = (struct invocation *)base;

	ryde_aws_free(v->call);
	ryde_buf_free(&v->output);
	free(v);
}

struct ryde_process_call *
ryde_process_invoke_start(struct ryde_process_invoke *i,
    const struct ryde_process_call_task *task, struct ryde_err *err)
{
	static const struct ryde_process_call_ops ops = {invocation_turn, invocation_wait,
	    invocation_stop, invocation_output, invocation_free};
	const struct ryde_aws_header headers[] = {
	    {"x-amz-invocation-type", "RequestResponse"}, {"x-amz-log-type", "Tail"}};
	struct ryde_aws_request request = {.service = RYDE_AWS_LAMBDA,
	    .operation = "Invoke",
	    .what = i->what,
	    .path = i->path,
	    .region = i->region[0] != '\0' ? i->region : NULL,
	    .headers = headers,
	    .n_headers = ryde_log_on(RYDE_LOG_INFO) ? 2 : 1,
	    .body = {task->input->iov_base, task->input->iov_len},
	    .reply_max = ANSWER_MAX,
	    .idle_timeout_ms = IDLE_MS,
	    .attempts = 1, /* whether to call again is for the mapping to say */
	    .own_pace = true};
	struct invocation *v = calloc(1, sizeof *v);

	if (v == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	v->base.ops = &ops;
	v->base.started_ms = ryde_clock_mono_ms();
	v->timeout_ms = task->timeout_ms;
	v->timeout_at_ms =
	    ryde_process_call_timeout_at(v->base.started_ms, task->timeout_ms);
	v->call = ryde_aws_start(i->aws, &request, err);
	if (v->call != NULL)
		return &v->base;
	free(v);
	return NULL;
}
