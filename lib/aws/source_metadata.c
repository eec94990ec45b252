#include "aws/config.h"
#include "aws/source.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const struct ryde_aws_keys_names names = {
    ".AccessKeyId", ".SecretAccessKey", ".Token", ".Expiration"};

/* ---- containers: ECS, EKS ---- */

#define CONTAINER_TRIES 3
#define CONTAINER_TIMEOUT_MS 2000
#define CONTAINER_PAUSE_MS 1000

/* Plain http only to this machine and to the addresses that container hosts answer at. */
static bool
allowed(const char *url)
{
	static const char *const hosts[] = {"localhost", "127.", "[::1]", "169.254.170.2",
	    "169.254.170.23", "[fd00:ec2::23]"};
	const char *host = url + 7;
	size_t n = strcspn(host, "/?#");

	if (strncmp(url, "https://", 8) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0 || memchr(host, '@', n) != NULL)
		return false;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t k = strlen(hosts[i]);

		if (n < k || strncasecmp(host, hosts[i], k) != 0)
			continue;
		/* 127.x.y.z: digits and points only */
		if (hosts[i][k - 1] == '.')
			k += strspn(host + k, "0123456789.");
		if (k == n || host[k] == ':')
			return true;
	}
	return false;
}

/* The header Authorization, from a file that is read again each time, or from the
 * environment. NULL with err; "" for none. */
static char *
authorization(struct ryde_err *err)
{
	const char *file =
		       ryde_aws_config_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
		   *token = ryde_aws_config_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *read = NULL, *line;
	size_t n;

	if (file != NULL) {
		read = ryde_aws_source_read(file, "container", err);
		if (read == NULL)
			return NULL;
		token = read;
	}
	if (token == NULL)
		token = "";
	n = strlen(token) + sizeof("Authorization: ");
	line = malloc(n);
	if (line == NULL) {
		(void)ryde_err_nomem(err);
	} else if (strpbrk(token, "\r\n") != NULL) {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "container: the authorization token has a line break in it");
		free(line);
		line = NULL;
	} else {
		(void)snprintf(
		    line, n, "%s%s", token[0] != '\0' ? "Authorization: " : "", token);
	}
	ryde_aws_keys_wipe(read);
	return line;
}

int
ryde_aws_source_container(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *relative =
		       ryde_aws_config_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		   *full = ryde_aws_config_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	const char *headers[2] = {"Accept: application/json"};
	char url[2048], *line;
	struct ryde_http_ask ask = {.url = url,
	    .headers = headers,
	    .n_headers = 1,
	    .connect_timeout_ms = CONTAINER_TIMEOUT_MS,
	    .timeout_ms = CONTAINER_TIMEOUT_MS,
	    .no_proxy = true};
	struct ryde_http_exchange *x;
	const struct ryde_http_answer *a;
	int rc = -1;

	if (relative == NULL && full == NULL)
		return ryde_aws_source_none(
		    s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
	if (snprintf(url, sizeof(url), "%s%s",
		relative != NULL ? "http://169.254.170.2" : "",
		relative != NULL ? relative : full) >= (int)sizeof(url) ||
	    (relative != NULL && relative[0] != '/') || !allowed(url))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "container: '%.200s' may not be asked for credentials: it is neither "
		    "https nor this machine nor its "
		    "container host",
		    url);
	line = authorization(err);
	if (line == NULL)
		return -1;
	if (line[0] != '\0')
		headers[ask.n_headers++] = line;
	x = ryde_aws_source_ask(
	    s, &ask, CONTAINER_TRIES, CONTAINER_PAUSE_MS, "container", err);
	ryde_aws_keys_wipe(line);
	if (x == NULL)
		return -1;
	a = ryde_http_answer(x);
	rc = a->status == 200 ? ryde_aws_keys_json(keys, ryde_buf_as_view(&a->body),
				    &names, "container", err)
			      : ryde_aws_source_refused(a, "container", err);
	if (rc == 0)
		(void)snprintf(keys->source, sizeof(keys->source), "container");
	ryde_http_end(x);
	return rc == 0 ? 1 : -1;
}

/* ---- EC2 instances ---- */

#define ROLES "/latest/meta-data/iam/security-credentials/"
#define STABLE_MS                                                                      \
	(15 * 60 * 1000) /* keys that the service failed to renew are used for so much \
			    longer */

struct instance {
	struct ryde_aws_search *s;
	char base[512];
	char token[256]; /* "x-aws-ec2-metadata-token: …"; "" without one */
	int64_t timeout_ms;
	int tries;
};

static int64_t
setting(const struct ryde_aws_search *s, const char *variable, const char *key,
    int64_t fallback)
{
	const char *text = ryde_aws_config_variable(variable);
	int64_t n;

	if (text == NULL)
		text = ryde_aws_config_key(
		    s->config, ryde_aws_config_profile(s->config, NULL), key);
	return text != NULL && ryde_num_i64(ryde_view_of(text), 1, 600, &n) ? n
									    : fallback;
}

