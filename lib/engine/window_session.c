#include "engine/window_session.h"

#include "base/err.h"
#include "engine/window_agg.h"
#include "engine/window_group.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64
#define HEAP_FIRST 64

void
ryde_window_session_start(struct ryde_window_session_set *set,
    const struct ryde_window_keys *keys, const struct ryde_window_group *group)
{
	memset(set, 0, sizeof(*set));
	set->keys = keys;
	set->group = group;
	set->gap_ms = keys->def->extent.size_ms;
}

static size_t
size_of(const struct ryde_window_session_set *set, const struct ryde_window_session *s)
{
	return offsetof(struct ryde_window_session, group) +
	       ryde_window_keys_size(set->keys, s->group.key_n);
}

/* What its states hold on the heap, which is counted only where it is bounded. */
static size_t
heap_of(const struct ryde_window_session_set *set, struct ryde_window_session *s)
{
	if (set->keys->def->max_bytes == 0)
		return 0;
	return ryde_window_agg_heap_bytes(
	    set->keys->def, ryde_window_keys_states(&s->group));
}

void
ryde_window_session_drop(
    struct ryde_window_session_set *set, struct ryde_window_session *s)
{
	set->bytes -= size_of(set, s) + heap_of(set, s);
	ryde_window_keys_clear(set->keys, &s->group);
	free(s);
}

void
ryde_window_session_free(struct ryde_window_session_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		ryde_window_session_drop(set, set->heap[i].session);
	free(set->heap);
	free(set->slots);
	ryde_window_birth_free(&set->birth);
	set->heap = NULL;
	set->slots = NULL;
	set->n = 0;
}

/* ---- by end ---- */

static bool
is_before(const struct ryde_window_session_set *set,
    const struct ryde_window_session_due *a, const struct ryde_window_session_due *b)
{
	if (a->end_ms != b->end_ms)
		return a->end_ms < b->end_ms;
	return ryde_window_keys_cmp(set->keys, &a->session->group, &b->session->group) <
	       0;
}

static void
put(struct ryde_window_session_set *set, size_t i, struct ryde_window_session_due due)
{
	set->heap[i] = due;
	due.session->place = i;
}

