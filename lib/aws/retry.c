#include "aws/retry.h"

#include "flow/backoff.h"

#include <math.h>

#define BASE_MS 50
#define BASE_THROTTLED_MS 1000
#define COST 14
#define COST_THROTTLED 5
#define AFTER_MAX_MS \
	5000 /* x-amz-retry-after is believed up to this much over our own delay */

/* The codes of a bad signature say nothing of its cause; a clock that is minutes off
 * does. */
static bool
is_clock(const struct ryde_aws_fault *fault, int64_t skew_ms)
{
	if (skew_ms > -RYDE_AWS_SKEW_MS && skew_ms < RYDE_AWS_SKEW_MS)
		return false;
	return fault->kind == RYDE_AWS_SKEWED || fault->kind == RYDE_AWS_EXPIRED ||
	       fault->kind == RYDE_AWS_DENIED;
}

static int64_t
delay(const struct ryde_aws_tries *tries, const struct ryde_aws_fault *fault, double unit)
{
	bool throttled = fault->kind == RYDE_AWS_THROTTLED;
	int64_t own_ms = ryde_backoff_delay_ms(throttled ? BASE_THROTTLED_MS : BASE_MS,
	    RYDE_AWS_RETRY_CAP_MS, (unsigned)tries->made, unit);

	if (fault->retry_after_ms < own_ms)
		return own_ms;
	return fault->retry_after_ms > own_ms + AFTER_MAX_MS ? own_ms + AFTER_MAX_MS
							     : fault->retry_after_ms;
}

enum ryde_aws_verdict
ryde_aws_retry_decide(struct ryde_aws_tries *tries, const struct ryde_aws_fault *fault,
    int64_t skew_ms, struct ryde_backoff_budget *quota, double unit, int64_t *delay_ms)
{
	unsigned cost = fault->kind == RYDE_AWS_THROTTLED ? COST_THROTTLED : COST;

	*delay_ms = 0;
	if (tries->started)
		return RYDE_AWS_STOP;
	if (is_clock(fault, skew_ms) && !tries->clock_mended) {
		tries->clock_mended = true;
		return RYDE_AWS_AGAIN_CLOCK;
	}
	if (fault->kind == RYDE_AWS_EXPIRED && !tries->keys_renewed) {
		tries->keys_renewed = true;
		return RYDE_AWS_AGAIN_KEYS;
	}
	if (fault->kind != RYDE_AWS_THROTTLED && fault->kind != RYDE_AWS_TRANSIENT)
		return RYDE_AWS_STOP;
	if (tries->made >= tries->most || !ryde_backoff_budget_take(quota, cost))
		return RYDE_AWS_STOP;
	tries->paid = cost;
	*delay_ms = delay(tries, fault, unit);
	return RYDE_AWS_AGAIN;
}

void
ryde_aws_retry_worked(struct ryde_aws_tries *tries, struct ryde_backoff_budget *quota)
{
	ryde_backoff_budget_give(quota, tries->paid > 0 ? tries->paid : 1);
	tries->paid = 0;
}

/* ---- pacing ---- */

#define BETA 0.7
#define SCALE 0.4
#define RATE_MIN 0.5
#define BUCKET_MS 500
#define SMOOTH 0.8

static void
measure(struct ryde_aws_pace *p, int64_t now_mono_ms)
{
	int64_t bucket = now_mono_ms / BUCKET_MS;

	p->count++;
	if (p->bucket == 0)
		p->bucket = bucket;
	if (bucket <= p->bucket)
		return;
	p->measured = SMOOTH * ((double)p->count * 1000.0 / BUCKET_MS /
				   (double)(bucket - p->bucket)) +
		      (1 - SMOOTH) * p->measured;
	p->count = 0;
	p->bucket = bucket;
}

static void
fill(struct ryde_aws_pace *p, int64_t now_mono_ms)
{
	double more = (double)(now_mono_ms - p->filled_mono_ms) / 1000.0 * p->rate;

	p->filled_mono_ms = now_mono_ms;
	p->tokens = p->tokens + more > p->most ? p->most : p->tokens + more;
}

static void
set_rate(struct ryde_aws_pace *p, double rate, int64_t now_mono_ms)
{
	fill(p, now_mono_ms);
	p->rate = rate < RATE_MIN ? RATE_MIN : rate;
	p->most = p->rate < 1 ? 1 : p->rate;
	if (p->tokens > p->most)
		p->tokens = p->most;
}

int64_t
ryde_aws_pace_take(struct ryde_aws_pace *p, int64_t now_mono_ms)
{
	if (!p->on)
		return 0;
	fill(p, now_mono_ms);
	if (p->tokens >= 1) {
		p->tokens -= 1;
		return 0;
	}
	return (int64_t)ceil((1 - p->tokens) / p->rate * 1000.0);
}

void
ryde_aws_pace_update(struct ryde_aws_pace *p, bool throttled, int64_t now_mono_ms)
{
	double rate, since_s;

	measure(p, now_mono_ms);
	if (throttled) {
		/* within the first half second nothing is measured yet */
		rate =
		    p->measured > 0 ? p->measured : (double)p->count * 1000.0 / BUCKET_MS;
		if (p->on && p->rate < rate)
			rate = p->rate;
		p->last_max = rate;
		p->window_s = cbrt(rate * (1 - BETA) / SCALE);
		p->throttled_mono_ms = now_mono_ms;
		if (!p->on)
			p->filled_mono_ms = now_mono_ms;
		p->on = true;
		set_rate(p, rate * BETA, now_mono_ms);
		return;
	}
	if (!p->on)
		return;
	since_s = (double)(now_mono_ms - p->throttled_mono_ms) / 1000.0 - p->window_s;
	rate = SCALE * since_s * since_s * since_s + p->last_max;
	set_rate(p, rate > 2 * p->measured ? 2 * p->measured : rate, now_mono_ms);
}
