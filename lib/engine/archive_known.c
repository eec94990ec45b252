#include "engine/archive_known.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "line/position.h"
#include "line/reader.h"
#include "store/archive.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_MAX 60 /* bytes of a stream's name in an object's */

struct known_object {
	struct ryde_pos first, last;
	char *name;
	bool other; /* it does not hold what was looked for */
	struct ryde_reader *reader;
	char *path;	/* what the reader reads; it borrows the pointer */
	bool temporary; /* path is to be removed */
};

struct ryde_archive_known {
	struct ryde_archive *archive;
	struct known_object *objects; /* by their first number */
	size_t n, cap;
	const char *base; /* while listing: what names begin with */
	const struct ryde_pos *from;
	struct ryde_err err;
};

/* ---- names ---- */

/* Source: FNV-1a, 64 bits. */
static uint64_t
hash_of(struct ryde_view v)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < v.n; i++)
		h = (h ^ (unsigned char)v.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* "local:wildrydes" is wildrydes here: engine and account are no part of a name. */
static void
put_shard(struct ryde_buf *to, struct ryde_view stream, struct ryde_view shard)
{
	const char *colon = stream.n > 0 ? memchr(stream.p, ':', stream.n) : NULL;

	if (colon != NULL) {
		stream.n -= (size_t)(colon + 1 - stream.p);
		stream.p = colon + 1;
	}
	if (stream.n > STREAM_MAX)
		ryde_buf_printf(to, "%.*s~%08llx-", STREAM_MAX - 9, stream.p,
		    (unsigned long long)(hash_of(stream) & 0xffffffff));
	else
		ryde_buf_printf(to, "%.*s-", (int)stream.n, stream.p);
	ryde_buf_view(to, shard);
	ryde_buf_putc(to, '-');
	/* a name is one file's, whatever an envelope says */
	for (size_t i = 0; i < to->n && !to->failed; i++)
		if (to->p[i] == '/' || (unsigned char)to->p[i] < 0x20)
			to->p[i] = '_';
}

/* As text, but names are to sort as the shard runs. */
static void
put_pos(struct ryde_buf *to, const struct ryde_pos *pos)
{
	ryde_buf_view(to, ryde_pos_view(pos));
	if (pos->lines > 0)
		ryde_buf_printf(to, ".%07lu", (unsigned long)pos->lines - 1);
}

void
ryde_archive_known_name(struct ryde_buf *to, struct ryde_view stream,
    struct ryde_view shard, const struct ryde_pos *first, const struct ryde_pos *last)
{
	struct ryde_buf own;

	ryde_buf_init(&own, 1024);
	put_shard(&own, stream, shard);
	ryde_buf_view(to, ryde_buf_as_view(&own));
	put_pos(to, first);
	ryde_buf_putc(to, '-');
	put_pos(to, last);
	ryde_buf_free(&own);
}

/* Reads a position and moves behind it. An ending begins with no digit. */
static bool
takes_pos(const char **s, struct ryde_pos *pos)
{
	size_t n = strspn(*s, "0123456789"), sub;
	bool good;

	if ((*s)[n] == '.' && (sub = strspn(*s + n + 1, "0123456789")) > 0)
		n += 1 + sub;
	good = ryde_pos_parse(pos, ryde_view_mem(*s, n));

	*s += n;
	return good;
}

/* ---- what is there ---- */

static int
add(void *arg, const char *name, int64_t size_bytes)
{
	struct ryde_archive_known *k = arg;
	const char *s = name + strlen(k->base);
	struct known_object o = {0};

	(void)size_bytes;
	if (!takes_pos(&s, &o.first) || *s++ != '-' || !takes_pos(&s, &o.last) ||
	    (*s != '.' && *s != '-') || ryde_pos_cmp(&o.last, k->from) < 0)
		return 0;
	if (k->n == k->cap) {
		size_t cap = k->cap == 0 ? 8 : k->cap * 2;
		struct known_object *more = realloc(k->objects, cap * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(&k->err);
		k->objects = more;
		k->cap = cap;
	}
	o.name = malloc(strlen(name) + 1);
	if (o.name == NULL)
		return ryde_err_nomem(&k->err);
	memcpy(o.name, name, strlen(name) + 1);
	k->objects[k->n++] = o;
	return 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct known_object *x = a, *y = b;

	return ryde_pos_cmp(&x->first, &y->first);
}

int
ryde_archive_known_new(struct ryde_archive *a, const char *prefix,
    struct ryde_view stream, struct ryde_view shard, const struct ryde_pos *from,
    struct ryde_archive_known **out, struct ryde_err *err)
{
	struct ryde_archive_known *k = calloc(1, sizeof(*k));
	struct ryde_buf base, own;
	int rc = -1;

	*out = NULL;
	if (k == NULL)
		return ryde_err_nomem(err);
	ryde_buf_init(&base, RYDE_ARCHIVE_NAME_MAX);
	ryde_buf_init(&own, 1024);
	put_shard(&own, stream, shard);
	ryde_buf_puts(&base, prefix);
	ryde_buf_view(&base, ryde_buf_as_view(&own));
	k->archive = a;
	k->from = from;
	k->base = ryde_buf_str(&base);
	if (ryde_buf_check(&base, err) != 0)
		goto out;
	if (ryde_archive_list(a, k->base, add, k, err) != 0) {
		if (k->err.code != RYDE_OK)
			*err = k->err;
		goto out;
	}
	rc = 0;
	k->base = NULL;
	k->from = NULL;
	if (k->n == 0)
		goto out;
	qsort(k->objects, k->n, sizeof(*k->objects), by_first);
	*out = k;
	k = NULL;
out:
	ryde_archive_known_free(k);
	ryde_buf_free(&base);
	ryde_buf_free(&own);
	return rc;
}

static void
close_object(struct known_object *o)
{
	ryde_reader_free(o->reader);
	o->reader = NULL;
	if (o->path != NULL && o->temporary)
		(void)unlink(o->path);
	free(o->path);
	o->path = NULL;
}

void
ryde_archive_known_free(struct ryde_archive_known *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++) {
		close_object(&k->objects[i]);
		free(k->objects[i].name);
	}
	free(k->objects);
	free(k);
}

bool
ryde_archive_known_passed(const struct ryde_archive_known *k, const struct ryde_pos *pos)
{
	for (size_t i = 0; i < k->n; i++)
		if (ryde_pos_cmp(&k->objects[i].last, pos) > 0)
			return false;
	return true;
}

/* ---- looking into objects ---- */

static int
open_known(struct ryde_archive_known *k, struct known_object *o, struct ryde_err *err)
{
	o->path = malloc(RYDE_ARCHIVE_PATH_MAX);
	if (o->path == NULL)
		return ryde_err_nomem(err);
	if (ryde_archive_fetch(k->archive, o->name, o->path, &o->temporary, err) != 0) {
		o->temporary = false;
		return -1;
	}
	o->reader = ryde_reader_new(&o->path, 1, err);
	return o->reader != NULL ? 0 : -1;
}

/* Reads on until the line comes. 1: it came, 0: the object has no such line from there
 * on. */
static int
find(struct known_object *o, struct ryde_view line, struct ryde_err *err)
{
	struct ryde_view there;

	for (;;) {
		switch (ryde_reader_next(o->reader, &there)) {
		case RYDE_READER_LINE:
			if (ryde_view_eq(there, line))
				return 1;
			break;
		case RYDE_READER_AGAIN:
			if (ryde_reader_fill(o->reader, err) != 0)
				return -1;
			break;
		case RYDE_READER_LONG:
		case RYDE_READER_TORN:
			break;
		case RYDE_READER_END:
			return 0;
		}
	}
}

static int
look(struct ryde_archive_known *k, struct known_object *o, struct ryde_view line,
    bool *has, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	int rc;

	if (o->reader == NULL && open_known(k, o, &why) != 0)
		rc = -1;
	else
		rc = find(o, line, &why);
	if (rc < 0 && why.code != RYDE_EDATA && why.code != RYDE_ENOINPUT) {
		close_object(o);
		*err = why;
		return -1;
	}
	*has = rc == 1;
	if (*has)
		return 0;
	/* nothing is passed over on a guess */
	o->other = true;
	ryde_log(RYDE_LOG_WARNING,
	    "%s covers a line that it does not hold%s%s: what is read again of its range "
	    "is archived again",
	    o->name, rc < 0 ? ": " : "", rc < 0 ? why.msg : "");
	close_object(o);
	return 0;
}

int
ryde_archive_known_has(struct ryde_archive_known *k, const struct ryde_pos *pos,
    struct ryde_view line, bool *has, struct ryde_err *err)
{
	*has = false;
	for (size_t i = 0; i < k->n && !*has; i++) {
		struct known_object *o = &k->objects[i];

		if (ryde_pos_cmp(&o->first, pos) > 0)
			break;
		if (ryde_pos_cmp(&o->last, pos) < 0) {
			close_object(o);
			continue;
		}
		if (!o->other && look(k, o, line, has, err) != 0)
			return -1;
	}
	return 0;
}
