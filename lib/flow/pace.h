/*
 * When a shard may be asked for records again. The service gives each shard so many calls
 * and so many bytes a second, to all of its readers together, and tells none of them what
 * the others take: so a reader that is refused waits, and asks less often from then on,
 * until calls go well again. One for each shard that is read. It neither waits nor reads
 * a clock: the caller brings the time (a monotonic clock) and the random number.
 *
 * Source: the service's limits, 5 GetRecords calls and 2 MB a second and shard: "Amazon
 * Kinesis Data Streams Quotas and Limits".
 */
#ifndef RYDE_FLOW_PACE_H
#define RYDE_FLOW_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RYDE_PACE_BEHIND_MS 200	 /* from call to call: five a second */
#define RYDE_PACE_FLOWING_MS 400 /* at the tip, and records came */
#define RYDE_PACE_IDLE_MS 1000	 /* at the tip, and nothing came */
#define RYDE_PACE_BYTES_PER_MS 2000

struct ryde_pace {
	int64_t due_ms;	  /* when to ask next */
	int64_t asked_ms; /* when the last call was sent */
	int64_t gap_ms; /* learned: at least so long from call to call; 0: nothing yet */
	unsigned failures; /* in a row */
};

/* Begins: due at now_ms. What was learned of the shard stays. */
void ryde_pace_begin(struct ryde_pace *p, int64_t now_ms);
/* A call is sent. */
void ryde_pace_asked(struct ryde_pace *p, int64_t now_ms);
/* It gave n records of so many bytes; tip: there are no more for now. */
void ryde_pace_got(struct ryde_pace *p, size_t n, size_t bytes, bool tip);
/* It worked, and said nothing about when to ask for records: that is due at now_ms. */
void ryde_pace_worked(struct ryde_pace *p, int64_t now_ms);
/* It was refused at now_ms, since too much is asked of the shard. unit is in [0, 1). */
void ryde_pace_throttled(struct ryde_pace *p, int64_t now_ms, double unit);
/* It failed: base_ms and more with each failure in a row. */
void ryde_pace_failed(struct ryde_pace *p, int64_t now_ms, int64_t base_ms, double unit);

#endif
