/* Numbers between JSON and SQL. Source: engine/query_number.h. */
#include "base/buf.h"
#include "check.h"
#include "engine/query_number.h"

#include <math.h>

/* What a number becomes, and what it is printed as. */
static const struct {
	const char *text;
	enum ryde_query_number_kind kind;
	const char *back;
} numbers[] = {
    {"0", RYDE_QUERY_NUMBER_INTEGER, "0"},
    {"-0", RYDE_QUERY_NUMBER_INTEGER, "0"},
    {"9223372036854775807", RYDE_QUERY_NUMBER_INTEGER, "9223372036854775807"},
    {"-9223372036854775808", RYDE_QUERY_NUMBER_INTEGER, "-9223372036854775808"},
    {"9007199254740993", RYDE_QUERY_NUMBER_INTEGER, "9007199254740993"},
    {"1.0", RYDE_QUERY_NUMBER_REAL, "1"},
    {"0.1", RYDE_QUERY_NUMBER_REAL, "0.1"},
    {"-0.000123", RYDE_QUERY_NUMBER_REAL, "-0.000123"},
    {"40.749167", RYDE_QUERY_NUMBER_REAL, "40.749167"},
    {"40.748905283123456", RYDE_QUERY_NUMBER_REAL, "40.748905283123456"},
    {"1e3", RYDE_QUERY_NUMBER_REAL, "1000"},
    {"1e300", RYDE_QUERY_NUMBER_REAL, "1e+300"},
    {"18446744073709551616", RYDE_QUERY_NUMBER_EXACT, "18446744073709551616"},
    {"9223372036854775808", RYDE_QUERY_NUMBER_EXACT, "9223372036854775808"},
    {"0.1234567890123456789", RYDE_QUERY_NUMBER_EXACT, "0.1234567890123456789"},
    {"1e400", RYDE_QUERY_NUMBER_EXACT, "1e+400"},
    {"-1e-400", RYDE_QUERY_NUMBER_EXACT, "-1e-400"},
    {"1e999999999", RYDE_QUERY_NUMBER_EXACT, "1e999999999"},
};

static void
test_there_and_back(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct ryde_query_number n;
		struct ryde_buf blob, out;
		struct ryde_view exact;

		ryde_buf_init(&blob, 100000);
		ryde_buf_init(&out, 100000);
		CHECK(ryde_query_number(&n, ryde_view_of(numbers[i].text), &blob) == 0,
		    "%s", numbers[i].text);
		CHECK(n.kind == numbers[i].kind, "%s: %d", numbers[i].text, (int)n.kind);
		if (n.kind == RYDE_QUERY_NUMBER_INTEGER)
			ryde_buf_i64(&out, n.integer);
		else if (n.kind == RYDE_QUERY_NUMBER_REAL)
			ryde_query_number_put(&out, n.real);
		else if (ryde_query_number_exact(ryde_buf_as_view(&blob), &exact))
			ryde_buf_view(&out, exact);
		CHECK(strcmp(ryde_buf_str(&out), numbers[i].back) == 0, "%s: %s",
		    numbers[i].text, ryde_buf_str(&out));
		ryde_buf_free(&blob);
		ryde_buf_free(&out);
	}
}

/* Bytewise order of exact ones is the order of the numbers. */
static void
test_order(void)
{
	static const char *const ascending[] = {"-1e500", "-123456789012345678901",
	    "-123456789012345678900.5", "-1e-400", "1e-400", "1.00000000000000000001e-5",
	    "0.1234567890123456789", "0.12345678901234567891", "123456789012345678901",
	    "123456789012345678901.5", "1e400", "1.5e400", "1e401"};
	struct ryde_buf last, blob;
	struct ryde_query_number n;

	ryde_buf_init(&last, 100000);
	for (size_t i = 0; i < sizeof(ascending) / sizeof(ascending[0]); i++) {
		ryde_buf_init(&blob, 100000);
		CHECK(ryde_query_number(&n, ryde_view_of(ascending[i]), &blob) == 0 &&
			  n.kind == RYDE_QUERY_NUMBER_EXACT,
		    "%s", ascending[i]);
		if (i > 0) {
			size_t least = last.n < blob.n ? last.n : blob.n;

			CHECK(memcmp(last.p, blob.p, least) < 0, "%s", ascending[i]);
		}
		ryde_buf_free(&last);
		last = blob;
	}
	ryde_buf_free(&last);
}

int
main(void)
{
	struct ryde_view text;

	test_there_and_back();
	test_order();
	CHECK(ryde_query_number_is_short(0.1) && ryde_query_number_is_short(1e300),
	    "short");
	CHECK(!ryde_query_number_is_short(nextafter(0.1, 1)), "17 digits");
	CHECK(!ryde_query_number_exact(ryde_view_of("\r\t \n\f\vx"), &text), "no number");
	CHECK(!ryde_query_number_exact(ryde_view_of(""), &text), "empty");
	return check_end("engine_query_number");
}
