/* The calls of a lane: what the handler is given, and what its end means. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/process.h"
#include "engine/process_child.h"
#include "engine/process_emit.h"
#include "engine/process_event.h"
#include "engine/process_invoke.h"
#include "engine/process_lane.h"
#include "engine/process_pool.h"
#include "engine/process_response.h"
#include "flow/books.h"
#include "flow/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_MS 250 /* a stop that is for us, too, has come by then */

/* What a call that has ended did. */
struct verdict {
	size_t done;		/* records at the front */
	bool ok;		/* all of them, or the closing call */
	bool answered;		/* the handler did not fail, its response says so */
	struct ryde_view state; /* of the window, a slice of the response */
	char what[160];
};

/* How many records at the front of the next part are too old. */
static size_t
expired(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	size_t n = ryde_process_lane_size(l), i;
	int64_t now_ms;

	if (c->rules.max_age_ms < 0)
		return 0;
	now_ms = ryde_clock_data_ms();
	for (i = 0; i < n; i++) {
		const struct ryde_process_batch_record *r =
		    ryde_process_batch_at(&l->batch, i);

		if (!r->has_arrival ||
		    !ryde_process_retry_expired(&c->rules, r->arrival_ms, now_ms))
			break;
	}
	return i;
}

/* As events have it; empty where the line had none. */
static struct ryde_view
sequence_of(const struct ryde_process_batch_record *r, char *to)
{
	return r->seq.n > 0 ? ryde_process_event_sequence(r, to) : ryde_view_mem(NULL, 0);
}

/* The environment of a call behind the common one, as strings in b. */
static int
put_environment(const struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    struct ryde_buf *b, struct ryde_err *err)
{
	size_t n = ryde_process_lane_size(l), at[6];
	struct ryde_view first = {NULL, 0}, last = {NULL, 0};
	char first_text[RYDE_PROCESS_EVENT_NUMBER], last_text[RYDE_PROCESS_EVENT_NUMBER];

	if (n > 0) {
		first = sequence_of(ryde_process_batch_at(&l->batch, 0), first_text);
		last = sequence_of(ryde_process_batch_at(&l->batch, n - 1), last_text);
	}
	ryde_buf_init(b, (size_t)16 << 20);
	at[0] = b->n;
	ryde_buf_printf(b, "RYDE_STREAM=%s%c", l->stream, 0);
	at[1] = b->n;
	ryde_buf_printf(b, "RYDE_SHARD_ID=%s%c", l->shard, 0);
	at[2] = b->n;
	ryde_buf_printf(b, "RYDE_BATCH_SIZE=%zu%c", n, 0);
	at[3] = b->n;
	ryde_buf_printf(b, "RYDE_ATTEMPT=%u%c", l->calls + 1, 0);
	at[4] = b->n;
	ryde_buf_puts(b, "RYDE_FIRST_SEQUENCE=");
	ryde_buf_view(b, first);
	ryde_buf_putc(b, '\0');
	at[5] = b->n;
	ryde_buf_puts(b, "RYDE_LAST_SEQUENCE=");
	ryde_buf_view(b, last);
	ryde_buf_putc(b, '\0');
	if (ryde_buf_check(b, err) != 0)
		return -1;
	for (size_t i = 0; i < 6; i++)
		c->envp[c->n_env + i] = b->p + at[i];
	c->envp[c->n_env + 6] = NULL;
	return 0;
}

static int
start_call(
    struct ryde_process_lane *l, struct ryde_process_lane_common *c, struct ryde_err *err)
{
	struct ryde_process_call_task task = {
	    .path = c->path,
	    .argv = c->settings->argv,
	    .envp = c->envp,
	    .capture = c->capture,
	    .timeout_ms = c->settings->timeout_ms,
	    .id = l->id,
	};
	struct ryde_buf env;
	int r;

	if (ryde_process_call_id(l->id, err) != 0)
		return -1;
	if (c->settings->event == RYDE_PROCESS_EVENT_LAMBDA)
		r = ryde_process_lane_event(l, c, &task.n_input, err);
	else
		r = ryde_process_batch_input(
		    &l->batch, &l->input, &l->input_cap, &task.n_input, err);
	if (r != 0)
		return -1;
	task.input = l->input;
	if (c->pool != NULL) {
		l->call = ryde_process_pool_call(c->pool, &task, err);
		return l->call != NULL ? 0 : -1;
	}
	if (c->invoke != NULL) {
		l->call = ryde_process_invoke_start(c->invoke, &task, err);
		return l->call != NULL ? 0 : -1;
	}
	r = -1;
	if (put_environment(l, c, &env, err) == 0) {
		l->call = ryde_process_child_start(&task, err);
		r = l->call != NULL ? 0 : -1;
	}
	ryde_buf_free(&env);
	return r;
}

