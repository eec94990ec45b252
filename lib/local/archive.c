/* renameat2, sync_file_range and flock are Linux's */
#define _GNU_SOURCE
#include "local/archive.h"

#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "line/archive_work.h"
#include "line/store_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_MAX 3000
/* From so many objects on one sync of the whole file system is cheaper than one of each
 * file and folder. */
#define SYNC_ALL 3
#define OPEN_MAX                                                              \
	32 /* files that stay open for more bytes; the others are opened anew \
	    */

struct object;

struct archive {
	struct ryde_archive base;
	char root[ROOT_MAX];
	struct ryde_archive_work work; /* in ROOT/.ryde/TOKEN, ours */
	int lock;		       /* the open, locked work directory */
	struct object *first, *last;   /* those with an open descriptor, latest used first
					*/
	int n_open;
};

struct object {
	struct ryde_archive_growing base;
	struct archive *archive;
	int fd;
	struct object *before, *after; /* among those that are open */
};

static const struct ryde_archive_ops ops;

/* ---- folders ---- */

/*
 * Makes the folders of path (what stands before a slash, from its byte `from` on), mode
 * 0700, and with durable set each one's place in its own folder durable.
 */
static int
make_folders(char *path, size_t from, bool durable, struct ryde_err *err)
{
	for (char *s = path + from; (s = strchr(s, '/')) != NULL; s++) {
		int rc = 0;

		*s = '\0';
		if (mkdir(path, 0700) == 0)
			rc = durable ? ryde_file_sync_folder(path, err) : 0;
		else if (errno != EEXIST)
			rc = ryde_err_sys(
			    err, RYDE_ECANTCREAT, "cannot create directory %s", path);
		*s = '/';
		if (rc != 0)
			return -1;
	}
	return 0;
}

/* ---- the work directory ---- */

static void
work_folder(const struct archive *a, char *to, size_t room)
{
	(void)snprintf(to, room, "%s/.ryde", a->root);
}

/* Removes a work directory whose process is gone: files first, it has no folders. */
static void
remove_work(const char *path)
{
	char file[ROOT_MAX + 400];
	struct dirent *e;
	DIR *d = opendir(path);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		(void)unlink(file);
	}
	(void)closedir(d);
	(void)rmdir(path);
}

/* What killed processes have left. Nothing depends on it: failures are passed over. */
static void
sweep(const struct archive *a)
{
	char folder[ROOT_MAX + 16], path[ROOT_MAX + 300];
	struct dirent *e;
	DIR *d;
	int fd;

	work_folder(a, folder, sizeof(folder));
	d = opendir(folder);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_work(path);
		(void)close(fd);
	}
	(void)closedir(d);
}

/* 1: made and locked, 0: another process swept it away meanwhile, -1. */
static int
try_work(struct archive *a, struct ryde_err *err)
{
	char token[RYDE_RANDOM_TOKEN + 1];
	struct stat mine, there;

	if (ryde_random_token(token, err) != 0)
		return -1;
	(void)snprintf(
	    a->work.folder, sizeof(a->work.folder), "%s/.ryde/w%.16s", a->root, token);
	if (ryde_file_mkdirs(a->work.folder, err) != 0)
		return -1;
	a->lock = open(a->work.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->lock < 0)
		return errno == ENOENT ? 0
				       : ryde_err_sys(err, RYDE_ECANTCREAT,
					     "cannot open %s", a->work.folder);
	if (flock(a->lock, LOCK_EX | LOCK_NB) == 0 && fstat(a->lock, &mine) == 0 &&
	    stat(a->work.folder, &there) == 0 && mine.st_ino == there.st_ino)
		return 1;
	(void)close(a->lock);
	a->lock = -1;
	return 0;
}

