/*
 * Charts for a look at a result: bars for a label and numbers, a line for a time and
 * numbers; of several numbers one chart below the other.
 *
 * The label is the first column that has a text, else the first one. Where each of its
 * values is a time (base/timestamp.h), and there are two or more, it is a line.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "engine/query_print.h"
#include "engine/query_width.h"
#include "json/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 80 /* where there is no terminal to ask */
#define ROWS_MAX 100000
#define TEXTS_MAX ((size_t)64 << 20)
#define LABEL_MAX 32 /* columns */
#define BARS_LEAST 10
#define LINE_ROWS 12

struct value {
	size_t at, n; /* its text in `texts` */
	double number;
	bool is_number, is_null;
};

struct chart {
	const struct ryde_query_head *head;
	struct value *values; /* head->n a row */
	size_t rows, cap;
	struct ryde_buf texts;
};

static void
chart_free(void *state)
{
	struct chart *c = state;

	if (c == NULL)
		return;
	free(c->values);
	ryde_buf_free(&c->texts);
	free(c);
}

static void *
chart_start(const struct ryde_query_head *head, struct ryde_err *err)
{
	struct chart *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->head = head;
	ryde_buf_init(&c->texts, TEXTS_MAX);
	return c;
}

static int
chart_row(void *state, const struct ryde_query_cell *cells, struct ryde_buf *out,
    struct ryde_err *err)
{
	struct chart *c = state;
	size_t n = c->head->n;

	(void)out;
	if (c->rows == ROWS_MAX)
		return ryde_err_set(err, RYDE_EDATA,
		    "a chart of more than %d rows: GROUP BY or LIMIT makes them fewer",
		    ROWS_MAX);
	if (c->rows == c->cap) {
		size_t cap = c->cap * 2 + 64;
		struct value *values = realloc(c->values, cap * n * sizeof(*values));

		if (values == NULL)
			return ryde_err_nomem(err);
		c->values = values;
		c->cap = cap;
	}
	for (size_t i = 0; i < n; i++) {
		struct value *v = &c->values[c->rows * n + i];
		struct ryde_decimal d = {0};

		*v = (struct value){.at = c->texts.n,
		    .n = cells[i].text.n,
		    .is_null = cells[i].kind == RYDE_QUERY_NULL};
		ryde_buf_view(&c->texts, cells[i].text);
		if (cells[i].kind == RYDE_QUERY_NUMBER &&
		    ryde_decimal_parse(&d, cells[i].text, NULL) == 0)
			v->number = ryde_decimal_double(&d);
		v->is_number = cells[i].kind == RYDE_QUERY_NUMBER && isfinite(v->number);
		ryde_decimal_free(&d);
	}
	c->rows++;
	return ryde_buf_check(&c->texts, err);
}

static const struct value *
value_at(const struct chart *c, size_t row, size_t column)
{
	return &c->values[row * c->head->n + column];
}

static struct ryde_view
text_of(const struct chart *c, const struct value *v)
{
	return ryde_view_mem(c->texts.p + v->at, v->n);
}

static size_t
label_column(const struct chart *c)
{
	for (size_t i = 0; i < c->head->n; i++)
		for (size_t r = 0; r < c->rows; r++)
			if (!value_at(c, r, i)->is_number && !value_at(c, r, i)->is_null)
				return i;
	return 0;
}

/* The least and the largest number of a column; false where it has none. */
static bool
range(const struct chart *c, size_t column, double *low, double *high)
{
	bool any = false;

	for (size_t r = 0; r < c->rows; r++) {
		const struct value *v = value_at(c, r, column);

		if (!v->is_number)
			continue;
		*low = any && *low < v->number ? *low : v->number;
		*high = any && *high > v->number ? *high : v->number;
		any = true;
	}
	return any;
}

static void
put_times(struct ryde_buf *out, const char *what, size_t n)
{
	while (n-- > 0)
		ryde_buf_puts(out, what);
}

static size_t
width_of(const struct chart *c)
{
	return c->head->width_columns > 0 ? c->head->width_columns : WIDTH;
}

/* ---- bars ---- */

/* A bar from `from` to `to`, both in eighths of a column, in `columns` columns. */
static void
put_bar(struct ryde_buf *out, size_t from, size_t to, size_t columns, bool ascii)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	size_t whole = to / 8, shown = whole;

	put_times(out, " ", from / 8);
	put_times(out, ascii ? "#" : "█", whole - from / 8);
	if (!ascii && to % 8 != 0) {
		ryde_buf_puts(out, eighths[to % 8]);
		shown++;
	}
	put_times(out, " ", columns - shown);
}

