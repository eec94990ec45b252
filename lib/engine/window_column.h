/*
 * The function of a column, as text:
 *
 *	start  end  count()  count(where C)  sum(.Distance)  p99.9(.ms where .ok)
 *
 * where C is a condition of engine/window_expr.h.
 */
#ifndef RYDE_ENGINE_WINDOW_COLUMN_H
#define RYDE_ENGINE_WINDOW_COLUMN_H

#include "base/view.h"
#include "engine/window_def.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_WINDOW_COLUMN_FUNCTIONS                              \
	"start end count() count(P) sum(P) min(P) max(P) avg(P) " \
	"stddev(P) first(P) last(P) distinct(P) list(P) p50(P) p99.9(P)"

struct ryde_window_column {
	enum ryde_window_def_function function;
	struct ryde_view path;	/* into the text; n == 0: none */
	struct ryde_view where; /* the same */
	uint32_t part, of;	/* of percentiles: the one at part / of */
};

/* -1 with RYDE_EUSAGE and a message where it is none; path and condition are not looked
 * into. */
int ryde_window_column_parse(
    struct ryde_window_column *c, struct ryde_view text, struct ryde_err *err);
/* The name of a function, "percentile" for all of those. */
const char *ryde_window_column_name(enum ryde_window_def_function f);

#endif
