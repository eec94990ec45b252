/* What can be told of a statement by its tokens alone, without SQLite's help. */
#ifndef RYDE_ENGINE_QUERY_SQL_H
#define RYDE_ENGINE_QUERY_SQL_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;

struct ryde_query_sql {
	bool star;    /* all columns are wanted: *, t.* */
	bool min_max; /* min(…) or max(…) */
};

/* Looks at one statement. */
void ryde_query_sql_look(struct ryde_query_sql *s, struct ryde_view sql);
/* True where the statement has the word, which is no keyword, in double quotes. */
bool ryde_query_sql_quotes(struct ryde_view sql, const char *word);

/*
 * Appends sql with EXPLAIN as EXPLAIN QUERY PLAN: which objects would be read is what
 * people want to know, not SQLite's machine code.
 */
void ryde_query_sql_explain(struct ryde_buf *to, struct ryde_view sql);

enum ryde_query_token_kind {
	RYDE_QUERY_TOKEN_END,
	RYDE_QUERY_TOKEN_WORD,	 /* keyword, name, number */
	RYDE_QUERY_TOKEN_QUOTED, /* a name in "", `` or [] */
	RYDE_QUERY_TOKEN_STRING, /* a text in '' */
	RYDE_QUERY_TOKEN_SIGN,	 /* one character of anything else */
};
struct ryde_query_token {
	enum ryde_query_token_kind kind;
	struct ryde_view text; /* with its quotes */
};
/* Takes the next token from the front of *rest; blanks and comments are skipped. */
struct ryde_query_token ryde_query_sql_next(struct ryde_view *rest);
/* True where the token is that word, letter case apart. */
bool ryde_query_sql_is(const struct ryde_query_token *t, const char *word);
/* The next token, left where it is. */
struct ryde_query_token ryde_query_sql_peek(struct ryde_view rest);
/* Takes the next token where it is that word; false, with nothing taken, otherwise. */
bool ryde_query_sql_take(struct ryde_view *rest, const char *word);

/* Clears to, and puts there what a name or a text stands for, its quotes undone. */
void ryde_query_sql_unquote(struct ryde_buf *to, struct ryde_view token);
/* True where two tokens, quoted or not, are the same name, letter case apart. */
bool ryde_query_sql_is_name(struct ryde_view a, struct ryde_view b);
/* Appends a name in "", whatever is in it. */
void ryde_query_sql_quote(struct ryde_buf *to, struct ryde_view name);
/* Takes a name from the front of *rest: a word that begins with no digit, or one in
 * quotes; as it is written. */
bool ryde_query_sql_name(struct ryde_view *rest, struct ryde_view *name);
/* Takes a text in '' or a number from the front of *rest, as it is written. */
bool ryde_query_sql_literal(
    struct ryde_view *rest, struct ryde_view *literal, bool *number);

/* The statement at the front of sql, without its semicolon; *used: its bytes with it. */
struct ryde_view ryde_query_sql_first(const char *sql, size_t *used);

#endif
