/*
 * Shapes: what they find is what a scan finds, and nothing that a scan refuses. Source:
 * the contract in json/shape.h.
 */
#include "json/shape.h"

#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "json/path.h"
#include "json/shape_match.h"

#include <stdlib.h>

#define PATHS 8

static struct ryde_json_paths *paths;
static struct ryde_err err;

static const char *const texts[] = {
    "{\"Name\":\"Shadowfax\",\"StatusTime\":\"2026-11-23 14:00:00.000\",\"Latitude\":"
    "40.749363607,\"Longitude\":-73.985420540,\"Distance\":29.5,\"MagicPoints\":151,"
    "\"HealthPoints\":150}",
    "{\"Name\":\"a\"}", "{ \"Name\" : \"a\" , \"Distance\" : 1 }",
    "{\"a\":{\"b\":[1,true,{\"c\":\"x\"}]},\"Name\":null,\"Distance\":false}",
    "{\"Distance\":-0.5,\"Distance\":12345678901234567890123456789012345}",
    "{\"Name\":\"\",\"a\":{},\"MagicPoints\":[],\"x\":\"a long string of more than sixty-"
    "four plain bytes, which is read in several blocks one behind the other\"}",
    "{\"a key of more than thirty-two bytes, which is compared in two steps or even "
    "three\":1,\"Name\":\"b\"}",
    "7", "\"x\"", "[]", "{}", "{\"Name\":1e5}", "{\"Name\":\"\\u0041\"}",
    "{\"Name\":\"\303\244\"}", "{\"a\":{\"b\":[0]}}"};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static bool
same(const struct ryde_json_value *a, const struct ryde_json_value *b)
{
	for (size_t i = 0; i < PATHS; i++) {
		if (a[i].kind != b[i].kind)
			return false;
		if (a[i].kind != RYDE_JSON_ABSENT &&
		    (a[i].text.p != b[i].text.p || a[i].text.n != b[i].text.n ||
			a[i].escaped != b[i].escaped))
			return false;
	}
	return true;
}

/* The same with something behind the text that may be read, and that would go on with it;
 * and with what every machine has. */
static void
try_others(struct ryde_json_shapes *set, const char *bytes, size_t n, bool hit)
{
	static const char behind[] = "\",\"Distance\":1.5}}]5";
	struct ryde_json_value found[PATHS];
	char room[1024] = {0};
	bool wide = set->wide;

	for (int k = 0; k < 4; k++) {
		memcpy(room + 1, bytes, n);
		memcpy(room + 1 + n, behind + (n + (size_t)k) % (sizeof(behind) - 1),
		    sizeof(behind) - 1 - (n + (size_t)k) % (sizeof(behind) - 1));
		set->wide = wide && k % 2 == 0;
		CHECK(ryde_json_shapes_find(set, ryde_view_mem(room + 1, n),
			  k < 2 ? 0 : RYDE_JSON_SHAPE_BEHIND, found, PATHS) == hit,
		    "%d: %.*s", k, (int)n, bytes);
	}
	set->wide = wide;
}

/* As the first of some lines, in memory that ends where reading must. With its newline
 * cut off it is no line, whatever stands behind. */
static bool
try_line(struct ryde_json_shapes *set, const char *bytes, size_t n)
{
	static const char next[] = "{\"Name\":\"next\"}\n{\"a\":1}\n{\"Name\":\"";
	struct ryde_json_value found[4 * PATHS], scanned[PATHS];
	size_t ends[4], all = n + 1 + sizeof(next) - 1, from = 0, hits;
	const struct ryde_json_shape_found to = {found, ends, PATHS};
	struct ryde_json_fault fault;
	char *room = malloc(all + RYDE_JSON_SHAPE_BEHIND);
	struct ryde_view line;
	bool good;

	memset(found, 0x55, sizeof(found));
	memset(room, '5', all + RYDE_JSON_SHAPE_BEHIND);
	memcpy(room, bytes, n);
	room[n] = '\n';
	memcpy(room + n + 1, next, sizeof(next) - 1);
	line = ryde_view_mem(room, (size_t)((char *)memchr(room, '\n', all) - room));
	CHECK(ryde_json_shapes_find_lines(set, line, &to, 4) == 0, "%.*s", (int)n, bytes);
	memset(found, 0x55, sizeof(found));
	hits = ryde_json_shapes_find_lines(set, ryde_view_mem(room, all), &to, 4);
	for (size_t i = 0; i < hits; i++, from += line.n + 1) {
		line.p = room + from;
		line.n = (size_t)((char *)memchr(line.p, '\n', all - from) - line.p);
		good = ryde_json_find(line, paths, scanned, &fault) == 0;
		CHECK(
		    good && ends[i] == from + line.n && same(found + i * PATHS, scanned),
		    "%zu: %.*s", i, (int)n, bytes);
	}
	line = ryde_view_mem(room, (size_t)((char *)memchr(room, '\n', all) - room));
	good = ryde_json_find(line, paths, scanned, &fault) == 0;
	if (hits == 0 && good)
		ryde_json_shapes_learn(set, line, scanned, PATHS);
	free(room);
	return hits > 0;
}

