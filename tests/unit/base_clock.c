/* The clock of data and the machine's own. Source: base/clock.h. */
#include "base/clock.h"

#include "base/err.h"
#include "check.h"

#include <time.h>

static void
check_settings(void)
{
	static const char *const wrong[] = {"@", "@x", "@1.5", "@ 1", "1764000000000",
	    "Data", "data ", "now", "@9223372036854775807"};
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err = (struct ryde_err)RYDE_ERR_INIT;
		CHECK(ryde_clock_init(wrong[i], &err) == -1 && err.code == RYDE_ECONFIG,
		    "'%s'", wrong[i]);
		CHECK(strstr(err.msg, wrong[i]) != NULL, "%s", err.msg);
	}
	CHECK(ryde_clock_init("@1764000000000", &err) == 0, "%s", err.msg);
	CHECK(ryde_clock_data_ms() == 1764000000000 && !ryde_clock_follows(), "frozen");
	ryde_clock_observe(1764000000001);
	CHECK(ryde_clock_data_ms() == 1764000000000, "data does not move a frozen clock");
	CHECK(ryde_clock_init("@-1", &err) == 0 && ryde_clock_data_ms() == -1,
	    "before the epoch");
	CHECK(ryde_clock_init("data", &err) == 0 && ryde_clock_follows(), "follows");
	ryde_clock_observe(5000);
	ryde_clock_observe(4000);
	CHECK(ryde_clock_data_ms() == 5000, "never back");
	ryde_clock_observe(6000);
	CHECK(ryde_clock_data_ms() == 6000, "forward");
}

static void
check_machine(void)
{
	struct timespec pause = {0, 20000000};
	struct ryde_err err = RYDE_ERR_INIT;
	int64_t mono_ms, mono_us, wall_ms, d;

	CHECK(ryde_clock_init("@5", &err) == 0, "%s", err.msg);
	CHECK(ryde_clock_wall_ms() > 1700000000000, "leases do not stand still");
	CHECK(ryde_clock_init(NULL, &err) == 0 && ryde_clock_init("", &err) == 0,
	    "not set");
	d = ryde_clock_data_ms() - ryde_clock_wall_ms();
	CHECK(d <= 0 && d > -1000 && !ryde_clock_follows(), "the machine's: %lld",
	    (long long)d);
	mono_ms = ryde_clock_mono_ms();
	mono_us = ryde_clock_mono_us();
	wall_ms = ryde_clock_wall_ms();
	(void)nanosleep(&pause, NULL);
	CHECK(ryde_clock_mono_ms() - mono_ms >= 19, "monotonic, in ms");
	CHECK(ryde_clock_mono_us() - mono_us >= 19000, "monotonic, in us");
	CHECK(ryde_clock_wall_ms() - wall_ms >= 19, "wall, in ms");
	ryde_clock_observe(INT64_MAX);
	CHECK(ryde_clock_data_ms() < INT64_MAX, "data does not move the machine's");
}

int
main(void)
{
	check_settings();
	check_machine();
	return check_end("base_clock");
}
