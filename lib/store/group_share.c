#include "store/group_share.h"

#include "line/store_ops.h"

enum ryde_group_lease
ryde_group_share_join(struct ryde_group *g, char *id, char *owner, struct ryde_err *err)
{
	return g->ops->share->join(g, id, owner, err);
}

void
ryde_group_share_leave(struct ryde_group *g)
{
	g->ops->share->leave(g);
}

enum ryde_share_outcome
ryde_group_share_beat(struct ryde_group *g, struct ryde_err *err)
{
	return g->ops->share->beat(g, err);
}

int
ryde_group_share_look(struct ryde_group *g, const struct ryde_share_member **members,
    size_t *n_members, const struct ryde_share_lease **leases, size_t *n_leases,
    struct ryde_err *err)
{
	*members = NULL;
	*n_members = 0;
	if (leases != NULL) {
		*leases = NULL;
		*n_leases = 0;
	}
	return g->ops->share->look(g, members, n_members, leases, n_leases, err);
}

int64_t
ryde_group_share_look_every_ms(const struct ryde_group *g)
{
	return g->look_every_ms;
}

enum ryde_share_outcome
ryde_group_share_expel(
    struct ryde_group *g, const struct ryde_share_member *member, struct ryde_err *err)
{
	return g->ops->share->expel(g, member, err);
}

enum ryde_share_outcome
ryde_group_share_take(struct ryde_group *g, const struct ryde_share_lease *lease,
    int64_t *epoch, struct ryde_group_position *position, bool *placed,
    struct ryde_err *err)
{
	return g->ops->share->take(g, lease, epoch, position, placed, err);
}

enum ryde_share_outcome
ryde_group_share_give(struct ryde_group *g, const char *shard, int64_t epoch, bool done,
    struct ryde_err *err)
{
	return g->ops->share->give(g, shard, epoch, done, err);
}

enum ryde_group_lease
ryde_group_share_store(struct ryde_group *g, const struct ryde_group_position *p,
    const int64_t *epochs, size_t n, struct ryde_err *err)
{
	return g->ops->share->store(g, p, epochs, n, err);
}

enum ryde_share_outcome
ryde_group_share_found(struct ryde_group *g, const struct ryde_group_position *p,
    size_t n, struct ryde_err *err)
{
	return g->ops->share->found(g, p, n, err);
}
