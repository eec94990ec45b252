#include "aws/config.h"
#include "aws/profiles.h"
#include "aws/source.h"
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const char *
key(const struct ryde_aws_search *s, const char *profile, const char *name)
{
	return ryde_aws_config_key(s->config, profile, name);
}

/* Keys that stand in one of the files. 0 where that file has neither. */
static int
from_file(struct ryde_aws_search *s, const char *profile, bool credentials,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const struct ryde_profiles *p = ryde_aws_config_profiles(s->config);
	enum ryde_profiles_kind kind = credentials ? RYDE_PROFILES_CREDENTIALS_PROFILE
						   : RYDE_PROFILES_CONFIG_PROFILE;
	const char *access =
		       ryde_profiles_get(p, kind, profile, "aws_access_key_id", NULL),
		   *secret =
		       ryde_profiles_get(p, kind, profile, "aws_secret_access_key", NULL),
		   *token =
		       ryde_profiles_get(p, kind, profile, "aws_session_token", NULL);
	char from[160];

	if (access == NULL && secret == NULL)
		return 0;
	if (token == NULL)
		token = ryde_profiles_get(p, kind, profile, "aws_security_token", NULL);
	(void)snprintf(from, sizeof(from), "profile %.80s, keys in the %s file", profile,
	    credentials ? "credentials" : "config");
	if (ryde_aws_keys_set(keys, ryde_view_of(access), ryde_view_of(secret),
		ryde_view_of(token), from, err) != 0)
		return -1;
	memcpy(keys->source, from, sizeof(from));
	return 1;
}

/* ---- roles ---- */

static bool
visited(const struct ryde_aws_search *s, const char *profile)
{
	for (size_t i = 0; i < s->n_visited; i++)
		if (strcmp(s->visited[i], profile) == 0)
			return true;
	return false;
}

/* The credentials that a role is taken with, from source_profile. */
static int
base_of_profile(struct ryde_aws_search *s, const char *profile, const char *source,
    struct ryde_aws_keys *base, struct ryde_err *err)
{
	int rc;

	/* a profile may name itself: its own keys take its role */
	if (strcmp(profile, source) == 0 || visited(s, source)) {
		rc = from_file(s, source, true, base, err);
		if (rc == 0)
			rc = from_file(s, source, false, base, err);
		if (rc == 0)
			return ryde_err_set(err, RYDE_ECONFIG,
			    "profile %s: its source_profile %s leads back to itself",
			    profile, source);
		return rc;
	}
	if (!ryde_profiles_has(ryde_aws_config_profiles(s->config),
		RYDE_PROFILES_CONFIG_PROFILE, source) &&
	    !ryde_profiles_has(ryde_aws_config_profiles(s->config),
		RYDE_PROFILES_CREDENTIALS_PROFILE, source))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s names source_profile = %s, and there is no such profile",
		    profile, source);
	rc = ryde_aws_source_of_profile(s, source, base, err);
	if (rc == 0)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "profile %s: its source_profile %s has no credentials: %s", profile,
		    source, s->why);
	return rc;
}

static int
base_of_source(struct ryde_aws_search *s, const char *profile, const char *source,
    struct ryde_aws_keys *base, struct ryde_err *err)
{
	static const struct {
		const char *name;
		ryde_aws_source_fn *find;
	} sources[] = {{"Environment", ryde_aws_source_environment},
	    {"Ec2InstanceMetadata", ryde_aws_source_instance},
	    {"EcsContainer", ryde_aws_source_container}};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		int rc;

		if (strcmp(source, sources[i].name) != 0)
			continue;
		rc = sources[i].find(s, base, err);
		if (rc == 0)
			return ryde_err_set(err, RYDE_ENOPERM,
			    "profile %s: its credential_source %s has no credentials: %s",
			    profile, source, s->why);
		return rc;
	}
	return ryde_err_set(err, RYDE_ECONFIG,
	    "profile %s: credential_source '%.60s' is none of Environment, "
	    "Ec2InstanceMetadata, EcsContainer",
	    profile, source);
}

