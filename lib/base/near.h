/* Of the names that there are, those that a misspelt one may have meant. */
#ifndef RYDE_BASE_NEAR_H
#define RYDE_BASE_NEAR_H

#include <stddef.h>

#define RYDE_NEAR 3
#define RYDE_NEAR_MAX 128 /* bytes of a name; longer ones are never near */

struct ryde_buf;

/* {.wanted = name}, borrowed. */
struct ryde_near {
	const char *wanted;
	char names[RYDE_NEAR][RYDE_NEAR_MAX + 1];
	size_t edits[RYDE_NEAR];
	size_t n;
};

/* Keeps a copy of name where it is among the nearest. */
void ryde_near_offer(struct ryde_near *near, const char *name);
/* Appends " (did you mean X or Y?)", or nothing. */
void ryde_near_put(const struct ryde_near *near, struct ryde_buf *b);

#endif
