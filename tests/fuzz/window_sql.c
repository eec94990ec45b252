/*
 * The SQL parser. Whatever it makes of a text, ryde-window's own parsers must take:
 * paths, conditions and columns are none that they refuse, except for what only a whole
 * definition can know (names that stand twice, a window that is too long).
 */
#include "engine/window_sql.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/window_def.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a law does not hold. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
define(const struct ryde_window_sql *s)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_def *d = ryde_window_def_new(&err);

	if (d == NULL)
		return;
	if (s->n_by > RYDE_WINDOW_DEF_BY_MAX ||
	    s->n_columns > RYDE_WINDOW_DEF_COLUMNS_MAX)
		goto out;
	must(s->time == NULL || ryde_window_def_time(d, s->time, &err) == 0);
	for (size_t i = 0; i < s->n_by; i++)
		must(ryde_window_def_by(d, s->by[i], &err) == 0);
	must(s->where == NULL || ryde_window_def_where(d, s->where, &err) == 0);
	for (size_t i = 0; i < s->n_columns; i++)
		must(ryde_window_def_column(d, s->columns[i], &err) == 0);
	if (s->having != NULL)
		(void)ryde_window_def_having(d, s->having, &err);
out:
	ryde_window_def_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data; /* bytes as the text that they are */
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_sql *s = ryde_window_sql_new(ryde_view_mem(p, size), &err);
	struct ryde_buf text;

	if (s == NULL) {
		must(err.code == RYDE_EUSAGE || err.code == RYDE_EOSERR);
		return 0;
	}
	must((s->tumble != NULL) + (s->hop != NULL) + (s->cumulate != NULL) +
		 (s->session != NULL) ==
	     1);
	ryde_buf_init(&text, (size_t)16 << 20);
	ryde_window_sql_explain(s, &text);
	ryde_buf_free(&text);
	define(s);
	ryde_window_sql_free(s);
	return 0;
}