/* Both ways; the text lies at the end of its memory, so that nothing is read behind it
 * unnoticed. True where it was found by its shape. */
static bool
try(struct ryde_json_shapes *set, const char *bytes, size_t n)
{
	struct ryde_json_value found[PATHS], scanned[PATHS];
	struct ryde_json_fault fault;
	char *exact = malloc(n + 1);
	struct ryde_view text;
	bool hit, good;

	memcpy(exact + 1, bytes, n);
	text = ryde_view_mem(exact + 1, n);
	hit = ryde_json_shapes_find(set, text, 0, found, PATHS);
	good = ryde_json_find(text, paths, scanned, &fault) == 0;
	CHECK(!hit || (good && same(found, scanned)), "%.*s", (int)n, bytes);
	try_others(set, bytes, n, hit);
	if (!hit && good)
		ryde_json_shapes_learn(set, text, scanned, PATHS);
	free(exact);
	return hit;
}

static void
test_hits(void)
{
	struct ryde_json_shapes set;

	/* Values may be of any length; what lies between them must be the same. */
	static const char *const others[] = {"{\"Name\":\"b\",\"Distance\":1}",
	    "{\"Name\":\"\",\"Distance\":-12.5}",
	    "{\"Name\":\"a name of more than sixteen "
	    "bytes\",\"Distance\":1234567890123456."
	    "7}"};
	static const char *const misses[] = {"{\"Name\":\"b\",\"Distance\":01}",
	    "{\"Name\":\"b\",\"Distance\":1.}", "{\"Name\":\"b\",\"Distance\":.5}",
	    "{\"Name\":\"b\",\"Distance\":-}", "{\"Name\":\"b\",\"Distance\":1..2}",
	    "{\"Name\":\"b\",\"Distance\":1-2}", "{\"Name\":\"b\",\"Distance\":1}}",
	    "{\"Name\":\"b\",\"Distance\":1", "{\"Name\":\"b\",\"Distanke\":1}",
	    "{\"Name\":\"b\001\",\"Distance\":1}", "{\"Name\":\"b\\\"\",\"Distance\":1}"};

	ryde_json_shapes_init(&set);
	CHECK(!try(&set, others[0], strlen(others[0])), "nothing is known yet");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
#ifdef __SSE2__
		CHECK(try(&set, others[i], strlen(others[i])), "%s", others[i]);
#else
		(void)try(&set, others[i], strlen(others[i]));
#endif
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++)
		CHECK(!try(&set, misses[i], strlen(misses[i])), "%s", misses[i]);
}

/* Texts in any order, and such that are nearly one of them. */
static void
test_mutations(void)
{
	static const char bytes[] = "\"\\{}[]:,.-+eE0123456789tfn \t\n\303\001\377a";
	struct ryde_json_shapes set, lines;
	struct ryde_random r;
	char text[512];
	size_t n, at, hits = 0, line_hits = 0;

	ryde_json_shapes_init(&set);
	ryde_json_shapes_init(&lines);
	ryde_random_seed(&r, 3);
	for (int i = 0; i < 200000; i++) {
		const char *from = texts[ryde_random_u64(&r) % (i % 2 == 0 ? 3 : TEXTS)];

		n = strlen(from);
		memcpy(text, from, n);
		for (uint64_t k = ryde_random_u64(&r) % 3; k > 0 && n > 0; k--) {
			at = (size_t)(ryde_random_u64(&r) % n);
			switch (ryde_random_u64(&r) % 4) {
			case 0:
				text[at] =
				    bytes[ryde_random_u64(&r) % (sizeof(bytes) - 1)];
				break;
			case 1:
				memmove(text + at, text + at + 1, --n - at);
				break;
			case 2:
				memmove(text + at + 1, text + at, n++ - at);
				break;
			default:
				n = at;
			}
		}
		hits += try(&set, text, n);
		if (i % 1000 == 0)
			lines.wide = set.wide && i % 2000 == 0;
		line_hits += try_line(&lines, text, n);
	}
#ifdef __SSE2__
	CHECK(hits > 10000, "%zu", hits);
	CHECK(line_hits > 10000, "%zu", line_hits);
#endif
}

