#include "json/shape_match.h"

#include "json/bytes.h"

#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>

/*
 * The same function several times: with the instructions of AVX2 for machines that have
 * them, and with those that every x86-64 has; for texts behind which may be read (open),
 * and for others. Both are constants in each, and what they rule out falls away.
 */
#define WIDE __attribute__((target("avx2,bmi")))
#define BOTH static inline __attribute__((always_inline))

#define BLOCK RYDE_JSON_SHAPE_PIECE /* bytes looked at together: bits of a mask */
/* For one slot no more than so many bytes are looked at: what lies before the value, and
 * the first two blocks of it. */
#define REACH ((size_t)RYDE_JSON_SHAPE_BEHIND)

/* ---- masks: a bit for each of 32 bytes ---- */

WIDE static inline uint32_t
wide_same(const char *a, const char *b)
{
	__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)a);
	__m256i y = _mm256_loadu_si256((const __m256i *)(const void *)b);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y));
}

WIDE static inline uint32_t
wide_special(const char *p)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	/* As in ryde_json_bytes_special. */
	__m256i odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
	__m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
	__m256i backslash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));

	return (uint32_t)_mm256_movemask_epi8(
	    _mm256_or_si256(odd, _mm256_or_si256(quote, backslash)));
}

WIDE static inline uint32_t
wide_digits(const char *p)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i from_zero = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(
	    _mm256_min_epu8(from_zero, _mm256_set1_epi8(9)), from_zero));
}

BOTH uint32_t
halves(uint32_t low, uint32_t high)
{
	return low | high << RYDE_JSON_BLOCK;
}

/* The bytes that are the same. */
BOTH uint32_t
same(const char *a, const char *b, bool wide)
{
	const char *c = a + RYDE_JSON_BLOCK, *d = b + RYDE_JSON_BLOCK;

	if (wide)
		return wide_same(a, b);
	return halves((uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(
			  ryde_json_bytes_load(a), ryde_json_bytes_load(b))),
	    (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(ryde_json_bytes_load(c), ryde_json_bytes_load(d))));
}

/* Those that end a plain string, or do not belong into one. */
BOTH uint32_t
special(const char *p, bool wide)
{
	if (wide)
		return wide_special(p);
	return halves(ryde_json_bytes_special(ryde_json_bytes_load(p)),
	    ryde_json_bytes_special(ryde_json_bytes_load(p + RYDE_JSON_BLOCK)));
}

BOTH uint32_t
digits(const char *p, bool wide)
{
	if (wide)
		return wide_digits(p);
	return halves(ryde_json_bytes_digits(ryde_json_bytes_load(p)),
	    ryde_json_bytes_digits(ryde_json_bytes_load(p + RYDE_JSON_BLOCK)));
}

/* ---- a text, slot by slot ---- */

#define STEADY 8 /* texts after which a value's length is taken for granted */

/*
 * Where a text is read. Where nothing may be read behind it, its last REACH bytes are
 * read in a copy with zeros behind them: so no block needs a check of its own.
 */
struct place {
	const char *p;
	const char *turn; /* from here on the copy is read, or nothing */
	const char *base; /* the text, or the copy */
	size_t skipped;	  /* of the text before base */
	char copy[2 * REACH];
};

BOTH void
turn(struct place *at, struct ryde_view text)
{
	size_t n = text.n < REACH ? text.n : REACH;

	/* With constant lengths these are a few moves. */
	memset(at->copy + REACH, 0, REACH);
	if (n == REACH) {
		memcpy(at->copy, text.p + text.n - REACH, REACH);
	} else {
		memset(at->copy, 0, REACH);
		if (n > 0)
			memcpy(at->copy, text.p, n);
	}
	at->skipped = text.n - n;
	at->p = at->copy + ((size_t)(at->p - text.p) - at->skipped);
	at->base = at->copy;
	at->turn = at->copy + sizeof(at->copy);
}

/* The closing quote of the plain string at p, NULL where it is none. */
BOTH const char *
pass_string(struct place *at, struct ryde_view text, const char *p, bool open, bool wide)
{
	uint32_t found = special(p, wide);

	while (found == 0) {
		p += BLOCK;
		if (p >= at->turn) {
			if (open)
				return NULL;
			at->p = p;
			turn(at, text);
			p = at->p;
		}
		found = special(p, wide);
	}
	p += __builtin_ctz(found);
	return *p == '"' ? p : NULL;
}

/*
 * Behind a number without an exponent and of less than a block, NULL where it is none.
 * What follows it is compared next and cannot be part of a number, so it ends where
 * digits and their point end.
 */
