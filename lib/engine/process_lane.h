/*
 * The life of one shard's batches:
 *
 *	IDLE -> READY -> RUNNING -> (PRINTING) -> done
 *	          ^         | |
 *	          |         | +-> failed: READY (bisected), DELAYED or DISCARDING -> done
 *	          +- DELAYED
 *
 * Done: IDLE, or READY with the batch's next part. Expired records go from READY to
 * DISCARDING. Nothing here blocks, but for delivering a document.
 */
#ifndef RYDE_ENGINE_PROCESS_LANE_H
#define RYDE_ENGINE_PROCESS_LANE_H

#include "base/buf.h"
#include "base/random.h"
#include "base/view.h"
#include "engine/process_batch.h"
#include "engine/process_call.h"
#include "engine/process_fail.h"
#include "engine/process_retry.h"
#include "engine/process_tumble.h"
#include "flow/backoff.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_item;
struct ryde_line;
struct ryde_process_call;
struct ryde_process_filter;
struct ryde_process_invoke;
struct ryde_process_pool;
struct ryde_process_settings;
struct ryde_process_source;
struct ryde_waits;
struct ryde_writer;

/* What all lanes share. */
struct ryde_process_lane_common {
	const struct ryde_process_settings *settings;
	struct ryde_process_retry_rules rules;
	struct ryde_process_batch_limits limits;
	struct ryde_intake *in;
	struct ryde_writer *out; /* NULL without --emit */
	struct ryde_books *books;
	struct ryde_process_fail *fail;	    /* NULL without --on-failure */
	struct ryde_process_filter *filter; /* NULL without --filter-criteria */
	struct ryde_process_pool *pool;	    /* of handlers that are kept; NULL: none is */
	struct ryde_process_invoke *invoke; /* NULL without --invoke */
	struct ryde_random random;
	const char *region;
	bool capture;	/* what a call prints is wanted: --emit, or it is the response */
	bool response;	/* it is: --partial */
	char *path;	/* of the command */
	char *function; /* "command:NAME", or what --invoke names */
	char **envp;	/* ours without RYDE_STREAM and so on; room for those behind */
	size_t n_env;
	struct ryde_process_source *sources;
	size_t n_sources;
	size_t record_max; /* a record that weighs more cannot be sent; SIZE_MAX: any */
	size_t hand_records, hand_bytes;
	uint64_t order;	       /* of the next record */
	size_t window_records; /* handled or discarded, their window still open */
	bool close_windows;    /* the input has ended: no record comes any more */
	int children;	       /* running */
	int64_t told_ms;       /* when a signal asked to stop, monotonic; 0: none has */
	bool stopping;	       /* begin no new effect */
	bool lost;	       /* batches were discarded without a destination */
	bool said_lingering;
};

enum ryde_process_lane_phase {
	RYDE_PROCESS_LANE_IDLE,
	RYDE_PROCESS_LANE_READY,
	RYDE_PROCESS_LANE_RUNNING,
	RYDE_PROCESS_LANE_PRINTING,
	RYDE_PROCESS_LANE_DELAYED,
	RYDE_PROCESS_LANE_DISCARDING,
};

struct ryde_process_lane {
	char *raw_stream,
	    *raw_shard;	      /* as they stand in lines: what lanes are told apart by */
	char *stream, *shard; /* plain */
	unsigned slot;	      /* which of the shard's lanes: --parallel */
	/* The shard's lanes in a ring; the one that was made first keeps its marks. */
	struct ryde_process_lane *sibling, *first;
	/* process_lineage.h, of the first: whom it waits for, NULL: nobody */
	char *parents;
	uint64_t behind;
	struct ryde_process_batch batch;
	enum ryde_process_lane_phase phase;
	unsigned calls;				/* of the next part as it is */
	char id[RYDE_PROCESS_CALL_ID_SIZE];	/* of the last call */
	enum ryde_process_fail_response answer; /* of the last call, where it failed */
	int64_t until_ms;			/* DELAYED, DISCARDING: monotonic */
	int64_t window_from_ms;			/* when the last call ended, monotonic */
	struct ryde_process_call *call;
	int64_t judge_ms; /* RUNNING: it has ended, and is judged then; 0: it has not */
	struct iovec *input;
	size_t input_cap;
	struct ryde_buf event; /* what it reads where that is an event */
	/* The event that probably comes next: of ahead_n records, 0: none, the first of
	 * which has that order. */
	struct ryde_buf ahead;
	size_t ahead_n;
	uint64_t ahead_order;
	struct ryde_process_tumble tumble; /* size_ms 0: none */
	/* PRINTING */
	size_t printed;
	/* DISCARDING */
	size_t discard;
	unsigned discard_calls;
	enum ryde_process_fail_condition condition;
	char what[160];
	struct ryde_backoff delivery;
	/* Marks to pass on once the records before them were released. */
	struct ryde_buf marks[2];
	uint64_t mark_after[2];
	/* Hold: the shard's, of the first. */
	bool can_hold, held, mid_line;
	bool going; /* process_going.h: begin nothing more of it */
	uint64_t hold_ticket;
	uint32_t hold_gen;
	/* No batch is begun whose first record has a higher order: what runs behind it
	 * ends, and then the shard is held. UINT64_MAX: it is not about to be. */
	uint64_t begin_up_to;
};

