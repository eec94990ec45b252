#include "engine/query_exact.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "engine/query_number.h"
#include "json/decimal.h"
#include "json/literal.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_DIGITS 17 /* as ryde-window has it */
#define TEXT_MAX (RYDE_DECIMAL_RESULT_MAX + 64)
#define NEIGHBOURS 200
#define LONG 16 /* bytes of a number that may have more than 15 digits */
#define TAKEN_BITS (1u << 22)

/* The doubles that stand for longer numbers: an open hash table by their bits. */
struct handle {
	uint64_t bits;
	char *text; /* owned; NULL where the slot is free */
};

struct ryde_query_exact {
	struct handle *slots;
	size_t n, cap;	      /* cap is a power of two */
	unsigned char *taken; /* a bit for each hash of a double that stands for itself */
	struct ryde_buf text, blob;
};

static uint64_t
bits_of(double real)
{
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

static struct handle *
slot_of(const struct ryde_query_exact *x, uint64_t bits)
{
	size_t i = (size_t)((bits * 0x9e3779b97f4a7c15u) >> 20);

	for (;; i++) {
		struct handle *h = &x->slots[i & (x->cap - 1)];

		if (h->text == NULL || h->bits == bits)
			return h;
	}
}

static int
grow(struct ryde_query_exact *x)
{
	struct ryde_query_exact bigger = {.cap = x->cap == 0 ? 256 : x->cap * 2};

	if (x->n * 2 < x->cap)
		return 0;
	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -1;
	for (size_t i = 0; i < x->cap; i++)
		if (x->slots[i].text != NULL)
			*slot_of(&bigger, x->slots[i].bits) = x->slots[i];
	free(x->slots);
	x->slots = bigger.slots;
	x->cap = bigger.cap;
	return 0;
}

static uint32_t
taken_bit(double real)
{
	return (uint32_t)((bits_of(real) * 0xd6e8feb86659fd93u) >> 32) % TAKEN_BITS;
}

/* True where the double may have been seen to stand for itself. */
static bool
is_taken(const struct ryde_query_exact *x, double real)
{
	uint32_t bit = taken_bit(real);

	return (x->taken[bit / 8] >> bit % 8 & 1) != 0;
}

/*
 * A double for text near to `real`: never one with 15 digits or less, which data could
 * hold, never one that data has held, and never one that stands for another number. 0
 * where there is none.
 */
static double
handle_for(struct ryde_query_exact *x, double real, const char *text)
{
	double up = real, down = real;

	for (int i = 0; i < NEIGHBOURS; i++) {
		double candidate = i % 2 == 0 ? up : down;
		struct handle *h;

		up = i % 2 == 0 ? nextafter(up, INFINITY) : up;
		down = i % 2 == 0 ? down : nextafter(down, -INFINITY);
		if (i == 0)
			down = nextafter(real, -INFINITY);
		if (!isfinite(candidate) || ryde_query_number_is_short(candidate))
			continue;
		h = slot_of(x, bits_of(candidate));
		if (h->text != NULL && strcmp(h->text, text) == 0)
			return candidate;
		if (h->text != NULL || is_taken(x, candidate))
			continue;
		h->text = strdup(text);
		if (h->text == NULL)
			return 0;
		h->bits = bits_of(candidate);
		x->n++;
		return candidate;
	}
	return 0;
}

bool
ryde_query_exact_text(
    const struct ryde_query_exact *x, double real, struct ryde_view *text)
{
	const struct handle *h;

	if (x->n == 0)
		return false;
	h = slot_of(x, bits_of(real));
	if (h->text == NULL)
		return false;
	*text = ryde_view_of(h->text);
	return true;
}

double
ryde_query_exact_handle(struct ryde_query_exact *x, double real, struct ryde_view text)
{
	if (x->n >= RYDE_QUERY_EXACT_DATA || !isfinite(real) || grow(x) != 0)
		return 0;
	ryde_buf_clear(&x->text);
	ryde_buf_view(&x->text, text);
	return x->text.failed ? 0 : handle_for(x, real, ryde_buf_str(&x->text));
}

double
ryde_query_exact_real(struct ryde_query_exact *x, double real, size_t written)
{
	const struct handle *h = NULL;
	double handle = 0;

	if (written < LONG)
		return real;
	if (x->n > 0)
		h = slot_of(x, bits_of(real));
	if (h == NULL || h->text == NULL) {
		uint32_t bit = taken_bit(real);

		x->taken[bit / 8] |= (unsigned char)(1u << bit % 8);
		return real;
	}
	ryde_buf_clear(&x->text);
	ryde_query_number_put(&x->text, real);
	if (!x->text.failed && grow(x) == 0)
		handle = handle_for(x, real, ryde_buf_str(&x->text));
	return handle != 0 ? handle : real;
}

/* ---- arguments and results ---- */

/* The number that a REAL stands for, in x->text. */
static struct ryde_view
text_of_real(struct ryde_query_exact *x, double real)
{
	struct ryde_view text;

	if (ryde_query_exact_text(x, real, &text))
		return text;
	ryde_buf_clear(&x->text);
	ryde_query_number_put(&x->text, real);
	return ryde_buf_as_view(&x->text);
}

static struct ryde_view
bytes_of(sqlite3_value *value)
{
	const char *p = sqlite3_value_blob(value);

	return ryde_view_mem(p, p != NULL ? (size_t)sqlite3_value_bytes(value) : 0);
}

/*
 * A value that counts as a number, as text: numbers, and texts that are one. *whole is
 * false where it has a point or an exponent. Where it is no finite number, *other is what
 * SQLite takes it for, and the view is empty.
 */
static struct ryde_view
number_of(struct ryde_query_exact *x, sqlite3_value *value, bool *whole, double *other)
{
	int type = sqlite3_value_type(value);
	struct ryde_view text = {NULL, 0};
	struct ryde_literal l;

	*whole = false;
	if (type == SQLITE_INTEGER) {
		*whole = true;
		ryde_buf_clear(&x->text);
		ryde_buf_i64(&x->text, sqlite3_value_int64(value));
		return ryde_buf_as_view(&x->text);
	}
	if (type == SQLITE_BLOB && ryde_query_number_exact(bytes_of(value), &text))
		return text;
	if (type == SQLITE_TEXT) {
		text = bytes_of(value);
		if (text.n > 0 && ryde_literal_look(&l, text)) {
			*whole = l.n_whole == l.n_digits && l.exponent == 0;
			return text;
		}
	}
	*other = sqlite3_value_double(value);
	if (isfinite(*other))
		return text_of_real(x, *other);
	return (struct ryde_view){NULL, 0};
}

static void
result_text(sqlite3_context *ctx, struct ryde_query_exact *x, bool whole)
{
	struct ryde_view text = ryde_buf_as_view(&x->text);
	struct ryde_query_number n;
	double handle = 0;

	ryde_buf_clear(&x->blob);
	if (x->text.failed || ryde_query_number(&n, text, &x->blob) != 0 ||
	    grow(x) != 0) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	if (n.kind == RYDE_QUERY_NUMBER_INTEGER && whole) {
		sqlite3_result_int64(ctx, n.integer);
		return;
	}
	/* a whole sum of decimals stays one of decimals: 3 / 2 and 3.0 / 2 differ in SQL
	 */
	if (n.kind == RYDE_QUERY_NUMBER_INTEGER) {
		n.real = (double)n.integer;
		if (n.integer <= (1LL << 53) && n.integer >= -(1LL << 53))
			n.kind = RYDE_QUERY_NUMBER_REAL;
	}
	if (n.kind == RYDE_QUERY_NUMBER_REAL) {
		sqlite3_result_double(ctx, ryde_query_exact_real(x, n.real, text.n));
		return;
	}
	if (x->n >= RYDE_QUERY_EXACT_MAX) {
		sqlite3_result_error(
		    ctx, "too many different results with more than 16 digits", -1);
		return;
	}
	if (isfinite(n.real))
		handle = handle_for(x, n.real, ryde_buf_str(&x->text));
	if (handle != 0)
		sqlite3_result_double(ctx, handle);
	else
		sqlite3_result_blob(ctx, x->blob.p, (int)x->blob.n, SQLITE_TRANSIENT);
}

/* ---- sum, total, avg ---- */

struct sum {
	int64_t n;
	int64_t fractions; /* terms that are no integers */
	int64_t strange;   /* terms that are no finite numbers */
	double others;	   /* their sum */
	/* on the heap: SQLite's memory is not aligned for 128-bit integers */
	struct ryde_decimal_sum *exact;
};

static void
add(sqlite3_context *ctx, sqlite3_value *value, bool minus)
{
	struct ryde_query_exact *x = sqlite3_user_data(ctx);
	struct sum *s = sqlite3_aggregate_context(ctx, sizeof(*s));
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_view text;
	double other;
	bool whole;

	if (s == NULL || sqlite3_value_type(value) == SQLITE_NULL)
		return;
	if (s->exact == NULL) {
		s->exact = malloc(sizeof(*s->exact));
		if (s->exact == NULL) {
			sqlite3_result_error_nomem(ctx);
			return;
		}
		ryde_decimal_sum_init(s->exact);
	}
	text = number_of(x, value, &whole, &other);
	s->n += minus ? -1 : 1;
	if (!whole)
		s->fractions += minus ? -1 : 1;
	if (text.n == 0) {
		s->strange += minus ? -1 : 1;
		s->others = minus ? s->others - other : s->others + other;
		return;
	}
	if (minus) {
		ryde_buf_clear(&x->blob);
		if (*text.p == '-') {
			text = ryde_view_mem(text.p + 1, text.n - 1);
		} else {
			ryde_buf_putc(&x->blob, '-');
			ryde_buf_view(&x->blob, text);
			text = ryde_buf_as_view(&x->blob);
		}
	}
	if (ryde_decimal_sum_add(s->exact, text, &err) != 0)
		sqlite3_result_error(ctx, err.msg, -1);
}

static void
sum_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	add(ctx, argv[0], false);
}

