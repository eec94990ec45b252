/* Tables of the embedded store: one SQLite table of items by key. */
#include "local/table.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/decimal.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"
#include "local/catalog.h"
#include "local/db.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_MAX ((size_t)10 << 20) /* the longest line; DynamoDB takes 400 KB */
#define KEY_MAX ((size_t)1 << 20)
#define SCAN_ITEMS 1000 /* items that are copied before their reader gets them */
#define SCAN_BYTES ((size_t)1 << 20)

static const struct ryde_db_kind kind = {
    .folder = "tables",
    .noun = "table",
    .application_id = 0x72796474, /* "rydt" */
    .version = 1,
    .page_bytes = 4096,
    .full_sync = true,
    .schema = "CREATE TABLE meta(key TEXT,sort TEXT,deleted INTEGER);"
	      "CREATE TABLE items(pk TEXT,sk TEXT,item TEXT,PRIMARY KEY(pk,sk))"
	      "WITHOUT ROWID",
};

struct local_table {
	struct ryde_table base;
	struct ryde_db db;
	char *name, *key, *sort; /* sort is NULL where the table has none */
	struct ryde_json_paths *paths;
	size_t key_path, sort_path;
	struct {
		sqlite3_stmt *meta, *write, *scan, *count;
	} st;
};

static struct local_table *
local(struct ryde_table *base)
{
	return (struct local_table *)base;
}

static struct ryde_view
column(sqlite3_stmt *st, int i)
{
	const char *p = sqlite3_column_blob(st, i);
	int n = sqlite3_column_bytes(st, i);

	return ryde_view_mem(p, p == NULL ? 0 : (size_t)n);
}

/* ---- keys ---- */

/* Appends the comparable form of a key field. */
static int
put_key(const char *field, const struct ryde_json_value *v, struct ryde_buf *to,
    struct ryde_err *err)
{
	struct ryde_decimal d = {0};
	int rc = 0;

	switch (v->kind) {
	case RYDE_JSON_STRING:
		if (v->text.n == 0)
			return ryde_err_set(err, RYDE_EDATA,
			    "key field \"%s\" is an empty string", field);
		ryde_buf_putc(to, 'S');
		ryde_json_string_decode(to, v->text);
		break;
	case RYDE_JSON_NUMBER:
		if (ryde_decimal_parse(&d, v->text, err) != 0)
			return ryde_err_prefix(err, "key field \"%s\"", field);
		ryde_buf_putc(to, 'N');
		ryde_decimal_put(to, &d);
		ryde_decimal_free(&d);
		break;
	case RYDE_JSON_ABSENT:
		return ryde_err_set(
		    err, RYDE_EDATA, "key field \"%s\" is missing", field);
	case RYDE_JSON_NULL:
	case RYDE_JSON_FALSE:
	case RYDE_JSON_TRUE:
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
		return ryde_err_set(err, RYDE_EDATA,
		    "key field \"%s\" is neither a string nor a number", field);
	}
	if (rc == 0 && ryde_buf_check(to, err) != 0)
		return ryde_err_prefix(err, "key field \"%s\"", field);
	return rc;
}

static int
find_keys(struct local_table *t, struct ryde_view data, struct ryde_buf *key,
    struct ryde_buf *sort, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	struct ryde_json_value values[3];

	if (data.n > ITEM_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "an item of %zu bytes: at most %zu are taken", data.n, ITEM_MAX);
	if (ryde_json_find(data, t->paths, values, &fault) != 0)
		return ryde_err_set(err, RYDE_EDATA, "not JSON: %s at byte %zu",
		    fault.what, fault.at + 1);
	if (values[0].kind != RYDE_JSON_OBJECT)
		return ryde_err_set(err, RYDE_EDATA, "an item is a JSON object");
	if (put_key(t->key, &values[t->key_path], key, err) != 0)
		return -1;
	return t->sort == NULL ? 0 : put_key(t->sort, &values[t->sort_path], sort, err);
}

