#include "base/waits.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/signals.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

void
ryde_waits_begin(struct ryde_waits *w)
{
	w->n = 0;
	w->until_mono_ms = RYDE_WAITS_FOREVER;
	ryde_waits_fd(w, ryde_signals_fd(), POLLIN);
}

void
ryde_waits_fd(struct ryde_waits *w, int fd, short events)
{
	if (fd < 0)
		return;
	for (int i = 0; i < w->n; i++) {
		if (w->fds[i].fd == fd) {
			w->fds[i].events = (short)(w->fds[i].events | events);
			return;
		}
	}
	if (w->n == RYDE_WAITS_MAX) {
		/* more than we can watch: come back soon and look again */
		ryde_waits_until(w, ryde_clock_mono_ms() + 5);
		return;
	}
	w->fds[w->n++] = (struct pollfd){.fd = fd, .events = events};
}

void
ryde_waits_until(struct ryde_waits *w, int64_t at_mono_ms)
{
	if (at_mono_ms < w->until_mono_ms)
		w->until_mono_ms = at_mono_ms;
}

static int
timeout_ms(const struct ryde_waits *w)
{
	int64_t left;

	if (w->until_mono_ms == RYDE_WAITS_FOREVER)
		return -1;
	left = w->until_mono_ms - ryde_clock_mono_ms();
	return left <= 0 ? 0 : left > INT_MAX / 2 ? INT_MAX / 2 : (int)left;
}

int
ryde_waits_poll(struct ryde_waits *w, struct ryde_err *err)
{
	int rc;

	if (w->poll != NULL)
		rc = w->poll(w->poll_arg, w->fds, w->n, timeout_ms(w));
	else
		rc = poll(w->fds, (nfds_t)w->n, timeout_ms(w));
	if (rc < 0) {
		if (errno != EINTR && errno != EAGAIN)
			return ryde_err_sys(err, RYDE_EOSERR, "poll");
		for (int i = 0; i < w->n; i++)
			w->fds[i].revents = 0;
	}
	if (ryde_waits_ready(w, ryde_signals_fd()) != 0)
		ryde_signals_drain();
	return 0;
}

short
ryde_waits_ready(const struct ryde_waits *w, int fd)
{
	for (int i = 0; i < w->n; i++)
		if (w->fds[i].fd == fd)
			return w->fds[i].revents;
	return 0;
}
