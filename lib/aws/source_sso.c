#include "aws/config.h"
#include "aws/endpoint.h"
#include "aws/profiles.h"
#include "aws/sigv4.h"
#include "aws/source.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "json/scan.h"
#include "json/string.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES 3
#define PAUSE_MS 300
#define AHEAD_MS (15 * 60 * 1000) /* a token is renewed so long before it expires */
#define TEXT_MAX 65536

/* What a profile says of IAM Identity Center, and the token that `aws sso login` has
 * left. */
struct sso {
	const char *profile, *session; /* NULL: the old form, without a session */
	const char *start_url, *region, *account, *role;
	char file[4096];
	char *cache; /* the file's text */
	char *token;
	int64_t expires_unix_ms;
	char from[120];
};

static int
log_in(const struct sso *o, const char *what, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ENOPERM, "%s: %s: run 'aws sso login --profile %s'",
	    o->from, what, o->profile);
}

/* 1 where the profile uses it, 0 where not, -1 where something is missing. */
static int
read_profile(struct ryde_aws_search *s, struct sso *o, struct ryde_err *err)
{
	const struct ryde_profiles *p = ryde_aws_config_profiles(s->config);

	o->session = ryde_aws_config_key(s->config, o->profile, "sso_session");
	o->account = ryde_aws_config_key(s->config, o->profile, "sso_account_id");
	o->role = ryde_aws_config_key(s->config, o->profile, "sso_role_name");
	if (o->session != NULL) {
		if (!ryde_profiles_has(p, RYDE_PROFILES_SSO_SESSION, o->session))
			return ryde_err_set(err, RYDE_ECONFIG,
			    "profile %s names sso_session = %s, and there is no "
			    "[sso-session %s] in the config file",
			    o->profile, o->session, o->session);
		o->start_url = ryde_profiles_get(
		    p, RYDE_PROFILES_SSO_SESSION, o->session, "sso_start_url", NULL);
		o->region = ryde_profiles_get(
		    p, RYDE_PROFILES_SSO_SESSION, o->session, "sso_region", NULL);
	} else {
		o->start_url =
		    ryde_aws_config_key(s->config, o->profile, "sso_start_url");
		o->region = ryde_aws_config_key(s->config, o->profile, "sso_region");
	}
	if (o->session == NULL && o->start_url == NULL && o->account == NULL)
		return 0;
	if (o->account == NULL && o->role == NULL && o->session != NULL)
		return 0; /* a session for a bearer token alone: no AWS credentials */
	if (o->start_url == NULL || o->region == NULL || o->account == NULL ||
	    o->role == NULL)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s uses IAM Identity Center and lacks %s", o->profile,
		    o->start_url == NULL ? "sso_start_url"
		    : o->region == NULL	 ? "sso_region"
		    : o->account == NULL ? "sso_account_id"
					 : "sso_role_name");
	if (!ryde_aws_region_valid(o->region))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s: sso_region '%.60s' is no region", o->profile, o->region);
	return 1;
}

/* ---- the token's file ---- */

