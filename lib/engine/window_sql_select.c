#include "engine/window_sql_query.h"

#include "base/err.h"

#include <string.h>

#define TEXT_MAX (1u << 20)

/* ---- columns ---- */

static const struct ryde_window_sql_column *
find_column(const struct ryde_window_sql_query *s, const char *name)
{
	for (size_t i = 0; s->table != NULL && i < s->table->n_columns; i++) {
		if (strcmp(s->table->columns[i].name, name) == 0)
			return &s->table->columns[i];
	}
	return NULL;
}

/* Appends the path of a column, and of what is inside it: a, t.a, a.b. */
static int
put_column(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	size_t at = s->p->word.at;
	const char *name = ryde_window_sql_query_column(s);
	const struct ryde_window_sql_column *c;

	if (name == NULL)
		return -1;
	c = find_column(s, name);
	if (s->table != NULL && c == NULL)
		return ryde_window_sql_parse_fail(
		    s->p, at, "the table has no such column");
	if (c != NULL && c->source != RYDE_WINDOW_SQL_FIELD)
		return ryde_window_sql_parse_fail(s->p, at,
		    "a column that the payload does not have is not supported here");
	ryde_window_sql_parse_put_path(b, c != NULL ? c->field : name);
	while (ryde_window_sql_parse_accept(s->p, ".")) {
		name = ryde_window_sql_parse_name(s->p);
		if (name == NULL)
			return -1;
		ryde_window_sql_parse_put_path(b, name);
	}
	return 0;
}

/* ---- aggregates ---- */

static int
where_name(void *arg, struct ryde_window_sql_parse *p, struct ryde_buf *b)
{
	(void)p;
	return put_column(arg, b);
}

/* FILTER (WHERE condition), where it stands: " where condition". */
static int
put_filter(struct ryde_window_sql_query *s, bool has_path, struct ryde_buf *b)
{
	struct ryde_window_sql_condition c = {where_name, NULL, s};

	if (!ryde_window_sql_parse_accept(s->p, "FILTER"))
		return 0;
	if (ryde_window_sql_parse_expect(s->p, "(") != 0 ||
	    ryde_window_sql_parse_expect(s->p, "WHERE") != 0)
		return -1;
	ryde_buf_puts(b, has_path ? " where " : "where ");
	if (ryde_window_sql_condition(s->p, &c, b) != 0)
		return -1;
	return ryde_window_sql_parse_expect(s->p, ")");
}

/* SUM(column) [FILTER (…)] and the like, as a column's function. */
static int
put_aggregate(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	static const struct {
		const char *sql, *function;
	} functions[] = {{"COUNT", "count"}, {"SUM", "sum"}, {"MIN", "min"},
	    {"MAX", "max"}, {"AVG", "avg"}, {"FIRST_VALUE", "first"},
	    {"LAST_VALUE", "last"}, {"STDDEV_SAMP", "stddev"},
	    {"APPROX_COUNT_DISTINCT", "distinct"}, {"ARRAY_AGG", "list"}};
	size_t i = 0, n = sizeof(functions) / sizeof(functions[0]);
	bool has_path = true, distinct;

	while (i < n && !ryde_window_sql_parse_is(s->p, functions[i].sql))
		i++;
	if (i == n)
		return ryde_window_sql_parse_unsupported(s->p, "this function");
	ryde_window_sql_parse_next(s->p);
	if (ryde_window_sql_parse_expect(s->p, "(") != 0)
		return -1;
	if (ryde_window_sql_parse_is(s->p, "DISTINCT") && i != 0)
		return ryde_window_sql_parse_unsupported(
		    s->p, "DISTINCT outside of COUNT");
	distinct = ryde_window_sql_parse_accept(s->p, "DISTINCT");
	ryde_buf_printf(b, "%s(", distinct ? "distinct" : functions[i].function);
	if (i == 0 && !distinct &&
	    (ryde_window_sql_parse_is(s->p, "*") ||
		s->p->word.kind == RYDE_WINDOW_SQL_WORD_NUMBER)) {
		ryde_window_sql_parse_next(s->p); /* COUNT(1) counts all, as COUNT(*) */
		has_path = false;
	}
	if (has_path && put_column(s, b) != 0)
		return -1;
	if (!ryde_window_sql_parse_is(s->p, ")"))
		return ryde_window_sql_parse_unsupported(
		    s->p, "more than a column in an aggregate");
	ryde_window_sql_parse_next(s->p);
	if (put_filter(s, has_path, b) != 0)
		return -1;
	if (ryde_window_sql_parse_is(s->p, "OVER"))
		return ryde_window_sql_parse_unsupported(s->p, "OVER");
	ryde_buf_putc(b, ')');
	return 0;
}

