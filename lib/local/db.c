#include "local/db.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "local/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

/* ---- paths and the lock of the directory ---- */

static char *
join(const char *dir, const char *folder, const char *name, const char *suffix,
    struct ryde_err *err)
{
	char buf[PATH_MAX_BYTES], *path;
	int n = snprintf(buf, sizeof(buf), "%s/%s%s%s%s", dir, folder,
	    name[0] != '\0' ? "/" : "", name, suffix);

	if (n < 0 || (size_t)n >= sizeof(buf) - 64) {
		(void)ryde_err_set(err, RYDE_ECONFIG, "%s: directory name too long", dir);
		return NULL;
	}
	path = strdup(buf);
	if (path == NULL)
		(void)ryde_err_nomem(err);
	return path;
}

/*
 * Locks the directory: LOCK_SH to open a file, LOCK_EX to make or delete one. The
 * descriptor to be closed, or -1: where the lock file cannot even be read there is nobody
 * who could make or delete.
 */
static int
lock(const char *dir, int how)
{
	char path[PATH_MAX_BYTES];
	int fd, n = snprintf(path, sizeof(path), "%s/.lock", dir);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && how == LOCK_EX)
		fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	while (fd >= 0 && flock(fd, how) != 0) {
		if (errno == EINTR)
			continue;
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static void
unlock(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* ---- what SQLite says ---- */

static int
io_error(struct ryde_db *db, int sys, struct ryde_err *err)
{
	if (sys == ENOSPC || sys == EDQUOT)
		return ryde_err_set(err, RYDE_EIO, "%s: disk full", db->path);
	if (sys == EACCES || sys == EPERM || sys == EROFS)
		return ryde_err_set(err, RYDE_ENOPERM, "%s: %s", db->path, strerror(sys));
	return ryde_err_set(err, RYDE_EIO, "%s: %s%s%s", db->path,
	    sqlite3_errmsg(db->sql), sys != 0 ? ": " : "", sys != 0 ? strerror(sys) : "");
}

int
ryde_db_error(struct ryde_db *db, struct ryde_err *err)
{
	int code = sqlite3_errcode(db->sql) & 0xff, sys = sqlite3_system_errno(db->sql);

	switch (code) {
	case SQLITE_FULL:
		return ryde_err_set(err, RYDE_EIO, "%s: disk full", db->path);
	case SQLITE_IOERR:
		return io_error(db, sys, err);
	case SQLITE_CANTOPEN:
		if (sys == EACCES || sys == EPERM || sys == EROFS || sys == ENOSPC)
			return io_error(db, sys, err);
		return ryde_err_set(err, RYDE_EIO,
		    "%s: %s (its directory must be writable, or its -wal and -shm files "
		    "there)",
		    db->path, sqlite3_errmsg(db->sql));
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ryde_err_set(err, RYDE_ENOPERM, "%s: cannot be written", db->path);
	case SQLITE_NOMEM:
		return ryde_err_nomem(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "%s: locked by another process for too long", db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return ryde_err_set(err, RYDE_EIO, "%s is damaged: %s; it was left alone",
		    db->path, sqlite3_errmsg(db->sql));
	case SQLITE_TOOBIG:
		return ryde_err_set(err, RYDE_EDATA, "%s: too large a value", db->path);
	case SQLITE_ERROR:
		/* our tables are not there, or not ours */
		return ryde_err_set(err, RYDE_EIO, "%s is damaged: %s; it was left alone",
		    db->path, sqlite3_errmsg(db->sql));
	default:
		return ryde_err_set(
		    err, RYDE_EIO, "%s: %s", db->path, sqlite3_errmsg(db->sql));
	}
}

int
ryde_db_deleted(const struct ryde_db *db, struct ryde_err *err)
{
	return ryde_err_set(
	    err, RYDE_ENOINPUT, "%s: the %s was deleted", db->path, db->kind->noun);
}

/*
 * Writers hold the lock for as long as a sync takes: try again soon, at moments that
 * differ between processes, and give up only after a time in which something must be
 * badly wrong.
 */
static int
wait_for_lock(void *arg, int tries)
{
	static struct ryde_random random;
	struct ryde_db *db = arg;
	int64_t now_ms = ryde_clock_mono_ms();
	struct timespec ts = {0, 0};
	uint64_t span_us;

	if (db->patience_ms == 0)
		return 0;
	if (tries == 0) {
		db->busy_since_ms = now_ms;
		if (random.state == 0)
			ryde_random_seed(&random,
			    (uint64_t)getpid() << 32 ^ (uint64_t)ryde_clock_mono_us());
	}
	if (now_ms - db->busy_since_ms > db->patience_ms)
		return 0;
	span_us = tries < 8 ? 300 : tries < 40 ? 1000 : 5000;
	ts.tv_nsec = (long)(50000 + ryde_random_u64(&random) % (span_us * 1000));
	(void)nanosleep(&ts, NULL);
	return 1;
}

/* ---- statements and transactions ---- */

int
ryde_db_prepare(
    struct ryde_db *db, sqlite3_stmt **st, const char *sql, struct ryde_err *err)
{
	if (*st != NULL)
		return 0;
	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) !=
	    SQLITE_OK)
		return ryde_db_error(db, err);
	return 0;
}

int
ryde_db_exec(struct ryde_db *db, const char *sql, struct ryde_err *err)
{
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ryde_db_error(db, err);
	return 0;
}

int
ryde_db_step(struct ryde_db *db, sqlite3_stmt *st, struct ryde_err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		(void)ryde_db_error(db, err);
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int
ryde_db_begin(struct ryde_db *db, struct ryde_err *err)
{
	if (ryde_db_prepare(db, &db->begin, "BEGIN IMMEDIATE", err) != 0 ||
	    ryde_db_step(db, db->begin, err) != 0)
		return -1;
	db->in_transaction = true;
	return 0;
}

bool
ryde_db_try_begin(struct ryde_db *db)
{
	int64_t patience_ms = db->patience_ms;
	int rc;

	db->patience_ms = 0;
	rc = ryde_db_begin(db, NULL);
	db->patience_ms = patience_ms;
	return rc == 0;
}

int
ryde_db_begin_read(struct ryde_db *db, struct ryde_err *err)
{
	if (ryde_db_prepare(db, &db->begin_read, "BEGIN", err) != 0 ||
	    ryde_db_step(db, db->begin_read, err) != 0)
		return -1;
	db->in_transaction = true;
	return 0;
}

int
ryde_db_commit(struct ryde_db *db, struct ryde_err *err)
{
	if (ryde_db_prepare(db, &db->commit, "COMMIT", err) != 0 ||
	    ryde_db_step(db, db->commit, err) != 0) {
		ryde_db_rollback(db);
		return -1;
	}
	db->in_transaction = false;
	return 0;
}

void
ryde_db_rollback(struct ryde_db *db)
{
	if (!db->in_transaction)
		return;
	db->in_transaction = false;
	/* SQLite may have rolled back by itself already: then this fails, and that is
	 * well */
	if (sqlite3_get_autocommit(db->sql) == 0 &&
	    ryde_db_prepare(db, &db->rollback, "ROLLBACK", NULL) == 0)
		(void)ryde_db_step(db, db->rollback, NULL);
}

int64_t
ryde_db_data_version(struct ryde_db *db, struct ryde_err *err)
{
	int64_t v;

	if (ryde_db_prepare(db, &db->data_version, "PRAGMA data_version", err) != 0 ||
	    ryde_db_step(db, db->data_version, err) != 1)
		return -1;
	v = sqlite3_column_int64(db->data_version, 0);
	(void)sqlite3_reset(db->data_version);
	return v;
}

/* ---- opening ---- */

static int
pragma_int(struct ryde_db *db, const char *sql, int64_t *out, struct ryde_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (ryde_db_prepare(db, &st, sql, err) == 0 && ryde_db_step(db, st, err) == 1) {
		*out = sqlite3_column_int64(st, 0);
		rc = 0;
	}
	(void)sqlite3_finalize(st);
	return rc;
}

static int
check_kind(struct ryde_db *db, struct ryde_err *err)
{
	int64_t id = 0, version = 0;

	if (pragma_int(db, "PRAGMA application_id", &id, err) != 0 ||
	    pragma_int(db, "PRAGMA user_version", &version, err) != 0)
		return -1;
	if (id != db->kind->application_id)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: it is no %s of ryde; it was left alone", db->path,
		    db->kind->noun);
	if (version > db->kind->version)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "%s was made by a newer version of ryde (format %lld, this one knows "
		    "%d); "
		    "it was left alone",
		    db->path, (long long)version, db->kind->version);
	return 0;
}

