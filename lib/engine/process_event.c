#include "engine/process_event.h"

#include "base/buf.h"
#include "base/timestamp.h"
#include "engine/process_batch.h"
#include "json/string.h"
#include "line/envelope.h"

#include <stdio.h>
#include <string.h>

/* The keys of a record and what is the same in each, with room to spare. */
#define RECORD_AROUND 408

struct ryde_view
ryde_process_event_sequence(const struct ryde_process_batch_record *r, char *to)
{
	if (r->seq.n > 0)
		return r->seq;
	return ryde_view_mem(
	    to, (size_t)snprintf(to, 24, "%llu", (unsigned long long)r->number));
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

/* The record's own bytes, with the newline that it ended in, as base64 in quotes. */
static void
put_data(struct ryde_buf *out, const struct ryde_process_batch_record *r,
    struct ryde_buf *scratch)
{
	if (r->base64 && !r->lf) {
		ryde_buf_view(out, r->data);
		return;
	}
	ryde_buf_clear(scratch);
	if (r->base64) /* made by us: it decodes */
		(void)ryde_json_string_base64_decode(
		    scratch, ryde_view_mem(r->data.p + 1, r->data.n - 2), NULL);
	else
		ryde_buf_view(scratch, r->data);
	if (r->lf)
		ryde_buf_putc(scratch, '\n');
	out->failed = out->failed || scratch->failed;
	ryde_buf_putc(out, '"');
	ryde_json_string_base64_put(out, ryde_buf_as_view(scratch));
	ryde_buf_putc(out, '"');
}

/* partitionKey and sequenceNumber. */
static void
put_place(struct ryde_buf *out, const struct ryde_process_batch_record *r)
{
	char number[24];

	ryde_buf_puts(out, "\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":");
	ryde_json_string_put(out, r->key);
	ryde_buf_puts(out, ",\"sequenceNumber\":");
	ryde_json_string_put(out, ryde_process_event_sequence(r, number));
}

static void
put_arrival(struct ryde_buf *out, const struct ryde_process_batch_record *r)
{
	ryde_buf_printf(out, ",\"approximateArrivalTimestamp\":%lld.%03lld",
	    (long long)(r->arrival_ms / 1000), (long long)(r->arrival_ms % 1000));
}

/* The keys behind `kinesis`. */
static void
put_origin(struct ryde_buf *out, const struct ryde_process_event_source *source,
    struct ryde_view arn, const struct ryde_process_batch_record *r,
    struct ryde_buf *scratch)
{
	char number[24];

	ryde_buf_puts(
	    out, "\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\",\"eventID\":");
	ryde_buf_clear(scratch);
	ryde_buf_puts(scratch, shard_of(source));
	ryde_buf_putc(scratch, ':');
	ryde_buf_view(scratch, ryde_process_event_sequence(r, number));
	ryde_json_string_put(out, ryde_buf_as_view(scratch));
	ryde_buf_puts(out,
	    ",\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":"
	    "\"arn:aws:iam::000000000000:role/ryde-process\",\"awsRegion\":");
	ryde_json_string_put(out, ryde_view_of(source->region));
	ryde_buf_puts(out, ",\"eventSourceARN\":");
	ryde_buf_view(out, arn);
	ryde_buf_putc(out, '}');
}

static void
put_record(struct ryde_buf *out, const struct ryde_process_event_source *source,
    struct ryde_view arn, const struct ryde_process_batch_record *r,
    struct ryde_buf *scratch)
{
	ryde_buf_puts(out, "{\"kinesis\":{");
	put_place(out, r);
	ryde_buf_puts(out, ",\"data\":");
	put_data(out, r, scratch);
	put_arrival(out, r);
	ryde_buf_puts(out, "},");
	put_origin(out, source, arn, r, scratch);
}

void
ryde_process_event_put_metadata(struct ryde_buf *out,
    const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r)
{
	struct ryde_buf scratch, arn;

	ryde_buf_init(&scratch, RYDE_LINE_ENVELOPE_MAX);
	ryde_buf_init(&arn, RYDE_LINE_ENVELOPE_MAX);
	put_arn(&arn, source);
	ryde_buf_putc(out, '{');
	put_place(out, r);
	put_arrival(out, r);
	ryde_buf_putc(out, ',');
	put_origin(out, source, ryde_buf_as_view(&arn), r, &scratch);
	out->failed = out->failed || scratch.failed || arn.failed;
	ryde_buf_free(&scratch);
	ryde_buf_free(&arn);
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
    size_t n, const struct ryde_process_event_window *window)
{
	struct ryde_buf scratch, arn;

	ryde_buf_init(&scratch, 2 * (size_t)RYDE_LINE_MAX);
	ryde_buf_init(&arn, RYDE_LINE_ENVELOPE_MAX);
	put_arn(&arn, source);
	ryde_buf_puts(out, "{\"Records\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(out, ',');
		put_record(out, source, ryde_buf_as_view(&arn),
		    ryde_process_batch_at(b, i), &scratch);
	}
	ryde_buf_putc(out, ']');
	if (window != NULL)
		put_window(out, source, ryde_buf_as_view(&arn), window);
	ryde_buf_putc(out, '}');
	out->failed = out->failed || arn.failed;
	ryde_buf_free(&scratch);
	ryde_buf_free(&arn);
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
	char number[24];
	size_t data = r->base64 ? r->data.n + 4 : (r->data.n + r->lf + 2) / 3 * 4 + 2;

	return RECORD_AROUND + data + escaped_bytes(r->key) +
	       2 * ryde_process_event_sequence(r, number).n +
	       escaped_bytes(ryde_view_of(source->stream)) +
	       escaped_bytes(ryde_view_of(source->shard)) + 2 * strlen(source->region);
}
