/*
 * A line as the map reads it: whose it is, found fast, and the entry that viewers get of
 * it, made with care.
 */
#ifndef RYDE_ENGINE_MAP_ENTRY_H
#define RYDE_ENGINE_MAP_ENTRY_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_map_entry;

#define RYDE_MAP_NAME_MAX 256 /* bytes of a name */

/* Where the values stand; NULL: a default of the workshop (.Name, .Latitude and so on).
 */
struct ryde_map_fields {
	const char *name, *latitude, *longitude, *time, *distance, *health, *magic;
};

/* NULL with RYDE_EUSAGE where a field is no path. The paths are copied. */
struct ryde_map_entry *ryde_map_entry_new(
    const struct ryde_map_fields *fields, struct ryde_err *err);
void ryde_map_entry_free(struct ryde_map_entry *e);

/*
 * The plain bytes of the name in a payload, good until the next call and as long as the
 * payload. False where there is none that will do. What stands behind a name is not
 * examined.
 */
bool ryde_map_entry_name(
    struct ryde_map_entry *e, struct ryde_view payload, struct ryde_view *name);
/*
 * The same, faster, for a payload that stands at the beginning of text, more may follow,
 * and begins as the last one did whose name was found: where the same bytes lead to the
 * same member, and its text is plain ASCII without escapes. False: do it the long
 * way.
 */
bool ryde_map_entry_same_way(
    const struct ryde_map_entry *e, struct ryde_view text, struct ryde_view *name);
/* True where that would find the name, which it found before. */
bool ryde_map_entry_same_name(
    const struct ryde_map_entry *e, struct ryde_view text, struct ryde_view name);
/* Why there was none, as a text in why. */
void ryde_map_entry_no_name(
    struct ryde_map_entry *e, struct ryde_view payload, char *why, size_t n);

/* Whose entry it is to be, and what is known of the line beside its payload. */
struct ryde_map_whose {
	uint64_t id;
	struct ryde_view name;
	int64_t arrival_ms; /* -1: unknown */
};
struct ryde_map_place {
	int32_t latitude_e6, longitude_e6; /* millionths of a degree */
};
/*
 * Checks the payload, finds its place, and appends the beginning of its entry to out:
 * `[id,"name",latitude,longitude,distance,health,magic,time`. False, with a text in why
 * and nothing appended, where the payload is no JSON or has no place.
 */
bool ryde_map_entry_read(struct ryde_map_entry *e, struct ryde_view payload,
    const struct ryde_map_whose *whose, struct ryde_buf *out,
    struct ryde_map_place *place, char *why, size_t n);

#endif
