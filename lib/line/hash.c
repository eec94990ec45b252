#include "line/hash.h"

#include "base/err.h"
#include "line/md5.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024u
#define WAYS 2u	 /* slots that a key may be in */
#define KEPT 47u /* bytes of a key; longer ones are not kept */
#define TOGETHER 64

struct slot {
	ryde_hash_value value;
	uint8_t n; /* 0: empty */
	char key[KEPT];
};

struct ryde_hash {
	struct slot slots[SLOTS];
	unsigned turn; /* which way is overwritten next */
};

struct ryde_hash *
ryde_hash_new(struct ryde_err *err)
{
	struct ryde_hash *h = calloc(1, sizeof(*h));

	if (h == NULL)
		(void)ryde_err_nomem(err);
	return h;
}

void
ryde_hash_free(struct ryde_hash *h)
{
	free(h);
}

/* FNV-1a, folded: good enough to choose a slot. */
static struct slot *
slots_of(struct ryde_hash *h, struct ryde_view key)
{
	uint64_t x = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key.n; i++)
		x = (x ^ (unsigned char)key.p[i]) * 0x100000001b3u;
	return &h->slots[(unsigned)(x ^ x >> 32) % SLOTS / WAYS * WAYS];
}

static bool
can_keep(struct ryde_view key)
{
	return key.n > 0 && key.n <= KEPT;
}

static bool
find(struct ryde_hash *h, struct ryde_view key, ryde_hash_value *out)
{
	struct slot *s;

	if (!can_keep(key))
		return false;
	s = slots_of(h, key);
	for (unsigned i = 0; i < WAYS; i++, s++) {
		if (s->n != key.n || memcmp(s->key, key.p, key.n) != 0)
			continue;
		*out = s->value;
		return true;
	}
	return false;
}

static ryde_hash_value
keep(struct ryde_hash *h, struct ryde_view key, const unsigned char sum[RYDE_MD5_BYTES])
{
	ryde_hash_value v = 0;
	struct slot *s;

	for (size_t i = 0; i < RYDE_MD5_BYTES; i++)
		v = v << 8 | sum[i];
	if (!can_keep(key))
		return v;
	s = slots_of(h, key) + h->turn++ % WAYS;
	s->value = v;
	s->n = (uint8_t)key.n; /* at most KEPT */
	memcpy(s->key, key.p, key.n);
	return v;
}

void
ryde_hash_keys(
    struct ryde_hash *h, const struct ryde_view *keys, size_t n, ryde_hash_value *out)
{
	unsigned char sums[TOGETHER][RYDE_MD5_BYTES];
	struct ryde_view texts[TOGETHER];
	size_t whose[TOGETHER], waiting = 0;

	for (size_t i = 0; i < n; i++) {
		if (!find(h, keys[i], &out[i])) {
			texts[waiting] = keys[i];
			whose[waiting++] = i;
		}
		if (waiting < TOGETHER && i + 1 < n)
			continue;
		if (waiting > 0)
			ryde_md5_many(texts, waiting, sums);
		for (; waiting > 0; waiting--)
			out[whose[waiting - 1]] =
			    keep(h, texts[waiting - 1], sums[waiting - 1]);
	}
}

ryde_hash_value
ryde_hash_key(struct ryde_hash *h, struct ryde_view key)
{
	ryde_hash_value v;

	ryde_hash_keys(h, &key, 1, &v);
	return v;
}

bool
ryde_hash_parse(struct ryde_view v, ryde_hash_value *out)
{
	const ryde_hash_value max = ~(ryde_hash_value)0;
	ryde_hash_value x = 0;

	if (v.n == 0)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned d = (unsigned)(v.p[i] - '0');

		if (d > 9 || x > (max - d) / 10)
			return false;
		x = x * 10 + d;
	}
	*out = x;
	return true;
}

void
ryde_hash_print(ryde_hash_value v, char to[40])
{
	char tmp[40];
	size_t at = sizeof(tmp);

	tmp[--at] = '\0';
	do {
		tmp[--at] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v != 0);
	memcpy(to, tmp + at, sizeof(tmp) - at);
}

ryde_hash_value
ryde_hash_split(unsigned i, unsigned n)
{
	const ryde_hash_value max = ~(ryde_hash_value)0;
	/* 2^128 = n * q + r; part i begins at i * q + i * r / n */
	ryde_hash_value q = max / n, r = max % n + 1;

	if (r == n) {
		q++;
		r = 0;
	}
	return i == n ? 0 : q * i + r * i / n;
}
