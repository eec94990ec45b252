#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/decimal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define LONG_MESSAGE "number too long for exact arithmetic"
#define E18 "1000000000000000000"
#define PI_100                                                                           \
	"3."                                                                             \
	"141592653589793238462643383279502884197169399375105820974944592307816406286208" \
	"99"                                                                             \
	"86280348253421170679"

static struct ryde_buf text;

static const char *
shown(const struct ryde_decimal *d)
{
	ryde_buf_clear(&text);
	ryde_decimal_put(&text, d);
	return ryde_buf_str(&text);
}

static struct ryde_decimal
number(const char *s)
{
	struct ryde_decimal d = {0};

	CHECK(ryde_decimal_parse(&d, ryde_view_of(s), NULL) == 0, "%s", s);
	return d;
}

/* Source: the contract of ryde_decimal_put, and RFC 8259, section 6. */
static const struct {
	const char *in, *out; /* out NULL: refused */
} forms[] = {
    {"0", "0"},
    {"-0", "0"},
    {"-0.000", "0"},
    {"0e999999999", "0"},
    {"0.0E-99999999999999999999999999999999", "0"},
    {"150", "150"},
    {"30.2", "30.2"},
    {"30.20", "30.2"},
    {"-73.985184", "-73.985184"},
    {"1.0", "1"},
    {"100", "100"},
    {"1e2", "100"},
    {"1E+2", "100"},
    {"125e-2", "1.25"},
    {"0.001", "0.001"},
    {"999999999999999999", "999999999999999999"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "9223372036854775808"},
    {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
    {"0.12345678901234567890123456789", "0.12345678901234567890123456789"},
    {"1e39", "1000000000000000000000000000000000000000"},
    {"1e130", "1e+130"},
    {"1e-39", "0.000000000000000000000000000000000000001"},
    {"1e-130", "1e-130"},
    {"12.5e130", "1.25e+131"},
    {"-1234567890123456789012345678901234567890123456789012345.6",
	"-1234567890123456789012345678901234567890123456789012345.6"},
    {"1e400", "1e+400"},
    {"1e-400", "1e-400"},
    {"1e4095", "1e+4095"},
    {"1e-4095", "1e-4095"},
    {"1e4096", NULL},
    {"1e-4096", NULL},
    {"1e999999999", NULL},
    {"1e-999999999", NULL},
    {"1e99999999999999999999999999999999999999999", NULL},
    {"1e-99999999999999999999999999999999999999999", NULL},
    {"1e00000000000000000000000000000000000000001", "10"},
    {"", NULL},
    {"-", NULL},
    {"01e1", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {".5", NULL},
    {"5.", NULL},
    {"1.e5", NULL},
    {"1.2.3", NULL},
    {"+1", NULL},
    {"1e5x", NULL},
    {"0x10", NULL},
    {"NaN", NULL},
};

static void
test_forms(void)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct ryde_decimal d = {.small = 7};
		struct ryde_err err = RYDE_ERR_INIT;
		int rc = ryde_decimal_parse(&d, ryde_view_of(forms[i].in), &err);

		if (forms[i].out == NULL) {
			CHECK(rc == -1 && err.code == RYDE_EDATA, "%s", forms[i].in);
			CHECK(strcmp(shown(&d), "7") == 0, "%s", forms[i].in);
		} else {
			CHECK(rc == 0 && strcmp(shown(&d), forms[i].out) == 0,
			    "%s gave %s", forms[i].in, shown(&d));
		}
		ryde_decimal_free(&d);
	}
}

