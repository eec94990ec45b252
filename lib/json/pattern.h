/*
 * Event patterns: what an object must look like. Source: "Filter rule syntax" of Lambda's
 * event filtering, and EventBridge's comparison operators as far as Lambda has them.
 *
 *	{"a":{"b":["x",7,null,{"prefix":"y"}]},"$or":[{"c":[true]},{"d":[{"exists":false}]}]}
 *
 * Fields are all asked for, the values of one list are alternatives, and so are the
 * objects of $or. An array in the data matches where one of its elements does. Operators:
 * prefix, suffix, equals-ignore-case (ASCII), anything-but (values, prefix, suffix,
 * equals-ignore-case), numeric (=, <, <=, >, >=, one or two of them; compared exactly),
 * exists (of values that are no objects). A number in a list is compared by its text: 300
 * is not 300.0. Of repeated keys the last one counts.
 */
#ifndef RYDE_JSON_PATTERN_H
#define RYDE_JSON_PATTERN_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_err;
struct ryde_json_pattern;

#define RYDE_JSON_PATTERN_DEPTH_MAX 64

/* Compiles text. NULL with RYDE_ECONFIG and what is wrong with it. */
struct ryde_json_pattern *ryde_json_pattern_new(
    struct ryde_view text, struct ryde_err *err);
void ryde_json_pattern_free(struct ryde_json_pattern *p);

/* True where the pattern says something of that field of the outermost object, or of one
 * inside $or. *object becomes whether all it says is an object pattern. */
bool ryde_json_pattern_names(
    const struct ryde_json_pattern *p, const char *field, bool *object);

/* True where the object in text, which has passed a check, matches. Needs memory for
 * strings with escapes only; without it nothing matches. */
bool ryde_json_pattern_matches(const struct ryde_json_pattern *p, struct ryde_view text);

#endif
