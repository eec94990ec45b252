#include "engine/query_vtab.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"
#include "engine/query_archive.h"
#include "engine/query_ddl.h"
#include "engine/query_filter.h"
#include "engine/query_source.h"
#include "engine/query_table.h"
#include "engine/query_value.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"
#include "store/external.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)64 << 20)
#define MASK_BITS 64
#define NO_SLOT SIZE_MAX

#define TESTS_MAX 16 /* conditions of one scan that a source is told of */

/* What x_best_index settled for a scan; idxNum is its number. */
struct plan {
	uint64_t mask; /* the columns that are wanted, as colUsed has them */
	struct ryde_query_test tests[TESTS_MAX]; /* their values come with the scan */
	size_t n;
};

struct vtab {
	sqlite3_vtab base;
	struct ryde_query_vtab *all;
	struct ryde_query_table *table;
	struct plan *plans;
	size_t n_plans, cap_plans;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct ryde_query_cursor *rows;
	struct ryde_query_row row;
	int64_t n;
	bool eof;
	bool whole;    /* nothing is left out */
	uint64_t mask; /* the columns that paths was made for, as colUsed has them */
	struct ryde_json_paths *paths;
	struct ryde_json_shapes *shapes;
	struct ryde_json_value *values; /* one per path, once the row was looked at */
	bool looked, found;
	size_t *slots; /* per key of the table: its path, or NO_SLOT */
	size_t n_slots;
	bool spellings; /* some column has several keys */
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
	free(((struct vtab *)base)->plans);
	sqlite3_free(base);
	return SQLITE_OK;
}

static bool
is_test(const struct vtab *v, const struct sqlite3_index_constraint *c, size_t *extra)
{
	size_t first = v->table->n_columns, column = (size_t)c->iColumn;

	if (!c->usable || c->iColumn < 0 || column < first ||
	    column >= first + v->table->n_extras)
		return false;
	*extra = column - first;
	return c->op == SQLITE_INDEX_CONSTRAINT_EQ ||
	       c->op == SQLITE_INDEX_CONSTRAINT_GT ||
	       c->op == SQLITE_INDEX_CONSTRAINT_LE ||
	       c->op == SQLITE_INDEX_CONSTRAINT_LT || c->op == SQLITE_INDEX_CONSTRAINT_GE;
}

static struct plan *
new_plan(struct vtab *v)
{
	if (v->n_plans == v->cap_plans) {
		size_t cap = v->cap_plans * 2 + 8;
		struct plan *plans = realloc(v->plans, cap * sizeof(*plans));

		if (plans == NULL)
			return NULL;
		v->plans = plans;
		v->cap_plans = cap;
	}
	v->plans[v->n_plans] = (struct plan){0};
	return &v->plans[v->n_plans++];
}

