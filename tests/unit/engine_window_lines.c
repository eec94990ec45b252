/*
 * Lines that are fed many at once give what they give one by one. Source: the contract of
 * ryde_window_feed_lines in engine/window.h.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "engine/window.h"
#include "json/shape.h"
#include "line/envelope.h"

#include <stdlib.h>

#define OUT_MAX (64u << 20)

static struct ryde_err err;

/* A window, and all that came of its lines. */
struct run {
	struct ryde_window *w;
	struct ryde_buf rows, late, wrong;
	uint64_t taken, filtered, at_once;
	uint32_t shard;
};

static const struct {
	enum ryde_window_extent_kind kind;
	int64_t size_ms, step_ms, lateness_ms, allow_ms;
	size_t max_bytes;
	const char *by, *by2, *where;
	const char *columns[6];
} defs[] = {
    {RYDE_WINDOW_TUMBLE, 60000, 0, 0, 0, 0, ".k", NULL, NULL,
	{"a=sum(.x)", "b=min(.x)", "c=max(.x)", "d=min(.y)", "e=avg(.y)", "f=count()"}},
    {RYDE_WINDOW_TUMBLE, 60000, 0, 5000, 0, 0, ".k", NULL, NULL,
	{"a=sum(.x)", "b=count(.y)", "c=max(.x)", "d=min(.x)"}},
    {RYDE_WINDOW_TUMBLE, 10000, 0, 2000, 20000, 0, ".k", NULL, NULL,
	{"a=sum(.x)", "b=max(.y)"}},
    {RYDE_WINDOW_TUMBLE, 60000, 0, 0, 0, 0, NULL, NULL, NULL, {"a=sum(.x)", "b=max(.y)"}},
    {RYDE_WINDOW_TUMBLE, 60000, 0, 0, 0, 20000, ".k", NULL, NULL, {"a=sum(.x)"}},
    {RYDE_WINDOW_TUMBLE, 60000, 0, 3000, 0, 0, ".k", ".s", ".x > 2",
	{"a=sum(.x)", "b=last(.y)", "c=distinct(.s)"}},
    {RYDE_WINDOW_HOP, 60000, 20000, 3000, 0, 0, ".k", NULL, NULL,
	{"a=sum(.x)", "b=min(.y)"}},
    {RYDE_WINDOW_SESSION, 3000, 0, 3000, 0, 0, ".k", NULL, NULL,
	{"a=sum(.x)", "b=min(.y)"}},
};
#define DEFS (sizeof(defs) / sizeof(defs[0]))

static struct ryde_window_def *
define(size_t i)
{
	struct ryde_window_def *d = ryde_window_def_new(&err);
	int rc = 0;

	d->extent.kind = defs[i].kind;
	d->extent.size_ms = defs[i].size_ms;
	d->extent.step_ms = defs[i].step_ms;
	d->lateness_ms = defs[i].lateness_ms;
	d->allow_ms = defs[i].allow_ms;
	d->max_bytes = defs[i].max_bytes;
	rc |= ryde_window_def_time(d, ".t", &err);
	if (defs[i].by != NULL)
		rc |= ryde_window_def_by(d, defs[i].by, &err);
	if (defs[i].by2 != NULL)
		rc |= ryde_window_def_by(d, defs[i].by2, &err);
	if (defs[i].where != NULL)
		rc |= ryde_window_def_where(d, defs[i].where, &err);
	for (size_t k = 0; k < 6 && defs[i].columns[k] != NULL; k++)
		rc |= ryde_window_def_column(d, defs[i].columns[k], &err);
	rc |= ryde_window_def_finish(d, &err);
	CHECK(rc == 0, "%zu: %s", i, err.msg);
	return d;
}

static void
start(struct run *r, const struct ryde_window_def *d)
{
	memset(r, 0, sizeof(*r));
	ryde_buf_init(&r->rows, OUT_MAX);
	ryde_buf_init(&r->late, OUT_MAX);
	ryde_buf_init(&r->wrong, OUT_MAX);
	r->w = ryde_window_new(d, &err);
	CHECK(ryde_window_shard(
		  r->w, ryde_view_of(""), ryde_view_of(""), &r->shard, &err) == 0,
	    "");
}

static void
end(struct run *r)
{
	ryde_window_free(r->w);
	ryde_buf_free(&r->rows);
	ryde_buf_free(&r->late);
	ryde_buf_free(&r->wrong);
}

static void
keep(struct ryde_buf *b, struct ryde_view line)
{
	ryde_buf_view(b, line);
	ryde_buf_putc(b, '\n');
}

static void
take_rows(struct run *r)
{
	while (ryde_window_due(r->w)) {
		CHECK(ryde_window_row(r->w, &r->rows, NULL, &err) == 0, "");
		ryde_buf_putc(&r->rows, '\n');
	}
}

