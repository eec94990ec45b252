/*
 * Streams: shards of records in order. One interface; the name decides the engine. A
 * stream handle belongs to one thread. Nothing that these functions return blocks a
 * writer: no transaction stays open between calls.
 */
#ifndef RYDE_STORE_STREAM_H
#define RYDE_STORE_STREAM_H

#include "base/view.h"
#include "line/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;
struct ryde_stream;
struct ryde_waits;

enum ryde_stream_mode {
	RYDE_STREAM_READ,  /* must exist: RYDE_ENOINPUT otherwise */
	RYDE_STREAM_WRITE, /* is created with one shard in the embedded store */
};

/* Opens a stream by name. NULL with err set. */
struct ryde_stream *ryde_stream_open(const struct ryde_store_settings *settings,
    const char *name, enum ryde_stream_mode mode, struct ryde_err *err);
void ryde_stream_close(struct ryde_stream *s);
/* "local:wildrydes": what envelopes say. Good while s is. */
const char *ryde_stream_label(const struct ryde_stream *s);
/* The largest record it takes, in bytes of payload and key together. */
size_t ryde_stream_record_max(const struct ryde_stream *s);
/* How far back it keeps records, in ms; 0: for ever. */
int64_t ryde_stream_retention_ms(const struct ryde_stream *s);
/* The clock that gives records their arrival times: for places that have no number yet.
 */
int64_t ryde_stream_now_ms(struct ryde_stream *s);
/* Its shards, parents before children, indices stable for the life of s; owned by s, good
 * until the next call. */
int ryde_stream_shards(struct ryde_stream *s, const struct ryde_shard **out, size_t *n,
    struct ryde_err *err);

/*
 * Writes n records in order, durably: when it returns 0, all of them are there, whatever
 * happens next. n > 0: so many are still under way; call it again with the same records
 * once what ryde_stream_write_wait adds has happened (never so in the embedded store). On
 * -1 the batch as a whole is not written. RYDE_ETEMPFAIL and RYDE_EUNAVAILABLE can be
 * tried again, with the same records; RYDE_EIO (disk full) and others not.
 */
int ryde_stream_write(struct ryde_stream *s, struct ryde_record_in *records, size_t n,
    struct ryde_err *err);
void ryde_stream_write_wait(struct ryde_stream *s, struct ryde_waits *w);
/*
 * From now on ryde_stream_write writes nothing, and takes all for written: --dry-run.
 * What it would have sent to AWS it appends to requests, JSON objects with commas between
 * them (nothing in the embedded store); requests must outlive s.
 */
void ryde_stream_rehearse(struct ryde_stream *s, struct ryde_buf *requests);
/* From now on no record may overtake another one of its key, also where a request fails
 * in part: --ordered. */
void ryde_stream_keep_order(struct ryde_stream *s);
/* Which shard a key would go to, without writing: --dry-run. */
int ryde_stream_shard_of(struct ryde_stream *s, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err);

/*
 * Enhanced fan-out: readers that are made from now on have shards' records sent to them
 * as this consumer, which is registered with the stream where it is not yet (some
 * seconds). *arn becomes its ARN, good while s is. RYDE_EUSAGE in the embedded store,
 * whose readers share nothing.
 */
int ryde_stream_fan_out(
    struct ryde_stream *s, const char *consumer, const char **arn, struct ryde_err *err);

/* Deregisters a consumer, and waits until it is gone. RYDE_ENOINPUT where there is none;
 * RYDE_EUSAGE in the embedded store. */
int ryde_stream_consumer_delete(
    struct ryde_stream *s, const char *consumer, struct ryde_err *err);
/* Calls fn for each consumer that is registered; none in the embedded store. */
int ryde_stream_consumers(struct ryde_stream *s,
    void (*fn)(void *arg, const char *name, const char *status, const char *arn),
    void *arg, struct ryde_err *err);

struct ryde_stream_reader;

struct ryde_stream_reader *ryde_stream_reader_new(
    struct ryde_stream *s, struct ryde_err *err);
void ryde_stream_reader_free(struct ryde_stream_reader *r);
/*
 * Reads shard from start on (also a second time: it goes back or forward). resolved (may
 * be NULL) becomes the position after which reading begins, to be stored as a group's
 * first one; it stays empty on AWS where the place is a time, or the end. *gap (may be
 * NULL) becomes true where records that were asked for are no longer held, or lie beyond
 * the stream's end: the message in gap_text[256] names what is missing. A position whose
 * own record is gone, with all later ones there, is no gap after it. RYDE_EDATA where the
 * position is none of this shard.
 */
int ryde_stream_reader_start(struct ryde_stream_reader *r, int shard,
    const struct ryde_stream_start *start, struct ryde_pos *resolved, bool *gap,
    char *gap_text, struct ryde_err *err);
/* Stops reading the shard: fetch gives no more of it. */
void ryde_stream_reader_stop(struct ryde_stream_reader *r, int shard);
/*
 * Up to max records (and about max_bytes, at least one record) of all started shards, in
 * order within each shard, merged by arrival as far as they are at hand. *n is 0 when
 * there is nothing new now. Also notices new shards (see ryde_stream_shards) and records
 * trimmed away under the reader (reported as *gap through ryde_stream_reader_gap).
 */
int ryde_stream_reader_fetch(struct ryde_stream_reader *r, size_t max, size_t max_bytes,
    const struct ryde_record **out, size_t *n, struct ryde_err *err);
/*
 * True once for each shard that lost records to the retention before the reader came to
 * them: *shard is it, gap_text[256] names what is missing. Ask until it is false, after
 * each fetch.
 */
bool ryde_stream_reader_gap(struct ryde_stream_reader *r, int *shard, char *gap_text);
/* True when shard is read to its present end; *at_ms becomes a time such that all later
   records arrive at or after it (INT64_MIN where that cannot be told now). */
bool ryde_stream_reader_caught_up(
    struct ryde_stream_reader *r, int shard, int64_t *at_ms);
/* True once a closed shard has been read to its end: its children may be read. */
bool ryde_stream_reader_ended(struct ryde_stream_reader *r, int shard);
/* How far shard is behind: age in ms of the oldest record not yet fetched, 0 when caught
 * up; and how many, -1 if unknown. */
int ryde_stream_reader_lag(struct ryde_stream_reader *r, int shard, int64_t *age_ms,
    int64_t *records, struct ryde_err *err);
/* What wakes it when there may be something new: a descriptor and a deadline. */
void ryde_stream_reader_wait(struct ryde_stream_reader *r, struct ryde_waits *w);
/* The records of one shard from `first` to `last`, both included, regardless of started
 * shards: ryde-dlq. At most max. */
int ryde_stream_reader_range(struct ryde_stream_reader *r, int shard,
    const struct ryde_pos *first, const struct ryde_pos *last, size_t max,
    const struct ryde_record **out, size_t *n, struct ryde_err *err);

#endif
