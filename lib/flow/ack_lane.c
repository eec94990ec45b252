#include "flow/ack_lane.h"

#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

#define DROP_AT                                                                 \
	65536 /* bytes of lines that are gone; they are let go with half of all \
	       */

void
ryde_ack_lane_init(struct ryde_ack_lane *l)
{
	l->first = 1;
	ryde_buf_init(&l->bytes, SIZE_MAX / 2);
	ryde_buf_init(&l->to_send.at, SIZE_MAX / 2);
}

static struct ryde_ack_entry *
entry_at(const struct ryde_ack_lane *l, size_t i)
{
	return &l->ring[(l->head + i) & (l->cap - 1)];
}

static struct ryde_view
seq_of(const struct ryde_ack_lane *l, const struct ryde_ack_entry *e)
{
	return ryde_view_mem(l->bytes.p + (e->from - l->gone), e->seq_n);
}

static void
get_pos(
    const struct ryde_ack_lane *l, const struct ryde_ack_entry *e, struct ryde_pos *pos)
{
	pos->n = 0;
	if (e->seq_n > 0 && ryde_pos_set(pos, seq_of(l, e)))
		pos->lines = e->lines;
}

static int
make_room(struct ryde_ack_lane *l)
{
	size_t cap = l->cap == 0 ? 64 : l->cap * 2;
	struct ryde_ack_entry *ring;

	if (l->n < l->cap)
		return 0;
	ring = malloc(cap * sizeof(*ring));
	if (ring == NULL)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		ring[i] = *entry_at(l, i);
	free(l->ring);
	l->ring = ring;
	l->cap = cap;
	l->head = 0;
	return 0;
}

/* Makes e, the last entry, the line's. */
static int
fill(struct ryde_ack_lane *l, struct ryde_ack_entry *e, const struct ryde_line *line,
    const struct ryde_pos *pos)
{
	*e = (struct ryde_ack_entry){.from = l->gone + l->bytes.n,
	    .lines = pos->lines,
	    .gen = line->gen,
	    .at_n = (uint32_t)line->at.n, /* of a line */
	    .seq_n = pos->n,
	    .more = line->more,
	    .done = line->kind == RYDE_LINE_MARK,
	    .unsaid = line->kind == RYDE_LINE_MARK};
	ryde_buf_view(&l->bytes, ryde_pos_view(pos));
	ryde_buf_view(&l->bytes, line->at);
	return l->bytes.failed ? -1 : 0;
}

struct ryde_ack_entry *
ryde_ack_lane_push(
    struct ryde_ack_lane *l, const struct ryde_line *line, const struct ryde_pos *pos)
{
	struct ryde_ack_entry *e;

	if (make_room(l) != 0)
		return NULL;
	e = entry_at(l, l->n);
	if (fill(l, e, line, pos) != 0)
		return NULL;
	l->n++;
	return e;
}

static void
set_due(struct ryde_ack_lane *l, const struct ryde_ack_entry *e)
{
	get_pos(l, e, &l->to_send.pos);
	l->to_send.gen = e->gen;
	ryde_buf_clear(&l->to_send.at);
	ryde_buf_add(
	    &l->to_send.at, l->bytes.p + (e->from - l->gone) + e->seq_n, e->at_n);
	l->due = true;
}

size_t
ryde_ack_lane_advance(struct ryde_ack_lane *l)
{
	const struct ryde_ack_entry *due = NULL;
	size_t done = 0, gone;

	for (; done < l->n && entry_at(l, done)->done; done++) {
		const struct ryde_ack_entry *e = entry_at(l, done);

		if (!e->more && e->seq_n + e->at_n > 0)
			due = e;
	}
	if (due != NULL)
		set_due(l, due);
	l->head = (l->head + done) & (l->cap - 1);
	l->n -= done;
	l->first += done;
	gone = l->n > 0 ? (size_t)(entry_at(l, 0)->from - l->gone) : l->bytes.n;
	if (l->n == 0 || (gone >= DROP_AT && gone >= l->bytes.n / 2)) {
		ryde_buf_drop(&l->bytes, gone);
		l->gone += gone;
	}
	return done;
}

