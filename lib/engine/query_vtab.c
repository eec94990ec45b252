#include "engine/query_vtab.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"
#include "engine/query_archive.h"
#include "engine/query_ddl.h"
#include "engine/query_fields.h"
#include "engine/query_filter.h"
#include "engine/query_index.h"
#include "engine/query_plan.h"
#include "engine/query_source.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "engine/query_value.h"
#include "json/scan.h"
#include "store/external.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)64 << 20)

struct vtab {
	sqlite3_vtab base;
	struct ryde_query_vtab *all;
	struct ryde_query_table *table;
	struct ryde_query_plans plans;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct ryde_query_cursor *rows;
	struct ryde_query_row row;
	int64_t n;
	bool eof;
	bool whole;   /* nothing is left out */
	bool indexed; /* by an index, which looked at all rows before */
	struct ryde_query_fields fields;
	bool looked, found;
	struct ryde_buf text;
};

static int
fail(struct vtab *v, const struct ryde_err *err)
{
	v->all->err = *err;
	sqlite3_free(v->base.zErrMsg);
	v->base.zErrMsg = sqlite3_mprintf("%s", err->msg);
	return SQLITE_ERROR;
}

static int
no_memory(struct vtab *v)
{
	struct ryde_err err = RYDE_ERR_INIT;

	(void)ryde_err_nomem(&err);
	(void)fail(v, &err);
	return SQLITE_NOMEM;
}

/* ---- the table ---- */

static int
x_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
    char **message)
{
	struct ryde_query_vtab *all = aux;
	struct ryde_buf sql;
	struct vtab *v;
	int rc;

	(void)message;
	if (argc < 3)
		return SQLITE_ERROR;
	v = sqlite3_malloc(sizeof(*v));
	if (v == NULL)
		return SQLITE_NOMEM;
	*v = (struct vtab){.all = all, .table = ryde_query_vtab_find(all, argv[2])};
	ryde_buf_init(&sql, SQL_MAX);
	rc = SQLITE_ERROR;
	if (v->table != NULL) {
		ryde_query_table_declare(v->table, &sql);
		rc = sqlite3_declare_vtab(db, ryde_buf_str(&sql));
	}
	ryde_buf_free(&sql);
	if (rc != SQLITE_OK) {
		sqlite3_free(v);
		return rc;
	}
	*out = &v->base;
	return SQLITE_OK;
}

static int
x_disconnect(sqlite3_vtab *base)
{
	free(((struct vtab *)base)->plans.plans);
	sqlite3_free(base);
	return SQLITE_OK;
}

static int
x_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	struct vtab *v = (struct vtab *)base;
	/* what goes on has no last row */
	bool may_index = !(v->all->sources->follow && v->table->source->live);

	return ryde_query_plan(&v->plans, v->table, may_index, info);
}

/* ---- cursors ---- */

static int
x_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
	struct cursor *c = calloc(1, sizeof(*c));

	(void)base;
	if (c == NULL)
		return SQLITE_NOMEM;
	ryde_buf_init(&c->text, TEXT_MAX);
	*out = &c->base;
	return SQLITE_OK;
}

static int
x_close(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	if (c->rows != NULL)
		c->rows->ops->free_cursor(c->rows);
	ryde_query_fields_free(&c->fields);
	ryde_buf_free(&c->text);
	free(c);
	return SQLITE_OK;
}

/* The keys of this row are among those that * stands for. */
static int
watch(struct vtab *v, struct cursor *c)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_json_fault fault;

	if (c->eof) {
		v->table->complete = v->table->complete || c->whole;
		return SQLITE_OK;
	}
	if (!c->row.json || ryde_json_check(c->row.data, NULL, &fault) != 0)
		return SQLITE_OK;
	return ryde_query_columns_take(&v->table->columns, c->row.data, &err) == 0
		   ? SQLITE_OK
		   : fail(v, &err);
}

/* Where the row at hand stands. OR reads twice, each time with a condition, and takes a
 * row once by this. */
