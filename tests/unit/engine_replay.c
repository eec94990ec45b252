/* Replays: speeds, the schedule, times written in the form of others. */
#include "engine/replay.h"

#include "base/buf.h"
#include "check.h"

/* Source: CLI.md, --speed 1x|60x|max */
static void
speeds(void)
{
	static const struct {
		const char *text;
		double speed; /* 0: refused, -1: max */
	} table[] = {
	    {"1x", 1},
	    {"60x", 60},
	    {"3600", 3600},
	    {"0.5x", 0.5},
	    {"0.001x", 0.001},
	    {"1000000000x", 1e9},
	    {"max", -1},
	    {"", 0},
	    {"x", 0},
	    {"0x", 0},
	    {"0.0x", 0},
	    {"-1x", 0},
	    {"-0.5x", 0},
	    {"1.x", 0},
	    {".5x", 0},
	    {"1.-5x", 0},
	    {"1e3x", 0},
	    {"1xx", 0},
	    {"Max", 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double speed = 0;
		bool max = false;
		bool ok = ryde_replay_speed(ryde_view_of(table[i].text), &speed, &max);

		CHECK(ok == (table[i].speed != 0), "%s", table[i].text);
		CHECK(max == (table[i].speed < 0), "%s", table[i].text);
		CHECK(!ok || max || speed == table[i].speed, "%s: %g", table[i].text,
		    speed);
	}
}

/* Source: the rule target = start + (t - t0) / speed, whatever was printed when. */
static void
schedule(void)
{
	struct ryde_replay_schedule s = {.speed = 3600};
	const int64_t t0 = 1764000000000, ten_years_ms = 315576000000;

	CHECK(ryde_replay_due_us(&s, t0, 5000) == 5000, "the first line is due at once");
	CHECK(ryde_replay_due_us(&s, t0 + 3600000, 999999) == 5000 + 1000000, "an hour");
	CHECK(ryde_replay_due_us(&s, t0 - 1, 999999) == 5000, "a time that goes back");
	CHECK(ryde_replay_due_us(&s, t0 + ten_years_ms, 0) ==
		  5000 + ten_years_ms * 1000 / 3600,
	    "no drift in ten years");
	s.speed = 1e-9;
	CHECK(ryde_replay_due_us(&s, INT64_MAX, 0) > INT64_MAX / 4, "no overflow");
}

/* Source: DESIGN.md 7, the times that payloads may carry. */
static void
restamps(void)
{
	static const struct {
		const char *form, *want;
	} table[] = {
	    {"2008-10-23 05:53:05.000", "2025-11-24 16:00:00.123"},
	    {"2008-10-23 05:53:05", "2025-11-24 16:00:00"},
	    {"2008-10-23 05:53", "2025-11-24 16:00"},
	    {"2008-10-23", "2025-11-24"},
	    {"2008-10-23T05:53:05Z", "2025-11-24T16:00:00Z"},
	    {"2008-10-23T05:53:05.123456Z", "2025-11-24T16:00:00.123000Z"},
	    {"2008-10-23t05:53:05,1z", "2025-11-24t16:00:00,1z"},
	    {"2008-10-23T05:53:05+09:30", "2025-11-25T01:30:00+09:30"},
	    {"2008-10-23T05:53:05-0800", "2025-11-24T08:00:00-0800"},
	    {"2008-10-23T05:53+01", "2025-11-24T17:00+01"},
	    {"1224741185", "1764000000"},
	    {"1224741185.5", "1764000000.1"},
	    {"1224741185.123456", "1764000000.123000"},
	    {"1224741185123", "1764000000123"},
	    {"-1", "1764000000"},
	    {"1.2247E9", "1764000000"},
	    {"0", "1764000000"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ryde_buf b;

		ryde_buf_init(&b, 100);
		ryde_replay_restamp(ryde_view_of(table[i].form), 1764000000123, &b);
		CHECK(ryde_view_is(ryde_buf_as_view(&b), table[i].want), "%s: %s",
		    table[i].form, ryde_buf_str(&b));
		ryde_buf_free(&b);
	}
}

int
main(void)
{
	speeds();
	schedule();
	restamps();
	return check_end("engine_replay");
}
