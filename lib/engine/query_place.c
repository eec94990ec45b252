#include "engine/query_place.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_place_s3.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_LONGEST ((size_t)64 << 10)
#define DEPTH_MAX 64 /* folders in folders; a link that leads back ends here */

struct directory {
	struct ryde_query_place base;
	struct ryde_buf root; /* with its slash; a single file's path without */
	bool single;
	int64_t size_bytes; /* of the single file */
};

struct listing {
	struct ryde_buf path; /* of the folder or file at hand */
	size_t root_n;
	ryde_query_place_fn *fn;
	void *arg;
};

static int list_folder(struct listing *l, int depth, struct ryde_err *err);

static int
list_entry(struct listing *l, const char *entry, int depth, struct ryde_err *err)
{
	size_t before = l->path.n;
	struct stat st;
	int rc = 0;

	if (entry[0] == '.' || entry[0] == '_')
		return 0;
	ryde_buf_puts(&l->path, entry);
	if (ryde_buf_check(&l->path, err) != 0)
		return -1;
	if (stat(ryde_buf_str(&l->path), &st) != 0) {
		/* it may go while we look, and a link may lead nowhere */
		if (errno != ENOENT)
			rc = ryde_err_sys(
			    err, RYDE_EIO, "cannot look at %s", ryde_buf_str(&l->path));
	} else if (S_ISREG(st.st_mode)) {
		rc = l->fn(
		    l->arg, ryde_buf_str(&l->path) + l->root_n, (int64_t)st.st_size, err);
	} else if (S_ISDIR(st.st_mode)) {
		ryde_buf_putc(&l->path, '/');
		rc = list_folder(l, depth + 1, err);
	}
	l->path.n = before;
	return rc;
}

static int
list_folder(struct listing *l, int depth, struct ryde_err *err)
{
	DIR *dir;
	const struct dirent *entry;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "%s: more than %d folders in folders", ryde_buf_str(&l->path),
		    DEPTH_MAX);
	dir = opendir(ryde_buf_str(&l->path));
	if (dir == NULL)
		return ryde_err_sys(
		    err, RYDE_EIO, "cannot read the folder %s", ryde_buf_str(&l->path));
	errno = 0;
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		rc = list_entry(l, entry->d_name, depth, err);
		errno = 0;
	}
	if (rc == 0 && errno != 0)
		rc = ryde_err_sys(
		    err, RYDE_EIO, "cannot read the folder %s", ryde_buf_str(&l->path));
	(void)closedir(dir);
	return rc;
}

static int
list(struct ryde_query_place *p, ryde_query_place_fn *fn, void *arg, struct ryde_err *err)
{
	struct directory *d = (struct directory *)p;
	struct listing l = {.root_n = d->root.n, .fn = fn, .arg = arg};
	int rc;

	if (d->single)
		return fn(arg, "", d->size_bytes, err) == 0 ? 0 : -1;
	ryde_buf_init(&l.path, PATH_LONGEST);
	ryde_buf_view(&l.path, ryde_buf_as_view(&d->root));
	rc = ryde_buf_check(&l.path, err) == 0 && list_folder(&l, 0, err) == 0 ? 0 : -1;
	ryde_buf_free(&l.path);
	return rc;
}

static int
file(struct ryde_query_place *p, const char *name, struct ryde_buf *path, int *fd,
    struct ryde_err *err)
{
	ryde_buf_puts(path, p->path);
	ryde_buf_puts(path, name);
	*fd = -1;
	return ryde_buf_check(path, err);
}

static void
close_directory(struct ryde_query_place *p)
{
	ryde_buf_free(&((struct directory *)p)->root);
	free(p);
}

struct ryde_query_place *
ryde_query_place_open(
    const struct ryde_store_settings *store, const char *path, struct ryde_err *err)
{
	static const struct ryde_query_place_ops ops = {
	    .list = list, .file = file, .close = close_directory};
	struct directory *d;
	struct stat st;

	if (strncmp(path, "s3://", 5) == 0)
		return ryde_query_place_s3(store, path, err);
	if (stat(path, &st) != 0) {
		(void)ryde_err_sys(err, RYDE_ENOINPUT, "cannot open %s", path);
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	d->base.ops = &ops;
	d->single = !S_ISDIR(st.st_mode);
	d->size_bytes = (int64_t)st.st_size;
	ryde_buf_init(&d->root, PATH_LONGEST);
	ryde_buf_puts(&d->root, path);
	if (!d->single && path[strlen(path) - 1] != '/')
		ryde_buf_putc(&d->root, '/');
	d->base.path = ryde_buf_str(&d->root);
	if (ryde_buf_check(&d->root, err) == 0)
		return &d->base;
	close_directory(&d->base);
	return NULL;
}
