/* The sources of a query as virtual tables of SQLite. They are read only. */
#ifndef RYDE_ENGINE_QUERY_VTAB_H
#define RYDE_ENGINE_QUERY_VTAB_H

#include "base/err.h"
#include "engine/query_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_query_columns;
struct ryde_query_filter;
struct ryde_query_index;
struct ryde_query_source;
struct ryde_query_sources;
struct ryde_query_table;
struct sqlite3;

/* The tables that statements have named so far, and what their scans say. */
struct ryde_query_vtab {
	struct sqlite3 *db;
	struct ryde_query_sources *sources;
	struct ryde_query_table **tables;
	size_t n, cap;
	uint64_t rows;	     /* read by statements from other sources than stdin */
	struct ryde_err err; /* why a scan failed: SQLite's own error says less */
	bool watch;	     /* gather the keys of the rows that a statement reads */
	bool declaring;	     /* a table is being made here, not by a statement */
	struct ryde_query_seen seen;
	struct ryde_query_index *indexes; /* of the statements that were run */
	/* while one is made: the filter of the scan that begins, and that scan */
	const struct ryde_query_filter *gathering;
	void *gathered;
};

/* Registers the module with db. v must outlive db. */
int ryde_query_vtab(struct ryde_query_vtab *v, struct sqlite3 *db,
    struct ryde_query_sources *sources, struct ryde_err *err);
/* Drops what joins have kept: once their statement is finalized. */
void ryde_query_vtab_forget(struct ryde_query_vtab *v);
/* Closes the sources: after db. */
void ryde_query_vtab_free(struct ryde_query_vtab *v);
/* Opens what `name` means and makes it a table of that name in db. */
int ryde_query_vtab_open(
    struct ryde_query_vtab *v, const char *name, struct ryde_err *err);
/* Takes the source over and makes it a table of that name. columns: ryde_query_table_new.
 */
int ryde_query_vtab_add(struct ryde_query_vtab *v, const char *name,
    struct ryde_query_source *source, const struct ryde_query_columns *columns,
    struct ryde_err *err);
/* The table of that name, letter case apart, or NULL. */
struct ryde_query_table *ryde_query_vtab_find(
    const struct ryde_query_vtab *v, const char *name);
/* Finds every column of the tables in use (of all, where `all`), and declares them. */
int ryde_query_vtab_complete(struct ryde_query_vtab *v, bool all, struct ryde_err *err);
/*
 * Declares the tables that met more keys than they were declared with. *changed (may be
 * NULL): there was one.
 */
int ryde_query_vtab_declare(
    struct ryde_query_vtab *v, bool *changed, struct ryde_err *err);
/* True where a table in use (or any, where `all`) may have more columns than it has met.
 */
bool ryde_query_vtab_is_partial(const struct ryde_query_vtab *v, bool all);
/* True where a table met keys that it is not declared with. */
bool ryde_query_vtab_has_grown(const struct ryde_query_vtab *v);
/* Gives each table without a row the column. *added: there was one. */
int ryde_query_vtab_add_column(
    struct ryde_query_vtab *v, const char *name, bool *added, struct ryde_err *err);

#endif
