/*
 * The functions of columns and the conditions in them: SQL's logic as a table, and groups
 * that were filled apart and merged, beside one that took everything.
 */
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "engine/window_agg.h"
#include "engine/window_expr.h"
#include "engine/window_group.h"
#include "json/decimal.h"
#include "json/path.h"

#include <stdlib.h>

static struct ryde_err err;

/* ---- conditions ---- */

/* Of
 * {"n":5,"s":"ab%","e":"\u0061","t":true,"z":null,"o":{"p":[1,2]},"b":1e400,"f":-0.50}.
 */
static const struct {
	const char *condition;
	enum { NO, YES, WRONG, NONE } is;
} conditions[] = {
    {".n = 5", YES},
    {".n == 5.0", YES},
    {".n <> 5", NO},
    {".n != 4", YES},
    {".n < 5", NO},
    {".n <= 5e0", YES},
    {".n > 4.999999999999999999", YES},
    {"6 > .n", YES},
    {".n >= 5.0000000000000000000000001", NO},
    {".b > 1e399", YES},
    {".b = 10e399", YES},
    {".f = -0.5", YES},
    {".f < 0 and .n > 0", YES},
    {".s = \"ab%\"", YES},
    {".s = 'ab%'", YES},
    {".s < 'b'", YES},
    {".e = 'a'", YES},
    {"'it''s' = \"it's\"", YES},
    {".t", YES},
    {"not .t", NO},
    {".t = true", YES},
    {".t <> false", YES},
    {".o.p[1] = 2", YES},
    {".[\"n\"] = 5", YES},
    /* what is missing or null is neither */
    {".z = 5", NO},
    {"not .z = 5", NO},
    {".x < 5 or .n = 5", YES},
    {".x < 5 and .n = 5", NO},
    {"not (.x < 5 and .n = 4)", YES},
    {"not (.x < 5 or .n = 4)", NO},
    {".z is null", YES},
    {".x is null", YES},
    {".n is not null", YES},
    {".z", NO},
    {"not .z", NO},
    {".o is null", NO},
    {".n in (1, 5)", YES},
    {".n not in (1, 5)", NO},
    {".n in (1, .z)", NO},
    {".n not in (1, .z)", NO},
    {".n in (5, .z)", YES},
    {".s in ('x', 'ab%')", YES},
    {".n between 1 and 5", YES},
    {".n not between 1 and 5", NO},
    {".n between 6 and .z", NO},
    {"not .n between 6 and .z", YES},
    {".n between .z and 6", NO},
    {".n between 1 and 5 and .t", YES},
    {".s like 'a%'", YES},
    {".s like '_b_'", YES},
    {".s not like '%c%'", YES},
    {".s like ''", NO},
    {".s like '%%b%%'", YES},
    {".z like '%'", NO},
    {"'\xc3\xa4x' like '_x'", YES},
    {"'aaab' like '%aab'", YES},
    {".n = 5 or .s < 5", YES},
    {".n = 4 and .s < 5", NO},
    {"((.n = 5))", YES},
    {"NOT .n = 4 AND .T is null", YES},
    {".n=5and.t", YES},
    {"not not .t", YES},
    {".t or .x and .x", YES},
    /* what cannot be compared */
    {".s < 5", WRONG},
    {"5 = .s", WRONG},
    {".n = 'x'", WRONG},
    {".n = true", WRONG},
    {".t < true", WRONG},
    {".o = 1", WRONG},
    {".o = .o", WRONG},
    {".n", WRONG},
    {".n like 'x'", WRONG},
    {".n in ('x')", WRONG},
    {".n between 'a' and 'b'", WRONG},
    /* none */
    {"", NONE},
    {".n =", NONE},
    {".n = 5)", NONE},
    {"(.n = 5", NONE},
    {"n = 5", NONE},
    {".n = null", NONE},
    {"null is null", NONE},
    {".n is 5", NONE},
    {".n in 5", NONE},
    {".n in ()", NONE},
    {".n between 1", NONE},
    {".n like .s", NONE},
    {".n not 5", NONE},
    {".n = 'x", NONE},
    {".n = 01", NONE},
    {".n = \"\\q\"", NONE},
    {".n + 1 = 6", NONE},
    {"sum(.n) = 5", NONE},
    {".n = 5 5", NONE},
    {".n = 5;", NONE},
    {"and .n = 5", NONE},
    {".[ = 5", NONE},
    {".n = 1e99999", NONE},
};

