/* The words of conditions (engine/window_expr.h), private to their parser. */
#ifndef RYDE_ENGINE_WINDOW_EXPR_WORD_H
#define RYDE_ENGINE_WINDOW_EXPR_WORD_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;

enum ryde_window_expr_word_kind {
	RYDE_WINDOW_EXPR_WORD_NONE, /* before the first one */
	RYDE_WINDOW_EXPR_WORD_END,
	RYDE_WINDOW_EXPR_WORD_NAME, /* and, or, not, …: any run of letters */
	RYDE_WINDOW_EXPR_WORD_PATH,
	RYDE_WINDOW_EXPR_WORD_CALL, /* name(…), whole */
	RYDE_WINDOW_EXPR_WORD_STRING,
	RYDE_WINDOW_EXPR_WORD_NUMBER,
	RYDE_WINDOW_EXPR_WORD_SIGN, /* = <> ( ) , … */
};

struct ryde_window_expr_word {
	enum ryde_window_expr_word_kind kind;
	size_t at;	       /* offset of its first byte */
	struct ryde_view text; /* as written */
};

/* Finds the word behind the one that w is, in the same text. -1 with RYDE_EUSAGE where
 * none can begin there; w->at is then the place. */
int ryde_window_expr_word_next(
    struct ryde_window_expr_word *w, struct ryde_view text, struct ryde_err *err);
/* True for a sign that reads so, or a name in any case; name is in lower case. */
bool ryde_window_expr_word_is(const struct ryde_window_expr_word *w, const char *name);
/* The bytes that a string stands for. */
void ryde_window_expr_word_string(
    const struct ryde_window_expr_word *w, struct ryde_buf *to);
/* The length of the path that text begins with, 0 where it begins with none. */
size_t ryde_window_expr_word_path(struct ryde_view text);

#endif
