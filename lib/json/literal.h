/* The text of a JSON number taken apart: its digits from the first to the last that
 * count, and its exponent. */
#ifndef RYDE_JSON_LITERAL_H
#define RYDE_JSON_LITERAL_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets count digits only, without the point. The digits are borrowed from the text. */
struct ryde_literal {
	const char *digits; /* the first digit */
	size_t n_digits;
	size_t n_whole;	    /* digits before the point */
	size_t first, last; /* offsets of the first and the last digit that is not 0 */
	bool negative, nonzero;
	int64_t exponent; /* as written, held within bounds that no sum with a length
			     overflows */
};

/* True where the text is a number; l is undefined where not. Source: RFC 8259, section 6.
 */
bool ryde_literal_look(struct ryde_literal *l, struct ryde_view number);
/* The digits from l->first to l->last as limbs (json/limbs.h), of which there are n, as
 * many as they need. */
void ryde_literal_limbs(const struct ryde_literal *l, uint32_t *p, uint32_t n);

#endif
