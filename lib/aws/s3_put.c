#include "aws/client.h"
#include "aws/fault.h"
#include "aws/s3.h"
#include "aws/service.h"
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/string.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_BYTES ((int64_t)16 << 20)
#define PARTS_MAX 10000

/* One object on its way. */
struct putting {
	struct ryde_aws *aws;
	const char *bucket, *key;
	char *path; /* of the key, encoded */
	int file;
	int64_t size_bytes;
	char hex[65], base64[64]; /* SHA-256 of the whole */
	struct ryde_buf part;
};

static int
read_at(struct putting *p, int64_t at, size_t n, struct ryde_err *err)
{
	char *room;

	ryde_buf_clear(&p->part);
	room = ryde_buf_room(&p->part, n + 1);
	if (room == NULL)
		return ryde_err_nomem(err);
	while (p->part.n < n) {
		ssize_t got = pread(p->file, room + p->part.n, n - p->part.n,
		    (off_t)at + (off_t)p->part.n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ryde_err_sys(
			    err, RYDE_EIO, "cannot read what is to be uploaded");
		ryde_buf_added(&p->part, (size_t)got);
	}
	return 0;
}

static size_t
part_size(const struct putting *p, int64_t at, int64_t step)
{
	return (size_t)(p->size_bytes - at < step ? p->size_bytes - at : step);
}

/* SHA-256 of the whole file, in both forms that headers want. */
static int
digest(struct putting *p, struct ryde_err *err)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct ryde_buf text;
	unsigned n = 0;
	int rc = -1;

	ryde_buf_init(&text, 128);
	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		goto out;
	for (int64_t at = 0; at < p->size_bytes; at += PART_BYTES) {
		if (read_at(p, at, part_size(p, at, PART_BYTES), err) != 0)
			goto out;
		if (EVP_DigestUpdate(md, p->part.p, p->part.n) != 1)
			goto out;
	}
	if (EVP_DigestFinal_ex(md, sum, &n) != 1)
		goto out;
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(p->hex + i * 2, 3, "%02x", sum[i]);
	ryde_json_string_base64_put(&text, ryde_view_mem((const char *)sum, n));
	(void)snprintf(p->base64, sizeof(p->base64), "%s", ryde_buf_str(&text));
	rc = 0;
out:
	if (rc != 0 && err->code == RYDE_OK)
		(void)ryde_err_nomem(err);
	EVP_MD_CTX_free(md);
	ryde_buf_free(&text);
	return rc;
}

/* Stores that are not S3 may not know the newer checksums: botocore's own setting. */
static bool
with_checksum(void)
{
	const char *s = getenv("AWS_REQUEST_CHECKSUM_CALCULATION");

	return s == NULL || strcmp(s, "when_required") != 0;
}

static struct ryde_aws_request
request_of(const struct putting *p, const char *operation, const char *method)
{
	return (struct ryde_aws_request){.service = RYDE_AWS_S3,
	    .operation = operation,
	    .what = p->key,
	    .method = method,
	    .bucket = p->bucket,
	    .path = p->path,
	    .content_type = "application/octet-stream"};
}

/* There is an object of that key: is it this one? A put whose answer was lost, or a run
 * that was repeated. */
static int
compare(struct putting *p, bool *taken, struct ryde_err *err)
{
	struct ryde_aws_request request = request_of(p, "HeadObject", "HEAD");
	struct ryde_aws_call *call;
	int rc = 0;

	request.content_type = NULL;
	call = ryde_aws_do(p->aws, &request, err);
	if (call == NULL)
		return -1;
	if (ryde_aws_reply(call)->fault.kind != RYDE_AWS_FINE)
		rc = ryde_aws_reply_err(call, err);
	else
		*taken =
		    !ryde_view_eq(ryde_aws_reply_header(call, "x-amz-meta-ryde-sha256"),
			ryde_view_of(p->hex));
	ryde_aws_free(call);
	return rc;
}

