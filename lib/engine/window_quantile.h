/*
 * Percentiles. The one at q is the smallest value that at least q of all values do not
 * exceed (the nearest rank: a value that was there). Below 1,000 values it is exact; from
 * there on values are counted in buckets whose bounds grow by a constant factor, and what
 * comes out differs from the exact one by no more than the accuracy, relative to it.
 * What comes out depends on the values alone, not on their order.
 * Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
 * relative-error guarantees", VLDB 2019.
 */
#ifndef RYDE_ENGINE_WINDOW_QUANTILE_H
#define RYDE_ENGINE_WINDOW_QUANTILE_H

#include "engine/window_number.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_decimal;
struct ryde_err;
struct ryde_window_quantile_values;

#define RYDE_WINDOW_QUANTILE_EXACT 1000 /* fewer are exact */
/* Buckets with a value in them; beyond, those of the smallest values become one. At 1 %
 * they span 570 decades. */
#define RYDE_WINDOW_QUANTILE_BUCKETS_MAX 65536

/* No values: all zeros. */
struct ryde_window_quantile {
	struct ryde_window_quantile_values *values;
};

/*
 * Adds a number: `exact` is the same one, looked at where number is not small.
 * accuracy_ppm is the accuracy in millionths, 1000 to 100000, and the same in all calls.
 */
int ryde_window_quantile_add(struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    const struct ryde_window_number *number, const struct ryde_decimal *exact,
    struct ryde_err *err);
int ryde_window_quantile_merge(struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    const struct ryde_window_quantile *from, struct ryde_err *err);
/* Appends the value at part / of (0 <= part <= of, of at most 10^9) as JSON, null where
 * there is none. */
int ryde_window_quantile_put(const struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    uint32_t part, uint32_t of, struct ryde_buf *to, struct ryde_err *err);
size_t ryde_window_quantile_bytes(const struct ryde_window_quantile *q);
void ryde_window_quantile_free(struct ryde_window_quantile *q);

#endif
