/* Comparing a text with one shape, 32 bytes at a time. Private to lib/json. */
#ifndef RYDE_JSON_SHAPE_MATCH_H
#define RYDE_JSON_SHAPE_MATCH_H

#include "base/view.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdbool.h>

/* True where this machine has AVX2. */
bool ryde_json_shape_is_wide(void);
/*
 * True where the text has the shape and plain values: those of them that a path points at
 * are then in values, and nothing else is touched there. Else values is undefined. wide:
 * only where ryde_json_shape_is_wide.
 */
bool ryde_json_shape_match(struct ryde_json_shape *shape, struct ryde_view text,
    size_t behind, bool wide, struct ryde_json_value *values);

#endif
