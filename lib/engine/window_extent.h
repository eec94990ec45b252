/*
 * Which windows a time lies in: the one place that maps times to windows, for each kind
 * but sessions, whose bounds follow from their records (engine/window_session.h).
 *
 * Windows are [start, end), aligned to the epoch and an offset. Two of them never end at
 * the same time, so a window's end is its name.
 */
#ifndef RYDE_ENGINE_WINDOW_EXTENT_H
#define RYDE_ENGINE_WINDOW_EXTENT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_zone;

enum ryde_window_extent_kind {
	RYDE_WINDOW_TUMBLE,
	RYDE_WINDOW_HOP,      /* of size_ms, one begins every step_ms */
	RYDE_WINDOW_CUMULATE, /* one of size_ms begins behind the other; each is given out
				 every step_ms with all from its start on */
	RYDE_WINDOW_SESSION,  /* of one key, until no record comes for size_ms */
};

struct ryde_window_extent {
	enum ryde_window_extent_kind kind;
	int64_t size_ms;
	int64_t step_ms;   /* of hopping and cumulating windows */
	int64_t offset_ms; /* windows begin at offset + k * size (hopping: step) */
	/*
	 * In this zone (NULL: UTC) they begin at those local times. A day is from local
	 * midnight to the next one, be it 23, 24 or 25 hours; what is shorter keeps its
	 * length where a change of the clock lets it (hours always do), and else ends
	 * when the clock says so.
	 */
	const struct ryde_zone *zone;
	const char *zone_name;
};

/* A century: sums of times and sizes then stay far from the ends of their type. */
#define RYDE_WINDOW_EXTENT_MAX_MS (INT64_C(36525) * 86400000)
/* In so many windows a time may lie. */
#define RYDE_WINDOW_EXTENT_OVERLAP_MAX 10000

/* Reads "D" of tumbling windows and sessions, "SIZE/SLIDE" or "SIZE/STEP" of the others.
 * -1 with RYDE_EUSAGE. */
int ryde_window_extent_read(struct ryde_window_extent *e,
    enum ryde_window_extent_kind kind, const char *text, struct ryde_err *err);
/* -1 with RYDE_EUSAGE and a sentence where the lengths do not go together. */
int ryde_window_extent_check(const struct ryde_window_extent *e, struct ryde_err *err);
/* Appends all that decides which windows there are; equal extents give equal text. */
void ryde_window_extent_put(const struct ryde_window_extent *e, struct ryde_buf *to);

struct ryde_window_extent_span {
	int64_t start_ms, end_ms;
};

/* The windows that all times in [from_ms, to_ms) lie in, by their end. All zeros at
 * first. */
struct ryde_window_extent_cell {
	int64_t from_ms, to_ms;
	struct ryde_window_extent_span *spans; /* owned */
	size_t n, cap;
};

/* Makes it the cell of at_ms; of sessions none is. -1 without memory. */
int ryde_window_extent_find(const struct ryde_window_extent *e, int64_t at_ms,
    struct ryde_window_extent_cell *cell, struct ryde_err *err);
void ryde_window_extent_cell_free(struct ryde_window_extent_cell *cell);

#endif
