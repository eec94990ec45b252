#include "engine/process_event.h"

#include "base/buf.h"
#include "base/timestamp.h"
#include "engine/process_batch.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/position.h"

#include <string.h>

/* The keys of a record and what is the same in each, with room to spare. */
#define RECORD_AROUND 408

/* The digits of x before to[at]; where they begin. */
static size_t
put_digits(uint64_t x, char *to, size_t at)
{
	do {
		to[--at] = (char)('0' + x % 10);
		x /= 10;
	} while (x != 0);
	return at;
}

struct ryde_view
ryde_process_event_sequence(const struct ryde_process_batch_record *r, char *to)
{
	size_t at = RYDE_PROCESS_EVENT_NUMBER;

	if (r->seq.n == 0) {
		at = put_digits(r->number, to, at);
	} else if (r->has_sub && r->seq.n <= RYDE_SEQ_MAX) {
		at = put_digits(r->sub, to, at);
		to[--at] = '.';
		at -= r->seq.n;
		memcpy(to + at, r->seq.p, r->seq.n);
	} else {
		return r->seq;
	}
	return ryde_view_mem(to + at, RYDE_PROCESS_EVENT_NUMBER - at);
}

static const char *
shard_of(const struct ryde_process_event_source *source)
{
	return *source->shard != '\0' ? source->shard : "shardId-000000000000";
}

/* The stream as an ARN, as a JSON string. */
static void
put_arn(struct ryde_buf *out, const struct ryde_process_event_source *source)
{
	const char *stream = source->stream, *colon = strchr(stream, ':');
	struct ryde_buf arn;

	ryde_buf_init(&arn, RYDE_LINE_ENVELOPE_MAX);
	if (strncmp(stream, "arn:", 4) != 0) {
		ryde_buf_printf(
		    &arn, "arn:aws:kinesis:%s:000000000000:stream/", source->region);
		stream = colon != NULL ? colon + 1 : stream;
		stream = *stream != '\0' ? stream : "stdin";
	}
	ryde_buf_puts(&arn, stream);
	ryde_json_string_put(out, ryde_buf_as_view(&arn));
	out->failed = out->failed || arn.failed;
	ryde_buf_free(&arn);
}

/* What all records of an event have in common, as it stands there. */
struct frame {
	struct ryde_buf arn;
	struct ryde_buf before; /* what is between the arrival and the sequence number */
	struct ryde_buf behind; /* what follows that */
	struct ryde_buf scratch;
};

static void
frame_open(struct frame *f, const struct ryde_process_event_source *source)
{
	ryde_buf_init(&f->arn, RYDE_LINE_ENVELOPE_MAX);
	ryde_buf_init(&f->before, RYDE_LINE_ENVELOPE_MAX);
	ryde_buf_init(&f->behind, RYDE_LINE_ENVELOPE_MAX);
	ryde_buf_init(&f->scratch, 2 * (size_t)RYDE_LINE_MAX);
	put_arn(&f->arn, source);
	ryde_buf_puts(&f->before,
	    "\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\",\"eventID\":");
	ryde_json_string_put(&f->before, ryde_view_of(shard_of(source)));
	if (!f->before.failed)
		f->before.p[f->before.n - 1] = ':'; /* in place of the quote */
	ryde_buf_puts(&f->behind,
	    "\",\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":"
	    "\"arn:aws:iam::000000000000:role/ryde-process\",\"awsRegion\":");
	ryde_json_string_put(&f->behind, ryde_view_of(source->region));
	ryde_buf_puts(&f->behind, ",\"eventSourceARN\":");
	ryde_buf_view(&f->behind, ryde_buf_as_view(&f->arn));
	ryde_buf_putc(&f->behind, '}');
}

static void
frame_close(struct frame *f, struct ryde_buf *out)
{
	out->failed = out->failed || f->arn.failed || f->before.failed ||
		      f->behind.failed || f->scratch.failed;
	ryde_buf_free(&f->arn);
	ryde_buf_free(&f->before);
	ryde_buf_free(&f->behind);
	ryde_buf_free(&f->scratch);
}

/* The record's own bytes, with the newline that it ended in, as base64 in quotes. */
static void
put_data(struct ryde_buf *out, const struct ryde_process_batch_record *r,
    struct ryde_buf *scratch)
{
	/* a newline is behind each record in hand */
	struct ryde_view data = ryde_view_mem(r->data.p, r->data.n + r->lf);

	if (r->base64 && !r->lf) {
		ryde_buf_view(out, r->data);
		return;
	}
	if (r->base64) { /* made by us: it decodes */
		ryde_buf_clear(scratch);
		(void)ryde_json_string_base64_decode(
		    scratch, ryde_view_mem(r->data.p + 1, r->data.n - 2), NULL);
		ryde_buf_putc(scratch, '\n');
		data = ryde_buf_as_view(scratch);
	}
	ryde_buf_putc(out, '"');
	ryde_json_string_base64_put(out, data);
	ryde_buf_putc(out, '"');
}

/* partitionKey and sequenceNumber. Returns where the latter is, with its quotes, as an
 * offset, and how long that is in *n. */
