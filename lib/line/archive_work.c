#include "line/archive_work.h"

#include "base/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct ryde_archive_growing *
ryde_archive_work_object(struct ryde_archive_work *work,
    const struct ryde_archive_ops *ops, size_t size, struct ryde_err *err)
{
	struct ryde_archive_growing *o = calloc(1, size);

	if (o == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	o->base.ops = ops;
	o->work = work;
	o->number = ++work->made;
	return o;
}

void
ryde_archive_work_path(const struct ryde_archive_work *work, unsigned long long number,
    char to[RYDE_ARCHIVE_WORK_PATH])
{
	(void)snprintf(to, RYDE_ARCHIVE_WORK_PATH, "%s/%llu", work->folder, number);
}

int
ryde_archive_work_open(const struct ryde_archive_growing *o, struct ryde_err *err)
{
	char path[RYDE_ARCHIVE_WORK_PATH];
	int fd;

	ryde_archive_work_path(o->work, o->number, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return fd >= 0 ? fd
		       : ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create %s", path);
}

void
ryde_archive_work_drop(struct ryde_archive_growing *o)
{
	char path[RYDE_ARCHIVE_WORK_PATH];

	ryde_archive_work_path(o->work, o->number, path);
	(void)unlink(path);
	free(o);
}
