#include "engine/window_column.h"

#include "base/err.h"
#include "engine/window_expr_word.h"

#include <string.h>

#define PERCENT_DECIMALS 6 /* of pNN, behind the point */

enum form { BARE, VALUE, VALUE_OR_NONE };

static const struct {
	const char *name;
	enum ryde_window_def_function function;
	enum form form;
} functions[] = {
    {"start", RYDE_WINDOW_DEF_START, BARE},
    {"end", RYDE_WINDOW_DEF_END, BARE},
    {"count", RYDE_WINDOW_DEF_COUNT, VALUE_OR_NONE},
    {"sum", RYDE_WINDOW_DEF_SUM, VALUE},
    {"min", RYDE_WINDOW_DEF_MIN, VALUE},
    {"max", RYDE_WINDOW_DEF_MAX, VALUE},
    {"avg", RYDE_WINDOW_DEF_AVG, VALUE},
    {"stddev", RYDE_WINDOW_DEF_STDDEV, VALUE},
    {"first", RYDE_WINDOW_DEF_FIRST, VALUE},
    {"last", RYDE_WINDOW_DEF_LAST, VALUE},
    {"distinct", RYDE_WINDOW_DEF_DISTINCT, VALUE},
    {"list", RYDE_WINDOW_DEF_LIST, VALUE},
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

const char *
ryde_window_column_name(enum ryde_window_def_function f)
{
	for (size_t i = 0; i < FUNCTIONS; i++) {
		if (functions[i].function == f)
			return functions[i].name;
	}
	return f == RYDE_WINDOW_DEF_COUNT_ALL ? "count" : "percentile";
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* p50, p99.9: N percent is N / 100. */
static bool
read_percentile(struct ryde_view name, struct ryde_window_column *c)
{
	uint32_t decimals = 0;
	bool point = false;
	size_t i;

	if (name.n < 2 || name.p[0] != 'p' || !is_digit(name.p[1]))
		return false;
	c->part = 0;
	c->of = 100;
	for (i = 1; i < name.n; i++) {
		if (name.p[i] == '.' && !point && i + 1 < name.n) {
			point = true;
			continue;
		}
		if (!is_digit(name.p[i]) || c->part > c->of ||
		    (point && ++decimals > PERCENT_DECIMALS))
			return false;
		c->part = c->part * 10 + (uint32_t)(name.p[i] - '0'); /* a digit */
		c->of *= point ? 10 : 1;
	}
	c->function = RYDE_WINDOW_DEF_PERCENTILE;
	return c->part <= c->of;
}

static struct ryde_view
trim(struct ryde_view v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\n')) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 &&
	       (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\n'))
		v.n--;
	return v;
}

static int
none(struct ryde_view text, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_EUSAGE,
	    "'%.*s' is none of " RYDE_WINDOW_COLUMN_FUNCTIONS,
	    (int)(text.n < 200 ? text.n : 200), text.p);
}

/* What stands in the brackets: [PATH] [where CONDITION]. */
static int
read_inside(struct ryde_window_column *c, struct ryde_view inside, struct ryde_view text,
    struct ryde_err *err)
{
	struct ryde_window_expr_word word = {0};
	struct ryde_view rest = trim(inside);
	size_t n = ryde_window_expr_word_path(rest);

	c->path = ryde_view_mem(rest.p, n);
	rest = trim(ryde_view_mem(rest.p + n, rest.n - n));
	if (rest.n == 0)
		return 0;
	if (ryde_window_expr_word_next(&word, rest, err) != 0 ||
	    !ryde_window_expr_word_is(&word, "where"))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%.*s': in the brackets stands a path such as .Name, then perhaps "
		    "'where' and a condition",
		    (int)(text.n < 200 ? text.n : 200), text.p);
	c->where = trim(ryde_view_mem(rest.p + word.text.n, rest.n - word.text.n));
	return 0;
}

int
ryde_window_column_parse(
    struct ryde_window_column *c, struct ryde_view text, struct ryde_err *err)
{
	const char *bracket;
	struct ryde_view name;
	enum form form = VALUE;
	bool known = false;

	memset(c, 0, sizeof(*c));
	text = trim(text);
	if (text.n == 0)
		return none(ryde_view_of(""), err);
	bracket = memchr(text.p, '(', text.n);
	name =
	    ryde_view_mem(text.p, bracket != NULL ? (size_t)(bracket - text.p) : text.n);
	for (size_t i = 0; i < FUNCTIONS && !known; i++) {
		known = ryde_view_is(name, functions[i].name);
		c->function = functions[i].function;
		form = functions[i].form;
	}
	if (!known) {
		form = VALUE;
		known = read_percentile(name, c);
	}
	if (!known || (form == BARE) != (bracket == NULL))
		return none(text, err);
	if (form == BARE)
		return 0;
	if (text.p[text.n - 1] != ')')
		return ryde_err_set(err, RYDE_EUSAGE, "'%.*s': the ) is missing",
		    (int)(text.n < 200 ? text.n : 200), text.p);
	if (read_inside(c, ryde_view_mem(bracket + 1, text.n - name.n - 2), text, err) !=
	    0)
		return -1;
	if (c->path.n == 0 && form != VALUE_OR_NONE)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%.*s': the path of the field is missing",
		    (int)(text.n < 200 ? text.n : 200), text.p);
	if (c->path.n == 0)
		c->function = RYDE_WINDOW_DEF_COUNT_ALL;
	return 0;
}
