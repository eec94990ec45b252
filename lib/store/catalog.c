#include "store/catalog.h"

#include "aws/client.h"
#include "aws/dynamodb_table.h"
#include "aws/kinesis_reshard.h"
#include "aws/kinesis_stream.h"
#include "aws/sqs_queue.h"
#include "base/buf.h"
#include "base/err.h"
#include "local/catalog.h"
#include "local/queue.h"
#include "local/stream.h"
#include "local/table.h"
#include "store/name.h"

#include <stdlib.h>
#include <string.h>

static const char *const folders[3] = {
    [RYDE_CATALOG_STREAM] = "streams",
    [RYDE_CATALOG_TABLE] = "tables",
    [RYDE_CATALOG_QUEUE] = "queues",
};

/* Where a name is: in a directory, or (aws not NULL, to be closed) on AWS. */
struct place {
	struct ryde_store_name name;
	char dir[4096];
	struct ryde_aws *aws;
};

static int
find(const struct ryde_store_settings *s, const char *text, struct place *at,
    struct ryde_err *err)
{
	at->aws = NULL;
	if (ryde_store_resolve(s, text, &at->name, err) != 0)
		return -1;
	if (at->name.kind == RYDE_STORE_LOCAL)
		return ryde_store_data_dir(s, at->dir, err);
	at->aws = ryde_aws_open(s, err);
	return at->aws != NULL ? 0 : -1;
}

static int
leave(struct place *at, int rc)
{
	if (at->aws != NULL)
		ryde_aws_close(at->aws);
	return rc;
}

