#include "engine/query_sql.h"

#include "base/buf.h"
#include "json/scan.h"

#include <sqlite3.h>
#include <string.h>
#include <strings.h>

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Drops n bytes, or all there is, from the front. */
static struct ryde_view
drop(struct ryde_view v, size_t n)
{
	return n < v.n ? ryde_view_mem(v.p + n, v.n - n)
		       : ryde_view_mem(ryde_view_end(v), 0);
}

static struct ryde_view
skip_blanks(struct ryde_view v)
{
	for (;;) {
		const char *end = NULL;

		if (v.n > 0 && strchr(" \t\n\f\r", *v.p) != NULL && *v.p != '\0') {
			v = drop(v, 1);
		} else if (v.n > 1 && v.p[0] == '-' && v.p[1] == '-') {
			end = memchr(v.p, '\n', v.n);
			v = drop(v, end != NULL ? (size_t)(end - v.p) + 1 : v.n);
		} else if (v.n > 1 && v.p[0] == '/' && v.p[1] == '*') {
			size_t i = 2;

			while (i < v.n && !(v.p[i] == '/' && v.p[i - 1] == '*' && i > 2))
				i++;
			v = drop(v, i + 1);
		} else {
			return v;
		}
	}
}

/* The length of what stands in quotes; a doubled quote is part of it. */
static size_t
quoted(struct ryde_view v, char end)
{
	size_t i = 1;

	for (; i < v.n; i++) {
		if (v.p[i] != end)
			continue;
		if (end == ']' || i + 1 == v.n || v.p[i + 1] != end)
			return i + 1;
		i++;
	}
	return v.n;
}

struct ryde_query_token
ryde_query_sql_next(struct ryde_view *rest)
{
	struct ryde_view v = skip_blanks(*rest);
	struct ryde_query_token t = {RYDE_QUERY_TOKEN_END, {NULL, 0}};
	size_t n = 1;

	if (v.n == 0) {
		*rest = v;
		return t;
	}
	switch (*v.p) {
	case '\'':
		t.kind = RYDE_QUERY_TOKEN_STRING;
		n = quoted(v, '\'');
		break;
	case '"':
	case '`':
	case '[':
		t.kind = RYDE_QUERY_TOKEN_QUOTED;
		n = quoted(v, *v.p == '[' ? ']' : *v.p);
		break;
	default:
		t.kind = is_word(*v.p) ? RYDE_QUERY_TOKEN_WORD : RYDE_QUERY_TOKEN_SIGN;
		while (t.kind == RYDE_QUERY_TOKEN_WORD && n < v.n && is_word(v.p[n]))
			n++;
	}
	t.text = ryde_view_mem(v.p, n);
	*rest = drop(v, n);
	return t;
}

bool
ryde_query_sql_is(const struct ryde_query_token *t, const char *word)
{
	return t->text.n == strlen(word) && strncasecmp(t->text.p, word, t->text.n) == 0;
}

struct ryde_query_token
ryde_query_sql_peek(struct ryde_view rest)
{
	return ryde_query_sql_next(&rest);
}

bool
ryde_query_sql_take(struct ryde_view *rest, const char *word)
{
	struct ryde_query_token t = ryde_query_sql_peek(*rest);

	if (!ryde_query_sql_is(&t, word))
		return false;
	(void)ryde_query_sql_next(rest);
	return true;
}

/* True where a * behind this token stands for columns, and does not multiply. */
static bool
opens_columns(const struct ryde_query_token *t)
{
	static const char *const before[] = {"select", "distinct", "all", ",", "."};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (ryde_query_sql_is(t, before[i]))
			return true;
	return false;
}

void
ryde_query_sql_look(struct ryde_query_sql *s, struct ryde_view sql)
{
	struct ryde_query_token last = {0}, t;

	*s = (struct ryde_query_sql){0};
	while ((t = ryde_query_sql_next(&sql)).kind != RYDE_QUERY_TOKEN_END) {
		if (ryde_query_sql_is(&t, "*") && opens_columns(&last))
			s->star = true;
		if (ryde_query_sql_is(&t, "(") &&
		    (ryde_query_sql_is(&last, "min") || ryde_query_sql_is(&last, "max")))
			s->min_max = true;
		last = t;
	}
}

bool
ryde_query_sql_quotes(struct ryde_view sql, const char *word)
{
	struct ryde_query_token t;

	while ((t = ryde_query_sql_next(&sql)).kind != RYDE_QUERY_TOKEN_END)
		if (t.kind == RYDE_QUERY_TOKEN_QUOTED && *t.text.p == '"' &&
		    ryde_view_eq(
			ryde_view_mem(t.text.p + 1, t.text.n - 2), ryde_view_of(word)))
			return true;
	return false;
}

