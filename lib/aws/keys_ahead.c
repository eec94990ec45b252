#define _GNU_SOURCE /* pipe2, close_range */
#include "aws/keys_ahead.h"

#include "aws/keys.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_MAX 262144
#define ROOM 65536

struct ryde_aws_keys_ahead {
	pid_t pid;
	int fd;
	struct ryde_buf text;
};

/* What goes through the pipe, from one copy of this program to another; behind it the
 * three strings, without ends. */
struct message {
	struct ryde_err err; /* code RYDE_OK: keys were found */
	int64_t expires_unix_ms;
	char source[sizeof(((struct ryde_aws_keys *)NULL)->source)];
	bool fixed;
	size_t access_n, secret_n, token_n;
};

/* ---- in the other process ---- */

static void
say(int fd, int rc, const struct ryde_aws_keys *keys, const struct ryde_err *err)
{
	struct message m;
	struct ryde_buf b;

	memset(&m, 0, sizeof(m));
	ryde_buf_init(&b, TEXT_MAX);
	if (rc == 0) {
		m.expires_unix_ms = keys->expires_unix_ms;
		m.fixed = keys->fixed;
		memcpy(m.source, keys->source, sizeof(m.source));
		m.access_n = strlen(keys->access);
		m.secret_n = strlen(keys->secret);
		m.token_n = strlen(keys->token);
	} else {
		m.err = *err;
	}
	ryde_buf_view(&b, ryde_view_mem((const char *)&m, sizeof(m)));
	if (rc == 0) {
		ryde_buf_puts(&b, keys->access);
		ryde_buf_puts(&b, keys->secret);
		ryde_buf_puts(&b, keys->token);
	}
	if (ryde_buf_check(&b, NULL) == 0)
		(void)ryde_file_write_all(fd, ryde_buf_as_view(&b), "a pipe", NULL);
}

/* Nothing of what the parent has open stays open here: a pipe must end, a lock must go,
 * with its holder. Standard error stays, for a command that asks who has to log in. */
static void
let_go(pid_t parent, int fd)
{
	int null = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) < 0)
		_exit(1);
	(void)close_range(STDERR_FILENO + 2, ~0U, 0);
	(void)fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC);
}

static _Noreturn void
be_the_other(pid_t parent, int fd, ryde_aws_keys_search *search, void *arg)
{
	struct ryde_aws_keys keys = RYDE_AWS_KEYS_INIT;
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_signals_reset();
	let_go(parent, fd);
	say(STDERR_FILENO + 1, search(arg, &keys, &err), &keys, &err);
	_exit(0);
}

/* ---- here ---- */

struct ryde_aws_keys_ahead *
ryde_aws_keys_ahead_start(ryde_aws_keys_search *search, void *arg, struct ryde_err *err)
{
	struct ryde_aws_keys_ahead *a = calloc(1, sizeof(*a));
	pid_t parent = getpid();
	int fds[2];

	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	if (pipe2(fds, O_CLOEXEC) != 0) {
		(void)ryde_err_sys(err, RYDE_EOSERR, "a pipe");
		free(a);
		return NULL;
	}
	a->pid = fork();
	if (a->pid == 0)
		be_the_other(parent, fds[1], search, arg);
	(void)close(fds[1]);
	if (a->pid < 0) {
		(void)ryde_err_sys(err, RYDE_EOSERR, "a process");
		(void)close(fds[0]);
		free(a);
		return NULL;
	}
	a->fd = fds[0];
	(void)fcntl(a->fd, F_SETFL, O_NONBLOCK);
	ryde_buf_init(&a->text, TEXT_MAX);
	return a;
}

/* True at the end of what it says. */
static bool
read_all(struct ryde_aws_keys_ahead *a)
{
	for (;;) {
		/* at once, so that no copy is left where the buffer has grown */
		char *room = ryde_buf_room(&a->text, ROOM);
		ssize_t n;

		if (room == NULL)
			return true;
		n = read(a->fd, room, ROOM);
		if (n > 0)
			ryde_buf_added(&a->text, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return true;
		else if (errno == EAGAIN)
			return false;
	}
}

static int
take(const struct ryde_buf *b, struct ryde_aws_keys *keys, struct ryde_err *err)
{
	const char *at = b->p + sizeof(struct message);
	struct message m;

	if (b->n < sizeof(m))
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "the process that looked for credentials died");
	memcpy(&m, b->p, sizeof(m));
	if (m.err.code != RYDE_OK) {
		*err = m.err;
		return -1;
	}
	if (b->n != sizeof(m) + m.access_n + m.secret_n + m.token_n)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "the process that looked for credentials died");
	if (ryde_aws_keys_set(keys, ryde_view_mem(at, m.access_n),
		ryde_view_mem(at + m.access_n, m.secret_n),
		ryde_view_mem(at + m.access_n + m.secret_n, m.token_n), m.source,
		err) != 0)
		return -1;
	keys->expires_unix_ms = m.expires_unix_ms;
	keys->fixed = m.fixed;
	memcpy(keys->source, m.source, sizeof(keys->source));
	return 0;
}

bool
ryde_aws_keys_ahead_done(struct ryde_aws_keys_ahead *a, int *rc,
    struct ryde_aws_keys *keys, struct ryde_err *err)
{
	if (!read_all(a))
		return false;
	*rc = take(&a->text, keys, err);
	return true;
}

void
ryde_aws_keys_ahead_free(struct ryde_aws_keys_ahead *a)
{
	if (a == NULL)
		return;
	(void)kill(a->pid, SIGKILL);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)close(a->fd);
	if (a->text.p != NULL)
		OPENSSL_cleanse(a->text.p, a->text.cap);
	ryde_buf_free(&a->text);
	free(a);
}
