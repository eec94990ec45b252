/* The events of a lane: the one that its handler is given, and the one after that, which
 * is made while the handler works. */
#include "base/err.h"
#include "engine/process.h"
#include "engine/process_event.h"
#include "engine/process_lane.h"

#include <stdlib.h>

static void
put_event(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c,
    size_t from, size_t n, struct ryde_buf *out)
{
	const struct ryde_process_event_source source = {l->stream, l->shard, c->region};
	struct ryde_process_event_window window = ryde_process_tumble_window(&l->tumble);

	ryde_buf_clear(out);
	ryde_process_event_put(
	    out, &source, &l->batch, from, n, l->tumble.open ? &window : NULL);
	ryde_buf_putc(out, '\n');
}

/* Takes what was made ahead, if that is the event of the next part; else it is of no use
 * any more. */
static bool
take_ahead(struct ryde_process_lane *l)
{
	size_t n = ryde_process_lane_size(l);
	struct ryde_buf spare = l->event;
	bool is = n > 0 && l->ahead_n == n &&
		  ryde_process_batch_at(&l->batch, 0)->order == l->ahead_order;

	l->ahead_n = 0;
	if (is) {
		l->event = l->ahead;
		l->ahead = spare;
	}
	return is;
}

int
ryde_process_lane_event(struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, int *n_input, struct ryde_err *err)
{
	if (l->input_cap == 0) {
		l->input = malloc(sizeof *l->input);
		if (l->input == NULL)
			return ryde_err_nomem(err);
		l->input_cap = 1;
	}
	if (!take_ahead(l))
		put_event(l, c, 0, ryde_process_lane_size(l), &l->event);
	if (ryde_buf_check(&l->event, err) != 0)
		return -1;
	*l->input = (struct iovec){l->event.p, l->event.n};
	*n_input = 1;
	return 0;
}

void
ryde_process_lane_event_ahead(
    struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	size_t from = ryde_process_batch_total(&l->batch), n;
	bool whole;

	/* A window's state is known when the call has ended. */
	if (c->settings->event != RYDE_PROCESS_EVENT_LAMBDA || l->ahead_n > 0 ||
	    l->tumble.size_ms > 0 || from >= l->batch.n)
		return;
	n = ryde_process_batch_measure(&l->batch, from, &c->limits, &whole);
	if (!whole)
		return;
	put_event(l, c, from, n, &l->ahead);
	if (l->ahead.failed) /* it is made again, and said, when its turn has come */
		return;
	l->ahead_n = n;
	l->ahead_order = ryde_process_batch_at(&l->batch, from)->order;
}
