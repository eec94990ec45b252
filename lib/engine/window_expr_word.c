#include "engine/window_expr_word.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/literal.h"
#include "json/scan.h"
#include "json/string.h"

#include <string.h>

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The length of the string that text begins with, quotes included; 0: unfinished. In
 * single quotes a quote is doubled, in double ones it is escaped. */
static size_t
string_length(struct ryde_view text)
{
	char quote = text.p[0];

	for (size_t i = 1; i < text.n; i++) {
		if (quote == '"' && text.p[i] == '\\') {
			i++;
		} else if (text.p[i] == quote) {
			if (quote == '"' || i + 1 == text.n || text.p[i + 1] != quote)
				return i + 1;
			i++;
		}
	}
	return 0;
}

static size_t
name_length(struct ryde_view text)
{
	size_t n = 0;

	while (n < text.n && (is_letter(text.p[n]) || (n > 0 && is_digit(text.p[n]))))
		n++;
	/* p99.9 */
	if (n > 1 && text.p[0] == 'p' && is_digit(text.p[1]) && n + 1 < text.n &&
	    text.p[n] == '.' && is_digit(text.p[n + 1])) {
		for (n++; n < text.n && is_digit(text.p[n]); n++)
			;
	}
	return n;
}

/* name(…) with the brackets inside it closed; 0 where the last one is missing. */
static size_t
call_length(struct ryde_view text, size_t name)
{
	size_t depth = 0, length;

	for (size_t i = name; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\'') {
			length = string_length(ryde_view_mem(text.p + i, text.n - i));
			if (length == 0)
				return 0;
			i += length - 1;
		} else if (text.p[i] == '(') {
			depth++;
		} else if (text.p[i] == ')' && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

size_t
ryde_window_expr_word_path(struct ryde_view text)
{
	size_t n = 0, length;

	if (text.n == 0 || text.p[0] != '.')
		return 0;
	while (n < text.n) {
		char c = text.p[n];

		if (c == '"') {
			length = string_length(ryde_view_mem(text.p + n, text.n - n));
			if (length == 0)
				return text.n;
			n += length;
		} else if (is_letter(c) || is_digit(c) || c == '.' || c == '[' ||
			   c == ']') {
			n++;
		} else {
			break;
		}
	}
	return n;
}

static size_t
number_length(struct ryde_view text)
{
	size_t n = 1;

	while (n < text.n &&
	       (is_digit(text.p[n]) || text.p[n] == '.' || (text.p[n] | 0x20) == 'e' ||
		   ((text.p[n] == '+' || text.p[n] == '-') &&
		       (text.p[n - 1] | 0x20) == 'e')))
		n++;
	return n;
}

static size_t
sign_length(struct ryde_view text)
{
	static const char *const signs[] = {
	    "<>", "<=", ">=", "!=", "==", "<", ">", "=", "(", ")", ","};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (ryde_view_starts(text, signs[i]))
			return strlen(signs[i]);
	}
	return 0;
}

static bool
is_keyword(struct ryde_view name)
{
	static const char *const keywords[] = {"and", "or", "not", "in", "between"};
	struct ryde_window_expr_word w = {RYDE_WINDOW_EXPR_WORD_NAME, 0, name};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (ryde_window_expr_word_is(&w, keywords[i]))
			return true;
	}
	return false;
}

static int
fail(struct ryde_err *err, const char *what)
{
	return ryde_err_set(err, RYDE_EUSAGE, "%s", what);
}

static int
set(struct ryde_window_expr_word *w, enum ryde_window_expr_word_kind kind,
    struct ryde_view rest, size_t n)
{
	w->kind = kind;
	w->text = ryde_view_mem(rest.p, n);
	return 0;
}

/* A keyword, or a name with what stands in brackets behind it. */
static int
next_name(struct ryde_window_expr_word *w, struct ryde_view rest, struct ryde_err *err)
{
	size_t n = name_length(rest);

	if (n == rest.n || rest.p[n] != '(' || is_keyword(ryde_view_mem(rest.p, n)))
		return set(w, RYDE_WINDOW_EXPR_WORD_NAME, rest, n);
	n = call_length(rest, n);
	if (n == 0)
		return fail(err, "a function without its )");
	return set(w, RYDE_WINDOW_EXPR_WORD_CALL, rest, n);
}

static int
next_string(struct ryde_window_expr_word *w, struct ryde_view rest, struct ryde_err *err)
{
	size_t n = string_length(rest);
	struct ryde_json_fault fault;

	if (n == 0)
		return fail(err, "a string without its end");
	if (!ryde_json_string_utf8(ryde_view_mem(rest.p, n)) ||
	    (rest.p[0] == '"' &&
		ryde_json_check(ryde_view_mem(rest.p, n), NULL, &fault) != 0))
		return fail(err, "no JSON string");
	return set(w, RYDE_WINDOW_EXPR_WORD_STRING, rest, n);
}

int
ryde_window_expr_word_next(
    struct ryde_window_expr_word *w, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_view rest;
	struct ryde_literal literal;
	size_t n;

	w->at += w->text.n;
	while (w->at < text.n && strchr(" \t\r\n", text.p[w->at]) != NULL &&
	       text.p[w->at] != '\0')
		w->at++;
	rest = ryde_view_mem(text.p + w->at, text.n - w->at);
	w->text = ryde_view_mem(rest.p, 0);
	if (rest.n == 0)
		return set(w, RYDE_WINDOW_EXPR_WORD_END, rest, 0);
	if (is_letter(rest.p[0]))
		return next_name(w, rest, err);
	if (rest.p[0] == '.')
		return set(w, RYDE_WINDOW_EXPR_WORD_PATH, rest,
		    ryde_window_expr_word_path(rest));
	if (rest.p[0] == '"' || rest.p[0] == '\'')
		return next_string(w, rest, err);
	if (is_digit(rest.p[0]) || rest.p[0] == '-') {
		n = number_length(rest);
		if (!ryde_literal_look(&literal, ryde_view_mem(rest.p, n)))
			return fail(err, "no JSON number");
		return set(w, RYDE_WINDOW_EXPR_WORD_NUMBER, rest, n);
	}
	n = sign_length(rest);
	if (n == 0)
		return fail(err, "a character that has no meaning here");
	return set(w, RYDE_WINDOW_EXPR_WORD_SIGN, rest, n);
}

bool
ryde_window_expr_word_is(const struct ryde_window_expr_word *w, const char *name)
{
	size_t n = strlen(name);

	if (w->text.n != n || (w->kind != RYDE_WINDOW_EXPR_WORD_NAME &&
				  w->kind != RYDE_WINDOW_EXPR_WORD_SIGN))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = w->text.p[i];

		if ((is_letter(c) ? c | 0x20 : c) != name[i])
			return false;
	}
	return true;
}

void
ryde_window_expr_word_string(const struct ryde_window_expr_word *w, struct ryde_buf *to)
{
	struct ryde_view inside = ryde_view_mem(w->text.p + 1, w->text.n - 2);

	if (w->text.p[0] == '"') {
		ryde_json_string_decode(to, inside);
		return;
	}
	for (size_t i = 0; i < inside.n; i++) {
		ryde_buf_putc(to, inside.p[i]);
		i += inside.p[i] == '\'';
	}
}