static size_t
put_place(struct ryde_buf *out, const struct ryde_process_batch_record *r, size_t *n)
{
	char number[RYDE_PROCESS_EVENT_NUMBER];
	size_t at;

	ryde_buf_puts(out, "\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":");
	ryde_json_string_put(out, r->key);
	ryde_buf_puts(out, ",\"sequenceNumber\":");
	at = out->n;
	ryde_json_string_put(out, ryde_process_event_sequence(r, number));
	*n = out->n - at;
	return at;
}

static void
put_arrival(struct ryde_buf *out, const struct ryde_process_batch_record *r)
{
	int64_t ms = r->arrival_ms < 0 ? -(r->arrival_ms % 1000) : r->arrival_ms % 1000;

	ryde_buf_puts(out, ",\"approximateArrivalTimestamp\":");
	if (r->arrival_ms < 0 && r->arrival_ms > -1000)
		ryde_buf_putc(out, '-');
	ryde_buf_i64(out, r->arrival_ms / 1000);
	ryde_buf_putc(out, '.');
	ryde_buf_putc(out, (char)('0' + ms / 100));
	ryde_buf_putc(out, (char)('0' + ms / 10 % 10));
	ryde_buf_putc(out, (char)('0' + ms % 10));
}

/* The keys behind `kinesis`; the sequence number is copied from where it was put. */
static void
put_origin(struct ryde_buf *out, const struct frame *f, size_t at, size_t n)
{
	char *to;

	ryde_buf_view(out, ryde_buf_as_view(&f->before));
	to = n > 2 ? ryde_buf_room(out, n - 2) : NULL;
	if (to != NULL) {
		memcpy(to, out->p + at + 1, n - 2);
		ryde_buf_added(out, n - 2);
	}
	ryde_buf_view(out, ryde_buf_as_view(&f->behind));
}

static void
put_record(
    struct ryde_buf *out, struct frame *f, const struct ryde_process_batch_record *r)
{
	size_t at, n;

	ryde_buf_puts(out, "{\"kinesis\":{");
	at = put_place(out, r, &n);
	ryde_buf_puts(out, ",\"data\":");
	put_data(out, r, &f->scratch);
	put_arrival(out, r);
	ryde_buf_puts(out, "},");
	put_origin(out, f, at, n);
}

void
ryde_process_event_put_metadata(struct ryde_buf *out,
    const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r)
{
	struct frame f;
	size_t at, n;

	frame_open(&f, source);
	ryde_buf_putc(out, '{');
	at = put_place(out, r, &n);
	put_arrival(out, r);
	ryde_buf_putc(out, ',');
	put_origin(out, &f, at, n);
	frame_close(&f, out);
}

/* "2020-12-09T07:04:00Z": whole seconds, as windows have them. */
static void
put_seconds(struct ryde_buf *out, int64_t at_ms)
{
	char text[RYDE_TIMESTAMP_MAX];
	size_t n = ryde_timestamp_rfc3339(at_ms, text);

	ryde_buf_putc(out, '"');
	ryde_buf_add(out, text, n - strlen(".000Z"));
	ryde_buf_puts(out, "Z\"");
}

static void
put_window(struct ryde_buf *out, const struct ryde_process_event_source *source,
    struct ryde_view arn, const struct ryde_process_event_window *w)
{
	ryde_buf_puts(out, ",\"window\":{\"start\":");
	put_seconds(out, w->start_ms);
	ryde_buf_puts(out, ",\"end\":");
	put_seconds(out, w->end_ms);
	ryde_buf_puts(out, "},\"state\":");
	ryde_buf_view(out, w->state);
	ryde_buf_puts(out, ",\"shardId\":");
	ryde_json_string_put(out, ryde_view_of(shard_of(source)));
	ryde_buf_puts(out, ",\"eventSourceARN\":");
	ryde_buf_view(out, arn);
	ryde_buf_printf(out,
	    ",\"isFinalInvokeForWindow\":%s,\"isWindowTerminatedEarly\":%s",
	    w->final ? "true" : "false", w->early ? "true" : "false");
}

void
ryde_process_event_put(struct ryde_buf *out,
    const struct ryde_process_event_source *source, const struct ryde_process_batch *b,
    size_t from, size_t n, const struct ryde_process_event_window *window)
{
	struct frame f;

	frame_open(&f, source);
	ryde_buf_puts(out, "{\"Records\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(out, ',');
		put_record(out, &f, ryde_process_batch_at(b, from + i));
	}
	ryde_buf_putc(out, ']');
	if (window != NULL)
		put_window(out, source, ryde_buf_as_view(&f.arn), window);
	ryde_buf_putc(out, '}');
	frame_close(&f, out);
}

/* The bytes of a string in JSON without its quotes, at most. */
static size_t
escaped_bytes(struct ryde_view v)
{
	size_t n = v.n;

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c < 0x20)
			n += 5;
		else if (c == '"' || c == '\\')
			n++;
	}
	return n;
}

size_t
ryde_process_event_bytes(const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r)
{
	char number[RYDE_PROCESS_EVENT_NUMBER];
	size_t data = r->base64 ? r->data.n + 4 : (r->data.n + r->lf + 2) / 3 * 4 + 2;

	return RECORD_AROUND + data + escaped_bytes(r->key) +
	       2 * ryde_process_event_sequence(r, number).n +
	       escaped_bytes(ryde_view_of(source->stream)) +
	       escaped_bytes(ryde_view_of(source->shard)) + 2 * strlen(source->region);
}
