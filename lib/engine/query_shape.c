#include "engine/query_shape.h"

#include "base/num.h"
#include "engine/query_sql.h"

#include <strings.h>

typedef struct ryde_query_token token;

/* Words that begin what this shape does not have, or end what stands before. */
static bool
is_reserved(const token *t)
{
	static const char *const words[] = {"from", "group", "order", "by", "limit",
	    "where", "having", "as", "join", "left", "inner", "cross", "natural", "union",
	    "except", "intersect", "distinct", "all", "null", "case", "cast", "not",
	    "exists", "over", "filter", "collate", "indexed", "window", "select", "on",
	    "using", "offset"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (ryde_query_sql_is(t, words[i]))
			return true;
	return false;
}

static bool
take_name(struct ryde_view *rest, struct ryde_view *name)
{
	token t = ryde_query_sql_peek(*rest);

	return (t.kind == RYDE_QUERY_TOKEN_QUOTED || !is_reserved(&t)) &&
	       ryde_query_sql_name(rest, name);
}

static bool
take_aggregate(struct ryde_view *rest, const struct ryde_view *function,
    enum ryde_query_aggregate *what, struct ryde_view *column)
{
	static const struct {
		const char *word;
		enum ryde_query_aggregate what;
	} functions[] = {
	    {"count", RYDE_QUERY_COUNT},
	    {"sum", RYDE_QUERY_SUM},
	    {"total", RYDE_QUERY_TOTAL},
	    {"avg", RYDE_QUERY_AVG},
	    {"min", RYDE_QUERY_MIN},
	    {"max", RYDE_QUERY_MAX},
	};
	token t = {RYDE_QUERY_TOKEN_WORD, *function};
	bool found = false;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!ryde_query_sql_is(&t, functions[i].word))
			continue;
		*what = functions[i].what;
		found = true;
	}
	if (!found || !ryde_query_sql_take(rest, "("))
		return false;
	if (*what == RYDE_QUERY_COUNT && ryde_query_sql_take(rest, "*"))
		*what = RYDE_QUERY_COUNT_ALL;
	else if (!take_name(rest, column))
		return false;
	return ryde_query_sql_take(rest, ")");
}

static bool
take_item(struct ryde_query_shape *s, struct ryde_view *rest)
{
	struct ryde_view name, column = {NULL, 0};
	enum ryde_query_aggregate what = RYDE_QUERY_KEY_COLUMN;
	token t;

	if (s->n_items == RYDE_QUERY_SHAPE_MAX || !take_name(rest, &name))
		return false;
	t = ryde_query_sql_peek(*rest);
	if (!ryde_query_sql_is(&t, "("))
		column = name;
	else if (!take_aggregate(rest, &name, &what, &column))
		return false;
	s->items[s->n_items].what = what;
	s->items[s->n_items].column = column;
	/* SQLite calls it as it is written */
	s->items[s->n_items].name = ryde_view_mem(name.p, (size_t)(rest->p - name.p));
	s->items[s->n_items].named = ryde_query_sql_take(rest, "as");
	t = ryde_query_sql_peek(*rest);
	if (s->items[s->n_items].named || !ryde_query_sql_is(&t, "from"))
		if (take_name(rest, &name)) {
			s->items[s->n_items].name = name;
			s->items[s->n_items].named = true;
		}
	s->n_items++;
	return true;
}

/* A key is a column, or the number of one in the result. */
static bool
take_key(struct ryde_query_shape *s, struct ryde_view *rest)
{
	token t = ryde_query_sql_peek(*rest);
	int64_t number;

	if (s->n_keys == RYDE_QUERY_SHAPE_MAX)
		return false;
	if (t.kind == RYDE_QUERY_TOKEN_WORD &&
	    ryde_num_i64(t.text, 1, (int64_t)s->n_items, &number)) {
		(void)ryde_query_sql_next(rest);
		s->keys[s->n_keys++] = s->items[number - 1].column;
		return s->items[number - 1].what == RYDE_QUERY_KEY_COLUMN;
	}
	return take_name(rest, &s->keys[s->n_keys++]);
}

static bool
is_same(struct ryde_view a, struct ryde_view b)
{
	return a.n == b.n && a.n > 0 && strncasecmp(a.p, b.p, a.n) == 0;
}

/* The item that is that aggregate; one that is not shown is added. */
static bool
find_aggregate(struct ryde_query_shape *s, enum ryde_query_aggregate what,
    struct ryde_view column, size_t *item)
{
	for (*item = 0; *item < s->n_items; ++*item)
		if (s->items[*item].what == what &&
		    (what == RYDE_QUERY_COUNT_ALL ||
			is_same(s->items[*item].column, column)))
			return true;
	if (s->n_items == RYDE_QUERY_SHAPE_MAX)
		return false;
	s->items[s->n_items].what = what;
	s->items[s->n_items++].column = column;
	return true;
}

static bool
is_number(const token *t)
{
	return t->kind == RYDE_QUERY_TOKEN_WORD && *t->text.p >= '0' && *t->text.p <= '9';
}