void
ryde_query_sql_explain(struct ryde_buf *to, struct ryde_view sql)
{
	struct ryde_query_token t = {0};
	bool begins = true, explains = false;
	const char *done = sql.p;

	while ((t = ryde_query_sql_next(&sql)).kind != RYDE_QUERY_TOKEN_END) {
		if (explains && !ryde_query_sql_is(&t, "query")) {
			ryde_buf_add(to, done, (size_t)(t.text.p - done));
			ryde_buf_puts(to, "QUERY PLAN ");
			done = t.text.p;
		}
		explains = begins && ryde_query_sql_is(&t, "explain");
		begins = ryde_query_sql_is(&t, ";");
	}
	ryde_buf_add(to, done, (size_t)(sql.p - done));
}

void
ryde_query_sql_unquote(struct ryde_buf *to, struct ryde_view token)
{
	char quote = token.n > 1 ? *token.p : '\0';

	ryde_buf_clear(to);
	if (quote == '[')
		quote = ']';
	if (quote != '\'' && quote != '"' && quote != '`' && quote != ']') {
		ryde_buf_view(to, token);
		return;
	}
	for (size_t i = 1; i + 1 < token.n; i++) {
		ryde_buf_putc(to, token.p[i]);
		if (token.p[i] == quote)
			i++;
	}
}

void
ryde_query_sql_quote(struct ryde_buf *to, struct ryde_view name)
{
	ryde_buf_putc(to, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			ryde_buf_putc(to, '"');
		ryde_buf_putc(to, name.p[i]);
	}
	ryde_buf_putc(to, '"');
}

bool
ryde_query_sql_name(struct ryde_view *rest, struct ryde_view *name)
{
	struct ryde_query_token t = ryde_query_sql_peek(*rest);

	if (t.kind != RYDE_QUERY_TOKEN_QUOTED &&
	    (t.kind != RYDE_QUERY_TOKEN_WORD || (*t.text.p >= '0' && *t.text.p <= '9')))
		return false;
	(void)ryde_query_sql_next(rest);
	*name = t.text;
	return true;
}

static bool
is_digit(struct ryde_query_token t)
{
	return t.kind == RYDE_QUERY_TOKEN_WORD && *t.text.p >= '0' && *t.text.p <= '9';
}

bool
ryde_query_sql_literal(struct ryde_view *rest, struct ryde_view *literal, bool *number)
{
	struct ryde_view v = *rest;
	struct ryde_query_token t = ryde_query_sql_next(&v);
	struct ryde_json_fault fault;
	const char *begin = t.text.p;

	*number = t.kind != RYDE_QUERY_TOKEN_STRING;
	if (*number) {
		if (ryde_query_sql_is(&t, "-"))
			t = ryde_query_sql_next(&v);
		if (!is_digit(t))
			return false;
		if (ryde_query_sql_take(&v, ".") && !is_digit(ryde_query_sql_next(&v)))
			return false;
	}
	*literal = ryde_view_mem(begin, (size_t)(v.p - begin));
	/* what SQL and JSON write alike; no blanks are among it */
	if (*number && (memchr(begin, ' ', literal->n) != NULL ||
			   ryde_json_check(*literal, NULL, &fault) != 0))
		return false;
	*rest = v;
	return true;
}

struct ryde_view
ryde_query_sql_first(const char *sql, size_t *used)
{
	struct ryde_view rest = ryde_view_of(sql);
	const char *begin = NULL, *end = NULL;
	struct ryde_query_token t;

	while ((t = ryde_query_sql_next(&rest)).kind != RYDE_QUERY_TOKEN_END &&
	       !ryde_query_sql_is(&t, ";")) {
		if (begin == NULL)
			begin = t.text.p;
		end = ryde_view_end(t.text);
	}
	*used = (size_t)(rest.p - sql);
	return ryde_view_mem(begin, begin != NULL ? (size_t)(end - begin) : 0);
}

bool
ryde_query_sql_is_name(struct ryde_view a, struct ryde_view b)
{
	struct ryde_buf x, y;
	bool is;

	ryde_buf_init(&x, a.n + 1);
	ryde_buf_init(&y, b.n + 1);
	ryde_query_sql_unquote(&x, a);
	ryde_query_sql_unquote(&y, b);
	is = !x.failed && !y.failed && x.n == y.n &&
	     sqlite3_stricmp(ryde_buf_str(&x), ryde_buf_str(&y)) == 0;
	ryde_buf_free(&x);
	ryde_buf_free(&y);
	return is;
}
