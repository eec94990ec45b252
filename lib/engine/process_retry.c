#include "engine/process_retry.h"

#include "flow/backoff.h"

static struct ryde_process_retry
again(const struct ryde_process_retry_rules *rules, unsigned calls, double unit)
{
	return (struct ryde_process_retry){RYDE_PROCESS_RETRY_DELAY,
	    ryde_backoff_delay_ms(rules->base_ms, rules->cap_ms, calls, unit)};
}

struct ryde_process_retry
ryde_process_retry_decide(const struct ryde_process_retry_rules *rules,
    enum ryde_process_retry_outcome outcome, unsigned calls, size_t records, double unit)
{
	switch (outcome) {
	case RYDE_PROCESS_RETRY_OK:
		return (struct ryde_process_retry){RYDE_PROCESS_RETRY_ADVANCE, 0};
	case RYDE_PROCESS_RETRY_NOT_RUN:
		return again(rules, calls + 1, unit);
	case RYDE_PROCESS_RETRY_FAILED:
		break;
	}
	if (rules->bisect && records > 1)
		return (struct ryde_process_retry){RYDE_PROCESS_RETRY_BISECT, 0};
	if (rules->retries >= 0 && calls > (uint64_t)rules->retries)
		return (struct ryde_process_retry){RYDE_PROCESS_RETRY_DISCARD, 0};
	return again(rules, calls, unit);
}

bool
ryde_process_retry_expired(
    const struct ryde_process_retry_rules *rules, int64_t arrival_ms, int64_t now_ms)
{
	return rules->max_age_ms >= 0 && now_ms > arrival_ms &&
	       now_ms - arrival_ms > rules->max_age_ms;
}