/* Source: python3's decimal. */
static const struct {
	const char *a, *b, *sum, *difference, *product;
} pairs[] = {
    {"0.1", "0.2", "0.3", "-0.1", "0.02"},
    {"1.10", "1.1", "2.2", "0", "1.21"},
    {"0", "-5", "-5", "5", "0"},
    {"-5", "0", "-5", "-5", "0"},
    {"1e30", "-1e30", "0", "2000000000000000000000000000000",
	"-1000000000000000000000000000000000000000000000000000000000000"},
    {E18, "1", "1000000000000000001", "999999999999999999", E18},
    {"9223372036854775807", "9223372036854775807", "18446744073709551614", "0",
	"85070591730234615847396907784232501249"},
    {"-9223372036854775808", "-9223372036854775808", "-18446744073709551616", "0",
	"85070591730234615865843651857942052864"},
    {"0", "-9223372036854775808", "-9223372036854775808", "9223372036854775808", "0"},
    {"999999999999999999999999999", "1", "1000000000000000000000000000",
	"999999999999999999999999998", "999999999999999999999999999"},
    {"1000000000000000000000000000", "0.001", "1000000000000000000000000000.001",
	"999999999999999999999999999.999", "1000000000000000000000000"},
    {"123456789.987654321", "-0.000000000000000001", "123456789.987654320999999999",
	"123456789.987654321000000001", "-0.000000000123456789987654321"},
    {"1e20", "1e-15", "100000000000000000000.000000000000001",
	"99999999999999999999.999999999999999", "100000"},
};

static void
test_pairs(void)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct ryde_decimal a = number(pairs[i].a), b = number(pairs[i].b);
		struct ryde_decimal d = {0};

		CHECK(ryde_decimal_copy(&d, &a, NULL) == 0, "");
		CHECK(ryde_decimal_add(&d, &b, NULL) == 0, "");
		CHECK(strcmp(shown(&d), pairs[i].sum) == 0, "%s + %s: %s", pairs[i].a,
		    pairs[i].b, shown(&d));
		CHECK(ryde_decimal_sub(&d, &b, NULL) == 0, "");
		CHECK(ryde_decimal_cmp(&d, &a) == 0, "%s", pairs[i].a);
		CHECK(ryde_decimal_sub(&d, &b, NULL) == 0, "");
		CHECK(strcmp(shown(&d), pairs[i].difference) == 0, "%s - %s: %s",
		    pairs[i].a, pairs[i].b, shown(&d));
		CHECK(ryde_decimal_copy(&d, &a, NULL) == 0, "");
		CHECK(ryde_decimal_mul(&d, &b, NULL) == 0, "");
		CHECK(strcmp(shown(&d), pairs[i].product) == 0, "%s * %s: %s", pairs[i].a,
		    pairs[i].b, shown(&d));
		CHECK(
		    ryde_decimal_sub(&d, &d, NULL) == 0 && ryde_decimal_is_zero(&d), "");
		ryde_decimal_free(&a);
		ryde_decimal_free(&b);
		ryde_decimal_free(&d);
	}
}

/* In rising order; neighbours joined by "=" have one value. Source: arithmetic. */
static const char *const order[] = {"-1e4000", "-1e400", "-1e19", "-9223372036854775809",
    "-9223372036854775808", "-1.5", "=-1.50", "-1", "-1e-400", "-1e-4000", "0", "=-0",
    "=0e5", "1e-4000", "1e-400", "0.1", "=1e-1", "0.10000000000000000000001", "1.1",
    "=1.10", "=11e-1", "=1.1000000000000000000000000000", "9", "10", "=1e1",
    "999999999999999999", E18, "=1e18", E18 ".0000000000000000001", "9223372036854775807",
    "9223372036854775808", "1e19", "=10000000000000000000.0", "123456789e20",
    "=12345678900000000000000000000", "12345678900000000000000000001", "1e400", "1e4000"};

static void
test_order(void)
{
	size_t n = sizeof(order) / sizeof(order[0]);
	int rank[sizeof(order) / sizeof(order[0])];

	for (size_t i = 0; i < n; i++)
		rank[i] = i == 0 ? 0 : rank[i - 1] + (order[i][0] != '=');
	for (size_t i = 0; i < n; i++) {
		struct ryde_decimal a = number(order[i] + (order[i][0] == '='));

		for (size_t j = 0; j < n; j++) {
			struct ryde_decimal b = number(order[j] + (order[j][0] == '='));
			int want = (rank[i] > rank[j]) - (rank[i] < rank[j]);

			CHECK(ryde_decimal_cmp(&a, &b) == want, "%s %s", order[i],
			    order[j]);
			ryde_decimal_free(&b);
		}
		ryde_decimal_free(&a);
	}
}

