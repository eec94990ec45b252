/*
 * Running sums of numbers and of their squares, exact: 128-bit integers while they hold
 * the sum, decimals of any length from then on. The result does not depend on the order
 * of the terms. The sum of nothing is all zeros.
 */
#ifndef RYDE_ENGINE_WINDOW_SUM_H
#define RYDE_ENGINE_WINDOW_SUM_H

#include "base/view.h"
#include "engine/window_number.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_decimal;
struct ryde_err;

enum ryde_window_sum_form {
	RYDE_WINDOW_SUM_NOTHING, /* no term yet */
	RYDE_WINDOW_SUM_SMALL,	 /* in the struct */
	RYDE_WINDOW_SUM_LARGE,	 /* on the heap */
};

struct ryde_window_sum {
	union {
		struct {
			uint64_t low;
			int64_t high;
		} small; /* the halves of a 128-bit integer, which itself would need
			    alignment */
		struct ryde_decimal *large;
	} u;
	uint8_t scale, form;
};

/* Adds a term (its square): `exact` is the same number, looked at where number is not
 * small. -1 without memory, or where a square has more digits than a decimal may have. */
int ryde_window_sum_add(struct ryde_window_sum *s,
    const struct ryde_window_number *number, const struct ryde_decimal *exact,
    struct ryde_err *err);
int ryde_window_sum_add_square(struct ryde_window_sum *s,
    const struct ryde_window_number *number, const struct ryde_decimal *exact,
    struct ryde_err *err);
/* Adds a term of the scale that the sum has, as nearly all have it; false, with nothing
 * changed, where it is another or the total does not fit. */
static inline bool
ryde_window_sum_add_usual(
    struct ryde_window_sum *s, const struct ryde_window_number *number)
{
	uint64_t low, high;

	if (s->form != RYDE_WINDOW_SUM_SMALL || !number->small ||
	    number->scale != s->scale)
		return false;
	low = s->u.small.low + (uint64_t)number->coefficient;
	high = (uint64_t)s->u.small.high + (number->coefficient < 0 ? UINT64_MAX : 0) +
	       (low < s->u.small.low);
	/* Far from the ends of 128 bits: what is near them goes the other way. */
	if ((int64_t)high > INT64_MAX / 2 || (int64_t)high < INT64_MIN / 2)
		return false;
	s->u.small.low = low;
	s->u.small.high = (int64_t)high;
	return true;
}
/* Adds what another sum holds. */
int ryde_window_sum_merge(
    struct ryde_window_sum *s, const struct ryde_window_sum *from, struct ryde_err *err);
/* True where nothing was added. */
bool ryde_window_sum_is_empty(const struct ryde_window_sum *s);
/* The total into an initialised decimal. */
int ryde_window_sum_total(
    const struct ryde_window_sum *s, struct ryde_decimal *to, struct ryde_err *err);
/* Where it is small its text, as ryde_decimal_put writes it, into
 * to[RYDE_WINDOW_NUMBER_TEXT]: returns the length. Else 0. */
size_t ryde_window_sum_text(const struct ryde_window_sum *s, char *to);
/* What it holds on the heap. */
size_t ryde_window_sum_bytes(const struct ryde_window_sum *s);
/* Frees what it holds; it is then the sum of nothing. */
void ryde_window_sum_free(struct ryde_window_sum *s);

#endif
