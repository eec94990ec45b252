#include "engine/query_group.h"

#include "base/err.h"
#include "base/signals.h"
#include "engine/query.h"
#include "engine/query_filter.h"
#include "engine/query_group_result.h"
#include "engine/query_pair.h"
#include "engine/query_run.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "engine/query_tally.h"
#include "json/path.h"
#include "json/scan.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_BETWEEN_LOOKS 4096
#define NAME_MAX_BYTES ((size_t)16 << 20)

/* ---- before ---- */

/* The path of a plain column of the payload; PLAIN where it is something else. */
static int
find_path(struct ryde_query_grouping *g, struct ryde_view token, size_t *path,
    struct ryde_err *err)
{
	const struct ryde_query_columns *columns = &g->table->columns;
	const struct ryde_query_column *c;
	int rc;

	ryde_query_sql_unquote(&g->text, token);
	c = ryde_query_columns_find(columns, ryde_buf_str(&g->text));
	rc =
	    c == NULL || c->index >= g->table->n_columns || c->type != RYDE_QUERY_TYPE_ANY
		? RYDE_QUERY_PLAIN
		: 0;
	for (size_t i = 0; rc == 0 && i < columns->n_keys; i++)
		if (columns->keys[i].index == c->index && &columns->keys[i] != c)
			rc = RYDE_QUERY_PLAIN;
	if (rc == 0) {
		ryde_buf_clear(&g->text);
		ryde_buf_puts(&g->text, ".\"");
		ryde_buf_add(&g->text, c->raw, c->raw_n);
		ryde_buf_putc(&g->text, '"');
		rc = ryde_buf_check(&g->text, err);
	}
	if (rc == 0)
		rc = ryde_json_paths_add(g->paths, ryde_buf_str(&g->text), path, err);
	return rc;
}

/* True where the token names an extra column of the source. */
static bool
find_extra(struct ryde_query_grouping *g, struct ryde_view token, size_t *at)
{
	const struct ryde_query_source *source = g->table->source;
	bool found = false;

	ryde_query_sql_unquote(&g->text, token);
	for (size_t i = 0; i < g->table->n_extras && !found; i++) {
		found =
		    sqlite3_stricmp(source->extras[i].name, ryde_buf_str(&g->text)) == 0;
		*at = i;
	}
	return found;
}

/* What the conditions compare. */
static int
find_compared(struct ryde_query_grouping *g, struct ryde_err *err)
{
	struct ryde_query_where *w = &g->shape.where;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->n; i++) {
		struct ryde_query_where_node *node = &w->nodes[i];

		if (node->column.n == 0)
			continue;
		node->is_extra = find_extra(g, node->column, &node->at);
		if (!node->is_extra)
			rc = find_path(g, node->column, &node->at, err);
		/* else the source would not leave out what it could */
		else if (!node->certain || node->kind != RYDE_QUERY_WHERE_COMPARE ||
			 node->n != 1)
			rc = RYDE_QUERY_PLAIN;
	}
	return rc;
}

/* What HAVING calls by a name: SQL looks among the columns first. */
static int
find_named(struct ryde_query_grouping *g, struct ryde_query_having *h)
{
	const struct ryde_query_shape *s = &g->shape;
	struct ryde_view name = h->text;
	size_t unused;

	ryde_query_sql_unquote(&g->text, name);
	if (ryde_query_columns_find(&g->table->columns, ryde_buf_str(&g->text)) == NULL &&
	    !find_extra(g, name, &unused)) {
		for (h->item = 0; h->item < s->n_shown; h->item++)
			if (s->items[h->item].named &&
			    ryde_query_sql_is_name(s->items[h->item].name, name))
				break;
		if (h->item == s->n_shown)
			return RYDE_QUERY_PLAIN;
		h->kind = RYDE_QUERY_HAVING_ITEM;
		if (s->items[h->item].what != RYDE_QUERY_KEY_COLUMN)
			return 0;
		name = s->items[h->item].column;
	}
	h->kind = RYDE_QUERY_HAVING_KEY;
	for (h->item = 0; h->item < s->n_keys; h->item++)
		if (ryde_query_sql_is_name(s->keys[h->item], name))
			return 0;
	return RYDE_QUERY_PLAIN;
}

