#include "engine/query_index.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mix.h"
#include "engine/query_plan.h"
#include "engine/query_source.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SQL_MAX ((size_t)1 << 20)
#define TEXT_MAX ((size_t)64 << 20)
#define WAYS 2				   /* hashes of one value, at most */
#define HASHES (1 << RYDE_QUERY_PLAN_KEYS) /* of a row, at most: WAYS ^ keys */
#define WHOLE_MAX 1e15			   /* whole numbers up to here show all digits */

struct ryde_query_index {
	struct ryde_query_cursor base; /* the walk */
	struct ryde_query_index *next;
	uint64_t mask; /* the columns that are wanted */
	size_t first_extra, n_extras;
	size_t n_keys;
	bool numeric[RYDE_QUERY_PLAN_KEYS]; /* a text may be compared as a number */
	bool called, built, busy;
	sqlite3_value *values[RYDE_QUERY_PLAN_ARGS]; /* of the first scan's conditions */
	bool left_out[RYDE_QUERY_PLAN_ARGS];
	sqlite3 *db;
	sqlite3_stmt *add_row, *add_key;
	sqlite3_stmt *one, *some; /* the rows of one hash, of up to HASHES */
	sqlite3_stmt *at;	  /* one of these, in a walk */
	struct ryde_buf text;
};

static int walk_next(
    struct ryde_query_cursor *c, struct ryde_query_row *row, struct ryde_err *err);
static bool walk_extra(struct ryde_query_cursor *c, size_t i, struct ryde_view *text);
static int64_t walk_position(const struct ryde_query_cursor *c);
static void walk_end(struct ryde_query_cursor *c);

static const struct ryde_query_source_ops walk_ops = {.next = walk_next,
    .extra = walk_extra,
    .position = walk_position,
    .free_cursor = walk_end};

/* True where the column has the affinity of numbers. */
static bool
is_numeric(const struct ryde_query_source *source, size_t first_extra, size_t column)
{
	return column >= first_extra && column < first_extra + source->n_extras &&
	       source->extras[column - first_extra].kind != RYDE_QUERY_EXTRA_TEXT;
}

struct ryde_query_index *
ryde_query_index_new(const struct ryde_query_plan *p,
    const struct ryde_query_source *source, size_t first_extra, bool numeric_texts)
{
	struct ryde_query_index *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->base.ops = &walk_ops;
	x->mask = p->mask;
	x->first_extra = first_extra;
	x->n_extras = source->n_extras;
	for (size_t i = 0; i < p->n; i++)
		if (p->args[i].is_key)
			x->numeric[x->n_keys++] =
			    numeric_texts ||
			    is_numeric(source, first_extra, p->args[i].column);
	ryde_buf_init(&x->text, TEXT_MAX);
	return x;
}

static void
close_db(struct ryde_query_index *x)
{
	sqlite3_stmt **const all[] = {&x->add_row, &x->add_key, &x->one, &x->some};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)sqlite3_finalize(*all[i]);
		*all[i] = NULL;
	}
	(void)sqlite3_close(x->db);
	x->db = NULL;
	x->built = false;
}

void
ryde_query_index_free(struct ryde_query_index *x)
{
	if (x == NULL)
		return;
	close_db(x);
	for (size_t i = 0; i < RYDE_QUERY_PLAN_ARGS; i++)
		sqlite3_value_free(x->values[i]);
	ryde_buf_free(&x->text);
	free(x);
}

struct ryde_query_index **
ryde_query_index_next(struct ryde_query_index *x)
{
	return &x->next;
}

/* ---- which way ---- */

static bool
is_same(const struct ryde_query_arg *arg, sqlite3_value *a, sqlite3_value *b)
{
	struct ryde_query_test x = arg->test, y = arg->test;

	ryde_query_test_value(&x, a);
	ryde_query_test_value(&y, b);
	return x.is_number == y.is_number && x.is_text == y.is_text &&
	       (!x.is_number || (x.number >= y.number && x.number <= y.number)) &&
	       (!x.is_text || ryde_view_eq(x.text, y.text));
}

