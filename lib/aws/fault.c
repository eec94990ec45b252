#include "aws/fault.h"

#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdio.h>
#include <string.h>

/* ---- what a code means ---- */

static bool
in(const char *const *list, size_t n, struct ryde_view code)
{
	for (size_t i = 0; i < n; i++)
		if (ryde_view_is(code, list[i]))
			return true;
	return false;
}
#define IN(list, code) in(list, sizeof(list) / sizeof(list[0]), code)

static const char *const throttles[] = {"Throttling", "ThrottlingException",
    "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "ProvisionedThroughputExceededException",
    "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException",
    "SlowDown", "PriorRequestNotComplete", "EC2ThrottledException",
    "TransactionInProgressException", "KMSThrottlingException",
    "ServiceUnavailableException.Throttled"};
static const char *const transients[] = {"RequestTimeout", "RequestTimeoutException",
    "InternalFailure", "InternalError", "InternalServerError", "InternalServerException",
    "ServiceUnavailable", "ServiceUnavailableException", "ServiceException",
    "InternalErrorException"};
static const char *const expired[] = {
    "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"};
static const char *const skewed[] = {
    "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"};
static const char *const denied[] = {"AccessDenied", "AccessDeniedException",
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId",
    "SignatureDoesNotMatch", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "IncompleteSignature",
    "IncompleteSignatureException", "NotAuthorizedException", "OptInRequired",
    "AuthFailure", "KMSAccessDeniedException", "InvalidToken", "UnauthorizedException",
    "Forbidden", "InvalidIdentityToken", "IDPRejectedClaim", "ForbiddenException"};
static const char *const missing[] = {"ResourceNotFoundException", "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "NoSuchKey", "NotFound",
    "TableNotFoundException"};

enum ryde_aws_kind
ryde_aws_fault_kind(struct ryde_view code, int status)
{
	if (IN(throttles, code) || status == 429)
		return RYDE_AWS_THROTTLED;
	if (IN(transients, code) || status >= 500 || status == 408)
		return RYDE_AWS_TRANSIENT;
	if (IN(expired, code))
		return RYDE_AWS_EXPIRED;
	if (IN(skewed, code))
		return RYDE_AWS_SKEWED;
	if (IN(denied, code))
		return RYDE_AWS_DENIED;
	if (IN(missing, code))
		return RYDE_AWS_MISSING;
	return RYDE_AWS_REFUSED;
}

bool
ryde_aws_fault_is(const struct ryde_aws_fault *f, const char *code)
{
	return strcmp(f->code, code) == 0;
}

/* ---- where it stands ---- */

/* "com.amazonaws.kinesis#Name:http://…" without what is around the name. */
static void
set_code(struct ryde_aws_fault *f, struct ryde_view v)
{
	const char *hash = v.n > 0 ? memchr(v.p, '#', v.n) : NULL, *colon;

	if (hash != NULL)
		v = ryde_view_mem(hash + 1, v.n - (size_t)(hash + 1 - v.p));
	colon = v.n > 0 ? memchr(v.p, ':', v.n) : NULL;
	if (colon != NULL)
		v.n = (size_t)(colon - v.p);
	if (v.n >= sizeof(f->code))
		v.n = sizeof(f->code) - 1;
	for (size_t i = 0; i < v.n; i++)
		f->code[i] = v.p[i] > ' ' && v.p[i] < 0x7f ? v.p[i] : '?';
	f->code[v.n] = '\0';
}

/* One line, without what would move a terminal's cursor, cut between characters. */
static void
set_message(struct ryde_aws_fault *f, struct ryde_view v)
{
	size_t n = 0;

	for (size_t i = 0; i < v.n && n < sizeof(f->message) - 1; i++) {
		unsigned char c = (unsigned char)v.p[i];

		f->message[n++] = c < ' ' || c == 0x7f ? ' ' : v.p[i];
	}
	while (n > 0 && n == sizeof(f->message) - 1 && (f->message[n - 1] & 0x80) != 0)
		n--;
	while (n > 0 && f->message[n - 1] == ' ')
		n--;
	f->message[n] = '\0';
}