/* Source: python3's decimal with ROUND_HALF_EVEN. */
static const struct {
	const char *a, *b;
	unsigned digits;
	const char *quotient;
} quotients[] = {
    {"1", "3", 17, "0.33333333333333333"},
    {"2", "3", 17, "0.66666666666666667"},
    {"-2", "3", 5, "-0.66667"},
    {"10", "2", 17, "5"},
    {"1", "8", 17, "0.125"},
    {"0", "-7", 17, "0"},
    {"25", "10", 1, "2"},
    {"35", "10", 1, "4"},
    {"25.000000000000000000000000000000000001", "10", 1, "3"},
    {"24.999999999999999999999999999999999999", "10", 1, "2"},
    {"-45", "10", 1, "-4"},
    {"995", "1", 2, "1000"},
    {"99.95", "1", 3, "100"},
    {"1e400", "1e-400", 17, "1e+800"},
    {"1", PI_100, 40, "0.3183098861837906715377675267450287240689"},
    {PI_100, "1", 17, "3.1415926535897932"},
    {"123456789012345678901234567890", "1000000000000000000000", 30,
	"123456789.01234567890123456789"},
    /* the first guess of a quotient digit is one too large: Knuth 4.3.1, step D6 */
    {"999999999000000000000000000", "999999999999999999", 9, "999999999"},
    {"500000000000000000000000000", "500000000000000001", 17, "1000000000"},
    {"500000000000000000000000000", "500000000000000001", 30, "999999999.999999998"},
};

static void
test_quotients(void)
{
	struct ryde_decimal zero = {0}, q = {.small = 7};
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < sizeof(quotients) / sizeof(quotients[0]); i++) {
		struct ryde_decimal a = number(quotients[i].a),
				    b = number(quotients[i].b);

		CHECK(ryde_decimal_div(&q, &a, &b, quotients[i].digits, NULL) == 0, "");
		CHECK(strcmp(shown(&q), quotients[i].quotient) == 0, "%s / %s: %s",
		    quotients[i].a, quotients[i].b, shown(&q));
		CHECK(ryde_decimal_div(&a, &a, &b, quotients[i].digits, NULL) == 0, "");
		CHECK(ryde_decimal_cmp(&a, &q) == 0, "q may be d: %s", quotients[i].a);
		ryde_decimal_free(&a);
		ryde_decimal_free(&b);
	}
	ryde_decimal_of_i64(&q, 7);
	CHECK(ryde_decimal_div(&q, &q, &zero, 17, &err) == -1 && err.code == RYDE_EDATA,
	    "");
	CHECK(strcmp(shown(&q), "7") == 0, "");
	ryde_decimal_free(&q);
}

/* Terms one blank apart. Source: arithmetic. */
static const struct {
	const char *terms, *total;
} totals[] = {
    {"", "0"},
    {"0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1", "1"},
    {"30.2 -73.985184 150", "106.214816"},
    {"150 0.5 0.25 1", "151.75"},
    {"1e2 1.5E1 -0", "115"},
    {"12345678901234567890123456789012345678901234567890123456",
	"12345678901234567890123456789012345678901234567890123456"},
    {"1e400 1 -1e400", "1"},
    {"0.12345678901234567 999999999999999999", "999999999999999999.12345678901234567"},
    /* eighteen digits before and behind the point: 128 bits do not hold it */
    {"999999999999999999 999999999999999999 0.00000000000000001 999999999999999999",
	"2999999999999999997.00000000000000001"},
    {"0.00000000000000001 -999999999999999999 -999999999999999999 -999999999999999999",
	"-2999999999999999996.99999999999999999"},
    {"0.123456789012345678 0.1234567890123456789", "0.2469135780246913569"},
};

