/*
 * Fuzz target for command lines (words parted by newlines): faults of memory, and that
 * no word is lost: a line that is taken gives its operands in their order.
 */
#include "base/opt.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define WORDS 64

static bool flag;
static int count;
static const char *text;
static struct ryde_strings texts;
static int64_t number, duration_ms, size_bytes;

static const struct ryde_opt table[] = {
    {"flag", 'a', RYDE_OPT_FLAG, &flag, NULL, "", 0, 0},
    {"verbose", 'v', RYDE_OPT_COUNT, &count, NULL, "", 0, 0},
    {"text", 't', RYDE_OPT_STRING, &text, "TEXT", "", 0, 0},
    {"by", 'b', RYDE_OPT_STRINGS, &texts, "PATH", "", 0, 0},
    {"number", 'n', RYDE_OPT_INT, &number, "N", "", -5, 500},
    {"every", 0, RYDE_OPT_DURATION, &duration_ms, "DURATION", "", 1000, 60000},
    {"size", 's', RYDE_OPT_SIZE, &size_bytes, "SIZE", "", 0, 1 << 20},
};

/* Copies the input and splits the copy at newlines into argv[1..]. */
static char *
split(const uint8_t *data, size_t size, char **argv, int *argc)
{
	char *copy = malloc(size + 1), *nl;

	MUST(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	*argc = 1;
	for (char *p = copy; p != NULL && *argc < WORDS; p = nl) {
		nl = strchr(p, '\n');
		if (nl != NULL)
			*nl++ = '\0';
		argv[(*argc)++] = p;
	}
	return copy;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_opts o = {
	    .tables = {table}, .counts = {sizeof(table) / sizeof(table[0])}, .n = 1};
	char name[] = "x", *argv[WORDS + 1] = {name};
	struct ryde_err err = RYDE_ERR_INIT;
	int argc, n = 0, dashes = -7;
	char *copy;

	o.stop_at_operand = size > 0 && (data[0] & 1) != 0;
	copy = split(data, size, argv, &argc);
	duration_ms = 1000;
	number = size_bytes = 0;
	if (ryde_opts_parse(&o, argc, argv, &n, &dashes, &err) == 0) {
		MUST(n >= 0 && n < argc && dashes >= -1 && dashes <= n);
		/* all words lie in one copy: their order is that of their addresses */
		for (int i = 2; i <= n; i++)
			MUST(argv[i] > argv[i - 1]);
	} else {
		MUST(err.code == RYDE_EUSAGE && err.msg[0] != '\0');
	}
	MUST(number >= -5 && number <= 500 && size_bytes <= 1 << 20);
	MUST(duration_ms >= 1000 && duration_ms <= 60000);
	ryde_strings_free(&texts);
	free(copy);
	return 0;
}
