#include "json/shape.h"

#include "json/path.h"

#include "json/bytes.h"
#include "json/shape_bag.h"
#include "json/shape_line.h"
#include "json/shape_match.h"

#include <string.h>

/* Learning costs about a scan: it must have paid off by hits, or be rare. */
#define CREDIT_FIRST 256
#define CREDIT_MAX 1024
#define CREDIT_HIT 8
#define CREDIT_MISS 1
#define CREDIT_LEARN 64

#define STRAYS_MAX 8	 /* lines without a known shape after which none is tried... */
#define MIXED_LINES 1024 /* ...in so many */
#define STRAYS_AGAIN 4	 /* and then fewer are enough */

void
ryde_json_shapes_init(struct ryde_json_shapes *set)
{
	set->n = set->last = set->oldest = 0;
	memset(&set->bag, 0, sizeof(set->bag));
	set->strays = set->mixed = 0;
	set->shapes[0].follower = 0;
	set->credit = CREDIT_FIRST;
	set->wide = ryde_json_shape_is_wide();
}

#ifdef __SSE2__

/* ---- finding ---- */

/* Nothing is there for the paths that the shape has no value for. */
static void
clear_others(
    const struct ryde_json_shape *shape, struct ryde_json_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool there = false;

		for (size_t k = 0; k < shape->n && !there; k++)
			there = shape->slots[k].path == (int)i; /* n was checked */
		if (!there)
			values[i] = (struct ryde_json_value){0};
	}
}

static inline unsigned
next_shape(const struct ryde_json_shapes *set, unsigned k)
{
	return k + 1 < set->n ? k + 1 : 0;
}

static void
pay(struct ryde_json_shapes *set, size_t hits)
{
	if (set->credit < CREDIT_MAX)
		set->credit += (int)hits * CREDIT_HIT; /* at most a block of lines */
}

bool
ryde_json_shapes_find(struct ryde_json_shapes *set, struct ryde_view text, size_t behind,
    struct ryde_json_value *values, size_t n)
{
	unsigned k = set->shapes[set->last].follower;

	for (unsigned i = 0; i < set->n; i++, k = next_shape(set, k)) {
		if (!(behind < RYDE_JSON_SHAPE_BEHIND
			    ? ryde_json_shape_match(&set->shapes[k], text, values)
			    : ryde_json_shape_text(
				  &set->shapes[k], text, set->wide, values)))
			continue;
		if (!set->shapes[k].complete)
			clear_others(&set->shapes[k], values, n);
		set->shapes[set->last].follower = k;
		set->last = k;
		pay(set, 1);
		return true;
	}
	return false;
}

/* Lines of the shape that is expected, or of whichever the first one has. Those of one
 * shape mostly come together. */
static size_t
find_shaped(struct ryde_json_shapes *set, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	unsigned k = set->shapes[set->last].follower;
	size_t n;

	for (unsigned i = 0; i < set->n; i++, k = next_shape(set, k)) {
		n = ryde_json_shape_lines(&set->shapes[k], lines, set->wide, to,
		    set->shapes[k].follower == k ? max : 1);
		if (n == 0)
			continue;
		for (size_t j = 0; j < n && !set->shapes[k].complete; j++)
			clear_others(&set->shapes[k], to->values + j * to->n, to->n);
		set->shapes[set->last].follower = k;
		set->last = k;
		return n;
	}
	return 0;
}

/* Lines by their shape, else by their members. Where one after the other has no shape
 * that is known, none is tried for a while. */
static size_t
find_some(struct ryde_json_shapes *set, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	size_t n = 0;

	if (set->mixed > 0) {
		n = ryde_json_bag_lines(&set->bag, lines, set->wide, to, max);
		set->mixed -= n > 0 && n < set->mixed ? (unsigned)n : set->mixed;
	}
	if (n == 0) {
		n = find_shaped(set, lines, to, max);
		set->strays -= n > 0 && set->strays > 0;
	}
	if (n == 0) {
		n = ryde_json_bag_lines(&set->bag, lines, set->wide, to, 1);
		set->strays += n > 0;
		if (set->strays == STRAYS_MAX) {
			set->strays = STRAYS_AGAIN;
			set->mixed = MIXED_LINES;
		}
	}
	pay(set, n);
	return n;
}

size_t
ryde_json_shapes_find_lines(struct ryde_json_shapes *set, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	size_t done = 0, from = 0, n;

	while (done < max && from < lines.n) {
		const struct ryde_json_shape_found rest = {
		    to->values + done * to->n, to->ends + done, to->n};

		n = find_some(set, ryde_view_mem(lines.p + from, lines.n - from), &rest,
		    max - done);
		if (n == 0)
			break;
		for (size_t i = done; i < done + n && from > 0; i++)
			to->ends[i] += from;
		done += n;
		from = to->ends[done - 1] + 1;
	}
	return done;
}

/* ---- learning ---- */

