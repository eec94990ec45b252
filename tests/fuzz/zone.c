/* Fuzz target for time zone files: faults of memory, and that what was read gives spans
 * that hold the time asked for, and local times that lead back. */
#include "base/zone.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view v = ryde_view_mem((const char *)data, size);
	struct ryde_zone *z = ryde_zone_parse(v, NULL);

	for (int64_t at_ms = -4000000000000; z != NULL && at_ms < 8000000000000;
	     at_ms += 777777777777) {
		struct ryde_zone_span s = ryde_zone_at(z, at_ms);

		MUST(s.from_ms <= at_ms && at_ms < s.to_ms);
		MUST(ryde_zone_from_local(z, at_ms + s.offset_ms) <= at_ms);
	}
	ryde_zone_free(z);
	return 0;
}
