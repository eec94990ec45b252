/* MD5 of many texts: each as OpenSSL's, whatever their number and lengths, and in each
 * way that this machine has. */
#include "base/random.h"
#include "check.h"
#include "line/md5.h"

#include <openssl/evp.h>
#include <stdint.h>

#define TEXTS 40
#define BYTES 5000

static char bytes[TEXTS * BYTES];

static void
check_way(enum ryde_md5_way way, const struct ryde_view *texts, size_t n)
{
	unsigned char sums[TEXTS][RYDE_MD5_BYTES], sum[EVP_MAX_MD_SIZE];

	ryde_md5_many_by(way, texts, n, sums);
	for (size_t i = 0; i < n; i++) {
		CHECK(EVP_Digest(texts[i].n > 0 ? texts[i].p : "", texts[i].n, sum, NULL,
			  EVP_md5(), NULL) == 1);
		CHECK(memcmp(sum, sums[i], RYDE_MD5_BYTES) == 0,
		    "way %d, text %zu of %zu, %zu bytes", (int)way, i, n, texts[i].n);
	}
}

static void
check_all(const struct ryde_view *texts, size_t n)
{
	for (int way = RYDE_MD5_PLAIN; way <= (int)ryde_md5_best(); way++)
		check_way((enum ryde_md5_way)way, texts, n);
}

int
main(void)
{
	struct ryde_view texts[TEXTS];
	struct ryde_random random;

	ryde_random_seed(&random, 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(ryde_random_u64(&random) & 0xff);
	/* all lengths around the ends of blocks, one at a time */
	for (size_t n = 0; n < 300; n++) {
		texts[0] = ryde_view_mem(bytes, n);
		check_all(texts, 1);
	}
	/* and many at a time, of lengths that differ, some of them empty */
	for (int round = 0; round < 200; round++) {
		size_t n = ryde_random_u64(&random) % (TEXTS + 1);

		for (size_t i = 0; i < n; i++) {
			size_t at = ryde_random_u64(&random) % BYTES,
			       most = round % 3 == 0 ? 130 : BYTES;

			texts[i] = ryde_view_mem(
			    bytes + i * BYTES / 2 + at, ryde_random_u64(&random) % most);
		}
		check_all(texts, n);
	}
	ryde_md5_many(texts, 0, NULL);
	return check_end("line_md5");
}
