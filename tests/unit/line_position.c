/* Positions: what is one, and their order. Source: line/position.h; aws-facts 2.4 (up to
 * 129 digits, numeric order). */
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

int
main(void)
{
	struct ryde_pos p, q, none = {.n = 0};
	char longest[RYDE_SEQ_MAX + 2];

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
