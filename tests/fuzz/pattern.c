/*
 * Fuzz target for event patterns: the first line is a pattern, the rest what it is
 * matched against. Faults of memory, and that a pattern which was taken gives the same
 * answer twice.
 */
#include "json/pattern.h"

#include "base/err.h"
#include "json/scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
	struct ryde_view first = {text, end != NULL ? (size_t)(end - text) : size};
	struct ryde_view rest = {NULL, 0};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_json_fault fault;
	struct ryde_json_pattern *p;
	bool object, matches;

	if (end != NULL)
		rest = ryde_view_mem(end + 1, size - first.n - 1);
	p = ryde_json_pattern_new(first, &err);
	if (p == NULL) {
		MUST(err.code == RYDE_ECONFIG && err.msg[0] != '\0');
		return 0;
	}
	(void)ryde_json_pattern_names(p, "data", &object);
	if (ryde_json_check(rest, NULL, &fault) == 0) {
		matches = ryde_json_pattern_matches(p, rest);
		MUST(ryde_json_pattern_matches(p, rest) == matches);
	}
	ryde_json_pattern_free(p);
	return 0;
}
