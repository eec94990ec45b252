#include "flow/pace.h"

#include "flow/backoff.h"

#define THROTTLED_MS 1000
#define GAP_MOST_MS 2000
#define RETRY_MS 100
#define RETRY_MOST_MS 20000

void
ryde_pace_begin(struct ryde_pace *p, int64_t now_ms)
{
	p->due_ms = now_ms;
	p->failures = 0;
}

void
ryde_pace_asked(struct ryde_pace *p, int64_t now_ms)
{
	p->asked_ms = now_ms;
}

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void
ryde_pace_got(struct ryde_pace *p, size_t n, size_t bytes, bool tip)
{
	int64_t wait_ms = !tip	  ? RYDE_PACE_BEHIND_MS
			  : n > 0 ? RYDE_PACE_FLOWING_MS
				  : RYDE_PACE_IDLE_MS;

	p->failures = 0;
	/* bytes are counted where the service counts them: not every server does */
	if (p->gap_ms > 0) {
		wait_ms = longer(wait_ms, p->gap_ms);
		wait_ms = longer(wait_ms, (int64_t)(bytes / RYDE_PACE_BYTES_PER_MS));
		p->gap_ms = longer(RYDE_PACE_BEHIND_MS, p->gap_ms - p->gap_ms / 32);
	}
	p->due_ms = p->asked_ms + wait_ms;
}

void
ryde_pace_worked(struct ryde_pace *p, int64_t now_ms)
{
	p->failures = 0;
	p->due_ms = now_ms;
}

void
ryde_pace_failed(struct ryde_pace *p, int64_t now_ms, int64_t base_ms, double unit)
{
	p->failures++;
	p->due_ms = now_ms + base_ms +
		    ryde_backoff_delay_ms(RETRY_MS, RETRY_MOST_MS, p->failures, unit);
}

void
ryde_pace_throttled(struct ryde_pace *p, int64_t now_ms, double unit)
{
	p->gap_ms = longer(RYDE_PACE_BEHIND_MS, p->gap_ms) * 5 / 4;
	if (p->gap_ms > GAP_MOST_MS)
		p->gap_ms = GAP_MOST_MS;
	/* no longer and longer: else the reader that asks first would have it all */
	p->failures++;
	p->due_ms = now_ms + THROTTLED_MS + (int64_t)(unit * (double)p->gap_ms);
}
