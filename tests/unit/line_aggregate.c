/*
 * Aggregates taken apart and put together. Source: aggregation-format.md of the KPL; the
 * first vector was built by hand from it.
 */
#include "base/err.h"
#include "check.h"
#include "line/aggregate.h"

#include <openssl/evp.h>
#include <stdlib.h>

static struct ryde_err err;

/* Magic, body, MD5. */
static struct ryde_view
whole(struct ryde_buf *b, const char *body, size_t n)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned sum_n = 0;

	ryde_buf_clear(b);
	ryde_buf_add(b, "\xf3\x89\x9a\xc2", 4);
	ryde_buf_add(b, body, n);
	CHECK(EVP_Digest(body, n, sum, &sum_n, EVP_md5(), NULL) == 1, "");
	ryde_buf_add(b, sum, sum_n);
	return ryde_buf_as_view(b);
}

static void
test_vector(void)
{
	static const char hex[] =
	    "f3899ac20a09536861646f776661780a0a427563657068616c75731a0b08001a077b226e223a"
	    "317d1a0b08011a077b226e223a327db911d5628508079c5bb5dbbb27d71feb";
	static const struct ryde_line_aggregate_part parts[] = {
	    {{"{\"n\":1}", 7}, {"Shadowfax", 9}, {NULL, 0}},
	    {{"{\"n\":2}", 7}, {"Bucephalus", 10}, {NULL, 0}}};
	struct ryde_line_aggregate a = {0};
	struct ryde_line_aggregate_pack pack;
	struct ryde_buf made;
	char bytes[sizeof(hex) / 2];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		static const char digits[] = "0123456789abcdef";

		bytes[i] = (char)((strchr(digits, hex[2 * i]) - digits) * 16 +
				  (strchr(digits, hex[2 * i + 1]) - digits));
	}
	CHECK(ryde_line_aggregate_parse(&a, ryde_view_mem(bytes, sizeof(bytes)), &err) ==
		      1 &&
		  a.n == 2,
	    "");
	for (size_t i = 0; i < 2 && a.n == 2; i++)
		CHECK(ryde_view_eq(a.parts[i].data, parts[i].data) &&
			  ryde_view_eq(a.parts[i].key, parts[i].key) &&
			  a.parts[i].hash_key.n == 0,
		    "%zu", i);
	/* one bit wrong, anywhere: an ordinary record */
	for (size_t i = 0; i < 8 * sizeof(bytes); i++) {
		bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << (i % 8)));
		CHECK(ryde_line_aggregate_parse(
			  &a, ryde_view_mem(bytes, sizeof(bytes)), &err) == 0 &&
			  a.n == 0,
		    "bit %zu", i);
		bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << (i % 8)));
	}
	for (size_t n = 0; n < sizeof(bytes); n++)
		CHECK(ryde_line_aggregate_parse(&a, ryde_view_mem(bytes, n), &err) == 0,
		    "%zu bytes", n);
	ryde_line_aggregate_free(&a);

	ryde_buf_init(&made, 1024);
	ryde_line_aggregate_pack_init(&pack, 1024);
	for (size_t i = 0; i < 2; i++)
		CHECK(ryde_line_aggregate_pack_add(&pack, &parts[i], &err) == 0, "");
	CHECK(ryde_line_aggregate_pack_put(&pack, &made, &err) == 0, "");
	CHECK(ryde_view_eq(ryde_buf_as_view(&made), ryde_view_mem(bytes, sizeof(bytes))),
	    "");
	ryde_line_aggregate_pack_free(&pack);
	ryde_buf_free(&made);
}

