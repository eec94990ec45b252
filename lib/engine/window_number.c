#include "engine/window_number.h"

#include "json/decimal.h"

#define EXPONENT_MAX 99 /* beyond it a number is none of the small ones */

static const int64_t powers[RYDE_WINDOW_NUMBER_DIGITS + 1] = {1, 10, 100, 1000, 10000,
    100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
    100000000000000000, 1000000000000000000};

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind the e, or one that is too large for a small number. */
static int
read_exponent(const char *p, const char *end)
{
	bool negative = *p == '-';
	int e = 0;

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end && e <= EXPONENT_MAX; p++)
		e = e * 10 + (*p - '0');
	return negative ? -e : e;
}

/* Brings a scale that an exponent has moved back into 0 to 18, where that is possible. */
static bool
settle(struct ryde_window_number *n)
{
	if (n->coefficient == 0) {
		n->scale = 0;
		return true;
	}
	while (n->scale > 0 && n->coefficient % 10 == 0) {
		n->coefficient /= 10;
		n->scale--;
	}
	if (n->scale > RYDE_WINDOW_NUMBER_DIGITS || n->scale < -RYDE_WINDOW_NUMBER_DIGITS)
		return false;
	if (n->scale < 0) {
		int64_t limit = powers[RYDE_WINDOW_NUMBER_DIGITS] / powers[-n->scale];

		if (n->coefficient >= limit || n->coefficient <= -limit)
			return false;
		n->coefficient *= powers[-n->scale];
		n->scale = 0;
	}
	return true;
}

/* Its value; over 9 where it is none. */
static inline uint64_t
digit_of(char c)
{
	return (uint64_t)(unsigned char)c - '0';
}

/* Digits with at most one point: nearly all numbers. False where text is longer or
 * another form. */
static inline bool
read_plain(struct ryde_window_number *n, struct ryde_view text)
{
	bool minus = text.p[0] == '-';
	const char *p = text.p + minus, *end = ryde_view_end(text), *fraction = end;
	uint64_t c = 0, digit;

	if (text.n > RYDE_WINDOW_NUMBER_DIGITS)
		return false;
	for (; p < end && (digit = digit_of(*p)) <= 9; p++)
		c = c * 10 + digit;
	if (p < end && *p == '.') {
		for (fraction = ++p; p < end && (digit = digit_of(*p)) <= 9; p++)
			c = c * 10 + digit;
	}
	if (p < end)
		return false;
	n->coefficient = minus ? -(int64_t)c : (int64_t)c; /* below 10^18 */
	n->scale = (int)(end - fraction);
	n->small = true;
	n->plain = !minus || c != 0;
	return true;
}

/* Any number. */
__attribute__((noinline)) static void
read_any(struct ryde_window_number *n, struct ryde_view text)
{
	const char *p = text.p, *end = p + text.n, *first, *point = NULL;
	uint64_t c = 0;
	bool negative = *p == '-';

	n->small = false;
	n->plain = true;
	if (negative)
		p++;
	/* Digits and a point: 18 of them cannot overflow, more are seen to be too many.
	 */
	first = p;
	if (end - p > RYDE_WINDOW_NUMBER_DIGITS + 6)
		return;
	for (; p < end && is_digit(*p); p++)
		c = c * 10 + (uint64_t)(*p - '0'); /* a digit */
	if (p - first > RYDE_WINDOW_NUMBER_DIGITS)
		return;
	n->scale = 0;
	if (p < end && *p == '.') {
		point = p++;
		if (end - first > RYDE_WINDOW_NUMBER_DIGITS + 1)
			return;
		for (; p < end && is_digit(*p); p++)
			c = c * 10 + (uint64_t)(*p - '0'); /* a digit */
		n->scale = (int)(p - point) - 1;	   /* at most 18: checked above */
	}
	n->coefficient = negative ? -(int64_t)c : (int64_t)c; /* below 10^18 */
	if (p < end) {
		n->plain = false;
		n->scale -= read_exponent(p + 1, end);
		if (!settle(n))
			return;
	} else if (negative && c == 0) {
		n->plain = false;
	}
	n->small = true;
}

void
ryde_window_number_read(struct ryde_window_number *n, struct ryde_view text)
{
	if (!read_plain(n, text))
		read_any(n, text);
}

int
ryde_window_number_cmp(
    const struct ryde_window_number *a, const struct ryde_window_number *b)
{
	ryde_window_number_wide x = a->coefficient, y = b->coefficient;

	if (a->scale < b->scale)
		x *= powers[b->scale - a->scale];
	else if (a->scale > b->scale)
		y *= powers[a->scale - b->scale];
	return (x > y) - (x < y);
}

size_t
ryde_window_number_text(ryde_window_number_wide value, int scale, char *to)
{
	char digits[RYDE_WINDOW_NUMBER_TEXT];
	size_t n = 0, at = 0;
	uint64_t narrow; /* its amount */
	bool negative = value < 0;

	/* Dividing 128 bits is slow. */
	while (value > INT64_MAX || value < -INT64_MAX) {
		int digit = (int)(value % 10); /* -9 to 9 */

		digits[n++] = (char)('0' + (digit < 0 ? -digit : digit));
		value /= 10;
	}
	narrow = (uint64_t)(negative ? -(int64_t)value : (int64_t)value);
	do {
		digits[n++] = (char)('0' + narrow % 10);
		narrow /= 10;
	} while (narrow != 0 || n <= (size_t)scale);
	if (negative)
		to[at++] = '-';
	while (n > 0) {
		if (n == (size_t)scale)
			to[at++] = '.';
		to[at++] = digits[--n];
	}
	return at;
}

int
ryde_window_number_decimal(ryde_window_number_wide value, int scale,
    struct ryde_decimal *to, struct ryde_err *err)
{
	char text[RYDE_WINDOW_NUMBER_TEXT];
	size_t n = ryde_window_number_text(value, scale, text);

	return ryde_decimal_parse(to, ryde_view_mem(text, n), err);
}

bool
ryde_window_number_shift(ryde_window_number_wide *total, int by)
{
	ryde_window_number_wide shifted;

	if (__builtin_mul_overflow(*total, powers[by], &shifted))
		return false;
	*total = shifted;
	return true;
}

bool
ryde_window_number_add(ryde_window_number_wide *total, int64_t term, int by)
{
	ryde_window_number_wide sum;

	/* term and the power are below 10^18 each: their product fits. */
	if (__builtin_add_overflow(
		*total, (ryde_window_number_wide)term * powers[by], &sum))
		return false;
	*total = sum;
	return true;
}
