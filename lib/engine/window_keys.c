/* madvise is none of POSIX */
#define _GNU_SOURCE
#include "engine/window_keys.h"

#include "base/err.h"
#include "base/random.h"
#include "engine/window_slices.h"
#include "engine/window_sort.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TABLE_FIRST 16 /* slots of a new window */
#define PANES_FIRST 16
#define CHUNK_FIRST 1024 /* bytes; each next one is twice as large, up to the last */
#define CHUNK_LAST (4u << 20)
#define CHUNK_SMALL (256u << 10) /* the last where memory is counted */
#define LARGE (4u << 20)	 /* bytes of one piece of memory */
#define PAGE 4096u

struct ryde_window_keys_chunk {
	struct ryde_window_keys_chunk *next;
	size_t used, cap;
	_Alignas(8) char data[];
};

int
ryde_window_keys_start(
    struct ryde_window_keys *k, const struct ryde_window_def *def, struct ryde_err *err)
{
	memset(k, 0, sizeof(*k));
	k->def = def;
	k->sliced = ryde_window_slices_suit(def);
	k->out_ms = INT64_MIN;
	return ryde_random_bytes(&k->seed, sizeof(k->seed), err);
}

void
ryde_window_keys_clear(const struct ryde_window_keys *k, struct ryde_window_keys_group *g)
{
	ryde_window_agg_free(k->def, ryde_window_keys_states(g));
	free(g->written);
}

void
ryde_window_keys_pane_free(struct ryde_window_keys *k, struct ryde_window_keys_pane *p)
{
	struct ryde_window_keys_chunk *next;

	for (size_t i = 0; i < p->cap; i++) {
		struct ryde_window_keys_group *g = p->table[i].group;

		if (g == NULL)
			continue;
		if (k->def->max_bytes > 0)
			k->bytes -= ryde_window_agg_heap_bytes(
			    k->def, ryde_window_keys_states(g));
		ryde_window_keys_clear(k, g);
	}
	for (struct ryde_window_keys_chunk *c = p->chunks; c != NULL; c = next) {
		next = c->next;
		k->bytes -= sizeof(*c) + c->cap;
		free(c);
	}
	k->bytes -= sizeof(*p) + p->slots * sizeof(*p->table);
	if (p->order != p->table)
		free(p->order);
	free(p->table);
	free(p->entered);
	free(p);
}

void
ryde_window_keys_free(struct ryde_window_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		ryde_window_keys_pane_free(k, k->panes[i]);
	free(k->panes);
	k->panes = NULL;
	k->n = 0;
}

