#include "json/base64.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_BLOCKS 1
#endif

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#ifdef HAS_BLOCKS

#define SHORT 8 /* for less than that blocks do not pay off */

/*
 * 24 bytes become 32 characters. Each half of the register gets 12 bytes; a group of
 * three, as two 16-bit words, is multiplied so that its four sixes of bits land in a byte
 * each; a small table says what to add to a six to make it a character.
 */
__attribute__((target("avx2"))) static size_t
encode_blocks(char *to, const char *p, size_t n)
{
	const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9,
	    11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	const __m256i add =
	    _mm256_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0,
		0, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
	size_t done = 0;

	/* the second load reads four bytes that it does not use */
	for (; n - done >= 28; done += 24, to += 32) {
		__m128i low = _mm_loadu_si128((const __m128i *)(const void *)(p + done));
		__m128i high =
		    _mm_loadu_si128((const __m128i *)(const void *)(p + done + 12));
		__m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
		__m256i six, odd, group;

		v = _mm256_shuffle_epi8(v, spread);
		six =
		    _mm256_mulhi_epu16(_mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00)),
			_mm256_set1_epi32(0x04000040));
		odd =
		    _mm256_mullo_epi16(_mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0)),
			_mm256_set1_epi32(0x01000010));
		six = _mm256_or_si256(six, odd);
		/* 0: a to z, 1 to 10: digits, 11: +, 12: /, 13: A to Z */
		group = _mm256_subs_epu8(six, _mm256_set1_epi8(51));
		group = _mm256_or_si256(
		    group, _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), six),
			       _mm256_set1_epi8(13)));
		six = _mm256_add_epi8(six, _mm256_shuffle_epi8(add, group));
		_mm256_storeu_si256((__m256i *)(void *)to, six);
	}
	return done;
}

/*
 * 32 characters become 24 bytes. Two tables, of the low and the high half of a character,
 * have a bit in common exactly where it is none of the alphabet; a third one says what to
 * add. Returns how many characters were taken: it stops before a bad one.
 */
__attribute__((target("avx2"))) static size_t
decode_blocks(char *to, const char *p, size_t n)
{
	const __m256i bad_low = _mm256_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
	    0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a, 0x15, 0x11, 0x11, 0x11,
	    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i bad_high = _mm256_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08,
	    0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x01,
	    0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	const __m256i add = _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0,
	    0, 0, 0, 0, 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i pack = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1,
	    -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	const __m256i half = _mm256_set1_epi8(0x0f);
	size_t done = 0;

	/* padding, and the eight bytes that a store writes too many, stay behind */
	for (; n - done > 44; done += 32, to += 24) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + done));
		__m256i low = _mm256_and_si256(v, half);
		__m256i high = _mm256_and_si256(_mm256_srli_epi32(v, 4), half);
		__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));

		if (!_mm256_testz_si256(_mm256_shuffle_epi8(bad_low, low),
			_mm256_shuffle_epi8(bad_high, high)))
			break;
		v = _mm256_add_epi8(
		    v, _mm256_shuffle_epi8(add, _mm256_add_epi8(slash, high)));
		v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
		v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
		v = _mm256_shuffle_epi8(v, pack);
		v = _mm256_permutevar8x32_epi32(
		    v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
		_mm256_storeu_si256((__m256i *)(void *)to, v);
	}
	/* half of that, once or twice: what is left then is short */
	for (; n - done > 22; done += 16, to += 12) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + done));
		__m128i low = _mm_and_si128(v, _mm256_castsi256_si128(half));
		__m128i high =
		    _mm_and_si128(_mm_srli_epi32(v, 4), _mm256_castsi256_si128(half));
		__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));

		if (!_mm_testz_si128(
			_mm_shuffle_epi8(_mm256_castsi256_si128(bad_low), low),
			_mm_shuffle_epi8(_mm256_castsi256_si128(bad_high), high)))
			break;
		v = _mm_add_epi8(v, _mm_shuffle_epi8(_mm256_castsi256_si128(add),
					_mm_add_epi8(slash, high)));
		v = _mm_maddubs_epi16(v, _mm_set1_epi32(0x01400140));
		v = _mm_madd_epi16(v, _mm_set1_epi32(0x00011000));
		v = _mm_shuffle_epi8(v, _mm256_castsi256_si128(pack));
		_mm_storeu_si128((__m128i *)(void *)to, v);
	}
	return done;
}

/* What is left of 27 bytes at most, its padding included, by one block of a copy. */
__attribute__((target("avx2"))) static void
encode_tail(char *to, const char *p, size_t n)
{
	size_t whole = n < 24 ? n : 24, rest = n - whole;
	char in[32] = {0}, out[32];

	if (n == 0)
		return;
	memcpy(in, p, n);
	(void)encode_blocks(out, in, 28);
	memcpy(to, out, (whole + 2) / 3 * 4);
	to += (whole + 2) / 3 * 4;
	if (rest > 0) {
		memmove(in, in + 24, 4);
		memset(in + 4, 0, sizeof(in) - 4);
		(void)encode_blocks(out, in, 28);
		memcpy(to, out, 4);
		to += 4;
	}
	if (n % 3 != 0)
		to[-1] = '=';
	if (n % 3 == 1)
		to[-2] = '=';
}

/* What is left of 22 characters at most, of which the last `pad` are padding, in the same
 * way. */
__attribute__((target("avx2"))) static bool
decode_tail(char *to, const char *p, size_t n, size_t pad)
{
	char in[48], out[48];
	size_t bytes = n / 4 * 3 - pad;

	if (n == 0)
		return true;
	memset(in, 'A', sizeof(in));
	memcpy(in, p, n - pad);
	/* what lies behind is zeros: bits beyond the last byte show there */
	if (decode_blocks(out, in, sizeof(in)) < n)
		return false;
	memcpy(to, out, bytes);
	return (pad < 1 || out[bytes] == 0) && (pad < 2 || out[bytes + 1] == 0);
}

