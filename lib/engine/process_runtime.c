#define _GNU_SOURCE /* accept4 */

#include "engine/process_runtime.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "engine/process_http.h"
#include "engine/process_peer.h"
#include "engine/process_pool.h"
#include "engine/process_response.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 4 /* at a time, of one runtime */
#define READ_BLOCK 65536
#define API "/2018-06-01/runtime/"
/* Where the answer to a call has no limit of its own: far away, but a date. */
#define NO_TIMEOUT_MS 86400000

enum stage {
	STAGE_NONE,	 /* no call */
	STAGE_WAITING,	 /* for the runtime to ask */
	STAGE_DELIVERED, /* it has the event */
	STAGE_ANSWERED,
	STAGE_TIMEOUT, /* told to end, because of that */
	STAGE_STOPPED,
};

struct connection {
	int fd; /* -1: none */
	struct ryde_buf in, out;
	size_t sent;
	bool waiting;	/* asked for the next event, which is not there yet */
	bool continued; /* was told to send the body */
	bool close;	/* once out is sent */
};

struct runtime {
	struct ryde_process_instance instance;
	int listener;
	struct connection connections[CONNECTIONS];
	enum stage stage;
	bool succeeded;
	char id[RYDE_PROCESS_CALL_ID_SIZE];
	const struct iovec *event;   /* the task's: one run, with a newline at its end */
	int64_t timeout_ms, from_ms; /* of the time-out: the call's begin, or when it was
					delivered */
	struct ryde_buf response, body;
};

/* Answers. */

static void
answer(struct connection *c, const struct ryde_process_http_request *r, int status,
    const char *json)
{
	c->close = c->close || r->close;
	ryde_process_http_answer(&c->out, status, "", ryde_view_of(json), c->close);
}

static void
refuse(struct connection *c, int status, const char *type, const char *message)
{
	char json[256];

	snprintf(json, sizeof json, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}",
	    message, type);
	c->close = true;
	ryde_process_http_answer(&c->out, status, "", ryde_view_of(json), true);
}

/* Hands the event to a connection that waits for one. */
static void
deliver(struct runtime *t, int64_t now_ms)
{
	const struct ryde_process_pool *pool = t->instance.pool;
	int64_t left_ms = t->timeout_ms > 0 ? t->timeout_ms : NO_TIMEOUT_MS;
	struct ryde_view event;
	char headers[640];

	for (int i = 0; t->stage == STAGE_WAITING && i < CONNECTIONS; i++) {
		struct connection *c = &t->connections[i];

		if (c->fd < 0 || !c->waiting)
			continue;
		event = ryde_view_mem(t->event->iov_base, t->event->iov_len - 1);
		snprintf(headers, sizeof headers,
		    "Lambda-Runtime-Aws-Request-Id: %s\r\n"
		    "Lambda-Runtime-Deadline-Ms: %lld\r\n"
		    "Lambda-Runtime-Invoked-Function-Arn: "
		    "arn:aws:lambda:%.64s:000000000000:function:%.128s\r\n"
		    "Lambda-Runtime-Trace-Id: Root=1-%.8s-%.8s%.4s%.4s%.8s;Sampled=0\r\n",
		    t->id, (long long)(ryde_clock_wall_ms() + left_ms), pool->region,
		    pool->function, t->id, t->id + 24, t->id + 9, t->id + 14, t->id + 28);
		ryde_process_http_answer(&c->out, 200, headers, event, c->close);
		c->waiting = false;
		t->stage = STAGE_DELIVERED;
		t->from_ms = now_ms;
	}
}

static void
failed(struct runtime *t, const char *otherwise)
{
	struct ryde_process_call *call = &t->instance.call;

	if (!ryde_process_response_error(
		ryde_buf_as_view(&t->body), call->what, sizeof call->what))
		snprintf(call->what, sizeof call->what, "%s", otherwise);
	t->succeeded = false;
	t->stage = STAGE_ANSWERED;
}

/* POST …/invocation/ID/response or error. */
static void
take_result(struct runtime *t, struct connection *c,
    const struct ryde_process_http_request *r, struct ryde_view rest)
{
	const char *slash = rest.n > 0 ? memchr(rest.p, '/', rest.n) : NULL;
	struct ryde_view id, what;
	struct ryde_buf mine;

	if (slash == NULL) {
		refuse(c, 404, "NotFound", "no such path");
		return;
	}
	id = ryde_view_mem(rest.p, (size_t)(slash - rest.p));
	what = ryde_view_mem(slash + 1, rest.n - id.n - 1);
	if (!ryde_view_is(what, "response") && !ryde_view_is(what, "error")) {
		refuse(c, 404, "NotFound", "no such path");
		return;
	}
	if (t->stage != STAGE_DELIVERED || !ryde_view_is(id, t->id)) {
		refuse(c, 400, "InvalidRequestID", "no such request is to be answered");
		return;
	}
	if (ryde_view_is(what, "error")) {
		failed(t, "the function has failed");
	} else {
		mine = t->response;
		t->response = t->body;
		t->body = mine;
		t->succeeded = true;
		t->stage = STAGE_ANSWERED;
	}
	answer(c, r, 202, "{\"status\":\"OK\"}");
}

