#define _GNU_SOURCE /* F_SETPIPE_SZ */

#include "engine/process_keep.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "base/waits.h"
#include "engine/process_capture.h"
#include "engine/process_child.h"
#include "engine/process_pool.h"
#include "engine/process_response.h"
#include "line/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_LARGE (1 << 20)
#define READS_A_TURN 16
#define END_MAX 80 /* an end line: quotes, token, number */

enum ending {
	ENDING_NONE,
	ENDING_ANSWER,
	ENDING_TIMEOUT,
	ENDING_STOPPED,
	ENDING_OUTPUT, /* what it prints cannot be taken */
};

struct keep {
	struct ryde_process_instance instance;
	int in, out;	    /* our ends, -1 once closed */
	struct iovec *runs; /* the batch and its end line */
	size_t cap;
	struct iovec *input; /* what of it is not written yet */
	int n_input;
	char prefix[RYDE_RANDOM_TOKEN + 16]; /* of end lines: "ryde-end-…- */
	char end[END_MAX];		     /* of this batch, with its newline */
	uint64_t number;
	bool active, wanted; /* a call is; its output is wanted */
	bool succeeded;
	enum ending ending;
	int64_t timeout_ms;
	struct ryde_buf line; /* the one that is read */
	struct ryde_process_capture output;
};

