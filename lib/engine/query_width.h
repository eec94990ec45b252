/*
 * How wide a text is on a terminal. A character takes one column, a wide one (CJK, emoji)
 * two, a combining or invisible one none. What would move the cursor is shown as an
 * escape: \n, \t, \r, \x1b; a byte that is no UTF-8 is shown as U+FFFD.
 *
 * Source: Unicode 14, East_Asian_Width (UAX #11) and General_Category.
 */
#ifndef RYDE_ENGINE_QUERY_WIDTH_H
#define RYDE_ENGINE_QUERY_WIDTH_H

#include "base/view.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_buf;

/* Columns that text takes, as ryde_query_width_put would show it. */
size_t ryde_query_width(struct ryde_view text);
/*
 * Appends text as it is shown, in at most max_columns columns: a longer one is cut and
 * ends in an ellipsis. Returns the columns taken.
 */
size_t ryde_query_width_put(
    struct ryde_buf *b, struct ryde_view text, size_t max_columns);
/* Appends text with each byte that is no UTF-8 replaced by U+FFFD, nothing else changed.
 */
void ryde_query_width_utf8(struct ryde_buf *b, struct ryde_view text);

#endif
