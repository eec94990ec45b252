#include "store/stream.h"

#include "aws/kinesis_stream.h"
#include "base/clock.h"
#include "base/err.h"
#include "line/store_ops.h"
#include "local/stream.h"
#include "store/name.h"

struct ryde_stream *
ryde_stream_open(const struct ryde_store_settings *settings, const char *name,
    enum ryde_stream_mode mode, struct ryde_err *err)
{
	struct ryde_store_name found;
	char dir[4096];

	if (ryde_store_resolve(settings, name, &found, err) != 0)
		return NULL;
	if (found.kind == RYDE_STORE_AWS)
		return ryde_kinesis_stream_open(settings, &found, err);
	if (ryde_store_data_dir(settings, dir, err) != 0)
		return NULL;
	return ryde_stream_local_open(dir, found.name, mode == RYDE_STREAM_WRITE, err);
}

void
ryde_stream_close(struct ryde_stream *s)
{
	if (s != NULL)
		s->ops->close(s);
}

const char *
ryde_stream_label(const struct ryde_stream *s)
{
	return s->ops->label(s);
}

size_t
ryde_stream_record_max(const struct ryde_stream *s)
{
	return s->ops->record_max(s);
}

int64_t
ryde_stream_retention_ms(const struct ryde_stream *s)
{
	return s->ops->retention_ms(s);
}

int64_t
ryde_stream_now_ms(struct ryde_stream *s)
{
	return s->ops->now_ms != NULL ? s->ops->now_ms(s) : ryde_clock_data_ms();
}

int
ryde_stream_shards(
    struct ryde_stream *s, const struct ryde_shard **out, size_t *n, struct ryde_err *err)
{
	return s->ops->shards(s, out, n, err);
}

int
ryde_stream_write(
    struct ryde_stream *s, struct ryde_record_in *records, size_t n, struct ryde_err *err)
{
	if (s->rehearses && s->ops->rehearse == NULL)
		return 0;
	return s->ops->write(s, records, n, err);
}

void
ryde_stream_rehearse(struct ryde_stream *s, struct ryde_buf *requests)
{
	s->rehearses = true;
	if (s->ops->rehearse != NULL)
		s->ops->rehearse(s, requests);
}

void
ryde_stream_write_wait(struct ryde_stream *s, struct ryde_waits *w)
{
	if (s->ops->write_wait != NULL)
		s->ops->write_wait(s, w);
}

void
ryde_stream_keep_order(struct ryde_stream *s)
{
	if (s->ops->keep_order != NULL)
		s->ops->keep_order(s);
}

int
ryde_stream_shard_of(struct ryde_stream *s, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err)
{
	return s->ops->shard_of(s, key, hash_key, shard, err);
}

static int
no_fan_out(struct ryde_stream *s, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_EUSAGE,
	    "%s: enhanced fan-out is a thing of Kinesis; the embedded store's readers "
	    "have "
	    "nothing to share",
	    s->ops->label(s));
}

int
ryde_stream_fan_out(
    struct ryde_stream *s, const char *consumer, const char **arn, struct ryde_err *err)
{
	if (s->ops->fan_out == NULL)
		return no_fan_out(s, err);
	return s->ops->fan_out(s, consumer, arn, err);
}

int
ryde_stream_consumer_delete(
    struct ryde_stream *s, const char *consumer, struct ryde_err *err)
{
	if (s->ops->consumer_delete == NULL)
		return no_fan_out(s, err);
	return s->ops->consumer_delete(s, consumer, err);
}

int
ryde_stream_consumers(struct ryde_stream *s,
    void (*fn)(void *arg, const char *name, const char *status, const char *arn),
    void *arg, struct ryde_err *err)
{
	return s->ops->consumers == NULL ? 0 : s->ops->consumers(s, fn, arg, err);
}

struct ryde_stream_reader *
ryde_stream_reader_new(struct ryde_stream *s, struct ryde_err *err)
{
	return s->ops->reader(s, err);
}

void
ryde_stream_reader_free(struct ryde_stream_reader *r)
{
	if (r != NULL)
		r->ops->free(r);
}

int
ryde_stream_reader_start(struct ryde_stream_reader *r, int shard,
    const struct ryde_stream_start *start, struct ryde_pos *resolved, bool *gap,
    char *gap_text, struct ryde_err *err)
{
	return r->ops->start(r, shard, start, resolved, gap, gap_text, err);
}

void
ryde_stream_reader_stop(struct ryde_stream_reader *r, int shard)
{
	r->ops->stop(r, shard);
}

int
ryde_stream_reader_fetch(struct ryde_stream_reader *r, size_t max, size_t max_bytes,
    const struct ryde_record **out, size_t *n, struct ryde_err *err)
{
	return r->ops->fetch(r, max, max_bytes, out, n, err);
}

bool
ryde_stream_reader_gap(struct ryde_stream_reader *r, int *shard, char *gap_text)
{
	return r->ops->gap(r, shard, gap_text);
}

bool
ryde_stream_reader_caught_up(struct ryde_stream_reader *r, int shard, int64_t *at_ms)
{
	return r->ops->caught_up(r, shard, at_ms);
}

bool
ryde_stream_reader_ended(struct ryde_stream_reader *r, int shard)
{
	return r->ops->ended(r, shard);
}

int
ryde_stream_reader_lag(struct ryde_stream_reader *r, int shard, int64_t *age_ms,
    int64_t *records, struct ryde_err *err)
{
	return r->ops->lag(r, shard, age_ms, records, err);
}

void
ryde_stream_reader_wait(struct ryde_stream_reader *r, struct ryde_waits *w)
{
	r->ops->wait(r, w);
}

int
ryde_stream_reader_range(struct ryde_stream_reader *r, int shard,
    const struct ryde_pos *first, const struct ryde_pos *last, size_t max,
    const struct ryde_record **out, size_t *n, struct ryde_err *err)
{
	return r->ops->range(r, shard, first, last, max, out, n, err);
}
