#include "engine/query_place_s3.h"

#include "aws/client.h"
#include "aws/s3.h"
#include "aws/s3_fetch.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/query_place.h"
#include "engine/query_spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPIES (2 * RYDE_QUERY_PLACE_AHEAD)
#define COPIES_BYTES ((int64_t)64 << 20) /* beside the one that is asked for */

/* An object's copy, or a free place for one (name NULL). */
struct copy {
	char *name;
	int fd;
	struct ryde_s3_fetch *fetch; /* NULL: it is whole */
	int64_t size_bytes;
	uint64_t used; /* when it was asked for; 0: not yet */
};

struct s3 {
	struct ryde_query_place base;
	struct ryde_aws *aws;
	struct ryde_s3_place where;
	char root[RYDE_S3_BUCKET_MAX + 8]; /* s3://BUCKET/ */
	struct copy copies[COPIES];
	uint64_t uses;
};

struct listing {
	size_t prefix_n;
	ryde_query_place_fn *fn;
	void *arg;
	size_t n;
	struct ryde_err *err;
};

/* ---- list ---- */

/* True where the key lies in a folder of the place, or is its one object, and neither it
 * nor a folder below the place begins with . or _ */
static bool
is_object(const struct listing *l, const char *key)
{
	const char *rest = key + l->prefix_n;

	if (*rest == '\0')
		return l->prefix_n > 0 && rest[-1] != '/';
	if (l->prefix_n > 0 && rest[-1] != '/' && *rest != '/')
		return false;
	for (const char *p = rest; *p != '\0'; p++)
		if ((p == rest ? *p != '/' : p[-1] == '/') && (*p == '.' || *p == '_'))
			return false;
	return key[strlen(key) - 1] != '/';
}

static int
take(void *arg, const char *key, int64_t size_bytes)
{
	struct listing *l = arg;

	if (!is_object(l, key))
		return 0;
	l->n++;
	return l->fn(l->arg, key, size_bytes, l->err) == 0 ? 0 : -1;
}

static int
list(struct ryde_query_place *p, ryde_query_place_fn *fn, void *arg, struct ryde_err *err)
{
	const struct s3 *s = (struct s3 *)p;
	struct listing l = {
	    .prefix_n = strlen(s->where.prefix), .fn = fn, .arg = arg, .err = err};

	if (ryde_s3_list(
		s->aws, s->where.bucket, s->where.prefix, false, take, &l, err) != 0)
		return -1;
	if (l.n == 0)
		return ryde_err_set(err, RYDE_ENOINPUT, "there is no object at %s%s",
		    s->root, s->where.prefix);
	return 0;
}

/* ---- copies ---- */

static void
forget(struct copy *c)
{
	if (c->name == NULL)
		return;
	ryde_s3_fetch_free(c->fetch);
	(void)close(c->fd);
	free(c->name);
	*c = (struct copy){.name = NULL};
}

static struct copy *
find(struct s3 *s, const char *name)
{
	for (size_t i = 0; i < COPIES; i++)
		if (s->copies[i].name != NULL && strcmp(s->copies[i].name, name) == 0)
			return &s->copies[i];
	return NULL;
}

/* The copy to go first: the one used longest ago, then, unless `spare`, one that was only
 * to come. NULL: there is none. */
static struct copy *
oldest(struct s3 *s, bool spare)
{
	struct copy *found = NULL;

	for (size_t i = 0; i < COPIES; i++) {
		struct copy *c = &s->copies[i];

		if (c->name == NULL || (c->used == 0 && (spare || found != NULL)))
			continue;
		if (found == NULL || found->used == 0 || c->used < found->used)
			found = c;
	}
	return found;
}

static int64_t
held_bytes(const struct s3 *s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < COPIES; i++)
		sum += s->copies[i].name != NULL ? s->copies[i].size_bytes : 0;
	return sum;
}

/* A free place, and room on the disk for so many bytes. NULL: not to be had. */
static struct copy *
make_room(struct s3 *s, int64_t size_bytes, bool spare)
{
	for (;;) {
		struct copy *free_place = NULL, *victim;
		int64_t held = held_bytes(s);

		for (size_t i = 0; i < COPIES && free_place == NULL; i++)
			if (s->copies[i].name == NULL)
				free_place = &s->copies[i];
		if (free_place != NULL &&
		    (held == 0 || held + size_bytes <= COPIES_BYTES))
			return free_place;
		victim = oldest(s, spare);
		if (victim == NULL)
			return NULL;
		forget(victim);
	}
}

static struct copy *
start(
    struct s3 *s, const char *name, int64_t size_bytes, bool spare, struct ryde_err *err)
{
	struct copy *c = make_room(s, size_bytes, spare);

	if (c == NULL)
		return NULL;
	c->fd = ryde_query_spool_file(err);
	if (c->fd < 0)
		return NULL;
	c->name = strdup(name);
	if (c->name == NULL) {
		(void)close(c->fd);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->size_bytes = size_bytes;
	c->fetch = ryde_s3_fetch_start(s->aws, s->where.bucket, name, c->fd, err);
	if (c->fetch != NULL)
		return c;
	forget(c);
	return NULL;
}

static void
ahead(struct ryde_query_place *p, const char *name, int64_t size_bytes)
{
	struct s3 *s = (struct s3 *)p;

	/* where it fails, it fails again when it is asked for */
	if (find(s, name) == NULL)
		(void)start(s, name, size_bytes, true, NULL);
}

static int
file(struct ryde_query_place *p, const char *name, struct ryde_buf *path, int *fd,
    struct ryde_err *err)
{
	struct s3 *s = (struct s3 *)p;
	struct copy *c = find(s, name);

	if (c == NULL)
		c = start(s, name, 0, false, err);
	if (c == NULL)
		return -1;
	if (c->fetch != NULL && ryde_s3_fetch_wait(c->fetch, err) != 0) {
		forget(c);
		return -1;
	}
	ryde_s3_fetch_free(c->fetch);
	c->fetch = NULL;
	c->used = ++s->uses;
	c->size_bytes = (int64_t)lseek(c->fd, 0, SEEK_END);
	/* the copy may go while it is read */
	*fd = dup(c->fd);
	if (*fd < 0)
		return ryde_err_sys(err, RYDE_EOSERR, "cannot open a copy of an object");
	ryde_buf_printf(path, "/proc/self/fd/%d", *fd);
	return ryde_buf_check(path, err);
}

static void
close_s3(struct ryde_query_place *p)
{
	struct s3 *s = (struct s3 *)p;

	for (size_t i = 0; i < COPIES; i++)
		forget(&s->copies[i]);
	ryde_aws_close(s->aws);
	free(s);
}

struct ryde_query_place *
ryde_query_place_s3(
    const struct ryde_store_settings *store, const char *place, struct ryde_err *err)
{
	static const struct ryde_query_place_ops ops = {
	    .list = list, .file = file, .ahead = ahead, .close = close_s3};
	struct s3 *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->base.ops = &ops;
	if (ryde_s3_place_read(place, false, &s->where, err) == 0) {
		(void)snprintf(s->root, sizeof(s->root), "s3://%s/", s->where.bucket);
		s->base.path = s->root;
		s->aws = ryde_aws_open(store, err);
	}
	if (s->aws != NULL)
		return &s->base;
	free(s);
	return NULL;
}
