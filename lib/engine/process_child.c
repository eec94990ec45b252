#define _GNU_SOURCE /* F_SETPIPE_SZ */

#include "engine/process_child.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"
#include "engine/process_call.h"
#include "engine/process_capture.h"
#include "engine/process_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIPE_DEFAULT 65536
#define PIPE_LARGE (1 << 20)
#define READS_A_TURN 16

enum ending {
	ENDING_NONE,
	ENDING_TIMEOUT,
	ENDING_STOPPED,
	ENDING_OUTPUT, /* its output cannot be kept */
};

struct child {
	struct ryde_process_call call;
	struct ryde_process_spawned process;
	int in, out; /* our ends, -1 once closed */
	struct iovec *input;
	int n_input;
	enum ending ending;
	int64_t timeout_ms;
	int64_t linger_ms; /* when waiting for the rest of the output ends; once exited */
	struct ryde_process_capture output;
};

void
ryde_process_child_advance(struct iovec **input, int *n_input, size_t n)
{
	while (*n_input > 0 && n >= (*input)->iov_len) {
		n -= (*input)->iov_len;
		++*input;
		--*n_input;
	}
	if (n > 0) {
		(*input)->iov_base = (char *)(*input)->iov_base + n;
		(*input)->iov_len -= n;
	}
}

static void
feed(struct child *c)
{
	ssize_t n;

	while (c->in >= 0 && c->n_input > 0) {
		n = writev(c->in, c->input, c->n_input < IOV_MAX ? c->n_input : IOV_MAX);
		if (n >= 0)
			ryde_process_child_advance(&c->input, &c->n_input, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			break; /* EPIPE: it has read as much as it wants */
	}
	ryde_process_spawn_close(&c->in);
}

static size_t
input_bytes(const struct ryde_process_call_task *task)
{
	size_t n = 0;

	for (int i = 0; i < task->n_input; i++)
		n += task->input[i].iov_len;
	return n;
}

/* The pipes, the first of the input, the process. What is the command's is closed here
 * when it has it. */
static int
set_up(struct child *c, const struct ryde_process_call_task *task, struct ryde_err *err)
{
	struct ryde_process_spawn spawn = {
	    .path = task->path, .argv = task->argv, .envp = task->envp};
	int in[2] = {-1, -1}, out[2] = {-1, -1}, result = -1;

	if (ryde_process_spawn_pipe(in, 1, err) != 0)
		goto out;
	if (task->capture && ryde_process_spawn_pipe(out, 0, err) != 0)
		goto out;
	c->in = in[1];
	in[1] = -1;
	c->out = out[0];
	out[0] = -1;
	if (input_bytes(task) > PIPE_DEFAULT)
		fcntl(c->in, F_SETPIPE_SZ,
		    PIPE_LARGE); /* fewer wake-ups; no harm if refused */
	/* What fits is written before there is a reader: most commands then find all of
	 * their input at once. */
	feed(c);
	spawn.in = in[0];
	spawn.out = out[1];
	result = ryde_process_spawn_start(&spawn, &c->process.pid, err);
out:
	ryde_process_spawn_close(&in[0]);
	ryde_process_spawn_close(&in[1]);
	ryde_process_spawn_close(&out[0]);
	ryde_process_spawn_close(&out[1]);
	return result;
}

static void
child_free(struct ryde_process_call *call)
{
	struct child *c = (struct child *)call;

	ryde_process_spawn_close(&c->in);
	ryde_process_spawn_close(&c->out);
	ryde_process_spawned_kill(&c->process);
	ryde_process_capture_free(&c->output);
	free(c);
}

static int64_t
timeout_at(const struct child *c)
{
	if (c->ending != ENDING_NONE || c->process.pid == 0)
		return RYDE_WAITS_FOREVER;
	return ryde_process_call_timeout_at(c->call.started_ms, c->timeout_ms);
}

static void
child_wait(const struct ryde_process_call *call, struct ryde_waits *w)
{
	const struct child *c = (const struct child *)call;

	if (c->in >= 0)
		ryde_waits_fd(w, c->in, POLLOUT);
	if (c->out >= 0)
		ryde_waits_fd(w, c->out, POLLIN);
	ryde_waits_until(w, timeout_at(c));
	if (c->process.kill_ms != 0)
		ryde_waits_until(w, c->process.kill_ms);
	if (c->process.pid == 0)
		ryde_waits_until(w, c->linger_ms);
}

/* Ends the run for a reason. */
static void
end(struct child *c, enum ending why, int64_t now_ms)
{
	if (c->ending != ENDING_NONE || c->process.pid == 0)
		return;
	c->ending = why;
	ryde_process_spawned_end(&c->process, now_ms);
}

static void
child_stop(struct ryde_process_call *call, int64_t now_mono_ms)
{
	end((struct child *)call, ENDING_STOPPED, now_mono_ms);
}

/* Reads what is there; a bounded number of times, for a fast writer must not hold up the
 * loop. */
static void
drain(struct child *c, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char block[65536];
	ssize_t n;

	for (int i = 0; c->out >= 0 && i < READS_A_TURN; i++) {
		n = read(c->out, block, sizeof block);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ryde_process_spawn_close(&c->out);
		} else if (ryde_process_capture_add(&c->output, block, (size_t)n, &err) !=
			   0) {
			snprintf(c->call.what, sizeof c->call.what, "%.150s", err.msg);
			ryde_process_spawn_close(&c->out);
			end(c, ENDING_OUTPUT, now_ms);
			c->ending = ENDING_OUTPUT; /* also where it has exited already */
		}
	}
}

