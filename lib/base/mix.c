#include "base/mix.h"

#include <string.h>

uint64_t
ryde_mix(const char *p, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; n > 0; p++, n--)
		h = (h ^ (unsigned char)*p) * 0x100000001b3u;
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 29;
}
