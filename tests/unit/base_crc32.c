/*
 * CRC-32: the published check value, and zlib's sums for every length, place in memory
 * and kind of bytes around the sizes where the fast way begins and ends.
 */
#include "base/crc32.h"
#include "base/random.h"
#include "check.h"

#include <stdlib.h>
#include <zlib.h>

#define MOST 5000

int
main(void)
{
	struct ryde_random r;
	char *bytes = malloc(MOST + 16);
	unsigned wrong = 0;

	if (bytes == NULL)
		return 1;
	/* "check" of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC */
	CHECK(ryde_crc32(ryde_view_of("123456789")) == 0xcbf43926, "%08x",
	    ryde_crc32(ryde_view_of("123456789")));
	CHECK(ryde_crc32(ryde_view_mem(NULL, 0)) == 0, "of nothing");
	ryde_random_seed(&r, 1);
	for (int kind = 0; kind < 3; kind++) {
		for (size_t i = 0; i < MOST + 16; i++)
			bytes[i] = (char)(kind == 0   ? 0
					  : kind == 1 ? 0xff
						      : ryde_random_u64(&r) & 0xff);
		for (size_t n = 0; n <= MOST; n += n < 400 ? 1 : 37)
			for (size_t at = 0; at < 16; at += n < 400 ? 1 : 5)
				wrong += ryde_crc32(ryde_view_mem(bytes + at, n)) !=
					 crc32_z(0, (unsigned char *)bytes + at, n);
		CHECK(wrong == 0, "kind %d: %u sums differ", kind, wrong);
	}
	free(bytes);
	return check_end("base_crc32");
}
