/* An access key, its secret and its session token, and how they stand in answers and
 * files. */
#ifndef RYDE_AWS_KEYS_H
#define RYDE_AWS_KEYS_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;

struct ryde_aws_keys {
	char *access, *secret;
	char *token;		 /* "" where there is none */
	int64_t expires_unix_ms; /* INT64_MAX: never */
	char source[160];	 /* where they come from, for people */
	bool fixed; /* they cannot change while the program runs: its own environment */
};

#define RYDE_AWS_KEYS_INIT                             \
	{                                              \
		NULL, NULL, NULL, INT64_MAX, "", false \
	}

/* Empties k; what it held is wiped. */
void ryde_aws_keys_clear(struct ryde_aws_keys *k);
/*
 * Sets the three strings (copied). -1 with RYDE_ENOPERM where access or secret is empty
 * or has a character that no key has, and k is empty then; `from` says in the message
 * whose they are.
 */
int ryde_aws_keys_set(struct ryde_aws_keys *k, struct ryde_view access,
    struct ryde_view secret, struct ryde_view token, const char *from,
    struct ryde_err *err);

/* Where the parts stand in a JSON text: paths such as ".Credentials.AccessKeyId".
 * expiration may be NULL. */
struct ryde_aws_keys_names {
	const char *access, *secret, *token, *expiration;
};
/* Reads keys from JSON; the expiration may be RFC 3339, or seconds or milliseconds since
 * the epoch. */
int ryde_aws_keys_json(struct ryde_aws_keys *k, struct ryde_view text,
    const struct ryde_aws_keys_names *names, const char *from, struct ryde_err *err);
/* Reads <AccessKeyId> <SecretAccessKey> <SessionToken> <Expiration>. */
int ryde_aws_keys_xml(struct ryde_aws_keys *k, struct ryde_view text, const char *from,
    struct ryde_err *err);

/* The string at `path` of a JSON text, decoded, to be freed; NULL where there is none. */
char *ryde_aws_keys_pick(struct ryde_view json, const char *path);
/* Frees a string that may be a secret. NULL is fine. */
void ryde_aws_keys_wipe(char *text);

#endif
