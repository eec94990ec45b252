/*
 * SQL over what ryde keeps: each statement runs in an SQLite of its own process, whose
 * tables are the sources that FROM names (query_source.h), and its rows go to a printer
 * (query_print.h).
 *
 * What a statement may read is found by trying: SQLite says which table it does not know,
 * the name is opened, and the statement is tried again. Columns are the keys of the first
 * rows (RYDE_QUERY_TABLE_SAMPLE); when a statement wants one that is not among them, or
 * reads two tables (whose columns could be mistaken for each other's), all rows are
 * looked at first. What * stands for, and whether min and max have to be exact, turns out
 * while a statement runs: until it is known, output is held back, and the statement is
 * run again where it was taken for something else.
 */
#ifndef RYDE_ENGINE_QUERY_H
#define RYDE_ENGINE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake_opts;
struct ryde_query_printer;
struct ryde_store_settings;
struct ryde_waits;
struct ryde_writer;

#define RYDE_QUERY_SQL_MAX ((size_t)16 << 20)

enum ryde_query_engine {
	RYDE_QUERY_ENGINE_ANY,	  /* SQLite, and DynamoDB for an item of it by its key */
	RYDE_QUERY_ENGINE_SQLITE, /* here, whatever the sources are */
	RYDE_QUERY_ENGINE_DYNAMODB,
	RYDE_QUERY_ENGINE_ATHENA,
};

struct ryde_query_opts {
	enum ryde_query_engine engine;
	struct {
		const char *workgroup, *database, *results; /* NULL: not said */
		int64_t max_scan_bytes;			    /* 0: no limit */
	} athena;
	const struct ryde_store_settings *store;
	const struct ryde_intake_opts *input; /* of "-" */
	const struct ryde_query_printer *printer;
	size_t width_columns; /* of the terminal, 0: nothing is cut */
	bool ascii;	      /* charts of plain characters */
	struct ryde_writer *out;
	struct ryde_books *books; /* in and handled: rows read; out: rows printed */
	bool follow;	  /* streams do not end but wait for more, until a signal */
	int64_t grace_ms; /* for the last lines after a signal */
	void (*tick)(void *arg, struct ryde_waits *w); /* may be NULL */
	void *arg;
};

/*
 * Runs the statements of sql (sql_n bytes and a NUL), in order, and prints the rows of
 * each. Returns the exit status: 0, or 65 where lines of stdin were rejected; -1 with err
 * set: RYDE_EUSAGE where SQL is wrong, RYDE_ENOINPUT where it names what does not exist,
 * RYDE_EDATA where it fails on a value, RYDE_ETEMPFAIL after a signal; or with the output
 * closed (ryde_writer_closed).
 */
int ryde_query(
    const struct ryde_query_opts *o, const char *sql, size_t sql_n, struct ryde_err *err);

#endif
