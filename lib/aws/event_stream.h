/*
 * Amazon's event stream, application/vnd.amazon.eventstream: messages with headers, a
 * payload and two checksums, one behind the other, cut into any pieces. All numbers are
 * big-endian:
 *
 *	total length (4) | length of headers (4) | CRC-32 of these 8 bytes (4)
 *	headers: length of name (1), name, type (1), value by its type
 *	payload
 *	CRC-32 of everything before (4)
 *
 * Source: aws-c-event-stream, botocore's eventstream.py; aws-facts 3.1.
 */
#ifndef RYDE_AWS_EVENT_STREAM_H
#define RYDE_AWS_EVENT_STREAM_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;

/* The longest message: botocore's limits of headers and payload. */
#define RYDE_EVENT_STREAM_HEADERS_MAX ((size_t)128 << 10)
#define RYDE_EVENT_STREAM_PAYLOAD_MAX ((size_t)24 << 20)

struct ryde_event_stream {
	struct ryde_buf bytes; /* what came and was not given yet, from `at` on */
	size_t at;
};

enum ryde_event_kind {
	RYDE_EVENT,	      /* :message-type event */
	RYDE_EVENT_EXCEPTION, /* exception: the service's, modelled; the payload has its
				 message */
	RYDE_EVENT_ERROR,     /* error: of the transport; no payload */
};

/* Views are good until the next call on the stream. */
struct ryde_event {
	enum ryde_event_kind kind;
	struct ryde_view type;	  /* :event-type, :exception-type or :error-code */
	struct ryde_view message; /* :error-message */
	struct ryde_view payload;
};

void ryde_event_stream_init(struct ryde_event_stream *s);
void ryde_event_stream_free(struct ryde_event_stream *s);
/* Forgets what came. */
void ryde_event_stream_clear(struct ryde_event_stream *s);
/* Takes bytes in. -1 without memory. */
int ryde_event_stream_add(
    struct ryde_event_stream *s, struct ryde_view bytes, struct ryde_err *err);
/*
 * The next message: 1; 0 where it has not come whole; -1 with RYDE_EUNAVAILABLE where the
 * bytes are no such stream, after which nothing that follows makes sense.
 */
int ryde_event_stream_next(
    struct ryde_event_stream *s, struct ryde_event *event, struct ryde_err *err);
/* True where a whole message is at hand, or bytes that are none. */
bool ryde_event_stream_ready(const struct ryde_event_stream *s);
/* True where a part of a message is at hand. */
bool ryde_event_stream_inside(const struct ryde_event_stream *s);

#endif
