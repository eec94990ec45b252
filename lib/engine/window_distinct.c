#include "engine/window_distinct.h"

#include "base/err.h"

#include <math.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 8
#define BYTES_FIRST 64
#define LONG SHA256_DIGEST_LENGTH /* a longer value is kept as its digest */
#define P 14			  /* 2^P registers */
#define REGISTERS (1u << P)
#define RANK_MAX (64 - P + 1)

struct slot {
	uint64_t hash;
	uint32_t at; /* of the value's length byte, plus 1; 0: empty */
};

struct ryde_window_distinct_values {
	uint8_t *registers; /* NULL while the count is exact */
	struct slot *slots;
	uint32_t n, cap; /* values, slots (a power of two) */
	/* Each value is a length byte and its bytes; length LONG + 1 is a digest. */
	unsigned char *bytes;
	uint32_t bytes_n, bytes_cap; /* at most 34 for each value */
};

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Every bit of the input moves every bit of the output. Without a seed: registers must be
 * the same in every run. */
static uint64_t
hash_of(struct ryde_view v)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ v.n, word;

	for (size_t i = 0; i < v.n; i += 8) {
		word = 0;
		memcpy(&word, v.p + i, v.n - i < 8 ? v.n - i : 8);
		h = mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
		h ^= h >> 29;
		h *= UINT64_C(0xbf58476d1ce4e5b9);
	}
	h ^= h >> 32;
	h *= UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 29;
}

static void
note(uint8_t *registers, uint64_t hash)
{
	uint8_t *r = &registers[hash >> (64 - P)];
	uint64_t rest = hash << P;
	/* The place of the first 1 bit in the rest; RANK_MAX where there is none. */
	uint8_t rank = (uint8_t)(rest != 0 ? __builtin_clzll(rest) + 1 : RANK_MAX);

	if (rank > *r)
		*r = rank;
}

/* From now on the count is estimated. */
static int
estimate(struct ryde_window_distinct_values *v, struct ryde_err *err)
{
	v->registers = calloc(REGISTERS, 1);
	if (v->registers == NULL)
		return ryde_err_nomem(err);
	for (uint32_t i = 0; i < v->cap; i++) {
		if (v->slots[i].at != 0)
			note(v->registers, v->slots[i].hash);
	}
	free(v->slots);
	free(v->bytes);
	v->slots = NULL;
	v->bytes = NULL;
	v->n = v->cap = v->bytes_n = v->bytes_cap = 0;
	return 0;
}

static int
grow_slots(struct ryde_window_distinct_values *v, struct ryde_err *err)
{
	uint32_t cap = v->cap != 0 ? 2 * v->cap : SLOTS_FIRST, at;
	struct slot *slots = calloc(cap, sizeof(*slots));

	if (slots == NULL)
		return ryde_err_nomem(err);
	for (uint32_t i = 0; i < v->cap; i++) {
		if (v->slots[i].at == 0)
			continue;
		for (at = (uint32_t)v->slots[i].hash & (cap - 1); slots[at].at != 0;
		     at = (at + 1) & (cap - 1))
			;
		slots[at] = v->slots[i];
	}
	free(v->slots);
	v->slots = slots;
	v->cap = cap;
	return 0;
}

static int
keep_bytes(struct ryde_window_distinct_values *v, unsigned char length,
    struct ryde_view bytes, struct ryde_err *err)
{
	uint32_t need = v->bytes_n + 1 + (uint32_t)bytes.n; /* at most 32 */
	uint32_t cap = v->bytes_cap != 0 ? v->bytes_cap : BYTES_FIRST;
	unsigned char *grown;

	while (cap < need)
		cap *= 2;
	if (cap != v->bytes_cap) {
		grown = realloc(v->bytes, cap);
		if (grown == NULL)
			return ryde_err_nomem(err);
		v->bytes = grown;
		v->bytes_cap = cap;
	}
	v->bytes[v->bytes_n] = length;
	if (bytes.n > 0)
		memcpy(v->bytes + v->bytes_n + 1, bytes.p, bytes.n);
	v->bytes_n = need;
	return 0;
}

static bool
is_kept(const struct ryde_window_distinct_values *v, const struct slot *s, uint64_t hash,
    unsigned char length, struct ryde_view bytes)
{
	const unsigned char *kept = v->bytes + s->at - 1;

	return s->hash == hash && kept[0] == length &&
	       (bytes.n == 0 || memcmp(kept + 1, bytes.p, bytes.n) == 0);
}

/* Adds to the set. length LONG + 1: bytes are a digest. */
static int
insert(struct ryde_window_distinct_values *v, uint64_t hash, unsigned char length,
    struct ryde_view bytes, struct ryde_err *err)
{
	uint32_t at = 0;