/* True where LIKE is what it is without a PRAGMA or a function of that name. */
static bool
is_like_usual(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	bool usual =
	    sqlite3_prepare_v2(db, "SELECT 'a' LIKE 'A'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) == 1;

	(void)sqlite3_finalize(st);
	return usual;
}

static int
find_paths(struct ryde_query_grouping *g, struct ryde_err *err)
{
	int rc = 0;

	if (g->shape.where.has_like && !is_like_usual(g->q->db))
		return RYDE_QUERY_PLAIN;
	g->paths = ryde_json_paths_new();
	if (g->paths == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_keys; i++)
		rc = find_path(g, g->shape.keys[i], &g->key_paths[i], err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_items; i++)
		if (g->shape.items[i].what != RYDE_QUERY_COUNT_ALL)
			rc = find_path(
			    g, g->shape.items[i].column, &g->item_paths[i], err);
	for (size_t i = 0; rc == 0 && i < g->shape.n_having; i++)
		if (g->shape.having[i].kind == RYDE_QUERY_HAVING_NAME)
			rc = find_named(g, &g->shape.having[i]);
	return rc == 0 ? find_compared(g, err) : rc;
}

/* True where SQLite has a table or a view of that name. */
static bool
is_known(sqlite3 *db, const char *name)
{
	sqlite3_stmt *st = NULL;
	bool known = true;

	if (sqlite3_prepare_v2(db,
		"SELECT 1 FROM (SELECT name FROM sqlite_schema UNION ALL "
		"SELECT name FROM temp.sqlite_schema) WHERE name=? COLLATE NOCASE",
		-1, &st, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
		known = sqlite3_step(st) != SQLITE_DONE;
	}
	(void)sqlite3_finalize(st);
	return known;
}

static int
find_table(struct ryde_query_grouping *g)
{
	struct ryde_query_vtab *v = &g->q->tables;
	struct ryde_buf name;
	struct ryde_err e = RYDE_ERR_INIT;
	int rc = 0;

	ryde_buf_init(&name, RYDE_QUERY_GROUP_MAX);
	ryde_query_sql_unquote(&name, g->shape.from);
	g->table = ryde_query_vtab_find(v, ryde_buf_str(&name));
	if (g->table == NULL) {
		/* a view or a table of SQLite's comes first; what fails, fails there */
		if (is_known(g->q->db, ryde_buf_str(&name)) ||
		    ryde_query_vtab_open(v, ryde_buf_str(&name), &e) != 0)
			rc = RYDE_QUERY_PLAIN;
		else
			g->table = ryde_query_vtab_find(v, ryde_buf_str(&name));
	}
	ryde_buf_free(&name);
	return g->table != NULL ? rc : RYDE_QUERY_PLAIN;
}

/* ---- rows ---- */

static int
take_row(struct ryde_query_grouping *g, struct ryde_query_pair *p,
    struct ryde_query_cursor *c, const struct ryde_query_row *row, struct ryde_err *err)
{
	bool wanted;
	int rc;

	if (!row->json)
		return RYDE_QUERY_PLAIN;
	rc = ryde_query_where_extras(&g->shape.where, g->table->source, c, &wanted);
	if (rc != 0)
		return rc;
	g->left_out += !wanted;
	return wanted ? ryde_query_pair_row(p, row, err) : 0;
}

static int
scan(struct ryde_query_grouping *g, struct ryde_query_pair *p,
    struct ryde_query_cursor *c, struct ryde_err *err)
{
	struct ryde_query_sources *o = &g->q->sources;
	struct ryde_query_row row;
	uint64_t n = 0;
	int rc;

	while ((rc = c->ops->next(c, &row, err)) == 1) {
		rc = take_row(g, p, c, &row, err);
		if (rc != 0)
			return rc;
		if (++n % ROWS_BETWEEN_LOOKS != 0)
			continue;
		if (o->tick != NULL)
			o->tick(o->arg, NULL);
		if (ryde_signals_stop() > 0)
			return ryde_err_set(
			    err, RYDE_ETEMPFAIL, "interrupted: the answer is not whole");
	}
	return rc < 0 && ryde_query_pair_is_plain(p) ? RYDE_QUERY_PLAIN : rc;
}

/* Scans, and appends the statement that reads the result. */
static int
run(struct ryde_query_grouping *g, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_query_test tests[RYDE_QUERY_WHERE_MAX];
	const struct ryde_query_filter filter = {
	    tests, ryde_query_where_tests(&g->shape.where, tests)};
	struct ryde_query_source *source = g->table->source;
	struct ryde_query_cursor *c = source->ops->cursor(source, &filter, err);
	struct ryde_query_pair *p = c != NULL ? ryde_query_pair_new(g, c, err) : NULL;
	struct ryde_query_tally *t;
	int rc = p != NULL ? scan(g, p, c, err) : -1;

	if (rc == 0)
		rc = ryde_query_pair_end(p, &t, err);
	if (rc == 0)
		rc = ryde_query_group_result_store(t, err);
	if (rc == 0)
		rc = ryde_query_group_result_statement(g, to, err);
	if (rc == 0 && source->counted)
		g->q->tables.rows += t->rows + g->left_out;
	ryde_query_pair_free(p);
	if (c != NULL)
		c->ops->free_cursor(c);
	return rc;
}

int
ryde_query_group(struct ryde_query_session *q, const char *sql, size_t *used,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_query_grouping g = {.q = q};
	int rc = q->o->follow ? RYDE_QUERY_PLAIN
			      : ryde_query_shape_read(&g.shape, ryde_view_of(sql), err);

	ryde_buf_init(&g.text, NAME_MAX_BYTES);
	if (rc == 0)
		rc = find_table(&g);
	if (rc == 0)
		rc = find_paths(&g, err);
	if (rc == 0)
		rc = run(&g, to, err);
	if (rc == 0)
		*used = (size_t)(g.shape.rest.p - sql);
	ryde_json_paths_free(g.paths);
	ryde_buf_free(&g.text);
	ryde_query_shape_free(&g.shape);
	return rc == 0 ? 1 : rc == RYDE_QUERY_PLAIN ? 0 : -1;
}
