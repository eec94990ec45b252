/*
 * An aligned table. The first rows are held back to see how wide their columns are; those
 * behind them are printed as they come, with the same widths.
 */
#include "base/buf.h"
#include "base/err.h"
#include "engine/query_print.h"
#include "engine/query_width.h"
#include "json/string.h"

#include <stdint.h>
#include <stdlib.h>

#define GATHERED_ROWS 1000
#define GATHERED_BYTES ((size_t)1 << 20)
#define GATHERED_MAX ((size_t)256 << 20)
#define TEXT_LEAST 6 /* columns that a text keeps when it is cut */
#define GAP "  "

struct held {
	enum ryde_query_cell_kind kind;
	size_t at, n; /* its text in `texts` */
};

struct column {
	size_t width;
	bool texts, numbers; /* what was seen */
};

struct table {
	const struct ryde_query_head *head;
	struct column *columns;
	struct held *held;
	size_t n_held, cap_held; /* cells */
	struct ryde_buf texts;
	bool printing; /* the widths are settled, the head is out */
};

static void
table_free(void *state)
{
	struct table *t = state;

	if (t == NULL)
		return;
	ryde_buf_free(&t->texts);
	free(t->columns);
	free(t->held);
	free(t);
}

static void *
table_start(const struct ryde_query_head *head, struct ryde_err *err)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		goto fail;
	ryde_buf_init(&t->texts, GATHERED_MAX);
	t->head = head;
	t->columns = calloc(head->n + 1, sizeof(*t->columns));
	if (t->columns == NULL)
		goto fail;
	for (size_t i = 0; i < head->n; i++)
		t->columns[i].width = ryde_query_width(head->names[i]);
	return t;
fail:
	table_free(t);
	(void)ryde_err_nomem(err);
	return NULL;
}

static bool
is_number(enum ryde_query_cell_kind kind)
{
	return kind == RYDE_QUERY_NUMBER;
}

/* Numbers go to the right; a column of numbers takes its header and its gaps with them.
 */
static void
put_padded(struct ryde_buf *out, const struct column *c, struct ryde_view text,
    bool right, bool cut, bool last)
{
	size_t width = right || !cut ? SIZE_MAX : c->width, shown;

	if (right) {
		shown = ryde_query_width(text);
		for (; shown < c->width; shown++)
			ryde_buf_putc(out, ' ');
		(void)ryde_query_width_put(out, text, width);
		return;
	}
	shown = ryde_query_width_put(out, text, width);
	for (; !last && shown < c->width; shown++)
		ryde_buf_putc(out, ' ');
}

static void
put_row(const struct table *t, const struct ryde_query_cell *cells, struct ryde_buf *out)
{
	for (size_t i = 0; i < t->head->n; i++) {
		if (i > 0)
			ryde_buf_puts(out, GAP);
		put_padded(out, &t->columns[i], cells[i].text, is_number(cells[i].kind),
		    t->head->width_columns > 0, i + 1 == t->head->n);
	}
	ryde_buf_putc(out, '\n');
}

/* Takes columns from the widest text until the row fits, or no text can give any more. */
static void
fit(struct table *t)
{
	size_t total = 0, limit = t->head->width_columns;

	for (size_t i = 0; i < t->head->n; i++)
		total += t->columns[i].width + (i > 0 ? sizeof(GAP) - 1 : 0);
	while (limit > 0 && total > limit) {
		struct column *widest = NULL;
		size_t second = TEXT_LEAST, take;

		for (size_t i = 0; i < t->head->n; i++) {
			struct column *c = &t->columns[i];

			if (c->numbers || c->width <= TEXT_LEAST)
				continue;
			if (widest == NULL || c->width > widest->width) {
				if (widest != NULL)
					second = widest->width;
				widest = c;
			} else if (c->width > second) {
				second = c->width;
			}
		}
		if (widest == NULL)
			return;
		take = widest->width - second;
		if (take == 0)
			take = 1;
		if (take > total - limit)
			take = total - limit;
		widest->width -= take;
		total -= take;
	}
}

static void
put_head(const struct table *t, struct ryde_buf *out)
{
	for (size_t i = 0; i < t->head->n; i++) {
		const struct column *c = &t->columns[i];

		if (i > 0)
			ryde_buf_puts(out, GAP);
		put_padded(out, c, t->head->names[i], c->numbers && !c->texts,
		    t->head->width_columns > 0, i + 1 == t->head->n);
	}
	ryde_buf_putc(out, '\n');
	for (size_t i = 0; i < t->head->n; i++) {
		if (i > 0)
			ryde_buf_puts(out, GAP);
		for (size_t k = 0; k < t->columns[i].width; k++)
			ryde_buf_putc(out, '-');
	}
	ryde_buf_putc(out, '\n');
}

