/* Numbers of options and settings: the whole text or nothing. Source: base/num.h. */
#include "base/num.h"

#include "check.h"

#include <inttypes.h>

static const struct {
	const char *text;
	int64_t min, max;
	bool good;
	int64_t value;
} integers[] = {
    {"0", 0, 10, true, 0},
    {"10", 0, 10, true, 10},
    {"11", 0, 10, false, 0},
    {"-1", 0, 10, false, 0},
    {"-1", -1, 10, true, -1},
    {"-0", 0, 10, true, 0},
    {"007", 0, 10, true, 7},
    {"", 0, 10, false, 0},
    {"-", -10, 10, false, 0},
    {"--1", -10, 10, false, 0},
    {"+1", 0, 10, false, 0},
    {" 1", 0, 10, false, 0},
    {"1 ", 0, 10, false, 0},
    {"1\n", 0, 10, false, 0},
    {"1e3", 0, 10000, false, 0},
    {"0x10", 0, 100, false, 0},
    {"1.0", 0, 10, false, 0},
    {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
    {"99999999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
};

static void
check_integers(void)
{
	uint64_t u = 77;

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		int64_t x = 77;
		bool good = ryde_num_i64(
		    ryde_view_of(integers[i].text), integers[i].min, integers[i].max, &x);

		CHECK(good == integers[i].good, "'%s'", integers[i].text);
		CHECK(x == (good ? integers[i].value : 77), "'%s' gave %" PRId64,
		    integers[i].text, x);
	}
	CHECK(ryde_num_u64(ryde_view_of("18446744073709551615"), UINT64_MAX, &u) &&
		  u == UINT64_MAX,
	    "the largest");
	CHECK(!ryde_num_u64(ryde_view_of("18446744073709551616"), UINT64_MAX, &u),
	    "one more");
	CHECK(!ryde_num_u64(ryde_view_of("-0"), UINT64_MAX, &u), "no sign");
	CHECK(!ryde_num_u64(ryde_view_mem("1\0002", 3), UINT64_MAX, &u), "a NUL inside");
	CHECK(ryde_num_u64(ryde_view_mem("123", 2), UINT64_MAX, &u) && u == 12,
	    "a view ends where it ends");
}

static const struct {
	const char *text;
	int64_t ms; /* -1: none */
} durations[] = {
    {"0", 0},
    {"0s", 0},
    {"500ms", 500},
    {"15s", 15000},
    {"1m", 60000},
    {"2h", 7200000},
    {"7d", 604800000},
    {"1h30m", 5400000},
    {"1.5s", 1500},
    {"0.001s", 1},
    {"0.0010s", 1},
    {"0.0015s", -1},
    {"1.5ms", -1},
    {"1.5m", 90000},
    {"0.5d", 43200000},
    {"100000d", 8640000000000},
    {"1s500ms", 1500},
    {"", -1},
    {"1", -1},
    {"10", -1},
    {"s", -1},
    {"-1s", -1},
    {"+1s", -1},
    {"1 s", -1},
    {" 1s", -1},
    {"1s ", -1},
    {"1.s", -1},
    {".5s", -1},
    {"1.5.5s", -1},
    {"1S", -1},
    {"1min", -1},
    {"1m30", -1},
    {"1us", -1},
    {"1w", -1},
    {"99999999999999999999d", -1},
    {"106751991167d", -1},
    {"92233720368547d", -1},
    {"26000000000d26000000000d", -1},
};

static void
check_durations(void)
{
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t x = 77;
		bool good = ryde_num_duration_ms(ryde_view_of(durations[i].text), &x);

		CHECK(good == (durations[i].ms >= 0), "'%s'", durations[i].text);
		CHECK(x == (good ? durations[i].ms : 77), "'%s' gave %" PRId64,
		    durations[i].text, x);
	}
}

static const struct {
	const char *text;
	int64_t bytes; /* -1: none */
} sizes[] = {
    {"0", 0},
    {"512", 512},
    {"512B", 512},
    {"512k", 524288},
    {"512K", 524288},
    {"512KB", 524288},
    {"512KiB", 524288},
    {"512kiB", 524288},
    {"5M", 5242880},
    {"5MB", 5242880},
    {"5MiB", 5242880},
    {"1G", 1073741824},
    {"1GiB", 1073741824},
    {"2T", 2199023255552},
    {"8388607T", 9223370937343148032},
    {"8388608T", -1},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", -1},
    {"", -1},
    {"M", -1},
    {"5m", -1},
    {"5Mi", -1},
    {"5MBB", -1},
    {"5M ", -1},
    {" 5M", -1},
    {"-5M", -1},
    {"5.5M", -1},
    {"5P", -1},
    {"5BB", -1},
    {"1e3", -1},
};

static void
check_sizes(void)
{
	int64_t x = 77;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bool good;

		x = 77;
		good = ryde_num_size_bytes(ryde_view_of(sizes[i].text), &x);
		CHECK(good == (sizes[i].bytes >= 0), "'%s'", sizes[i].text);
		CHECK(x == (good ? sizes[i].bytes : 77), "'%s' gave %" PRId64,
		    sizes[i].text, x);
	}
	CHECK(!ryde_num_size_bytes(ryde_view_mem("5\0", 2), &x), "a NUL is no unit");
	CHECK(!ryde_num_size_bytes(ryde_view_mem(NULL, 0), &x), "nothing at all");
	CHECK(!ryde_num_duration_ms(ryde_view_mem(NULL, 0), &x), "nothing at all");
}

int
main(void)
{
	check_integers();
	check_durations();
	check_sizes();
	return check_end("base_num");
}
