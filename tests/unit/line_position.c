/* Positions: what is one, and their order. Source: line/position.h; aws-facts 2.4 (up to
 * 129 digits, numeric order). */
#include "base/buf.h"
#include "check.h"
#include "line/position.h"

#include <string.h>

static const struct {
	const char *text, *want; /* want NULL: refused */
} texts[] = {
    {"0", "0"},
    {"1", "1"},
    {"007", "7"},
    {"000", "0"},
    {"49590338271490256608559692538361571095921575989136588898",
	"49590338271490256608559692538361571095921575989136588898"},
    {"", NULL},
    {"-1", NULL},
    {"1 ", NULL},
    {"1e3", NULL},
    {"0x1", NULL},
};

static const struct {
	const char *a, *b;
	int want;
} orders[] = {
    {"1", "1", 0},
    {"1", "2", -1},
    {"10", "9", 1},
    {"0010", "10", 0},
    {"99999999999999999999999999999999999999", "100000000000000000000000000000000000000",
	-1},
};

/* Positions inside a record; lines < 0: refused. */
static const struct {
	const char *text;
	int64_t lines;
	const char *want;
} parts[] = {
    {"17", 0, "17"},
    {"17.0", 1, "17.0"},
    {"017.25", 26, "17.25"},
    {"17.4294967294", UINT32_MAX, "17.4294967294"},
    {"17.4294967295", -1, NULL},
    {"17.", -1, NULL},
    {".3", -1, NULL},
    {"17.-1", -1, NULL},
    {"17.3.4", -1, NULL},
    {"17 .3", -1, NULL},
};

/* In order; the empty one first, a record behind its lines. */
static const char *const rising[] = {
    "3", "9.0", "9.1", "9.10", "9.4294967294", "9", "10.0", "10", "12.7"};

static void
test_parts(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct ryde_pos p = {.lines = 77};
		bool ok = ryde_pos_parse(&p, ryde_view_of(parts[i].text));

		CHECK(ok == (parts[i].lines >= 0), "row %zu", i);
		if (!ok)
			continue;
		CHECK(p.lines == parts[i].lines, "row %zu", i);
		ryde_buf_clear(&b);
		ryde_pos_put(&b, &p);
		CHECK(strcmp(ryde_buf_str(&b), parts[i].want) == 0, "row %zu", i);
	}
	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
		for (size_t k = 0; k < sizeof rising / sizeof *rising; k++) {
			struct ryde_pos p, q, none = {.lines = 3};
			int want = i < k ? -1 : i > k;

			CHECK(ryde_pos_parse(&p, ryde_view_of(rising[i])));
			CHECK(ryde_pos_parse(&q, ryde_view_of(rising[k])));
			CHECK(
			    ryde_pos_cmp(&p, &q) == want, "%s, %s", rising[i], rising[k]);
			CHECK(ryde_pos_cmp(&none, &q) == -1);
			CHECK(ryde_pos_cmp(&none, &(struct ryde_pos){0}) == 0);
			p.lines = q.lines = 0;
			CHECK(ryde_pos_cmp_record(&p, &q) == ryde_pos_cmp(&p, &q));
		}
	}
	ryde_buf_free(&b);
}

int
main(void)
{
	struct ryde_pos p, q, none = {.n = 0};
	char longest[RYDE_SEQ_MAX + 2];

	test_parts();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		bool ok = ryde_pos_set(&p, ryde_view_of(texts[i].text));

		CHECK(ok == (texts[i].want != NULL), "row %zu", i);
		if (ok && texts[i].want != NULL)
			CHECK(
			    ryde_view_is(ryde_pos_view(&p), texts[i].want), "row %zu", i);
	}
	/* each byte in each place: digits are taken, others are not */
	for (size_t at = 0; at < 21; at++) {
		for (int byte = 0; byte < 256; byte++) {
			memset(longest, '5', 21);
			longest[at] = (char)byte;
			CHECK(ryde_pos_set(&p, ryde_view_mem(longest, 21)) ==
				  (byte >= '0' && byte <= '9'),
			    "byte %d at %zu", byte, at);
		}
	}
	memset(longest, '9', sizeof(longest));
	CHECK(ryde_pos_set(&p, ryde_view_mem(longest, RYDE_SEQ_MAX)));
	CHECK(!ryde_pos_set(&p, ryde_view_mem(longest, RYDE_SEQ_MAX + 1)));
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		(void)ryde_pos_set(&p, ryde_view_of(orders[i].a));
		(void)ryde_pos_set(&q, ryde_view_of(orders[i].b));
		CHECK(ryde_pos_cmp(&p, &q) == orders[i].want, "row %zu", i);
		CHECK(ryde_pos_cmp(&q, &p) == -orders[i].want, "row %zu", i);
	}
	CHECK(ryde_pos_cmp(&none, &p) == -1 && ryde_pos_cmp(&none, &none) == 0);
	return check_end("line_position");
}
