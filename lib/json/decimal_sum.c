#include "base/err.h"
#include "json/decimal.h"
#include "json/decimal_scan.h"
#include "json/limbs.h"

__extension__ typedef __int128 wide;

/* 10^38 is below the largest of them, 1.7 * 10^38. */
#define WIDE_MAX ((wide)10000000000000000000u * (wide)10000000000000000000u)
#define SCALE_MAX 18

void
ryde_decimal_sum_init(struct ryde_decimal_sum *s)
{
	*s = (struct ryde_decimal_sum){0};
}

void
ryde_decimal_sum_free(struct ryde_decimal_sum *s)
{
	if (s == NULL)
		return;
	ryde_decimal_free(&s->big);
	ryde_decimal_sum_init(s);
}

/* d += v / 10^scale. The wide number is handed over in pieces of 18 digits, which fit a
 * small decimal. */
static int
add_wide(struct ryde_decimal *d, wide v, int scale, struct ryde_err *err)
{
	const wide piece = (wide)ryde_limbs_pow10[SCALE_MAX];
	struct ryde_decimal sum = {0};
	int rc = -1;

	if (ryde_decimal_copy(&sum, d, err) != 0)
		return -1;
	for (int exponent = -scale; v != 0; exponent += SCALE_MAX, v /= piece) {
		struct ryde_decimal x = {
		    .small = (int64_t)(v % piece), .exponent = exponent};

		if (ryde_decimal_add(&sum, &x, err) != 0)
			goto out;
	}
	ryde_decimal_free(d);
	*d = sum;
	sum = (struct ryde_decimal){0};
	rc = 0;
out:
	ryde_decimal_free(&sum);
	return rc;
}

/* Moves the fast part into the big one. Happens once in more than 10^19 steps of the fast
 * way. */
static int
spill(struct ryde_decimal_sum *s, struct ryde_err *err)
{
	if (add_wide(&s->big, s->fast, s->scale, err) != 0)
		return -1;
	s->has_big = true;
	s->fast = 0;
	return 0;
}

/* Makes the fast part count in finer steps. */
static int
refine(struct ryde_decimal_sum *s, int scale, struct ryde_err *err)
{
	wide by = (wide)ryde_limbs_pow10[scale - s->scale];

	if ((s->fast > WIDE_MAX / by || s->fast < -(WIDE_MAX / by)) && spill(s, err) != 0)
		return -1;
	s->fast *= by;
	s->scale = scale;
	return 0;
}

/* Adds coefficient / 10^scale, scale at most SCALE_MAX. */
static inline int
add_fast(struct ryde_decimal_sum *s, int64_t coefficient, int scale, struct ryde_err *err)
{
	wide term = coefficient, sum;

	if (scale != s->scale) {
		if (scale > s->scale && refine(s, scale, err) != 0)
			return -1;
		term *= (wide)ryde_limbs_pow10[s->scale - scale];
	}
	if (__builtin_add_overflow(s->fast, term, &sum)) {
		if (spill(s, err) != 0)
			return -1;
		sum = term;
	}
	s->fast = sum;
	return 0;
}

/* Numbers with more digits, or an exponent. */
static int
add_slow(struct ryde_decimal_sum *s, struct ryde_view number, struct ryde_err *err)
{
	struct ryde_decimal x = {0};
	int rc = -1;

	if (ryde_decimal_parse(&x, number, err) != 0)
		return -1;
	if (x.limbs == NULL && x.exponent <= 0 && x.exponent >= -SCALE_MAX) {
		rc = add_fast(s, x.small, -x.exponent, err);
	} else if (ryde_decimal_add(&s->big, &x, err) == 0) {
		s->has_big = true;
		rc = 0;
	}
	ryde_decimal_free(&x);
	return rc;
}

int
ryde_decimal_sum_add(
    struct ryde_decimal_sum *s, struct ryde_view number, struct ryde_err *err)
{
	int64_t coefficient;
	int scale;

	if (__builtin_expect(ryde_decimal_scan(number, &coefficient, &scale), 1))
		return add_fast(s, coefficient, scale, err);
	return add_slow(s, number, err);
}

int
ryde_decimal_sum_total(
    const struct ryde_decimal_sum *s, struct ryde_decimal *total, struct ryde_err *err)
{
	struct ryde_decimal sum = {0};

	if (ryde_decimal_copy(&sum, &s->big, err) != 0)
		return -1;
	if (add_wide(&sum, s->fast, s->scale, err) != 0) {
		ryde_decimal_free(&sum);
		return -1;
	}
	ryde_decimal_free(total);
	*total = sum;
	return 0;
}

int
ryde_decimal_sum_merge(struct ryde_decimal_sum *s, const struct ryde_decimal_sum *other,
    struct ryde_err *err)
{
	struct ryde_decimal total = {0};
	int rc = ryde_decimal_sum_total(other, &total, err);

	if (rc == 0)
		rc = ryde_decimal_add(&s->big, &total, err);
	if (rc == 0)
		s->has_big = true;
	ryde_decimal_free(&total);
	return rc;
}
