/* Of the names that there are, those that a misspelt one may have meant. */
#ifndef RYDE_BASE_NEAR_H
#define RYDE_BASE_NEAR_H

#include "base/view.h"

#include <stddef.h>

#define RYDE_NEAR 3
#define RYDE_NEAR_MAX 128 /* bytes of a name; longer ones are never near */
#define RYDE_NEAR_FAR 4	  /* edits that are too many to be a slip of the hand */

struct ryde_buf;

/* Edits between two names, letter case apart; RYDE_NEAR_FAR or more for a long name. */
size_t ryde_near_edits(struct ryde_view a, struct ryde_view b);

/* {.wanted = name}, borrowed. */
struct ryde_near {
	const char *wanted;
	char names[RYDE_NEAR][RYDE_NEAR_MAX + 1];
	size_t edits[RYDE_NEAR];
	size_t n;
};

/* Keeps a copy of name where it is among the nearest. near is a struct ryde_near: as an
 * argument of what lists names. */
void ryde_near_offer(void *near, const char *name);
/* Appends " (did you mean X or Y?)", or nothing. */
void ryde_near_put(const struct ryde_near *near, struct ryde_buf *b);

#endif
