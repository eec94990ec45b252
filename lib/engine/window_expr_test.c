#include "base/err.h"
#include "engine/window_expr.h"
#include "json/path.h"
#include "json/string.h"

#include <string.h>

#define SHOWN 40 /* bytes of a value in a message */

/* SQL's third value is what a comparison with nothing gives. */
enum truth { NO, YES, UNKNOWN };

struct test {
	struct ryde_window_expr *e;
	const struct ryde_json_value *values, *calls;
	struct ryde_err *err;
};

static const struct ryde_json_value *
value_of(const struct test *t, const struct ryde_window_expr_operand *o)
{
	switch (o->source) {
	case RYDE_WINDOW_EXPR_PATH:
		return &t->values[o->index];
	case RYDE_WINDOW_EXPR_CALL:
		return &t->calls[o->index];
	case RYDE_WINDOW_EXPR_LITERAL:
		break;
	}
	return &o->literal;
}

static bool
is_nothing(const struct ryde_json_value *v)
{
	return v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_NULL;
}

static bool
is_truth(enum ryde_json_kind kind)
{
	return kind == RYDE_JSON_TRUE || kind == RYDE_JSON_FALSE;
}

static const char *
sort_of(enum ryde_json_kind kind)
{
	switch (kind) {
	case RYDE_JSON_NUMBER:
		return "a number";
	case RYDE_JSON_STRING:
		return "a string";
	case RYDE_JSON_TRUE:
	case RYDE_JSON_FALSE:
		return "true or false";
	case RYDE_JSON_ARRAY:
		return "an array";
	case RYDE_JSON_OBJECT:
		return "an object";
	case RYDE_JSON_ABSENT:
	case RYDE_JSON_NULL:
		break;
	}
	return "null";
}

/* Says that an operand is not what the other side calls for. */
static int
wrong(const struct test *t, const struct ryde_window_expr_operand *o, const char *want)
{
	const struct ryde_json_value *v = value_of(t, o);
	const char *name = o->source == RYDE_WINDOW_EXPR_PATH
			       ? ryde_json_paths_text(t->e->paths, o->index)
			       : "what it is compared with";

	if (v->kind == RYDE_JSON_STRING)
		return ryde_err_set(t->err, RYDE_EDATA, "%s is not %s: \"%.*s\"", name,
		    want, (int)(v->text.n < SHOWN ? v->text.n : SHOWN), v->text.p);
	return ryde_err_set(
	    t->err, RYDE_EDATA, "%s is not %s: %s", name, want, sort_of(v->kind));
}

static int
number_of(const struct ryde_window_expr_operand *o, const struct ryde_json_value *v,
    struct ryde_window_number *n, struct ryde_decimal *exact, struct ryde_err *err)
{
	if (o->source == RYDE_WINDOW_EXPR_LITERAL) {
		*n = o->number;
		return 0;
	}
	ryde_window_number_read(n, v->text);
	return n->small ? 0 : ryde_decimal_parse(exact, v->text, err);
}

/* An exact number, also of what is small. */
static int
widen(const struct ryde_window_expr_operand *o, const struct ryde_window_number *n,
    struct ryde_decimal *to, struct ryde_err *err)
{
	if (n->small)
		return ryde_window_number_decimal(n->coefficient, n->scale, to, err);
	return o->source == RYDE_WINDOW_EXPR_LITERAL
		   ? ryde_decimal_copy(to, &o->exact, err)
		   : 0;
}

static int
compare_numbers(const struct test *t, const struct ryde_window_expr_operand *a,
    const struct ryde_window_expr_operand *b, int *cmp)
{
	struct ryde_window_number x, y;

	if (number_of(a, value_of(t, a), &x, &t->e->x, t->err) != 0 ||
	    number_of(b, value_of(t, b), &y, &t->e->y, t->err) != 0)
		return -1;
	if (x.small && y.small) {
		*cmp = ryde_window_number_cmp(&x, &y);
		return 0;
	}
	if (widen(a, &x, &t->e->x, t->err) != 0 || widen(b, &y, &t->e->y, t->err) != 0)
		return -1;
	*cmp = ryde_decimal_cmp(&t->e->x, &t->e->y);
	return 0;
}

