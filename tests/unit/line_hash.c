/* Keys to hashes, and even ranges. Source: aws-facts 2.4 (the three vectors). */
#include "base/err.h"
#include "check.h"
#include "line/hash.h"

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
		CHECK(ryde_hash_key(h, ryde_view_of(keys[i].key), &v, &err) == 0);
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
	ryde_hash_free(h);
	ryde_hash_free(NULL);
	return check_end("line_hash");
}
