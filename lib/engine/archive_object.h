/*
 * One object being filled: lines, where they came from, and gzip. Private to
 * archive_pile.c.
 */
#ifndef RYDE_ENGINE_ARCHIVE_OBJECT_H
#define RYDE_ENGINE_ARCHIVE_OBJECT_H

#include "base/buf.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_archive;
struct ryde_archive_object;
struct ryde_archive_zip;
struct ryde_err;
struct ryde_line;

#define RYDE_ARCHIVE_CHUNK \
	((size_t)256 << 10) /* bytes gathered before they are written */

struct ryde_archive_filling {
	struct ryde_archive_filling *next;  /* among those that are cut */
	struct ryde_archive_object *object; /* NULL until something is written */
	struct ryde_archive_zip *zip;	    /* while a gzip member is open */
	struct ryde_buf mem;		    /* gathered, not written */
	struct ryde_pos first, last;	    /* of a shard's lines */
	int64_t oldest_ms, began_mono_ms, cut_mono_ms;
	uint64_t bytes, lines, stored;
	uint64_t *tickets;
	size_t n_tickets, cap_tickets;
	char *name;	/* once it is cut */
	size_t name_n;	/* without its ending */
	unsigned names; /* that were taken */
	bool is_error;
};

/*
 * gzip for some objects at a time: each open member takes 256 KB, so that only a few are
 * open; another one's is ended when there are too many, and it goes on in a new member.
 */
struct ryde_archive_zips;
struct ryde_archive_zips *ryde_archive_zips_new(int level, struct ryde_err *err);
void ryde_archive_zips_free(struct ryde_archive_zips *z);

struct ryde_archive_filling *ryde_archive_filling_new(struct ryde_err *err);
/* Forgets it: the object too, where there is one. */
void ryde_archive_filling_free(
    struct ryde_archive_filling *f, struct ryde_archive_zips *zips);
/* Counts a line at pos, of so many bytes. */
void ryde_archive_filling_count(struct ryde_archive_filling *f,
    const struct ryde_line *line, const struct ryde_pos *pos, int64_t at_ms,
    size_t bytes);
int ryde_archive_filling_ticket(
    struct ryde_archive_filling *f, uint64_t ticket, struct ryde_err *err);
/*
 * Writes what is gathered, and `more` behind it, to the object; zips is NULL where
 * nothing is packed. With last set the object becomes complete.
 */
int ryde_archive_filling_write(struct ryde_archive_filling *f, struct ryde_archive *a,
    struct ryde_archive_zips *zips, struct ryde_view more, bool last,
    struct ryde_err *err);

#endif
