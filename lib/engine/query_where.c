#include "engine/query_where.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_number.h"
#include "engine/query_source.h"
#include "engine/query_sql.h"
#include "json/scan.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define LITERAL_MAX ((size_t)1000) /* of text; longer patterns are SQLite's to refuse */
#define DEPTH_MAX 32

/* SQL's logic: AND is the lesser one, NOT what is missing to TRUE. */
#define FALSE 0
#define UNKNOWN 1
#define TRUE 2

struct parser {
	struct ryde_query_where *w;
	struct ryde_view *rest;
	struct ryde_err *err;
	int depth;
};

static int read_or(struct parser *p, size_t *node);

/* ---- reading ---- */

static int
add_node(struct parser *p, struct ryde_query_where_node node, size_t *at)
{
	if (p->w->n == RYDE_QUERY_WHERE_MAX)
		return RYDE_QUERY_PLAIN;
	*at = p->w->n;
	p->w->nodes[p->w->n++] = node;
	return 0;
}

static int
add_pair(struct parser *p, enum ryde_query_where_kind kind, size_t left, size_t right,
    size_t *at)
{
	return add_node(p,
	    (struct ryde_query_where_node){.kind = kind, .left = left, .right = right},
	    at);
}

/* A number that SQLite reads as the one that we read: INTEGER, or a REAL of few digits.
 */
static int
read_number(struct parser *p, struct ryde_view text, struct ryde_query_scalar *to)
{
	struct ryde_json_value value = {.kind = RYDE_JSON_NUMBER, .text = text};
	struct ryde_buf work;
	int rc;

	ryde_buf_init(&work, LITERAL_MAX * 8);
	rc = ryde_query_scalar(to, &value, &work, p->err);
	ryde_buf_free(&work);
	if (rc == 0 && to->kind == RYDE_QUERY_SCALAR_REAL &&
	    !ryde_query_number_is_short(to->real))
		return RYDE_QUERY_PLAIN;
	return rc;
}

static int
read_literal(struct parser *p)
{
	struct ryde_query_where *w = p->w;
	struct ryde_query_scalar *to;
	struct ryde_view text;
	struct ryde_buf plain;
	bool number;

	if (w->n_literals == RYDE_QUERY_WHERE_MAX ||
	    !ryde_query_sql_literal(p->rest, &text, &number) || text.n > LITERAL_MAX)
		return RYDE_QUERY_PLAIN;
	to = &w->literals[w->n_literals];
	if (number) {
		w->n_literals++;
		return read_number(p, text, to);
	}
	ryde_buf_init(&plain, LITERAL_MAX);
	ryde_query_sql_unquote(&plain, text);
	w->texts[w->n_literals] = ryde_view_copy(ryde_buf_as_view(&plain));
	to->kind = RYDE_QUERY_SCALAR_TEXT;
	to->text = ryde_view_of(w->texts[w->n_literals]);
	ryde_buf_free(&plain);
	if (w->texts[w->n_literals++] == NULL)
		return ryde_err_nomem(p->err);
	return 0;
}

/* Takes an operator, without blanks in it. */
static int
read_sign(struct parser *p, int *op, bool * not )
{
	static const struct {
		const char *sign;
		int op;
		bool not ;
	} signs[] = {
	    {"<>", SQLITE_INDEX_CONSTRAINT_EQ, true},
	    {"!=", SQLITE_INDEX_CONSTRAINT_EQ, true},
	    {"<=", SQLITE_INDEX_CONSTRAINT_LE, false},
	    {">=", SQLITE_INDEX_CONSTRAINT_GE, false},
	    {"==", SQLITE_INDEX_CONSTRAINT_EQ, false},
	    {"=", SQLITE_INDEX_CONSTRAINT_EQ, false},
	    {"<", SQLITE_INDEX_CONSTRAINT_LT, false},
	    {">", SQLITE_INDEX_CONSTRAINT_GT, false},
	};
	struct ryde_view at = *p->rest;
	const char *begin = ryde_query_sql_next(&at).text.p;
	size_t n = begin != NULL ? (size_t)(at.p + at.n - begin) : 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (!ryde_view_starts(ryde_view_mem(begin, n), signs[i].sign))
			continue;
		*op = signs[i].op;
		*not = signs[i].not ;
		for (const char *c = signs[i].sign; *c != '\0'; c++)
			(void)ryde_query_sql_next(p->rest);
		return 0;
	}
	return RYDE_QUERY_PLAIN;
}

