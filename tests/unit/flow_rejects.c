/* --rejects and --late. Source: flow/rejects.h; DESIGN's rule 4 in flow/ack_server.h. */
#include "flow/rejects.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "check.h"
#include "json/scan.h"
#include "line/envelope.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const struct {
	const char *error;
	const char *data;
	size_t n;
	const char *want;
} rows[] = {
    {"bad", "{\"a\": 1.0}", 10, "{\"error\":\"bad\",\"line\":7,\"data\":{\"a\": 1.0}}\n"},
    {"say \"no\"", "12", 2, "{\"error\":\"say \\\"no\\\"\",\"line\":7,\"data\":12}\n"},
    {"bad", "", 0, "{\"error\":\"bad\",\"line\":7,\"data\":\"\"}\n"},
    {"bad", "{", 1, "{\"error\":\"bad\",\"line\":7,\"data\":\"{\"}\n"},
    {"bad", "a\"b\\\x01", 5,
	"{\"error\":\"bad\",\"line\":7,\"data\":\"a\\\"b\\\\\\u0001\"}\n"},
    {"bad", "a\0b", 3, "{\"error\":\"bad\",\"line\":7,\"data\":\"a\\u0000b\"}\n"},
    {"bad", "\xc3\xa9", 2, "{\"error\":\"bad\",\"line\":7,\"data\":\"\xc3\xa9\"}\n"},
    {"bad", "\xff\xfe", 2, "{\"error\":\"bad\",\"line\":7,\"dataBase64\":\"//4=\"}\n"},
    {"bad", "\"\xff\"", 3, "{\"error\":\"bad\",\"line\":7,\"dataBase64\":\"Iv8i\"}\n"},
    /* a text of several lines, which only base64 can bring, stays one line */
    {"bad", "{\n}", 3, "{\"error\":\"bad\",\"line\":7,\"data\":\"{\\n}\"}\n"},
};

static void
check_file_is(const char *name, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	CHECK(ryde_file_read(name, &b, &err) == 0, "%s", err.msg);
	CHECK(strcmp(ryde_buf_str(&b), want) == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

static void
check_rows(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_json_fault fault;
	struct ryde_rejects *r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ryde_view data = ryde_view_mem(rows[i].data, rows[i].n);

		(void)unlink("rejects");
		r = ryde_rejects_open("rejects", &err);
		CHECK(r != NULL, "%s", err.msg);
		CHECK(ryde_rejects_add(r, rows[i].error, 7, data, &err) == 0, "%s",
		    err.msg);
		/* it is there at once, whatever becomes of us */
		check_file_is("rejects", rows[i].want);
		CHECK(ryde_rejects_sync(r, &err) == 0 && ryde_rejects_sync(r, &err) == 0,
		    "%s", err.msg);
		ryde_rejects_close(r);
		CHECK(ryde_json_check(ryde_view_of(rows[i].want), NULL, &fault) == 0,
		    "row %zu", i);
	}
	ryde_rejects_close(NULL);
}

static void
check_appending(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_rejects *r, *other;
	struct stat st;

	(void)unlink("late");
	r = ryde_rejects_open("late", &err);
	CHECK(stat("late", &st) == 0 && (st.st_mode & 0777) == 0600, "private");
	CHECK(ryde_rejects_raw(r, ryde_view_of("{\"a\":1}"), &err) == 0, "%s", err.msg);
	other = ryde_rejects_open("late", &err);
	CHECK(ryde_rejects_raw(other, ryde_view_of("[2]"), &err) == 0, "%s", err.msg);
	CHECK(ryde_rejects_raw(r, ryde_view_of(""), &err) == 0, "%s", err.msg);
	CHECK(ryde_rejects_sync(r, &err) == 0, "%s", err.msg);
	ryde_rejects_close(r);
	ryde_rejects_close(other);
	check_file_is("late", "{\"a\":1}\n[2]\n\n");
	/* a program that died, or a disk that was full, within a line */
	CHECK(ryde_file_replace("late", ryde_view_of("{\"error\":\"cu"), &err) == 0, "%s",
	    err.msg);
	r = ryde_rejects_open("late", &err);
	check_file_is("late", "{\"error\":\"cu");
	CHECK(ryde_rejects_raw(r, ryde_view_of("1"), &err) == 0, "%s", err.msg);
	CHECK(ryde_rejects_raw(r, ryde_view_of("2"), &err) == 0, "%s", err.msg);
	ryde_rejects_close(r);
	check_file_is("late", "{\"error\":\"cu\n1\n2\n");
}

/* The largest line there is, of bytes that grow sixfold. */
static void
check_large(void)
{
	size_t n = (size_t)RYDE_LINE_MAX;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_rejects *r;
	char *data = malloc(n);
	struct stat st;

	if (data == NULL)
		return;
	memset(data, 1, n);
	r = ryde_rejects_open("large", &err);
	CHECK(ryde_rejects_add(r, "bad", 1, ryde_view_mem(data, n), &err) == 0, "%s",
	    err.msg);
	CHECK(stat("large", &st) == 0 && st.st_size == (off_t)(6 * n + 35), "%lld",
	    (long long)st.st_size);
	ryde_rejects_close(r);
	free(data);
}

static void
check_errors(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_rejects *r;
	int p[2];

	CHECK(ryde_rejects_open("no/such/folder", &err) == NULL &&
		  err.code == RYDE_ECANTCREAT && strstr(err.msg, "no/such") != NULL,
	    "%s", err.msg);
	CHECK(ryde_rejects_open(".", &err) == NULL && err.sys == EISDIR, "%s", err.msg);
	r = ryde_rejects_open("/dev/full", &err);
	CHECK(r != NULL, "%s", err.msg);
	CHECK(ryde_rejects_add(r, "bad", 1, ryde_view_of("1"), &err) == -1 &&
		  err.code == RYDE_EIO && strstr(err.msg, "/dev/full") != NULL,
	    "%s", err.msg);
	ryde_rejects_close(r);
	/* a pipe has nothing to sync */
	if (pipe(p) != 0)
		return;
	char path[40];

	(void)snprintf(path, sizeof(path), "/dev/fd/%d", p[1]);
	r = ryde_rejects_open(path, &err);
	CHECK(r != NULL && ryde_rejects_raw(r, ryde_view_of("1"), &err) == 0 &&
		  ryde_rejects_sync(r, &err) == 0,
	    "%s", err.msg);
	ryde_rejects_close(r);
	(void)close(p[0]);
	(void)close(p[1]);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	check_rows();
	check_appending();
	check_large();
	check_errors();
	scratch_end();
	return check_end("flow_rejects");
}
