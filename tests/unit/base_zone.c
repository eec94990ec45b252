/* Time zones. Source: the tz database, as published for these zones. */
#include "base/zone.h"

#include "base/err.h"
#include "base/timestamp.h"
#include "check.h"

#include <stdlib.h>

static struct ryde_err err;

static int64_t
at(const char *text)
{
	int64_t ms = 0;

	CHECK(ryde_timestamp_parse(ryde_view_of(text), &ms), "%s", text);
	return ms;
}

static void
test_offsets(void)
{
	static const struct {
		const char *zone, *at;
		int minutes;
	} cases[] = {
	    {"Europe/Berlin", "2026-03-29 00:59:59.999", 60},
	    {"Europe/Berlin", "2026-03-29 01:00:00", 120},
	    {"Europe/Berlin", "2026-10-25 00:59:59", 120},
	    {"Europe/Berlin", "2026-10-25 01:00:00", 60},
	    /* behind the tables of the file, by its rules */
	    {"Europe/Berlin", "2099-07-01 00:00:00", 120},
	    {"Europe/Berlin", "2099-12-31 23:59:59", 60},
	    {"Europe/Berlin", "1880-01-01 00:00:00", 53}, /* 53:28 */
	    {"America/New_York", "2026-03-08 06:59:59", -300},
	    {"America/New_York", "2026-03-08 07:00:00", -240},
	    {"Asia/Kolkata", "2026-01-01 00:00:00", 330},
	    {"Australia/Lord_Howe", "2026-01-01 00:00:00",
		660}, /* half an hour of summer */
	    {"Australia/Lord_Howe", "2026-07-01 00:00:00", 630},
	    {"Pacific/Chatham", "2060-01-01 00:00:00", 825},
	    {"UTC", "2026-01-01 00:00:00", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_zone *z = ryde_zone_open(cases[i].zone, &err);
		struct ryde_zone_span s;

		CHECK(z != NULL, "%s: %s", cases[i].zone, err.msg);
		if (z == NULL)
			continue;
		s = ryde_zone_at(z, at(cases[i].at));
		CHECK(s.offset_ms / 60000 == cases[i].minutes, "%s %s: %lld",
		    cases[i].zone, cases[i].at, (long long)s.offset_ms);
		CHECK(s.from_ms <= at(cases[i].at) && at(cases[i].at) < s.to_ms, "%s",
		    cases[i].at);
		ryde_zone_free(z);
	}
}

static void
test_local(void)
{
	/* local: as if it were UTC. */
	static const struct {
		const char *zone, *local, *at;
	} cases[] = {
	    {"Europe/Berlin", "2026-03-29 00:00:00", "2026-03-28 23:00:00"},
	    {"Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 01:00:00"}, /* skipped */
	    {"Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 01:00:00"},
	    {"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 00:30:00"}, /* twice */
	    {"Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25 02:00:00"},
	    /* midnight is skipped */
	    {"America/Santiago", "2026-09-06 00:00:00", "2026-09-06 04:00:00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_zone *z = ryde_zone_open(cases[i].zone, &err);

		CHECK(z != NULL &&
			  ryde_zone_from_local(z, at(cases[i].local)) == at(cases[i].at),
		    "%s %s", cases[i].zone, cases[i].local);
		ryde_zone_free(z);
	}
}

static void
test_names(void)
{
	static const char *const bad[] = {"", "/etc/passwd", "../../../etc/passwd",
	    "Europe/Nowhere", "Europe/Berlin ", "zone.tab", "Europe"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(ryde_zone_open(bad[i], &err) == NULL, "%s", bad[i]);
}

int
main(void)
{
	test_offsets();
	test_local();
	test_names();
	return check_end("base_zone");
}
