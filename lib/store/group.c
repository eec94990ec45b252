#include "store/group.h"

#include "base/err.h"
#include "line/store_ops.h"
#include "store/name.h"

#include <string.h>

static int64_t lease_ms = RYDE_GROUP_LEASE_MS;

void
ryde_group_set_lease_ms(int64_t ms)
{
	lease_ms = ms;
}

int64_t
ryde_group_lease_ms(void)
{
	return lease_ms;
}

struct ryde_group *
ryde_group_open(struct ryde_stream *s, const char *name, struct ryde_err *err)
{
	const struct ryde_store_settings none = {.engine = "local"};
	struct ryde_store_name checked;
	struct ryde_group *g;

	/* the same letters as in a stream's name, and no prefix */
	if (strchr(name, ':') != NULL ||
	    ryde_store_resolve(&none, name, &checked, NULL) != 0) {
		(void)ryde_err_set(
		    err, RYDE_EUSAGE, "'%.200s' is no name for a group", name);
		return NULL;
	}
	g = s->ops->group(s, name, err);
	if (g != NULL)
		g->lease_ms = lease_ms;
	return g;
}

void
ryde_group_close(struct ryde_group *g)
{
	if (g != NULL)
		g->ops->close(g);
}

enum ryde_group_lease
ryde_group_acquire(struct ryde_group *g, char *owner, struct ryde_err *err)
{
	return g->ops->acquire(g, lease_ms, owner, err);
}

enum ryde_group_lease
ryde_group_renew(struct ryde_group *g, struct ryde_err *err)
{
	return g->ops->renew(g, lease_ms, err);
}

void
ryde_group_release(struct ryde_group *g)
{
	g->ops->release(g);
}

void
ryde_group_wait(struct ryde_group *g, struct ryde_waits *w)
{
	g->ops->wait(g, w);
}

int
ryde_group_load(struct ryde_group *g, const struct ryde_group_position **out, size_t *n,
    struct ryde_err *err)
{
	return g->ops->load(g, out, n, err);
}

int
ryde_group_load_window(struct ryde_group *g, struct ryde_buf *at,
    struct ryde_buf *fingerprint, struct ryde_err *err)
{
	return g->ops->load_window(g, at, fingerprint, err);
}

enum ryde_group_lease
ryde_group_store(struct ryde_group *g, const struct ryde_group_position *p, size_t n,
    struct ryde_view at, struct ryde_view fingerprint, bool fenced, struct ryde_err *err)
{
	return g->ops->store(g, p, n, at, fingerprint, fenced, err);
}

enum ryde_group_lease
ryde_group_delete(struct ryde_group *g, bool window_only, struct ryde_err *err)
{
	return g->ops->delete (g, window_only, err);
}

int
ryde_group_owner(struct ryde_group *g, char *owner, struct ryde_err *err)
{
	return g->ops->owner(g, owner, err);
}

int
ryde_group_list(struct ryde_stream *s, void (*fn)(void *arg, const char *name), void *arg,
    struct ryde_err *err)
{
	return s->ops->groups(s, fn, arg, err);
}

int64_t
ryde_group_renew_ms(void)
{
	return lease_ms / 5;
}

int64_t
ryde_group_store_every_ms(const struct ryde_group *g)
{
	return g->ops->store_every_ms;
}
