#include "aws/config.h"
#include "aws/endpoint.h"
#include "aws/fault.h"
#include "aws/source.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "json/string.h"
#include "store/name.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES 3
#define PAUSE_MS 300
#define TEXT_MAX 65536
#define PROVIDER_MAX 256

/*
 * A Cognito identity pool. Neither of its two calls is signed. Each GetId of a guest
 * makes a new identity, so a guest's is kept in a file; the identity of someone who logs
 * in is the same each time.
 */
struct pool {
	const char *id; /* "us-east-1:1234…" */
	char region[64];
	char provider[PROVIDER_MAX]; /* "" for a guest */
	char *login;		     /* the token */
	char *identity;
	char file[4096]; /* where a guest's identity is kept; "" nowhere */
	char from[160];
};

static int
read_login(struct pool *p, const char *login, struct ryde_err *err)
{
	const char *equals = login != NULL ? strchr(login, '=') : NULL;

	if (login == NULL)
		return 0;
	if (equals == NULL || equals == login || equals[1] == '\0' ||
	    equals - login >= PROVIDER_MAX)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--login: '%.100s' is not PROVIDER=TOKENFILE, as in "
		    "graph.facebook.com=token.txt",
		    login);
	(void)snprintf(
	    p->provider, sizeof(p->provider), "%.*s", (int)(equals - login), login);
	p->login = ryde_aws_source_read(equals + 1, "--login", err);
	return p->login != NULL ? 0 : -1;
}

static void
find_file(struct pool *p)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n = 0;

	if (p->login != NULL || strchr(p->id, '/') != NULL)
		return;
	if (cache != NULL && cache[0] == '/')
		n = snprintf(
		    p->file, sizeof(p->file), "%s/ryde/identities/%s", cache, p->id);
	else if (home != NULL && home[0] != '\0')
		n = snprintf(p->file, sizeof(p->file), "%s/.cache/ryde/identities/%s",
		    home, p->id);
	if (n < 0 || n >= (int)sizeof(p->file))
		p->file[0] = '\0';
}

static void
put_member(struct ryde_buf *b, const char *name, const char *value)
{
	ryde_json_string_put(b, ryde_view_of(name));
	ryde_buf_putc(b, ':');
	ryde_json_string_put(b, ryde_view_of(value));
}

