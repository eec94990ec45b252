/* Groups of the embedded store: their positions. Leases stand in group_lease.c. */
#include "local/group.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"
#include "local/group_lease.h"
#include "local/group_member.h"
#include "local/lease.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Positions may lag behind after a power failure: an older one is safe, and no commit has
 * to wait for the disk. */
static const struct ryde_db_kind kind = {
    .folder = "groups",
    .noun = "set of groups",
    .application_id = 0x72796467, /* "rydg" */
    .version = 3,
    .page_bytes = 4096,
    .full_sync = false,
    .schema =
	"CREATE TABLE meta(last_epoch INTEGER,deleted INTEGER);"
	"INSERT INTO meta VALUES(0,0);"
	"CREATE TABLE groups(name TEXT PRIMARY KEY,epoch INTEGER,renewals INTEGER,"
	"held INTEGER,owner TEXT,window TEXT,fingerprint TEXT)WITHOUT ROWID;"
	"CREATE TABLE positions(name TEXT,shard TEXT,seq TEXT,updated_ms INTEGER,"
	"sub INTEGER,PRIMARY KEY(name,shard))WITHOUT ROWID;" RYDE_GROUP_MEMBER_SCHEMA,
};

static void
close_group(struct ryde_group *base)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);

	ryde_group_lease_release(base);
	ryde_group_member_leave(base);
	ryde_db_close(&g->db);
	free(g->positions);
	free(g->members);
	free(g->leases);
	free(g->name);
	free(g->stream);
	free(g);
}

static void
wait_for_lease(struct ryde_group *base, struct ryde_waits *w)
{
	(void)base;
	/* not all stand-bys at the same moment */
	ryde_waits_until(w, ryde_clock_mono_ms() + 100 + (int64_t)getpid() % 60);
}

/* ---- reading ---- */

static struct ryde_view
column(sqlite3_stmt *st, int i)
{
	const char *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);

	return ryde_view_mem(p, p == NULL ? 0 : (size_t)n);
}

int
ryde_group_local_position(struct ryde_local_group *g, struct ryde_group_position *p,
    sqlite3_stmt *st, struct ryde_err *err)
{
	struct ryde_view shard = column(st, 0), seq = column(st, 1);
	bool whole = sqlite3_column_type(st, 3) == SQLITE_NULL;
	int64_t sub = sqlite3_column_int64(st, 3);

	*p = (struct ryde_group_position){.updated_ms = sqlite3_column_int64(st, 2)};
	if (shard.n >= sizeof(p->shard) || (seq.n > 0 && !ryde_pos_set(&p->pos, seq)) ||
	    sub < 0 || sub > RYDE_SUB_MAX)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: a position of group %s is none; it was left alone",
		    g->db.path, g->name);
	memcpy(p->shard, shard.p, shard.n);
	if (!whole)
		p->pos.lines = (uint32_t)sub + 1;
	return 0;
}

static int
load(struct ryde_group *base, const struct ryde_group_position **out, size_t *n,
    struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	sqlite3_stmt *st;
	size_t got = 0;
	int rc;

	if (ryde_db_prepare(&g->db, &g->st.load,
		"SELECT shard,seq,updated_ms,sub FROM positions WHERE name=? "
		"ORDER BY shard",
		err) != 0)
		return -1;
	st = g->st.load;
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	while ((rc = ryde_db_step(&g->db, st, err)) == 1) {
		if ((got & (got - 1)) == 0) {
			size_t room = got == 0 ? 1 : 2 * got;
			struct ryde_group_position *p =
			    realloc(g->positions, room * sizeof(*p));

			if (p == NULL) {
				(void)sqlite3_reset(st);
				return ryde_err_nomem(err);
			}
			g->positions = p;
		}
		if (ryde_group_local_position(g, &g->positions[got], st, err) != 0) {
			(void)sqlite3_reset(st);
			return -1;
		}
		got++;
	}
	if (rc < 0)
		return -1;
	*out = g->positions;
	*n = got;
	return 0;
}

static int
load_window(struct ryde_group *base, struct ryde_buf *at, struct ryde_buf *fingerprint,
    struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&g->db, &g->st.load_window,
		"SELECT window,fingerprint FROM groups WHERE name=?", err) != 0)
		return -1;
	st = g->st.load_window;
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	rc = ryde_db_step(&g->db, st, err);
	if (rc < 0)
		return -1;
	if (rc == 1) {
		ryde_buf_view(at, column(st, 0));
		ryde_buf_view(fingerprint, column(st, 1));
		(void)sqlite3_reset(st);
	}
	return ryde_buf_check(at, err) != 0 || ryde_buf_check(fingerprint, err) != 0 ? -1
										     : 0;
}

/* ---- writing ---- */

