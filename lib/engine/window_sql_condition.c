#include "engine/window_sql_parse.h"

#include "base/err.h"
#include "engine/window_expr.h"
#include "json/path.h"
#include "json/string.h"

#include <string.h>

#define WORDS_MAX 4096

/* Where a word of the condition came from. */
struct origin {
	size_t in_condition, in_sql;
};

struct translation {
	struct ryde_window_sql_parse *p;
	const struct ryde_window_sql_condition *c;
	struct ryde_buf *b;
	size_t begin;			      /* of the condition in b */
	struct origin origins[WORDS_MAX + 1]; /* and the word behind the condition */
	size_t n;
};

/* Words that a condition has in both languages. */
static bool
is_shared(const struct ryde_window_sql_word *w)
{
	static const char *const words[] = {"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE",
	    "IS", "NULL", "TRUE", "FALSE", "=", "<>", "!=", "<", "<=", ">", ">=", "(",
	    ")", ","};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (ryde_window_sql_word_is(w, words[i]))
			return true;
	}
	return false;
}

static bool
ends(const struct ryde_window_sql_parse *p, size_t depth)
{
	static const char *const words[] = {
	    "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "WINDOW", ";", ","};

	if (p->word.kind == RYDE_WINDOW_SQL_WORD_END)
		return true;
	if (depth > 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (ryde_window_sql_parse_is(p, words[i]))
			return true;
	}
	return ryde_window_sql_parse_is(p, ")");
}

static int
put_string(struct ryde_window_sql_parse *p, struct ryde_buf *b)
{
	const char *text = ryde_window_sql_parse_string(p);

	if (text == NULL)
		return -1;
	ryde_json_string_put(b, ryde_view_of(text));
	return 0;
}

/* -5 or 5, as JSON writes numbers. */
static int
put_number(struct ryde_window_sql_parse *p, struct ryde_buf *b)
{
	if (ryde_window_sql_parse_is(p, "-")) {
		ryde_buf_putc(b, '-');
		ryde_window_sql_parse_next(p);
		if (p->word.kind != RYDE_WINDOW_SQL_WORD_NUMBER)
			return ryde_window_sql_parse_unsupported(p, "arithmetic");
	}
	ryde_buf_view(b, p->word.text);
	ryde_window_sql_parse_next(p);
	return 0;
}

/* value_expected: a value must stand here, so that - is a sign. */
static int
put_word(struct translation *t, bool value_expected)
{
	struct ryde_window_sql_parse *p = t->p;
	struct ryde_window_sql_word behind;

	if (is_shared(&p->word)) {
		for (size_t i = 0; i < p->word.text.n; i++) {
			char c = p->word.text.p[i];

			ryde_buf_putc(t->b, c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c);
		}
		ryde_window_sql_parse_next(p);
		return 0;
	}
	switch (p->word.kind) {
	case RYDE_WINDOW_SQL_WORD_STRING:
		return put_string(p, t->b);
	case RYDE_WINDOW_SQL_WORD_NUMBER:
		return put_number(p, t->b);
	case RYDE_WINDOW_SQL_WORD_NAME:
	case RYDE_WINDOW_SQL_WORD_QUOTED:
		behind = ryde_window_sql_word_at(p->text, p->word.at + p->word.text.n);
		if (!ryde_window_sql_word_is(&behind, "("))
			return t->c->put_name(t->c->arg, p, t->b);
		if (t->c->put_call == NULL)
			return ryde_window_sql_parse_unsupported(p, "a function here");
		return t->c->put_call(t->c->arg, p, t->b);
	case RYDE_WINDOW_SQL_WORD_SIGN:
		if (ryde_window_sql_parse_is(p, "-") && value_expected)
			return put_number(p, t->b);
		return ryde_window_sql_parse_unsupported(p, "arithmetic");
	case RYDE_WINDOW_SQL_WORD_END:
	case RYDE_WINDOW_SQL_WORD_WRONG:
		break;
	}
	return ryde_window_sql_parse_fail(p, p->word.at,
	    "a character that has no meaning here, or a quote without its end");
}

/* The place in the SQL of a place in the condition. */
static size_t
origin_of(const struct translation *t, size_t at)
{
	size_t in_sql = t->origins[0].in_sql;

	for (size_t i = 0; i <= t->n && t->origins[i].in_condition <= at; i++)
		in_sql = t->origins[i].in_sql;
	return in_sql;
}

/* Functions are looked at where they were translated. */
static int
any_call(void *arg, struct ryde_view text, size_t *index, struct ryde_err *err)
{
	(void)arg;
	(void)text;
	(void)err;
	*index = 0;
	return 0;
}

static int
check(const struct translation *t)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_window_expr *e;
	struct ryde_err why = RYDE_ERR_INIT;
	size_t at = 0;

	if (paths == NULL)
		return ryde_err_nomem(t->p->err);
	e = ryde_window_expr_new(ryde_view_mem(t->b->p + t->begin, t->b->n - t->begin),
	    paths, any_call, NULL, &at, &why);
	ryde_json_paths_free(paths);
	ryde_window_expr_free(e);
	if (e != NULL)
		return 0;
	if (why.code != RYDE_EUSAGE) {
		*t->p->err = why;
		return -1;
	}
	return ryde_window_sql_parse_fail(t->p, origin_of(t, at), why.msg);
}

int
ryde_window_sql_condition(struct ryde_window_sql_parse *p,
    const struct ryde_window_sql_condition *c, struct ryde_buf *b)
{
	struct translation t = {.p = p, .c = c, .b = b, .begin = b->n};
	size_t depth = 0;
	bool value_expected = true, shared;

	while (!ends(p, depth)) {
		if (t.n == WORDS_MAX)
			return ryde_window_sql_parse_unsupported(
			    p, "so long a condition");
		if (t.n > 0)
			ryde_buf_putc(b, ' ');
		t.origins[t.n++] = (struct origin){b->n - t.begin, p->word.at};
		depth += ryde_window_sql_parse_is(p, "(");
		depth -= ryde_window_sql_parse_is(p, ")");
		shared = is_shared(&p->word) && !ryde_window_sql_parse_is(p, ")");
		if (put_word(&t, value_expected) != 0)
			return -1;
		value_expected = shared;
	}
	t.origins[t.n] = (struct origin){b->n - t.begin, p->word.at};
	if (ryde_buf_check(b, p->err) != 0)
		return -1;
	return check(&t);
}
