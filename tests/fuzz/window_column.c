/*
 * The grammar of columns and of conditions: the first line of the input is a column, the
 * second --where, the third --having, the fourth a record. What is understood must be
 * understood again in its normal form, and counts the record or says why not.
 */
#include "base/buf.h"
#include "base/err.h"
#include "engine/window.h"
#include "engine/window_expr.h"
#include "json/path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a law does not hold. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

static char *
next_line(const char **p, const char *end)
{
	const char *newline = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
	const char *stop = newline != NULL ? newline : end;
	char *line = malloc((size_t)(stop - *p) + 1);

	must(line != NULL);
	memcpy(line, *p, (size_t)(stop - *p));
	line[stop - *p] = '\0';
	*p = newline != NULL ? newline + 1 : end;
	return line;
}

/* A condition written down by its own words is the same condition. */
static void
there_and_back(const char *text)
{
	struct ryde_json_paths *paths = ryde_json_paths_new();
	struct ryde_window_expr *a =
	    ryde_window_expr_new(ryde_view_of(text), paths, NULL, NULL, NULL, NULL);
	struct ryde_window_expr *b;

	if (a != NULL) {
		b = ryde_window_expr_new(
		    ryde_buf_as_view(&a->text), paths, NULL, NULL, NULL, NULL);
		must(b != NULL);
		must(
		    ryde_view_eq(ryde_buf_as_view(&a->text), ryde_buf_as_view(&b->text)));
		ryde_window_expr_free(b);
	}
	ryde_window_expr_free(a);
	ryde_json_paths_free(paths);
}

static void
count(const struct ryde_window_def *d, const char *payload)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window *w = ryde_window_new(d, &err);
	struct ryde_window_record r = {
	    .payload = ryde_view_of(payload), .has_arrival = true, .arrival_ms = 1000};
	struct ryde_buf row;

	ryde_buf_init(&row, (size_t)64 << 20);
	must(w != NULL && ryde_window_shard(w, ryde_view_of(""), ryde_view_of(""),
			      &r.shard, &err) == 0);
	for (int i = 0; i < 3; i++)
		must(ryde_window_feed(w, &r, &err) != RYDE_WINDOW_FAILED);
	ryde_window_close(w);
	while (ryde_window_due(w)) {
		ryde_buf_clear(&row);
		if (ryde_window_row(w, &row, NULL, &err) != 0) {
			must(err.code == RYDE_EDATA);
			break;
		}
		must(ryde_json_check(ryde_buf_as_view(&row), NULL,
			 &(struct ryde_json_fault){0}) == 0);
	}
	ryde_buf_free(&row);
	ryde_window_free(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size; /* bytes as text */
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_def *d = ryde_window_def_new(&err);
	char *column = next_line(&p, end), *where = next_line(&p, end);
	char *having = next_line(&p, end), *record = next_line(&p, end);

	must(d != NULL);
	d->extent = (struct ryde_window_extent){
	    .kind = RYDE_WINDOW_TUMBLE, .size_ms = 60000, .step_ms = 60000};
	there_and_back(where);
	if ((where[0] == '\0' || ryde_window_def_where(d, where, &err) == 0) &&
	    ryde_window_def_column(d, column, &err) == 0 &&
	    (having[0] == '\0' || ryde_window_def_having(d, having, &err) == 0) &&
	    ryde_window_def_finish(d, &err) == 0)
		count(d, record);
	ryde_window_def_free(d);
	free(column);
	free(where);
	free(having);
	free(record);
	return 0;
}
