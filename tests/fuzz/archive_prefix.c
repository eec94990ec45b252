/*
 * Fuzz target for prefixes of objects: the first line is the expression, the rest a
 * payload. Faults of memory, and that what a prefix becomes leads nowhere but into its
 * own folder.
 */
#include "engine/archive_prefix.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/path.h"
#include "json/scan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void
check_folders(const char *s)
{
	MUST(strlen(s) <= RYDE_ARCHIVE_PREFIX_MAX);
	MUST(s[0] != '/' && strstr(s, "//") == NULL);
	while (s != NULL) {
		MUST(strncmp(s, "./", 2) != 0 && strncmp(s, "../", 3) != 0);
		s = strchr(s, '/');
		if (s != NULL)
			s++;
	}
}

static void
try_put(const struct ryde_archive_prefix *p, const struct ryde_json_paths *paths,
    struct ryde_view payload)
{
	static const int64_t times[] = {0, -1, INT64_C(1764000000123), -62167219200001};
	struct ryde_json_value *values =
	    calloc(ryde_json_paths_count(paths) + 1, sizeof(*values));
	struct ryde_json_fault fault;
	struct ryde_buf out;

	MUST(values != NULL);
	ryde_buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t step = ryde_archive_prefix_step_ms(p);

		MUST(step >= 1 && step <= 86400000);
		if (ryde_json_find(payload, paths, values, &fault) != 0)
			break;
		ryde_buf_clear(&out);
		if (ryde_archive_prefix_put(p, times[i], values, &out) != NULL)
			MUST(out.n == 0);
		else if (memchr(out.p == NULL ? "" : out.p, '\0', out.n) == NULL)
			check_folders(ryde_buf_str(&out));
		else
			abort();
	}
	ryde_buf_free(&out);
	free(values);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = end != NULL ? (size_t)(end - data) : size;
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_archive_prefix *p;
	char *text = malloc(n + 1);

	MUST(paths != NULL && text != NULL);
	memcpy(text, data, n);
	text[n] = '\0';
	p = ryde_archive_prefix_new(text, size % 7 == 0, paths, &err);
	if (p == NULL)
		MUST(err.code == RYDE_EUSAGE && err.msg[0] != '\0');
	else
		try_put(p, paths,
		    end != NULL ? ryde_view_mem((const char *)end + 1, size - n - 1)
				: ryde_view_of("{}"));
	ryde_archive_prefix_free(p);
	ryde_json_paths_free(paths);
	free(text);
	return 0;
}
