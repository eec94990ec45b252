/*
 * Hopping and cumulating windows in slices. A time lies in many of them, but between two
 * moments at which one begins or ends (a cell of engine/window_extent.h) all times lie in
 * the same ones. So a record goes into the slice of its cell alone, and a window is put
 * together from its slices when it is due: a record costs the same, however many windows
 * it is in.
 *
 * The slices are the panes of struct ryde_window_keys, by their end. Each knows which
 * windows it is for: those that were open when it was made. A slice is dropped with the
 * last of them. Where windows come out more than once, or must make room, or begin and
 * end by the local time of a zone, there are no slices.
 */
#ifndef RYDE_ENGINE_WINDOW_SLICES_H
#define RYDE_ENGINE_WINDOW_SLICES_H

#include "engine/window_extent.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;
struct ryde_window_def;
struct ryde_window_group;
struct ryde_window_keys;
struct ryde_window_keys_pane;

/* True for definitions whose windows are put together from slices. */
bool ryde_window_slices_suit(const struct ryde_window_def *def);

/* The slice of a cell; made where there is none, for windows from first_end_ms on. NULL
 * without memory. */
struct ryde_window_keys_pane *ryde_window_slices_open(struct ryde_window_keys *k,
    const struct ryde_window_extent_cell *cell, int64_t first_end_ms,
    struct ryde_err *err);
/* When the next window ends that has something in it and is not out; false: there is
 * none. */
bool ryde_window_slices_end(const struct ryde_window_keys *k, int64_t *end_ms);
/* That window, put together, which is no pane of k: free it with
 * ryde_window_keys_pane_free. NULL without memory. */
struct ryde_window_keys_pane *ryde_window_slices_join(
    struct ryde_window_keys *k, const struct ryde_window_group *group);
/* It is out. */
void ryde_window_slices_done(struct ryde_window_keys *k, int64_t end_ms);

#endif
