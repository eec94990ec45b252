/* The growing buffer: ceilings, failures that stick, numbers. Source: base/buf.h. */
#include "base/buf.h"

#include "base/err.h"
#include "check.h"

#include <stdlib.h>

static void
check_growth(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	CHECK(b.p == NULL && b.n == 0, "init allocates nothing");
	CHECK(strcmp(ryde_buf_str(&b), "") == 0, "an empty buffer is the empty string");
	for (int i = 0; i < 100000; i++)
		ryde_buf_putc(&b, (char)('a' + i % 26));
	CHECK(ryde_buf_check(&b, &err) == 0 && b.n == 100000, "n %zu", b.n);
	CHECK(b.p[0] == 'a' && b.p[99999] == 'a' + 99999 % 26, "content");
	CHECK(strlen(ryde_buf_str(&b)) == 100000, "as a C string");
	ryde_buf_drop(&b, 99997);
	CHECK(
	    ryde_view_is(ryde_buf_as_view(&b), "bcd"), "dropped to %.*s", (int)b.n, b.p);
	ryde_buf_drop(&b, 3);
	ryde_buf_drop(&b, 0);
	CHECK(b.n == 0, "all dropped");
	ryde_buf_add(&b, NULL, 0);
	ryde_buf_view(&b, ryde_view_mem(NULL, 0));
	ryde_buf_add(&b, "a\0b", 3);
	CHECK(b.n == 3 && memcmp(b.p, "a\0b", 3) == 0, "a NUL is a byte like any other");
	ryde_buf_free(&b);
	CHECK(b.p == NULL && b.n == 0 && b.max == 1 << 20, "free keeps the ceiling");
	ryde_buf_puts(&b, "again");
	CHECK(ryde_view_is(ryde_buf_as_view(&b), "again"), "used again after free");
	ryde_buf_free(&b);
	ryde_buf_free(&b);
}

/* max, what is there, what is added, whether that fits */
static const struct {
	size_t max, there, add;
	bool fits;
} ceilings[] = {
    {0, 0, 0, true},
    {0, 0, 1, false},
    {5, 0, 5, true},
    {5, 0, 6, false},
    {5, 5, 0, true},
    {5, 4, 1, true},
    {5, 4, 2, false},
    {64, 0, 64, true},
    {64, 63, 1, true},
    {64, 64, 1, false},
    {4096, 0, 4097, false},
    {4096, 1, SIZE_MAX, false},
    {4096, 1, SIZE_MAX - 1, false},
};

static void
check_ceilings(void)
{
	for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_buf b;
		bool fits;

		ryde_buf_init(&b, ceilings[i].max);
		for (size_t n = 0; n < ceilings[i].there; n++)
			ryde_buf_putc(&b, 'x');
		fits = ryde_buf_room(&b, ceilings[i].add) != NULL;
		CHECK(fits == ceilings[i].fits, "row %zu", i);
		CHECK(b.failed != ceilings[i].fits, "row %zu", i);
		CHECK(b.n == ceilings[i].there, "row %zu: what was there stays", i);
		CHECK(ryde_buf_check(&b, &err) == (fits ? 0 : -1), "row %zu", i);
		/* whatever the size of the piece that was too much, it is not memory that
		 * is short */
		CHECK(fits || (err.code == RYDE_EDATA &&
				  strncmp(err.msg, "more than ", 10) == 0),
		    "row %zu: %s", i, err.msg);
		ryde_buf_free(&b);
	}
}

static void
check_failure_sticks(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 8);
	ryde_buf_puts(&b, "1234");
	ryde_buf_puts(&b, "56789");
	ryde_buf_putc(&b, '5');
	ryde_buf_u64(&b, 5);
	ryde_buf_printf(&b, "%d", 5);
	CHECK(b.n == 4, "nothing is added behind a hole");
	CHECK(ryde_buf_room(&b, 0) == NULL, "no room after a failure");
	CHECK(strcmp(ryde_buf_str(&b), "") == 0, "\"\" where it failed");
	CHECK(ryde_buf_check(&b, &err) == -1, "check tells");
	ryde_buf_clear(&b);
	CHECK(ryde_buf_check(&b, &err) == 0, "clear forgets");
	ryde_buf_puts(&b, "12345678");
	CHECK(
	    strcmp(ryde_buf_str(&b), "12345678") == 0, "full to the brim, with its NUL");
	ryde_buf_free(&b);
}

static void
check_numbers(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	ryde_buf_i64(&b, INT64_MIN);
	ryde_buf_putc(&b, ' ');
	ryde_buf_i64(&b, -1);
	ryde_buf_putc(&b, ' ');
	ryde_buf_i64(&b, 0);
	ryde_buf_putc(&b, ' ');
	ryde_buf_i64(&b, INT64_MAX);
	ryde_buf_putc(&b, ' ');
	ryde_buf_u64(&b, UINT64_MAX);
	ryde_buf_printf(&b, " %s%03d", "", 7);
	CHECK(strcmp(ryde_buf_str(&b), "-9223372036854775808 -1 0 9223372036854775807 "
				       "18446744073709551615 007") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_clear(&b);
	/* longer than what is allocated so far, so that the second pass must grow */
	ryde_buf_printf(&b, "%*s|", 3000, "x");
	CHECK(b.n == 3001 && b.p[3000] == '|', "a long format: %zu", b.n);
	ryde_buf_free(&b);
}

int
main(void)
{
	check_growth();
	check_ceilings();
	check_failure_sticks();
	check_numbers();
	return check_end("base_buf");
}
