/*
 * Fuzz target for a window's positions: faults of memory, and that what was read is
 * written so that it reads the same.
 */
#include "flow/window_at.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view text = ryde_view_mem((const char *)data, size);
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_at at, same;
	struct ryde_json_fault fault;
	struct ryde_buf one, two;

	if (ryde_window_at_parse(&at, text, &err) != 0) {
		MUST(err.code == RYDE_EDATA && err.msg[0] != '\0');
		return 0;
	}
	ryde_buf_init(&one, 1 << 26);
	ryde_buf_init(&two, 1 << 26);
	ryde_window_at_put(&at, &one);
	MUST(ryde_json_check(ryde_buf_as_view(&one), NULL, &fault) == 0);
	MUST(ryde_window_at_parse(&same, ryde_buf_as_view(&one), &err) == 0);
	MUST(same.n == at.n && same.n_shards == at.n_shards);
	ryde_window_at_put(&same, &two);
	MUST(ryde_view_eq(ryde_buf_as_view(&one), ryde_buf_as_view(&two)));
	for (size_t i = 0; i < at.n_shards; i++)
		MUST(ryde_window_at_find(&same, ryde_view_of(at.shards[i].id)) != NULL);
	ryde_window_at_free(&at);
	ryde_window_at_free(&same);
	ryde_buf_free(&one);
	ryde_buf_free(&two);
	return 0;
}
