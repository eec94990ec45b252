/* Files and directories. Source: base/file.h. */
#include "base/file.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void
check_mkdirs(void)
{
	static const struct {
		const char *path;
		bool good;
	} rows[] = {
	    {"d", true},
	    {"d", true},
	    {"d/a/b/c", true},
	    {"d/x//y/", true},
	    {"./d/z", true},
	    {"file", false},
	    {"file/under", false},
	    {"", false},
	    {"/proc/nothing/here", false},
	};
	struct ryde_err err;
	char path[5001];

	(void)close(open("file", O_WRONLY | O_CREAT, 0600));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct ryde_err)RYDE_ERR_INIT;
		CHECK((ryde_file_mkdirs(rows[i].path, &err) == 0) == rows[i].good,
		    "'%s': %s", rows[i].path, err.msg);
		CHECK(!rows[i].good || is_dir(rows[i].path), "'%s'", rows[i].path);
		CHECK(rows[i].good == (err.code == RYDE_OK), "'%s': %s", rows[i].path,
		    err.msg);
	}
	CHECK(mode_of("d") == 0700 && mode_of("d/a/b/c") == 0700, "private");
	(void)chmod("d", 0755);
	CHECK(ryde_file_mkdirs("d", &err) == 0 && mode_of("d") == 0755, "left as it is");
	memset(path, 'x', 5000);
	path[5000] = '\0';
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_file_mkdirs(path, &err) != 0 && strstr(err.msg, "memory") == NULL,
	    "a name too long is no lack of memory: %s", err.msg);
}

static bool
holds(const char *path, const char *text)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;
	bool same;

	ryde_buf_init(&b, 1 << 20);
	same = ryde_file_read(path, &b, &err) == 0 &&
	       ryde_view_is(ryde_buf_as_view(&b), text);
	ryde_buf_free(&b);
	return same;
}

/* The names in the current folder that contain text. */
static int
names_with(const char *text)
{
	DIR *dir = opendir(".");
	const struct dirent *entry;
	int n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		n += strstr(entry->d_name, text) != NULL;
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

static void
check_replace(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	mode_t mask = umask(077);

	CHECK(ryde_file_replace("new", ryde_view_of("one\n"), &err) == 0, "%s", err.msg);
	CHECK(
	    holds("new", "one\n") && mode_of("new") == 0600, "made: %o", mode_of("new"));
	(void)chmod("new", 0644);
	CHECK(ryde_file_replace("new", ryde_view_of("two"), &err) == 0, "%s", err.msg);
	/* others who may read it, such as a collector of metrics, still may */
	CHECK(holds("new", "two") && mode_of("new") == 0644, "replaced: %o",
	    mode_of("new"));
	CHECK(ryde_file_replace("new", ryde_view_mem(NULL, 0), &err) == 0, "%s", err.msg);
	CHECK(holds("new", ""), "emptied");
	(void)umask(mask);
	(void)mkdir("dir", 0700);
	CHECK(ryde_file_replace("dir", ryde_view_of("x"), &err) != 0 && is_dir("dir"),
	    "a directory is not replaced");
	CHECK(err.code == RYDE_ECANTCREAT, "%s", err.msg);
	CHECK(ryde_file_replace("no/such/file", ryde_view_of("x"), &err) != 0 &&
		  err.code == RYDE_ECANTCREAT && err.sys == ENOENT,
	    "%s", err.msg);
	CHECK(names_with(".tmp") == 0, "no temporary file stays behind");
}

static void
check_read(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	(void)ryde_file_replace("ten", ryde_view_of("0123456789"), &err);
	ryde_buf_init(&b, 10);
	CHECK(ryde_file_read("ten", &b, &err) == 0 && b.n == 10,
	    "exactly as large as the ceiling: %s", err.msg);
	ryde_buf_free(&b);
	ryde_buf_init(&b, 9);
	CHECK(ryde_file_read("ten", &b, &err) != 0 && err.code == RYDE_EDATA &&
		  strcmp(err.msg, "ten: larger than 9 bytes") == 0,
	    "%s", err.msg);
	ryde_buf_free(&b);
	ryde_buf_init(&b, 100);
	ryde_buf_puts(&b, "before ");
	CHECK(ryde_file_read("ten", &b, &err) == 0 &&
		  strcmp(ryde_buf_str(&b), "before 0123456789") == 0,
	    "appended: %s", ryde_buf_str(&b));
	CHECK(ryde_file_read("absent", &b, &err) != 0 && err.code == RYDE_ENOINPUT &&
		  err.sys == ENOENT,
	    "%s", err.msg);
	CHECK(ryde_file_read(".", &b, &err) != 0 && err.code == RYDE_EIO, "%s", err.msg);
	ryde_buf_free(&b);
}

/* A slow reader at the other end of a pipe that does not block. */
static void
check_write_all(void)
{
	enum { BYTES = 300000 };
	struct ryde_err err = RYDE_ERR_INIT;
	struct timespec pause = {0, 1000000};
	char *data = malloc(BYTES), piece[4096];
	int p[2], status = -1;
	pid_t pid;

	if (data == NULL || pipe(p) != 0)
		return;
	memset(data, 'x', BYTES);
	(void)fcntl(p[1], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0) {
		size_t sum = 0;
		ssize_t n;

		(void)close(p[1]);
		while ((n = read(p[0], piece, sizeof(piece))) > 0) {
			sum += (size_t)n;
			(void)nanosleep(&pause, NULL);
		}
		_exit(sum == BYTES ? 0 : 1);
	}
	(void)close(p[0]);
	CHECK(ryde_file_write_all(p[1], ryde_view_mem(data, BYTES), "it", &err) == 0,
	    "%s", err.msg);
	(void)close(p[1]);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "all arrived");
	p[1] = open("/dev/full", O_WRONLY);
	CHECK(ryde_file_write_all(p[1], ryde_view_of("x"), "it", &err) != 0 &&
		  err.code == RYDE_EIO &&
		  strcmp(err.msg, "cannot write to it: No space left on device") == 0,
	    "%s", err.msg);
	(void)close(p[1]);
	free(data);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	check_mkdirs();
	check_replace();
	check_read();
	check_write_all();
	scratch_end();
	return check_end("base_file");
}
