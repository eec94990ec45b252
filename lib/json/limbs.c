#include "json/limbs.h"

#include <stdbool.h>
#include <string.h>

const uint64_t ryde_limbs_pow10[20] = {1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u,
    10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u, 1000000000000u,
    10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u,
    100000000000000000u, 1000000000000000000u, 10000000000000000000u};

#define BASE RYDE_LIMBS_BASE
#define DIGITS RYDE_LIMBS_DIGITS

/* 10^k as a limb, k below 9. */
static uint32_t
ten_to(uint32_t k)
{
	return (uint32_t)ryde_limbs_pow10[k];
}

uint32_t
ryde_limbs_of_u64(uint32_t *to, uint64_t v)
{
	uint32_t n = 0;

	for (; v != 0; v /= BASE)
		to[n++] = (uint32_t)(v % BASE);
	return n;
}

uint32_t
ryde_limbs_trim(const uint32_t *a, uint32_t n)
{
	while (n > 0 && a[n - 1] == 0)
		n--;
	return n;
}

uint32_t
ryde_limbs_digits(const uint32_t *a, uint32_t n)
{
	uint32_t digits = 1;

	if (n == 0)
		return 0;
	while (digits < DIGITS && a[n - 1] >= ten_to(digits))
		digits++;
	return (n - 1) * DIGITS + digits;
}

uint32_t
ryde_limbs_zeros(const uint32_t *a, uint32_t n)
{
	uint32_t i = 0, zeros;

	if (n == 0)
		return 0;
	while (a[i] == 0)
		i++;
	zeros = i * DIGITS;
	for (uint32_t x = a[i]; x % 10 == 0; x /= 10)
		zeros++;
	return zeros;
}

uint32_t
ryde_limbs_nine(const uint32_t *a, uint32_t n, uint32_t digits, uint32_t from)
{
	uint32_t low, at, off, x;

	if (from >= digits)
		return 0;
	if (digits - from < DIGITS) {
		uint32_t left = digits - from;

		return a[0] % ten_to(left) * ten_to(DIGITS - left);
	}
	low = digits - from - DIGITS; /* digits below the nine */
	at = low / DIGITS;
	off = low % DIGITS;
	x = a[at] / ten_to(off);
	if (off != 0 && at + 1 < n)
		x += a[at + 1] % ten_to(off) * ten_to(DIGITS - off);
	return x;
}