/* What an answer to a conditional request means. */
static int
conclude(struct putting *p, const struct ryde_aws_call *call, bool *taken,
    struct ryde_err *err)
{
	const struct ryde_aws_reply *reply = ryde_aws_reply(call);
	struct ryde_view text;

	if (reply->status == 412)
		return compare(p, taken, err);
	if (reply->status == 409)
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "PutObject: %.200s: another put of that key is under way", p->key);
	if (reply->fault.kind != RYDE_AWS_FINE)
		return ryde_aws_reply_err(call, err);
	/* CompleteMultipartUpload may answer 200 and fail all the same */
	if (ryde_xml_find(reply->body, "Error", &text))
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "CompleteMultipartUpload: %.200s: %.*s", p->key,
		    (int)(text.n < 200 ? text.n : 200), text.p);
	return 0;
}

static int
put_whole(struct putting *p, bool *taken, struct ryde_err *err)
{
	struct ryde_aws_request request = request_of(p, "PutObject", "PUT");
	const struct ryde_aws_header headers[] = {{"If-None-Match", "*"},
	    {"x-amz-meta-ryde-sha256", p->hex}, {"x-amz-checksum-sha256", p->base64}};
	struct ryde_aws_call *call;
	int rc;

	if (read_at(p, 0, (size_t)p->size_bytes, err) != 0)
		return -1;
	request.headers = headers;
	request.n_headers = with_checksum() ? 3 : 2;
	request.body = ryde_buf_as_view(&p->part);
	call = ryde_aws_do(p->aws, &request, err);
	rc = call != NULL ? conclude(p, call, taken, err) : -1;
	ryde_aws_free(call);
	return rc;
}

/* ---- in parts ---- */

static int
begin_parts(struct putting *p, struct ryde_buf *id, struct ryde_err *err)
{
	struct ryde_aws_request request = request_of(p, "CreateMultipartUpload", "POST");
	const struct ryde_aws_header headers[] = {{"x-amz-meta-ryde-sha256", p->hex}};
	struct ryde_aws_call *call;
	struct ryde_view v;
	int rc = 0;

	request.query = "uploads=";
	request.headers = headers;
	request.n_headers = 1;
	call = ryde_aws_do(p->aws, &request, err);
	if (call == NULL)
		return -1;
	if (ryde_aws_reply(call)->fault.kind != RYDE_AWS_FINE) {
		rc = ryde_aws_reply_err(call, err);
	} else if (ryde_xml_find(ryde_aws_reply(call)->body, "UploadId", &v)) {
		struct ryde_buf text;

		ryde_buf_init(&text, 4096);
		ryde_xml_text(&text, v);
		ryde_sigv4_encode(id, ryde_buf_as_view(&text), false);
		ryde_buf_free(&text);
	} else {
		rc = ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "CreateMultipartUpload: the answer is none of S3's");
	}
	ryde_aws_free(call);
	return rc;
}

/* Uploads part number from the file, and appends its line of the completion. */
static int
put_part(struct putting *p, const char *id, int number, int64_t at, size_t n,
    struct ryde_buf *list, struct ryde_err *err)
{
	struct ryde_aws_request request = request_of(p, "UploadPart", "PUT");
	struct ryde_aws_call *call;
	struct ryde_buf query;
	int rc = 0;

	if (read_at(p, at, n, err) != 0)
		return -1;
	ryde_buf_init(&query, 8192);
	ryde_buf_printf(&query, "partNumber=%d&uploadId=%s", number, id);
	request.query = ryde_buf_str(&query);
	request.body = ryde_buf_as_view(&p->part);
	call = ryde_aws_do(p->aws, &request, err);
	if (call == NULL) {
		rc = -1;
	} else if (ryde_aws_reply(call)->fault.kind != RYDE_AWS_FINE) {
		rc = ryde_aws_reply_err(call, err);
	} else {
		ryde_buf_printf(list, "<Part><PartNumber>%d</PartNumber><ETag>", number);
		ryde_buf_view(list, ryde_aws_reply_header(call, "etag"));
		ryde_buf_puts(list, "</ETag></Part>");
	}
	ryde_aws_free(call);
	ryde_buf_free(&query);
	return rc;
}

