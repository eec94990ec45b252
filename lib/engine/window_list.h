/*
 * The values of a group in the order of their records, up to a number of them and 1 MiB
 * in all. What is kept is the longest beginning of the whole list that fits: it depends
 * on the records alone, not on the order in which they came.
 */
#ifndef RYDE_ENGINE_WINDOW_LIST_H
#define RYDE_ENGINE_WINDOW_LIST_H

#include "base/view.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_window_agg_order;
struct ryde_window_group;
struct ryde_window_list_values;

#define RYDE_WINDOW_LIST_BYTES_MAX (1u << 20)

/* No values: all zeros. */
struct ryde_window_list {
	struct ryde_window_list_values *values;
};

/* Adds a JSON value. max: how many are kept, the same in all calls. -1 without memory. */
int ryde_window_list_add(struct ryde_window_list *l, size_t max, struct ryde_view value,
    const struct ryde_window_agg_order *order, struct ryde_err *err);
int ryde_window_list_merge(struct ryde_window_list *l, size_t max,
    const struct ryde_window_list *from, const struct ryde_window_group *group,
    struct ryde_err *err);
/* Appends the values as a JSON array. */
void ryde_window_list_put(const struct ryde_window_list *l, struct ryde_buf *to);
/* How many values were left out. */
uint64_t ryde_window_list_omitted(const struct ryde_window_list *l);
size_t ryde_window_list_bytes(const struct ryde_window_list *l);
void ryde_window_list_free(struct ryde_window_list *l);

#endif
