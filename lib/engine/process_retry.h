/*
 * What becomes of a batch after a call of the command: the whole policy of retries,
 * bisecting and age, as a pure function of what is known. Source: Lambda's event source
 * mapping for streams (retry attempts, bisect batch on function error, maximum record
 * age); where its documents are silent, the reading is written here.
 *
 * - `retries` counts calls after the first one: N means N + 1 calls of an unchanged
 * batch.
 * - Splitting is free: a failed batch of several records is cut in two at once, without
 * delay, and each half starts with a fresh count. Only a batch that cannot be split any
 * more uses up retries.
 * - The count starts anew when records before the batch were done or discarded (the
 * checkpoint moved).
 * - A call that did not reach the command (no process could be made) uses up no retry.
 */
#ifndef RYDE_ENGINE_PROCESS_RETRY_H
#define RYDE_ENGINE_PROCESS_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_process_retry_rules {
	int64_t retries;    /* -1: for ever */
	int64_t max_age_ms; /* -1: any age */
	bool bisect;
	int64_t base_ms, cap_ms; /* of the delay between calls */
};

enum ryde_process_retry_outcome {
	RYDE_PROCESS_RETRY_OK,	    /* the command succeeded */
	RYDE_PROCESS_RETRY_FAILED,  /* it ran and failed */
	RYDE_PROCESS_RETRY_NOT_RUN, /* it could not be started for now */
};

enum ryde_process_retry_do {
	RYDE_PROCESS_RETRY_ADVANCE, /* the batch is done */
	RYDE_PROCESS_RETRY_BISECT,  /* cut it in two, run the lower half now */
	RYDE_PROCESS_RETRY_DELAY,   /* run it again after delay_ms */
	RYDE_PROCESS_RETRY_DISCARD, /* retries are exhausted */
};

struct ryde_process_retry {
	enum ryde_process_retry_do what;
	int64_t delay_ms; /* RYDE_PROCESS_RETRY_DELAY */
};

/*
 * calls is how often the batch, as it is now, was run, the last call included; records
 * its size; unit a random number in [0, 1).
 */
struct ryde_process_retry ryde_process_retry_decide(
    const struct ryde_process_retry_rules *rules, enum ryde_process_retry_outcome outcome,
    unsigned calls, size_t records, double unit);

/* True where a record that arrived at arrival_ms is too old at now_ms, both on the clock
 * of data. */
bool ryde_process_retry_expired(
    const struct ryde_process_retry_rules *rules, int64_t arrival_ms, int64_t now_ms);

#endif
