#include "json/shape_line.h"

#include "json/shape_bytes.h"

#include <string.h>

#ifdef __SSE2__

#define ANY 0xff       /* the range of bytes that may be anything */
#define LINES_FIRST 16 /* lines after which a form is made */
#define MISSES_MAX 32  /* after so many it is made anew */
#define FEW 16
#define STEADY 8	/* lines in which a value had one length: it may be fixed */
#define STEADY_AGAIN 64 /* the same for one that was not fixed before */

/* ---- a form ---- */

WIDE static inline bool
wide_is_like(const unsigned char *p, const unsigned char *low, const unsigned char *range,
    size_t n)
{
	__m256i all = _mm256_set1_epi8(-1);

	for (size_t i = 0; i < n; i += BLOCK) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
		__m256i l = _mm256_loadu_si256((const __m256i *)(const void *)(low + i));
		__m256i r =
		    _mm256_loadu_si256((const __m256i *)(const void *)(range + i));
		__m256i from_low = _mm256_sub_epi8(v, l);

		all = _mm256_and_si256(
		    all, _mm256_cmpeq_epi8(_mm256_min_epu8(from_low, r), from_low));
	}
	return _mm256_movemask_epi8(all) == -1;
}

static inline bool
narrow_is_like(const unsigned char *p, const unsigned char *low,
    const unsigned char *range, size_t n)
{
	__m128i all = _mm_set1_epi8(-1);

	for (size_t i = 0; i < n; i += RYDE_JSON_BLOCK) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i l = _mm_loadu_si128((const __m128i *)(const void *)(low + i));
		__m128i r = _mm_loadu_si128((const __m128i *)(const void *)(range + i));
		__m128i from_low = _mm_sub_epi8(v, l);

		all = _mm_and_si128(
		    all, _mm_cmpeq_epi8(_mm_min_epu8(from_low, r), from_low));
	}
	return _mm_movemask_epi8(all) == 0xffff;
}

/* True where n bytes at p are as a part of the form has them. */
BOTH bool
is_like(
    const struct ryde_json_shape *shape, size_t at, const char *p, size_t n, bool wide)
{
	const unsigned char *bytes = (const unsigned char *)p;

	return wide ? wide_is_like(bytes, shape->low + at, shape->range + at, n)
		    : narrow_is_like(bytes, shape->low + at, shape->range + at, n);
}

/* ---- slot by slot ---- */

/* Notes how long a value was, and whether it was as the form has it. */
static void
note(const struct ryde_json_shape *shape, struct ryde_json_shape_slot *s, const char *p,
    size_t n)
{
	bool odd = false;

	if (s->kind == RYDE_JSON_ABSENT)
		return;
	if (s->fixed) {
		odd = n != s->length;
		for (size_t i = 0; i < n && !odd; i++)
			odd = (unsigned char)(p[i] - shape->low[s->form + i]) >
			      shape->range[s->form + i];
	}
	s->odd += odd;
	if (n != s->length || odd)
		s->steady = 0;
	else if (s->steady < UINT8_MAX)
		s->steady++;
	if (!s->fixed)
		s->length = (uint8_t)n; /* where it is longer it is never met */
}

/* Behind the value at p of a slot, NULL where it is none. What is read lies before limit.
 */
BOTH const char *
pass_value(const struct ryde_json_shape_slot *s, const char *p, const char *limit,
    bool wide, enum ryde_json_kind *kind)
{
	uint32_t found;

	*kind = s->kind;
	if (s->kind == RYDE_JSON_NUMBER)
		return pass_number(p, wide);
	if (s->kind == RYDE_JSON_ABSENT)
		return p;
	if (s->kind == RYDE_JSON_NULL)
		return pass_literal(p, kind);
	for (found = special(p, wide); found == 0; found = special(p, wide)) {
		p += BLOCK;
		if (p + BLOCK > limit)
			return NULL;
	}
	p += __builtin_ctz(found);
	return *p == '"' ? p : NULL;
}

static inline void
set_value(struct ryde_json_value *v, enum ryde_json_kind kind, const char *p, size_t n)
{
	*v = (struct ryde_json_value){.kind = kind, .text = ryde_view_mem(p, n)};
}

/* Behind the slots from first on to before `behind`, NULL where the text at p is not like
 * them. */
BOTH const char *
pass_slots(struct ryde_json_shape *shape, size_t first, size_t behind, const char *p,
    const char *limit, bool wide, struct ryde_json_value *values)
{
	for (size_t i = first; i < behind; i++) {
		struct ryde_json_shape_slot *s = &shape->slots[i];
		enum ryde_json_kind kind;
		const char *end;

		if (p + REACH > limit ||
		    (~same(p, shape->between + s->at, wide) & s->mask) != 0)
			return NULL;
		p += s->n;
		end = pass_value(s, p, limit, wide, &kind);
		if (end == NULL)
			return NULL;
		note(shape, s, p, (size_t)(end - p));
		if (s->path >= 0)
			set_value(&values[s->path], kind, p, (size_t)(end - p));
		p = end;
	}
	return p;
}

