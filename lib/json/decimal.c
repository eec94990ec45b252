#include "json/decimal.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/decimal_scan.h"
#include "json/limbs.h"
#include "json/literal.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

#define PLAIN_MAX 130 /* digits written out without an exponent */
#define TEN_MAX \
	18 /* the largest power of ten that an int64_t may be multiplied by in a wide */

static int
too_long(struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_EDATA, "number too long for exact arithmetic");
}

/* A decimal seen as limbs, whichever way it is kept. */
struct operand {
	const uint32_t *p; /* trimmed */
	uint32_t n;
	uint32_t own[RYDE_LIMBS_U64];
	bool negative;
	int32_t exponent;
};

static void
operand_init(struct operand *o, const struct ryde_decimal *d)
{
	o->exponent = d->exponent;
	if (d->limbs != NULL) {
		o->p = d->limbs;
		o->n = d->n;
		o->negative = d->negative;
		return;
	}
	o->negative = d->small < 0;
	o->n = ryde_limbs_of_u64(
	    o->own, o->negative ? 0 - (uint64_t)d->small : (uint64_t)d->small);
	o->p = o->own;
}

/* Digits that a number of so many significant ones takes when it is written without an
 * exponent. */
static int64_t
written_digits(int64_t digits, int64_t exponent)
{
	int64_t whole = digits + exponent;

	return (whole > 1 ? whole : 1) + (exponent < 0 ? -exponent : 0);
}

static void
set_small(struct ryde_decimal *d, int64_t coefficient, int32_t exponent)
{
	free(d->limbs);
	*d = (struct ryde_decimal){
	    .small = coefficient, .exponent = coefficient != 0 ? exponent : 0};
}

/* The value of up to three limbs, where it is sure to fit an int64_t. */
static bool
fits_small(const uint32_t *p, uint32_t n, int64_t *v)
{
	*v = 0;
	if (n > 3 || (n == 3 && p[2] >= 9))
		return false;
	for (uint32_t i = n; i-- > 0;)
		*v = *v * RYDE_LIMBS_BASE + p[i];
	return true;
}

/* Makes d the number of n limbs at p, which come from malloc and belong to d afterwards,
 * or are freed. */
static int
install(struct ryde_decimal *d, uint32_t *p, uint32_t n, uint32_t cap, int64_t exponent,
    bool negative, struct ryde_err *err)
{
	int64_t small;

	n = ryde_limbs_trim(p, n);
	if (written_digits(ryde_limbs_digits(p, n), exponent) > RYDE_DECIMAL_RESULT_MAX) {
		/* zeros at the end do not count: 0.2 * 5 is 1, not 1.0 */
		uint32_t zeros = ryde_limbs_zeros(p, n);

		n = ryde_limbs_drop(p, n, zeros);
		exponent += zeros;
	}
	if (n != 0 &&
	    written_digits(ryde_limbs_digits(p, n), exponent) > RYDE_DECIMAL_RESULT_MAX) {
		free(p);
		return too_long(err);
	}
	if (fits_small(p, n, &small)) {
		set_small(d, negative ? -small : small, (int32_t)exponent);
		free(p);
		return 0;
	}
	free(d->limbs);
	*d = (struct ryde_decimal){.limbs = p,
	    .n = n,
	    .cap = cap,
	    .exponent = (int32_t)exponent,
	    .negative = negative};
	return 0;
}

static uint32_t *
limbs_new(uint32_t n)
{
	return malloc((size_t)n * sizeof(uint32_t));
}

void
ryde_decimal_free(struct ryde_decimal *d)
{
	if (d != NULL)
		set_small(d, 0, 0);
}

void
ryde_decimal_of_i64(struct ryde_decimal *d, int64_t v)
{
	set_small(d, v, 0);
}

int
ryde_decimal_copy(
    struct ryde_decimal *d, const struct ryde_decimal *from, struct ryde_err *err)
{
	if (d == from)
		return 0;
	if (from->limbs == NULL) {
		set_small(d, from->small, from->exponent);
		return 0;
	}
	if (d->cap < from->n) {
		uint32_t *p = limbs_new(from->n);

		if (p == NULL)
			return ryde_err_nomem(err);
		free(d->limbs);
		d->limbs = p;
		d->cap = from->n;
	}
	memcpy(d->limbs, from->limbs, from->n * sizeof(*d->limbs));
	d->small = 0;
	d->n = from->n;
	d->exponent = from->exponent;
	d->negative = from->negative;
	return 0;
}

