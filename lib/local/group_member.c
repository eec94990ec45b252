/*
 * A member's name is an epoch of its own, as a lease's; its lock file tells that its
 * process lives, as a lease's does, and its beat that it is not stopped.
 */
#include "local/group_member.h"

#include "base/err.h"
#include "base/num.h"
#include "local/group_lease.h"
#include "local/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t
number_of(const char *id)
{
	int64_t n = 0;

	(void)ryde_num_i64(ryde_view_of(id), 0, INT64_MAX, &n);
	return n;
}

static void
name_of(int64_t member, char *id)
{
	id[0] = '\0';
	if (member != 0)
		(void)snprintf(id, RYDE_SHARE_ID_MAX + 1, "%lld", (long long)member);
}

/* A statement about the group: its name is the first value. NULL with err set. */
static sqlite3_stmt *
about(
    struct ryde_local_group *g, sqlite3_stmt **st, const char *sql, struct ryde_err *err)
{
	if (ryde_db_prepare(&g->db, st, sql, err) != 0)
		return NULL;
	(void)sqlite3_bind_text(*st, 1, g->name, -1, SQLITE_STATIC);
	return *st;
}

/* Runs a statement that gives no row: how many rows it changed, -1 with err set. */
static int
change(struct ryde_local_group *g, sqlite3_stmt *st, struct ryde_err *err)
{
	if (st == NULL || ryde_db_step(&g->db, st, err) != 0)
		return -1;
	return sqlite3_changes(g->db.sql);
}

/* Whether there is a row: 1, 0, or -1 with err set. */
static int
exists(struct ryde_local_group *g, sqlite3_stmt *st, struct ryde_err *err)
{
	int rc = st == NULL ? -1 : ryde_db_step(&g->db, st, err);

	if (rc == 1)
		(void)sqlite3_reset(st);
	return rc;
}

static enum ryde_share_outcome
outcome_of(int changed)
{
	return changed < 0    ? RYDE_SHARE_FAILED
	       : changed == 0 ? RYDE_SHARE_REFUSED
			      : RYDE_SHARE_DONE;
}

/* ---- looking ---- */

/* Whether the process of a member is no more: 1, 0, or -1 with err set. */
static int
is_gone(struct ryde_local_group *g, int64_t member, struct ryde_err *err)
{
	enum ryde_lease_state state;
	int fd;

	if (member == g->member)
		return 0;
	state = ryde_lease_try(g->folder, g->name, member, &fd, err);
	if (fd >= 0)
		(void)close(fd);
	return state == RYDE_LEASE_FAILED ? -1 : state == RYDE_LEASE_FREE;
}

static void
copy_text(char *to, size_t room, sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);
	size_t n = (size_t)sqlite3_column_bytes(st, i);

	n = n < room ? n : room - 1;
	if (n > 0)
		memcpy(to, p, n);
	to[n] = '\0';
}

/* Room for one more of what is `got` so far; NULL without memory. */
static void *
more(void *all, size_t got, size_t each, struct ryde_err *err)
{
	void *p = all;

	if ((got & (got - 1)) == 0)
		p = realloc(all, (got == 0 ? 1 : 2 * got) * each);
	if (p == NULL)
		(void)ryde_err_nomem(err);
	return p;
}

static int
read_members(struct ryde_local_group *g, size_t *n, struct ryde_err *err)
{
	sqlite3_stmt *st = about(g, &g->st.members,
	    "SELECT id,beat,owner FROM members WHERE name=? ORDER BY id", err);
	int rc = -1;

	*n = 0;
	while (st != NULL && (rc = ryde_db_step(&g->db, st, err)) == 1) {
		struct ryde_share_member *m = more(g->members, *n, sizeof(*m), err);
		int64_t id = sqlite3_column_int64(st, 0);
		int gone = m == NULL ? -1 : is_gone(g, id, err);

		if (m != NULL)
			g->members = m;
		if (gone < 0) {
			(void)sqlite3_reset(st);
			return -1;
		}
		m += (*n)++;
		*m = (struct ryde_share_member){
		    .beat = (uint64_t)sqlite3_column_int64(st, 1), .gone = gone == 1};
		name_of(id, m->id);
		copy_text(m->owner, sizeof(m->owner), st, 2);
	}
	return rc;
}

