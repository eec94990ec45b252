/* The columns that payloads make. Source: engine/query_columns.h. */
#include "engine/query_columns.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"

static void
take(struct ryde_query_columns *c, const char *payload)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(
	    ryde_query_columns_take(c, ryde_view_of(payload), &err) == 0, "%s", err.msg);
}

/* The names in their order, with a comma behind each. */
static void
is(const struct ryde_query_columns *c, const char *names)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1000);
	for (size_t i = 0; i < c->n; i++)
		ryde_buf_printf(&b, "%s,", ryde_query_columns_at(c, i)->name);
	CHECK(strcmp(ryde_buf_str(&b), names) == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

static void
test_order(void)
{
	struct ryde_query_columns c = {0};

	take(&c, "{\"b\":1,\"a\":{\"inner\":2}}");
	take(&c, "{\"a\":1,\"c\":[{\"d\":1}],\"b\":2}");
	take(&c, "[1]");
	take(&c, "5");
	take(&c, "{}");
	is(&c, "b,a,c,");
	CHECK(ryde_query_columns_find(&c, "A") == ryde_query_columns_at(&c, 1));
	CHECK(ryde_query_columns_find(&c, "inner") == NULL);
	ryde_query_columns_free(&c);
}

/* Keys that differ in letter case alone are one column; odd ones are none. */
static void
test_spellings(void)
{
	struct ryde_query_columns c = {0};

	take(&c,
	    "{\"Name\":1,\"NAME\":2,\"\":3,\"a\\u0000b\":4,\"\\u0041b\":5,\"x y\":6}");
	is(&c, "Name,Ab,x y,");
	CHECK(c.n_keys == 6, "%zu", c.n_keys);
	CHECK(c.keys[1].index == 0 && c.keys[2].index == RYDE_QUERY_COLUMNS_MAX);
	CHECK(strcmp(ryde_query_columns_at(&c, 1)->raw, "\\u0041b") == 0 ||
		  ryde_query_columns_at(&c, 1)->raw_n == 7,
	    "the key as it stands in the payload");
	ryde_query_columns_free(&c);
}

static void
test_reserved(void)
{
	struct ryde_query_columns c = {0};
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_query_columns_reserve(&c, "hour", &err) == 0);
	take(&c, "{\"hour\":1,\"Hour\":2,\"n\":3}");
	is(&c, "n,");
	CHECK(ryde_query_columns_add(&c, "late\"", &err) == 0);
	CHECK(ryde_query_columns_add(&c, "N", &err) == 0, "it is there");
	is(&c, "n,late\",");
	c.fixed = true;
	take(&c, "{\"other\":1,\"LATE\\\"\":2}");
	is(&c, "n,late\",");
	CHECK(c.keys[c.n_keys - 1].index == 1);
	ryde_query_columns_free(&c);
}

static void
test_most(void)
{
	struct ryde_query_columns c = {0};
	char payload[40];

	for (int i = 0; i < RYDE_QUERY_COLUMNS_MAX + 5; i++) {
		(void)snprintf(payload, sizeof(payload), "{\"k%d\":%d}", i, i);
		take(&c, payload);
	}
	CHECK(c.n == RYDE_QUERY_COLUMNS_MAX && c.overflow, "%zu", c.n);
	ryde_query_columns_free(&c);
}

int
main(void)
{
	test_order();
	test_spellings();
	test_reserved();
	test_most();
	return check_end("engine_query_columns");
}
