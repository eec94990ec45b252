/* Requests of the Runtime API. Source: RFC 9112, sections 2.2, 3, 6 and 7. */
#include "engine/process_http.h"

#include "check.h"

static const struct {
	const char *in;
	enum ryde_process_http_state state;
	const char *method, *path, *body;
	bool close;
	size_t left;
} rows[] = {
    {"", RYDE_PROCESS_HTTP_MORE, NULL, NULL, NULL, false, 0},
    {"GET / HTTP/1.1\r\nHost: x\r\n", RYDE_PROCESS_HTTP_MORE, NULL, NULL, NULL, false, 0},
    {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", RYDE_PROCESS_HTTP_DONE, "GET", "/a", "", false,
	0},
    {"\r\nGET /a?b=c HTTP/1.1\n\nGET", RYDE_PROCESS_HTTP_DONE, "GET", "/a", "", false, 3},
    {"GET /a HTTP/1.0\r\n\r\n", RYDE_PROCESS_HTTP_DONE, "GET", "/a", "", true, 0},
    {"GET /a HTTP/1.1\r\nConnection: Close\r\n\r\n", RYDE_PROCESS_HTTP_DONE, "GET", "/a",
	"", true, 0},
    {"POST /r HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", RYDE_PROCESS_HTTP_MORE, NULL,
	NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\ncontent-length:5\r\n\r\nhello!", RYDE_PROCESS_HTTP_DONE, "POST",
	"/r", "hello", false, 1},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: "
     "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n"
     "T: 1\r\n\r\nX",
	RYDE_PROCESS_HTTP_DONE, "POST", "/r", "hello", false, 1},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
	RYDE_PROCESS_HTTP_MORE, NULL, NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhell\r\n",
	RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", RYDE_PROCESS_HTTP_BAD,
	NULL, NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
	RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL,
	NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nContent-Length: -1\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL, NULL,
	NULL, false, 0},
    {"POST /r HTTP/1.1\r\nContent-Length: 6393857\r\n\r\n", RYDE_PROCESS_HTTP_LARGE, NULL,
	NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
	RYDE_PROCESS_HTTP_LARGE, NULL, NULL, NULL, false, 0},
    {"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n700000\r\n",
	RYDE_PROCESS_HTTP_LARGE, NULL, NULL, NULL, false, 0},
    {"garbage\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL, false, 0},
    {"GET /a HTTP/2\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL, false, 0},
    {"GET  HTTP/1.1\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL, false, 0},
    {"GET /a HTTP/1.1\r\nno colon\r\n\r\n", RYDE_PROCESS_HTTP_BAD, NULL, NULL, NULL,
	false, 0},
};

static void
test_rows(void)
{
	struct ryde_buf body;

	ryde_buf_init(&body, RYDE_PROCESS_HTTP_BODY_MAX);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_process_http_request r;
		size_t used = 0;
		enum ryde_process_http_state state =
		    ryde_process_http_parse(ryde_view_of(rows[i].in), &r, &body, &used);

		CHECK(state == rows[i].state, "row %zu: %d", i, (int)state);
		if (state != RYDE_PROCESS_HTTP_DONE || rows[i].method == NULL)
			continue;
		CHECK(ryde_view_is(r.method, rows[i].method), "row %zu", i);
		CHECK(ryde_view_is(r.path, rows[i].path), "row %zu", i);
		CHECK(ryde_view_is(ryde_buf_as_view(&body), rows[i].body), "row %zu", i);
		CHECK(r.close == rows[i].close, "row %zu", i);
		CHECK(strlen(rows[i].in) - used == rows[i].left, "row %zu: %zu", i, used);
	}
	ryde_buf_free(&body);
}

/* Wherever it is cut, a request is not whole before its last byte. */
static void
test_cuts(void)
{
	static const char in[] =
	    "POST /r HTTP/1.1\r\nExpect: 100-continue\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n";
	struct ryde_process_http_request r;
	struct ryde_buf body;
	size_t used, head = (size_t)(strstr(in, "\r\n\r\n") - in) + 4;

	ryde_buf_init(&body, RYDE_PROCESS_HTTP_BODY_MAX);
	for (size_t n = 0; n < sizeof in - 1; n++) {
		CHECK(ryde_process_http_parse(ryde_view_mem(in, n), &r, &body, &used) ==
			  RYDE_PROCESS_HTTP_MORE,
		    "%zu", n);
		CHECK(
		    r.waits == (n >= head), "asked for the body behind the head: %zu", n);
	}
	CHECK(ryde_process_http_parse(ryde_view_of(in), &r, &body, &used) ==
		      RYDE_PROCESS_HTTP_DONE &&
		  used == sizeof in - 1,
	    " ");
	ryde_buf_free(&body);
}

static void
test_long_head(void)
{
	static char in[RYDE_PROCESS_HTTP_HEAD_MAX + 100];
	struct ryde_process_http_request r;
	struct ryde_buf body;
	size_t used;

	ryde_buf_init(&body, 100);
	memset(in, 'a', sizeof in);
	CHECK(ryde_process_http_parse(ryde_view_mem(in, sizeof in), &r, &body, &used) ==
		  RYDE_PROCESS_HTTP_BAD,
	    " ");
	memset(in, '\n', sizeof in);
	CHECK(ryde_process_http_parse(ryde_view_mem(in, sizeof in), &r, &body, &used) ==
		  RYDE_PROCESS_HTTP_BAD,
	    " ");
	ryde_buf_free(&body);
}

static void
test_answer(void)
{
	struct ryde_buf out;

	ryde_buf_init(&out, 1000);
	ryde_process_http_answer(&out, 202, "X: 1\r\n", ryde_view_of("{}"), true);
	CHECK(strcmp(ryde_buf_str(&out),
		  "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nX: 1\r\n"
		  "Content-Length: 2\r\nConnection: close\r\n\r\n{}") == 0,
	    "%s", ryde_buf_str(&out));
	ryde_buf_free(&out);
}

int
main(void)
{
	test_rows();
	test_cuts();
	test_long_head();
	test_answer();
	return check_end("engine_process_http");
}
