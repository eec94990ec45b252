/*
 * A batch as a Lambda function sees it: {"Records":[…]}, in the key order of the wire;
 * with a tumbling window the window, its state and what ends it behind the records.
 * Source: the events of Kinesis event source mappings and of tumbling windows in Lambda's
 * developer guide, and recorded ones.
 *
 * What an embedded stream does not have is made up in the form that handlers take apart:
 * local:rides becomes arn:aws:kinesis:REGION:000000000000:stream/rides. A line that came
 * without an envelope has its number as its sequence number, and is of the stream
 * "stdin", shardId-000000000000. A line of an aggregate has SEQUENCE.SUB, so that what a
 * handler keeps by it, or says of it, is about that line alone.
 */
#ifndef RYDE_ENGINE_PROCESS_EVENT_H
#define RYDE_ENGINE_PROCESS_EVENT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_process_batch;
struct ryde_process_batch_record;

/* Lambda's limit of a synchronous call's payload. */
#define RYDE_PROCESS_EVENT_MAX ((size_t)6 << 20)
/* What stands around the records, without the state of a window. */
#define RYDE_PROCESS_EVENT_AROUND 1024

/* What the records have in common; strings are plain, "" where there is none. */
struct ryde_process_event_source {
	const char *stream; /* becomes eventSourceARN */
	const char *shard;
	const char *region;
};

struct ryde_process_event_window {
	int64_t start_ms, end_ms;
	struct ryde_view state; /* a JSON object */
	bool final, early;
};

/*
 * Appends the event of the n records (0: none) in hand from the `from`-th on. window is
 * NULL where there is none.
 */
void ryde_process_event_put(struct ryde_buf *out,
    const struct ryde_process_event_source *source, const struct ryde_process_batch *b,
    size_t from, size_t n, const struct ryde_process_event_window *window);
/* The most bytes that a record takes in an event, its comma included. */
size_t ryde_process_event_bytes(const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r);

/* Appends what the event says of a record beside its data, as one flat object. */
void ryde_process_event_put_metadata(struct ryde_buf *out,
    const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r);

#define RYDE_PROCESS_EVENT_NUMBER 144 /* bytes of one that is made here, at most */
/* The sequence number that the record has in events, into
 * to[RYDE_PROCESS_EVENT_NUMBER] where it is made here. */
struct ryde_view ryde_process_event_sequence(
    const struct ryde_process_batch_record *r, char *to);

#endif
