/*
 * Calls, against a server on loopback that answers as each test has written down: a
 * process of its own, which keeps what it was asked in memory that both see.
 */
#include "aws/client.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/waits.h"
#include "check.h"
#include "scratch.h"
#include "store/name.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define REQUESTS 40
#define TEXT 6000

/* What the two processes share. */
static struct {
	atomic_int asked, connections;
	char requests[REQUESTS][TEXT]; /* head and body */
} * seen;

/* One answer. status 0: the connection is closed in place of one. */
struct answer {
	int status;
	const char *headers; /* "Name: value\r\n" each */
	const char *body;
	int date_off_s; /* of the header Date; 0: no such header */
	int cut;	/* bytes of the body that are held back: the connection breaks */
	size_t fill;	/* a body of so many bytes instead */
	bool close;	/* behind it */
};

static struct ryde_store_settings settings;
static char url[64];
static pid_t server;

/* ---- the server ---- */

static void
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(0);
		p += sent;
		n -= (size_t)sent;
	}
}

static size_t
body_length(const char *head)
{
	const char *p = strstr(head, "Content-Length: ");

	return p != NULL ? strtoul(p + 16, NULL, 10) : 0;
}

/* Reads a request into text; false at the end of the connection. */
static bool
read_request(int fd, char *text)
{
	size_t n = 0, head = 0, seen_n = 0;

	for (;;) {
		char block[4096];
		ssize_t got = recv(fd, block, sizeof(block), 0);

		if (got <= 0)
			return false;
		for (ssize_t i = 0; i < got; i++, seen_n++)
			if (n < TEXT - 1)
				text[n++] = block[i];
		text[n] = '\0';
		if (head == 0 && strstr(text, "\r\n\r\n") != NULL) {
			head = (size_t)(strstr(text, "\r\n\r\n") - text) + 4;
			if (strstr(text, "Expect: 100") != NULL)
				send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		}
		if (head > 0 && seen_n >= head + body_length(text))
			return true;
	}
}

static void
send_answer(int fd, const struct answer *a)
{
	size_t n = a->fill > 0 ? a->fill : strlen(a->body);
	char head[1024], date[64] = "";
	time_t at = time(NULL) + a->date_off_s;
	struct tm tm;

	if (a->date_off_s != 0)
		(void)strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
		    gmtime_r(&at, &tm));
	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 %d X\r\n%s%sContent-Length: %zu\r\n\r\n", a->status, date,
	    a->headers != NULL ? a->headers : "", n);
	send_all(fd, head, strlen(head));
	if (a->fill == 0)
		send_all(fd, a->body, n - (size_t)a->cut);
	for (size_t left = a->fill; left > 0;) {
		static const char block[4096] = {'x'};
		size_t some = left < sizeof(block) ? left : sizeof(block);

		send_all(fd, block, some);
		left -= some;
	}
}

static void
serve_connection(int fd, const struct answer *answers, int n)
{
	static char text[TEXT];

	atomic_fetch_add(&seen->connections, 1);
	while (read_request(fd, text)) {
		int i = atomic_fetch_add(&seen->asked, 1);

		if (i < REQUESTS)
			memcpy(seen->requests[i], text, TEXT);
		if (i >= n || answers[i].status == 0)
			_exit(0);
		send_answer(fd, &answers[i]);
		if (answers[i].close || answers[i].cut > 0)
			_exit(0);
	}
	_exit(0);
}

/* Starts a server that gives these answers, one for each request, and sets the endpoint.
 */
static void
serve(const struct answer *answers, int n)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), client;

	if (bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		exit(1);
	memset(seen, 0, sizeof(*seen));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	settings.endpoint_url = url;
	(void)fflush(stdout);
	server = fork();
	if (server != 0) {
		(void)close(fd);
		return;
	}
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0)
			serve_connection(client, answers, n);
		(void)close(client);
	}
	_exit(0);
}

static void
stop_serving(void)
{
	(void)kill(-server, SIGKILL);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
}

/* A header of the i-th request, without its name; "" where there is none. */
static const char *
asked_header(int i, const char *name, char *to, size_t max)
{
	const char *p = strstr(seen->requests[i], name);
	size_t n;

	to[0] = '\0';
	if (p == NULL)
		return to;
	p += strlen(name);
	n = strcspn(p, "\r");
	(void)snprintf(to, max, "%.*s", (int)n, p);
	return to;
}

/* ---- a call and what must come of it ---- */

static const struct ryde_aws_request list = {.service = RYDE_AWS_KINESIS,
    .operation = "ListStreams",
    .what = "stream w",
    .body = {"{}", 2}};

