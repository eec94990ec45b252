#include "line/hash.h"

#include "base/err.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 1024u
#define KEPT 47u /* bytes of a key; longer ones are not kept */

struct slot {
	ryde_hash_value value;
	uint8_t n; /* 0: empty */
	char key[KEPT];
};

struct ryde_hash {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	struct slot slots[SLOTS];
};

struct ryde_hash *
ryde_hash_new(struct ryde_err *err)
{
	struct ryde_hash *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	h->md = EVP_MD_fetch(NULL, "MD5", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->md == NULL || h->ctx == NULL ||
	    EVP_DigestInit_ex2(h->ctx, h->md, NULL) != 1) {
		(void)ryde_err_set(err, RYDE_ECONFIG, "OpenSSL gives no MD5 here");
		ryde_hash_free(h);
		return NULL;
	}
	return h;
}

void
ryde_hash_free(struct ryde_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

static int
md5(struct ryde_hash *h, struct ryde_view key, ryde_hash_value *out, struct ryde_err *err)
{
	unsigned char sum[16];
	ryde_hash_value v = 0;

	if (EVP_DigestInit_ex2(h->ctx, NULL, NULL) != 1 ||
	    EVP_DigestUpdate(h->ctx, key.p, key.n) != 1 ||
	    EVP_DigestFinal_ex(h->ctx, sum, NULL) != 1)
		return ryde_err_set(err, RYDE_ESOFTWARE, "MD5 failed");
	for (size_t i = 0; i < sizeof(sum); i++)
		v = v << 8 | sum[i];
	*out = v;
	return 0;
}

/* FNV-1a, folded: good enough to choose a slot. */
static unsigned
slot_of(struct ryde_view key)
{
	uint64_t x = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key.n; i++)
		x = (x ^ (unsigned char)key.p[i]) * 0x100000001b3u;
	return (unsigned)(x ^ x >> 32) % SLOTS;
}

int
ryde_hash_key(
    struct ryde_hash *h, struct ryde_view key, ryde_hash_value *out, struct ryde_err *err)
{
	struct slot *s;

	if (key.n == 0 || key.n > KEPT)
		return md5(h, key, out, err);
	s = &h->slots[slot_of(key)];
	if (s->n != key.n || memcmp(s->key, key.p, key.n) != 0) {
		if (md5(h, key, &s->value, err) != 0) {
			s->n = 0;
			return -1;
		}
		s->n = (uint8_t)key.n; /* at most KEPT */
		memcpy(s->key, key.p, key.n);
	}
	*out = s->value;
	return 0;
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