int
ryde_group_local_put(struct ryde_local_group *g, const struct ryde_group_position *p,
    size_t n, struct ryde_err *err)
{
	int64_t now_ms = ryde_clock_wall_ms();
	sqlite3_stmt *st;

	if (n > 0 && ryde_db_prepare(&g->db, &g->st.store,
			 "INSERT INTO positions(name,shard,seq,updated_ms,sub)"
			 "VALUES(?1,?2,?3,?4,?5)ON CONFLICT(name,shard)"
			 "DO UPDATE SET seq=?3,updated_ms=?4,sub=?5",
			 err) != 0)
		return -1;
	st = g->st.store;
	for (size_t i = 0; i < n; i++) {
		(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 2, p[i].shard, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 3, p[i].pos.seq, p[i].pos.n, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 4, now_ms);
		if (p[i].pos.lines > 0)
			(void)sqlite3_bind_int64(st, 5, p[i].pos.lines - 1);
		else
			(void)sqlite3_bind_null(st, 5);
		if (ryde_db_step(&g->db, st, err) != 0)
			return -1;
	}
	return 0;
}

static int
store_window(struct ryde_local_group *g, struct ryde_view at,
    struct ryde_view fingerprint, struct ryde_err *err)
{
	sqlite3_stmt *st;

	if (ryde_db_prepare(&g->db, &g->st.store_window,
		"UPDATE groups SET window=?2,fingerprint=?3 WHERE name=?1", err) != 0)
		return -1;
	st = g->st.store_window;
	(void)sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text64(st, 2, at.p, at.n, SQLITE_STATIC, SQLITE_UTF8);
	(void)sqlite3_bind_text64(
	    st, 3, fingerprint.p, fingerprint.n, SQLITE_STATIC, SQLITE_UTF8);
	return ryde_db_step(&g->db, st, err);
}

/* A group that nobody has held yet has no row. */
int
ryde_group_local_make(struct ryde_local_group *g, struct ryde_err *err)
{
	if (ryde_db_prepare(&g->db, &g->st.insert,
		"INSERT OR IGNORE INTO groups(name,epoch,renewals,held,owner) "
		"VALUES(?,0,0,0,'')",
		err) != 0)
		return -1;
	(void)sqlite3_bind_text(g->st.insert, 1, g->name, -1, SQLITE_STATIC);
	return ryde_db_step(&g->db, g->st.insert, err);
}

/* Begins a transaction in which the group is ours to change. */
static enum ryde_group_lease
begin(struct ryde_local_group *g, bool fenced, struct ryde_err *err)
{
	struct ryde_group_row row;
	int lives;

	if (fenced && g->epoch == 0)
		return RYDE_GROUP_LOST;
	if (ryde_db_begin(&g->db, err) != 0)
		return RYDE_GROUP_FAILED;
	if (ryde_group_lease_look(g, &row, err) != 0)
		return RYDE_GROUP_FAILED;
	if (g->epoch != 0 && (row.epoch != g->epoch || !row.held)) {
		ryde_group_lease_forget(g);
		if (fenced)
			return RYDE_GROUP_LOST;
	}
	lives = ryde_group_lease_lives(g, &row, err);
	if (lives == 0 && !fenced)
		lives = ryde_group_member_living(g, err);
	if (lives != 0)
		return lives < 0 ? RYDE_GROUP_FAILED : RYDE_GROUP_BUSY;
	if (row.epoch == 0 && ryde_group_local_make(g, err) != 0)
		return RYDE_GROUP_FAILED;
	return RYDE_GROUP_HELD;
}

#define DROP_LEASES "DELETE FROM leases WHERE name=?"

static int
run(struct ryde_local_group *g, sqlite3_stmt **st, const char *sql, struct ryde_err *err)
{
	if (ryde_db_prepare(&g->db, st, sql, err) != 0)
		return -1;
	(void)sqlite3_bind_text(*st, 1, g->name, -1, SQLITE_STATIC);
	return ryde_db_step(&g->db, *st, err);
}

static enum ryde_group_lease
store(struct ryde_group *base, const struct ryde_group_position *p, size_t n,
    struct ryde_view at, struct ryde_view fingerprint, bool fenced, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	enum ryde_group_lease rc = begin(g, fenced, err);

	if (rc != RYDE_GROUP_HELD)
		goto out;
	if (ryde_group_local_put(g, p, n, err) != 0 ||
	    (at.n > 0 && store_window(g, at, fingerprint, err) != 0) ||
	    /* what was read to its end is to be read again */
	    (!fenced && run(g, &g->st.drop_leases, DROP_LEASES, err) != 0) ||
	    ryde_db_commit(&g->db, err) != 0)
		rc = RYDE_GROUP_FAILED;
out:
	ryde_db_rollback(&g->db);
	return rc;
}

