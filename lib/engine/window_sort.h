/* Groups in the order of their keys, as bytes. */
#ifndef RYDE_ENGINE_WINDOW_SORT_H
#define RYDE_ENGINE_WINDOW_SORT_H

#include <stddef.h>

struct ryde_window_keys;
struct ryde_window_keys_slot;

/* Sorts n groups of k, all of different keys; their tags are overwritten. */
void ryde_window_sort(
    const struct ryde_window_keys *k, struct ryde_window_keys_slot *slots, size_t n);

#endif
