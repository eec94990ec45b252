#include "base/near.h"

#include "base/buf.h"

#include <string.h>

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t
ryde_near_edits(struct ryde_view a, struct ryde_view b)
{
	size_t row[RYDE_NEAR_MAX + 1];

	if (b.n > RYDE_NEAR_MAX)
		return RYDE_NEAR_FAR;
	for (size_t i = 0; i <= b.n; i++)
		row[i] = i;
	for (size_t k = 0; k < a.n; k++) {
		size_t diagonal = row[0]++;

		for (size_t i = 1; i <= b.n; i++) {
			size_t d = diagonal + (lower(a.p[k]) != lower(b.p[i - 1]));

			diagonal = row[i];
			if (row[i] + 1 < d)
				d = row[i] + 1;
			if (row[i - 1] + 1 < d)
				d = row[i - 1] + 1;
			row[i] = d;
		}
	}
	return row[b.n];
}

void
ryde_near_offer(void *arg, const char *name)
{
	struct ryde_near *near = arg;
	size_t at = near->n,
	       edits = ryde_near_edits(ryde_view_of(near->wanted), ryde_view_of(name));

	if (strlen(name) > RYDE_NEAR_MAX ||
	    (edits >= RYDE_NEAR_FAR && strstr(name, near->wanted) == NULL))
		return;
	for (size_t i = 0; i < near->n; i++)
		if (strcmp(near->names[i], name) == 0)
			return;
	while (at > 0 && near->edits[at - 1] > edits)
		at--;
	if (at == RYDE_NEAR)
		return;
	if (near->n < RYDE_NEAR)
		near->n++;
	for (size_t i = near->n - 1; i > at; i--) {
		near->edits[i] = near->edits[i - 1];
		memcpy(near->names[i], near->names[i - 1], sizeof(near->names[i]));
	}
	near->edits[at] = edits;
	memcpy(near->names[at], name, strlen(name) + 1);
}

void
ryde_near_put(const struct ryde_near *near, struct ryde_buf *b)
{
	for (size_t i = 0; i < near->n; i++)
		ryde_buf_printf(
		    b, "%s%s", i == 0 ? " (did you mean " : " or ", near->names[i]);
	if (near->n > 0)
		ryde_buf_puts(b, "?)");
}