/* ---- making a form ---- */

/* The length of the value of a slot that stands at p, in a text that was found to have
 * the shape. */
static size_t
length_at(const struct ryde_json_shape_slot *s, const char *p)
{
	const char *end = p;

	if (s->kind == RYDE_JSON_STRING) {
		while (*end != '"')
			end++;
	} else if (s->kind != RYDE_JSON_ABSENT) {
		while (*end == '-' || *end == '.' || ryde_json_bytes_is_digit(*end) ||
		       (*end >= 'a' && *end <= 'z'))
			end++;
	}
	return (size_t)(end - p);
}

/* Which slots are to be fixed; false where this line is not one to take their lengths
 * from. */
static bool
choose(struct ryde_json_shape *shape, const char *p, bool *fixed)
{
	for (size_t i = 0; i < shape->n; i++) {
		const struct ryde_json_shape_slot *s = &shape->slots[i];
		size_t n;

		p += s->n;
		n = length_at(s, p);
		p += n;
		if (s->kind == RYDE_JSON_ABSENT)
			continue;
		if (s->fixed)
			fixed[i] = s->odd <= shape->lines / FEW;
		else
			fixed[i] =
			    s->steady >= (shape->n_parts > 0 ? STEADY_AGAIN : STEADY);
		if (fixed[i] && n != s->length)
			return false;
	}
	return true;
}

static void
put_form(struct ryde_json_shape *shape, size_t at, unsigned char low, unsigned char range)
{
	shape->low[at] = low;
	shape->range[at] = range;
}

static void
put_exact(struct ryde_json_shape *shape, size_t at, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_form(shape, at + i, (unsigned char)p[i], 0);
}

/* A value like the one at p: digits and letters stand for others of their kind. */
static void
put_like(struct ryde_json_shape *shape, const struct ryde_json_shape_slot *s, size_t at,
    const char *p, size_t n)
{
	size_t sign = p[0] == '-';

	for (size_t i = 0; i < n; i++) {
		if (ryde_json_bytes_is_digit(p[i]))
			put_form(shape, at + i, '0', 9);
		else if (s->kind == RYDE_JSON_STRING && p[i] >= 'a' && p[i] <= 'z')
			put_form(shape, at + i, 'a', 'z' - 'a');
		else if (s->kind == RYDE_JSON_STRING && p[i] >= 'A' && p[i] <= 'Z')
			put_form(shape, at + i, 'A', 'Z' - 'A');
		else
			put_exact(shape, at + i, p + i, 1);
	}
	/* A number of several digits does not begin with 0. */
	if (s->kind == RYDE_JSON_NUMBER && n > sign + 1 &&
	    ryde_json_bytes_is_digit(p[sign + 1]))
		put_form(shape, at + sign, '1', 8);
}

static enum ryde_json_kind
kind_at(const struct ryde_json_shape_slot *s, const char *p)
{
	enum ryde_json_kind kind = s->kind;

	if (kind == RYDE_JSON_NULL)
		(void)pass_literal(p, &kind);
	return kind;
}

/* Ends a part at `used`; its last block is compared whole. Where the next one begins. */
static size_t
end_part(struct ryde_json_shape *shape, struct ryde_json_shape_part *part, size_t used)
{
	size_t whole = (used - part->at + BLOCK - 1) / BLOCK * BLOCK;

	part->n = (uint16_t)(used - part->at);
	for (size_t i = used; i < part->at + whole; i++)
		put_form(shape, i, 0, ANY);
	shape->n_parts++;
	return part->at + whole;
}

/* The parts of a line at p. False where they do not fit. */
static bool
make_parts(struct ryde_json_shape *shape, const char *p, const bool *fixed)
{
	struct ryde_json_shape_part *part = shape->parts;
	size_t used = 0, n_fields = 0;

	shape->n_parts = 0;
	*part = (struct ryde_json_shape_part){0};
	for (size_t i = 0; i < shape->n; i++) {
		struct ryde_json_shape_slot *s = &shape->slots[i];
		size_t n = length_at(s, p + s->n);

		s->fixed = fixed[i];
		s->odd = 0;
		part->behind = (uint16_t)(i + 1);
		if (used + s->n + n + BLOCK > RYDE_JSON_SHAPE_FORM)
			return false;
		put_exact(shape, used, p, s->n);
		used += s->n;
		p += s->n;
		part->open = !fixed[i] && s->kind != RYDE_JSON_ABSENT;
		if (part->open) {
			used = end_part(shape, part, used);
			part[1] = (struct ryde_json_shape_part){.at = (uint16_t)used,
			    .first = (uint16_t)(i + 1),
			    .field = (uint16_t)n_fields};
			part++;
		} else if (s->kind != RYDE_JSON_ABSENT) {
			s->form = (uint16_t)used;
			put_like(shape, s, used, p, n);
			if (s->path >= 0) {
				shape->fields[n_fields++] =
				    (struct ryde_json_shape_field){s->path,
					(uint16_t)(used - part->at), (uint16_t)n,
					(uint8_t)kind_at(s, p)};
				part->fields++;
			}
			used += n;
		}
		p += n;
	}
	if (part->first < shape->n)
		(void)end_part(shape, part, used);
	return true;
}

