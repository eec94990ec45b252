/* Full jitter and the retry budget. Source: flow/backoff.h. */
#include "check.h"
#include "flow/backoff.h"

static const struct {
	int64_t base_ms, cap_ms;
	unsigned attempt;
	double unit;
	int64_t want_ms;
} delays[] = {
    {1000, 60000, 1, 0.0, 0},
    {1000, 60000, 1, 0.5, 500},
    {1000, 60000, 1, 0.999999, 999},
    {1000, 60000, 2, 0.5, 1000},
    {1000, 60000, 6, 0.5, 16000},
    {1000, 60000, 7, 0.5, 30000}, /* 64 s, capped */
    {1000, 60000, 4000000000u, 0.5, 30000},
    {1000, 500, 1, 0.5, 250}, /* a cap below the base */
    {0, 60000, 9, 0.9, 0},
    {1, INT64_MAX / 4, 200, 0.0, 0}, /* no overflow on the way up */
    {1000, 60000, 0, 0.5, 500},
};

static void
test_delays(void)
{
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		int64_t got = ryde_backoff_delay_ms(delays[i].base_ms, delays[i].cap_ms,
		    delays[i].attempt, delays[i].unit);

		CHECK(got == delays[i].want_ms, "row %zu: %lld", i, (long long)got);
	}
}

static void
test_for_ever(void)
{
	struct ryde_backoff b;
	int64_t delay_ms = -1;

	ryde_backoff_init(&b, 100, 1000, 0);
	CHECK(ryde_backoff_failed(&b, 5, 0.5, &delay_ms) && delay_ms == 50, " ");
	CHECK(ryde_backoff_failed(&b, 10, 0.5, &delay_ms) && delay_ms == 100, " ");
	CHECK(ryde_backoff_failed(&b, INT64_MAX, 0.5, &delay_ms) && delay_ms == 200, " ");
	ryde_backoff_worked(&b);
	CHECK(ryde_backoff_failed(&b, 11, 0.5, &delay_ms) && delay_ms == 50, " ");
}

static void
test_retry_for(void)
{
	struct ryde_backoff b;
	int64_t delay_ms = -1;

	ryde_backoff_init(&b, 1000, 60000, 3000);
	CHECK(ryde_backoff_failed(&b, 100, 0.9, &delay_ms) && delay_ms == 900, " ");
	CHECK(ryde_backoff_failed(&b, 2000, 0.9, &delay_ms) && delay_ms == 1100,
	    "cut to what is left: %lld", (long long)delay_ms);
	CHECK(!ryde_backoff_failed(&b, 3100, 0.9, &delay_ms), " ");
	ryde_backoff_worked(&b);
	CHECK(ryde_backoff_failed(&b, 3200, 0.5, &delay_ms), " ");
}

static void
test_budget(void)
{
	struct ryde_backoff_budget b;

	ryde_backoff_budget_init(&b, 12);
	CHECK(ryde_backoff_budget_take(&b, 5), " ");
	CHECK(ryde_backoff_budget_take(&b, 5), " ");
	CHECK(!ryde_backoff_budget_take(&b, 5) && b.tokens == 2, " ");
	ryde_backoff_budget_give(&b, 5);
	CHECK(b.tokens == 7, " ");
	ryde_backoff_budget_give(&b, 4000000000u);
	CHECK(b.tokens == 12, "never more than full");
}

int
main(void)
{
	test_delays();
	test_for_ever();
	test_retry_for();
	test_budget();
	return check_end("flow_backoff");
}
