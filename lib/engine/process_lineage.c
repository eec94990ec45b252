#include "engine/process_lineage.h"

#include "base/err.h"
#include "engine/process_lane.h"
#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

int
ryde_process_lineage_hear(struct ryde_process_lane *l, const struct ryde_line *mark,
    uint64_t order, struct ryde_err *err)
{
	struct ryde_process_lane *first = l->first;
	char *parents = ryde_view_copy(mark->parents);

	if (parents == NULL)
		return ryde_err_nomem(err);
	free(first->parents);
	first->parents = parents;
	first->behind = order;
	return 0;
}

/* True where the JSON array `parents` has the lane's shard. Shard ids have nothing to
 * escape. */
static bool
names(const char *parents, const struct ryde_process_lane *l)
{
	size_t n = strlen(l->raw_shard);

	for (const char *p = parents; (p = strchr(p, '"')) != NULL;) {
		const char *end = strchr(++p, '"');

		if (end == NULL)
			return false;
		if ((size_t)(end - p) == n && memcmp(p, l->raw_shard, n) == 0)
			return true;
		p = end + 1;
	}
	return false;
}

bool
ryde_process_lineage_waits(
    struct ryde_process_lane *l, struct ryde_process_lane *const *lanes, size_t n)
{
	struct ryde_process_lane *first = l->first;

	if (first->parents == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((lanes[i]->first->held || lanes[i]->batch.n > 0) &&
		    strcmp(lanes[i]->raw_stream, first->raw_stream) == 0 &&
		    names(first->parents, lanes[i]) &&
		    (lanes[i]->first->held ||
			ryde_process_lane_oldest(lanes[i]) < first->behind))
			return true;
	free(first->parents);
	first->parents = NULL;
	return false;
}
