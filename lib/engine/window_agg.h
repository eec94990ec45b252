/*
 * The functions of columns: what one record does to the states of its group. A state is a
 * few words; what does not fit in them is on the heap.
 */
#ifndef RYDE_ENGINE_WINDOW_AGG_H
#define RYDE_ENGINE_WINDOW_AGG_H

#include "base/view.h"
#include "engine/window_def.h"
#include "engine/window_number.h"
#include "json/decimal.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_window_group;

/* What one path gives in one record. */
struct ryde_window_agg_input {
	enum ryde_json_kind kind;
	bool escaped;			  /* a string with a backslash in it */
	struct ryde_view text;		  /* as written, strings with their quotes */
	struct ryde_window_number number; /* of numbers that a function wants */
	struct ryde_decimal exact;	  /* the same, set where number is not small */
};

/*
 * Where a record stands: by its time, then by its shard's name, then by its place in the
 * shard. The ordinal counts records as they were taken, which is their order within a
 * shard.
 */
struct ryde_window_agg_order {
	int64_t at_ms;
	uint64_t ordinal; /* below 2^40 */
	uint32_t shard;	  /* index, below 2^16 */
	const struct ryde_window_group *group;
	size_t *heap_bytes; /* grows by what states put on the heap; NULL: not wanted */
};
#define RYDE_WINDOW_AGG_ORDINAL_BITS 40
#define RYDE_WINDOW_AGG_SHARD_BITS 16

/* The same, kept in a state. `scale` and `form` are free for the function. */
struct ryde_window_agg_kept {
	int64_t at_ms;
	uint64_t ordinal : RYDE_WINDOW_AGG_ORDINAL_BITS,
			   shard : RYDE_WINDOW_AGG_SHARD_BITS,
				   scale : 5,
				   form : 3;
};

static inline void
ryde_window_agg_keep(
    struct ryde_window_agg_kept *kept, const struct ryde_window_agg_order *order)
{
	kept->at_ms = order->at_ms;
	kept->ordinal =
	    order->ordinal & ((UINT64_C(1) << RYDE_WINDOW_AGG_ORDINAL_BITS) - 1);
	kept->shard = order->shard & ((1u << RYDE_WINDOW_AGG_SHARD_BITS) - 1);
}
/* The place of what a state keeps, as that of a record. */
struct ryde_window_agg_order ryde_window_agg_order_of(
    const struct ryde_window_agg_kept *kept, const struct ryde_window_group *group);
/* True when the record stands before (after: behind) the kept one. */
bool ryde_window_agg_is_before(
    const struct ryde_window_agg_order *order, const struct ryde_window_agg_kept *kept);

/* True for functions that ryde_window_agg_take_block knows. */
bool ryde_window_agg_is_columnar(enum ryde_window_def_function f);
/* True where the function reads numbers, and anything else is wrong. */
bool ryde_window_agg_is_numeric(enum ryde_window_def_function f);
/* True where it reads what can be compared, and arrays and objects are wrong. */
bool ryde_window_agg_is_scalar(enum ryde_window_def_function f);
/* Bytes of its state, a multiple of 8. */
size_t ryde_window_agg_bytes(enum ryde_window_def_function f);

/*
 * A group's states lie one behind the other in def->state_bytes bytes, aligned to 8 and
 * all zeros at first. Columns that compute the same share one.
 */

/* Takes one record in; null and absent values are passed over. inputs by path, passes by
 * condition: whether it is true. -1 only without memory. */
int ryde_window_agg_take(const struct ryde_window_def *def, void *states,
    const struct ryde_window_agg_input *inputs, const bool *passes,
    const struct ryde_window_agg_order *order, struct ryde_err *err);
/*
 * The same for up to so many records at once, in their order, where all functions are
 * columnar, none has a condition, and each path of a state has a value in each record: a
 * small number for those that want numbers.
 */
#define RYDE_WINDOW_AGG_BLOCK 64
struct ryde_window_agg_block {
	size_t n;
	void **states;				  /* of each record's group */
	const struct ryde_json_value *values;	  /* by record, then by path */
	const struct ryde_window_number *numbers; /* by path, then by record: BLOCK each
						   */
	const int64_t *at_ms;
	uint64_t ordinal; /* of the first record */
	uint32_t shard;
	const struct ryde_window_group *group;
};
int ryde_window_agg_take_block(const struct ryde_window_def *def,
    const struct ryde_window_agg_block *b, struct ryde_err *err);
/*
 * Takes in all that another group's states hold, which stay as they are: afterwards
 * `states` is what it would be had it taken every record of both. Both of shards of
 * group. -1 only without memory.
 */
int ryde_window_agg_merge(const struct ryde_window_def *def, void *states,
    const void *from, const struct ryde_window_group *group, struct ryde_err *err);
/*
 * Appends the value of a column as JSON; start and end are not for here. Behind a list
 * that was cut follows `,"NAMEOmitted":N`, N values that were left out. -1 without
 * memory.
 */
int ryde_window_agg_put(const struct ryde_window_def *def, const void *states,
    size_t column, struct ryde_buf *to, struct ryde_err *err);
/* What the states hold on the heap. */
size_t ryde_window_agg_heap_bytes(const struct ryde_window_def *def, const void *states);
/* Frees what the states hold on the heap. */
void ryde_window_agg_free(const struct ryde_window_def *def, void *states);

#endif
