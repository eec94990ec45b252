/* Files that are not ours, damaged, too new, unwritable: a clear error, and not a byte of
 * them changed. Source: issue "the spine", 4; local/db.h. */
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/name.h"
#include "store/queue.h"
#include "store/stream.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct ryde_store_settings settings;
static char path[512];

static void
write_records(int n)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s = ryde_stream_open(&settings, "s", RYDE_STREAM_WRITE, &err);
	struct ryde_record_in in = {.data = ryde_view_of("{}"), .key = ryde_view_of("k")};

	CHECK(s != NULL, "%s", err.msg);
	for (int i = 0; s != NULL && i < n; i++)
		CHECK(ryde_stream_write(s, &in, 1, &err) == 0, "%s", err.msg);
	ryde_stream_close(s);
}

/* A number of the header, big-endian. */
static void
poke(long at, unsigned value)
{
	FILE *f = fopen(path, "r+b");

	if (f == NULL || fseek(f, at, SEEK_SET) != 0)
		exit(1);
	for (int i = 24; i >= 0; i -= 8)
		(void)fputc((int)(value >> i & 0xff), f);
	(void)fclose(f);
}

static void
make_file(const char *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(bytes, 1, n, f) != n)
		exit(1);
	(void)fclose(f);
}

enum harm {
	EMPTY,
	TEXT,
	CUT,
	RUBBISH,
	OTHER_PROGRAM,
	OTHER_KIND,
	NEWER,
};
static const struct {
	enum harm harm;
	int code;
	const char *says;
} harms[] = {
    {EMPTY, RYDE_EIO, "it was left alone"},
    {TEXT, RYDE_EIO, "it was left alone"},
    {CUT, RYDE_EIO, "it was left alone"},
    {RUBBISH, RYDE_EIO, "it was left alone"},
    {OTHER_PROGRAM, RYDE_EIO, "it is no stream of ryde; it was left alone"},
    {OTHER_KIND, RYDE_EIO, "it is no stream of ryde; it was left alone"},
    {NEWER, RYDE_ECONFIG, "newer version of ryde (format 99"},
};

static void
harm_file(enum harm harm)
{
	static char rubbish[8192];
	sqlite3 *db;

	(void)unlink(path);
	switch (harm) {
	case EMPTY:
		make_file("", 0);
		break;
	case TEXT:
		make_file("These are my notes, please keep them.\n", 38);
		break;
	case CUT:
		write_records(100);
		CHECK(truncate(path, 5000) == 0, "truncate");
		break;
	case RUBBISH:
		write_records(1);
		memset(rubbish, 0xa5, sizeof(rubbish));
		make_file(rubbish, sizeof(rubbish));
		break;
	case OTHER_PROGRAM:
		CHECK(sqlite3_open(path, &db) == SQLITE_OK &&
			  sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL) ==
			      SQLITE_OK,
		    "sqlite");
		(void)sqlite3_close(db);
		break;
	case OTHER_KIND:
		write_records(1);
		poke(68, 0x72796471);
		break;
	case NEWER:
		write_records(1);
		poke(60, 99);
		break;
	}
}

static void
test_harmed(void)
{
	for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
		struct ryde_buf before, after;

		ryde_buf_init(&before, 1 << 20);
		ryde_buf_init(&after, 1 << 20);
		harm_file(harms[i].harm);
		CHECK(ryde_file_read(path, &before, NULL) == 0, "row %zu", i);
		for (int mode = 0; mode < 2; mode++) {
			struct ryde_err err = RYDE_ERR_INIT;
			struct ryde_stream *s = ryde_stream_open(&settings, "s",
			    mode == 0 ? RYDE_STREAM_READ : RYDE_STREAM_WRITE, &err);

			CHECK(s == NULL && (int)err.code == harms[i].code,
			    "row %zu: %d %s", i, (int)err.code, err.msg);
			CHECK(strstr(err.msg, harms[i].says) != NULL &&
				  strstr(err.msg, path) != NULL,
			    "row %zu: %s", i, err.msg);
			ryde_stream_close(s);
		}
		ryde_buf_clear(&after);
		CHECK(
		    ryde_file_read(path, &after, NULL) == 0 &&
			ryde_view_eq(ryde_buf_as_view(&before), ryde_buf_as_view(&after)),
		    "row %zu: the file was changed", i);
		ryde_buf_free(&before);
		ryde_buf_free(&after);
	}
	(void)unlink(path);
}

