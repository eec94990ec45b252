/*
 * ryde-process: an event source mapping, as Lambda has it, for any command. Records are
 * gathered into batches, each of one shard, and a handler is called for each batch.
 * Batches of one shard run one after the other, in order, or several at a time with the
 * order of each key kept; shards run beside each other. A batch is done, and only then
 * acknowledged, when the call has succeeded, or when it was discarded and its document is
 * safe (process_retry.h says when that is).
 *
 * - process.c is the loop: input, back-pressure, signals, the end; process_open.c sets up
 * - process_lane.c is the life of one shard's batches; process_lane_call.c their calls,
 * process_lane_done.c how records leave, process_lane_hold.c rule 7
 * - process_batch.c holds records in hand, process_filter.c says which, process_retry.c
 * what follows a failure, process_tumble.c keeps windows
 * - process_call.h is a call of any kind: process_child.c starts a command for it,
 * process_pool.c keeps handlers that process_keep.c and process_runtime.c start
 * (process_http.c and process_peer.c serve the latter), process_invoke.c calls a function
 * of AWS's
 * - process_event.c makes Lambda's events, process_response.c reads its responses,
 * process_fail.c writes documents of discarded batches, process_emit.c is --emit
 */
#ifndef RYDE_ENGINE_PROCESS_H
#define RYDE_ENGINE_PROCESS_H

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_store_settings;
struct ryde_waits;
struct ryde_writer;

#define RYDE_PROCESS_BATCH_MAX 10000
#define RYDE_PROCESS_CHILDREN_MAX 16
/* In hand over all shards; beyond it a failing shard is put on hold, or input waits. */
#define RYDE_PROCESS_HAND_RECORDS 20000
#define RYDE_PROCESS_HAND_BYTES ((size_t)64 << 20)
#define RYDE_PROCESS_BACKOFF_CAP_MS 60000

/* What a call reads. */
enum ryde_process_event_form {
	RYDE_PROCESS_EVENT_NDJSON, /* one payload a line */
	RYDE_PROCESS_EVENT_LAMBDA, /* one event, process_event.h */
};

enum ryde_process_handler {
	RYDE_PROCESS_SPAWN,   /* the command is started for each call: process_child.h */
	RYDE_PROCESS_KEEP,    /* it is kept running: process_keep.h */
	RYDE_PROCESS_RUNTIME, /* it is a Lambda runtime: process_runtime.h; events only */
	RYDE_PROCESS_INVOKE,  /* a real function: process_invoke.h; events only */
};

struct ryde_process_settings {
	enum ryde_process_handler handler;
	char *const *argv;    /* the command, NULL-ended */
	const char *function; /* with INVOKE in its place: a name or ARN */
	enum ryde_process_event_form event;
	int64_t parallel; /* batches of one shard at a time, 1 to 10 */
	int64_t batch_size;
	int64_t batch_window_ms; /* from the end of the previous call; 0: a batch is what
				    is at hand */
	int64_t batch_bytes;	 /* of what a call reads */
	int64_t retries;	 /* -1: for ever */
	int64_t max_age_ms;	 /* -1: any */
	bool bisect;
	bool partial;	   /* the response names what failed: process_response.h */
	int64_t tumble_ms; /* windows with state: process_tumble.h; 0: none */
	enum ryde_log_level report_level; /* of the lines for each call */
	const char *filter_criteria;	  /* a file, or NULL */
	const char *on_failure;		  /* destination, or NULL */
	bool filtered;	      /* -f was given: failure documents carry the payloads */
	int64_t timeout_ms;   /* of a call; 0: none */
	int64_t backoff_ms;   /* base of the delay between calls */
	int64_t retry_for_ms; /* of the destination; 0: for ever */
	int64_t grace_ms;
	const struct ryde_store_settings *store;
	/* Called every turn: progress, metrics, the watchdog. */
	void (*tick)(void *arg, struct ryde_waits *w);
	void *tick_arg;
};

/*
 * Runs until the input has ended and everything in hand is done. out is where --emit
 * prints, NULL without it. Counts into books (all but what the intake counts). *status
 * becomes the exit status: the input's, or 65 where batches were discarded without a
 * destination. -1 with RYDE_ENOINPUT or RYDE_ECONFIG where the command cannot be run,
 * RYDE_ETEMPFAIL where a reader is gone, a stop took longer than grace_ms or the
 * destination was down for too long; what was not done is pending, not acknowledged and
 * not discarded. Where printing failed, see ryde_writer_closed(out).
 */
int ryde_process_run(const struct ryde_process_settings *settings, struct ryde_intake *in,
    struct ryde_writer *out, struct ryde_books *books, int *status, struct ryde_err *err);

#endif
