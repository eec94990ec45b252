#include "engine/window_sql_query.h"

#include <string.h>

static const char *const window_names[] = {"", "TUMBLE", "HOP", "CUMULATE", "SESSION"};

/* ---- columns ---- */

/* A column of the source: its own name, or with the table's before it. */
const char *
ryde_window_sql_query_column(struct ryde_window_sql_query *s)
{
	const char *name = ryde_window_sql_parse_name(s->p);

	if (name == NULL || !ryde_window_sql_parse_is(s->p, "."))
		return name;
	if ((s->alias != NULL && strcmp(name, s->alias) == 0) ||
	    (s->from != NULL && strcmp(name, s->from) == 0)) {
		ryde_window_sql_parse_next(s->p);
		return ryde_window_sql_parse_name(s->p);
	}
	return name;
}

/* ---- windows ---- */

enum ryde_window_sql_window
ryde_window_sql_query_window(const struct ryde_window_sql_parse *p)
{
	for (int i = RYDE_WINDOW_SQL_TUMBLE; i <= RYDE_WINDOW_SQL_SESSION; i++) {
		if (ryde_window_sql_parse_is(p, window_names[i]))
			return (enum ryde_window_sql_window)i;
	}
	return RYDE_WINDOW_SQL_NONE;
}

/* How many intervals a window needs. */
size_t
ryde_window_sql_query_spans(enum ryde_window_sql_window w)
{
	return w == RYDE_WINDOW_SQL_HOP || w == RYDE_WINDOW_SQL_CUMULATE ? 2 : 1;
}

/* Intervals up to the bracket that closes. */
static int
parse_spans(struct ryde_window_sql_query *s, enum ryde_window_sql_window w,
    int64_t *spans_ms, size_t *n, size_t most)
{
	size_t at = s->p->word.at;

	for (*n = 0; *n < most && !ryde_window_sql_parse_is(s->p, ")"); ++*n) {
		if ((*n > 0 && ryde_window_sql_parse_expect(s->p, ",") != 0) ||
		    ryde_window_sql_parse_interval(s->p, &spans_ms[*n]) != 0)
			return -1;
		if (*n < ryde_window_sql_query_spans(w) && spans_ms[*n] <= 0)
			return ryde_window_sql_parse_fail(
			    s->p, at, "an interval that is not positive");
	}
	if (*n < ryde_window_sql_query_spans(w))
		return ryde_window_sql_parse_fail(s->p, at, "an interval is missing");
	return ryde_window_sql_parse_expect(s->p, ")");
}

/* TUMBLE(time, INTERVAL …) of GROUP BY. */
int
ryde_window_sql_query_group_window(struct ryde_window_sql_query *s)
{
	if (s->window != RYDE_WINDOW_SQL_NONE)
		return ryde_window_sql_parse_unsupported(s->p, "a second window");
	s->window = ryde_window_sql_query_window(s->p);
	s->window_at = s->p->word.at;
	if (s->window == RYDE_WINDOW_SQL_CUMULATE)
		return ryde_window_sql_parse_unsupported(s->p, "CUMULATE in GROUP BY");
	ryde_window_sql_parse_next(s->p);
	if (ryde_window_sql_parse_expect(s->p, "(") != 0 ||
	    (s->time = ryde_window_sql_query_column(s)) == NULL ||
	    ryde_window_sql_parse_expect(s->p, ",") != 0)
		return -1;
	return parse_spans(s, s->window, s->spans_ms, &s->n_spans,
	    ryde_window_sql_query_spans(s->window));
}

/* name => in front of an argument. */
static void
skip_label(struct ryde_window_sql_query *s)
{
	struct ryde_window_sql_word behind =
	    ryde_window_sql_word_at(s->p->text, s->p->word.at + s->p->word.text.n);

	if (ryde_window_sql_word_is(&behind, "=>")) {
		ryde_window_sql_parse_next(s->p);
		ryde_window_sql_parse_next(s->p);
	}
}

static int
parse_table_name(struct ryde_window_sql_query *s)
{
	s->from = ryde_window_sql_parse_name(s->p);
	if (s->from == NULL)
		return -1;
	if (ryde_window_sql_parse_is(s->p, "."))
		return ryde_window_sql_parse_unsupported(s->p, "a catalog or a database");
	s->table = ryde_window_sql_table_find(s->p, s->from);
	if (s->table == NULL && s->p->n_tables > 0)
		return ryde_window_sql_parse_fail(
		    s->p, s->p->word.at, "nobody created the table before this");
	return 0;
}