static size_t
count_records(int *code)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s = ryde_stream_open(&settings, "s", RYDE_STREAM_READ, &err);
	struct ryde_stream_start start = {.kind = RYDE_START_HORIZON};
	struct ryde_stream_reader *r = NULL;
	const struct ryde_record *out;
	size_t n = 0, all = 0;

	if (s != NULL)
		r = ryde_stream_reader_new(s, &err);
	if (r != NULL &&
	    ryde_stream_reader_start(r, 0, &start, NULL, NULL, NULL, &err) == 0)
		while (ryde_stream_reader_fetch(r, 7, 9999, &out, &n, &err) == 0 && n > 0)
			all += n;
	*code = (int)err.code;
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
	return all;
}

/* As another user than root, who may do anything. */
static int
as_nobody(int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(99);
		_exit(fn());
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
read_only_user(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int code = 0;

	if (count_records(&code) != 20 || code != 0)
		return 1;
	if (ryde_stream_open(&settings, "s", RYDE_STREAM_WRITE, &err) != NULL ||
	    err.code != RYDE_ENOPERM)
		return 2;
	if (ryde_stream_open(&settings, "new", RYDE_STREAM_WRITE, &err) != NULL ||
	    err.code != RYDE_ENOPERM)
		return 3;
	return 0;
}

static int
locked_out_user(void)
{
	int code = 0;

	return count_records(&code) == 0 && code == RYDE_ENOPERM ? 0 : 1;
}

static void
test_permissions(void)
{
	char folder[512];
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "%s/streams", scratch_dir);
	write_records(20);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "%o", st.st_mode);
	CHECK(stat(folder, &st) == 0 && (st.st_mode & 0777) == 0700, "%o", st.st_mode);
	CHECK(chmod(scratch_dir, 0555) == 0 && chmod(folder, 0555) == 0, "chmod");
	CHECK(chmod(path, 0600) == 0 && as_nobody(locked_out_user) == 0, "0600");
	CHECK(chmod(path, 0444) == 0, "chmod");
	CHECK(as_nobody(read_only_user) == 0, "%d", as_nobody(read_only_user));
	CHECK(chmod(path, 0600) == 0 && chmod(folder, 0700) == 0 &&
		  chmod(scratch_dir, 0700) == 0,
	    "chmod");
}

/* Half-made files and logs of dead ones do not get in the way of a new one. */
static void
test_leftovers(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char other[600];
	int code = 0;

	CHECK(ryde_catalog_delete(&settings, RYDE_CATALOG_STREAM, "s", &err) == 0, "%s",
	    err.msg);
	CHECK(ryde_catalog_delete(&settings, RYDE_CATALOG_STREAM, "s", &err) != 0 &&
		  err.code == RYDE_ENOINPUT,
	    "%s", err.msg);
	(void)snprintf(other, sizeof(other), "%s/streams/.new.db", scratch_dir);
	CHECK(ryde_file_replace(other, ryde_view_of("half"), &err) == 0, "%s", err.msg);
	(void)snprintf(other, sizeof(other), "%s-wal", path);
	CHECK(ryde_file_replace(other, ryde_view_of("stale"), &err) == 0, "%s", err.msg);
	write_records(3);
	CHECK(count_records(&code) == 3 && code == 0, "%d", code);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	(void)snprintf(path, sizeof(path), "%s/streams/s.db", scratch_dir);
	write_records(1);
	test_harmed();
	test_permissions();
	test_leftovers();
	scratch_end();
	return check_end("local_db");
}