static int
read_between(struct parser *p, struct ryde_query_where_node node, size_t *at)
{
	size_t low = 0, high = 0;
	int rc;

	node.kind = RYDE_QUERY_WHERE_COMPARE;
	node.op = SQLITE_INDEX_CONSTRAINT_GE;
	node.n = 1;
	rc = read_literal(p);
	if (rc == 0)
		rc = add_node(p, node, &low);
	if (rc == 0 && !ryde_query_sql_take(p->rest, "and"))
		rc = RYDE_QUERY_PLAIN;
	if (rc == 0)
		rc = read_literal(p);
	node.op = SQLITE_INDEX_CONSTRAINT_LE;
	node.first++;
	if (rc == 0)
		rc = add_node(p, node, &high);
	return rc == 0 ? add_pair(p, RYDE_QUERY_WHERE_AND, low, high, at) : rc;
}

static int
read_in(struct parser *p, struct ryde_query_where_node *node)
{
	int rc;

	node->kind = RYDE_QUERY_WHERE_COMPARE;
	node->op = SQLITE_INDEX_CONSTRAINT_EQ;
	if (!ryde_query_sql_take(p->rest, "("))
		return RYDE_QUERY_PLAIN;
	do {
		rc = read_literal(p);
		node->n++;
	} while (rc == 0 && ryde_query_sql_take(p->rest, ","));
	if (rc != 0)
		return rc;
	return ryde_query_sql_take(p->rest, ")") ? 0 : RYDE_QUERY_PLAIN;
}

/* What stands behind a column. */
static int
read_test(struct parser *p, struct ryde_query_where_node *node, size_t *at, bool * not )
{
	int rc = 0;

	*not = false;
	if (ryde_query_sql_take(p->rest, "is")) {
		*not = ryde_query_sql_take(p->rest, "not");
		node->kind = RYDE_QUERY_WHERE_IS_NULL;
		rc = ryde_query_sql_take(p->rest, "null") ? 0 : RYDE_QUERY_PLAIN;
		return rc == 0 ? add_node(p, *node, at) : rc;
	}
	*not = ryde_query_sql_take(p->rest, "not");
	if (ryde_query_sql_take(p->rest, "between"))
		return read_between(p, *node, at);
	if (ryde_query_sql_take(p->rest, "like")) {
		node->kind = RYDE_QUERY_WHERE_LIKE;
		node->n = 1;
		p->w->has_like = true;
		rc = read_literal(p);
		if (rc == 0 && p->w->literals[node->first].kind != RYDE_QUERY_SCALAR_TEXT)
			rc = RYDE_QUERY_PLAIN;
	} else if (ryde_query_sql_take(p->rest, "in")) {
		rc = read_in(p, node);
	} else if (!*not ) {
		node->kind = RYDE_QUERY_WHERE_COMPARE;
		node->n = 1;
		rc = read_sign(p, &node->op, not );
		if (rc == 0)
			rc = read_literal(p);
	} else {
		rc = RYDE_QUERY_PLAIN;
	}
	return rc == 0 ? add_node(p, *node, at) : rc;
}

static int
read_one(struct parser *p, size_t *at)
{
	struct ryde_query_where_node node = {.first = p->w->n_literals};
	struct ryde_query_token t = ryde_query_sql_peek(*p->rest);
	bool not = false;
	int rc;

	if (p->depth == DEPTH_MAX)
		return RYDE_QUERY_PLAIN;
	p->depth++;
	if (ryde_query_sql_take(p->rest, "not")) {
		rc = read_one(p, at);
		not = true;
	} else if (ryde_query_sql_take(p->rest, "(")) {
		rc = read_or(p, at);
		if (rc == 0 && !ryde_query_sql_take(p->rest, ")"))
			rc = RYDE_QUERY_PLAIN;
		/* what goes on behind it is a comparison with it: see the caller */
	} else if (ryde_query_sql_is(&t, "exists") || ryde_query_sql_is(&t, "case") ||
		   ryde_query_sql_is(&t, "cast") || ryde_query_sql_is(&t, "null") ||
		   !ryde_query_sql_name(p->rest, &node.column)) {
		rc = RYDE_QUERY_PLAIN;
	} else {
		rc = read_test(p, &node, at, &not );
	}
	p->depth--;
	return rc == 0 && not ? add_pair(p, RYDE_QUERY_WHERE_NOT, *at, 0, at) : rc;
}

