/*
 * Decimal arithmetic by its own laws. The input is two texts with a blank between them;
 * where both are numbers, what goes in must come out again on every way that is exact.
 */
#include "json/decimal.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a law does not hold. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* parse(put(a)) == a. A result may be longer than what is read, and is then refused. */
static void
there_and_back(const struct ryde_decimal *a, bool was_read)
{
	struct ryde_decimal b = {0};
	struct ryde_buf text;
	int rc;

	ryde_buf_init(&text, 65536);
	ryde_decimal_put(&text, a);
	must(ryde_buf_check(&text, NULL) == 0);
	rc = ryde_decimal_parse(&b, ryde_buf_as_view(&text), NULL);
	must(rc == 0 || !was_read);
	must(rc != 0 || ryde_decimal_cmp(&b, a) == 0);
	ryde_decimal_free(&b);
	ryde_buf_free(&text);
}

/* (a + b) - b == a, (a - b) + b == a, and the order of a + b and a follows the sign of b.
 */
static void
sums(const struct ryde_decimal *a, const struct ryde_decimal *b)
{
	struct ryde_decimal x = {0}, zero = {0};

	must(ryde_decimal_copy(&x, a, NULL) == 0);
	must(ryde_decimal_add(&x, b, NULL) == 0);
	there_and_back(&x, false);
	must(ryde_decimal_cmp(&x, a) == ryde_decimal_cmp(b, &zero));
	must(ryde_decimal_sub(&x, b, NULL) == 0);
	must(ryde_decimal_cmp(&x, a) == 0);
	must(ryde_decimal_sub(&x, b, NULL) == 0);
	must(ryde_decimal_cmp(&x, a) == -ryde_decimal_cmp(b, &zero));
	must(ryde_decimal_add(&x, b, NULL) == 0);
	must(ryde_decimal_sub(&x, a, NULL) == 0);
	must(ryde_decimal_is_zero(&x));
	ryde_decimal_free(&x);
}

/* a * b / b == a with all digits of a; (a + b) * b == a * b + b * b. */
static void
products(const struct ryde_decimal *a, const struct ryde_decimal *b)
{
	struct ryde_decimal x = {0}, y = {0}, z = {0};

	must(ryde_decimal_copy(&x, a, NULL) == 0);
	must(ryde_decimal_mul(&x, b, NULL) == 0);
	if (!ryde_decimal_is_zero(b)) {
		must(ryde_decimal_div(&y, &x, b, RYDE_DECIMAL_DIGITS_MAX, NULL) == 0);
		must(ryde_decimal_cmp(&y, a) == 0);
	}
	must(ryde_decimal_copy(&y, a, NULL) == 0);
	must(ryde_decimal_add(&y, b, NULL) == 0);
	must(ryde_decimal_mul(&y, b, NULL) == 0);
	must(ryde_decimal_copy(&z, b, NULL) == 0);
	must(ryde_decimal_mul(&z, &z, NULL) == 0);
	must(ryde_decimal_add(&x, &z, NULL) == 0);
	must(ryde_decimal_cmp(&x, &y) == 0);
	ryde_decimal_free(&x);
	ryde_decimal_free(&y);
	ryde_decimal_free(&z);
}

/* The running sum of a, b, a is 2 * a + b, whichever way each of them took. */
static void
running_sum(struct ryde_view a_text, struct ryde_view b_text,
    const struct ryde_decimal *a, const struct ryde_decimal *b)
{
	struct ryde_decimal_sum s;
	struct ryde_decimal total = {0};

	ryde_decimal_sum_init(&s);
	must(ryde_decimal_sum_add(&s, a_text, NULL) == 0);
	must(ryde_decimal_sum_add(&s, b_text, NULL) == 0);
	must(ryde_decimal_sum_add(&s, a_text, NULL) == 0);
	must(ryde_decimal_sum_total(&s, &total, NULL) == 0);
	must(ryde_decimal_sub(&total, a, NULL) == 0);
	must(ryde_decimal_sub(&total, b, NULL) == 0);
	must(ryde_decimal_cmp(&total, a) == 0);
	ryde_decimal_free(&total);
	ryde_decimal_sum_free(&s);
}

/* double -> decimal -> double is the same double. */
static void
doubles(const struct ryde_decimal *a)
{
	double x = ryde_decimal_double(a);
	struct ryde_decimal b = {0};

	if (ryde_decimal_of_double(&b, x, NULL) == 0) {
		double y = ryde_decimal_double(&b);

		must(!(x < y) && !(x > y));
		there_and_back(&b, true);
	}
	ryde_decimal_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data; /* bytes as the text that they are */
	const char *blank = size != 0 ? memchr(p, ' ', size) : NULL;
	struct ryde_view a_text = {p, blank != NULL ? (size_t)(blank - p) : size};
	struct ryde_view b_text = {p, 0};
	struct ryde_decimal a = {0}, b = {0};

	if (blank != NULL)
		b_text = ryde_view_mem(blank + 1, size - a_text.n - 1);
	if (ryde_decimal_parse(&a, a_text, NULL) == 0) {
		there_and_back(&a, true);
		doubles(&a);
		if (ryde_decimal_parse(&b, b_text, NULL) == 0) {
			must(ryde_decimal_cmp(&a, &b) == -ryde_decimal_cmp(&b, &a));
			sums(&a, &b);
			products(&a, &b);
			running_sum(a_text, b_text, &a, &b);
		}
	}
	ryde_decimal_free(&a);
	ryde_decimal_free(&b);
	return 0;
}
