/*
 * Comparing lines, and texts, with a shape. Most values keep their length from one line
 * to the next: what lies between those that do not is compared as a whole, byte by byte
 * with what may stand there. Where it differs the slots are looked at one by one. Private
 * to lib/json.
 */
#ifndef RYDE_JSON_SHAPE_LINE_H
#define RYDE_JSON_SHAPE_LINE_H

#include "base/view.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * As ryde_json_shape_match, for up to max lines one behind the other: how many of them
 * have the shape. ends[i] becomes where the newline of the i-th stands, and its values
 * are to->n behind those of the one before. RYDE_JSON_SHAPE_BEHIND bytes behind the
 * lines may be read. wide: only where ryde_json_shape_is_wide.
 */
size_t ryde_json_shape_lines(struct ryde_json_shape *shape, struct ryde_view lines,
    bool wide, const struct ryde_json_shape_found *to, size_t max);

/*
 * The same for one text, which ends where it says: true where it has the shape.
 * RYDE_JSON_SHAPE_BEHIND bytes behind it may be read.
 */
bool ryde_json_shape_text(struct ryde_json_shape *shape, struct ryde_view text, bool wide,
    struct ryde_json_value *values);

/* A shape that was just learned has no parts yet. */
void ryde_json_shape_line_reset(struct ryde_json_shape *shape);

#endif
