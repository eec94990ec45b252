#include "engine/process_fail.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/timestamp.h"
#include "engine/process_batch.h"
#include "engine/process_call.h"
#include "engine/process_event.h"
#include "flow/rejects.h"
#include "json/string.h"
#include "line/position.h"
#include "store/archive.h"
#include "store/queue.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_DOCUMENT_MAX ((size_t)64 << 20)

struct ryde_process_fail {
	struct ryde_queue *queue;
	struct ryde_rejects *file; /* an append-only file of lines, as --rejects is */
	const char *directory;
	struct ryde_archive *archive;		 /* of s3:// */
	char mapping[RYDE_PROCESS_CALL_ID_SIZE]; /* names this run in its keys */
	bool torn; /* the file's last line may lack its newline */
	struct ryde_buf doc;
};

/* The document. */

static void
put_time(struct ryde_buf *out, const char *key, bool known, int64_t at_ms)
{
	char text[RYDE_TIMESTAMP_MAX];

	ryde_buf_printf(out, ",\"%s\":", key);
	if (!known) {
		ryde_buf_puts(out, "null");
		return;
	}
	ryde_timestamp_rfc3339(at_ms, text);
	ryde_buf_printf(out, "\"%s\"", text);
}

static void
put_string(struct ryde_buf *out, const char *key, struct ryde_view v)
{
	ryde_buf_printf(out, "\"%s\":", key);
	if (v.n == 0)
		ryde_buf_puts(out, "null");
	else
		ryde_json_string_put(out, v);
}

static void
put_batch_info(
    struct ryde_buf *out, const struct ryde_process_fail_batch *batch, size_t n)
{
	const struct ryde_process_batch_record *first =
	    ryde_process_batch_at(batch->batch, 0);
	const struct ryde_process_batch_record *last =
	    ryde_process_batch_at(batch->batch, n - 1);

	ryde_buf_puts(out, ",\"KinesisBatchInfo\":{");
	put_string(out, "shardId", ryde_view_of(batch->shard));
	ryde_buf_putc(out, ',');
	put_string(out, "startSequenceNumber", first->seq);
	ryde_buf_putc(out, ',');
	put_string(out, "endSequenceNumber", last->seq);
	put_time(out, "approximateArrivalOfFirstRecord", first->has_arrival,
	    first->arrival_ms);
	put_time(
	    out, "approximateArrivalOfLastRecord", last->has_arrival, last->arrival_ms);
	ryde_buf_printf(out, ",\"batchSize\":%zu,", n);
	put_string(out, "streamArn", ryde_view_of(batch->stream));
	ryde_buf_putc(out, '}');
}

/* The event as an escaped string. */
static void
put_payload(struct ryde_buf *out, const struct ryde_process_fail_batch *batch, size_t n)
{
	const struct ryde_process_event_source source = {
	    batch->stream, batch->shard, batch->region};
	struct ryde_buf event;

	ryde_buf_init(&event, FILE_DOCUMENT_MAX);
	ryde_process_event_put(&event, &source, batch->batch, 0, n, NULL);
	ryde_buf_puts(out, ",\"payload\":");
	ryde_json_string_put(out, ryde_buf_as_view(&event));
	out->failed = out->failed || event.failed;
	ryde_buf_free(&event);
}

static void
put_one(struct ryde_buf *out, const struct ryde_process_batch_record *r, bool with_data,
    bool omit_data)
{
	char text[RYDE_TIMESTAMP_MAX];
	const char *comma = "";

	ryde_buf_putc(out, '{');
	if (r->seq.n > 0) {
		put_string(out, "sequenceNumber", r->seq);
		if (r->has_sub)
			ryde_buf_printf(out, ",\"sub\":%lu%s", (unsigned long)r->sub,
			    r->last ? ",\"last\":true" : "");
		comma = ",";
	}
	if (r->key.n > 0) {
		ryde_buf_puts(out, comma);
		put_string(out, "partitionKey", r->key);
		comma = ",";
	}
	if (r->has_arrival) {
		ryde_timestamp_rfc3339(r->arrival_ms, text);
		ryde_buf_printf(
		    out, "%s\"approximateArrivalTimestamp\":\"%s\"", comma, text);
		comma = ",";
	}
	if (r->lf) {
		ryde_buf_printf(out, "%s\"lf\":1", comma);
		comma = ",";
	}
	if (omit_data && r->seq.n > 0) {
		if (r->keep_data)
			ryde_buf_printf(out, "%s\"dataOmitted\":true", comma);
	} else if (with_data || r->keep_data) {
		ryde_buf_printf(
		    out, "%s\"%s\":", comma, r->base64 ? "dataBase64" : "data");
		ryde_buf_view(out, r->data);
	}
	ryde_buf_putc(out, '}');
}

