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
#include <string.h>

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
/*
 * The same of digits with at most one point among them, and a minus before them, where
 * those are no more than eight bytes: all are looked at together. Else false. Eight bytes
 * behind the minus may be read.
 */
static inline bool
ryde_window_number_read_short(struct ryde_window_number *n, struct ryde_view text)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	bool minus = text.p[0] == '-';
	size_t digits = text.n - minus;
	uint64_t v, points, below;

	if (digits == 0 || digits > 8)
		return false;
	/* The last byte to the highest place, zeros before the first. */
	memcpy(&v, text.p + minus, sizeof(v));
	v <<= 64 - 8 * digits;
	n->scale = 0;
	/* The lowest bit of the first byte that is a point: of one that was 0. */
	points = v ^ UINT64_C(0x2e2e2e2e2e2e2e2e);
	points = (points - UINT64_C(0x0101010101010101)) & ~points &
		 UINT64_C(0x8080808080808080);
	if (points != 0) {
		unsigned at = (unsigned)__builtin_ctzll(points) / 8;

		/* What stands before it moves over it. */
		below = (UINT64_C(1) << 8 * at) - 1;
		v = (v & ~(below << 8 | 0xff)) | (v & below) << 8;
		n->scale = 7 - (int)at;
	}
	v &= UINT64_C(0x0f0f0f0f0f0f0f0f);
	v = v * (10 * 256 + 1) >> 8 & UINT64_C(0x00ff00ff00ff00ff);
	v = v * (100 * 65536 + 1) >> 16 & UINT64_C(0x0000ffff0000ffff);
	v = v * (10000 * UINT64_C(4294967296) + 1) >> 32;
	n->coefficient = minus ? -(int64_t)v : (int64_t)v; /* below 10^8 */
	n->small = true;
	n->plain = !minus || v != 0;
	return true;
#else
	(void)n, (void)text;
	return false;
#endif
}
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
