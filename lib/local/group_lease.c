/*
 * The lease of a group. Two things tell that its holder lives: the lock file, which the
 * kernel frees when the holder dies, and a counter that the holder raises. A stand-by
 * takes over at once where the lock is free, and after lease_ms of its own monotonic
 * clock without a new count where it is not (a stopped process). Each take-over has a new
 * epoch, which no earlier lease of any group of this stream ever had; every write asks
 * for its own epoch in its own transaction.
 */
#include "local/group_lease.h"

#include "base/clock.h"
#include "base/err.h"
#include "local/group_member.h"
#include "local/lease.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
ryde_group_lease_look(
    struct ryde_local_group *g, struct ryde_group_row *row, struct ryde_err *err)
{
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&g->db, &g->st.look,
		"SELECT deleted,epoch,renewals,held,owner FROM meta LEFT JOIN groups ON "
		"name=?",
		err) != 0)
		return -1;
	st = g->st.look;
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	rc = ryde_db_step(&g->db, st, err);
	if (rc < 0)
		return -1;
	if (rc == 0 || sqlite3_column_int(st, 0) != 0) {
		(void)sqlite3_reset(st);
		return ryde_err_set(
		    err, RYDE_ENOINPUT, "stream %s was deleted", g->stream);
	}
	*row = (struct ryde_group_row){
	    .epoch = sqlite3_column_int64(st, 1),
	    .renewals = sqlite3_column_int64(st, 2),
	    .held = sqlite3_column_int(st, 3) != 0,
	};
	if (sqlite3_column_bytes(st, 4) > 0)
		(void)snprintf(row->owner, sizeof(row->owner), "%.*s",
		    sqlite3_column_bytes(st, 4),
		    (const char *)sqlite3_column_blob(st, 4));
	(void)sqlite3_reset(st);
	return 0;
}

void
ryde_group_lease_forget(struct ryde_local_group *g)
{
	if (g->epoch == 0)
		return;
	if (g->lock_fd >= 0)
		(void)close(g->lock_fd);
	g->lock_fd = -1;
	g->epoch = 0;
	g->lost = true;
}

int
ryde_group_lease_lives(
    struct ryde_local_group *g, const struct ryde_group_row *row, struct ryde_err *err)
{
	enum ryde_lease_state state;
	int fd;

	if (!row->held || row->epoch == 0 || row->epoch == g->epoch)
		return 0;
	state = ryde_lease_try(g->folder, g->name, row->epoch, &fd, err);
	if (fd >= 0)
		(void)close(fd);
	return state == RYDE_LEASE_FAILED ? -1 : state == RYDE_LEASE_TAKEN;
}

/* A living holder's lease is over where it has not renewed it while we watched. */
static bool
expired(struct ryde_local_group *g, const struct ryde_group_row *row, int64_t lease_ms)
{
	int64_t now_ms = ryde_clock_mono_ms();

	if (g->seen_epoch != row->epoch || g->seen_renewals != row->renewals) {
		g->seen_epoch = row->epoch;
		g->seen_renewals = row->renewals;
		g->seen_ms = now_ms;
	}
	return now_ms - g->seen_ms >= lease_ms;
}

/* Whether the lease can be had: 1 yes, 0 no, -1 with err set. */
static int
can_take(struct ryde_local_group *g, const struct ryde_group_row *row, int64_t lease_ms,
    struct ryde_err *err)
{
	int lives = ryde_group_lease_lives(g, row, err);

	if (lives < 0)
		return -1;
	return !lives || expired(g, row, lease_ms);
}

int
ryde_group_lease_next(struct ryde_local_group *g, int64_t *epoch, struct ryde_err *err)
{
	if (ryde_db_prepare(&g->db, &g->st.next_epoch,
		"UPDATE meta SET last_epoch=last_epoch+1 RETURNING last_epoch",
		err) != 0 ||
	    ryde_db_step(&g->db, g->st.next_epoch, err) != 1)
		return -1;
	*epoch = sqlite3_column_int64(g->st.next_epoch, 0);
	(void)sqlite3_reset(g->st.next_epoch);
	return 0;
}

void
ryde_group_lease_describe(char *to)
{
	char host[40];

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	(void)snprintf(to, 64, "process %ld on %s", (long)getpid(), host);
}

static int
write_row(struct ryde_local_group *g, int64_t epoch, struct ryde_err *err)
{
	sqlite3_stmt *st;
	char me[64];

	if (ryde_db_prepare(&g->db, &g->st.hold,
		"INSERT INTO groups(name,epoch,renewals,held,owner) VALUES(?1,?2,0,1,?3) "
		"ON CONFLICT(name) DO UPDATE SET epoch=?2,renewals=0,held=1,owner=?3",
		err) != 0)
		return -1;
	st = g->st.hold;
	ryde_group_lease_describe(me);
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, epoch);
	(void)sqlite3_bind_text(st, 3, me, -1, SQLITE_TRANSIENT);
	return ryde_db_step(&g->db, st, err);
}

/* Takes the lease within the transaction that is open, and ends that. */
static int
take(struct ryde_local_group *g, const struct ryde_group_row *row, struct ryde_err *err)
{
	int64_t epoch = 0;
	int fd = -1;

	if (ryde_group_lease_next(g, &epoch, err) != 0)
		return -1;
	/* the lock first: who reads the new epoch finds it taken */
	fd = ryde_lease_make(g->folder, g->name, epoch, err);
	if (fd < 0)
		return -1;
	if (write_row(g, epoch, err) != 0 || ryde_db_commit(&g->db, err) != 0) {
		ryde_lease_remove(g->folder, g->name, epoch);
		(void)close(fd);
		return -1;
	}
	if (row->epoch != 0)
		ryde_lease_remove(g->folder, g->name, row->epoch);
	ryde_group_lease_forget(g);
	g->epoch = epoch;
	g->lock_fd = fd;
	g->lost = false;
	g->renewed_ms = ryde_clock_mono_ms();
	g->data_version = -1;
	return 0;
}

