/*
 * What a handler's response says of its batch: ReportBatchItemFailures, and the state of
 * a tumbling window. Source: "Reporting batch item failures" and "tumbling windows" in
 * Lambda's developer guide, and recorded runs of each shape; where they are silent, the
 * reading that takes nothing for done that was not said to be.
 *
 *	nothing, "", [], null, {}, {"batchItemFailures":[]} or null,
 *	any text that is no object			all are done
 *	{"batchItemFailures":[{"itemIdentifier":"49…"},…]}
 *		those before the lowest number are done, it and the rest are not
 *	an identifier that is empty, null, no string, not of this batch, or missing;
 *	an entry that is no object; failures that are no array; a text that is no JSON
 *		none is done
 *
 * Numbers are compared as integers of any length.
 */
#ifndef RYDE_ENGINE_PROCESS_RESPONSE_H
#define RYDE_ENGINE_PROCESS_RESPONSE_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_process_batch;

struct ryde_process_response {
	size_t done;		/* records at the front that are done; n: all */
	struct ryde_view state; /* a slice of the text, a JSON object; empty: none */
	char what[120];		/* why not all of them are */
};

/*
 * Reads the response to the first n records in hand. partial: failures are looked for;
 * else all are done. stateful: without an object `state` none is.
 */
void ryde_process_response_read(struct ryde_process_response *r, struct ryde_view text,
    const struct ryde_process_batch *b, size_t n, bool partial, bool stateful);

/* True where the text is Lambda's error in place of a response: an object with
 * errorMessage. What it says into to[size], as plain text. */
bool ryde_process_response_error(struct ryde_view text, char *to, size_t size);

#endif
