#include "engine/window_sort.h"

#include "engine/window_keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RADIX_MIN                                                               \
	2048	/* groups from which on counting bytes is faster than comparing \
		 */
#define AHEAD 8 /* groups that are on their way from memory */

/*
 * All keys of a window mostly begin alike. Behind what all have in common the next eight
 * bytes, as a number, decide nearly always; where they are equal, the whole keys do.
 */

/* The keys' owner, which comparing needs; qsort hands nothing through. */
static const struct ryde_window_keys *owner;

static int
compare(const void *a, const void *b)
{
	const struct ryde_window_keys_slot *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return ryde_window_keys_cmp(owner, x->group, y->group);
}

static inline void
fetch_ahead(const struct ryde_window_keys_slot *slots, size_t i, size_t n)
{
	if (i + AHEAD < n)
		__builtin_prefetch(
		    (const char *)slots[i + AHEAD].group + owner->def->state_bytes);
}

/* How many bytes all keys begin with alike. */
static size_t
common(const struct ryde_window_keys_slot *slots, size_t n)
{
	struct ryde_view first = ryde_window_keys_key(owner, slots[0].group);
	size_t same = first.n;

	for (size_t i = 1; i < n && same > 0; i++) {
		struct ryde_view key = ryde_window_keys_key(owner, slots[i].group);
		size_t most = key.n < same ? key.n : same;

		fetch_ahead(slots, i, n);
		if (most == same && memcmp(key.p, first.p, same) == 0)
			continue;
		for (same = 0; same < most && key.p[same] == first.p[same]; same++)
			;
	}
	return same;
}

/* The eight bytes from `from` on, zeros where the key has ended. */
static uint64_t
tag_of(struct ryde_view key, size_t from)
{
	uint64_t tag = 0;

	for (size_t i = from; i < from + sizeof(tag); i++)
		tag = tag << 8 | (i < key.n ? (unsigned char)key.p[i] : 0);
	return tag;
}

/* One pass: by byte `at` of the tags, 0 is the lowest; what is equal in it stays as it
 * stood. False where all have the same. */
static bool
pass(const struct ryde_window_keys_slot *from, struct ryde_window_keys_slot *to, size_t n,
    unsigned at)
{
	size_t starts[257] = {0};

	for (size_t i = 0; i < n; i++)
		starts[(from[i].tag >> 8 * at & 0xff) + 1]++;
	if (starts[(from[0].tag >> 8 * at & 0xff) + 1] == n)
		return false;
	for (size_t i = 1; i < 256; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < n; i++)
		to[starts[from[i].tag >> 8 * at & 0xff]++] = from[i];
	return true;
}

/* Sorts by the tags alone. */
static bool
by_tags(struct ryde_window_keys_slot *slots, size_t n)
{
	struct ryde_window_keys_slot *room = malloc(n * sizeof(*room));
	struct ryde_window_keys_slot *from = slots, *to = room, *other;

	if (room == NULL)
		return false;
	for (unsigned at = 0; at < sizeof(slots->tag); at++) {
		if (!pass(from, to, n, at))
			continue;
		other = from;
		from = to;
		to = other;
	}
	if (from != slots)
		memcpy(slots, from, n * sizeof(*slots));
	free(room);
	return true;
}

void
ryde_window_sort(
    const struct ryde_window_keys *k, struct ryde_window_keys_slot *slots, size_t n)
{
	size_t from, end;

	if (n < 2)
		return;
	owner = k;
	from = common(slots, n);
	for (size_t i = 0; i < n; i++) {
		fetch_ahead(slots, i, n);
		slots[i].tag = tag_of(ryde_window_keys_key(k, slots[i].group), from);
	}
	if (n < RADIX_MIN || !by_tags(slots, n)) {
		qsort(slots, n, sizeof(*slots), compare);
		return;
	}
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && slots[end].tag == slots[i].tag; end++)
			;
		if (end > i + 1)
			qsort(slots + i, end - i, sizeof(*slots), compare);
	}
}