static void
put_records(struct ryde_buf *out, const struct ryde_process_fail_batch *batch, size_t n,
    bool with_data, bool omit_data)
{
	uint32_t redrives = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t r = ryde_process_batch_at(batch->batch, i)->redrives;

		redrives = r > redrives ? r : redrives;
	}
	ryde_buf_printf(
	    out, ",\"ryde\":{\"redrives\":%lu,\"error\":", (unsigned long)redrives);
	ryde_json_string_put(out, ryde_view_of(batch->error));
	ryde_buf_puts(out, ",\"records\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(out, ',');
		put_one(
		    out, ryde_process_batch_at(batch->batch, i), with_data, omit_data);
	}
	ryde_buf_puts(out, "]}");
}

void
ryde_process_fail_document(struct ryde_buf *out,
    const struct ryde_process_fail_batch *batch, size_t n, const char *request_id,
    bool with_payload, bool omit_data)
{
	bool expired = batch->condition == RYDE_PROCESS_FAIL_EXPIRED;
	bool answered = batch->response == RYDE_PROCESS_FAIL_ANSWERED;

	ryde_buf_printf(out,
	    "{\"requestContext\":{\"requestId\":\"%s\",\"functionArn\":", request_id);
	ryde_json_string_put(out, ryde_view_of(batch->function));
	ryde_buf_printf(out, ",\"condition\":\"%s\",\"approximateInvokeCount\":%u}",
	    expired ? "RecordAgeExceeded" : "RetryAttemptsExhausted",
	    batch->calls > 0 ? batch->calls : 1);
	if (!expired && batch->response != RYDE_PROCESS_FAIL_NO_RESPONSE)
		ryde_buf_printf(out,
		    ",\"responseContext\":{\"statusCode\":200,"
		    "\"executedVersion\":\"$LATEST\",\"functionError\":%s}",
		    answered ? "null" : "\"Unhandled\"");
	ryde_buf_puts(out, ",\"version\":\"1.0\"");
	put_time(out, "timestamp", true, ryde_clock_data_ms());
	put_batch_info(out, batch, n);
	if (with_payload)
		put_payload(out, batch, n);
	put_records(out, batch, n, with_payload, omit_data);
	ryde_buf_putc(out, '}');
}

/* Destinations. */

/* A file whose last byte is no newline ends in the half of a line: a writer died there.
 */
static bool
ends_torn(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char last = '\n';

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

static int
open_path(struct ryde_process_fail *f, const char *path, struct ryde_err *err)
{
	struct stat st;

	if ((stat(path, &st) == 0 && S_ISDIR(st.st_mode)) ||
	    path[strlen(path) - 1] == '/') {
		f->directory = path;
		return ryde_file_mkdirs(path, err);
	}
	f->torn = ends_torn(path);
	f->file = ryde_rejects_open(path, err);
	if (f->file == NULL)
		return -1;
	return ryde_file_sync_folder(path, err);
}

struct ryde_process_fail *
ryde_process_fail_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err)
{
	struct ryde_process_fail *f = calloc(1, sizeof *f);
	int r = 0;

	if (f == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&f->doc, FILE_DOCUMENT_MAX);
	if (strncmp(name, "s3://", 5) == 0) {
		r = ryde_process_call_id(f->mapping, err);
		if (r == 0 &&
		    (f->archive = ryde_archive_open(settings, name, err)) == NULL)
			r = -1;
	} else if (strstr(name, "://") != NULL) {
		r = ryde_err_set(err, RYDE_EUSAGE,
		    "%s: a destination is a queue, a file, a directory or s3://BUCKET",
		    name);
	} else if (strchr(name, '/') != NULL) {
		r = open_path(f, name, err);
	} else {
		f->queue = ryde_queue_open(settings, name, true, err);
		r = f->queue != NULL ? 0 : -1;
	}
	if (r != 0) {
		ryde_err_prefix(err, "--on-failure");
		ryde_process_fail_close(f);
		return NULL;
	}
	return f;
}

void
ryde_process_fail_close(struct ryde_process_fail *f)
{
	if (f == NULL)
		return;
	ryde_queue_close(f->queue);
	ryde_archive_close(f->archive);
	ryde_rejects_close(f->file);
	ryde_buf_free(&f->doc);
	free(f);
}

/* A shard's name comes from the input: it must not lead out of its folder. */
static void
put_shard(struct ryde_buf *path, const char *shard)
{
	if (*shard == '\0')
		shard = "lines";
	for (size_t i = 0; shard[i] != '\0' && i < RYDE_SHARD_ID_MAX; i++) {
		bool plain = (shard[i] >= '0' && shard[i] <= '9') ||
			     (shard[i] >= 'a' && shard[i] <= 'z') ||
			     (shard[i] >= 'A' && shard[i] <= 'Z') || shard[i] == '-';

		ryde_buf_putc(path, plain ? shard[i] : '_');
	}
}

