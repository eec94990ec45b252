#include "aws/config.h"

#include "aws/endpoint.h"
#include "aws/profiles.h"
#include "aws/retry.h"
#include "base/err.h"
#include "base/num.h"
#include "store/name.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FROM_MAX 64
#define ATTEMPTS_MAX 100

struct ryde_aws_config {
	const struct ryde_store_settings *options;
	struct ryde_profiles *profiles;
	char pool_region[64]; /* of the identity pool; "" where there is none */
};

const char *
ryde_aws_config_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static struct ryde_profiles *
read_files(struct ryde_err *err)
{
	struct ryde_profiles *p = ryde_profiles_new(err);
	char file[4096];

	for (int credentials = 0; p != NULL && credentials < 2; credentials++) {
		if (ryde_profiles_file(credentials, file) &&
		    ryde_profiles_read(p, file, credentials, err) != 0) {
			ryde_profiles_free(p);
			p = NULL;
		}
	}
	return p;
}

static int
check(const struct ryde_aws_config *c, struct ryde_err *err)
{
	const char *pool = c->options->identity_pool,
		   *attempts = ryde_aws_config_variable("AWS_MAX_ATTEMPTS");
	int64_t n;

	if (pool != NULL && c->pool_region[0] == '\0')
		return ryde_err_set(err, RYDE_ECONFIG,
		    "--identity-pool: '%.100s' is not of the form REGION:ID, as in "
		    "us-east-1:12345678-90ab-cdef-1234-567890abcdef",
		    pool);
	if (attempts != NULL &&
	    !ryde_num_i64(ryde_view_of(attempts), 1, ATTEMPTS_MAX, &n))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "AWS_MAX_ATTEMPTS: '%.40s' is no number from 1 to %d", attempts,
		    ATTEMPTS_MAX);
	return 0;
}

struct ryde_aws_config *
ryde_aws_config_new(const struct ryde_store_settings *options, struct ryde_err *err)
{
	struct ryde_aws_config *c = calloc(1, sizeof(*c));
	const char *pool = options->identity_pool,
		   *colon = pool != NULL ? strchr(pool, ':') : NULL;

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->options = options;
	if (colon != NULL && colon[1] != '\0' &&
	    colon - pool < (ptrdiff_t)sizeof(c->pool_region))
		(void)snprintf(c->pool_region, sizeof(c->pool_region), "%.*s",
		    (int)(colon - pool), pool);
	if (!ryde_aws_region_valid(c->pool_region))
		c->pool_region[0] = '\0';
	c->profiles = read_files(err);
	if (c->profiles != NULL && check(c, err) == 0)
		return c;
	ryde_aws_config_free(c);
	return NULL;
}

void
ryde_aws_config_free(struct ryde_aws_config *c)
{
	if (c == NULL)
		return;
	ryde_profiles_free(c->profiles);
	free(c);
}

int
ryde_aws_config_reload(struct ryde_aws_config *c, struct ryde_err *err)
{
	struct ryde_profiles *p = read_files(err);

	if (p == NULL)
		return -1;
	ryde_profiles_free(c->profiles);
	c->profiles = p;
	return 0;
}

const struct ryde_store_settings *
ryde_aws_config_options(const struct ryde_aws_config *c)
{
	return c->options;
}

const struct ryde_profiles *
ryde_aws_config_profiles(const struct ryde_aws_config *c)
{
	return c->profiles;
}

/* ---- which one is set ---- */

static const char *
given(const char *option)
{
	return option != NULL && option[0] != '\0' ? option : NULL;
}

/* The option, else the first of the variables that is set, else NULL; *from says which.
 */
static const char *
option_or_variable(const char *option, const char *option_name,
    const char *const *variables, size_t n, const char **from)
{
	*from = option_name;
	if (given(option) != NULL)
		return option;
	for (size_t i = 0; i < n; i++) {
		const char *value = ryde_aws_config_variable(variables[i]);

		*from = variables[i];
		if (value != NULL)
			return value;
	}
	return NULL;
}

