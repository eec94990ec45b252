#include "json/decimal.h"

#include <math.h>

#define GUARD 6		 /* digits that are computed beyond those that are wanted */
#define DOUBLE_DIGITS 15 /* of the first guess that can be relied on */

/* The first guess, from the double of d with its exponent made small and even. */
static int
guess(struct ryde_decimal *y, const struct ryde_decimal *d, struct ryde_err *err)
{
	struct ryde_decimal near_one = *d; /* borrows the limbs */
	int32_t tens = (int32_t)(ryde_decimal_ln(d) / (2 * log(10)));

	near_one.exponent -= 2 * tens;
	if (ryde_decimal_of_double(y, sqrt(ryde_decimal_double(&near_one)), err) != 0)
		return -1;
	y->exponent += tens;
	return 0;
}

/* Newton: y = (y + v / y) / 2 doubles the digits that are right. */
static int
approach(struct ryde_decimal *y, const struct ryde_decimal *v, unsigned digits,
    struct ryde_err *err)
{
	struct ryde_decimal q = {0}, two = {0};
	int rc = guess(y, v, err);

	ryde_decimal_of_i64(&two, 2);
	for (unsigned right = DOUBLE_DIGITS; rc == 0 && right < digits;
	     right = 2 * right - 2) {
		rc = ryde_decimal_div(&q, v, y, digits, err);
		if (rc == 0)
			rc = ryde_decimal_add(y, &q, err);
		if (rc == 0)
			rc = ryde_decimal_div(y, y, &two, digits, err);
	}
	ryde_decimal_free(&q);
	return rc;
}

/* to = y moved by so many units of its last guarded digit, rounded. */
static int
rounded(struct ryde_decimal *to, const struct ryde_decimal *y, int units, unsigned digits,
    struct ryde_err *err)
{
	struct ryde_decimal moved = {0}, one = {0};
	int rc;

	ryde_decimal_of_i64(&one, 1);
	rc = ryde_decimal_copy(&moved, y, err);
	if (rc == 0) {
		/* y * units / 10^(digits + GUARD - 2) */
		ryde_decimal_of_i64(to, units);
		to->exponent = -(int32_t)(digits + GUARD - 2);
		rc = ryde_decimal_mul(to, y, err);
	}
	if (rc == 0)
		rc = ryde_decimal_add(&moved, to, err);
	if (rc == 0)
		rc = ryde_decimal_div(to, &moved, &one, digits, err);
	ryde_decimal_free(&moved);
	return rc;
}

/* Which of two neighbours the root is nearer to: that is decided exactly, by the square
 * of what lies between them. */
static int
choose(struct ryde_decimal *root, const struct ryde_decimal *low,
    const struct ryde_decimal *high, const struct ryde_decimal *d,
    const struct ryde_decimal *by, unsigned digits, struct ryde_err *err)
{
	struct ryde_decimal middle = {0}, square = {0}, two = {0}, one = {0};
	int rc = ryde_decimal_copy(&middle, low, err), cmp;

	ryde_decimal_of_i64(&two, 2);
	ryde_decimal_of_i64(&one, 1);
	if (rc == 0)
		rc = ryde_decimal_add(&middle, high, err);
	if (rc == 0)
		rc = ryde_decimal_div(&middle, &middle, &two, digits + 2, err);
	if (rc == 0)
		rc = ryde_decimal_copy(&square, &middle, err);
	if (rc == 0)
		rc = ryde_decimal_mul(&square, &middle, err);
	if (rc == 0)
		rc = ryde_decimal_mul(&square, by, err);
	if (rc != 0)
		goto out;
	cmp = ryde_decimal_cmp(&square, d);
	if (cmp == 0)
		rc = ryde_decimal_div(root, &middle, &one, digits, err);
	else
		rc = ryde_decimal_copy(root, cmp < 0 ? high : low, err);
out:
	ryde_decimal_free(&middle);
	ryde_decimal_free(&square);
	return rc;
}

int
ryde_decimal_root(struct ryde_decimal *root, const struct ryde_decimal *d,
    const struct ryde_decimal *by, unsigned digits, struct ryde_err *err)
{
	struct ryde_decimal v = {0}, y = {0}, low = {0}, high = {0};
	int rc = -1;

	if (ryde_decimal_is_zero(d)) {
		ryde_decimal_of_i64(root, 0);
		return 0;
	}
	if (ryde_decimal_div(&v, d, by, digits + GUARD, err) != 0 ||
	    approach(&y, &v, digits + GUARD, err) != 0 ||
	    rounded(&low, &y, -1, digits, err) != 0 ||
	    rounded(&high, &y, 1, digits, err) != 0)
		goto out;
	if (ryde_decimal_cmp(&low, &high) == 0)
		rc = ryde_decimal_copy(root, &low, err);
	else
		rc = choose(root, &low, &high, d, by, digits, err);
out:
	ryde_decimal_free(&v);
	ryde_decimal_free(&y);
	ryde_decimal_free(&low);
	ryde_decimal_free(&high);
	return rc;
}
