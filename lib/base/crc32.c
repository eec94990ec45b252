#include "base/crc32.h"

#include <stddef.h>
#include <zlib.h>

#ifdef __x86_64__
#include <immintrin.h>

#define BLOCK                                                                    \
	64 /* bytes: four registers, so that no multiplication waits for another \
	    */

/*
 * x to the powers of 4 * 128 + 32, 4 * 128 - 32, 128 + 32, 128 - 32 and 64, modulo the
 * polynomial, then the polynomial and its reciprocal: all with their bits turned round.
 */
#define FOLD_4_LOW 0x0154442bd4
#define FOLD_4_HIGH 0x01c6e41596
#define FOLD_1_LOW 0x01751997d0
#define FOLD_1_HIGH 0x00ccaa009e
#define FOLD_HALF 0x0163cd6124
#define POLYNOMIAL 0x01db710641
#define RECIPROCAL 0x01f7011641

#define TARGET __attribute__((target("pclmul,sse4.1")))

TARGET static inline __m128i
load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* What x is worth so many bits further on, and what stands there. */
TARGET static inline __m128i
fold(__m128i x, __m128i by, __m128i there)
{
	return _mm_xor_si128(there, _mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00),
					_mm_clmulepi64_si128(x, by, 0x11)));
}

/* From 128 bits to the 32 of the checksum. */
TARGET static uint32_t
reduce(__m128i x)
{
	const __m128i low = _mm_setr_epi32(-1, 0, -1, 0);
	const __m128i by = _mm_set_epi64x(FOLD_1_HIGH, FOLD_1_LOW);
	const __m128i barrett = _mm_set_epi64x(RECIPROCAL, POLYNOMIAL);
	__m128i y;

	x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, by, 0x10));
	y = _mm_srli_si128(x, 4);
	x = _mm_clmulepi64_si128(
	    _mm_and_si128(x, low), _mm_set_epi64x(0, FOLD_HALF), 0x00);
	x = _mm_xor_si128(x, y);
	y = _mm_clmulepi64_si128(_mm_and_si128(x, low), barrett, 0x10);
	y = _mm_clmulepi64_si128(_mm_and_si128(y, low), barrett, 0x00);
	return (uint32_t)_mm_extract_epi32(_mm_xor_si128(x, y), 1);
}

/* n is a multiple of 16, and at least BLOCK. */
TARGET static uint32_t
fast(const char *p, size_t n)
{
	const __m128i by_4 = _mm_set_epi64x(FOLD_4_HIGH, FOLD_4_LOW);
	const __m128i by_1 = _mm_set_epi64x(FOLD_1_HIGH, FOLD_1_LOW);
	__m128i x[4];

	for (size_t i = 0; i < 4; i++)
		x[i] = load(p + 16 * i);
	x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(-1));
	for (p += BLOCK, n -= BLOCK; n >= BLOCK; p += BLOCK, n -= BLOCK)
		for (size_t i = 0; i < 4; i++)
			x[i] = fold(x[i], by_4, load(p + 16 * i));
	for (size_t i = 1; i < 4; i++)
		x[0] = fold(x[0], by_1, x[i]);
	for (; n > 0; p += 16, n -= 16)
		x[0] = fold(x[0], by_1, load(p));
	return ~reduce(x[0]);
}

static size_t
fast_part(size_t n)
{
	bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");

	return can && n >= BLOCK ? n / 16 * 16 : 0;
}
#else
static size_t
fast_part(size_t n)
{
	(void)n;
	return 0;
}

static uint32_t
fast(const char *p, size_t n)
{
	(void)p, (void)n;
	return 0;
}
#endif

uint32_t
ryde_crc32(struct ryde_view bytes)
{
	size_t n = fast_part(bytes.n);
	uint32_t sum = n > 0 ? fast(bytes.p, n) : 0;

	if (n == bytes.n)
		return sum;
	return (uint32_t)crc32_z(
	    sum, (const unsigned char *)bytes.p + n, (z_size_t)(bytes.n - n));
}
