/*
 * The time of a recorded line: finding it, when it is due, and writing another one in its
 * place.
 */
#ifndef RYDE_ENGINE_REPLAY_H
#define RYDE_ENGINE_REPLAY_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_line;
struct ryde_replay;

/* path is a payload's time field, NULL: .StatusTime, and of envelopes the arrival. NULL
 * with RYDE_EUSAGE where it is no path. */
struct ryde_replay *ryde_replay_new(const char *path, struct ryde_err *err);
void ryde_replay_free(struct ryde_replay *r);

/* Where a line's time stands. */
struct ryde_replay_time {
	int64_t at_ms;
	struct ryde_view text; /* as written: a number, or the raw content of a string; a
				  slice of the payload or of the line */
	struct ryde_view form; /* the same without escapes; good until the next find */
	bool arrival;	       /* it is the envelope's: a slice of the line */
};
/*
 * Finds the time of an envelope or payload. payload is what counts as the line's payload.
 * With `place` false the text of an arrival time is not looked for (and is empty). -1
 * with RYDE_EDATA: no JSON, no such field, no time.
 */
int ryde_replay_find(struct ryde_replay *r, const struct ryde_line *line,
    struct ryde_view payload, bool place, struct ryde_replay_time *out,
    struct ryde_err *err);

/* A schedule: the first line's time is its origin, and what is due never depends on when
 * anything was printed. */
struct ryde_replay_schedule {
	double speed; /* 60: an hour in a minute */
	bool begun;
	int64_t first_ms, start_us;
};
/* When a line of time at_ms is due, on the clock that now_us was read from. The first
 * call begins the schedule. */
int64_t ryde_replay_due_us(struct ryde_replay_schedule *s, int64_t at_ms, int64_t now_us);
/* Reads "60x", "60", "0.5x" or "max" (then *max). False where v is neither, or not over
 * 0. */
bool ryde_replay_speed(struct ryde_view v, double *speed, bool *max);

/*
 * Appends to_ms in the form of `form`, a time as ryde_timestamp_parse reads it: date,
 * blank or T, seconds and as many digits behind them, zone (the same offset), or epoch
 * seconds or milliseconds with as many decimals.
 */
void ryde_replay_restamp(struct ryde_view form, int64_t to_ms, struct ryde_buf *out);

#endif
