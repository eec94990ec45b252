#include "aws/s3.h"

#include "aws/client.h"
#include "aws/fault.h"
#include "aws/s3_fetch.h"
#include "aws/service.h"
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

#include <string.h>

int
ryde_s3_place_read(
    const char *text, bool folder, struct ryde_s3_place *out, struct ryde_err *err)
{
	const char *bucket = text + strlen("s3://"), *slash = strchr(bucket, '/');
	size_t n = slash != NULL ? (size_t)(slash - bucket) : strlen(bucket);
	size_t rest = slash != NULL ? strlen(slash + 1) : 0;

	if (n < 3 || n > RYDE_S3_BUCKET_MAX ||
	    strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != n)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%.200s': a bucket's name is 3 to 63 small letters, digits, '.' and "
		    "'-'",
		    text);
	if (rest > RYDE_S3_KEY_MAX - 1)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "'%.200s': longer than S3's keys", text);
	memcpy(out->bucket, bucket, n);
	out->bucket[n] = '\0';
	memcpy(out->prefix, rest > 0 ? slash + 1 : "", rest);
	if (folder && rest > 0 && out->prefix[rest - 1] != '/')
		out->prefix[rest++] = '/';
	out->prefix[rest] = '\0';
	return 0;
}

/* ---- list ---- */

static void
put_parameter(struct ryde_buf *query, const char *name, struct ryde_view value)
{
	ryde_buf_printf(query, "%s%s=", query->n > 0 ? "&" : "", name);
	ryde_sigv4_encode(query, value, false);
}

/* One page of a listing. *next becomes the token of the one after it, empty at the end.
 */
static int
list_page(const struct ryde_aws_reply *reply,
    int (*fn)(void *arg, const char *key, int64_t size_bytes), void *arg,
    struct ryde_buf *next, struct ryde_err *err)
{
	struct ryde_view entry, v;
	struct ryde_buf key;
	size_t at = 0;
	int64_t size;
	int rc = 0;

	ryde_buf_init(&key, RYDE_S3_KEY_MAX * 4);
	while (rc == 0 && ryde_xml_next(reply->body, &at, "Contents", &entry)) {
		ryde_buf_clear(&key);
		if (!ryde_xml_find(entry, "Key", &v))
			continue;
		ryde_xml_text(&key, v);
		if (!ryde_xml_find(entry, "Size", &v) ||
		    !ryde_num_i64(v, 0, INT64_MAX, &size) ||
		    ryde_buf_check(&key, err) != 0)
			rc = ryde_err_set(err, RYDE_EUNAVAILABLE,
			    "ListObjectsV2: the answer is none of S3's");
		else
			rc = fn(arg, ryde_buf_str(&key), size);
	}
	ryde_buf_clear(next);
	if (ryde_xml_find(reply->body, "NextContinuationToken", &v))
		ryde_xml_text(next, v);
	ryde_buf_free(&key);
	return rc;
}

int
ryde_s3_list(struct ryde_aws *aws, const char *bucket, const char *prefix, bool flat,
    int (*fn)(void *arg, const char *key, int64_t size_bytes), void *arg,
    struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_S3,
	    .operation = "ListObjectsV2",
	    .what = bucket,
	    .method = "GET",
	    .bucket = bucket};
	struct ryde_buf query, token;
	int rc;

	ryde_buf_init(&query, 16384);
	ryde_buf_init(&token, 4096);
	do {
		struct ryde_aws_call *call;

		ryde_buf_clear(&query);
		if (token.n > 0)
			put_parameter(
			    &query, "continuation-token", ryde_buf_as_view(&token));
		if (flat)
			put_parameter(&query, "delimiter", ryde_view_of("/"));
		put_parameter(&query, "list-type", ryde_view_of("2"));
		put_parameter(&query, "prefix", ryde_view_of(prefix));
		request.query = ryde_buf_str(&query);
		call = ryde_aws_do(aws, &request, err);
		if (call == NULL)
			rc = -1;
		else if (ryde_aws_reply(call)->fault.kind != RYDE_AWS_FINE)
			rc = ryde_aws_reply_err(call, err);
		else
			rc = list_page(ryde_aws_reply(call), fn, arg, &token, err);
		ryde_aws_free(call);
	} while (rc == 0 && token.n > 0);
	ryde_buf_free(&query);
	ryde_buf_free(&token);
	return rc;
}

/* ---- get ---- */

int
ryde_s3_get(struct ryde_aws *aws, const char *bucket, const char *key, int file,
    struct ryde_err *err)
{
	struct ryde_s3_fetch *f = ryde_s3_fetch_start(aws, bucket, key, file, err);
	int rc = f != NULL ? ryde_s3_fetch_wait(f, err) : -1;

	ryde_s3_fetch_free(f);
	return rc;
}