static int
keys(struct ryde_table *base, struct ryde_view data, struct ryde_buf *key,
    struct ryde_buf *sort, struct ryde_err *err)
{
	size_t key_was = key->n, sort_was = sort->n;

	if (find_keys(local(base), data, key, sort, err) == 0)
		return 0;
	key->n = key_was;
	sort->n = sort_was;
	key->failed = sort->failed = false;
	return -1;
}

/* ---- items ---- */

static int
check_meta(struct local_table *t, struct ryde_err *err)
{
	int rc;

	if (ryde_db_prepare(
		&t->db, &t->st.meta, "SELECT deleted,key,sort FROM meta", err) != 0)
		return -1;
	rc = ryde_db_step(&t->db, t->st.meta, err);
	if (rc == 0)
		return ryde_err_set(err, RYDE_EIO,
		    "%s is damaged: its table meta is empty; it was left alone",
		    t->db.path);
	if (rc == 1 && sqlite3_column_int(t->st.meta, 0) != 0) {
		(void)sqlite3_reset(t->st.meta);
		return ryde_db_deleted(&t->db, err);
	}
	return rc;
}

static int
put_items(struct local_table *t, const struct ryde_table_item *items, size_t n,
    struct ryde_err *err)
{
	sqlite3_stmt *st;

	if (check_meta(t, err) < 0)
		return -1;
	(void)sqlite3_reset(t->st.meta);
	if (ryde_db_prepare(
		&t->db, &t->st.write, "REPLACE INTO items VALUES(?,?,?)", err) != 0)
		return -1;
	st = t->st.write;
	for (size_t i = 0; i < n; i++) {
		const struct ryde_table_item *it = &items[i];

		(void)sqlite3_bind_text64(
		    st, 1, it->key.p, it->key.n, SQLITE_STATIC, SQLITE_UTF8);
		/* NULL would not be equal to itself */
		(void)sqlite3_bind_text64(st, 2, it->sort.n > 0 ? it->sort.p : "",
		    it->sort.n, SQLITE_STATIC, SQLITE_UTF8);
		(void)sqlite3_bind_text64(
		    st, 3, it->data.p, it->data.n, SQLITE_STATIC, SQLITE_UTF8);
		if (ryde_db_step(&t->db, st, err) != 0)
			return -1;
	}
	return ryde_db_commit(&t->db, err);
}

static int
write_items(struct ryde_table *base, struct ryde_table_item *items, size_t n,
    struct ryde_err *err)
{
	struct local_table *t = local(base);
	int rc;

	if (n == 0)
		return 0;
	if (ryde_db_begin(&t->db, err) != 0)
		return -1;
	rc = put_items(t, items, n, err);
	ryde_db_rollback(&t->db);
	return rc;
}

/*
 * A walk: a piece of it are the items behind the key in pk and sk, copied to bytes, their
 * lengths in sizes. Nothing is open when a piece has been read.
 */
struct cursor {
	struct ryde_table_cursor base;
	struct local_table *table;
	struct ryde_buf bytes, pk, sk;
	size_t sizes[SCAN_ITEMS], n;
	size_t i, at; /* the next item, and where it begins in bytes */
	bool last;    /* no piece behind this one */
};