/* Behind the string whose quote is at p, in a text that has been checked. */
static const char *
behind_string(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

static bool
is_key(const char *behind, const char *end)
{
	while (behind < end && (*behind == ' ' || *behind == '\t'))
		behind++;
	return behind < end && *behind == ':';
}

/* Adds a slot, whose value begins at `value`, behind what lies between it and `from`. */
static bool
add_slot(struct ryde_json_shape *s, const char *from, const char *value,
    enum ryde_json_kind kind, size_t *used)
{
	size_t n, left = (size_t)(value - from);
	bool whole;

	if (left > RYDE_JSON_SHAPE_BYTES - *used)
		return false;
	do {
		n = left < RYDE_JSON_SHAPE_PIECE ? left : RYDE_JSON_SHAPE_PIECE;
		left -= n;
		whole = left == 0;
		if (s->n == RYDE_JSON_SHAPE_SLOTS)
			return false;
		if (n > 0)
			memcpy(s->between + *used, from, n);
		s->slots[s->n++] = (struct ryde_json_shape_slot){.at = (uint16_t)*used,
		    .n = (uint8_t)n, /* both within their bounds: checked above */
		    .kind = (uint8_t)(whole ? kind : RYDE_JSON_ABSENT),
		    .path = -1,
		    .mask = (uint32_t)((UINT64_C(1) << n) - 1)};
		*used += n;
		from += n;
	} while (!whole);
	return true;
}

/* Which path points at the value that begins there. */
static int16_t
path_at(const char *value, const struct ryde_json_value *values, size_t n, size_t *found)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i].kind == RYDE_JSON_ABSENT || values[i].text.p != value)
			continue;
		++*found;
		return (int16_t)i; /* n was checked */
	}
	return -1;
}

static bool
learn(struct ryde_json_shape *s, struct ryde_view text,
    const struct ryde_json_value *values, size_t n)
{
	const char *p = text.p, *end = ryde_view_end(text), *from = p, *next;
	size_t used = 0, found = 0, wanted = 0;
	enum ryde_json_kind kind;

	for (size_t i = 0; i < n; i++)
		wanted += values[i].kind != RYDE_JSON_ABSENT;
	for (s->n = 0; p < end; p = next) {
		next = p + 1;
		if (*p == '"') {
			next = behind_string(p);
			if (is_key(next, end))
				continue;
			kind = RYDE_JSON_STRING;
			p++;
		} else if (*p == '-' || ryde_json_bytes_is_digit(*p)) {
			while (next < end && strchr("0123456789+-.eE", *next) != NULL &&
			       *next != '\0')
				next++;
			kind = RYDE_JSON_NUMBER;
		} else if (*p == 't' || *p == 'f' || *p == 'n') {
			next = p + (*p == 'f' ? 5 : 4);
			kind = RYDE_JSON_NULL;
		} else {
			continue;
		}
		if (!add_slot(s, from, p, kind, &used))
			return false;
		s->slots[s->n - 1].path = path_at(p, values, n, &found);
		from = kind == RYDE_JSON_STRING ? next - 1 : next;
	}
	/* Arrays and objects as a whole are no slots, and one value for two paths is none
	 * either. */
	s->complete = found == n;
	s->one_line = text.n == 0 || memchr(text.p, '\n', text.n) == NULL;
	return found == wanted && add_slot(s, from, end, RYDE_JSON_ABSENT, &used);
}

void
ryde_json_shapes_learn(struct ryde_json_shapes *set, struct ryde_view text,
    const struct ryde_json_value *values, size_t n)
{
	unsigned k;

	set->credit += CREDIT_MISS;
	if (set->credit < CREDIT_LEARN || n > INT16_MAX)
		return;
	set->credit -= CREDIT_LEARN;
	ryde_json_bag_learn(&set->bag, text, values, n);
	k = set->n < RYDE_JSON_SHAPES ? set->n : set->oldest;
	if (!learn(&set->shapes[k], text, values, n)) {
		/* It may be half overwritten: no text is like that. */
		set->shapes[k].n = 0;
		if (k == set->n)
			return;
	}
	ryde_json_shape_line_reset(&set->shapes[k]);
	set->shapes[k].follower = k;
	set->shapes[set->last].follower = k;
	set->last = k;
	if (k == set->n)
		set->n++;
	set->oldest = (k + 1) % RYDE_JSON_SHAPES;
}

#else

bool
ryde_json_shapes_find(struct ryde_json_shapes *set, struct ryde_view text, size_t behind,
    struct ryde_json_value *values, size_t n)
{
	(void)set, (void)text, (void)behind, (void)values, (void)n;
	return false;
}

size_t
ryde_json_shapes_find_lines(struct ryde_json_shapes *set, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	(void)set, (void)lines, (void)to, (void)max;
	return 0;
}

void
ryde_json_shapes_learn(struct ryde_json_shapes *set, struct ryde_view text,
    const struct ryde_json_value *values, size_t n)
{
	(void)set, (void)text, (void)values, (void)n;
}

#endif

int
ryde_json_shapes_read(struct ryde_json_shapes *set, struct ryde_view text,
    const struct ryde_json_paths *paths, struct ryde_json_value *values,
    struct ryde_json_fault *fault)
{
	size_t n = ryde_json_paths_count(paths);

	if (ryde_json_shapes_find(set, text, 0, values, n))
		return 0;
	if (ryde_json_find(text, paths, values, fault) != 0)
		return -1;
	ryde_json_shapes_learn(set, text, values, n);
	return 0;
}

int
ryde_json_shapes_check(struct ryde_json_shapes *set, struct ryde_view text, size_t behind,
    struct ryde_json_fault *fault)
{
	if (ryde_json_shapes_find(set, text, behind, NULL, 0))
		return 0;
	if (ryde_json_check(text, NULL, fault) != 0)
		return -1;
	ryde_json_shapes_learn(set, text, NULL, 0);
	return 0;
}
