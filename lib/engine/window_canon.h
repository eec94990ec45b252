/* JSON scalars in the one form that all equal ones have: 1.00 is 1, "\u0061" is "a". */
#ifndef RYDE_ENGINE_WINDOW_CANON_H
#define RYDE_ENGINE_WINDOW_CANON_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_buf;
struct ryde_err;

#define RYDE_WINDOW_CANON_MAX \
	(64u << 20) /* a line's strings, written with more escapes */

/* Appends a number. -1 with RYDE_EDATA where it is too long, or without memory. */
int ryde_window_canon_number(
    struct ryde_buf *to, struct ryde_view text, struct ryde_err *err);
/* Appends a string in quotes, with no more escapes than JSON demands. text is as written,
 * with its quotes; escaped: there are escapes in it. */
int ryde_window_canon_string(
    struct ryde_buf *to, struct ryde_view text, bool escaped, struct ryde_err *err);

#endif
