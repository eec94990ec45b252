#include "engine/window_birth.h"

#include "base/err.h"
#include "engine/window_group.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS 256 /* of the shortest epoch */

void
ryde_window_birth_free(struct ryde_window_birth *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->epochs[i].places);
	b->n = 0;
}

static struct ryde_window_birth_place
place_now(const struct ryde_window_group *g, uint32_t shard)
{
	const struct ryde_window_group_shard *s = &g->shards[shard];

	return (struct ryde_window_birth_place){s->seen, s->has_time, s->time_ms};
}

/* Forgets the i-th epoch; its sessions count for the one before it. */
static void
join(struct ryde_window_birth *b, size_t i)
{
	b->epochs[i - 1].open += b->epochs[i].open;
	free(b->epochs[i].places);
	memmove(&b->epochs[i], &b->epochs[i + 1], (--b->n - i) * sizeof(b->epochs[0]));
}

/* Forgets the epochs before the oldest open session, and any that has none. */
static void
tidy(struct ryde_window_birth *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		if (b->epochs[i].open > 0)
			b->epochs[n++] = b->epochs[i];
		else
			free(b->epochs[i].places);
	}
	b->n = n;
	/* Every second one stays: the older, the longer. */
	if (b->n == RYDE_WINDOW_BIRTH_EPOCHS) {
		for (size_t i = 1; i < b->n; i++)
			join(b, i);
	}
}

int
ryde_window_birth_note(struct ryde_window_birth *b, const struct ryde_window_group *g,
    uint64_t ordinal, struct ryde_err *err)
{
	struct ryde_window_birth_epoch *e;

	if (b->n > 0 && ordinal - b->epochs[b->n - 1].ordinal < RECORDS)
		return 0;
	tidy(b);
	e = &b->epochs[b->n];
	e->ordinal = ordinal;
	e->open = 0;
	e->n = g->n;
	e->places = calloc(g->n + 1, sizeof(*e->places));
	if (e->places == NULL)
		return ryde_err_nomem(err);
	for (uint32_t i = 0; i < g->n; i++)
		e->places[i] = place_now(g, i);
	b->n++;
	return 0;
}

/* The last epoch that begins before the record. */
static struct ryde_window_birth_epoch *
epoch_of(struct ryde_window_birth *b, uint64_t ordinal)
{
	size_t i = b->n - 1;

	while (i > 0 && b->epochs[i].ordinal >= ordinal)
		i--;
	return &b->epochs[i];
}

void
ryde_window_birth_open(struct ryde_window_birth *b, uint64_t ordinal)
{
	if (b->n > 0)
		epoch_of(b, ordinal)->open++;
}

void
ryde_window_birth_close(struct ryde_window_birth *b, uint64_t ordinal)
{
	if (b->n > 0)
		epoch_of(b, ordinal)->open--;
}

struct ryde_window_birth_place
ryde_window_birth_oldest(
    const struct ryde_window_birth *b, const struct ryde_window_group *g, uint32_t shard)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct ryde_window_birth_epoch *e = &b->epochs[i];

		if (e->open == 0)
			continue;
		if (shard < e->n)
			return e->places[shard];
		/* It came later: from where this life began to read it. */
		return (struct ryde_window_birth_place){.has_time = false};
	}
	return place_now(g, shard);
}
