/*
 * The windows that take records, and in each of them the groups: one for each key, with
 * the states of all columns. A window and all it holds is freed as a whole, once it has
 * been printed and nothing can correct it any more.
 */
#ifndef RYDE_ENGINE_WINDOW_KEYS_H
#define RYDE_ENGINE_WINDOW_KEYS_H

#include "base/view.h"
#include "engine/window_agg.h"
#include "engine/window_def.h"
#include "engine/window_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;

/* The key as its first record wrote it, where keys that read differently are equal (1
 * and 1.0). */
struct ryde_window_keys_written {
	struct ryde_window_agg_kept kept;
	size_t n;
	char text[];
};

/* A group. The state of the columns follows, then the key. */
struct ryde_window_keys_group {
	uint32_t hash;
	uint32_t key_n : 31;  /* a line is at most 10 MiB */
	uint32_t changed : 1; /* since it was printed */
	struct ryde_window_keys_written
	    *written; /* NULL: the key reads in one way only */
};

/*
 * A group in a table or in order: the tag tells most of them apart without a look at the
 * group, which lies somewhere in memory. In a table it is the hash, in order what
 * engine/window_sort.h makes of the key.
 */
struct ryde_window_keys_slot {
	uint64_t tag;
	struct ryde_window_keys_group *group; /* NULL: free */
};

struct ryde_window_keys_chunk;

struct ryde_window_keys_pane {
	int64_t start_ms, end_ms;
	uint64_t records; /* lines that went into it, and into none that ends later */
	struct ryde_window_keys_slot *table; /* hash table */
	size_t n, cap, slots; /* groups, slots (a power of two), slots of memory */
	struct ryde_window_keys_slot *order; /* those to be printed, by their key; may
						  be table itself */
	size_t n_order, printed;
	bool fired;	   /* has been printed as a whole */
	bool changed;	   /* some group has */
	uint64_t revision; /* how often it was corrected */
	uint64_t *entered; /* a bit for each shard that has a record in it */
	size_t entered_words;
	struct ryde_window_keys_chunk *chunks;
	/* Of a slice: the first and the last window that it is for, by their ends. */
	int64_t first_end_ms, last_end_ms;
};

struct ryde_window_keys {
	const struct ryde_window_def *def;
	struct ryde_window_keys_pane **panes; /* by their end, which no two share */
	size_t n, cap, n_fired;		      /* the first n_fired have been printed */
	struct ryde_window_keys_pane *last;   /* the one that was used last */
	size_t last_at;			      /* where it stood then */
	size_t bytes;			      /* that all of it takes */
	bool sliced;	/* panes are slices of windows: engine/window_slices.h */
	int64_t out_ms; /* of slices: windows that end by then are out */
	uint64_t seed;	/* of the hash: keys come from strangers */
};

/* Borrows def. -1 where the kernel gives no randomness. */
int ryde_window_keys_start(
    struct ryde_window_keys *k, const struct ryde_window_def *def, struct ryde_err *err);
void ryde_window_keys_free(struct ryde_window_keys *k);

/* The window of that span, made where there is none; fired: as one that was printed
 * before. NULL without memory. */
struct ryde_window_keys_pane *ryde_window_keys_open(struct ryde_window_keys *k,
    const struct ryde_window_extent_span *span, bool fired, struct ryde_err *err);
/*
 * The group of a key in a window, made where there is none. key: the form in which
 * equal keys are equal bytes; hash: ryde_window_keys_hash of it; written: as the record
 * has it, of which that of the first record in `order` is kept. NULL without memory.
 */
struct ryde_window_keys_group *ryde_window_keys_group(struct ryde_window_keys *k,
    struct ryde_window_keys_pane *pane, struct ryde_view key, uint32_t hash,
    struct ryde_view written, const struct ryde_window_agg_order *order,
    struct ryde_err *err);
/* Notes that a shard has a record in the window: 1 the first time, then 0; -1 without
 * memory. */
int ryde_window_keys_enter(
    struct ryde_window_keys_pane *pane, uint32_t shard, struct ryde_err *err);

/* The states of its columns, for engine/window_agg.h. */
static inline void *
ryde_window_keys_states(struct ryde_window_keys_group *g)
{
	return g + 1;
}
/* The key in the form in which it is compared, and as it is printed: JSON values joined
 * by commas. */
static inline struct ryde_view
ryde_window_keys_key(
    const struct ryde_window_keys *k, const struct ryde_window_keys_group *g)
{
	return ryde_view_mem((const char *)(g + 1) + k->def->state_bytes, g->key_n);
}
struct ryde_view ryde_window_keys_text(
    const struct ryde_window_keys *k, const struct ryde_window_keys_group *g);

/* Makes it a new group, whose states and key follow it in memory. */
void ryde_window_keys_make(const struct ryde_window_keys *k,
    struct ryde_window_keys_group *g, struct ryde_view key, uint32_t hash);
/* Frees what it holds, not the group itself. */
void ryde_window_keys_clear(
    const struct ryde_window_keys *k, struct ryde_window_keys_group *g);
/* Bytes of a group with a key of n bytes. */
static inline size_t
ryde_window_keys_size(const struct ryde_window_keys *k, size_t n)
{
	return sizeof(struct ryde_window_keys_group) + k->def->state_bytes + n;
}
static inline uint32_t
ryde_window_keys_hash(const struct ryde_window_keys *k, struct ryde_view key)
{
	return ryde_window_hash(key, k->seed);
}
/* The group of a key, or NULL; *at becomes its slot, or the free one where it would
 * stand. */
static inline struct ryde_window_keys_group *
ryde_window_keys_find(const struct ryde_window_keys *k,
    const struct ryde_window_keys_pane *pane, struct ryde_view key, uint32_t hash,
    size_t *at)
{
	struct ryde_window_keys_group *g;
	size_t i = hash & (pane->cap - 1);

	for (; (g = pane->table[i].group) != NULL; i = (i + 1) & (pane->cap - 1)) {
		if (pane->table[i].tag == hash &&
		    ryde_window_hash_same(ryde_window_keys_key(k, g), key))
			break;
	}
	*at = i;
	return g;
}
/* Keeps how the earliest record wrote the key; -1 without memory. */
int ryde_window_keys_write(struct ryde_window_keys_group *g, struct ryde_view written,
    const struct ryde_window_agg_order *order, struct ryde_err *err);
/* The order of two groups by their keys, as bytes. */
int ryde_window_keys_cmp(const struct ryde_window_keys *k,
    const struct ryde_window_keys_group *a, const struct ryde_window_keys_group *b);

/*
 * Begins to give out the groups of a window in the order of keys: all, or those that have
 * changed since they were given out. Where nothing is added to it afterwards (last), its
 * table is put in order itself. -1 without memory.
 */
int ryde_window_keys_begin(const struct ryde_window_keys *k,
    struct ryde_window_keys_pane *pane, bool changed, bool last, struct ryde_err *err);
/* The next one, NULL behind the last. */
struct ryde_window_keys_group *ryde_window_keys_next(struct ryde_window_keys_pane *pane);
/* A window that is none of k's, though its groups are made as theirs. NULL without
 * memory. */
struct ryde_window_keys_pane *ryde_window_keys_pane_new(
    struct ryde_window_keys *k, const struct ryde_window_extent_span *span);
void ryde_window_keys_pane_free(
    struct ryde_window_keys *k, struct ryde_window_keys_pane *pane);
/* Frees the i-th window. */
void ryde_window_keys_drop(struct ryde_window_keys *k, size_t i);

#endif
