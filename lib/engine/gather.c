#include "engine/gather.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/waits.h"
#include "flow/backoff.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "line/reader.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct state {
	struct ryde_gather *g;
	uint64_t *tickets;
	size_t n, cap, bytes;
	int64_t linger_until_ms;
	int64_t rate_from_us; /* when the present second of --rate began */
	int64_t rate_used;
	struct ryde_random random;
};

static int
remember(struct state *s, uint64_t ticket, size_t bytes, struct ryde_err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 512 : s->cap * 2;
		uint64_t *more = realloc(s->tickets, cap * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		s->tickets = more;
		s->cap = cap;
	}
	if (s->n == 0)
		s->linger_until_ms = ryde_clock_mono_ms() + s->g->linger_ms;
	s->tickets[s->n++] = ticket;
	s->bytes += bytes;
	return 0;
}

/* Waits, hearing the reader and signals; nothing is read meanwhile. */
static int
pause_until(struct state *s, int64_t at_mono_ms, struct ryde_err *err)
{
	while (ryde_clock_mono_ms() < at_mono_ms) {
		struct ryde_waits w = {0};

		ryde_waits_begin(&w);
		ryde_intake_wait_quietly(s->g->intake, &w);
		ryde_waits_until(&w, at_mono_ms);
		s->g->tick(s->g->arg, &w);
		if (ryde_waits_poll(&w, err) != 0 ||
		    ryde_intake_turn_quietly(s->g->intake, err) != 0)
			return -1;
	}
	return 0;
}

static bool
can_retry(const struct ryde_err *err)
{
	return err->code == RYDE_ETEMPFAIL || err->code == RYDE_EUNAVAILABLE;
}

/* Waits for what is under way, hearing the reader and signals. */
static int
await_some(struct state *s, struct ryde_err *err)
{
	struct ryde_waits w = {0};

	if (ryde_intake_late(s->g->intake))
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "told to stop, and what is under way has not come to its end within "
		    "--grace");
	ryde_waits_begin(&w);
	ryde_intake_wait_quietly(s->g->intake, &w);
	s->g->under_way(s->g->arg, &w);
	s->g->tick(s->g->arg, &w);
	if (ryde_waits_poll(&w, err) != 0)
		return -1;
	return ryde_intake_turn_quietly(s->g->intake, err);
}

/* Writes the batch, again and again while the fault may pass. */
static int
write_batch(struct state *s, struct ryde_err *err)
{
	int64_t began = ryde_clock_mono_ms(), delay, now;
	int left, least = INT_MAX;
	unsigned attempt = 0;

	for (;;) {
		struct ryde_err why = RYDE_ERR_INIT;

		left = s->g->flush(s->g->arg, &why);
		if (left == 0)
			return 0;
		now = ryde_clock_mono_ms();
		if (left > 0 && left < least) {
			least = left;
			began = now;
			attempt = 0;
		}
		if (left > 0) {
			if (await_some(s, err) != 0)
				return -1;
			continue;
		}
		if (!can_retry(&why) || ryde_signals_stop() > 0 ||
		    (s->g->retry_for_ms > 0 && now - began >= s->g->retry_for_ms)) {
			*err = why;
			/* given up, and worth another run */
			if (can_retry(&why))
				err->code = RYDE_ETEMPFAIL;
			return -1;
		}
		delay = ryde_backoff_delay_ms(
		    100, 20000, ++attempt, ryde_random_unit(&s->random));
		ryde_log(RYDE_LOG_WARNING, "%s; trying again", why.msg);
		if (pause_until(s, now + delay, err) != 0)
			return -1;
	}
}

