/*
 * Fuzz target for times and numbers: faults of memory, and that a time which was read is
 * written so that it reads the same; that numbers stay in their range.
 */
#include "base/timestamp.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void
try_time(int64_t at_ms)
{
	struct ryde_civil c = ryde_timestamp_civil(at_ms);
	char text[RYDE_TIMESTAMP_MAX];
	int64_t again;
	size_t n;

	MUST(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
	MUST(c.hour >= 0 && c.hour < 24 && c.minute >= 0 && c.minute < 60);
	MUST(c.second >= 0 && c.second < 60 && c.ms >= 0 && c.ms < 1000);
	n = ryde_timestamp_rfc3339(at_ms, text);
	MUST(n < sizeof(text) && text[n] == '\0' && strlen(text) == n);
	/* years that the reader takes: all that a text or RYDE_CLOCK can give */
	if (c.year >= 292000000 || c.year <= -292000000)
		return;
	MUST(ryde_timestamp_parse(ryde_view_mem(text, n), &again) && again == at_ms);
	n = ryde_timestamp_plain(at_ms, text);
	MUST(n < sizeof(text) && text[n] == '\0' && strlen(text) == n);
	MUST(ryde_timestamp_parse(ryde_view_mem(text, n), &again) && again == at_ms);
}

static void
try_numbers(struct ryde_view v)
{
	int64_t x, y;
	uint64_t u;

	if (ryde_num_u64(v, 1000, &u))
		MUST(u <= 1000);
	if (ryde_num_i64(v, -1000, 1000, &x))
		MUST(x >= -1000 && x <= 1000);
	if (ryde_num_i64(v, INT64_MIN, INT64_MAX, &x) && x >= 0 && v.p[0] != '-')
		MUST(ryde_num_u64(v, UINT64_MAX, &u) && u == (uint64_t)x);
	if (ryde_num_duration_ms(v, &x)) {
		MUST(x >= 0);
		MUST(ryde_view_is(v, "0") || !ryde_num_i64(v, INT64_MIN, INT64_MAX, &y));
	}
	if (ryde_num_size_bytes(v, &x)) {
		MUST(x >= 0);
		if (ryde_num_i64(v, 0, INT64_MAX, &y))
			MUST(x == y);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view v = ryde_view_mem((const char *)data, size);
	int64_t at_ms = 77;

	if (ryde_timestamp_parse(v, &at_ms))
		try_time(at_ms);
	else
		MUST(at_ms == 77);
	if (size >= sizeof(at_ms)) {
		memcpy(&at_ms, data, sizeof(at_ms));
		try_time(at_ms);
	}
	try_numbers(v);
	return 0;
}
