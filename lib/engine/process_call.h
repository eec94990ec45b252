/*
 * One call of the handler, whatever kind of handler that is: a command that is started
 * for it (process_child.h), one that is kept running (process_keep.h), a Lambda
 * runtime (process_runtime.h), or a real function (process_invoke.h). Each kind has this
 * struct as its first member.
 */
#ifndef RYDE_ENGINE_PROCESS_CALL_H
#define RYDE_ENGINE_PROCESS_CALL_H

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct ryde_err;
struct ryde_process_call;
struct ryde_waits;

#define RYDE_PROCESS_CALL_ID_SIZE 37 /* a UUID and its NUL */

struct ryde_process_call_task {
	const char *path; /* of the command, from ryde_process_spawn_find */
	char *const *argv;
	char *const *envp;
	/* What it reads. The array is used up while it is written; it and its bytes must
	 * live until the call has ended. */
	struct iovec *input;
	int n_input;
	bool capture; /* what it prints is ours to read; else it goes to our stderr */
	int64_t timeout_ms; /* 0: none */
	const char *id;	    /* of the request, RYDE_PROCESS_CALL_ID_SIZE with its NUL */
};

struct ryde_process_call_ops {
	/* Writes, reads, looks, sends due signals; never blocks. True once the call has
	 * ended. */
	bool (*turn)(struct ryde_process_call *c, int64_t now_mono_ms);
	/* Adds descriptors and deadlines. The end of a process wakes the loop by SIGCHLD
	 * (base/signals.h). */
	void (*wait)(const struct ryde_process_call *c, struct ryde_waits *w);
	/* Ends it from outside: its result then says stopped. */
	void (*stop)(struct ryde_process_call *c, int64_t now_mono_ms);
	/* What it printed, or its response, good while c is. -1 where it cannot be had.
	 */
	int (*output)(
	    struct ryde_process_call *c, struct ryde_view *out, struct ryde_err *err);
	/* The call is over, or given up: frees it, or makes its handler free for the
	 * next. */
	void (*free)(struct ryde_process_call *c);
};

struct ryde_process_call {
	const struct ryde_process_call_ops *ops;
	bool given; /* it has all that it reads */
	/* After the end. */
	bool succeeded; /* within its time, output kept whole */
	bool stopped;	/* by ops->stop: that is not the handler's failure */
	bool told;	/* somebody else has told it to end: SIGTERM or SIGINT */
	bool lingered;	/* something that it left behind held its output open */
	/* Set where the handler was not reached, which is not its failure: with
	 * RYDE_EUNAVAILABLE the call comes again, with others the program ends. */
	struct ryde_err unreached;
	char what[160];		      /* "exit status 1", "timed out after 60.000 s" */
	int64_t started_ms, ended_ms; /* monotonic */
};

/* Says in what that the time was over. */
void ryde_process_call_timed_out(struct ryde_process_call *c, int64_t timeout_ms);
/* When a call that began at started_ms times out; RYDE_WAITS_FOREVER where it does not.
 */
int64_t ryde_process_call_timeout_at(int64_t started_ms, int64_t timeout_ms);
/* A new request's id into to[RYDE_PROCESS_CALL_ID_SIZE]. */
int ryde_process_call_id(char *to, struct ryde_err *err);

#endif
