/* Lines into a stream: what ryde-produce does. */
#ifndef RYDE_ENGINE_PRODUCE_H
#define RYDE_ENGINE_PRODUCE_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_store_settings;
struct ryde_waits;
struct ryde_writer;

struct ryde_produce_opts {
	const struct ryde_store_settings *store;
	const char *stream;
	const char *key;      /* -k path, NULL: the envelope's key, else spread evenly */
	const char *hash_key; /* --hash-key path, NULL */
	int64_t batch_size;   /* 0: as many as are at hand */
	int64_t linger_ms, retry_for_ms, rate_per_s;
	bool newline, receipts, dry_run, ordered;
	bool aggregate; /* pack lines of one shard into one record */
	struct ryde_intake *intake;
	struct ryde_writer *out; /* for receipts and --dry-run */
	struct ryde_books *books;
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

/* Runs to the end of the input; returns the exit status, err set where a message is due.
 */
int ryde_produce(const struct ryde_produce_opts *opts, struct ryde_err *err);

#endif
