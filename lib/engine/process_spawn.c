#define _GNU_SOURCE /* pipe2, vfork */

#include "engine/process_spawn.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What our handlers took; the command has the defaults. */
static const int handled[] = {SIGPIPE, SIGINT, SIGTERM, SIGCHLD};
#define N_HANDLED (sizeof handled / sizeof *handled)

char *
ryde_process_spawn_find(const char *name, struct ryde_err *err)
{
	const char *path = getenv("PATH"), *end;
	struct ryde_buf b;
	char *found = NULL;
	bool denied = false;
	struct stat st;

	if (strchr(name, '/') != NULL)
		path = "";
	else if (path == NULL)
		path = "/bin:/usr/bin";
	ryde_buf_init(&b, PATH_MAX);
	for (;; path = end + 1) {
		end = strchr(path, ':');
		if (end == NULL)
			end = path + strlen(path);
		ryde_buf_clear(&b);
		ryde_buf_add(&b, path, (size_t)(end - path));
		if (end != path)
			ryde_buf_putc(&b, '/');
		ryde_buf_puts(&b, name);
		if (*name != '\0' && stat(ryde_buf_str(&b), &st) == 0) {
			if (S_ISREG(st.st_mode) && access(ryde_buf_str(&b), X_OK) == 0) {
				found = strdup(ryde_buf_str(&b));
				if (found == NULL)
					ryde_err_nomem(err);
				break;
			}
			denied = true;
		}
		if (*end == '\0') {
			if (denied)
				ryde_err_set(err, RYDE_ECONFIG,
				    "%s: is there, but cannot be executed", name);
			else
				ryde_err_set(
				    err, RYDE_ENOINPUT, "%s: command not found", name);
			break;
		}
	}
	ryde_buf_free(&b);
	return found;
}

void
ryde_process_spawn_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int
ryde_process_spawn_pipe(int fds[2], int ours, struct ryde_err *err)
{
	if (pipe2(fds, O_CLOEXEC) != 0)
		return ryde_err_sys(err, RYDE_ETEMPFAIL, "cannot make a pipe");
	if (fcntl(fds[ours], F_SETFL, O_NONBLOCK) != 0)
		return ryde_err_sys(err, RYDE_ETEMPFAIL, "cannot set up a pipe");
	return 0;
}

static int
plain_spawn(const struct ryde_process_spawn *s, pid_t *pid)
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
	for (size_t i = 0; i < N_HANDLED; i++)
		sigaddset(&defaults, handled[i]);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_adddup2(&actions, s->in, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(
		    &actions, s->out >= 0 ? s->out : STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(pid, s->path, &actions, &attr, s->argv, s->envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* The child of vfork, in our memory: only calls that are safe there. Returns errno. */
static int
become(const struct ryde_process_spawn *s, pid_t parent, const sigset_t *none)
{
	struct sigaction defaults = {.sa_handler = SIG_DFL};

	for (size_t i = 0; i < N_HANDLED; i++)
		sigaction(handled[i], &defaults, NULL);
	if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		return errno;
	if (getppid() != parent) /* it died before that */
		return ECHILD;
	if (dup2(s->in, STDIN_FILENO) < 0 ||
	    dup2(s->out >= 0 ? s->out : STDERR_FILENO, STDOUT_FILENO) < 0)
		return errno;
	sigprocmask(SIG_SETMASK, none, NULL);
	execve(s->path, s->argv, s->envp);
	return errno;
}

/* posix_spawn cannot ask for a signal at our death. All signals are blocked meanwhile, so
 * that no handler runs in the child, which shares our memory. */
static int
bound_spawn(const struct ryde_process_spawn *s, pid_t *pid)
{
	volatile int failure = 0;
	sigset_t all, before, none;
	pid_t parent = getpid(), child;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = vfork();
	if (child == 0) {
		failure = become(s, parent, &none);
		_exit(127);
	}
	if (child < 0)
		failure = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child > 0 && failure != 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	*pid = child;
	return failure;
}

static enum ryde_err_code
code_of(int error)
{
	switch (error) {
	case ENOENT:
		return RYDE_ENOINPUT;
	case EAGAIN:
	case ENOMEM:
	case ENFILE:
	case EMFILE:
	case ETXTBSY:
		return RYDE_ETEMPFAIL;
	default:
		return RYDE_ECONFIG;
	}
}

int
ryde_process_spawn_start(
    const struct ryde_process_spawn *s, pid_t *pid, struct ryde_err *err)
{
	int r = s->die_with_us ? bound_spawn(s, pid) : plain_spawn(s, pid);

	if (r == 0)
		return 0;
	*pid = 0;
	errno = r;
	ryde_err_sys(err, code_of(r), "%s: cannot be started", s->path);
	if (err != NULL)
		err->code = code_of(r); /* ENOMEM and EACCES too are judged here */
	return -1;
}

static void
signal_group(pid_t pid, int sig)
{
	if (kill(-pid, sig) != 0)
		kill(pid, sig);
}

void
ryde_process_spawned_end(struct ryde_process_spawned *p, int64_t now_mono_ms)
{
	if (p->pid <= 0 || p->told)
		return;
	p->told = true;
	p->kill_ms = now_mono_ms + RYDE_PROCESS_SPAWN_KILL_MS;
	signal_group(p->pid, SIGTERM);
}

/* Its process is left unreaped until its group was told: till then the group is surely
 * ours. */
bool
ryde_process_spawned_runs(struct ryde_process_spawned *p, int64_t now_mono_ms)
{
	siginfo_t info = {0};

	if (p->pid <= 0)
		return false;
	if (p->kill_ms != 0 && now_mono_ms >= p->kill_ms) {
		signal_group(p->pid, SIGKILL);
		p->kill_ms = 0;
	}
	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != p->pid)
		return true;
	if (p->told)
		signal_group(p->pid, SIGKILL);
	else if (info.si_code != CLD_EXITED || info.si_status != 0)
		signal_group(p->pid, SIGTERM);
	while (waitpid(p->pid, &p->wait_status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	p->kill_ms = 0;
	return false;
}

void
ryde_process_spawned_kill(struct ryde_process_spawned *p)
{
	if (p->pid <= 0)
		return;
	signal_group(p->pid, SIGKILL);
	while (waitpid(p->pid, &p->wait_status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
}

bool
ryde_process_spawn_was_told(int wait_status)
{
	int sig = 0;

	if (WIFSIGNALED(wait_status))
		sig = WTERMSIG(wait_status);
	else if (WIFEXITED(wait_status))
		sig = WEXITSTATUS(wait_status) - 128;
	return sig == SIGTERM || sig == SIGINT;
}

void
ryde_process_spawn_describe(int wait_status, char *to, size_t size)
{
	if (WIFSIGNALED(wait_status))
		snprintf(to, size, "killed by signal %d (%s)", WTERMSIG(wait_status),
		    strsignal(WTERMSIG(wait_status)));
	else
		snprintf(to, size, "exit status %d", WEXITSTATUS(wait_status));
}
