/*
 * The tumbling window of one shard, as Lambda has it: records go to the window of their
 * arrival time; the handler gets the window's state with each call and gives it back;
 * when the window is over it is called once more, to use the state, and the next window
 * begins with none. Source: "Using tumbling windows" in Lambda's developer guide; where
 * it is silent, the reading is written here.
 *
 * - State is kept in memory, and moves only with the checkpoint: what a call that failed
 * gave back is forgotten. The records of an open window are not acknowledged before it is
 * closed: when this process dies, the window is computed again from its first record.
 * - A window is over when a record of a later one is there, or a mark says that there
 * will be none before its end; for lines that come without an arrival time, when the
 * clock says so; where nobody sends marks, when the clock has passed the end and nothing
 * has come for two minutes.
 * - State of more than 1 MiB ends the window early: the handler is called with it and no
 * records, and the same window goes on with no state. So does a window of a million
 * records, which is more than a shard takes in 15 minutes.
 */
#ifndef RYDE_ENGINE_PROCESS_TUMBLE_H
#define RYDE_ENGINE_PROCESS_TUMBLE_H

#include "base/buf.h"
#include "engine/process_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_PROCESS_TUMBLE_STATE ((size_t)1 << 20)	/* more ends the window early */
#define RYDE_PROCESS_TUMBLE_STATE_MAX ((size_t)4 << 20) /* more is a failed call */
#define RYDE_PROCESS_TUMBLE_RECORDS 1000000
#define RYDE_PROCESS_TUMBLE_IDLE_MS 120000

enum ryde_process_tumble_closing {
	RYDE_PROCESS_TUMBLE_NO,
	RYDE_PROCESS_TUMBLE_FINAL, /* the next call is the window's last */
	RYDE_PROCESS_TUMBLE_EARLY, /* the next call is the last with this state */
};

struct ryde_process_tumble {
	int64_t size_ms; /* 0: no windows */
	bool open;
	enum ryde_process_tumble_closing closing;
	int64_t start_ms;
	struct ryde_buf state;
	uint64_t *tickets; /* of its records, to be acknowledged when it is closed */
	size_t n, cap;
	uint64_t handled, failed; /* of those records */
	/* What is known of records still to come. */
	int64_t later_ms;      /* they arrive at or after; INT64_MIN: unknown */
	int64_t heard_mono_ms; /* when the last line came */
	bool own_time, marked; /* arrival times are ours; marks come */
};

void ryde_process_tumble_init(struct ryde_process_tumble *t, int64_t size_ms);
void ryde_process_tumble_free(struct ryde_process_tumble *t);
/* Opens the window of a record that arrived at at_ms, with no state. */
int ryde_process_tumble_open(
    struct ryde_process_tumble *t, int64_t at_ms, struct ryde_err *err);
int64_t ryde_process_tumble_end_ms(const struct ryde_process_tumble *t);
/* Keeps the ticket of a record that is handled or (failed) discarded. */
int ryde_process_tumble_keep(
    struct ryde_process_tumble *t, uint64_t ticket, bool failed, struct ryde_err *err);
/*
 * The state moves on. -1 with RYDE_EDATA where it is too long, unchanged then. Sets
 * closing where the window ends early.
 */
int ryde_process_tumble_state(
    struct ryde_process_tumble *t, struct ryde_view state, struct ryde_err *err);
/* What stands in the event. */
struct ryde_process_event_window ryde_process_tumble_window(
    const struct ryde_process_tumble *t);
/* The closing call has succeeded and the tickets are acknowledged: the window is gone, or
 * goes on without state. */
void ryde_process_tumble_closed(struct ryde_process_tumble *t);
/*
 * True where no record of the open window can still come, none being in hand; else
 * *until_mono_ms becomes when to look again (RYDE_WAITS_FOREVER: when something comes).
 */
bool ryde_process_tumble_over(const struct ryde_process_tumble *t, int64_t data_now_ms,
    int64_t now_mono_ms, int64_t *until_mono_ms);

#endif
