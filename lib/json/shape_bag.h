/*
 * Lines whose members come in any order: flat objects of keys that were met before, each
 * found by its own text. Private to lib/json.
 */
#ifndef RYDE_JSON_SHAPE_BAG_H
#define RYDE_JSON_SHAPE_BAG_H

#include "base/view.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdbool.h>
#include <stddef.h>

/* As ryde_json_shape_lines. */
size_t ryde_json_bag_lines(const struct ryde_json_bag *bag, struct ryde_view lines,
    bool wide, const struct ryde_json_shape_found *to, size_t max);
/* Adds the keys of a text that was checked, with what its n paths point at. Where it is
 * no flat object with each key once, nothing is added. */
void ryde_json_bag_learn(struct ryde_json_bag *bag, struct ryde_view text,
    const struct ryde_json_value *values, size_t n);

#endif