enum ryde_query_index_way
ryde_query_index_way(struct ryde_query_index *x, const struct ryde_query_plan *p,
    sqlite3_value **values, const bool **left_out)
{
	*left_out = x->left_out;
	if (x->busy)
		return RYDE_QUERY_INDEX_SCAN;
	if (!x->called) {
		x->called = true;
		for (size_t i = 0; i < p->n; i++) {
			x->values[i] =
			    p->args[i].is_test ? sqlite3_value_dup(values[i]) : NULL;
			x->left_out[i] = x->values[i] == NULL;
		}
		return RYDE_QUERY_INDEX_SCAN;
	}
	for (size_t i = 0; i < p->n; i++) {
		sqlite3_value *now;

		if (x->left_out[i])
			continue;
		/* to look at a value may change it */
		now = sqlite3_value_dup(values[i]);
		if (now == NULL || !is_same(&p->args[i], x->values[i], now)) {
			x->left_out[i] = true;
			x->built = false;
		}
		sqlite3_value_free(now);
	}
	return x->built ? RYDE_QUERY_INDEX_FIND : RYDE_QUERY_INDEX_BUILD;
}

/* ---- hashes ---- */

static uint64_t
tagged(struct ryde_query_index *x, char tag, const void *p, size_t n)
{
	ryde_buf_clear(&x->text);
	ryde_buf_putc(&x->text, tag);
	ryde_buf_add(&x->text, p, n);
	return ryde_mix(x->text.p, x->text.n);
}

/* INTEGER and REAL of the same value have the same hash. */
static uint64_t
hash_number(struct ryde_query_index *x, sqlite3_value *v, bool *plain)
{
	double real;
	int64_t whole;

	*plain = true;
	if (sqlite3_value_type(v) == SQLITE_INTEGER) {
		whole = sqlite3_value_int64(v);
		return tagged(x, 'i', &whole, sizeof(whole));
	}
	real = sqlite3_value_double(v);
	*plain = real < WHOLE_MAX && real > -WHOLE_MAX;
	if (real < 9223372036854775808.0 && real >= -9223372036854775808.0) {
		whole = (int64_t)real;
		if ((double)whole >= real && (double)whole <= real)
			return tagged(x, 'i', &whole, sizeof(whole));
	}
	*plain = false;
	return tagged(x, 'd', &real, sizeof(real));
}

static uint64_t
hash_bytes(struct ryde_query_index *x, char tag, sqlite3_value *v)
{
	const void *p =
	    tag == 'b' ? sqlite3_value_blob(v) : (const void *)sqlite3_value_text(v);

	return tagged(x, tag, p, (size_t)sqlite3_value_bytes(v));
}

/*
 * The hashes of a value, which may change; their number, 0 for a NULL, which is equal to
 * nothing. Two values that SQL may call equal have one in common, the one as stored, the
 * other as sought: as numbers, where a text that reads as one counts as one, or as bytes.
 * A REAL is sought as a text, too: a text column is compared with what SQL writes for it,
 * which may have fewer digits. A text is sought as a
 * REAL only where it may be compared as one: long sequence numbers are one and the same
 * REAL.
 * Source: https://sqlite.org/datatype3.html#affinity_of_expressions, comparisons.
 */
static size_t
hash_value(struct ryde_query_index *x, sqlite3_value *v, bool stored, bool numeric,
    uint64_t *hashes)
{
	bool plain;
	int type = sqlite3_value_type(v);

	switch (type) {
	case SQLITE_NULL:
		return 0;
	case SQLITE_BLOB:
		hashes[0] = hash_bytes(x, 'b', v);
		return 1;
	case SQLITE_TEXT:
		/* as a text first: what reads as a number becomes one */
		hashes[0] = hash_bytes(x, 't', v);
		type = sqlite3_value_numeric_type(v);
		if (type == SQLITE_TEXT)
			return 1;
		if (type == SQLITE_FLOAT && !stored && !numeric)
			return 1;
		hashes[type == SQLITE_FLOAT] = hash_number(x, v, &plain);
		return type == SQLITE_FLOAT ? 2 : 1;
	default:
		hashes[0] = hash_number(x, v, &plain);
		if (stored || plain)
			return 1;
		hashes[1] = hash_bytes(x, 't', v);
		return 2;
	}
}

