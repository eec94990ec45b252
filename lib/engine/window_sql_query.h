/* A query as it is taken apart, and its FROM and windows; private to the SQL parser. */
#ifndef RYDE_ENGINE_WINDOW_SQL_QUERY_H
#define RYDE_ENGINE_WINDOW_SQL_QUERY_H

#include "engine/window_sql_parse.h"

enum ryde_window_sql_window {
	RYDE_WINDOW_SQL_NONE,
	RYDE_WINDOW_SQL_TUMBLE,
	RYDE_WINDOW_SQL_HOP,
	RYDE_WINDOW_SQL_CUMULATE,
	RYDE_WINDOW_SQL_SESSION,
};

struct ryde_window_sql_query {
	struct ryde_window_sql_parse *p;
	const struct ryde_window_sql_table *table; /* NULL: nobody created it */
	const char *from, *alias;
	enum ryde_window_sql_window window;
	bool is_function;    /* FROM TABLE(TUMBLE(…)), not GROUP BY TUMBLE(…) */
	size_t window_at;    /* where it is named */
	const char *time;    /* column */
	int64_t spans_ms[3]; /* size; slide, size; step, size; gap; and an offset */
	size_t n_spans;
	const char *keys[RYDE_WINDOW_SQL_ITEMS_MAX]; /* columns of GROUP BY */
	size_t keys_at[RYDE_WINDOW_SQL_ITEMS_MAX];
	const char *key_names[RYDE_WINDOW_SQL_ITEMS_MAX]; /* as the row has them */
	size_t n_keys;
	bool by_start, by_end; /* GROUP BY window_start, window_end */
	/* Where clauses begin; 0: there is none. */
	size_t where_at, having_at;
};

/* A column of the source: its own name, or with the table's before it. NULL: the error is
 * set. */
const char *ryde_window_sql_query_column(struct ryde_window_sql_query *s);
/* The window whose function is looked at. */
enum ryde_window_sql_window ryde_window_sql_query_window(
    const struct ryde_window_sql_parse *p);
/* How many intervals a window needs. */
size_t ryde_window_sql_query_spans(enum ryde_window_sql_window w);
/* What stands behind FROM: a table, or a window's function over one. */
int ryde_window_sql_query_from(struct ryde_window_sql_query *s);
/* TUMBLE(time, INTERVAL …) of GROUP BY. */
int ryde_window_sql_query_group_window(struct ryde_window_sql_query *s);
/* "start" or "end" where a bound of the window stands; NULL where none does, or where it
 * is one of another window: *failed, and the error is set. */
const char *ryde_window_sql_query_bound(struct ryde_window_sql_query *s, bool *failed);

#endif
