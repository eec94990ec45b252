#include "engine/archive_object.h"

#include "base/err.h"
#include "line/envelope.h"
#include "store/archive.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define ZIPS_MAX 16
#define OUT_BYTES ((size_t)64 << 10)
#define MEM_MAX (RYDE_ARCHIVE_CHUNK * 2)

struct ryde_archive_zip {
	z_stream z;
	struct ryde_archive_filling *filling; /* whose member it is, NULL: nobody's */
	uint64_t used;			      /* when, as a count */
};

struct ryde_archive_zips {
	struct ryde_archive_zip zips[ZIPS_MAX];
	int n; /* made so far */
	int level;
	uint64_t uses;
	struct ryde_buf out;
};

struct ryde_archive_zips *
ryde_archive_zips_new(int level, struct ryde_err *err)
{
	struct ryde_archive_zips *z = calloc(1, sizeof(*z));

	if (z == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	z->level = level;
	ryde_buf_init(&z->out, OUT_BYTES);
	return z;
}

void
ryde_archive_zips_free(struct ryde_archive_zips *z)
{
	if (z == NULL)
		return;
	for (int i = 0; i < z->n; i++)
		(void)deflateEnd(&z->zips[i].z);
	ryde_buf_free(&z->out);
	free(z);
}

struct ryde_archive_filling *
ryde_archive_filling_new(struct ryde_err *err)
{
	struct ryde_archive_filling *f = calloc(1, sizeof(*f));

	if (f == NULL)
		(void)ryde_err_nomem(err);
	else
		ryde_buf_init(&f->mem, MEM_MAX);
	return f;
}

void
ryde_archive_filling_free(struct ryde_archive_filling *f, struct ryde_archive_zips *zips)
{
	if (f == NULL)
		return;
	if (f->zip != NULL && zips != NULL) {
		f->zip->filling = NULL;
		(void)deflateReset(&f->zip->z);
	}
	ryde_archive_abandon(f->object);
	ryde_buf_free(&f->mem);
	free(f->tickets);
	free(f->name);
	free(f);
}

void
ryde_archive_filling_count(struct ryde_archive_filling *f, const struct ryde_line *line,
    const struct ryde_pos *pos, int64_t at_ms, size_t bytes)
{
	if (f->lines == 0) {
		f->first = *pos;
		/* a whole record stands behind its lines */
		if (line->has_sub)
			f->first.lines = line->sub + 1;
	}
	f->last = *pos;
	if (at_ms < f->oldest_ms)
		f->oldest_ms = at_ms;
	f->bytes += bytes;
	f->lines++;
}

int
ryde_archive_filling_ticket(
    struct ryde_archive_filling *f, uint64_t ticket, struct ryde_err *err)
{
	if (f->n_tickets == f->cap_tickets) {
		size_t cap = f->cap_tickets == 0 ? 16 : f->cap_tickets * 2;
		uint64_t *more = realloc(f->tickets, cap * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		f->tickets = more;
		f->cap_tickets = cap;
	}
	f->tickets[f->n_tickets++] = ticket;
	return 0;
}

/* ---- gzip ---- */

static int
put_object(struct ryde_archive_filling *f, struct ryde_view data, struct ryde_err *err)
{
	if (data.n > 0 && ryde_archive_append(f->object, data, err) != 0)
		return -1;
	f->stored += data.n;
	return 0;
}

/* Packs data into f's open member; ends the member with Z_FINISH. */
static int
pack(struct ryde_archive_zips *zips, struct ryde_archive_filling *f,
    struct ryde_view data, int flush, struct ryde_err *err)
{
	z_stream *z = &f->zip->z;
	char *room;
	int rc;

	/* zlib's type lacks a const */
	z->next_in = (Bytef *)(uintptr_t)data.p;
	z->avail_in = (uInt)data.n;
	do {
		ryde_buf_clear(&zips->out);
		room = ryde_buf_room(&zips->out, OUT_BYTES);
		if (room == NULL)
			return ryde_err_nomem(err);
		z->next_out = (Bytef *)room;
		z->avail_out = (uInt)OUT_BYTES;
		rc = deflate(z, flush);
		if (rc == Z_STREAM_ERROR)
			return ryde_err_set(err, RYDE_ESOFTWARE, "gzip: %d", rc);
		if (put_object(f, ryde_view_mem(room, OUT_BYTES - z->avail_out), err) !=
		    0)
			return -1;
	} while (flush == Z_FINISH ? rc != Z_STREAM_END : z->avail_out == 0);
	if (flush != Z_FINISH)
		return 0;
	f->zip->filling = NULL;
	f->zip = NULL;
	return deflateReset(z) == Z_OK ? 0 : ryde_err_nomem(err);
}

/* One for f: a free one, a new one, or the one that was not used for longest, whose
 * member ends. */
static int
open_zip(
    struct ryde_archive_zips *zips, struct ryde_archive_filling *f, struct ryde_err *err)
{
	struct ryde_archive_zip *best = NULL;

	for (int i = 0; i < zips->n; i++)
		if (best == NULL || zips->zips[i].filling == NULL ||
		    (best->filling != NULL && zips->zips[i].used < best->used))
			best = &zips->zips[i];
	if ((best == NULL || best->filling != NULL) && zips->n < ZIPS_MAX) {
		best = &zips->zips[zips->n];
		/* 15 + 16: gzip */
		if (deflateInit2(&best->z, zips->level, Z_DEFLATED, 15 + 16, 8,
			Z_DEFAULT_STRATEGY) != Z_OK)
			return ryde_err_nomem(err);
		zips->n++;
	} else if (best->filling != NULL &&
		   pack(zips, best->filling, ryde_view_mem(NULL, 0), Z_FINISH, err) !=
		       0) {
		return -1;
	}
	best->filling = f;
	f->zip = best;
	return 0;
}

static int
put_packed(struct ryde_archive_zips *zips, struct ryde_archive_filling *f,
    struct ryde_view data, struct ryde_err *err)
{
	if (data.n == 0)
		return 0;
	if (f->zip == NULL && open_zip(zips, f, err) != 0)
		return -1;
	f->zip->used = ++zips->uses;
	return pack(zips, f, data, Z_NO_FLUSH, err);
}

int
ryde_archive_filling_write(struct ryde_archive_filling *f, struct ryde_archive *a,
    struct ryde_archive_zips *zips, struct ryde_view more, bool last,
    struct ryde_err *err)
{
	struct ryde_view mem = ryde_buf_as_view(&f->mem);

	if (f->object == NULL && (f->object = ryde_archive_create(a, err)) == NULL)
		return -1;
	if (zips == NULL) {
		if (put_object(f, mem, err) != 0 || put_object(f, more, err) != 0)
			return -1;
	} else if (put_packed(zips, f, mem, err) != 0 ||
		   put_packed(zips, f, more, err) != 0 ||
		   (last && f->zip != NULL &&
		       pack(zips, f, ryde_view_mem(NULL, 0), Z_FINISH, err) != 0)) {
		return -1;
	}
	ryde_buf_clear(&f->mem);
	return 0;
}