static int
drop(struct ryde_local_group *g, bool window_only, struct ryde_err *err)
{
	if (run(g, &g->st.drop_window,
		"UPDATE groups SET window=NULL,fingerprint=NULL WHERE name=?", err) != 0)
		return -1;
	if (window_only)
		return 0;
	if (run(g, &g->st.drop_positions, "DELETE FROM positions WHERE name=?", err) !=
		0 ||
	    run(g, &g->st.drop_leases, DROP_LEASES, err) != 0)
		return -1;
	/* our own lease, if we have one, stays */
	return g->epoch != 0
		   ? 0
		   : run(g, &g->st.drop, "DELETE FROM groups WHERE name=?", err);
}

static enum ryde_group_lease
delete_group(struct ryde_group *base, bool window_only, struct ryde_err *err)
{
	struct ryde_local_group *g = ryde_group_lease_local(base);
	enum ryde_group_lease rc = begin(g, false, err);

	if (rc == RYDE_GROUP_HELD &&
	    (drop(g, window_only, err) != 0 || ryde_db_commit(&g->db, err) != 0))
		rc = RYDE_GROUP_FAILED;
	ryde_db_rollback(&g->db);
	return rc;
}

static const struct ryde_group_ops ops = {
    .close = close_group,
    .acquire = ryde_group_lease_acquire,
    .renew = ryde_group_lease_renew,
    .release = ryde_group_lease_release,
    .wait = wait_for_lease,
    .load = load,
    .load_window = load_window,
    .store = store,
    .delete = delete_group,
    .owner = ryde_group_lease_owner,
    .share = &ryde_group_member_ops,
};

/* ---- opening, listing, deleting all ---- */

/* The file's version; -1 with err set. */
static int64_t
version_of(struct ryde_local_group *g, struct ryde_err *err)
{
	sqlite3_stmt *st = NULL;
	int64_t version = -1;

	if (ryde_db_prepare(&g->db, &st, "PRAGMA user_version", err) == 0 &&
	    ryde_db_step(&g->db, st, err) == 1)
		version = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return version;
}

/* Version 2 brought members and leases, 3 positions inside a record. */
static int
upgrade(struct ryde_local_group *g, struct ryde_err *err)
{
	int64_t version = version_of(g, err);
	int rc = -1;

	if (version < 0 || version >= kind.version)
		return version < 0 ? -1 : 0;
	if (ryde_db_begin(&g->db, err) != 0)
		return -1;
	/* another process may have done it meanwhile */
	version = version_of(g, err);
	if (version >= kind.version)
		rc = 0;
	else if (version >= 0 && ryde_db_exec(&g->db,
				     RYDE_GROUP_MEMBER_SCHEMA
				     ";ALTER TABLE positions ADD COLUMN sub INTEGER;"
				     "PRAGMA user_version=3",
				     err) == 0)
		rc = ryde_db_commit(&g->db, err);
	ryde_db_rollback(&g->db);
	return rc;
}

struct ryde_group *
ryde_group_local_open(
    const char *dir, const char *stream, const char *name, struct ryde_err *err)
{
	struct ryde_local_group *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	g->base.ops = &ops;
	g->lock_fd = g->member_fd = -1;
	g->name = strdup(name);
	g->stream = strdup(stream);
	if (g->name == NULL || g->stream == NULL) {
		(void)ryde_err_nomem(err);
		goto failed;
	}
	if (ryde_lease_folder(dir, stream, g->folder, err) != 0)
		goto failed;
	if (!ryde_db_exists(&kind, dir, stream) &&
	    ryde_db_create(&kind, dir, stream, NULL, NULL, NULL, err) != 0)
		goto failed;
	if (ryde_db_open(&g->db, &kind, dir, stream, true, err) != 0 ||
	    upgrade(g, err) != 0)
		goto failed;
	return &g->base;
failed:
	close_group(&g->base);
	return NULL;
}

int
ryde_group_local_list(const char *dir, const char *stream,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	sqlite3_stmt *st = NULL;
	struct ryde_db db;
	int rc;

	if (!ryde_db_exists(&kind, dir, stream))
		return 0;
	if (ryde_db_open(&db, &kind, dir, stream, false, err) != 0)
		return -1;
	rc = ryde_db_prepare(&db, &st, "SELECT name FROM groups ORDER BY name", err);
	while (rc == 0 && (rc = ryde_db_step(&db, st, err)) == 1) {
		const void *name = sqlite3_column_text(st, 0);

		if (name != NULL)
			fn(arg, name);
		rc = 0;
	}
	ryde_db_close(&db);
	return rc < 0 ? -1 : 0;
}

int
ryde_group_local_delete_all(const char *dir, const char *stream, struct ryde_err *err)
{
	char folder[4096];

	if (ryde_lease_folder(dir, stream, folder, err) != 0)
		return -1;
	if (ryde_db_exists(&kind, dir, stream) &&
	    ryde_db_delete(&kind, dir, stream, err) != 0)
		return -1;
	ryde_lease_sweep(folder);
	return 0;
}