static int64_t
place(const struct cursor *c)
{
	return c->rows->ops->position != NULL ? c->rows->ops->position(c->rows) : c->n;
}

/* The next row; where rows come unchecked, the next one that is JSON. -1 with err set. */
static int
next_row(struct vtab *v, struct cursor *c, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	int rc;

	for (;;) {
		c->looked = false;
		rc = c->rows->ops->next(c->rows, &c->row, err);
		if (rc != 1 || !v->table->source->unchecked || !c->row.json || c->indexed)
			return rc;
		c->looked = c->found = true;
		if (ryde_query_fields_read(&c->fields, c->row.data, &fault))
			return 1;
		if (c->rows->ops->bad(c->rows, place(c), c->row.data, &fault, err) != 0)
			return -1;
	}
}

static int
x_next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = (struct vtab *)base->pVtab;
	struct ryde_err err = RYDE_ERR_INIT;
	int rc = next_row(v, c, &err);

	if (rc < 0)
		return fail(v, &err);
	c->eof = rc == 0;
	c->n++;
	/* what an index has was seen and counted when it was gathered */
	if (c->indexed)
		return SQLITE_OK;
	if (v->table->source->counted)
		v->all->rows += (uint64_t)rc;
	return v->all->watch ? watch(v, c) : SQLITE_OK;
}

/*
 * Reads the rows that the filter lets through into the index. A statement inside the one
 * at hand does that, so that the values of its keys are what SQL takes them for.
 */
static int
gather(struct vtab *v, struct ryde_query_index *x, const struct ryde_query_plan *p,
    const struct ryde_query_filter *filter, struct ryde_err *err)
{
	struct ryde_query_vtab *all = v->all;
	sqlite3_value *keys[RYDE_QUERY_PLAN_KEYS];
	sqlite3_stmt *st = NULL;
	struct ryde_buf sql;
	int rc = SQLITE_ERROR;

	ryde_buf_init(&sql, SQL_MAX);
	for (size_t i = 0; i < p->n; i++) {
		if (!p->args[i].is_key)
			continue;
		ryde_buf_puts(&sql, sql.n == 0 ? "SELECT " : ",");
		ryde_query_sql_quote(&sql, ryde_view_of(ryde_query_table_column_name(
					       v->table, p->args[i].column)));
	}
	ryde_buf_puts(&sql, " FROM main.");
	ryde_query_sql_quote(&sql, ryde_view_of(v->table->name));
	if (ryde_buf_check(&sql, err) == 0 && ryde_query_index_begin(x, err) == 0)
		rc = sqlite3_prepare_v2(all->db, ryde_buf_str(&sql), -1, &st, NULL);
	ryde_buf_free(&sql);
	all->gathering = filter;
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct cursor *c = all->gathered;

		for (int i = 0; i < (int)p->n_keys; i++)
			keys[i] = sqlite3_column_value(st, i);
		rc = ryde_query_index_add(x, c->rows, &c->row, place(c), keys, err) == 0
			 ? SQLITE_OK
			 : SQLITE_ERROR;
	}
	all->gathering = NULL;
	if (rc == SQLITE_DONE)
		rc = ryde_query_index_end(x, err) == 0 ? SQLITE_OK : SQLITE_ERROR;
	else if (err->code == RYDE_OK && all->err.code != RYDE_OK)
		*err = all->err;
	else if (err->code == RYDE_OK)
		(void)ryde_err_set(err, RYDE_EDATA, "%s", sqlite3_errmsg(all->db));
	(void)sqlite3_finalize(st);
	return rc == SQLITE_OK ? 0 : -1;
}

/* True where the statement reads a column whose texts are compared as numbers. */
static bool
has_numeric_texts(const struct ryde_query_vtab *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct ryde_query_table *t = all->tables[i];

		for (size_t k = 0; t->used && k < t->n_extras; k++)
			if (t->source->extras[k].kind == RYDE_QUERY_EXTRA_EITHER)
				return true;
	}
	return false;
}

