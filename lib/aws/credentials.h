/*
 * The keys that calls are signed with: found once, kept, renewed ahead of their end.
 *
 * They are looked for where AWS users keep them, in the order of AWS's own tools:
 * --identity-pool, the environment (not with --profile), web identity, the profile (role,
 * SSO, keys, process), container, instance. The first one that is configured is used, or
 * its failure is the answer: never silently other credentials than the user meant.
 *
 * Renewal is tried 15 minutes before the end, or in the last quarter of a shorter life;
 * while it fails the old keys are used to their end. It goes on in a process beside ours
 * (keys_ahead.h): only the very first search is waited for. Each reads the files anew,
 * and so finds who has logged in meanwhile.
 */
#ifndef RYDE_AWS_CREDENTIALS_H
#define RYDE_AWS_CREDENTIALS_H

#include <stdbool.h>

struct ryde_aws_config;
struct ryde_aws_credentials;
struct ryde_aws_keys;
struct ryde_err;
struct ryde_http;
struct ryde_sigv4;

/* The three are borrowed for its life. Looks nowhere yet. */
struct ryde_aws_credentials *ryde_aws_credentials_new(struct ryde_aws_config *config,
    struct ryde_http *http, struct ryde_sigv4 *sigv4, struct ryde_err *err);
void ryde_aws_credentials_free(struct ryde_aws_credentials *c);
/*
 * The keys to sign with now. *out is owned by c, good until the next call. 0; 1 where
 * those there were are of no use any more and others are being looked for: get again
 * later. -1 with RYDE_ENOPERM where there are none; with RYDE_EUNAVAILABLE where there
 * were some before: they may come back. Waits only where there were none yet.
 */
int ryde_aws_credentials_get(struct ryde_aws_credentials *c,
    const struct ryde_aws_keys **out, struct ryde_err *err);
/* AWS has said that the present keys have expired: the next get looks for new ones. */
void ryde_aws_credentials_renew(struct ryde_aws_credentials *c);
/* True where keys that have expired may be followed by others without a restart: someone
 * logs in, or a file changes. */
bool ryde_aws_credentials_may_change(const struct ryde_aws_credentials *c);

/*
 * Looks again, and tells of each source: its name, whether it is the one that is used,
 * and why (not). Sources behind the one that is used are told as not looked at. keys are
 * set where some were found; -1 with err where not.
 */
typedef void ryde_aws_credentials_tell(
    void *arg, const char *source, bool used, const char *why);
int ryde_aws_credentials_explain(struct ryde_aws_credentials *c,
    ryde_aws_credentials_tell *tell, void *arg, struct ryde_aws_keys *keys,
    struct ryde_err *err);

#endif