/* It could not be started for now: that is not the command's failure. */
static void
not_started(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, const char *what)
{
	struct ryde_process_retry next = ryde_process_retry_decide(&c->rules,
	    RYDE_PROCESS_RETRY_NOT_RUN, l->calls, 1, ryde_random_unit(&c->random));

	ryde_log(
	    RYDE_LOG_WARNING, "%s; again in %lld ms", what, (long long)next.delay_ms);
	l->phase = RYDE_PROCESS_LANE_DELAYED;
	l->until_ms = now_ms + next.delay_ms;
}

/* Records that no call can be made for: true where the first ones are now discarded. */
static bool
cut_off(struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	size_t old = expired(l, c);

	if (old > 0) {
		l->answer = RYDE_PROCESS_FAIL_NO_RESPONSE;
		ryde_process_lane_discard(
		    l, c, old, RYDE_PROCESS_FAIL_EXPIRED, "older than --max-age");
		return true;
	}
	if (ryde_process_lane_size(l) != 1 ||
	    ryde_process_batch_at(&l->batch, 0)->weight <= c->record_max)
		return false;
	l->answer = RYDE_PROCESS_FAIL_NO_RESPONSE;
	ryde_process_lane_discard(l, c, 1, RYDE_PROCESS_FAIL_EXHAUSTED,
	    "its event would be larger than 6 MiB and --batch-bytes");
	return true;
}

static void
count_call(const struct ryde_process_lane *l, struct ryde_process_lane_common *c)
{
	size_t n = ryde_process_lane_size(l);
	const struct ryde_process_batch_record *last;
	int64_t age_ms;

	ryde_books_extra(c->books, "Invocations", 1);
	ryde_books_extra(c->books, "InvokedEventCount", n);
	last = n > 0 ? ryde_process_batch_at(&l->batch, n - 1) : NULL;
	if (last == NULL || !last->has_arrival)
		return;
	age_ms = ryde_clock_data_ms() - last->arrival_ms;
	ryde_books_extra_set(c->books, "IteratorAge", age_ms > 0 ? (uint64_t)age_ms : 0);
}

/* The beginning of a call, as CloudWatch has it. */
static void
say_start(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	ryde_log(
	    c->settings->report_level, "START RequestId: %s Version: $LATEST", l->id);
}

int
ryde_process_lane_ready(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, struct ryde_err *err)
{
	struct ryde_err failure = RYDE_ERR_INIT;

	if (c->stopping || c->children >= RYDE_PROCESS_CHILDREN_MAX ||
	    ryde_process_lane_barred(l))
		return 0;
	if (l->tumble.closing == RYDE_PROCESS_TUMBLE_NO && cut_off(l, c))
		return 1;
	if (start_call(l, c, &failure) != 0) {
		if (failure.code == RYDE_ETEMPFAIL || failure.code == RYDE_EOSERR ||
		    failure.code == RYDE_EUNAVAILABLE) {
			not_started(l, c, now_ms, failure.msg);
			return 0;
		}
		*err = failure;
		return -1;
	}
	say_start(l, c);
	l->calls++;
	c->children++;
	count_call(l, c);
	l->phase = RYDE_PROCESS_LANE_RUNNING;
	return 0;
}

/* The end of a call. */

static void
say_lingering(struct ryde_process_lane_common *c)
{
	if (!c->said_lingering)
		ryde_log(RYDE_LOG_WARNING,
		    "%s left something running that holds its stdout open: what it "
		    "prints "
		    "from now on is not taken",
		    c->function);
	c->said_lingering = true;
}

/* The end of a call, as CloudWatch has it. */
static void
report(const struct ryde_process_lane *l, const struct ryde_process_lane_common *c,
    const struct verdict *v)
{
	char records[RYDE_PROCESS_LANE_TEXT];

	if (!ryde_log_on(c->settings->report_level))
		return;
	ryde_process_lane_describe(l, ryde_process_lane_size(l), records, sizeof records);
	ryde_log(c->settings->report_level, "END RequestId: %s", l->id);
	ryde_log(c->settings->report_level,
	    "REPORT RequestId: %s Duration: %lld ms Batch Size: %zu Attempt: %u Status: "
	    "%s (%s)",
	    l->id, (long long)(l->call->ended_ms - l->call->started_ms),
	    ryde_process_lane_size(l), l->calls,
	    v->ok	       ? "success"
	    : l->call->stopped ? "stopped"
			       : v->what,
	    records);
}

/* What the response says, where it is asked for. */
static void
hear_response(struct ryde_process_lane *l, const struct ryde_process_lane_common *c,
    struct ryde_view output, struct verdict *v)
{
	struct ryde_process_response response;