/* The hashes of a row's keys: each of one value with each of the others. */
static int
hash_keys(struct ryde_query_index *x, sqlite3_value **keys, bool stored, uint64_t *hashes,
    size_t *n, struct ryde_err *err)
{
	*n = 1;
	hashes[0] = 0;
	for (size_t i = 0; i<x->n_keys && * n> 0; i++) {
		sqlite3_value *v = sqlite3_value_dup(keys[i]);
		uint64_t own[WAYS];
		size_t ways, before = *n;

		if (v == NULL)
			return ryde_err_nomem(err);
		ways = hash_value(x, v, stored, x->numeric[i], own);
		sqlite3_value_free(v);
		for (size_t w = ways; w-- > 0;)
			for (size_t k = 0; k < before; k++)
				hashes[w * before + k] =
				    (hashes[k] ^ own[w]) * 0x9e3779b97f4a7c15u;
		*n = before * ways;
	}
	return ryde_buf_check(&x->text, err);
}

/* ---- gathering ---- */

static int
failed(struct ryde_query_index *x, struct ryde_err *err)
{
	if (x->db == NULL || sqlite3_errcode(x->db) == SQLITE_NOMEM)
		return ryde_err_nomem(err);
	return ryde_err_set(err, RYDE_EIO,
	    "cannot keep rows for a join: %s (TMPDIR says where)", sqlite3_errmsg(x->db));
}

static bool
is_wanted(const struct ryde_query_index *x, size_t extra)
{
	size_t column = x->first_extra + extra;

	return (x->mask >> (column < 63 ? column : 63) & 1) != 0;
}