/* What was written is done; what the service would not have is rejected. */
static int
settle(struct state *s, struct ryde_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		struct ryde_view payload = {NULL, 0};
		uint64_t number = 0;
		const char *why = s->g->refused != NULL
				      ? s->g->refused(s->g->arg, i, &number, &payload)
				      : NULL;

		if (why == NULL) {
			ryde_intake_done(s->g->intake, s->tickets[i]);
			s->g->books->handled++;
			s->g->books->out++;
		} else if (ryde_intake_reject_late(s->g->intake, number, s->tickets[i],
			       payload, why, err) != 0) {
			s->n -= i;
			memmove(s->tickets, s->tickets + i, s->n * sizeof(*s->tickets));
			return -1;
		}
	}
	s->n = s->bytes = 0;
	return ryde_intake_sync(s->g->intake, err);
}

static int
flush(struct state *s, struct ryde_err *err)
{
	if (s->n == 0)
		return 0;
	/* rejects first: nothing later is passed on before they are safe (rule 4) */
	if (ryde_intake_sync(s->g->intake, err) != 0 || write_batch(s, err) != 0)
		return -1;
	return settle(s, err);
}

/* --rate: a second's worth of lines, then a pause for the rest of the second. */
static int
pace(struct state *s, struct ryde_err *err)
{
	int64_t now;

	if (s->g->rate_per_s == 0)
		return 0;
	now = ryde_clock_mono_us();
	if (now - s->rate_from_us >= 1000000) {
		s->rate_from_us = now;
		s->rate_used = 0;
	}
	if (++s->rate_used < s->g->rate_per_s)
		return 0;
	if (flush(s, err) != 0)
		return -1;
	return pause_until(s, (s->rate_from_us + 1000000) / 1000 + 1, err);
}

static int
one(struct state *s, const struct ryde_item *item, struct ryde_err *err)
{
	size_t bytes = 0;
	int rc = s->g->add(s->g->arg, item, &bytes, err);

	if (rc <= 0)
		return rc;
	if (remember(s, item->ticket, bytes, err) != 0)
		return -1;
	if ((s->n >= s->g->batch_size || s->bytes >= s->g->batch_bytes) &&
	    flush(s, err) != 0)
		return -1;
	return pace(s, err);
}

/* Nothing whole is buffered: read on, or write what is gathered, or wait. */
static int
turn(struct state *s, struct ryde_err *err)
{
	struct ryde_waits w = {0};

	if (!ryde_reader_ready(ryde_intake_reader(s->g->intake))) {
		if (s->n > 0 && ryde_clock_mono_ms() >= s->linger_until_ms &&
		    flush(s, err) != 0)
			return -1;
		if (ryde_intake_turn_quietly(s->g->intake, err) != 0)
			return -1;
		ryde_waits_begin(&w);
		ryde_intake_wait(s->g->intake, &w);
		if (s->n > 0)
			ryde_waits_until(&w, s->linger_until_ms);
		s->g->tick(s->g->arg, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	} else {
		s->g->tick(s->g->arg, NULL);
	}
	return ryde_intake_turn(s->g->intake, err);
}

static int
run(struct state *s, struct ryde_err *err)
{
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(s->g->intake, &item, err)) {
		case RYDE_INTAKE_ITEM:
			if (one(s, &item, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_MARK:
			break;
		case RYDE_INTAKE_AGAIN:
			if (turn(s, err) != 0)
				return -1;
			break;
		case RYDE_INTAKE_END:
			return flush(s, err);
		case RYDE_INTAKE_FAILED:
			return -1;
		}
	}
}

int
ryde_gather(struct ryde_gather *g, struct ryde_err *err)
{
	struct state s = {.g = g, .rate_from_us = ryde_clock_mono_us()};
	struct ryde_err later = RYDE_ERR_INIT;
	int rc, status;

	ryde_random_seed(&s.random, (uint64_t)s.rate_from_us);
	rc = run(&s, err);
	g->books->pending += s.n;
	free(s.tickets);
	/* what is durable is acknowledged, however the run ended */
	if (ryde_intake_finish(g->intake, &later) != 0 && rc == 0) {
		*err = later;
		rc = -1;
	}
	status = ryde_intake_status(g->intake);
	return rc != 0 ? ryde_err_status(err) : status;
}
