#include "base/capture.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int
ryde_capture_words(char *text, char **words, int max)
{
	char *to = text, quote = '\0';
	bool in_word = false;
	int n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		bool blank = *p == ' ' || *p == '\t' || *p == '\n';

		if (quote == '\0' && blank) {
			if (in_word)
				*to++ = '\0';
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (n == max - 1)
				return -1;
			words[n++] = to;
			in_word = true;
		}
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (quote != '\0' && *p == quote) {
			quote = '\0';
		} else if (*p == '\\' && p[1] != '\0' &&
			   (quote == '\0' ||
			       (quote == '"' && (p[1] == '"' || p[1] == '\\')))) {
			*to++ = *++p;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	words[n] = NULL;
	return quote == '\0' ? n : -1;
}

static int
start(char *const *words, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	sigaddset(&defaults, SIGCHLD);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	/* our standard input carries records: nothing for it to read */
	r = posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(pid, words[0], &actions, &attr, words, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Reads all that it prints, as long as it takes, within limits. */
static int
read_output(int fd, int64_t timeout_ms, struct ryde_buf *b, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + timeout_ms;
	struct ryde_waits w = {.n = 0};

	for (;;) {
		char *room = ryde_buf_room(b, 1);
		ssize_t n;

		if (room == NULL)
			return ryde_err_set(
			    err, RYDE_ENOPERM, "it prints more than %zu bytes", b->max);
		n = read(fd, room,
		    b->cap - b->n < b->max - b->n ? b->cap - b->n : b->max - b->n);
		if (n == 0)
			return 0;
		if (n > 0) {
			ryde_buf_added(b, (size_t)n);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return ryde_err_sys(err, RYDE_EIO, "its output");
		if (ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ENOPERM,
			    "it has not ended after %lld s",
			    (long long)(timeout_ms / 1000));
		ryde_waits_begin(&w);
		ryde_waits_fd(&w, fd, POLLIN);
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
}

static int
wait_for(pid_t pid, bool finished, struct ryde_err *err)
{
	int status;

	if (!finished)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ryde_err_sys(err, RYDE_EOSERR, "waiting for it");
	if (!finished)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return ryde_err_set(err, RYDE_ENOPERM,
	    WIFEXITED(status) ? "it ended with status %d" : "it died of signal %d",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int
ryde_capture_run(
    char *const *words, int64_t timeout_ms, struct ryde_buf *b, struct ryde_err *err)
{
	int fds[2], r, rc;
	pid_t pid;

	if (pipe(fds) != 0)
		return ryde_err_sys(err, RYDE_EOSERR, "cannot make a pipe");
	(void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	r = start(words, fds[1], &pid);
	(void)close(fds[1]);
	if (r != 0) {
		(void)close(fds[0]);
		errno = r;
		return ryde_err_sys(err, RYDE_ENOPERM, "cannot run %.100s", words[0]);
	}
	rc = read_output(fds[0], timeout_ms, b, err);
	(void)close(fds[0]);
	return wait_for(pid, rc == 0, err) == 0 ? rc : -1;
}