static void
decoded(const struct ryde_json_value *v, struct ryde_aws_fault *f,
    void (*set)(struct ryde_aws_fault *, struct ryde_view))
{
	struct ryde_buf b;

	if (v->kind != RYDE_JSON_STRING)
		return;
	ryde_buf_init(&b, 65536);
	ryde_json_string_decode(&b, v->text);
	set(f, ryde_buf_as_view(&b));
	ryde_buf_free(&b);
}

static bool
read_json(struct ryde_aws_fault *f, struct ryde_view body)
{
	struct ryde_json_value key, value;
	struct ryde_json_fault fault;
	struct ryde_json_walk walk;
	enum ryde_json_kind top;

	if (ryde_json_check(body, &top, &fault) != 0 || top != RYDE_JSON_OBJECT)
		return false;
	(void)ryde_json_walk_begin(&walk, body);
	while (ryde_json_walk_next(&walk, &key, &value)) {
		struct ryde_view k = key.text;

		if (f->code[0] == '\0' &&
		    (ryde_view_is(k, "__type") || ryde_view_is(k, "code") ||
			ryde_view_is(k, "error") || ryde_view_is(k, "Code")))
			decoded(&value, f, set_code);
		else if (ryde_view_is(k, "message") || ryde_view_is(k, "Message") ||
			 ryde_view_is(k, "errorMessage") ||
			 ryde_view_is(k, "error_description"))
			decoded(&value, f, set_message);
	}
	return true;
}

static void
decoded_xml(struct ryde_view content, struct ryde_aws_fault *f,
    void (*set)(struct ryde_aws_fault *, struct ryde_view))
{
	struct ryde_buf b;

	ryde_buf_init(&b, 65536);
	ryde_xml_text(&b, content);
	set(f, ryde_buf_as_view(&b));
	ryde_buf_free(&b);
}

static bool
read_xml(struct ryde_aws_fault *f, struct ryde_view body)
{
	struct ryde_view text;

	if (!ryde_xml_find(body, "Code", &text))
		return false;
	if (f->code[0] == '\0')
		decoded_xml(text, f, set_code);
	if (ryde_xml_find(body, "Message", &text))
		decoded_xml(text, f, set_message);
	return true;
}

/* An answer without a word: what its status alone says. */
static void
read_status(struct ryde_aws_fault *f)
{
	static const struct {
		int status;
		const char *code;
	} codes[] = {{400, "BadRequest"}, {401, "UnauthorizedException"},
	    {403, "Forbidden"}, {404, "NotFound"}, {408, "RequestTimeout"},
	    {412, "PreconditionFailed"}, {413, "RequestEntityTooLarge"},
	    {429, "TooManyRequestsException"}, {500, "InternalFailure"},
	    {503, "ServiceUnavailable"}};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].status == f->status)
			set_code(f, ryde_view_of(codes[i].code));
}

static struct ryde_view
trimmed(struct ryde_view v)
{
	while (v.n > 0 &&
	       (v.p[0] == ' ' || v.p[0] == '\n' || v.p[0] == '\r' || v.p[0] == '\t')) {
		v.p++;
		v.n--;
	}
	return v;
}

void
ryde_aws_fault_read(struct ryde_aws_fault *f, int status, struct ryde_view error_type,
    struct ryde_view content_type, struct ryde_view body)
{
	bool known;

	*f = (struct ryde_aws_fault){
	    .kind = RYDE_AWS_FINE, .status = status, .retry_after_ms = -1};
	if (status >= 200 && status < 300)
		return;
	body = trimmed(body);
	set_code(f, error_type);
	known = f->code[0] != '\0';
	if (body.n > 0 && body.p[0] == '{')
		known = read_json(f, body) || known;
	else if (body.n > 0 && body.p[0] == '<')
		known = read_xml(f, body) || known;
	else if (body.n == 0 && !known)
		read_status(f);
	f->kind = ryde_aws_fault_kind(ryde_view_of(f->code), status);
	if (f->kind == RYDE_AWS_REFUSED && !known && f->code[0] == '\0') {
		f->kind = RYDE_AWS_STRANGE;
		(void)snprintf(f->message, sizeof(f->message),
		    "the answer is HTTP %d with %.*s, which is not how AWS answers",
		    status,
		    content_type.n > 0 ? (int)(content_type.n < 80 ? content_type.n : 80)
				       : 15,
		    content_type.n > 0 ? content_type.p : "an unknown type");
	}
}
