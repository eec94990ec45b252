/* The scanner: what is JSON and what is not, where the fault is, and what paths find. */
#include "base/err.h"
#include "json/path.h"
#include "json/scan.h"

#include "check.h"

#include <stdlib.h>

/* A copy that ends where its memory ends, so that a byte read too far is seen by the
 * tools that watch memory. */
static struct ryde_view
exact(const char *s, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		abort();
	memcpy(p, s, n);
	return ryde_view_mem(p, n);
}

static void
drop(struct ryde_view v)
{
	union {
		const char *p;
		void *q;
	} u = {.p = v.p};

	free(u.q);
}

/* RFC 8259, sections 2 to 9: each form of value, and its neighbours that are none. NULL:
 * it is JSON. */
static const struct {
	const char *text;
	const char *what;
	size_t at;
} texts[] = {
    {"{}", NULL, 0},
    {"[]", NULL, 0},
    {" \t\r\n[ ]\r\n ", NULL, 0},
    {"null", NULL, 0},
    {"true", NULL, 0},
    {"false", NULL, 0},
    {"\"\"", NULL, 0},
    {"0", NULL, 0},
    {"-0", NULL, 0},
    {"-0.0e-0", NULL, 0},
    {"1e400", NULL, 0},
    {"1E+2", NULL, 0},
    {"123456789012345678901234567890.123456789012345678901234567890e10", NULL, 0},
    {"[1234567890123456,12345678901234567,1.23456789012345,1.234567890123456]", NULL, 0},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\\ud800\"", NULL, 0},
    {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x84\xf4\x8f\xbf\xbf\x7f\"", NULL, 0},
    {"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"a\":2}", NULL, 0},
    {"[[[[]],[]],{\"\":{}}]", NULL, 0},
    {"[1 , 2]", NULL, 0},
    {"{ \"a\" : 1 , \"b\" : 2 }", NULL, 0},
    {"", "no JSON text", 0},
    {"  ", "no JSON text", 2},
    {"\xef\xbb\xbf{}", "no value where one must be", 0},
    {"{", "no key where one must be", 1},
    {"[", "the text ends where a value must be", 1},
    {"[1", "unfinished array", 2},
    {"{\"a\":1", "unfinished object", 6},
    {"{\"a\":", "the text ends where a value must be", 5},
    {"{\"a\"", "no colon behind a key", 4},
    {"{\"a\" 1}", "no colon behind a key", 5},
    {"{\"a", "unfinished string", 3},
    {"{a:1}", "no key where one must be", 1},
    {"{1:1}", "no key where one must be", 1},
    {"{\"a\":1,}", "no key where one must be", 7},
    {"{,}", "no key where one must be", 1},
    {"{\"a\":1 \"b\":2}", "no comma or } behind a member", 7},
    {"{\"a\":1]", "no comma or } behind a member", 6},
    {"[1}", "no comma or ] behind an element", 2},
    {"[1 2]", "no comma or ] behind an element", 3},
    {"[1,]", "no value where one must be", 3},
    {"[,1]", "no value where one must be", 1},
    {"]", "no value where one must be", 0},
    {"{} {}", "something behind the JSON text", 3},
    {"1 2", "something behind the JSON text", 2},
    {"1,", "something behind the JSON text", 1},
    {"nul", "no value where one must be", 0},
    {"nulll", "something behind the JSON text", 4},
    {"True", "no value where one must be", 0},
    {"NaN", "no value where one must be", 0},
    {"Infinity", "no value where one must be", 0},
    {"'a'", "no value where one must be", 0},
    {"-", "bad number", 0},
    {"-a", "bad number", 0},
    {"+1", "no value where one must be", 0},
    {".5", "no value where one must be", 0},
    {"01", "bad number", 0},
    {"-01", "bad number", 0},
    {"1.", "bad number", 0},
    {"1.e5", "bad number", 0},
    {"1e", "bad number", 0},
    {"1e+", "bad number", 0},
    {"0x10", "something behind the JSON text", 1},
    {"[0123456789012345]", "bad number", 1},
    {"[123456789012345.]", "bad number", 1},
    {"[1.2345678901234e]", "bad number", 1},
    {"[1.5.5]", "no comma or ] behind an element", 4},
    {"\"a", "unfinished string", 2},
    {"\"a\\", "unfinished string", 3},
    {"\"a\\\"", "unfinished string", 4},
    {"\"\\x\"", "bad escape in a string", 1},
    {"\"\\u12g4\"", "bad escape in a string", 1},
    {"\"\\u12", "unfinished string", 5},
    {"\"a\tb\"", "control character in a string", 2},
    {"\"a\nb\"", "control character in a string", 2},
    {"\"0123456789abcdef\x1f\"", "control character in a string", 17},
    {"\"\xff\"", "not UTF-8", 1},
    {"\"\x80\"", "not UTF-8", 1},
    {"\"\xc0\x80\"", "not UTF-8", 1},
    {"\"\xe0\x80\x80\"", "not UTF-8", 1},
    {"\"\xed\xa0\x80\"", "not UTF-8", 1},
    {"\"\xf4\x90\x80\x80\"", "not UTF-8", 1},
    {"\"\xf0\x9f\xa6\"", "not UTF-8", 1},
    {"{\"0123456789abcdef\":1,\"\xc3\":2}", "not UTF-8", 23},
};

