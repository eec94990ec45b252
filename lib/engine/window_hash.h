/* The hash of keys, and whether two are the same: for each record, so both stand here. */
#ifndef RYDE_ENGINE_WINDOW_HASH_H
#define RYDE_ENGINE_WINDOW_HASH_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
ryde_window_hash_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
ryde_window_hash_load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* All of up to seven bytes. */
static inline uint64_t
ryde_window_hash_short(struct ryde_view key)
{
	uint32_t low, high;

	if (key.n >= 4) {
		memcpy(&low, key.p, sizeof(low));
		memcpy(&high, key.p + key.n - sizeof(high), sizeof(high));
		return (uint64_t)high << 32 | low;
	}
	if (key.n == 0)
		return 0;
	return (uint64_t)(unsigned char)key.p[0] << 16 |
	       (uint64_t)(unsigned char)key.p[key.n / 2] << 8 |
	       (unsigned char)key.p[key.n - 1];
}

/* Multiply and fold, eight bytes a step, from a secret seed. The last eight overlap with
 * those before, which saves a slow copy. */
static inline uint32_t
ryde_window_hash(struct ryde_view key, uint64_t seed)
{
	const char *p = key.p;
	uint64_t h = seed ^ (key.n * UINT64_C(0x9e3779b97f4a7c15));

	for (size_t n = key.n; n > 8; n -= 8, p += 8)
		h = ryde_window_hash_mix(
		    h ^ ryde_window_hash_load(p), UINT64_C(0xa0761d6478bd642f) ^ seed);
	h ^= key.n >= 8 ? ryde_window_hash_load(key.p + key.n - 8)
			: ryde_window_hash_short(key);
	h = ryde_window_hash_mix(h, UINT64_C(0xe7037ed1a0b428db) ^ seed);
	return (uint32_t)(h ^ h >> 32);
}

static inline bool
ryde_window_hash_same(struct ryde_view a, struct ryde_view b)
{
	uint64_t differ;

	if (a.n != b.n)
		return false;
	if (a.n < 8)
		return ryde_window_hash_short(a) == ryde_window_hash_short(b);
	differ =
	    ryde_window_hash_load(a.p + a.n - 8) ^ ryde_window_hash_load(b.p + a.n - 8);
	for (size_t i = 0; i + 8 < a.n; i += 8)
		differ |= ryde_window_hash_load(a.p + i) ^ ryde_window_hash_load(b.p + i);
	return differ == 0;
}

#endif