static int
read_and(struct parser *p, size_t *at)
{
	size_t right;
	int rc = read_one(p, at);

	while (rc == 0 && ryde_query_sql_take(p->rest, "and")) {
		rc = read_one(p, &right);
		if (rc == 0)
			rc = add_pair(p, RYDE_QUERY_WHERE_AND, *at, right, at);
	}
	return rc;
}

static int
read_or(struct parser *p, size_t *at)
{
	size_t right;
	int rc = read_and(p, at);

	while (rc == 0 && ryde_query_sql_take(p->rest, "or")) {
		rc = read_and(p, &right);
		if (rc == 0)
			rc = add_pair(p, RYDE_QUERY_WHERE_OR, *at, right, at);
	}
	return rc;
}

int
ryde_query_where_read(
    struct ryde_query_where *w, struct ryde_view *rest, struct ryde_err *err)
{
	struct parser p = {.w = w, .rest = rest, .err = err};
	int rc = read_or(&p, &w->root);

	if (rc != 0)
		return rc;
	/* parts stand before the pair that they make */
	w->nodes[w->root].certain = true;
	for (size_t i = w->n; i-- > 0;) {
		if (!w->nodes[i].certain || w->nodes[i].kind != RYDE_QUERY_WHERE_AND)
			continue;
		w->nodes[w->nodes[i].left].certain = true;
		w->nodes[w->nodes[i].right].certain = true;
	}
	return 0;
}

void
ryde_query_where_free(struct ryde_query_where *w)
{
	for (size_t i = 0; i < w->n_literals; i++)
		free(w->texts[i]);
	*w = (struct ryde_query_where){0};
}

/* ---- the source's columns ---- */

/* A literal as a test has it; a text of digits is one that reads as a number, too. */
static void
make_test(const struct ryde_query_where *w, const struct ryde_query_where_node *node,
    struct ryde_query_test *t)
{
	const struct ryde_query_scalar *l = &w->literals[node->first];
	bool digits = l->kind == RYDE_QUERY_SCALAR_TEXT && l->text.n > 0 &&
		      l->text.n <= 15 &&
		      strspn(w->texts[node->first], "0123456789") == l->text.n;

	*t = (struct ryde_query_test){.extra = node->at, .op = node->op};
	t->is_text = l->kind == RYDE_QUERY_SCALAR_TEXT;
	t->is_number = digits || (l->kind == RYDE_QUERY_SCALAR_INTEGER &&
				     l->integer <= RYDE_QUERY_SCALAR_WHOLE &&
				     l->integer >= -RYDE_QUERY_SCALAR_WHOLE);
	t->text = l->text;
	if (digits)
		for (size_t i = 0; i < l->text.n; i++)
			t->number = t->number * 10 + (l->text.p[i] - '0');
	else if (t->is_number)
		t->number = (double)l->integer;
}

size_t
ryde_query_where_tests(const struct ryde_query_where *w, struct ryde_query_test *tests)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->nodes[i].is_extra)
			make_test(w, &w->nodes[i], &tests[n++]);
	return n;
}

int
ryde_query_where_extras(const struct ryde_query_where *w,
    const struct ryde_query_source *source, struct ryde_query_cursor *c, bool *holds)
{
	struct ryde_query_test t;
	struct ryde_view text;
	int order;

	*holds = true;
	for (size_t i = 0; i < w->n && *holds; i++) {
		if (!w->nodes[i].is_extra)
			continue;
		*holds = c->ops->extra(c, w->nodes[i].at, &text);
		if (!*holds)
			break;
		make_test(w, &w->nodes[i], &t);
		order =
		    ryde_query_filter_order(&t, &source->extras[w->nodes[i].at], text);
		if (order == RYDE_QUERY_FILTER_UNSURE)
			return RYDE_QUERY_PLAIN;
		*holds = ryde_query_filter_holds(t.op, order);
	}
	return 0;
}

