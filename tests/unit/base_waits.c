/* What a loop waits for, and signals as bytes. Sources: base/waits.h, base/signals.h. */
#include "base/waits.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/signals.h"
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
check_descriptors(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {0};
	int p[2];

	if (pipe(p) != 0)
		return;
	ryde_waits_begin(&w);
	CHECK(w.until_mono_ms == RYDE_WAITS_FOREVER, "no deadline");
	ryde_waits_fd(&w, -1, POLLIN);
	CHECK(w.n == 0, "a negative one is nothing");
	ryde_waits_fd(&w, p[0], POLLIN);
	ryde_waits_fd(&w, p[1], POLLOUT);
	ryde_waits_fd(&w, p[0], POLLPRI);
	CHECK(w.n == 2 && w.fds[0].events == (POLLIN | POLLPRI), "joined");
	CHECK(ryde_waits_poll(&w, &err) == 0, "%s", err.msg);
	CHECK(ryde_waits_ready(&w, p[1]) == POLLOUT, "writable");
	CHECK(ryde_waits_ready(&w, p[0]) == 0, "nothing to read");
	CHECK(ryde_waits_ready(&w, 999) == 0, "not asked for");
	(void)close(p[0]);
	ryde_waits_begin(&w);
	ryde_waits_fd(&w, p[1], 0);
	CHECK(ryde_waits_poll(&w, &err) == 0, "%s", err.msg);
	CHECK((ryde_waits_ready(&w, p[1]) & POLLERR) != 0, "the other end went away");
	(void)close(p[1]);
}

static void
check_deadlines(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {0};
	int64_t began = ryde_clock_mono_ms(), took;

	ryde_waits_begin(&w);
	ryde_waits_until(&w, began + 50);
	ryde_waits_until(&w, began + 5000);
	ryde_waits_until(&w, RYDE_WAITS_FOREVER);
	CHECK(ryde_waits_poll(&w, &err) == 0, "%s", err.msg);
	took = ryde_clock_mono_ms() - began;
	CHECK(took >= 50 && took < 2000, "the nearest one: %lld", (long long)took);
	began = ryde_clock_mono_ms();
	CHECK(ryde_waits_poll(&w, &err) == 0, "%s", err.msg);
	CHECK(ryde_clock_mono_ms() - began < 1000, "one in the past does not wait");
}

/* More than can be watched: the loop comes back soon instead. */
static void
check_many(void)
{
	struct ryde_waits w = {0};

	ryde_waits_begin(&w);
	for (int fd = 1000; fd < 1000 + 2 * RYDE_WAITS_MAX; fd++)
		ryde_waits_fd(&w, fd, POLLIN);
	CHECK(w.n == RYDE_WAITS_MAX, "%d", w.n);
	CHECK(w.until_mono_ms <= ryde_clock_mono_ms() + 5, "a deadline");
	ryde_waits_fd(&w, 1000, POLLOUT);
	CHECK(w.fds[0].events == (POLLIN | POLLOUT), "one that is there is still joined");
}

static int
other_poll(void *arg, struct pollfd *fds, int n, int timeout_ms)
{
	int *calls = arg;

	(void)timeout_ms;
	++*calls;
	for (int i = 0; i < n; i++)
		fds[i].revents = POLLIN;
	errno = *calls == 2 ? EINTR : EBADF;
	return *calls == 1 ? n : -1;
}

static void
check_other_poll(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int calls = 0;
	struct ryde_waits w = {.poll = other_poll, .poll_arg = &calls};

	ryde_waits_begin(&w);
	ryde_waits_fd(&w, 77, POLLIN);
	CHECK(ryde_waits_poll(&w, &err) == 0 && ryde_waits_ready(&w, 77) == POLLIN,
	    "put in the place of poll");
	CHECK(ryde_waits_poll(&w, &err) == 0 && ryde_waits_ready(&w, 77) == 0,
	    "interrupted: nothing is ready");
	CHECK(ryde_waits_poll(&w, &err) == -1 && err.code == RYDE_EOSERR, "%s", err.msg);
	CHECK(calls == 3, "kept by begin");
}

/* A process that is asked to stop by SENDS processes, each saying it twice: its status.
 */
static int
stopped_by(int sends)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		pid_t self = getpid();

		if (ryde_signals_init(&err) != 0)
			_exit(1);
		for (int i = 0; i < sends; i++) {
			pid_t sender = fork();

			if (sender == 0)
				_exit(
				    kill(self, SIGTERM) != 0 || kill(self, SIGTERM) != 0);
			while (waitpid(sender, NULL, 0) == -1 && errno == EINTR)
				continue;
		}
		_exit(ryde_signals_stop() == 1 ? 0 : 1);
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

/* timeout(1) sends its signal to the child and then to the group: that is one request. */
static void
check_second_signal(void)
{
	int status = stopped_by(1);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "said twice: %d", status);
	status = stopped_by(2);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "two: %d", status);
}

static void
check_signals(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {0};
	int64_t began;
	int status;
	pid_t pid;

	CHECK(
	    ryde_signals_init(&err) == 0 && ryde_signals_init(&err) == 0, "%s", err.msg);
	ryde_waits_begin(&w);
	CHECK(w.n == 1 && w.fds[0].fd == ryde_signals_fd(), "always waited for");
	CHECK(ryde_signals_stop() == 0 && !ryde_signals_child(), "nothing came");
	pid = fork();
	if (pid == 0)
		_exit(0);
	began = ryde_clock_mono_ms();
	ryde_waits_until(&w, began + 5000);
	CHECK(ryde_waits_poll(&w, &err) == 0, "%s", err.msg);
	CHECK(ryde_clock_mono_ms() - began < 4000, "a child's end wakes the loop");
	CHECK(ryde_signals_child() && !ryde_signals_child(), "told once");
	CHECK(waitpid(pid, &status, 0) == pid, "reaped");
	(void)raise(SIGTERM);
	ryde_waits_begin(&w);
	CHECK(
	    ryde_waits_poll(&w, &err) == 0 && ryde_signals_stop() == 1, "asked to stop");
	ryde_waits_begin(&w);
	ryde_waits_until(&w, 0);
	CHECK(ryde_waits_poll(&w, &err) == 0, "drained");
	CHECK(ryde_waits_ready(&w, ryde_signals_fd()) == 0, "and quiet again");
	pid = fork();
	if (pid == 0) {
		(void)raise(SIGTERM); /* SIGINT is ignored in a shell's background job */
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		  WTERMSIG(status) == SIGTERM,
	    "the second one ends the process");
}

/* Ends as cat does, though SIGPIPE was ignored. */
static void
check_pipe(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		ryde_signals_die_of_pipe();
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		  WTERMSIG(status) == SIGPIPE,
	    "status %d", status);
}

int
main(void)
{
	check_descriptors();
	check_deadlines();
	check_many();
	check_other_poll();
	check_second_signal();
	check_signals();
	check_pipe();
	return check_end("base_waits");
}
