#include "store/archive.h"

#include "aws/firehose.h"
#include "aws/s3_archive.h"
#include "base/err.h"
#include "line/store_ops.h"
#include "local/archive.h"
#include "store/name.h"

#include <string.h>

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int
ryde_archive_kind_of(
    const char *place, enum ryde_archive_kind *kind, struct ryde_err *err)
{
	size_t word = strspn(place, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789+-.");

	if (place[0] == '\0')
		return ryde_err_set(err, RYDE_EUSAGE, "the place has no name");
	if (starts(place, "s3://"))
		*kind = RYDE_ARCHIVE_S3;
	else if (starts(place, "firehose:"))
		*kind = RYDE_ARCHIVE_FIREHOSE;
	else if (word > 0 && place[word] == ':')
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%.200s' is neither s3://BUCKET/PREFIX nor firehose:NAME; a "
		    "directory of that name is ./%.200s",
		    place, place);
	else
		*kind = RYDE_ARCHIVE_DIRECTORY;
	return 0;
}

struct ryde_archive *
ryde_archive_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err)
{
	enum ryde_archive_kind kind;

	if (ryde_archive_kind_of(place, &kind, err) != 0)
		return NULL;
	if (kind == RYDE_ARCHIVE_DIRECTORY)
		return ryde_archive_local_open(place, err);
	if (kind == RYDE_ARCHIVE_S3)
		return ryde_s3_archive_open(settings, place, err);
	(void)ryde_err_set(err, RYDE_EUSAGE, "%.200s holds no objects", place);
	return NULL;
}

void
ryde_archive_close(struct ryde_archive *a)
{
	if (a != NULL)
		a->ops->close(a);
}

struct ryde_archive_object *
ryde_archive_create(struct ryde_archive *a, struct ryde_err *err)
{
	return a->ops->create(a, err);
}

int
ryde_archive_append(
    struct ryde_archive_object *o, struct ryde_view data, struct ryde_err *err)
{
	return o->ops->append(o, data, err);
}

void
ryde_archive_settle(struct ryde_archive_object *o)
{
	o->ops->settle(o);
}

int
ryde_archive_finish(
    struct ryde_archive *a, struct ryde_archive_finish *f, size_t n, struct ryde_err *err)
{
	return a->ops->finish(a, f, n, err);
}

void
ryde_archive_abandon(struct ryde_archive_object *o)
{
	if (o != NULL)
		o->ops->abandon(o);
}

int
ryde_archive_list(struct ryde_archive *a, const char *prefix, ryde_archive_name_fn *fn,
    void *arg, struct ryde_err *err)
{
	return a->ops->list(a, prefix, fn, arg, err);
}

int
ryde_archive_fetch(struct ryde_archive *a, const char *name, char *path, bool *temporary,
    struct ryde_err *err)
{
	return a->ops->fetch(a, name, path, temporary, err);
}

/* ---- places that take records ---- */

_Static_assert(RYDE_ARCHIVE_RECORDS_MAX == RYDE_FIREHOSE_RECORDS_MAX &&
		   RYDE_ARCHIVE_RECORDS_BYTES == RYDE_FIREHOSE_BYTES_MAX &&
		   RYDE_ARCHIVE_RECORD_MAX == RYDE_FIREHOSE_RECORD_MAX,
    "the limits are Firehose's");

/* There is one engine of this kind: its handle is ours. */
struct ryde_archive_records *
ryde_archive_records_open(
    const struct ryde_store_settings *settings, const char *place, struct ryde_err *err)
{
	return (struct ryde_archive_records *)(void *)ryde_firehose_open(
	    settings, place + strlen("firehose:"), err);
}

void
ryde_archive_records_close(struct ryde_archive_records *r)
{
	ryde_firehose_close((struct ryde_firehose *)(void *)r);
}

int
ryde_archive_records_put(struct ryde_archive_records *r, const struct ryde_view *records,
    size_t n, bool *failed, char *why, struct ryde_err *err)
{
	return ryde_firehose_put(
	    (struct ryde_firehose *)(void *)r, records, n, failed, why, err);
}