static void
take_init_error(
    struct runtime *t, struct connection *c, const struct ryde_process_http_request *r)
{
	t->instance.broken = true;
	answer(c, r, 202, "{\"status\":\"OK\"}");
	if (t->stage == STAGE_WAITING || t->stage == STAGE_DELIVERED)
		failed(t, "the runtime could not be initialised");
}

static void
take_request(
    struct runtime *t, struct connection *c, const struct ryde_process_http_request *r)
{
	static const char invocation[] = API "invocation/";
	bool get = ryde_view_is(r->method, "GET"), post = ryde_view_is(r->method, "POST");

	if (get && ryde_view_is(r->path, API "invocation/next")) {
		c->waiting = true;
		c->close = r->close;
	} else if (post && ryde_view_is(r->path, API "init/error")) {
		take_init_error(t, c, r);
	} else if (post && ryde_view_starts(r->path, invocation)) {
		take_result(t, c, r,
		    ryde_view_mem(r->path.p + sizeof invocation - 1,
			r->path.n - (sizeof invocation - 1)));
	} else {
		refuse(c, 404, "NotFound", "no such path");
	}
}

/* Connections. */

static void
hang_up(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->waiting = c->continued = c->close = false;
	c->sent = 0;
	ryde_buf_free(&c->in);
	ryde_buf_free(&c->out);
}

