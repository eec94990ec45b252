/* Lines into a table: what ryde-put does. */
#ifndef RYDE_ENGINE_PUT_H
#define RYDE_ENGINE_PUT_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_store_settings;
struct ryde_waits;
struct ryde_writer;

struct ryde_put_opts {
	const struct ryde_store_settings *store;
	const char *table;
	int64_t batch_size; /* 0: as many as are at hand */
	int64_t retry_for_ms;
	bool dry_run;
	struct ryde_intake *intake;
	struct ryde_writer *out; /* --dry-run */
	struct ryde_books *books;
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

/* Runs to the end of the input; returns the exit status, err set where a message is due.
 */
int ryde_put(const struct ryde_put_opts *opts, struct ryde_err *err);

#endif
