/*
 * One shard as it is read: an iterator, a request under way, pages that are at hand.
 *
 * THE LIFE OF A SHARD:
 *
 *	STOPPED   nothing is asked for
 *	PLACED    it is known where to begin (`from`); an iterator is to be asked for
 *	ASKING    GetShardIterator is under way
 *	RESTING   has an iterator; GetRecords is due when `pace` says so
 *	READING   GetRecords is under way
 *	READ      closed, and read to its end
 *
 * With enhanced fan-out (kinesis_fan.h) there is no iterator: from PLACED a shard goes to
 * READING, which lasts as long as its subscription, and back.
 *
 * An iterator lives for five minutes. Where a new one is needed reading begins AT the
 * last record and passes over it: where that record does not come, records were trimmed
 * away under the reader, and that is a gap. Source: GetShardIterator, API reference of
 * Kinesis Data Streams.
 */
#ifndef RYDE_AWS_KINESIS_SHARD_H
#define RYDE_AWS_KINESIS_SHARD_H

#include "aws/kinesis_page.h"
#include "base/buf.h"
#include "flow/pace.h"
#include "line/record.h"

struct ryde_aws_call;
struct ryde_err;
struct ryde_kinesis_fan;
struct ryde_kinesis_stream;
struct ryde_waits;

enum ryde_kinesis_shard_state {
	RYDE_KINESIS_STOPPED,
	RYDE_KINESIS_PLACED,
	RYDE_KINESIS_ASKING,
	RYDE_KINESIS_RESTING,
	RYDE_KINESIS_READING,
	RYDE_KINESIS_READ,
};

#define RYDE_KINESIS_PAGES 2 /* at hand, at most */

struct ryde_kinesis_shard {
	struct ryde_kinesis_stream *stream;
	int index;
	enum ryde_kinesis_shard_state state;
	struct ryde_stream_start from; /* of the next iterator */
	struct ryde_pos skip;	       /* up to here it was read before */
	bool check_gap;		       /* the record `skip` has to come */
	bool gap;
	char gap_text[256];
	struct ryde_buf iterator, body;
	int64_t iterator_mono_ms; /* when it was given */
	struct ryde_aws_call *call;
	struct ryde_pace pace;	 /* when to ask next, and failures in a row */
	int64_t asked_server_ms; /* by the service's clock */
	struct ryde_kinesis_page pages[RYDE_KINESIS_PAGES];
	size_t n_pages, at;	/* the next record is pages[0]'s entry `at` */
	size_t limit;		/* of the request under way */
	int64_t behind_ms;	/* -1: not known yet */
	bool caught_up;		/* the last page came to the tip */
	bool children;		/* its last page names some */
	bool settled;		/* READ, and the list of shards was looked at since */
	int64_t quiet_ms;	/* later records arrive at or after */
	int64_t silent_mono_ms; /* since when a closed shard gives neither records nor its
				   end; INT64_MAX: it does */
	bool end_missed;	/* that was said */
	int64_t empty_mono_ms;	/* since when no page is at hand */
	bool polls;		/* also where the stream is read through a consumer */
	struct ryde_kinesis_fan *fan; /* its subscription; NULL: none was made yet */
};

struct ryde_kinesis_shard *ryde_kinesis_shard_new(
    struct ryde_kinesis_stream *stream, int index, struct ryde_err *err);
void ryde_kinesis_shard_free(struct ryde_kinesis_shard *s);
/* Begins, or begins again, from a place. Costs nothing yet. */
void ryde_kinesis_shard_start(
    struct ryde_kinesis_shard *s, const struct ryde_stream_start *start);
void ryde_kinesis_shard_stop(struct ryde_kinesis_shard *s);
/*
 * Takes what has come and asks for the next thing once it is due, `limit` records at
 * most, where may_ask. Call it after ryde_aws_turn. -1 where trying again would not help.
 */
int ryde_kinesis_shard_turn(
    struct ryde_kinesis_shard *s, bool may_ask, size_t limit, struct ryde_err *err);
/* Adds when it is due next. */
void ryde_kinesis_shard_wait(const struct ryde_kinesis_shard *s, struct ryde_waits *w);
/* The record that is next; false where none is at hand. Good until it is dropped. */
bool ryde_kinesis_shard_head(const struct ryde_kinesis_shard *s, struct ryde_record *out);
/* Goes on to the next one; its page stays until ryde_kinesis_shard_drop. */
void ryde_kinesis_shard_take(struct ryde_kinesis_shard *s);
/* Frees pages whose records were all taken. */
void ryde_kinesis_shard_drop(struct ryde_kinesis_shard *s);
/* Bytes of the pages at hand. */
size_t ryde_kinesis_shard_bytes(const struct ryde_kinesis_shard *s);

/* ---- between kinesis_shard.c and kinesis_fan.c ---- */

/* Takes a page in; its `from`, `skip` and gaps are dealt with. The page is the shard's
 * then. */
void ryde_kinesis_shard_add(struct ryde_kinesis_shard *s, struct ryde_kinesis_page *page);
/* It failed, and is tried again base_ms later, and more with each failure in a row;
 * throttled: as the pace says in place of base_ms. what is said at times. */
void ryde_kinesis_shard_failed(
    struct ryde_kinesis_shard *s, bool throttled, int64_t base_ms, const char *what);
/* Appends `"AT_SEQUENCE_NUMBER","SEQUENCE":"495…"` and so on for where reading is to
 * begin; `sequence` is what the operation calls the number. */
void ryde_kinesis_shard_put_place(
    struct ryde_kinesis_shard *s, struct ryde_buf *body, const char *sequence);
/* The clock of the service. */
int64_t ryde_kinesis_shard_server_ms(const struct ryde_kinesis_shard *s);

#endif
