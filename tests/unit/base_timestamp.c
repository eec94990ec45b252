/*
 * Points in time as text. Sources: RFC 3339; base/timestamp.h; the values of the tables
 * are date(1)'s.
 */
#include "base/timestamp.h"

#include "check.h"

#include <inttypes.h>

static const struct {
	const char *text;
	int64_t ms;
} good[] = {
    {"1970-01-01", 0},
    {"1970-01-01 00:00:00", 0},
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01t00:00z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2026-11-23 14:00:00.123", 1795442400123},
    {"2026-11-23 14:00:00", 1795442400000},
    {"2026-11-23T14:00:00.123Z", 1795442400123},
    {"2026-11-23T15:00:00.123+01:00", 1795442400123},
    {"2026-11-23T15:00:00.123+0100", 1795442400123},
    {"2026-11-23T15:00+01", 1795442400000},
    {"2026-11-23T08:30:00.123-05:30", 1795442400123},
    {"2026-11-23T14:00:00,123Z", 1795442400123},
    /* beyond the millisecond: cut, towards the past */
    {"2026-11-23T14:00:00.1239999999999Z", 1795442400123},
    {"1969-12-31T23:59:59.9999Z", -1},
    {"2026-11-23T14:00:00.1Z", 1795442400100},
    {"2000-02-29", 951782400000},
    {"2024-02-29T12:00:00Z", 1709208000000},
    {"0000-01-01", -62167219200000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    {"2016-12-31T23:59:60Z", 1483228800000},
    /* numbers: seconds below 1e11, milliseconds from there on */
    {"0", 0},
    {"-0", 0},
    {"1", 1000},
    {"-1", -1000},
    {"1795442400", 1795442400000},
    {"1795442400.1239", 1795442400123},
    {"1795442400123", 1795442400123},
    {"1795442400123.9", 1795442400123},
    {"-1.5", -1500},
    {"-0.0001", -1},
    {"0.0001", 0},
    {"99999999999", 99999999999000},
    {"99999999999.999", 99999999999999},
    {"100000000000", 100000000000},
    {"-100000000000", -100000000000},
    /* an exponent: seconds, whatever the magnitude */
    {"1.44E9", 1440000000000},
    {"1.795442400123e9", 1795442400123},
    {"1e+2", 100000},
    {"15e-1", 1500},
    {"15e-5", 0},
    {"-15e-5", -1},
    {"1e12", 1000000000000000},
    /* zeros in front say nothing about the magnitude */
    {"00000000000001", 1000},
    {"0000000000001795442400", 1795442400000},
    {"0.0000000001e19", 1000000000000},
    {"0.000000000000000000001795442400e30", 1795442400000},
    {"0.00000000000000000000", 0},
    {"0e9", 0},
    /* years of more than four digits, as they are written */
    {"+010000-01-01T00:00:00.000Z", 253402300800000},
    {"-000001-01-01 00:00:00.000", -62198755200000},
};

static const char *const bad[] = {"", " ", "-", "+", "+1", "1.", ".5", "1.5.5", "1e",
    "1e+", "1e-", "1ee5", "1e1000", "1e99", "0x10", "1795442400 ", " 1795442400", "now",
    "null", "1e15", "123456789012345678", "12345678901234567890123456789012345678901",
    "2026-11", "2026-11-2", "2026-1-23", "26-11-23", "2026/11/23", "2026-00-01",
    "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29", "1900-02-29",
    "2026-11-23 ", "2026-11-23T", "2026-11-23T14", "2026-11-23T14:", "2026-11-23T14:0",
    "2026-11-23T14:00:", "2026-11-23T14:00:0", "2026-11-23T24:00:00",
    "2026-11-23T14:60:00", "2026-11-23T14:00:61", "2026-11-23T14:00:00.",
    "2026-11-23T14:00:00.Z", "2026-11-23T14:00:00ZZ", "2026-11-23T14:00:00Z ",
    "2026-11-23T14:00:00+", "2026-11-23T14:00:00+1",
    "2026-11-23T14:00:00+01:", "2026-11-23T14:00:00+01:0", "2026-11-23T14:00:00+24:00",
    "2026-11-23T14:00:00+01:60", "2026-11-23T14:00:00+01:00Z", "2026-11-23_14:00:00",
    "2026-11-23T14.00.00", "+2026-11-23", "-2026-11-23", "+292277000-01-01",
    "+999999999-01-01", "+01000-01-01", "2026-11-23T14:00:00 UTC"};

static void
check_parse(void)
{
	int64_t x;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bool ok;

		x = 77;
		ok = ryde_timestamp_parse(ryde_view_of(good[i].text), &x);
		CHECK(
		    ok && x == good[i].ms, "'%s' gave %d %" PRId64, good[i].text, ok, x);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		x = 77;
		CHECK(!ryde_timestamp_parse(ryde_view_of(bad[i]), &x) && x == 77,
		    "'%s' gave %" PRId64, bad[i], x);
	}
	CHECK(!ryde_timestamp_parse(ryde_view_mem(NULL, 0), &x), "nothing at all");
	CHECK(!ryde_timestamp_parse(ryde_view_mem("1970-01-01\0", 11), &x), "a NUL");
	CHECK(ryde_timestamp_parse(ryde_view_mem("1970-01-02T", 10), &x) && x == 86400000,
	    "a view ends where it ends");
}