static void
test_conditions(void)
{
	static const char payload[] =
	    "{\"n\":5,\"s\":\"ab%\",\"e\":\"\\u0061\",\"t\":true,\"z\":null,"
	    "\"o\":{\"p\":[1,2]},\"b\":1e400,\"f\":-0.50}";

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		struct ryde_json_paths *paths = ryde_json_paths_new();
		struct ryde_err why = RYDE_ERR_INIT;
		struct ryde_window_expr *e = ryde_window_expr_new(
		    ryde_view_of(conditions[i].condition), paths, NULL, NULL, NULL, &why);
		struct ryde_json_value *values;
		struct ryde_json_fault fault;
		bool passes = false;
		int rc;

		CHECK((e != NULL) == (conditions[i].is != NONE), "%s: %s",
		    conditions[i].condition, why.msg);
		CHECK(
		    e != NULL || why.code == RYDE_EUSAGE, "%s", conditions[i].condition);
		if (e == NULL) {
			ryde_json_paths_free(paths);
			continue;
		}
		values = calloc(ryde_json_paths_count(paths) + 1, sizeof(*values));
		CHECK(ryde_json_find(ryde_view_of(payload), paths, values, &fault) == 0,
		    "");
		rc = ryde_window_expr_test(e, values, NULL, &passes, &why);
		CHECK((rc != 0) == (conditions[i].is == WRONG), "%s: %s",
		    conditions[i].condition, why.msg);
		CHECK(rc != 0 || passes == (conditions[i].is == YES), "%s",
		    conditions[i].condition);
		free(values);
		ryde_window_expr_free(e);
		ryde_json_paths_free(paths);
	}
}

/* Brackets and chains as long and as deep as may be, and one more. */
static void
test_limits(void)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_window_expr *e;
	struct ryde_json_value value = {.kind = RYDE_JSON_TRUE};
	struct ryde_buf b;
	bool passes = false;

	ryde_buf_init(&b, 1u << 20);
	for (int more = 0; more < 2; more++) {
		ryde_buf_clear(&b);
		for (int i = 0; i < RYDE_WINDOW_EXPR_DEPTH_MAX + more; i++)
			ryde_buf_putc(&b, '(');
		ryde_buf_puts(&b, ".t");
		for (int i = 0; i < RYDE_WINDOW_EXPR_DEPTH_MAX + more; i++)
			ryde_buf_putc(&b, ')');
		e = ryde_window_expr_new(
		    ryde_buf_as_view(&b), paths, NULL, NULL, NULL, &err);
		CHECK((e != NULL) == (more == 0), "");
		ryde_window_expr_free(e);
		ryde_buf_clear(&b);
		for (int i = 0; i < RYDE_WINDOW_EXPR_OPERANDS_MAX + more; i++)
			ryde_buf_puts(&b, i > 0 ? " and .t" : ".t");
		e = ryde_window_expr_new(
		    ryde_buf_as_view(&b), paths, NULL, NULL, NULL, &err);
		CHECK((e != NULL) == (more == 0), "");
		CHECK(e == NULL ||
			  (ryde_window_expr_test(e, &value, NULL, &passes, &err) == 0 &&
			      passes),
		    "");
		ryde_window_expr_free(e);
	}
	ryde_buf_free(&b);
	ryde_json_paths_free(paths);
}

/* ---- merging ---- */

static const char *const columns[] = {"n=count()", "c=count(.v)", "s=sum(.v)",
    "m=min(.v)", "x=max(.v)", "a=avg(.v)", "d=stddev(.v)", "f=first(.v)", "l=last(.v)",
    "u=distinct(.v)", "p=p50(.v)", "q=p99.9(.v)", "li=list(.v)", "w=count(where .v > 0)",
    "ws=sum(.v where .v > 0)"};

struct group {
	void *states;
	size_t heap_bytes;
};

/* One value at a place into a group. */
static void
put(const struct ryde_window_def *d, struct group *g, const char *number,
    struct ryde_window_agg_order order)
{
	struct ryde_window_agg_input *inputs = calloc(d->n_paths, sizeof(*inputs));
	bool passes[2] = {number[0] != '-' && number[0] != '0', false};

	order.heap_bytes = &g->heap_bytes;
	for (size_t k = 0; k < d->n_used; k++) {
		struct ryde_window_agg_input *in = &inputs[d->used[k]];

		in->kind = RYDE_JSON_NUMBER;
		in->text = ryde_view_of(number);
		ryde_window_number_read(&in->number, in->text);
		if (!in->number.small)
			CHECK(ryde_decimal_parse(&in->exact, in->text, &err) == 0, "");
	}
	CHECK(ryde_window_agg_take(d, g->states, inputs, passes, &order, &err) == 0, "");
	for (size_t k = 0; k < d->n_used; k++)
		ryde_decimal_free(&inputs[d->used[k]].exact);
	free(inputs);
}

static void
show(const struct ryde_window_def *d, const struct group *g, struct ryde_buf *to)
{
	ryde_buf_clear(to);
	for (size_t i = 0; i < d->n_columns; i++) {
		ryde_buf_printf(to, "%s ", d->columns[i].name);
		CHECK(ryde_window_agg_put(d, g->states, i, to, &err) == 0, "");
		ryde_buf_putc(to, '\n');
	}
}

/* n values, of so many different ones, into one group; and each into one of three, which
 * are then merged. */
