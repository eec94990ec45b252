#include "engine/query_arrow.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_value.h"
#include "json/scan.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

struct ryde_query_arrow {
	struct ryde_query_seen *seen;
	sqlite3 *db; /* one of its own, where the operator is SQLite's; NULL: not yet */
	sqlite3_stmt *ask;
	struct ryde_buf text;
};

/* ---- SQLite's way ---- */

static bool
is_open(struct ryde_query_arrow *a)
{
	return a->ask != NULL || (sqlite3_open(":memory:", &a->db) == SQLITE_OK &&
				     sqlite3_prepare_v2(a->db, "SELECT ?1->>?2,?1->?2",
					 -1, &a->ask, NULL) == SQLITE_OK);
}

/* Gives what SQLite gives, but for a REAL what stands in the text. */
static void
ask(sqlite3_context *ctx, struct ryde_query_arrow *a, sqlite3_value **args)
{
	const char *number;

	if (!is_open(a)) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	(void)sqlite3_bind_value(a->ask, 1, args[0]);
	(void)sqlite3_bind_value(a->ask, 2, args[1]);
	if (sqlite3_step(a->ask) != SQLITE_ROW) {
		sqlite3_result_error(ctx, sqlite3_errmsg(a->db), -1);
	} else if (sqlite3_column_type(a->ask, 0) == SQLITE_FLOAT) {
		number = (const char *)sqlite3_column_text(a->ask, 1);
		if (number == NULL || ryde_query_value_number(ctx, ryde_view_of(number),
					  a->seen, &a->text) != 0)
			sqlite3_result_error_nomem(ctx);
	} else {
		sqlite3_result_value(ctx, sqlite3_column_value(a->ask, 0));
	}
	(void)sqlite3_reset(a->ask);
	(void)sqlite3_clear_bindings(a->ask);
}

/* ---- the plain case ---- */

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Takes a key of letters, digits and _ from the front of the path. */
static bool
take_key(struct ryde_view *path, struct ryde_view *key)
{
	size_t n = 0;

	while (n < path->n &&
	       (is_word(path->p[n]) || (n > 0 && path->p[n] >= '0' && path->p[n] <= '9')))
		n++;
	*key = ryde_view_mem(path->p, n);
	*path = ryde_view_mem(path->p + n, path->n - n);
	return n > 0;
}

/* The first member of that key, as SQLite has it. False where that is not sure. */
static bool
find_member(struct ryde_json_value *value, struct ryde_view wanted)
{
	struct ryde_json_walk walk;
	struct ryde_json_value key, member;

	if (value->kind != RYDE_JSON_OBJECT || !ryde_json_walk_begin(&walk, value->text))
		return false;
	while (ryde_json_walk_next(&walk, &key, &member)) {
		if (key.escaped)
			return false;
		if (!ryde_view_eq(key.text, wanted))
			continue;
		*value = member;
		return true;
	}
	value->kind = RYDE_JSON_ABSENT;
	return true;
}

/* What a path of plain keys leads to. False where SQLite has to look. */
static bool
find(struct ryde_view text, struct ryde_view path, struct ryde_json_value *value)
{
	struct ryde_json_fault fault;
	struct ryde_view key;

	*value = (struct ryde_json_value){.text = text};
	if (ryde_view_starts(path, "$."))
		path = ryde_view_mem(path.p + 2, path.n - 2);
	else if (memchr(path.p, '.', path.n) != NULL)
		return false; /* a key with a point in it */
	if (ryde_json_check(text, &value->kind, &fault) != 0)
		return false;
	for (;;) {
		if (!take_key(&path, &key) || !find_member(value, key))
			return false;
		if (path.n == 0 || value->kind == RYDE_JSON_ABSENT)
			return path.n == 0;
		if (*path.p != '.')
			return false;
		path = ryde_view_mem(path.p + 1, path.n - 1);
	}
}

/* True where the value became the result. */
static bool
give(
    sqlite3_context *ctx, struct ryde_query_arrow *a, const struct ryde_json_value *value)
{
	switch (value->kind) {
	case RYDE_JSON_ABSENT:
	case RYDE_JSON_NULL:
		sqlite3_result_null(ctx);
		return true;
	case RYDE_JSON_FALSE:
	case RYDE_JSON_TRUE:
		sqlite3_result_int(ctx, value->kind == RYDE_JSON_TRUE);
		return true;
	case RYDE_JSON_NUMBER:
		if (ryde_query_value_number(ctx, value->text, a->seen, &a->text) != 0)
			sqlite3_result_error_nomem(ctx);
		return true;
	case RYDE_JSON_STRING:
		if (value->escaped)
			return false;
		ryde_query_value_text(ctx, value->text);
		return true;
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
		break;
	}
	/* it writes them without blanks */
	return false;
}

static struct ryde_view
text_of(sqlite3_value *value)
{
	const char *p = (const char *)sqlite3_value_text(value);

	return ryde_view_mem(p, p != NULL ? (size_t)sqlite3_value_bytes(value) : 0);
}

static void
arrow(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct ryde_query_arrow *a = sqlite3_user_data(ctx);
	struct ryde_json_value value;

	(void)n;
	if (sqlite3_value_type(args[0]) == SQLITE_TEXT &&
	    sqlite3_value_type(args[1]) == SQLITE_TEXT &&
	    find(text_of(args[0]), text_of(args[1]), &value) && give(ctx, a, &value))
		return;
	ask(ctx, a, args);
}

struct ryde_query_arrow *
ryde_query_arrow_new(sqlite3 *db, struct ryde_query_seen *seen, struct ryde_err *err)
{
	struct ryde_query_arrow *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	a->seen = seen;
	ryde_buf_init(&a->text, TEXT_MAX);
	if (sqlite3_create_function(db, "->>", 2,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, a, arrow, NULL,
		NULL) == SQLITE_OK)
		return a;
	ryde_query_arrow_free(a);
	(void)ryde_err_set(err, RYDE_ESOFTWARE, "cannot register ->>");
	return NULL;
}

void
ryde_query_arrow_free(struct ryde_query_arrow *a)
{
	if (a == NULL)
		return;
	(void)sqlite3_finalize(a->ask);
	(void)sqlite3_close(a->db);
	ryde_buf_free(&a->text);
	free(a);
}
