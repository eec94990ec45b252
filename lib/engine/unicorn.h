/*
 * The sensors of one unicorn or of many: rides that begin in one place, each on a bearing
 * of its own. The whole run follows from its settings alone. Source: the workshop's
 * producer (start, speed, degrees per metre, points).
 */
#ifndef RYDE_ENGINE_UNICORN_H
#define RYDE_ENGINE_UNICORN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_unicorn_herd;

#define RYDE_UNICORN_COUNT_MAX 1000000
#define RYDE_UNICORN_NAME_MAX 256 /* bytes: what a partition key may have */

struct ryde_unicorn_ride {
	const char *const *names; /* borrowed during the call of new */
	size_t n_names;
	size_t count;	  /* unicorns; those without a name get built-in ones. At least
			     n_names, at least 1 */
	uint64_t seed;	  /* everything random follows from it */
	int64_t start_ms; /* StatusTime of the first tick */
	int64_t every_ms; /* from one tick to the next */
	bool input_data;  /* every line gets InputData, which is "ok" … */
	uint64_t
	    pill_among; /* … but "error" in one of the first so many lines; 0: in none */
};

/*
 * Makes the herd. -1 (NULL) with RYDE_EUSAGE where a name is empty, too long, no UTF-8 or
 * there twice, and where the counts do not fit.
 */
struct ryde_unicorn_herd *ryde_unicorn_new(
    const struct ryde_unicorn_ride *ride, struct ryde_err *err);
void ryde_unicorn_free(struct ryde_unicorn_herd *h);

/* The tick of the next line, from 0: all lines of one tick share their StatusTime,
 * start_ms + tick * every_ms. */
uint64_t ryde_unicorn_tick(const struct ryde_unicorn_herd *h);
/*
 * Appends up to max lines of the present tick, each with its newline, one per unicorn,
 * and moves on to the next tick after the last one. Returns how many; fewer than there
 * were to come only where out failed.
 */
size_t ryde_unicorn_put(struct ryde_unicorn_herd *h, size_t max, struct ryde_buf *out);

#endif