static void
take_connections(struct runtime *t)
{
	struct connection *c = NULL;
	int fd;

	while (
	    (fd = accept4(t->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		c = NULL;
		for (int i = 0; c == NULL && i < CONNECTIONS; i++)
			if (t->connections[i].fd < 0)
				c = &t->connections[i];
		if (c == NULL || !ryde_process_peer_is_ours(fd)) {
			close(fd);
			continue;
		}
		c->fd = fd;
	}
}

static void
parse(struct runtime *t, struct connection *c)
{
	struct ryde_process_http_request r;
	size_t used = 0;

	while (c->fd >= 0 && !c->waiting && !c->close && c->in.n > 0) {
		switch (ryde_process_http_parse(
		    ryde_buf_as_view(&c->in), &r, &t->body, &used)) {
		case RYDE_PROCESS_HTTP_MORE:
			if (r.waits && !c->continued)
				ryde_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
			c->continued = r.waits;
			return;
		case RYDE_PROCESS_HTTP_DONE:
			take_request(t, c, &r);
			ryde_buf_drop(&c->in, used);
			c->continued = false;
			break;
		case RYDE_PROCESS_HTTP_BAD:
			refuse(c, 400, "BadRequest", "no HTTP/1.1 request");
			break;
		case RYDE_PROCESS_HTTP_LARGE:
			refuse(c, 413, "RequestEntityTooLarge",
			    "a response has at most 6 MiB");
			if (t->stage == STAGE_DELIVERED) {
				ryde_buf_clear(&t->body);
				failed(t, "its response is larger than 6 MiB");
			}
			break;
		}
	}
}

static void
read_connection(struct runtime *t, struct connection *c)
{
	char *to;
	ssize_t n;

	while (c->fd >= 0 && !c->close) {
		to = ryde_buf_room(&c->in, READ_BLOCK);
		n = to != NULL ? read(c->fd, to, READ_BLOCK) : 0;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			hang_up(c);
			return;
		}
		ryde_buf_added(&c->in, (size_t)n);
		parse(t, c);
	}
}

static void
write_connection(struct connection *c)
{
	ssize_t n;

	while (c->fd >= 0 && c->sent < c->out.n) {
		n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
		if (n > 0)
			c->sent += (size_t)n;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			hang_up(c);
	}
	if (c->fd < 0)
		return;
	c->sent = 0;
	ryde_buf_clear(&c->out);
	if (c->close && !c->waiting)
		hang_up(c);
}

static void
serve(struct runtime *t, int64_t now_ms)
{
	take_connections(t);
	for (int i = 0; i < CONNECTIONS; i++) {
		read_connection(t, &t->connections[i]);
		parse(t, &t->connections[i]); /* what came behind a request */
	}
	deliver(t, now_ms);
	for (int i = 0; i < CONNECTIONS; i++)
		write_connection(&t->connections[i]);
}

static void
wait_common(const struct runtime *t, struct ryde_waits *w)
{
	ryde_waits_fd(w, t->listener, POLLIN);
	for (int i = 0; i < CONNECTIONS; i++) {
		const struct connection *c = &t->connections[i];

		if (c->fd >= 0)
			ryde_waits_fd(
			    w, c->fd, (short)(POLLIN | (c->out.n > 0 ? POLLOUT : 0)));
	}
	if (t->instance.process.kill_ms != 0)
		ryde_waits_until(w, t->instance.process.kill_ms);
}

/* Calls. */

static int64_t
timeout_at(const struct runtime *t)
{
	if (t->stage != STAGE_WAITING && t->stage != STAGE_DELIVERED)
		return RYDE_WAITS_FOREVER;
	return ryde_process_call_timeout_at(t->from_ms, t->timeout_ms);
}

static void
break_off(struct runtime *t, enum stage why, int64_t now_ms)
{
	if (t->stage != STAGE_WAITING && t->stage != STAGE_DELIVERED)
		return;
	t->stage = why;
	t->instance.broken = true;
	ryde_process_spawned_end(&t->instance.process, now_ms);
}

static bool
runtime_turn(struct ryde_process_call *call, int64_t now_mono_ms)
{
	struct runtime *t = (struct runtime *)call;
	bool runs = ryde_process_spawned_runs(&t->instance.process, now_mono_ms);
	char how[80];

	serve(t, now_mono_ms);
	if (now_mono_ms >= timeout_at(t))
		break_off(t, STAGE_TIMEOUT, now_mono_ms);
	call->given = t->stage == STAGE_DELIVERED;
	if (t->stage != STAGE_ANSWERED && runs)
		return false;
	call->ended_ms = now_mono_ms;
	call->succeeded = t->stage == STAGE_ANSWERED && t->succeeded;
	call->stopped = t->stage == STAGE_STOPPED;
	call->told = !runs && t->stage != STAGE_ANSWERED && !call->stopped &&
		     t->stage != STAGE_TIMEOUT &&
		     ryde_process_spawn_was_told(t->instance.process.wait_status);
	if (call->succeeded) {
		snprintf(call->what, sizeof call->what, "done");
	} else if (t->stage == STAGE_TIMEOUT) {
		ryde_process_call_timed_out(call, t->timeout_ms);
	} else if (t->stage != STAGE_ANSWERED) {
		ryde_process_spawn_describe(
		    t->instance.process.wait_status, how, sizeof how);
		snprintf(call->what, sizeof call->what,
		    "the runtime ended before it answered: %s", how);
	}
	t->stage = STAGE_NONE;
	return true;
}

static void
runtime_wait(const struct ryde_process_call *call, struct ryde_waits *w)
{
	const struct runtime *t = (const struct runtime *)call;

	ryde_waits_until(w, timeout_at(t));
	wait_common(t, w);
}

static void
runtime_stop(struct ryde_process_call *call, int64_t now_mono_ms)
{
	break_off((struct runtime *)call, STAGE_STOPPED, now_mono_ms);
}

static int
runtime_output(
    struct ryde_process_call *call, struct ryde_view *out, struct ryde_err *err)
{
	struct runtime *t = (struct runtime *)call;

	/* A response is one JSON text: as a line it has no newlines in it. */
	for (size_t i = 0; i < t->response.n; i++)
		if (t->response.p[i] == '\n' || t->response.p[i] == '\r')
			t->response.p[i] = ' ';
	*out = ryde_buf_as_view(&t->response);
	return ryde_buf_check(&t->response, err);
}

static int
begin(struct ryde_process_instance *i, const struct ryde_process_call_task *task,
    struct ryde_err *err)
{
	struct runtime *t = (struct runtime *)i;

	(void)err;
	t->event = task->input;
	t->timeout_ms = task->timeout_ms;
	t->from_ms = i->call.started_ms;
	t->stage = STAGE_WAITING;
	t->succeeded = false;
	snprintf(t->id, sizeof t->id, "%s", task->id);
	ryde_buf_clear(&t->response);
	serve(t, i->call.started_ms);
	return 0;
}

static bool
idle(struct ryde_process_instance *i, int64_t now_mono_ms)
{
	serve((struct runtime *)i, now_mono_ms);
	return ryde_process_spawned_runs(&i->process, now_mono_ms);
}

static void
wait_idle(const struct ryde_process_instance *i, struct ryde_waits *w)
{
	wait_common((const struct runtime *)i, w);
}

static void
bye(struct ryde_process_instance *i, int64_t now_mono_ms)
{
	ryde_process_spawned_end(&i->process, now_mono_ms);
}

static void
clear(struct ryde_process_instance *i)
{
	struct runtime *t = (struct runtime *)i;

	for (int k = 0; k < CONNECTIONS; k++)
		hang_up(&t->connections[k]);
	ryde_process_spawn_close(&t->listener);
	ryde_buf_free(&t->response);
	ryde_buf_free(&t->body);
}

/* Starting. */

/* A port of the system's choice on 127.0.0.1; its number, or -1. */
static int
listen_on_loopback(struct runtime *t, struct ryde_err *err)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->listener < 0 ||
	    bind(t->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(t->listener, CONNECTIONS) != 0 ||
	    getsockname(t->listener, (struct sockaddr *)&at, &n) != 0)
		return ryde_err_sys(err, RYDE_ETEMPFAIL, "cannot listen on 127.0.0.1");
	return ntohs(at.sin_port);
}