static void
test_bodies(void)
{
#define B(text) text, sizeof(text) - 1
	static const struct {
		const char *what, *body;
		size_t n;
		size_t parts; /* 0: an ordinary record */
	} cases[] = {
	    {"one", B("\x0a\x01k\x1a\x05\x08\x00\x1a\x01x"), 1},
	    {"empty data", B("\x0a\x01k\x1a\x04\x08\x00\x1a\x00"), 1},
	    {"records before tables", B("\x1a\x05\x08\x00\x1a\x01x\x0a\x01k"), 1},
	    {"the last of two fields counts",
		B("\x0a\x01k\x1a\x09\x08\x05\x08\x00\x1a\x01x\x22\x00"), 1},
	    {"explicit hash key",
		B("\x0a\x01k\x12\x02"
		  "12\x1a\x07\x08\x00\x10\x00\x1a\x01x"),
		1},
	    {"tags and unknown fields",
		B("\x0a\x01k\x1a\x0b\x08\x00\x1a\x01x\x22\x04\x0a\x02"
		  "ab\x20\x07"),
		1},
	    {"no record", B("\x0a\x01k"), 0},
	    {"no key index", B("\x0a\x01k\x1a\x03\x1a\x01x"), 0},
	    {"no data", B("\x0a\x01k\x1a\x02\x08\x00"), 0},
	    {"index beyond the table", B("\x0a\x01k\x1a\x05\x08\x01\x1a\x01x"), 0},
	    {"hash index beyond the table",
		B("\x0a\x01k\x1a\x07\x08\x00\x10\x00\x1a\x01x"), 0},
	    {"an index of 64 bits",
		B("\x0a\x01k\x1a\x0e\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x01"
		  "x"),
		0},
	    {"a varint of 65 bits",
		B("\x0a\x01k\x1a\x0e\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02\x1a\x01"
		  "x"),
		0},
	    {"a length beyond the end", B("\x0a\x01k\x1a\x05\x08\x00\x1a\x02x"), 0},
	    {"an empty key", B("\x0a\x00\x1a\x05\x08\x00\x1a\x01x"), 0},
	    {"a key that is no UTF-8", B("\x0a\x01\xff\x1a\x05\x08\x00\x1a\x01x"), 0},
	    {"a hash key that is no number",
		B("\x0a\x01k\x12\x01x\x1a\x07\x08\x00\x10\x00\x1a\x01x"), 0},
	    {"the wrong wire type", B("\x08\x01\x1a\x05\x08\x00\x1a\x01x"), 0},
	    {"a group", B("\x0a\x01k\x23\x24\x1a\x05\x08\x00\x1a\x01x"), 0},
	    {"field number 0", B("\x0a\x01k\x02\x00\x1a\x05\x08\x00\x1a\x01x"), 0},
	};
	struct ryde_line_aggregate a = {0};
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_view v = whole(&b, cases[i].body, cases[i].n);

		CHECK(ryde_line_aggregate_parse(&a, v, &err) == (cases[i].parts > 0) &&
			  a.n == cases[i].parts,
		    "%s", cases[i].what);
	}
	ryde_buf_free(&b);
	ryde_line_aggregate_free(&a);
}

/* Many parts, few keys, some hash keys: what goes in comes out, within the size told. */
static void
test_there_and_back(void)
{
	struct ryde_line_aggregate a = {0};
	struct ryde_line_aggregate_pack pack;
	struct ryde_buf made, data, key;
	size_t told = 0;

	ryde_buf_init(&made, 1u << 20);
	ryde_buf_init(&data, 1u << 10);
	ryde_buf_init(&key, 1u << 10);
	ryde_line_aggregate_pack_init(&pack, 1u << 20);
	for (int round = 0; round < 2; round++) {
		ryde_line_aggregate_pack_clear(&pack);
		ryde_buf_clear(&made);
		for (int i = 0; i < 5000; i++) {
			struct ryde_line_aggregate_part part;

			ryde_buf_clear(&data);
			ryde_buf_clear(&key);
			ryde_buf_printf(&data, "{\"i\":%d}", i);
			ryde_buf_printf(&key, "k%d", i % 700);
			part = (struct ryde_line_aggregate_part){ryde_buf_as_view(&data),
			    ryde_buf_as_view(&key),
			    ryde_view_of(i % 3 == 0
					     ? "340282366920938463463374607431768211455"
					     : NULL)};
			told = ryde_line_aggregate_pack_size(&pack, &part);
			CHECK(ryde_line_aggregate_pack_add(&pack, &part, &err) == 0, "");
		}
		CHECK(ryde_line_aggregate_pack_put(&pack, &made, &err) == 0 &&
			  made.n <= told,
		    "");
		CHECK(ryde_line_aggregate_parse(&a, ryde_buf_as_view(&made), &err) == 1 &&
			  a.n == 5000,
		    "");
		for (size_t i = 0; i < a.n; i++) {
			ryde_buf_clear(&data);
			ryde_buf_clear(&key);
			ryde_buf_printf(&data, "{\"i\":%zu}", i);
			ryde_buf_printf(&key, "k%zu", i % 700);
			CHECK(ryde_view_eq(a.parts[i].data, ryde_buf_as_view(&data)) &&
				  ryde_view_eq(a.parts[i].key, ryde_buf_as_view(&key)) &&
				  (a.parts[i].hash_key.n > 0) == (i % 3 == 0),
			    "%zu", i);
		}
	}
	ryde_line_aggregate_pack_free(&pack);
	ryde_line_aggregate_free(&a);
	ryde_buf_free(&made);
	ryde_buf_free(&data);
	ryde_buf_free(&key);
}

int
main(void)
{
	test_vector();
	test_bodies();
	test_there_and_back();
	return check_end("line_aggregate");
}