/* ---- the other clauses ---- */

static int
parse_group_item(struct ryde_window_sql_query *s)
{
	struct ryde_window_sql_word behind =
	    ryde_window_sql_word_at(s->p->text, s->p->word.at + s->p->word.text.n);
	size_t at = s->p->word.at;

	if (ryde_window_sql_word_is(&behind, "(")) {
		if (ryde_window_sql_query_window(s->p) == RYDE_WINDOW_SQL_NONE)
			return ryde_window_sql_parse_unsupported(
			    s->p, "this function in GROUP BY");
		return ryde_window_sql_query_group_window(s);
	}
	if (s->n_keys == RYDE_WINDOW_SQL_ITEMS_MAX)
		return ryde_window_sql_parse_unsupported(s->p, "so long a list");
	s->keys[s->n_keys] = ryde_window_sql_query_column(s);
	s->keys_at[s->n_keys] = at;
	if (s->keys[s->n_keys] == NULL)
		return -1;
	if (s->is_function && strcmp(s->keys[s->n_keys], "window_start") == 0)
		s->by_start = true;
	else if (s->is_function && strcmp(s->keys[s->n_keys], "window_end") == 0)
		s->by_end = true;
	else if (s->is_function && strcmp(s->keys[s->n_keys], "window_time") == 0)
		return ryde_window_sql_parse_fail(
		    s->p, at, "window_time is not supported");
	else
		s->n_keys++;
	return 0;
}

static int
parse_group(struct ryde_window_sql_query *s)
{
	size_t at = s->p->word.at;

	if (!ryde_window_sql_parse_accept(s->p, "GROUP"))
		return ryde_window_sql_parse_unsupported(
		    s->p, "a query without GROUP BY");
	if (ryde_window_sql_parse_expect(s->p, "BY") != 0)
		return -1;
	do {
		if (parse_group_item(s) != 0)
			return -1;
	} while (ryde_window_sql_parse_accept(s->p, ","));
	if (s->window == RYDE_WINDOW_SQL_NONE)
		return ryde_window_sql_parse_fail(s->p, at,
		    "a query without a window is not supported: GROUP BY TUMBLE(time, "
		    "INTERVAL '1' MINUTE)");
	if (s->is_function && (!s->by_start || !s->by_end))
		return ryde_window_sql_parse_fail(
		    s->p, at, "both window_start and window_end must stand in GROUP BY");
	return 0;
}

/* Passes a clause over up to one of the words, outside of brackets. */
static int
skip_to(struct ryde_window_sql_query *s, const char *a, const char *b)
{
	while (s->p->word.kind != RYDE_WINDOW_SQL_WORD_END &&
	       !ryde_window_sql_parse_is(s->p, ";") &&
	       !ryde_window_sql_parse_is(s->p, a) && !ryde_window_sql_parse_is(s->p, b)) {
		if (ryde_window_sql_parse_is(s->p, "(")) {
			if (ryde_window_sql_parse_skip_brackets(s->p) != 0)
				return -1;
		} else {
			ryde_window_sql_parse_next(s->p);
		}
	}
	return 0;
}

/* ---- what is selected ---- */