/* ---- holds ---- */

/* What is known of the lines behind the first `keep` ones: those that are done, then
 * those that were known before and have not come again. */
static void
remember(struct ryde_ack_lane *l, size_t keep)
{
	size_t n = l->n_known - l->at_known, at = 0;
	struct ryde_pos *known;

	for (size_t i = keep; i < l->n; i++)
		n += entry_at(l, i)->done && !entry_at(l, i)->unsaid;
	known = n > 0 ? malloc(n * sizeof(*known)) : NULL;
	for (size_t i = keep; known != NULL && i < l->n; i++) {
		const struct ryde_ack_entry *e = entry_at(l, i);

		if (!e->done || e->unsaid)
			continue;
		get_pos(l, e, &known[at++]);
	}
	for (size_t i = l->at_known; known != NULL && i < l->n_known; i++)
		known[at++] = l->known[i];
	free(l->known);
	l->known = known;
	l->n_known = at;
	l->at_known = 0;
}

/* Only the first n lines stay. */
static void
cut(struct ryde_ack_lane *l, size_t n)
{
	if (n < l->n)
		l->bytes.n = (size_t)(entry_at(l, n)->from - l->gone);
	l->n = n;
}

size_t
ryde_ack_lane_forget(struct ryde_ack_lane *l, uint64_t number)
{
	size_t keep = number < l->first ? 0 : (size_t)(number - l->first) + 1, forgotten;

	if (keep >= l->n)
		keep = l->n;
	if (keep > 0)
		get_pos(l, entry_at(l, keep - 1), &l->kept);
	remember(l, keep);
	forgotten = l->n - keep;
	cut(l, keep);
	return forgotten;
}

enum known { NEW, KEPT, DONE };

/* Whether the line was done, or kept, before the shard was held. */
static enum known
knows(struct ryde_ack_lane *l, const struct ryde_line *line, const struct ryde_pos *pos)
{
	if (line->kind != RYDE_LINE_ENVELOPE || pos->n == 0)
		return NEW;
	if (l->kept.n > 0 && ryde_pos_cmp(pos, &l->kept) <= 0)
		return KEPT;
	/* what the stream has trimmed meanwhile, or a filter dropped, does not come */
	while (l->at_known < l->n_known && ryde_pos_cmp(&l->known[l->at_known], pos) < 0)
		l->at_known++;
	if (l->at_known == l->n_known || ryde_pos_cmp(&l->known[l->at_known], pos) != 0)
		return NEW;
	l->at_known++;
	return DONE;
}

int
ryde_ack_lane_again(struct ryde_ack_lane *l, const struct ryde_line *line,
    const struct ryde_pos *pos, size_t *more)
{
	struct ryde_ack_entry *e = l->n > 0 ? entry_at(l, l->n - 1) : NULL;
	enum known known = knows(l, line, pos);

	*more = 0;
	if (known == NEW)
		return 0;
	/* of those that were kept the last one is enough */
	if (known == KEPT && e != NULL && e->unsaid && e->gen == line->gen) {
		l->bytes.n = (size_t)(e->from - l->gone);
		if (fill(l, e, line, pos) != 0)
			return -1;
	} else {
		e = ryde_ack_lane_push(l, line, pos);
		*more = 1;
	}
	if (e == NULL)
		return -1;
	e->done = true;
	e->unsaid = known == KEPT;
	return 1;
}

size_t
ryde_ack_lane_truncate(struct ryde_ack_lane *l, uint64_t last)
{
	size_t n = l->n, stays = last < l->first ? 0 : (size_t)(last - l->first) + 1;

	if (stays >= n)
		return 0;
	cut(l, stays);
	return n - stays;
}

void
ryde_ack_lane_free(struct ryde_ack_lane *l)
{
	ryde_buf_free(&l->to_send.at);
	ryde_buf_free(&l->bytes);
	free(l->ring);
	free(l->known);
	free(l);
}
