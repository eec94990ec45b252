/* Which AWS settings and credentials would be used, and why: what ryde-admin whoami
 * prints. Never a secret. */
#ifndef RYDE_AWS_WHOAMI_H
#define RYDE_AWS_WHOAMI_H

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;

/*
 * Appends a JSON line for the profile, the region, the endpoints, each source of
 * credentials and the keys; with `ask` also who AWS says that the keys are. -1 with err
 * (77, 78 …) where no call could be made; what could be found out stands in out all the
 * same.
 */
int ryde_aws_whoami(const struct ryde_store_settings *settings, bool ask,
    struct ryde_buf *out, struct ryde_err *err);

/* The region that is configured, into to[max]. False where there is none. */
bool ryde_aws_whoami_region(
    const struct ryde_store_settings *settings, char *to, size_t max);

#endif
