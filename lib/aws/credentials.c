#include "aws/credentials.h"

#include "aws/config.h"
#include "aws/http.h"
#include "aws/keys_ahead.h"
#include "aws/sigv4.h"
#include "aws/source.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_MS (15 * 60 * 1000)
#define AGAIN_MS 30000 /* between two tries to renew */

struct ryde_aws_credentials {
	struct ryde_aws_config *config;
	struct ryde_http *http;
	struct ryde_sigv4 *sigv4;
	struct ryde_aws_keys keys;
	struct ryde_aws_keys_ahead *ahead; /* a search under way; NULL */
	int64_t found_unix_ms;
	int64_t next_try_mono_ms;
	bool had_some;
	bool stale; /* AWS does not take them any more */
};

static const struct {
	const char *name;
	ryde_aws_source_fn *find;
} sources[] = {
    {"identity pool", ryde_aws_source_pool},
    {"environment", ryde_aws_source_environment},
    {"web identity", ryde_aws_source_web_identity},
    {"profile", ryde_aws_source_profile},
    {"container", ryde_aws_source_container},
    {"instance", ryde_aws_source_instance},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct ryde_aws_credentials *
ryde_aws_credentials_new(struct ryde_aws_config *config, struct ryde_http *http,
    struct ryde_sigv4 *sigv4, struct ryde_err *err)
{
	struct ryde_aws_credentials *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->config = config;
	c->http = http;
	c->sigv4 = sigv4;
	return c;
}

void
ryde_aws_credentials_free(struct ryde_aws_credentials *c)
{
	if (c == NULL)
		return;
	ryde_aws_keys_ahead_free(c->ahead);
	ryde_aws_keys_clear(&c->keys);
	free(c);
}

static void
tell_nobody(void *arg, const char *source, bool used, const char *why)
{
	(void)arg;
	ryde_log(
	    RYDE_LOG_DEBUG, "credentials: %s: %s%s", source, used ? "used: " : "", why);
}

static int
search(struct ryde_aws_credentials *c, ryde_aws_credentials_tell *tell, void *arg,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	struct ryde_aws_search s = {
	    .config = c->config, .http = c->http, .sigv4 = c->sigv4};
	int rc = 0;

	for (size_t i = 0; i < SOURCES; i++) {
		if (rc != 0) {
			tell(arg, sources[i].name, false,
			    "not looked at: another comes first");
			continue;
		}
		rc = sources[i].find(&s, keys, err);
		if (rc == 1)
			tell(arg, sources[i].name, true, keys->source);
		else
			tell(arg, sources[i].name, false, rc == 0 ? s.why : err->msg);
	}
	if (rc == 0)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "no AWS credentials: not in the environment, nor in profile %.60s, "
		    "nor from a container or instance "
		    "(ryde-admin whoami says more)",
		    ryde_aws_config_profile(c->config, NULL));
	return rc == 1 ? 0 : -1;
}

int
ryde_aws_credentials_explain(struct ryde_aws_credentials *c,
    ryde_aws_credentials_tell *tell, void *arg, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	return search(c, tell, arg, keys, err);
}

/* When they are due for renewal. */
static int64_t
due_unix_ms(const struct ryde_aws_credentials *c)
{
	int64_t quarter_ms = (c->keys.expires_unix_ms - c->found_unix_ms) / 4;

	if (c->keys.expires_unix_ms == INT64_MAX)
		return INT64_MAX;
	return c->keys.expires_unix_ms - (quarter_ms < AHEAD_MS ? quarter_ms : AHEAD_MS);
}

static void
keep(struct ryde_aws_credentials *c, const struct ryde_aws_keys *found)
{
	if (!c->had_some)
		ryde_log(RYDE_LOG_INFO, "credentials: %s", found->source);
	ryde_aws_keys_clear(&c->keys);
	c->keys = *found;
	c->found_unix_ms = ryde_clock_wall_ms();
	c->next_try_mono_ms = 0;
	c->had_some = true;
	c->stale = false;
}

/* The first search: nothing can go on without it. */
static int
find_first(struct ryde_aws_credentials *c, struct ryde_err *err)
{
	struct ryde_aws_keys found = RYDE_AWS_KEYS_INIT;

	if (search(c, tell_nobody, NULL, &found, err) != 0) {
		ryde_aws_keys_clear(&found);
		return -1;
	}
	keep(c, &found);
	return 0;
}

/* Later ones, in a process of their own, which has no use for connections of ours. */
static int
find_again(void *arg, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	struct ryde_aws_credentials c = *(struct ryde_aws_credentials *)arg;

	if (ryde_aws_config_reload(c.config, err) != 0 ||
	    (c.http = ryde_http_new(err)) == NULL ||
	    (c.sigv4 = ryde_sigv4_new(err)) == NULL)
		return -1;
	return search(&c, tell_nobody, NULL, keys, err);
}

/* 0: they are new; 1: the search is under way; -1: there are none. */
static int
renew(struct ryde_aws_credentials *c, struct ryde_err *err)
{
	struct ryde_aws_keys found = RYDE_AWS_KEYS_INIT;
	int rc;

	if (c->ahead == NULL &&
	    (c->ahead = ryde_aws_keys_ahead_start(find_again, c, err)) == NULL)
		return -1;
	if (!ryde_aws_keys_ahead_done(c->ahead, &rc, &found, err))
		return 1;
	ryde_aws_keys_ahead_free(c->ahead);
	c->ahead = NULL;
	if (rc == 0)
		keep(c, &found);
	else
		ryde_aws_keys_clear(&found);
	return rc;
}

int
ryde_aws_credentials_get(struct ryde_aws_credentials *c, const struct ryde_aws_keys **out,
    struct ryde_err *err)
{
	int64_t now = ryde_clock_wall_ms();
	bool usable =
	    c->keys.access != NULL && !c->stale && now < c->keys.expires_unix_ms;
	struct ryde_err failure = RYDE_ERR_INIT;
	int rc;

	*out = &c->keys;
	if (!c->had_some)
		return find_first(c, err);
	if (usable && c->ahead == NULL &&
	    (now < due_unix_ms(c) || ryde_clock_mono_ms() < c->next_try_mono_ms))
		return 0;
	rc = renew(c, &failure);
	if (rc >= 0)
		return usable ? 0 : rc;
	c->next_try_mono_ms = ryde_clock_mono_ms() + AGAIN_MS;
	if (usable) {
		ryde_log(RYDE_LOG_WARNING, "credentials cannot be renewed yet: %s",
		    failure.msg);
		return 0;
	}
	if (failure.code == RYDE_ENOPERM)
		failure.code = RYDE_EUNAVAILABLE;
	*err = failure;
	return -1;
}

void
ryde_aws_credentials_renew(struct ryde_aws_credentials *c)
{
	/* what looks now may have read the very keys that are refused */
	if (!c->stale) {
		ryde_aws_keys_ahead_free(c->ahead);
		c->ahead = NULL;
	}
	c->stale = true;
}

bool
ryde_aws_credentials_may_change(const struct ryde_aws_credentials *c)
{
	return c->had_some && !c->keys.fixed;
}
