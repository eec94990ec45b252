/*
 * The whole of our C test frame: CHECK counts and goes on; main returns check_end(). The
 * runner reads the line "NAME: N passed, N failed".
 */
#ifndef RYDE_TESTS_CHECK_H
#define RYDE_TESTS_CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

/* CHECK(condition) or CHECK(condition, format, …). C17 wants an argument behind the last
 * comma of each, so an empty string stands behind them all, which no format uses. */
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#define CHECK(...) CHECK_THAT(__VA_ARGS__, "")
#define CHECK_THAT(cond, ...)                                                     \
	do {                                                                      \
		if (cond) {                                                       \
			check_passed++;                                           \
		} else {                                                          \
			check_failed++;                                           \
			printf("%s:%d: not true: %s", __FILE__, __LINE__, #cond); \
			printf("  " __VA_ARGS__);                                 \
			printf("\n");                                             \
		}                                                                 \
	} while (0)

static inline int
check_end(const char *name)
{
	printf("%s: %d passed, %d failed\n", name, check_passed, check_failed);
	return check_failed != 0;
}

#endif