static int
from_role(struct ryde_aws_search *s, const char *profile, struct ryde_aws_keys *keys,
    struct ryde_err *err)
{
	const char *source = key(s, profile, "source_profile"),
		   *place = key(s, profile, "credential_source"),
		   *device = key(s, profile, "mfa_serial");
	struct ryde_aws_keys base = RYDE_AWS_KEYS_INIT;
	struct ryde_aws_role role = {.arn = key(s, profile, "role_arn"),
	    .session = key(s, profile, "role_session_name"),
	    .external_id = key(s, profile, "external_id"),
	    .duration_s = key(s, profile, "duration_seconds"),
	    .token_file = key(s, profile, "web_identity_token_file"),
	    .from = profile};
	int rc;

	if (role.arn == NULL)
		return 0;
	if (role.token_file != NULL)
		return ryde_aws_source_assume(s, &role, NULL, keys, err);
	if (device != NULL)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "profile %s asks for an MFA code (mfa_serial), which a pipe cannot "
		    "type: use "
		    "'aws sts get-session-token' or 'aws configure export-credentials' "
		    "first, or IAM Identity Center",
		    profile);
	if ((source != NULL) == (place != NULL))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s has role_arn and %s source_profile %s "
		    "credential_source: the role needs one of them",
		    profile, source != NULL ? "both" : "neither",
		    source != NULL ? "and" : "nor");
	if (s->n_visited == RYDE_AWS_CHAIN_MAX)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "profile %s: more than %d roles behind each other", profile,
		    RYDE_AWS_CHAIN_MAX);
	s->visited[s->n_visited++] = profile;
	rc = source != NULL ? base_of_profile(s, profile, source, &base, err)
			    : base_of_source(s, profile, place, &base, err);
	s->n_visited--;
	if (rc == 1)
		rc = ryde_aws_source_assume(s, &role, &base, keys, err);
	ryde_aws_keys_clear(&base);
	return rc;
}

/* ---- a profile ---- */

int
ryde_aws_source_of_profile(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	int rc = from_role(s, profile, keys, err);

	if (rc == 0)
		rc = ryde_aws_source_sso(s, profile, keys, err);
	if (rc == 0)
		rc = from_file(s, profile, true, keys, err);
	if (rc == 0)
		rc = ryde_aws_source_process(s, profile, keys, err);
	if (rc == 0)
		rc = from_file(s, profile, false, keys, err);
	if (rc == 0 && key(s, profile, "login_session") != NULL)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "profile %s has a login_session of 'aws login', which only AWS's own "
		    "tools can use: set "
		    "credential_process = aws configure export-credentials --profile %s "
		    "--format process in another "
		    "profile",
		    profile, profile);
	if (rc == 0)
		return ryde_aws_source_none(
		    s, "profile %.60s has no role, SSO, process or keys", profile);
	return rc;
}

int
ryde_aws_source_profile(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const struct ryde_profiles *p = ryde_aws_config_profiles(s->config);
	const char *from, *profile = ryde_aws_config_profile(s->config, &from);
	bool there = ryde_profiles_has(p, RYDE_PROFILES_CONFIG_PROFILE, profile) ||
		     ryde_profiles_has(p, RYDE_PROFILES_CREDENTIALS_PROFILE, profile);

	if (!there && strcmp(profile, "default") == 0)
		return ryde_aws_source_none(s, "neither file has a profile default");
	if (!there && ryde_profiles_has(p, RYDE_PROFILES_OTHER, profile))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "there is no profile %s (%s): in the config file write [profile %s], "
		    "not [%s]",
		    profile, from, profile, profile);
	if (!there)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "there is no profile %.100s (%s) in ~/.aws/config or "
		    "~/.aws/credentials",
		    profile, from);
	return ryde_aws_source_of_profile(s, profile, keys, err);
}