static void
sum_inverse(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	add(ctx, argv[0], true);
}

/* The result so far, divided by `by` where it is not 0. */
static void
put_sum(sqlite3_context *ctx, struct sum *s, int64_t by, bool whole)
{
	struct ryde_query_exact *x = sqlite3_user_data(ctx);
	struct ryde_decimal total = {0}, divisor = {0};
	struct ryde_err err = RYDE_ERR_INIT;
	int rc;

	if (s->strange > 0) {
		sqlite3_result_double(ctx, s->others);
		return;
	}
	rc = ryde_decimal_sum_total(s->exact, &total, &err);
	if (rc == 0 && by != 0) {
		ryde_decimal_of_i64(&divisor, by);
		rc = ryde_decimal_div(&total, &total, &divisor, MEAN_DIGITS, &err);
	}
	if (rc != 0) {
		sqlite3_result_error(ctx, err.msg, -1);
	} else {
		ryde_buf_clear(&x->text);
		ryde_decimal_put(&x->text, &total);
		result_text(ctx, x, whole);
	}
	ryde_decimal_free(&total);
	ryde_decimal_free(&divisor);
}

static void
sum_value(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);

	if (s != NULL && s->exact != NULL && s->n > 0)
		put_sum(ctx, s, 0, s->fractions == 0);
}

