#define _GNU_SOURCE /* mkostemp */

#include "engine/process_capture.h"

#include "base/err.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void
ryde_process_capture_init(struct ryde_process_capture *c)
{
	*c = (struct ryde_process_capture){.file = -1};
	ryde_buf_init(&c->buf, RYDE_PROCESS_CAPTURE_MEMORY);
}

static void
drop_file(struct ryde_process_capture *c)
{
	if (c->map != NULL)
		munmap(c->map, (size_t)c->file_bytes);
	if (c->file >= 0)
		close(c->file);
	c->map = NULL;
	c->file = -1;
	c->file_bytes = 0;
}

void
ryde_process_capture_free(struct ryde_process_capture *c)
{
	drop_file(c);
	ryde_buf_free(&c->buf);
}

void
ryde_process_capture_clear(struct ryde_process_capture *c)
{
	drop_file(c);
	ryde_buf_clear(&c->buf);
}

/* Moves the output into an unnamed file once it outgrows memory. */
static int
spill(struct ryde_process_capture *c, struct ryde_err *err)
{
	const char *dir = getenv("TMPDIR");
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/ryde-process.XXXXXX",
	    dir != NULL && *dir != '\0' ? dir : "/tmp");
	c->file = mkostemp(path, O_CLOEXEC);
	if (c->file < 0)
		return ryde_err_sys(err, RYDE_EIO, "its output cannot be kept: %s", path);
	unlink(path);
	if (ryde_file_write_all(c->file, ryde_buf_as_view(&c->buf), "its output", err) !=
	    0)
		return -1;
	c->file_bytes = (int64_t)c->buf.n;
	ryde_buf_free(&c->buf);
	return 0;
}

int
ryde_process_capture_add(
    struct ryde_process_capture *c, const char *p, size_t n, struct ryde_err *err)
{
	if (c->file < 0 && c->buf.n + n > RYDE_PROCESS_CAPTURE_MEMORY &&
	    spill(c, err) != 0)
		return -1;
	if (c->file < 0) {
		ryde_buf_add(&c->buf, p, n);
		return ryde_buf_check(&c->buf, err);
	}
	if (c->file_bytes + (int64_t)n > RYDE_PROCESS_CAPTURE_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "its output is longer than %lld bytes",
		    (long long)RYDE_PROCESS_CAPTURE_MAX);
	if (ryde_file_write_all(c->file, ryde_view_mem(p, n), "its output", err) != 0)
		return -1;
	c->file_bytes += (int64_t)n;
	return 0;
}

int
ryde_process_capture_view(
    struct ryde_process_capture *c, struct ryde_view *out, struct ryde_err *err)
{
	if (c->file < 0) {
		*out = ryde_buf_as_view(&c->buf);
		return 0;
	}
	if (c->map == NULL) {
		void *map =
		    mmap(NULL, (size_t)c->file_bytes, PROT_READ, MAP_PRIVATE, c->file, 0);

		if (map == MAP_FAILED)
			return ryde_err_sys(
			    err, RYDE_EIO, "cannot map a command's output");
		c->map = map;
	}
	*out = ryde_view_mem(c->map, (size_t)c->file_bytes);
	return 0;
}
