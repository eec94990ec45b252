/*
 * Objects of a list that have the same members in the same order, as the answers of
 * services have them. Where one is like the one that was learned, its values are found by
 * comparing what lies between them. Nothing is checked less: what lies between was
 * checked when it was learned and is the same, and the values are plain.
 */
#ifndef RYDE_JSON_REPEAT_H
#define RYDE_JSON_REPEAT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_json_scan;
struct ryde_json_value;

#define RYDE_JSON_REPEAT_VALUES 4

/* Borrows from the text that it was learned from. {0}: nothing is known. */
struct ryde_json_repeat {
	size_t n;	  /* values; 0: nothing is known */
	const char *from; /* what lies before the next value, while it is learned */
	struct ryde_view before[RYDE_JSON_REPEAT_VALUES], behind;
	size_t ids[RYDE_JSON_REPEAT_VALUES];
	bool numbers[RYDE_JSON_REPEAT_VALUES];
	bool spoiled;
};

/* Begins to learn the object at p, whose brace that is. */
void ryde_json_repeat_begin(struct ryde_json_repeat *r, const char *p);
/*
 * A member's value of it, in order, which next objects may have another one of: id, below
 * RYDE_JSON_REPEAT_VALUES, says which. Where it is no number and no plain string, or its
 * id was seen already, the object is not learned.
 */
void ryde_json_repeat_see(
    struct ryde_json_repeat *r, size_t id, const struct ryde_json_value *v);
/* The object ends at p, behind its brace, and was found to be one. */
void ryde_json_repeat_end(struct ryde_json_repeat *r, const char *p);
/*
 * Behind the object at p, where it is like the one that was learned: values[id] becomes
 * what each value reads, strings without their quotes. NULL where it is not, or none.
 */
const char *ryde_json_repeat_next(const struct ryde_json_repeat *r,
    const struct ryde_json_scan *s, const char *p,
    struct ryde_view values[RYDE_JSON_REPEAT_VALUES]);

#endif