/* Values of one length for long, and then of another: what a length is taken for is
 * always looked at. */
static void
test_lengths(void)
{
	struct ryde_json_shapes set;
	char text[512];
	int n;

	ryde_json_shapes_init(&set);
	for (int i = 0; i < 2000; i++) {
		n = snprintf(text, sizeof(text),
		    "{\"Name\":\"%.*s\",\"MagicPoints\":%s,\"Distance\":%d%s}",
		    i % 100 < 90 ? 3 : i % 300,
		    "a name that is as long as three hundred "
		    "bytes: "
		    "................................................................"
		    "...................................................................."
		    "..."
		    "...................................................................."
		    "..."
		    "...........................................................",
		    i % 70 < 60 ? "true" : "false", i % 50 < 40 ? 150 : i,
		    i % 37 == 0 ? "x" : "");
		(void)try(&set, text, (size_t)n);
	}
}

/* A few lengths, signs and literals in turn, for long enough that lines are compared as a
 * whole, and that what is compared so changes. */
static void
test_lines(void)
{
	static const char *const numbers[] = {
	    "1.5", "2.5", "-1.5", "10.5", "1.55", "0.5", "12", "01.5", "1.", "-0", "1e5"};
	static const char *const literals[] = {"true", "null", "false"};
	static const char *const strings[] = {
	    "a1", "b2", "AB", "2c", "", "\\n", "\001a", "a\"", "\303\244"};
	struct ryde_json_shapes set;
	struct ryde_random r;
	char text[512];
	size_t hits = 0;
	int n, odd;

	ryde_json_shapes_init(&set);
	ryde_random_seed(&r, 5);
	for (int i = 0; i < 40000; i++) {
		/* One in 30 differs somewhere, and sometimes nearly all do. */
		odd = ryde_random_u64(&r) % (i % 5000 < 500 ? 2 : 30) == 0;
		set.wide = ryde_json_shape_is_wide() && i / 700 % 2 == 0;
		n = snprintf(text, sizeof(text),
		    "{\"Name\":\"n%d\",\"Distance\":%s,\"MagicPoints\":%s,\"x\":"
		    "\"%s\",\"a key that is longer than one block of bytes\":%s}",
		    i % 300, odd ? numbers[ryde_random_u64(&r) % 11] : numbers[i % 2],
		    odd && i % 3 == 0 ? literals[i % 9 / 3] : "true",
		    odd && i % 2 == 0 ? strings[ryde_random_u64(&r) % 9] : strings[i % 2],
		    odd && i % 5 == 0 ? "7" : "[2,{\"d\":-7.25}]");
		hits += try_line(&set, text, (size_t)n);
	}
#ifdef __SSE2__
	CHECK(hits > 30000, "%zu", hits);
#endif
}

/* Many lines that are all the same: each value is set in each of them, also where it is
 * empty. */
static void
test_same(void)
{
	static const char *const same_lines[] = {"{\"Name\":\"\",\"Distance\":1}\n",
	    "{\"Name\":\"\",\"StatusTime\":\"\",\"MagicPoints\":null}\n"};
	struct ryde_json_value found[64 * PATHS], scanned[PATHS];
	size_t ends[64], n, done;
	const struct ryde_json_shape_found to = {found, ends, PATHS};
	struct ryde_json_fault fault;
	struct ryde_json_shapes set;
	char room[64 * 80 + RYDE_JSON_SHAPE_BEHIND];

	for (size_t k = 0; k < 2; k++) {
		n = strlen(same_lines[k]);
		memset(room, 0, sizeof(room));
		for (size_t i = 0; i < 64; i++)
			memcpy(room + i * n, same_lines[k], n);
		ryde_json_shapes_init(&set);
		(void)ryde_json_find(ryde_view_mem(room, n - 1), paths, scanned, &fault);
		ryde_json_shapes_learn(&set, ryde_view_mem(room, n - 1), scanned, PATHS);
		memset(found, 0x55, sizeof(found));
		done = ryde_json_shapes_find_lines(
		    &set, ryde_view_mem(room, 64 * n), &to, 64);
#ifdef __SSE2__
		CHECK(done == 64, "%zu", done);
#endif
		for (size_t i = 0; i < done; i++) {
			(void)ryde_json_find(
			    ryde_view_mem(room + i * n, n - 1), paths, scanned, &fault);
			CHECK(same(found + i * PATHS, scanned), "%zu: %zu", k, i);
		}
	}
}

