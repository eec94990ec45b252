#include "base/buf.h"
#include "base/err.h"
#include "engine/consume.h"
#include "line/writer.h"
#include "store/group.h"
#include "store/stream.h"

#include <string.h>
#include <unistd.h>

static int
put_shard(struct ryde_stream_reader *reader, int index, struct ryde_shard shard,
    const struct ryde_group_position *at, struct ryde_buf *out, struct ryde_err *err)
{
	const struct ryde_pos *pos = &at->pos;
	struct ryde_stream_start start = {.kind = pos->n > 0	  ? RYDE_START_AFTER
						  : at->at_ms > 0 ? RYDE_START_TIME
								  : RYDE_START_HORIZON,
	    .pos = *pos,
	    .at_ms = at->at_ms};
	int64_t age_ms, records;
	char text[256] = "";
	bool gap = false;

	if (ryde_stream_reader_start(reader, index, &start, NULL, &gap, text, err) != 0 ||
	    ryde_stream_reader_lag(reader, index, &age_ms, &records, err) != 0)
		return -1;
	ryde_buf_printf(out,
	    "{\"shardId\":\"%s\",\"open\":%s,\"sequenceNumber\":", shard.id,
	    shard.open ? "true" : "false");
	if (pos->n > 0)
		ryde_buf_printf(out, "\"%.*s\"", (int)pos->n, pos->seq);
	else
		ryde_buf_puts(out, "null");
	if (records >= 0)
		ryde_buf_printf(out, ",\"lagRecords\":%lld", (long long)records);
	else
		ryde_buf_puts(out, ",\"lagRecords\":null");
	ryde_buf_printf(out, ",\"lagMs\":%lld}\n", (long long)age_ms);
	return ryde_buf_check(out, err);
}

static void
group_position(const struct ryde_group_position *p, size_t n, const char *id,
    struct ryde_group_position *at)
{
	*at = (struct ryde_group_position){.at_ms = 0};
	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i].shard, id) == 0)
			*at = p[i];
}

int
ryde_consume_status(const struct ryde_consume_opts *o, struct ryde_err *err)
{
	struct ryde_stream *stream =
	    ryde_stream_open(o->store, o->stream, RYDE_STREAM_READ, err);
	struct ryde_writer *out = ryde_writer_new(STDOUT_FILENO, err);
	const struct ryde_group_position *stored = NULL;
	struct ryde_stream_reader *reader = NULL;
	struct ryde_group *group = NULL;
	const struct ryde_shard *shards;
	size_t n = 0, n_stored = 0;
	int rc = -1;

	if (stream == NULL || out == NULL ||
	    (reader = ryde_stream_reader_new(stream, err)) == NULL)
		goto out;
	if (o->group != NULL) {
		group = ryde_group_open(stream, o->group, err);
		if (group == NULL || ryde_group_load(group, &stored, &n_stored, err) != 0)
			goto out;
	}
	if (ryde_stream_shards(stream, &shards, &n, err) != 0)
		goto out;
	for (size_t i = 0; i < n; i++) {
		struct ryde_group_position at;

		/* starting a shard may have read the list anew */
		if (ryde_stream_shards(stream, &shards, &n, err) != 0)
			goto out;
		group_position(stored, n_stored, shards[i].id, &at);
		if (put_shard(
			reader, (int)i, shards[i], &at, ryde_writer_buf(out), err) != 0)
			goto out;
	}
	rc = ryde_writer_drain(out, err);
out:
	ryde_group_close(group);
	ryde_stream_reader_free(reader);
	ryde_stream_close(stream);
	ryde_writer_free(out);
	return rc;
}
