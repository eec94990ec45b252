/*
 * JSON numbers as windows see nearly all of them: up to 18 digits, small enough for one
 * machine word. What does not fit goes through json/decimal.h; nothing is rounded on
 * either way.
 */
#ifndef RYDE_ENGINE_WINDOW_NUMBER_H
#define RYDE_ENGINE_WINDOW_NUMBER_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_decimal;
struct ryde_err;

__extension__ typedef __int128 ryde_window_number_wide;

#define RYDE_WINDOW_NUMBER_DIGITS 18 /* of a coefficient, and behind the point */
/* Room for a wide number written out: sign, digits, point, leading zero. */
#define RYDE_WINDOW_NUMBER_TEXT 64

/* coefficient / 10^scale. */
struct ryde_window_number {
	int64_t coefficient;
	int scale;  /* 0 to RYDE_WINDOW_NUMBER_DIGITS */
	bool small; /* fits here; else the other fields mean nothing */
	bool plain; /* its text follows from the value: no exponent, no -0 */
};

/* Reads a JSON number (already checked for its form). */
void ryde_window_number_read(struct ryde_window_number *n, struct ryde_view text);
/* -1, 0, 1 by value, of two small ones. */
int ryde_window_number_cmp(
    const struct ryde_window_number *a, const struct ryde_window_number *b);
/* value / 10^scale with all its digits into to[RYDE_WINDOW_NUMBER_TEXT]; returns the
 * length. */
size_t ryde_window_number_text(ryde_window_number_wide value, int scale, char *to);
/* The same as a decimal. */
int ryde_window_number_decimal(ryde_window_number_wide value, int scale,
    struct ryde_decimal *to, struct ryde_err *err);
/* total *= 10^by, or total += term * 10^by; false, with *total untouched, where that does
 * not fit. */
bool ryde_window_number_shift(ryde_window_number_wide *total, int by);
bool ryde_window_number_add(ryde_window_number_wide *total, int64_t term, int by);

#endif
