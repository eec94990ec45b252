#include "store/external.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "store/name.h"

#include <errno.h>
#include <unistd.h>

#define FOLDER "externals"
#define PATH_LONGEST ((size_t)8192)

/* The path of the statement's file, or of its folder where name is NULL. */
static int
find_path(const struct ryde_store_settings *s, const char *name, struct ryde_buf *path,
    struct ryde_err *err)
{
	struct ryde_store_name found;
	char dir[4096];

	if (ryde_store_resolve(s, name != NULL ? name : FOLDER, &found, err) != 0 ||
	    ryde_store_data_dir(s, dir, err) != 0)
		return -1;
	ryde_buf_puts(path, dir);
	ryde_buf_puts(path, "/" FOLDER);
	if (name != NULL)
		ryde_buf_putc(path, '/');
	for (const char *p = found.name; name != NULL && *p != '\0'; p++)
		ryde_buf_putc(path, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
	if (name != NULL)
		ryde_buf_puts(path, ".sql");
	return ryde_buf_check(path, err);
}

int
ryde_external_save(const struct ryde_store_settings *s, const char *name,
    struct ryde_view sql, struct ryde_err *err)
{
	struct ryde_buf folder, path;
	int rc = -1;

	ryde_buf_init(&folder, PATH_LONGEST);
	ryde_buf_init(&path, PATH_LONGEST);
	if (find_path(s, NULL, &folder, err) == 0 &&
	    find_path(s, name, &path, err) == 0 &&
	    ryde_file_mkdirs(ryde_buf_str(&folder), err) == 0)
		rc = ryde_file_replace(ryde_buf_str(&path), sql, err);
	ryde_buf_free(&folder);
	ryde_buf_free(&path);
	return rc;
}

int
ryde_external_load(const struct ryde_store_settings *s, const char *name,
    struct ryde_buf *sql, struct ryde_err *err)
{
	struct ryde_buf path;
	int rc = 0;

	ryde_buf_init(&path, PATH_LONGEST);
	/* what is no name in this store is no external table, which is no failure */
	if (find_path(s, name, &path, NULL) == 0 &&
	    access(ryde_buf_str(&path), F_OK) == 0)
		rc = ryde_file_read(ryde_buf_str(&path), sql, err) == 0 ? 1 : -1;
	ryde_buf_free(&path);
	return rc;
}

int
ryde_external_delete(
    const struct ryde_store_settings *s, const char *name, struct ryde_err *err)
{
	struct ryde_buf path;
	int rc = -1;

	ryde_buf_init(&path, PATH_LONGEST);
	if (find_path(s, name, &path, err) == 0) {
		rc = unlink(ryde_buf_str(&path));
		if (rc != 0 && errno == ENOENT)
			rc = ryde_err_set(
			    err, RYDE_ENOINPUT, "there is no external table %s", name);
		else if (rc != 0)
			rc = ryde_err_sys(
			    err, RYDE_EIO, "cannot remove %s", ryde_buf_str(&path));
	}
	ryde_buf_free(&path);
	return rc;
}
