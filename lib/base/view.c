#include "base/view.h"

#include <stdlib.h>

char *
ryde_view_copy(struct ryde_view v)
{
	char *s = malloc(v.n + 1);

	if (s != NULL) {
		if (v.n > 0)
			memcpy(s, v.p, v.n);
		s[v.n] = '\0';
	}
	return s;
}

int
ryde_view_order(struct ryde_view a, struct ryde_view b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	c = c != 0 ? c : (a.n > b.n) - (a.n < b.n);
	return c < 0 ? -1 : c > 0;
}
