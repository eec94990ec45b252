/*
 * What went wrong with a call: AWS's own words, put into a few classes.
 *
 * Source: botocore's parsers.py (where codes and messages stand), retries/standard.py and
 * throttling codes of retryhandler; the JSON, REST-XML and query protocols of AWS.
 */
#ifndef RYDE_AWS_FAULT_H
#define RYDE_AWS_FAULT_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;

enum ryde_aws_kind {
	RYDE_AWS_FINE,
	RYDE_AWS_THROTTLED, /* too fast: slow down, then again */
	RYDE_AWS_TRANSIENT, /* 5xx, a lost connection, a time-out, no route, no name:
			       again later */
	RYDE_AWS_EXPIRED,   /* the credentials have expired: again with fresh ones */
	RYDE_AWS_SKEWED,    /* our clock is wrong: again with the right one */
	RYDE_AWS_DENIED,    /* no permission, or keys that AWS does not know */
	RYDE_AWS_MISSING,   /* no such stream, table, queue, bucket, object, function */
	RYDE_AWS_REFUSED, /* the request as it is will never work (ValidationException …)
			   */
	RYDE_AWS_STRANGE, /* the answer is not AWS's: HTML, no JSON, a certificate that
			     does not verify */
};

struct ryde_aws_fault {
	enum ryde_aws_kind kind;
	int status;		/* HTTP's, 0 without an answer */
	int64_t retry_after_ms; /* what the service asked for, -1: nothing */
	char code[96]; /* "ProvisionedThroughputExceededException", without a namespace;
			  "" where there is none */
	char message[320]; /* AWS's or ours, one line */
};

/*
 * Reads an answer. f becomes RYDE_AWS_FINE for a status below 300 (its body is not looked
 * at). error_type is the header x-amzn-ErrorType (may be empty), content_type the header
 * of that name. Never fails: what it cannot read is RYDE_AWS_STRANGE, or, from 500 on,
 * RYDE_AWS_TRANSIENT.
 */
void ryde_aws_fault_read(struct ryde_aws_fault *f, int status,
    struct ryde_view error_type, struct ryde_view content_type, struct ryde_view body);
/* The class of an error code, also of an item's inside a successful answer (ErrorCode of
 * PutRecords). status may be 0. */
enum ryde_aws_kind ryde_aws_fault_kind(struct ryde_view code, int status);
/* True where f has exactly this code. */
bool ryde_aws_fault_is(const struct ryde_aws_fault *f, const char *code);

#endif
