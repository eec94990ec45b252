/* Where a service is: the parts of its URL, and its default one. */
#ifndef RYDE_AWS_ENDPOINT_H
#define RYDE_AWS_ENDPOINT_H

#include "aws/service.h"

#include <stdbool.h>

struct ryde_err;

#define RYDE_AWS_HOST_MAX 256

struct ryde_aws_endpoint {
	bool tls;
	bool own; /* not AWS's default: someone has configured it */
	char host[RYDE_AWS_HOST_MAX +
		  8];	/* with its port where that is not the scheme's */
	char base[256]; /* in front of each path: "" or "/prefix" */
};

/* True where text looks like a region: "us-east-1". */
bool ryde_aws_region_valid(const char *text);
/*
 * Takes "http[s]://host[:port][/base]" apart. -1 with RYDE_ECONFIG where url is not of
 * this form; `from` says in the message where it was set.
 */
int ryde_aws_endpoint_parse(const char *url, const char *from,
    struct ryde_aws_endpoint *out, struct ryde_err *err);
/* AWS's own endpoint in a region (which is valid). */
void ryde_aws_endpoint_default(enum ryde_aws_service service, const char *region,
    bool fips, bool dual_stack, struct ryde_aws_endpoint *out);

#endif
