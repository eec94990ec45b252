/* Points in time as text. All of it is UTC, in milliseconds since the epoch; proleptic
 * Gregorian, no leap seconds. */
#ifndef RYDE_BASE_TIMESTAMP_H
#define RYDE_BASE_TIMESTAMP_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

#define RYDE_TIMESTAMP_MAX 40 /* room for any formatted time and its NUL */

/*
 * Reads "YYYY-MM-DD HH:MM:SS[.fff]" (UTC), RFC 3339 ("T" or blank, fraction, "Z" or an
 * offset; none: UTC), "YYYY-MM-DD", or a plain decimal number: epoch seconds where its
 * magnitude is below 1e11, else milliseconds; an exponent form (1.44E9) is seconds.
 * Digits beyond the millisecond are cut, towards the past. Years outside 0 to 9999 have a
 * sign and six or nine digits, as ISO 8601 writes them. False, with *out_ms untouched,
 * where v is none of these.
 */
bool ryde_timestamp_parse(struct ryde_view v, int64_t *out_ms);

/* "2026-11-23T14:00:00.123Z": what envelopes carry. Returns the length; to has
 * RYDE_TIMESTAMP_MAX bytes. */
size_t ryde_timestamp_rfc3339(int64_t at_ms, char *to);
/* "2026-11-23 14:00:00.123": what payloads of the workshop carry. */
size_t ryde_timestamp_plain(int64_t at_ms, char *to);

/* The civil date and time of a point: year, month 1-12, day 1-31, hour, minute, second,
 * ms. */
struct ryde_civil {
	int64_t year;
	int month, day, hour, minute, second, ms;
};
struct ryde_civil ryde_timestamp_civil(int64_t at_ms);

#endif
