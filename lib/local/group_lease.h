/* What group.c and group_lease.c know of a group of the embedded store. */
#ifndef RYDE_LOCAL_GROUP_LEASE_H
#define RYDE_LOCAL_GROUP_LEASE_H

#include "line/store_ops.h"
#include "local/db.h"

struct ryde_local_group {
	struct ryde_group base;
	struct ryde_db db;
	char *name, *stream;
	char folder[4096];    /* of the lock files */
	int64_t epoch;	      /* of our lease; 0: we have none */
	int lock_fd;	      /* of our lease */
	bool lost;	      /* we had a lease, and another one has it now */
	int64_t renewed_ms;   /* monotonic */
	int64_t data_version; /* of the file when our lease was last seen to be ours */
	/* what a stand-by has seen of the holder, and since when it has not changed */
	int64_t seen_epoch, seen_renewals, seen_ms;
	struct ryde_group_position *positions;
	int64_t member; /* our name as a member; 0: we are none */
	int member_fd;	/* our lock */
	struct ryde_share_member *members;
	struct ryde_share_lease *leases;
	struct {
		sqlite3_stmt *look, *next_epoch, *hold, *renew, *release, *deleted;
		sqlite3_stmt *load, *load_window, *store, *store_window;
		sqlite3_stmt *drop, *drop_positions, *drop_window, *insert;
		sqlite3_stmt *drop_leases, *members, *leases, *join, *leave, *unlease;
		sqlite3_stmt *beat, *expel, *is_member, *take, *give, *is_ours, *unheld;
		sqlite3_stmt *position, *any;
	} st;
};

/* A row of the table groups; epoch 0: there is none. */
struct ryde_group_row {
	int64_t epoch, renewals;
	bool held;
	char owner[64];
};

static inline struct ryde_local_group *
ryde_group_lease_local(struct ryde_group *base)
{
	return (struct ryde_local_group *)base;
}

/* Reads the group's row. RYDE_ENOINPUT where the stream was deleted. */
int ryde_group_lease_look(
    struct ryde_local_group *g, struct ryde_group_row *row, struct ryde_err *err);
/* Whether a living process other than we holds the lease of row. -1 with err set. */
int ryde_group_lease_lives(
    struct ryde_local_group *g, const struct ryde_group_row *row, struct ryde_err *err);
/* Forgets our lease without giving it back: another one has it. */
void ryde_group_lease_forget(struct ryde_local_group *g);

/* The next epoch, which no lease and no member of this stream ever had. Within a
 * transaction. */
int ryde_group_lease_next(
    struct ryde_local_group *g, int64_t *epoch, struct ryde_err *err);
/* "process 17 on host", into to[64]. */
void ryde_group_lease_describe(char *to);
/* Stores positions within the transaction that is open. */
int ryde_group_local_put(struct ryde_local_group *g, const struct ryde_group_position *p,
    size_t n, struct ryde_err *err);
/* Makes the group's row unless it is there. */
int ryde_group_local_make(struct ryde_local_group *g, struct ryde_err *err);
/* A position from columns shard, seq, updated_ms and sub of a row. */
int ryde_group_local_position(struct ryde_local_group *g, struct ryde_group_position *p,
    sqlite3_stmt *st, struct ryde_err *err);

/* The functions of the vtable. */
enum ryde_group_lease ryde_group_lease_acquire(
    struct ryde_group *base, int64_t lease_ms, char *owner, struct ryde_err *err);
enum ryde_group_lease ryde_group_lease_renew(
    struct ryde_group *base, int64_t lease_ms, struct ryde_err *err);
void ryde_group_lease_release(struct ryde_group *base);
int ryde_group_lease_owner(struct ryde_group *base, char *owner, struct ryde_err *err);

#endif