static void
rise(struct ryde_window_session_set *set, size_t i)
{
	struct ryde_window_session_due due = set->heap[i];

	while (i > 0 && is_before(set, &due, &set->heap[(i - 1) / 2])) {
		put(set, i, set->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(set, i, due);
}

static void
sink(struct ryde_window_session_set *set, size_t i)
{
	struct ryde_window_session_due due = set->heap[i];
	size_t child;

	for (; (child = 2 * i + 1) < set->n; i = child) {
		if (child + 1 < set->n &&
		    is_before(set, &set->heap[child + 1], &set->heap[child]))
			child++;
		if (!is_before(set, &set->heap[child], &due))
			break;
		put(set, i, set->heap[child]);
	}
	put(set, i, due);
}

static void
take_out(struct ryde_window_session_set *set, size_t i)
{
	struct ryde_window_session *moved = set->heap[--set->n].session;

	if (i == set->n)
		return;
	put(set, i, set->heap[set->n]);
	rise(set, i);
	sink(set, moved->place);
}

struct ryde_window_session *
ryde_window_session_first(struct ryde_window_session_set *set)
{
	struct ryde_window_session_due *top = set->heap;
	int64_t end_ms;

	while (set->n > 0) {
		end_ms = ryde_window_session_end(set, top->session);
		if (top->end_ms == end_ms)
			return top->session;
		top->end_ms = end_ms; /* it has grown meanwhile */
		sink(set, 0);
	}
	return NULL;
}

/* ---- by key ---- */

static struct ryde_window_session **
slot_of(const struct ryde_window_session_set *set, uint32_t hash)
{
	return &set->slots[hash & (set->n_slots - 1)];
}

static void
unlink_key(struct ryde_window_session_set *set, const struct ryde_window_session *s)
{
	struct ryde_window_session **at = slot_of(set, s->group.hash);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

void
ryde_window_session_pop(struct ryde_window_session_set *set)
{
	struct ryde_window_session *s = set->heap[0].session;

	unlink_key(set, s);
	ryde_window_birth_close(&set->birth, s->birth);
	take_out(set, 0);
}

/* Room for one more. */
static int
grow(struct ryde_window_session_set *set, struct ryde_err *err)
{
	struct ryde_window_session_due *heap;
	struct ryde_window_session **slots;
	size_t n = set->n_slots != 0 ? 2 * set->n_slots : SLOTS_FIRST;

	if (set->n == set->cap) {
		size_t cap = set->cap != 0 ? 2 * set->cap : HEAP_FIRST;

		heap = realloc(set->heap, cap * sizeof(*heap));
		if (heap == NULL)
			return ryde_err_nomem(err);
		set->heap = heap;
		set->bytes += (cap - set->cap) * sizeof(*heap);
		set->cap = cap;
	}
	if (set->n < set->n_slots)
		return 0;
	slots = calloc(n, sizeof(struct ryde_window_session *));
	if (slots == NULL)
		return ryde_err_nomem(err);
	free(set->slots);
	set->slots = slots;
	set->bytes += (n - set->n_slots) * sizeof(*slots);
	set->n_slots = n;
	for (size_t i = 0; i < set->n; i++) {
		struct ryde_window_session *s = set->heap[i].session;
		struct ryde_window_session **at = slot_of(set, s->group.hash);

		s->next = *at;
		*at = s;
	}
	return 0;
}

static struct ryde_window_session *
add(struct ryde_window_session_set *set, struct ryde_view key, uint32_t hash,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_session *s, **at;

	if (grow(set, err) != 0)
		return NULL;
	s = malloc(offsetof(struct ryde_window_session, group) +
		   ryde_window_keys_size(set->keys, key.n));
	if (s == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	ryde_window_keys_make(set->keys, &s->group, key, hash);
	set->bytes += size_of(set, s);
	s->first_ms = s->last_ms = order->at_ms;
	s->birth = order->ordinal;
	s->records = 0;
	ryde_window_birth_open(&set->birth, s->birth);
	at = slot_of(set, hash);
	s->next = *at;
	*at = s;
	set->heap[set->n] =
	    (struct ryde_window_session_due){ryde_window_session_end(set, s), s};
	rise(set, set->n++);
	return s;
}

/* Puts all of `from` into s, and frees it. */
static int
join(struct ryde_window_session_set *set, struct ryde_window_session *s,
    struct ryde_window_session *from, struct ryde_err *err)
{
	struct ryde_window_keys_written *written = s->group.written,
					*other = from->group.written;
	size_t before = heap_of(set, s);

	if (ryde_window_agg_merge(set->keys->def, ryde_window_keys_states(&s->group),
		ryde_window_keys_states(&from->group), set->group, err) != 0)
		return -1;
	set->bytes += heap_of(set, s) - before;
	if (written != NULL && other != NULL) {
		struct ryde_window_agg_order order = {other->kept.at_ms,
		    other->kept.ordinal, (uint32_t)other->kept.shard, set->group, NULL};

		if (ryde_window_agg_is_before(&order, &written->kept)) {
			s->group.written = other;
			from->group.written = written;
		}
	}
	if (from->first_ms < s->first_ms)
		s->first_ms = from->first_ms;
	if (from->last_ms > s->last_ms)
		s->last_ms = from->last_ms;
	s->records += from->records;
	s->group.changed = 1;
	unlink_key(set, from);
	take_out(set, from->place);
	/* The older of the two births is the one that counts. */
	if (from->birth < s->birth) {
		ryde_window_birth_close(&set->birth, s->birth);
		s->birth = from->birth;
	} else {
		ryde_window_birth_close(&set->birth, from->birth);
	}
	ryde_window_session_drop(set, from);
	return 0;
}

struct ryde_window_session *
ryde_window_session_take(struct ryde_window_session_set *set, struct ryde_view key,
    struct ryde_view written, const struct ryde_window_agg_order *order,
    struct ryde_err *err)
{
	uint32_t hash = ryde_window_keys_hash(set->keys, key);
	struct ryde_window_session *s, *mine = NULL, *other = NULL;
	int64_t at_ms = order->at_ms;

	for (s = set->n_slots > 0 ? *slot_of(set, hash) : NULL; s != NULL; s = s->next) {
		if (s->group.hash != hash ||
		    !ryde_view_eq(ryde_window_keys_key(set->keys, &s->group), key) ||
		    at_ms - s->last_ms >= set->gap_ms ||
		    s->first_ms - at_ms >= set->gap_ms)
			continue;
		/* Sessions are a gap apart: no more than two can touch it. */
		if (mine == NULL)
			mine = s;
		else
			other = s;
	}
	if (mine == NULL)
		mine = add(set, key, hash, order, err);
	if (mine == NULL || (other != NULL && join(set, mine, other, err) != 0))
		return NULL;
	if (at_ms < mine->first_ms)
		mine->first_ms = at_ms;
	if (at_ms > mine->last_ms)
		mine->last_ms = at_ms;
	if (written.p != key.p &&
	    ryde_window_keys_write(&mine->group, written, order, err) != 0)
		return NULL;
	mine->records++;
	mine->group.changed = 1;
	return mine;
}

/* ---- all ---- */

/* What comparing needs; qsort hands nothing through. */
static const struct ryde_window_keys *sort_keys;

static int
compare(const void *a, const void *b)
{
	const struct ryde_window_session *x = *(struct ryde_window_session *const *)a;
	const struct ryde_window_session *y = *(struct ryde_window_session *const *)b;

	if (x->last_ms != y->last_ms)
		return x->last_ms < y->last_ms ? -1 : 1;
	return ryde_window_keys_cmp(sort_keys, &x->group, &y->group);
}

struct ryde_window_session **
ryde_window_session_changed(const struct ryde_window_session_set *set, size_t *n)
{
	struct ryde_window_session **all;

	*n = 0;
	if (set->n == 0)
		return NULL;
	all = malloc(set->n * sizeof(struct ryde_window_session *));
	if (all == NULL) {
		*n = 1;
		return NULL;
	}
	for (size_t i = 0; i < set->n; i++) {
		if (set->heap[i].session->group.changed)
			all[(*n)++] = set->heap[i].session;
	}
	sort_keys = set->keys;
	qsort(all, *n, sizeof(struct ryde_window_session *), compare);
	return all;
}