static bool
take_having_part(struct ryde_query_shape *s, struct ryde_view *rest)
{
	static const char *const words[] = {"and", "or", "not", "in", "between", "is",
	    "null", "=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", ",", "."};
	token t = ryde_query_sql_peek(*rest);
	struct ryde_query_having *part = &s->having[s->n_having];
	struct ryde_view name, at;

	bool as_is = t.kind == RYDE_QUERY_TOKEN_STRING || is_number(&t);

	*part = (struct ryde_query_having){.text = t.text, .kind = RYDE_QUERY_HAVING_SQL};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		as_is = as_is || ryde_query_sql_is(&t, words[i]);
	/* of a number */
	if (ryde_query_sql_is(&t, "."))
		as_is = s->n_having > 0 && part[-1].kind == RYDE_QUERY_HAVING_SQL &&
			part[-1].text.p + part[-1].text.n == t.text.p &&
			*part[-1].text.p >= '0' && *part[-1].text.p <= '9';
	if (as_is) {
		(void)ryde_query_sql_next(rest);
		return true;
	}
	if (!take_name(rest, &name))
		return false;
	at = *rest;
	if (ryde_query_sql_take(&at, "(")) {
		enum ryde_query_aggregate what = RYDE_QUERY_KEY_COLUMN;
		struct ryde_view column = {NULL, 0};

		part->kind = RYDE_QUERY_HAVING_ITEM;
		if (!take_aggregate(rest, &name, &what, &column))
			return false;
		part->text = ryde_view_mem(name.p, (size_t)(rest->p - name.p));
		return find_aggregate(s, what, column, &part->item);
	}
	part->kind = RYDE_QUERY_HAVING_NAME;
	return true;
}

static bool
take_having(struct ryde_query_shape *s, struct ryde_view *rest)
{
	for (;;) {
		token t = ryde_query_sql_peek(*rest);

		if (t.kind == RYDE_QUERY_TOKEN_END || ryde_query_sql_is(&t, ";") ||
		    ryde_query_sql_is(&t, "order") || ryde_query_sql_is(&t, "limit"))
			return s->n_having > 0;
		if (s->n_having == RYDE_QUERY_HAVING_MAX || !take_having_part(s, rest))
			return false;
		s->n_having++;
	}
}

/* ORDER BY and LIMIT with names and numbers alone, all of the result's. */
static bool
take_tail(struct ryde_query_shape *s, struct ryde_view *rest)
{
	static const char *const words[] = {"order", "by", "asc", "desc", "limit",
	    "offset", "nulls", "first", "last", ","};
	const char *begin = ryde_query_sql_peek(*rest).text.p;
	token t;

	while ((t = ryde_query_sql_peek(*rest)).kind != RYDE_QUERY_TOKEN_END &&
	       !ryde_query_sql_is(&t, ";")) {
		bool good = t.kind == RYDE_QUERY_TOKEN_WORD && *t.text.p >= '0' &&
			    *t.text.p <= '9';

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			good = good || ryde_query_sql_is(&t, words[i]);
		for (size_t i = 0; i < s->n_shown; i++)
			good = good || is_same(t.text, s->items[i].name);
		if (!good)
			return false;
		(void)ryde_query_sql_next(rest);
		s->tail = ryde_view_mem(begin, (size_t)(rest->p - begin));
	}
	(void)ryde_query_sql_take(rest, ";");
	s->rest = *rest;
	return true;
}

/* SQLite takes a text for a name where only a name can stand. */
static bool
take_from(struct ryde_query_shape *s, struct ryde_view *rest)
{
	token t = ryde_query_sql_peek(*rest);

	if (t.kind != RYDE_QUERY_TOKEN_STRING)
		return take_name(rest, &s->from);
	s->from = ryde_query_sql_next(rest).text;
	return true;
}

static bool
take_head(struct ryde_query_shape *s, struct ryde_view *rest)
{
	if (!ryde_query_sql_take(rest, "select"))
		return false;
	do {
		if (!take_item(s, rest))
			return false;
	} while (ryde_query_sql_take(rest, ","));
	s->n_shown = s->n_items;
	return ryde_query_sql_take(rest, "from") && take_from(s, rest);
}

static bool
take_keys(struct ryde_query_shape *s, struct ryde_view *rest)
{
	if (!ryde_query_sql_take(rest, "group") || !ryde_query_sql_take(rest, "by"))
		return false;
	do {
		if (!take_key(s, rest))
			return false;
	} while (ryde_query_sql_take(rest, ","));
	for (size_t i = 0; i < s->n_items; i++) {
		bool is_key = s->items[i].what != RYDE_QUERY_KEY_COLUMN;

		for (size_t k = 0; k < s->n_keys; k++)
			is_key = is_key || is_same(s->keys[k], s->items[i].column);
		if (!is_key)
			return false;
	}
	return true;
}

int
ryde_query_shape_read(
    struct ryde_query_shape *s, struct ryde_view sql, struct ryde_err *err)
{
	int rc;

	*s = (struct ryde_query_shape){0};
	if (!take_head(s, &sql))
		return RYDE_QUERY_PLAIN;
	if (ryde_query_sql_take(&sql, "where")) {
		rc = ryde_query_where_read(&s->where, &sql, err);
		if (rc != 0)
			return rc;
	}
	if (!take_keys(s, &sql))
		return RYDE_QUERY_PLAIN;
	if (ryde_query_sql_take(&sql, "having") && !take_having(s, &sql))
		return RYDE_QUERY_PLAIN;
	return take_tail(s, &sql) ? 0 : RYDE_QUERY_PLAIN;
}

void
ryde_query_shape_free(struct ryde_query_shape *s)
{
	ryde_query_where_free(&s->where);
}
