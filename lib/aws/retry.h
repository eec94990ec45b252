/*
 * When a call is tried again, decided by pure functions: of the fault, the attempts so
 * far, the quota, the time and a random number.
 *
 * Source: botocore's retries/standard.py and quota.py with the values of its 2026 mode
 * (50 ms base for faults of the service or the network, 1 s after throttles; a retry
 * costs 14 tokens of 500, or 5 after a throttle), adaptive.py and throttling.py (CUBIC
 * pacing).
 */
#ifndef RYDE_AWS_RETRY_H
#define RYDE_AWS_RETRY_H

#include "aws/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_backoff_budget;

#define RYDE_AWS_ATTEMPTS 3
#define RYDE_AWS_RETRY_CAP_MS 20000
#define RYDE_AWS_SKEW_MS 300000 /* a clock that is off by less is not to blame */

/* What one call has been through. */
struct ryde_aws_tries {
	int made;	   /* attempts */
	int most;	   /* allowed */
	unsigned paid;	   /* tokens of the quota that its last retry took */
	bool clock_mended; /* it was tried again because of our clock, */
	bool keys_renewed; /* or because of old credentials: once each */
	bool started;	   /* the caller has already taken some of a reply */
};

enum ryde_aws_verdict {
	RYDE_AWS_STOP,	      /* the call has failed */
	RYDE_AWS_AGAIN,	      /* after *delay_ms */
	RYDE_AWS_AGAIN_CLOCK, /* at once, with the clock set by the answer's date */
	RYDE_AWS_AGAIN_KEYS,  /* at once, with new credentials */
};

/*
 * Decides after a failed attempt. skew_ms is the service's clock minus the one that the
 * attempt was signed with (0 where the answer had no date); unit is random in [0, 1).
 * Takes from the quota, and notes in tries, what it decides.
 */
enum ryde_aws_verdict ryde_aws_retry_decide(struct ryde_aws_tries *tries,
    const struct ryde_aws_fault *fault, int64_t skew_ms,
    struct ryde_backoff_budget *quota, double unit, int64_t *delay_ms);
/* A call has worked: gives back to the quota. */
void ryde_aws_retry_worked(
    struct ryde_aws_tries *tries, struct ryde_backoff_budget *quota);

/*
 * How fast calls may start, once the service has said that they come too fast: a bucket
 * of tokens whose rate falls to 70 % with each throttle and grows again along a cubic
 * curve.
 */
struct ryde_aws_pace {
	bool on;
	double rate;		/* calls per second */
	double tokens, most;	/* in the bucket, and when it is full */
	int64_t filled_mono_ms; /* when tokens was right */
	double last_max;	/* the rate that was too fast */
	int64_t throttled_mono_ms;
	double window_s; /* until the curve is back at last_max */
	/* the rate of calls as measured, in half seconds */
	double measured;
	int64_t bucket;
	int64_t count;
};

/* Takes a token for a call that starts now: -> 0, or the milliseconds until one will be
 * there (then ask again). */
int64_t ryde_aws_pace_take(struct ryde_aws_pace *p, int64_t now_mono_ms);
/* A call has ended. */
void ryde_aws_pace_update(struct ryde_aws_pace *p, bool throttled, int64_t now_mono_ms);

#endif
