/*
 * The bytes of JSON strings, as scan.c and string.c look at them. Private to lib/json.
 * Inlined, because a line of 170 bytes is some thirty of these calls.
 */
#ifndef RYDE_JSON_BYTES_H
#define RYDE_JSON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#define RYDE_JSON_BLOCK 16 /* bytes looked at together */

/* A bit for each of 16 bytes that is a quote, a backslash, a control character or over
 * 0x7f. */
static inline uint32_t
ryde_json_bytes_special(__m128i v)
{
	/* As signed bytes, those over 0x7f are below the blank too: one comparison finds
	 * both. */
	__m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (uint32_t)_mm_movemask_epi8(
	    _mm_or_si128(odd, _mm_or_si128(quote, backslash)));
}

/* A bit for each of 16 bytes that is a decimal digit. */
static inline uint32_t
ryde_json_bytes_digits(__m128i v)
{
	__m128i from_zero = _mm_sub_epi8(v, _mm_set1_epi8('0'));

	return (uint32_t)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero));
}

/* A bit for each of 16 bytes that is c. */
static inline uint32_t
ryde_json_bytes_equal(__m128i v, char c)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

static inline __m128i
ryde_json_bytes_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}
#endif

static inline bool
ryde_json_bytes_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* True for a byte that stands for itself in a string and is ASCII. */
static inline bool
ryde_json_bytes_is_plain(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

/* The first byte from p on that is not plain, or end. */
static inline const char *
ryde_json_bytes_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= RYDE_JSON_BLOCK) {
		uint32_t special = ryde_json_bytes_special(ryde_json_bytes_load(p));

		if (special != 0)
			return p + __builtin_ctz(special);
		p += RYDE_JSON_BLOCK;
	}
#endif
	while (p < end && ryde_json_bytes_is_plain(*p))
		p++;
	return p;
}

/*
 * The length of the UTF-8 sequence at p < end, 1 to 4, or 0 where it is none. Source: RFC
 * 3629, section 4.
 */
static inline size_t
ryde_json_bytes_utf8(const char *p, const char *end)
{
	size_t left = (size_t)(end - p), n;
	unsigned char lead = (unsigned char)p[0], low = 0x80, high = 0xbf;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	/* The second byte is what rules out overlong forms, surrogates and points over
	 * U+10FFFF. */
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if ((unsigned char)p[1] < low || (unsigned char)p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/* The value of a hexadecimal digit, -1 where c is none. */
static inline int
ryde_json_bytes_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
