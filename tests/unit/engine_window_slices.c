/*
 * Hopping and cumulating windows give the same with slices and without. Source: the
 * contract of engine/window_slices.h. A limit of memory that is never met turns them off.
 */
#include "engine/window_slices.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "engine/window.h"

#include <stdlib.h>

#define OUT_MAX (64u << 20)
#define SHARDS 3

static struct ryde_err err;

static const struct {
	enum ryde_window_extent_kind kind;
	int64_t size_ms, step_ms, offset_ms, lateness_ms;
} cases[] = {{RYDE_WINDOW_HOP, 5000, 1000, 0, 0}, {RYDE_WINDOW_HOP, 5000, 1000, 0, 700},
    {RYDE_WINDOW_HOP, 5000, 2000, 300, 1500}, {RYDE_WINDOW_HOP, 7000, 3000, 0, 400},
    {RYDE_WINDOW_HOP, 3000, 3000, 0, 400}, {RYDE_WINDOW_CUMULATE, 6000, 1000, 0, 0},
    {RYDE_WINDOW_CUMULATE, 6000, 2000, 500, 1700}};

static struct ryde_window_def *
define(size_t i, size_t max_bytes)
{
	static const char *const columns[] = {"a=sum(.x)", "b=min(.x)", "c=max(.x)",
	    "d=avg(.x)", "e=stddev(.x)", "f=count()", "g=first(.s)", "h=last(.s)",
	    "i=list(.s)", "j=distinct(.s)", "q=p50(.x)", "l=count(where .x > 0)"};
	struct ryde_window_def *d = ryde_window_def_new(&err);
	int rc = 0;

	d->extent.kind = cases[i].kind;
	d->extent.size_ms = cases[i].size_ms;
	d->extent.step_ms = cases[i].step_ms;
	d->extent.offset_ms = cases[i].offset_ms;
	d->lateness_ms = cases[i].lateness_ms;
	d->idle_ms = 1000000;
	d->list_max = 5;
	d->max_bytes = max_bytes;
	rc |= ryde_window_def_time(d, ".t", &err);
	rc |= ryde_window_def_by(d, ".k", &err);
	for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++)
		rc |= ryde_window_def_column(d, columns[k], &err);
	rc |= ryde_window_def_finish(d, &err);
	CHECK(rc == 0, "%zu: %s", i, err.msg);
	return d;
}

/* What came of the lines: rows, and each line's fate. */
struct run {
	struct ryde_window *w;
	struct ryde_buf out;
	uint32_t shards[SHARDS];
};

static void
start(struct run *r, const struct ryde_window_def *d, struct ryde_view at)
{
	char name[2] = "a";

	r->w = ryde_window_new(d, &err);
	if (at.p != NULL)
		CHECK(ryde_window_restore(r->w, at, &err) == 0, "%s", err.msg);
	for (int i = 0; i < SHARDS; i++, name[0]++)
		CHECK(ryde_window_shard(r->w, ryde_view_of("local:s"), ryde_view_of(name),
			  &r->shards[i], &err) == 0,
		    "");
}

static void
take_rows(struct run *r)
{
	while (ryde_window_due(r->w)) {
		CHECK(ryde_window_row(r->w, &r->out, NULL, &err) == 0, "");
		ryde_buf_putc(&r->out, '\n');
	}
}

static uint64_t
below(struct ryde_random *r, uint64_t n)
{
	return ryde_random_u64(r) % n;
}

struct line {
	char text[200];
	uint32_t shard;
	struct ryde_pos pos;
};

static void
make_line(struct line *l, struct ryde_random *r, int64_t *at_ms, int seq)
{
	static const char *const keys[] = {"\"a\"", "\"b\"", "1", "1.0", "null", "10e-1"};
	static const char *const numbers[] = {
	    "1", "1.0", "-2.5", "0", "100", "1e2", "12345678901234567890", "0.001", "-0"};
	char digits[16];
	int n = snprintf(digits, sizeof(digits), "%d", seq);

	/* Sometimes nothing comes for longer than a window. */
	*at_ms += (int64_t)below(r, below(r, 200) == 0 ? 20000 : 60);
	(void)snprintf(l->text, sizeof(l->text),
	    "{\"k\":%s,\"t\":%lld,\"x\":%s,\"s\":\"%d\"}", keys[below(r, 6)],
	    (long long)(INT64_C(1764000000000) + *at_ms -
			(int64_t)below(r, below(r, 9) == 0 ? 8000 : 300)),
	    numbers[below(r, 9)], (int)below(r, 6));
	l->shard = (uint32_t)below(r, SHARDS);
	l->pos.n = 0;
	(void)ryde_pos_set(&l->pos, ryde_view_mem(digits, (size_t)n));
}