static int
read_leases(struct ryde_local_group *g, size_t *n, struct ryde_err *err)
{
	sqlite3_stmt *st = about(g, &g->st.leases,
	    "SELECT shard,member,epoch,done FROM leases WHERE name=? ORDER BY shard",
	    err);
	int rc = -1;

	*n = 0;
	while (st != NULL && (rc = ryde_db_step(&g->db, st, err)) == 1) {
		struct ryde_share_lease *l = more(g->leases, *n, sizeof(*l), err);

		if (l == NULL) {
			(void)sqlite3_reset(st);
			return -1;
		}
		g->leases = l;
		l += (*n)++;
		*l = (struct ryde_share_lease){.epoch = sqlite3_column_int64(st, 2),
		    .done = sqlite3_column_int(st, 3) != 0};
		copy_text(l->shard, sizeof(l->shard), st, 0);
		name_of(sqlite3_column_int64(st, 1), l->owner);
	}
	return rc;
}

static int
look(struct ryde_group *base, const struct ryde_share_member **members, size_t *n_members,
    const struct ryde_share_lease **leases, size_t *n_leases, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	struct ryde_group_row row;
	int rc = -1;

	if (ryde_db_begin_read(&g->db, err) != 0)
		return -1;
	if (ryde_group_lease_look(g, &row, err) == 0 &&
	    read_members(g, n_members, err) == 0 &&
	    (leases == NULL || read_leases(g, n_leases, err) == 0))
		rc = 0;
	ryde_db_rollback(&g->db);
	*members = g->members;
	if (leases != NULL)
		*leases = g->leases;
	return rc;
}

