/*
 * Groups: the named readers of a stream. A group has a position per shard, at most one
 * living reader (its lease), and, behind a window, the window's own positions. Every
 * write is fenced: it fails once another reader holds the lease.
 */
#ifndef RYDE_STORE_GROUP_H
#define RYDE_STORE_GROUP_H

#include "base/view.h"
#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_group;
struct ryde_stream;
struct ryde_waits;

#define RYDE_GROUP_LEASE_MS \
	10000 /* a reader that has not renewed for this long has lost its lease */
#define RYDE_GROUP_RENEW_MS 2000

/* Shortens or lengthens the lease of all groups of this process (RYDE_LEASE): for tests.
 */
void ryde_group_set_lease_ms(int64_t ms);
int64_t ryde_group_lease_ms(void);
/* How often a holder has to renew: a fifth of the lease. */
int64_t ryde_group_renew_ms(void);
/* How often positions are worth a write: 0 for always; a second on AWS, where each costs.
 */
int64_t ryde_group_store_every_ms(const struct ryde_group *g);
/* Opens (and creates) group name of the stream. Names as streams'. */
struct ryde_group *ryde_group_open(
    struct ryde_stream *s, const char *name, struct ryde_err *err);
void ryde_group_close(struct ryde_group *g);

/*
 * Tries to take the lease. A dead holder's is taken at once, a silent one's (stopped, no
 * renewal seen for RYDE_GROUP_LEASE_MS on our own monotonic clock) after that time; so
 * call it again and again while standing by. owner (may be NULL, 64 bytes) becomes who
 * holds it, for messages.
 */
enum ryde_group_lease ryde_group_acquire(
    struct ryde_group *g, char *owner, struct ryde_err *err);
/* Renews; cheap, call it at least every RYDE_GROUP_RENEW_MS. LOST when another one has
 * it. */
enum ryde_group_lease ryde_group_renew(struct ryde_group *g, struct ryde_err *err);
/* Gives the lease back, so that a stand-by takes over at once. */
void ryde_group_release(struct ryde_group *g);
void ryde_group_wait(struct ryde_group *g, struct ryde_waits *w);

/* The stored positions; owned by g, good until the next load. */
int ryde_group_load(struct ryde_group *g, const struct ryde_group_position **out,
    size_t *n, struct ryde_err *err);
/* A window's positions (JSON, see ryde-line(5)) and its fingerprint, appended; both empty
 * where the group has none. */
int ryde_group_load_window(struct ryde_group *g, struct ryde_buf *at,
    struct ryde_buf *fingerprint, struct ryde_err *err);
/*
 * Stores positions (only these shards change), and with at.n > 0 the window's, all in one
 * transaction, while the lease is ours. HELD: stored. LOST: nothing was. FAILED
 * with RYDE_EUNAVAILABLE or RYDE_ETEMPFAIL: not stored now (AWS); positions may lag.
 * `fenced` false stores without a lease (ryde-admin), which a live holder forbids (BUSY).
 */
enum ryde_group_lease ryde_group_store(struct ryde_group *g,
    const struct ryde_group_position *p, size_t n, struct ryde_view at,
    struct ryde_view fingerprint, bool fenced, struct ryde_err *err);
/* Deletes positions and window positions (--delete), or the window's alone. BUSY while a
 * reader lives. */
enum ryde_group_lease ryde_group_delete(
    struct ryde_group *g, bool window_only, struct ryde_err *err);
/* Who holds the lease now: fills owner (64 bytes, "" for nobody). */
int ryde_group_owner(struct ryde_group *g, char *owner, struct ryde_err *err);
/* Names of the groups of a stream: calls fn for each. */
int ryde_group_list(struct ryde_stream *s, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err);

#endif
