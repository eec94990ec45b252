/* Fuzz target for shapes: lines, one behind the other, of which each must be found by its
 * shape as a scan finds it, or not at all. */
#include "json/shape.h"
#include "json/path.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATHS 3
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void
try_line(struct ryde_json_shapes *set, const struct ryde_json_paths *paths,
    struct ryde_view line, size_t behind)
{
	struct ryde_json_value found[PATHS], scanned[PATHS];
	struct ryde_json_fault fault;
	bool hit = ryde_json_shapes_find(set, line, behind, found, PATHS);
	bool good = ryde_json_find(line, paths, scanned, &fault) == 0;

	MUST(!hit || good);
	for (size_t i = 0; hit && i < PATHS; i++)
		MUST(found[i].kind == scanned[i].kind &&
		     found[i].text.p == scanned[i].text.p &&
		     found[i].text.n == scanned[i].text.n);
	if (good && !hit)
		ryde_json_shapes_learn(set, line, scanned, PATHS);
}

/* The same by lines, of which the last may have no end. */
static void
try_lines(struct ryde_json_shapes *set, const struct ryde_json_paths *paths,
    struct ryde_view lines)
{
	struct ryde_json_value found[4 * PATHS], scanned[PATHS];
	size_t ends[4], from = 0, n;
	const struct ryde_json_shape_found to = {found, ends, PATHS};
	struct ryde_json_fault fault;
	char *room = calloc(1, lines.n + RYDE_JSON_SHAPE_BEHIND), *nl;
	struct ryde_view line;
	bool good;

	MUST(room != NULL);
	memcpy(room, lines.p, lines.n);
	memset(found, 0x55, sizeof(found));
	n = ryde_json_shapes_find_lines(set, ryde_view_mem(room, lines.n), &to, 4);
	for (size_t i = 0; i <= n; i++, from += line.n + 1) {
		nl = from < lines.n ? memchr(room + from, '\n', lines.n - from) : NULL;
		line = ryde_view_mem(room + from,
		    nl != NULL ? (size_t)(nl - room) - from : lines.n - from);
		good =
		    from < lines.n && ryde_json_find(line, paths, scanned, &fault) == 0;
		if (i == n)
			break;
		MUST(good && nl != NULL && ends[i] == from + line.n);
		for (size_t k = 0; k < PATHS; k++) {
			const struct ryde_json_value *v = &found[i * PATHS + k];

			MUST(v->kind == scanned[k].kind &&
			     v->text.p == scanned[k].text.p &&
			     v->text.n == scanned[k].text.n);
		}
	}
	if (good && n < 4)
		ryde_json_shapes_learn(set, line, scanned, PATHS);
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	static struct ryde_json_shapes set, lines;
	const char *p = (const char *)data, *end = p + size, *nl;
	size_t index;

	MUST(paths != NULL && ryde_json_paths_add(paths, ".a", &index, NULL) == 0 &&
	     ryde_json_paths_add(paths, ".b[0]", &index, NULL) == 0 &&
	     ryde_json_paths_add(paths, ".c.d", &index, NULL) == 0);
	ryde_json_shapes_init(&set);
	ryde_json_shapes_init(&lines);
	for (; size > 0 && p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl != NULL ? nl : end;
		set.wide = lines.wide = set.wide && size % 2 == 0;
		try_lines(&lines, paths, ryde_view_mem(p, (size_t)(end - p)));
		try_line(
		    &set, paths, ryde_view_mem(p, (size_t)(nl - p)), (size_t)(end - nl));
		if (nl == end)
			break;
	}
	ryde_json_paths_free(paths);
	return 0;
}
