/*
 * Numbers between JSON and SQL, never rounded. Three representations:
 *
 * - INTEGER: written without point and exponent, and fits 64 bits.
 * - REAL: a double whose shortest decimal form has the value that was written. Up to 15
 *   digits always have one, longer ones often.
 * - an exact BLOB: everything else (56 digits, 1e400). It holds the number twice, first
 * as a key made of blanks, in which bytewise order is the order of the numbers, then as
 * text. So SQL compares, sorts and groups such numbers among each other rightly, and
 * where it wants a number (x + 0, CAST) it skips the blanks and reads the text, rounded
 * to a double. What SQL cannot do: beside an INTEGER or a REAL a BLOB is always the
 * larger one.
 */
#ifndef RYDE_ENGINE_QUERY_NUMBER_H
#define RYDE_ENGINE_QUERY_NUMBER_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;

enum ryde_query_number_kind {
	RYDE_QUERY_NUMBER_INTEGER,
	RYDE_QUERY_NUMBER_REAL,
	RYDE_QUERY_NUMBER_EXACT,
};

struct ryde_query_number {
	enum ryde_query_number_kind kind;
	int64_t integer;
	double real;
};

/*
 * Reads a JSON number (checked before). For EXACT the BLOB is appended to blob; a number
 * too long for exact arithmetic gets one without a key. -1 only without memory.
 */
int ryde_query_number(
    struct ryde_query_number *n, struct ryde_view number, struct ryde_buf *blob);
/* True where blob is an exact one; *text becomes its number, a slice of it. */
bool ryde_query_number_exact(struct ryde_view blob, struct ryde_view *text);
/*
 * Appends the shortest decimal form of a finite double: no exponent for ordinary
 * magnitudes, no ".0" behind a whole number, 0 for -0.
 */
void ryde_query_number_put(struct ryde_buf *b, double x);
/* True where 15 digits are enough for x: what data and people write. */
bool ryde_query_number_is_short(double x);

#endif