static void
feed(struct keep *k)
{
	ssize_t n;

	while (k->in >= 0 && k->n_input > 0) {
		n = writev(k->in, k->input, k->n_input < IOV_MAX ? k->n_input : IOV_MAX);
		if (n >= 0)
			ryde_process_child_advance(&k->input, &k->n_input, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			ryde_process_spawn_close(&k->in); /* it reads no more */
	}
}

static void
end(struct keep *k, enum ending why, int64_t now_ms)
{
	if (k->ending != ENDING_NONE)
		return;
	k->ending = why;
	if (why != ENDING_ANSWER) {
		k->instance.broken = true;
		ryde_process_spawned_end(&k->instance.process, now_ms);
	}
}

static void
unusable(struct keep *k, const char *what, int64_t now_ms)
{
	snprintf(k->instance.call.what, sizeof k->instance.call.what, "%.150s", what);
	end(k, ENDING_OUTPUT, now_ms);
}

/* True where the line ends the batch. */
static bool
is_answer(struct keep *k, struct ryde_view line)
{
	struct ryde_process_call *call = &k->instance.call;
	size_t n = strlen(k->end) - 1; /* without its newline */

	if (k->instance.pool->one_line) {
		k->succeeded =
		    !ryde_process_response_error(line, call->what, sizeof call->what);
		return true;
	}
	if (line.n < n || memcmp(line.p, k->end, n) != 0 ||
	    (line.n > n && line.p[n] != ' '))
		return false;
	k->succeeded = line.n == n;
	if (!k->succeeded)
		snprintf(call->what, sizeof call->what, "%.*s",
		    (int)(line.n - n - 1 < 150 ? line.n - n - 1 : 150), line.p + n + 1);
	return true;
}

/* A line, with its newline. */
static void
take_line(struct keep *k, struct ryde_view line, int64_t now_ms)
{
	struct ryde_view plain = ryde_view_mem(line.p, line.n - 1);
	struct ryde_err err = RYDE_ERR_INIT;
	bool answer = k->active && k->ending == ENDING_NONE && is_answer(k, plain);

	if (answer)
		end(k, ENDING_ANSWER, now_ms);
	if (answer && !k->instance.pool->one_line)
		return;
	if ((answer || (k->active && k->ending == ENDING_NONE)) && k->wanted) {
		if (ryde_process_capture_add(&k->output, line.p, line.n, &err) != 0)
			unusable(k, err.msg, now_ms);
		return;
	}
	/* Where its own stdout would go if it were not ours. */
	(void)ryde_file_write_all(STDERR_FILENO, line, "stderr", &err);
}

static void
take_bytes(struct keep *k, const char *p, size_t n, int64_t now_ms)
{
	const char *newline;

	while (n > 0) {
		size_t part;

		newline = memchr(p, '\n', n);
		part = newline != NULL ? (size_t)(newline - p) + 1 : n;
		if (newline != NULL && k->line.n == 0) {
			take_line(k, ryde_view_mem(p, part), now_ms);
		} else {
			ryde_buf_add(&k->line, p, part);
			if (newline != NULL && !k->line.failed) {
				take_line(k, ryde_buf_as_view(&k->line), now_ms);
				ryde_buf_clear(&k->line);
			}
		}
		p += part;
		n -= part;
	}
	if (k->line.failed) {
		unusable(k, "it printed a line longer than 10 MiB", now_ms);
		ryde_buf_clear(&k->line);
		ryde_process_spawn_close(&k->out);
	}
}

/* Reads what is there; a bounded number of times, for a fast writer must not hold up the
 * loop. */
static void
drain(struct keep *k, int64_t now_ms)
{
	char block[65536];
	ssize_t n;

	for (int i = 0; k->out >= 0 && i < READS_A_TURN; i++) {
		n = read(k->out, block, sizeof block);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			take_bytes(k, block, (size_t)n, now_ms);
		else
			ryde_process_spawn_close(&k->out);
		if (k->active && k->ending == ENDING_ANSWER)
			return;
	}
}

static void
finish(struct keep *k, bool runs, int64_t now_ms)
{
	struct ryde_process_call *call = &k->instance.call;
	char how[80];

	k->active = false;
	call->ended_ms = now_ms;
	call->succeeded = k->ending == ENDING_ANSWER && k->succeeded;
	call->stopped = k->ending == ENDING_STOPPED;
	call->told = k->ending == ENDING_NONE && !runs &&
		     ryde_process_spawn_was_told(k->instance.process.wait_status);
	if (call->succeeded)
		snprintf(call->what, sizeof call->what, "done");
	if (k->ending == ENDING_TIMEOUT)
		ryde_process_call_timed_out(call, k->timeout_ms);
	if (k->ending == ENDING_NONE && !runs) {
		ryde_process_spawn_describe(
		    k->instance.process.wait_status, how, sizeof how);
		snprintf(call->what, sizeof call->what, "it ended before it answered: %s",
		    how);
	}
	/* An answer before all was read: what is left must not become the next batch. */
	if (k->n_input > 0)
		k->instance.broken = true;
}

static bool
keep_turn(struct ryde_process_call *call, int64_t now_mono_ms)
{
	struct keep *k = (struct keep *)call;
	bool runs;

	feed(k);
	call->given = k->n_input == 0;
	if (k->ending == ENDING_NONE &&
	    now_mono_ms >= ryde_process_call_timeout_at(call->started_ms, k->timeout_ms))
		end(k, ENDING_TIMEOUT, now_mono_ms);
	runs = ryde_process_spawned_runs(&k->instance.process, now_mono_ms);
	/* After the exit was seen: what it wrote is in the pipe by then. */
	drain(k, now_mono_ms);
	if (k->ending == ENDING_ANSWER || !runs) {
		finish(k, runs, now_mono_ms);
		return true;
	}
	return false;
}

static void
wait_common(const struct keep *k, struct ryde_waits *w)
{
	if (k->out >= 0)
		ryde_waits_fd(w, k->out, POLLIN);
	if (k->instance.process.kill_ms != 0)
		ryde_waits_until(w, k->instance.process.kill_ms);
}

static void
keep_wait(const struct ryde_process_call *call, struct ryde_waits *w)
{
	const struct keep *k = (const struct keep *)call;

	if (k->in >= 0 && k->n_input > 0)
		ryde_waits_fd(w, k->in, POLLOUT);
	if (k->ending == ENDING_NONE)
		ryde_waits_until(
		    w, ryde_process_call_timeout_at(call->started_ms, k->timeout_ms));
	wait_common(k, w);
}

static void
keep_stop(struct ryde_process_call *call, int64_t now_mono_ms)
{
	end((struct keep *)call, ENDING_STOPPED, now_mono_ms);
}

static int
keep_output(struct ryde_process_call *call, struct ryde_view *out, struct ryde_err *err)
{
	return ryde_process_capture_view(&((struct keep *)call)->output, out, err);
}

static int
begin(struct ryde_process_instance *i, const struct ryde_process_call_task *task,
    struct ryde_err *err)
{
	struct keep *k = (struct keep *)i;
	size_t n = (size_t)task->n_input;

	if (k->cap < n + 1) {
		struct iovec *more = realloc(k->runs, (n + 1) * 2 * sizeof *more);

		if (more == NULL)
			return ryde_err_nomem(err);
		k->runs = more;
		k->cap = (n + 1) * 2;
	}
	if (n > 0)
		memcpy(k->runs, task->input, n * sizeof *k->runs);
	if (!i->pool->one_line) {
		snprintf(k->end, sizeof k->end, "%s%llu\"\n", k->prefix,
		    (unsigned long long)++k->number);
		k->runs[n].iov_base = k->end;
		k->runs[n++].iov_len = strlen(k->end);
	}
	k->input = k->runs;
	k->n_input = (int)n; /* one more than the task's */
	k->wanted = task->capture;
	k->timeout_ms = task->timeout_ms;
	k->ending = ENDING_NONE;
	k->succeeded = false;
	k->active = true;
	ryde_process_capture_clear(&k->output);
	feed(k);
	return 0;
}

static bool
idle(struct ryde_process_instance *i, int64_t now_mono_ms)
{
	struct keep *k = (struct keep *)i;
	bool runs = ryde_process_spawned_runs(&i->process, now_mono_ms);

	drain(k, now_mono_ms);
	return runs;
}

static void
wait_idle(const struct ryde_process_instance *i, struct ryde_waits *w)
{
	wait_common((const struct keep *)i, w);
}

/* The end of its input tells it. */
static void
bye(struct ryde_process_instance *i, int64_t now_mono_ms)
{
	(void)now_mono_ms;
	ryde_process_spawn_close(&((struct keep *)i)->in);
}

static void
clear(struct ryde_process_instance *i)
{
	struct keep *k = (struct keep *)i;

	ryde_process_spawn_close(&k->in);
	ryde_process_spawn_close(&k->out);
	ryde_process_capture_free(&k->output);
	ryde_buf_free(&k->line);
	free(k->runs);
}

static int
set_up(struct keep *k, struct ryde_err *err)
{
	const struct ryde_process_pool *pool = k->instance.pool;
	struct ryde_process_spawn spawn = {.path = pool->path, .argv = pool->argv};
	int in[2] = {-1, -1}, out[2] = {-1, -1}, r = -1;
	char token[RYDE_RANDOM_TOKEN + 1], **env = NULL;
	struct ryde_buf more;

	ryde_buf_init(&more, 4096);
	if (ryde_random_token(token, err) != 0)
		goto out;
	snprintf(k->prefix, sizeof k->prefix, "\"ryde-end-%s-", token);
	ryde_buf_printf(&more, "RYDE_BATCH_END=%s%c", k->prefix, 0);
	env = ryde_process_pool_environment(pool, &more, err);
	if (env == NULL || ryde_process_spawn_pipe(in, 1, err) != 0 ||
	    ryde_process_spawn_pipe(out, 0, err) != 0)
		goto out;
	fcntl(in[1], F_SETPIPE_SZ, PIPE_LARGE); /* fewer wake-ups; no harm if refused */
	spawn.envp = env;
	spawn.in = in[0];
	spawn.out = out[1];
	if (ryde_process_spawn_start(&spawn, &k->instance.process.pid, err) != 0)
		goto out;
	k->in = in[1];
	k->out = out[0];
	in[1] = out[0] = -1;
	r = 0;
out:
	ryde_process_spawn_close(&in[0]);
	ryde_process_spawn_close(&in[1]);
	ryde_process_spawn_close(&out[0]);
	ryde_process_spawn_close(&out[1]);
	free(env);
	ryde_buf_free(&more);
	return r;
}

static struct ryde_process_instance *
start(struct ryde_process_pool *pool, struct ryde_err *err)
{
	static const struct ryde_process_call_ops ops = {
	    keep_turn, keep_wait, keep_stop, keep_output, ryde_process_pool_return};
	struct keep *k = calloc(1, sizeof *k);

	if (k == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	k->instance.call.ops = &ops;
	k->instance.pool = pool;
	k->in = k->out = -1;
	ryde_buf_init(&k->line, (size_t)RYDE_LINE_MAX + END_MAX);
	ryde_process_capture_init(&k->output);
	if (set_up(k, err) == 0)
		return &k->instance;
	clear(&k->instance);
	free(k);
	return NULL;
}

const struct ryde_process_instance_ops ryde_process_keep_ops = {
    start, begin, idle, wait_idle, bye, clear};