static void
total_value(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);

	if (s != NULL && s->exact != NULL && s->n > 0)
		put_sum(ctx, s, 0, false);
	else
		sqlite3_result_double(ctx, 0.0);
}

static void
avg_value(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);

	if (s != NULL && s->exact != NULL && s->n > 0)
		put_sum(ctx, s, s->n, false);
}

static void
sum_free(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);

	if (s == NULL || s->exact == NULL)
		return;
	ryde_decimal_sum_free(s->exact);
	free(s->exact);
}

static void
sum_final(sqlite3_context *ctx)
{
	sum_value(ctx);
	sum_free(ctx);
}

static void
total_final(sqlite3_context *ctx)
{
	total_value(ctx);
	sum_free(ctx);
}

static void
avg_final(sqlite3_context *ctx)
{
	avg_value(ctx);
	sum_free(ctx);
}

/* ---- min, max ---- */

struct extreme {
	sqlite3_value *best; /* owned, NULL before the first one */
};

/* SQLite's order of kinds: numbers, texts, blobs. */
static int
rank(sqlite3_value *v)
{
	struct ryde_view text;
	int type = sqlite3_value_type(v);

	if (type == SQLITE_TEXT)
		return 1;
	return type == SQLITE_BLOB && !ryde_query_number_exact(bytes_of(v), &text) ? 2
										   : 0;
}

