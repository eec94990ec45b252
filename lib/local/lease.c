#include "local/lease.h"

#include "base/err.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_MAX_BYTES 4096

int
ryde_lease_folder(const char *dir, const char *stream, char *to, struct ryde_err *err)
{
	int n = snprintf(to, PATH_MAX_BYTES, "%s/groups/%s.leases", dir, stream);

	if (n < 0 || n > PATH_MAX_BYTES - 200)
		return ryde_err_set(
		    err, RYDE_ECONFIG, "%s: directory name too long", dir);
	return 0;
}

static void
path_of(const char *folder, const char *group, int64_t epoch, char *to)
{
	/* ryde_lease_folder left room for the longest name */
	(void)snprintf(to, PATH_MAX_BYTES, "%s/%s.%lld", folder, group, (long long)epoch);
}

int
ryde_lease_make(
    const char *folder, const char *group, int64_t epoch, struct ryde_err *err)
{
	char path[PATH_MAX_BYTES];
	int fd;

	if (ryde_file_mkdirs(folder, err) != 0)
		return -1;
	path_of(folder, group, epoch, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ryde_err_sys(err, RYDE_ECANTCREAT, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		(void)ryde_err_sys(err, RYDE_ETEMPFAIL, "%s", path);
		(void)close(fd);
		return -1;
	}
	return fd;
}

enum ryde_lease_state
ryde_lease_try(
    const char *folder, const char *group, int64_t epoch, int *fd, struct ryde_err *err)
{
	char path[PATH_MAX_BYTES];

	path_of(folder, group, epoch, path);
	*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return RYDE_LEASE_FREE;
		(void)ryde_err_sys(err, RYDE_EIO, "%s", path);
		return RYDE_LEASE_FAILED;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return RYDE_LEASE_FREE;
	if (errno == EWOULDBLOCK) {
		(void)close(*fd);
		*fd = -1;
		return RYDE_LEASE_TAKEN;
	}
	(void)ryde_err_sys(err, RYDE_EIO, "%s", path);
	(void)close(*fd);
	*fd = -1;
	return RYDE_LEASE_FAILED;
}

void
ryde_lease_remove(const char *folder, const char *group, int64_t epoch)
{
	char path[PATH_MAX_BYTES];

	path_of(folder, group, epoch, path);
	(void)unlink(path);
}

void
ryde_lease_sweep(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(folder);
}