bool
ryde_decimal_is_zero(const struct ryde_decimal *d)
{
	return d->limbs == NULL && d->small == 0;
}

int
ryde_decimal_parse(struct ryde_decimal *d, struct ryde_view number, struct ryde_err *err)
{
	struct ryde_literal l;
	int64_t coefficient, exponent, digits;
	uint32_t *p, n;
	int scale;

	if (ryde_decimal_scan(number, &coefficient, &scale)) {
		set_small(d, coefficient, -scale);
		return 0;
	}
	if (!ryde_literal_look(&l, number))
		return ryde_err_set(err, RYDE_EDATA, "not a number");
	if (!l.nonzero) {
		set_small(d, 0, 0);
		return 0;
	}
	digits = (int64_t)(l.last - l.first) + 1;
	exponent = l.exponent + (int64_t)l.n_whole - 1 - (int64_t)l.last;
	if (written_digits(digits, exponent) > RYDE_DECIMAL_DIGITS_MAX)
		return too_long(err);
	n = ((uint32_t)digits + RYDE_LIMBS_DIGITS - 1) / RYDE_LIMBS_DIGITS;
	p = limbs_new(n);
	if (p == NULL)
		return ryde_err_nomem(err);
	ryde_literal_limbs(&l, p, n);
	return install(d, p, n, n, exponent, l.negative, err);
}

/* d += x, or -= where flip is set, in limbs. Neither is zero. */
static int
add_long(
    struct ryde_decimal *d, const struct ryde_decimal *x, bool flip, struct ryde_err *err)
{
	struct operand a, b;
	uint32_t shift_a, shift_b, room, na, nb, *p, *q;
	int32_t exponent;
	bool negative;

	operand_init(&a, d);
	operand_init(&b, x);
	exponent = a.exponent < b.exponent ? a.exponent : b.exponent;
	shift_a = (uint32_t)(a.exponent - exponent);
	shift_b = (uint32_t)(b.exponent - exponent);
	na = ryde_limbs_shift_room(a.n, shift_a);
	nb = ryde_limbs_shift_room(b.n, shift_b);
	room = (na > nb ? na : nb) + 1;
	p = limbs_new(2 * room);
	if (p == NULL)
		return ryde_err_nomem(err);
	q = p + room;
	na = ryde_limbs_shift(p, a.p, a.n, shift_a);
	nb = ryde_limbs_shift(q, b.p, b.n, shift_b);
	negative = a.negative;
	if (a.negative == (b.negative != flip)) {
		na = ryde_limbs_add(p, na, q, nb);
	} else if (ryde_limbs_cmp(p, na, q, nb) >= 0) {
		na = ryde_limbs_sub(p, na, q, nb);
	} else {
		na = ryde_limbs_sub(q, nb, p, na);
		memmove(p, q, na * sizeof(*p));
		negative = !negative;
	}
	return install(d, p, na, 2 * room, exponent, negative, err);
}

/* The sum of two small ones that also is one; false where the long way must do it. */
static bool
add_small(struct ryde_decimal *d, const struct ryde_decimal *x, bool flip)
{
	wide a = d->small, b = flip ? -(wide)x->small : x->small;
	int32_t apart = d->exponent - x->exponent;
	int32_t exponent = apart < 0 ? d->exponent : x->exponent;

	if (apart > TEN_MAX || apart < -TEN_MAX)
		return false;
	if (apart > 0)
		a *= (wide)ryde_limbs_pow10[apart];
	else
		b *= (wide)ryde_limbs_pow10[-apart];
	a += b;
	if (a > INT64_MAX || a < INT64_MIN)
		return false;
	set_small(d, (int64_t)a, exponent);
	return true;
}

static int
add_signed(
    struct ryde_decimal *d, const struct ryde_decimal *x, bool flip, struct ryde_err *err)
{
	if (ryde_decimal_is_zero(x))
		return 0;
	if (ryde_decimal_is_zero(d))
		d->exponent = x->exponent; /* so that the result is no longer than x */
	if (d->limbs == NULL && x->limbs == NULL && add_small(d, x, flip))
		return 0;
	if (add_long(d, x, flip, err) == 0)
		return 0;
	if (ryde_decimal_is_zero(d))
		d->exponent = 0;
	return -1;
}