/* A string's bytes: its own where it has no escapes, else those in the buffer. */
static int
bytes_of(const struct ryde_json_value *v, struct ryde_buf *b, struct ryde_view *bytes,
    struct ryde_err *err)
{
	*bytes = v->text;
	if (!v->escaped)
		return 0;
	ryde_buf_clear(b);
	ryde_json_string_decode(b, v->text);
	*bytes = ryde_buf_as_view(b);
	return ryde_buf_check(b, err);
}

static int
compare_strings(const struct test *t, const struct ryde_json_value *a,
    const struct ryde_json_value *b, int *cmp)
{
	struct ryde_view x, y;

	if (bytes_of(a, &t->e->a, &x, t->err) != 0 ||
	    bytes_of(b, &t->e->b, &y, t->err) != 0)
		return -1;
	*cmp = memcmp(x.n > 0 ? x.p : "", y.n > 0 ? y.p : "", x.n < y.n ? x.n : y.n);
	if (*cmp == 0)
		*cmp = (x.n > y.n) - (x.n < y.n);
	return 0;
}

/* *cmp becomes negative, 0 or positive; 1 where one of them is nothing. */
static int
compare(const struct test *t, const struct ryde_window_expr_operand *a,
    const struct ryde_window_expr_operand *b, bool ordered, int *cmp)
{
	const struct ryde_json_value *x = value_of(t, a), *y = value_of(t, b);
	/* What a literal is says what the other side should be. */
	bool literal = a->source == RYDE_WINDOW_EXPR_LITERAL;

	if (is_nothing(x) || is_nothing(y))
		return 1;
	if (x->kind == RYDE_JSON_NUMBER && y->kind == RYDE_JSON_NUMBER)
		return compare_numbers(t, a, b, cmp);
	if (x->kind == RYDE_JSON_STRING && y->kind == RYDE_JSON_STRING)
		return compare_strings(t, x, y, cmp);
	if (is_truth(x->kind) && is_truth(y->kind)) {
		if (ordered)
			return wrong(t, literal ? b : a, "a number or a string");
		*cmp = x->kind != y->kind;
		return 0;
	}
	if (x->kind == RYDE_JSON_ARRAY || x->kind == RYDE_JSON_OBJECT || !literal)
		return wrong(t, a, sort_of(y->kind));
	return wrong(t, b, sort_of(x->kind));
}

static int
test_compare(const struct test *t, const struct ryde_window_expr_node *node,
    const struct ryde_window_expr_operand *o, enum truth *is)
{
	bool ordered = node->op != RYDE_WINDOW_EXPR_EQ && node->op != RYDE_WINDOW_EXPR_NE;
	int cmp = 0, rc = compare(t, &o[0], &o[1], ordered, &cmp);
	bool holds = false;

	if (rc != 0) {
		*is = UNKNOWN;
		return rc < 0 ? -1 : 0;
	}
	switch (node->op) {
	case RYDE_WINDOW_EXPR_EQ:
		holds = cmp == 0;
		break;
	case RYDE_WINDOW_EXPR_NE:
		holds = cmp != 0;
		break;
	case RYDE_WINDOW_EXPR_LT:
		holds = cmp < 0;
		break;
	case RYDE_WINDOW_EXPR_LE:
		holds = cmp <= 0;
		break;
	case RYDE_WINDOW_EXPR_GT:
		holds = cmp > 0;
		break;
	case RYDE_WINDOW_EXPR_GE:
		holds = cmp >= 0;
		break;
	}
	*is = holds ? YES : NO;
	return 0;
}

static int
test_in(const struct test *t, const struct ryde_window_expr_operand *o, size_t n,
    enum truth *is)
{
	int cmp = 0, rc;

	*is = NO;
	for (size_t i = 1; i < n; i++) {
		rc = compare(t, &o[0], &o[i], false, &cmp);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			*is = UNKNOWN;
		} else if (cmp == 0) {
			*is = YES;
			return 0;
		}
	}
	return 0;
}

static int
test_between(
    const struct test *t, const struct ryde_window_expr_operand *o, enum truth *is)
{
	int low = 0, high = 0;
	int rc_low = compare(t, &o[0], &o[1], true, &low);
	int rc_high = rc_low < 0 ? -1 : compare(t, &o[0], &o[2], true, &high);

	if (rc_high < 0)
		return -1;
	if ((rc_low == 0 && low < 0) || (rc_high == 0 && high > 0))
		*is = NO;
	else
		*is = rc_low > 0 || rc_high > 0 ? UNKNOWN : YES;
	return 0;
}

