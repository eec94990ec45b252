/*
 * Shared groups: several readers, the members, divide a stream's shards by leases. What a
 * member does when is decided by flow/share.h; here is what the store does for it. Every
 * change is conditional: REFUSED where the store is not as the member saw it.
 */
#ifndef RYDE_STORE_GROUP_SHARE_H
#define RYDE_STORE_GROUP_SHARE_H

#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_group;

/*
 * Becomes a member of the group: id (RYDE_SHARE_ID_MAX + 1 bytes) becomes its name. BUSY:
 * a reader without --share lives, and owner (64 bytes) says which. From then on, until it
 * leaves, ryde_group_load says what the last whole look showed and what was stored since.
 */
enum ryde_group_lease ryde_group_share_join(
    struct ryde_group *g, char *id, char *owner, struct ryde_err *err);
/* Leaves, and gives all shards back. Nothing for one that is no member. */
void ryde_group_share_leave(struct ryde_group *g);
/* Counts the member's beat. REFUSED: it was deleted. */
enum ryde_share_outcome ryde_group_share_beat(struct ryde_group *g, struct ryde_err *err);
/*
 * All members and leases, owned by g and good until the next look. Leases have `ready`
 * false; shards that nobody ever took have none. leases NULL (and n_leases): only the
 * members, which costs a fraction in a group of many shards. On AWS they are not of one
 * moment, and may be some seconds old, but for what this member did itself: what follows
 * from them is checked by each change.
 */
int ryde_group_share_look(struct ryde_group *g, const struct ryde_share_member **members,
    size_t *n_members, const struct ryde_share_lease **leases, size_t *n_leases,
    struct ryde_err *err);
/* How far apart whole looks should be at least, so that those of all members are not too
 * much for the store, as the last one showed; 0: as the caller likes. */
int64_t ryde_group_share_look_every_ms(const struct ryde_group *g);
/* Deletes a member while its beat is the one given. */
enum ryde_share_outcome ryde_group_share_expel(
    struct ryde_group *g, const struct ryde_share_member *member, struct ryde_err *err);
/*
 * Takes a shard whose owner and epoch are those given, and whose owner is nobody or no
 * member. *epoch becomes the new one; *placed whether the group has a position of the
 * shard, which is then *position.
 */
enum ryde_share_outcome ryde_group_share_take(struct ryde_group *g,
    const struct ryde_share_lease *lease, int64_t *epoch,
    struct ryde_group_position *position, bool *placed, struct ryde_err *err);
/* Gives a shard back; done: it is closed and all of it is acknowledged. */
enum ryde_share_outcome ryde_group_share_give(struct ryde_group *g, const char *shard,
    int64_t epoch, bool done, struct ryde_err *err);
/*
 * Stores positions of shards whose epochs are ours. LOST where one is not, FAILED as with
 * ryde_group_store: the embedded store has then stored none of them, AWS those that it
 * could. Either is safe: a shard's position stands for itself.
 */
enum ryde_group_lease ryde_group_share_store(struct ryde_group *g,
    const struct ryde_group_position *p, const int64_t *epochs, size_t n,
    struct ryde_err *err);
/* Stores where a new group begins; REFUSED where it has a position already. */
enum ryde_share_outcome ryde_group_share_found(struct ryde_group *g,
    const struct ryde_group_position *p, size_t n, struct ryde_err *err);

#endif
