/* A place in a shard: a sequence number (opaque decimal digits, up to 129) and the part
 * of a record that became several lines. */
#ifndef RYDE_LINE_POSITION_H
#define RYDE_LINE_POSITION_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

#define RYDE_SEQ_MAX 129
#define RYDE_SHARD_ID_MAX 128

struct ryde_pos {
	uint8_t n; /* digits; 0: before everything (TRIM_HORIZON) */
	char seq[RYDE_SEQ_MAX];
};

/* False where seq is not 1 to RYDE_SEQ_MAX decimal digits. Leading zeros are dropped. */
bool ryde_pos_set(struct ryde_pos *p, struct ryde_view seq);
/* -1, 0, 1 by numeric value; the empty position comes first. */
int ryde_pos_cmp(const struct ryde_pos *a, const struct ryde_pos *b);
static inline struct ryde_view
ryde_pos_view(const struct ryde_pos *p)
{
	return (struct ryde_view){p->seq, p->n};
}

#endif
