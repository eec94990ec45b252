/*
 * JSON as it lies there: one pass over a text checks it (RFC 8259, UTF-8, nothing behind
 * it) and finds the values that are asked for, as slices of the text. Nothing is copied,
 * converted or allocated.
 */
#ifndef RYDE_JSON_SCAN_H
#define RYDE_JSON_SCAN_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_json_paths;

enum ryde_json_kind {
	RYDE_JSON_ABSENT, /* there is no such value */
	RYDE_JSON_NULL,
	RYDE_JSON_FALSE,
	RYDE_JSON_TRUE,
	RYDE_JSON_NUMBER,
	RYDE_JSON_STRING,
	RYDE_JSON_ARRAY,
	RYDE_JSON_OBJECT,
};

struct ryde_json_value {
	enum ryde_json_kind kind;
	bool escaped; /* a string with a backslash in it */
	struct ryde_view
	    text; /* as written; a string without its quotes, its escapes as they are */
};

/* What is wrong with a text, and where: `what` is a constant such as "unfinished string".
 */
struct ryde_json_fault {
	const char *what;
	size_t at; /* offset of the byte, 0-based */
};

#define RYDE_JSON_DEPTH_MAX 1024 /* arrays and objects inside each other */

/*
 * Checks that text is exactly one JSON text, blanks (also newlines) around it allowed,
 * and returns its own kind in *top (may be NULL). 0, or -1 with *fault set.
 */
int ryde_json_check(
    struct ryde_view text, enum ryde_json_kind *top, struct ryde_json_fault *fault);

/*
 * The same check, and values[i] becomes what the i-th path of the set points at
 * (RYDE_JSON_ABSENT if nothing). Of duplicate keys the last one counts. values has
 * ryde_json_paths_count(paths) entries; on failure their content is undefined.
 */
int ryde_json_find(struct ryde_view text, const struct ryde_json_paths *paths,
    struct ryde_json_value *values, struct ryde_json_fault *fault);

/*
 * Walks the members of an object, or the elements of an array, whose text has been
 * checked before: begin, then next until it returns false. Keys are raw, as strings in
 * struct ryde_json_value. The text must outlive the walk.
 */
struct ryde_json_walk {
	struct ryde_view text;
	size_t at;
	bool object;
};
bool ryde_json_walk_begin(struct ryde_json_walk *w, struct ryde_view text);
bool ryde_json_walk_next(
    struct ryde_json_walk *w, struct ryde_json_value *key, struct ryde_json_value *value);

#endif
