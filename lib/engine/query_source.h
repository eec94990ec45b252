/*
 * Where the rows of a query come from: tables, streams and stdin behind one struct of
 * functions. A source can be read many times, by several cursors at once.
 */
#ifndef RYDE_ENGINE_QUERY_SOURCE_H
#define RYDE_ENGINE_QUERY_SOURCE_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_books;
struct ryde_buf;
struct ryde_err;
struct ryde_intake_opts;
struct ryde_json_fault;
struct ryde_query_cursor;
struct ryde_query_source;
struct ryde_store_settings;
struct ryde_rejects;
struct ryde_waits;

/* One row. Views are good until the next one of its cursor. */
struct ryde_query_row {
	struct ryde_view data; /* the payload */
	bool json;	       /* it is one JSON text; else any bytes */
};

/* A column that rows have beside their payload's fields. */
enum ryde_query_extra_kind {
	RYDE_QUERY_EXTRA_TEXT,
	RYDE_QUERY_EXTRA_INTEGER, /* its text is one, leading zeros allowed */
	RYDE_QUERY_EXTRA_EITHER,  /* compared as a number where it reads as one */
};
struct ryde_query_extra {
	const char *name;
	enum ryde_query_extra_kind kind;
};

struct ryde_query_filter;

struct ryde_query_source_ops {
	/*
	 * A walk over all rows, or over those that the filter (query_filter.h, NULL:
	 * none) lets through, and any others: SQL looks again. The filter is read during
	 * this call only. NULL with err set.
	 */
	struct ryde_query_cursor *(*cursor)(struct ryde_query_source *s,
	    const struct ryde_query_filter *filter, struct ryde_err *err);
	/* 1 with a row, 0 at the end, -1 with err set. */
	int (*next)(struct ryde_query_cursor *c, struct ryde_query_row *row,
	    struct ryde_err *err);
	/* The row's extra column i; false: NULL. */
	bool (*extra)(struct ryde_query_cursor *c, size_t i, struct ryde_view *text);
	/*
	 * Where the row stands among all rows, the same with any filter and larger than
	 * those before it. NULL: filters leave nothing out, and counting tells.
	 */
	int64_t (*position)(const struct ryde_query_cursor *c);
	/*
	 * Where rows come unchecked: the one at this position, with these bytes, is no
	 * JSON. Called in the order of rows. -1 with err set: stop.
	 */
	int (*bad)(struct ryde_query_cursor *c, int64_t position, struct ryde_view data,
	    const struct ryde_json_fault *fault, struct ryde_err *err);
	/*
	 * What a walk with this filter would read, in words (appended), and about how
	 * many rows. NULL: nothing is known.
	 */
	void (*plan)(struct ryde_query_source *s, const struct ryde_query_filter *filter,
	    struct ryde_buf *words, double *rows);
	void (*free_cursor)(struct ryde_query_cursor *c);
	void (*close)(struct ryde_query_source *s);
};

/* The first member of each kind of source, and of each cursor. */
struct ryde_query_source {
	const struct ryde_query_source_ops *ops;
	const struct ryde_query_extra *extras;
	size_t n_extras;
	bool counted;	/* its rows are to be counted as they are read; stdin's were */
	bool live;	/* it can be followed */
	bool unchecked; /* what `json` says is a guess: look, and call bad */
};
struct ryde_query_cursor {
	const struct ryde_query_source_ops *ops;
	/*
	 * Called before the cursor says something of a row itself: what is to be said of
	 * earlier ones has to be said. -1: it ends with that. NULL: nothing is late.
	 */
	int (*settle)(void *arg, struct ryde_err *err);
	void *settle_arg;
};

/* The columns that a stream's rows have beside their payload's, in this order. */
enum ryde_query_meta {
	RYDE_QUERY_SHARD,
	RYDE_QUERY_SEQUENCE,
	RYDE_QUERY_KEY,
	RYDE_QUERY_ARRIVAL,
	RYDE_QUERY_META,
};
extern const struct ryde_query_extra ryde_query_source_meta[RYDE_QUERY_META];

/* What sources are opened with. Borrowed, and must outlive them. */
struct ryde_query_sources {
	const struct ryde_store_settings *store;
	const struct ryde_intake_opts *input; /* of "-" */
	int input_status; /* out: what bad lines make the program exit with, or 0 */
	struct ryde_books *books;     /* objects, bytes, bad lines of archives */
	struct ryde_rejects *rejects; /* of those; NULL before the first one */
	/*
	 * A stream has no end: its cursors wait for more, until a signal. Only the first
	 * rows, those that were there, are looked at for columns.
	 */
	bool follow;
	/* Called before a cursor waits: what is held back is to be shown. May be NULL. */
	int (*idle)(void *arg, struct ryde_waits *w, struct ryde_err *err);
	void *idle_arg;
	void (*tick)(void *arg, struct ryde_waits *w);
	void *arg;
};

/*
 * Opens what a name in FROM means: "-" is stdin, read here to its end; stream:NAME a
 * stream; what has a slash in it an archive (query_archive.h); NAME, local:NAME a table,
 * else a stream. NULL with err: RYDE_ENOINPUT names the
 * nearest ones that there are.
 */
struct ryde_query_source *ryde_query_source(
    struct ryde_query_sources *o, const char *name, struct ryde_err *err);
/* Takes NULL. */
void ryde_query_source_close(struct ryde_query_source *s);

#endif
