/*
 * What a client is told by options, environment and the two files: profile, region,
 * endpoints, attempts; and where each was said.
 *
 * Source: "Configuring settings" and "Service-specific endpoints" of the AWS SDKs and
 * Tools Reference Guide; botocore's configprovider.py.
 */
#ifndef RYDE_AWS_CONFIG_H
#define RYDE_AWS_CONFIG_H

#include "aws/service.h"

#include <stdbool.h>

struct ryde_aws_config;
struct ryde_aws_endpoint;
struct ryde_err;
struct ryde_profiles;
struct ryde_store_settings;

/* Reads the files. options are borrowed for its life. -1 with RYDE_ECONFIG where a file
 * is not of its form. */
struct ryde_aws_config *ryde_aws_config_new(
    const struct ryde_store_settings *options, struct ryde_err *err);
void ryde_aws_config_free(struct ryde_aws_config *c);
/* Reads the files again: someone may have logged in meanwhile. On -1 the old ones stay.
 */
int ryde_aws_config_reload(struct ryde_aws_config *c, struct ryde_err *err);

const struct ryde_store_settings *ryde_aws_config_options(
    const struct ryde_aws_config *c);
const struct ryde_profiles *ryde_aws_config_profiles(const struct ryde_aws_config *c);
/* The profile's name; *from (may be NULL) becomes "--profile", "AWS_PROFILE" … Good until
 * a reload. */
const char *ryde_aws_config_profile(const struct ryde_aws_config *c, const char **from);
/* A key of a profile: of credentials, else of config. NULL where there is none. */
const char *ryde_aws_config_key(
    const struct ryde_aws_config *c, const char *profile, const char *key);
/* An environment variable, NULL also where it is empty. */
const char *ryde_aws_config_variable(const char *name);

/* NULL where none is set anywhere. */
const char *ryde_aws_config_region(const struct ryde_aws_config *c, const char **from);
/* Where calls to a service go. -1 with RYDE_ECONFIG where the configured endpoint is
 * none; from[64] (may be NULL). */
int ryde_aws_config_endpoint(const struct ryde_aws_config *c,
    enum ryde_aws_service service, const char *region, struct ryde_aws_endpoint *out,
    char *from, struct ryde_err *err);
/* How often a call is attempted. */
int ryde_aws_config_attempts(const struct ryde_aws_config *c);
/* A file of trusted certificates, or NULL. */
const char *ryde_aws_config_ca_bundle(const struct ryde_aws_config *c);

#endif
