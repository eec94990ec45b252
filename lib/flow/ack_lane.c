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
	e->gen = line->gen;
	e->more = line->more;
	e->done = line->kind == RYDE_LINE_MARK;
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

void
ryde_ack_lane_free(struct ryde_ack_lane *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->ring[(l->head + i) & (l->cap - 1)].at);
	free(l->to_send.at);
	free(l->ring);
	free(l);
}
