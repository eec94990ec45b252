/*
 * Who is on the map: the latest line of each name. Lines are taken as fast as a pipe
 * brings them; only the newest of each name is examined, and only when a picture is due.
 * A line that a newer one of its name overtakes before that costs a look at its name.
 *
 *	ryde_map_fleet_take     each line
 *	ryde_map_fleet_take_lines  many that are alike, at once
 *	ryde_map_fleet_keep     before the memory of the lines goes away
 *	ryde_map_fleet_draw     now and then: examines what is new
 *	ryde_map_fleet_changes  what a viewer has not seen yet, never more than one entry
 *	                        a name
 */
#ifndef RYDE_ENGINE_MAP_FLEET_H
#define RYDE_ENGINE_MAP_FLEET_H

#include "base/view.h"
#include "engine/map_entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_map_fleet;

#define RYDE_MAP_FLEET_MAX 100000 /* names at a time */
#define RYDE_MAP_LINE_MAX 4096	  /* bytes of a payload that is kept for its details */

struct ryde_map_line {
	struct ryde_view payload;
	uint64_t number, ticket;
	int64_t arrival_ms; /* -1: unknown */
	bool lasting; /* the payload stays where it is until keep or draw was called */
};

struct ryde_map_fleet_opts {
	struct ryde_map_fields fields;
	int64_t forget_ms; /* a name goes so long after its last line; 0: never */
	/* The time since the epoch at zero of the monotonic clock. Viewers are told times
	 * that are counted from it: a clock that is set meanwhile changes no age. */
	int64_t mono_zero_ms;
	/* The line was drawn, or overtaken. */
	void (*done)(void *arg, uint64_t ticket, bool overtaken);
	/* The line cannot be drawn, and why. -1 with err set ends the run. */
	int (*bad)(void *arg, const struct ryde_map_line *line, const char *why,
	    struct ryde_err *err);
	void *arg;
};

/* NULL with RYDE_EUSAGE where a field is no path. opts is copied, the paths are too. */
struct ryde_map_fleet *ryde_map_fleet_new(
    const struct ryde_map_fleet_opts *opts, struct ryde_err *err);
void ryde_map_fleet_free(struct ryde_map_fleet *f);

/* Takes a line. 0, also where it was bad; -1 without memory, or as bad returned. */
int ryde_map_fleet_take(
    struct ryde_map_fleet *f, const struct ryde_map_line *line, struct ryde_err *err);
/*
 * Takes the lines from the beginning of text on, of which the first is line `number`, as
 * long as each is whole, a bare payload of at most RYDE_MAP_LINE_MAX bytes that begins
 * as the one before it, and of a name that is on the map: what take would do with each,
 * for tickets of 0. The payloads must be lasting. Lines that they overtake, and that
 * have tickets of 0, are counted and not told as done.
 */
struct ryde_map_taken {
	size_t bytes; /* their newlines included */
	uint64_t lines, overtaken;
};
struct ryde_map_taken ryde_map_fleet_take_lines(
    struct ryde_map_fleet *f, struct ryde_view text, uint64_t number);
/* Copies the lasting payloads that are still waiting. */
int ryde_map_fleet_keep(struct ryde_map_fleet *f, struct ryde_err *err);
/* True where lines wait to be examined. */
bool ryde_map_fleet_waiting(const struct ryde_map_fleet *f);
/* How many lines wait: taken, and neither done nor bad. */
uint64_t ryde_map_fleet_pending(const struct ryde_map_fleet *f);
/* Examines what waits, as seen now, and forgets names that have been silent. */
int ryde_map_fleet_draw(
    struct ryde_map_fleet *f, int64_t now_mono_ms, struct ryde_err *err);
/* A monotonic time as viewers are told it, in ms since the epoch. */
int64_t ryde_map_fleet_told_ms(const struct ryde_map_fleet *f, int64_t mono_ms);

/* The number of the latest change; it grows by one with each. */
uint64_t ryde_map_fleet_now(const struct ryde_map_fleet *f);
/*
 * Appends a JSON array of the changes after *since, the oldest first, until out holds
 * `most` bytes, and moves *since to the last one given. An entry is
 * [id,name,latitude,longitude,distance,health,magic,time,seen,lines], numbers as the
 * line has them, times in ms since the epoch, null for what is not there; lines counts
 * those of the name. With trails there is an eleventh: [latitude,longitude,ms before
 * seen,…] of where it was, the oldest first.
 */
void ryde_map_fleet_changes(const struct ryde_map_fleet *f, uint64_t *since, bool trails,
    size_t most, struct ryde_buf *out);
/*
 * Appends the latest line of a unicorn as {"id":…,"bytes":N,"payload":"…"}; payload is
 * the text of the line in a string (so that no number is rounded on its way), null where
 * it is longer than RYDE_MAP_LINE_MAX. False where there is no such unicorn.
 */
bool ryde_map_fleet_details(
    const struct ryde_map_fleet *f, uint64_t id, struct ryde_buf *out);
size_t ryde_map_fleet_count(const struct ryde_map_fleet *f);

#endif