static int
make_work(struct archive *a, struct ryde_err *err)
{
	for (int i = 0; i < 100; i++) {
		int rc = try_work(a, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return ryde_err_set(
	    err, RYDE_ECANTCREAT, "cannot lock a directory in %s/.ryde", a->root);
}

static int
make_root(const struct archive *a, struct ryde_err *err)
{
	char path[ROOT_MAX + 1];
	struct stat st;

	if (stat(a->root, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
		return ryde_err_sys(err, RYDE_ECANTCREAT, "%s", a->root);
	}
	(void)snprintf(path, sizeof(path), "%s/", a->root);
	return make_folders(path, 1, true, err);
}

struct ryde_archive *
ryde_archive_local_open(const char *dir, struct ryde_err *err)
{
	struct archive *a = calloc(1, sizeof(*a));
	size_t n = strlen(dir);

	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->base.ops = &ops;
	a->lock = -1;
	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (n >= sizeof(a->root)) {
		(void)ryde_err_set(err, RYDE_EUSAGE, "the archive's path is too long");
		free(a);
		return NULL;
	}
	memcpy(a->root, dir, n);
	if (make_root(a, err) != 0 || make_work(a, err) != 0) {
		free(a);
		return NULL;
	}
	sweep(a);
	return &a->base;
}

static struct archive *
archive_of(struct ryde_archive *a)
{
	return (struct archive *)(void *)a;
}

static void
close_archive(struct ryde_archive *base)
{
	struct archive *a = archive_of(base);
	char folder[ROOT_MAX + 16];

	remove_work(a->work.folder);
	work_folder(a, folder, sizeof(folder));
	(void)rmdir(folder); /* succeeds for the last one */
	(void)close(a->lock);
	free(a);
}

/* ---- objects that are being written ---- */

static struct object *
object_of(struct ryde_archive_object *o)
{
	return (struct object *)(void *)o;
}

static void
unlink_open(struct object *o)
{
	struct archive *a = o->archive;

	if (o->before != NULL)
		o->before->after = o->after;
	else
		a->first = o->after;
	if (o->after != NULL)
		o->after->before = o->before;
	else
		a->last = o->before;
	o->before = o->after = NULL;
	a->n_open--;
}

static void
link_open(struct object *o)
{
	struct archive *a = o->archive;

	o->after = a->first;
	if (a->first != NULL)
		a->first->before = o;
	else
		a->last = o;
	a->first = o;
	a->n_open++;
}

/* Writes that fail later are seen by the fsync that comes. */
static void
close_object(struct object *o)
{
	if (o->fd < 0)
		return;
	unlink_open(o);
	(void)close(o->fd);
	o->fd = -1;
}

/* Makes o's file open, and another one's closed where there are too many. */
static int
open_object(struct object *o, struct ryde_err *err)
{
	struct archive *a = o->archive;

	if (o->fd >= 0) {
		if (a->first != o) {
			unlink_open(o);
			link_open(o);
		}
		return 0;
	}
	if (a->n_open >= OPEN_MAX)
		close_object(a->last);
	o->fd = ryde_archive_work_open(&o->base, err);
	if (o->fd < 0)
		return -1;
	link_open(o);
	return 0;
}

static struct ryde_archive_object *
create(struct ryde_archive *base, struct ryde_err *err)
{
	struct archive *a = archive_of(base);
	struct ryde_archive_growing *growing =
	    ryde_archive_work_object(&a->work, &ops, sizeof(struct object), err);
	struct object *o = (struct object *)(void *)growing;

	if (o == NULL)
		return NULL;
	o->archive = a;
	o->fd = -1;
	return &growing->base;
}

static int
append(struct ryde_archive_object *base, struct ryde_view data, struct ryde_err *err)
{
	struct object *o = object_of(base);

	if (open_object(o, err) != 0)
		return -1;
	return ryde_file_write_all(o->fd, data, o->archive->root, err);
}

static void
settle(struct ryde_archive_object *base)
{
	struct object *o = object_of(base);

#ifdef SYNC_FILE_RANGE_WRITE
	if (o->fd >= 0)
		(void)sync_file_range(o->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
	(void)o;
#endif
}

/* A rename that replaces nothing. */
static int
move(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* a file system that does not know how: two names, then one */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) == 0 ? unlink(from) : -1;
}

static void
destination(const struct archive *a, const char *name, char *to, size_t room)
{
	(void)snprintf(to, room, "%s/%s", a->root, name);
}

/* Gives a file that is on the disk its name. */
static int
publish(
    struct archive *a, struct ryde_archive_finish *f, bool durable, struct ryde_err *err)
{
	struct object *o = object_of(f->object);
	char from[RYDE_ARCHIVE_WORK_PATH], to[ROOT_MAX + RYDE_ARCHIVE_NAME_MAX + 8];
	int rc;

	ryde_archive_work_path(&a->work, o->base.number, from);
	destination(a, f->name, to, sizeof(to));
	rc = move(from, to);
	if (rc != 0 && errno == ENOENT) {
		if (make_folders(to, strlen(a->root) + 1, durable, err) != 0)
			return -1;
		rc = move(from, to);
	}
	if (rc != 0 && errno == EEXIST) {
		f->state = RYDE_ARCHIVE_TAKEN;
		return 0;
	}
	if (rc != 0)
		return ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create %s", to);
	f->state = RYDE_ARCHIVE_THERE;
	return 0;
}

/* Everything that was written so far, by whomever, is on the disk. */
static int
sync_all(const struct archive *a, struct ryde_err *err)
{
	if (syncfs(a->lock) != 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot write to %s", a->root);
	return 0;
}

static int
sync_files(struct archive *a, const struct ryde_archive_finish *f, size_t n,
    struct ryde_err *err)
{
	if (n > SYNC_ALL)
		return sync_all(a, err);
	for (size_t i = 0; i < n; i++) {
		struct object *o = object_of(f[i].object);

		if (open_object(o, err) != 0)
			return -1;
		if (fsync(o->fd) != 0)
			return ryde_err_sys(err, RYDE_EIO, "cannot write to %s", a->root);
	}
	return 0;
}

static bool
same_folder(const char *x, const char *y)
{
	const char *slash = strrchr(x, '/');
	size_t n = slash != NULL ? (size_t)(slash - x) + 1 : 0;

	return strncmp(x, y, n) == 0 && strchr(y + n, '/') == NULL;
}

static int
sync_folders(struct archive *a, const struct ryde_archive_finish *f, size_t n,
    struct ryde_err *err)
{
	char to[ROOT_MAX + RYDE_ARCHIVE_NAME_MAX + 8];

	if (n > SYNC_ALL)
		return sync_all(a, err);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && same_folder(f[i].name, f[i - 1].name))
			continue;
		destination(a, f[i].name, to, sizeof(to));
		if (ryde_file_sync_folder(to, err) != 0)
			return -1;
	}
	return 0;
}

static int
finish(struct ryde_archive *base, struct ryde_archive_finish *f, size_t n,
    struct ryde_err *err)
{
	struct archive *a = archive_of(base);
	int rc;

	for (size_t i = 0; i < n; i++)
		f[i].state = RYDE_ARCHIVE_KEPT;
	if (sync_files(a, f, n, err) != 0)
		return -1;
	rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = publish(a, &f[i], n <= SYNC_ALL, err);
	if (rc == 0)
		rc = sync_folders(a, f, n, err);
	for (size_t i = 0; i < n; i++) {
		if (f[i].state != RYDE_ARCHIVE_THERE)
			continue;
		/* one that may not be durable does not count, though it can be seen */
		if (rc != 0) {
			f[i].state = RYDE_ARCHIVE_KEPT;
			continue;
		}
		close_object(object_of(f[i].object));
		free(f[i].object);
	}
	return rc;
}

static void
abandon(struct ryde_archive_object *base)
{
	close_object(object_of(base));
	ryde_archive_work_drop(&object_of(base)->base);
}

/* ---- objects that are there ---- */

static int
list(struct ryde_archive *base, const char *prefix, ryde_archive_name_fn *fn, void *arg,
    struct ryde_err *err)
{
	const char *slash = strrchr(prefix, '/'), *start = slash ? slash + 1 : prefix;
	size_t n = strlen(start), before = (size_t)(start - prefix);
	char path[ROOT_MAX + RYDE_ARCHIVE_NAME_MAX + 8];
	char name[RYDE_ARCHIVE_NAME_MAX + 300];
	struct archive *a = archive_of(base);
	struct dirent *e;
	struct stat st;
	int rc = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%.*s", a->root, (int)before, prefix);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT
			   ? 0
			   : ryde_err_sys(err, RYDE_EIO, "cannot read %s", path);
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, start, n) != 0 ||
		    fstatat(dirfd(d), e->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		(void)snprintf(
		    name, sizeof(name), "%.*s%s", (int)before, prefix, e->d_name);
		rc = fn(arg, name, (int64_t)st.st_size);
	}
	/* a process that was killed behind its rename may not have made it durable */
	if (fsync(dirfd(d)) != 0 && rc == 0)
		rc = ryde_err_sys(err, RYDE_EIO, "cannot sync %s", path);
	(void)closedir(d);
	return rc;
}

static int
fetch(struct ryde_archive *base, const char *name, char *path, bool *temporary,
    struct ryde_err *err)
{
	(void)err;
	(void)snprintf(
	    path, RYDE_ARCHIVE_PATH_MAX, "%s/%s", archive_of(base)->root, name);
	*temporary = false;
	return 0;
}

static const struct ryde_archive_ops ops = {
    .close = close_archive,
    .create = create,
    .append = append,
    .settle = settle,
    .finish = finish,
    .abandon = abandon,
    .list = list,
    .fetch = fetch,
};
