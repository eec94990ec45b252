/*
 * Groups in windows: each key has one, and they come out in the order of their keys as
 * bytes, however many there are. Source: the contract in engine/window_keys.h.
 */
#include "engine/window_keys.h"

#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "engine/window_extent.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 40

static struct ryde_err err;
static struct ryde_random r;

/* A key of one of several kinds: with a beginning that all share and one that they do
 * not, short ones, such as differ behind sixteen equal bytes, with zeros in them. */
static size_t
make_key(int kind, uint64_t i, char *to)
{
	static const char letters[] = "ab\0\377";
	size_t n = 0;

	switch (kind) {
	case 0:
		return (size_t)snprintf(
		    to, KEY_MAX, "\"u%07llu\"", (unsigned long long)i);
	case 1:
		return (size_t)snprintf(to, KEY_MAX, "\"%s-0123456789abcdef-%llu\"",
		    i % 2 == 0 ? "left" : "right", (unsigned long long)i / 50);
	case 2:
		return (size_t)snprintf(to, KEY_MAX, "%llu", (unsigned long long)i);
	default:
		while (n < 12 && ryde_random_u64(&r) % 8 != 0)
			to[n++] = letters[ryde_random_u64(&r) % 4];
		return n;
	}
}

static int
in_order(struct ryde_view a, struct ryde_view b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c < 0 : a.n < b.n;
}

static void
test_order(const struct ryde_window_def *def, int kind, uint64_t n, bool last)
{
	struct ryde_window_extent_span span = {0, 60000};
	struct ryde_window_agg_order order = {0};
	struct ryde_window_keys_pane *pane;
	struct ryde_window_keys_group *g, *again;
	struct ryde_view key, before = {0};
	struct ryde_window_keys k;
	char text[KEY_MAX];
	size_t given = 0;
	uint32_t hash;

	CHECK(ryde_window_keys_start(&k, def, &err) == 0, "%s", err.msg);
	pane = ryde_window_keys_open(&k, &span, false, &err);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t shuffled = i * UINT64_C(2654435761) % 1000003;

		key = ryde_view_mem(text, make_key(kind, shuffled, text));
		hash = ryde_window_keys_hash(&k, key);
		g = ryde_window_keys_group(&k, pane, key, hash, key, &order, &err);
		again = ryde_window_keys_group(&k, pane, key, hash, key, &order, &err);
		CHECK(g != NULL && g == again, "one group for a key");
		g->changed = i % 3 == 0;
	}
	CHECK(ryde_window_keys_begin(&k, pane, !last, last, &err) == 0, "%s", err.msg);
	for (; (g = ryde_window_keys_next(pane)) != NULL; given++) {
		key = ryde_window_keys_key(&k, g);
		CHECK(given == 0 || in_order(before, key), "kind %d of %llu, %zu", kind,
		    (unsigned long long)n, given);
		before = key;
	}
	CHECK(last ? given == pane->n : given <= pane->n && given > 0, "%zu of %zu",
	    given, pane->n);
	ryde_window_keys_free(&k);
}

int
main(void)
{
	static const uint64_t counts[] = {1, 2, 3, 50, 2047, 2048, 5000};
	struct ryde_window_def *def = ryde_window_def_new(&err);

	CHECK(def != NULL && ryde_window_def_by(def, ".k", &err) == 0 &&
		  ryde_window_def_column(def, "n=count()", &err) == 0,
	    "%s", err.msg);
	def->extent.kind = RYDE_WINDOW_TUMBLE;
	def->extent.size_ms = 60000;
	CHECK(ryde_window_def_finish(def, &err) == 0, "%s", err.msg);
	ryde_random_seed(&r, 5);
	for (int kind = 0; kind < 4; kind++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			test_order(def, kind, counts[i], true);
			test_order(def, kind, counts[i], false);
		}
	}
	ryde_window_def_free(def);
	return check_end("engine_window_keys");
}