static void
merge_of(const struct ryde_window_def *d, struct ryde_window_group *shards, size_t n,
    unsigned different)
{
	struct group all = {0}, parts[3] = {{0}};
	struct ryde_buf want, got;
	size_t bytes = d->state_bytes;

	ryde_buf_init(&want, 16u << 20);
	ryde_buf_init(&got, 16u << 20);
	all.states = calloc(1, bytes);
	for (int i = 0; i < 3; i++)
		parts[i].states = calloc(1, bytes);
	for (size_t i = 0; i < n; i++) {
		struct ryde_window_agg_order order = {
		    (int64_t)((i * 7919) % 97), i + 1, (uint32_t)(i % 2), shards, NULL};
		unsigned v = (unsigned)((i * 2654435761u) % different);
		char text[64];

		(void)snprintf(text, sizeof(text), "%s%u.%u%s", v % 3 == 0 ? "-" : "",
		    v / 7 + 1, v % 7,
		    i % 511 == 7 ? "e40"
		    : i % 2 == 0 ? "0"
				 : "");
		put(d, &all, text, order);
		put(d, &parts[(i * 31 / 7) % 3], text, order);
	}
	CHECK(all.heap_bytes == ryde_window_agg_heap_bytes(d, all.states), "");
	show(d, &all, &want);
	/* into an empty one, into a full one, of a full one */
	CHECK(
	    ryde_window_agg_merge(d, parts[0].states, parts[1].states, shards, &err) == 0,
	    "");
	CHECK(
	    ryde_window_agg_merge(d, parts[2].states, parts[0].states, shards, &err) == 0,
	    "");
	show(d, &parts[2], &got);
	CHECK(ryde_view_eq(ryde_buf_as_view(&want), ryde_buf_as_view(&got)),
	    "%zu of %u\n%.400s\n%.400s", n, different, ryde_buf_str(&want),
	    ryde_buf_str(&got));
	for (int i = 0; i < 3; i++) {
		ryde_window_agg_free(d, parts[i].states);
		free(parts[i].states);
	}
	ryde_window_agg_free(d, all.states);
	free(all.states);
	ryde_buf_free(&want);
	ryde_buf_free(&got);
}

static void
test_merge(void)
{
	struct ryde_window_def *d = ryde_window_def_new(&err);
	struct ryde_window_group shards;
	uint32_t index;

	d->extent = (struct ryde_window_extent){
	    .kind = RYDE_WINDOW_TUMBLE, .size_ms = 60000, .step_ms = 60000};
	d->list_max = 50;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		CHECK(ryde_window_def_column(d, columns[i], &err) == 0, "%s", err.msg);
	CHECK(ryde_window_def_finish(d, &err) == 0, "%s", err.msg);
	ryde_window_group_start(&shards, d);
	CHECK(ryde_window_group_shard(
		  &shards, ryde_view_of("local:s"), ryde_view_of("b"), &index, &err) == 0,
	    "");
	CHECK(ryde_window_group_shard(
		  &shards, ryde_view_of("local:s"), ryde_view_of("a"), &index, &err) == 0,
	    "");
	merge_of(d, &shards, 0, 1);
	merge_of(d, &shards, 1, 1);
	merge_of(d, &shards, 2, 2);
	merge_of(d, &shards, 40, 20);
	merge_of(d, &shards, 999, 500);
	merge_of(d, &shards, 1000, 500);
	merge_of(d, &shards, 3500, 3000);
	merge_of(d, &shards, 10002, 9998);
	merge_of(d, &shards, 40000, 30000);
	ryde_window_group_free(&shards);
	ryde_window_def_free(d);
}

/* ---- roots ---- */

static void
test_roots(void)
{
	/* Source: Decimal.sqrt of Python, with 60 digits; ties by hand. */
	static const struct {
		const char *d, *by;
		unsigned digits;
		const char *root;
	} cases[] = {{"4", "1", 17, "2"}, {"2", "1", 17, "1.4142135623730950"},
	    {"2", "1", 40, "1.41421356237309504880168872420969807857"},
	    {"1", "3", 17, "0.57735026918962576"}, {"0", "7", 5, "0"},
	    {"1e-60", "1", 17, "1e-30"}, {"1e400", "1", 3, "1e200"},
	    {"6.25", "1", 1, "2"}, {"12.25", "1", 1, "4"}, {"2.25", "1", 2, "1.5"},
	    {"99999999", "1", 4, "1e4"},
	    {"123456789012345678901234567890", "4", 20, "175682091441007.21266"},
	    {"10", "1", 1, "3"},
	    {"0.00000000000000000000000000000000000000000081", "1", 2, "9e-22"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_decimal d = {0}, by = {0}, root = {0}, want = {0};

		CHECK(
		    ryde_decimal_parse(&d, ryde_view_of(cases[i].d), &err) == 0 &&
			ryde_decimal_parse(&by, ryde_view_of(cases[i].by), &err) == 0 &&
			ryde_decimal_parse(&want, ryde_view_of(cases[i].root), &err) == 0,
		    "");
		CHECK(ryde_decimal_root(&root, &d, &by, cases[i].digits, &err) == 0 &&
			  ryde_decimal_cmp(&root, &want) == 0,
		    "%s / %s", cases[i].d, cases[i].by);
		ryde_decimal_free(&d);
		ryde_decimal_free(&by);
		ryde_decimal_free(&root);
		ryde_decimal_free(&want);
	}
}

int
main(void)
{
	test_conditions();
	test_limits();
	test_merge();
	test_roots();
	return check_end("engine_window_functions");
}