/* The rows by an index, where that is better; NULL: by a scan, or with err set. */
static struct ryde_query_cursor *
find_rows(struct vtab *v, int number, const struct ryde_query_plan *p,
    sqlite3_value **argv, struct ryde_err *err)
{
	struct ryde_query_test tests[RYDE_QUERY_PLAN_ARGS];
	struct ryde_query_filter filter = {tests, 0};
	struct ryde_query_index *x = p->index;
	const bool *left_out;

	if (x == NULL) {
		x = ryde_query_index_new(
		    p, v->table->source, v->table->n_columns, has_numeric_texts(v->all));
		if (x == NULL) {
			(void)ryde_err_nomem(err);
			return NULL;
		}
		*ryde_query_index_next(x) = v->all->indexes;
		v->all->indexes = v->plans.plans[number].index = x;
	}
	switch (ryde_query_index_way(x, p, argv, &left_out)) {
	case RYDE_QUERY_INDEX_BUILD:
		filter.n = ryde_query_plan_tests(p, argv, left_out, tests);
		if (gather(v, x, p, &filter, err) != 0)
			return NULL;
		break;
	case RYDE_QUERY_INDEX_FIND:
		break;
	case RYDE_QUERY_INDEX_SCAN:
		return NULL;
	}
	return ryde_query_index_find(x, p, argv, err);
}

static int
x_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
    sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = (struct vtab *)base->pVtab;
	/* a copy: what reads for an index has plans, too */
	struct ryde_query_plan plan = v->plans.plans[number];
	struct ryde_query_test tests[RYDE_QUERY_PLAN_ARGS];
	struct ryde_query_filter filter = {tests, 0};
	struct ryde_err err = RYDE_ERR_INIT;

	(void)text;
	(void)argc;
	if (c->rows != NULL)
		c->rows->ops->free_cursor(c->rows);
	c->rows = NULL;
	c->n = 0;
	if (v->all->gathering != NULL) {
		filter = *v->all->gathering;
		v->all->gathering = NULL;
		v->all->gathered = c;
	} else {
		if (plan.n_keys > 0)
			c->rows = find_rows(v, number, &plan, argv, &err);
		filter.n = ryde_query_plan_tests(&plan, argv, NULL, tests);
	}
	c->indexed = c->rows != NULL;
	c->whole = filter.n == 0 && !c->indexed;
	if (!c->indexed && err.code == RYDE_OK)
		c->rows = v->table->source->ops->cursor(v->table->source, &filter, &err);
	if (c->rows == NULL ||
	    ryde_query_fields_want(&c->fields, v->table, plan.mask, &err) != 0)
		return fail(v, &err);
	return x_next(base);
}

static int
x_eof(sqlite3_vtab_cursor *base)
{
	return ((const struct cursor *)base)->eof;
}

static int
x_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	*out = place((const struct cursor *)base);
	return SQLITE_OK;
}

/* ---- values ---- */

static int
result_field(struct vtab *v, struct cursor *c, sqlite3_context *ctx, size_t i)
{
	struct ryde_query_column *column = ryde_query_columns_at(&v->table->columns, i);
	const struct ryde_json_value *value;
	struct ryde_json_fault fault;

	if (!c->looked) {
		c->looked = true;
		c->found = c->row.json &&
			   ryde_query_fields_read(&c->fields, c->row.data, &fault);
	}
	value =
	    c->found ? ryde_query_fields_find(&c->fields, &v->table->columns, i) : NULL;
	if (value == NULL)
		return SQLITE_OK;
	return ryde_query_value(ctx, column, value, &v->all->seen, &c->text) == 0
		   ? SQLITE_OK
		   : no_memory(v);
}

