/* Time zones: by how much local time differs from UTC, from the system's own data. */
#ifndef RYDE_BASE_ZONE_H
#define RYDE_BASE_ZONE_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;
struct ryde_zone;

/*
 * A zone by its name, such as Europe/Berlin, from the directory TZDIR, else
 * /usr/share/zoneinfo. NULL with RYDE_EUSAGE where there is no such zone, RYDE_EDATA
 * where its file is broken. Source: RFC 9636 (TZif), POSIX.1-2017 8.3 (TZ) for times
 * behind the file's last one.
 */
struct ryde_zone *ryde_zone_open(const char *name, struct ryde_err *err);
/* The same from the bytes of a TZif file. */
struct ryde_zone *ryde_zone_parse(struct ryde_view data, struct ryde_err *err);
void ryde_zone_free(struct ryde_zone *z);

/* Local time is UTC plus offset_ms for all times in [from_ms, to_ms). */
struct ryde_zone_span {
	int64_t from_ms, to_ms;
	int64_t offset_ms;
};
#define RYDE_ZONE_FOREVER_MS (INT64_MAX / 4) /* to_ms; from_ms is its negative */

/* The span that at_ms lies in; neighbours may have the same offset. */
struct ryde_zone_span ryde_zone_at(const struct ryde_zone *z, int64_t at_ms);
/* When local time is local_ms: the first time where it comes twice, and when it is
 * skipped where it does not come. */
int64_t ryde_zone_from_local(const struct ryde_zone *z, int64_t local_ms);

#endif
