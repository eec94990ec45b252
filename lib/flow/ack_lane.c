#include "flow/ack_lane.h"

#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

struct ryde_ack_entry *
ryde_ack_lane_push(struct ryde_ack_lane *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		struct ryde_ack_entry *ring = malloc(cap * sizeof(*ring));

		if (ring == NULL)
			return NULL;
		for (size_t i = 0; i < l->n; i++)
			ring[i] = l->ring[(l->head + i) & (l->cap - 1)];
		free(l->ring);
		l->ring = ring;
		l->cap = cap;
		l->head = 0;
	}
	return &l->ring[(l->head + l->n++) & (l->cap - 1)];
}

int
ryde_ack_lane_fill(struct ryde_ack_entry *e, const struct ryde_line *line)
{
	e->pos.n = 0;
	if (line->seq.n > 0)
		(void)ryde_pos_set(&e->pos, line->seq);
	e->sub = line->sub;
	e->gen = line->gen;
	e->more = line->more;
	e->done = e->unsaid = line->kind == RYDE_LINE_MARK;
	e->at = NULL;
	e->at_n = line->at.n;
	if (line->at.n == 0)
		return 0;
	e->at = malloc(line->at.n);
	if (e->at == NULL)
		return -1;
	memcpy(e->at, line->at.p, line->at.n);
	return 0;
}

size_t
ryde_ack_lane_advance(struct ryde_ack_lane *l)
{
	size_t done = 0;

	while (l->n > 0) {
		struct ryde_ack_entry *e = &l->ring[l->head];

		if (!e->done)
			break;
		if (!e->more) {
			free(l->to_send.at);
			l->to_send = *e;
			l->due = true;
		}
		l->head = (l->head + 1) & (l->cap - 1);
		l->n--;
		l->first++;
		done++;
	}
	return done;
}

/* ---- holds ---- */

static struct ryde_ack_entry *
entry_at(const struct ryde_ack_lane *l, size_t i)
{
	return &l->ring[(l->head + i) & (l->cap - 1)];
}

/* What is known of the lines behind the first `keep` ones: those that are done, then
 * those that were known before and have not come again. */
static void
remember(struct ryde_ack_lane *l, size_t keep)
{
	size_t n = l->n_known - l->at_known, at = 0;
	struct ryde_ack_line_place *known;

	for (size_t i = keep; i < l->n; i++)
		n += entry_at(l, i)->done && !entry_at(l, i)->unsaid;
	known = n > 0 ? malloc(n * sizeof(*known)) : NULL;
	for (size_t i = keep; known != NULL && i < l->n; i++) {
		const struct ryde_ack_entry *e = entry_at(l, i);

		if (e->done && !e->unsaid)
			known[at++] = (struct ryde_ack_line_place){e->pos, e->sub};
	}
	for (size_t i = l->at_known; known != NULL && i < l->n_known; i++)
		known[at++] = l->known[i];
	free(l->known);
	l->known = known;
	l->n_known = at;
	l->at_known = 0;
}

size_t
ryde_ack_lane_forget(struct ryde_ack_lane *l, uint64_t number)
{
	size_t keep = number < l->first ? 0 : (size_t)(number - l->first) + 1, forgotten;

	if (keep >= l->n)
		keep = l->n;
	if (keep > 0)
		l->kept = entry_at(l, keep - 1)->pos;
	remember(l, keep);
	forgotten = l->n - keep;
	for (size_t i = keep; i < l->n; i++)
		free(entry_at(l, i)->at);
	l->n = keep;
	return forgotten;
}

static int
compare(const struct ryde_ack_line_place *a, const struct ryde_pos *pos, uint32_t sub)
{
	int c = ryde_pos_cmp(&a->pos, pos);

	return c != 0 ? c : a->sub < sub ? -1 : a->sub > sub;
}

enum known { NEW, KEPT, DONE };

/* Whether the line was done, or kept, before the shard was held. */
static enum known
knows(struct ryde_ack_lane *l, const struct ryde_line *line)
{
	struct ryde_pos pos;

	if (line->kind != RYDE_LINE_ENVELOPE || !ryde_pos_set(&pos, line->seq))
		return NEW;
	if (l->kept.n > 0 && ryde_pos_cmp(&pos, &l->kept) <= 0)
		return KEPT;
	/* what the stream has trimmed meanwhile, or a filter dropped, does not come */
	while (l->at_known < l->n_known &&
	       compare(&l->known[l->at_known], &pos, line->sub) < 0)
		l->at_known++;
	if (l->at_known == l->n_known ||
	    compare(&l->known[l->at_known], &pos, line->sub) != 0)
		return NEW;
	l->at_known++;
	return DONE;
}

int
ryde_ack_lane_again(struct ryde_ack_lane *l, const struct ryde_line *line, size_t *more)
{
	struct ryde_ack_entry *e = l->n > 0 ? entry_at(l, l->n - 1) : NULL;
	enum known known = knows(l, line);

	*more = 0;
	if (known == NEW)
		return 0;
	/* of those that were kept the last one is enough */
	if (known == DONE || e == NULL || !e->unsaid || e->gen != line->gen) {
		e = ryde_ack_lane_push(l);
		*more = 1;
	}
	if (e == NULL || ryde_ack_lane_fill(e, line) != 0)
		return -1;
	e->done = true;
	e->unsaid = known == KEPT;
	return 1;
}

size_t
ryde_ack_lane_truncate(struct ryde_ack_lane *l, uint64_t last)
{
	size_t n = 0;

	for (; l->n > 0 && l->first + l->n - 1 > last; n++) {
		free(l->ring[(l->head + l->n - 1) & (l->cap - 1)].at);
		l->n--;
	}
	return n;
}

void
ryde_ack_lane_free(struct ryde_ack_lane *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->ring[(l->head + i) & (l->cap - 1)].at);
	free(l->to_send.at);
	free(l->ring);
	free(l->known);
	free(l);
}
