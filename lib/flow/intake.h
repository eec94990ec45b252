/*
 * What every program that reads lines does with them before its own work begins: read,
 * take apart, run -f, take in for acknowledgement, keep the books, reject bad ones. A
 * program loops:
 *
 *	for (;;) {
 *		switch (ryde_intake_next(in, &item, &err)) {
 *		case RYDE_INTAKE_ITEM:
 *			… item.payload …; once durable: ryde_intake_done(in, item.ticket)
 *			continue;
 *		case RYDE_INTAKE_MARK:
 *			… it is passed on, or nothing …
 *			continue;
 *		case RYDE_INTAKE_AGAIN:
 *			ryde_waits_begin, …, ryde_intake_wait, ryde_waits_poll;
 *			ryde_intake_turn;
 *			continue;
 *		case RYDE_INTAKE_END:
 *			… what is gathered is flushed …
 *			break;
 *		case RYDE_INTAKE_FAILED:
 *			… stop, with err …
 *			break;
 *		}
 *	}
 */
#ifndef RYDE_FLOW_INTAKE_H
#define RYDE_FLOW_INTAKE_H

#include "base/view.h"
#include "flow/ack_sink.h"
#include "line/envelope.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_waits;

struct ryde_intake_opts {
	char *const *files; /* operands; n 0: stdin */
	int n_files;
	const char *filter;  /* -f, or NULL */
	const char *rejects; /* --rejects, or NULL */
	bool strict;	     /* --strict */
	int64_t grace_ms; /* --grace: how long input may go on after a signal to stop */
	enum ryde_ack_role role;
	const char *fingerprint; /* RYDE_ACK_WINDOW */
	const char *program;
	struct ryde_books *books; /* in, filtered, rejected are counted here; the program
				     counts the rest */
	/* NULL, or a place of the program's own for rejects, in place of --rejects. It
	 * counts them, and says done once they are safe there. */
	int (*keep)(void *arg, const char *error, uint64_t number, uint64_t ticket,
	    struct ryde_view payload, struct ryde_err *err);
	void *keep_arg;
};

/* Everything is borrowed and must outlive the intake. */
struct ryde_intake *ryde_intake_new(
    const struct ryde_intake_opts *opts, struct ryde_err *err);
void ryde_intake_free(struct ryde_intake *in);

enum ryde_intake_event {
	RYDE_INTAKE_ITEM,
	RYDE_INTAKE_MARK,
	RYDE_INTAKE_AGAIN,
	RYDE_INTAKE_END, /* the end of input, or --grace is over, or --strict stopped it:
			    see ryde_intake_status */
	RYDE_INTAKE_FAILED,
};

/* One payload with where it came from. Views are good until the next call of next or
 * turn; those into the line itself (all but a `changed` payload) until the next turn. */
struct ryde_item {
	struct ryde_line line;	  /* as it came; line.data is the payload before -f */
	struct ryde_view payload; /* what to work on: after -f, base64 decoded, without
				     the newline that `lf` tells of */
	size_t behind;		  /* so many bytes behind payload may be read */
	uint64_t ticket;	  /* for ryde_intake_done; 0 where nothing hangs on it */
	uint64_t number;	  /* of its line */
	bool more;    /* -f made more items of this line: not the last one (the ticket is
			 with the last) */
	bool changed; /* payload is not the line's own text */
};

enum ryde_intake_event ryde_intake_next(
    struct ryde_intake *in, struct ryde_item *item, struct ryde_err *err);
/*
 * Behind an item that was a plain payload: what is read and not yet given, for those who
 * take the payloads that follow, many of them at once, themselves. They take whole lines
 * from its beginning that are bare (ryde_line_is_bare) and no longer than RYDE_LINE_MAX,
 * and say how many bytes, with their newlines, and how many lines: these are then counted
 * as read. Empty where lines must go through next. RYDE_READER_BEHIND bytes behind it may
 * be read.
 */
struct ryde_view ryde_intake_rest(const struct ryde_intake *in);
void ryde_intake_took(struct ryde_intake *in, size_t bytes, uint64_t lines);
/* Adds input, acknowledgement sockets and deadlines to what is waited for. */
void ryde_intake_wait(struct ryde_intake *in, struct ryde_waits *w);
/* The same without the input: while the program cannot take more. */
void ryde_intake_wait_quietly(struct ryde_intake *in, struct ryde_waits *w);
/*
 * Reads when something is there, sends acknowledgements, hears readers. Call it after
 * each wait, and now and then in long work. -1 with RYDE_ETEMPFAIL when a reader is gone:
 * begin no new effect, drop the rest.
 */
int ryde_intake_turn(struct ryde_intake *in, struct ryde_err *err);
/* Acknowledgements only, without reading: while the program cannot take more. */
int ryde_intake_turn_quietly(struct ryde_intake *in, struct ryde_err *err);

/* The item's effects are durable, or it needs none. */
void ryde_intake_done(struct ryde_intake *in, uint64_t ticket);
void ryde_intake_done_all(struct ryde_intake *in);
/*
 * The item cannot be handled: it is counted and said on stderr with its line's number,
 * and goes to --rejects (synced before anything later is acknowledged). Without
 * --rejects, and with --strict, the program stops at it: next then gives END, and the
 * item stays unacknowledged in a group (rule 4). Counts it as rejected. -1 only where
 * writing --rejects failed.
 */
int ryde_intake_reject(struct ryde_intake *in, const struct ryde_item *item,
    const char *error, struct ryde_err *err);
/* The same for an item whose views are gone: its line's number, ticket and payload. */
int ryde_intake_reject_late(struct ryde_intake *in, uint64_t number, uint64_t ticket,
    struct ryde_view payload, const char *error, struct ryde_err *err);
/* Syncs --rejects. Call before passing lines on. */
int ryde_intake_sync(struct ryde_intake *in, struct ryde_err *err);

/* True once a signal asked to stop and --grace is over: what is under way is given up. */
bool ryde_intake_late(const struct ryde_intake *in);
/* After END: true where the input is whole (rule 3), so that what only an end justifies
 * may be done. */
bool ryde_intake_clean(const struct ryde_intake *in);
/* Says goodbye to the readers after everything was done. -1 with RYDE_ETEMPFAIL where
 * acknowledgements could not be sent. */
int ryde_intake_finish(struct ryde_intake *in, struct ryde_err *err);
/* The exit status that the input calls for: 0, 65 after rejects, 75 after an unclean end
 * or an exceeded --grace. */
int ryde_intake_status(const struct ryde_intake *in);

struct ryde_ack_sink *ryde_intake_sink(struct ryde_intake *in);
/* The reader, for progress. */
struct ryde_reader *ryde_intake_reader(struct ryde_intake *in);

#endif
