/* The everyday number, read in a few instructions: what ryde_decimal_parse and the
 * running sum try first. */
#ifndef RYDE_JSON_DECIMAL_SCAN_H
#define RYDE_JSON_DECIMAL_SCAN_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a JSON number without exponent and of at most 18 digits as *coefficient /
 * 10^*scale; |*coefficient| < 10^18 and 0 <= *scale < 18. False, with both untouched, for
 * any other text. Its form is checked only so far that nothing else than digits with one
 * point between them is taken.
 */
static inline bool
ryde_decimal_scan(struct ryde_view v, int64_t *coefficient, int *scale)
{
	const char *p = v.p, *end = p + v.n, *point;
	uint64_t x = 0;
	unsigned digit;

	if (v.n == 0 || v.n > 20)
		return false;
	p += *p == '-';
	if (end - p > 19)
		return false;
	for (point = p; p < end && (digit = (unsigned)*p - '0') <= 9; p++)
		x = x * 10 + digit;
	if (p == point)
		return false;
	if (p == end) {
		if (end - point > 18)
			return false;
		*scale = 0;
	} else {
		if (*p != '.' || ++p == end)
			return false;
		for (point = p; p < end && (digit = (unsigned)*p - '0') <= 9; p++)
			x = x * 10 + digit;
		if (p != end)
			return false;
		*scale = (int)(end - point);
	}
	*coefficient = *v.p == '-' ? -(int64_t)x : (int64_t)x;
	return true;
}

#endif
