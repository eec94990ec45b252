#include "aws/positions_shared.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "json/string.h"

#include <stdio.h>
#include <string.h>

#define VALUES_MAX 4096

static bool
is_ours(const struct ryde_positions *g)
{
	return strcmp(g->owner, g->self) == 0 && strcmp(g->process, g->self_process) == 0;
}

/* True where the holder that was read is known to be gone: its process is no more, or it
 * has given no sign of life for the length of a lease. */
static bool
is_gone(struct ryde_positions *g, int64_t lease_ms)
{
	int64_t now = ryde_clock_mono_ms();

	if (g->owner[0] == '\0' || ryde_alive_is_gone(g->process))
		return true;
	if (g->seen_mono_ms == 0 || g->seen_epoch != g->epoch ||
	    g->seen_beat != g->beat) {
		g->seen_epoch = g->epoch;
		g->seen_beat = g->beat;
		g->seen_mono_ms = now;
		return false;
	}
	return now - g->seen_mono_ms >= lease_ms;
}

static void
put_string(struct ryde_buf *b, const char *name, const char *text)
{
	ryde_buf_printf(b, ",\":%s\":{\"S\":", name);
	ryde_json_string_put(b, ryde_view_of(text));
	ryde_buf_putc(b, '}');
}

/* Takes the lease over from what was read. */
static enum ryde_positions_outcome
take(struct ryde_positions *g, struct ryde_err *err)
{
	enum ryde_positions_outcome outcome;
	struct ryde_buf v;

	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_printf(&v,
	    "\":next\":{\"N\":\"%lld\"},\":beat\":{\"N\":\"%lld\"},\":none\":{\"M\":{}}",
	    (long long)g->epoch + 1, (long long)g->beat + 1);
	put_string(&v, "owner", g->self);
	put_string(&v, "process", g->self_process[0] != '\0' ? g->self_process : "-");
	if (g->exists)
		ryde_buf_printf(&v,
		    ",\":epoch\":{\"N\":\"%lld\"},\":seen\":{\"N\":\"%lld\"}",
		    (long long)g->epoch, (long long)g->beat);
	outcome = ryde_positions_item_write(g,
	    "SET #epoch = :next, #beat = :beat, #owner = :owner, #process = :process, "
	    "#positions = if_not_exists(#positions, :none)",
	    g->exists ? "#epoch = :epoch AND #beat = :seen"
		      : "attribute_not_exists(#stream)",
	    &v, err);
	ryde_buf_free(&v);
	return outcome;
}

static enum ryde_group_lease
hold(struct ryde_positions *g, int64_t epoch)
{
	g->epoch = epoch;
	g->exists = true;
	g->held = true;
	g->lost = false;
	g->beat_mono_ms = ryde_clock_mono_ms();
	return RYDE_GROUP_HELD;
}

static enum ryde_group_lease
busy(struct ryde_positions *g, char *owner)
{
	if (owner != NULL)
		memcpy(owner, g->owner, sizeof(g->owner));
	return RYDE_GROUP_BUSY;
}

void
ryde_positions_describe(size_t living, char *owner)
{
	owner[0] = '\0';
	if (living > 0)
		(void)snprintf(owner, 64, "%zu reader%s with --share", living,
		    living == 1 ? "" : "s");
}

/* The group is no longer shared: none of its members lives. BUSY: that cannot be told
 * yet. */
static enum ryde_group_lease
unshared(struct ryde_positions *g, int64_t lease_ms, struct ryde_err *err)
{
	size_t living;

	switch (ryde_positions_plain_watch(g, lease_ms, &living, err)) {
	case RYDE_GROUP_HELD:
		return RYDE_GROUP_HELD;
	case RYDE_GROUP_BUSY:
		ryde_positions_describe(living, g->owner);
		return RYDE_GROUP_BUSY;
	case RYDE_GROUP_LOST:
		ryde_positions_describe(living, g->owner);
		return RYDE_GROUP_LOST;
	case RYDE_GROUP_FAILED:
		break;
	}
	return RYDE_GROUP_FAILED;
}

