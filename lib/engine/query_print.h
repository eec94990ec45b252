/*
 * Rows as people and programs want them: one logic, a printer per form behind one struct
 * of functions. Printers know nothing of SQL: they get cells.
 */
#ifndef RYDE_ENGINE_QUERY_PRINT_H
#define RYDE_ENGINE_QUERY_PRINT_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;

enum ryde_query_cell_kind {
	RYDE_QUERY_NULL,
	RYDE_QUERY_NUMBER, /* text: a JSON number, exact */
	RYDE_QUERY_BOOL,   /* text: true or false */
	RYDE_QUERY_JSON,   /* text: one JSON text on one line */
	RYDE_QUERY_TEXT,   /* text: the string's own bytes; what is no UTF-8 is replaced
			      where it matters */
	RYDE_QUERY_BYTES,  /* text: any bytes; printed in base64 */
};

struct ryde_query_cell {
	enum ryde_query_cell_kind kind;
	struct ryde_view text; /* empty for NULL */
};

/* What a result looks like before its first row. Borrowed, good while the printer lives.
 */
struct ryde_query_head {
	const struct ryde_view *names; /* of the columns, as SQL gives them; may repeat */
	size_t n;
	size_t width_columns; /* of the terminal, 0: nothing is cut */
	bool ascii;	      /* charts of plain characters */
};

/*
 * A printer of one result. Output is appended to `out`, which the caller empties as it
 * likes; whether it failed is for the caller to check.
 */
struct ryde_query_printer {
	const char *name;    /* of -o */
	const char *between; /* stands between two results */
	/* The state of one result, to be freed with `free`. NULL without memory, err set.
	 */
	void *(*start)(const struct ryde_query_head *head, struct ryde_err *err);
	/* One row of head.n cells. -1 without memory. */
	int (*row)(void *state, const struct ryde_query_cell *cells, struct ryde_buf *out,
	    struct ryde_err *err);
	/* After the last row: what was held back. -1 with err set. */
	int (*end)(void *state, struct ryde_buf *out, struct ryde_err *err);
	void (*free)(void *state);
	/* NULL, or: shows what is held back, because nothing may come for long. */
	int (*pause)(void *state, struct ryde_buf *out, struct ryde_err *err);
};

extern const struct ryde_query_printer ryde_query_print_table;
extern const struct ryde_query_printer ryde_query_print_ndjson;
extern const struct ryde_query_printer ryde_query_print_csv;
extern const struct ryde_query_printer ryde_query_print_tsv;
extern const struct ryde_query_printer ryde_query_print_chart;

/* The printer of that name (table, ndjson, csv, tsv, chart), or NULL. */
const struct ryde_query_printer *ryde_query_print(const char *name);

#endif
