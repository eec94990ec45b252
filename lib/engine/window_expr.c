#include "engine/window_expr.h"

#include "base/err.h"
#include "engine/window_expr_word.h"
#include "json/path.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

struct parse {
	struct ryde_window_expr *e;
	struct ryde_window_expr_word word; /* the one that is looked at */
	struct ryde_view text;
	struct ryde_json_paths *paths;
	ryde_window_expr_call *call;
	void *arg;
	unsigned depth;
	size_t *at;
	struct ryde_err *err;
};

static int parse_or(struct parse *p, size_t *node);

static int
fail(struct parse *p, const char *what)
{
	*p->at = p->word.at;
	return ryde_err_set(p->err, RYDE_EUSAGE, "%s", what);
}

/* Goes on to the next word, and writes the last one down. */
static int
advance(struct parse *p)
{
	struct ryde_buf *to = &p->e->text;
	size_t from = to->n;

	if (p->word.kind != RYDE_WINDOW_EXPR_WORD_NONE) {
		if (to->n > 0)
			ryde_buf_putc(to, ' ');
		from = to->n;
		ryde_buf_view(to, p->word.text);
		for (size_t i = from;
		     p->word.kind == RYDE_WINDOW_EXPR_WORD_NAME && i < to->n; i++)
			to->p[i] |= 0x20; /* letters: lower case */
		if (ryde_buf_check(to, p->err) != 0)
			return -1;
	}
	if (ryde_window_expr_word_next(&p->word, p->text, p->err) != 0) {
		*p->at = p->word.at;
		return -1;
	}
	return 0;
}

static bool
is_word(const struct parse *p, const char *name)
{
	return ryde_window_expr_word_is(&p->word, name);
}

/* Takes the word where it is the one that is named. 1, 0, or -1. */
static int
accept(struct parse *p, const char *name)
{
	if (!is_word(p, name))
		return 0;
	return advance(p) == 0 ? 1 : -1;
}

static int
expect(struct parse *p, const char *name, const char *what)
{
	int rc = accept(p, name);

	return rc == 0 ? fail(p, what) : rc < 0 ? -1 : 0;
}

static int
add_node(struct parse *p, const struct ryde_window_expr_node *node, size_t *index)
{
	struct ryde_window_expr *e = p->e;
	struct ryde_window_expr_node *nodes;
	size_t cap = e->cap_nodes != 0 ? 2 * e->cap_nodes : 8;

	if (e->n_nodes == e->cap_nodes) {
		nodes = realloc(e->nodes, cap * sizeof(*nodes));
		if (nodes == NULL)
			return ryde_err_nomem(p->err);
		e->nodes = nodes;
		e->cap_nodes = cap;
	}
	e->nodes[e->n_nodes] = *node;
	*index = e->n_nodes++;
	return 0;
}

static struct ryde_window_expr_operand *
add_operand(struct parse *p)
{
	struct ryde_window_expr *e = p->e;
	struct ryde_window_expr_operand *operands;
	size_t cap = e->cap_operands != 0 ? 2 * e->cap_operands : 8;

	if (e->n_operands == RYDE_WINDOW_EXPR_OPERANDS_MAX) {
		(void)fail(p, "a condition of so many parts");
		return NULL;
	}
	if (e->n_operands == e->cap_operands) {
		operands = realloc(e->operands, cap * sizeof(*operands));
		if (operands == NULL) {
			(void)ryde_err_nomem(p->err);
			return NULL;
		}
		e->operands = operands;
		e->cap_operands = cap;
	}
	memset(&e->operands[e->n_operands], 0, sizeof(*e->operands));
	return &e->operands[e->n_operands++];
}

static int
set_literal(struct parse *p, struct ryde_window_expr_operand *o, enum ryde_json_kind kind,
    struct ryde_view text)
{
	char *own = ryde_view_copy(text);

	if (own == NULL)
		return ryde_err_nomem(p->err);
	o->source = RYDE_WINDOW_EXPR_LITERAL;
	o->own = own;
	o->literal = (struct ryde_json_value){kind, false, ryde_view_mem(own, text.n)};
	if (kind != RYDE_JSON_NUMBER)
		return 0;
	ryde_window_number_read(&o->number, o->literal.text);
	if (o->number.small)
		return 0;
	if (ryde_decimal_parse(&o->exact, o->literal.text, p->err) != 0) {
		*p->at = p->word.at;
		if (p->err != NULL && p->err->code == RYDE_EDATA)
			p->err->code = RYDE_EUSAGE;
		return -1;
	}
	return 0;
}

