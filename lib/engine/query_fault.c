#include "engine/query_fault.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "engine/query_sql.h"
#include "engine/query_table.h"
#include "engine/query_vtab.h"

#include <sqlite3.h>
#include <string.h>

#define SHOWN 40 /* bytes of SQL that a message shows */

int
ryde_query_fault_no_column(const struct ryde_query_vtab *v, const char *sql,
    const char *name, struct ryde_err *err)
{
	const char *dot = strrchr(name, '.');
	struct ryde_near near = {.wanted = dot != NULL ? dot + 1 : name};
	struct ryde_buf b;

	for (size_t i = 0; i < v->n; i++)
		for (size_t k = 0; k <= ryde_query_table_data_column(v->tables[i]); k++)
			ryde_near_offer(
			    &near, ryde_query_table_column_name(v->tables[i], k));
	ryde_buf_init(&b, 2048);
	ryde_near_put(&near, &b);
	if (ryde_query_sql_quotes(ryde_view_of(sql), name))
		ryde_buf_printf(&b, "; a text is written in single quotes: '%s'", name);
	(void)ryde_err_set(
	    err, RYDE_EUSAGE, "no such column: %s%s", name, ryde_buf_str(&b));
	ryde_buf_free(&b);
	return -1;
}

/* SQLite says what it stumbled on; names that need quotes are the usual reason. */
static const char *
advice(const char *message)
{
	static const char near[] = "near \"";
	const char *at = strstr(message, near);

	if (at == NULL || strstr(message, "syntax error") == NULL)
		return "";
	if (strchr("-:./", at[sizeof(near) - 1]) != NULL)
		return "; a name with other characters than letters, digits and _ is "
		       "written in double quotes";
	return "";
}

int
ryde_query_fault_refused(sqlite3 *db, const char *sql, struct ryde_err *err)
{
	const char *message = sqlite3_errmsg(db);
	int at = sqlite3_error_offset(db);
	size_t n = strlen(sql);

	if (sqlite3_errcode(db) == SQLITE_NOMEM)
		return ryde_err_nomem(err);
	if (sqlite3_errcode(db) == SQLITE_AUTH)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "what FROM names is only read: ryde-admin delete removes it");
	if (at < 0 || (size_t)at >= n)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "SQL: %s%s", message, advice(message));
	return ryde_err_set(err, RYDE_EUSAGE, "SQL: %s, at \"%.*s\"%s", message, SHOWN,
	    sql + at, advice(message));
}