/* The name that an item of the row gets: the sink's, else AS, else its own. */
static const char *
item_name(struct ryde_window_sql_query *s, const char *sink_name, const char *own)
{
	const char *name = NULL;

	if (ryde_window_sql_parse_accept(s->p, "AS") ||
	    s->p->word.kind == RYDE_WINDOW_SQL_WORD_QUOTED ||
	    (s->p->word.kind == RYDE_WINDOW_SQL_WORD_NAME &&
		!ryde_window_sql_parse_is(s->p, "FROM"))) {
		name = ryde_window_sql_parse_name(s->p);
		if (name == NULL)
			return NULL;
	}
	return sink_name != NULL ? sink_name : name != NULL ? name : own;
}

static int
add_column(struct ryde_window_sql_query *s, const char *name, size_t at,
    struct ryde_view function)
{
	struct ryde_window_sql *out = s->p->out;
	struct ryde_buf b;

	if (out->n_columns == RYDE_WINDOW_SQL_ITEMS_MAX)
		return ryde_window_sql_parse_unsupported(s->p, "so long a list");
	if (name[0] == '\0' || strchr(name, '=') != NULL)
		return ryde_window_sql_parse_fail(
		    s->p, at, "a column's name must not be empty or hold a =");
	ryde_buf_init(&b, TEXT_MAX);
	ryde_buf_puts(&b, name);
	ryde_buf_putc(&b, '=');
	ryde_buf_view(&b, function);
	if (ryde_buf_check(&b, s->p->err) == 0)
		out->columns[out->n_columns] =
		    ryde_window_sql_parse_keep(s->p, ryde_buf_as_view(&b));
	ryde_buf_free(&b);
	return out->columns[out->n_columns] != NULL ? (out->n_columns++, 0) : -1;
}

/* A column of GROUP BY. */
static int
select_key(struct ryde_window_sql_query *s, const char *sink_name)
{
	size_t at = s->p->word.at, i = 0;
	const char *name = ryde_window_sql_query_column(s);

	if (name == NULL)
		return -1;
	while (i < s->n_keys && strcmp(s->keys[i], name) != 0)
		i++;
	if (i == s->n_keys)
		return ryde_window_sql_parse_fail(s->p, at,
		    "what is neither aggregated nor in GROUP BY has no single value");
	if (s->key_names[i] != NULL)
		return ryde_window_sql_parse_fail(
		    s->p, at, "a key that is selected twice is not supported");
	s->key_names[i] = item_name(s, sink_name, name);
	return s->key_names[i] != NULL ? 0 : -1;
}

static int
select_item(struct ryde_window_sql_query *s, const char *sink_name, size_t number)
{
	struct ryde_window_sql_word behind =
	    ryde_window_sql_word_at(s->p->text, s->p->word.at + s->p->word.text.n);
	size_t at = s->p->word.at;
	char nameless[32] = "EXPR$";
	const char *bound, *name;
	struct ryde_buf b;
	bool failed;
	int rc = -1;

	if (ryde_window_sql_parse_is(s->p, "*"))
		return ryde_window_sql_parse_unsupported(s->p, "SELECT *");
	bound = ryde_window_sql_query_bound(s, &failed);
	if (failed)
		return -1;
	if (bound == NULL && !ryde_window_sql_word_is(&behind, "("))
		return select_key(s, sink_name);
	ryde_buf_init(&b, TEXT_MAX);
	/* What has no name is called so by Flink. */
	if (bound == NULL) {
		ryde_buf_puts(&b, nameless);
		ryde_buf_u64(&b, number);
		memcpy(nameless, ryde_buf_str(&b), b.n + 1);
		ryde_buf_clear(&b);
	}
	if (bound != NULL)
		ryde_buf_puts(&b, bound);
	else if (put_aggregate(s, &b) != 0)
		goto out;
	if (!ryde_window_sql_parse_is(s->p, ",") &&
	    !ryde_window_sql_parse_is(s->p, "FROM") &&
	    !ryde_window_sql_parse_is(s->p, "AS") &&
	    s->p->word.kind == RYDE_WINDOW_SQL_WORD_SIGN) {
		rc = ryde_window_sql_parse_unsupported(s->p, "arithmetic");
		goto out;
	}
	name = item_name(s, sink_name,
	    bound == NULL		  ? nameless
	    : strcmp(bound, "start") == 0 ? "window_start"
					  : "window_end");
	if (name != NULL && ryde_buf_check(&b, s->p->err) == 0)
		rc = add_column(s, name, at, ryde_buf_as_view(&b));
out:
	ryde_buf_free(&b);
	return rc;
}