static void
feed_one(struct run *r, struct ryde_view line)
{
	struct ryde_window_record record = {
	    .payload = line, .behind = RYDE_JSON_SHAPE_BEHIND, .shard = r->shard};

	switch (ryde_window_feed(r->w, &record, &err)) {
	case RYDE_WINDOW_TAKEN:
		r->taken++;
		break;
	case RYDE_WINDOW_LATE:
		keep(&r->late, line);
		break;
	case RYDE_WINDOW_WRONG:
		keep(&r->wrong, line);
		keep(&r->wrong, ryde_view_of(err.msg));
		break;
	case RYDE_WINDOW_SKIPPED:
	case RYDE_WINDOW_FILTERED:
		r->filtered++;
		break;
	case RYDE_WINDOW_FAILED:
		CHECK(false, "%s", err.msg);
	}
	if (ryde_window_advance(r->w))
		take_rows(r);
}

/* As many as it takes at once of those that are there; then one by itself. Returns what
 * has no end yet. */
static struct ryde_view
feed_many(struct run *r, struct ryde_view lines)
{
	struct ryde_window_lines did;
	const char *nl;

	while (lines.n > 0) {
		CHECK(ryde_window_feed_lines(r->w, lines, r->shard, &did, &err) == 0,
		    "%s", err.msg);
		CHECK(did.bytes <= lines.n, "%zu of %zu", did.bytes, lines.n);
		r->taken += did.taken;
		r->filtered += did.filtered;
		r->at_once += did.taken + did.filtered;
		if (did.late.n > 0)
			keep(&r->late, did.late);
		take_rows(r);
		lines.p += did.bytes;
		lines.n -= did.bytes;
		if (did.bytes > 0)
			continue;
		nl = memchr(lines.p, '\n', lines.n);
		if (nl == NULL)
			break;
		feed_one(r, ryde_view_mem(lines.p, (size_t)(nl - lines.p)));
		lines.n -= (size_t)(nl + 1 - lines.p);
		lines.p = nl + 1;
	}
	return lines;
}

static uint64_t
below(struct ryde_random *r, uint64_t n)
{
	return ryde_random_u64(r) % n;
}

/* Whether something is odd, as it is once in n where `rarely` is 1. */
static uint64_t rarely;

static bool
is_odd(struct ryde_random *r, uint64_t n)
{
	return below(r, n * rarely) == 0;
}

static void
put_number(struct ryde_buf *b, struct ryde_random *r)
{
	static const char *const odd[] = {"0", "-0", "-0.0", "0.00000001", "1e3", "1E-2",
	    "12345678", "123456789", "1234567.8", "-1234567.8", "-12345678", "1234567.85",
	    "123456789012345678", "1234567890123456789", "98765432109876543210.5",
	    "9223372036854775807", "null", "\"5\"", "true", "01", "1.", "0.50", "5e-1"};

	if (is_odd(r, 12))
		ryde_buf_puts(b, odd[below(r, sizeof(odd) / sizeof(odd[0]))]);
	else if (below(r, 2) == 0)
		ryde_buf_printf(b, "%d", (int)below(r, 400) - 100);
	else
		ryde_buf_printf(b, "%d.%d", (int)below(r, 100), (int)below(r, 10));
}

static void
put_time(struct ryde_buf *b, struct ryde_random *r, int64_t at_ms)
{
	int64_t s = at_ms / 1000, ms = at_ms % 1000;
	int minute = (int)(s / 60 % 60), second = (int)(s % 60), hour = (int)(s / 3600);
	static const char *const odd[] = {"\"2026-11-23 14:00:61.000\"", "\"x\"", "null",
	    "7", "\"2026-11-23 14:00:0a.000\"", "\"2026-11-23 14:00:00.00x\"",
	    "\"2026-11-23 14:00:00,000\""};

	switch (below(r, 40 * rarely)) {
	case 0:
		ryde_buf_puts(b, odd[below(r, sizeof(odd) / sizeof(odd[0]))]);
		break;
	case 1:
		ryde_buf_printf(b, "\"2026-11-23T%02d:%02d:%02d.%03dZ\"", hour, minute,
		    second, (int)ms);
		break;
	case 2:
		ryde_buf_printf(b, "\"2026-11-23 %02d:%02d:%02d\"", hour, minute, second);
		break;
	case 3:
		/* the same day in milliseconds since 1970 */
		ryde_buf_printf(b, "%lld", (long long)(INT64_C(1795392000000) + at_ms));
		break;
	default:
		ryde_buf_printf(b, "\"2026-11-23 %02d:%02d:%02d.%03d\"", hour, minute,
		    second, (int)ms);
	}
}