int
ryde_decimal_add(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err)
{
	return add_signed(d, x, false, err);
}

int
ryde_decimal_sub(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err)
{
	return add_signed(d, x, true, err);
}

int
ryde_decimal_mul(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err)
{
	struct operand a, b;
	int64_t exponent = (int64_t)d->exponent + x->exponent;
	uint32_t n, *p;

	if (d->limbs == NULL && x->limbs == NULL) {
		wide product = (wide)d->small * x->small;

		if (product == 0 || (product <= INT64_MAX && product >= INT64_MIN &&
					exponent > -RYDE_DECIMAL_DIGITS_MAX &&
					exponent < RYDE_DECIMAL_DIGITS_MAX)) {
			set_small(d, (int64_t)product, (int32_t)exponent);
			return 0;
		}
	}
	operand_init(&a, d);
	operand_init(&b, x);
	p = limbs_new(a.n + b.n + 1);
	if (p == NULL)
		return ryde_err_nomem(err);
	n = ryde_limbs_mul(p, a.p, a.n, b.p, b.n);
	return install(d, p, n, a.n + b.n + 1, exponent, a.negative != b.negative, err);
}

static int
sign_of(const struct ryde_decimal *d)
{
	if (d->limbs != NULL)
		return d->negative ? -1 : 1;
	return (d->small > 0) - (d->small < 0);
}

/* Compares the magnitudes digit by digit from the top, whatever the exponents. Neither is
 * zero. */
static int
cmp_long(const struct ryde_decimal *a, const struct ryde_decimal *b)
{
	struct operand x, y;
	uint32_t x_digits, y_digits;
	int64_t apart;

	operand_init(&x, a);
	operand_init(&y, b);
	x_digits = ryde_limbs_digits(x.p, x.n);
	y_digits = ryde_limbs_digits(y.p, y.n);
	apart = ((int64_t)x_digits + x.exponent) - ((int64_t)y_digits + y.exponent);
	if (apart != 0)
		return apart < 0 ? -1 : 1;
	for (uint32_t at = 0; at < x_digits || at < y_digits; at += RYDE_LIMBS_DIGITS) {
		uint32_t m = ryde_limbs_nine(x.p, x.n, x_digits, at);
		uint32_t n = ryde_limbs_nine(y.p, y.n, y_digits, at);

		if (m != n)
			return m < n ? -1 : 1;
	}
	return 0;
}

int
ryde_decimal_cmp(const struct ryde_decimal *a, const struct ryde_decimal *b)
{
	int sign = sign_of(a);
	int32_t apart = a->exponent - b->exponent;

	if (sign != sign_of(b))
		return sign < sign_of(b) ? -1 : 1;
	if (sign == 0)
		return 0;
	if (a->limbs == NULL && b->limbs == NULL && apart <= TEN_MAX &&
	    apart >= -TEN_MAX) {
		wide x = a->small, y = b->small;

		if (apart > 0)
			x *= (wide)ryde_limbs_pow10[apart];
		else if (apart < 0)
			y *= (wide)ryde_limbs_pow10[-apart];
		return (x > y) - (x < y);
	}
	return sign * cmp_long(a, b);
}

/*
 * Rounds the n limbs of a quotient to `digits` digits, half to even; more says that
 * something is left behind them. *exponent grows by the digits taken away. There is room
 * for one limb more.
 */
static uint32_t
round_even(uint32_t *p, uint32_t n, uint32_t digits, bool more, int64_t *exponent)
{
	static const uint32_t one = 1;
	uint32_t have = ryde_limbs_digits(p, n), extra, rest, unit;

	if (have <= digits)
		return n;
	extra = have - digits; /* one or two, by the choice of the shift */
	unit = (uint32_t)ryde_limbs_pow10[extra];
	n = ryde_limbs_div_small(p, n, unit, &rest);
	*exponent += extra;
	if (2 * rest > unit || (2 * rest == unit && (more || p[0] % 2 != 0)))
		n = ryde_limbs_add(p, n, &one, 1);
	return n;
}