static void
put_bars(const struct chart *c, size_t label, size_t column, struct ryde_buf *out)
{
	double low = 0, high = 0;
	size_t labels = 0, numbers = 0, columns, zero;

	(void)range(c, column, &low, &high);
	low = low < 0 ? low : 0;
	high = high > 0 ? high : 0;
	for (size_t r = 0; r < c->rows; r++) {
		size_t l = ryde_query_width(text_of(c, value_at(c, r, label)));
		size_t n = ryde_query_width(text_of(c, value_at(c, r, column)));

		labels = l > labels ? l : labels;
		numbers = n > numbers ? n : numbers;
	}
	labels = labels < LABEL_MAX ? labels : LABEL_MAX;
	columns = width_of(c) > labels + numbers + 2 + BARS_LEAST
		      ? width_of(c) - labels - numbers - 2
		      : BARS_LEAST;
	/* bars to the left begin and end with whole columns */
	zero = high > low ? (size_t)lround(-low / (high - low) * (double)columns) * 8 : 0;
	for (size_t r = 0; r < c->rows; r++) {
		const struct value *v = value_at(c, r, column);
		size_t at = zero, shown;

		if (v->is_number && high > low)
			at = (size_t)lround(
			    (v->number - low) / (high - low) * (double)columns * 8);
		shown =
		    ryde_query_width_put(out, text_of(c, value_at(c, r, label)), labels);
		put_times(out, " ", labels - shown + 1);
		if (at >= zero)
			put_bar(out, zero, at, columns, c->head->ascii);
		else
			put_bar(out, at / 8 * 8, zero, columns, c->head->ascii);
		shown = ryde_query_width(text_of(c, v));
		put_times(out, " ", numbers - shown + 1);
		(void)ryde_query_width_put(out, text_of(c, v), numbers);
		ryde_buf_putc(out, '\n');
	}
}

/* ---- lines ---- */

struct point {
	int64_t at_ms;
	double number;
};

/* Dots, 2 by 4 to a character as Braille has them, or 1 by 1. */
struct dots {
	unsigned char *set;
	size_t width, height, per_column, per_row;
};

static void
set_dot(struct dots *d, size_t x, size_t y)
{
	d->set[y * d->width + x] = 1;
}

static void
draw(struct dots *d, size_t x0, size_t y0, size_t x1, size_t y1)
{
	size_t dx = x1 - x0, dy = y1 > y0 ? y1 - y0 : y0 - y1, n = dx > dy ? dx : dy;

	for (size_t i = 0; i <= n; i++) {
		double t = n > 0 ? (double)i / (double)n : 0;

		set_dot(d, x0 + (size_t)lround(t * (double)dx),
		    y1 > y0 ? y0 + (size_t)lround(t * (double)dy)
			    : y0 - (size_t)lround(t * (double)dy));
	}
}

static void
put_character(const struct dots *d, size_t column, size_t row, struct ryde_buf *out)
{
	/* bits of U+2800, by column and row of the dot. Source: Unicode's Braille block
	 */
	static const unsigned bits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
	unsigned code = 0;
	bool any = false;

	for (size_t y = 0; y < d->per_row; y++) {
		for (size_t x = 0; x < d->per_column; x++) {
			if (!d->set[(row * d->per_row + y) * d->width +
				    column * d->per_column + x])
				continue;
			any = true;
			code |= bits[y][x];
		}
	}
	if (!any || d->per_column == 1) {
		ryde_buf_putc(out, any ? '*' : ' ');
		return;
	}
	ryde_buf_putc(out, (char)0xe2);
	ryde_buf_putc(out, (char)(0xa0 | code >> 6));
	ryde_buf_putc(out, (char)(0x80 | (code & 0x3f)));
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = ((const struct point *)a)->at_ms,
		y = ((const struct point *)b)->at_ms;

	return (x > y) - (x < y);
}

static void
plot(struct dots *d, const struct point *points, size_t n, double low, double high)
{
	double span = (double)(points[n - 1].at_ms - points[0].at_ms);
	size_t last_x = 0, last_y = 0;

	for (size_t i = 0; i < n; i++) {
		double t =
		    span > 0 ? (double)(points[i].at_ms - points[0].at_ms) / span : 0;
		double v = high > low ? (points[i].number - low) / (high - low) : 0.5;
		size_t x = (size_t)lround(t * (double)(d->width - 1));
		size_t y = (size_t)lround((1 - v) * (double)(d->height - 1));

		draw(d, i > 0 ? last_x : x, i > 0 ? last_y : y, x, y);
		last_x = x;
		last_y = y;
	}
}