	if (v->cap > 0) {
		for (at = (uint32_t)hash & (v->cap - 1); v->slots[at].at != 0;
		     at = (at + 1) & (v->cap - 1)) {
			if (is_kept(v, &v->slots[at], hash, length, bytes))
				return 0;
		}
	}
	if (v->n == RYDE_WINDOW_DISTINCT_EXACT_MAX) {
		if (estimate(v, err) != 0)
			return -1;
		note(v->registers, hash);
		return 0;
	}
	if (2 * (v->n + 1) > v->cap && grow_slots(v, err) != 0)
		return -1;
	for (at = (uint32_t)hash & (v->cap - 1); v->slots[at].at != 0;
	     at = (at + 1) & (v->cap - 1))
		;
	if (keep_bytes(v, length, bytes, err) != 0)
		return -1;
	v->slots[at].hash = hash;
	v->slots[at].at = v->bytes_n - (uint32_t)bytes.n;
	v->n++;
	return 0;
}

static int
start(struct ryde_window_distinct *d, struct ryde_err *err)
{
	if (d->values == NULL)
		d->values = calloc(1, sizeof(*d->values));
	return d->values != NULL ? 0 : ryde_err_nomem(err);
}

int
ryde_window_distinct_add(
    struct ryde_window_distinct *d, struct ryde_view value, struct ryde_err *err)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	uint64_t hash = hash_of(value);

	if (start(d, err) != 0)
		return -1;
	if (d->values->registers != NULL) {
		note(d->values->registers, hash);
		return 0;
	}
	if (value.n <= LONG)
		return insert(d->values, hash, (unsigned char)value.n, value, err);
	if (SHA256((const unsigned char *)value.p, value.n, digest) == NULL)
		return ryde_err_set(err, RYDE_ESOFTWARE, "SHA-256 fails");
	return insert(d->values, hash, LONG + 1,
	    ryde_view_mem((const char *)digest, sizeof(digest)), err);
}

static int
merge_exact(struct ryde_window_distinct_values *v,
    const struct ryde_window_distinct_values *from, struct ryde_err *err)
{
	for (uint32_t i = 0; i < from->cap; i++) {
		const struct slot *s = &from->slots[i];
		const unsigned char *kept;
		size_t n;

		if (s->at == 0)
			continue;
		if (v->registers != NULL) {
			note(v->registers, s->hash);
			continue;
		}
		kept = from->bytes + s->at - 1;
		n = kept[0] > LONG ? LONG : kept[0];
		if (insert(v, s->hash, kept[0], ryde_view_mem((const char *)kept + 1, n),
			err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_window_distinct_merge(struct ryde_window_distinct *d,
    const struct ryde_window_distinct *from, struct ryde_err *err)
{
	uint8_t *to;

	if (from->values == NULL)
		return 0;
	if (start(d, err) != 0)
		return -1;
	if (from->values->registers == NULL)
		return merge_exact(d->values, from->values, err);
	if (d->values->registers == NULL && estimate(d->values, err) != 0)
		return -1;
	to = d->values->registers;
	for (uint32_t i = 0; i < REGISTERS; i++) {
		if (from->values->registers[i] > to[i])
			to[i] = from->values->registers[i];
	}
	return 0;
}

/* x + the sum of x^(2^k) * 2^(k-1), k from 1 on. */
static double
sigma(double x)
{
	double y = 1, z = x, before;

	if (x >= 1)
		return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z > before);
	return z;
}

/* (1 - x - the sum of (1 - x^(2^-k))^2 * 2^-k) / 3, k from 1 on. */
static double
tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x <= 0 || x >= 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z < before);
	return z / 3;
}

uint64_t
ryde_window_distinct_count(const struct ryde_window_distinct *d)
{
	uint32_t counts[RANK_MAX + 1] = {0};
	const double m = REGISTERS;
	double z;

	if (d->values == NULL)
		return 0;
	if (d->values->registers == NULL)
		return d->values->n;
	for (uint32_t i = 0; i < REGISTERS; i++)
		counts[d->values->registers[i]]++;
	z = m * tau(1 - counts[RANK_MAX] / m);
	for (int k = RANK_MAX - 1; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * sigma(counts[0] / m);
	/* 1 / (2 ln 2) is the constant for many registers. */
	return (uint64_t)llround(m * m / (2 * 0.693147180559945309417 * z));
}

size_t
ryde_window_distinct_bytes(const struct ryde_window_distinct *d)
{
	const struct ryde_window_distinct_values *v = d->values;

	if (v == NULL)
		return 0;
	return sizeof(*v) + (v->registers != NULL ? REGISTERS : 0) +
	       v->cap * sizeof(*v->slots) + v->bytes_cap;
}

void
ryde_window_distinct_free(struct ryde_window_distinct *d)
{
	if (d->values == NULL)
		return;
	free(d->values->registers);
	free(d->values->slots);
	free(d->values->bytes);
	free(d->values);
	d->values = NULL;
}