/* A lane for records of a shard; views are raw JSON, empty for payload lines. */
struct ryde_process_lane *ryde_process_lane_new(struct ryde_view raw_stream,
    struct ryde_view raw_shard, int64_t tumble_ms, struct ryde_err *err);
/* Kills what runs. */
void ryde_process_lane_free(struct ryde_process_lane *l);
bool ryde_process_lane_is(const struct ryde_process_lane *l, struct ryde_view raw_stream,
    struct ryde_view raw_shard);

/* Takes a record in, or drops it where the filter criteria do: data is what the command
 * shall read. */
int ryde_process_lane_add(struct ryde_process_lane *l, struct ryde_process_lane_common *c,
    const struct ryde_item *item, struct ryde_view data, bool base64, uint32_t source,
    struct ryde_err *err);
/* Makes l a lane of the same shard as of. */
void ryde_process_lane_join(struct ryde_process_lane *l, struct ryde_process_lane *of);
/* The order of the oldest record that the shard has in hand, in any of its lanes;
 * UINT64_MAX: none. */
uint64_t ryde_process_lane_oldest(const struct ryde_process_lane *l);
/* Passes a mark on after everything that the shard has in hand (--emit). */
int ryde_process_lane_mark(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, struct ryde_view raw, struct ryde_err *err);

/* Hears of a mark: what it says of records to come. */
void ryde_process_lane_hear(struct ryde_process_lane *l, const struct ryde_line *line);
/* True where there is something to do for it: records in hand, or an open window. */
bool ryde_process_lane_busy(const struct ryde_process_lane *l);

/*
 * Goes on as far as it can now. flush: what is in hand makes a batch, however little. -1
 * where the program has to end: see ryde_process_run.
 */
int ryde_process_lane_turn(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, bool flush, int64_t now_mono_ms,
    struct ryde_err *err);
void ryde_process_lane_wait(const struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, struct ryde_waits *w);
/* Asks a running call to end: its batch is pending, not failed. */
void ryde_process_lane_stop(struct ryde_process_lane *l, int64_t now_mono_ms);

/* Rule 7: what holding a shard would do. */
struct ryde_process_lane_hold {
	struct ryde_process_lane *first;
	uint64_t up_to; /* the order of the last record that stays */
	size_t frees;	/* records in hand behind it */
	bool wait;	/* some of those are with a command */
};
/* False unless the shard whose first lane is l is failing, its reader lets shards be
 * held, and it can be held between two records that are in hand. */
bool ryde_process_lane_holdable(
    struct ryde_process_lane *l, struct ryde_process_lane_hold *h);
/*
 * Asks the reader to hold the shard, and drops what came after the oldest batch that
 * fails; it resumes when that is done. While calls are under way that would be dropped,
 * it only begins no others.
 */
void ryde_process_lane_hold(
    const struct ryde_process_lane_hold *h, struct ryde_process_lane_common *c);
/* True where l may not begin a batch: its shard is about to be held. */
bool ryde_process_lane_barred(const struct ryde_process_lane *l);

/*
 * What the files of a lane share.
 */

/* "local:s shardId-0, records 1 to 9 (9)", "lines 1 to 9 (9)": the first n in hand. */
#define RYDE_PROCESS_LANE_TEXT 640
void ryde_process_lane_describe(
    const struct ryde_process_lane *l, size_t n, char *to, size_t size);
/* Records of the next call: those of the next part; none where it closes a window. */
size_t ryde_process_lane_size(const struct ryde_process_lane *l);
/* The event of the next part, or of the window's close, as the one run of l->input. */
int ryde_process_lane_event(struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, int *n_input, struct ryde_err *err);
/* Makes the event of the batch after this one, where it can be known. */
void ryde_process_lane_event_ahead(
    struct ryde_process_lane *l, const struct ryde_process_lane_common *c);
/* Who waits for the records at the front. */
const char *ryde_process_lane_ack(
    const struct ryde_process_lane *l, const struct ryde_process_lane_common *c);
/* The first n records of the next part are done, or (failed) discarded and safe. */
int ryde_process_lane_release(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, size_t n, bool failed, struct ryde_err *err);
/* What is next after some of the batch was released. */
void ryde_process_lane_next_part(struct ryde_process_lane *l, int64_t now_mono_ms);
/* The call that closes the window has succeeded: its records are done. */
void ryde_process_lane_closed(
    struct ryde_process_lane *l, struct ryde_process_lane_common *c, int64_t now_mono_ms);
/* Begins to discard the first n records: DISCARDING. */
void ryde_process_lane_discard(struct ryde_process_lane *l,
    const struct ryde_process_lane_common *c, size_t n,
    enum ryde_process_fail_condition condition, const char *what);
/* One step of it: 1 when all are safe and released, 0 to wait, -1 to end. */
int ryde_process_lane_discarding(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_mono_ms, struct ryde_err *err);

/* Steps of READY, RUNNING and PRINTING: 1 to go on, 0 to wait, -1 to end. */
int ryde_process_lane_ready(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_mono_ms, struct ryde_err *err);
int ryde_process_lane_running(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_mono_ms, struct ryde_err *err);
int ryde_process_lane_printing(struct ryde_process_lane *l,
    struct ryde_process_lane_common *c, int64_t now_mono_ms, struct ryde_err *err);

#endif