BOTH const char *
pass_number(const char *p, bool wide)
{
	uint32_t found = digits(p, wide);
	unsigned whole, fraction;

	if (*p == '-') {
		found >>= 1;
		p++;
	}
	if ((found & 1) == 0 || ~found == 0)
		return NULL;
	whole = (unsigned)__builtin_ctz(~found);
	if (*p == '0' && whole > 1)
		return NULL;
	p += whole;
	if (*p != '.')
		return whole < BLOCK - 1 ? p : NULL;
	found = found >> 1 >> whole;
	if ((found & 1) == 0)
		return NULL;
	fraction = (unsigned)__builtin_ctz(~found);
	/* A minus, the point, and a digit that may be the last one of the block. */
	return whole + fraction < BLOCK - 3 ? p + 1 + fraction : NULL;
}

/* Behind true, false or null, of which *kind becomes one. */
static const char *
pass_literal(const char *p, enum ryde_json_kind *kind)
{
	if (memcmp(p, "true", 4) == 0) {
		*kind = RYDE_JSON_TRUE;
		return p + 4;
	}
	if (memcmp(p, "null", 4) == 0) {
		*kind = RYDE_JSON_NULL;
		return p + 4;
	}
	*kind = RYDE_JSON_FALSE;
	return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

/*
 * Where to go on: end. The processor cannot look at the next value before it knows where
 * this one ends, unless it is told to guess. Where values were of one length for some
 * time, the place that follows from that is taken: it depends on nothing that was read
 * from the text, and only the branch does, which is foreseen. The empty instruction hides
 * from the compiler that both are the same.
 */
BOTH const char *
behind_value(struct ryde_json_shape_slot *s, const char *p, const char *end)
{
	const char *guess = p + s->length, *check = guess;

	if (s->steady < STEADY) {
		s->steady = end == guess ? s->steady + 1 : 0;
		s->length = (uint8_t)(end - p); /* where it is longer it is never met */
		return end;
	}
	__asm__("" : "+r"(check));
	if (__builtin_expect(end == check, 1))
		return guess;
	s->steady = 0;
	return end;
}

BOTH bool
match(struct ryde_json_shape *shape, struct ryde_view text, bool open, bool wide,
    struct ryde_json_value *values)
{
	struct ryde_json_shape_slot *s = shape->slots, *last = s + shape->n;
	struct place at; /* its copy is made where it is needed */

	at.p = at.base = text.p;
	if (open)
		at.turn = text.p + text.n + 1;
	else
		at.turn = text.p + (text.n < REACH ? 0 : text.n - REACH);
	at.skipped = 0;
	for (; s < last; s++) {
		enum ryde_json_kind kind = s->kind;
		const char *p, *end;
		size_t from;

		if (at.p >= at.turn) {
			if (open)
				return false;
			turn(&at, text);
		}
		if ((~same(at.p, shape->between + s->at, wide) & s->mask) != 0)
			return false;
		p = at.p + s->n;
		from = at.skipped + (size_t)(p - at.base);
		if (kind == RYDE_JSON_NUMBER)
			end = pass_number(p, wide);
		else if (kind == RYDE_JSON_STRING)
			end = pass_string(&at, text, p, open, wide);
		else if (kind == RYDE_JSON_ABSENT)
			end = p;
		else
			end = pass_literal(p, &kind);
		if (end == NULL)
			return false;
		at.p = behind_value(s, p, end);
		if (s->path >= 0)
			values[s->path] = (struct ryde_json_value){.kind = kind,
			    .text = ryde_view_mem(text.p + from,
				at.skipped + (size_t)(end - at.base) - from)};
	}
	return shape->n > 0 && at.skipped + (size_t)(at.p - at.base) == text.n;
}

WIDE static bool
match_wide(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values)
{
	return match(shape, text, true, true, values);
}

static bool
match_open(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values)
{
	return match(shape, text, true, false, values);
}

static bool
match_closed(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values)
{
	return match(shape, text, false, false, values);
}

bool
ryde_json_shape_is_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

bool
ryde_json_shape_match(struct ryde_json_shape *shape, struct ryde_view text, size_t behind,
    bool wide, struct ryde_json_value *values)
{
	if (behind < REACH)
		return match_closed(shape, text, values);
	return wide ? match_wide(shape, text, values) : match_open(shape, text, values);
}

#else

bool
ryde_json_shape_is_wide(void)
{
	return false;
}

#endif
