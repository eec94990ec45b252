/*
 * Time is read here and nowhere else. Two clocks:
 *
 * - the clock of data: arrival times, marks, names of windows. The machine's, unless
 * RYDE_CLOCK says otherwise: "@EPOCH_MS" stands still, "data" follows the largest time
 * shown to ryde_clock_observe.
 * - the machine's own clock: leases, time-outs, visibility, progress. Never set by
 * RYDE_CLOCK.
 */
#ifndef RYDE_BASE_CLOCK_H
#define RYDE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;

/* Reads RYDE_CLOCK's value (NULL or "": the machine's clock). -1 with RYDE_ECONFIG where
 * it is neither form. */
int ryde_clock_init(const char *setting, struct ryde_err *err);
/* The clock of data, in milliseconds since the epoch. */
int64_t ryde_clock_data_ms(void);
/* True when the clock of data follows the data. */
bool ryde_clock_follows(void);
/* Moves a following clock forward to at_unix_ms; nothing otherwise. */
void ryde_clock_observe(int64_t at_unix_ms);

/* The machine's wall clock, milliseconds since the epoch. */
int64_t ryde_clock_wall_ms(void);
/* The machine's monotonic clock; its zero means nothing. */
int64_t ryde_clock_mono_ms(void);
int64_t ryde_clock_mono_us(void);

#endif
