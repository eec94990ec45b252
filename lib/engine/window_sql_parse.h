/* What the parts of the SQL parser share, private to them. */
#ifndef RYDE_ENGINE_WINDOW_SQL_PARSE_H
#define RYDE_ENGINE_WINDOW_SQL_PARSE_H

#include "base/buf.h"
#include "base/view.h"
#include "engine/window_sql.h"
#include "engine/window_sql_word.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RYDE_WINDOW_SQL_TABLES_MAX 32

enum ryde_window_sql_source {
	RYDE_WINDOW_SQL_FIELD,	  /* of the payload */
	RYDE_WINDOW_SQL_ARRIVAL,  /* the record's arrival */
	RYDE_WINDOW_SQL_PROCTIME, /* AS PROCTIME() */
	RYDE_WINDOW_SQL_OTHER,	  /* metadata that a payload does not have */
};

struct ryde_window_sql_column {
	const char *name;
	enum ryde_window_sql_source source;
	const char *field; /* of the payload: the name, or what TO_TIMESTAMP reads */
};

struct ryde_window_sql_table {
	const char *name;
	struct ryde_window_sql_column columns[RYDE_WINDOW_SQL_ITEMS_MAX];
	size_t n_columns;
	size_t time; /* column of WATERMARK FOR */
	bool has_watermark;
	int64_t delay_ms;
	const char *connector, *stream, *from, *from_time, *key;
};

struct ryde_window_sql_parse {
	struct ryde_view text;
	struct ryde_window_sql_word word; /* the one that is looked at */
	struct ryde_window_sql_table *tables[RYDE_WINDOW_SQL_TABLES_MAX];
	size_t n_tables;
	struct ryde_window_sql *out;
	struct ryde_err *err;
};

/* ---- words ---- */

void ryde_window_sql_parse_next(struct ryde_window_sql_parse *p);
/* Looks at the word at an offset again. */
void ryde_window_sql_parse_seek(struct ryde_window_sql_parse *p, size_t at);
bool ryde_window_sql_parse_is(const struct ryde_window_sql_parse *p, const char *name);
/* Takes the word where it is the one that is named. */
bool ryde_window_sql_parse_accept(struct ryde_window_sql_parse *p, const char *name);
/* The same, and fails where it is not. */
int ryde_window_sql_parse_expect(struct ryde_window_sql_parse *p, const char *name);
/* Sets the error: "SQL, line 3, column 9: what". Always -1. */
int ryde_window_sql_parse_fail(
    struct ryde_window_sql_parse *p, size_t at, const char *what);
/* "… is not supported", of the word that is looked at. */
int ryde_window_sql_parse_unsupported(struct ryde_window_sql_parse *p, const char *what);
/* Behind the bracket that closes the one that is looked at. */
int ryde_window_sql_parse_skip_brackets(struct ryde_window_sql_parse *p);

/* ---- pieces: what is returned lives as long as p->out; NULL: p->err is set ---- */

const char *ryde_window_sql_parse_keep(
    struct ryde_window_sql_parse *p, struct ryde_view bytes);
const char *ryde_window_sql_parse_name(struct ryde_window_sql_parse *p);
const char *ryde_window_sql_parse_string(struct ryde_window_sql_parse *p);
/* INTERVAL '…' UNIT, in milliseconds. */
int ryde_window_sql_parse_interval(struct ryde_window_sql_parse *p, int64_t *ms);
/* Appends a duration as options take it, and a key as paths do. */
void ryde_window_sql_parse_put_duration(struct ryde_buf *b, int64_t ms);
void ryde_window_sql_parse_put_path(struct ryde_buf *b, const char *name);

/* ---- statements, behind their first keywords ---- */

int ryde_window_sql_table_create(struct ryde_window_sql_parse *p);
/* NULL where no such table was created. */
const struct ryde_window_sql_table *ryde_window_sql_table_find(
    const struct ryde_window_sql_parse *p, const char *name);
/* sink: the table of INSERT INTO, NULL without one; names: its columns, as the statement
 * names them. */
int ryde_window_sql_select(struct ryde_window_sql_parse *p, const char *sink,
    const char *const *names, size_t n_names);

/* ---- conditions ---- */

/* What names and functions mean inside a condition. Both append to b. */
struct ryde_window_sql_condition {
	/* A name, perhaps with more of them behind points; it is looked at. */
	int (*put_name)(void *arg, struct ryde_window_sql_parse *p, struct ryde_buf *b);
	/* A function, NULL: none is allowed; its name is looked at. */
	int (*put_call)(void *arg, struct ryde_window_sql_parse *p, struct ryde_buf *b);
	void *arg;
};
/* Translates a condition up to the word that ends it, and checks it. */
int ryde_window_sql_condition(struct ryde_window_sql_parse *p,
    const struct ryde_window_sql_condition *c, struct ryde_buf *b);

#endif
