#include "flow/ack_going.h"

#include "base/num.h"
#include "flow/ack_sink_state.h"
#include "json/scan.h"

/* A shard goes to another reader: its lines up to gen are stale, also those that were not
 * taken yet. */
void
ryde_ack_going_hear(
    struct ryde_ack_reader *r, struct ryde_view shard, struct ryde_json_walk *w)
{
	struct ryde_ack_sink *s = r->sink;
	struct ryde_json_value key, v;
	struct ryde_ack_lane *l = NULL;
	uint64_t gen = 0;

	if (!ryde_json_walk_next(w, &key, &v) || !ryde_num_u64(v.text, UINT32_MAX, &gen))
		return;
	for (size_t i = 0; i < s->n_lanes; i++)
		if (s->lanes[i]->reader == r &&
		    ryde_view_eq(
			shard, ryde_view_mem(s->lanes[i]->id, s->lanes[i]->id_n)))
			l = s->lanes[i];
	if (l == NULL && (l = ryde_ack_sink_lane(s, r, shard, &r->gone)) == NULL)
		return;
	if (!l->held || l->held_gen < gen)
		l->held_gen = (uint32_t)gen;
	l->held = true;
	s->n_going += !l->going;
	l->going = true;
	l->let_go = !s->heeds;
	l->going_gen = (uint32_t)gen;
}

/* Nothing of the shard is under way: its reader may give it away. Numbers of lines that
 * were dropped are not used again: what was begun of them may yet end. */
void
ryde_ack_going_say(struct ryde_ack_sink *s, struct ryde_ack_lane *l)
{
	ryde_buf_printf(&l->reader->socket.out, "{\"forgot\":\"%.*s\",\"gen\":%lu}\n",
	    (int)l->id_n, l->id, (unsigned long)l->going_gen);
	/* whatever was kept of it over a hold may have been dropped */
	l->kept.n = 0;
	l->n_known = l->at_known = 0;
	l->first += l->dropped;
	l->dropped = 0;
	l->going = false;
	s->n_going--;
}

void
ryde_ack_going_heed(struct ryde_ack_sink *s)
{
	s->heeds = true;
}

bool
ryde_ack_going_any(const struct ryde_ack_sink *s)
{
	return s->n_going > 0;
}

bool
ryde_ack_going_next(const struct ryde_ack_sink *s, size_t *at, struct ryde_view *ack,
    struct ryde_view *shard)
{
	for (size_t i = *at; s->n_going > 0 && i < s->n_lanes; i++) {
		const struct ryde_ack_lane *l = s->lanes[i];

		if (!l->going || l->let_go)
			continue;
		*ack = ryde_view_mem(l->reader->token, l->reader->token_n);
		*shard = ryde_view_mem(l->id, l->id_n);
		*at = i + 1;
		return true;
	}
	return false;
}

void
ryde_ack_going_drop(struct ryde_ack_sink *s, uint64_t ticket)
{
	struct ryde_ack_lane *l;
	size_t n;

	if (ryde_ack_sink_entry(s, ticket, &l) == NULL)
		return;
	n = ryde_ack_lane_truncate(l, (ticket & RYDE_ACK_NUMBER_MASK) - 1);
	l->dropped += n;
	s->outstanding -= n;
}

void
ryde_ack_going_let_go(struct ryde_ack_sink *s, size_t at)
{
	s->lanes[at - 1]->let_go = true;
}
