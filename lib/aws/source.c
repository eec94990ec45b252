#include "aws/source.h"

#include "aws/config.h"
#include "aws/fault.h"
#include "aws/profiles.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "store/name.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX_BYTES 65536

/* ---- what they share ---- */

int
ryde_aws_source_none(struct ryde_aws_search *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(s->why, sizeof(s->why), fmt, ap) < 0)
		s->why[0] = '\0';
	va_end(ap);
	return 0;
}

/* Waits without doing anything else: between two questions to a metadata service. */
static int
pause_for(int64_t ms, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + ms;
	struct ryde_waits w = {.n = 0};

	while (ryde_clock_mono_ms() < until) {
		ryde_waits_begin(&w);
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
	return 0;
}

struct ryde_http_exchange *
ryde_aws_source_ask(struct ryde_aws_search *s, struct ryde_http_ask *ask, int tries,
    int64_t pause_ms, const char *from, struct ryde_err *err)
{
	ask->secret = true;
	ask->answer_max = FILE_MAX_BYTES;
	for (int i = 1;; i++) {
		struct ryde_http_exchange *x = ryde_http_start(s->http, ask, err);
		const struct ryde_http_answer *a;

		if (x == NULL || ryde_http_finish(s->http, x, err) != 0) {
			ryde_http_end(x);
			return NULL;
		}
		a = ryde_http_answer(x);
		if (a->fault == RYDE_HTTP_FINE && (a->status < 500 || i == tries))
			return x;
		if (i == tries) {
			(void)ryde_err_set(
			    err, RYDE_EUNAVAILABLE, "%s: %s", from, a->detail);
			ryde_http_end(x);
			return NULL;
		}
		ryde_http_end(x);
		if (pause_for(pause_ms, err) != 0)
			return NULL;
	}
}

int
ryde_aws_source_refused(
    const struct ryde_http_answer *a, const char *from, struct ryde_err *err)
{
	struct ryde_aws_fault fault;
	enum ryde_err_code code;

	ryde_aws_fault_read(&fault, a->status, ryde_http_header(a, "x-amzn-errortype"),
	    ryde_http_header(a, "content-type"), ryde_buf_as_view(&a->body));
	code = fault.kind == RYDE_AWS_TRANSIENT || fault.kind == RYDE_AWS_THROTTLED
		   ? RYDE_EUNAVAILABLE
		   : RYDE_ENOPERM;
	return ryde_err_set(err, code, "%s: HTTP %d%s%s%s%s", from, a->status,
	    fault.code[0] != '\0' ? ", " : "", fault.code,
	    fault.message[0] != '\0' ? ": " : "", fault.message);
}

char *
ryde_aws_source_read(const char *file, const char *from, struct ryde_err *err)
{
	struct ryde_buf b;
	char *text = NULL;

	ryde_buf_init(&b, FILE_MAX_BYTES);
	/* all of it at once: nothing is left behind where it grew */
	if (ryde_buf_room(&b, FILE_MAX_BYTES) == NULL ||
	    ryde_file_read(file, &b, err) != 0) {
		(void)ryde_err_prefix(err, "%s", from);
		goto out;
	}
	while (b.n > 0 &&
	       (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r' || b.p[b.n - 1] == ' '))
		b.n--;
	if (b.n == 0 || memchr(b.p, '\0', b.n) != NULL) {
		(void)ryde_err_set(
		    err, RYDE_ENOPERM, "%s: %s is empty, or no text", from, file);
		goto out;
	}
	text = malloc(b.n + 1);
	if (text == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	memcpy(text, b.p, b.n);
	text[b.n] = '\0';
out:
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.cap);
	ryde_buf_free(&b);
	return text;
}

/* ---- the environment ---- */

int
ryde_aws_source_environment(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *access = ryde_aws_config_variable("AWS_ACCESS_KEY_ID"),
		   *secret = ryde_aws_config_variable("AWS_SECRET_ACCESS_KEY"),
		   *token = ryde_aws_config_variable("AWS_SESSION_TOKEN"),
		   *expires = ryde_aws_config_variable("AWS_CREDENTIAL_EXPIRATION");

	if (ryde_aws_config_options(s->config)->profile != NULL)
		return ryde_aws_source_none(s, "--profile goes before it");
	if (access == NULL && secret == NULL)
		return ryde_aws_source_none(s, "AWS_ACCESS_KEY_ID is not set");
	if (token == NULL)
		token = ryde_aws_config_variable("AWS_SECURITY_TOKEN");
	if (access == NULL || secret == NULL)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "half of the credentials is missing: %s is set, %s is not",
		    access != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
		    access != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	if (ryde_aws_keys_set(keys, ryde_view_of(access), ryde_view_of(secret),
		ryde_view_of(token), "the environment", err) != 0)
		return -1;
	keys->fixed = true;
	(void)snprintf(keys->source, sizeof(keys->source), "environment");
	if (expires != NULL &&
	    !ryde_timestamp_parse(ryde_view_of(expires), &keys->expires_unix_ms)) {
		ryde_aws_keys_clear(keys);
		return ryde_err_set(err, RYDE_ECONFIG,
		    "AWS_CREDENTIAL_EXPIRATION: '%.60s' is no time", expires);
	}
	return 1;
}

int
ryde_aws_source_web_identity(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	struct ryde_aws_role role = {.arn = ryde_aws_config_variable("AWS_ROLE_ARN"),
	    .session = ryde_aws_config_variable("AWS_ROLE_SESSION_NAME"),
	    .token_file = ryde_aws_config_variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
	    .from = "web identity"};

	if (role.token_file == NULL)
		return ryde_aws_source_none(s, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
	if (role.arn == NULL)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not: which "
		    "role?");
	return ryde_aws_source_assume(s, &role, NULL, keys, err);
}