/* The quotient of two that are not zero. */
static int
div_long(struct ryde_decimal *q, const struct operand *a, const struct operand *b,
    uint32_t digits, struct ryde_err *err)
{
	/* Shifted so far, the integer quotient has one or two digits more than asked for.
	 */
	int64_t shift = (int64_t)digits + 1 + ryde_limbs_digits(b->p, b->n) -
			ryde_limbs_digits(a->p, a->n);
	uint32_t shift_a = shift > 0 ? (uint32_t)shift : 0;
	uint32_t shift_b = shift < 0 ? (uint32_t)-shift : 0;
	uint32_t room_a = ryde_limbs_shift_room(a->n, shift_a) + 1;
	uint32_t room_b = ryde_limbs_shift_room(b->n, shift_b);
	int64_t exponent = (int64_t)a->exponent - b->exponent - shift;
	uint32_t *work = limbs_new(room_a + room_b), *p = limbs_new(room_a + 1);
	uint32_t n, na, nb, zeros;
	int rc = -1;

	if (work == NULL || p == NULL) {
		ryde_err_nomem(err);
		goto out;
	}
	na = ryde_limbs_shift(work, a->p, a->n, shift_a);
	nb = ryde_limbs_shift(work + room_a, b->p, b->n, shift_b);
	n = ryde_limbs_div(p, work, na, work + room_a, nb);
	n = round_even(p, n, digits, ryde_limbs_trim(work, na + 1) != 0, &exponent);
	zeros = ryde_limbs_zeros(p, n);
	n = ryde_limbs_drop(p, n, zeros);
	rc = install(
	    q, p, n, room_a + 1, exponent + zeros, a->negative != b->negative, err);
	p = NULL;
out:
	free(work);
	free(p);
	return rc;
}

int
ryde_decimal_div(struct ryde_decimal *q, const struct ryde_decimal *d,
    const struct ryde_decimal *by, unsigned digits, struct ryde_err *err)
{
	struct operand a, b;

	if (ryde_decimal_is_zero(by))
		return ryde_err_set(err, RYDE_EDATA, "division by zero");
	if (ryde_decimal_is_zero(d)) {
		set_small(q, 0, 0);
		return 0;
	}
	if (digits > RYDE_DECIMAL_RESULT_MAX)
		digits = RYDE_DECIMAL_RESULT_MAX;
	operand_init(&a, d);
	operand_init(&b, by);
	return div_long(q, &a, &b, digits != 0 ? digits : 1, err);
}

/* Writes the first n_digits digits of o, without the zeros behind them, to text. */
static void
write_digits(const struct operand *o, uint32_t digits, uint32_t n_digits, char *text)
{
	for (uint32_t at = 0; at < n_digits; at += RYDE_LIMBS_DIGITS) {
		uint32_t x = ryde_limbs_nine(o->p, o->n, digits, at);
		char nine[RYDE_LIMBS_DIGITS];
		uint32_t n = n_digits - at;

		for (uint32_t i = RYDE_LIMBS_DIGITS; i-- > 0; x /= 10)
			nine[i] = (char)('0' + x % 10);
		memcpy(text + at, nine, n < sizeof(nine) ? n : sizeof(nine));
	}
}

/* Appends digits at text, the last of which stands for 10^exponent, without an exponent.
 */
static void
put_plain(struct ryde_buf *b, const char *text, uint32_t digits, int64_t exponent)
{
	int64_t whole = digits + exponent;

	if (exponent >= 0) {
		ryde_buf_add(b, text, digits);
		for (; exponent > 0; exponent--)
			ryde_buf_putc(b, '0');
	} else if (whole > 0) {
		ryde_buf_add(b, text, (size_t)whole);
		ryde_buf_putc(b, '.');
		ryde_buf_add(b, text + whole, digits - (size_t)whole);
	} else {
		ryde_buf_puts(b, "0.");
		for (; whole < 0; whole++)
			ryde_buf_putc(b, '0');
		ryde_buf_add(b, text, digits);
	}
}

/* Appends one that is not plain: its digits in place, then moved by one to make room for
 * the point. */
