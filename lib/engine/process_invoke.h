/*
 * --invoke: a call is an invocation of a real Lambda function, and waits for its
 * response. Source: Lambda's API reference (Invoke, RequestResponse).
 *
 * A function that fails says so in X-Amz-Function-Error, with its errorType and
 * errorMessage as the body: that is a failed call. Where the function was not reached
 * (throttled, the service is down) nothing has failed: the call comes again and counts
 * for nothing. Where it cannot be called at all (no such function, no permission) the
 * program ends.
 */
#ifndef RYDE_ENGINE_PROCESS_INVOKE_H
#define RYDE_ENGINE_PROCESS_INVOKE_H

struct ryde_err;
struct ryde_process_call;
struct ryde_process_call_task;
struct ryde_process_invoke;
struct ryde_store_settings;
struct ryde_waits;

/*
 * function: a name, NAME:ALIAS, an ARN with or without one, or
 * 123456789012:function:NAME. It must outlive what is returned. No call is made yet. NULL
 * with RYDE_EUSAGE where it is none of these.
 */
struct ryde_process_invoke *ryde_process_invoke_open(
    const struct ryde_store_settings *settings, const char *function,
    struct ryde_err *err);
void ryde_process_invoke_close(struct ryde_process_invoke *i);

/* Begins a call; task->input is one run, the event. As ryde_process_child_start. */
struct ryde_process_call *ryde_process_invoke_start(struct ryde_process_invoke *i,
    const struct ryde_process_call_task *task, struct ryde_err *err);
/* What all calls under way wait for, and their next step. */
void ryde_process_invoke_wait(const struct ryde_process_invoke *i, struct ryde_waits *w);
int ryde_process_invoke_turn(struct ryde_process_invoke *i, struct ryde_err *err);

#endif