static void
test_check(void)
{
	struct ryde_json_fault fault = {NULL, 0};
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_json_value value;
	struct ryde_err err = RYDE_ERR_INIT;

	(void)ryde_json_paths_add(paths, ".a.b[2].c", NULL, &err);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ryde_view v = exact(texts[i].text, strlen(texts[i].text));
		int want = texts[i].what != NULL ? -1 : 0;

		for (int find = 0; find < 2; find++) {
			int got = find ? ryde_json_find(v, paths, &value, &fault)
				       : ryde_json_check(v, NULL, &fault);

			CHECK(got == want, "%s", texts[i].text);
			CHECK(got == 0 || want == 0 ||
				  (strcmp(fault.what, texts[i].what) == 0 &&
				      fault.at == texts[i].at),
			    "%s: %s at %zu", texts[i].text, fault.what, fault.at);
		}
		drop(v);
	}
	ryde_json_paths_free(paths);
}

/* NUL is no blank and no character of a string (RFC 8259, sections 2 and 7). */
static void
test_nul(void)
{
	static const struct {
		const char *text;
		size_t n, at;
	} nuls[] = {{"\0", 1, 0}, {"{}\0", 3, 2}, {"[1\0]", 4, 2}, {"\"a\0b\"", 5, 2},
	    {"\"\\\0\"", 4, 1}, {"[\0]", 3, 1}};
	struct ryde_json_fault fault = {"", 0};

	for (size_t i = 0; i < sizeof(nuls) / sizeof(nuls[0]); i++) {
		struct ryde_view v = exact(nuls[i].text, nuls[i].n);

		CHECK(ryde_json_check(v, NULL, &fault) == -1, "NUL %zu", i);
		CHECK(fault.at == nuls[i].at, "NUL %zu: at %zu", i, fault.at);
		drop(v);
	}
	CHECK(ryde_json_check(ryde_view_mem(NULL, 0), NULL, &fault) == -1);
}

static void
test_depth(void)
{
	size_t n = 100000;
	char *p = malloc(2 * n);
	struct ryde_json_fault fault = {"", 0};
	enum ryde_json_kind top;
	const size_t max = RYDE_JSON_DEPTH_MAX;

	if (p == NULL)
		abort();
	memset(p, '[', n);
	CHECK(ryde_json_check(ryde_view_mem(p, n), NULL, &fault) == -1);
	CHECK(strcmp(fault.what, "nested too deeply") == 0 && fault.at == max);
	memset(p + max, ']', max);
	CHECK(ryde_json_check(ryde_view_mem(p, 2 * max), &top, &fault) == 0);
	CHECK(top == RYDE_JSON_ARRAY);
	CHECK(ryde_json_check(ryde_view_mem(p, 2 * max - 1), NULL, &fault) == -1);
	memset(p, '[', max + 1);
	memset(p + max + 1, ']', max + 1);
	CHECK(ryde_json_check(ryde_view_mem(p, 2 * max + 2), NULL, &fault) == -1);
	free(p);
}

/* Each text, the path, and the slice that it finds (NULL: nothing). The last duplicate
 * counts (RFC 8259, 4: our choice). */
