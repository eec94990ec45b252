#include "engine/query_ddl.h"

#include "base/err.h"
#include "engine/query_sql.h"
#include "store/external.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LONGEST ((size_t)1 << 20)
#define SHOWN 40

typedef struct ryde_query_token token;

static token
next(struct ryde_view *rest)
{
	return ryde_query_sql_next(rest);
}

static int
unexpected(const char *wanted, struct ryde_view rest, struct ryde_err *err)
{
	token t = ryde_query_sql_peek(rest);

	return ryde_err_set(err, RYDE_EUSAGE,
	    "CREATE EXTERNAL TABLE: %s was expected where \"%.*s\" stands", wanted,
	    (int)(t.text.n < SHOWN ? t.text.n : SHOWN), t.text.n > 0 ? t.text.p : "");
}

static int
expect(struct ryde_view *rest, const char *word, struct ryde_err *err)
{
	return ryde_query_sql_take(rest, word) ? 0 : unexpected(word, *rest, err);
}

static int
take_name(struct ryde_view *rest, struct ryde_buf *to, struct ryde_err *err)
{
	token t = ryde_query_sql_peek(*rest);

	if (t.kind != RYDE_QUERY_TOKEN_WORD && t.kind != RYDE_QUERY_TOKEN_QUOTED)
		return unexpected("a name", *rest, err);
	(void)next(rest);
	ryde_query_sql_unquote(to, t.text);
	return ryde_buf_check(to, err);
}

static int
take_text(struct ryde_view *rest, struct ryde_buf *to, struct ryde_err *err)
{
	token t = ryde_query_sql_peek(*rest);

	if (t.kind != RYDE_QUERY_TOKEN_STRING)
		return unexpected("a text in single quotes", *rest, err);
	(void)next(rest);
	ryde_query_sql_unquote(to, t.text);
	return ryde_buf_check(to, err);
}

/* Passes over what stands in brackets, those in it included. */
static int
skip_brackets(
    struct ryde_view *rest, const char *open, const char *close, struct ryde_err *err)
{
	int depth = 1;

	if (!ryde_query_sql_take(rest, open))
		return 0;
	while (depth > 0) {
		token t = next(rest);

		if (t.kind == RYDE_QUERY_TOKEN_END)
			return unexpected(close, *rest, err);
		depth += ryde_query_sql_is(&t, open);
		depth -= ryde_query_sql_is(&t, close);
	}
	return 0;
}

static int
take_type(struct ryde_view *rest, enum ryde_query_type *type, struct ryde_err *err)
{
	static const struct {
		const char *word;
		enum ryde_query_type type;
	} types[] = {
	    {"string", RYDE_QUERY_TYPE_TEXT},
	    {"varchar", RYDE_QUERY_TYPE_TEXT},
	    {"char", RYDE_QUERY_TYPE_TEXT},
	    {"timestamp", RYDE_QUERY_TYPE_TEXT},
	    {"date", RYDE_QUERY_TYPE_TEXT},
	    {"tinyint", RYDE_QUERY_TYPE_INTEGER},
	    {"smallint", RYDE_QUERY_TYPE_INTEGER},
	    {"int", RYDE_QUERY_TYPE_INTEGER},
	    {"integer", RYDE_QUERY_TYPE_INTEGER},
	    {"bigint", RYDE_QUERY_TYPE_INTEGER},
	    {"float", RYDE_QUERY_TYPE_NUMBER},
	    {"real", RYDE_QUERY_TYPE_NUMBER},
	    {"double", RYDE_QUERY_TYPE_NUMBER},
	    {"decimal", RYDE_QUERY_TYPE_NUMBER},
	    {"boolean", RYDE_QUERY_TYPE_BOOLEAN},
	    {"array", RYDE_QUERY_TYPE_NESTED},
	    {"map", RYDE_QUERY_TYPE_NESTED},
	    {"struct", RYDE_QUERY_TYPE_NESTED},
	};
	token t = ryde_query_sql_peek(*rest);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!ryde_query_sql_is(&t, types[i].word))
			continue;
		(void)next(rest);
		*type = types[i].type;
		if (skip_brackets(rest, "(", ")", err) != 0)
			return -1;
		return skip_brackets(rest, "<", ">", err);
	}
	return unexpected("a type", *rest, err);
}

static int
take_comment(struct ryde_view *rest, struct ryde_err *err)
{
	struct ryde_buf text;
	int rc = 0;

	ryde_buf_init(&text, TEXT_LONGEST);
	if (ryde_query_sql_take(rest, "comment"))
		rc = take_text(rest, &text, err);
	ryde_buf_free(&text);
	return rc;
}