/* The text of a column's least or largest number. */
static struct ryde_view
text_of_number(const struct chart *c, size_t column, double number)
{
	for (size_t r = 0; r < c->rows; r++)
		if (value_at(c, r, column)->is_number &&
		    value_at(c, r, column)->number == number)
			return text_of(c, value_at(c, r, column));
	return ryde_view_of("");
}

static void
put_canvas(const struct chart *c, const struct dots *d, struct ryde_view top,
    struct ryde_view bottom, size_t margin, struct ryde_buf *out)
{
	for (size_t row = 0; row < LINE_ROWS; row++) {
		struct ryde_view text = row == 0	       ? top
					: row == LINE_ROWS - 1 ? bottom
							       : ryde_view_of("");

		put_times(out, " ", margin - ryde_query_width(text));
		ryde_buf_view(out, text);
		ryde_buf_puts(out, c->head->ascii ? " |" : " │");
		for (size_t k = 0; k < d->width / d->per_column; k++)
			put_character(d, k, row, out);
		ryde_buf_putc(out, '\n');
	}
}

static int
put_line(const struct chart *c, size_t label, size_t column, struct ryde_buf *out,
    struct ryde_err *err)
{
	struct dots d = {
	    .per_column = c->head->ascii ? 1 : 2, .per_row = c->head->ascii ? 1 : 4};
	struct point *points = calloc(c->rows + 1, sizeof(*points));
	double low = 0, high = 0;
	struct ryde_view top, bottom;
	size_t n = 0, margin, columns;
	char first[RYDE_TIMESTAMP_MAX], last[RYDE_TIMESTAMP_MAX];

	(void)range(c, column, &low, &high);
	top = text_of_number(c, column, high);
	bottom = text_of_number(c, column, low);
	margin = top.n > bottom.n ? top.n : bottom.n;
	columns =
	    width_of(c) > margin + 2 + BARS_LEAST ? width_of(c) - margin - 2 : BARS_LEAST;
	d.width = columns * d.per_column;
	d.height = LINE_ROWS * d.per_row;
	d.set = calloc(d.width * d.height, 1);
	if (points == NULL || d.set == NULL) {
		free(points);
		free(d.set);
		return ryde_err_nomem(err);
	}
	for (size_t r = 0; r < c->rows; r++) {
		if (!value_at(c, r, column)->is_number)
			continue;
		(void)ryde_timestamp_parse(
		    text_of(c, value_at(c, r, label)), &points[n].at_ms);
		points[n++].number = value_at(c, r, column)->number;
	}
	qsort(points, n, sizeof(*points), by_time);
	plot(&d, points, n, low, high);
	put_canvas(c, &d, top, bottom, margin, out);
	(void)ryde_timestamp_plain(points[0].at_ms, first);
	(void)ryde_timestamp_plain(points[n - 1].at_ms, last);
	put_times(out, " ", margin + 2);
	ryde_buf_puts(out, first);
	if (columns > strlen(first) + strlen(last))
		put_times(out, " ", columns - strlen(first) - strlen(last));
	else
		ryde_buf_puts(out, " - ");
	ryde_buf_puts(out, last);
	ryde_buf_putc(out, '\n');
	free(points);
	free(d.set);
	return 0;
}

static bool
is_time(const struct chart *c, size_t label)
{
	int64_t at_ms;

	for (size_t r = 0; r < c->rows; r++) {
		const struct value *v = value_at(c, r, label);

		if (v->is_number || !ryde_timestamp_parse(text_of(c, v), &at_ms))
			return false;
	}
	return c->rows > 1;
}

static int
chart_end(void *state, struct ryde_buf *out, struct ryde_err *err)
{
	const struct chart *c = state;
	size_t label = label_column(c), charts = 0;
	bool times = c->rows > 0 && is_time(c, label);
	double low, high;

	if (c->rows == 0)
		return 0;
	for (size_t i = 0; i < c->head->n; i++) {
		if (i == label || !range(c, i, &low, &high))
			continue;
		if (charts++ > 0)
			ryde_buf_putc(out, '\n');
		(void)ryde_query_width_put(out, c->head->names[i], width_of(c));
		ryde_buf_putc(out, '\n');
		if (!times)
			put_bars(c, label, i, out);
		else if (put_line(c, label, i, out, err) != 0)
			return -1;
	}
	if (charts == 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "a chart wants a label and a number: these rows have none");
	return 0;
}

const struct ryde_query_printer ryde_query_print_chart = {
    "chart", "\n", chart_start, chart_row, chart_end, chart_free, NULL};
