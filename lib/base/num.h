/*
 * The one family of functions that reads numbers of options and settings from text. Each
 * takes the whole string or fails: no blanks, no trailing garbage, nothing out of range.
 */
#ifndef RYDE_BASE_NUM_H
#define RYDE_BASE_NUM_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/* A decimal integer in [min, max]. False, with *out untouched, where v is none. */
bool ryde_num_i64(struct ryde_view v, int64_t min, int64_t max, int64_t *out);
bool ryde_num_u64(struct ryde_view v, uint64_t max, uint64_t *out);
/* 500ms 15s 1m 2h 7d, sums such as 1h30m, a decimal point (1.5s), or 0; in milliseconds.
 */
bool ryde_num_duration_ms(struct ryde_view v, int64_t *out);
/* 512, 512k, 5M, 1G (powers of 1024; KiB MiB GiB and KB MB GB are understood as the
 * same). */
bool ryde_num_size_bytes(struct ryde_view v, int64_t *out);

#endif