/* The columns in their brackets; d NULL: they are passed over. */
static int
take_columns(struct ryde_query_ddl *d, struct ryde_view *rest, struct ryde_err *err)
{
	struct ryde_buf name;
	int rc = expect(rest, "(", err);

	ryde_buf_init(&name, TEXT_LONGEST);
	while (rc == 0) {
		enum ryde_query_type type = RYDE_QUERY_TYPE_ANY;

		rc = take_name(rest, &name, err);
		if (rc == 0)
			rc = take_type(rest, &type, err);
		if (rc == 0)
			rc = take_comment(rest, err);
		if (rc == 0 && d != NULL &&
		    ryde_query_columns_find(&d->columns, ryde_buf_str(&name)) != NULL)
			rc = ryde_err_set(err, RYDE_EUSAGE, "the column %s stands twice",
			    ryde_buf_str(&name));
		if (rc == 0 && d != NULL) {
			rc =
			    ryde_query_columns_add(&d->columns, ryde_buf_str(&name), err);
			if (rc == 0)
				ryde_query_columns_find(&d->columns, ryde_buf_str(&name))
				    ->type = type;
		}
		if (rc != 0 || ryde_query_sql_take(rest, ")"))
			break;
		rc = expect(rest, ",", err);
	}
	ryde_buf_free(&name);
	return rc;
}

static int
take_format(struct ryde_view *rest, struct ryde_err *err)
{
	struct ryde_buf text;
	int rc = -1;

	ryde_buf_init(&text, TEXT_LONGEST);
	if (expect(rest, "format", err) == 0 && expect(rest, "serde", err) == 0 &&
	    take_text(rest, &text, err) == 0)
		rc = strstr(ryde_buf_str(&text), "JsonSerDe") != NULL
			 ? 0
			 : ryde_err_set(err, RYDE_EUSAGE,
			       "archives hold JSON: '%s' cannot be read",
			       ryde_buf_str(&text));
	ryde_buf_free(&text);
	if (rc == 0 && ryde_query_sql_take(rest, "with")) {
		rc = expect(rest, "serdeproperties", err);
		if (rc == 0)
			rc = skip_brackets(rest, "(", ")", err);
	}
	return rc;
}

/* What may stand behind the columns, in any order. */
static int
take_clause(struct ryde_query_ddl *d, const char *begin, struct ryde_view *rest,
    struct ryde_err *err)
{
	token t;

	if (ryde_query_sql_take(rest, "row"))
		return take_format(rest, err);
	if (ryde_query_sql_take(rest, "location")) {
		t = ryde_query_sql_peek(*rest);
		if (take_text(rest, &d->location, err) != 0)
			return -1;
		d->location_at = (size_t)(t.text.p - begin);
		d->location_n = t.text.n;
		return 0;
	}
	if (ryde_query_sql_take(rest, "tblproperties"))
		return skip_brackets(rest, "(", ")", err);
	if (ryde_query_sql_take(rest, "partitioned")) {
		/* the paths themselves say which columns these are */
		return expect(rest, "by", err) != 0 ? -1 : take_columns(NULL, rest, err);
	}
	t = ryde_query_sql_peek(*rest);
	if (ryde_query_sql_is(&t, "comment"))
		return take_comment(rest, err);
	return unexpected(
	    "ROW FORMAT, PARTITIONED BY, LOCATION or TBLPROPERTIES", *rest, err);
}

int
ryde_query_ddl_read(struct ryde_query_ddl *d, struct ryde_view *sql, struct ryde_err *err)
{
	const char *begin = sql->p;
	int rc = -1;

	*d = (struct ryde_query_ddl){0};
	ryde_buf_init(&d->name, TEXT_LONGEST);
	ryde_buf_init(&d->location, TEXT_LONGEST);
	if (expect(sql, "create", err) != 0 || expect(sql, "external", err) != 0 ||
	    expect(sql, "table", err) != 0)
		return -1;
	if (ryde_query_sql_take(sql, "if")) {
		d->if_not_exists = true;
		if (expect(sql, "not", err) != 0 || expect(sql, "exists", err) != 0)
			return -1;
	}
	if (take_name(sql, &d->name, err) != 0)
		return -1;
	/* the database in front of a name has no meaning here */
	if (ryde_query_sql_take(sql, ".") && take_name(sql, &d->name, err) != 0)
		return -1;
	rc = take_columns(d, sql, err);
	while (rc == 0 && !ryde_query_sql_take(sql, ";") &&
	       ryde_query_sql_peek(*sql).kind != RYDE_QUERY_TOKEN_END)
		rc = take_clause(d, begin, sql, err);
	if (rc == 0 && d->location.n == 0)
		rc = ryde_err_set(
		    err, RYDE_EUSAGE, "CREATE EXTERNAL TABLE: LOCATION is missing");
	return rc;
}

