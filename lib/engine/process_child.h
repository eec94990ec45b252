/*
 * One run of a command: its input fed through a pipe, its output captured, its time
 * limited.
 *
 * - Input goes out with writev, straight from where it lies, as the pipe takes it. A
 * command that does not read it (EPIPE) is judged by its exit status alone. When this
 * process dies, the command's stdin ends.
 * - The run ends when the command itself has exited, whatever it left running. Captured
 * output is taken until its end, or for one second after the exit where something it left
 * behind still holds it open.
 * - Over its time it gets SIGTERM, and SIGKILL two seconds later, both to the whole
 * group.
 */
#ifndef RYDE_ENGINE_PROCESS_CHILD_H
#define RYDE_ENGINE_PROCESS_CHILD_H

#include <sys/uio.h>

struct ryde_err;
struct ryde_process_call;
struct ryde_process_call_task;

#define RYDE_PROCESS_CHILD_LINGER_MS 1000

/*
 * Starts a run as a call. NULL with RYDE_ENOINPUT, RYDE_ECONFIG or RYDE_ETEMPFAIL, as
 * ryde_process_spawn_start. Freeing it kills (SIGKILL, the group) what still runs.
 */
struct ryde_process_call *ryde_process_child_start(
    const struct ryde_process_call_task *task, struct ryde_err *err);

/* Drops n bytes from the front of an array of runs. */
void ryde_process_child_advance(struct iovec **input, int *n_input, size_t n);

#endif