/* Counting memory costs a lock at each allocation; refused where SQLite runs already. */
static void
configure(void)
{
	static bool done;

	if (!done)
		(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	done = true;
}

static int
connect(struct ryde_db *db, const char *path, int flags, struct ryde_err *err)
{
	configure();
	if (sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		if (db->sql == NULL)
			return ryde_err_nomem(err);
		return ryde_db_error(db, err);
	}
	(void)sqlite3_busy_handler(db->sql, wait_for_lock, db);
	return 0;
}

/* A file in a directory where nobody may write, and that has no log, does not change. */
static int
open_immutable(struct ryde_db *db, struct ryde_err *err)
{
	char uri[3 * PATH_MAX_BYTES + 64];
	size_t n = 0;

	(void)sqlite3_close(db->sql);
	db->sql = NULL;
	memcpy(uri, "file:", 5);
	n = 5;
	for (const char *p = db->path; *p != '\0'; p++) {
		if (*p == '%' || *p == '?' || *p == '#')
			n += (size_t)snprintf(uri + n, 4, "%%%02X", (unsigned)*p);
		else
			uri[n++] = *p;
	}
	memcpy(uri + n, "?immutable=1", 13);
	if (connect(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err) != 0)
		return -1;
	db->read_only = true;
	return check_kind(db, err);
}

static bool
can_be_immutable(const struct ryde_db *db)
{
	char other[PATH_MAX_BYTES];
	struct stat st;
	char *slash;
	int n = snprintf(other, sizeof(other), "%s-wal", db->path);

	if (n < 0 || (size_t)n >= sizeof(other) ||
	    (stat(other, &st) == 0 && st.st_size > 0))
		return false;
	slash = strrchr(other, '/');
	*slash = '\0';
	return access(other, W_OK) != 0;
}

static int
say_missing(
    const struct ryde_db *db, const char *dir, const char *name, struct ryde_err *err)
{
	char near[RYDE_CATALOG_NEAR_MAX];

	ryde_catalog_local_near(dir, db->kind->folder, name, near);
	return ryde_err_set(err, RYDE_ENOINPUT, "there is no %s %s (%s)%s",
	    db->kind->noun, name, db->path, near);
}

static int
open_locked(struct ryde_db *db, const char *dir, const char *name, bool write,
    struct ryde_err *err)
{
	struct ryde_err first = RYDE_ERR_INIT;
	struct stat st;

	if (stat(db->path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? say_missing(db, dir, name, err)
			   : ryde_err_sys(err, RYDE_EIO, "%s", db->path);
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	if (access(db->path, write ? R_OK | W_OK : R_OK) != 0)
		return ryde_err_sys(err, RYDE_ENOPERM, "%s", db->path);
	db->read_only = access(db->path, W_OK) != 0;
	if (connect(db, db->path,
		db->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, err) != 0)
		return -1;
	if (check_kind(db, &first) != 0) {
		int code = sqlite3_errcode(db->sql) & 0xff;

		if (!write && (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) &&
		    can_be_immutable(db))
			return open_immutable(db, err);
		/* closing must not write the log of a stranger back */
		(void)sqlite3_db_config(
		    db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		if (err != NULL)
			*err = first;
		return -1;
	}
	return 0;
}

int
ryde_db_open(struct ryde_db *db, const struct ryde_db_kind *kind, const char *dir,
    const char *name, bool write, struct ryde_err *err)
{
	int fd, rc = -1;

	*db = (struct ryde_db){.kind = kind, .patience_ms = RYDE_DB_PATIENCE_MS};
	db->path = join(dir, kind->folder, name, ".db", err);
	if (db->path == NULL)
		return -1;
	fd = lock(dir, LOCK_SH);
	if (open_locked(db, dir, name, write, err) != 0)
		goto out;
	db->dir = strdup(dir);
	if (db->dir == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	/* FULL is what Debian's SQLite does by itself */
	if (!kind->full_sync && ryde_db_exec(db, "PRAGMA synchronous=NORMAL", err) != 0)
		goto out;
	rc = 0;
out:
	unlock(fd);
	if (rc != 0)
		ryde_db_close(db);
	return rc;
}

/* All statements of the connection, whoever made them. */
static void
finalize(struct ryde_db *db)
{
	sqlite3_stmt *st;

	while ((st = sqlite3_next_stmt(db->sql, NULL)) != NULL)
		(void)sqlite3_finalize(st);
}

void
ryde_db_close(struct ryde_db *db)
{
	if (db->sql != NULL) {
		int fd;

		ryde_db_rollback(db);
		finalize(db);
		/* the last one to close removes the log by its name, which must not be
		 * that of another file by now */
		fd = db->dir != NULL ? lock(db->dir, LOCK_SH) : -1;
		(void)sqlite3_close(db->sql);
		unlock(fd);
	}
	free(db->dir);
	free(db->path);
	*db = (struct ryde_db){0};
}

bool
ryde_db_exists(const struct ryde_db_kind *kind, const char *dir, const char *name)
{
	char *path = join(dir, kind->folder, name, ".db", NULL);
	bool is = path != NULL && access(path, F_OK) == 0;

	free(path);
	return is;
}

bool
ryde_db_gone(const struct ryde_db *db)
{
	struct stat st;

	if (stat(db->path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return st.st_dev != db->dev || st.st_ino != db->ino;
}

/* ---- making and deleting ---- */

/* Removes what a deleted or half-made file of this name left behind. */
static void
sweep(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	char other[PATH_MAX_BYTES];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		int n = snprintf(other, sizeof(other), "%s%s", path, suffixes[i]);

		if (n > 0 && (size_t)n < sizeof(other))
			(void)unlink(other);
	}
}

static int
fill_new(struct ryde_db *db,
    int (*fill)(struct ryde_db *db, void *arg, struct ryde_err *err), void *arg,
    struct ryde_err *err)
{
	char sql[160];
	int n = snprintf(sql, sizeof(sql),
	    "PRAGMA page_size=%d;PRAGMA synchronous=OFF;PRAGMA journal_mode=MEMORY;"
	    "PRAGMA application_id=%d;PRAGMA user_version=%d",
	    db->kind->page_bytes, (int)db->kind->application_id, db->kind->version);

	if (n < 0 || (size_t)n >= sizeof(sql))
		return ryde_err_set(err, RYDE_ESOFTWARE, "statement too long");
	if (ryde_db_exec(db, sql, err) != 0 || ryde_db_begin(db, err) != 0)
		return -1;
	if (ryde_db_exec(db, db->kind->schema, err) != 0 ||
	    (fill != NULL && fill(db, arg, err) != 0)) {
		ryde_db_rollback(db);
		return -1;
	}
	if (ryde_db_commit(db, err) != 0)
		return -1;
	return ryde_db_exec(db, "PRAGMA journal_mode=WAL", err);
}

static int
sync_file(const char *path, struct ryde_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return ryde_err_sys(err, RYDE_ECANTCREAT, "%s", path);
	rc = fsync(fd);
	if (rc != 0)
		(void)ryde_err_sys(err, RYDE_EIO, "%s", path);
	(void)close(fd);
	return rc;
}

/* Makes the file beside its place, under a name no other process uses, and moves it. */
static int
make(struct ryde_db *db, const char *path,
    int (*fill)(struct ryde_db *db, void *arg, struct ryde_err *err), void *arg,
    struct ryde_err *err)
{
	int fd, rc = -1;

	sweep(db->path);
	sweep(path);
	fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create %s", path);
	(void)close(fd);
	if (connect(db, db->path, SQLITE_OPEN_READWRITE, err) != 0 ||
	    fill_new(db, fill, arg, err) != 0)
		goto out;
	finalize(db);
	if (sqlite3_close(db->sql) != SQLITE_OK) {
		(void)ryde_db_error(db, err);
		goto out;
	}
	db->sql = NULL;
	if (sync_file(db->path, err) != 0)
		goto out;
	if (rename(db->path, path) != 0) {
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create %s", path);
		goto out;
	}
	rc = ryde_file_sync_folder(path, err);
out:
	if (rc != 0)
		sweep(db->path);
	return rc;
}

int
ryde_db_create(const struct ryde_db_kind *kind, const char *dir, const char *name,
    int (*fill)(struct ryde_db *db, void *arg, struct ryde_err *err), void *arg,
    bool *made, struct ryde_err *err)
{
	struct ryde_db db = {.kind = kind, .patience_ms = RYDE_DB_PATIENCE_MS};
	char *folder = NULL, *path = NULL;
	int fd = -1, rc = -1;

	if (made != NULL)
		*made = false;
	folder = join(dir, kind->folder, "", "", err);
	path = join(dir, kind->folder, name, ".db", err);
	/* no name begins with a dot */
	db.path = join(dir, kind->folder, ".new", ".db", err);
	if (folder == NULL || path == NULL || db.path == NULL ||
	    ryde_file_mkdirs(folder, err) != 0)
		goto out;
	fd = lock(dir, LOCK_EX);
	if (fd < 0) {
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "cannot lock %s", dir);
		goto out;
	}
	if (access(path, F_OK) == 0) {
		rc = 0;
		goto out;
	}
	if (make(&db, path, fill, arg, err) != 0)
		goto out;
	if (made != NULL)
		*made = true;
	rc = 0;
out:
	ryde_db_close(&db);
	unlock(fd);
	free(folder);
	free(path);
	return rc;
}

int
ryde_db_delete(const struct ryde_db_kind *kind, const char *dir, const char *name,
    struct ryde_err *err)
{
	struct ryde_db db = {.kind = kind, .patience_ms = RYDE_DB_PATIENCE_MS};
	int fd = -1, rc = -1;

	db.path = join(dir, kind->folder, name, ".db", err);
	if (db.path == NULL)
		return -1;
	fd = lock(dir, LOCK_EX);
	if (open_locked(&db, dir, name, true, err) != 0)
		goto out;
	if (fd < 0) {
		(void)ryde_err_sys(err, RYDE_EIO, "cannot lock %s", dir);
		goto out;
	}
	if (ryde_db_begin(&db, err) != 0 ||
	    ryde_db_exec(&db, "UPDATE meta SET deleted=1", err) != 0 ||
	    ryde_db_commit(&db, err) != 0)
		goto out;
	if (unlink(db.path) != 0) {
		(void)ryde_err_sys(err, RYDE_EIO, "cannot delete %s", db.path);
		goto out;
	}
	sweep(db.path);
	rc = ryde_file_sync_folder(db.path, err);
out:
	ryde_db_close(&db);
	unlock(fd);
	return rc;
}
