#include "flow/backoff.h"

int64_t
ryde_backoff_delay_ms(int64_t base_ms, int64_t cap_ms, unsigned attempt, double unit)
{
	int64_t ceiling_ms = base_ms < cap_ms ? base_ms : cap_ms;

	for (unsigned i = 1; i < attempt && ceiling_ms < cap_ms && ceiling_ms > 0; i++)
		ceiling_ms = ceiling_ms > cap_ms / 2 ? cap_ms : ceiling_ms * 2;
	if (ceiling_ms <= 0)
		return 0;
	/* A double holds every ceiling below 2^53 ms; rounding down keeps below it. */
	return (int64_t)(unit * (double)ceiling_ms);
}

void
ryde_backoff_init(
    struct ryde_backoff *b, int64_t base_ms, int64_t cap_ms, int64_t retry_for_ms)
{
	*b = (struct ryde_backoff){
	    .base_ms = base_ms, .cap_ms = cap_ms, .retry_for_ms = retry_for_ms};
}

bool
ryde_backoff_failed(
    struct ryde_backoff *b, int64_t now_mono_ms, double unit, int64_t *delay_ms)
{
	int64_t left_ms;

	if (b->failures == 0)
		b->since_mono_ms = now_mono_ms;
	if (b->failures < UINT32_MAX)
		b->failures++;
	*delay_ms = ryde_backoff_delay_ms(b->base_ms, b->cap_ms, b->failures, unit);
	if (b->retry_for_ms == 0)
		return true;
	left_ms = b->retry_for_ms - (now_mono_ms - b->since_mono_ms);
	if (left_ms <= 0)
		return false;
	if (*delay_ms > left_ms)
		*delay_ms = left_ms;
	return true;
}

void
ryde_backoff_worked(struct ryde_backoff *b)
{
	b->failures = 0;
}

void
ryde_backoff_budget_init(struct ryde_backoff_budget *b, unsigned full)
{
	b->tokens = full;
	b->full = full;
}

bool
ryde_backoff_budget_take(struct ryde_backoff_budget *b, unsigned cost)
{
	if (b->tokens < cost)
		return false;
	b->tokens -= cost;
	return true;
}

void
ryde_backoff_budget_give(struct ryde_backoff_budget *b, unsigned tokens)
{
	b->tokens = tokens > b->full - b->tokens ? b->full : b->tokens + tokens;
}
