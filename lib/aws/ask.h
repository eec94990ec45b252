/* One question to a service, waited for: what opening, describing and creating need. */
#ifndef RYDE_AWS_ASK_H
#define RYDE_AWS_ASK_H

#include "aws/client.h"

struct ryde_buf;

struct ryde_ask {
	struct ryde_aws *aws;
	enum ryde_aws_service service;
	const char *operation, *what; /* as in struct ryde_aws_request */
	const char *region;	      /* NULL: the configured one */
	struct ryde_buf *body;
	int64_t timeout_ms; /* of an attempt; 0: 10 s */
	int attempts;	    /* 0: as configured */
};

/*
 * Asks, and waits for the end; other calls of the client go on. -> the call with a good
 * answer, to be freed; or NULL with err set, and *fault (may be NULL) filled: its kind is
 * RYDE_AWS_FINE where the call could not even begin.
 */
struct ryde_aws_call *ryde_ask(
    const struct ryde_ask *ask, struct ryde_aws_fault *fault, struct ryde_err *err);

#endif