static void
test_totals(void)
{
	struct ryde_decimal total = {0};

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct ryde_decimal_sum s;
		const char *p = totals[i].terms;

		ryde_decimal_sum_init(&s);
		while (*p != '\0') {
			size_t n = strcspn(p, " ");

			CHECK(
			    ryde_decimal_sum_add(&s, ryde_view_mem(p, n), NULL) == 0, "");
			p += n + (p[n] == ' ');
		}
		CHECK(ryde_decimal_sum_total(&s, &total, NULL) == 0, "");
		CHECK(strcmp(shown(&total), totals[i].total) == 0, "%s: %s",
		    totals[i].terms, shown(&total));
		ryde_decimal_sum_free(&s);
	}
	ryde_decimal_free(&total);
}

/* So many terms that 128 bits overflow, once from each side of the change of scale. */
static void
test_overflow(void)
{
	struct ryde_view fine = ryde_view_of("0.00000000000000001");
	struct ryde_view huge = ryde_view_of("999999999999999999");
	struct ryde_view term = ryde_view_of("999999999999999999.5");
	struct ryde_decimal total = {0},
			    want = number("2002999999999999997997.00000000000000001");
	struct ryde_decimal_sum s;

	ryde_decimal_sum_init(&s);
	for (int i = 0; i < 2003; i++) {
		CHECK(ryde_decimal_sum_add(&s, huge, NULL) == 0, "");
		if (i == 1)
			CHECK(ryde_decimal_sum_add(&s, fine, NULL) == 0, "");
	}
	CHECK(ryde_decimal_sum_total(&s, &total, NULL) == 0, "");
	CHECK(s.has_big && ryde_decimal_cmp(&total, &want) == 0, "%s", shown(&total));
	ryde_decimal_sum_free(&s);
	for (int i = 0; i < 2002; i++)
		CHECK(ryde_decimal_sum_add(&s, huge, NULL) == 0, "");
	CHECK(!s.has_big && ryde_decimal_sum_add(&s, fine, NULL) == 0 && s.has_big, "");
	CHECK(ryde_decimal_sum_add(&s, term, NULL) == 0, "");
	CHECK(ryde_decimal_sum_total(&s, &total, NULL) == 0, "");
	CHECK(strcmp(shown(&total), "2002999999999999997997.50000000000000001") == 0,
	    "%s", shown(&total));
	CHECK(ryde_decimal_sum_add(&s, ryde_view_of("1e999999999"), NULL) == -1, "");
	CHECK(ryde_decimal_sum_add(&s, ryde_view_of("nothing"), NULL) == -1, "");
	CHECK(ryde_decimal_sum_total(&s, &want, NULL) == 0, "");
	CHECK(ryde_decimal_cmp(&total, &want) == 0, "");
	ryde_decimal_sum_free(&s);
	ryde_decimal_free(&total);
	ryde_decimal_free(&want);
}

/* Source: the shortest forms of IEEE 754 binary64 as ECMA-262 and python3's repr give
 * them. */
