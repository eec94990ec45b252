/* When a shard is asked again, and two readers of one shard. Source: flow/pace.h. */
#include "check.h"
#include "flow/pace.h"

static const struct {
	int64_t gap_ms;
	size_t n, bytes;
	bool tip;
	int64_t want_ms; /* from call to call */
} rows[] = {
    {0, 10, 1000, false, 200},
    {0, 10, 1000, true, 400},
    {0, 0, 0, true, 1000},
    {0, 0, 0, false, 200},		 /* nothing yet, and still behind */
    {0, 10000, 10000000, false, 200},	 /* a server without limits, for all we know */
    {200, 10000, 10000000, false, 5000}, /* 10 MB are five seconds' worth */
    {200, 10, 1000, false, 200},
    {700, 10, 1000, false, 700},
    {700, 10, 1000, true, 700},
    {700, 0, 0, true, 1000},
};

static void
test_got(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_pace p = {.gap_ms = rows[i].gap_ms, .failures = 3};

		ryde_pace_asked(&p, 50);
		ryde_pace_got(&p, rows[i].n, rows[i].bytes, rows[i].tip);
		CHECK(p.due_ms == 50 + rows[i].want_ms && p.failures == 0,
		    "row %zu: %lld", i, (long long)p.due_ms);
	}
}

static void
test_failures(void)
{
	struct ryde_pace p = {0};

	ryde_pace_begin(&p, 7);
	CHECK(p.due_ms == 7);
	ryde_pace_failed(&p, 10, 0, 0.5);
	CHECK(p.due_ms == 60 && p.failures == 1 && p.gap_ms == 0);
	ryde_pace_failed(&p, 100, 5000, 0.5);
	CHECK(p.due_ms == 5200 && p.failures == 2, "twice as long");
	ryde_pace_worked(&p, 300);
	CHECK(p.due_ms == 300 && p.failures == 0);
	ryde_pace_throttled(&p, 1000, 0.5);
	CHECK(p.due_ms == 2125 && p.gap_ms == 250);
	for (int i = 0; i < 40; i++)
		ryde_pace_throttled(&p, 1000, 0.5);
	CHECK(p.gap_ms == 2000, "never longer: %lld", (long long)p.gap_ms);
	for (int i = 0; i < 200; i++)
		ryde_pace_got(&p, 1, 1, false);
	CHECK(p.gap_ms >= 200 && p.gap_ms < 240, "what was learned wears off: %lld",
	    (long long)p.gap_ms);
	ryde_pace_begin(&p, 5);
	CHECK(p.gap_ms > 0 && p.due_ms == 5, "and stays when reading begins anew");
}

/* Readers of one shard that gives five calls a second to all of them, each behind: what
 * each gets of it in a minute, and how many calls are refused. */
static void
race(struct ryde_pace *readers, size_t n, unsigned *got, unsigned *refused)
{
	int64_t tokens = 5000;

	*refused = 0;
	for (int64_t now = 0; now < 60000; now++) {
		tokens = tokens + 5 > 5000 ? 5000 : tokens + 5;
		for (size_t i = 0; i < n; i++) {
			if (now < readers[i].due_ms)
				continue;
			ryde_pace_asked(&readers[i], now);
			if (tokens < 1000) {
				++*refused;
				ryde_pace_throttled(&readers[i], now,
				    (double)((now * 7919 + (int64_t)i * 31) % 97) / 97);
				continue;
			}
			tokens -= 1000;
			got[i]++;
			ryde_pace_got(&readers[i], 100, 20000, false);
			/* the way there takes its time */
			readers[i].due_ms += (now * 104729 + (int64_t)i * 13) % 41;
		}
	}
}

static void
test_race(void)
{
	for (size_t n = 1; n <= 3; n++) {
		struct ryde_pace readers[3] = {0};
		unsigned got[3] = {0}, refused, sum = 0;

		race(readers, n, got, &refused);
		for (size_t i = 0; i < n; i++) {
			sum += got[i];
			CHECK(got[i] * n * 3 >= 300, "%zu: one starves: %u", n, got[i]);
		}
		/* 305 calls could be made */
		CHECK(sum >= 240, "%zu: %u calls", n, sum);
		CHECK(refused * 6 <= sum, "%zu: %u refused of %u", n, refused, sum);
	}
}

int
main(void)
{
	test_got();
	test_failures();
	test_race();
	return check_end("flow_pace");
}