/* The names of the sink, by place: what INSERT INTO names, else the table's own. */
struct sink {
	const char *const *names;
	size_t n;
	const struct ryde_window_sql_table *table;
};

static const char *
sink_name(const struct sink *k, size_t place)
{
	if (k->n > 0)
		return place < k->n ? k->names[place] : NULL;
	for (size_t i = 0; k->table != NULL && i < k->table->n_columns; i++) {
		if (k->table->columns[i].source == RYDE_WINDOW_SQL_FIELD && place-- == 0)
			return k->table->columns[i].name;
	}
	return NULL;
}

static int
select_items(struct ryde_window_sql_query *s, const struct sink *k)
{
	bool named = k->n > 0 || k->table != NULL;
	size_t n = 0;

	if (ryde_window_sql_parse_is(s->p, "DISTINCT"))
		return ryde_window_sql_parse_unsupported(s->p, "SELECT DISTINCT");
	do {
		const char *name = sink_name(k, n);

		if (named && name == NULL)
			return ryde_window_sql_parse_fail(
			    s->p, s->p->word.at, "the sink has no such column");
		if (select_item(s, name, n++) != 0)
			return -1;
	} while (ryde_window_sql_parse_accept(s->p, ","));
	if (named && sink_name(k, n) != NULL)
		return ryde_window_sql_parse_fail(
		    s->p, s->p->word.at, "the sink has more columns than are selected");
	if (!ryde_window_sql_parse_is(s->p, "FROM"))
		return ryde_window_sql_parse_unsupported(s->p, "this");
	for (size_t i = 0; i < s->n_keys; i++) {
		if (s->key_names[i] == NULL)
			return ryde_window_sql_parse_fail(s->p, s->keys_at[i],
			    "a key that is not selected is not supported");
	}
	return 0;
}

/* ---- HAVING ---- */

/* A key, by the name that it has in the row. */
static int
having_name(void *arg, struct ryde_window_sql_parse *p, struct ryde_buf *b)
{
	struct ryde_window_sql_query *s = arg;
	size_t at = p->word.at;
	const char *name = ryde_window_sql_query_column(s);

	if (name == NULL)
		return -1;
	for (size_t i = 0; i < s->n_keys; i++) {
		if (strcmp(s->keys[i], name) == 0 || strcmp(s->key_names[i], name) == 0) {
			ryde_window_sql_parse_put_path(b, s->key_names[i]);
			return 0;
		}
	}
	for (size_t i = 0; i < p->out->n_columns; i++) {
		if (strncmp(p->out->columns[i], name, strlen(name)) == 0 &&
		    p->out->columns[i][strlen(name)] == '=') {
			ryde_window_sql_parse_put_path(b, name);
			return 0;
		}
	}
	return ryde_window_sql_parse_fail(
	    s->p, at, "neither a key nor a selected column");
}

static int
having_call(void *arg, struct ryde_window_sql_parse *p, struct ryde_buf *b)
{
	(void)p;
	return put_aggregate(arg, b);
}

/* ---- the whole ---- */

static const char *
keep(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	const char *kept = ryde_buf_check(b, s->p->err) == 0
			       ? ryde_window_sql_parse_keep(s->p, ryde_buf_as_view(b))
			       : NULL;

	ryde_buf_clear(b);
	return kept;
}

