/*
 * Unsigned integers of any length, for exact decimals: arrays of limbs in base 10^9,
 * least significant first. A length counts limbs; a trimmed number has no zero limb at
 * its top, and zero has length 0. Nothing here allocates: callers bring the room. The
 * lengths of decimals are capped (decimal.h), so that 32 bits are plenty.
 */
#ifndef RYDE_JSON_LIMBS_H
#define RYDE_JSON_LIMBS_H

#include <stdint.h>

#define RYDE_LIMBS_BASE 1000000000u
#define RYDE_LIMBS_DIGITS 9u /* decimal digits of a limb */
#define RYDE_LIMBS_U64 3u    /* limbs that any uint64_t fits into */

/* 10^k, k at most 19. */
extern const uint64_t ryde_limbs_pow10[20];

/* v as a trimmed number; to has RYDE_LIMBS_U64 limbs. Returns the length, as all that
 * return a uint32_t here. */
uint32_t ryde_limbs_of_u64(uint32_t *to, uint64_t v);
/* The length without zero limbs at the top. */
uint32_t ryde_limbs_trim(const uint32_t *a, uint32_t n);
/* Decimal digits of a trimmed number; 0 for zero. */
uint32_t ryde_limbs_digits(const uint32_t *a, uint32_t n);
/* Decimal zeros at the end of a trimmed number; 0 for zero. */
uint32_t ryde_limbs_zeros(const uint32_t *a, uint32_t n);
/*
 * The nine digits that begin `from` digits below the top of a trimmed number of `digits`
 * digits, with zeros where it has ended. So numbers are compared and written from their
 * first digit on.
 */
uint32_t ryde_limbs_nine(const uint32_t *a, uint32_t n, uint32_t digits, uint32_t from);
/* -1, 0 or 1 for trimmed numbers. */
int ryde_limbs_cmp(const uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn);

/* a += b; a has room for one limb more than the longer of both. */
uint32_t ryde_limbs_add(uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn);
/* a -= b, where a >= b; trimmed. */
uint32_t ryde_limbs_sub(uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn);
/* to = a * b; to has an + bn limbs and overlaps neither; trimmed. */
uint32_t ryde_limbs_mul(
    uint32_t *to, const uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn);
/* to = a * 10^k; to has ryde_limbs_shift_room(an, k) limbs and does not overlap a;
 * trimmed where a is. */
uint32_t ryde_limbs_shift(uint32_t *to, const uint32_t *a, uint32_t an, uint32_t k);
static inline uint32_t
ryde_limbs_shift_room(uint32_t an, uint32_t k)
{
	return an + k / RYDE_LIMBS_DIGITS + 1;
}
/* Takes away the k last decimal digits of a; trimmed. */
uint32_t ryde_limbs_drop(uint32_t *a, uint32_t an, uint32_t k);
/* a /= by, and *rest becomes the remainder; 0 < by < RYDE_LIMBS_BASE. Trimmed. */
uint32_t ryde_limbs_div_small(uint32_t *a, uint32_t an, uint32_t by, uint32_t *rest);
/*
 * q = a / b, both trimmed, b not zero, an >= bn. q has an - bn + 1 limbs, a has room for
 * an + 1. Afterwards a is zero exactly where the division left no rest; otherwise a and b
 * hold nothing of use. Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1,
 * algorithm D.
 */
uint32_t ryde_limbs_div(uint32_t *q, uint32_t *a, uint32_t an, uint32_t *b, uint32_t bn);

#endif
