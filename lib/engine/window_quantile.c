#include "engine/window_quantile.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/decimal.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 4
#define LN10 2.302585092994045684
/* Logarithms and digits are rounded: their error must fit between the accuracy that is
 * promised and the one that the buckets have. */
#define SLACK 1e-3
/* Beyond any bucket's number: numbers have at most 4096 digits. So all keys of positive
 * values are positive. */
#define KEY_ZERO (1 << 24)

struct value {
	union {
		int64_t coefficient;
		struct ryde_decimal *large;
	} u;
	int32_t scale;
	bool is_large;
};

/* Values in one bucket. Its key orders buckets as their values are ordered. */
struct bucket {
	int32_t key;
	uint64_t n;
};

struct ryde_window_quantile_values {
	struct value *exact;
	struct bucket *buckets; /* by key */
	uint32_t n, cap;	/* of exact, then of buckets */
	uint64_t total;		/* in buckets; 0 while values are exact */
	double ln_gamma;	/* the width of a bucket */
};

static double
ln_gamma_of(uint32_t accuracy_ppm)
{
	double alpha = accuracy_ppm * 1e-6 * (1 - SLACK);

	return log1p(2 * alpha / (1 - alpha));
}

static int32_t
key_of(const struct ryde_window_quantile_values *v, double ln, bool negative)
{
	int32_t key = KEY_ZERO + (int32_t)ceil(ln / v->ln_gamma);

	return negative ? -key : key;
}

static int32_t
key_of_value(const struct ryde_window_quantile_values *v, const struct value *x)
{
	struct ryde_decimal zero = {0};
	double ln;

	if (x->is_large)
		return key_of(v, ryde_decimal_ln(x->u.large),
		    ryde_decimal_cmp(x->u.large, &zero) < 0);
	if (x->u.coefficient == 0)
		return 0;
	/* below 10^18: no digit that counts is lost */
	ln = log(fabs((double)x->u.coefficient)) - x->scale * LN10;
	return key_of(v, ln, x->u.coefficient < 0);
}

static size_t
find_bucket(const struct ryde_window_quantile_values *v, int32_t key)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->buckets[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
count(
    struct ryde_window_quantile_values *v, int32_t key, uint64_t n, struct ryde_err *err)
{
	size_t at = find_bucket(v, key);
	struct bucket *buckets;

	if (at < v->n && v->buckets[at].key == key)
		goto found;
	if (v->n == RYDE_WINDOW_QUANTILE_BUCKETS_MAX) {
		/* The lowest one goes into the next, which may be the new one; a new one
		 * below all goes into the lowest. */
		uint64_t lowest = v->buckets[0].n;

		if (at == 0)
			goto found;
		memmove(&v->buckets[0], &v->buckets[1], --at * sizeof(*v->buckets));
		v->buckets[at] = (struct bucket){key, 0};
		v->buckets[0].n += lowest;
		goto found;
	}
	if (v->n == v->cap) {
		uint32_t cap = v->cap != 0 ? 2 * v->cap : FIRST;

		buckets = realloc(v->buckets, cap * sizeof(*buckets));
		if (buckets == NULL)
			return ryde_err_nomem(err);
		v->buckets = buckets;
		v->cap = cap;
	}
	memmove(&v->buckets[at + 1], &v->buckets[at], (v->n - at) * sizeof(*v->buckets));
	v->buckets[at] = (struct bucket){key, 0};
	v->n++;
found:
	v->buckets[at].n += n;
	v->total += n;
	return 0;
}

static void
free_exact(struct value *exact, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (exact[i].is_large) {
			ryde_decimal_free(exact[i].u.large);
			free(exact[i].u.large);
		}
	}
	free(exact);
}

/* From now on values are counted in buckets. */
static int
bucket_all(struct ryde_window_quantile_values *v, struct ryde_err *err)
{
	struct value *exact = v->exact;
	uint32_t n = v->n;
	int rc = 0;

	v->exact = NULL;
	v->n = v->cap = 0;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = count(v, key_of_value(v, &exact[i]), 1, err);
	free_exact(exact, n);
	return rc;
}

static int
start(struct ryde_window_quantile *q, uint32_t accuracy_ppm, struct ryde_err *err)
{
	if (q->values != NULL)
		return 0;
	q->values = calloc(1, sizeof(*q->values));
	if (q->values == NULL)
		return ryde_err_nomem(err);
	q->values->ln_gamma = ln_gamma_of(accuracy_ppm);
	return 0;
}

/* Adds x, which is borrowed. */
static int
add_value(
    struct ryde_window_quantile_values *v, const struct value *x, struct ryde_err *err)
{
	uint32_t cap = v->cap != 0 ? 2 * v->cap : FIRST;
	struct value own = *x, *exact;

	if (v->total == 0 && v->n + 1 == RYDE_WINDOW_QUANTILE_EXACT &&
	    bucket_all(v, err) != 0)
		return -1;
	if (v->total > 0)
		return count(v, key_of_value(v, x), 1, err);
	if (v->n == v->cap) {
		exact = realloc(v->exact, cap * sizeof(*exact));
		if (exact == NULL)
			return ryde_err_nomem(err);
		v->exact = exact;
		v->cap = cap;
	}
	if (x->is_large) {
		own.u.large = calloc(1, sizeof(*own.u.large));
		if (own.u.large == NULL)
			return ryde_err_nomem(err);
		if (ryde_decimal_copy(own.u.large, x->u.large, err) != 0) {
			free(own.u.large);
			return -1;
		}
	}
	v->exact[v->n++] = own;
	return 0;
}