int
ryde_limbs_cmp(const uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn)
{
	if (an != bn)
		return an < bn ? -1 : 1;
	for (uint32_t i = an; i-- > 0;) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

uint32_t
ryde_limbs_add(uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn)
{
	uint32_t carry = 0, i;

	for (; an < bn; an++)
		a[an] = 0;
	for (i = 0; i < an && (i < bn || carry != 0); i++) {
		uint32_t x = a[i] + (i < bn ? b[i] : 0) + carry;

		carry = x >= BASE;
		a[i] = carry ? x - BASE : x;
	}
	if (carry != 0)
		a[an++] = carry;
	return an;
}

uint32_t
ryde_limbs_sub(uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn)
{
	uint32_t borrow = 0;

	for (uint32_t i = 0; i < an && (i < bn || borrow != 0); i++) {
		uint32_t less = (i < bn ? b[i] : 0) + borrow;

		borrow = a[i] < less;
		a[i] = borrow ? a[i] + BASE - less : a[i] - less;
	}
	return ryde_limbs_trim(a, an);
}

uint32_t
ryde_limbs_mul(
    uint32_t *to, const uint32_t *a, uint32_t an, const uint32_t *b, uint32_t bn)
{
	memset(to, 0, (size_t)(an + bn) * sizeof(*to));
	for (uint32_t i = 0; i < an; i++) {
		uint64_t carry = 0;

		for (uint32_t j = 0; j < bn; j++) {
			carry += to[i + j] + (uint64_t)a[i] * b[j];
			to[i + j] = (uint32_t)(carry % BASE);
			carry /= BASE;
		}
		to[i + bn] =
		    (uint32_t)carry; /* below BASE, as the partial product fits */
	}
	return ryde_limbs_trim(to, an + bn);
}

/* a *= by, with the carry in the limb behind, which must be there. */
static uint32_t
mul_small(uint32_t *a, uint32_t an, uint32_t by)
{
	uint64_t carry = 0;

	for (uint32_t i = 0; i < an; i++) {
		carry += (uint64_t)a[i] * by;
		a[i] = (uint32_t)(carry % BASE);
		carry /= BASE;
	}
	if (carry != 0)
		a[an++] = (uint32_t)carry;
	return an;
}

uint32_t
ryde_limbs_shift(uint32_t *to, const uint32_t *a, uint32_t an, uint32_t k)
{
	uint32_t whole = k / DIGITS;

	if (an == 0)
		return 0;
	memset(to, 0, whole * sizeof(*to));
	memcpy(to + whole, a, an * sizeof(*to));
	if (k % DIGITS == 0)
		return an + whole;
	return whole + mul_small(to + whole, an, ten_to(k % DIGITS));
}

uint32_t
ryde_limbs_div_small(uint32_t *a, uint32_t an, uint32_t by, uint32_t *rest)
{
	uint64_t x = 0;

	for (uint32_t i = an; i-- > 0;) {
		x = x * BASE + a[i];
		a[i] = (uint32_t)(x / by);
		x %= by;
	}
	*rest = (uint32_t)x;
	return ryde_limbs_trim(a, an);
}

uint32_t
ryde_limbs_drop(uint32_t *a, uint32_t an, uint32_t k)
{
	uint32_t whole = k / DIGITS, rest;

	if (whole >= an)
		return 0;
	memmove(a, a + whole, (an - whole) * sizeof(*a));
	return ryde_limbs_div_small(a, an - whole, ten_to(k % DIGITS), &rest);
}

/* Takes q times b from the bn + 1 limbs at a; true where that went below zero (a is then
 * short by BASE^(bn + 1)). */
static bool
take(uint32_t *a, const uint32_t *b, uint32_t bn, uint32_t q)
{
	uint64_t carry = 0;
	uint32_t borrow = 0;

	for (uint32_t i = 0; i <= bn; i++) {
		uint32_t less;

		if (i < bn)
			carry += (uint64_t)b[i] * q;
		less = (uint32_t)(carry % BASE) + borrow;
		carry /= BASE;
		borrow = a[i] < less;
		a[i] = borrow ? a[i] + BASE - less : a[i] - less;
	}
	return borrow != 0;
}

/* Adds b once to the bn + 1 limbs at a, dropping the carry out of them: undoes a take
 * that went too far. */
static void
give_back(uint32_t *a, const uint32_t *b, uint32_t bn)
{
	uint32_t carry = 0;

	for (uint32_t i = 0; i <= bn; i++) {
		uint32_t x = a[i] + (i < bn ? b[i] : 0) + carry;

		carry = x >= BASE;
		a[i] = carry ? x - BASE : x;
	}
}

/* A quotient digit from the top three limbs of a and the top two of b: right, or one too
 * large (Knuth, step D3). */
static uint32_t
guess(const uint32_t *a, const uint32_t *b, uint32_t bn)
{
	uint64_t top = (uint64_t)a[bn] * BASE + a[bn - 1];
	uint64_t q = top / b[bn - 1], r = top % b[bn - 1];

	while (r < BASE && (q >= BASE || q * b[bn - 2] > r * BASE + a[bn - 2])) {
		q--;
		r += b[bn - 1];
	}
	return (uint32_t)q;
}

uint32_t
ryde_limbs_div(uint32_t *q, uint32_t *a, uint32_t an, uint32_t *b, uint32_t bn)
{
	uint32_t qn = an - bn + 1, norm, rest;

	if (bn == 1) {
		memcpy(q, a, an * sizeof(*q));
		qn = ryde_limbs_div_small(q, an, b[0], &rest);
		memset(a, 0, (an + 1) * sizeof(*a));
		a[0] = rest;
		return qn;
	}
	/* The guess is good only where the top limb of b is at least half of BASE. */
	norm = BASE / (b[bn - 1] + 1);
	a[an] = 0;
	mul_small(a, an, norm);
	mul_small(b, bn, norm);
	for (uint32_t j = qn; j-- > 0;) {
		uint32_t digit = guess(a + j, b, bn);

		if (take(a + j, b, bn, digit)) {
			digit--;
			give_back(a + j, b, bn);
		}
		q[j] = digit;
	}
	return ryde_limbs_trim(q, qn);
}
