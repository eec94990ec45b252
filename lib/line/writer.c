/* F_SETPIPE_SZ is Linux's */
#define _GNU_SOURCE
#include "line/writer.h"

#include "base/err.h"
#include "base/waits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)128 << 10)

/*
 * A pipe is opened a second time, so that it can be written without blocking while the
 * descriptor that other processes share keeps its own flags.
 */
struct ryde_writer {
	int fd;	 /* the one given */
	int own; /* the non-blocking one, -1 where there is none */
	struct ryde_buf b;
	size_t sent; /* bytes at the front of b that are written */
	bool pipe, closed;
	uint64_t bytes;
};

struct ryde_writer *
ryde_writer_new(int fd, struct ryde_err *err)
{
	struct ryde_writer *w = calloc(1, sizeof(*w));
	struct stat st;

	if (w == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	w->fd = fd;
	w->own = -1;
	/* twice the longest line, and what may gather before a program stops reading */
	ryde_buf_init(&w->b, (size_t)256 << 20);
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		char path[64];

		w->pipe = true;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		w->own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		(void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
	}
	return w;
}

void
ryde_writer_free(struct ryde_writer *w)
{
	if (w == NULL)
		return;
	if (w->own >= 0)
		(void)close(w->own);
	ryde_buf_free(&w->b);
	free(w);
}

struct ryde_buf *
ryde_writer_buf(struct ryde_writer *w)
{
	return &w->b;
}

size_t
ryde_writer_pending(const struct ryde_writer *w)
{
	return w->b.n - w->sent;
}

/* One write of bytes; *took of them went. 1: some went, 0: it would block, -1: error. */
static int
write_some(
    struct ryde_writer *w, struct ryde_view bytes, size_t *took, struct ryde_err *err)
{
	size_t n = bytes.n;
	ssize_t got;

	*took = 0;

	/* without a descriptor of our own a full pipe would block: give it no more than
	 * it surely takes */
	if (w->pipe && w->own < 0) {
		struct pollfd p = {.fd = w->fd, .events = POLLOUT};

		if (poll(&p, 1, 0) <= 0)
			return 0;
		n = n > 4096 ? 4096 : n;
	}
	got = write(w->own >= 0 ? w->own : w->fd, bytes.p, n);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (got < 0 && errno == EPIPE) {
		w->closed = true;
		return ryde_err_set(err, RYDE_EIO, "standard output is closed");
	}
	if (got < 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot write to standard output");
	*took = (size_t)got;
	w->bytes += (uint64_t)got;
	return 1;
}

int
ryde_writer_flush(struct ryde_writer *w, struct ryde_err *err)
{
	size_t took;
	int rc = 1;

	if (ryde_buf_check(&w->b, err) != 0)
		return -1;
	while (rc == 1 && w->sent < w->b.n) {
		rc = write_some(
		    w, ryde_view_mem(w->b.p + w->sent, w->b.n - w->sent), &took, err);
		w->sent += took;
	}
	if (w->sent == w->b.n) {
		ryde_buf_clear(&w->b);
		w->sent = 0;
	} else if (w->sent > w->b.n / 2) {
		ryde_buf_drop(&w->b, w->sent);
		w->sent = 0;
	}
	if (rc < 0)
		return -1;
	return w->b.n == 0;
}

int
ryde_writer_added(struct ryde_writer *w, struct ryde_err *err)
{
	if (w->b.n - w->sent < BLOCK)
		return ryde_buf_check(&w->b, err);
	return ryde_writer_flush(w, err) < 0 ? -1 : 0;
}

int
ryde_writer_line(struct ryde_writer *w, struct ryde_view line, struct ryde_err *err)
{
	char *to = ryde_buf_room(&w->b, line.n + 1);

	if (to != NULL) {
		if (line.n > 0)
			memcpy(to, line.p, line.n);
		to[line.n] = '\n';
		ryde_buf_added(&w->b, line.n + 1);
	}
	return ryde_writer_added(w, err);
}

int
ryde_writer_through(struct ryde_writer *w, struct ryde_view lines, struct ryde_err *err)
{
	size_t took;
	int rc = ryde_writer_flush(w, err);

	while (rc == 1 && lines.n > 0) {
		rc = write_some(w, lines, &took, err);
		lines = ryde_view_mem(lines.p + took, lines.n - took);
	}
	if (rc < 0)
		return -1;
	ryde_buf_view(&w->b, lines);
	return ryde_buf_check(&w->b, err);
}

int
ryde_writer_drain(struct ryde_writer *w, struct ryde_err *err)
{
	int rc;

	while ((rc = ryde_writer_flush(w, err)) == 0) {
		struct pollfd p = {.fd = w->fd, .events = POLLOUT};

		(void)poll(&p, 1, -1);
	}
	return rc < 0 ? -1 : 0;
}

void
ryde_writer_wait(const struct ryde_writer *w, struct ryde_waits *waits)
{
	if (w->pipe)
		ryde_waits_fd(waits, w->fd, ryde_writer_pending(w) > 0 ? POLLOUT : 0);
}

int
ryde_writer_close(struct ryde_writer *w, struct ryde_err *err)
{
	int rc = 0;

	if (w->own >= 0)
		(void)close(w->own);
	if (w->fd >= 0 && close(w->fd) != 0)
		rc = ryde_err_sys(err, RYDE_EIO, "cannot write to standard output");
	w->own = w->fd = -1;
	w->pipe = false;
	return rc;
}

bool
ryde_writer_check_closed(struct ryde_writer *w)
{
	struct pollfd p = {.fd = w->fd, .events = 0};

	if (w->pipe && poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLNVAL)) != 0)
		w->closed = true;
	return w->closed;
}

bool
ryde_writer_closed(const struct ryde_writer *w)
{
	return w->closed;
}

uint64_t
ryde_writer_bytes(const struct ryde_writer *w)
{
	return w->bytes;
}
