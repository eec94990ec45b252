/*
 * Starting a command: where it is, its pipes, its process. Never fork(): a process with
 * much memory pays for that; posix_spawn and vfork do not. The command leads a process
 * group of its own, so that a Ctrl-C at the terminal is not its failure.
 */
#ifndef RYDE_ENGINE_PROCESS_SPAWN_H
#define RYDE_ENGINE_PROCESS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ryde_err;

#define RYDE_PROCESS_SPAWN_KILL_MS 2000

/*
 * Finds a command as a shell does (PATH, unless its name has a slash); the path is
 * malloc'd. NULL with RYDE_ENOINPUT where there is none, RYDE_ECONFIG where what is there
 * cannot be executed.
 */
char *ryde_process_spawn_find(const char *name, struct ryde_err *err);

/* A pipe whose end `ours` (0 or 1) does not block. Both are closed by exec. -1 with
 * RYDE_ETEMPFAIL. */
int ryde_process_spawn_pipe(int fds[2], int ours, struct ryde_err *err);
/* Closes *fd unless it is -1, and makes it -1. */
void ryde_process_spawn_close(int *fd);

struct ryde_process_spawn {
	const char *path;
	char *const *argv;
	char *const *envp;
	int in;		  /* becomes its stdin */
	int out;	  /* becomes its stdout; -1: our stderr does */
	bool die_with_us; /* it gets SIGTERM when this process dies, however that happens
			   */
};

/*
 * Starts it; *pid leads its group. -1 with RYDE_ENOINPUT (no such command), RYDE_ECONFIG
 * (it cannot be executed), or RYDE_ETEMPFAIL (no process, memory or descriptor to be had
 * now).
 */
int ryde_process_spawn_start(
    const struct ryde_process_spawn *s, pid_t *pid, struct ryde_err *err);

/* A process that was started, until it is reaped. {0} is none: it has exited. */
struct ryde_process_spawned {
	pid_t pid;	 /* 0: none, or reaped */
	int wait_status; /* once it is */
	bool told;	 /* to end, by us */
	int64_t kill_ms; /* when SIGKILL is due, monotonic; 0: not */
};
/* Tells its group to end: SIGTERM now, SIGKILL RYDE_PROCESS_SPAWN_KILL_MS later. */
void ryde_process_spawned_end(struct ryde_process_spawned *p, int64_t now_mono_ms);
/*
 * Sends what is due, looks whether it has exited, and reaps it then (SIGCHLD wakes the
 * loop). What a failed process left behind in its group gets SIGTERM, or SIGKILL where it
 * was told to end: it must not go on beside the next try. True while it runs.
 */
bool ryde_process_spawned_runs(struct ryde_process_spawned *p, int64_t now_mono_ms);
/* Kills its group and reaps it. */
void ryde_process_spawned_kill(struct ryde_process_spawned *p);

/* True where a wait status says that somebody asked it to end, by SIGTERM or SIGINT:
 * killed by it, or exited with 128 and its number as shells do. */
bool ryde_process_spawn_was_told(int wait_status);
/* "exit status 1", "killed by signal 9 (Killed)", from a wait status. */
void ryde_process_spawn_describe(int wait_status, char *to, size_t size);

#endif