int
ryde_query_index_begin(struct ryde_query_index *x, struct ryde_err *err)
{
	struct ryde_buf create, add;
	int rc = -1;

	close_db(x);
	ryde_buf_init(&create, SQL_MAX);
	ryde_buf_init(&add, SQL_MAX);
	ryde_buf_puts(&create,
	    "PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA cache_size=-4000;"
	    "BEGIN;CREATE TABLE k(h,n);CREATE TABLE r(n INTEGER PRIMARY KEY,d");
	ryde_buf_puts(&add, "INSERT INTO r VALUES(?,?");
	for (size_t i = 0; i < x->n_extras; i++) {
		if (!is_wanted(x, i))
			continue;
		ryde_buf_printf(&create, ",e%zu", i);
		ryde_buf_puts(&add, ",?");
	}
	ryde_buf_puts(&create, ")");
	ryde_buf_puts(&add, ")");
	if (ryde_buf_check(&create, err) != 0 || ryde_buf_check(&add, err) != 0)
		goto out;
	/* without a name: SQLite's own temporary file, as soon as one is needed */
	if (sqlite3_open("", &x->db) != SQLITE_OK ||
	    sqlite3_exec(x->db, ryde_buf_str(&create), NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(x->db, ryde_buf_str(&add), -1, &x->add_row, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(
		x->db, "INSERT INTO k VALUES(?,?)", -1, &x->add_key, NULL) != SQLITE_OK)
		(void)failed(x, err);
	else
		rc = 0;
out:
	ryde_buf_free(&create);
	ryde_buf_free(&add);
	return rc;
}

static int
run(struct ryde_query_index *x, sqlite3_stmt *st, struct ryde_err *err)
{
	int rc = sqlite3_step(st);

	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : failed(x, err);
}

int
ryde_query_index_add(struct ryde_query_index *x, struct ryde_query_cursor *c,
    const struct ryde_query_row *row, int64_t position, sqlite3_value **keys,
    struct ryde_err *err)
{
	uint64_t hashes[HASHES];
	const char *p = row->data.n > 0 ? row->data.p : "";
	struct ryde_view text;
	int at = 2;
	size_t n;

	if (hash_keys(x, keys, true, hashes, &n, err) != 0)
		return -1;
	if (n == 0)
		return 0;
	(void)sqlite3_bind_int64(x->add_row, 1, position);
	/* a text is JSON, a BLOB is not */
	if (row->json)
		(void)sqlite3_bind_text64(
		    x->add_row, 2, p, row->data.n, SQLITE_STATIC, SQLITE_UTF8);
	else
		(void)sqlite3_bind_blob64(x->add_row, 2, p, row->data.n, SQLITE_STATIC);
	for (size_t i = 0; i < x->n_extras; i++) {
		if (!is_wanted(x, i))
			continue;
		if (c->ops->extra(c, i, &text))
			(void)sqlite3_bind_blob64(x->add_row, ++at,
			    text.n > 0 ? text.p : "", text.n, SQLITE_TRANSIENT);
		else
			(void)sqlite3_bind_null(x->add_row, ++at);
	}
	if (run(x, x->add_row, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		(void)sqlite3_bind_int64(x->add_key, 1, (int64_t)hashes[i]);
		(void)sqlite3_bind_int64(x->add_key, 2, position);
		if (run(x, x->add_key, err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_query_index_end(struct ryde_query_index *x, struct ryde_err *err)
{
	if (sqlite3_exec(x->db, "CREATE INDEX i ON k(h,n);COMMIT", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_prepare_v2(x->db,
		"SELECT r.* FROM k CROSS JOIN r ON r.n=k.n WHERE k.h=? ORDER BY k.n", -1,
		&x->one, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(x->db,
		"SELECT * FROM r WHERE n IN (SELECT n FROM k WHERE h IN "
		"(?,?,?,?,?,?,?,?)) ORDER BY n",
		-1, &x->some, NULL) != SQLITE_OK)
		return failed(x, err);
	x->built = true;
	return 0;
}

/* ---- finding ---- */

struct ryde_query_cursor *
ryde_query_index_find(struct ryde_query_index *x, const struct ryde_query_plan *p,
    sqlite3_value **values, struct ryde_err *err)
{
	sqlite3_value *keys[RYDE_QUERY_PLAN_KEYS];
	uint64_t hashes[HASHES];
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->args[i].is_key)
			keys[n++] = values[i];
	if (hash_keys(x, keys, false, hashes, &n, err) != 0)
		return NULL;
	x->busy = true;
	x->at = n == 0 ? NULL : n == 1 ? x->one : x->some;
	for (size_t i = 0; i < (n > 1 ? HASHES : n); i++)
		(void)sqlite3_bind_int64(
		    x->at, (int)i + 1, (int64_t)hashes[i < n ? i : 0]);
	return &x->base;
}

static int
walk_next(struct ryde_query_cursor *c, struct ryde_query_row *row, struct ryde_err *err)
{
	struct ryde_query_index *x = (struct ryde_query_index *)c;
	int rc = x->at != NULL ? sqlite3_step(x->at) : SQLITE_DONE;
	const char *p;

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return failed(x, err);
	row->json = sqlite3_column_type(x->at, 1) == SQLITE_TEXT;
	p = sqlite3_column_blob(x->at, 1);
	row->data =
	    ryde_view_mem(p != NULL ? p : "", (size_t)sqlite3_column_bytes(x->at, 1));
	return 1;
}

static bool
walk_extra(struct ryde_query_cursor *c, size_t i, struct ryde_view *text)
{
	const struct ryde_query_index *x = (const struct ryde_query_index *)c;
	const char *p;
	int at = 2;

	if (!is_wanted(x, i))
		return false;
	for (size_t k = 0; k < i; k++)
		at += is_wanted(x, k);
	if (sqlite3_column_type(x->at, at) == SQLITE_NULL)
		return false;
	p = sqlite3_column_blob(x->at, at);
	*text =
	    ryde_view_mem(p != NULL ? p : "", (size_t)sqlite3_column_bytes(x->at, at));
	return true;
}

static int64_t
walk_position(const struct ryde_query_cursor *c)
{
	return sqlite3_column_int64(((const struct ryde_query_index *)c)->at, 0);
}

static void
walk_end(struct ryde_query_cursor *c)
{
	struct ryde_query_index *x = (struct ryde_query_index *)c;

	if (x->at != NULL)
		(void)sqlite3_reset(x->at);
	x->at = NULL;
	x->busy = false;
}
