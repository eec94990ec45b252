#include "base/file.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int
ryde_file_mkdirs(const char *path, struct ryde_err *err)
{
	struct ryde_buf b;
	struct stat st;
	int rc = -1;
	char *s;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (path[0] == '\0') {
		errno = ENOENT;
		return ryde_err_sys(err, RYDE_ECANTCREAT, "cannot create directory ''");
	}
	ryde_buf_init(&b, 4096);
	ryde_buf_puts(&b, path);
	if (ryde_buf_check(&b, err) != 0)
		goto out;
	(void)ryde_buf_str(&b);
	for (s = b.p + 1;; s++) {
		char was = *s;

		if (was != '/' && was != '\0')
			continue;
		*s = '\0';
		if (mkdir(b.p, 0700) != 0 && errno != EEXIST) {
			(void)ryde_err_sys(
			    err, RYDE_ECANTCREAT, "cannot create directory %s", b.p);
			goto out;
		}
		*s = was;
		if (was == '\0')
			break;
	}
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "%s", path);
		goto out;
	}
	rc = 0;
out:
	ryde_buf_free(&b);
	return rc;
}

int
ryde_file_write_all(int fd, struct ryde_view data, const char *name, struct ryde_err *err)
{
	while (data.n > 0) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};

			(void)poll(&p, 1, 1000);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ryde_err_sys(err, RYDE_EIO, "cannot write to %s", name);
		data.p += n;
		data.n -= (size_t)n;
	}
	return 0;
}

int
ryde_file_sync_folder(const char *path, struct ryde_err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	int fd, rc;

	if (n >= sizeof(folder))
		return ryde_err_set(err, RYDE_EIO, "%s: name too long", path);
	if (slash == NULL) {
		folder[0] = '.';
		n = 1;
	} else if (n == 0) {
		folder[0] = '/';
		n = 1;
	} else {
		memcpy(folder, path, n);
	}
	folder[n] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot open %s", folder);
	rc = fsync(fd);
	if (rc != 0)
		(void)ryde_err_sys(err, RYDE_EIO, "cannot sync %s", folder);
	(void)close(fd);
	return rc;
}

int
ryde_file_replace(const char *path, struct ryde_view data, struct ryde_err *err)
{
	struct ryde_buf tmp;
	char suffix[RYDE_RANDOM_TOKEN + 1];
	struct stat st;
	int fd = -1, rc = -1;
	bool old;

	ryde_buf_init(&tmp, 4200);
	if (ryde_random_token(suffix, err) != 0)
		return -1;
	ryde_buf_printf(&tmp, "%s.%.8s.tmp", path, suffix);
	if (ryde_buf_check(&tmp, err) != 0)
		goto out;
	old = stat(path, &st) == 0;
	fd = open(ryde_buf_str(&tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		(void)ryde_err_sys(
		    err, RYDE_ECANTCREAT, "cannot create %s", ryde_buf_str(&tmp));
		goto out;
	}
	if (ryde_file_write_all(fd, data, path, err) != 0)
		goto out;
	/* the mode given to open would be cut by the umask; where it cannot be set, it
	 * stays private */
	if (old)
		(void)fchmod(fd, st.st_mode & 0777);
	if (fsync(fd) != 0) {
		(void)ryde_err_sys(err, RYDE_EIO, "cannot write to %s", path);
		goto out;
	}
	rc = close(fd);
	fd = -1;
	if (rc != 0) {
		(void)ryde_err_sys(err, RYDE_EIO, "cannot write to %s", path);
		goto out;
	}
	rc = -1;
	if (rename(ryde_buf_str(&tmp), path) != 0) {
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "cannot replace %s", path);
		goto out;
	}
	rc = ryde_file_sync_folder(path, err);
out:
	if (fd >= 0)
		(void)close(fd);
	if (rc != 0 && tmp.n > 0)
		(void)unlink(ryde_buf_str(&tmp));
	ryde_buf_free(&tmp);
	return rc;
}

int
ryde_file_read(const char *path, struct ryde_buf *b, struct ryde_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;

	if (fd < 0)
		return ryde_err_sys(err, RYDE_ENOINPUT, "cannot open %s", path);
	for (;;) {
		/* at the ceiling one byte more is asked for, to see whether the file ends
		 * there */
		size_t left = b->max - b->n, step = left < 65536 ? left : 65536;
		char *room = ryde_buf_room(b, step), beyond;
		ssize_t n;

		if (room == NULL) {
			(void)ryde_buf_check(b, err);
			(void)ryde_err_prefix(err, "%s", path);
			goto out;
		}
		n = read(fd, left == 0 ? &beyond : room, left == 0 ? 1 : step);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			(void)ryde_err_sys(err, RYDE_EIO, "cannot read %s", path);
			goto out;
		}
		if (n == 0)
			break;
		if (left == 0) {
			(void)ryde_err_set(
			    err, RYDE_EDATA, "%s: larger than %zu bytes", path, b->max);
			goto out;
		}
		ryde_buf_added(b, (size_t)n);
	}
	rc = 0;
out:
	(void)close(fd);
	return rc;
}