static const struct {
	int64_t ms;
	const char *rfc3339, *plain;
} written[] = {
    {0, "1970-01-01T00:00:00.000Z", "1970-01-01 00:00:00.000"},
    {-1, "1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59.999"},
    {1795442400123, "2026-11-23T14:00:00.123Z", "2026-11-23 14:00:00.123"},
    {951868799999, "2000-02-29T23:59:59.999Z", "2000-02-29 23:59:59.999"},
    {-62167219200000, "0000-01-01T00:00:00.000Z", "0000-01-01 00:00:00.000"},
    {253402300799999, "9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59.999"},
    /* ISO 8601's expanded years: a sign, and six digits, or nine */
    {253402300800000, "+010000-01-01T00:00:00.000Z", "+010000-01-01 00:00:00.000"},
    {-62167219200001, "-000001-12-31T23:59:59.999Z", "-000001-12-31 23:59:59.999"},
    {INT64_MAX / 4, "+073071226-02-26T19:48:13.951Z", "+073071226-02-26 19:48:13.951"},
    {INT64_MIN / 4, "-073067287-11-05T04:11:46.048Z", "-073067287-11-05 04:11:46.048"},
};

static void
check_format(void)
{
	char text[RYDE_TIMESTAMP_MAX];
	int64_t x;

	for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		size_t n = ryde_timestamp_rfc3339(written[i].ms, text);

		CHECK(n == strlen(text) && strcmp(text, written[i].rfc3339) == 0,
		    "%" PRId64 " gave %s", written[i].ms, text);
		CHECK(ryde_timestamp_parse(ryde_view_of(text), &x) && x == written[i].ms,
		    "%s read back as %" PRId64, text, x);
		n = ryde_timestamp_plain(written[i].ms, text);
		CHECK(n == strlen(text) && strcmp(text, written[i].plain) == 0,
		    "%" PRId64 " gave %s", written[i].ms, text);
		CHECK(ryde_timestamp_parse(ryde_view_of(text), &x) && x == written[i].ms,
		    "%s read back as %" PRId64, text, x);
	}
}

/* Each day of 800 years follows the one before it: two walks through the calendar agree.
 */
static void
check_calendar(void)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t at_ms = -11676096000000; /* 1600-01-01 */
	int wrong = 0;

	for (int year = 1600; year < 2400; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		for (int month = 1; month <= 12; month++) {
			int last = days[month - 1] + (month == 2 && leap);

			for (int day = 1; day <= last; day++) {
				struct ryde_civil c = ryde_timestamp_civil(at_ms);

				wrong += c.year != year || c.month != month ||
					 c.day != day || c.hour != 0 || c.ms != 0;
				at_ms += 86400000;
			}
		}
	}
	CHECK(wrong == 0, "%d days are wrong", wrong);
}

int
main(void)
{
	check_parse();
	check_format();
	check_calendar();
	return check_end("base_timestamp");
}
