/* A reader without --share comes to a group that members shared. Why this is safe stands
 * in positions_shared.h. */
#include "aws/positions_shared.h"

#include "base/clock.h"
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDS_MAX 20

enum ryde_group_lease
ryde_positions_plain_watch(
    struct ryde_positions *g, int64_t lease_ms, size_t *living, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();
	bool lives = false;

	*living = 0;
	if (ryde_positions_members_make(g, err) != 0 ||
	    ryde_positions_members_read(g, RYDE_POSITIONS_MEMBERS, true, err) != 0)
		return RYDE_GROUP_FAILED;
	for (size_t i = 0; i < g->m->n_members; i++) {
		const struct ryde_positions_member *m = &g->m->members[i];

		lives = lives || m->changed;
		if (m->m.gone || now - m->since_ms >= lease_ms) {
			switch (
			    ryde_positions_member_delete(g, m->m.id, &m->m.beat, err)) {
			case RYDE_POSITIONS_DONE:
				continue;
			case RYDE_POSITIONS_REFUSED: /* it lives, or is deleted */
				break;
			case RYDE_POSITIONS_FAILED:
				return RYDE_GROUP_FAILED;
			}
		}
		++*living;
	}
	return *living == 0 ? RYDE_GROUP_HELD : lives ? RYDE_GROUP_LOST : RYDE_GROUP_BUSY;
}

/* Deletes the items of all shards, as they were read. 0 also where some were not. */
static int
delete_shards(struct ryde_positions *g, struct ryde_err *err)
{
	size_t n = g->m->n_shards;
	struct ryde_positions_job *jobs = calloc(n + 1, sizeof(*jobs));
	struct ryde_buf v;
	int rc;

	if (jobs == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct ryde_positions_shard *s = &g->m->shards[i];
		const struct ryde_group_position *p = &s->position;
		struct ryde_positions_change change = {.item = jobs[i].item,
		    .condition = "#epoch = :epoch AND attribute_not_exists(#updated)",
		    .values = &v};

		(void)snprintf(
		    jobs[i].item, sizeof(jobs[i].item), "#s#%s", s->lease.shard);
		jobs[i].deletes = true;
		ryde_buf_init(&v, 4096);
		ryde_positions_put_n(&v, "epoch", s->lease.epoch);
		if (s->placed && p->pos.n > 0) {
			ryde_buf_printf(
			    &v, ",\":seq\":{\"S\":\"%.*s\"}", (int)p->pos.n, p->pos.seq);
			change.condition = "#epoch = :epoch AND #seq = :seq AND "
					   "attribute_not_exists(#sub)";
			if (p->pos.lines > 0) {
				change.condition = "#epoch = :epoch AND #seq = :seq AND "
						   "#sub = :sub";
				ryde_positions_put_n(
				    &v, "sub", (int64_t)p->pos.lines - 1);
			}
		} else if (s->placed) {
			change.condition =
			    "#epoch = :epoch AND attribute_not_exists(#seq)";
		}
		ryde_buf_init(&jobs[i].body, 16384);
		ryde_positions_change_put(g, &change, false, &jobs[i].body);
		ryde_buf_free(&v);
	}
	rc = ryde_positions_jobs(g, jobs, n, err);
	free(jobs);
	return rc;
}

/* The group is ours alone from here on. */
static enum ryde_group_lease
remove_shared(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	struct ryde_buf v;

	ryde_buf_init(&v, 256);
	ryde_positions_put_n(&v, "epoch", g->epoch);
	ryde_positions_put_n(&v, "one", 1);
	outcome = ryde_positions_item_write(
	    g, "REMOVE #shared ADD #beat :one", "#epoch = :epoch", &v, err);
	ryde_buf_free(&v);
	if (outcome == RYDE_POSITIONS_DONE)
		g->shared = false;
	return outcome == RYDE_POSITIONS_DONE	   ? RYDE_GROUP_HELD
	       : outcome == RYDE_POSITIONS_REFUSED ? RYDE_GROUP_LOST
						   : RYDE_GROUP_FAILED;
}

enum ryde_group_lease
ryde_positions_plain_end(struct ryde_positions *g, struct ryde_err *err)
{
	if (ryde_positions_members_make(g, err) != 0)
		return RYDE_GROUP_FAILED;
	for (int i = 0; i < ENDS_MAX; i++) {
		if (ryde_positions_members_read(g, RYDE_POSITIONS_ALL, true, err) != 0)
			return RYDE_GROUP_FAILED;
		if (g->m->n_shards == 0)
			return remove_shared(g, err);
		if (ryde_positions_members_merge(g, err) != 0)
			return RYDE_GROUP_FAILED;
		switch (ryde_positions_item_store(g, err)) {
		case RYDE_POSITIONS_DONE:
			break;
		case RYDE_POSITIONS_REFUSED:
			return RYDE_GROUP_LOST;
		case RYDE_POSITIONS_FAILED:
			return RYDE_GROUP_FAILED;
		}
		if (delete_shards(g, err) != 0)
			return RYDE_GROUP_FAILED;
	}
	(void)ryde_err_set(err, RYDE_ETEMPFAIL,
	    "group %s changes again and again while its sharing ends", g->group);
	return RYDE_GROUP_FAILED;
}