/* The item is ours: whatever members had is now taken over. */
static enum ryde_group_lease
hold_alone(struct ryde_positions *g, int64_t epoch, char *owner, struct ryde_err *err)
{
	enum ryde_group_lease lease;

	g->epoch = epoch;
	if (g->shared) {
		lease = ryde_positions_plain_end(g, err);
		if (lease == RYDE_GROUP_LOST)
			return busy(g, owner);
		if (lease != RYDE_GROUP_HELD)
			return lease;
	}
	return hold(g, epoch);
}

enum ryde_group_lease
ryde_positions_lease_acquire(
    struct ryde_group *base, int64_t lease_ms, char *owner, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	int64_t now = ryde_clock_mono_ms(), epoch;
	enum ryde_group_lease lease;

	if (g->held)
		return RYDE_GROUP_HELD;
	if (now < g->look_mono_ms)
		return busy(g, owner);
	g->look_mono_ms = now + lease_ms / 5;
	if (ryde_positions_item_read(g, err) != 0)
		return RYDE_GROUP_FAILED;
	if (g->exists && g->owner[0] != '\0' && is_ours(g))
		return hold_alone(g, g->epoch, owner, err);
	if (!is_gone(g, lease_ms))
		return busy(g, owner);
	if (g->shared) {
		lease = unshared(g, lease_ms, err);
		if (lease == RYDE_GROUP_LOST) {
			(void)ryde_err_set(err, RYDE_ECONFIG,
			    "group %s is shared by %s: read it with --share too, or stop "
			    "them",
			    g->group, g->owner);
			return RYDE_GROUP_FAILED;
		}
		if (lease != RYDE_GROUP_HELD)
			return lease == RYDE_GROUP_BUSY ? busy(g, owner) : lease;
	}
	epoch = g->epoch + 1;
	switch (take(g, err)) {
	case RYDE_POSITIONS_DONE:
		return hold_alone(g, epoch, owner, err);
	case RYDE_POSITIONS_REFUSED:
		break;
	case RYDE_POSITIONS_FAILED:
		return RYDE_GROUP_FAILED;
	}
	/* somebody was faster; or we were, and the answer was lost */
	if (ryde_positions_item_read(g, err) != 0)
		return RYDE_GROUP_FAILED;
	if (g->owner[0] != '\0' && is_ours(g))
		return hold_alone(g, g->epoch, owner, err);
	return busy(g, owner);
}

static bool
may_pass(const struct ryde_err *why)
{
	return why->code == RYDE_EUNAVAILABLE || why->code == RYDE_ETEMPFAIL;
}

enum ryde_group_lease
ryde_positions_lease_renew(
    struct ryde_group *base, int64_t lease_ms, struct ryde_err *err)
{
	struct ryde_positions *g = ryde_positions_of(base);
	int64_t now = ryde_clock_mono_ms();
	enum ryde_positions_outcome outcome;
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_buf v;

	if (!g->held)
		return RYDE_GROUP_LOST;
	if (now - g->beat_mono_ms < lease_ms / 6)
		return RYDE_GROUP_HELD;
	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_printf(&v, "\":one\":{\"N\":\"1\"},\":epoch\":{\"N\":\"%lld\"}",
	    (long long)g->epoch);
	outcome =
	    ryde_positions_item_write(g, "ADD #beat :one", "#epoch = :epoch", &v, &why);
	ryde_buf_free(&v);
	switch (outcome) {
	case RYDE_POSITIONS_DONE:
		g->beat_mono_ms = now;
		g->warned = false;
		return RYDE_GROUP_HELD;
	case RYDE_POSITIONS_REFUSED:
		g->held = false;
		g->lost = true;
		return RYDE_GROUP_LOST;
	case RYDE_POSITIONS_FAILED:
		break;
	}
	if (!may_pass(&why)) {
		*err = why;
		return RYDE_GROUP_FAILED;
	}
	/* every write is fenced: going on is safe, and whoever took over will be met
	 * there
	 */
	if (!g->warned)
		ryde_log(RYDE_LOG_WARNING, "the lease could not be renewed: %s", why.msg);
	g->warned = true;
	return RYDE_GROUP_HELD;
}