int
ryde_window_quantile_add(struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    const struct ryde_window_number *number, const struct ryde_decimal *exact,
    struct ryde_err *err)
{
	struct ryde_decimal large = {0};
	struct value x = {.scale = number->scale};
	int rc;

	if (start(q, accuracy_ppm, err) != 0)
		return -1;
	if (number->small) {
		x.u.coefficient = number->coefficient;
		return add_value(q->values, &x, err);
	}
	rc = ryde_decimal_copy(&large, exact, err);
	x = (struct value){.u.large = &large, .is_large = true};
	if (rc == 0)
		rc = add_value(q->values, &x, err);
	ryde_decimal_free(&large);
	return rc;
}

int
ryde_window_quantile_merge(struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    const struct ryde_window_quantile *from, struct ryde_err *err)
{
	const struct ryde_window_quantile_values *f = from->values;

	if (f == NULL)
		return 0;
	if (start(q, accuracy_ppm, err) != 0)
		return -1;
	if (f->total > 0 && q->values->total == 0 && bucket_all(q->values, err) != 0)
		return -1;
	for (uint32_t i = 0; i < f->n; i++) {
		if ((f->total > 0
			    ? count(q->values, f->buckets[i].key, f->buckets[i].n, err)
			    : add_value(q->values, &f->exact[i], err)) != 0)
			return -1;
	}
	return 0;
}

/* For small ones this takes no memory, so it cannot fail. */
static void
decimal_of(const struct value *x, struct ryde_decimal *to)
{
	if (x->is_large)
		*to = *x->u.large;
	else
		(void)ryde_window_number_decimal(x->u.coefficient, x->scale, to, NULL);
}

static int
compare(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	struct ryde_decimal p = {0}, q = {0};

	if (!x->is_large && !y->is_large) {
		struct ryde_window_number m = {x->u.coefficient, x->scale, true, true};
		struct ryde_window_number n = {y->u.coefficient, y->scale, true, true};

		return ryde_window_number_cmp(&m, &n);
	}
	decimal_of(x, &p);
	decimal_of(y, &q);
	return ryde_decimal_cmp(&p, &q);
}

static int
put_exact(const struct ryde_window_quantile_values *v, uint64_t rank, struct ryde_buf *to,
    struct ryde_err *err)
{
	struct value *sorted = malloc(v->n * sizeof(*sorted));
	struct ryde_decimal d = {0};

	if (sorted == NULL)
		return ryde_err_nomem(err);
	memcpy(sorted, v->exact, v->n * sizeof(*sorted));
	qsort(sorted, v->n, sizeof(*sorted), compare);
	decimal_of(&sorted[rank - 1], &d);
	ryde_decimal_put(to, &d);
	free(sorted);
	return 0;
}

/* The middle of a bucket, which differs from no value in it by more than the accuracy. */
static int
put_bucket(const struct ryde_window_quantile_values *v, int32_t key,
    uint32_t accuracy_ppm, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_decimal d = {0};
	char text[64];
	double gamma = exp(v->ln_gamma), log10_value, whole;
	int rc, n;

	if (key == 0) {
		ryde_buf_putc(to, '0');
		return 0;
	}
	log10_value = ((abs(key) - KEY_ZERO) * v->ln_gamma + log(2 / (gamma + 1))) / LN10;
	whole = floor(log10_value);
	/* More digits than the accuracy has, so that rounding them fits into SLACK. */
	n = snprintf(text, sizeof(text), "%s%.*fe%d", key < 0 ? "-" : "",
	    accuracy_ppm >= 10000 ? 5 : 6, pow(10, log10_value - whole), (int)whole);
	rc = ryde_decimal_parse(&d, ryde_view_mem(text, (size_t)n), err);
	if (rc == 0)
		ryde_decimal_put(to, &d);
	ryde_decimal_free(&d);
	return rc;
}

int
ryde_window_quantile_put(const struct ryde_window_quantile *q, uint32_t accuracy_ppm,
    uint32_t part, uint32_t of, struct ryde_buf *to, struct ryde_err *err)
{
	const struct ryde_window_quantile_values *v = q->values;
	__extension__ unsigned __int128 product;
	uint64_t n, rank;

	if (v == NULL) {
		ryde_buf_puts(to, "null");
		return 0;
	}
	n = v->total > 0 ? v->total : v->n;
	product = n;
	product = (product * part + of - 1) / of;
	rank = product > 0 ? (uint64_t)product : 1; /* at most n */
	if (v->total == 0)
		return put_exact(v, rank, to, err);
	for (uint32_t i = 0;; i++) {
		if (rank <= v->buckets[i].n)
			return put_bucket(v, v->buckets[i].key, accuracy_ppm, to, err);
		rank -= v->buckets[i].n;
	}
}

size_t
ryde_window_quantile_bytes(const struct ryde_window_quantile *q)
{
	const struct ryde_window_quantile_values *v = q->values;

	if (v == NULL)
		return 0;
	return sizeof(*v) +
	       v->cap * (v->total > 0 ? sizeof(*v->buckets) : sizeof(*v->exact));
}

void
ryde_window_quantile_free(struct ryde_window_quantile *q)
{
	if (q->values == NULL)
		return;
	if (q->values->total == 0)
		free_exact(q->values->exact, q->values->n);
	free(q->values->buckets);
	free(q->values);
	q->values = NULL;
}