static const struct {
	const char *text, *path, *found;
	enum ryde_json_kind kind;
} finds[] = {
    {"{\"Name\":\"Shadowfax\",\"Distance\":30.2}", ".Name", "Shadowfax",
	RYDE_JSON_STRING},
    {"{\"Name\":\"Shadowfax\",\"Distance\":30.2}", ".Distance", "30.2", RYDE_JSON_NUMBER},
    {"{\"Name\":\"Shadowfax\"}", ".Nam", NULL, RYDE_JSON_ABSENT},
    {"{\"Name\":\"Shadowfax\"}", ".Name.x", NULL, RYDE_JSON_ABSENT},
    {"{\"Name\":1}", ".Name[0]", NULL, RYDE_JSON_ABSENT},
    {"{\"N\\u0061me\":1}", ".Name", "1", RYDE_JSON_NUMBER},
    {"{\"N\\u0061mes\":1}", ".Name", NULL, RYDE_JSON_ABSENT},
    {"{\"N\\u0061m\":1}", ".Name", NULL, RYDE_JSON_ABSENT},
    {"{\"\\ud83e\\udd84\":1}", ".[\"\xf0\x9f\xa6\x84\"]", "1", RYDE_JSON_NUMBER},
    {"{\"a\\\"b\":1}", ".\"a\\\"b\"", "1", RYDE_JSON_NUMBER},
    {"{\"a\\/b\":1}", ".\"a/b\"", "1", RYDE_JSON_NUMBER},
    {" {\"a\":1} ", ".", "{\"a\":1}", RYDE_JSON_OBJECT},
    {" [1] ", ".", "[1]", RYDE_JSON_ARRAY},
    {" \"x\" ", ".", "x", RYDE_JSON_STRING},
    {"{\"a\":{ \"b\": [1, {\"c\":true}] }}", ".a", "{ \"b\": [1, {\"c\":true}] }",
	RYDE_JSON_OBJECT},
    {"{\"a\":{ \"b\": [1, {\"c\":true}] }}", ".a.b[1].c", "true", RYDE_JSON_TRUE},
    {"{\"a\":{ \"b\": [1, {\"c\":true}] }}", ".a.b[2]", NULL, RYDE_JSON_ABSENT},
    {"[[1,2],[3,4]]", ".[1][0]", "3", RYDE_JSON_NUMBER},
    {"[0,1,2,3]", ".[3]", "3", RYDE_JSON_NUMBER},
    {"{\"a\":1,\"a\":2}", ".a", "2", RYDE_JSON_NUMBER},
    {"{\"a\":{\"b\":1},\"a\":{\"c\":1}}", ".a.b", NULL, RYDE_JSON_ABSENT},
    {"{\"a\":{\"b\":1},\"a\":2}", ".a.b", NULL, RYDE_JSON_ABSENT},
    {"{\"a\":{\"b\":1},\"a\":{}}", ".a.b", NULL, RYDE_JSON_ABSENT},
    {"{\"a\":{\"b\":1},\"\\u0061\":[]}", ".a.b", NULL, RYDE_JSON_ABSENT},
    {"{\"a\":2,\"a\":{\"b\":1}}", ".a.b", "1", RYDE_JSON_NUMBER},
    {"{\"a\":[1,2],\"a\":[3]}", ".a[1]", NULL, RYDE_JSON_ABSENT},
    {"{\"\":{\"\":7}}", ".\"\".\"\"", "7", RYDE_JSON_NUMBER},
    {"{\"a_key_of_more_than_16_bytes\":1,\"z\":2}", ".a_key_of_more_than_16_bytes", "1",
	RYDE_JSON_NUMBER},
    {"{\"a_key_of_more_than_17_bytes\":1,\"z\":2}", ".a_key_of_more_than_16_bytes", NULL,
	RYDE_JSON_ABSENT},
    {"{\"a_key_of_16_byte\":1,\"zzzzzzzzzzzzzzzzzzz\":2}", ".a_key_of_16_byte", "1",
	RYDE_JSON_NUMBER},
    {"{\"a_key_of_15_byt\":1,\"zzzzzzzzzzzzzzzzzzz\":2}", ".a_key_of_15_byt", "1",
	RYDE_JSON_NUMBER},
    {"{\"a_key_of_16_bytes\":1,\"zzzzzzzzzzzzzzzzzz\":2}", ".a_key_of_16_byte", NULL,
	RYDE_JSON_ABSENT},
    {"{\"s\":\"a\\nb\"}", ".s", "a\\nb", RYDE_JSON_STRING},
};

