/*
 * When to try again. Full jitter: the delay is uniform between zero and a ceiling that
 * doubles with each failure in a row, so that many clients of one service do not come
 * back together. Everything here is a pure function of its arguments: the caller brings
 * the time (a monotonic clock) and the random number.
 *
 * Source: "Exponential Backoff and Jitter", AWS Architecture Blog; botocore's standard
 * retry mode (the budget).
 */
#ifndef RYDE_FLOW_BACKOFF_H
#define RYDE_FLOW_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The delay after the attempt-th failure in a row (from 1): unit * min(cap_ms, base_ms *
 * 2^(attempt - 1)), rounded down. unit is in [0, 1).
 */
int64_t ryde_backoff_delay_ms(
    int64_t base_ms, int64_t cap_ms, unsigned attempt, double unit);

/* One thing that is tried until it works. */
struct ryde_backoff {
	int64_t base_ms, cap_ms;
	int64_t retry_for_ms;  /* give up when it has failed for this long; 0: never */
	unsigned failures;     /* in a row */
	int64_t since_mono_ms; /* when the first of them came */
};

void ryde_backoff_init(
    struct ryde_backoff *b, int64_t base_ms, int64_t cap_ms, int64_t retry_for_ms);
/*
 * It failed. True with *delay_ms until the next try, cut so that the last try is made
 * when retry_for_ms is over; false when that time has passed: give up.
 */
bool ryde_backoff_failed(
    struct ryde_backoff *b, int64_t now_mono_ms, double unit, int64_t *delay_ms);
/* It worked: the next failure is the first one again. */
void ryde_backoff_worked(struct ryde_backoff *b);

/*
 * A retry budget: what all calls to one service share. Each retry takes tokens, each
 * success gives some back. While the budget is empty a call is not tried again at its own
 * pace, but at the cap's (or not at all, as the caller decides): most of the service's
 * calls fail, and more of them would not help it.
 */
struct ryde_backoff_budget {
	unsigned tokens, full;
};

#define RYDE_BACKOFF_BUDGET 500	     /* tokens of a full budget */
#define RYDE_BACKOFF_COST 5	     /* of a retry */
#define RYDE_BACKOFF_COST_TIMEOUT 10 /* of a retry after a time-out */

void ryde_backoff_budget_init(struct ryde_backoff_budget *b, unsigned full);
/* Takes cost tokens; false, with nothing taken, where there are fewer. */
bool ryde_backoff_budget_take(struct ryde_backoff_budget *b, unsigned cost);
/* Gives tokens back, up to the full budget: what the call's last retry took, or 1 where
 * there was none. */
void ryde_backoff_budget_give(struct ryde_backoff_budget *b, unsigned tokens);

#endif
