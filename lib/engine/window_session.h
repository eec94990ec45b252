/*
 * Sessions: windows of one key, from a record to the gap behind the last one. A record
 * less than the gap away from a session extends it; one between two joins them. So which
 * sessions there are does not depend on the order of records.
 *
 * They are found by their key, and given out by their end.
 */
#ifndef RYDE_ENGINE_WINDOW_SESSION_H
#define RYDE_ENGINE_WINDOW_SESSION_H

#include "base/view.h"
#include "engine/window_birth.h"
#include "engine/window_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;

struct ryde_window_session {
	struct ryde_window_session *next; /* with a hash of the same slot */
	int64_t first_ms, last_ms;	  /* times of its records */
	uint64_t birth;			  /* ordinal of the one that was taken first */
	uint64_t records;
	size_t place;			     /* in the heap */
	struct ryde_window_keys_group group; /* its states and key follow */
};

/* An end that is due not after the session's own: sessions that grow stay where they are
 * until they come up. */
struct ryde_window_session_due {
	int64_t end_ms;
	struct ryde_window_session *session;
};

struct ryde_window_session_set {
	const struct ryde_window_keys *keys;
	const struct ryde_window_group *group;
	int64_t gap_ms;
	struct ryde_window_session **slots;
	size_t n_slots; /* a power of two */
	struct ryde_window_session_due *heap;
	size_t n, cap;
	size_t bytes;
	struct ryde_window_birth birth;
};

/* Borrows both. */
void ryde_window_session_start(struct ryde_window_session_set *set,
    const struct ryde_window_keys *keys, const struct ryde_window_group *group);
void ryde_window_session_free(struct ryde_window_session_set *set);

/* The session that takes a record of the key, extended by it. NULL without memory. */
struct ryde_window_session *ryde_window_session_take(struct ryde_window_session_set *set,
    struct ryde_view key, struct ryde_view written,
    const struct ryde_window_agg_order *order, struct ryde_err *err);
static inline int64_t
ryde_window_session_end(
    const struct ryde_window_session_set *set, const struct ryde_window_session *s)
{
	return s->last_ms + set->gap_ms;
}
/* The first one by end, then by key; NULL: there is none. */
struct ryde_window_session *ryde_window_session_first(
    struct ryde_window_session_set *set);
/* Takes the first one out; it is then the caller's. */
void ryde_window_session_pop(struct ryde_window_session_set *set);
/* Frees a session that was taken out. */
void ryde_window_session_drop(
    struct ryde_window_session_set *set, struct ryde_window_session *s);
/* All that have changed since they were given out, by end and key: an array to free.
 * NULL with *n = 0: none; with *n = 1: no memory. */
struct ryde_window_session **ryde_window_session_changed(
    const struct ryde_window_session_set *set, size_t *n);

#endif