/* A group that has living members is theirs. */
static int
not_shared(struct ryde_local_group *g, struct ryde_err *err)
{
	int living = ryde_group_member_living(g, err);

	if (living <= 0)
		return living;
	return ryde_err_set(err, RYDE_ECONFIG,
	    "group %s is shared by %d reader%s: read it with --share too, or stop them",
	    g->name, living, living == 1 ? "" : "s");
}

enum ryde_group_lease
ryde_group_lease_acquire(
    struct ryde_group *base, int64_t lease_ms, char *owner, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	struct ryde_group_row row;
	int can;

	if (g->epoch != 0)
		return ryde_group_lease_renew(base, lease_ms, err);
	/* a look without the write lock first: stand-bys ask again and again */
	if (ryde_group_lease_look(g, &row, err) != 0)
		return RYDE_GROUP_FAILED;
	can = can_take(g, &row, lease_ms, err);
	if (can == 1) {
		if (ryde_db_begin(&g->db, err) != 0)
			return RYDE_GROUP_FAILED;
		can = ryde_group_lease_look(g, &row, err) != 0
			  ? -1
			  : can_take(g, &row, lease_ms, err);
		if (can == 1 && not_shared(g, err) != 0)
			can = -1;
		if (can == 1 && take(g, &row, err) != 0)
			can = -1;
		ryde_db_rollback(&g->db);
	}
	if (can < 0)
		return RYDE_GROUP_FAILED;
	if (owner != NULL) {
		if (can == 1)
			ryde_group_lease_describe(row.owner);
		memcpy(owner, row.owner, sizeof(row.owner));
	}
	return can == 1 ? RYDE_GROUP_HELD : RYDE_GROUP_BUSY;
}

/* Raises the counter: 1 done, 0 the lease is not ours, -1 with err set. */
static int
count(struct ryde_local_group *g, struct ryde_err *err)
{
	sqlite3_stmt *st;

	if (ryde_db_prepare(&g->db, &g->st.renew,
		"UPDATE groups SET renewals=renewals+1 WHERE name=? AND epoch=? AND "
		"held=1 "
		"AND (SELECT deleted FROM meta)=0",
		err) != 0)
		return -1;
	st = g->st.renew;
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, g->epoch);
	if (ryde_db_step(&g->db, st, err) != 0)
		return -1;
	return sqlite3_changes(g->db.sql) > 0;
}

/* Whether the lease is still ours, without writing. */
static int
check(struct ryde_local_group *g, struct ryde_err *err)
{
	int64_t v = ryde_db_data_version(&g->db, err);
	struct ryde_group_row row;

	if (v < 0)
		return -1;
	if (v == g->data_version)
		return 1;
	if (ryde_group_lease_look(g, &row, err) != 0)
		return -1;
	if (row.epoch != g->epoch || !row.held)
		return 0;
	g->data_version = v;
	return 1;
}

enum ryde_group_lease
ryde_group_lease_renew(struct ryde_group *base, int64_t lease_ms, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	int64_t now_ms = ryde_clock_mono_ms();
	int rc;

	if (g->epoch == 0)
		return RYDE_GROUP_LOST;
	if (now_ms - g->renewed_ms >= lease_ms / 5) {
		rc = count(g, err);
		if (rc == 1)
			g->renewed_ms = now_ms;
	} else {
		rc = check(g, err);
	}
	if (rc < 0)
		return RYDE_GROUP_FAILED;
	if (rc == 0) {
		ryde_group_lease_forget(g);
		return RYDE_GROUP_LOST;
	}
	return RYDE_GROUP_HELD;
}

void
ryde_group_lease_release(struct ryde_group *base)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	int64_t epoch = g->epoch;
	sqlite3_stmt *st;

	if (epoch == 0)
		return;
	/* should this fail, the lock that is free now says the same */
	if (ryde_db_prepare(&g->db, &g->st.release,
		"UPDATE groups SET held=0 WHERE name=? AND epoch=?", NULL) == 0) {
		st = g->st.release;
		(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 2, epoch);
		(void)ryde_db_step(&g->db, st, NULL);
	}
	ryde_lease_remove(g->folder, g->name, epoch);
	ryde_group_lease_forget(g);
	g->lost = false;
}

int
ryde_group_lease_owner(struct ryde_group *base, char *owner, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	struct ryde_group_row row;
	int lives;

	if (ryde_group_lease_look(g, &row, err) != 0)
		return -1;
	lives = g->epoch != 0 && row.epoch == g->epoch && row.held
		    ? 1
		    : ryde_group_lease_lives(g, &row, err);
	if (lives < 0)
		return -1;
	memcpy(owner, row.owner, sizeof(row.owner));
	if (lives)
		return 0;
	owner[0] = '\0';
	lives = ryde_group_member_living(g, err);
	if (lives > 0)
		(void)snprintf(owner, sizeof(row.owner), "%d reader%s with --share",
		    lives, lives == 1 ? "" : "s");
	return lives < 0 ? -1 : 0;
}
