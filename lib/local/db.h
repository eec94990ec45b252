/*
 * The files of the embedded store: one SQLite database per stream, group set, table and
 * queue, DIR/FOLDER/NAME.db. Here they are made, opened, checked and deleted, and what
 * SQLite says is turned into errors that people understand.
 *
 * A file that is not ours, damaged, or from a newer version is refused and left alone.
 * Creating, deleting and opening exclude each other by a lock on DIR/.lock, so that
 * nobody sees half a file or the log of a deleted one; what has been opened stays usable,
 * and reads `deleted` from its meta table.
 */
#ifndef RYDE_LOCAL_DB_H
#define RYDE_LOCAL_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ryde_err;

/* What tells the kinds of files apart. */
struct ryde_db_kind {
	const char *folder;	/* "streams" */
	const char *noun;	/* "stream" */
	int32_t application_id; /* at offset 68 of the file */
	int version;		/* user_version: the newest that this build can read */
	int page_bytes;
	bool full_sync;	    /* a commit is on the disk when it returns */
	const char *schema; /* has a table meta with one row and a column deleted */
};

struct ryde_db {
	sqlite3 *sql;
	const struct ryde_db_kind *kind;
	char *dir, *path;
	bool read_only; /* the file cannot be written */
	bool in_transaction;
	int64_t patience_ms; /* how long to wait for another one's lock */
	int64_t busy_since_ms;
	dev_t dev; /* which file it is: another one may have its name later */
	ino_t ino;
	sqlite3_stmt *begin, *begin_read, *commit, *rollback, *data_version;
};

#define RYDE_DB_PATIENCE_MS 60000

/*
 * Opens DIR/FOLDER/NAME.db. RYDE_ENOINPUT where there is none, RYDE_EIO where it is
 * damaged or not ours, RYDE_ECONFIG where it is too new, RYDE_ENOPERM where it cannot be
 * read. write false: a file that can only be read is opened too. db is unusable after a
 * failure, and needs no close.
 */
int ryde_db_open(struct ryde_db *db, const struct ryde_db_kind *kind, const char *dir,
    const char *name, bool write, struct ryde_err *err);
/* Also for a zeroed db. Statements made by ryde_db_prepare die with it. */
void ryde_db_close(struct ryde_db *db);
/*
 * Makes the file, with its folder, unless it is there; fill (may be NULL) puts the first
 * rows into it. It appears whole or not at all. *made (may be NULL): whether it was made.
 */
int ryde_db_create(const struct ryde_db_kind *kind, const char *dir, const char *name,
    int (*fill)(struct ryde_db *db, void *arg, struct ryde_err *err), void *arg,
    bool *made, struct ryde_err *err);
/* Marks it deleted for those who have it open, and removes it. RYDE_ENOINPUT: was not
 * there. */
int ryde_db_delete(const struct ryde_db_kind *kind, const char *dir, const char *name,
    struct ryde_err *err);
/* Whether the file is there. */
bool ryde_db_exists(const struct ryde_db_kind *kind, const char *dir, const char *name);
/* True where the path no longer leads to the file that is open. */
bool ryde_db_gone(const struct ryde_db *db);

/* Makes *st from sql when it is NULL; later calls return at once. */
int ryde_db_prepare(
    struct ryde_db *db, sqlite3_stmt **st, const char *sql, struct ryde_err *err);
/* Runs sql, which may be several statements. */
int ryde_db_exec(struct ryde_db *db, const char *sql, struct ryde_err *err);
/*
 * Steps st once: 1 with a row, 0 when done (st is reset then), -1 with err set (and
 * reset).
 */
int ryde_db_step(struct ryde_db *db, sqlite3_stmt *st, struct ryde_err *err);
/* Takes the write lock, waiting as long as db's patience lasts (RYDE_ETEMPFAIL then). */
int ryde_db_begin(struct ryde_db *db, struct ryde_err *err);
/* The same without waiting: false where it cannot be had. */
bool ryde_db_try_begin(struct ryde_db *db);
/* One view of the file for several reads; ends with ryde_db_rollback. */
int ryde_db_begin_read(struct ryde_db *db, struct ryde_err *err);
/* After a failure the transaction is rolled back. */
int ryde_db_commit(struct ryde_db *db, struct ryde_err *err);
/* Nothing where no transaction is open. */
void ryde_db_rollback(struct ryde_db *db);
/* A number that changes whenever another connection has committed. -1 with err set. */
int64_t ryde_db_data_version(struct ryde_db *db, struct ryde_err *err);
/* Sets err from SQLite's last error. Always -1. */
int ryde_db_error(struct ryde_db *db, struct ryde_err *err);
/* Sets err: the resource was deleted while it was open. Always -1. */
int ryde_db_deleted(const struct ryde_db *db, struct ryde_err *err);

#endif
