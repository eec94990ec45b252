#include "flow/rejects.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/envelope.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ryde_rejects {
	int fd;
	bool regular, dirty;
	bool fresh;  /* empty when it was opened: its folder may not know it for good */
	bool broken; /* ended within a line: a program died there, or the disk was full */
	struct ryde_buf b;
	char path[];
};

/* True where the file's last byte is no newline. */
static bool
ends_within_line(const char *path, off_t size_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char last = '\n';

	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, size_bytes - 1) != 1)
		last = '\n';
	(void)close(fd);
	return last != '\n';
}

struct ryde_rejects *
ryde_rejects_open(const char *path, struct ryde_err *err)
{
	size_t n = strlen(path);
	struct ryde_rejects *r = calloc(1, sizeof(*r) + n + 1);
	struct stat st;

	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	memcpy(r->path, path, n + 1);
	ryde_buf_init(&r->b, (size_t)RYDE_LINE_MAX * 8);
	r->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->fd < 0) {
		(void)ryde_err_sys(err, RYDE_ECANTCREAT, "cannot open %s", path);
		ryde_rejects_close(r);
		return NULL;
	}
	r->regular = fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode);
	r->fresh = r->regular && st.st_size == 0;
	r->broken = r->regular && st.st_size > 0 && ends_within_line(path, st.st_size);
	return r;
}

void
ryde_rejects_close(struct ryde_rejects *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	ryde_buf_free(&r->b);
	free(r);
}

/* Empties the buffer for a line, behind what another line left broken. */
static void
begin(struct ryde_rejects *r)
{
	ryde_buf_clear(&r->b);
	if (r->broken)
		ryde_buf_putc(&r->b, '\n');
}

static int
append(struct ryde_rejects *r, struct ryde_err *err)
{
	if (ryde_buf_check(&r->b, err) != 0)
		return -1;
	r->dirty = r->broken = true;
	if (ryde_file_write_all(r->fd, ryde_buf_as_view(&r->b), r->path, err) != 0)
		return -1;
	r->broken = false;
	return 0;
}

void
ryde_rejects_put(
    struct ryde_buf *to, const char *error, uint64_t line, struct ryde_view data)
{
	struct ryde_json_fault fault;

	ryde_buf_puts(to, "{\"error\":");
	ryde_json_string_put(to, ryde_view_of(error));
	ryde_buf_puts(to, ",\"line\":");
	ryde_buf_u64(to, line);
	/* newlines between its tokens would make several lines of it */
	if (ryde_json_check(data, NULL, &fault) == 0 &&
	    memchr(data.p, '\n', data.n) == NULL) {
		ryde_buf_puts(to, ",\"data\":");
		ryde_buf_view(to, data);
		ryde_buf_puts(to, "}\n");
	} else if (ryde_json_string_utf8(data)) {
		ryde_buf_puts(to, ",\"data\":");
		ryde_json_string_put(to, data);
		ryde_buf_puts(to, "}\n");
	} else {
		ryde_buf_puts(to, ",\"dataBase64\":\"");
		ryde_json_string_base64_put(to, data);
		ryde_buf_puts(to, "\"}\n");
	}
}

int
ryde_rejects_add(struct ryde_rejects *r, const char *error, uint64_t line,
    struct ryde_view data, struct ryde_err *err)
{
	begin(r);
	ryde_rejects_put(&r->b, error, line, data);
	return append(r, err);
}

int
ryde_rejects_raw(struct ryde_rejects *r, struct ryde_view line, struct ryde_err *err)
{
	begin(r);
	ryde_buf_view(&r->b, line);
	ryde_buf_putc(&r->b, '\n');
	return append(r, err);
}

int
ryde_rejects_sync(struct ryde_rejects *r, struct ryde_err *err)
{
	if (!r->dirty)
		return 0;
	/* a pipe or a terminal has nothing to sync */
	if (r->regular && fdatasync(r->fd) != 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot sync %s", r->path);
	if (r->fresh && ryde_file_sync_folder(r->path, err) != 0)
		return -1;
	r->fresh = r->dirty = false;
	return 0;
}