int
ryde_catalog_create_stream(const struct ryde_store_settings *s, const char *name,
    int shards, int64_t retention_ms, struct ryde_err *err)
{
	struct place at;

	if (find(s, name, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_stream_local_create(
		    at.dir, at.name.name, shards, retention_ms, err);
	return leave(
	    &at, ryde_kinesis_stream_create(at.aws, &at.name, shards, retention_ms, err));
}

int
ryde_catalog_create_table(const struct ryde_store_settings *s, const char *name,
    const char *key, const char *sort, struct ryde_err *err)
{
	struct ryde_dynamodb_shape shape = {.key = key, .sort = sort};
	struct place at;

	if (find(s, name, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_table_local_create(at.dir, at.name.name, key, sort, err);
	shape.name = at.name.name;
	return leave(
	    &at, ryde_dynamodb_table_make(at.aws,
		     at.name.region[0] != '\0' ? at.name.region : NULL, &shape, err));
}

int
ryde_catalog_create_queue(
    const struct ryde_store_settings *s, const char *name, struct ryde_err *err)
{
	struct place at;

	if (find(s, name, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_queue_local_create(at.dir, at.name.name, err);
	return leave(&at, ryde_sqs_queue_create(at.aws, &at.name, err));
}

int
ryde_catalog_split(const struct ryde_store_settings *s, const char *stream,
    const char *shard, struct ryde_err *err)
{
	struct place at;

	if (find(s, stream, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_stream_reshard_split(at.dir, at.name.name, shard, err);
	return leave(&at, ryde_kinesis_reshard_split(at.aws, &at.name, shard, err));
}

int
ryde_catalog_merge(const struct ryde_store_settings *s, const char *stream, const char *a,
    const char *b, struct ryde_err *err)
{
	struct place at;

	if (find(s, stream, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_stream_reshard_merge(at.dir, at.name.name, a, b, err);
	return leave(&at, ryde_kinesis_reshard_merge(at.aws, &at.name, a, b, err));
}

int
ryde_catalog_reshard(const struct ryde_store_settings *s, const char *stream, int shards,
    struct ryde_err *err)
{
	struct place at;

	if (find(s, stream, &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_stream_reshard_to(at.dir, at.name.name, shards, err);
	return leave(&at, ryde_kinesis_reshard_to(at.aws, &at.name, shards, err));
}

int
ryde_catalog_delete(const struct ryde_store_settings *s, enum ryde_catalog_kind kind,
    const char *name, struct ryde_err *err)
{
	struct place at;
	const char *plain;

	if (find(s, name, &at, err) != 0)
		return -1;
	plain = at.name.name;
	switch (kind) {
	case RYDE_CATALOG_STREAM:
		return leave(&at, at.aws != NULL
				      ? ryde_kinesis_stream_delete(at.aws, &at.name, err)
				      : ryde_stream_local_delete(at.dir, plain, err));
	case RYDE_CATALOG_TABLE:
		return leave(&at, at.aws != NULL
				      ? ryde_dynamodb_table_delete(at.aws, &at.name, err)
				      : ryde_table_local_delete(at.dir, plain, err));
	case RYDE_CATALOG_QUEUE:
		return leave(&at, at.aws != NULL
				      ? ryde_sqs_queue_delete(at.aws, &at.name, err)
				      : ryde_queue_local_delete(at.dir, plain, err));
	}
	return leave(&at, ryde_err_set(err, RYDE_ESOFTWARE, "no such kind of resource"));
}

/* ---- lists ---- */

/* Names, each with its NUL, one behind the other: AWS gives them in no order. */
static void
gather(void *arg, const char *name)
{
	ryde_buf_add(arg, name, strlen(name) + 1);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
give_sorted(const struct ryde_buf *names, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err)
{
	const char **list;
	size_t n = 0;

	if (ryde_buf_check(names, err) != 0)
		return -1;
	for (size_t at = 0; at < names->n; at += strlen(names->p + at) + 1)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (list == NULL)
		return ryde_err_nomem(err);
	n = 0;
	for (size_t at = 0; at < names->n; at += strlen(names->p + at) + 1)
		list[n++] = names->p + at;
	qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++)
		fn(arg, list[i]);
	free(list);
	return 0;
}

static int
list_aws(struct ryde_aws *aws, enum ryde_catalog_kind kind,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	static int (*const lists[3])(struct ryde_aws * aws,
	    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err) = {
	    [RYDE_CATALOG_STREAM] = ryde_kinesis_stream_list,
	    [RYDE_CATALOG_TABLE] = ryde_dynamodb_table_list,
	    [RYDE_CATALOG_QUEUE] = ryde_sqs_queue_list,
	};
	struct ryde_buf names;
	int rc;

	ryde_buf_init(&names, (size_t)64 << 20);
	rc = lists[kind](aws, gather, &names, err);
	if (rc == 0)
		rc = give_sorted(&names, fn, arg, err);
	ryde_buf_free(&names);
	return rc;
}

int
ryde_catalog_list(const struct ryde_store_settings *s, enum ryde_catalog_kind kind,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err)
{
	struct place at;

	/* any name will do to find out which store is the default one */
	if (find(s, folders[kind], &at, err) != 0)
		return -1;
	if (at.aws == NULL)
		return ryde_catalog_local_list(at.dir, folders[kind], fn, arg, err);
	return leave(&at, list_aws(at.aws, kind, fn, arg, err));
}

int
ryde_catalog_find(const struct ryde_store_settings *s, const char *name, bool is[3],
    struct ryde_err *err)
{
	struct place at;

	if (find(s, name, &at, err) != 0)
		return -1;
	if (at.aws == NULL) {
		for (int i = 0; i < 3; i++)
			is[i] = ryde_catalog_local_has(at.dir, folders[i], at.name.name);
		return 0;
	}
	return leave(&at, ryde_kinesis_stream_exists(
			      at.aws, &at.name, &is[RYDE_CATALOG_STREAM], err) != 0 ||
				  ryde_dynamodb_table_exists(at.aws, &at.name,
				      &is[RYDE_CATALOG_TABLE], err) != 0 ||
				  ryde_sqs_queue_exists(
				      at.aws, &at.name, &is[RYDE_CATALOG_QUEUE], err) != 0
			      ? -1
			      : 0);
}
