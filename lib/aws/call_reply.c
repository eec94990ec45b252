#include "aws/call.h"
#include "aws/credentials.h"
#include "base/clock.h"
#include "base/crc32.h"
#include "base/log.h"
#include "base/num.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A longer message is cut. */
__attribute__((format(printf, 3, 4))) static void
say(struct ryde_aws_fault *f, enum ryde_aws_kind kind, const char *fmt, ...)
{
	va_list ap;

	f->kind = kind;
	va_start(ap, fmt);
	if (vsnprintf(f->message, sizeof(f->message), fmt, ap) < 0)
		f->message[0] = '\0';
	va_end(ap);
}

static void
read_http_fault(struct ryde_aws_call *call, const struct ryde_http_answer *a)
{
	struct ryde_aws_fault *f = &call->reply.fault;
	const char *host = call->endpoint.host;

	*f = (struct ryde_aws_fault){.status = a->status, .retry_after_ms = -1};
	switch (a->fault) {
	case RYDE_HTTP_RESOLVE:
		say(f, RYDE_AWS_TRANSIENT,
		    "%s has no address: is the region (%s) right, and the network up? "
		    "(%s)",
		    host, call->region, a->detail);
		return;
	case RYDE_HTTP_CONNECT:
		say(f, RYDE_AWS_TRANSIENT, "nobody answers at %s (%s)", host, a->detail);
		return;
	case RYDE_HTTP_TRUST:
		say(f, RYDE_AWS_STRANGE,
		    "the certificate of %s does not verify (%s); a proxy's own authority "
		    "goes into "
		    "AWS_CA_BUNDLE",
		    host, a->detail);
		return;
	case RYDE_HTTP_URL:
		say(f, RYDE_AWS_STRANGE, "%s: %s", call->url.p, a->detail);
		return;
	case RYDE_HTTP_LONG:
		say(f, RYDE_AWS_STRANGE, "the answer of %s is longer than it may be",
		    host);
		return;
	case RYDE_HTTP_STOPPED:
		say(f, RYDE_AWS_REFUSED, "%s",
		    ryde_http_source_err(call->exchange)->code != RYDE_OK
			? ryde_http_source_err(call->exchange)->msg
			: "ended by the program");
		return;
	case RYDE_HTTP_FINE:
	case RYDE_HTTP_TIMEOUT:
	case RYDE_HTTP_LOST:
	case RYDE_HTTP_OTHER:
		break;
	}
	say(f, RYDE_AWS_TRANSIENT, "%s: %s", host, a->detail);
}

/* What a good status alone does not promise: that it was AWS, and that the body is whole.
 */
static void
check_body(struct ryde_aws_call *call, const struct ryde_http_answer *a)
{
	struct ryde_aws_fault *f = &call->reply.fault;
	struct ryde_view body = ryde_buf_as_view(&a->body),
			 sum = ryde_http_header(a, "x-amz-crc32"),
			 type = ryde_http_header(a, "content-type");
	uint64_t want;

	if (ryde_aws_service_facts(call->request.service)->target != NULL && body.n > 0 &&
	    body.p[0] != '{' && body.p[0] != '[') {
		say(f, RYDE_AWS_STRANGE,
		    "%s answers with %.*s, which is not how AWS answers: is the endpoint "
		    "right, or "
		    "a proxy in between?",
		    call->endpoint.host,
		    type.n > 0 ? (int)(type.n < 80 ? type.n : 80) : 15,
		    type.n > 0 ? type.p : "an unknown type");
	} else if (sum.n > 0 && ryde_num_u64(sum, UINT32_MAX, &want) &&
		   ryde_crc32(body) != want) {
		say(f, RYDE_AWS_TRANSIENT, "%s: the answer does not fit its checksum",
		    call->endpoint.host);
	}
}

static void
read_answer(struct ryde_aws_call *call, const struct ryde_http_answer *a)
{
	struct ryde_aws_reply *reply = &call->reply;
	struct ryde_view id = ryde_http_header(a, "x-amzn-requestid"),
			 after = ryde_http_header(a, "x-amz-retry-after");
	uint64_t after_ms;

	if (id.n == 0)
		id = ryde_http_header(a, "x-amz-request-id");
	reply->status = a->status;
	reply->body = ryde_buf_as_view(&a->body);
	reply->attempts = call->tries.made;
	(void)snprintf(reply->request_id, sizeof(reply->request_id), "%.*s",
	    (int)(id.n < 79 ? id.n : 79), id.n > 0 ? id.p : "");
	if (a->fault != RYDE_HTTP_FINE) {
		read_http_fault(call, a);
		return;
	}
	ryde_aws_fault_read(&reply->fault, a->status,
	    ryde_http_header(a, "x-amzn-errortype"), ryde_http_header(a, "content-type"),
	    reply->body);
	if (ryde_num_u64(after, 600000, &after_ms))
		reply->fault.retry_after_ms = (int64_t)after_ms;
	if (reply->fault.kind == RYDE_AWS_FINE)
		check_body(call, a);
}

void
ryde_aws_call_settle(struct ryde_aws_call *call)
{
	call->state = RYDE_AWS_CALL_SETTLED;
}

/* The service's clock minus the one that was signed with, at the time of the answer. */
static int64_t
skew_of(const struct ryde_aws_call *call, const struct ryde_http_answer *a)
{
	if (a->date_unix_s < 0 || call->signed_at_ms == 0)
		return 0;
	return a->date_unix_s * 1000 - (ryde_clock_wall_ms() + call->aws->skew_ms);
}

