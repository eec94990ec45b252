/*
 * A Flink SQL job as the command line of ryde-window that does the same:
 *
 *	CREATE TABLE rides (Name STRING, Distance DECIMAL(9, 3), StatusTime TIMESTAMP(3),
 *	  WATERMARK FOR StatusTime AS StatusTime - INTERVAL '5' SECOND)
 *	  WITH ('connector' = 'kinesis', 'stream' = 'wildrydes', 'format' = 'json');
 *	INSERT INTO summary SELECT Name, SUM(Distance) AS Distance FROM rides
 *	  GROUP BY TUMBLE(StatusTime, INTERVAL '1' MINUTE), Name;
 *
 * Tables are read for their columns, times and streams; one query with a window is
 * translated. What is not understood is named with its line and column.
 * Source: Apache Flink's manual, "SQL": CREATE Statements, INSERT Statement, Windowing
 * TVF, Window Aggregation, Group Window Aggregation.
 */
#ifndef RYDE_ENGINE_WINDOW_SQL_H
#define RYDE_ENGINE_WINDOW_SQL_H

#include "base/view.h"

#include <stddef.h>

struct ryde_buf;
struct ryde_err;

#define RYDE_WINDOW_SQL_TEXT_MAX (1u << 20)
#define RYDE_WINDOW_SQL_ITEMS_MAX 256

/* The options of ryde-window; NULL: not given. All belong to the struct. */
struct ryde_window_sql {
	const char *tumble, *hop, *cumulate, *session; /* one of them is */
	const char *offset, *time, *lateness, *where, *having;
	const char *by[RYDE_WINDOW_SQL_ITEMS_MAX];
	size_t n_by;
	const char *columns[RYDE_WINDOW_SQL_ITEMS_MAX];
	size_t n_columns;
	/* The streams on both sides, where tables name them; where reading begins; the
	 * partition key of what is written. */
	const char *source, *sink, *group, *from, *key;

	char **owned;
	size_t n_owned, cap_owned;
};

/* NULL with RYDE_EUSAGE and the place of what is not SQL, not supported, or not so in its
 * tables. */
struct ryde_window_sql *ryde_window_sql_new(struct ryde_view text, struct ryde_err *err);
void ryde_window_sql_free(struct ryde_window_sql *s);
/* Appends the command line, with the programs on both sides where the tables name
 * streams, as a shell reads it. */
void ryde_window_sql_explain(const struct ryde_window_sql *s, struct ryde_buf *to);

#endif
