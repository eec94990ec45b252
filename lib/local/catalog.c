#include "local/catalog.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

struct names {
	char **p;
	size_t n, room;
};

/* Takes NAME of an entry "NAME.db"; others are no resources. */
static int
take(struct names *names, const char *entry)
{
	size_t n = strlen(entry);
	char *copy;

	if (entry[0] == '.' || n < 4 || strcmp(entry + n - 3, ".db") != 0)
		return 0;
	if (names->n == names->room) {
		size_t room = names->room == 0 ? 64 : 2 * names->room;
		char **p = realloc(names->p, room * sizeof(*p));

		if (p == NULL)
			return -1;
		names->p = p;
		names->room = room;
	}
	copy = strdup(entry);
	if (copy == NULL)
		return -1;
	copy[n - 3] = '\0';
	names->p[names->n++] = copy;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int
path_of(const char *dir, const char *folder, const char *name, char *to)
{
	int n = name == NULL
		    ? snprintf(to, PATH_MAX_BYTES, "%s/%s", dir, folder)
		    : snprintf(to, PATH_MAX_BYTES, "%s/%s/%s.db", dir, folder, name);

	return n < 0 || n >= PATH_MAX_BYTES ? -1 : 0;
}

int
ryde_catalog_local_list(const char *dir, const char *folder,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	struct names names = {NULL, 0, 0};
	char path[PATH_MAX_BYTES];
	const struct dirent *e;
	int rc = 0;
	DIR *d;

	if (path_of(dir, folder, NULL, path) != 0)
		return ryde_err_set(
		    err, RYDE_ECONFIG, "%s: directory name too long", dir);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : ryde_err_sys(err, RYDE_EIO, "%s", path);
	while (rc == 0 && (e = readdir(d)) != NULL)
		rc = take(&names, e->d_name);
	(void)closedir(d);
	if (rc != 0)
		(void)ryde_err_nomem(err);
	if (names.n > 0)
		qsort(names.p, names.n, sizeof(*names.p), compare);
	for (size_t i = 0; i < names.n; i++) {
		if (rc == 0)
			fn(arg, names.p[i]);
		free(names.p[i]);
	}
	free(names.p);
	return rc;
}

void
ryde_catalog_local_near(const char *dir, const char *folder, const char *name,
    char text[RYDE_CATALOG_NEAR_MAX])
{
	struct ryde_near near = {.wanted = name};
	struct ryde_buf b;

	text[0] = '\0';
	/* a folder that cannot be listed has no near names; that is not the fault here */
	if (ryde_catalog_local_list(dir, folder, ryde_near_offer, &near, NULL) != 0)
		return;
	ryde_buf_init(&b, RYDE_CATALOG_NEAR_MAX);
	ryde_near_put(&near, &b);
	if (ryde_buf_check(&b, NULL) == 0)
		(void)snprintf(text, RYDE_CATALOG_NEAR_MAX, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

bool
ryde_catalog_local_has(const char *dir, const char *folder, const char *name)
{
	char path[PATH_MAX_BYTES];

	return path_of(dir, folder, name, path) == 0 && access(path, F_OK) == 0;
}