static void
try_again(struct ryde_aws_call *call, enum ryde_aws_verdict verdict, int64_t skew_ms,
    int64_t delay_ms)
{
	struct ryde_aws *aws = call->aws;

	if (verdict == RYDE_AWS_AGAIN_CLOCK) {
		aws->skew_ms += skew_ms;
		ryde_log(RYDE_LOG_WARNING,
		    "the clock of this machine is off by %lld s: requests are signed "
		    "with the time of %s",
		    (long long)(aws->skew_ms / 1000), call->endpoint.host);
	}
	if (verdict == RYDE_AWS_AGAIN_KEYS)
		ryde_aws_credentials_renew(aws->credentials);
	ryde_log(RYDE_LOG_INFO, "%s: %s%s%s: again in %lld ms", call->request.operation,
	    call->reply.fault.code, call->reply.fault.code[0] != '\0' ? ": " : "",
	    call->reply.fault.message, (long long)delay_ms);
	ryde_http_end(call->exchange);
	call->exchange = NULL;
	call->reply.body = ryde_view_mem(NULL, 0);
	call->state = RYDE_AWS_CALL_WAITING;
	call->due_mono_ms = ryde_clock_mono_ms() + delay_ms;
}

void
ryde_aws_call_judge(struct ryde_aws_call *call)
{
	const struct ryde_http_answer *a = ryde_http_answer(call->exchange);
	struct ryde_backoff_budget *quota = &call->aws->quotas[call->request.service];
	int64_t skew_ms = skew_of(call, a), delay_ms;
	enum ryde_aws_verdict verdict;
	bool fine;

	read_answer(call, a);
	fine = call->reply.fault.kind == RYDE_AWS_FINE;
	if (call->lane != NULL)
		ryde_aws_pace_update(&call->lane->pace,
		    call->reply.fault.kind == RYDE_AWS_THROTTLED, ryde_clock_mono_ms());
	if (fine) {
		ryde_aws_retry_worked(&call->tries, quota);
		ryde_aws_call_settle(call);
		return;
	}
	verdict = ryde_aws_retry_decide(&call->tries, &call->reply.fault, skew_ms, quota,
	    ryde_random_unit(&call->aws->random), &delay_ms);
	if (verdict == RYDE_AWS_STOP)
		ryde_aws_call_settle(call);
	else
		try_again(call, verdict, skew_ms, delay_ms);
}

/* ---- what the caller sees ---- */

const struct ryde_aws_reply *
ryde_aws_reply(const struct ryde_aws_call *call)
{
	return &call->reply;
}

struct ryde_view
ryde_aws_reply_header(const struct ryde_aws_call *call, const char *name)
{
	const struct ryde_http_answer *a =
	    call->exchange != NULL ? ryde_http_answer(call->exchange) : NULL;

	return a != NULL ? ryde_http_header(a, name) : ryde_view_mem(NULL, 0);
}

static enum ryde_err_code
code_of(enum ryde_aws_kind kind)
{
	switch (kind) {
	case RYDE_AWS_FINE:
		return RYDE_ESOFTWARE;
	case RYDE_AWS_THROTTLED:
	case RYDE_AWS_TRANSIENT:
		return RYDE_EUNAVAILABLE;
	case RYDE_AWS_EXPIRED:
	case RYDE_AWS_SKEWED:
	case RYDE_AWS_DENIED:
		return RYDE_ENOPERM;
	case RYDE_AWS_MISSING:
		return RYDE_ENOINPUT;
	case RYDE_AWS_REFUSED:
		return RYDE_EDATA;
	case RYDE_AWS_STRANGE:
		return RYDE_ECONFIG;
	}
	return RYDE_ESOFTWARE;
}

/* What to do about it, where AWS's message does not say so. */
static const char *
advice(const struct ryde_aws_fault *f)
{
	if (f->kind == RYDE_AWS_EXPIRED)
		return " (the credentials have expired: log in again; ryde-admin whoami "
		       "shows which they are)";
	if (f->kind == RYDE_AWS_DENIED && strncmp(f->code, "AccessDenied", 12) == 0)
		return " (ryde-admin policy -- COMMAND-LINE prints what must be allowed)";
	if (f->kind == RYDE_AWS_DENIED)
		return " (ryde-admin whoami shows which credentials these are)";
	if (f->kind == RYDE_AWS_SKEWED)
		return " (set the clock of this machine)";
	return "";
}

int
ryde_aws_reply_err(const struct ryde_aws_call *call, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;
	const struct ryde_aws_fault *f = &call->reply.fault;
	const char *title = r->operation != NULL
				? r->operation
				: ryde_aws_service_facts(r->service)->title;
	enum ryde_err_code code;

	if (call->err.code != RYDE_OK) {
		*err = call->err;
		return ryde_err_prefix(err, "%s", title);
	}
	code = code_of(f->kind);
	/* who logs in again lets a program go on that has worked before */
	if (f->kind == RYDE_AWS_EXPIRED &&
	    ryde_aws_credentials_may_change(call->aws->credentials))
		code = RYDE_EUNAVAILABLE;
	return ryde_err_set(err, code, "%s%s%s: %s%s%s%s", title,
	    r->what != NULL ? ": " : "", r->what != NULL ? r->what : "", f->code,
	    f->code[0] != '\0' && f->message[0] != '\0' ? ": " : "", f->message,
	    advice(f));
}