static void
release(struct table *t, struct ryde_buf *out, struct ryde_query_cell *cells)
{
	size_t n = t->head->n;

	fit(t);
	put_head(t, out);
	for (size_t i = 0; n > 0 && i < t->n_held; i += n) {
		for (size_t k = 0; k < n; k++) {
			const struct held *h = &t->held[i + k];

			cells[k].kind = h->kind;
			cells[k].text = ryde_view_mem(t->texts.p + h->at, h->n);
		}
		put_row(t, cells, out);
	}
	t->n_held = 0;
	ryde_buf_free(&t->texts);
	t->printing = true;
}

static int
hold(struct table *t, const struct ryde_query_cell *cells, struct ryde_err *err)
{
	size_t n = t->head->n;

	if (t->n_held + n > t->cap_held) {
		size_t cap = t->cap_held * 2 + n;
		struct held *held = realloc(t->held, cap * sizeof(*held));

		if (held == NULL)
			return ryde_err_nomem(err);
		t->held = held;
		t->cap_held = cap;
	}
	for (size_t i = 0; i < n; i++) {
		struct column *c = &t->columns[i];
		size_t width = ryde_query_width(cells[i].text);

		t->held[t->n_held++] =
		    (struct held){cells[i].kind, t->texts.n, cells[i].text.n};
		ryde_buf_view(&t->texts, cells[i].text);
		if (width > c->width)
			c->width = width;
		if (is_number(cells[i].kind))
			c->numbers = true;
		else if (cells[i].kind != RYDE_QUERY_NULL)
			c->texts = true;
	}
	return ryde_buf_check(&t->texts, err);
}

/* Bytes become base64, so that everything else has to do with text alone. */
static int
spell(const struct table *t, const struct ryde_query_cell *cells,
    struct ryde_query_cell *spelled, struct ryde_buf *room, struct ryde_err *err)
{
	size_t need = 0;

	for (size_t i = 0; i < t->head->n; i++)
		if (cells[i].kind == RYDE_QUERY_BYTES)
			need += cells[i].text.n * 2 + 8;
	if (need > 0 && ryde_buf_room(room, need) == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < t->head->n; i++) {
		size_t at = room->n;

		spelled[i] = cells[i];
		if (cells[i].kind != RYDE_QUERY_BYTES)
			continue;
		ryde_json_string_base64_put(room, cells[i].text);
		spelled[i].text = ryde_view_mem(room->p + at, room->n - at);
	}
	return ryde_buf_check(room, err);
}

static int
table_row(void *state, const struct ryde_query_cell *cells, struct ryde_buf *out,
    struct ryde_err *err)
{
	struct table *t = state;
	struct ryde_query_cell *spelled = calloc(t->head->n + 1, sizeof(*spelled));
	struct ryde_buf room;
	int rc = -1;

	ryde_buf_init(&room, GATHERED_MAX);
	if (spelled == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (spell(t, cells, spelled, &room, err) != 0)
		goto out;
	if (t->printing) {
		put_row(t, spelled, out);
		rc = 0;
		goto out;
	}
	rc = hold(t, spelled, err);
	if (rc == 0 &&
	    (t->n_held >= GATHERED_ROWS * t->head->n || t->texts.n >= GATHERED_BYTES))
		release(t, out, spelled);
out:
	ryde_buf_free(&room);
	free(spelled);
	return rc;
}

static int
table_end(void *state, struct ryde_buf *out, struct ryde_err *err)
{
	struct table *t = state;
	struct ryde_query_cell *cells;

	if (t->printing)
		return 0;
	cells = calloc(t->head->n + 1, sizeof(*cells));
	if (cells == NULL)
		return ryde_err_nomem(err);
	release(t, out, cells);
	free(cells);
	return 0;
}

static int
table_pause(void *state, struct ryde_buf *out, struct ryde_err *err)
{
	const struct table *t = state;

	return t->n_held > 0 ? table_end(state, out, err) : 0;
}

const struct ryde_query_printer ryde_query_print_table = {
    "table", "\n", table_start, table_row, table_end, table_free, table_pause};
