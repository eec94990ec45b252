/*
 * The positions of a window, `at` on its lines: made by ryde-window, handed back unread
 * by sinks, stored by the reader.
 *
 *	{"n":7,"window":"FINGERPRINT","closed":1764000000000|null,"shards":{"shardId-0…":{"from":"49…"|null,"seen":"49…"},…}}
 *
 * Positions are written as line/position.h says: "49….3" is one inside a record.
 *
 * Where they are needed: "fired", the watermark, which with --allow-late is ahead of
 * closed; "revisions", [end, n] of windows that were corrected; and of a shard with
 * sessions its "time" at from, and its "floors", [position, time] each.
 */
#ifndef RYDE_FLOW_WINDOW_AT_H
#define RYDE_FLOW_WINDOW_AT_H

#include "base/view.h"
#include "line/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

/* Records behind `before` were late where their time is before at_ms. */
struct ryde_window_at_floor {
	struct ryde_pos before;
	int64_t at_ms;
};

struct ryde_window_at_shard {
	char id[RYDE_SHARD_ID_MAX + 1];
	struct ryde_pos
	    from; /* n == 0: null, where this life's reading of the shard began */
	struct ryde_pos seen; /* n == 0: null, nothing yet */
	bool has_time;
	int64_t time_ms;
	struct ryde_window_at_floor *floors; /* owned, by position */
	size_t n_floors;
};

/* The window that ends at end_ms was corrected n times. */
struct ryde_window_at_revision {
	int64_t end_ms;
	uint64_t n;
};

struct ryde_window_at {
	uint64_t n;
	char fingerprint[65];
	bool has_closed;
	int64_t closed_ms;
	bool has_fired; /* else it is closed */
	int64_t fired_ms;
	struct ryde_window_at_revision *revisions; /* owned, by end */
	size_t n_revisions;
	struct ryde_window_at_shard *shards; /* owned */
	size_t n_shards;
};

/* Reads an `at`. -1 with RYDE_EDATA. On success free it with ryde_window_at_free. */
int ryde_window_at_parse(
    struct ryde_window_at *at, struct ryde_view text, struct ryde_err *err);
void ryde_window_at_free(struct ryde_window_at *at);
/* Adds to one's list. -1 without memory. */
int ryde_window_at_add_floor(struct ryde_window_at_shard *s,
    const struct ryde_pos *before, int64_t at_ms, struct ryde_err *err);
int ryde_window_at_add_revision(
    struct ryde_window_at *at, int64_t end_ms, uint64_t n, struct ryde_err *err);
/* Appends it as JSON. */
void ryde_window_at_put(const struct ryde_window_at *at, struct ryde_buf *out);
/* The shard's entry, or NULL. */
struct ryde_window_at_shard *ryde_window_at_find(
    const struct ryde_window_at *at, struct ryde_view id);

#endif
