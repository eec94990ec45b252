#include "engine/window_sum.h"

#include "base/err.h"
#include "json/decimal.h"

#include <stdlib.h>
#include <string.h>

static ryde_window_number_wide
value_of(const struct ryde_window_sum *s)
{
	/* Through the unsigned type: shifting a negative number has no meaning. */
	__extension__ unsigned __int128 bits = (uint64_t)s->u.small.high;

	return (ryde_window_number_wide)(bits << 64 | s->u.small.low);
}

static void
set_value(struct ryde_window_sum *s, ryde_window_number_wide value)
{
	s->u.small.low = (uint64_t)value;
	s->u.small.high = (int64_t)(value >> 64);
	s->form = RYDE_WINDOW_SUM_SMALL;
}

/* Moves the sum to the heap. */
static int
enlarge(struct ryde_window_sum *s, struct ryde_err *err)
{
	struct ryde_decimal *large = calloc(1, sizeof(*large));

	if (large == NULL)
		return ryde_err_nomem(err);
	if (s->form == RYDE_WINDOW_SUM_SMALL &&
	    ryde_window_number_decimal(value_of(s), s->scale, large, err) != 0) {
		ryde_decimal_free(large);
		free(large);
		return -1;
	}
	s->u.large = large;
	s->form = RYDE_WINDOW_SUM_LARGE;
	return 0;
}

static int
add_large(
    struct ryde_window_sum *s, const struct ryde_decimal *term, struct ryde_err *err)
{
	if (s->form != RYDE_WINDOW_SUM_LARGE && enlarge(s, err) != 0)
		return -1;
	return ryde_decimal_add(s->u.large, term, err);
}

static bool
add_small(struct ryde_window_sum *s, const struct ryde_window_number *n)
{
	ryde_window_number_wide total = value_of(s);

	if (n->scale > s->scale) {
		if (!ryde_window_number_shift(&total, n->scale - s->scale))
			return false;
		if (!ryde_window_number_add(&total, n->coefficient, 0))
			return false;
		s->scale = (uint8_t)n->scale;
	} else if (s->scale - n->scale > RYDE_WINDOW_NUMBER_DIGITS ||
		   !ryde_window_number_add(&total, n->coefficient, s->scale - n->scale)) {
		return false;
	}
	set_value(s, total);
	return true;
}

/* value * 10^by, where it fits; by may be twice what one shift does. */
static bool
shift(ryde_window_number_wide *value, int by)
{
	for (; by > RYDE_WINDOW_NUMBER_DIGITS; by -= RYDE_WINDOW_NUMBER_DIGITS) {
		if (!ryde_window_number_shift(value, RYDE_WINDOW_NUMBER_DIGITS))
			return false;
	}
	return ryde_window_number_shift(value, by);
}

static bool
add_wide(struct ryde_window_sum *s, ryde_window_number_wide term, int scale)
{
	ryde_window_number_wide total = value_of(s);

	if (!shift(&total, scale > s->scale ? scale - s->scale : 0) ||
	    !shift(&term, s->scale > scale ? s->scale - scale : 0) ||
	    __builtin_add_overflow(total, term, &total))
		return false;
	if (scale > s->scale)
		s->scale = (uint8_t)scale; /* at most twice 18 */
	set_value(s, total);
	return true;
}

/* What did not fit beside the small sum. */
static int
add_number(struct ryde_window_sum *s, const struct ryde_window_number *n, bool square,
    struct ryde_err *err)
{
	struct ryde_decimal term = {0};
	int rc = ryde_window_number_decimal(n->coefficient, n->scale, &term, err);

	if (rc == 0 && square)
		rc = ryde_decimal_mul(&term, &term, err);
	if (rc == 0)
		rc = add_large(s, &term, err);
	ryde_decimal_free(&term);
	return rc;
}

int
ryde_window_sum_add(struct ryde_window_sum *s, const struct ryde_window_number *number,
    const struct ryde_decimal *exact, struct ryde_err *err)
{
	if (!number->small)
		return add_large(s, exact, err);
	if (s->form != RYDE_WINDOW_SUM_LARGE && add_small(s, number))
		return 0;
	return add_number(s, number, false, err);
}

int
ryde_window_sum_add_square(struct ryde_window_sum *s,
    const struct ryde_window_number *number, const struct ryde_decimal *exact,
    struct ryde_err *err)
{
	struct ryde_decimal square = {0};
	int rc;

	if (number->small) {
		/* Both factors are below 10^18: their product fits. */
		if (s->form != RYDE_WINDOW_SUM_LARGE &&
		    add_wide(s,
			(ryde_window_number_wide)number->coefficient *
			    number->coefficient,
			2 * number->scale))
			return 0;
		return add_number(s, number, true, err);
	}
	rc = ryde_decimal_copy(&square, exact, err);
	if (rc == 0)
		rc = ryde_decimal_mul(&square, &square, err);
	if (rc == 0)
		rc = add_large(s, &square, err);
	ryde_decimal_free(&square);
	return rc;
}

int
ryde_window_sum_merge(
    struct ryde_window_sum *s, const struct ryde_window_sum *from, struct ryde_err *err)
{
	struct ryde_decimal term = {0};
	int rc;

	if (from->form == RYDE_WINDOW_SUM_NOTHING)
		return 0;
	if (from->form == RYDE_WINDOW_SUM_LARGE)
		return add_large(s, from->u.large, err);
	if (s->form != RYDE_WINDOW_SUM_LARGE && add_wide(s, value_of(from), from->scale))
		return 0;
	rc = ryde_window_number_decimal(value_of(from), from->scale, &term, err);
	if (rc == 0)
		rc = add_large(s, &term, err);
	ryde_decimal_free(&term);
	return rc;
}

bool
ryde_window_sum_is_empty(const struct ryde_window_sum *s)
{
	return s->form == RYDE_WINDOW_SUM_NOTHING;
}

int
ryde_window_sum_total(
    const struct ryde_window_sum *s, struct ryde_decimal *to, struct ryde_err *err)
{
	if (s->form == RYDE_WINDOW_SUM_LARGE)
		return ryde_decimal_copy(to, s->u.large, err);
	return ryde_window_number_decimal(
	    s->form == RYDE_WINDOW_SUM_SMALL ? value_of(s) : 0, s->scale, to, err);
}

size_t
ryde_window_sum_text(const struct ryde_window_sum *s, char *to)
{
	ryde_window_number_wide value = value_of(s);
	int scale = s->scale;

	if (s->form != RYDE_WINDOW_SUM_SMALL)
		return 0;
	if (value == 0)
		return ryde_window_number_text(0, 0, to);
	if (value > INT64_MIN && value <= INT64_MAX) {
		int64_t narrow = (int64_t)value;

		for (; scale > 0 && narrow % 10 == 0; scale--)
			narrow /= 10;
		value = narrow;
	}
	for (; scale > 0 && value % 10 == 0; scale--)
		value /= 10;
	return ryde_window_number_text(value, scale, to);
}

size_t
ryde_window_sum_bytes(const struct ryde_window_sum *s)
{
	return s->form == RYDE_WINDOW_SUM_LARGE
		   ? sizeof(*s->u.large) + s->u.large->cap * sizeof(*s->u.large->limbs)
		   : 0;
}

void
ryde_window_sum_free(struct ryde_window_sum *s)
{
	if (s->form == RYDE_WINDOW_SUM_LARGE) {
		ryde_decimal_free(s->u.large);
		free(s->u.large);
	}
	memset(s, 0, sizeof(*s));
}