/* A string in either sort of quotes. */
static int
set_string(struct parse *p, struct ryde_window_expr_operand *o)
{
	struct ryde_buf plain;
	int rc;

	ryde_buf_init(&plain, RYDE_WINDOW_EXPR_TEXT_MAX);
	ryde_window_expr_word_string(&p->word, &plain);
	rc = ryde_buf_check(&plain, p->err);
	if (rc == 0)
		rc = set_literal(p, o, RYDE_JSON_STRING, ryde_buf_as_view(&plain));
	ryde_buf_free(&plain);
	return rc;
}

static int
set_path(struct parse *p, struct ryde_window_expr_operand *o)
{
	char *path = ryde_view_copy(p->word.text);
	int rc;

	if (path == NULL)
		return ryde_err_nomem(p->err);
	rc = ryde_json_paths_add(p->paths, path, &o->index, p->err);
	free(path);
	o->source = RYDE_WINDOW_EXPR_PATH;
	*p->at = p->word.at;
	return rc;
}

static int
set_call(struct parse *p, struct ryde_window_expr_operand *o)
{
	if (p->call == NULL)
		return fail(p, "a function, where there can be none");
	o->source = RYDE_WINDOW_EXPR_CALL;
	*p->at = p->word.at;
	return p->call(p->arg, p->word.text, &o->index, p->err);
}

static int
parse_operand(struct parse *p)
{
	struct ryde_window_expr_operand *o = add_operand(p);
	int rc = -1;

	if (o == NULL)
		return -1;
	if (is_word(p, "null"))
		return fail(p, "nothing compares with null: say 'is null'");
	if (p->word.kind == RYDE_WINDOW_EXPR_WORD_PATH)
		rc = set_path(p, o);
	else if (p->word.kind == RYDE_WINDOW_EXPR_WORD_CALL)
		rc = set_call(p, o);
	else if (p->word.kind == RYDE_WINDOW_EXPR_WORD_STRING)
		rc = set_string(p, o);
	else if (p->word.kind == RYDE_WINDOW_EXPR_WORD_NUMBER)
		rc = set_literal(p, o, RYDE_JSON_NUMBER, p->word.text);
	else if (is_word(p, "true"))
		rc = set_literal(p, o, RYDE_JSON_TRUE, ryde_view_of("true"));
	else if (is_word(p, "false"))
		rc = set_literal(p, o, RYDE_JSON_FALSE, ryde_view_of("false"));
	else
		return fail(p, "here a path such as .Name or a literal must stand");
	return rc == 0 ? advance(p) : -1;
}

static bool
take_op(const struct parse *p, enum ryde_window_expr_op *op)
{
	static const struct {
		const char *text;
		enum ryde_window_expr_op op;
	} ops[] = {{"=", RYDE_WINDOW_EXPR_EQ}, {"==", RYDE_WINDOW_EXPR_EQ},
	    {"<>", RYDE_WINDOW_EXPR_NE}, {"!=", RYDE_WINDOW_EXPR_NE},
	    {"<", RYDE_WINDOW_EXPR_LT}, {"<=", RYDE_WINDOW_EXPR_LE},
	    {">", RYDE_WINDOW_EXPR_GT}, {">=", RYDE_WINDOW_EXPR_GE}};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (is_word(p, ops[i].text)) {
			*op = ops[i].op;
			return true;
		}
	}
	return false;
}

static int
parse_in(struct parse *p)
{
	int more;

	if (expect(p, "(", "behind 'in' stands a list in brackets") != 0)
		return -1;
	do {
		if (parse_operand(p) != 0 || (more = accept(p, ",")) < 0)
			return -1;
	} while (more > 0);
	return expect(p, ")", "the ) of the list is missing");
}

static int
parse_like(struct parse *p)
{
	if (p->word.kind != RYDE_WINDOW_EXPR_WORD_STRING)
		return fail(p, "behind 'like' stands a pattern in quotes");
	return parse_operand(p);
}

static int
parse_between(struct parse *p)
{
	if (parse_operand(p) != 0 ||
	    expect(p, "and", "'between' wants two values with 'and' between them") != 0)
		return -1;
	return parse_operand(p);
}

/* What may follow an operand, `not` included. */
static int
parse_predicate(struct parse *p, struct ryde_window_expr_node *node)
{
	static const struct {
		const char *word;
		enum ryde_window_expr_kind kind;
		int (*parse)(struct parse *p);
	} predicates[] = {{"in", RYDE_WINDOW_EXPR_IN, parse_in},
	    {"between", RYDE_WINDOW_EXPR_BETWEEN, parse_between},
	    {"like", RYDE_WINDOW_EXPR_LIKE, parse_like}};
	int not = accept(p, "not"), rc;

	if (not < 0)
		return -1;
	node->negated = not > 0;
	for (size_t i = 0; i < sizeof(predicates) / sizeof(predicates[0]); i++) {
		rc = accept(p, predicates[i].word);
		if (rc == 0)
			continue;
		node->kind = predicates[i].kind;
		return rc < 0 ? -1 : predicates[i].parse(p);
	}
	if (node->negated)
		return fail(p, "behind 'not' stands 'in', 'between' or 'like'");
	node->kind = RYDE_WINDOW_EXPR_TRUTH;
	return 0;
}

