#include "engine/process_tumble.h"

#include "base/err.h"
#include "base/waits.h"

#include <stdlib.h>

void
ryde_process_tumble_init(struct ryde_process_tumble *t, int64_t size_ms)
{
	*t = (struct ryde_process_tumble){.size_ms = size_ms, .later_ms = INT64_MIN};
	ryde_buf_init(&t->state, RYDE_PROCESS_TUMBLE_STATE_MAX);
}

void
ryde_process_tumble_free(struct ryde_process_tumble *t)
{
	ryde_buf_free(&t->state);
	free(t->tickets);
	t->tickets = NULL;
	t->n = t->cap = 0;
}

/* Windows are aligned to the epoch; a rest is never negative, so that the time before it
 * rounds down too. */
static int64_t
start_of(int64_t at_ms, int64_t size_ms)
{
	int64_t rest = at_ms % size_ms;

	return at_ms - (rest < 0 ? rest + size_ms : rest);
}

static int
no_state(struct ryde_process_tumble *t, struct ryde_err *err)
{
	ryde_buf_clear(&t->state);
	ryde_buf_puts(&t->state, "{}");
	return ryde_buf_check(&t->state, err);
}

int
ryde_process_tumble_open(
    struct ryde_process_tumble *t, int64_t at_ms, struct ryde_err *err)
{
	t->open = true;
	t->start_ms = start_of(at_ms, t->size_ms);
	return no_state(t, err);
}

int64_t
ryde_process_tumble_end_ms(const struct ryde_process_tumble *t)
{
	return t->start_ms + t->size_ms;
}

int
ryde_process_tumble_keep(
    struct ryde_process_tumble *t, uint64_t ticket, bool failed, struct ryde_err *err)
{
	uint64_t *more;

	if (ticket != 0) {
		if (t->n == t->cap) {
			t->cap = t->cap > 0 ? t->cap * 2 : 256;
			more = realloc(t->tickets, t->cap * sizeof *more);
			if (more == NULL) {
				t->cap = t->n;
				return ryde_err_nomem(err);
			}
			t->tickets = more;
		}
		t->tickets[t->n++] = ticket;
	}
	if (failed)
		t->failed++;
	else
		t->handled++;
	if (t->handled + t->failed >= RYDE_PROCESS_TUMBLE_RECORDS)
		t->closing = RYDE_PROCESS_TUMBLE_EARLY;
	return 0;
}

int
ryde_process_tumble_state(
    struct ryde_process_tumble *t, struct ryde_view state, struct ryde_err *err)
{
	if (state.n > RYDE_PROCESS_TUMBLE_STATE_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "its state of %zu bytes is longer than %zu", state.n,
		    RYDE_PROCESS_TUMBLE_STATE_MAX);
	ryde_buf_clear(&t->state);
	ryde_buf_view(&t->state, state);
	if (state.n > RYDE_PROCESS_TUMBLE_STATE)
		t->closing = RYDE_PROCESS_TUMBLE_EARLY;
	return ryde_buf_check(&t->state, err);
}

struct ryde_process_event_window
ryde_process_tumble_window(const struct ryde_process_tumble *t)
{
	return (struct ryde_process_event_window){
	    .start_ms = t->start_ms,
	    .end_ms = ryde_process_tumble_end_ms(t),
	    .state = ryde_buf_as_view(&t->state),
	    .final = t->closing == RYDE_PROCESS_TUMBLE_FINAL,
	    .early = t->closing == RYDE_PROCESS_TUMBLE_EARLY,
	};
}

void
ryde_process_tumble_closed(struct ryde_process_tumble *t)
{
	if (t->closing == RYDE_PROCESS_TUMBLE_FINAL)
		t->open = false;
	t->closing = RYDE_PROCESS_TUMBLE_NO;
	t->n = 0;
	t->handled = t->failed = 0;
	/* Two bytes fit into what held the state before. */
	(void)no_state(t, NULL);
}

bool
ryde_process_tumble_over(const struct ryde_process_tumble *t, int64_t data_now_ms,
    int64_t now_mono_ms, int64_t *until_mono_ms)
{
	int64_t end_ms = ryde_process_tumble_end_ms(t);

	*until_mono_ms = RYDE_WAITS_FOREVER;
	if (t->later_ms >= end_ms)
		return true;
	if (t->marked)
		return false;
	*until_mono_ms = now_mono_ms;
	if (!t->own_time)
		*until_mono_ms = t->heard_mono_ms + RYDE_PROCESS_TUMBLE_IDLE_MS;
	if (data_now_ms < end_ms && *until_mono_ms < now_mono_ms + end_ms - data_now_ms)
		*until_mono_ms = now_mono_ms + end_ms - data_now_ms;
	return *until_mono_ms <= now_mono_ms;
}