void
ryde_query_ddl_free(struct ryde_query_ddl *d)
{
	ryde_buf_free(&d->name);
	ryde_buf_free(&d->location);
	ryde_query_columns_free(&d->columns);
}

/* ---- running ---- */

/* The statement with its place as it is found from any directory. */
static int
put_statement(struct ryde_buf *to, struct ryde_query_ddl *d, struct ryde_view sql,
    struct ryde_err *err)
{
	struct ryde_view location = ryde_view_of(ryde_buf_str(&d->location));
	char here[4096] = "";

	if (ryde_view_starts(location, "file://"))
		location = ryde_view_mem(location.p + 7, location.n - 7);
	if (*location.p != '/' && strstr(ryde_buf_str(&d->location), "://") == NULL &&
	    getcwd(here, sizeof(here)) == NULL)
		return ryde_err_sys(err, RYDE_EIO, "cannot tell the working directory");
	ryde_buf_add(to, sql.p, d->location_at);
	ryde_buf_putc(to, '\'');
	for (const char *p = here; *p != '\0'; p++) {
		if (*p == '\'')
			ryde_buf_putc(to, '\'');
		ryde_buf_putc(to, *p);
	}
	if (here[0] != '\0')
		ryde_buf_putc(to, '/');
	for (size_t i = 0; i < location.n; i++) {
		if (location.p[i] == '\'')
			ryde_buf_putc(to, '\'');
		ryde_buf_putc(to, location.p[i]);
	}
	ryde_buf_putc(to, '\'');
	ryde_buf_add(to, sql.p + d->location_at + d->location_n,
	    sql.n - d->location_at - d->location_n);
	ryde_buf_putc(to, '\n');
	return ryde_buf_check(to, err);
}

static int
create(
    const struct ryde_store_settings *store, struct ryde_view *sql, struct ryde_err *err)
{
	struct ryde_view begin = *sql;
	struct ryde_query_ddl d;
	struct ryde_buf text;
	int rc = ryde_query_ddl_read(&d, sql, err), there = 0;

	ryde_buf_init(&text, TEXT_LONGEST * 2);
	if (rc == 0) {
		there = ryde_external_load(store, ryde_buf_str(&d.name), &text, err);
		rc = there < 0 ? -1 : 0;
	}
	if (there == 1 && !d.if_not_exists)
		rc = ryde_err_set(err, RYDE_ECANTCREAT,
		    "there is an external table %s already", ryde_buf_str(&d.name));
	if (rc == 0 && there == 0) {
		ryde_buf_clear(&text);
		begin.n = (size_t)(sql->p - begin.p);
		rc = put_statement(&text, &d, begin, err);
		if (rc == 0)
			rc = ryde_external_save(
			    store, ryde_buf_str(&d.name), ryde_buf_as_view(&text), err);
	}
	ryde_buf_free(&text);
	ryde_query_ddl_free(&d);
	return rc;
}

/* DROP TABLE of an external one; anything else is SQLite's. */
static int
drop(const struct ryde_store_settings *store, struct ryde_view *sql, bool *done,
    struct ryde_err *err)
{
	struct ryde_view rest = *sql;
	struct ryde_buf name, text;
	int rc = 0;

	ryde_buf_init(&name, TEXT_LONGEST);
	ryde_buf_init(&text, TEXT_LONGEST * 2);
	if (ryde_query_sql_take(&rest, "drop") && ryde_query_sql_take(&rest, "table") &&
	    (!ryde_query_sql_take(&rest, "if") || ryde_query_sql_take(&rest, "exists")) &&
	    take_name(&rest, &name, NULL) == 0 &&
	    ryde_external_load(store, ryde_buf_str(&name), &text, NULL) == 1 &&
	    (ryde_query_sql_take(&rest, ";") ||
		ryde_query_sql_peek(rest).kind == RYDE_QUERY_TOKEN_END)) {
		*done = true;
		*sql = rest;
		rc = ryde_external_delete(store, ryde_buf_str(&name), err);
	}
	ryde_buf_free(&name);
	ryde_buf_free(&text);
	return rc;
}

int
ryde_query_ddl_run(const struct ryde_store_settings *store, struct ryde_view *sql,
    bool *done, struct ryde_err *err)
{
	struct ryde_view rest = *sql;

	*done = ryde_query_sql_take(&rest, "create") &&
		ryde_query_sql_take(&rest, "external");
	return *done ? create(store, sql, err) : drop(store, sql, done, err);
}