/* Named intervals come in any order: they are put where they stand without names. */
static int
parse_named_spans(struct ryde_window_sql_query *s)
{
	static const struct {
		const char *name;
		size_t place[RYDE_WINDOW_SQL_SESSION + 1]; /* by window; 3: none */
	} names[] = {{"SIZE", {3, 0, 1, 1, 3}}, {"SLIDE", {3, 3, 0, 3, 3}},
	    {"STEP", {3, 3, 3, 0, 3}}, {"GAP", {3, 3, 3, 3, 0}},
	    {"OFFSET", {3, 1, 2, 2, 3}}};
	bool seen[4] = {false};
	size_t place;

	do {
		size_t i = 0;

		while (i < sizeof(names) / sizeof(names[0]) &&
		       !ryde_window_sql_parse_is(s->p, names[i].name))
			i++;
		if (i == sizeof(names) / sizeof(names[0]) ||
		    (place = names[i].place[s->window]) == 3 || seen[place])
			return ryde_window_sql_parse_unsupported(s->p, "this argument");
		skip_label(s);
		if (ryde_window_sql_parse_interval(s->p, &s->spans_ms[place]) != 0)
			return -1;
		seen[place] = true;
		if (place < ryde_window_sql_query_spans(s->window) &&
		    s->spans_ms[place] <= 0)
			return ryde_window_sql_parse_fail(
			    s->p, s->p->word.at, "an interval that is not positive");
		s->n_spans = place >= s->n_spans ? place + 1 : s->n_spans;
	} while (ryde_window_sql_parse_accept(s->p, ","));
	for (size_t i = 0; i < ryde_window_sql_query_spans(s->window); i++) {
		if (!seen[i])
			return ryde_window_sql_parse_fail(
			    s->p, s->p->word.at, "an interval is missing");
	}
	return ryde_window_sql_parse_expect(s->p, ")");
}

/* TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL …) of FROM. */
static int
parse_window_function(struct ryde_window_sql_query *s)
{
	struct ryde_window_sql_word behind;

	s->window = ryde_window_sql_query_window(s->p);
	s->window_at = s->p->word.at;
	s->is_function = true;
	ryde_window_sql_parse_next(s->p);
	if (ryde_window_sql_parse_expect(s->p, "(") != 0)
		return -1;
	skip_label(s);
	if (ryde_window_sql_parse_expect(s->p, "TABLE") != 0 || parse_table_name(s) != 0)
		return -1;
	if (ryde_window_sql_parse_accept(s->p, "PARTITION")) {
		/* The keys of GROUP BY are what separates sessions. */
		if (ryde_window_sql_parse_expect(s->p, "BY") != 0)
			return -1;
		if (ryde_window_sql_parse_is(s->p, "(")) {
			if (ryde_window_sql_parse_skip_brackets(s->p) != 0)
				return -1;
		} else if (ryde_window_sql_parse_name(s->p) == NULL) {
			return -1;
		}
	}
	if (ryde_window_sql_parse_expect(s->p, ",") != 0)
		return -1;
	skip_label(s);
	if (ryde_window_sql_parse_expect(s->p, "DESCRIPTOR") != 0 ||
	    ryde_window_sql_parse_expect(s->p, "(") != 0 ||
	    (s->time = ryde_window_sql_parse_name(s->p)) == NULL ||
	    ryde_window_sql_parse_expect(s->p, ")") != 0 ||
	    ryde_window_sql_parse_expect(s->p, ",") != 0)
		return -1;
	behind = ryde_window_sql_word_at(s->p->text, s->p->word.at + s->p->word.text.n);
	if (ryde_window_sql_word_is(&behind, "=>"))
		return parse_named_spans(s);
	return parse_spans(s, s->window, s->spans_ms, &s->n_spans,
	    ryde_window_sql_query_spans(s->window) +
		(s->window != RYDE_WINDOW_SQL_SESSION));
}

