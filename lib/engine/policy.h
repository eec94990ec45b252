/*
 * The least IAM policy that a command line needs: which of AWS's actions its programs
 * call, on which streams, tables, queues, buckets and delivery streams.
 *
 * A bare name counts as one on AWS, since that is what the question is about; `local:`
 * names and files need nothing. The account is left open (*), the region where none is
 * configured.
 *
 * Source: "Actions, resources, and condition keys" of each service (Service Authorization
 * Reference).
 */
#ifndef RYDE_ENGINE_POLICY_H
#define RYDE_ENGINE_POLICY_H

#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_policy;

struct ryde_policy *ryde_policy_new(const char *region, struct ryde_err *err);
void ryde_policy_free(struct ryde_policy *p);

/* Appends the policy as one JSON line. */
int ryde_policy_print(
    const struct ryde_policy *p, struct ryde_buf *out, struct ryde_err *err);

/*
 * Reads a command line, words or one text with quotes and pipes, and adds what each of
 * its stages needs. Options are known from what each program's --help says. Words that
 * are no program of ours are passed over. RYDE_EUSAGE where there is none of ours, or an
 * option is unknown.
 */
int ryde_policy_read(
    struct ryde_policy *p, char *const *words, size_t n, struct ryde_err *err);

#endif