static int
parse_is(struct parse *p, struct ryde_window_expr_node *node)
{
	int not = accept(p, "not");

	if (not < 0)
		return -1;
	node->kind = RYDE_WINDOW_EXPR_NULL;
	node->negated = not > 0;
	return expect(p, "null", "behind 'is' stands 'null' or 'not null'");
}

static int
parse_comparison(struct parse *p, size_t *index)
{
	struct ryde_window_expr_node node = {.first = p->e->n_operands};
	int is, rc;

	if (parse_operand(p) != 0)
		return -1;
	if (take_op(p, &node.op)) {
		node.kind = RYDE_WINDOW_EXPR_COMPARE;
		rc = advance(p) == 0 ? parse_operand(p) : -1;
	} else {
		is = accept(p, "is");
		rc = is < 0   ? -1
		     : is > 0 ? parse_is(p, &node)
			      : parse_predicate(p, &node);
	}
	node.operands = p->e->n_operands - node.first;
	return rc == 0 ? add_node(p, &node, index) : -1;
}

static int
parse_not(struct parse *p, size_t *index)
{
	struct ryde_window_expr_node node = {.kind = RYDE_WINDOW_EXPR_NOT};
	int rc = accept(p, "not");

	if (rc < 0)
		return -1;
	if (rc == 0 && !is_word(p, "("))
		return parse_comparison(p, index);
	if (++p->depth > RYDE_WINDOW_EXPR_DEPTH_MAX)
		return fail(p, "brackets too deep");
	if (rc > 0)
		rc = parse_not(p, &node.left) == 0 ? add_node(p, &node, index) : -1;
	else
		rc = advance(p) == 0 && parse_or(p, index) == 0
			 ? expect(p, ")", "the ) is missing")
			 : -1;
	p->depth--;
	return rc;
}

/* Parts joined by one word, from left to right. */
static int
parse_chain(struct parse *p, const char *word, enum ryde_window_expr_kind kind,
    int (*part)(struct parse *, size_t *), size_t *index)
{
	struct ryde_window_expr_node node = {.kind = kind};
	int rc;

	if (part(p, index) != 0)
		return -1;
	while ((rc = accept(p, word)) > 0) {
		node.left = *index;
		if (part(p, &node.right) != 0 || add_node(p, &node, index) != 0)
			return -1;
	}
	return rc;
}

static int
parse_and(struct parse *p, size_t *index)
{
	return parse_chain(p, "and", RYDE_WINDOW_EXPR_AND, parse_not, index);
}

static int
parse_or(struct parse *p, size_t *index)
{
	return parse_chain(p, "or", RYDE_WINDOW_EXPR_OR, parse_and, index);
}

struct ryde_window_expr *
ryde_window_expr_new(struct ryde_view text, struct ryde_json_paths *paths,
    ryde_window_expr_call *call, void *arg, size_t *at, struct ryde_err *err)
{
	size_t unused;
	struct parse p = {.text = text,
	    .paths = paths,
	    .call = call,
	    .arg = arg,
	    .at = at != NULL ? at : &unused,
	    .err = err};

	*p.at = 0;
	if (text.n > RYDE_WINDOW_EXPR_TEXT_MAX) {
		(void)ryde_err_set(err, RYDE_EUSAGE, "a condition of more than %d bytes",
		    RYDE_WINDOW_EXPR_TEXT_MAX);
		return NULL;
	}
	p.e = calloc(1, sizeof(*p.e));
	if (p.e == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	p.e->paths = paths;
	ryde_buf_init(&p.e->text, (size_t)2 * RYDE_WINDOW_EXPR_TEXT_MAX);
	ryde_buf_init(&p.e->a, RYDE_WINDOW_EXPR_STRING_MAX);
	ryde_buf_init(&p.e->b, RYDE_WINDOW_EXPR_STRING_MAX);
	if (advance(&p) != 0 || parse_or(&p, &p.e->root) != 0)
		goto fail;
	if (p.word.kind != RYDE_WINDOW_EXPR_WORD_END) {
		(void)fail(&p, "behind the condition stands something else");
		goto fail;
	}
	return p.e;
fail:
	ryde_window_expr_free(p.e);
	return NULL;
}

void
ryde_window_expr_free(struct ryde_window_expr *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n_operands; i++) {
		free(e->operands[i].own);
		ryde_decimal_free(&e->operands[i].exact);
	}
	free(e->operands);
	free(e->nodes);
	ryde_buf_free(&e->text);
	ryde_buf_free(&e->a);
	ryde_buf_free(&e->b);
	ryde_decimal_free(&e->x);
	ryde_decimal_free(&e->y);
	free(e);
}
