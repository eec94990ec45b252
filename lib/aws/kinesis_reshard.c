#include "aws/kinesis_reshard.h"

#include "aws/kinesis_stream.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define IN_USE_MS 60000
#define LOOK_MS 500

/* Fills s with the stream and its shards, once nothing is changing it any more. */
static int
open_stream(struct ryde_kinesis_stream *s, const struct ryde_store_name *name,
    struct ryde_err *err)
{
	ryde_kinesis_stream_name(s, name);
	if (ryde_kinesis_stream_settle(s, true, err) != 0)
		return -1;
	if (s->on_demand)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s is on demand: the service reshards it by itself, and nobody else",
		    s->what);
	return ryde_kinesis_stream_refresh(s, err);
}

static void
leave(struct ryde_kinesis_stream *s)
{
	free(s->shards);
	free(s->ranges);
}

static int
find_open(const struct ryde_kinesis_stream *s, const char *id, struct ryde_err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->shards[i].id, id) != 0)
			continue;
		if (s->shards[i].open && s->ranges[i].known)
			return (int)i;
		return ryde_err_set(err, RYDE_EUSAGE, "%s is closed already", id);
	}
	return ryde_err_set(err, RYDE_ENOINPUT, "%s has no shard %s", s->what, id);
}

/* The order, and the wait until it is carried out. While somebody else's change is under
 * way the service refuses another one. */
static int
change(struct ryde_kinesis_stream *s, const char *operation, struct ryde_buf *more,
    struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + IN_USE_MS;

	if (ryde_buf_check(more, err) != 0)
		return -1;
	for (;;) {
		struct ryde_err why = RYDE_ERR_INIT;
		struct ryde_aws_fault fault;

		if (ryde_kinesis_stream_order(
			s, operation, ryde_buf_str(more), &fault, &why) == 0)
			return ryde_kinesis_stream_settle(s, true, err);
		if (!ryde_aws_fault_is(&fault, "ResourceInUseException")) {
			*err = why;
			return -1;
		}
		if (ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "%s is being changed by somebody else; try again", s->what);
		if (ryde_kinesis_stream_rest(LOOK_MS, err) != 0 ||
		    ryde_kinesis_stream_settle(s, true, err) != 0)
			return -1;
	}
}

static int
split(struct ryde_kinesis_stream *s, const char *shard, struct ryde_err *err)
{
	int i = find_open(s, shard, err), rc;
	ryde_hash_value first, last;
	struct ryde_buf more;
	char middle[40];

	if (i < 0)
		return -1;
	first = s->ranges[i].first;
	last = s->ranges[i].last;
	if (first == last)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s has a single hash key: it cannot be split", shard);
	/* the first hash key of the upper half */
	ryde_hash_print(first + (last - first) / 2 + 1, middle);
	ryde_buf_init(&more, 4096);
	ryde_buf_puts(&more, ",\"ShardToSplit\":");
	ryde_json_string_put(&more, ryde_view_of(shard));
	ryde_buf_printf(&more, ",\"NewStartingHashKey\":\"%s\"", middle);
	rc = change(s, "SplitShard", &more, err);
	ryde_buf_free(&more);
	return rc;
}

static int
merge(struct ryde_kinesis_stream *s, const char *a, const char *b, struct ryde_err *err)
{
	int i = find_open(s, a, err), k = i < 0 ? -1 : find_open(s, b, err), rc;
	const struct ryde_kinesis_range *x, *y;
	struct ryde_buf more;

	if (k < 0)
		return -1;
	x = &s->ranges[i];
	y = &s->ranges[k];
	if (i == k || (x->last + 1 != y->first && y->last + 1 != x->first))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s and %s are not neighbours: their hash keys do not meet", a, b);
	ryde_buf_init(&more, 4096);
	ryde_buf_puts(&more, ",\"ShardToMerge\":");
	ryde_json_string_put(&more, ryde_view_of(a));
	ryde_buf_puts(&more, ",\"AdjacentShardToMerge\":");
	ryde_json_string_put(&more, ryde_view_of(b));
	rc = change(s, "MergeShards", &more, err);
	ryde_buf_free(&more);
	return rc;
}

int
ryde_kinesis_reshard_split(struct ryde_aws *aws, const struct ryde_store_name *name,
    const char *shard, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	int rc = open_stream(&s, name, err) == 0 ? split(&s, shard, err) : -1;

	leave(&s);
	return rc;
}

int
ryde_kinesis_reshard_merge(struct ryde_aws *aws, const struct ryde_store_name *name,
    const char *a, const char *b, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	int rc = open_stream(&s, name, err) == 0 ? merge(&s, a, b, err) : -1;

	leave(&s);
	return rc;
}

/* What the service would refuse in other words. */
static int
check_factor(
    const struct ryde_kinesis_stream *s, int open, int shards, struct ryde_err *err)
{
	if (shards > 2 * open)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s has %d shards: at once it can become at most %d", s->what, open,
		    2 * open);
	if (2 * shards < open)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "%s has %d shards: at once it can become at least %d", s->what, open,
		    (open + 1) / 2);
	return 0;
}

static int
update(struct ryde_kinesis_stream *s, int shards, struct ryde_err *err)
{
	int open = ryde_kinesis_stream_open_shards(s), rc = -1;
	struct ryde_buf more;

	if (open == shards)
		return 0;
	if (check_factor(s, open, shards, err) != 0)
		return -1;
	ryde_buf_init(&more, 256);
	ryde_buf_printf(&more,
	    ",\"TargetShardCount\":%d,\"ScalingType\":\"UNIFORM_SCALING\"", shards);
	rc = change(s, "UpdateShardCount", &more, err);
	ryde_buf_free(&more);
	return rc;
}

int
ryde_kinesis_reshard_to(struct ryde_aws *aws, const struct ryde_store_name *name,
    int shards, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	int rc = open_stream(&s, name, err) == 0 ? update(&s, shards, err) : -1;

	leave(&s);
	return rc;
}
