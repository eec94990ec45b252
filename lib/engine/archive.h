/* Lines into an archive: what ryde-archive does. */
#ifndef RYDE_ENGINE_ARCHIVE_H
#define RYDE_ENGINE_ARCHIVE_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_store_settings;
struct ryde_waits;
struct ryde_writer;

struct ryde_archive_opts {
	const struct ryde_store_settings *store;
	const char *place;
	int64_t size_bytes, every_ms; /* of an object: the first that is reached */
	int level;		      /* of gzip, 1 to 9; 0: plain */
	const char *prefix;	      /* NULL: yyyy/MM/dd/HH/ */
	const char *error_prefix;     /* NULL: lines that cannot be handled are rejects */
	const char *time;	      /* a path: the time of the prefix; NULL: arrival */
	bool receipts;
	bool has_rejects; /* --rejects is given */
	int64_t retry_for_ms;
	struct ryde_writer *out; /* receipts */
	struct ryde_books *books;
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

struct ryde_archiver;

/*
 * Opens the place and reads the expressions. Where there is an error prefix, the intake's
 * rejects must come to ryde_archiver_keep (struct ryde_intake_opts, keep).
 */
struct ryde_archiver *ryde_archiver_new(
    const struct ryde_archive_opts *opts, struct ryde_err *err);
void ryde_archiver_free(struct ryde_archiver *a);
/* Takes a line that cannot be handled into an object of the error prefix. */
int ryde_archiver_keep(void *archiver, const char *error, uint64_t number,
    uint64_t ticket, struct ryde_view data, struct ryde_err *err);
/* Runs to the end of the input; returns the exit status, err set where a message is due.
 */
int ryde_archiver_run(
    struct ryde_archiver *a, struct ryde_intake *intake, struct ryde_err *err);

#endif