static int
parse_value(struct ryde_query_exact *x, sqlite3_value *v, struct ryde_decimal *d)
{
	bool whole;
	double other;

	return ryde_decimal_parse(d, number_of(x, v, &whole, &other), NULL);
}

static int
compare_numbers(struct ryde_query_exact *x, sqlite3_value *a, sqlite3_value *b)
{
	int type = sqlite3_value_type(a);
	struct ryde_decimal da = {0}, db = {0};
	struct ryde_view text;
	double ra, rb;
	int c;

	if (type == sqlite3_value_type(b) && type == SQLITE_INTEGER) {
		sqlite3_int64 ia = sqlite3_value_int64(a), ib = sqlite3_value_int64(b);

		return (ia > ib) - (ia < ib);
	}
	ra = sqlite3_value_double(a);
	rb = sqlite3_value_double(b);
	/* where plain doubles differ, so do the numbers, and the same way */
	if (ra != rb && !ryde_query_exact_text(x, ra, &text) &&
	    !ryde_query_exact_text(x, rb, &text))
		return ra > rb ? 1 : -1;
	if (parse_value(x, a, &da) == 0 && parse_value(x, b, &db) == 0)
		c = ryde_decimal_cmp(&da, &db);
	else
		c = 0;
	ryde_decimal_free(&da);
	ryde_decimal_free(&db);
	return c;
}

static int
compare(struct ryde_query_exact *x, sqlite3_value *a, sqlite3_value *b)
{
	int rank_a = rank(a), rank_b = rank(b), c;
	struct ryde_view va, vb;

	if (rank_a != rank_b)
		return rank_a - rank_b;
	if (rank_a == 0)
		return compare_numbers(x, a, b);
	va = bytes_of(a);
	vb = bytes_of(b);
	c = va.n > 0 && vb.n > 0 ? memcmp(va.p, vb.p, va.n < vb.n ? va.n : vb.n) : 0;
	return c != 0 ? c : (va.n > vb.n) - (va.n < vb.n);
}

static void
extreme_step(sqlite3_context *ctx, sqlite3_value *value, int sign)
{
	struct extreme *e = sqlite3_aggregate_context(ctx, sizeof(*e));

	if (e == NULL || sqlite3_value_type(value) == SQLITE_NULL)
		return;
	if (e->best != NULL &&
	    compare(sqlite3_user_data(ctx), value, e->best) * sign <= 0)
		return;
	sqlite3_value_free(e->best);
	e->best = sqlite3_value_dup(value);
	if (e->best == NULL)
		sqlite3_result_error_nomem(ctx);
}

static void
min_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	extreme_step(ctx, argv[0], -1);
}

static void
max_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	extreme_step(ctx, argv[0], 1);
}

