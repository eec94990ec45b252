/* SO_PEERCRED and accept4 are Linux's */
#define _GNU_SOURCE
#include "flow/ack_socket.h"

#include "base/err.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX ((size_t)4 << 20)

static int
directory(char *to, size_t room, struct ryde_err *err)
{
	const char *run = getenv("RYDE_RUN"), *xdg = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int n;

	if (run != NULL && run[0] != '\0')
		n = snprintf(to, room, "%s", run);
	else if (xdg != NULL && xdg[0] == '/' && stat(xdg, &st) == 0 &&
		 S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		n = snprintf(to, room, "%s/ryde", xdg);
	else
		n = snprintf(to, room, "/tmp/ryde-%lu", (unsigned long)geteuid());
	if (n < 0 || (size_t)n >= room)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "RYDE_RUN is too long for a socket's name: at most 84 characters");
	return 0;
}

static int
check_directory(const char *dir, struct ryde_err *err)
{
	struct stat st;

	if (lstat(dir, &st) != 0)
		return ryde_err_sys(err, RYDE_ETEMPFAIL, "%s", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return ryde_err_set(
		    err, RYDE_ENOPERM, "%s is not a directory of this user", dir);
	if ((st.st_mode & 077) != 0)
		return ryde_err_set(err, RYDE_ENOPERM,
		    "%s is open to other users: its mode must be 0700", dir);
	return 0;
}

static bool
is_token(struct ryde_view t)
{
	if (t.n < 16 || t.n > 22)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

int
ryde_ack_socket_path(
    struct ryde_view token, bool make, char *to, size_t room, struct ryde_err *err)
{
	size_t n;

	if (!is_token(token))
		return ryde_err_set(
		    err, RYDE_ETEMPFAIL, "a line's \"ack\" was not made by a reader");
	/* room for the slash, the token and the NUL */
	if (directory(to, room - 24, err) != 0)
		return -1;
	if (make && ryde_file_mkdirs(to, err) != 0)
		return -1;
	if (check_directory(to, err) != 0)
		return -1;
	n = strlen(to);
	to[n] = '/';
	memcpy(to + n + 1, token.p, token.n);
	to[n + 1 + token.n] = '\0';
	return 0;
}

static void
address(const char *path, struct sockaddr_un *un)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path) + 1);
}

/* sockaddr_un and sockaddr share their beginning: that is how the socket calls are meant
 * to be called */
static const struct sockaddr *
generic(const struct sockaddr_un *un)
{
	const void *p = un;

	return p;
}

int
ryde_ack_socket_listen(const char *path, struct ryde_err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un un;

	if (fd < 0)
		return ryde_err_sys(err, RYDE_EOSERR, "socket");
	address(path, &un);
	if (bind(fd, generic(&un), sizeof(un)) != 0 || listen(fd, 64) != 0) {
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "cannot listen on %s", path);
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
begin(struct ryde_ack_socket *s, int fd)
{
	s->fd = fd;
	s->closed = false;
	s->taken = 0;
	ryde_buf_init(&s->in, MESSAGE_MAX);
	ryde_buf_init(&s->out, MESSAGE_MAX);
}

static bool
is_ours(int fd)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 &&
	       cred.uid == geteuid();
}

int
ryde_ack_socket_accept(int listener, struct ryde_ack_socket *s, struct ryde_err *err)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return 0;
		return ryde_err_sys(err, RYDE_EOSERR, "accept");
	}
	if (!is_ours(fd)) {
		(void)close(fd);
		return 0;
	}
	begin(s, fd);
	return 1;
}

int
ryde_ack_socket_connect(const char *path, struct ryde_ack_socket *s, struct ryde_err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un;

	if (fd < 0)
		return ryde_err_sys(err, RYDE_EOSERR, "socket");
	address(path, &un);
	if (connect(fd, generic(&un), sizeof(un)) != 0) {
		(void)ryde_err_sys(
		    err, RYDE_ETEMPFAIL, "the reader of this pipe cannot be reached");
		(void)close(fd);
		err->code = RYDE_ETEMPFAIL;
		return -1;
	}
	if (!is_ours(fd)) {
		(void)close(fd);
		return ryde_err_set(
		    err, RYDE_ENOPERM, "the reader of this pipe is another user's");
	}
	begin(s, fd);
	return 0;
}

void
ryde_ack_socket_close(struct ryde_ack_socket *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	s->closed = true;
	ryde_buf_free(&s->in);
	ryde_buf_free(&s->out);
}

void
ryde_ack_socket_send(struct ryde_ack_socket *s)
{
	size_t sent = 0;

	if (s->out.failed)
		s->closed = true;
	while (!s->closed && sent < s->out.n) {
		ssize_t n = send(
		    s->fd, s->out.p + sent, s->out.n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			s->closed = true;
		else
			sent += (size_t)n;
	}
	ryde_buf_drop(&s->out, sent);
}

void
ryde_ack_socket_receive(struct ryde_ack_socket *s)
{
	ryde_buf_drop(&s->in, s->taken);
	s->taken = 0;
	while (!s->closed) {
		char *room = ryde_buf_room(&s->in, 16384);
		ssize_t n;

		if (room == NULL) {
			s->closed = true;
			break;
		}
		n = recv(s->fd, room, 16384, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			s->closed = true;
		else
			ryde_buf_added(&s->in, (size_t)n);
		if (n < 16384)
			break;
	}
}

bool
ryde_ack_socket_next(struct ryde_ack_socket *s, struct ryde_view *message)
{
	const char *nl;

	if (s->taken == s->in.n)
		return false;
	nl = memchr(s->in.p + s->taken, '\n', s->in.n - s->taken);
	if (nl == NULL)
		return false;
	*message = ryde_view_mem(s->in.p + s->taken, (size_t)(nl - s->in.p) - s->taken);
	s->taken += message->n + 1;
	return true;
}
