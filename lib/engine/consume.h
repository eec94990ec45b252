/*
 * Reading a stream into lines: what ryde-consume does. With a group it holds the group's
 * lease, listens for acknowledgements (flow/ack_server.h) and moves the position; without
 * one it just prints.
 */
#ifndef RYDE_ENGINE_CONSUME_H
#define RYDE_ENGINE_CONSUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_store_settings;
struct ryde_waits;

struct ryde_consume_opts {
	const struct ryde_store_settings *store;
	const char *stream;
	const char *group;	   /* NULL: none */
	const char *from;	   /* NULL, start, end, TIME, -DURATION, SEQUENCE */
	const char *to;		   /* NULL, end, TIME */
	const char *fan_out;	   /* NULL, the consumer to read as */
	int64_t count;		   /* -n; 0: no limit */
	const char *const *shards; /* --shard; n 0: all */
	size_t n_shards;
	bool envelopes, marks; /* -e, --marks */
	bool ack_write;	       /* --ack write */
	bool whole;	       /* --deaggregate off */
	bool share; /* one of several readers of the group, that divide its shards */
	int sinks;
	int64_t grace_ms;
	struct ryde_books *books;
	/* called every turn: progress, metrics; lag_ms is -1 where unknown */
	void (*tick)(void *arg, struct ryde_waits *w, int64_t lag_ms);
	void (*ready)(void *arg);
	void *arg;
};

/*
 * Runs to the end. *closed becomes true when the other end of stdout is gone (end as cat
 * does). Returns the exit status, with err set where a message is due.
 */
int ryde_consume(
    const struct ryde_consume_opts *opts, bool *closed, struct ryde_err *err);

/* Whether `from` is a sequence number. */
bool ryde_consume_from_sequence(const char *from);

/* One NDJSON line per shard on stdout: position and lag, for --status. */
int ryde_consume_status(const struct ryde_consume_opts *opts, struct ryde_err *err);

#endif