static bool
is_true(const char *variable)
{
	const char *value = ryde_aws_config_variable(variable);

	return value != NULL && strcasecmp(value, "true") == 0;
}

/* One question. *x is to be ended; NULL where nothing came. */
static const struct ryde_http_answer *
get(struct instance *i, const char *method, const char *path,
    struct ryde_http_exchange **x)
{
	char url[sizeof(i->base) + 256];
	const char *headers[1] = {i->token};
	struct ryde_http_ask ask = {.method = method,
	    .url = url,
	    .headers = headers,
	    .n_headers = i->token[0] != '\0',
	    .connect_timeout_ms = i->timeout_ms,
	    .timeout_ms = i->timeout_ms,
	    .no_proxy = true};
	struct ryde_err ignored = RYDE_ERR_INIT;

	(void)snprintf(url, sizeof(url), "%s%.240s", i->base, path);
	if (method != NULL)
		headers[0] = "x-aws-ec2-metadata-token-ttl-seconds: 21600";
	ask.n_headers = method != NULL || i->token[0] != '\0';
	*x = ryde_aws_source_ask(i->s, &ask, i->tries, 0, "instance", &ignored);
	return *x != NULL ? ryde_http_answer(*x) : NULL;
}

/*
 * Asks for a session's token. A host that does not let the answer through (a container
 * one hop too far away) is known by its silence, after one time-out. 1 with i->token, 0
 * to go on without, -1 to give up.
 */
static int
begin(struct instance *i)
{
	struct ryde_http_exchange *x;
	const struct ryde_http_answer *a = get(i, "PUT", "/latest/api/token", &x);
	bool v1 = !is_true("AWS_EC2_METADATA_V1_DISABLED");
	int rc = 0;

	if (a == NULL) {
		rc = v1 ? 0 : -1;
	} else if (a->status == 200 && a->body.n > 0 && a->body.n < 200 &&
		   memchr(a->body.p, '\n', a->body.n) == NULL) {
		(void)snprintf(i->token, sizeof(i->token),
		    "x-aws-ec2-metadata-token: %.*s", (int)a->body.n, a->body.p);
		rc = 1;
	} else if (a->status == 400 || !v1) {
		rc = -1;
	}
	ryde_http_end(x);
	return rc;
}

static int
read_role(struct instance *i, const char *role, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	char path[sizeof(ROLES) + 160];
	struct ryde_http_exchange *x;
	const struct ryde_http_answer *a;
	int64_t now = ryde_clock_wall_ms();
	int rc;

	(void)snprintf(path, sizeof(path), ROLES "%s", role);
	a = get(i, NULL, path, &x);
	if (a == NULL)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "instance: the metadata service stopped answering");
	rc = a->status == 200 ? ryde_aws_keys_json(keys, ryde_buf_as_view(&a->body),
				    &names, "instance", err)
			      : ryde_aws_source_refused(a, "instance", err);
	ryde_http_end(x);
	if (rc != 0)
		return -1;
	if (keys->expires_unix_ms < now + STABLE_MS / 3)
		keys->expires_unix_ms = now + STABLE_MS;
	(void)snprintf(keys->source, sizeof(keys->source), "instance role %.100s", role);
	return 1;
}

static int
find_role(struct instance *i, char *role, size_t max)
{
	struct ryde_http_exchange *x;
	const struct ryde_http_answer *a = get(i, NULL, ROLES, &x);
	int found = 0;

	if (a != NULL && a->status == 200) {
		size_t n = 0;

		while (n < a->body.n && n + 1 < max && a->body.p[n] > ' ' &&
		       a->body.p[n] < 0x7f && a->body.p[n] != '/')
			n++;
		(void)snprintf(role, max, "%.*s", (int)n, n > 0 ? a->body.p : "");
		found = n > 0;
	}
	ryde_http_end(x);
	return found;
}

int
ryde_aws_source_instance(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *base = ryde_aws_config_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		   *mode =
		       ryde_aws_config_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	struct instance i = {.s = s,
	    .timeout_ms = 1000 * setting(s, "AWS_METADATA_SERVICE_TIMEOUT",
				     "metadata_service_timeout", 1),
	    .tries = (int)setting(s, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
		"metadata_service_num_attempts", 1)};
	char role[128];

	if (is_true("AWS_EC2_METADATA_DISABLED"))
		return ryde_aws_source_none(s, "AWS_EC2_METADATA_DISABLED is true");
	if (base == NULL)
		base = mode != NULL && strcasecmp(mode, "ipv6") == 0
			   ? "http://[fd00:ec2::254]"
			   : "http://169.254.169.254";
	(void)snprintf(i.base, sizeof(i.base), "%.500s", base);
	while (i.base[0] != '\0' && i.base[strlen(i.base) - 1] == '/')
		i.base[strlen(i.base) - 1] = '\0';
	if (begin(&i) < 0 || !find_role(&i, role, sizeof(role)))
		return ryde_aws_source_none(
		    s, "no metadata service with a role answers at %.100s", i.base);
	return read_role(&i, role, keys, err);
}
