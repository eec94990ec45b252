/* Of the names that there are, those that a misspelt one may have meant. */
#ifndef RYDE_ENGINE_QUERY_NEAR_H
#define RYDE_ENGINE_QUERY_NEAR_H

#include <stddef.h>

#define RYDE_QUERY_NEAR 3
#define RYDE_QUERY_NEAR_MAX 128 /* bytes of a name; longer ones are never near */

struct ryde_buf;

/* {.wanted = name}, borrowed. */
struct ryde_query_near {
	const char *wanted;
	char names[RYDE_QUERY_NEAR][RYDE_QUERY_NEAR_MAX + 1];
	size_t edits[RYDE_QUERY_NEAR];
	size_t n;
};

/* Keeps a copy of name where it is among the nearest. */
void ryde_query_near_offer(struct ryde_query_near *near, const char *name);
/* Appends " (did you mean X or Y?)", or nothing. */
void ryde_query_near_put(const struct ryde_query_near *near, struct ryde_buf *b);

#endif