/* Behind the character at p. */
static const char *
next_character(const char *p, const char *end)
{
	/* bytes 10xxxxxx go on with it */
	for (p++; p < end && ((unsigned char)*p & 0xc0) == 0x80; p++)
		;
	return p;
}

/* % is any run of characters, _ is one. Only the last % is ever taken back, so the time
 * is at most the product of both lengths. */
static bool
is_like(struct ryde_view text, struct ryde_view pattern)
{
	const char *s = text.p, *s_end = s + text.n;
	const char *p = pattern.p, *p_end = p + pattern.n;
	const char *again_p = NULL, *again_s = NULL;

	while (s < s_end) {
		if (p < p_end && *p == '%') {
			again_p = ++p;
			again_s = s;
		} else if (p < p_end && *p == '_') {
			p++;
			s = next_character(s, s_end);
		} else if (p < p_end && *p == *s) {
			p++;
			s++;
		} else if (again_p != NULL) {
			p = again_p;
			s = again_s = next_character(again_s, s_end);
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '%')
		p++;
	return p == p_end;
}

static int
test_like(const struct test *t, const struct ryde_window_expr_operand *o, enum truth *is)
{
	const struct ryde_json_value *v = value_of(t, &o[0]);
	struct ryde_view text;

	*is = UNKNOWN;
	if (is_nothing(v))
		return 0;
	if (v->kind != RYDE_JSON_STRING)
		return wrong(t, &o[0], "a string");
	if (bytes_of(v, &t->e->a, &text, t->err) != 0)
		return -1;
	*is = is_like(text, o[1].literal.text) ? YES : NO;
	return 0;
}

static int
test_leaf(const struct test *t, const struct ryde_window_expr_node *node, enum truth *is)
{
	const struct ryde_window_expr_operand *o = &t->e->operands[node->first];
	const struct ryde_json_value *v = value_of(t, o);
	int rc = 0;

	switch (node->kind) {
	case RYDE_WINDOW_EXPR_TRUTH:
		if (is_nothing(v))
			*is = UNKNOWN;
		else if (is_truth(v->kind))
			*is = v->kind == RYDE_JSON_TRUE ? YES : NO;
		else
			return wrong(t, o, "true or false");
		return 0;
	case RYDE_WINDOW_EXPR_NULL:
		*is = is_nothing(v) ? YES : NO;
		break;
	case RYDE_WINDOW_EXPR_COMPARE:
		return test_compare(t, node, o, is);
	case RYDE_WINDOW_EXPR_IN:
		rc = test_in(t, o, node->operands, is);
		break;
	case RYDE_WINDOW_EXPR_BETWEEN:
		rc = test_between(t, o, is);
		break;
	case RYDE_WINDOW_EXPR_LIKE:
		rc = test_like(t, o, is);
		break;
	case RYDE_WINDOW_EXPR_OR:
	case RYDE_WINDOW_EXPR_AND:
	case RYDE_WINDOW_EXPR_NOT:
		break;
	}
	if (rc == 0 && node->negated && *is != UNKNOWN)
		*is = *is == YES ? NO : YES;
	return rc;
}

/* As deep as brackets, nots and the parts of one chain together: the parser bounds them.
 */
static int
test_node(const struct test *t, size_t index, enum truth *is)
{
	const struct ryde_window_expr_node *node = &t->e->nodes[index];
	enum truth decides = node->kind == RYDE_WINDOW_EXPR_OR ? YES : NO, right = NO;

	if (node->kind == RYDE_WINDOW_EXPR_NOT) {
		if (test_node(t, node->left, is) != 0)
			return -1;
		*is = *is == UNKNOWN ? UNKNOWN : *is == YES ? NO : YES;
		return 0;
	}
	if (node->kind != RYDE_WINDOW_EXPR_OR && node->kind != RYDE_WINDOW_EXPR_AND)
		return test_leaf(t, node, is);
	if (test_node(t, node->left, is) != 0)
		return -1;
	if (*is == decides)
		return 0;
	if (test_node(t, node->right, &right) != 0)
		return -1;
	if (right == decides || *is != UNKNOWN)
		*is = right;
	return 0;
}

int
ryde_window_expr_test(struct ryde_window_expr *e, const struct ryde_json_value *values,
    const struct ryde_json_value *calls, bool *passes, struct ryde_err *err)
{
	struct test t = {e, values, calls, err};
	enum truth is = NO;

	if (test_node(&t, e->root, &is) != 0)
		return -1;
	*passes = is == YES;
	return 0;
}
