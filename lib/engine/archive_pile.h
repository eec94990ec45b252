/*
 * Lines on their way into an archive: a pile for each prefix and shard, at most one
 * object of each being filled. A pile is cut when it is large or old enough; what was cut
 * is made durable a little later, in order, so that the disk works meanwhile.
 *
 * Memory is bounded: what does not fit goes to the object, which nobody sees yet.
 */
#ifndef RYDE_ENGINE_ARCHIVE_PILE_H
#define RYDE_ENGINE_ARCHIVE_PILE_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_archive;
struct ryde_archive_piles;
struct ryde_err;
struct ryde_line;

/* An object that is durable. */
struct ryde_archive_durable {
	const char *name;
	const uint64_t *tickets; /* of those lines that have one */
	size_t n_tickets;
	uint64_t lines, bytes, stored; /* bytes before and after packing */
	bool is_error;		       /* it holds lines that could not be handled */
};

struct ryde_archive_pile_opts {
	struct ryde_archive *archive;
	int64_t size_bytes; /* an object's, before compression */
	int64_t every_ms;   /* its age */
	int level;	    /* of gzip, 1 to 9; 0: not packed */
	/* Told of each object; -1 ends everything. */
	int (*durable)(
	    void *arg, const struct ryde_archive_durable *d, struct ryde_err *err);
	void *arg;
};

/* One line for the archive, views borrowed for the call. */
struct ryde_archive_line {
	struct ryde_view prefix;      /* as ryde_archive_prefix_put wrote it */
	struct ryde_view text;	      /* no newline in it */
	const struct ryde_line *line; /* where it came from */
	int64_t at_ms;		      /* its time */
	uint64_t ticket;
	bool is_error;
};

struct ryde_archive_piles *ryde_archive_piles_new(
    const struct ryde_archive_pile_opts *opts, struct ryde_err *err);
void ryde_archive_piles_free(struct ryde_archive_piles *p);

/*
 * 1: taken, 0: the archive holds it already, 2: nothing was done, make everything durable
 * (ryde_archive_piles_commit with all set) and add it again; -1: RYDE_ETEMPFAIL and
 * RYDE_EUNAVAILABLE can be tried again.
 */
int ryde_archive_piles_add(struct ryde_archive_piles *p,
    const struct ryde_archive_line *line, struct ryde_err *err);
/* Cuts what has its size, and more where too much is in hand. Call it after add. */
int ryde_archive_piles_relieve(struct ryde_archive_piles *p, struct ryde_err *err);
/* Cuts what is old enough; with all set, everything. Failures as those of commit. */
int ryde_archive_piles_cut(
    struct ryde_archive_piles *p, int64_t now_mono_ms, bool all, struct ryde_err *err);
/*
 * Makes cut objects durable: those that have waited long enough or are too many, with all
 * set every one. -1 with RYDE_ETEMPFAIL or RYDE_EUNAVAILABLE can be tried again.
 */
int ryde_archive_piles_commit(
    struct ryde_archive_piles *p, int64_t now_mono_ms, bool all, struct ryde_err *err);
/* True where too much is cut and not durable: call commit before adding more. */
bool ryde_archive_piles_pressed(const struct ryde_archive_piles *p);
/* When the oldest pile is to be cut, INT64_MAX where there is none. */
int64_t ryde_archive_piles_due_mono_ms(const struct ryde_archive_piles *p);
/* Lines that were taken and are not durable. */
uint64_t ryde_archive_piles_pending(const struct ryde_archive_piles *p);

#endif