/* It may be time for a form: where there is none yet, and where many lines differ from
 * it. Lines that differ are none to make it from, so this is asked at the next ones too.
 */
static void
consider(struct ryde_json_shape *shape, const char *line)
{
	bool fixed[RYDE_JSON_SHAPE_SLOTS] = {false};

	if (shape->n_parts == 0 ? shape->lines < LINES_FIRST : shape->misses < MISSES_MAX)
		return;
	if (!choose(shape, line, fixed))
		return;
	if (!make_parts(shape, line, fixed)) {
		for (size_t i = 0; i < shape->n; i++)
			shape->slots[i].fixed = false;
		shape->n_parts = 0;
	}
	shape->lines = shape->misses = 0;
}

void
ryde_json_shape_line_reset(struct ryde_json_shape *shape)
{
	shape->n_parts = 0;
	shape->lines = shape->misses = 0;
}

/* ---- a line ---- */

/* Behind a line that is like the form, NULL where it is not like the shape. */
BOTH const char *
pass_parts(struct ryde_json_shape *shape, const char *p, const char *limit, bool wide,
    struct ryde_json_value *values, bool *missed)
{
	struct ryde_json_shape_part *part = shape->parts, *last = part + shape->n_parts;

	for (; part < last; part++) {
		const struct ryde_json_shape_field *f = shape->fields + part->field;
		enum ryde_json_kind kind;
		const char *end;

		if (p + part->n + REACH > limit ||
		    !is_like(shape, part->at, p, part->n, wide)) {
			*missed = true;
			p = pass_slots(
			    shape, part->first, part->behind, p, limit, wide, values);
			if (p == NULL)
				return NULL;
			continue;
		}
		for (size_t i = 0; i < part->fields; i++)
			set_value(&values[f[i].path], f[i].kind, p + f[i].at, f[i].n);
		p += part->n;
		if (part->open) {
			struct ryde_json_shape_slot *s = &shape->slots[part->behind - 1];

			end = pass_value(s, p, limit, wide, &kind);
			if (end == NULL)
				return NULL;
			if (s->path >= 0)
				set_value(&values[s->path], kind, p, (size_t)(end - p));
			p = end;
		}
	}
	return p;
}

/* The end of a line, where its newline stands, or of a text, which is `end`; NULL where
 * it is not like the shape. */
BOTH const char *
pass_line(struct ryde_json_shape *shape, const char *line, const char *end, bool is_line,
    bool wide, struct ryde_json_value *values)
{
	const char *limit = end + REACH, *p;
	bool missed = shape->n_parts == 0;

	if (missed)
		p = pass_slots(shape, 0, shape->n, line, limit, wide, values);
	else
		p = pass_parts(shape, line, limit, wide, values, &missed);
	if (p == NULL || (is_line ? p >= end || *p != '\n' : p != end))
		return NULL;
	shape->lines++;
	shape->misses += missed;
	if (__builtin_expect(missed || shape->misses >= MISSES_MAX, 0))
		consider(shape, line);
	return p;
}

BOTH size_t
pass_lines(struct ryde_json_shape *shape, struct ryde_view lines, bool wide,
    const struct ryde_json_shape_found *to, size_t max)
{
	const char *p = lines.p, *end = lines.p + lines.n;
	struct ryde_json_value *values = to->values;
	size_t i;

	for (i = 0; i < max && p < end; i++, values += to->n) {
		p = pass_line(shape, p, end, true, wide, values);
		if (p == NULL)
			break;
		to->ends[i] = (size_t)(p - lines.p);
		p++;
	}
	return i;
}

WIDE static size_t
pass_lines_wide(struct ryde_json_shape *shape, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	return pass_lines(shape, lines, true, to, max);
}

size_t
ryde_json_shape_lines(struct ryde_json_shape *shape, struct ryde_view lines, bool wide,
    const struct ryde_json_shape_found *to, size_t max)
{
	if (!shape->one_line || shape->n == 0)
		return 0;
	return wide ? pass_lines_wide(shape, lines, to, max)
		    : pass_lines(shape, lines, false, to, max);
}

WIDE static bool
pass_text_wide(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values)
{
	return pass_line(shape, text.p, text.p + text.n, false, true, values) != NULL;
}

bool
ryde_json_shape_text(struct ryde_json_shape *shape, struct ryde_view text, bool wide,
    struct ryde_json_value *values)
{
	if (text.n == 0 || shape->n == 0)
		return false;
	return wide ? pass_text_wide(shape, text, values)
		    : pass_line(shape, text.p, text.p + text.n, false, false, values) !=
			  NULL;
}

#endif