int
ryde_group_member_living(struct ryde_local_group *g, struct ryde_err *err)
{
	int living = 0;
	size_t n;

	if (read_members(g, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		living += !g->members[i].gone && number_of(g->members[i].id) != g->member;
	return living;
}

/* ---- coming and going ---- */

static int
write_member(struct ryde_local_group *g, int64_t id, struct ryde_err *err)
{
	sqlite3_stmt *st;
	char me[64];

	/* a plain reader that is gone has the group no longer */
	if (ryde_group_local_make(g, err) != 0 ||
	    change(g,
		about(g, &g->st.unheld, "UPDATE groups SET held=0 WHERE name=?", err),
		err) < 0)
		return -1;
	st = about(g, &g->st.join,
	    "INSERT INTO members(name,id,beat,owner) VALUES(?1,?2,0,?3)", err);
	if (st == NULL)
		return -1;
	ryde_group_lease_describe(me);
	(void)sqlite3_bind_int64(st, 2, id);
	(void)sqlite3_bind_text(st, 3, me, -1, SQLITE_TRANSIENT);
	return ryde_db_step(&g->db, st, err);
}

/* Within the transaction that is open, which it ends. */
static int
enter(struct ryde_local_group *g, struct ryde_err *err)
{
	int64_t id = 0;
	int fd;

	if (ryde_group_lease_next(g, &id, err) != 0)
		return -1;
	fd = ryde_lease_make(g->folder, g->name, id, err);
	if (fd < 0)
		return -1;
	if (write_member(g, id, err) != 0 || ryde_db_commit(&g->db, err) != 0) {
		ryde_lease_remove(g->folder, g->name, id);
		(void)close(fd);
		return -1;
	}
	g->member = id;
	g->member_fd = fd;
	return 0;
}

static enum ryde_group_lease
join(struct ryde_group *base, char *id, char *owner, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	enum ryde_group_lease rc = RYDE_GROUP_FAILED;
	struct ryde_group_row row;
	int lives;

	if (ryde_db_begin(&g->db, err) != 0)
		return RYDE_GROUP_FAILED;
	if (ryde_group_lease_look(g, &row, err) != 0)
		goto out;
	lives = ryde_group_lease_lives(g, &row, err);
	if (lives == 1) {
		memcpy(owner, row.owner, sizeof(row.owner));
		rc = RYDE_GROUP_BUSY;
	} else if (lives == 0 && enter(g, err) == 0) {
		name_of(g->member, id);
		rc = RYDE_GROUP_HELD;
	}
out:
	ryde_db_rollback(&g->db);
	return rc;
}

void
ryde_group_member_leave(struct ryde_group *base)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	sqlite3_stmt *leave, *unlease;

	if (g->member == 0)
		return;
	/* should this fail, the lock that is free now says the same */
	leave = about(g, &g->st.leave, "DELETE FROM members WHERE name=? AND id=?", NULL);
	unlease = about(g, &g->st.unlease,
	    "UPDATE leases SET member=0 WHERE name=? AND member=?", NULL);
	if (leave != NULL && unlease != NULL && ryde_db_begin(&g->db, NULL) == 0) {
		(void)sqlite3_bind_int64(leave, 2, g->member);
		(void)sqlite3_bind_int64(unlease, 2, g->member);
		if (ryde_db_step(&g->db, leave, NULL) == 0 &&
		    ryde_db_step(&g->db, unlease, NULL) == 0)
			(void)ryde_db_commit(&g->db, NULL);
		ryde_db_rollback(&g->db);
	}
	ryde_lease_remove(g->folder, g->name, g->member);
	(void)close(g->member_fd);
	g->member_fd = -1;
	g->member = 0;
}

/* ---- changes ---- */

static enum ryde_share_outcome
beat(struct ryde_group *base, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	sqlite3_stmt *st = about(g, &g->st.beat,
	    "UPDATE members SET beat=beat+1 WHERE name=? AND id=? AND (SELECT deleted "
	    "FROM "
	    "meta)=0",
	    err);

	if (st != NULL)
		(void)sqlite3_bind_int64(st, 2, g->member);
	return outcome_of(change(g, st, err));
}

static enum ryde_share_outcome
expel(
    struct ryde_group *base, const struct ryde_share_member *member, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	int64_t id = number_of(member->id);
	sqlite3_stmt *st = about(
	    g, &g->st.expel, "DELETE FROM members WHERE name=? AND id=? AND beat=?", err);
	enum ryde_share_outcome outcome;

	if (st == NULL)
		return RYDE_SHARE_FAILED;
	(void)sqlite3_bind_int64(st, 2, id);
	(void)sqlite3_bind_int64(st, 3, (sqlite3_int64)member->beat);
	outcome = outcome_of(change(g, st, err));
	if (outcome == RYDE_SHARE_DONE)
		ryde_lease_remove(g->folder, g->name, id);
	return outcome;
}

/* Whether this number is a member's: 1, 0, or -1 with err set. */
static int
is_member(struct ryde_local_group *g, int64_t id, struct ryde_err *err)
{
	sqlite3_stmt *st = about(
	    g, &g->st.is_member, "SELECT 1 FROM members WHERE name=? AND id=?", err);

	if (st != NULL)
		(void)sqlite3_bind_int64(st, 2, id);
	return exists(g, st, err);
}

/* Writes the lease: how many rows that changed, -1 with err set. */
static int
write_lease(
    struct ryde_local_group *g, const struct ryde_share_lease *l, struct ryde_err *err)
{
	sqlite3_stmt *st = about(g, &g->st.take,
	    "INSERT INTO leases(name,shard,member,epoch,done) VALUES(?1,?2,?3,?4+1,0) "
	    "ON CONFLICT(name,shard) DO UPDATE SET member=?3,epoch=?4+1 "
	    "WHERE epoch=?4 AND member=?5 AND done=0",
	    err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_text(st, 2, l->shard, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 3, g->member);
	(void)sqlite3_bind_int64(st, 4, l->epoch);
	(void)sqlite3_bind_int64(st, 5, number_of(l->owner));
	return change(g, st, err);
}

static int
read_position(struct ryde_local_group *g, const char *shard,
    struct ryde_group_position *position, bool *placed, struct ryde_err *err)
{
	sqlite3_stmt *st = about(g, &g->st.position,
	    "SELECT shard,seq,updated_ms,sub FROM positions WHERE name=? AND shard=?",
	    err);
	int rc;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_text(st, 2, shard, -1, SQLITE_STATIC);
	rc = ryde_db_step(&g->db, st, err);
	*placed = rc == 1;
	if (rc != 1)
		return rc;
	rc = ryde_group_local_position(g, position, st, err);
	(void)sqlite3_reset(st);
	return rc;
}

static enum ryde_share_outcome
take(struct ryde_group *base, const struct ryde_share_lease *lease, int64_t *epoch,
    struct ryde_group_position *position, bool *placed, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	int64_t owner = number_of(lease->owner);
	int rc;

	if (ryde_db_begin(&g->db, err) != 0)
		return RYDE_SHARE_FAILED;
	rc = is_member(g, g->member, err);
	if (rc == 1 && owner != 0) {
		rc = is_member(g, owner, err);
		rc = rc < 0 ? -1 : !rc;
	}
	if (rc == 1)
		rc = write_lease(g, lease, err);
	if (rc == 1 && (read_position(g, lease->shard, position, placed, err) != 0 ||
			   ryde_db_commit(&g->db, err) != 0))
		rc = -1;
	ryde_db_rollback(&g->db);
	*epoch = lease->epoch + 1;
	return outcome_of(rc);
}

static enum ryde_share_outcome
give(struct ryde_group *base, const char *shard, int64_t epoch, bool done,
    struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	sqlite3_stmt *st = about(g, &g->st.give,
	    "UPDATE leases SET member=0,done=?5 WHERE name=?1 AND shard=?2 AND member=?3 "
	    "AND epoch=?4",
	    err);

	if (st == NULL)
		return RYDE_SHARE_FAILED;
	(void)sqlite3_bind_text(st, 2, shard, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 3, g->member);
	(void)sqlite3_bind_int64(st, 4, epoch);
	(void)sqlite3_bind_int(st, 5, done);
	return outcome_of(change(g, st, err));
}

/* ---- positions ---- */

/* Whether the shard is ours under this epoch: 1, 0, or -1 with err set. */
static int
is_ours(
    struct ryde_local_group *g, const char *shard, int64_t epoch, struct ryde_err *err)
{
	sqlite3_stmt *st = about(g, &g->st.is_ours,
	    "SELECT 1 FROM leases WHERE name=? AND shard=? AND member=? AND epoch=?",
	    err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_text(st, 2, shard, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 3, g->member);
	(void)sqlite3_bind_int64(st, 4, epoch);
	return exists(g, st, err);
}

static enum ryde_group_lease
store(struct ryde_group *base, const struct ryde_group_position *p, const int64_t *epochs,
    size_t n, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	enum ryde_group_lease rc = RYDE_GROUP_HELD;

	if (ryde_db_begin(&g->db, err) != 0)
		return RYDE_GROUP_FAILED;
	for (size_t i = 0; i < n && rc == RYDE_GROUP_HELD; i++) {
		int ours = is_ours(g, p[i].shard, epochs[i], err);

		rc = ours < 0	 ? RYDE_GROUP_FAILED
		     : ours == 0 ? RYDE_GROUP_LOST
				 : RYDE_GROUP_HELD;
	}
	if (rc == RYDE_GROUP_HELD &&
	    (ryde_group_local_put(g, p, n, err) != 0 || ryde_db_commit(&g->db, err) != 0))
		rc = RYDE_GROUP_FAILED;
	ryde_db_rollback(&g->db);
	return rc;
}

static enum ryde_share_outcome
found(struct ryde_group *base, const struct ryde_group_position *p, size_t n,
    struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	int any;

	if (ryde_db_begin(&g->db, err) != 0)
		return RYDE_SHARE_FAILED;
	any = exists(
	    g, about(g, &g->st.any, "SELECT 1 FROM positions WHERE name=?", err), err);
	if (any == 0 &&
	    (ryde_group_local_put(g, p, n, err) != 0 || ryde_db_commit(&g->db, err) != 0))
		any = -1;
	ryde_db_rollback(&g->db);
	return any < 0	 ? RYDE_SHARE_FAILED
	       : any > 0 ? RYDE_SHARE_REFUSED
			 : RYDE_SHARE_DONE;
}

const struct ryde_group_share_ops ryde_group_member_ops = {
    .join = join,
    .leave = ryde_group_member_leave,
    .beat = beat,
    .look = look,
    .expel = expel,
    .take = take,
    .give = give,
    .store = store,
    .found = found,
};
