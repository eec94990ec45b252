#include "aws/config.h"
#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "aws/source.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

#include <openssl/crypto.h>
#include <stdio.h>

#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define TRIES 3
#define PAUSE_MS 300

static void
put_field(struct ryde_buf *b, const char *name, const char *value)
{
	ryde_buf_printf(b, "%s%s=", b->n > 0 ? "&" : "", name);
	ryde_sigv4_encode(b, ryde_view_of(value), false);
}

static int
make_body(const struct ryde_aws_role *role, const char *token, struct ryde_buf *b,
    struct ryde_err *err)
{
	char session[48];
	int64_t seconds;

	(void)snprintf(session, sizeof(session), "ryde-%lld",
	    (long long)(ryde_clock_wall_ms() / 1000));
	put_field(
	    b, "Action", token != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole");
	put_field(b, "Version", "2011-06-15");
	put_field(b, "RoleArn", role->arn);
	put_field(b, "RoleSessionName", role->session != NULL ? role->session : session);
	if (role->external_id != NULL)
		put_field(b, "ExternalId", role->external_id);
	if (role->duration_s != NULL) {
		if (!ryde_num_i64(ryde_view_of(role->duration_s), 900, 43200, &seconds))
			return ryde_err_set(err, RYDE_ECONFIG,
			    "%s: duration_seconds '%.40s' is no number from 900 to 43200",
			    role->from, role->duration_s);
		put_field(b, "DurationSeconds", role->duration_s);
	}
	if (token != NULL)
		put_field(b, "WebIdentityToken", token);
	return ryde_buf_check(b, err);
}

/* The headers of a signed question, each with its NUL, appended to `to`. */
static int
sign(struct ryde_aws_search *s, const struct ryde_aws_keys *base,
    const struct ryde_aws_endpoint *e, const char *region, const char *path,
    struct ryde_view body, struct ryde_buf *to, struct ryde_err *err)
{
	char hash[RYDE_SIGV4_HEX + 1], time[RYDE_SIGV4_TIME + 1];
	int64_t now_s = ryde_clock_wall_ms() / 1000;
	const struct ryde_sigv4_scope scope = {
	    base->access, base->secret, region, "sts", now_s};
	struct ryde_sigv4_header headers[4] = {
	    {ryde_view_of("host"), ryde_view_of(e->host)},
	    {ryde_view_of("content-type"), ryde_view_of(FORM)}};
	struct ryde_sigv4_request request = {.method = ryde_view_of("POST"),
	    .path = ryde_view_of(path),
	    .headers = headers,
	    .n_headers = base->token[0] != '\0' ? 4 : 3};

	if (ryde_sigv4_sha256(s->sigv4, body, hash, err) != 0)
		return -1;
	ryde_sigv4_time(now_s, time);
	headers[2] =
	    (struct ryde_sigv4_header){ryde_view_of("x-amz-date"), ryde_view_of(time)};
	headers[3] = (struct ryde_sigv4_header){
	    ryde_view_of("x-amz-security-token"), ryde_view_of(base->token)};
	request.payload_hash = ryde_view_of(hash);
	ryde_buf_puts(to, "Authorization: ");
	if (ryde_sigv4_authorization(s->sigv4, &scope, &request, to, err) != 0)
		return -1;
	ryde_buf_printf(to, "%cX-Amz-Date: %s%c", 0, time, 0);
	if (base->token[0] != '\0')
		ryde_buf_printf(to, "X-Amz-Security-Token: %s%c", base->token, 0);
	return ryde_buf_check(to, err);
}

/* Asks STS; the answer's keys. */
static int
ask(struct ryde_aws_search *s, const struct ryde_aws_role *role,
    const struct ryde_aws_endpoint *e, struct ryde_view body,
    const struct ryde_buf *signature, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *headers[8] = {"Content-Type: " FORM};
	char url[sizeof(e->host) + sizeof(e->base) + 16], from[96];
	struct ryde_http_ask question = {.method = "POST",
	    .url = url,
	    .headers = headers,
	    .n_headers = 1,
	    .body = body,
	    .ca_file = ryde_aws_config_ca_bundle(s->config)};
	struct ryde_http_exchange *x;
	const struct ryde_http_answer *a;
	int rc;

	(void)snprintf(
	    url, sizeof(url), "%s://%s%s/", e->tls ? "https" : "http", e->host, e->base);
	(void)snprintf(from, sizeof(from), "role %.80s", role->arn);
	for (size_t at = 0; at < signature->n; at += strlen(signature->p + at) + 1)
		headers[question.n_headers++] = signature->p + at;
	x = ryde_aws_source_ask(s, &question, TRIES, PAUSE_MS, from, err);
	if (x == NULL)
		return -1;
	a = ryde_http_answer(x);
	rc = a->status == 200
		 ? ryde_aws_keys_xml(keys, ryde_buf_as_view(&a->body), from, err)
		 : ryde_aws_source_refused(a, from, err);
	if (rc == 0)
		(void)snprintf(keys->source, sizeof(keys->source), "%s (%s %.40s)", from,
		    role->token_file != NULL ? "web identity," : "profile", role->from);
	ryde_http_end(x);
	return rc == 0 ? 1 : -1;
}

int
ryde_aws_source_assume(struct ryde_aws_search *s, const struct ryde_aws_role *role,
    const struct ryde_aws_keys *base, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *region = ryde_aws_config_region(s->config, NULL);
	struct ryde_aws_endpoint e;
	struct ryde_buf body, signature;
	char path[sizeof(e.base) + 2];
	char *token = NULL;
	int rc = -1;

	ryde_buf_init(&body, 1 << 18);
	ryde_buf_init(&signature, 1 << 18);
	/* no secret is left behind where they grow */
	if (ryde_buf_room(&body, 1 << 17) == NULL ||
	    ryde_buf_room(&signature, 1 << 17) == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (region == NULL)
		region = "us-east-1";
	if (ryde_aws_config_endpoint(s->config, RYDE_AWS_STS, region, &e, NULL, err) != 0)
		goto out;
	if (base == NULL) {
		token = ryde_aws_source_read(role->token_file, "web identity", err);
		if (token == NULL)
			goto out;
	}
	(void)snprintf(path, sizeof(path), "%s/", e.base);
	if (make_body(role, token, &body, err) != 0 ||
	    (base != NULL && sign(s, base, &e, region, path, ryde_buf_as_view(&body),
				 &signature, err) != 0))
		goto out;
	rc = ask(s, role, &e, ryde_buf_as_view(&body), &signature, keys, err);
out:
	ryde_aws_keys_wipe(token);
	if (body.p != NULL)
		OPENSSL_cleanse(body.p, body.cap);
	if (signature.p != NULL)
		OPENSSL_cleanse(signature.p, signature.cap);
	ryde_buf_free(&body);
	ryde_buf_free(&signature);
	return rc;
}