static void
extreme_final(sqlite3_context *ctx)
{
	struct extreme *e = sqlite3_aggregate_context(ctx, 0);

	if (e == NULL || e->best == NULL)
		return;
	sqlite3_result_value(ctx, e->best);
	sqlite3_value_free(e->best);
}

/* ---- exact(X) ---- */

/* The number in a text, so that it can be compared with a column's: exact('123…'). */
static void
exact(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct ryde_query_exact *x = sqlite3_user_data(ctx);
	struct ryde_decimal d = {0};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_view text;
	bool whole;
	double other;

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	text = number_of(x, argv[0], &whole, &other);
	if (text.n == 0) {
		sqlite3_result_double(ctx, other);
	} else if (ryde_decimal_parse(&d, text, &err) != 0) {
		sqlite3_result_error(ctx, err.msg, -1);
	} else {
		ryde_buf_clear(&x->text);
		ryde_decimal_put(&x->text, &d);
		result_text(ctx, x, whole);
	}
	ryde_decimal_free(&d);
}

/* ---- ryde_sum(TEXT, WHOLE) ---- */

/* What sum would give where its digits are TEXT; WHOLE: all terms were integers. */
static void
sum_of_text(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct ryde_query_exact *x = sqlite3_user_data(ctx);

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	ryde_buf_clear(&x->text);
	ryde_buf_view(&x->text, bytes_of(argv[0]));
	result_text(ctx, x, sqlite3_value_int(argv[1]) != 0);
}

/* ---- the functions as SQLite knows them ---- */

#define FLAGS (SQLITE_UTF8 | SQLITE_INNOCUOUS)

struct ryde_query_exact *
ryde_query_exact_new(sqlite3 *db, struct ryde_err *err)
{
	struct ryde_query_exact *x = calloc(1, sizeof(*x));
	int rc = SQLITE_OK;

	if (x == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	x->taken = calloc(TAKEN_BITS / 8, 1);
	if (x->taken == NULL) {
		free(x);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&x->text, TEXT_MAX);
	ryde_buf_init(&x->blob, 4 * (size_t)TEXT_MAX);
	rc |= sqlite3_create_window_function(
	    db, "sum", 1, FLAGS, x, sum_step, sum_final, sum_value, sum_inverse, NULL);
	rc |= sqlite3_create_window_function(db, "total", 1, FLAGS, x, sum_step,
	    total_final, total_value, sum_inverse, NULL);
	rc |= sqlite3_create_window_function(
	    db, "avg", 1, FLAGS, x, sum_step, avg_final, avg_value, sum_inverse, NULL);
	rc |= sqlite3_create_function(
	    db, "exact", 1, FLAGS | SQLITE_DETERMINISTIC, x, exact, NULL, NULL);
	rc |=
	    sqlite3_create_function(db, "ryde_sum", 2, FLAGS, x, sum_of_text, NULL, NULL);
	if (rc != SQLITE_OK) {
		ryde_query_exact_free(x);
		(void)ryde_err_set(err, RYDE_ESOFTWARE, "cannot register functions");
		return NULL;
	}
	return x;
}

int
ryde_query_exact_min_max(struct ryde_query_exact *x, sqlite3 *db, struct ryde_err *err)
{
	int rc = sqlite3_create_function(
	    db, "min", 1, FLAGS, x, NULL, min_step, extreme_final);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(
		    db, "max", 1, FLAGS, x, NULL, max_step, extreme_final);
	return rc == SQLITE_OK
		   ? 0
		   : ryde_err_set(err, RYDE_ESOFTWARE, "cannot register min and max");
}

void
ryde_query_exact_free(struct ryde_query_exact *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->cap; i++)
		free(x->slots[i].text);
	free(x->slots);
	free(x->taken);
	ryde_buf_free(&x->text);
	ryde_buf_free(&x->blob);
	free(x);
}
