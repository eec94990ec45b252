#include "engine/query_number.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "json/decimal.h"
#include "json/literal.h"

#include <math.h>
#include <string.h>

/* 10^0 to 10^22 are doubles without rounding, and so is each integer up to 2^53. */
#define POWERS 23
#define SHORT_DIGITS 15
#define SHORT_MAX 1e15

static const double powers[POWERS] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The blanks that a number in text may begin with, in bytewise order: digits of base 6.
 */
static const char blanks[] = "\t\n\v\f\r ";
#define BASE 6u
#define SYMBOLS (BASE * BASE)
#define MAGIC "\r\t \n\f\v"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define EXPONENT_SPAN (SYMBOLS * SYMBOLS * SYMBOLS)
#define EXPONENT_ZERO ((int64_t)(EXPONENT_SPAN / 2))

/*
 * The fast way, for digits that a double or an integer holds as they are: both operands
 * of the division are exact, so its result is the double nearest to the number.
 */
static bool
read_short(struct ryde_query_number *n, struct ryde_view v)
{
	const char *p = v.p, *end = ryde_view_end(v);
	bool negative = p < end && *p == '-';
	int64_t m = 0;
	int digits = 0, decimals = -1;

	for (p += negative; p < end; p++) {
		if (*p == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || ++digits > 18)
			return false;
		m = m * 10 + (*p - '0');
		if (decimals >= 0)
			decimals++;
	}
	if (negative)
		m = -m;
	if (decimals < 0) {
		n->kind = RYDE_QUERY_NUMBER_INTEGER;
		n->integer = m;
		return true;
	}
	if (m >= (int64_t)SHORT_MAX || m <= -(int64_t)SHORT_MAX)
		return false;
	n->kind = RYDE_QUERY_NUMBER_REAL;
	n->real = (double)m / powers[decimals];
	return true;
}

static void
put_symbol(struct ryde_buf *b, unsigned symbol, bool negative)
{
	if (negative)
		symbol = SYMBOLS - 1 - symbol;
	ryde_buf_putc(b, blanks[symbol / BASE]);
	ryde_buf_putc(b, blanks[symbol % BASE]);
}

/* Sign, exponent, digits, and an end below every digit; a negative number upside down. */
static void
put_key(struct ryde_buf *b, const struct ryde_literal *l)
{
	int64_t exponent = l->exponent + (int64_t)l->n_whole - (int64_t)l->first - 1;
	unsigned e = (unsigned)(exponent + EXPONENT_ZERO);
	const char *p = l->digits;
	size_t at = 0;

	put_symbol(b, SYMBOLS - 2, l->negative);
	put_symbol(b, e / (SYMBOLS * SYMBOLS), l->negative);
	put_symbol(b, e / SYMBOLS % SYMBOLS, l->negative);
	put_symbol(b, e % SYMBOLS, l->negative);
	for (; at <= l->last; p++) {
		if (*p == '.')
			continue;
		if (at++ >= l->first)
			put_symbol(b, (unsigned)(*p - '0') + 1, l->negative);
	}
	put_symbol(b, 0, l->negative);
}

static void
put_exact(struct ryde_buf *b, const struct ryde_decimal *d, struct ryde_view number)
{
	struct ryde_literal l;
	struct ryde_buf text;

	ryde_buf_add(b, MAGIC, MAGIC_LEN);
	if (d == NULL) {
		ryde_buf_view(b, number);
		return;
	}
	ryde_buf_init(&text, RYDE_DECIMAL_RESULT_MAX + 64);
	ryde_decimal_put(&text, d);
	if (text.failed || !ryde_literal_look(&l, ryde_buf_as_view(&text)))
		b->failed = true;
	else
		put_key(b, &l);
	ryde_buf_view(b, ryde_buf_as_view(&text));
	ryde_buf_free(&text);
}

int
ryde_query_number(
    struct ryde_query_number *n, struct ryde_view number, struct ryde_buf *blob)
{
	struct ryde_decimal d = {0}, back = {0};
	struct ryde_err err = RYDE_ERR_INIT;
	int rc = -1;

