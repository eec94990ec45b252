/* Archives in a directory. Source: store/archive.h, local/archive.h. */
#include "local/archive.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "check.h"
#include "line/store_ops.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static struct ryde_archive *
open_it(const char *dir)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive *a = ryde_archive_local_open(dir, &err);

	CHECK(a != NULL, "%s", err.msg);
	return a;
}

static struct ryde_archive_object *
with(struct ryde_archive *a, const char *text)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive_object *o = a->ops->create(a, &err);

	CHECK(
	    o != NULL && a->ops->append(o, ryde_view_of(text), &err) == 0, "%s", err.msg);
	a->ops->settle(o);
	return o;
}

static bool
holds(const char *path, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;
	bool same;

	ryde_buf_init(&b, 1 << 20);
	same = ryde_file_read(path, &b, &err) == 0 && strcmp(ryde_buf_str(&b), want) == 0;
	ryde_buf_free(&b);
	return same;
}

static int
count_names(void *arg, const char *name, int64_t size_bytes)
{
	int *n = arg;

	CHECK(strncmp(name, "x/y/o", 5) == 0, "%s", name);
	CHECK(size_bytes == 2, "%s", name);
	return ++*n == 70 ? 70 : 0;
}

/* Few objects and many take different ways to the disk. */
static void
finish_some(struct ryde_archive *a, int n, const char *folder)
{
	struct ryde_archive_finish f[80];
	struct ryde_err err = RYDE_ERR_INIT;
	char names[80][64], path[80];

	for (int i = 0; i < n; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s/o%d", folder, i);
		f[i] = (struct ryde_archive_finish){
		    .object = with(a, "1\n"), .name = names[i]};
		(void)snprintf(path, sizeof(path), "a/%.60s", names[i]);
		CHECK(access(path, F_OK) != 0, "%s is there before it is finished", path);
	}
	CHECK(a->ops->finish(a, f, (size_t)n, &err) == 0, "%s", err.msg);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "a/%.60s", names[i]);
		CHECK(f[i].state == RYDE_ARCHIVE_THERE && holds(path, "1\n"), "%s", path);
	}
}

static void
check_taken(struct ryde_archive *a)
{
	struct ryde_archive_finish f = {.object = with(a, "2\n"), .name = "x/y/o0"};
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(a->ops->finish(a, &f, 1, &err) == 0 && f.state == RYDE_ARCHIVE_TAKEN);
	CHECK(holds("a/x/y/o0", "1\n"));
	f.name = "x/y/o0-2";
	CHECK(a->ops->finish(a, &f, 1, &err) == 0 && f.state == RYDE_ARCHIVE_THERE);
	CHECK(holds("a/x/y/o0-2", "2\n"));
}

static void
check_failures(struct ryde_archive *a)
{
	struct ryde_archive_finish f = {.object = with(a, "3\n"), .name = "x/y/o0/z"};
	struct ryde_err err = RYDE_ERR_INIT;

	/* a file where a folder must be */
	CHECK(a->ops->finish(a, &f, 1, &err) == -1 && f.state == RYDE_ARCHIVE_KEPT);
	CHECK(err.code == RYDE_ECANTCREAT && err.sys == ENOTDIR, "%s", err.msg);
	a->ops->abandon(f.object);
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_archive_local_open("a/x/y/o0", &err) == NULL && err.sys == ENOTDIR);
}

/* More objects than files stay open, their bytes in turns. */
static void
check_turns(struct ryde_archive *a)
{
	struct ryde_archive_object *o[100];
	struct ryde_archive_finish f[100];
	struct ryde_err err = RYDE_ERR_INIT;
	char names[100][32];

	for (int i = 0; i < 100; i++)
		o[i] = with(a, "a");
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 100; i++)
			CHECK(a->ops->append(
				  o[(i * 37) % 100], ryde_view_of("b"), &err) == 0);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "turns/%d", i);
		f[i] = (struct ryde_archive_finish){.object = o[i], .name = names[i]};
	}
	CHECK(a->ops->finish(a, f, 100, &err) == 0, "%s", err.msg);
	CHECK(holds("a/turns/0", "abbb") && holds("a/turns/99", "abbb"));
}

/* Only what a dead process left is removed. */
static void
check_sweep(void)
{
	struct ryde_archive *one = open_it("a"), *two;
	struct ryde_archive_object *o = with(one, "4\n");
	struct ryde_archive_finish f = {.object = o, .name = "late"};
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(mkdir("a/.ryde/dead", 0700) == 0);
	CHECK(ryde_file_replace("a/.ryde/dead/1", ryde_view_of("x"), &err) == 0);
	two = open_it("a");
	CHECK(access("a/.ryde/dead", F_OK) != 0);
	two->ops->close(two);
	CHECK(one->ops->finish(one, &f, 1, &err) == 0 && f.state == RYDE_ARCHIVE_THERE,
	    "%s", err.msg);
	CHECK(holds("a/late", "4\n"));
	one->ops->close(one);
	CHECK(access("a/.ryde", F_OK) != 0);
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive *a;
	char path[RYDE_ARCHIVE_PATH_MAX];
	bool temporary = true;
	struct stat st;
	int n = 0;

	CHECK(scratch_begin() == 0);
	a = open_it("a//");
	CHECK(stat("a", &st) == 0 && (st.st_mode & 0777) == 0700);
	CHECK(a->ops->list(a, "x/y/o", count_names, &n, &err) == 0 && n == 0);
	finish_some(a, 2, "x");
	finish_some(a, 80, "x/y");
	CHECK(stat("a/x/y/o1", &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(a->ops->list(a, "x/y/o", count_names, &n, &err) == 70 && n == 70);
	CHECK(a->ops->fetch(a, "x/o1", path, &temporary, &err) == 0 && !temporary);
	CHECK(holds(path, "1\n"));
	check_taken(a);
	check_failures(a);
	check_turns(a);
	a->ops->abandon(with(a, "never\n"));
	a->ops->close(a);
	CHECK(access("a/.ryde", F_OK) != 0);
	check_sweep();
	scratch_end();
	return check_end("local_archive");
}
