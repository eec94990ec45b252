/* The condition on rows (--having): what it reads of a printed row, and the functions in
 * it that no row shows. */
#ifndef RYDE_ENGINE_WINDOW_HAVING_H
#define RYDE_ENGINE_WINDOW_HAVING_H

#include "base/buf.h"
#include "base/view.h"
#include "engine/window_def.h"
#include "json/scan.h"

#include <stdbool.h>

struct ryde_err;

struct ryde_window_having {
	const struct ryde_window_def *def;
	struct ryde_json_value *values; /* by path of the row */
	struct ryde_json_value *calls;	/* by hidden column */
	size_t *ends;			/* of their texts */
	struct ryde_buf texts;
};

/* Borrows def. Without a condition nothing is needed, and nothing but free is called. */
int ryde_window_having_start(struct ryde_window_having *h,
    const struct ryde_window_def *def, struct ryde_err *err);
void ryde_window_having_free(struct ryde_window_having *h);
/* *passes becomes whether the condition is true for a row, whose group has these states.
 * -1 with RYDE_EDATA where it compares what cannot be compared, or without memory. */
int ryde_window_having_test(struct ryde_window_having *h, const void *states,
    struct ryde_view row, bool *passes, struct ryde_err *err);

#endif