static void
put_scientific(struct ryde_buf *b, const struct operand *o, uint32_t all, uint32_t digits,
    int64_t exponent)
{
	char *p = ryde_buf_room(b, (size_t)digits + 1);

	if (p == NULL)
		return;
	write_digits(o, all, digits, p + 1);
	p[0] = p[1];
	p[1] = '.';
	ryde_buf_added(b, digits > 1 ? (size_t)digits + 1 : 1);
	exponent += (int64_t)digits - 1;
	ryde_buf_puts(b, exponent < 0 ? "e" : "e+");
	ryde_buf_i64(b, exponent);
}

void
ryde_decimal_put(struct ryde_buf *b, const struct ryde_decimal *d)
{
	struct operand o;
	char text[PLAIN_MAX];
	uint32_t all, zeros, digits;
	int64_t exponent;

	operand_init(&o, d);
	if (o.n == 0) {
		ryde_buf_putc(b, '0');
		return;
	}
	if (o.negative)
		ryde_buf_putc(b, '-');
	all = ryde_limbs_digits(o.p, o.n);
	zeros = ryde_limbs_zeros(o.p, o.n);
	digits = all - zeros;
	exponent = (int64_t)o.exponent + zeros;
	if (written_digits(digits, exponent) > PLAIN_MAX) {
		put_scientific(b, &o, all, digits, exponent);
		return;
	}
	write_digits(&o, all, digits, text);
	put_plain(b, text, digits, exponent);
}

/*
 * A double is fixed by 768 digits and the knowledge whether anything follows: a 1 behind
 * them stands for all the rest. Source: the longest exact midpoint of two doubles has 767
 * significant digits.
 */
#define DOUBLE_DIGITS 800

double
ryde_decimal_double(const struct ryde_decimal *d)
{
	struct operand o;
	char text[DOUBLE_DIGITS + 40];
	uint32_t all, digits;
	int64_t exponent = d->exponent;

	if (ryde_decimal_is_zero(d))
		return 0;
	operand_init(&o, d);
	all = ryde_limbs_digits(o.p, o.n);
	digits = all;
	text[0] = o.negative ? '-' : '+';
	if (all > DOUBLE_DIGITS) {
		digits = DOUBLE_DIGITS;
		exponent += all - digits;
		if (ryde_limbs_zeros(o.p, o.n) < all - digits) {
			digits++;
			exponent--;
		}
	}
	write_digits(&o, all, digits < all ? digits : all, text + 1);
	if (digits > DOUBLE_DIGITS)
		text[digits] = '1';
	/* strtod rounds correctly, and no point of the locale's own is in the text. */
	snprintf(
	    text + 1 + digits, sizeof(text) - 1 - digits, "e%lld", (long long)exponent);
	return strtod(text, NULL);
}

double
ryde_decimal_ln(const struct ryde_decimal *d)
{
	struct operand o;
	struct ryde_decimal near_one = *d; /* borrows the limbs */
	int32_t tens;

	operand_init(&o, d);
	tens = d->exponent + (int32_t)ryde_limbs_digits(o.p, o.n) - 1;
	near_one.exponent -= tens;
	return log(fabs(ryde_decimal_double(&near_one))) + tens * log(10);
}

int
ryde_decimal_of_double(struct ryde_decimal *d, double x, struct ryde_err *err)
{
	char text[64], *e;
	int64_t coefficient = 0, exponent;
	int digits = 0;
	bool negative = signbit(x) != 0;

	if (!isfinite(x))
		return ryde_err_set(err, RYDE_EDATA, "not a finite number");
	/* Fewest digits first. strtod is the measure here: it is what "reads back" means.
	 */
	do {
		snprintf(text, sizeof(text), "%.*e", digits, fabs(x));
	} while (strtod(text, NULL) != fabs(x) && ++digits < DBL_DECIMAL_DIG);
	/* The point may be the locale's: whatever is no digit before the e is passed
	 * over. */
	for (e = text; *e != 'e'; e++) {
		if (*e >= '0' && *e <= '9')
			coefficient = coefficient * 10 + (*e - '0');
	}
	exponent = 0;
	for (const char *p = e + 2; *p != '\0'; p++)
		exponent = exponent * 10 + (*p - '0');
	if (e[1] == '-')
		exponent = -exponent;
	set_small(d, negative ? -coefficient : coefficient, (int32_t)(exponent - digits));
	return 0;
}