static void
put_line(struct ryde_buf *b, struct ryde_random *r, int64_t at_ms, bool mixed)
{
	static const char *const keys[] = {"\"\"", "\"a\"", "\"abc\"", "\"abcd\"",
	    "\"abcdefg\"", "\"abcdefgh\"", "\"a key of 17 bytes\"", "\"\303\244\"",
	    "\"a\\\"b\"", "7", "7.0", "null", "[1]"};
	size_t n_keys = is_odd(r, 20) ? sizeof(keys) / sizeof(keys[0]) : 7;
	size_t first = mixed ? below(r, 5) : 0, n = is_odd(r, 15) ? 3 : 5;

	for (size_t i = 0; i < n; i++) {
		ryde_buf_putc(b, i == 0 ? '{' : ',');
		switch ((first + i) % 5) {
		case 0:
			ryde_buf_printf(b, "\"k\":%s", keys[below(r, n_keys)]);
			break;
		case 1:
			ryde_buf_puts(b, "\"t\":");
			put_time(b, r, at_ms);
			break;
		case 2:
			ryde_buf_puts(b, "\"x\":");
			put_number(b, r);
			break;
		case 3:
			ryde_buf_puts(b, "\"s\":\"v\"");
			break;
		default:
			ryde_buf_puts(b, "\"y\":");
			put_number(b, r);
		}
	}
	ryde_buf_puts(b, is_odd(r, 100) ? "\n" : "}\n");
}

/* Time goes on by a second or so, and runs back by up to four. */
static void
make_lines(struct ryde_buf *b, uint64_t seed, int n)
{
	struct ryde_random r;
	int64_t at_ms = 3600000;

	ryde_random_seed(&r, seed);
	rarely = seed % 3 == 0 ? 40 : 1;
	for (int i = 0; i < n; i++) {
		at_ms += (int64_t)below(&r, seed % 2 == 0 ? 400 : 20);
		put_line(b, &r, at_ms - (int64_t)below(&r, is_odd(&r, 9) ? 4000 : 1),
		    seed % 4 == 3);
	}
	CHECK(ryde_buf_check(b, &err) == 0, "");
}

static bool
same(const struct ryde_buf *a, const struct ryde_buf *b)
{
	return ryde_view_eq(ryde_buf_as_view(a), ryde_buf_as_view(b));
}

/* The lines in blocks that end anywhere, each in its own memory, with just so much behind
 * as may be read. */
static void
feed_blocks(struct run *r, struct ryde_view lines, size_t block_n)
{
	struct ryde_view left;
	size_t n;
	char *block;

	while (lines.n > 0) {
		n = lines.n < block_n ? lines.n : block_n;
		block = malloc(n + RYDE_JSON_SHAPE_BEHIND);
		memset(block, '5', n + RYDE_JSON_SHAPE_BEHIND);
		memcpy(block, lines.p, n);
		left = feed_many(r, ryde_view_mem(block, n));
		lines.p += n - left.n;
		lines.n -= n - left.n;
		free(block);
	}
}

static void
compare(size_t i, uint64_t seed)
{
	struct ryde_window_def *d = define(i);
	struct ryde_buf lines;
	struct run one, many;
	struct ryde_view rest;
	const char *nl;

	ryde_buf_init(&lines, OUT_MAX);
	make_lines(&lines, seed, 4000);
	start(&one, d);
	start(&many, d);
	rest = ryde_buf_as_view(&lines);
	while (rest.n > 0) {
		nl = memchr(rest.p, '\n', rest.n);
		feed_one(&one, ryde_view_mem(rest.p, (size_t)(nl - rest.p)));
		rest.n -= (size_t)(nl + 1 - rest.p);
		rest.p = nl + 1;
	}
	feed_blocks(&many, ryde_buf_as_view(&lines), 3000);
	ryde_window_close(one.w);
	ryde_window_close(many.w);
	take_rows(&one);
	take_rows(&many);
	CHECK(one.rows.n > 100, "%zu: %zu", i, one.rows.n);
	CHECK(same(&one.rows, &many.rows), "%zu", i);
	CHECK(same(&one.late, &many.late), "%zu", i);
	CHECK(same(&one.wrong, &many.wrong), "%zu", i);
	CHECK(one.taken == many.taken && one.filtered == many.filtered, "%zu", i);
#ifdef __SSE2__
	CHECK(many.at_once > many.taken / 2, "%zu: %llu", i,
	    (unsigned long long)many.at_once);
#endif
	end(&one);
	end(&many);
	ryde_buf_free(&lines);
	ryde_window_def_free(d);
}

int
main(void)
{
	for (size_t i = 0; i < DEFS; i++) {
		for (uint64_t seed = 1; seed <= 8; seed++)
			compare(i, seed);
	}
	return check_end("engine_window_lines");
}
