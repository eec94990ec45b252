/*
 * Exact decimals of any length, from and to JSON numbers. A value is sign * digits *
 * 10^exponent. Nothing is ever rounded, except where a function's name and arguments say
 * so.
 */
#ifndef RYDE_JSON_DECIMAL_H
#define RYDE_JSON_DECIMAL_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

/*
 * Numbers are refused as they are read when their digits, written out in full, would be
 * more than this (1e400 is fine, 1e999999999 is not; 0e999999999 is 0). The results of
 * arithmetic may have RYDE_DECIMAL_RESULT_MAX digits: so the sum of any numbers that
 * could be read, and that of their squares, never fails for its length.
 */
#define RYDE_DECIMAL_DIGITS_MAX 4096
#define RYDE_DECIMAL_RESULT_MAX (8 * RYDE_DECIMAL_DIGITS_MAX)

/*
 * A decimal. Those whose coefficient fits an int64_t live in it; larger ones own limbs on
 * the heap. {0} is zero and needs no free. The fields belong to decimal.c, except that
 * callers may copy a struct whose limbs are NULL.
 *
 * Each function that gives a decimal takes an initialised one ({0}, or one with a value,
 * which is freed), and leaves it as it was when it fails. The operands of one call may be
 * the same decimal. Failures are RYDE_EDATA "number too long for exact arithmetic", and
 * no memory.
 */
struct ryde_decimal {
	int64_t small;	  /* coefficient while limbs is NULL */
	uint32_t *limbs;  /* base 10^9, least significant first; NULL for small ones */
	uint32_t n, cap;  /* limbs in use, limbs allocated */
	int32_t exponent; /* of ten */
	bool negative;	  /* sign of the limbs */
};

/* Frees what it owns and makes it zero. */
void ryde_decimal_free(struct ryde_decimal *d);
/*
 * Reads a JSON number. -1 with RYDE_EDATA also where it is none. Digits are kept as they
 * are, however many zeros they begin or end with: only those between count.
 */
int ryde_decimal_parse(
    struct ryde_decimal *d, struct ryde_view number, struct ryde_err *err);
int ryde_decimal_copy(
    struct ryde_decimal *d, const struct ryde_decimal *from, struct ryde_err *err);
void ryde_decimal_of_i64(struct ryde_decimal *d, int64_t v);
/* d += x; d -= x; d *= x. */
int ryde_decimal_add(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err);
int ryde_decimal_sub(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err);
int ryde_decimal_mul(
    struct ryde_decimal *d, const struct ryde_decimal *x, struct ryde_err *err);
/* -1, 0 or 1; by value: 1.10 equals 1.1. */
int ryde_decimal_cmp(const struct ryde_decimal *a, const struct ryde_decimal *b);
bool ryde_decimal_is_zero(const struct ryde_decimal *d);
/*
 * q = d / by with at most `digits` (1 or more) significant digits, rounded half to even
 * on the exact quotient; exact where it fits. Division by zero is RYDE_EDATA.
 */
int ryde_decimal_div(struct ryde_decimal *q, const struct ryde_decimal *d,
    const struct ryde_decimal *by, unsigned digits, struct ryde_err *err);
/* The nearest double, infinite beyond the largest. For stddev and sketches only. */
double ryde_decimal_double(const struct ryde_decimal *d);
/* The natural logarithm of |d|, -infinity for zero; also where d itself is beyond any
 * double. */
double ryde_decimal_ln(const struct ryde_decimal *d);
/*
 * The square root of d / by, both not negative and by not zero, with at most `digits` (1
 * or more) significant digits: correctly rounded, half to even; exact where it fits.
 */
int ryde_decimal_root(struct ryde_decimal *root, const struct ryde_decimal *d,
    const struct ryde_decimal *by, unsigned digits, struct ryde_err *err);
/* The shortest decimal that reads back as x. -1 with RYDE_EDATA where x is not finite. */
int ryde_decimal_of_double(struct ryde_decimal *d, double x, struct ryde_err *err);

/*
 * Appends the number in plain JSON: no trailing zeros behind the point, no exponent while
 * it has at most 130 digits written out, else d.ddde+x or d.ddde-x. Zero is 0, also for
 * -0.
 */
void ryde_decimal_put(struct ryde_buf *b, const struct ryde_decimal *d);

/*
 * A running sum, fast for the common case: terms of up to 18 digits and no exponent are
 * added as 128-bit integers without touching the heap.
 */
struct ryde_decimal_sum {
	__extension__ __int128 fast; /* sum * 10^scale of what went the fast way */
	int scale;		     /* digits behind the point of fast, 0 to 18 */
	struct ryde_decimal big;     /* what did not */
	bool has_big;
};
void ryde_decimal_sum_init(struct ryde_decimal_sum *s);
void ryde_decimal_sum_free(struct ryde_decimal_sum *s);
/*
 * Adds a JSON number. -1 with RYDE_EDATA where it is too long or none, or without memory;
 * the sum is then what it was. A number that was accepted is summed exactly.
 */
int ryde_decimal_sum_add(
    struct ryde_decimal_sum *s, struct ryde_view number, struct ryde_err *err);
/* Adds what another sum has come to. */
int ryde_decimal_sum_merge(struct ryde_decimal_sum *s,
    const struct ryde_decimal_sum *other, struct ryde_err *err);
/* total = the sum so far; the sum stays. */
int ryde_decimal_sum_total(
    const struct ryde_decimal_sum *s, struct ryde_decimal *total, struct ryde_err *err);

#endif