	if (read_short(n, number))
		return 0;
	if (ryde_num_i64(number, INT64_MIN, INT64_MAX, &n->integer)) {
		n->kind = RYDE_QUERY_NUMBER_INTEGER;
		return 0;
	}
	n->kind = RYDE_QUERY_NUMBER_EXACT;
	n->real = INFINITY;
	if (ryde_decimal_parse(&d, number, &err) != 0) {
		if (err.code != RYDE_EDATA)
			goto out;
		put_exact(blob, NULL, number);
	} else {
		n->real = ryde_decimal_double(&d);
		if (isfinite(n->real)) {
			if (ryde_decimal_of_double(&back, n->real, &err) != 0)
				goto out;
			if (ryde_decimal_cmp(&d, &back) == 0)
				n->kind = RYDE_QUERY_NUMBER_REAL;
		}
		if (n->kind == RYDE_QUERY_NUMBER_EXACT)
			put_exact(blob, &d, number);
	}
	rc = blob->failed ? -1 : 0;
out:
	ryde_decimal_free(&d);
	ryde_decimal_free(&back);
	return rc;
}

bool
ryde_query_number_exact(struct ryde_view blob, struct ryde_view *text)
{
	struct ryde_literal l;
	struct ryde_view v;
	size_t at = MAGIC_LEN;

	if (blob.n <= MAGIC_LEN || memcmp(blob.p, MAGIC, MAGIC_LEN) != 0)
		return false;
	while (at < blob.n && memchr(blanks, blob.p[at], BASE) != NULL)
		at++;
	v = ryde_view_mem(blob.p + at, blob.n - at);
	if (v.n == 0 || !ryde_literal_look(&l, v))
		return false;
	*text = v;
	return true;
}

/* The digits and decimals of x where 15 digits are enough; false where they are not. */
static bool
look_short(double x, int64_t *m, int *decimals)
{
	if (!(x < SHORT_MAX && x > -SHORT_MAX))
		return false;
	for (int k = 0; k < POWERS; k++) {
		double scaled = x * powers[k];

		if (scaled >= SHORT_MAX || scaled <= -SHORT_MAX)
			return false;
		scaled = nearbyint(scaled);
		/* exact operands: equal means that this decimal reads back as x */
		if (scaled / powers[k] == x) {
			*m = (int64_t)scaled;
			*decimals = k;
			return true;
		}
	}
	return false;
}

bool
ryde_query_number_is_short(double x)
{
	struct ryde_literal l;
	struct ryde_decimal d = {0};
	struct ryde_buf text;
	int64_t m;
	int decimals;
	bool is_short = look_short(x, &m, &decimals);

	if (is_short)
		return true;
	ryde_buf_init(&text, 2048);
	if (ryde_decimal_of_double(&d, x, NULL) == 0) {
		ryde_decimal_put(&text, &d);
		is_short = ryde_literal_look(&l, ryde_buf_as_view(&text)) &&
			   l.last - l.first < SHORT_DIGITS;
	}
	ryde_decimal_free(&d);
	ryde_buf_free(&text);
	return is_short;
}

static void
put_short(struct ryde_buf *b, int64_t m, int decimals)
{
	char text[48];
	char *p = text + sizeof(text);
	bool negative = m < 0;

	if (negative)
		m = -m;
	for (int i = 0; i < decimals || m > 0 || i == decimals; i++) {
		if (i == decimals && i > 0)
			*--p = '.';
		*--p = (char)('0' + m % 10);
		m /= 10;
	}
	if (negative)
		*--p = '-';
	ryde_buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void
ryde_query_number_put(struct ryde_buf *b, double x)
{
	struct ryde_decimal d = {0};
	int64_t m;
	int decimals;

	if (look_short(x, &m, &decimals)) {
		put_short(b, m, decimals);
		return;
	}
	if (ryde_decimal_of_double(&d, x, NULL) != 0)
		b->failed = true;
	else
		ryde_decimal_put(b, &d);
	ryde_decimal_free(&d);
}