static int
make_conditions(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	struct ryde_window_sql_condition where = {where_name, NULL, s};
	struct ryde_window_sql_condition having = {having_name, having_call, s};

	if (s->where_at != 0) {
		ryde_window_sql_parse_seek(s->p, s->where_at);
		if (ryde_window_sql_condition(s->p, &where, b) != 0 ||
		    (s->p->out->where = keep(s, b)) == NULL)
			return -1;
		if (!ryde_window_sql_parse_is(s->p, "GROUP"))
			return ryde_window_sql_parse_unsupported(s->p, "this");
	}
	if (s->having_at != 0) {
		ryde_window_sql_parse_seek(s->p, s->having_at);
		if (ryde_window_sql_condition(s->p, &having, b) != 0 ||
		    (s->p->out->having = keep(s, b)) == NULL)
			return -1;
	}
	return 0;
}

static int
make_keys(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		const struct ryde_window_sql_column *c = find_column(s, s->keys[i]);

		if (s->table != NULL && c == NULL)
			return ryde_window_sql_parse_fail(
			    s->p, s->keys_at[i], "the table has no such column");
		if (c != NULL && c->source != RYDE_WINDOW_SQL_FIELD)
			return ryde_window_sql_parse_fail(s->p, s->keys_at[i],
			    "a key that the payload does not have is not supported");
		if (strcmp(s->key_names[i], c != NULL ? c->field : s->keys[i]) != 0)
			ryde_buf_printf(b, "%s=", s->key_names[i]);
		ryde_window_sql_parse_put_path(b, c != NULL ? c->field : s->keys[i]);
		s->p->out->by[i] = keep(s, b);
		if (s->p->out->by[i] == NULL)
			return -1;
		s->p->out->n_by++;
	}
	return 0;
}

/* -t and --lateness. */
static int
make_time(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	const struct ryde_window_sql_column *c = find_column(s, s->time);
	struct ryde_window_sql *out = s->p->out;

	if (s->table != NULL && c == NULL)
		return ryde_window_sql_parse_fail(
		    s->p, s->window_at, "the table has no column of that time");
	if (c != NULL && c->source == RYDE_WINDOW_SQL_OTHER)
		return ryde_window_sql_parse_fail(
		    s->p, s->window_at, "metadata that is no time");
	if (c != NULL && c->source == RYDE_WINDOW_SQL_PROCTIME &&
	    strcmp(c->name, "StatusTime") == 0)
		return 0; /* what ryde-window takes by itself: the field, else arrival */
	if (c != NULL && c->source != RYDE_WINDOW_SQL_FIELD)
		ryde_buf_puts(b, "arrival");
	else
		ryde_window_sql_parse_put_path(b, c != NULL ? c->field : s->time);
	if ((out->time = keep(s, b)) == NULL)
		return -1;
	if (s->table == NULL || !s->table->has_watermark || s->table->delay_ms == 0 ||
	    &s->table->columns[s->table->time] != c)
		return 0;
	ryde_window_sql_parse_put_duration(b, s->table->delay_ms);
	return (out->lateness = keep(s, b)) != NULL ? 0 : -1;
}

static int
make_window(struct ryde_window_sql_query *s, struct ryde_buf *b)
{
	struct ryde_window_sql *out = s->p->out;
	bool two = ryde_window_sql_query_spans(s->window) == 2;
	const char *span;

	/* SIZE/SLIDE, where Flink has the slide first. */
	ryde_window_sql_parse_put_duration(b, s->spans_ms[two]);
	if (two) {
		ryde_buf_putc(b, '/');
		ryde_window_sql_parse_put_duration(b, s->spans_ms[0]);
	}
	if ((span = keep(s, b)) == NULL)
		return -1;
	*(s->window == RYDE_WINDOW_SQL_TUMBLE	   ? &out->tumble
	    : s->window == RYDE_WINDOW_SQL_HOP	   ? &out->hop
	    : s->window == RYDE_WINDOW_SQL_SESSION ? &out->session
						   : &out->cumulate) = span;
	if (s->n_spans <= ryde_window_sql_query_spans(s->window) ||
	    s->spans_ms[s->n_spans - 1] == 0)
		return 0;
	/* An offset moves all windows: one step back is the rest of a step forward. */
	if (s->spans_ms[s->n_spans - 1] < 0) {
		int64_t period_ms = s->window == RYDE_WINDOW_SQL_CUMULATE
					? s->spans_ms[1]
					: s->spans_ms[0];

		s->spans_ms[s->n_spans - 1] =
		    period_ms + s->spans_ms[s->n_spans - 1] % period_ms;
	}
	ryde_window_sql_parse_put_duration(b, s->spans_ms[s->n_spans - 1]);
	return (out->offset = keep(s, b)) != NULL ? 0 : -1;
}

