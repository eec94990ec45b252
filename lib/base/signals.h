/*
 * Signals as bytes in a pipe. SIGINT and SIGTERM ask for a clean end; the second one ends
 * the process at once, unless the sender of the first has only said it again within
 * RYDE_SIGNALS_REPEAT_MS, as timeout(1) does. SIGPIPE is ignored: writers see EPIPE, and
 * ryde_signals_die_of_pipe ends as cat would. SIGCHLD wakes the loop.
 */
#ifndef RYDE_BASE_SIGNALS_H
#define RYDE_BASE_SIGNALS_H

#include <stdbool.h>

#define RYDE_SIGNALS_REPEAT_MS 1000

struct ryde_err;

/* Installs the handlers, once per process. */
int ryde_signals_init(struct ryde_err *err);
/* The descriptor that becomes readable when a signal has come; -1 before init. */
int ryde_signals_fd(void);
/* Empties the pipe. Call it each time the loop wakes. */
void ryde_signals_drain(void);
/* The number of SIGINT/SIGTERM that came (0 or 1: the second one does not return). */
int ryde_signals_stop(void);
/* True once for each group of SIGCHLD since the last call. */
bool ryde_signals_child(void);
/* Restores the default action of SIGPIPE and raises it: status 141 in a shell. Does not
 * return. */
_Noreturn void ryde_signals_die_of_pipe(void);
/* For the child of a fork(): the default actions again, and the pipe, which is the
 * parent's, is not looked at any more (nor closed). */
void ryde_signals_reset(void);

#endif
