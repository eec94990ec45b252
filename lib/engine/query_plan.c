#include "engine/query_plan.h"

#include "base/buf.h"
#include "engine/query_source.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"

#include <sqlite3.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)64 << 20)
#define ROWS_UNKNOWN 1e6
#define ROWS_OF_KEY 10 /* as SQLite guesses for an index that it knows nothing of */

static struct ryde_query_plan *
new_plan(struct ryde_query_plans *all)
{
	if (all->n == all->cap) {
		size_t cap = all->cap * 2 + 8;
		struct ryde_query_plan *plans = realloc(all->plans, cap * sizeof(*plans));

		if (plans == NULL)
			return NULL;
		all->plans = plans;
		all->cap = cap;
	}
	all->plans[all->n] = (struct ryde_query_plan){0};
	return &all->plans[all->n++];
}

/* Its source may use it: an order of an extra column. */
static bool
is_test(const struct ryde_query_table *t, const struct sqlite3_index_constraint *c)
{
	size_t first = t->n_columns, column = (size_t)c->iColumn;

	if (column < first || column >= first + t->n_extras)
		return false;
	return c->op == SQLITE_INDEX_CONSTRAINT_EQ ||
	       c->op == SQLITE_INDEX_CONSTRAINT_GT ||
	       c->op == SQLITE_INDEX_CONSTRAINT_LE ||
	       c->op == SQLITE_INDEX_CONSTRAINT_LT || c->op == SQLITE_INDEX_CONSTRAINT_GE;
}

/* An equality whose other side is not known yet, so that it may be another one for each
 * scan. The values of IN would come in an order of their own. */
static bool
is_key(sqlite3_index_info *info, int i)
{
	sqlite3_value *value;

	return info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
	       sqlite3_vtab_rhs_value(info, i, &value) != SQLITE_OK &&
	       !sqlite3_vtab_in(info, i, -1);
}

static void
take_constraints(struct ryde_query_plan *p, const struct ryde_query_table *t,
    bool may_index, sqlite3_index_info *info, int *constraints)
{
	for (int i = 0; i < info->nConstraint && p->n < RYDE_QUERY_PLAN_ARGS; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		struct ryde_query_arg *arg = &p->args[p->n];

		if (!c->usable || c->iColumn < 0)
			continue;
		*arg = (struct ryde_query_arg){.column = (size_t)c->iColumn,
		    .is_test = is_test(t, c),
		    .is_key =
			may_index && p->n_keys < RYDE_QUERY_PLAN_KEYS && is_key(info, i)};
		if ((!arg->is_test && !arg->is_key) ||
		    sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
			continue;
		if (arg->is_test)
			arg->test.extra = arg->column - t->n_columns;
		arg->test.op = c->op;
		p->n_keys += arg->is_key;
		constraints[p->n++] = i;
		info->aConstraintUsage[i].argvIndex = (int)p->n;
	}
}

/* What the source would read, where the values of the conditions are known already. */
static void
plan_source(const struct ryde_query_plan *p, struct ryde_query_source *source,
    sqlite3_index_info *info, const int *constraints, struct ryde_buf *words,
    double *rows)
{
	struct ryde_query_test tests[RYDE_QUERY_PLAN_ARGS];
	struct ryde_query_filter filter = {tests, 0};
	size_t wanted = 0;

	for (size_t i = 0; i < p->n; i++) {
		sqlite3_value *value;

		if (!p->args[i].is_test)
			continue;
		wanted++;
		tests[filter.n] = p->args[i].test;
		if (sqlite3_vtab_rhs_value(info, constraints[i], &value) == SQLITE_OK)
			ryde_query_test_value(&tests[filter.n++], value);
	}
	source->ops->plan(source, &filter, words, rows);
	/* a condition whose value is not known yet will leave something out, too */
	if (filter.n < wanted)
		*rows /= 10;
}

static void
say_keys(const struct ryde_query_plan *p, const struct ryde_query_table *t,
    struct ryde_buf *words)
{
	const char *before = words->n > 0 ? ", index on " : "index on ";

	for (size_t i = 0; i < p->n; i++) {
		if (!p->args[i].is_key)
			continue;
		ryde_buf_puts(words, before);
		ryde_buf_puts(words, ryde_query_table_column_name(t, p->args[i].column));
		before = " and ";
	}
}

static int
estimate(const struct ryde_query_plan *p, const struct ryde_query_table *t,
    sqlite3_index_info *info, const int *constraints)
{
	struct ryde_buf words;
	double rows = ROWS_UNKNOWN;

	ryde_buf_init(&words, TEXT_MAX);
	if (t->source->ops->plan != NULL)
		plan_source(p, t->source, info, constraints, &words, &rows);
	say_keys(p, t, &words);
	if (words.n > 0) {
		info->idxStr = sqlite3_mprintf("%s", ryde_buf_str(&words));
		info->needToFreeIdxStr = 1;
	}
	if (words.n > 0 && info->idxStr == NULL) {
		ryde_buf_free(&words);
		return SQLITE_NOMEM;
	}
	ryde_buf_free(&words);
	if (p->n_keys > 0 && rows > ROWS_OF_KEY)
		rows = ROWS_OF_KEY;
	/* of a handful of rows, too, since it opens nothing */
	info->estimatedCost = p->n_keys > 0 ? rows / 2 : rows + 1;
	info->estimatedRows = (sqlite3_int64)rows + 1;
	return SQLITE_OK;
}

int
ryde_query_plan(struct ryde_query_plans *all, const struct ryde_query_table *t,
    bool may_index, sqlite3_index_info *info)
{
	struct ryde_query_plan *p = new_plan(all);
	int constraints[RYDE_QUERY_PLAN_ARGS];

	if (p == NULL)
		return SQLITE_NOMEM;
	p->mask = info->colUsed;
	take_constraints(p, t, may_index, info, constraints);
	info->idxNum = (int)all->n - 1;
	return estimate(p, t, info, constraints);
}

size_t
ryde_query_plan_tests(const struct ryde_query_plan *p, sqlite3_value **values,
    const bool *left_out, struct ryde_query_test *tests)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!p->args[i].is_test || (left_out != NULL && left_out[i]))
			continue;
		tests[n] = p->args[i].test;
		ryde_query_test_value(&tests[n++], values[i]);
	}
	return n;
}
