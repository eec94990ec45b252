#include "engine/query_condition.h"

#include "engine/query_sql.h"

static bool
take_op(struct ryde_view *rest, enum ryde_query_op *op)
{
	/* the longer ones first; a sign is one token a character */
	static const struct {
		const char *first, *second;
		enum ryde_query_op op;
	} ops[] = {
	    {"=", "=", RYDE_QUERY_EQ},
	    {"<", ">", RYDE_QUERY_NE},
	    {"!", "=", RYDE_QUERY_NE},
	    {"<", "=", RYDE_QUERY_LE},
	    {">", "=", RYDE_QUERY_GE},
	    {"=", NULL, RYDE_QUERY_EQ},
	    {"<", NULL, RYDE_QUERY_LT},
	    {">", NULL, RYDE_QUERY_GT},
	    {"between", NULL, RYDE_QUERY_BETWEEN},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct ryde_view v = *rest;

		if (!ryde_query_sql_take(&v, ops[i].first) ||
		    (ops[i].second != NULL && !ryde_query_sql_take(&v, ops[i].second)))
			continue;
		*rest = v;
		*op = ops[i].op;
		return true;
	}
	return false;
}

static bool
take_one(struct ryde_view *rest, struct ryde_query_condition *c)
{
	bool number;

	if (!ryde_query_sql_name(rest, &c->field))
		return false;
	if (ryde_query_sql_take(rest, "is")) {
		c->op = ryde_query_sql_take(rest, "not") ? RYDE_QUERY_NOT_NULL
							 : RYDE_QUERY_IS_NULL;
		return ryde_query_sql_take(rest, "null");
	}
	if (!take_op(rest, &c->op) ||
	    !ryde_query_sql_literal(rest, &c->values[0], &c->number))
		return false;
	return c->op != RYDE_QUERY_BETWEEN ||
	       (ryde_query_sql_take(rest, "and") &&
		   ryde_query_sql_literal(rest, &c->values[1], &number) &&
		   number == c->number);
}

bool
ryde_query_condition_read(
    struct ryde_view *rest, struct ryde_query_condition *c, size_t max, size_t *n)
{
	*n = 0;
	do {
		if (*n == max)
			return false;
		c[*n] = (struct ryde_query_condition){.op = RYDE_QUERY_EQ};
		if (!take_one(rest, &c[*n]))
			return false;
		(*n)++;
	} while (ryde_query_sql_take(rest, "and"));
	return true;
}