static const struct {
	const char *name;
	struct answer answers[6];
	int n_answers, asked;
	enum ryde_aws_kind kind;
	enum ryde_err_code code; /* of the error; RYDE_OK where there is none */
	const char *words;	 /* in the error's message */
} cases[] = {
    {"it works", {{.status = 200, .headers = NULL, .body = "{\"A\":1}"}}, 1, 1,
	RYDE_AWS_FINE, RYDE_OK, ""},
    {"once more after a 500",
	{{.status = 500, .headers = NULL, .body = ""},
	    {.status = 200, .headers = NULL, .body = "{}"}},
	2, 2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"three times in all",
	{{.status = 503, .headers = NULL, .body = ""},
	    {.status = 500,
		.headers = NULL,
		.body = "{\"__type\":\"InternalFailure\",\"message\":\"oh\"}"},
	    {.status = 502, .headers = NULL, .body = "<html>"}},
	3, 3, RYDE_AWS_TRANSIENT, RYDE_EUNAVAILABLE, "ListStreams: stream w: "},
    {"a connection that closes", {{0}, {.status = 200, .headers = NULL, .body = "{}"}}, 2,
	2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"an answer that breaks off",
	{{.status = 200, .headers = NULL, .body = "{\"A\":1}", .cut = 3},
	    {.status = 200, .headers = NULL, .body = "{}"}},
	2, 2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"always closing", {{0}, {0}, {0}}, 3, 3, RYDE_AWS_TRANSIENT, RYDE_EUNAVAILABLE,
	"127.0.0.1"},
    {"a throttle",
	{{.status = 400,
	     .headers = "x-amz-retry-after: 10\r\n",
	     .body = "{\"__type\":\"com.amazonaws.kinesis#"
		     "ProvisionedThroughputExceededException\",\"message\":\"Rate "
		     "exceeded\"}"},
	    {.status = 200, .headers = NULL, .body = "{}"}},
	2, 2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"missing",
	{{.status = 400,
	    .headers = NULL,
	    .body =
		"{\"__type\":\"ResourceNotFoundException\",\"Message\":\"Stream w under "
		"account 1 not found.\"}"}},
	1, 1, RYDE_AWS_MISSING, RYDE_ENOINPUT,
	"ListStreams: stream w: ResourceNotFoundException: Stream w under account 1 not "
	"found."},
    {"denied",
	{{.status = 400,
	    .headers = NULL,
	    .body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: x is not "
		    "authorized\"}"}},
	1, 1, RYDE_AWS_DENIED, RYDE_ENOPERM, "ryde-admin policy"},
    {"a key that nobody knows",
	{{.status = 400,
	    .headers = NULL,
	    .body =
		"{\"__type\":\"UnrecognizedClientException\",\"message\":\"The security "
		"token included in the request is invalid.\"}"}},
	1, 1, RYDE_AWS_DENIED, RYDE_ENOPERM, "ryde-admin whoami"},
    {"refused",
	{{.status = 400,
	    .headers = NULL,
	    .body = "{\"__type\":\"ValidationException\",\"message\":\"1 validation "
		    "error\"}"}},
	1, 1, RYDE_AWS_REFUSED, RYDE_EDATA, "ValidationException: 1 validation error"},
    {"expired, and no others are there",
	{{.status = 400,
	     .headers = NULL,
	     .body = "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}"},
	    {.status = 400,
		.headers = NULL,
		.body =
		    "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}"}},
	2, 2, RYDE_AWS_EXPIRED, RYDE_ENOPERM, "log in again"},
    {"HTML that says 200",
	{{.status = 200, .headers = "Content-Type: text/html\r\n", .body = "<html>"}}, 1,
	1, RYDE_AWS_STRANGE, RYDE_ECONFIG, "text/html"},
    {"HTML that says 404",
	{{.status = 404, .headers = "Content-Type: text/html\r\n", .body = "<html>"}}, 1,
	1, RYDE_AWS_STRANGE, RYDE_ECONFIG, "text/html"},
    {"the right checksum",
	{{.status = 200, .headers = "x-amz-crc32: 2745614147\r\n", .body = "{}"}}, 1, 1,
	RYDE_AWS_FINE, RYDE_OK, ""},
    {"a wrong checksum",
	{{.status = 200, .headers = "x-amz-crc32: 1\r\n", .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"}},
	2, 2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"a clock that is an hour off",
	{{.status = 400,
	     .headers = NULL,
	     .body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature "
		     "expired\"}",
	     .date_off_s = 3600},
	    {.status = 200, .headers = NULL, .body = "{}", .date_off_s = 3600}},
	2, 2, RYDE_AWS_FINE, RYDE_OK, ""},
    {"a bad signature and a good clock",
	{{.status = 403,
	    .headers = NULL,
	    .body = "{\"__type\":\"InvalidSignatureException\",\"message\":\"no\"}",
	    .date_off_s = 2}},
	1, 1, RYDE_AWS_DENIED, RYDE_ENOPERM, "InvalidSignatureException"},
    {"longer than it may be",
	{{.status = 200, .headers = NULL, .body = "", .fill = 200000}}, 1, 1,
	RYDE_AWS_STRANGE, RYDE_ECONFIG, "longer"},
};

static void
test_case(size_t i)
{
	struct ryde_aws_request request = list;
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_aws_reply *reply;
	struct ryde_aws_call *call;
	struct ryde_aws *aws;

	serve(cases[i].answers, cases[i].n_answers);
	aws = ryde_aws_open(&settings, &err);
	request.reply_max = 100000;
	call = ryde_aws_do(aws, &request, &err);
	CHECK(call != NULL, "%s: %s", cases[i].name, err.msg);
	if (call != NULL) {
		reply = ryde_aws_reply(call);
		CHECK(reply->fault.kind == cases[i].kind, "%s: %d, %s", cases[i].name,
		    (int)reply->fault.kind, reply->fault.message);
		CHECK(atomic_load(&seen->asked) == cases[i].asked, "%s: %d",
		    cases[i].name, atomic_load(&seen->asked));
		if (reply->fault.kind != RYDE_AWS_FINE)
			(void)ryde_aws_reply_err(call, &err);
		CHECK(
		    err.code == cases[i].code && strstr(err.msg, cases[i].words) != NULL,
		    "%s: %d, %s", cases[i].name, (int)err.code, err.msg);
		CHECK(reply->fault.kind != RYDE_AWS_FINE || reply->body.n >= 2, "%s",
		    cases[i].name);
	}
	ryde_aws_free(call);
	ryde_aws_close(aws);
	stop_serving();
}

/* Each attempt is signed anew, is counted, and keeps the name of its call. */
static void
test_attempts(void)
{
	static const struct answer answers[] = {
	    {.status = 500, .headers = NULL, .body = ""},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"}};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_aws *aws;
	char a[300], b[300];

	serve(answers, 3);
	aws = ryde_aws_open(&settings, &err);
	ryde_aws_free(ryde_aws_do(aws, &list, &err));
	ryde_aws_free(ryde_aws_do(aws, &list, &err));
	CHECK(atomic_load(&seen->asked) == 3 && atomic_load(&seen->connections) == 1,
	    "one connection for all: %d", atomic_load(&seen->connections));
	CHECK(strcmp(asked_header(0, "amz-sdk-request: ", a, sizeof(a)),
		  "attempt=1; max=3") == 0,
	    "%s", a);
	CHECK(strcmp(asked_header(1, "amz-sdk-request: ", a, sizeof(a)),
		  "attempt=2; max=3") == 0,
	    "%s", a);
	CHECK(strcmp(asked_header(0, "amz-sdk-invocation-id: ", a, sizeof(a)),
		  asked_header(1, "amz-sdk-invocation-id: ", b, sizeof(b))) == 0,
	    " ");
	CHECK(strcmp(asked_header(2, "amz-sdk-invocation-id: ", a, sizeof(a)), b) != 0,
	    " ");
	CHECK(strcmp(asked_header(0, "Signature=", a, sizeof(a)),
		  asked_header(1, "Signature=", b, sizeof(b))) != 0,
	    " ");
	CHECK(strcmp(asked_header(0, "x-amz-target: ", a, sizeof(a)),
		  "Kinesis_20131202.ListStreams") == 0,
	    "%s", a);
	CHECK(strcmp(asked_header(0, "content-type: ", a, sizeof(a)),
		  "application/x-amz-json-1.1") == 0,
	    "%s", a);
	CHECK(
	    strstr(seen->requests[0], "wJalrXUtnFEMI") == NULL, "no secret on the wire");
	ryde_aws_close(aws);
	stop_serving();
}

/* The same settings are the same client; others are not. */
static void
test_sharing(void)
{
	struct ryde_store_settings other = {.region = "eu-west-1"};
	struct ryde_aws *a = ryde_aws_open(&other, NULL),
			*b = ryde_aws_open(&other, NULL), *c;

	other.region = "eu-west-2";
	c = ryde_aws_open(&other, NULL);
	CHECK(a == b && a != c, " ");
	CHECK(strcmp(ryde_aws_region(a, NULL), "eu-west-1") == 0 &&
		  strcmp(ryde_aws_region(c, NULL), "eu-west-2") == 0,
	    " ");
	ryde_aws_close(a);
	CHECK(strcmp(ryde_aws_region(b, NULL), "eu-west-1") == 0, "still open");
	ryde_aws_close(b);
	ryde_aws_close(c);
	ryde_aws_close(NULL);
}

static int n_done;

static void
on_done(void *arg, struct ryde_aws_call *call)
{
	struct ryde_aws_request next = list;
	struct ryde_aws *aws = arg;

	n_done++;
	if (n_done < 6) { /* a call may start the next, and free itself */
		next.on_done = on_done;
		next.arg = aws;
		CHECK(ryde_aws_start(aws, &next, NULL) != NULL, " ");
	}
	ryde_aws_free(call);
}

/* Several at once, callbacks that free and start, and a call that is given up. */
static void
test_many(void)
{
	static const struct answer answers[] = {
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"},
	    {.status = 200, .headers = NULL, .body = "{}"}};
	struct ryde_aws_request request = list;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {.n = 0};
	struct ryde_aws *aws;

	serve(answers, 10);
	aws = ryde_aws_open(&settings, &err);
	request.on_done = on_done;
	request.arg = aws;
	for (int i = 0; i < 3; i++)
		CHECK(ryde_aws_start(aws, &request, &err) != NULL, "%s", err.msg);
	request.on_done = NULL;
	ryde_aws_free(ryde_aws_start(aws, &request, &err));
	CHECK(n_done == 0, "never inside start");
	while (n_done < 8) {
		ryde_waits_begin(&w);
		ryde_aws_wait(aws, &w);
		if (ryde_waits_poll(&w, &err) != 0 || ryde_aws_turn(aws, &err) != 0)
			break;
	}
	CHECK(n_done == 8, "%d", n_done);
	(void)ryde_aws_start(aws, &list, &err); /* left to close */
	ryde_aws_close(aws);
	stop_serving();
}

/* ---- bodies that flow ---- */

static struct {
	size_t taken;
	int pauses;
	bool end;
} sink;

static int
take(void *arg, struct ryde_view chunk)
{
	(void)arg;
	if (sink.end)
		return -1;
	if (sink.pauses < 3) {
		sink.pauses++;
		return 1;
	}
	sink.taken += chunk.n;
	return 0;
}

static void
run_paused(struct ryde_aws *aws, struct ryde_aws_call *call)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {.n = 0};

	while (!ryde_aws_done(call)) {
		ryde_waits_begin(&w);
		ryde_aws_wait(aws, &w);
		ryde_waits_until(&w, ryde_clock_mono_ms() + 5);
		if (ryde_waits_poll(&w, &err) != 0 || ryde_aws_turn(aws, &err) != 0)
			break;
		ryde_aws_resume(call);
	}
}

static void
test_sink(void)
{
	static const struct answer answers[] = {
	    {.status = 500, .headers = NULL, .body = "not for the sink"},
	    {.status = 200, .headers = NULL, .body = "", .fill = 300000},
	    {.status = 200, .headers = NULL, .body = "", .fill = 300000}};
	struct ryde_aws_request request = {.service = RYDE_AWS_S3,
	    .method = "GET",
	    .operation = "GetObject",
	    .bucket = "b",
	    .path = "/key",
	    .on_data = take};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_aws_call *call;
	struct ryde_aws *aws;
	char a[300];

	serve(answers, 3);
	aws = ryde_aws_open(&settings, &err);
	call = ryde_aws_start(aws, &request, &err);
	run_paused(aws, call);
	CHECK(sink.taken == 300000 && sink.pauses == 3, "%zu", sink.taken);
	CHECK(ryde_aws_reply(call)->fault.kind == RYDE_AWS_FINE &&
		  ryde_aws_reply(call)->body.n == 0,
	    " ");
	CHECK(strncmp(seen->requests[0], "GET /b/key HTTP/1.1\r\n", 21) == 0, "%.40s",
	    seen->requests[0]);
	CHECK(strstr(asked_header(0, "SignedHeaders=", a, sizeof(a)),
		  "x-amz-content-sha256") != NULL,
	    "%s", a);
	ryde_aws_free(call);
	sink.end = true;
	call = ryde_aws_do(aws, &request, &err);
	CHECK(ryde_aws_reply(call)->fault.kind == RYDE_AWS_REFUSED, "ended by the sink");
	ryde_aws_free(call);
	ryde_aws_close(aws);
	stop_serving();
}

static struct {
	int64_t given;
	int rewinds, pauses;
} source;

static int64_t
give(void *arg, char *to, size_t max, struct ryde_err *err)
{
	int64_t left = 3000 - source.given;
	size_t n = left < (int64_t)max ? (size_t)left : max;

	(void)arg;
	(void)err;
	if (source.given == 0 && source.pauses++ == 0)
		return 0;
	memset(to, 'b', n);
	source.given += (int64_t)n;
	return (int64_t)n;
}

static int64_t
give_up(void *arg, char *to, size_t max, struct ryde_err *err)
{
	(void)arg;
	(void)to;
	(void)max;
	return ryde_err_set(err, RYDE_EIO, "the file is gone");
}

static int
rewind_source(void *arg, struct ryde_err *err)
{
	(void)arg;
	(void)err;
	source.rewinds++;
	source.given = 0;
	return 0;
}

static void
test_source(void)
{
	static const struct answer answers[] = {
	    {.status = 503,
		.headers = NULL,
		.body = "<Error><Code>SlowDown</Code></Error>"},
	    {.status = 200, .headers = NULL, .body = ""}};
	struct ryde_aws_request request = {.service = RYDE_AWS_S3,
	    .method = "PUT",
	    .operation = "PutObject",
	    .bucket = "b",
	    .path = "/k",
	    .source = give,
	    .rewind = rewind_source,
	    .source_bytes = 3000,
	    .sha256 = "e3b0"};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_aws_call *call;
	struct ryde_aws *aws;

	serve(answers, 2);
	aws = ryde_aws_open(&settings, &err);
	call = ryde_aws_start(aws, &request, &err);
	run_paused(aws, call);
	CHECK(ryde_aws_reply(call)->fault.kind == RYDE_AWS_FINE && source.rewinds == 1 &&
		  source.given == 3000,
	    "%s", ryde_aws_reply(call)->fault.message);
	CHECK(strstr(seen->requests[1], "\r\n\r\nbbbbb") != NULL, " ");
	ryde_aws_free(call);
	request.source = give_up;
	call = ryde_aws_do(aws, &request, &err);
	CHECK(ryde_aws_reply_err(call, &err) == -1 &&
		  strstr(err.msg, "the file is gone") != NULL,
	    "%s", err.msg);
	ryde_aws_free(call);
	request.sha256 = NULL;
	CHECK(ryde_aws_start(aws, &request, &err) == NULL && err.code == RYDE_EUSAGE,
	    "unsigned over plain http");
	ryde_aws_close(aws);
	stop_serving();
}

/* ---- what cannot begin ---- */

static void
test_refused(void)
{
	static const struct answer answers[] = {
	    {.status = 200, .headers = NULL, .body = "{}"}};
	struct ryde_aws_request request = list;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_aws *aws;
	char a[100];

	serve(answers, 1);
	aws = ryde_aws_open(&settings, &err);
	(void)unsetenv("AWS_ACCESS_KEY_ID");
	(void)unsetenv("AWS_SECRET_ACCESS_KEY");
	CHECK(ryde_aws_start(aws, &request, &err) == NULL && err.code == RYDE_ENOPERM,
	    "%s", err.msg);
	request.unsigned_call = true;
	ryde_aws_free(ryde_aws_do(aws, &request, &err));
	CHECK(atomic_load(&seen->asked) == 1 &&
		  asked_header(0, "authorization: ", a, sizeof(a))[0] == '\0',
	    "unsigned: %s", a);
	request.region = "no region";
	CHECK(ryde_aws_start(aws, &request, &err) == NULL && err.code == RYDE_ECONFIG,
	    "%s", err.msg);
	ryde_aws_close(aws);
	stop_serving();
	settings.endpoint_url = "localhost";
	aws = ryde_aws_open(&settings, &err);
	CHECK(ryde_aws_start(aws, &list, &err) == NULL && err.code == RYDE_ECONFIG, "%s",
	    err.msg);
	ryde_aws_close(aws);
}

int
main(void)
{
	static const char *const variables[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	    "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
	    "AWS_CA_BUNDLE", "http_proxy", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
	    "AWS_MAX_ATTEMPTS"};
	int fd;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		(void)unsetenv(variables[i]);
	if (scratch_begin() != 0)
		return 1;
	(void)setenv("HOME", scratch_dir, 1);
	(void)setenv("AWS_REGION", "us-east-1", 1);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	(void)setenv(
	    "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 1);
	fd = open("seen", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*seen)) != 0 || ryde_signals_init(NULL) != 0)
		return 1;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (seen == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(i);
	test_attempts();
	test_sharing();
	test_many();
	test_sink();
	test_source();
	test_refused();
	scratch_end();
	return check_end("aws_client");
}
