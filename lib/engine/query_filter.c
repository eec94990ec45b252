#include "engine/query_filter.h"

#include "base/num.h"
#include "engine/query_source.h"

#include <sqlite3.h>

#define WHOLE_MAX 9007199254740992 /* integers up to here are doubles */

void
ryde_query_test_value(struct ryde_query_test *t, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);
	const char *p;

	t->is_text = type == SQLITE_TEXT;
	if (t->is_text) {
		p = (const char *)sqlite3_value_text(value);
		t->text = ryde_view_mem(p, (size_t)sqlite3_value_bytes(value));
		/* this turns a text that reads as a number into one: last */
		type = sqlite3_value_numeric_type(value);
	}
	t->is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
	if (t->is_number)
		t->number = sqlite3_value_double(value);
	t->is_number = t->is_number && t->number <= WHOLE_MAX && t->number >= -WHOLE_MAX;
}

bool
ryde_query_filter_holds(int op, int order)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return order == 0;
	case SQLITE_INDEX_CONSTRAINT_GT:
		return order > 0;
	case SQLITE_INDEX_CONSTRAINT_LE:
		return order <= 0;
	case SQLITE_INDEX_CONSTRAINT_LT:
		return order < 0;
	case SQLITE_INDEX_CONSTRAINT_GE:
		return order >= 0;
	default:
		return true;
	}
}

/* An integer with leading zeros; what begins as a number and is none cannot be told. */
static bool
read_whole(struct ryde_view v, int64_t *out)
{
	while (v.n > 1 && *v.p == '0') {
		v.p++;
		v.n--;
	}
	return ryde_num_i64(v, -WHOLE_MAX, WHOLE_MAX, out);
}

static bool
is_plain_text(struct ryde_view v)
{
	return v.n > 0 &&
	       ((*v.p >= 'a' && *v.p <= 'z') || (*v.p >= 'A' && *v.p <= 'Z')) &&
	       !ryde_view_starts(v, "inf") && !ryde_view_starts(v, "nan");
}

/* A text that no affinity makes a number of. */
static bool
is_word(const struct ryde_query_test *t)
{
	return t->is_text && !t->is_number && is_plain_text(t->text);
}

int
ryde_query_filter_order(const struct ryde_query_test *t,
    const struct ryde_query_extra *extra, struct ryde_view text)
{
	int64_t whole;

	if (extra->kind == RYDE_QUERY_EXTRA_TEXT)
		return t->is_text ? ryde_view_order(text, t->text)
				  : RYDE_QUERY_FILTER_UNSURE;
	/* numbers come before texts */
	if (read_whole(text, &whole)) {
		double v = (double)whole;

		if (t->is_number)
			return (v > t->number) - (v < t->number);
		return is_word(t) ? -1 : RYDE_QUERY_FILTER_UNSURE;
	}
	if (!is_plain_text(text))
		return RYDE_QUERY_FILTER_UNSURE;
	if (t->is_number)
		return 1;
	return is_word(t) ? ryde_view_order(text, t->text) : RYDE_QUERY_FILTER_UNSURE;
}

static bool
lets(const struct ryde_query_test *t, const struct ryde_query_extra *extra,
    struct ryde_view text)
{
	int order = ryde_query_filter_order(t, extra, text);

	return order == RYDE_QUERY_FILTER_UNSURE || ryde_query_filter_holds(t->op, order);
}

bool
ryde_query_filter_lets(const struct ryde_query_filter *f, size_t i,
    const struct ryde_query_extra *extra, struct ryde_view text)
{
	for (size_t k = 0; k < f->n; k++)
		if (f->tests[k].extra == i && !lets(&f->tests[k], extra, text))
			return false;
	return true;
}