/* Members in any order, some of them twice or not at all, and what is nearly one. */
static void
test_members(void)
{
	static const char *const members[] = {"\"Name\":\"a\"", "\"Name\":\"\"",
	    ("\"Name\":\"a name of more than sixty-four bytes, which goes over two "
	     "chunks "
	     "and over three blocks of the line\""),
	    "\"StatusTime\":\"2026-11-23 14:00:00.000\"", "\"Distance\":1.5",
	    "\"Distance\":-20", "\"MagicPoints\":true", "\"MagicPoints\":null",
	    "\"a\":false", "\"other\":1"};
	static const char *const odd[] = {"\"Name\":\"\\n\"", "\"Name\":\"\303\244\"",
	    "\"Distance\":01", "\"Distance\":1e5", "\"Distance\":1.",
	    "\"Distance\":", "\"a\":{\"b\":[1]}", "\"a\":[]", "\"n\\u0061\":1",
	    "\"Name\" :\"a\"", " \"Name\":\"a\"", "\"Name\": \"a\"", "\"Name\":\"a\" ",
	    "", "\"x\":\"", "\"Nam\":1", "\"Distance\":trux", "\"Distance\":\"1\"",
	    "\"\":0", "\"a key that is longer than a block of bytes\":0",
	    "\"Distance\":1}", "{\"Name\":1", "\"Name\"", "\"Name\":\"a\"\"a\":1"};
	struct ryde_json_shapes set;
	struct ryde_random r;
	char text[2048];
	size_t hits = 0, n, count;

	ryde_json_shapes_init(&set);
	ryde_random_seed(&r, 7);
	for (int i = 0; i < 100000; i++) {
		set.wide = ryde_json_shape_is_wide() && i / 500 % 2 == 0;
		n = 0;
		count = (size_t)(ryde_random_u64(&r) % (i % 50 == 0 ? 20 : 7));
		text[n++] = '{';
		for (size_t k = 0; k < count; k++) {
			const char *from = ryde_random_u64(&r) % 60 == 0
					       ? odd[ryde_random_u64(&r) %
						     (sizeof(odd) / sizeof(odd[0]))]
					       : members[ryde_random_u64(&r) % 10];

			if (k > 0)
				text[n++] = ',';
			memcpy(text + n, from, strlen(from));
			n += strlen(from);
		}
		text[n++] = ryde_random_u64(&r) % 100 == 0 ? ',' : '}';
		hits += try_line(&set, text, n);
	}
#ifdef __SSE2__
	CHECK(hits > 50000, "%zu", hits);
#endif
}

/* What is one text with a newline in it is no line. */
static void
test_newline(void)
{
	static const char text[] = "{\"Name\":\n\"b\"}";
	struct ryde_json_shapes set;
	struct ryde_json_value found[PATHS];
	const struct ryde_json_shape_found to = {found, &(size_t){0}, PATHS};
	char room[256] = {0};

	ryde_json_shapes_init(&set);
	(void)try(&set, text, sizeof(text) - 1);
	memcpy(room, text, sizeof(text) - 1);
	room[sizeof(text) - 1] = '\n';
	for (int i = 0; i < 2; i++) {
		/* nor a shape of one, nor members that go over two lines */
		CHECK(ryde_json_shapes_find_lines(
			  &set, ryde_view_mem(room, sizeof(text)), &to, 1) == 0,
		    "");
		set.n = 0;
	}
}

int
main(void)
{
	static const char *const names[PATHS] = {".Name", ".StatusTime", ".Distance",
	    ".MagicPoints", ".a.b[0]", ".a.b[2].c", ".a", ".none"};
	size_t index;

	paths = ryde_json_paths_new();
	for (size_t i = 0; i < PATHS; i++)
		CHECK(
		    ryde_json_paths_add(paths, names[i], &index, &err) == 0 && index == i,
		    "");
	test_hits();
	test_lengths();
	test_mutations();
	test_lines();
	test_same();
	test_members();
	test_newline();
	ryde_json_paths_free(paths);
	return check_end("json_shape");
}