static const struct {
	double x;
	const char *out;
} doubles[] = {
    {0.1, "0.1"},
    {-0.0, "0"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {100, "100"},
    {9007199254740993.0, "9007199254740992"},
    {1e21, "1000000000000000000000"},
    {1e23, "100000000000000000000000"},
    {5e-324, "5e-324"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {-73.985184, "-73.985184"},
};

static void
test_doubles(void)
{
	struct ryde_decimal d = {0};

	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		double x = doubles[i].x, back;

		CHECK(ryde_decimal_of_double(&d, x, NULL) == 0, "");
		CHECK(strcmp(shown(&d), doubles[i].out) == 0, "%.17g: %s", x, shown(&d));
		back = ryde_decimal_double(&d);
		CHECK(!(back < x) && !(back > x), "%.17g", x);
	}
	CHECK(ryde_decimal_of_double(&d, (double)INFINITY, NULL) == -1, "");
	CHECK(ryde_decimal_of_double(&d, (double)NAN, NULL) == -1, "");
	ryde_decimal_free(&d);
	d = number("1e400");
	CHECK(isinf(ryde_decimal_double(&d)), "");
	ryde_decimal_free(&d);
}

/* 2^53 + 1 is half way and goes to even; the least bit behind it, 900 digits away, goes
 * up. */
static void
test_double_rounding(void)
{
	struct ryde_decimal half = number("9007199254740993"), least = number("1e-900");

	CHECK(fabs(ryde_decimal_double(&half) - 9007199254740992.0) < 0.5, "");
	CHECK(ryde_decimal_add(&half, &least, NULL) == 0, "");
	CHECK(fabs(ryde_decimal_double(&half) - 9007199254740994.0) < 0.5, "");
	ryde_decimal_free(&half);
	ryde_decimal_free(&least);
}

/* Results may be longer than what is read, but not without end; a refusal changes
 * nothing. */
static void
test_limits(void)
{
	struct ryde_decimal d = number("1e4095"), tiny = number("1e-4095"), before = {0};
	struct ryde_err err = RYDE_ERR_INIT;
	int rounds = 0;

	CHECK(ryde_decimal_add(&d, &tiny, NULL) == 0, "");
	CHECK(ryde_decimal_sub(&d, &tiny, NULL) == 0, "");
	CHECK(strcmp(shown(&d), "1e+4095") == 0, "");
	do {
		CHECK(ryde_decimal_copy(&before, &d, NULL) == 0, "");
	} while (ryde_decimal_mul(&d, &d, &err) == 0 && ++rounds < 10);
	CHECK(rounds == 3 && err.code == RYDE_EDATA, "%d", rounds);
	CHECK(strcmp(err.msg, LONG_MESSAGE) == 0, "%s", err.msg);
	CHECK(ryde_decimal_cmp(&d, &before) == 0, "");
	ryde_decimal_free(&d);
	ryde_decimal_free(&tiny);
	ryde_decimal_free(&before);
}

/* Zeros that stand for nothing may be as many as they like; digits not. */
static void
test_long_texts(void)
{
	struct ryde_decimal d = {0};
	size_t n = 100000;
	char *p = malloc(n);

	CHECK(p != NULL, "");
	if (p == NULL)
		return;
	memset(p, '0', n);
	p[0] = '7';
	p[1] = '.';
	CHECK(ryde_decimal_parse(&d, ryde_view_mem(p, n), NULL) == 0, "");
	CHECK(strcmp(shown(&d), "7") == 0, "");
	p[0] = '0';
	memcpy(p + n - 8, "25e99993", 8);
	CHECK(ryde_decimal_parse(&d, ryde_view_mem(p, n), NULL) == 0, "");
	CHECK(strcmp(shown(&d), "250") == 0, "%s", shown(&d));
	memset(p, '9', n);
	CHECK(
	    ryde_decimal_parse(&d, ryde_view_mem(p, RYDE_DECIMAL_DIGITS_MAX), NULL) == 0,
	    "");
	CHECK(d.n == (RYDE_DECIMAL_DIGITS_MAX + 8) / 9, "");
	CHECK(ryde_decimal_parse(
		  &d, ryde_view_mem(p, RYDE_DECIMAL_DIGITS_MAX + 1), NULL) == -1,
	    "");
	ryde_decimal_free(&d);
	free(p);
}

int
main(void)
{
	ryde_buf_init(&text, 65536);
	test_forms();
	test_pairs();
	test_order();
	test_quotients();
	test_totals();
	test_overflow();
	test_doubles();
	test_double_rounding();
	test_limits();
	test_long_texts();
	ryde_buf_free(&text);
	return check_end("json_decimal");
}
