/*
 * Redriving: a reader (see flow/ack_server.h) whose lines are the failed records of an
 * on-failure queue, and which deletes each message once the end of the pipe has
 * acknowledged all its records.
 *
 * What is taken is hidden from others while it is under way, and visible again when it
 * was not deleted. gen is the ordinal of the message, so that (gen, sequenceNumber) grows
 * within a shard whatever the order of the messages.
 */
#ifndef RYDE_ENGINE_REDRIVE_H
#define RYDE_ENGINE_REDRIVE_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_queue;
struct ryde_redrive;
struct ryde_store_settings;
struct ryde_waits;

struct ryde_redrive_opts {
	int sinks;	      /* --sinks */
	int64_t max_messages; /* -n; -1: all */
	int64_t max_redrives; /* messages redriven so often already are left */
	int64_t grace_ms; /* how long after the last progress acknowledgements are waited
			     for */
};

/* Settings and queue are borrowed. Only messages sent until now are taken. */
struct ryde_redrive *ryde_redrive_new(const struct ryde_store_settings *settings,
    struct ryde_queue *queue, const struct ryde_redrive_opts *opts, struct ryde_err *err);
/* Makes visible what was taken and not deleted. */
void ryde_redrive_free(struct ryde_redrive *r);

enum ryde_redrive_step {
	RYDE_REDRIVE_MORE,    /* something was appended to out, or done: step again */
	RYDE_REDRIVE_WAIT,    /* too much is under way: wait, turn, step again */
	RYDE_REDRIVE_PRINTED, /* everything was printed */
	RYDE_REDRIVE_FAILED,  /* err */
};
/* Puts out the next line. */
enum ryde_redrive_step ryde_redrive_step(
    struct ryde_redrive *r, struct ryde_buf *out, struct ryde_err *err);
/* Hears acknowledgements, deletes messages, keeps the others hidden. -1 when a rule of
 * acknowledgement was broken. */
int ryde_redrive_turn(struct ryde_redrive *r, struct ryde_err *err);
void ryde_redrive_wait(const struct ryde_redrive *r, struct ryde_waits *w);
/* Takes no more messages and gives up the one that is half printed: on a signal to stop.
 */
void ryde_redrive_stop(struct ryde_redrive *r);
/* Appends the end mark: after PRINTED. */
void ryde_redrive_end(struct ryde_redrive *r, struct ryde_buf *out);
/* Call it once the end mark is out and stdout is closed; then turn until this is true. */
void ryde_redrive_ended(struct ryde_redrive *r);
bool ryde_redrive_over(struct ryde_redrive *r);

struct ryde_redrive_counts {
	uint64_t messages, records;	/* printed */
	uint64_t deleted, acknowledged; /* messages, and their records */
	uint64_t missing;		/* records that are held no more */
	uint64_t
	    left; /* messages not taken: redriven too often, or no on-failure document */
	uint64_t unread; /* of these: no on-failure document, or a stream that is gone */
	uint64_t half;	 /* messages given up half printed */
};
struct ryde_redrive_counts ryde_redrive_counts(const struct ryde_redrive *r);

#endif