static int
find_file(struct sso *o, struct ryde_err *err)
{
	const char *name = o->session != NULL ? o->session : o->start_url,
		   *home = getenv("HOME");
	unsigned char sum[20];
	char hex[41];

	if (home == NULL || home[0] == '\0')
		return ryde_err_set(err, RYDE_ECONFIG, "%s: HOME is not set", o->from);
	if (EVP_Digest(name, strlen(name), sum, NULL, EVP_sha1(), NULL) != 1)
		return ryde_err_set(err, RYDE_ECONFIG, "OpenSSL gives no SHA-1 here");
	for (size_t i = 0; i < sizeof(sum); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	if (snprintf(o->file, sizeof(o->file), "%s/.aws/sso/cache/%s.json", home, hex) >=
	    (int)sizeof(o->file))
		return ryde_err_set(err, RYDE_ECONFIG, "HOME is too long a name");
	return 0;
}

/* RFC 3339; older tools wrote "UTC" for "Z". */
static bool
read_time(const char *text, int64_t *out)
{
	struct ryde_view v = ryde_view_of(text);
	char fixed[RYDE_TIMESTAMP_MAX];

	if (v.n > 3 && v.n < sizeof(fixed) && strcmp(text + v.n - 3, "UTC") == 0) {
		(void)snprintf(fixed, sizeof(fixed), "%.*sZ", (int)v.n - 3, text);
		v = ryde_view_of(fixed);
	}
	return v.n > 0 && ryde_timestamp_parse(v, out);
}

static int
read_token(struct sso *o, struct ryde_err *err)
{
	char *expires;
	bool good;

	if (access(o->file, F_OK) != 0)
		return log_in(o, "nobody has logged in", err);
	o->cache = ryde_aws_source_read(o->file, o->from, err);
	if (o->cache == NULL)
		return -1;
	o->token = ryde_aws_keys_pick(ryde_view_of(o->cache), ".accessToken");
	expires = ryde_aws_keys_pick(ryde_view_of(o->cache), ".expiresAt");
	good = o->token != NULL && expires != NULL &&
	       read_time(expires, &o->expires_unix_ms);
	free(expires);
	return good ? 0 : log_in(o, "the login's file cannot be read", err);
}

/* ---- renewing it ---- */

static void
put_member(struct ryde_buf *b, const char *name, const char *value)
{
	ryde_buf_printf(b, "%c\"%s\":", b->n == 0 ? '{' : ',', name);
	ryde_json_string_put(b, ryde_view_of(value));
}

/* The file's members, the three new ones in place of the old. */
static int
write_token(struct sso *o, const char *token, const char *refresh,
    int64_t expires_unix_ms, struct ryde_err *err)
{
	char at[RYDE_TIMESTAMP_MAX];
	struct ryde_json_value key, value;
	struct ryde_json_walk walk;
	struct ryde_buf b;
	int rc;

	ryde_buf_init(&b, 4 * TEXT_MAX);
	if (ryde_buf_room(&b, 2 * TEXT_MAX) == NULL)
		return ryde_err_nomem(err);
	(void)ryde_timestamp_rfc3339(expires_unix_ms / 1000 * 1000, at);
	memcpy(at + 19, "Z", 2); /* without milliseconds, as AWS's tools write it */
	put_member(&b, "accessToken", token);
	put_member(&b, "expiresAt", at);
	if (refresh != NULL)
		put_member(&b, "refreshToken", refresh);
	(void)ryde_json_walk_begin(&walk, ryde_view_of(o->cache));
	while (ryde_json_walk_next(&walk, &key, &value)) {
		if (ryde_view_is(key.text, "accessToken") ||
		    ryde_view_is(key.text, "expiresAt") ||
		    (refresh != NULL && ryde_view_is(key.text, "refreshToken")))
			continue;
		ryde_buf_puts(&b, ",\"");
		ryde_buf_view(&b, key.text);
		ryde_buf_puts(&b, "\":");
		if (value.kind == RYDE_JSON_STRING) /* its quotes lie around it */
			ryde_buf_add(&b, value.text.p - 1, value.text.n + 2);
		else
			ryde_buf_view(&b, value.text);
	}
	ryde_buf_puts(&b, "}\n");
	rc = ryde_buf_check(&b, err);
	if (rc == 0)
		rc = ryde_file_replace(o->file, ryde_buf_as_view(&b), err);
	OPENSSL_cleanse(b.p, b.cap);
	ryde_buf_free(&b);
	return rc;
}

/* Seconds of the answer's expiresIn; -1 where it has none. */
static int64_t
expires_in_s(struct ryde_view body)
{
	struct ryde_json_value key, value;
	struct ryde_json_walk walk;
	int64_t ms = -1;

	if (!ryde_json_walk_begin(&walk, body))
		return -1;
	while (ryde_json_walk_next(&walk, &key, &value))
		if (ryde_view_is(key.text, "expiresIn") &&
		    value.kind == RYDE_JSON_NUMBER &&
		    !ryde_timestamp_parse(value.text, &ms))
			return -1;
	return ms >= 0 ? ms / 1000 : -1;
}

static int
take_token(struct sso *o, struct ryde_view body, struct ryde_err *err)
{
	char *token = ryde_aws_keys_pick(body, ".accessToken"),
	     *refresh = ryde_aws_keys_pick(body, ".refreshToken");
	int64_t seconds = expires_in_s(body);
	int rc = -1;

	if (token == NULL || seconds < 0) {
		(void)ryde_err_set(
		    err, RYDE_ENOPERM, "%s: the renewed token cannot be read", o->from);
		goto out;
	}
	o->expires_unix_ms = ryde_clock_wall_ms() + seconds * 1000;
	rc = write_token(o, token, refresh, o->expires_unix_ms, err);
	ryde_aws_keys_wipe(o->token);
	o->token = token;
	token = NULL;
out:
	ryde_aws_keys_wipe(token);
	ryde_aws_keys_wipe(refresh);
	return rc;
}

/* Asks for a new token with the refresh token. 0 where there is a new one; -1 with err.
 */
static int
renew(struct ryde_aws_search *s, struct sso *o, struct ryde_err *err)
{
	struct ryde_view cache = ryde_view_of(o->cache);
	char *id = ryde_aws_keys_pick(cache, ".clientId"),
	     *secret = ryde_aws_keys_pick(cache, ".clientSecret"),
	     *refresh = ryde_aws_keys_pick(cache, ".refreshToken");
	const char *headers[] = {"Content-Type: application/json"};
	char url[RYDE_AWS_HOST_MAX + 300];
	struct ryde_http_ask ask = {.method = "POST",
	    .url = url,
	    .headers = headers,
	    .n_headers = 1,
	    .ca_file = ryde_aws_config_ca_bundle(s->config)};
	struct ryde_http_exchange *x = NULL;
	const struct ryde_http_answer *a;
	struct ryde_aws_endpoint e;
	struct ryde_buf body;
	int rc = -1;

	ryde_buf_init(&body, 4 * TEXT_MAX);
	if (o->session == NULL || id == NULL || secret == NULL || refresh == NULL) {
		(void)log_in(o, "the login has expired", err);
		goto out;
	}
	if (ryde_buf_room(&body, 2 * TEXT_MAX) == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	put_member(&body, "clientId", id);
	put_member(&body, "clientSecret", secret);
	put_member(&body, "grantType", "refresh_token");
	put_member(&body, "refreshToken", refresh);
	ryde_buf_putc(&body, '}');
	if (ryde_buf_check(&body, err) != 0 ||
	    ryde_aws_config_endpoint(
		s->config, RYDE_AWS_SSO_OIDC, o->region, &e, NULL, err) != 0)
		goto out;
	(void)snprintf(url, sizeof(url), "%s://%s%s/token", e.tls ? "https" : "http",
	    e.host, e.base);
	ask.body = ryde_buf_as_view(&body);
	x = ryde_aws_source_ask(s, &ask, TRIES, PAUSE_MS, o->from, err);
	if (x == NULL)
		goto out;
	a = ryde_http_answer(x);
	if (a->status == 200)
		rc = take_token(o, ryde_buf_as_view(&a->body), err);
	else
		rc = a->status < 500 ? log_in(o, "the login has expired", err)
				     : ryde_aws_source_refused(a, o->from, err);
out:
	ryde_http_end(x);
	if (body.p != NULL)
		OPENSSL_cleanse(body.p, body.cap);
	ryde_buf_free(&body);
	ryde_aws_keys_wipe(id);
	ryde_aws_keys_wipe(secret);
	ryde_aws_keys_wipe(refresh);
	return rc;
}

static int
make_current(struct ryde_aws_search *s, struct sso *o, struct ryde_err *err)
{
	struct ryde_err later = RYDE_ERR_INIT;
	int64_t now = ryde_clock_wall_ms();

	if (now < o->expires_unix_ms - AHEAD_MS)
		return 0;
	if (renew(s, o, &later) == 0)
		return 0;
	if (now < o->expires_unix_ms)
		return 0; /* it is good for some minutes yet */
	*err = later;
	return -1;
}

/* ---- what it is good for ---- */

static int
fetch(struct ryde_aws_search *s, struct sso *o, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	static const struct ryde_aws_keys_names names = {".roleCredentials.accessKeyId",
	    ".roleCredentials.secretAccessKey", ".roleCredentials.sessionToken",
	    ".roleCredentials.expiration"};
	const char *headers[1];
	struct ryde_http_ask ask = {.headers = headers,
	    .n_headers = 1,
	    .ca_file = ryde_aws_config_ca_bundle(s->config)};
	struct ryde_http_exchange *x = NULL;
	const struct ryde_http_answer *a;
	struct ryde_aws_endpoint e;
	struct ryde_buf url, header;
	int rc = -1;

	ryde_buf_init(&url, 4096);
	ryde_buf_init(&header, 2 * TEXT_MAX);
	if (ryde_aws_config_endpoint(s->config, RYDE_AWS_SSO, o->region, &e, NULL, err) !=
	    0)
		goto out;
	ryde_buf_printf(&url,
	    "%s://%s%s/federation/credentials?role_name=", e.tls ? "https" : "http",
	    e.host, e.base);
	ryde_sigv4_encode(&url, ryde_view_of(o->role), false);
	ryde_buf_puts(&url, "&account_id=");
	ryde_sigv4_encode(&url, ryde_view_of(o->account), false);
	if (ryde_buf_room(&header, strlen(o->token) + 64) != NULL)
		ryde_buf_printf(&header, "x-amz-sso_bearer_token: %s", o->token);
	ask.url = ryde_buf_str(&url);
	headers[0] = ryde_buf_str(&header);
	if (ryde_buf_check(&url, err) != 0 || ryde_buf_check(&header, err) != 0)
		goto out;
	x = ryde_aws_source_ask(s, &ask, TRIES, PAUSE_MS, o->from, err);
	if (x == NULL)
		goto out;
	a = ryde_http_answer(x);
	if (a->status == 401)
		rc = log_in(o, "the login has expired", err);
	else
		rc = a->status == 200
			 ? ryde_aws_keys_json(
			       keys, ryde_buf_as_view(&a->body), &names, o->from, err)
			 : ryde_aws_source_refused(a, o->from, err);
	if (rc == 0)
		(void)snprintf(keys->source, sizeof(keys->source), "%s", o->from);
out:
	ryde_http_end(x);
	if (header.p != NULL)
		OPENSSL_cleanse(header.p, header.cap);
	ryde_buf_free(&header);
	ryde_buf_free(&url);
	return rc;
}

int
ryde_aws_source_sso(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	struct sso o = {.profile = profile};
	int rc = read_profile(s, &o, err);

	if (rc != 1)
		return rc;
	(void)snprintf(
	    o.from, sizeof(o.from), "IAM Identity Center (profile %.80s)", profile);
	rc = find_file(&o, err);
	if (rc == 0)
		rc = read_token(&o, err);
	if (rc == 0)
		rc = make_current(s, &o, err);
	if (rc == 0)
		rc = fetch(s, &o, keys, err);
	ryde_aws_keys_wipe(o.cache);
	ryde_aws_keys_wipe(o.token);
	return rc == 0 ? 1 : -1;
}
