/*
 * Which rows come out next. Windows are given out when they close, again when a late
 * record has changed them (--allow-late), as they stand (--every), and all at once where
 * they take too much memory (--max-state).
 */
#ifndef RYDE_ENGINE_WINDOW_ROWS_H
#define RYDE_ENGINE_WINDOW_ROWS_H

#include "base/timestamp.h"
#include "engine/window_group.h"
#include "engine/window_keys.h"
#include "engine/window_session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

enum ryde_window_rows_pass {
	RYDE_WINDOW_ROWS_CLOSED,     /* what the watermark has passed, and corrections */
	RYDE_WINDOW_ROWS_EARLY,	     /* what has changed in open windows */
	RYDE_WINDOW_ROWS_TERMINATED, /* all, to make room */
};

/* A row that can be taken. */
struct ryde_window_rows_row {
	struct ryde_window_keys_group *group;
	int64_t start_ms, end_ms;
	uint64_t revision; /* 0: the first time */
};

/* The start or the end of a window as it was written last. */
struct ryde_window_rows_time {
	int64_t at_ms;
	size_t n; /* 0: none was written */
	char text[RYDE_TIMESTAMP_MAX];
};

struct ryde_window_rows {
	const struct ryde_window_def *def;
	struct ryde_window_group *group;
	struct ryde_window_keys *keys;		  /* except for sessions */
	struct ryde_window_session_set *sessions; /* for sessions; else NULL */
	enum ryde_window_rows_pass pass;
	bool closing; /* the watermark has passed everything */
	bool touched; /* a window that was given out has changed */
	bool has_row, failed;
	struct ryde_window_rows_row row;
	struct ryde_window_keys_pane *pane;  /* whose groups come out */
	size_t next;			     /* the window to look at next */
	struct ryde_window_session *session; /* of the row, taken out; freed when the next
						one is looked for */
	struct ryde_window_session **early;  /* those of an early pass */
	size_t n_early;
	struct ryde_window_rows_time start, end; /* not in a zone */
	uint64_t recounted; /* records of sessions that were given out in the life before
			     */
};

void ryde_window_rows_free(struct ryde_window_rows *r);
/* Begins a pass; the rows of the one before have all been taken. */
void ryde_window_rows_begin(struct ryde_window_rows *r, enum ryde_window_rows_pass pass);
/* True where r->row is set. Without memory it is true, and r->failed is set. */
bool ryde_window_rows_due(struct ryde_window_rows *r);
/* Appends r->row to row, its keys to key (may be NULL), and goes on. r->row stays as it
 * is until the next one is looked for. */
int ryde_window_rows_put(struct ryde_window_rows *r, struct ryde_buf *row,
    struct ryde_buf *key, struct ryde_err *err);

#endif
