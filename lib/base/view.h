/* A borrowed run of bytes, passed by value. No NUL at its end is promised, and NULs may
 * be inside. */
#ifndef RYDE_BASE_VIEW_H
#define RYDE_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct ryde_view {
	const char *p; /* NULL only where n is 0 */
	size_t n;
};

/* The bytes of a C string, without its NUL. NULL gives the empty view. */
static inline struct ryde_view
ryde_view_of(const char *s)
{
	return (struct ryde_view){s, s != NULL ? strlen(s) : 0};
}

static inline struct ryde_view
ryde_view_mem(const char *p, size_t n)
{
	return (struct ryde_view){p, n};
}

/* Behind its last byte; NULL where the view has no bytes to stand behind. */
static inline const char *
ryde_view_end(struct ryde_view v)
{
	return v.n > 0 ? v.p + v.n : v.p;
}

static inline bool
ryde_view_eq(struct ryde_view a, struct ryde_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* True when v holds exactly the bytes of the C string s. */
static inline bool
ryde_view_is(struct ryde_view v, const char *s)
{
	return ryde_view_eq(v, ryde_view_of(s));
}

static inline bool
ryde_view_starts(struct ryde_view v, const char *prefix)
{
	size_t n = strlen(prefix);

	return v.n >= n && memcmp(v.p, prefix, n) == 0;
}

/* The order of two by their bytes: -1, 0, 1. */
int ryde_view_order(struct ryde_view a, struct ryde_view b);
/* The bytes of v as a C string, to be freed; NULL without memory. */
char *ryde_view_copy(struct ryde_view v);

#endif
