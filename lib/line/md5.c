#include "line/md5.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ROW 8 /* lanes of one vector */
#define ROWS 4
#define LANES ((size_t)ROW * ROWS)
#define BLOCK 64
#define NOBODY SIZE_MAX

/* One word of each lane of a row. The compiler makes of it what the processor has. */
typedef uint32_t words __attribute__((vector_size(4 * ROW)));

/* The whole part of |sin(i + 1)| * 2^32. */
static const uint32_t sines[64] = {
    0xd76aa478,
    0xe8c7b756,
    0x242070db,
    0xc1bdceee,
    0xf57c0faf,
    0x4787c62a,
    0xa8304613,
    0xfd469501,
    0x698098d8,
    0x8b44f7af,
    0xffff5bb1,
    0x895cd7be,
    0x6b901122,
    0xfd987193,
    0xa679438e,
    0x49b40821,
    0xf61e2562,
    0xc040b340,
    0x265e5a51,
    0xe9b6c7aa,
    0xd62f105d,
    0x02441453,
    0xd8a1e681,
    0xe7d3fbc8,
    0x21e1cde6,
    0xc33707d6,
    0xf4d50d87,
    0x455a14ed,
    0xa9e3e905,
    0xfcefa3f8,
    0x676f02d9,
    0x8d2a4c8a,
    0xfffa3942,
    0x8771f681,
    0x6d9d6122,
    0xfde5380c,
    0xa4beea44,
    0x4bdecfa9,
    0xf6bb4b60,
    0xbebfbc70,
    0x289b7ec6,
    0xeaa127fa,
    0xd4ef3085,
    0x04881d05,
    0xd9d4d039,
    0xe6db99e5,
    0x1fa27cf8,
    0xc4ac5665,
    0xf4292244,
    0x432aff97,
    0xab9423a7,
    0xfc93a039,
    0x655b59c3,
    0x8f0ccc92,
    0xffeff47d,
    0x85845dd1,
    0x6fa87e4f,
    0xfe2ce6e0,
    0xa3014314,
    0x4e0811a1,
    0xf7537e82,
    0xbd3af235,
    0x2ad7d2bb,
    0xeb86d391,
};

/* What a lane is working on: whole blocks of its text, then the last one or two, which
 * are put together in `end`. */
struct lane {
	size_t text; /* NOBODY: none */
	const unsigned char *p;
	size_t blocks;
	bool at_end;
	unsigned char end[2 * BLOCK];
};

struct state {
	words a[ROWS], b[ROWS], c[ROWS], d[ROWS];
	struct lane lanes[LANES];
};

static void
put_word(unsigned char *to, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(x >> 8 * i);
}

/* ---- one block of each lane ---- */

#define TURN(x, n) ((x) << (n) | (x) >> (32 - (n)))
/* Inlined into each way. UBSan's checks of array indexes that are constants here would
 * make clang take minutes for them. */
#define INLINED inline __attribute__((always_inline, no_sanitize("pointer-overflow")))
/* Rows and lanes have no order among themselves. */
#define UNROLLED _Pragma("GCC unroll 8")

/* A step of each row: what waits for the last step is added last, and while one row
 * waits the others go on. */
#define STEP(F, a, b, c, d, i, m, n)                 \
	UNROLLED for (size_t r = 0; r < rows; r++)   \
	{                                            \
		(a)[r] += w[r][(m)&15] + sines[i];   \
		(a)[r] += F((b)[r], (c)[r], (d)[r]); \
		(a)[r] = TURN((a)[r], n) + (b)[r];   \
	}
/* Four steps, with the roles of a, b, c and d going round. */
#define FOUR(F, i, m, step, n0, n1, n2, n3)                         \
	do {                                                        \
		STEP(F, a, b, c, d, i, m, n0);                      \
		STEP(F, d, a, b, c, (i) + 1, (m) + (step), n1);     \
		STEP(F, c, d, a, b, (i) + 2, (m) + 2 * (step), n2); \
		STEP(F, b, c, d, a, (i) + 3, (m) + 3 * (step), n3); \
	} while (0)
#define F1(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define F2(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define F3(x, y, z) ((x) ^ (y) ^ (z))
#define F4(x, y, z) ((y) ^ ((x) | ~(z)))