static void
finish(struct child *c, int64_t now_ms)
{
	struct ryde_process_call *call = &c->call;

	call->ended_ms = now_ms;
	call->stopped = c->ending == ENDING_STOPPED;
	call->succeeded = c->ending == ENDING_NONE && c->process.wait_status == 0;
	if (c->ending == ENDING_TIMEOUT)
		ryde_process_call_timed_out(call, c->timeout_ms);
	else if (c->ending == ENDING_STOPPED)
		snprintf(call->what, sizeof call->what, "stopped");
	else if (c->ending == ENDING_NONE) /* output: said when it was seen */
		ryde_process_spawn_describe(
		    c->process.wait_status, call->what, sizeof call->what);
	call->told = c->ending == ENDING_NONE &&
		     ryde_process_spawn_was_told(c->process.wait_status);
}

static bool
child_turn(struct ryde_process_call *call, int64_t now_mono_ms)
{
	struct child *c = (struct child *)call;

	feed(c);
	call->given = c->n_input == 0;
	if (c->process.pid != 0) {
		if (now_mono_ms >= timeout_at(c))
			end(c, ENDING_TIMEOUT, now_mono_ms);
		if (!ryde_process_spawned_runs(&c->process, now_mono_ms)) {
			c->linger_ms = now_mono_ms + RYDE_PROCESS_CHILD_LINGER_MS;
			ryde_process_spawn_close(&c->in);
		}
	}
	/* After the exit was seen: what it wrote is in the pipe by then. */
	drain(c, now_mono_ms);
	if (c->process.pid != 0)
		return false;
	if (c->out >= 0 && (c->ending != ENDING_NONE || c->process.wait_status != 0))
		ryde_process_spawn_close(&c->out); /* nobody wants a failed run's */
	if (c->out >= 0 && now_mono_ms >= c->linger_ms) {
		call->lingered = true;
		ryde_process_spawn_close(&c->out);
	}
	if (c->out >= 0)
		return false;
	finish(c, now_mono_ms);
	return true;
}

static int
child_output(struct ryde_process_call *call, struct ryde_view *out, struct ryde_err *err)
{
	return ryde_process_capture_view(&((struct child *)call)->output, out, err);
}

struct ryde_process_call *
ryde_process_child_start(const struct ryde_process_call_task *task, struct ryde_err *err)
{
	static const struct ryde_process_call_ops ops = {
	    child_turn, child_wait, child_stop, child_output, child_free};
	struct child *c = calloc(1, sizeof *c);

	if (c == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	c->call.ops = &ops;
	c->call.started_ms = ryde_clock_mono_ms();
	c->in = c->out = -1;
	c->input = task->input;
	c->n_input = task->n_input;
	c->timeout_ms = task->timeout_ms;
	ryde_process_capture_init(&c->output);
	if (set_up(c, task, err) != 0) {
		child_free(&c->call);
		return NULL;
	}
	return &c->call;
}