static void
result_extra(struct vtab *v, struct cursor *c, sqlite3_context *ctx, size_t i)
{
	struct ryde_view text;
	int64_t whole;

	if (!c->rows->ops->extra(c->rows, i, &text))
		return;
	if (v->table->source->extras[i].kind == RYDE_QUERY_EXTRA_INTEGER) {
		while (text.n > 1 && *text.p == '0')
			text = ryde_view_mem(text.p + 1, text.n - 1);
		if (ryde_num_i64(text, INT64_MIN, INT64_MAX, &whole)) {
			sqlite3_result_int64(ctx, whole);
			return;
		}
	}
	ryde_query_value_text(ctx, text);
}

static int
x_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int number)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = (struct vtab *)base->pVtab;
	size_t i = (size_t)number, n = v->table->n_columns;

	if (i < n)
		return result_field(v, c, ctx, i);
	if (i < ryde_query_table_data_column(v->table))
		result_extra(v, c, ctx, i - n);
	else if (c->row.json)
		ryde_query_value_text(ctx, c->row.data);
	else
		sqlite3_result_blob64(ctx, c->row.data.n > 0 ? c->row.data.p : "",
		    c->row.data.n, SQLITE_TRANSIENT);
	return SQLITE_OK;
}

/* ---- the registry ---- */

static const sqlite3_module module = {
    .iVersion = 1,
    .xCreate = x_connect,
    .xConnect = x_connect,
    .xBestIndex = x_best_index,
    .xDisconnect = x_disconnect,
    .xDestroy = x_disconnect,
    .xOpen = x_open,
    .xClose = x_close,
    .xFilter = x_filter,
    .xNext = x_next,
    .xEof = x_eof,
    .xColumn = x_column,
    .xRowid = x_rowid,
};

int
ryde_query_vtab(struct ryde_query_vtab *v, sqlite3 *db,
    struct ryde_query_sources *sources, struct ryde_err *err)
{
	*v = (struct ryde_query_vtab){.db = db, .sources = sources};
	if (sqlite3_create_module(db, "ryde", &module, v) != SQLITE_OK)
		return ryde_err_set(
		    err, RYDE_ESOFTWARE, "cannot register: %s", sqlite3_errmsg(db));
	return 0;
}

void
ryde_query_vtab_forget(struct ryde_query_vtab *v)
{
	while (v->indexes != NULL) {
		struct ryde_query_index *x = v->indexes;

		v->indexes = *ryde_query_index_next(x);
		ryde_query_index_free(x);
	}
}

void
ryde_query_vtab_free(struct ryde_query_vtab *v)
{
	ryde_query_vtab_forget(v);
	for (size_t i = 0; i < v->n; i++)
		ryde_query_table_free(v->tables[i]);
	free(v->tables);
	v->tables = NULL;
	v->n = v->cap = 0;
}

struct ryde_query_table *
ryde_query_vtab_find(const struct ryde_query_vtab *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (sqlite3_stricmp(v->tables[i]->name, name) == 0)
			return v->tables[i];
	return NULL;
}

static int
declare(struct ryde_query_vtab *v, const char *name, bool again, struct ryde_err *err)
{
	char *sql = sqlite3_mprintf(again ? "DROP TABLE \"%w\"; CREATE VIRTUAL TABLE "
					    "\"%w\" USING ryde"
					  : "CREATE VIRTUAL TABLE \"%w\" USING ryde",
	    name, name);
	int rc;

	if (sql == NULL)
		return ryde_err_nomem(err);
	v->declaring = true;
	rc = sqlite3_exec(v->db, sql, NULL, NULL, NULL);
	v->declaring = false;
	sqlite3_free(sql);
	if (rc != SQLITE_OK)
		return ryde_err_set(err, RYDE_EUSAGE, "'%s' cannot be a table: %s", name,
		    sqlite3_errmsg(v->db));
	return 0;
}

static void
warn_of_overflow(const struct ryde_query_table *t)
{
	if (t->columns.overflow)
		ryde_log(RYDE_LOG_WARNING,
		    "%s has more than %d keys: the others are in data->>'$.KEY' alone",
		    t->name, RYDE_QUERY_COLUMNS_MAX);
}

