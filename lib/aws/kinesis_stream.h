/*
 * Streams on Kinesis, behind store/stream.h's interface. This is what the parts of the
 * implementation know of each other: kinesis_stream.c opens and lists shards,
 * kinesis_write.c writes, kinesis_read.c and kinesis_shard.c read.
 */
#ifndef RYDE_AWS_KINESIS_STREAM_H
#define RYDE_AWS_KINESIS_STREAM_H

#include "aws/client.h"
#include "base/view.h"
#include "line/hash.h"
#include "line/store_ops.h"

#define RYDE_KINESIS_ARN_MAX 256

struct ryde_buf;
struct ryde_kinesis_write;
struct ryde_store_name;

/* What only this engine knows of a shard. */
struct ryde_kinesis_range {
	ryde_hash_value first, last;
	bool known; /* first and last are */
};

struct ryde_kinesis_stream {
	struct ryde_stream base;
	struct ryde_aws *aws;
	char name[129], what[150]; /* "stream wildrydes" */
	char region[32];	   /* of an ARN, else "" */
	char arn[RYDE_KINESIS_ARN_MAX], label[RYDE_KINESIS_ARN_MAX];
	bool on_demand; /* the service reshards it by itself, and nobody else */
	bool by_arn;	/* the name was an ARN: requests name it too */
	bool ordered;	/* no record may overtake another one of its key */
	char consumer[RYDE_KINESIS_ARN_MAX * 2]; /* enhanced fan-out: its ARN; "": none */
	char consumer_name[129];
	bool contested; /* another reader uses the consumer, and that was said */
	bool stale;	/* a record went elsewhere than the list of shards says */
	size_t record_max;
	int64_t retention_ms;
	struct ryde_shard *shards; /* parents before children, indices are for life */
	struct ryde_kinesis_range *ranges; /* of the same shards */
	size_t n, cap;
	struct ryde_hash *hash;
	struct ryde_kinesis_write *write; /* made by the first write */
	struct ryde_buf
	    *rehearsal; /* where requests are put in place of being sent; NULL */
};

static inline struct ryde_kinesis_stream *
ryde_kinesis_stream_of(struct ryde_stream *base)
{
	return (struct ryde_kinesis_stream *)base;
}

/* Opens a stream that exists and waits until it can be used. RYDE_ENOINPUT, with the
 * command that creates it, where it does not. settings are copied. */
struct ryde_stream *ryde_kinesis_stream_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err);
/* As ryde_catalog_create_stream and ryde_catalog_delete. */
int ryde_kinesis_stream_create(struct ryde_aws *aws, const struct ryde_store_name *name,
    int shards, int64_t retention_ms, struct ryde_err *err);
int ryde_kinesis_stream_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err);
/* Calls fn for each stream of the region. */
int ryde_kinesis_stream_list(struct ryde_aws *aws,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);
/* Whether there is such a stream. */
int ryde_kinesis_stream_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err);

/* ---- between the parts ---- */

/* Fills the names of a zeroed s whose aws is set; the stream may not exist yet. */
void ryde_kinesis_stream_name(
    struct ryde_kinesis_stream *s, const struct ryde_store_name *name);
/* Waits until the stream can be used; RYDE_ENOINPUT where there is none. whole: until no
 * change of it is under way any more. */
int ryde_kinesis_stream_settle(
    struct ryde_kinesis_stream *s, bool whole, struct ryde_err *err);
/* A question about the stream, waited for: ryde_ask (aws/ask.h). */
struct ryde_aws_call *ryde_kinesis_stream_ask(struct ryde_kinesis_stream *s,
    const char *operation, struct ryde_buf *body, struct ryde_aws_fault *fault,
    struct ryde_err *err);
/* How many of its shards, as last listed, are open. */
int ryde_kinesis_stream_open_shards(const struct ryde_kinesis_stream *s);
/* One call whose answer says nothing more than that it was done: the stream's name, then
 * `more` (",\"Member\":…"). fault may be NULL. */
int ryde_kinesis_stream_order(struct ryde_kinesis_stream *s, const char *operation,
    const char *more, struct ryde_aws_fault *fault, struct ryde_err *err);

/* "StreamName":"x", and "StreamARN" where the stream was named so; no comma behind. */
void ryde_kinesis_stream_put_name(
    const struct ryde_kinesis_stream *s, struct ryde_buf *body);
/* The region for requests: NULL for the configured one. */
static inline const char *
ryde_kinesis_stream_region(const struct ryde_kinesis_stream *s)
{
	return s->region[0] != '\0' ? s->region : NULL;
}
/* Waits that long. RYDE_ETEMPFAIL where a stop is asked for meanwhile. */
int ryde_kinesis_stream_rest(int64_t ms, struct ryde_err *err);
/* Asks for the list of shards, all pages of it, and adds new ones. */
int ryde_kinesis_stream_refresh(struct ryde_kinesis_stream *s, struct ryde_err *err);
/* The index of a shard; an unknown one is added (its range comes with the next refresh).
 * hint: where it probably is. -1 without memory. */
int ryde_kinesis_stream_find(
    struct ryde_kinesis_stream *s, struct ryde_view id, int hint, struct ryde_err *err);
/* The shard that takes every hash, as the only open one; -1: there are several, or none
 * is known. */
int ryde_kinesis_stream_only(const struct ryde_kinesis_stream *s);
/* The open shard for a key; -1 with *shard -1 where the list has none (a resharding). */
int ryde_kinesis_stream_shard_of(struct ryde_stream *base, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err);

/* kinesis_write.c */
int ryde_kinesis_write(struct ryde_stream *base, struct ryde_record_in *records, size_t n,
    struct ryde_err *err);
void ryde_kinesis_write_wait(struct ryde_stream *base, struct ryde_waits *w);
void ryde_kinesis_write_free(struct ryde_kinesis_write *w);
/* kinesis_read.c */
struct ryde_stream_reader *ryde_kinesis_read_new(
    struct ryde_stream *base, struct ryde_err *err);

#endif