int
ryde_window_sql_query_from(struct ryde_window_sql_query *s)
{
	if (ryde_window_sql_parse_accept(s->p, "TABLE")) {
		if (ryde_window_sql_parse_expect(s->p, "(") != 0)
			return -1;
		if (ryde_window_sql_query_window(s->p) == RYDE_WINDOW_SQL_NONE)
			return ryde_window_sql_parse_unsupported(
			    s->p, "this table function");
		if (parse_window_function(s) != 0 ||
		    ryde_window_sql_parse_expect(s->p, ")") != 0)
			return -1;
	} else if (ryde_window_sql_parse_is(s->p, "(")) {
		return ryde_window_sql_parse_unsupported(s->p, "a query inside a query");
	} else if (ryde_window_sql_query_window(s->p) != RYDE_WINDOW_SQL_NONE) {
		if (parse_window_function(s) != 0)
			return -1;
	} else if (parse_table_name(s) != 0) {
		return -1;
	}
	if (ryde_window_sql_parse_accept(s->p, "AS") ||
	    s->p->word.kind == RYDE_WINDOW_SQL_WORD_QUOTED ||
	    (s->p->word.kind == RYDE_WINDOW_SQL_WORD_NAME &&
		!ryde_window_sql_parse_is(s->p, "WHERE") &&
		!ryde_window_sql_parse_is(s->p, "GROUP") &&
		!ryde_window_sql_parse_is(s->p, "HAVING") &&
		!ryde_window_sql_parse_is(s->p, "JOIN") &&
		!ryde_window_sql_parse_is(s->p, "LEFT") &&
		!ryde_window_sql_parse_is(s->p, "INNER") &&
		!ryde_window_sql_parse_is(s->p, "ORDER") &&
		!ryde_window_sql_parse_is(s->p, "LIMIT") &&
		!ryde_window_sql_parse_is(s->p, "FOR") &&
		!ryde_window_sql_parse_is(s->p, "MATCH_RECOGNIZE") &&
		!ryde_window_sql_parse_is(s->p, "UNION"))) {
		s->alias = ryde_window_sql_parse_name(s->p);
		if (s->alias == NULL)
			return -1;
	}
	return ryde_window_sql_parse_is(s->p, ",")
		   ? ryde_window_sql_parse_unsupported(s->p, "a second table")
		   : 0;
}

/* TUMBLE_START(time, INTERVAL …) must speak of the window of GROUP BY. */
static int
parse_bound(struct ryde_window_sql_query *s, enum ryde_window_sql_window w, size_t at)
{
	int64_t spans_ms[3];
	const char *time;
	size_t n;

	ryde_window_sql_parse_next(s->p);
	if (ryde_window_sql_parse_expect(s->p, "(") != 0 ||
	    (time = ryde_window_sql_query_column(s)) == NULL ||
	    ryde_window_sql_parse_expect(s->p, ",") != 0 ||
	    parse_spans(s, w, spans_ms, &n, ryde_window_sql_query_spans(w)) != 0)
		return -1;
	if (s->is_function || w != s->window || strcmp(time, s->time) != 0 ||
	    memcmp(spans_ms, s->spans_ms, n * sizeof(*spans_ms)) != 0)
		return ryde_window_sql_parse_fail(
		    s->p, at, "this is not the window of GROUP BY");
	return 0;
}

/* start or end, where a bound of the window stands; NULL where not, or err is set. */
const char *
ryde_window_sql_query_bound(struct ryde_window_sql_query *s, bool *failed)
{
	size_t at = s->p->word.at;
	char name[32];

	*failed = false;
	if (s->is_function && (ryde_window_sql_parse_is(s->p, "WINDOW_START") ||
				  ryde_window_sql_parse_is(s->p, "WINDOW_END"))) {
		bool start = ryde_window_sql_parse_is(s->p, "WINDOW_START");

		ryde_window_sql_parse_next(s->p);
		return start ? "start" : "end";
	}
	for (int w = RYDE_WINDOW_SQL_TUMBLE; w <= RYDE_WINDOW_SQL_SESSION; w++) {
		size_t n = strlen(window_names[w]);

		memcpy(name, window_names[w], n);
		memcpy(name + n, "_START", sizeof("_START"));
		if (ryde_window_sql_parse_is(s->p, name)) {
			*failed = parse_bound(s, (enum ryde_window_sql_window)w, at) != 0;
			return *failed ? NULL : "start";
		}
		memcpy(name + n, "_END", sizeof("_END"));
		if (ryde_window_sql_parse_is(s->p, name)) {
			*failed = parse_bound(s, (enum ryde_window_sql_window)w, at) != 0;
			return *failed ? NULL : "end";
		}
	}
	return NULL;
}