static int
next_piece(struct cursor *p, struct ryde_err *err)
{
	struct local_table *t = p->table;
	sqlite3_stmt *st;
	int rc;

	if (ryde_db_prepare(&t->db, &t->st.scan,
		"SELECT item,pk,sk FROM items WHERE (pk,sk)>(?,?) ORDER BY pk,sk",
		err) != 0)
		return -1;
	st = t->st.scan;
	/* no key is empty: all have their S or N */
	(void)sqlite3_bind_text64(
	    st, 1, ryde_buf_str(&p->pk), p->pk.n, SQLITE_TRANSIENT, SQLITE_UTF8);
	(void)sqlite3_bind_text64(
	    st, 2, ryde_buf_str(&p->sk), p->sk.n, SQLITE_TRANSIENT, SQLITE_UTF8);
	p->n = p->i = p->at = 0;
	ryde_buf_clear(&p->bytes);
	while ((rc = ryde_db_step(&t->db, st, err)) == 1) {
		struct ryde_view item = column(st, 0);

		ryde_buf_view(&p->bytes, item);
		p->sizes[p->n++] = item.n;
		if (p->n == SCAN_ITEMS || p->bytes.n >= SCAN_BYTES) {
			ryde_buf_clear(&p->pk);
			ryde_buf_clear(&p->sk);
			ryde_buf_view(&p->pk, column(st, 1));
			ryde_buf_view(&p->sk, column(st, 2));
			(void)sqlite3_reset(st);
			break;
		}
	}
	if (rc < 0 || ryde_buf_check(&p->bytes, err) != 0 ||
	    ryde_buf_check(&p->pk, err) != 0 || ryde_buf_check(&p->sk, err) != 0)
		return -1;
	p->last = rc == 0;
	return 0;
}

static int
cursor_next(struct ryde_table_cursor *base, struct ryde_view *item, struct ryde_err *err)
{
	struct cursor *c = (struct cursor *)base;

	while (c->i == c->n) {
		if (c->last)
			return 0;
		if (next_piece(c, err) != 0)
			return -1;
	}
	*item = ryde_view_mem(c->bytes.p + c->at, c->sizes[c->i]);
	c->at += c->sizes[c->i++];
	return 1;
}

static void
cursor_free(struct ryde_table_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	ryde_buf_free(&c->bytes);
	ryde_buf_free(&c->pk);
	ryde_buf_free(&c->sk);
	free(c);
}

static struct ryde_table_cursor *
cursor(struct ryde_table *base, struct ryde_err *err)
{
	static const struct ryde_table_cursor_ops cursor_ops = {cursor_next, cursor_free};
	struct cursor *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->base.ops = &cursor_ops;
	c->table = local(base);
	ryde_buf_init(&c->bytes, SCAN_BYTES + ITEM_MAX * 2);
	ryde_buf_init(&c->pk, ITEM_MAX * 2);
	ryde_buf_init(&c->sk, ITEM_MAX * 2);
	return &c->base;
}

static int
count(struct ryde_table *base, int64_t *n, struct ryde_err *err)
{
	struct local_table *t = local(base);

	if (ryde_db_prepare(&t->db, &t->st.count, "SELECT count(*) FROM items", err) !=
		0 ||
	    ryde_db_step(&t->db, t->st.count, err) != 1)
		return -1;
	*n = sqlite3_column_int64(t->st.count, 0);
	(void)sqlite3_reset(t->st.count);
	return 0;
}

/* ---- opening and making ---- */

static void
close_table(struct ryde_table *base)
{
	struct local_table *t = local(base);

	ryde_db_close(&t->db);
	ryde_json_paths_free(t->paths);
	free(t->name);
	free(t->key);
	free(t->sort);
	free(t);
}

static const char *
key(const struct ryde_table *base)
{
	return ((const struct local_table *)base)->key;
}

static const char *
sort(const struct ryde_table *base)
{
	return ((const struct local_table *)base)->sort;
}

static const struct ryde_table_ops ops = {
    .close = close_table,
    .key = key,
    .sort = sort,
    .keys = keys,
    .write = write_items,
    .cursor = cursor,
    .count = count,
};

/* Any field name is a path once it is quoted. */
static int
add_path(struct local_table *t, const char *field, size_t *index, struct ryde_err *err)
{
	struct ryde_buf path;
	int rc;

	ryde_buf_init(&path, KEY_MAX);
	ryde_buf_putc(&path, '.');
	ryde_json_string_put(&path, ryde_view_of(field));
	rc = ryde_buf_check(&path, err);
	if (rc == 0)
		rc = ryde_json_paths_add(t->paths, ryde_buf_str(&path), index, err);
	ryde_buf_free(&path);
	return rc;
}

static char *
copy(struct ryde_view v)
{
	char *to = malloc(v.n + 1);

	if (to != NULL) {
		if (v.n > 0)
			memcpy(to, v.p, v.n);
		to[v.n] = '\0';
	}
	return to;
}