/* ---- the payload's columns ---- */

static int
compare(const struct ryde_query_where *w, const struct ryde_query_where_node *node,
    const struct ryde_query_scalar *s, int *is)
{
	*is = FALSE;
	for (size_t i = 0; i < node->n && *is == FALSE; i++) {
		int order = ryde_query_scalar_order(s, &w->literals[node->first + i]);

		if (order == RYDE_QUERY_SCALAR_UNSURE)
			return RYDE_QUERY_PLAIN;
		*is = ryde_query_filter_holds(node->op, order) ? TRUE : FALSE;
	}
	return 0;
}

static int
like(const struct ryde_query_where *w, const struct ryde_query_where_node *node,
    const struct ryde_query_scalar *s, struct ryde_buf *text, int *is,
    struct ryde_err *err)
{
	if (s->kind == RYDE_QUERY_SCALAR_REAL)
		return RYDE_QUERY_PLAIN;
	if (s->kind == RYDE_QUERY_SCALAR_INTEGER) {
		ryde_buf_clear(text);
		ryde_buf_i64(text, s->integer);
	} else if (s->text.p != text->p || text->n != s->text.n) {
		ryde_buf_clear(text);
		ryde_buf_view(text, s->text);
	}
	if (ryde_buf_check(text, err) != 0)
		return -1;
	*is = sqlite3_strlike(w->texts[node->first], ryde_buf_str(text), 0) == 0 ? TRUE
										 : FALSE;
	return 0;
}

static int
lesser(int a, int b)
{
	return a < b ? a : b;
}

/* What a test says of a row: FALSE, TRUE or UNKNOWN. */
static int
look(const struct ryde_query_where *w, const struct ryde_query_where_node *node,
    const struct ryde_json_value *values, struct ryde_buf *text, int *is,
    struct ryde_err *err)
{
	struct ryde_query_scalar s;
	int rc;

	if (node->kind == RYDE_QUERY_WHERE_IS_NULL) {
		*is = values[node->at].kind == RYDE_JSON_ABSENT ||
			      values[node->at].kind == RYDE_JSON_NULL
			  ? TRUE
			  : FALSE;
		return 0;
	}
	rc = ryde_query_scalar(&s, &values[node->at], text, err);
	*is = UNKNOWN;
	if (rc != 0 || s.kind == RYDE_QUERY_SCALAR_NULL)
		return rc;
	if (node->kind == RYDE_QUERY_WHERE_LIKE)
		return like(w, node, &s, text, is, err);
	return compare(w, node, &s, is);
}

int
ryde_query_where_holds(const struct ryde_query_where *w,
    const struct ryde_json_value *values, struct ryde_buf *text, bool *holds,
    struct ryde_err *err)
{
	int is[RYDE_QUERY_WHERE_MAX];
	int rc;

	for (size_t i = 0; i < w->n; i++) {
		const struct ryde_query_where_node *node = &w->nodes[i];

		switch (node->kind) {
		case RYDE_QUERY_WHERE_AND:
			is[i] = lesser(is[node->left], is[node->right]);
			break;
		case RYDE_QUERY_WHERE_OR:
			is[i] =
			    TRUE - lesser(TRUE - is[node->left], TRUE - is[node->right]);
			break;
		case RYDE_QUERY_WHERE_NOT:
			is[i] = TRUE - is[node->left];
			break;
		case RYDE_QUERY_WHERE_COMPARE:
		case RYDE_QUERY_WHERE_LIKE:
		case RYDE_QUERY_WHERE_IS_NULL:
			is[i] = TRUE;
			rc =
			    node->is_extra ? 0 : look(w, node, values, text, &is[i], err);
			if (rc != 0)
				return rc;
			break;
		}
	}
	*holds = w->n == 0 || is[w->root] == TRUE;
	return 0;
}