static void
feed(struct run *r, const struct line *l)
{
	const struct ryde_window_record record = {.payload = ryde_view_of(l->text),
	    .shard = r->shards[l->shard],
	    .pos = l->pos};
	enum ryde_window_fed fed = ryde_window_feed(r->w, &record, &err);
	int64_t end_ms = 0;

	CHECK(fed != RYDE_WINDOW_FAILED && fed != RYDE_WINDOW_WRONG, "%s", err.msg);
	if (ryde_window_advance(r->w))
		take_rows(r);
	(void)ryde_window_next_end(r->w, &end_ms);
	ryde_buf_printf(&r->out, "%d %llu %llu %lld\n", (int)fed,
	    (unsigned long long)ryde_window_pending(r->w),
	    (unsigned long long)ryde_window_missed(r->w), (long long)end_ms);
}

static bool
same(const struct ryde_buf *a, const struct ryde_buf *b)
{
	return ryde_view_eq(ryde_buf_as_view(a), ryde_buf_as_view(b));
}

#define LINES 1500

/* With and without, in one life or, with positions, in two: the second one begins where
 * the first one's positions say, and is given all lines again. */
static void
compare(size_t i, uint64_t seed, bool twice)
{
	static struct line lines[LINES];
	struct ryde_window_def *defs[2] = {define(i, 0), define(i, SIZE_MAX / 2)};
	struct run runs[2];
	struct ryde_random r;
	int64_t at_ms = 0;

	CHECK(ryde_window_slices_suit(defs[0]) && !ryde_window_slices_suit(defs[1]), "");
	ryde_random_seed(&r, seed);
	for (int k = 0; k < LINES; k++)
		make_line(&lines[k], &r, &at_ms, k + 1);
	for (int m = 0; m < 2; m++) {
		struct ryde_buf at;

		ryde_buf_init(&at, OUT_MAX);
		ryde_buf_init(&runs[m].out, OUT_MAX);
		start(&runs[m], defs[m], ryde_view_mem(twice ? "" : NULL, 0));
		for (int k = 0; k < (twice ? LINES / 2 : LINES); k++)
			feed(&runs[m], &lines[k]);
		if (twice) {
			CHECK(ryde_window_positions(runs[m].w, &at, &err) == 0, "%s",
			    err.msg);
			ryde_window_free(runs[m].w);
			start(&runs[m], defs[m], ryde_buf_as_view(&at));
			for (int k = 0; k < LINES; k++)
				feed(&runs[m], &lines[k]);
		}
		ryde_window_close(runs[m].w);
		take_rows(&runs[m]);
		CHECK(ryde_window_pending(runs[m].w) == 0, "%zu", i);
		ryde_window_free(runs[m].w);
		ryde_buf_free(&at);
	}
	CHECK(runs[0].out.n > 10000 && same(&runs[0].out, &runs[1].out),
	    "%zu, %llu, %d: %zu bytes", i, (unsigned long long)seed, twice,
	    runs[0].out.n);
	for (int m = 0; m < 2; m++) {
		ryde_buf_free(&runs[m].out);
		ryde_window_def_free(defs[m]);
	}
}

/* Freed in the middle of a window's rows. */
static void
test_stop(void)
{
	struct ryde_window_def *d = define(0, 0);
	struct ryde_random r;
	struct line line;
	struct run run;
	int64_t at_ms = 0;

	ryde_random_seed(&r, 1);
	ryde_buf_init(&run.out, OUT_MAX);
	start(&run, d, ryde_view_mem(NULL, 0));
	for (int k = 0; k < 50; k++) {
		make_line(&line, &r, &at_ms, k + 1);
		feed(&run, &line);
	}
	ryde_window_close(run.w);
	CHECK(ryde_window_due(run.w) && ryde_window_row(run.w, &run.out, NULL, &err) == 0,
	    "");
	ryde_window_free(run.w);
	ryde_buf_free(&run.out);
	ryde_window_def_free(d);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint64_t seed = 1; seed <= 10; seed++)
			compare(i, seed, seed % 2 == 0);
	}
	test_stop();
	return check_end("engine_window_slices");
}