/* One call. The exchange with its answer, or NULL with err. */
static struct ryde_http_exchange *
ask(struct ryde_aws_search *s, struct pool *p, const char *operation, const char *name,
    const char *value, struct ryde_err *err)
{
	const char *headers[2] = {"Content-Type: application/x-amz-json-1.1"};
	char url[RYDE_AWS_HOST_MAX + 300], target[80];
	struct ryde_http_ask question = {.method = "POST",
	    .url = url,
	    .headers = headers,
	    .n_headers = 2,
	    .ca_file = ryde_aws_config_ca_bundle(s->config)};
	struct ryde_http_exchange *x = NULL;
	struct ryde_aws_endpoint e;
	struct ryde_buf body;

	ryde_buf_init(&body, 4 * TEXT_MAX);
	if (ryde_aws_config_endpoint(
		s->config, RYDE_AWS_COGNITO_IDENTITY, p->region, &e, NULL, err) != 0)
		return NULL;
	if (ryde_buf_room(&body, 2 * TEXT_MAX) == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	(void)snprintf(
	    url, sizeof(url), "%s://%s%s/", e.tls ? "https" : "http", e.host, e.base);
	(void)snprintf(target, sizeof(target),
	    "X-Amz-Target: AWSCognitoIdentityService.%s", operation);
	headers[1] = target;
	ryde_buf_putc(&body, '{');
	put_member(&body, name, value);
	if (p->login != NULL) {
		ryde_buf_puts(&body, ",\"Logins\":{");
		put_member(&body, p->provider, p->login);
		ryde_buf_putc(&body, '}');
	}
	ryde_buf_putc(&body, '}');
	question.body = ryde_buf_as_view(&body);
	if (ryde_buf_check(&body, err) == 0)
		x = ryde_aws_source_ask(s, &question, TRIES, PAUSE_MS, p->from, err);
	OPENSSL_cleanse(body.p, body.cap);
	ryde_buf_free(&body);
	return x;
}

/* An identity that cannot be kept would be made anew with each run: said, but no reason
 * to stop. */
static void
keep_identity(struct pool *p)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char folder[sizeof(p->file)];

	if (p->file[0] == '\0')
		return;
	memcpy(folder, p->file, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	if (ryde_file_mkdirs(folder, &err) != 0 ||
	    ryde_file_replace(p->file, ryde_view_of(p->identity), &err) != 0)
		ryde_log(
		    RYDE_LOG_WARNING, "the guest's identity is not kept: %s", err.msg);
}

static int
get_identity(struct ryde_aws_search *s, struct pool *p, struct ryde_err *err)
{
	struct ryde_http_exchange *x = ask(s, p, "GetId", "IdentityPoolId", p->id, err);
	const struct ryde_http_answer *a;

	if (x == NULL)
		return -1;
	a = ryde_http_answer(x);
	if (a->status != 200) {
		(void)ryde_aws_source_refused(a, p->from, err);
	} else {
		p->identity =
		    ryde_aws_keys_pick(ryde_buf_as_view(&a->body), ".IdentityId");
		if (p->identity == NULL)
			(void)ryde_err_set(err, RYDE_ENOPERM,
			    "%s: the answer of GetId has no IdentityId", p->from);
		else
			keep_identity(p);
	}
	ryde_http_end(x);
	return p->identity != NULL ? 0 : -1;
}

/* 0 with keys; 1 where the pool does not know the identity (any more); -1 with err. */
static int
get_keys(struct ryde_aws_search *s, struct pool *p, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	static const struct ryde_aws_keys_names names = {".Credentials.AccessKeyId",
	    ".Credentials.SecretKey", ".Credentials.SessionToken",
	    ".Credentials.Expiration"};
	struct ryde_http_exchange *x =
	    ask(s, p, "GetCredentialsForIdentity", "IdentityId", p->identity, err);
	const struct ryde_http_answer *a;
	struct ryde_aws_fault fault;
	int rc;

	if (x == NULL)
		return -1;
	a = ryde_http_answer(x);
	if (a->status == 200) {
		rc = ryde_aws_keys_json(
		    keys, ryde_buf_as_view(&a->body), &names, p->from, err);
	} else {
		ryde_aws_fault_read(&fault, a->status,
		    ryde_http_header(a, "x-amzn-errortype"),
		    ryde_http_header(a, "content-type"), ryde_buf_as_view(&a->body));
		rc = fault.kind == RYDE_AWS_MISSING ? 1 : -1;
		(void)ryde_aws_source_refused(a, p->from, err);
	}
	ryde_http_end(x);
	return rc;
}

/* With the identity that was kept, else with a new one. */
static int
find_keys(struct ryde_aws_search *s, struct pool *p, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	struct ryde_err ignored = RYDE_ERR_INIT;
	bool kept = p->file[0] != '\0' && access(p->file, F_OK) == 0;
	int rc;

	if (kept)
		p->identity = ryde_aws_source_read(p->file, p->from, &ignored);
	kept = p->identity != NULL;
	if (!kept && get_identity(s, p, err) != 0)
		return -1;
	rc = get_keys(s, p, keys, kept ? &ignored : err);
	if (rc == 1 && kept) {
		ryde_aws_keys_wipe(p->identity);
		p->identity = NULL;
		rc = get_identity(s, p, err);
		if (rc == 0)
			rc = get_keys(s, p, keys, err);
	} else if (rc != 0 && kept) {
		*err = ignored;
	}
	return rc == 0 ? 0 : -1;
}

int
ryde_aws_source_pool(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const struct ryde_store_settings *options = ryde_aws_config_options(s->config);
	struct pool p = {.id = options->identity_pool};
	int rc;

	if (p.id == NULL && options->login != NULL)
		return ryde_err_set(err, RYDE_EUSAGE, "--login needs --identity-pool");
	if (p.id == NULL)
		return ryde_aws_source_none(s, "--identity-pool is not given");
	(void)snprintf(p.region, sizeof(p.region), "%.*s", (int)strcspn(p.id, ":"), p.id);
	if (read_login(&p, options->login, err) != 0)
		return -1;
	(void)snprintf(p.from, sizeof(p.from), "identity pool %.90s, %s", p.id,
	    p.login != NULL ? "logged in" : "guest");
	find_file(&p);
	rc = find_keys(s, &p, keys, err);
	if (rc == 0)
		(void)snprintf(keys->source, sizeof(keys->source), "%s", p.from);
	ryde_aws_keys_wipe(p.login);
	ryde_aws_keys_wipe(p.identity);
	return rc == 0 ? 1 : -1;
}