static int
load_keys(struct local_table *t, struct ryde_err *err)
{
	size_t whole;

	if (check_meta(t, err) < 0)
		return -1;
	t->key = copy(column(t->st.meta, 1));
	if (sqlite3_column_type(t->st.meta, 2) != SQLITE_NULL) {
		t->sort = copy(column(t->st.meta, 2));
		if (t->sort == NULL)
			return ryde_err_nomem(err);
	}
	(void)sqlite3_reset(t->st.meta);
	t->paths = ryde_json_paths_new();
	if (t->key == NULL || t->paths == NULL)
		return ryde_err_nomem(err);
	if (ryde_json_paths_add(t->paths, ".", &whole, err) != 0 ||
	    add_path(t, t->key, &t->key_path, err) != 0)
		return -1;
	return t->sort == NULL ? 0 : add_path(t, t->sort, &t->sort_path, err);
}

struct ryde_table *
ryde_table_local_open(const char *dir, const char *name, struct ryde_err *err)
{
	struct local_table *t = calloc(1, sizeof(*t));
	struct ryde_err e = RYDE_ERR_INIT;
	char near[RYDE_CATALOG_NEAR_MAX];

	if (t == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	t->base.ops = &ops;
	t->name = strdup(name);
	if (t->name == NULL) {
		(void)ryde_err_nomem(&e);
		goto failed;
	}
	/* what can only be read is opened for ryde-query, and refuses to be written */
	if (ryde_db_open(&t->db, &kind, dir, name, false, &e) != 0) {
		if (e.code == RYDE_ENOINPUT) {
			ryde_catalog_local_near(dir, kind.folder, name, near);
			(void)ryde_err_set(&e, RYDE_ENOINPUT,
			    "there is no table %s%s: ryde-admin create table %s --key "
			    "FIELD makes it",
			    name, near, name);
		}
		goto failed;
	}
	if (load_keys(t, &e) != 0)
		goto failed;
	return &t->base;
failed:
	if (err != NULL)
		*err = e;
	close_table(&t->base);
	return NULL;
}

struct shape {
	const char *key, *sort;
};

static int
fill(struct ryde_db *db, void *arg, struct ryde_err *err)
{
	const struct shape *shape = arg;
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (ryde_db_prepare(db, &st, "INSERT INTO meta VALUES(?,?,0)", err) == 0) {
		(void)sqlite3_bind_text(st, 1, shape->key, -1, SQLITE_STATIC);
		if (shape->sort != NULL)
			(void)sqlite3_bind_text(st, 2, shape->sort, -1, SQLITE_STATIC);
		rc = ryde_db_step(db, st, err);
	}
	(void)sqlite3_finalize(st);
	return rc;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int
ryde_table_local_create(const char *dir, const char *name, const char *key_field,
    const char *sort_field, struct ryde_err *err)
{
	struct shape shape = {key_field, sort_field};
	struct ryde_table *base;
	const struct local_table *t;
	bool made;
	int rc = 0;

	if (key_field == NULL || key_field[0] == '\0' ||
	    (sort_field != NULL &&
		(sort_field[0] == '\0' || same(key_field, sort_field))))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "a table has a key field and may have another one to sort by");
	if (ryde_db_create(&kind, dir, name, fill, &shape, &made, err) != 0)
		return -1;
	if (made)
		return 0;
	base = ryde_table_local_open(dir, name, err);
	if (base == NULL)
		return -1;
	t = local(base);
	if (!same(t->key, key_field) || !same(t->sort, sort_field))
		rc = ryde_err_set(err, RYDE_ECANTCREAT,
		    "table %s exists already, with key %s%s%s", name, t->key,
		    t->sort != NULL ? " and sort field " : "",
		    t->sort != NULL ? t->sort : "");
	close_table(base);
	return rc;
}

int
ryde_table_local_delete(const char *dir, const char *name, struct ryde_err *err)
{
	return ryde_db_delete(&kind, dir, name, err);
}
