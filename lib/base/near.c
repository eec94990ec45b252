#include "base/near.h"

#include "base/buf.h"

#include <string.h>

#define FAR 4 /* edits that are too many to be a slip of the hand */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edits between two names, letter case apart; names longer than a row are far. */
static size_t
edits_between(const char *a, const char *b)
{
	size_t row[RYDE_NEAR_MAX + 2], n = strlen(b);

	if (n > RYDE_NEAR_MAX)
		return FAR;
	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (; *a != '\0'; a++) {
		size_t diagonal = row[0]++;

		for (size_t i = 1; i <= n; i++) {
			size_t d = diagonal + (lower(*a) != lower(b[i - 1]));

			diagonal = row[i];
			if (row[i] + 1 < d)
				d = row[i] + 1;
			if (row[i - 1] + 1 < d)
				d = row[i - 1] + 1;
			row[i] = d;
		}
	}
	return row[n];
}

void
ryde_near_offer(struct ryde_near *near, const char *name)
{
	size_t edits = edits_between(near->wanted, name), at = near->n;

	if (strlen(name) > RYDE_NEAR_MAX ||
	    (edits >= FAR && strstr(name, near->wanted) == NULL))
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