/* DIRECTORY/SHARD-2026-11-23T14.00.00-UUID.json: Lambda's object key, flat. */
static int
send_to_directory(struct ryde_process_fail *f,
    const struct ryde_process_fail_batch *batch, const char *uuid, struct ryde_err *err)
{
	struct ryde_civil t = ryde_timestamp_civil(ryde_clock_data_ms());
	struct ryde_buf path;
	int r = -1;

	ryde_buf_init(&path, 4096);
	ryde_buf_puts(&path, f->directory);
	ryde_buf_putc(&path, '/');
	put_shard(&path, batch->shard);
	ryde_buf_printf(&path, "-%04lld-%02d-%02dT%02d.%02d.%02d-%s.json",
	    (long long)t.year, t.month, t.day, t.hour, t.minute, t.second, uuid);
	ryde_buf_putc(&f->doc, '\n');
	if (ryde_buf_check(&path, err) == 0 && ryde_buf_check(&f->doc, err) == 0)
		r = ryde_file_replace(
		    ryde_buf_str(&path), ryde_buf_as_view(&f->doc), err);
	ryde_buf_free(&path);
	return r;
}

/* aws/lambda/MAPPING/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID, as Lambda names it. */
static int
send_to_s3(struct ryde_process_fail *f, const struct ryde_process_fail_batch *batch,
    const char *uuid, struct ryde_err *err)
{
	struct ryde_civil t = ryde_timestamp_civil(ryde_clock_data_ms());
	struct ryde_archive_object *o = ryde_archive_create(f->archive, err);
	struct ryde_archive_finish finish = {.object = o};
	struct ryde_buf name;
	int r = -1;

	if (o == NULL)
		return -1;
	ryde_buf_init(&name, 4096);
	ryde_buf_printf(&name, "aws/lambda/%s/", f->mapping);
	put_shard(&name, batch->shard);
	ryde_buf_printf(&name, "/%04lld/%02d/%02d/%04lld-%02d-%02dT%02d.%02d.%02d-%s",
	    (long long)t.year, t.month, t.day, (long long)t.year, t.month, t.day, t.hour,
	    t.minute, t.second, uuid);
	finish.name = ryde_buf_str(&name);
	if (ryde_buf_check(&name, err) == 0 &&
	    ryde_archive_append(o, ryde_buf_as_view(&f->doc), err) == 0)
		r = ryde_archive_finish(f->archive, &finish, 1, err);
	if (r == 0 && finish.state == RYDE_ARCHIVE_TAKEN)
		r = ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "%s is taken", ryde_buf_str(&name));
	if (r != 0)
		ryde_archive_abandon(o);
	ryde_buf_free(&name);
	return r;
}

static int
send_to_file(struct ryde_process_fail *f, struct ryde_err *err)
{
	/* A failed write may have left half a line: end it, so that the next one stands
	 * alone. */
	if (f->torn && ryde_rejects_raw(f->file, ryde_view_of(""), err) != 0)
		return -1;
	f->torn = true;
	if (ryde_rejects_raw(f->file, ryde_buf_as_view(&f->doc), err) != 0)
		return -1;
	f->torn = false;
	return ryde_rejects_sync(f->file, err);
}

/* The document of as many records as fit. 0 where not even one does. */
static size_t
fit(struct ryde_process_fail *f, const struct ryde_process_fail_batch *batch,
    const char *request_id)
{
	size_t max = f->queue != NULL ? RYDE_QUEUE_BODY_MAX : FILE_DOCUMENT_MAX;
	bool with_payload = f->queue == NULL, omit_data = false;
	size_t n = batch->n;

	for (;;) {
		ryde_buf_clear(&f->doc);
		ryde_process_fail_document(
		    &f->doc, batch, n, request_id, with_payload, omit_data);
		if (!f->doc.failed && f->doc.n < max)
			return n;
		if (n == 1 && omit_data)
			return 0;
		/* A record that is too large alone goes without its data: the stream has
		 * it. */
		if (n == 1)
			omit_data = true;
		n = (n + 1) / 2;
	}
}

int
ryde_process_fail_send(struct ryde_process_fail *f,
    const struct ryde_process_fail_batch *batch, size_t *delivered, struct ryde_err *err)
{
	char uuid[RYDE_PROCESS_CALL_ID_SIZE];
	size_t n;
	int r;

	if (ryde_process_call_id(uuid, err) != 0)
		return -1;
	n = fit(f, batch, *batch->request != '\0' ? batch->request : uuid);
	if (n == 0)
		return ryde_err_set(err, RYDE_EDATA,
		    "a record of %zu bytes without a sequence number does not fit into a "
		    "message: name a file or a directory as --on-failure",
		    ryde_process_batch_at(batch->batch, 0)->data.n);
	if (f->queue != NULL)
		r = ryde_queue_send(f->queue, ryde_buf_as_view(&f->doc), err);
	else if (f->directory != NULL)
		r = send_to_directory(f, batch, uuid, err);
	else if (f->archive != NULL)
		r = send_to_s3(f, batch, uuid, err);
	else
		r = send_to_file(f, err);
	if (r == 0)
		*delivered = n;
	return r;
}
