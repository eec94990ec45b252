#include "base/signals.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int wake[2] = {-1, -1};
static volatile sig_atomic_t stops;
static volatile sig_atomic_t children;

/* The first request to stop: its sender, 0 for the terminal, and when it came. */
static pid_t stop_sender;
static struct timespec stop_at;

/* Whether a process says again what it has just said: timeout(1) signals its child and
 * then the whole process group, which is one request. A terminal never repeats itself. */
static bool
repeats(const siginfo_t *from)
{
	struct timespec now;
	long ms;

	if (from->si_code > 0 || from->si_pid != stop_sender)
		return false;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - stop_at.tv_sec) * 1000 +
	     (now.tv_nsec - stop_at.tv_nsec) / 1000000;
	return ms < RYDE_SIGNALS_REPEAT_MS;
}

static void
on_signal(int sig, siginfo_t *from, void *context)
{
	int saved = errno;
	char c = (char)sig;
	ssize_t ignored;

	(void)context;
	if (sig == SIGCHLD) {
		children = 1;
	} else if (stops == 0) {
		stop_sender = from->si_code > 0 ? 0 : from->si_pid;
		(void)clock_gettime(CLOCK_MONOTONIC, &stop_at);
		stops = 1;
	} else if (!repeats(from)) {
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
	}
	/* a full pipe is as good as one byte more: the loop wakes either way */
	ignored = write(wake[1], &c, 1);
	(void)ignored;
	errno = saved;
}

int
ryde_signals_init(struct ryde_err *err)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGCHLD};
	struct sigaction sa = {.sa_flags = 0};

	if (wake[0] >= 0)
		return 0;
	if (pipe(wake) != 0)
		return ryde_err_sys(err, RYDE_EOSERR, "pipe");
	for (int i = 0; i < 2; i++) {
		(void)fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(wake[i], F_SETFL, O_NONBLOCK);
	}
	(void)sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	/* SIGINT and SIGTERM must not meet inside the handler: it compares them */
	(void)sigaddset(&sa.sa_mask, SIGINT);
	(void)sigaddset(&sa.sa_mask, SIGTERM);
	sa.sa_flags = SA_RESTART | SA_SIGINFO;
	sa.sa_sigaction = on_signal;
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction old;

		/* a shell's background job ignores SIGINT: leave that as it is */
		if (caught[i] == SIGINT && sigaction(SIGINT, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		(void)sigaction(caught[i], &sa, NULL);
	}
	return 0;
}

int
ryde_signals_fd(void)
{
	return wake[0];
}

void
ryde_signals_drain(void)
{
	char buf[64];

	while (wake[0] >= 0 && read(wake[0], buf, sizeof(buf)) > 0)
		continue;
}

int
ryde_signals_stop(void)
{
	return stops;
}

bool
ryde_signals_child(void)
{
	bool was = children != 0;

	children = 0;
	return was;
}

void
ryde_signals_die_of_pipe(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(SIGPIPE);
	_exit(141);
}

void
ryde_signals_reset(void)
{
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	wake[0] = wake[1] = -1;
}
