/* How a text is compared with a shape: 32 bytes at a time. Private to lib/json. */
#ifndef RYDE_JSON_SHAPE_BYTES_H
#define RYDE_JSON_SHAPE_BYTES_H

#include "json/bytes.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>

/*
 * The same function several times: with the instructions of AVX2 for machines that have
 * them, and with those that every x86-64 has; for texts behind which may be read (open),
 * and for others. Both are constants in each, and what they rule out falls away.
 */
#define WIDE __attribute__((target("avx2,bmi,popcnt")))
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
wide_equal(const char *p, char c)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c)));
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
equal(const char *p, char c, bool wide)
{
	if (wide)
		return wide_equal(p, c);
	return halves(ryde_json_bytes_equal(ryde_json_bytes_load(p), c),
	    ryde_json_bytes_equal(ryde_json_bytes_load(p + RYDE_JSON_BLOCK), c));
}

BOTH uint32_t
digits(const char *p, bool wide)
{
	if (wide)
		return wide_digits(p);
	return halves(ryde_json_bytes_digits(ryde_json_bytes_load(p)),
	    ryde_json_bytes_digits(ryde_json_bytes_load(p + RYDE_JSON_BLOCK)));
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
static inline const char *
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

#endif
#endif
