#include "base/random.h"

#include "base/err.h"

#include <errno.h>
#include <sys/random.h>

int
ryde_random_bytes(void *to, size_t n, struct ryde_err *err)
{
	unsigned char *p = to;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ryde_err_sys(err, RYDE_EOSERR, "getrandom");
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int
ryde_random_token(char *to, struct ryde_err *err)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[16];
	unsigned acc = 0, bits = 0;
	size_t n = 0;

	if (ryde_random_bytes(raw, sizeof(raw), err) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(raw); i++) {
		acc = acc << 8 | raw[i];
		for (bits += 8; bits >= 6; bits -= 6)
			to[n++] = set[acc >> (bits - 6) & 63];
	}
	to[n++] = set[acc << (6 - bits) & 63];
	to[n] = '\0';
	return 0;
}

void
ryde_random_seed(struct ryde_random *r, uint64_t seed)
{
	r->state = seed;
}

uint64_t
ryde_random_u64(struct ryde_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

double
ryde_random_unit(struct ryde_random *r)
{
	return (double)(ryde_random_u64(r) >> 11) * 0x1p-53;
}