/* What the scan would read, where the values of the conditions are known already. */
static int
estimate(struct vtab *v, sqlite3_index_info *info, const struct plan *p,
    const int *constraints)
{
	struct ryde_query_test tests[TESTS_MAX];
	struct ryde_query_filter filter = {tests, 0};
	struct ryde_query_source *source = v->table->source;
	struct ryde_buf words;
	double rows = 1e6;

	if (source->ops->plan == NULL) {
		info->estimatedCost = rows;
		info->estimatedRows = (sqlite3_int64)rows;
		return SQLITE_OK;
	}
	for (size_t i = 0; i < p->n; i++) {
		sqlite3_value *value;

		tests[filter.n] = p->tests[i];
		if (sqlite3_vtab_rhs_value(info, constraints[i], &value) == SQLITE_OK)
			ryde_query_test_value(&tests[filter.n++], value);
	}
	ryde_buf_init(&words, TEXT_MAX);
	source->ops->plan(source, &filter, &words, &rows);
	info->idxStr = sqlite3_mprintf("%s", ryde_buf_str(&words));
	info->needToFreeIdxStr = 1;
	ryde_buf_free(&words);
	/* a condition whose value is not known yet will leave something out, too */
	if (filter.n < p->n)
		rows /= 10;
	info->estimatedCost = rows + 1;
	info->estimatedRows = (sqlite3_int64)rows + 1;
	return info->idxStr != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

/* Every plan is a scan. It is told which columns are wanted, and what its source may use
 * to leave rows out; SQLite looks at those conditions again. */
static int
x_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	struct vtab *v = (struct vtab *)base;
	struct plan *p = new_plan(v);
	int constraints[TESTS_MAX];

	if (p == NULL)
		return SQLITE_NOMEM;
	p->mask = info->colUsed;
	for (int i = 0; i < info->nConstraint && p->n < TESTS_MAX; i++) {
		size_t extra;

		if (!is_test(v, &info->aConstraint[i], &extra) ||
		    sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
			continue;
		p->tests[p->n].extra = extra;
		p->tests[p->n].op = info->aConstraint[i].op;
		constraints[p->n++] = i;
		info->aConstraintUsage[i].argvIndex = (int)p->n;
	}
	info->idxNum = (int)v->n_plans - 1;
	return estimate(v, info, p, constraints);
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

static void
forget_paths(struct cursor *c)
{
	ryde_json_paths_free(c->paths);
	free(c->shapes);
	free(c->values);
	free(c->slots);
	c->paths = NULL;
	c->shapes = NULL;
	c->values = NULL;
	c->slots = NULL;
}

static int
x_close(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	if (c->rows != NULL)
		c->rows->ops->free_cursor(c->rows);
	forget_paths(c);
	ryde_buf_free(&c->text);
	free(c);
	return SQLITE_OK;
}

/* The path of a column: its key as the payload spells it, in quotes. */
static int
add_path(struct cursor *c, const struct ryde_query_column *column, size_t *slot,
    struct ryde_err *err)
{
	ryde_buf_clear(&c->text);
	ryde_buf_puts(&c->text, ".\"");
	ryde_buf_add(&c->text, column->raw, column->raw_n);
	ryde_buf_putc(&c->text, '"');
	if (ryde_buf_check(&c->text, err) != 0)
		return -1;
	return ryde_json_paths_add(c->paths, ryde_buf_str(&c->text), slot, err);
}

/* One scan of a payload shall find the columns of the mask, and nothing else. */
static int
make_paths(struct cursor *c, const struct ryde_query_table *t, uint64_t mask,
    struct ryde_err *err)
{
	size_t n = t->columns.n_keys;

	if (c->paths != NULL && c->mask == mask && c->n_slots == n)
		return 0;
	forget_paths(c);
	c->paths = ryde_json_paths_new();
	c->values = calloc(n + 1, sizeof(*c->values));
	c->slots = calloc(n + 1, sizeof(*c->slots));
	c->shapes = malloc(sizeof(*c->shapes));
	if (c->paths == NULL || c->values == NULL || c->slots == NULL ||
	    c->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(c->shapes);
	c->mask = mask;
	c->n_slots = n;
	c->spellings = false;
	for (size_t i = 0; i < n; i++) {
		const struct ryde_query_column *k = &t->columns.keys[i];
		size_t bit = k->index < MASK_BITS ? k->index : MASK_BITS - 1;

		c->slots[i] = NO_SLOT;
		if (k->index >= t->n_columns || (mask >> bit & 1) == 0)
			continue;
		if (t->columns.columns[k->index] != i)
			c->spellings = true;
		if (add_path(c, k, &c->slots[i], err) != 0)
			return -1;
	}
	return 0;
}

/* The value of column i, or NULL where this row has none. */
static const struct ryde_json_value *
find_value(const struct cursor *c, const struct ryde_query_columns *columns, size_t i)
{
	size_t slot = c->slots[columns->columns[i]];

	if (slot != NO_SLOT && c->values[slot].kind != RYDE_JSON_ABSENT)
		return &c->values[slot];
	for (size_t k = 0; c->spellings && k < c->n_slots; k++)
		if (columns->keys[k].index == i && c->slots[k] != NO_SLOT &&
		    c->values[c->slots[k]].kind != RYDE_JSON_ABSENT)
			return &c->values[c->slots[k]];
	return NULL;
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

/* The next row; where rows come unchecked, the next one that is JSON. -1 with err set. */
static int
next_row(struct vtab *v, struct cursor *c, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	int rc;

	for (;;) {
		c->looked = false;
		rc = c->rows->ops->next(c->rows, &c->row, err);
		if (rc != 1 || !v->table->source->unchecked || !c->row.json)
			return rc;
		c->looked = c->found = true;
		if (ryde_json_shapes_read(
			c->shapes, c->row.data, c->paths, c->values, &fault) == 0)
			return 1;
		if (c->rows->ops->bad(c->rows, &fault, err) != 0)
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
	if (v->table->source->counted)
		v->all->rows += (uint64_t)rc;
	return v->all->watch ? watch(v, c) : SQLITE_OK;
}

static int
x_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
    sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = (struct vtab *)base->pVtab;
	struct plan plan = v->plans[number];
	struct ryde_query_filter filter = {plan.tests, (size_t)argc};
	struct ryde_err err = RYDE_ERR_INIT;

	(void)text;
	for (int i = 0; i < argc; i++)
		ryde_query_test_value(&plan.tests[i], argv[i]);
	if (c->rows != NULL)
		c->rows->ops->free_cursor(c->rows);
	c->n = 0;
	c->whole = argc == 0;
	c->rows = v->table->source->ops->cursor(v->table->source, &filter, &err);
	if (c->rows == NULL || make_paths(c, v->table, plan.mask, &err) != 0)
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
	const struct cursor *c = (const struct cursor *)base;

	/* OR reads twice, each time with a condition, and takes a row once by this */
	*out = c->rows->ops->position != NULL ? c->rows->ops->position(c->rows) : c->n;
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
		c->found = c->row.json && ryde_json_shapes_read(c->shapes, c->row.data,
					      c->paths, c->values, &fault) == 0;
	}
	value = c->found ? find_value(c, &v->table->columns, i) : NULL;
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
ryde_query_vtab_free(struct ryde_query_vtab *v)
{
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
