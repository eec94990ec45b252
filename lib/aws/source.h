/*
 * The places where credentials are looked for, one function each. Private to lib/aws.
 *
 * Source: botocore's credentials.py and utils.py; "Standardized credential providers" of
 * the AWS SDKs and Tools Reference Guide.
 */
#ifndef RYDE_AWS_SOURCE_H
#define RYDE_AWS_SOURCE_H

#include "aws/http.h"
#include "aws/keys.h"

struct ryde_aws_config;
struct ryde_sigv4;

#define RYDE_AWS_CHAIN_MAX 8 /* roles behind each other */

/* One search for credentials. */
struct ryde_aws_search {
	struct ryde_aws_config *config;
	struct ryde_http *http;
	struct ryde_sigv4 *sigv4;
	const char *visited[RYDE_AWS_CHAIN_MAX]; /* profiles of a chain of roles */
	size_t n_visited;
	char why[200]; /* why the last source has none */
};

/*
 * What each source says: 1 with keys; 0 where nothing is configured for it, and
 * search->why says what is missing; -1 with err where it is configured and fails: the
 * search ends there, since going on would use other credentials than the user meant.
 */
typedef int ryde_aws_source_fn(
    struct ryde_aws_search *s, struct ryde_aws_keys *keys, struct ryde_err *err);

ryde_aws_source_fn ryde_aws_source_pool;	 /* --identity-pool */
ryde_aws_source_fn ryde_aws_source_environment;	 /* AWS_ACCESS_KEY_ID … */
ryde_aws_source_fn ryde_aws_source_web_identity; /* AWS_WEB_IDENTITY_TOKEN_FILE */
ryde_aws_source_fn ryde_aws_source_profile;	 /* whatever the profile says */
ryde_aws_source_fn ryde_aws_source_container;
ryde_aws_source_fn ryde_aws_source_instance;

/* The parts of a profile, by its name; same results. */
int ryde_aws_source_of_profile(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err);
int ryde_aws_source_sso(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err);
int ryde_aws_source_process(struct ryde_aws_search *s, const char *profile,
    struct ryde_aws_keys *keys, struct ryde_err *err);

/* Sets search->why; returns 0. */
int ryde_aws_source_none(struct ryde_aws_search *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What AssumeRole wants. Strings are borrowed, NULL where there is none. */
struct ryde_aws_role {
	const char *arn, *session, *external_id, *duration_s;
	const char *token_file; /* web identity: not signed */
	const char *from;	/* whose role it is, in messages */
};
/* Takes the role with the base keys (NULL: web identity). 1 or -1. */
int ryde_aws_source_assume(struct ryde_aws_search *s, const struct ryde_aws_role *role,
    const struct ryde_aws_keys *base, struct ryde_aws_keys *keys, struct ryde_err *err);

/*
 * Asks, up to `tries` times with pause_ms in between, until an answer with a status below
 * 500 comes. -> the exchange with it (ryde_http_end frees it), or NULL with
 * RYDE_EUNAVAILABLE and a message that begins with `from`.
 */
struct ryde_http_exchange *ryde_aws_source_ask(struct ryde_aws_search *s,
    struct ryde_http_ask *ask, int tries, int64_t pause_ms, const char *from,
    struct ryde_err *err);
/* Sets err from an answer that is not good: RYDE_ENOPERM and its words. Returns -1. */
int ryde_aws_source_refused(
    const struct ryde_http_answer *a, const char *from, struct ryde_err *err);
/* Reads a small file whole, as a string to be freed with ryde_aws_keys_wipe, blanks at
 * its end cut. NULL with err. */
char *ryde_aws_source_read(const char *file, const char *from, struct ryde_err *err);

#endif