static struct ryde_query_table *
open_external(struct ryde_query_vtab *v, const char *name, struct ryde_view sql,
    struct ryde_err *err)
{
	struct ryde_query_source *source;
	struct ryde_query_table *t = NULL;
	struct ryde_query_ddl d;

	if (ryde_query_ddl_read(&d, &sql, err) == 0) {
		source = ryde_query_archive(v->sources, ryde_buf_str(&d.location), err);
		if (source != NULL)
			t = ryde_query_table_new(name, source, &d.columns, err);
	}
	ryde_query_ddl_free(&d);
	return t;
}

static struct ryde_query_table *
open_table(struct ryde_query_vtab *v, const char *name, struct ryde_err *err)
{
	struct ryde_query_source *source;
	struct ryde_query_table *t = NULL;
	struct ryde_buf sql;
	int rc;

	ryde_buf_init(&sql, SQL_MAX);
	rc = ryde_external_load(v->sources->store, name, &sql, err);
	if (rc == 1) {
		t = open_external(v, name, ryde_buf_as_view(&sql), err);
	} else if (rc == 0) {
		source = ryde_query_source(v->sources, name, err);
		if (source != NULL)
			t = ryde_query_table_new(name, source, NULL, err);
	}
	ryde_buf_free(&sql);
	return t;
}

/* Keeps the table (NULL: it could not be opened) and declares it. */
static int
keep(struct ryde_query_vtab *v, struct ryde_query_table *t, struct ryde_err *err)
{
	struct ryde_query_table **tables = v->tables;

	if (t == NULL)
		return -1;
	if (v->n == v->cap) {
		size_t cap = v->cap * 2 + 8;

		tables = realloc(v->tables, cap * sizeof(struct ryde_query_table *));
		if (tables == NULL) {
			ryde_query_table_free(t);
			return ryde_err_nomem(err);
		}
		v->tables = tables;
		v->cap = cap;
	}
	tables[v->n++] = t;
	warn_of_overflow(t);
	return declare(v, t->name, false, err);
}

int
ryde_query_vtab_open(struct ryde_query_vtab *v, const char *name, struct ryde_err *err)
{
	return keep(v, open_table(v, name, err), err);
}

int
ryde_query_vtab_add(struct ryde_query_vtab *v, const char *name,
    struct ryde_query_source *source, const struct ryde_query_columns *columns,
    struct ryde_err *err)
{
	return keep(v, ryde_query_table_new(name, source, columns, err), err);
}

bool
ryde_query_vtab_has_grown(const struct ryde_query_vtab *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->tables[i]->columns.n != v->tables[i]->n_columns)
			return true;
	return false;
}

int
ryde_query_vtab_declare(struct ryde_query_vtab *v, bool *changed, struct ryde_err *err)
{
	for (size_t i = 0; i < v->n; i++) {
		struct ryde_query_table *t = v->tables[i];

		if (t->columns.n == t->n_columns)
			continue;
		warn_of_overflow(t);
		if (declare(v, t->name, true, err) != 0)
			return -1;
		if (changed != NULL)
			*changed = true;
	}
	return 0;
}

int
ryde_query_vtab_complete(struct ryde_query_vtab *v, bool all, struct ryde_err *err)
{
	for (size_t i = 0; i < v->n; i++)
		if ((all || v->tables[i]->used) &&
		    ryde_query_table_complete(v->tables[i], err) != 0)
			return -1;
	return ryde_query_vtab_declare(v, NULL, err);
}

bool
ryde_query_vtab_is_partial(const struct ryde_query_vtab *v, bool all)
{
	for (size_t i = 0; i < v->n; i++)
		if ((all || v->tables[i]->used) && !v->tables[i]->complete)
			return true;
	return false;
}

int
ryde_query_vtab_add_column(
    struct ryde_query_vtab *v, const char *name, bool *added, struct ryde_err *err)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->tables[i]->empty &&
		    ryde_query_columns_add(&v->tables[i]->columns, name, err) != 0)
			return -1;
	*added = false;
	return ryde_query_vtab_declare(v, added, err);
}
