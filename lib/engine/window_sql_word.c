#include "engine/window_sql_word.h"

#include "base/buf.h"

#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	/* Bytes over 0x7f are parts of letters, whatever their alphabet. */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c > 0x7f;
}

static size_t
line_end(struct ryde_view text, size_t at)
{
	while (at < text.n && text.p[at] != '\n')
		at++;
	return at;
}

/* Behind blanks and comments. */
static size_t
skip(struct ryde_view text, size_t at)
{
	for (;;) {
		bool begins = at == 0 || text.p[at - 1] == '\n';
		struct ryde_view rest = ryde_view_mem(text.p + at, text.n - at);

		if (rest.n > 0 && rest.p[0] != '\0' &&
		    strchr(" \t\r\n", rest.p[0]) != NULL) {
			at++;
		} else if (ryde_view_starts(rest, "--") ||
			   (begins && ryde_view_starts(rest, "%"))) {
			at = line_end(text, at);
		} else if (ryde_view_starts(rest, "/*")) {
			for (at += 2; at < text.n; at++) {
				if (text.p[at - 1] == '*' && text.p[at] == '/')
					break;
			}
			at += at < text.n;
		} else {
			return at;
		}
	}
}

/* The length of what is quoted by its first character, which is doubled inside; 0:
 * unfinished. */
static size_t
quoted_length(struct ryde_view text)
{
	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] != text.p[0])
			continue;
		if (i + 1 == text.n || text.p[i + 1] != text.p[0])
			return i + 1;
		i++;
	}
	return 0;
}

static size_t
number_length(struct ryde_view text)
{
	size_t n = 0;

	while (n < text.n && (is_digit(text.p[n]) || text.p[n] == '.'))
		n++;
	if (n < text.n && (text.p[n] | 0x20) == 'e') {
		size_t e = n + 1;

		if (e < text.n && (text.p[e] == '+' || text.p[e] == '-'))
			e++;
		if (e < text.n && is_digit(text.p[e])) {
			for (n = e; n < text.n && is_digit(text.p[n]); n++)
				;
		}
	}
	return n;
}

static size_t
sign_length(struct ryde_view text)
{
	static const char *const signs[] = {"<>", "<=", ">=", "!=", "=>", "||", "<", ">",
	    "=", "(", ")", ",", ";", ".", "*", "+", "-", "/", "%", "[", "]", ":"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (ryde_view_starts(text, signs[i]))
			return strlen(signs[i]);
	}
	return 0;
}

struct ryde_window_sql_word
ryde_window_sql_word_at(struct ryde_view text, size_t at)
{
	struct ryde_window_sql_word w = {.at = skip(text, at)};
	struct ryde_view rest = ryde_view_mem(text.p + w.at, text.n - w.at);
	size_t n = 0;

	if (rest.n == 0) {
		w.kind = RYDE_WINDOW_SQL_WORD_END;
	} else if (is_letter(rest.p[0])) {
		w.kind = RYDE_WINDOW_SQL_WORD_NAME;
		while (n < rest.n &&
		       (is_letter(rest.p[n]) || is_digit(rest.p[n]) || rest.p[n] == '$'))
			n++;
	} else if (rest.p[0] == '`') {
		w.kind = RYDE_WINDOW_SQL_WORD_QUOTED;
		n = quoted_length(rest);
	} else if (rest.p[0] == '\'') {
		w.kind = RYDE_WINDOW_SQL_WORD_STRING;
		n = quoted_length(rest);
	} else if (is_digit(rest.p[0])) {
		w.kind = RYDE_WINDOW_SQL_WORD_NUMBER;
		n = number_length(rest);
	} else {
		w.kind = RYDE_WINDOW_SQL_WORD_SIGN;
		n = sign_length(rest);
	}
	w.text = ryde_view_mem(rest.p, n);
	if (n == 0 && w.kind != RYDE_WINDOW_SQL_WORD_END) {
		w.kind = RYDE_WINDOW_SQL_WORD_WRONG;
		w.text.n = 1;
	}
	return w;
}

bool
ryde_window_sql_word_is(const struct ryde_window_sql_word *w, const char *name)
{
	size_t n = strlen(name);

	if (w->text.n != n || (w->kind != RYDE_WINDOW_SQL_WORD_NAME &&
				  w->kind != RYDE_WINDOW_SQL_WORD_SIGN))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = w->text.p[i];

		if ((c >= 'a' && c <= 'z' ? c - 0x20 : c) != name[i])
			return false;
	}
	return true;
}

void
ryde_window_sql_word_put(const struct ryde_window_sql_word *w, struct ryde_buf *to)
{
	char quote = w->text.p[0];

	if (w->kind != RYDE_WINDOW_SQL_WORD_QUOTED &&
	    w->kind != RYDE_WINDOW_SQL_WORD_STRING) {
		ryde_buf_view(to, w->text);
		return;
	}
	for (size_t i = 1; i + 1 < w->text.n; i++) {
		ryde_buf_putc(to, w->text.p[i]);
		i += w->text.p[i] == quote;
	}
}
