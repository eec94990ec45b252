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