	ryde_process_response_read(
	    &response, output, &l->batch, v->done, c->settings->partial, l->tumble.open);
	v->answered = true;
	v->state = response.state;
	v->ok = response.what[0] == '\0';
	v->done = response.done;
	snprintf(v->what, sizeof v->what, "%s", response.what);
	if (v->state.n > RYDE_PROCESS_TUMBLE_STATE_MAX) {
		v->ok = false;
		v->done = 0;
		snprintf(v->what, sizeof v->what,
		    "its state of %zu bytes is longer than %zu", v->state.n,
		    RYDE_PROCESS_TUMBLE_STATE_MAX);
	}
}

static void
judge(struct ryde_process_lane *l, struct ryde_process_lane_common *c, struct verdict *v)
{
	struct ryde_err garbage = RYDE_ERR_INIT;
	struct ryde_view output;

	*v = (struct verdict){.ok = l->call->succeeded,
	    .done = l->call->succeeded ? ryde_process_lane_size(l) : 0};
	snprintf(v->what, sizeof v->what, "%s", l->call->what);
	if (!v->ok || !c->capture)
		return;
	if (l->call->ops->output(l->call, &output, &garbage) != 0 ||
	    (c->out != NULL && ryde_process_emit_check(output, &garbage) != 0)) {
		v->ok = false;
		v->done = 0;
		snprintf(v->what, sizeof v->what, "%.150s", garbage.msg);
		return;
	}
	if (c->response)
		hear_response(l, c, output, v);
}

static void
delay(struct ryde_process_lane *l, int64_t until_ms)
{
	l->phase = RYDE_PROCESS_LANE_DELAYED;
	l->until_ms = until_ms;
}

/* None of the next part is done. */
static void
call_failed(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, const struct verdict *v)
{
	bool closing = l->tumble.closing != RYDE_PROCESS_TUMBLE_NO;
	size_t n = ryde_process_lane_size(l);
	/* A window that cannot be closed stalls its shard until it can. */
	struct ryde_process_retry next = ryde_process_retry_decide(&c->rules,
	    closing ? RYDE_PROCESS_RETRY_NOT_RUN : RYDE_PROCESS_RETRY_FAILED, l->calls, n,
	    ryde_random_unit(&c->random));
	char records[RYDE_PROCESS_LANE_TEXT], then[64] = "";

	if (!v->answered)
		ryde_books_extra(c->books, "Errors", 1);
	ryde_books_extra(c->books, "FailedInvokeEventCount", n);
	ryde_process_lane_describe(l, n, records, sizeof records);
	if (next.what == RYDE_PROCESS_RETRY_DELAY)
		snprintf(
		    then, sizeof then, "; again in %lld ms", (long long)next.delay_ms);
	else if (next.what == RYDE_PROCESS_RETRY_BISECT)
		snprintf(then, sizeof then, "; cut in two");
	ryde_log(
	    RYDE_LOG_WARNING, "%s, attempt %u: %s%s", records, l->calls, v->what, then);
	l->answer =
	    v->answered ? RYDE_PROCESS_FAIL_ANSWERED : RYDE_PROCESS_FAIL_UNHANDLED;
	switch (next.what) {
	case RYDE_PROCESS_RETRY_BISECT:
		ryde_process_batch_bisect(&l->batch);
		l->calls = 0;
		l->phase = RYDE_PROCESS_LANE_READY;
		break;
	case RYDE_PROCESS_RETRY_DISCARD:
		ryde_process_lane_discard(l, c, n, RYDE_PROCESS_FAIL_EXHAUSTED, v->what);
		break;
	case RYDE_PROCESS_RETRY_DELAY:
	case RYDE_PROCESS_RETRY_ADVANCE:
		delay(l, now_ms + next.delay_ms);
		break;
	}
}

/* The checkpoint moves to the first record that failed; the rest is a batch of its own,
 * with a count of its own. */
static int
call_failed_in_part(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, size_t n, const struct verdict *v, struct ryde_err *err)
{
	char records[RYDE_PROCESS_LANE_TEXT];
	int64_t delay_ms;

	delay_ms = ryde_backoff_delay_ms(
	    c->rules.base_ms, c->rules.cap_ms, 1, ryde_random_unit(&c->random));
	ryde_process_lane_describe(l, n, records, sizeof records);
	ryde_log(RYDE_LOG_WARNING, "%s, attempt %u: %s; from there again in %lld ms",
	    records, l->calls, v->what, (long long)delay_ms);
	ryde_books_extra(c->books, "FailedInvokeEventCount", n - v->done);
	l->answer = RYDE_PROCESS_FAIL_ANSWERED;
	if (ryde_process_lane_release(l, c, v->done, false, err) != 0)
		return -1;
	delay(l, now_ms + delay_ms);
	return 1;
}

