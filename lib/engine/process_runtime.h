/*
 * --runtime-api: the Lambda Runtime API, served to a runtime that is started once and
 * asks for one event after the other: the interface clients of Lambda's languages, or a
 * bootstrap script. Source: "Using the Lambda runtime API for custom runtimes" in
 * Lambda's developer guide, version 2018-06-01; the environment: "Defined runtime
 * environment variables".
 *
 *	GET  …/runtime/invocation/next		an event, once there is one
 *	POST …/runtime/invocation/ID/response	its response
 *	POST …/runtime/invocation/ID/error	it has failed
 *	POST …/runtime/init/error		the runtime cannot be used
 *
 * Each instance has an address of its own on 127.0.0.1, so that who asks is known. Only
 * processes of our own user and root's are served. A runtime that dies fails its call,
 * and a new one is started for the next; it gets SIGTERM when this process dies.
 */
#ifndef RYDE_ENGINE_PROCESS_RUNTIME_H
#define RYDE_ENGINE_PROCESS_RUNTIME_H

struct ryde_process_instance_ops;

extern const struct ryde_process_instance_ops ryde_process_runtime_ops;

#endif