static bool
has_blocks(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

#endif

size_t
ryde_base64_encode_plain(char *to, const char *p, size_t n)
{
	size_t i = 0;

	for (; i + 3 <= n; i += 3, to += 4) {
		uint32_t g = (uint32_t)(unsigned char)p[i] << 16 |
			     (uint32_t)(unsigned char)p[i + 1] << 8 |
			     (unsigned char)p[i + 2];

		to[0] = alphabet[g >> 18];
		to[1] = alphabet[g >> 12 & 63];
		to[2] = alphabet[g >> 6 & 63];
		to[3] = alphabet[g & 63];
	}
	if (i < n) {
		uint32_t g = (uint32_t)(unsigned char)p[i] << 16;

		if (n - i == 2)
			g |= (uint32_t)(unsigned char)p[i + 1] << 8;
		to[0] = alphabet[g >> 18];
		to[1] = alphabet[g >> 12 & 63];
		to[2] = n - i == 2 ? alphabet[g >> 6 & 63] : '=';
		to[3] = '=';
	}
	return ryde_base64_size(n);
}

size_t
ryde_base64_encode(char *to, const char *p, size_t n)
{
#ifdef HAS_BLOCKS
	if (n >= SHORT && has_blocks()) {
		size_t i = n >= 28 ? encode_blocks(to, p, n) : 0;

		encode_tail(to + i / 3 * 4, p + i, n - i);
		return ryde_base64_size(n);
	}
#endif
	return ryde_base64_encode_plain(to, p, n);
}

/* One more than the value of each character; 0 where it has none. */
static const unsigned char values[256] = {
    ['A'] = 1,
    ['B'] = 2,
    ['C'] = 3,
    ['D'] = 4,
    ['E'] = 5,
    ['F'] = 6,
    ['G'] = 7,
    ['H'] = 8,
    ['I'] = 9,
    ['J'] = 10,
    ['K'] = 11,
    ['L'] = 12,
    ['M'] = 13,
    ['N'] = 14,
    ['O'] = 15,
    ['P'] = 16,
    ['Q'] = 17,
    ['R'] = 18,
    ['S'] = 19,
    ['T'] = 20,
    ['U'] = 21,
    ['V'] = 22,
    ['W'] = 23,
    ['X'] = 24,
    ['Y'] = 25,
    ['Z'] = 26,
    ['a'] = 27,
    ['b'] = 28,
    ['c'] = 29,
    ['d'] = 30,
    ['e'] = 31,
    ['f'] = 32,
    ['g'] = 33,
    ['h'] = 34,
    ['i'] = 35,
    ['j'] = 36,
    ['k'] = 37,
    ['l'] = 38,
    ['m'] = 39,
    ['n'] = 40,
    ['o'] = 41,
    ['p'] = 42,
    ['q'] = 43,
    ['r'] = 44,
    ['s'] = 45,
    ['t'] = 46,
    ['u'] = 47,
    ['v'] = 48,
    ['w'] = 49,
    ['x'] = 50,
    ['y'] = 51,
    ['z'] = 52,
    ['0'] = 53,
    ['1'] = 54,
    ['2'] = 55,
    ['3'] = 56,
    ['4'] = 57,
    ['5'] = 58,
    ['6'] = 59,
    ['7'] = 60,
    ['8'] = 61,
    ['9'] = 62,
    ['+'] = 63,
    ['/'] = 64,
};

/* The value of a character; bit 6 is set where it has none. */
static uint32_t
six_of(char c)
{
	return (values[(unsigned char)c] - 1u) & 0xff;
}

/* How many of the characters are padding; false where their number is none. */
static bool
measure(const char *p, size_t n, size_t *pad, size_t *out)
{
	*pad = 0;
	if (n % 4 != 0)
		return false;
	while (*pad < 2 && *pad < n && p[n - 1 - *pad] == '=')
		++*pad;
	*out = n / 4 * 3 - *pad;
	return true;
}

bool
ryde_base64_decode_plain(char *to, const char *p, size_t n, size_t *out)
{
	uint32_t bad = 0, g = 0;
	size_t pad;

	if (!measure(p, n, &pad, out))
		return false;
	for (size_t i = 0; i < n; i += 4) {
		size_t bytes = i + 4 == n ? 3 - pad : 3;
		uint32_t a = six_of(p[i]), b = six_of(p[i + 1]);
		uint32_t c = bytes > 1 ? six_of(p[i + 2]) : 0;
		uint32_t d = bytes > 2 ? six_of(p[i + 3]) : 0;

		bad |= a | b | c | d;
		g = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
		to[0] = (char)(g >> 16);
		if (bytes > 1)
			to[1] = (char)(g >> 8);
		if (bytes > 2)
			to[2] = (char)g;
		to += bytes;
	}
	/* What a last group holds beyond its bytes must be zero, else two texts would
	 * mean the same bytes. */
	return (bad & 64) == 0 && !(pad == 1 && (g & 0xff) != 0) &&
	       !(pad == 2 && (g & 0xffff) != 0);
}

bool
ryde_base64_decode(char *to, const char *p, size_t n, size_t *out)
{
#ifdef HAS_BLOCKS
	if (n >= SHORT && has_blocks()) {
		size_t pad, i;

		if (!measure(p, n, &pad, out))
			return false;
		i = n > 22 ? decode_blocks(to, p, n) : 0;
		return n - i <= 22 && decode_tail(to + i / 4 * 3, p + i, n - i, pad);
	}
#endif
	return ryde_base64_decode_plain(to, p, n, out);
}