static int
end_parts(struct putting *p, const char *id, struct ryde_buf *list, bool *taken,
    struct ryde_err *err)
{
	struct ryde_aws_request request =
	    request_of(p, "CompleteMultipartUpload", "POST");
	const struct ryde_aws_header headers[] = {{"If-None-Match", "*"}};
	struct ryde_aws_call *call;
	struct ryde_buf query;
	int rc;

	ryde_buf_init(&query, 8192);
	ryde_buf_printf(&query, "uploadId=%s", id);
	ryde_buf_puts(list, "</CompleteMultipartUpload>");
	rc = ryde_buf_check(list, err);
	request.query = ryde_buf_str(&query);
	request.content_type = "application/xml";
	request.headers = headers;
	request.n_headers = 1;
	request.body = ryde_buf_as_view(list);
	call = rc == 0 ? ryde_aws_do(p->aws, &request, err) : NULL;
	rc = call != NULL ? conclude(p, call, taken, err) : -1;
	ryde_aws_free(call);
	ryde_buf_free(&query);
	return rc;
}

/* Parts that no object became of are paid for until they are gone. */
static void
abort_parts(struct putting *p, const char *id)
{
	struct ryde_aws_request request = request_of(p, "AbortMultipartUpload", "DELETE");
	struct ryde_err nobody = RYDE_ERR_INIT;
	struct ryde_buf query;

	ryde_buf_init(&query, 8192);
	ryde_buf_printf(&query, "uploadId=%s", id);
	request.query = ryde_buf_str(&query);
	request.content_type = NULL;
	ryde_aws_free(ryde_aws_do(p->aws, &request, &nobody));
	ryde_buf_free(&query);
}

static int
put_in_parts(struct putting *p, bool *taken, struct ryde_err *err)
{
	int64_t step = p->size_bytes / PARTS_MAX + 1;
	struct ryde_buf id, list;
	int rc, number = 0;

	if (step < PART_BYTES)
		step = PART_BYTES;
	ryde_buf_init(&id, 4096);
	ryde_buf_init(&list, (size_t)4 << 20);
	ryde_buf_puts(&list, "<CompleteMultipartUpload "
			     "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	rc = begin_parts(p, &id, err);
	for (int64_t at = 0; rc == 0 && at < p->size_bytes; at += step)
		rc = put_part(p, ryde_buf_str(&id), ++number, at, part_size(p, at, step),
		    &list, err);
	if (rc == 0)
		rc = end_parts(p, ryde_buf_str(&id), &list, taken, err);
	if (id.n > 0 && (rc != 0 || *taken))
		abort_parts(p, ryde_buf_str(&id));
	ryde_buf_free(&id);
	ryde_buf_free(&list);
	return rc;
}

int
ryde_s3_put(struct ryde_aws *aws, const char *bucket, const char *key, int file,
    int64_t size_bytes, bool *taken, struct ryde_err *err)
{
	struct putting p = {.aws = aws,
	    .bucket = bucket,
	    .key = key,
	    .file = file,
	    .size_bytes = size_bytes};
	struct ryde_buf path;
	int rc = -1;

	*taken = false;
	ryde_buf_init(&path, RYDE_S3_KEY_MAX * 4);
	ryde_buf_putc(&path, '/');
	ryde_sigv4_encode(&path, ryde_view_of(key), true);
	/* a part, or more where 10,000 of them would not do */
	ryde_buf_init(&p.part, (size_t)(size_bytes / PARTS_MAX + PART_BYTES + 2));
	(void)ryde_buf_str(&path);
	p.path = path.p;
	if (ryde_buf_check(&path, err) == 0 && digest(&p, err) == 0)
		rc = size_bytes <= PART_BYTES ? put_whole(&p, taken, err)
					      : put_in_parts(&p, taken, err);
	ryde_buf_free(&p.part);
	ryde_buf_free(&path);
	return rc;
}
