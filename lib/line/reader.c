/* F_SETPIPE_SZ is Linux's */
#define _GNU_SOURCE
#include "line/reader.h"

#include "base/err.h"
#include "base/waits.h"
#include "line/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK ((size_t)256 << 10)

/*
 * Bytes [start, end) of p are read and not yet given; [start, scanned) holds no newline.
 * Packed input goes through `packed` first.
 */
struct ryde_reader {
	char *const *files;
	int n_files, file; /* index of the open one, n_files or 1 past the last when all
			      are read */
	int fd;
	bool regular, ended, skipping;
	char *p; /* cap bytes, and RYDE_READER_BEHIND */
	size_t start, end, scanned, cap;
	size_t begin; /* while fresh: where this file's bytes begin, lines of the one
			 before it may stand in front */
	uint64_t line, bytes, total_bytes;
	bool fresh; /* nothing of this file was looked at: it may turn out to be packed */
	z_stream *gz;
	unsigned char *packed;
	bool gz_done; /* between members */
};

static const char *
name_of(const struct ryde_reader *r)
{
	return r->n_files == 0 || strcmp(r->files[r->file], "-") == 0 ? "standard input"
								      : r->files[r->file];
}

static int
open_file(struct ryde_reader *r, struct ryde_err *err)
{
	struct stat st;

	if (r->n_files == 0 || strcmp(r->files[r->file], "-") == 0)
		r->fd = STDIN_FILENO;
	else
		r->fd = open(r->files[r->file], O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return ryde_err_sys(err, RYDE_ENOINPUT, "cannot open %s", name_of(r));
	if (fstat(r->fd, &st) != 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot read %s", name_of(r));
	if (S_ISDIR(st.st_mode))
		return ryde_err_set(err, RYDE_ENOINPUT, "%s is a directory", name_of(r));
	r->regular = S_ISREG(st.st_mode);
#ifdef F_SETPIPE_SZ
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(r->fd, F_SETPIPE_SZ, 1 << 20);
#endif
	r->fresh = true;
	r->begin = r->end;
	return 0;
}

/* Bytes of a file that are still to be read; false where that is not known. */
static bool
size_of(const char *file, uint64_t *size)
{
	bool in = file == NULL || strcmp(file, "-") == 0;
	struct stat st;
	off_t at = 0;

	if ((in ? fstat(STDIN_FILENO, &st) : stat(file, &st)) != 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	if (in)
		at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	*size = at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
	return true;
}

static void
add_sizes(struct ryde_reader *r)
{
	for (int i = 0; i < (r->n_files == 0 ? 1 : r->n_files); i++) {
		uint64_t size;

		if (!size_of(r->n_files == 0 ? NULL : r->files[i], &size)) {
			r->total_bytes = 0;
			return;
		}
		r->total_bytes += size;
	}
}

struct ryde_reader *
ryde_reader_new(char *const *files, int n, struct ryde_err *err)
{
	struct ryde_reader *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->p = calloc(1, BLOCK + RYDE_READER_BEHIND)) == NULL) {
		free(r);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	r->cap = BLOCK;
	r->files = files;
	r->n_files = n;
	r->fd = -1;
	add_sizes(r);
	if (open_file(r, err) != 0) {
		ryde_reader_free(r);
		return NULL;
	}
	return r;
}

static void
close_gz(struct ryde_reader *r)
{
	if (r->gz != NULL)
		(void)inflateEnd(r->gz);
	free(r->gz);
	free(r->packed);
	r->gz = NULL;
	r->packed = NULL;
}

void
ryde_reader_free(struct ryde_reader *r)
{
	if (r == NULL)
		return;
	close_gz(r);
	if (r->fd > STDERR_FILENO)
		(void)close(r->fd);
	free(r->p);
	free(r);
}

/* Room for a block behind the unread bytes. */
static int
make_room(struct ryde_reader *r, struct ryde_err *err)
{
	size_t kept = r->end - r->start, cap;
	char *p;

	if (r->start > 0) {
		memmove(r->p, r->p + r->start, kept);
		r->scanned -= r->start;
		/* what was given as a line is no longer the beginning of a file */
		if (r->begin < r->start)
			r->fresh = false;
		else
			r->begin -= r->start;
		r->start = 0;
		r->end = kept;
	}
	if (r->cap - kept >= BLOCK / 2)
		return 0;
	cap = r->cap + (r->cap > BLOCK * 4 ? r->cap / 2 : BLOCK);
	p = realloc(r->p, cap + RYDE_READER_BEHIND);
	if (p == NULL)
		return ryde_err_nomem(err);
	memset(p + r->cap, 0, cap - r->cap + RYDE_READER_BEHIND);
	r->cap = cap;
	r->p = p;
	return 0;
}

static int
begin_gz(struct ryde_reader *r, struct ryde_err *err)
{
	r->gz = calloc(1, sizeof(*r->gz));
	r->packed = malloc(BLOCK);
	if (r->gz == NULL || r->packed == NULL)
		return ryde_err_nomem(err);
	/* 15 + 16: a gzip header and trailer, checked */
	if (inflateInit2(r->gz, 15 + 16) != Z_OK)
		return ryde_err_nomem(err);
	r->gz->avail_in = (uInt)(r->end - r->begin);
	memcpy(r->packed, r->p + r->begin, r->end - r->begin);
	r->gz->next_in = r->packed;
	r->end = r->begin;
	if (r->scanned > r->end)
		r->scanned = r->end;
	r->gz_done = false;
	return 0;
}

/* Reads into to; 0 at the end of the file. */
static ssize_t
read_block(struct ryde_reader *r, void *to, size_t room, struct ryde_err *err)
{
	ssize_t n;

	do {
		n = read(r->fd, to, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		struct pollfd p = {.fd = r->fd, .events = POLLIN};

		(void)poll(&p, 1, 1000);
		return -2;
	}
	if (n < 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot read %s", name_of(r));
	r->bytes += (uint64_t)n;
	return n;
}

/* One step of unpacking. 1: something may have come, 0: end of the file. */
static int
fill_gz(struct ryde_reader *r, struct ryde_err *err)
{
	int rc;

	if (r->gz->avail_in == 0) {
		ssize_t n = read_block(r, r->packed, BLOCK, err);

		if (n == -2)
			return 1;
		if (n < 0)
			return -1;
		if (n == 0 && r->gz_done)
			return 0;
		if (n == 0)
			return ryde_err_set(err, RYDE_EDATA,
			    "%s: the gzip data ends too early", name_of(r));
		r->gz->next_in = r->packed;
		r->gz->avail_in = (uInt)n;
	}
	if (r->gz_done) {
		if (r->gz->next_in[0] == 0) { /* padding behind the last member */
			r->gz->next_in++;
			r->gz->avail_in--;
			return 1;
		}
		if (inflateReset(r->gz) != Z_OK)
			return ryde_err_nomem(err);
		r->gz_done = false;
	}
	r->gz->next_out = (Bytef *)(r->p + r->end);
	r->gz->avail_out = (uInt)(r->cap - r->end);
	rc = inflate(r->gz, Z_NO_FLUSH);
	r->end = r->cap - r->gz->avail_out;
	if (rc == Z_STREAM_END)
		r->gz_done = true;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return ryde_err_set(err, RYDE_EDATA, "%s: broken gzip data", name_of(r));
	return 1;
}

static int
fill_file(struct ryde_reader *r, struct ryde_err *err)
{
	size_t room = r->cap - r->end;
	ssize_t n;

	if (r->gz != NULL)
		return fill_gz(r, err);
	/* what turns out to be packed moves to `packed`, which is one block */
	if (r->fresh && room > BLOCK / 2)
		room = BLOCK / 2;
	n = read_block(r, r->p + r->end, room, err);
	if (n == -2)
		return 1;
	if (n <= 0)
		return (int)n;
	r->end += (size_t)n;
	/* the magic number of gzip is not the beginning of any JSON text */
	if (r->fresh && r->end - r->begin >= 2) {
		r->fresh = false;
		if ((unsigned char)r->p[r->begin] == 0x1f &&
		    (unsigned char)r->p[r->begin + 1] == 0x8b)
			return begin_gz(r, err) == 0 ? 1 : -1;
	}
	return 1;
}

int
ryde_reader_fill(struct ryde_reader *r, struct ryde_err *err)
{
	int rc;

	if (r->ended)
		return 0;
	if (make_room(r, err) != 0)
		return -1;
	rc = fill_file(r, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	close_gz(r);
	if (r->file + 1 >= r->n_files) {
		r->ended = true;
		return 0;
	}
	if (r->end > r->start ? r->p[r->end - 1] != '\n' : r->skipping) {
		/* a pipe that ended inside a line: what follows it is not begun */
		if (!r->regular) {
			r->ended = true;
			return 0;
		}
		/* a file's last line needs no newline, also when another file follows */
		r->p[r->end++] = '\n';
	}
	if (r->fd > STDERR_FILENO)
		(void)close(r->fd);
	r->fd = -1;
	r->file++;
	return open_file(r, err);
}

static enum ryde_reader_event
give(struct ryde_reader *r, struct ryde_view *line, size_t n, size_t with)
{
	*line = ryde_view_mem(r->p + r->start, n);
	r->start += with;
	r->scanned = r->start;
	r->line++;
	return RYDE_READER_LINE;
}

/* What is left at the end of the input. */
static enum ryde_reader_event
give_rest(struct ryde_reader *r, struct ryde_view *line)
{
	size_t n = r->end - r->start;

	if (n == 0 || r->skipping) {
		r->start = r->end;
		return RYDE_READER_END;
	}
	/* the fill that met the end had made room, and took none of it */
	r->p[r->end++] = '\n';
	(void)give(r, line, n, n + 1);
	return r->regular ? RYDE_READER_LINE : RYDE_READER_TORN;
}

/* How long the line that begins here may be. */
static size_t
limit(const struct ryde_reader *r, size_t n)
{
	struct ryde_view line = ryde_view_mem(r->p + r->start, n);

	return n > RYDE_LINE_MAX && ryde_view_starts(line, "{\"ryde\"")
		   ? RYDE_LINE_ENVELOPE_MAX
		   : RYDE_LINE_MAX;
}

enum ryde_reader_event
ryde_reader_next(struct ryde_reader *r, struct ryde_view *line)
{
	for (;;) {
		char *nl = r->end > r->scanned
			       ? memchr(r->p + r->scanned, '\n', r->end - r->scanned)
			       : NULL;
		size_t n =
		    nl != NULL ? (size_t)(nl - r->p) - r->start : r->end - r->start;

		if (!r->skipping && n > limit(r, n)) {
			r->skipping = true;
			r->line++;
			*line = ryde_view_mem(r->p + r->start, 1024);
			return RYDE_READER_LONG;
		}
		if (r->skipping) {
			r->start = r->scanned =
			    nl != NULL ? (size_t)(nl + 1 - r->p) : r->end;
			r->skipping = nl == NULL;
			if (nl != NULL)
				continue;
		}
		if (nl != NULL)
			return give(r, line, n, n + 1);
		r->scanned = r->end;
		if (r->ended)
			return give_rest(r, line);
		return RYDE_READER_AGAIN;
	}
}

struct ryde_view
ryde_reader_rest(const struct ryde_reader *r)
{
	return ryde_view_mem(r->p + r->start, r->skipping ? 0 : r->end - r->start);
}

void
ryde_reader_took(struct ryde_reader *r, size_t bytes, uint64_t lines)
{
	r->start += bytes;
	r->scanned = r->scanned > r->start ? r->scanned : r->start;
	r->line += lines;
}

void
ryde_reader_wait(const struct ryde_reader *r, struct ryde_waits *w)
{
	if (!r->ended)
		ryde_waits_fd(w, r->fd, POLLIN);
}

bool
ryde_reader_ready(const struct ryde_reader *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	return r->ended || r->regular || (r->gz != NULL && r->gz->avail_in > 0) ||
	       poll(&p, 1, 0) > 0;
}

uint64_t
ryde_reader_line_number(const struct ryde_reader *r)
{
	return r->line;
}

const char *
ryde_reader_file(const struct ryde_reader *r)
{
	return r->n_files == 0 ? NULL : name_of(r);
}

uint64_t
ryde_reader_bytes(const struct ryde_reader *r)
{
	return r->bytes;
}

uint64_t
ryde_reader_reached(const struct ryde_reader *r)
{
	uint64_t left = r->end - r->start;

	return r->gz != NULL || left > r->bytes ? r->bytes : r->bytes - left;
}

uint64_t
ryde_reader_total_bytes(const struct ryde_reader *r)
{
	return r->total_bytes;
}
