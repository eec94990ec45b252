/*
 * Handlers that are kept running, and are given one batch after the other: those of
 * --keep (process_keep.h) and Lambda runtimes (process_runtime.h). As in Lambda there is
 * one instance for each call that runs at the same time; an instance that is done waits
 * for the next call, and one that has died is replaced at the next call.
 */
#ifndef RYDE_ENGINE_PROCESS_POOL_H
#define RYDE_ENGINE_PROCESS_POOL_H

#include "engine/process_call.h"
#include "engine/process_spawn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_process_instance;
struct ryde_waits;

/* What all instances are started with. Borrowed, but for env. */
struct ryde_process_pool {
	const struct ryde_process_instance_ops *ops;
	const char *path;
	char *const *argv;
	char *const *envp; /* n_env strings */
	size_t n_env;
	const char *function; /* the command's name, without its folders */
	const char *region;
	bool one_line; /* --keep: a batch is one line, and so is its answer */
	struct ryde_process_instance *idle;
};

struct ryde_process_instance_ops {
	/* Starts one. NULL as ryde_process_spawn_start. */
	struct ryde_process_instance *(*start)(
	    struct ryde_process_pool *pool, struct ryde_err *err);
	/* Begins a call; the instance has none. */
	int (*begin)(struct ryde_process_instance *i,
	    const struct ryde_process_call_task *task, struct ryde_err *err);
	/* Between calls: serves what comes. False once it cannot be used any more. */
	bool (*idle)(struct ryde_process_instance *i, int64_t now_mono_ms);
	void (*wait)(const struct ryde_process_instance *i, struct ryde_waits *w);
	/* Asks it to end. */
	void (*bye)(struct ryde_process_instance *i, int64_t now_mono_ms);
	/* Frees what it holds, but for itself; its process is gone. */
	void (*clear)(struct ryde_process_instance *i);
};

struct ryde_process_instance {
	struct ryde_process_call call; /* first, of what it does now */
	struct ryde_process_spawned process;
	struct ryde_process_pool *pool;
	struct ryde_process_instance *next; /* that is idle */
	bool broken;			    /* not to be used again */
};

/* A call by an idle instance, or by a new one. NULL as ryde_process_spawn_start. */
struct ryde_process_call *ryde_process_pool_call(struct ryde_process_pool *pool,
    const struct ryde_process_call_task *task, struct ryde_err *err);
/* For ops->free of calls: the instance is free for the next call, or is ended. */
void ryde_process_pool_return(struct ryde_process_call *call);

/* Looks after idle instances. */
void ryde_process_pool_turn(struct ryde_process_pool *pool, int64_t now_mono_ms);
void ryde_process_pool_wait(const struct ryde_process_pool *pool, struct ryde_waits *w);
/* Ends all idle instances; waits for them, but RYDE_PROCESS_SPAWN_KILL_MS at most. */
void ryde_process_pool_close(struct ryde_process_pool *pool);

/*
 * The environment of an instance: the pool's, and the strings in more (each with its
 * NUL), which win over the pool's of the same name. An array that ends in NULL, to be
 * freed; its strings are the pool's and those in more.
 */
char **ryde_process_pool_environment(
    const struct ryde_process_pool *pool, struct ryde_buf *more, struct ryde_err *err);

#endif