void
ryde_positions_lease_release(struct ryde_group *base)
{
	struct ryde_positions *g = ryde_positions_of(base);
	struct ryde_err ignored = RYDE_ERR_INIT;
	struct ryde_buf v;

	if (!g->held)
		return;
	g->held = false;
	ryde_buf_init(&v, VALUES_MAX);
	ryde_buf_printf(&v, "\":one\":{\"N\":\"1\"},\":epoch\":{\"N\":\"%lld\"}",
	    (long long)g->epoch);
	/* where this fails a stand-by takes over after the lease */
	(void)ryde_positions_item_write(
	    g, "REMOVE #owner, #process ADD #beat :one", "#epoch = :epoch", &v, &ignored);
	ryde_buf_free(&v);
}

void
ryde_positions_lease_wait(struct ryde_group *base, struct ryde_waits *w)
{
	const struct ryde_positions *g = ryde_positions_of(base);

	if (!g->held)
		ryde_waits_until(w, g->look_mono_ms);
}

/* Nobody holds the item: whether no member is left either; then the sharing ends, by a
 * lease of our own that the write to come gives back. LOST: it is not as it was read. */
static enum ryde_group_lease
end_sharing(struct ryde_positions *g, int64_t lease_ms, struct ryde_err *err)
{
	enum ryde_group_lease lease = unshared(g, lease_ms, err);

	if (lease == RYDE_GROUP_LOST)
		return RYDE_GROUP_BUSY; /* one lives */
	if (lease != RYDE_GROUP_HELD)
		return lease == RYDE_GROUP_BUSY ? RYDE_GROUP_LOST : lease;
	switch (take(g, err)) {
	case RYDE_POSITIONS_DONE:
		g->epoch++;
		lease = ryde_positions_plain_end(g, err);
		break;
	case RYDE_POSITIONS_REFUSED:
		return RYDE_GROUP_LOST;
	case RYDE_POSITIONS_FAILED:
		return RYDE_GROUP_FAILED;
	}
	if (lease == RYDE_GROUP_HELD && ryde_positions_item_read(g, err) != 0)
		lease = RYDE_GROUP_FAILED;
	return lease;
}

/* One look: HELD it is free, BUSY it is not, LOST that cannot be told yet. */
static enum ryde_group_lease
look_free(struct ryde_positions *g, bool members, int64_t lease_ms, struct ryde_err *err)
{
	int64_t epoch = g->seen_epoch, beat = g->seen_beat;
	bool looked = g->seen_mono_ms != 0;

	if (ryde_positions_item_read(g, err) != 0)
		return RYDE_GROUP_FAILED;
	if (!g->exists || is_ours(g) || is_gone(g, lease_ms))
		return g->shared && members ? end_sharing(g, lease_ms, err)
					    : RYDE_GROUP_HELD;
	return looked && (epoch != g->epoch || beat != g->beat) ? RYDE_GROUP_BUSY
								: RYDE_GROUP_LOST;
}

enum ryde_group_lease
ryde_positions_lease_free(struct ryde_positions *g, bool members, struct ryde_err *err)
{
	int64_t lease_ms = g->base.lease_ms > 0 ? g->base.lease_ms : 10000;
	int64_t until = ryde_clock_mono_ms() + lease_ms + lease_ms / 2;
	bool said = false;

	for (;;) {
		struct ryde_waits w = {0};
		enum ryde_group_lease lease = look_free(g, members, lease_ms, err);

		if (lease != RYDE_GROUP_LOST)
			return lease;
		if (ryde_clock_mono_ms() >= until)
			return RYDE_GROUP_BUSY;
		if (!said)
			ryde_log(RYDE_LOG_NOTICE,
			    "group %s was last read by %s: looking whether it still is",
			    g->group, g->owner);
		said = true;
		ryde_waits_begin(&w);
		ryde_waits_until(&w, ryde_clock_mono_ms() + lease_ms / 10);
		if (ryde_waits_poll(&w, err) != 0)
			return RYDE_GROUP_FAILED;
		if (ryde_signals_stop() > 0) {
			(void)ryde_err_set(err, RYDE_ETEMPFAIL, "told to stop");
			return RYDE_GROUP_FAILED;
		}
	}
}
