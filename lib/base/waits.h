/*
 * What a program waits for in one turn of its loop: descriptors and the nearest deadline.
 * Each part adds its own before the wait; afterwards each looks whether its descriptor is
 * ready, or just tries.
 *
 *	ryde_waits_begin(&w);
 *	ryde_waits_fd(&w, fd, POLLIN);
 *	ryde_waits_until(&w, at_mono_ms);
 *	ryde_waits_poll(&w, err);
 *	if (ryde_waits_ready(&w, fd)) …
 *
 * The signal pipe is always waited for and drained.
 */
#ifndef RYDE_BASE_WAITS_H
#define RYDE_BASE_WAITS_H

#include <poll.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_WAITS_MAX 160
#define RYDE_WAITS_FOREVER INT64_MAX

struct ryde_waits {
	struct pollfd fds[RYDE_WAITS_MAX];
	int n;
	int64_t until_mono_ms; /* RYDE_WAITS_FOREVER: no deadline */
	/* What waits: poll, or what another loop puts in its place (libcurl's). Same
	 * contract as poll(2). */
	int (*poll)(void *arg, struct pollfd *fds, int n, int timeout_ms);
	void *poll_arg;
};

/* Empties the set, keeps poll and poll_arg. */
void ryde_waits_begin(struct ryde_waits *w);
/* Adds fd (negative: nothing). Events of an fd that is there already are joined. */
void ryde_waits_fd(struct ryde_waits *w, int fd, short events);
/* Wakes at at_mono_ms at the latest. */
void ryde_waits_until(struct ryde_waits *w, int64_t at_mono_ms);
/* Waits. 0 also when a signal or the deadline ended it. */
int ryde_waits_poll(struct ryde_waits *w, struct ryde_err *err);
/* The events that came for fd (POLLERR and POLLHUP among them), 0 if none. */
short ryde_waits_ready(const struct ryde_waits *w, int fd);

#endif
