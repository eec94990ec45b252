/* Keys to hashes, and even ranges. Source: aws-facts 2.4 (the three vectors). */
#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "line/hash.h"

#include <openssl/evp.h>

static const struct {
	const char *key, *want;
} keys[] = {
    {"Shadowfax", "123578240268536456638675226308427189982"},
    {"Bucephalus", "266013846013282117113191019648434776407"},
    {"1", "261578874264819908609102035485573088411"},
    {"Shadowfax", "123578240268536456638675226308427189982"}, /* from the cache */
};

static const struct {
	const char *text;
	bool is;
} parsed[] = {
    {"0", true},
    {"340282366920938463463374607431768211455", true},
    {"340282366920938463463374607431768211456", false},
    {"999999999999999999999999999999999999999999", false},
    {"", false},
    {"-1", false},
    {"1.0", false},
};

#define MANY 3000

/* Many keys at a time, some of them known, of all lengths: each as MD5 has it. */
static void
many(struct ryde_hash *h)
{
	static char bytes[300];
	static ryde_hash_value got[MANY];
	static struct ryde_view some[MANY];
	struct ryde_random r;
	size_t wrong = 0;

	ryde_random_seed(&r, 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + ryde_random_u64(&r) % 26);
	for (size_t i = 0; i < MANY; i++)
		some[i] = ryde_view_mem(bytes + ryde_random_u64(&r) % 20,
		    ryde_random_u64(&r) % (i % 3 == 0 ? 280 : 60));
	ryde_hash_keys(h, some, MANY, got);
	for (size_t i = 0; i < MANY; i++) {
		unsigned char sum[EVP_MAX_MD_SIZE];
		ryde_hash_value want = 0;

		(void)EVP_Digest(some[i].p, some[i].n, sum, NULL, EVP_md5(), NULL);
		for (size_t k = 0; k < 16; k++)
			want = want << 8 | sum[k];
		wrong += got[i] != want || ryde_hash_key(h, some[i]) != want;
	}
	CHECK(wrong == 0, "%zu of %d", wrong, MANY);
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_hash *h = ryde_hash_new(&err);
	ryde_hash_value v;
	char text[40];

	if (h == NULL) {
		printf("%s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		v = ryde_hash_key(h, ryde_view_of(keys[i].key));
		ryde_hash_print(v, text);
		CHECK(strcmp(text, keys[i].want) == 0, "row %zu: %s", i, text);
	}
	for (size_t i = 0; i < sizeof parsed / sizeof *parsed; i++)
		CHECK(ryde_hash_parse(ryde_view_of(parsed[i].text), &v) == parsed[i].is,
		    "row %zu", i);
	/* Kinesis' own ranges of 2 and 3 shards */
	ryde_hash_print(ryde_hash_split(1, 2), text);
	CHECK(strcmp(text, "170141183460469231731687303715884105728") == 0, "%s", text);
	ryde_hash_print(ryde_hash_split(1, 3), text);
	CHECK(strcmp(text, "113427455640312821154458202477256070485") == 0, "%s", text);
	ryde_hash_print(ryde_hash_split(3, 3) - 1, text);
	CHECK(strcmp(text, "340282366920938463463374607431768211455") == 0, "%s", text);
	CHECK(ryde_hash_split(0, 7) == 0 && ryde_hash_split(1, 1) == 0);
	many(h);
	ryde_hash_free(h);
	ryde_hash_free(NULL);
	return check_end("line_hash");
}
