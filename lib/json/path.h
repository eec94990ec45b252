/*
 * Paths such as .Name, .a.b[0], ."odd key", .["odd key"] and . (the whole text): the
 * plain part of jq's paths, which needs no jq. A negative index is not supported and is
 * refused.
 */
#ifndef RYDE_JSON_PATH_H
#define RYDE_JSON_PATH_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;
struct ryde_json_paths;

/* A set of paths, compiled so that one scan finds all of them. */
struct ryde_json_paths *ryde_json_paths_new(void);
void ryde_json_paths_free(struct ryde_json_paths *set);
/*
 * Adds a path and gives its number in *index; a path that is there already keeps its
 * number. -1 with RYDE_EUSAGE and a message that names the place in the text where it is
 * no path.
 */
int ryde_json_paths_add(
    struct ryde_json_paths *set, const char *path, size_t *index, struct ryde_err *err);
/*
 * Adds a path and each path that leads to it, shortest first, to an empty set: number 0
 * is the whole text, the last number is the path itself. Fails as ryde_json_paths_add
 * does.
 */
int ryde_json_paths_add_chain(
    struct ryde_json_paths *set, const char *path, struct ryde_err *err);
size_t ryde_json_paths_count(const struct ryde_json_paths *set);
/* The path's text as it was added. */
const char *ryde_json_paths_text(const struct ryde_json_paths *set, size_t index);
/* The last key of a path without quotes ("Name" of .a.Name), "" where it ends in an index
 * or is the whole text. */
const char *ryde_json_paths_leaf(const struct ryde_json_paths *set, size_t index);
/* True where the path's last step is an index. */
bool ryde_json_paths_is_index(const struct ryde_json_paths *set, size_t index);

#endif
