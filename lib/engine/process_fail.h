/*
 * Where discarded records go: the on-failure document and its destinations. A document is
 * Lambda's (requestContext, responseContext, KinesisBatchInfo) with one key more, `ryde`,
 * which lists the records: see ryde-process(1).
 *
 * A destination without a slash in its name is a queue; a directory and s3://BUCKET take
 * one file or object per document; any other path is a file to which documents are
 * appended, one a line. Files and objects carry the payloads, messages only where the
 * stream cannot give them again.
 */
#ifndef RYDE_ENGINE_PROCESS_FAIL_H
#define RYDE_ENGINE_PROCESS_FAIL_H

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_process_batch;
struct ryde_process_fail;
struct ryde_store_settings;

enum ryde_process_fail_condition {
	RYDE_PROCESS_FAIL_EXHAUSTED, /* RetryAttemptsExhausted */
	RYDE_PROCESS_FAIL_EXPIRED,   /* RecordAgeExceeded: without a responseContext */
};

/* What the responseContext of an exhausted batch says. */
enum ryde_process_fail_response {
	RYDE_PROCESS_FAIL_UNHANDLED,   /* functionError "Unhandled": it failed */
	RYDE_PROCESS_FAIL_ANSWERED,    /* null: its response names what failed */
	RYDE_PROCESS_FAIL_NO_RESPONSE, /* there is none: it was not called */
};

struct ryde_process_fail_batch {
	const struct ryde_process_batch
	    *batch; /* the first n records in hand are discarded */
	size_t n;
	const char *stream, *shard; /* plain; "" for lines that came without */
	const char *function; /* "command:NAME", or the function that --invoke names */
	const char *request;  /* id of the last call; "": there was none */
	const char *region;
	const char *error; /* what happened: "exit status 1" */
	enum ryde_process_fail_condition condition;
	enum ryde_process_fail_response response;
	unsigned calls; /* approximateInvokeCount */
};

/*
 * Opens a destination; queues of the embedded store are created. NULL with RYDE_EUSAGE
 * (no name of either kind), or what opening it says.
 */
struct ryde_process_fail *ryde_process_fail_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err);
void ryde_process_fail_close(struct ryde_process_fail *f);

/*
 * Delivers one document, durably, of the first records of f, as many as one document of
 * this destination may hold: *delivered says how many; call it again for the rest. -1:
 * nothing was delivered. RYDE_EDATA: a record without a sequence number that is too large
 * for a message, which trying again will not help.
 */
int ryde_process_fail_send(struct ryde_process_fail *f,
    const struct ryde_process_fail_batch *batch, size_t *delivered, struct ryde_err *err);

/*
 * Appends the document of the first n records (n <= batch->n) under the request id.
 * with_payload adds the Lambda event as a string, and the data of all records; omit_data
 * leaves data out where there is a sequence number.
 */
void ryde_process_fail_document(struct ryde_buf *out,
    const struct ryde_process_fail_batch *batch, size_t n, const char *request_id,
    bool with_payload, bool omit_data);

#endif
