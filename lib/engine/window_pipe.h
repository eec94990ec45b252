/* A window in a pipe: lines in, rows out, and in a group's pipe the positions that a
 * restart needs. */
#ifndef RYDE_ENGINE_WINDOW_PIPE_H
#define RYDE_ENGINE_WINDOW_PIPE_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_rejects;
struct ryde_waits;
struct ryde_window_def;
struct ryde_writer;

struct ryde_window_pipe_opts {
	const struct ryde_window_def *def; /* finished */
	struct ryde_intake *intake; /* of RYDE_ACK_WINDOW, with def's fingerprint */
	struct ryde_writer *out;
	struct ryde_rejects *late; /* late lines go there; NULL: they are only counted */
	struct ryde_books
	    *books;	  /* handled, filtered, late, pending and out are counted here */
	bool flush;	  /* in a group: print open windows at the end, as they stand */
	bool no_flush;	  /* of plain input: do not print them, they are pending */
	int64_t every_ms; /* show open windows so often, by the clock of data; 0: never */
	bool passes_rejects; /* rejects are kept, and do not stop the program */
	void (*tick)(void *arg, struct ryde_waits *w); /* every turn of the loop */
	void *arg;
};

/*
 * Runs to the end of the input. Everything is borrowed. Returns the exit status that the
 * input calls for, or -1 with err set, or -1 with err untouched where the other end of
 * `out` is gone.
 *
 * A line is handled once it is in its window. In a group it stays so at the end, counted
 * in `seen`; of plain input that ended uncleanly, lines in open windows are pending.
 */
int ryde_window_pipe(const struct ryde_window_pipe_opts *o, struct ryde_err *err);

#endif
