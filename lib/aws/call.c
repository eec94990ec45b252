#include "aws/call.h"

#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/keys.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "json/string.h"

#include <stdio.h>
#include <string.h>

#define REPLY_MAX (16 << 20)
#define URL_MAX 32768
#define TEXT_MAX (1 << 20)
#define HEADERS_MAX 32
#define KEYS_MS 50 /* between looks for keys that are being renewed */

/* ---- the request, copied ---- */

/* Appends a string with its NUL, and gives its place. */
static size_t
keep(struct ryde_buf *text, const char *s)
{
	size_t at = text->n;

	ryde_buf_add(text, s, strlen(s) + 1);
	return at;
}

static int
copy_request(
    struct ryde_aws_call *call, const struct ryde_aws_request *from, struct ryde_err *err)
{
	struct ryde_aws_request *r = &call->request;
	const char **strings[] = {&r->operation, &r->what, &r->method, &r->bucket,
	    &r->content_type, &r->sha256};
	size_t at[sizeof(strings) / sizeof(strings[0])], headers_at,
	    n = sizeof(strings) / sizeof(strings[0]);
	struct ryde_aws_header *headers;

	*r = *from;
	r->path = r->query = r->region = NULL; /* they live on in the URL */
	ryde_buf_init(&call->text, TEXT_MAX);
	if (ryde_buf_room(&call->text, from->n_headers * sizeof(*headers) + 1) == NULL)
		return ryde_err_nomem(err);
	ryde_buf_added(&call->text, from->n_headers * sizeof(*headers));
	for (size_t i = 0; i < n; i++)
		at[i] = *strings[i] != NULL ? keep(&call->text, *strings[i]) : 0;
	headers_at = call->text.n;
	for (size_t i = 0; i < from->n_headers; i++) {
		(void)keep(&call->text, from->headers[i].name);
		(void)keep(&call->text, from->headers[i].value);
	}
	if (ryde_buf_check(&call->text, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (*strings[i] != NULL)
			*strings[i] = call->text.p + at[i];
	/* the first bytes of a block from malloc hold any type */
	headers = (struct ryde_aws_header *)(void *)call->text.p;
	for (size_t i = 0; i < from->n_headers; i++) {
		headers[i].name = call->text.p + headers_at;
		headers_at += strlen(headers[i].name) + 1;
		headers[i].value = call->text.p + headers_at;
		headers_at += strlen(headers[i].value) + 1;
	}
	r->headers = headers;
	return 0;
}

/* ---- where it goes ---- */

/* A bucket whose name can be a part of a host name, below AWS's own wildcard certificate.
 */
static bool
bucket_in_host(const struct ryde_aws_call *call)
{
	const char *b = call->request.bucket;
	size_t n = strlen(b);

	return !call->endpoint.own && n >= 3 && n <= 63 &&
	       strspn(b, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int
make_url(
    struct ryde_aws_call *call, const struct ryde_aws_request *r, struct ryde_err *err)
{
	struct ryde_aws_endpoint *e = &call->endpoint;
	char host[sizeof(e->host)];

	if (r->bucket != NULL && bucket_in_host(call)) {
		if (snprintf(host, sizeof(host), "%s.%s", r->bucket, e->host) >=
		    (int)sizeof(host))
			return ryde_err_set(
			    err, RYDE_EUSAGE, "the bucket's name is too long");
		memcpy(e->host, host, sizeof(host));
	}
	ryde_buf_init(&call->url, URL_MAX);
	ryde_buf_printf(&call->url, "%s://%s", e->tls ? "https" : "http", e->host);
	call->path_at = call->url.n;
	ryde_buf_puts(&call->url, e->base);
	if (r->bucket != NULL && !bucket_in_host(call)) {
		ryde_buf_putc(&call->url, '/');
		ryde_sigv4_encode(&call->url, ryde_view_of(r->bucket), false);
	}
	ryde_buf_puts(&call->url, r->path != NULL ? r->path : "/");
	call->path_n = call->url.n - call->path_at;
	call->query_at = call->url.n;
	if (r->query != NULL && r->query[0] != '\0') {
		ryde_buf_putc(&call->url, '?');
		call->query_at = call->url.n;
		ryde_buf_puts(&call->url, r->query);
	}
	call->query_n = call->url.n - call->query_at;
	(void)ryde_buf_str(&call->url);
	return ryde_buf_check(&call->url, err);
}

static int
find_endpoint(
    struct ryde_aws_call *call, const struct ryde_aws_request *r, struct ryde_err *err)
{
	struct ryde_aws *aws = call->aws;
	const char *region = r->region;

	if (region == NULL)
		region = ryde_aws_region(aws, err);
	if (region == NULL)
		return -1;
	if (!ryde_aws_region_valid(region))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "'%.100s' is no region: one is called us-east-1", region);
	(void)snprintf(call->region, sizeof(call->region), "%s", region);
	return ryde_aws_config_endpoint(
	    aws->config, r->service, region, &call->endpoint, NULL, err);
}

/* The pace of an operation; NULL where there are too many of them. */
static struct ryde_aws_lane *
lane_of(struct ryde_aws *aws, const struct ryde_aws_request *r)
{
	char name[sizeof(aws->lanes[0].name)];

	(void)snprintf(name, sizeof(name), "%s.%s",
	    ryde_aws_service_facts(r->service)->prefix,
	    r->operation != NULL ? r->operation : "");
	for (size_t i = 0; i < aws->n_lanes; i++)
		if (strcmp(aws->lanes[i].name, name) == 0)
			return &aws->lanes[i];
	if (aws->n_lanes == RYDE_AWS_PACES)
		return NULL;
	memcpy(aws->lanes[aws->n_lanes].name, name, sizeof(name));
	return &aws->lanes[aws->n_lanes++];
}

/* A random UUID, which is no secret: the same for all attempts of a call, so that the
 * service's logs show them as one. */
static void
make_id(struct ryde_aws_call *call)
{
	uint64_t high = ryde_random_u64(&call->aws->random),
		 low = ryde_random_u64(&call->aws->random);

	(void)snprintf(call->id, sizeof(call->id), "%08llx-%04llx-4%03llx-%04llx-%012llx",
	    (unsigned long long)(high >> 32), (unsigned long long)(high >> 16 & 0xffff),
	    (unsigned long long)(high & 0xfff),
	    (unsigned long long)(low >> 48 & 0x3fff) | 0x8000,
	    (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

static int
hash_payload(struct ryde_aws_call *call, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;

	if (r->source == NULL)
		return ryde_sigv4_sha256(
		    call->aws->sigv4, r->body, call->payload_hash, err);
	if (r->sha256 == NULL && !call->endpoint.tls)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "over plain http a body must be signed");
	(void)snprintf(call->payload_hash, sizeof(call->payload_hash), "%s",
	    r->sha256 != NULL ? r->sha256 : RYDE_SIGV4_UNSIGNED);
	return 0;
}

int
ryde_aws_call_prepare(struct ryde_aws_call *call, const struct ryde_aws_request *request,
    struct ryde_err *err)
{
	call->tries.most = request->attempts > 0
			       ? request->attempts
			       : ryde_aws_config_attempts(call->aws->config);
	if (find_endpoint(call, request, err) != 0 ||
	    copy_request(call, request, err) != 0 || make_url(call, request, err) != 0)
		return -1;
	make_id(call);
	if (!request->own_pace)
		call->lane = lane_of(call->aws, request);
	return request->unsigned_call ? 0 : hash_payload(call, err);
}

/* ---- signing ---- */

/* The headers of one attempt: as views for the signature, as lines for HTTP. */
struct headers {
	struct ryde_sigv4_header views[HEADERS_MAX];
	size_t n;
	struct ryde_buf lines; /* "Name: value", each with its NUL */
};

static void
add(struct headers *h, const char *name, const char *value)
{
	if (h->n < HEADERS_MAX)
		h->views[h->n++] =
		    (struct ryde_sigv4_header){ryde_view_of(name), ryde_view_of(value)};
}

static int
sign(struct ryde_aws_call *call, struct headers *h, const struct ryde_aws_keys *keys,
    struct ryde_buf *out, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;
	const struct ryde_sigv4_scope scope = {.access_key = keys->access,
	    .secret_key = keys->secret,
	    .region = call->region,
	    .service = ryde_aws_service_facts(r->service)->signing,
	    .at_unix_s = call->signed_at_ms / 1000};
	const struct ryde_sigv4_request request = {
	    .method = ryde_view_of(r->method != NULL ? r->method : "POST"),
	    .path = ryde_view_mem(call->url.p + call->path_at, call->path_n),
	    .query = ryde_view_mem(call->url.p + call->query_at, call->query_n),
	    .headers = h->views,
	    .n_headers = h->n,
	    .payload_hash = ryde_view_of(call->payload_hash),
	    .path_is_canonical = r->service == RYDE_AWS_S3};

	return ryde_sigv4_authorization(call->aws->sigv4, &scope, &request, out, err);
}

static void
add_line(struct headers *h, struct ryde_view name, struct ryde_view value)
{
	ryde_buf_view(&h->lines, name);
	ryde_buf_puts(&h->lines, ": ");
	ryde_buf_view(&h->lines, value);
	ryde_buf_putc(&h->lines, '\0');
}

/* The headers that a request has before it is signed. Values live in the caller's
 * storage. */
static void
add_headers(struct ryde_aws_call *call, struct headers *h, const char *target,
    const char *attempt)
{
	const struct ryde_aws_request *r = &call->request;
	const char *type = r->content_type;

	if (type == NULL && (r->body.n > 0 || r->source != NULL))
		type = ryde_aws_service_facts(r->service)->content_type;
	add(h, "host", call->endpoint.host);
	if (type != NULL)
		add(h, "content-type", type);
	if (target[0] != '\0')
		add(h, "x-amz-target", target);
	add(h, "amz-sdk-invocation-id", call->id);
	add(h, "amz-sdk-request", attempt);
	for (size_t i = 0; i < r->n_headers; i++)
		add(h, r->headers[i].name, r->headers[i].value);
}

#define TARGET_MAX 160

/* X-Amz-Target; "" where the service has none. */
static void
make_target(const struct ryde_aws_request *r, char to[TARGET_MAX])
{
	const char *prefix = ryde_aws_service_facts(r->service)->target;

	to[0] = '\0';
	if (prefix != NULL && r->operation != NULL)
		(void)snprintf(to, TARGET_MAX, "%s.%s", prefix, r->operation);
}

int
ryde_aws_call_describe(
    struct ryde_aws_call *call, struct ryde_buf *to, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;
	struct headers h = {.n = 0};
	char target[TARGET_MAX];

	make_target(r, target);
	add_headers(call, &h, target, "attempt=1; max=1");
	ryde_buf_puts(to, "{\"method\":");
	ryde_json_string_put(to, ryde_view_of(r->method != NULL ? r->method : "POST"));
	ryde_buf_puts(to, ",\"url\":");
	ryde_json_string_put(to, ryde_buf_as_view(&call->url));
	ryde_buf_puts(to, ",\"headers\":{");
	for (size_t i = 0; i < h.n; i++) {
		ryde_buf_puts(to, i > 0 ? "," : "");
		ryde_json_string_put(to, h.views[i].name);
		ryde_buf_putc(to, ':');
		ryde_json_string_put(to, h.views[i].value);
	}
	ryde_buf_printf(to, "},\"bytes\":%zu,\"body\":", r->body.n);
	ryde_buf_view(to, r->body);
	ryde_buf_putc(to, '}');
	return ryde_buf_check(to, err);
}

/* 0; 1 where the keys to sign with are still to come; -1. */
static int
make_headers(struct ryde_aws_call *call, struct headers *h, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;
	char target[TARGET_MAX], attempt[48], time[RYDE_SIGV4_TIME + 1];
	const struct ryde_aws_keys *keys = NULL;
	struct ryde_buf authorization;
	int rc = -1;

	make_target(r, target);
	(void)snprintf(attempt, sizeof(attempt), "attempt=%d; max=%d",
	    call->tries.made + 1, call->tries.most);
	ryde_buf_init(&authorization, 65536);
	add_headers(call, h, target, attempt);
	if (!r->unsigned_call) {
		rc = ryde_aws_credentials_get(call->aws->credentials, &keys, err);
		if (rc != 0)
			goto out;
		rc = -1;
		ryde_sigv4_time(call->signed_at_ms / 1000, time);
		add(h, "x-amz-date", time);
		if (r->service == RYDE_AWS_S3)
			add(h, "x-amz-content-sha256", call->payload_hash);
		if (keys->token[0] != '\0')
			add(h, "x-amz-security-token", keys->token);
		if (sign(call, h, keys, &authorization, err) != 0)
			goto out;
	}
	for (size_t i = 1; i < h->n; i++) /* libcurl writes Host itself */
		add_line(h, h->views[i].name, h->views[i].value);
	if (authorization.n > 0)
		add_line(
		    h, ryde_view_of("authorization"), ryde_buf_as_view(&authorization));
	rc = ryde_buf_check(&h->lines, err);
out:
	ryde_buf_free(&authorization);
	return rc;
}

/* ---- an attempt ---- */

static int64_t
give_source(void *arg, char *to, size_t max, struct ryde_err *err)
{
	struct ryde_aws_call *call = arg;

	return call->request.source(call->request.arg, to, max, err);
}

static int
take_data(void *arg, struct ryde_view chunk)
{
	struct ryde_aws_call *call = arg;
	int rc = call->request.on_data(call->request.arg, chunk);

	if (rc == 0)
		call->tries.started = true;
	return rc;
}

static int
send_it(struct ryde_aws_call *call, struct headers *h, struct ryde_err *err)
{
	const struct ryde_aws_request *r = &call->request;
	const char *lines[HEADERS_MAX + 4];
	struct ryde_http_ask ask = {.method = r->method != NULL ? r->method : "POST",
	    .url = call->url.p,
	    .headers = lines,
	    .body = r->body,
	    .source = r->source != NULL ? give_source : NULL,
	    .source_bytes = r->source_bytes,
	    .on_data = r->on_data != NULL ? take_data : NULL,
	    .arg = call,
	    .answer_max = r->reply_max > 0 ? r->reply_max : REPLY_MAX,
	    .idle_timeout_ms = r->idle_timeout_ms,
	    .timeout_ms = r->timeout_ms,
	    .multiplex = r->multiplex,
	    .ca_file = ryde_aws_config_ca_bundle(call->aws->config)};
	bool typed = false;

	for (size_t at = 0; at < h->lines.n; at += strlen(h->lines.p + at) + 1) {
		lines[ask.n_headers++] = h->lines.p + at;
		typed = typed || strncmp(h->lines.p + at, "content-type:", 13) == 0;
	}
	/* what libcurl would add by itself */
	lines[ask.n_headers++] = "Expect:";
	if (!typed)
		lines[ask.n_headers++] = "Content-Type:";
	lines[ask.n_headers++] = "Accept:";
	call->exchange = ryde_http_start(call->aws->http, &ask, err);
	return call->exchange != NULL ? 0 : -1;
}

int
ryde_aws_call_attempt(struct ryde_aws_call *call, struct ryde_err *err)
{
	int64_t now_mono_ms = ryde_clock_mono_ms(),
		wait_ms = call->lane != NULL
			      ? ryde_aws_pace_take(&call->lane->pace, now_mono_ms)
			      : 0;
	struct headers h = {.n = 0};
	int rc = -1;

	if (wait_ms > 0) {
		call->state = RYDE_AWS_CALL_WAITING;
		call->due_mono_ms = now_mono_ms + wait_ms;
		return 0;
	}
	if (call->tries.made > 0 && call->request.source != NULL &&
	    call->request.rewind(call->request.arg, err) != 0)
		return -1;
	call->signed_at_ms = ryde_clock_wall_ms() + call->aws->skew_ms;
	ryde_buf_init(&h.lines, 262144);
	rc = make_headers(call, &h, err);
	if (rc == 1) {
		call->state = RYDE_AWS_CALL_WAITING;
		call->due_mono_ms = now_mono_ms + KEYS_MS;
		rc = 0;
		goto out;
	}
	if (rc != 0)
		goto out;
	rc = send_it(call, &h, err);
	if (rc != 0)
		goto out;
	call->tries.made++;
	call->state = RYDE_AWS_CALL_SENT;
out:
	ryde_buf_free(&h.lines);
	return rc;
}