/* The place of the window that ends at end_ms, or where it would stand. */
static size_t
find_pane(const struct ryde_window_keys *k, int64_t end_ms)
{
	size_t low = 0, high = k->n;

	/* Time mostly goes forward. */
	if (high > 0 && k->panes[high - 1]->end_ms < end_ms)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->panes[middle]->end_ms < end_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct ryde_window_keys_pane *
ryde_window_keys_pane_new(
    struct ryde_window_keys *k, const struct ryde_window_extent_span *span)
{
	struct ryde_window_keys_pane *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->table = calloc(TABLE_FIRST, sizeof(*p->table));
	if (p->table == NULL) {
		free(p);
		return NULL;
	}
	p->cap = p->slots = TABLE_FIRST;
	k->bytes += sizeof(*p) + p->slots * sizeof(*p->table);
	p->start_ms = span->start_ms;
	p->end_ms = span->end_ms;
	return p;
}

struct ryde_window_keys_pane *
ryde_window_keys_open(struct ryde_window_keys *k,
    const struct ryde_window_extent_span *span, bool fired, struct ryde_err *err)
{
	struct ryde_window_keys_pane *p = k->last, **panes;
	size_t at = k->last_at - 1, cap;

	if (p != NULL && p->end_ms == span->end_ms)
		return p;
	/* A record goes into all windows of its time, from the last one to the first. */
	if (at >= k->n || k->panes[at]->end_ms != span->end_ms)
		at = find_pane(k, span->end_ms);
	k->last_at = at;
	if (at < k->n && k->panes[at]->end_ms == span->end_ms)
		return k->last = k->panes[at];
	if (k->n == k->cap) {
		cap = k->cap != 0 ? 2 * k->cap : PANES_FIRST;
		panes = realloc(k->panes, cap * sizeof(*panes));
		if (panes == NULL)
			goto nomem;
		k->panes = panes;
		k->cap = cap;
	}
	p = ryde_window_keys_pane_new(k, span);
	if (p == NULL)
		goto nomem;
	memmove(&k->panes[at + 1], &k->panes[at], (k->n - at) * sizeof(*k->panes));
	k->panes[at] = p;
	k->n++;
	p->fired = fired;
	k->n_fired += fired;
	return k->last = p;
nomem:
	ryde_err_nomem(err);
	return NULL;
}

/* Keys lie anywhere in a large piece of memory: large pages save finding, and clearing,
 * most of its small ones. Where there are none it stays as it is. */
static void
use_large_pages(void *p, size_t n)
{
#ifdef MADV_HUGEPAGE
	char *from = (char *)p + (PAGE - (uintptr_t)p % PAGE) % PAGE;

	if (n >= LARGE)
		(void)madvise(from, (n - PAGE) / PAGE * PAGE, MADV_HUGEPAGE);
#else
	(void)p, (void)n;
#endif
}

static int
grow(struct ryde_window_keys *k, struct ryde_window_keys_pane *p, struct ryde_err *err)
{
	size_t cap = 2 * p->cap;
	struct ryde_window_keys_slot *table = calloc(cap, sizeof(*table));

	if (table == NULL)
		return ryde_err_nomem(err);
	use_large_pages(table, cap * sizeof(*table));
	for (size_t i = 0; i < p->cap; i++) {
		size_t at;

		if (p->table[i].group == NULL)
			continue;
		for (at = p->table[i].tag & (cap - 1); table[at].group != NULL;
		     at = (at + 1) & (cap - 1))
			;
		table[at] = p->table[i];
	}
	free(p->table);
	p->table = table;
	k->bytes += (cap - p->cap) * sizeof(*table);
	p->cap = p->slots = cap;
	return 0;
}

/* Memory that lives as long as the window. */
static void *
take(struct ryde_window_keys *k, struct ryde_window_keys_pane *p, size_t n)
{
	struct ryde_window_keys_chunk *c = p->chunks;
	void *to;

	n = (n + 7) & ~(size_t)7;
	if (c == NULL || c->cap - c->used < n) {
		size_t last = k->def->max_bytes > 0 ? CHUNK_SMALL : CHUNK_LAST;
		size_t cap = c == NULL ? CHUNK_FIRST : 2 * c->cap;

		cap = cap < last ? cap : last;
		if (cap < n)
			cap = n;
		c = malloc(sizeof(*c) + cap);
		if (c == NULL)
			return NULL;
		use_large_pages(c, sizeof(*c) + cap);
		c->next = p->chunks;
		c->used = 0;
		c->cap = cap;
		k->bytes += sizeof(*c) + cap;
		p->chunks = c;
	}
	to = c->data + c->used;
	c->used += n;
	return to;
}

int
ryde_window_keys_write(struct ryde_window_keys_group *g, struct ryde_view written,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_keys_written *w = g->written;

	if (w != NULL && !ryde_window_agg_is_before(order, &w->kept))
		return 0;
	if (w == NULL || w->n != written.n ||
	    memcmp(w->text, written.p, written.n) != 0) {
		w = malloc(sizeof(*w) + written.n);
		if (w == NULL)
			return ryde_err_nomem(err);
		memcpy(w->text, written.p, written.n);
		w->n = written.n;
		w->kept = (struct ryde_window_agg_kept){0};
		free(g->written);
		g->written = w;
	}
	ryde_window_agg_keep(&w->kept, order);
	return 0;
}

void
ryde_window_keys_make(const struct ryde_window_keys *k, struct ryde_window_keys_group *g,
    struct ryde_view key, uint32_t hash)
{
	size_t n = ryde_window_keys_size(k, 0);

	memset(g, 0, n);
	g->hash = hash;
	g->key_n = (uint32_t)key.n & INT32_MAX; /* a line is at most 10 MiB */
	if (key.n > 0)
		memcpy((char *)g + n, key.p, key.n);
}

static struct ryde_window_keys_group *
group_new(struct ryde_window_keys *k, struct ryde_window_keys_pane *p,
    struct ryde_view key, uint32_t hash)
{
	struct ryde_window_keys_group *g = take(k, p, ryde_window_keys_size(k, key.n));

	if (g != NULL)
		ryde_window_keys_make(k, g, key, hash);
	return g;
}

struct ryde_window_keys_group *
ryde_window_keys_group(struct ryde_window_keys *k, struct ryde_window_keys_pane *pane,
    struct ryde_view key, uint32_t hash, struct ryde_view written,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	size_t at;
	struct ryde_window_keys_group *g = ryde_window_keys_find(k, pane, key, hash, &at);

	if (g != NULL)
		goto found;
	if (3 * (pane->n + 1) > 2 * pane->cap) {
		if (grow(k, pane, err) != 0)
			return NULL;
		(void)ryde_window_keys_find(k, pane, key, hash, &at);
	}
	g = group_new(k, pane, key, hash);
	if (g == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	pane->table[at] = (struct ryde_window_keys_slot){hash, g};
	pane->n++;
found:
	if (written.p != key.p && ryde_window_keys_write(g, written, order, err) != 0)
		return NULL;
	return g;
}

int
ryde_window_keys_enter(
    struct ryde_window_keys_pane *pane, uint32_t shard, struct ryde_err *err)
{
	size_t word = shard / 64, words;
	uint64_t bit = UINT64_C(1) << (shard % 64), *entered;

	if (word >= pane->entered_words) {
		words = word + 1;
		entered = realloc(pane->entered, words * sizeof(*entered));
		if (entered == NULL)
			return ryde_err_nomem(err);
		memset(entered + pane->entered_words, 0,
		    (words - pane->entered_words) * sizeof(*entered));
		pane->entered = entered;
		pane->entered_words = words;
	}
	if (pane->entered[word] & bit)
		return 0;
	pane->entered[word] |= bit;
	return 1;
}

struct ryde_view
ryde_window_keys_text(
    const struct ryde_window_keys *k, const struct ryde_window_keys_group *g)
{
	if (g->written != NULL)
		return ryde_view_mem(g->written->text, g->written->n);
	return ryde_window_keys_key(k, g);
}

int
ryde_window_keys_cmp(const struct ryde_window_keys *k,
    const struct ryde_window_keys_group *a, const struct ryde_window_keys_group *b)
{
	struct ryde_view x = ryde_window_keys_key(k, a), y = ryde_window_keys_key(k, b);
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c != 0 ? c : (x.n > y.n) - (x.n < y.n);
}

int
ryde_window_keys_begin(const struct ryde_window_keys *k, struct ryde_window_keys_pane *p,
    bool changed, bool last, struct ryde_err *err)
{
	struct ryde_window_keys_slot *order = p->table;
	size_t n = 0;

	if (!last || changed) {
		order = malloc(p->n * sizeof(*order));
		if (order == NULL)
			return ryde_err_nomem(err);
	}
	for (size_t i = 0; i < p->cap; i++) {
		if (p->table[i].group != NULL && (!changed || p->table[i].group->changed))
			order[n++] = p->table[i];
	}
	if (order == p->table)
		p->cap = n;
	ryde_window_sort(k, order, n);
	if (p->order != p->table)
		free(p->order);
	p->order = order;
	p->n_order = n;
	p->printed = 0;
	p->changed = false;
	return 0;
}

struct ryde_window_keys_group *
ryde_window_keys_next(struct ryde_window_keys_pane *p)
{
	struct ryde_window_keys_group *g;

	if (p->printed < p->n_order) {
		g = p->order[p->printed++].group;
		g->changed = false;
		return g;
	}
	if (p->order != p->table)
		free(p->order);
	p->order = NULL;
	p->n_order = p->printed = 0;
	return NULL;
}

void
ryde_window_keys_drop(struct ryde_window_keys *k, size_t i)
{
	if (k->last == k->panes[i])
		k->last = NULL;
	k->n_fired -= k->panes[i]->fired;
	ryde_window_keys_pane_free(k, k->panes[i]);
	memmove(&k->panes[i], &k->panes[i + 1], (--k->n - i) * sizeof(*k->panes));
}
