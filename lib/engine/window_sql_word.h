/* The words of SQL, private to its parser. */
#ifndef RYDE_ENGINE_WINDOW_SQL_WORD_H
#define RYDE_ENGINE_WINDOW_SQL_WORD_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;

enum ryde_window_sql_word_kind {
	RYDE_WINDOW_SQL_WORD_END,
	RYDE_WINDOW_SQL_WORD_NAME,   /* a keyword or an identifier */
	RYDE_WINDOW_SQL_WORD_QUOTED, /* an identifier in backticks */
	RYDE_WINDOW_SQL_WORD_STRING,
	RYDE_WINDOW_SQL_WORD_NUMBER,
	RYDE_WINDOW_SQL_WORD_SIGN,
	RYDE_WINDOW_SQL_WORD_WRONG, /* unfinished, or no character of SQL */
};

struct ryde_window_sql_word {
	enum ryde_window_sql_word_kind kind;
	size_t at; /* offset of its first byte */
	struct ryde_view text;
};

/*
 * The first word at or behind an offset. Passed over: blanks, comments, and lines that
 * begin with a percent sign (of notebooks).
 */
struct ryde_window_sql_word ryde_window_sql_word_at(struct ryde_view text, size_t at);
/* True for a keyword in any case, or a sign; name is in upper case. */
bool ryde_window_sql_word_is(const struct ryde_window_sql_word *w, const char *name);
/* Appends what a string or an identifier stands for, without its quotes. */
void ryde_window_sql_word_put(const struct ryde_window_sql_word *w, struct ryde_buf *to);

#endif
