/* Comparing a text with one shape, slot by slot. Private to lib/json. */
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
 * are then in values, and nothing else is touched there. Else values is undefined. No
 * byte behind the text is read: where some may be, ryde_json_shape_text is faster.
 */
bool ryde_json_shape_match(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values);

#endif