static int
call_worked(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, size_t n, struct ryde_err *err)
{
	if (ryde_process_lane_release(l, c, n, false, err) != 0)
		return -1;
	ryde_process_lane_next_part(l, now_ms);
	return 1;
}

static void
end_call(struct ryde_process_lane *l)
{
	l->call->ops->free(l->call);
	l->call = NULL;
}

/* All that is left to do for a call whose output is not printed. */
static int
settle(struct ryde_process_lane *l, struct ryde_process_lane_common *c, int64_t now_ms,
    const struct verdict *v, struct ryde_err *err)
{
	bool closing = l->tumble.closing != RYDE_PROCESS_TUMBLE_NO;
	size_t n = ryde_process_lane_size(l);

	/* The state is what the checkpoint stands for: both move, or none. */
	if (!closing && l->tumble.open && v->done > 0 &&
	    ryde_process_tumble_state(&l->tumble, v->state, err) != 0)
		return -1;
	if (v->ok && closing) {
		ryde_process_lane_closed(l, c, now_ms);
		return 1;
	}
	if (!v->ok && v->done == 0) {
		call_failed(l, c, now_ms, v);
		return 1;
	}
	if (!v->ok)
		return call_failed_in_part(l, c, now_ms, n, v, err);
	return call_worked(l, c, now_ms, n, err);
}

/* Throttled, or the service is down: the call has not been one. */
static int
not_reached(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, struct ryde_err *err)
{
	if (l->call->unreached.code != RYDE_EUNAVAILABLE) {
		*err = l->call->unreached;
		end_call(l);
		l->phase = RYDE_PROCESS_LANE_READY;
		return -1;
	}
	ryde_books_extra(c->books, "Throttles", 1);
	not_started(l, c, now_ms, l->call->unreached.msg);
	l->calls--;
	end_call(l);
	return 1;
}

/*
 * Who stops us may tell the command, too, and before us: systemd signals each process of
 * a unit. A command that was told to end is judged a moment later, and what was under way
 * when we were told has not failed.
 */
static bool
is_early(struct ryde_process_lane *l, int64_t now_ms)
{
	if (!l->call->told || l->call->stopped || ryde_signals_stop() > 0)
		return false;
	if (l->judge_ms == 0)
		l->judge_ms = now_ms + TOLD_MS;
	return now_ms < l->judge_ms;
}

static bool
was_interrupted(
    const struct ryde_process_lane *l, const struct ryde_process_lane_common *c)
{
	return !l->call->succeeded && !l->call->stopped &&
	       l->call->unreached.code == RYDE_OK && ryde_signals_stop() > 0 &&
	       (c->told_ms == 0 || l->call->started_ms <= c->told_ms);
}

int
ryde_process_lane_running(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    int64_t now_ms, struct ryde_err *err)
{
	struct verdict v;
	int r;

	if (l->judge_ms == 0 && !l->call->ops->turn(l->call, now_ms)) {
		if (l->call->given)
			ryde_process_lane_event_ahead(l, c);
		return 0;
	}
	if (is_early(l, now_ms))
		return 0;
	l->judge_ms = 0;
	if (was_interrupted(l, c)) {
		l->call->stopped = true;
		l->calls--;
	}
	c->children--;
	ryde_books_extra(
	    c->books, "Duration", (uint64_t)(l->call->ended_ms - l->call->started_ms));
	if (l->call->lingered)
		say_lingering(c);
	judge(l, c, &v);
	report(l, c, &v);
	if (l->call->stopped) {
		l->phase = RYDE_PROCESS_LANE_READY; /* we ended it: nobody failed */
		end_call(l);
		return 1;
	}
	if (l->call->unreached.code != RYDE_OK)
		return not_reached(l, c, now_ms, err);
	if (v.ok && c->out != NULL) {
		l->phase = RYDE_PROCESS_LANE_PRINTING;
		l->printed = 0;
		return ryde_intake_sync(c->in, err) == 0 ? 1 : -1;
	}
	r = settle(l, c, now_ms, &v, err);
	end_call(l);
	return r;
}

int
ryde_process_lane_printing(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_ms, struct ryde_err *err)
{
	size_t n = ryde_process_lane_size(l);
	struct ryde_line_head head;
	struct ryde_view output;
	int r;

	if (c->stopping)
		return 0;
	head = ryde_process_emit_head(
	    &l->batch, n, l->stream, l->shard, ryde_process_lane_ack(l, c));
	if (l->call->ops->output(l->call, &output, err) != 0)
		return -1;
	r = ryde_process_emit_print(
	    c->out, &head, output, &l->printed, &c->books->out, err);
	if (r != 1)
		return r;
	end_call(l);
	return call_worked(l, c, now_ms, n, err);
}
