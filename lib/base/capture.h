/* Runs a command and takes what it prints: for small questions to other programs. */
#ifndef RYDE_BASE_CAPTURE_H
#define RYDE_BASE_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

/*
 * Parts a command line into words as a POSIX shell would, without expanding anything:
 * blanks, quotes, backslashes. The words lie in text, which is changed; words[n] becomes
 * NULL. The number of words; -1 where a quote has no end or there are max words or more.
 */
int ryde_capture_words(char *text, char **words, int max);
/*
 * Runs words (found in PATH, NULL at the end) with nothing on standard input and our
 * standard error, and appends its standard output to out, whose ceiling limits it. -1
 * with err where it cannot run (its errno in err->sys), prints too much, is not done
 * after timeout_ms (it is killed then), or fails.
 */
int ryde_capture_run(
    char *const *words, int64_t timeout_ms, struct ryde_buf *out, struct ryde_err *err);

#endif