/* The programs on both sides. */
static int
make_streams(struct ryde_window_sql_query *s, const struct ryde_window_sql_table *sink,
    struct ryde_buf *b)
{
	struct ryde_window_sql *out = s->p->out;
	const struct ryde_window_sql_table *t = s->table;

	if (t != NULL && t->stream != NULL) {
		out->source = t->stream;
		out->group = sink != NULL ? sink->name : "window";
		if (t->from != NULL && strstr(t->from, "LATEST") != NULL)
			out->from = "end";
		else if (t->from != NULL && strstr(t->from, "TIMESTAMP") != NULL)
			out->from = t->from_time;
	}
	if (sink == NULL || sink->stream == NULL)
		return 0;
	out->sink = sink->stream;
	if (sink->key == NULL)
		return 0;
	ryde_window_sql_parse_put_path(b, sink->key);
	return (out->key = keep(s, b)) != NULL ? 0 : -1;
}

static int
parse_clauses(struct ryde_window_sql_query *s)
{
	if (skip_to(s, "FROM", "FROM") != 0 ||
	    ryde_window_sql_parse_expect(s->p, "FROM") != 0 ||
	    ryde_window_sql_query_from(s) != 0)
		return -1;
	if (ryde_window_sql_parse_accept(s->p, "WHERE")) {
		s->where_at = s->p->word.at;
		if (skip_to(s, "GROUP", "HAVING") != 0)
			return -1;
	}
	if (parse_group(s) != 0)
		return -1;
	if (ryde_window_sql_parse_accept(s->p, "HAVING")) {
		s->having_at = s->p->word.at;
		if (skip_to(s, "ORDER", "LIMIT") != 0)
			return -1;
	}
	if (s->p->word.kind != RYDE_WINDOW_SQL_WORD_END &&
	    !ryde_window_sql_parse_is(s->p, ";"))
		return ryde_window_sql_parse_unsupported(s->p, "this");
	return 0;
}

int
ryde_window_sql_select(struct ryde_window_sql_parse *p, const char *sink,
    const char *const *names, size_t n_names)
{
	struct ryde_window_sql_query s = {.p = p};
	struct sink k = {
	    names, n_names, sink != NULL ? ryde_window_sql_table_find(p, sink) : NULL};
	size_t items_at = p->word.at, end_at;
	struct ryde_buf b;
	int rc = -1;

	if (sink != NULL && k.table == NULL && p->n_tables > 0)
		return ryde_window_sql_parse_fail(
		    p, p->word.at, "nobody created the table of INSERT INTO before this");
	ryde_buf_init(&b, TEXT_MAX);
	if (parse_clauses(&s) != 0)
		goto out;
	end_at = p->word.at;
	ryde_window_sql_parse_seek(p, items_at);
	if (select_items(&s, &k) != 0 || make_conditions(&s, &b) != 0)
		goto out;
	ryde_window_sql_parse_seek(p, end_at);
	if (make_keys(&s, &b) == 0 && make_time(&s, &b) == 0 && make_window(&s, &b) == 0)
		rc = make_streams(&s, k.table, &b);
out:
	ryde_buf_free(&b);
	return rc;
}