static void
test_find(void)
{
	struct ryde_json_paths *all = ryde_json_paths_new();
	struct ryde_json_value values[64];
	struct ryde_json_fault fault = {"", 0};
	struct ryde_err err = RYDE_ERR_INIT;
	size_t index;

	/* Alone, then with every other path in the set, twice so that hints of other
	 * shapes lie about. */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
			struct ryde_json_paths *one = ryde_json_paths_new();
			struct ryde_json_paths *set = round == 0 ? one : all;
			struct ryde_view v = exact(finds[i].text, strlen(finds[i].text));

			CHECK(ryde_json_paths_add(all, finds[i].path, &index, &err) == 0);
			CHECK(ryde_json_paths_add(set, finds[i].path, &index, &err) == 0);
			CHECK(ryde_json_find(v, set, values, &fault) == 0);
			CHECK(values[index].kind == finds[i].kind, "%s in %s: %d",
			    finds[i].path, finds[i].text, (int)values[index].kind);
			CHECK(finds[i].found == NULL ||
				  ryde_view_is(values[index].text, finds[i].found),
			    "%s in %s", finds[i].path, finds[i].text);
			drop(v);
			ryde_json_paths_free(one);
		}
	}
	CHECK(ryde_json_paths_count(all) <= 64);
	ryde_json_paths_free(all);
}

/* Every cut of a line is a fault, and every order of its keys finds the same. */
static void
test_line(void)
{
	static const char *const lines[] = {
	    "{\"Name\":\"Shadowfax\",\"StatusTime\":\"2026-11-23 "
	    "14:00:00.000\",\"Latitude\":"
	    "40.749167,\"Longitude\":-73.985184,\"Distance\":30.2,\"MagicPoints\":150}",
	    "{\"MagicPoints\":150,\"Distance\":30.2,\"Longitude\":-73.985184,"
	    "\"Latitude\":"
	    "40.749167,\"StatusTime\":\"2026-11-23 "
	    "14:00:00.000\",\"Name\":\"Shadowfax\"}"};
	static const char *const names[] = {".Distance", ".Name", ".MagicPoints", ".x"};
	static const char *const found[] = {"30.2", "Shadowfax", "150", ""};
	struct ryde_json_paths *set = ryde_json_paths_new();
	struct ryde_json_value values[4];
	struct ryde_json_fault fault = {"", 0};
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < 4; i++)
		CHECK(ryde_json_paths_add(set, names[i], NULL, &err) == 0);
	for (int round = 0; round < 4; round++) {
		const char *line = lines[round % 2];

		for (size_t n = 0; n <= strlen(line); n++) {
			struct ryde_view v = exact(line, n);
			int want = n == strlen(line) ? 0 : -1;

			CHECK(
			    ryde_json_find(v, set, values, &fault) == want, "cut %zu", n);
			CHECK(want == 0 || fault.at <= n);
			for (size_t i = 0; want == 0 && i < 4; i++)
				CHECK(ryde_view_is(values[i].text, found[i]), "%s",
				    names[i]);
			drop(v);
		}
	}
	CHECK(values[3].kind == RYDE_JSON_ABSENT);
	ryde_json_paths_free(set);
}

static void
test_walk(void)
{
	struct ryde_json_walk w;
	struct ryde_json_value key, value;
	size_t n = 0;

	CHECK(ryde_json_walk_begin(&w, ryde_view_of(" { \"a\" : 1 , \"b\":[2,{}] } ")));
	CHECK(ryde_json_walk_next(&w, &key, &value));
	CHECK(ryde_view_is(key.text, "a") && ryde_view_is(value.text, "1"));
	CHECK(ryde_json_walk_next(&w, &key, &value));
	CHECK(ryde_view_is(key.text, "b") && value.kind == RYDE_JSON_ARRAY);
	CHECK(!ryde_json_walk_next(&w, &key, &value));
	CHECK(!ryde_json_walk_next(&w, &key, &value));
	CHECK(ryde_json_walk_begin(&w, ryde_view_of("[1,\"x\",null,[]]")));
	while (ryde_json_walk_next(&w, &key, &value)) {
		CHECK(key.kind == RYDE_JSON_ABSENT);
		n++;
	}
	CHECK(n == 4);
	CHECK(ryde_json_walk_begin(&w, ryde_view_of("{}")));
	CHECK(!ryde_json_walk_next(&w, &key, &value));
	CHECK(!ryde_json_walk_begin(&w, ryde_view_of("\"x\"")));
	CHECK(!ryde_json_walk_begin(&w, ryde_view_of("")));
}

int
main(void)
{
	test_check();
	test_nul();
	test_depth();
	test_find();
	test_line();
	test_walk();
	return check_end("json_scan");
}
