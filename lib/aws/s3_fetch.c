#include "aws/s3_fetch.h"

#include "aws/client.h"
#include "aws/s3.h"
#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES 4 /* of what broke off in the middle */

struct ryde_s3_fetch {
	struct ryde_aws *aws;
	struct ryde_aws_call *call;
	char bucket[RYDE_S3_BUCKET_MAX + 1], key[RYDE_S3_KEY_MAX + 1];
	int file, tries;
	bool begun; /* some bytes are in the file */
	struct ryde_err err;
};

static int
take(void *arg, struct ryde_view chunk)
{
	struct ryde_s3_fetch *f = arg;

	f->begun = true;
	return ryde_file_write_all(f->file, chunk, "a copy of an object", &f->err);
}

static int
begin(struct ryde_s3_fetch *f, struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_S3,
	    .operation = "GetObject",
	    .what = f->key,
	    .method = "GET",
	    .bucket = f->bucket,
	    .on_data = take,
	    .arg = f};
	struct ryde_buf path;

	ryde_buf_init(&path, RYDE_S3_KEY_MAX * 4);
	ryde_buf_putc(&path, '/');
	ryde_sigv4_encode(&path, ryde_view_of(f->key), true);
	request.path = ryde_buf_str(&path);
	if (ryde_buf_check(&path, err) == 0)
		f->call = ryde_aws_start(f->aws, &request, err);
	ryde_buf_free(&path);
	f->tries++;
	return f->call != NULL ? 0 : -1;
}

static int
begin_anew(struct ryde_s3_fetch *f, struct ryde_err *err)
{
	ryde_aws_free(f->call);
	f->call = NULL;
	f->begun = false;
	if (ftruncate(f->file, 0) != 0 || lseek(f->file, 0, SEEK_SET) != 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot empty a copy of an object");
	return begin(f, err);
}

struct ryde_s3_fetch *
ryde_s3_fetch_start(struct ryde_aws *aws, const char *bucket, const char *key, int file,
    struct ryde_err *err)
{
	struct ryde_s3_fetch *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	f->aws = aws;
	f->file = file;
	(void)snprintf(f->bucket, sizeof(f->bucket), "%s", bucket);
	(void)snprintf(f->key, sizeof(f->key), "%s", key);
	if (begin(f, err) == 0)
		return f;
	ryde_s3_fetch_free(f);
	return NULL;
}

static int
wait_for_call(struct ryde_s3_fetch *f, struct ryde_err *err)
{
	struct ryde_waits w = {.n = 0};

	while (!ryde_aws_done(f->call)) {
		ryde_waits_begin(&w);
		ryde_aws_wait(f->aws, &w);
		if (ryde_waits_poll(&w, err) != 0 || ryde_aws_turn(f->aws, err) != 0)
			return -1;
		if (ryde_signals_stop() > 0)
			return ryde_err_set(err, RYDE_ETEMPFAIL, "interrupted");
	}
	return 0;
}

int
ryde_s3_fetch_wait(struct ryde_s3_fetch *f, struct ryde_err *err)
{
	for (;;) {
		const struct ryde_aws_reply *reply;

		if (wait_for_call(f, err) != 0)
			return -1;
		if (f->err.code != RYDE_OK)
			return ryde_err_set(err, f->err.code, "%s", f->err.msg);
		reply = ryde_aws_reply(f->call);
		if (reply->fault.kind == RYDE_AWS_FINE)
			return 0;
		/* what has not begun was tried often enough inside the call */
		if (!f->begun || f->tries >= TRIES ||
		    reply->fault.kind != RYDE_AWS_TRANSIENT)
			return ryde_aws_reply_err(f->call, err);
		if (begin_anew(f, err) != 0)
			return -1;
	}
}

void
ryde_s3_fetch_free(struct ryde_s3_fetch *f)
{
	if (f == NULL)
		return;
	ryde_aws_free(f->call);
	free(f);
}