static INLINED void
turn_block(struct state *s, words w[ROWS][16], size_t rows)
{
	words a[ROWS], b[ROWS], c[ROWS], d[ROWS];

	UNROLLED
	for (size_t r = 0; r < rows; r++) {
		a[r] = s->a[r];
		b[r] = s->b[r];
		c[r] = s->c[r];
		d[r] = s->d[r];
	}
	FOUR(F1, 0, 0, 1, 7, 12, 17, 22);
	FOUR(F1, 4, 4, 1, 7, 12, 17, 22);
	FOUR(F1, 8, 8, 1, 7, 12, 17, 22);
	FOUR(F1, 12, 12, 1, 7, 12, 17, 22);
	FOUR(F2, 16, 1, 5, 5, 9, 14, 20);
	FOUR(F2, 20, 5, 5, 5, 9, 14, 20);
	FOUR(F2, 24, 9, 5, 5, 9, 14, 20);
	FOUR(F2, 28, 13, 5, 5, 9, 14, 20);
	FOUR(F3, 32, 5, 3, 4, 11, 16, 23);
	FOUR(F3, 36, 1, 3, 4, 11, 16, 23);
	FOUR(F3, 40, 13, 3, 4, 11, 16, 23);
	FOUR(F3, 44, 9, 3, 4, 11, 16, 23);
	FOUR(F4, 48, 0, 7, 6, 10, 15, 21);
	FOUR(F4, 52, 12, 7, 6, 10, 15, 21);
	FOUR(F4, 56, 8, 7, 6, 10, 15, 21);
	FOUR(F4, 60, 4, 7, 6, 10, 15, 21);
	UNROLLED
	for (size_t r = 0; r < rows; r++) {
		s->a[r] += a[r];
		s->b[r] += b[r];
		s->c[r] += c[r];
		s->d[r] += d[r];
	}
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MIX(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#define LOW_WORDS(x, y) MIX(x, y, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH_WORDS(x, y) MIX(x, y, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW_PAIRS(x, y) MIX(x, y, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_PAIRS(x, y) MIX(x, y, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW_HALVES(x, y) MIX(x, y, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH_HALVES(x, y) MIX(x, y, 4, 5, 6, 7, 12, 13, 14, 15)

/* Eight words of each lane of a row, from a byte on: w[i] becomes the i-th of all. */
static INLINED void
take_words(const struct lane *lanes, size_t from, words w[8])
{
	words r[ROW], t[ROW];

	UNROLLED
	for (size_t l = 0; l < ROW; l++)
		memcpy(&r[l], lanes[l].p + from, sizeof(r[l]));
	UNROLLED
	for (size_t l = 0; l < ROW; l += 2) {
		t[l] = LOW_WORDS(r[l], r[l + 1]);
		t[l + 1] = HIGH_WORDS(r[l], r[l + 1]);
	}
	UNROLLED
	for (size_t l = 0; l < ROW; l += 4) {
		r[l] = LOW_PAIRS(t[l], t[l + 2]);
		r[l + 1] = HIGH_PAIRS(t[l], t[l + 2]);
		r[l + 2] = LOW_PAIRS(t[l + 1], t[l + 3]);
		r[l + 3] = HIGH_PAIRS(t[l + 1], t[l + 3]);
	}
	UNROLLED
	for (size_t l = 0; l < 4; l++) {
		w[l] = LOW_HALVES(r[l], r[l + 4]);
		w[l + 4] = HIGH_HALVES(r[l], r[l + 4]);
	}
}
#else
static uint32_t
word_at(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static void
take_words(const struct lane *lanes, size_t from, words w[8])
{
	for (size_t i = 0; i < 8; i++)
		UNROLLED
	for (size_t l = 0; l < ROW; l++)
		w[i][l] = word_at(lanes[l].p + from + 4 * i);
}
#endif

/* n blocks of each lane: inlined into a function for each kind of processor. With one
 * row the lanes of the others stand still. */
static INLINED void
turn_rows(struct state *s, size_t n, size_t rows)
{
	words w[ROWS][16];

	for (size_t k = 0; k < n; k++) {
		UNROLLED
		for (size_t r = 0; r < rows; r++) {
			take_words(s->lanes + ROW * r, BLOCK * k, w[r]);
			take_words(s->lanes + ROW * r, BLOCK * k + BLOCK / 2, w[r] + 8);
		}
		turn_block(s, w, rows);
	}
}

static INLINED void
turn_blocks(struct state *s, size_t n, bool all)
{
	if (all)
		turn_rows(s, n, ROWS);
	else
		turn_rows(s, n, 1);
}

static void
turn_blocks_plain(struct state *s, size_t n, bool all)
{
	turn_blocks(s, n, all);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
turn_blocks_avx2(struct state *s, size_t n, bool all)
{
	turn_blocks(s, n, all);
}

/* It turns words, and mixes three of them, at once. */
__attribute__((target("avx2,avx512f,avx512vl"))) static void
turn_blocks_avx512(struct state *s, size_t n, bool all)
{
	turn_blocks(s, n, all);
}

enum ryde_md5_way
ryde_md5_best(void)
{
	if (!__builtin_cpu_supports("avx2"))
		return RYDE_MD5_PLAIN;
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
		   ? RYDE_MD5_AVX512
		   : RYDE_MD5_AVX2;
}

static void
turn(enum ryde_md5_way way, struct state *s, size_t n, bool all)
{
	if (way == RYDE_MD5_AVX512)
		turn_blocks_avx512(s, n, all);
	else if (way == RYDE_MD5_AVX2)
		turn_blocks_avx2(s, n, all);
	else
		turn_blocks_plain(s, n, all);
}
#else
enum ryde_md5_way
ryde_md5_best(void)
{
	return RYDE_MD5_PLAIN;
}

static void
turn(enum ryde_md5_way way, struct state *s, size_t n, bool all)
{
	(void)way;
	turn_blocks_plain(s, n, all);
}
#endif

/* ---- lanes ---- */

/* The last bytes of the text, a bit, blanks, and how many bits the text has. */
static void
make_end(struct lane *l, struct ryde_view text)
{
	size_t left = text.n % BLOCK, blocks = left + 9 > BLOCK ? 2 : 1;
	uint64_t bits = (uint64_t)text.n * 8;

	memset(l->end, 0, sizeof(l->end));
	if (left > 0)
		memcpy(l->end, text.p + text.n - left, left);
	l->end[left] = 0x80;
	put_word(l->end + BLOCK * blocks - 8, (uint32_t)bits);
	put_word(l->end + BLOCK * blocks - 4, (uint32_t)(bits >> 32));
	l->p = l->end;
	l->blocks = blocks;
	l->at_end = true;
}

static void
begin(struct state *s, size_t lane, const struct ryde_view *texts, size_t text)
{
	struct lane *l = &s->lanes[lane];

	s->a[lane / ROW][lane % ROW] = 0x67452301;
	s->b[lane / ROW][lane % ROW] = 0xefcdab89;
	s->c[lane / ROW][lane % ROW] = 0x98badcfe;
	s->d[lane / ROW][lane % ROW] = 0x10325476;
	l->text = text;
	l->p = (const unsigned char *)texts[text].p;
	l->blocks = texts[text].n / BLOCK;
	l->at_end = false;
	if (l->blocks == 0)
		make_end(l, texts[text]);
}

/* A lane that has turned all its blocks: its text's end, or the sum. */
static void
go_on(struct state *s, size_t lane, const struct ryde_view *texts,
    unsigned char (*sums)[RYDE_MD5_BYTES])
{
	struct lane *l = &s->lanes[lane];

	if (!l->at_end) {
		make_end(l, texts[l->text]);
		return;
	}
	put_word(sums[l->text], s->a[lane / ROW][lane % ROW]);
	put_word(sums[l->text] + 4, s->b[lane / ROW][lane % ROW]);
	put_word(sums[l->text] + 8, s->c[lane / ROW][lane % ROW]);
	put_word(sums[l->text] + 12, s->d[lane / ROW][lane % ROW]);
	l->text = NOBODY;
}

/* Gives the lanes work. Returns how many blocks all of them have left, at least; 0: there
 * is nothing more to do. */
static size_t
deal(struct state *s, size_t lanes, const struct ryde_view *texts, size_t n, size_t *next)
{
	const unsigned char *any = NULL;
	size_t blocks = SIZE_MAX;

	for (size_t l = 0; l < lanes; l++) {
		if (s->lanes[l].text == NOBODY && *next < n)
			begin(s, l, texts, (*next)++);
		if (s->lanes[l].text == NOBODY)
			continue;
		any = s->lanes[l].p;
		if (s->lanes[l].blocks < blocks)
			blocks = s->lanes[l].blocks;
	}
	for (size_t l = 0; l < lanes; l++) /* who has nothing reads along */
		if (s->lanes[l].text == NOBODY)
			s->lanes[l].p = any;
	return any != NULL ? blocks : 0;
}

void
ryde_md5_many_by(enum ryde_md5_way way, const struct ryde_view *texts, size_t n,
    unsigned char (*sums)[RYDE_MD5_BYTES])
{
	/* the words of more than one row do not fit into few registers */
	size_t lanes = n > ROW && way != RYDE_MD5_PLAIN ? LANES : ROW, next = 0, blocks;
	struct state s = {0};

	for (size_t l = 0; l < lanes; l++)
		s.lanes[l].text = NOBODY;
	while ((blocks = deal(&s, lanes, texts, n, &next)) > 0) {
		turn(way, &s, blocks, lanes > ROW);
		for (size_t l = 0; l < lanes; l++) {
			if (s.lanes[l].text == NOBODY)
				continue;
			s.lanes[l].p += BLOCK * blocks;
			s.lanes[l].blocks -= blocks;
			if (s.lanes[l].blocks == 0)
				go_on(&s, l, texts, sums);
		}
	}
}

void
ryde_md5_many(
    const struct ryde_view *texts, size_t n, unsigned char (*sums)[RYDE_MD5_BYTES])
{
	ryde_md5_many_by(ryde_md5_best(), texts, n, sums);
}