/* Source: Lambda's defined runtime environment variables. What a user may have set for
 * the function itself is left alone. */
static void
put_environment(const struct ryde_process_pool *pool, int port, struct ryde_buf *b)
{
	static const char *const defaults[][2] = {{"_HANDLER", NULL}, {"TZ", ":UTC"},
	    {"LANG", "en_US.UTF-8"}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}};
	const char *last = pool->argv[0];
	char folder[4096];

	for (int i = 1; pool->argv[i] != NULL; i++)
		last = pool->argv[i];
	ryde_buf_printf(b, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d%c", port, 0);
	ryde_buf_printf(b, "AWS_LAMBDA_FUNCTION_NAME=%s%c", pool->function, 0);
	ryde_buf_printf(b, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST%c", 0);
	ryde_buf_printf(b, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand%c", 0);
	ryde_buf_printf(
	    b, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/%s%c", pool->function, 0);
	ryde_buf_printf(b, "AWS_LAMBDA_LOG_STREAM_NAME=[$LATEST]%d%c", port, 0);
	ryde_buf_printf(b, "AWS_REGION=%s%c", pool->region, 0);
	ryde_buf_printf(b, "AWS_DEFAULT_REGION=%s%c", pool->region, 0);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		const char *value = defaults[i][1] != NULL ? defaults[i][1] : last;

		if (getenv(defaults[i][0]) == NULL)
			ryde_buf_printf(b, "%s=%s%c", defaults[i][0], value, 0);
	}
	if (getcwd(folder, sizeof folder) == NULL)
		return;
	if (getenv("LAMBDA_TASK_ROOT") == NULL)
		ryde_buf_printf(b, "LAMBDA_TASK_ROOT=%s%c", folder, 0);
	if (getenv("LAMBDA_RUNTIME_DIR") == NULL)
		ryde_buf_printf(b, "LAMBDA_RUNTIME_DIR=%s%c", folder, 0);
}

static int
set_up(struct runtime *t, struct ryde_err *err)
{
	const struct ryde_process_pool *pool = t->instance.pool;
	struct ryde_process_spawn spawn = {
	    .path = pool->path, .argv = pool->argv, .out = -1, .die_with_us = true};
	int port = listen_on_loopback(t, err), nothing = -1, r = -1;
	struct ryde_buf more;
	char **env = NULL;

	ryde_buf_init(&more, 65536);
	if (port < 0)
		goto out;
	put_environment(pool, port, &more);
	env = ryde_process_pool_environment(pool, &more, err);
	if (env == NULL)
		goto out;
	nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0) {
		ryde_err_sys(err, RYDE_ETEMPFAIL, "/dev/null");
		goto out;
	}
	spawn.in = nothing;
	spawn.envp = env;
	r = ryde_process_spawn_start(&spawn, &t->instance.process.pid, err);
out:
	ryde_process_spawn_close(&nothing);
	free(env);
	ryde_buf_free(&more);
	return r;
}

static struct ryde_process_instance *
start(struct ryde_process_pool *pool, struct ryde_err *err)
{
	static const struct ryde_process_call_ops ops = {runtime_turn, runtime_wait,
	    runtime_stop, runtime_output, ryde_process_pool_return};
	struct runtime *t = calloc(1, sizeof *t);

	if (t == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	t->instance.call.ops = &ops;
	t->instance.pool = pool;
	t->listener = -1;
	ryde_buf_init(&t->response, RYDE_PROCESS_HTTP_BODY_MAX);
	ryde_buf_init(&t->body, RYDE_PROCESS_HTTP_BODY_MAX);
	for (int i = 0; i < CONNECTIONS; i++) {
		struct connection *c = &t->connections[i];

		c->fd = -1;
		ryde_buf_init(&c->in, (size_t)RYDE_PROCESS_HTTP_BODY_MAX * 2 +
					  RYDE_PROCESS_HTTP_HEAD_MAX + READ_BLOCK);
		ryde_buf_init(&c->out, (size_t)128 << 20);
	}
	if (set_up(t, err) == 0)
		return &t->instance;
	clear(&t->instance);
	free(t);
	return NULL;
}

const struct ryde_process_instance_ops ryde_process_runtime_ops = {
    start, begin, idle, wait_idle, bye, clear};
