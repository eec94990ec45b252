/*
 * The shape of texts: everything in them but their strings, numbers and literals. A
 * stream mostly repeats one shape, or a few. Where a text has the shape of an earlier one
 * its values are found by comparing what lies between them, at several times the speed of
 * a scan. Nothing is checked less: what lies between has been checked once and is the
 * same, and each value is checked as a scan does.
 */
#ifndef RYDE_JSON_SHAPE_H
#define RYDE_JSON_SHAPE_H

#include "base/view.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_json_paths;

#define RYDE_JSON_SHAPE_SLOTS 96   /* values of one text, and pieces between them */
#define RYDE_JSON_SHAPE_BYTES 2048 /* of what lies between */
#define RYDE_JSON_SHAPE_PIECE 32   /* as much of it is compared at once */
#define RYDE_JSON_SHAPES 4
#define RYDE_JSON_SHAPE_BEHIND 96

#define RYDE_JSON_SHAPE_FORM 1024 /* bytes of a line that are compared as a whole */

/* A piece of what lies between values, and mostly a value behind it. */
struct ryde_json_shape_slot {
	uint16_t at; /* in `between` */
	uint8_t n;
	uint8_t kind;	 /* a string, a number, or a literal (NULL); ABSENT: no value */
	int16_t path;	 /* which one points at it; -1: none */
	uint32_t mask;	 /* n bits */
	uint8_t guess;	 /* length of the last value there, up to 255... */
	uint8_t guessed; /* ...in so many texts */
	/* The same where bytes behind a text may be read, and a form is made: */
	uint8_t length, steady;
	bool fixed;    /* part of a form: always of that length */
	uint16_t form; /* where its value begins in the form */
	uint32_t odd;  /* texts since then in which it was not as the form has it */
};

/* What is compared as a whole: slots of which all but the last have a fixed length. */
struct ryde_json_shape_part {
	uint16_t at, n;		/* bytes of the form */
	uint16_t first, behind; /* slots: from the one to before the other */
	uint16_t field, fields; /* values in it that a path points at */
	bool open;		/* the value of its last slot follows, of any length */
};

struct ryde_json_shape_field {
	int16_t path;
	uint16_t at, n; /* in its part */
	uint8_t kind;
};

struct ryde_json_shape {
	size_t n;
	struct ryde_json_shape_slot slots[RYDE_JSON_SHAPE_SLOTS];
	/* A piece may be read whole where it is shorter. */
	char between[RYDE_JSON_SHAPE_BYTES + RYDE_JSON_SHAPE_PIECE];
	unsigned follower; /* which shape came behind it */
	bool complete;	   /* it has a value for each path */
	bool one_line;	   /* no newline lies between */

	/* Each byte of the form is from low[i] on one of so many more as
	 * range[i] says. */
	size_t n_parts; /* 0: there is no form yet */
	struct ryde_json_shape_part parts[RYDE_JSON_SHAPE_SLOTS];
	struct ryde_json_shape_field fields[RYDE_JSON_SHAPE_SLOTS];
	unsigned char low[RYDE_JSON_SHAPE_FORM], range[RYDE_JSON_SHAPE_FORM];
	uint32_t lines, misses; /* since the form was made */
};

/* Members that come in any order: the text of each from its quote to before its value. */
#define RYDE_JSON_BAG_MEMBERS 32
#define RYDE_JSON_BAG_PLACE_BITS 6
#define RYDE_JSON_BAG_PLACES (1u << RYDE_JSON_BAG_PLACE_BITS)

struct ryde_json_bag_member {
	char text[RYDE_JSON_SHAPE_PIECE];
	uint32_t mask; /* n bits */
	uint8_t n;
	int16_t path; /* which one points at it; -1: none */
};

struct ryde_json_bag {
	size_t n;
	struct ryde_json_bag_member members[RYDE_JSON_BAG_MEMBERS];
	uint8_t
	    places[RYDE_JSON_BAG_PLACES]; /* by the hash of the key: index + 1; 0: free */
};

struct ryde_json_shapes {
	struct ryde_json_shape shapes[RYDE_JSON_SHAPES];
	struct ryde_json_bag bag; /* of lines that have no shape */
	unsigned strays;	  /* lines of late that were found by it alone */
	unsigned mixed; /* so many lines are first looked for in it, shapes later */
	unsigned n, last, oldest;
	int credit; /* learning pays off where it leads to hits */
	bool wide;  /* ryde_json_shape_is_wide; false is right everywhere, and slower */
};

/* Empties the set. */
void ryde_json_shapes_init(struct ryde_json_shapes *set);
/*
 * True where the text has a known shape and its values are plain: values is then what
 * ryde_json_find would make it, with n paths. Else false, values is undefined, and the
 * text may be of any kind. behind: so many bytes behind the text may be read, whatever is
 * in them; with RYDE_JSON_SHAPE_BEHIND and more it is faster.
 */
bool ryde_json_shapes_find(struct ryde_json_shapes *set, struct ryde_view text,
    size_t behind, struct ryde_json_value *values, size_t n);
/*
 * The same for up to max lines one behind the other: returns how many of them were found,
 * before the first that was not. Of the i-th, to->ends[i] is where its newline stands,
 * which is not looked for before, and to->values[i * to->n] its first value.
 * RYDE_JSON_SHAPE_BEHIND bytes behind the lines may be read. What has no newline yet is
 * not found.
 */
struct ryde_json_shape_found {
	struct ryde_json_value *values;
	size_t *ends;
	size_t n; /* paths */
};
size_t ryde_json_shapes_find_lines(struct ryde_json_shapes *set, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max);
/* A text that was not found, but by ryde_json_find, with what that gave: its shape may be
 * remembered. */
void ryde_json_shapes_learn(struct ryde_json_shapes *set, struct ryde_view text,
    const struct ryde_json_value *values, size_t n);

/* ryde_json_find of all paths of a set, by a known shape where there is one; else the
 * shape is learned. */
int ryde_json_shapes_read(struct ryde_json_shapes *set, struct ryde_view text,
    const struct ryde_json_paths *paths, struct ryde_json_value *values,
    struct ryde_json_fault *fault);
/* ryde_json_check, in the same way. behind: as in ryde_json_shapes_find. */
int ryde_json_shapes_check(struct ryde_json_shapes *set, struct ryde_view text,
    size_t behind, struct ryde_json_fault *fault);

#endif
