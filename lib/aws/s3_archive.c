#include "aws/s3_archive.h"

#include "aws/client.h"
#include "aws/s3.h"
#include "base/err.h"
#include "base/file.h"
#include "line/archive_work.h"
#include "line/store_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct archive {
	struct ryde_archive base;
	struct ryde_aws *aws;
	struct ryde_s3_place place;
	struct ryde_archive_work work; /* in a directory of ours alone */
};

struct object {
	struct ryde_archive_growing base;
	int64_t size_bytes;
};

static const struct ryde_archive_ops ops;

static struct archive *
archive_of(struct ryde_archive *a)
{
	return (struct archive *)(void *)a;
}

static struct object *
object_of(struct ryde_archive_object *o)
{
	return (struct object *)(void *)o;
}

struct ryde_archive *
ryde_s3_archive_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err)
{
	const char *tmp = getenv("TMPDIR");
	struct archive *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->base.ops = &ops;
	(void)snprintf(a->work.folder, sizeof(a->work.folder),
	    "%.2900s/ryde-archive-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (ryde_s3_place_read(place, true, &a->place, err) != 0)
		goto fail;
	if (mkdtemp(a->work.folder) == NULL) {
		(void)ryde_err_sys(
		    err, RYDE_ECANTCREAT, "cannot create %s", a->work.folder);
		goto fail;
	}
	a->aws = ryde_aws_open(settings, err);
	if (a->aws != NULL)
		return &a->base;
	(void)rmdir(a->work.folder);
fail:
	free(a);
	return NULL;
}

static void
close_archive(struct ryde_archive *base)
{
	struct archive *a = archive_of(base);

	/* its objects are finished or abandoned by now */
	(void)rmdir(a->work.folder);
	ryde_aws_close(a->aws);
	free(a);
}

static struct ryde_archive_object *
create(struct ryde_archive *base, struct ryde_err *err)
{
	struct ryde_archive_growing *o = ryde_archive_work_object(
	    &archive_of(base)->work, &ops, sizeof(struct object), err);

	return o != NULL ? &o->base : NULL;
}

static int
append(struct ryde_archive_object *base, struct ryde_view data, struct ryde_err *err)
{
	struct object *o = object_of(base);
	int fd = ryde_archive_work_open(&o->base, err), rc;

	if (fd < 0)
		return -1;
	rc = ryde_file_write_all(fd, data, o->base.work->folder, err);
	(void)close(fd);
	if (rc == 0)
		o->size_bytes += (int64_t)data.n;
	return rc;
}

static void
settle(struct ryde_archive_object *base)
{
	(void)base;
}

static void
abandon(struct ryde_archive_object *base)
{
	ryde_archive_work_drop(&object_of(base)->base);
}

static int
key_of(const struct archive *a, const char *name, char *to, struct ryde_err *err)
{
	int n = snprintf(to, RYDE_S3_KEY_MAX + 1, "%s%s", a->place.prefix, name);

	if (n > RYDE_S3_KEY_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "%.200s: longer than S3's keys, which have %d bytes", name,
		    RYDE_S3_KEY_MAX);
	return 0;
}

static int
put_one(struct archive *a, struct ryde_archive_finish *f, struct ryde_err *err)
{
	struct object *o = object_of(f->object);
	char path[RYDE_ARCHIVE_WORK_PATH], key[RYDE_S3_KEY_MAX + 1];
	bool taken = false;
	int fd, rc;

	ryde_archive_work_path(&a->work, o->base.number, path);
	if (key_of(a, f->name, key, err) != 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot open %s", path);
	rc = ryde_s3_put(a->aws, a->place.bucket, key, fd, o->size_bytes, &taken, err);
	(void)close(fd);
	if (rc != 0)
		return -1;
	f->state = taken ? RYDE_ARCHIVE_TAKEN : RYDE_ARCHIVE_THERE;
	if (!taken)
		abandon(f->object);
	return 0;
}

static int
finish(struct ryde_archive *base, struct ryde_archive_finish *f, size_t n,
    struct ryde_err *err)
{
	for (size_t i = 0; i < n; i++)
		f[i].state = RYDE_ARCHIVE_KEPT;
	for (size_t i = 0; i < n; i++)
		if (put_one(archive_of(base), &f[i], err) != 0)
			return -1;
	return 0;
}

struct listing {
	size_t before; /* bytes of the place's own prefix */
	ryde_archive_name_fn *fn;
	void *arg;
};

static int
listed(void *arg, const char *key, int64_t size_bytes)
{
	const struct listing *l = arg;

	return l->fn(l->arg, key + l->before, size_bytes);
}

static int
list(struct ryde_archive *base, const char *prefix, ryde_archive_name_fn *fn, void *arg,
    struct ryde_err *err)
{
	struct archive *a = archive_of(base);
	struct listing l = {.before = strlen(a->place.prefix), .fn = fn, .arg = arg};
	char key[RYDE_S3_KEY_MAX + 1];

	if (key_of(a, prefix, key, err) != 0)
		return -1;
	return ryde_s3_list(a->aws, a->place.bucket, key, true, listed, &l, err);
}

static int
fetch(struct ryde_archive *base, const char *name, char *path, bool *temporary,
    struct ryde_err *err)
{
	struct archive *a = archive_of(base);
	char key[RYDE_S3_KEY_MAX + 1];
	int fd, rc;

	if (key_of(a, name, key, err) != 0)
		return -1;
	ryde_archive_work_path(&a->work, ++a->work.made, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create %s", path);
	rc = ryde_s3_get(a->aws, a->place.bucket, key, fd, err);
	(void)close(fd);
	*temporary = true;
	if (rc != 0)
		(void)unlink(path);
	return rc;
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