const char *
ryde_aws_config_profile(const struct ryde_aws_config *c, const char **from)
{
	static const char *const variables[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"};
	const char *said, *name = option_or_variable(
			      c->options->profile, "--profile", variables, 2, &said);

	if (name == NULL)
		said = "no other is named";
	if (from != NULL)
		*from = said;
	return name != NULL ? name : "default";
}

const char *
ryde_aws_config_key(const struct ryde_aws_config *c, const char *profile, const char *key)
{
	const char *value = ryde_profiles_get(
	    c->profiles, RYDE_PROFILES_CREDENTIALS_PROFILE, profile, key, NULL);

	if (given(value) == NULL)
		value = ryde_profiles_get(
		    c->profiles, RYDE_PROFILES_CONFIG_PROFILE, profile, key, NULL);
	return given(value);
}

static const char *
profile_key(const struct ryde_aws_config *c, const char *key)
{
	return ryde_aws_config_key(c, ryde_aws_config_profile(c, NULL), key);
}

const char *
ryde_aws_config_region(const struct ryde_aws_config *c, const char **from)
{
	static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
	const char *said, *region = option_or_variable(
			      c->options->region, "--region", variables, 2, &said);

	if (region == NULL) {
		region = profile_key(c, "region");
		said = "region of the profile";
	}
	/* the workshop's dashboard knows nothing but its pool: REGION:ID */
	if (region == NULL && c->pool_region[0] != '\0') {
		region = c->pool_region;
		said = "--identity-pool";
	}
	if (from != NULL)
		*from = region != NULL ? said : NULL;
	return region;
}

/* ---- endpoints ---- */

static bool
is_true(const char *variable, const char *value)
{
	const char *set = ryde_aws_config_variable(variable);

	if (set == NULL)
		set = value;
	return set != NULL && (strcmp(set, "true") == 0 || strcmp(set, "True") == 0 ||
				  strcmp(set, "TRUE") == 0);
}

static void
lower(const char *from, char *to, size_t max)
{
	size_t n = 0;

	for (; from[n] != '\0' && n + 1 < max; n++)
		to[n] = from[n] >= 'A' && from[n] <= 'Z' ? (char)(from[n] - 'A' + 'a')
							 : from[n];
	to[n] = '\0';
}

/* The endpoint of the profile's [services …] section, NULL where there is none. */
static int
of_services(const struct ryde_aws_config *c, const char *variable, const char **url,
    struct ryde_err *err)
{
	const char *services = profile_key(c, "services");
	char id[32];

	*url = NULL;
	if (services == NULL)
		return 0;
	if (!ryde_profiles_has(c->profiles, RYDE_PROFILES_SERVICES, services))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s names services = %s, and there is no [services %s] in "
		    "the config file",
		    ryde_aws_config_profile(c, NULL), services, services);
	lower(variable, id, sizeof(id));
	*url = given(ryde_profiles_get(
	    c->profiles, RYDE_PROFILES_SERVICES, services, id, "endpoint_url"));
	return 0;
}

/* The URL that is set for a service, NULL where none is. */
static int
endpoint_url(const struct ryde_aws_config *c, const char *variable, const char **url,
    char *from, struct ryde_err *err)
{
	*url = given(c->options->endpoint_url);
	(void)snprintf(from, FROM_MAX, "--endpoint-url");
	if (*url != NULL)
		return 0;
	if (is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
		profile_key(c, "ignore_configured_endpoint_urls")))
		return 0;
	(void)snprintf(from, FROM_MAX, "AWS_ENDPOINT_URL_%s", variable);
	*url = ryde_aws_config_variable(from);
	if (*url != NULL)
		return 0;
	(void)snprintf(from, FROM_MAX, "AWS_ENDPOINT_URL");
	*url = ryde_aws_config_variable(from);
	if (*url != NULL)
		return 0;
	if (of_services(c, variable, url, err) != 0)
		return -1;
	(void)snprintf(from, FROM_MAX, "services of the profile");
	if (*url != NULL)
		return 0;
	(void)snprintf(from, FROM_MAX, "endpoint_url of the profile");
	*url = profile_key(c, "endpoint_url");
	return 0;
}

int
ryde_aws_config_endpoint(const struct ryde_aws_config *c, enum ryde_aws_service service,
    const char *region, struct ryde_aws_endpoint *out, char *from, struct ryde_err *err)
{
	char said[FROM_MAX];
	const char *url;

	if (endpoint_url(c, ryde_aws_service_facts(service)->variable, &url, said, err) !=
	    0)
		return -1;
	if (url == NULL) {
		(void)snprintf(said, sizeof(said), "AWS's own");
		ryde_aws_endpoint_default(service, region,
		    is_true("AWS_USE_FIPS_ENDPOINT", profile_key(c, "use_fips_endpoint")),
		    is_true("AWS_USE_DUALSTACK_ENDPOINT",
			profile_key(c, "use_dualstack_endpoint")),
		    out);
	} else if (ryde_aws_endpoint_parse(url, said, out, err) != 0) {
		return -1;
	}
	if (from != NULL)
		memcpy(from, said, sizeof(said));
	return 0;
}

int
ryde_aws_config_attempts(const struct ryde_aws_config *c)
{
	const char *text = ryde_aws_config_variable("AWS_MAX_ATTEMPTS");
	int64_t n;

	if (text == NULL)
		text = profile_key(c, "max_attempts");
	return text != NULL && ryde_num_i64(ryde_view_of(text), 1, ATTEMPTS_MAX, &n)
		   ? (int)n
		   : RYDE_AWS_ATTEMPTS;
}

const char *
ryde_aws_config_ca_bundle(const struct ryde_aws_config *c)
{
	const char *file = ryde_aws_config_variable("AWS_CA_BUNDLE");

	return file != NULL ? file : profile_key(c, "ca_bundle");
}
