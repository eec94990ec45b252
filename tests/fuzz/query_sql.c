/*
 * Fuzz target for what is read of SQL before SQLite sees it: tokens, the shape that is
 * grouped here, and CREATE EXTERNAL TABLE. Faults of memory, and that nothing is read
 * from outside the statement.
 */
#include "engine/query_sql.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/query_ddl.h"
#include "engine/query_shape.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static bool
is_inside(struct ryde_view part, struct ryde_view whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view sql = ryde_view_mem((const char *)data, size), rest = sql;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_shape shape;
	struct ryde_query_sql look;
	struct ryde_query_token t;
	struct ryde_query_ddl d;
	struct ryde_buf text;
	size_t left;

	do {
		left = rest.n;
		t = ryde_query_sql_next(&rest);
		MUST(is_inside(t.text, sql));
		MUST(t.kind == RYDE_QUERY_TOKEN_END || rest.n < left);
	} while (t.kind != RYDE_QUERY_TOKEN_END);
	ryde_query_sql_look(&look, sql);
	ryde_buf_init(&text, size * 4 + 100);
	ryde_query_sql_explain(&text, sql);
	MUST(text.n >= size && !text.failed);
	if (ryde_query_shape_read(&shape, sql, &err) == 0) {
		MUST(shape.n_items > 0 && shape.n_keys > 0);
		MUST(is_inside(shape.from, sql) && is_inside(shape.tail, sql));
		for (size_t i = 0; i < shape.n_items; i++) {
			MUST(is_inside(shape.items[i].name, sql));
			ryde_query_sql_unquote(&text, shape.items[i].name);
			MUST(!text.failed);
		}
		for (size_t i = 0; i < shape.n_having; i++)
			MUST(is_inside(shape.having[i].text, sql));
		for (size_t i = 0; i < shape.where.n; i++) {
			const struct ryde_query_where_node *node = &shape.where.nodes[i];

			MUST(is_inside(node->column, sql));
			MUST(node->first + node->n <= shape.where.n_literals);
			MUST(node->column.n > 0 || (node->left < i && node->right < i));
		}
	}
	ryde_query_shape_free(&shape);
	err = (struct ryde_err)RYDE_ERR_INIT;
	rest = sql;
	if (ryde_query_ddl_read(&d, &rest, &err) == 0) {
		MUST(d.location_at + d.location_n <= size && d.columns.n > 0);
		MUST(is_inside(rest, sql));
	} else {
		MUST(err.code != RYDE_OK && err.msg[0] != '\0');
	}
	ryde_query_ddl_free(&d);
	ryde_buf_free(&text);
	return 0;
}
