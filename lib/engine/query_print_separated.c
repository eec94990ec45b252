/* Values with a separator between them and a header above. */
#include "base/buf.h"
#include "base/err.h"
#include "engine/query_print.h"
#include "json/string.h"

#include <stdlib.h>

/* How a form writes a line. */
struct form {
	char separator;
	const char *line_end;
	void (*put)(struct ryde_buf *out, struct ryde_view v);
};

struct separated {
	const struct form *form;
	const struct ryde_query_head *head;
	bool headed;
};

/* Quoted where RFC 4180 asks for it, and where it is empty: an empty field is NULL. */
static void
put_csv(struct ryde_buf *out, struct ryde_view v)
{
	bool quote = v.n == 0;

	for (size_t i = 0; i < v.n && !quote; i++)
		quote =
		    v.p[i] == '"' || v.p[i] == ',' || v.p[i] == '\n' || v.p[i] == '\r';
	if (!quote) {
		ryde_buf_view(out, v);
		return;
	}
	ryde_buf_putc(out, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"')
			ryde_buf_putc(out, '"');
		ryde_buf_putc(out, v.p[i]);
	}
	ryde_buf_putc(out, '"');
}

/* Tabs, line ends and backslashes become escapes. */
static void
put_tsv(struct ryde_buf *out, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++) {
		switch (v.p[i]) {
		case '\t':
			ryde_buf_puts(out, "\\t");
			break;
		case '\n':
			ryde_buf_puts(out, "\\n");
			break;
		case '\r':
			ryde_buf_puts(out, "\\r");
			break;
		case '\\':
			ryde_buf_puts(out, "\\\\");
			break;
		default:
			ryde_buf_putc(out, v.p[i]);
		}
	}
}

static const struct form csv = {',', "\r\n", put_csv}; /* RFC 4180 */
static const struct form tsv = {'\t', "\n", put_tsv};

/* NULL is an empty field; in TSV so is the empty text. */
static void
put_cell(
    const struct form *form, struct ryde_buf *out, const struct ryde_query_cell *cell)
{
	if (cell->kind == RYDE_QUERY_NULL)
		return;
	if (cell->kind == RYDE_QUERY_BYTES)
		ryde_json_string_base64_put(out, cell->text);
	else
		form->put(out, cell->text);
}

static void *
start(const struct form *form, const struct ryde_query_head *head, struct ryde_err *err)
{
	struct separated *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->form = form;
	s->head = head;
	return s;
}

static void *
csv_start(const struct ryde_query_head *head, struct ryde_err *err)
{
	return start(&csv, head, err);
}

static void *
tsv_start(const struct ryde_query_head *head, struct ryde_err *err)
{
	return start(&tsv, head, err);
}

static void
put_head(struct separated *s, struct ryde_buf *out)
{
	for (size_t i = 0; i < s->head->n; i++) {
		if (i > 0)
			ryde_buf_putc(out, s->form->separator);
		s->form->put(out, s->head->names[i]);
	}
	ryde_buf_puts(out, s->form->line_end);
	s->headed = true;
}

static int
row(void *state, const struct ryde_query_cell *cells, struct ryde_buf *out,
    struct ryde_err *err)
{
	struct separated *s = state;

	(void)err;
	if (!s->headed)
		put_head(s, out);
	for (size_t i = 0; i < s->head->n; i++) {
		if (i > 0)
			ryde_buf_putc(out, s->form->separator);
		put_cell(s->form, out, &cells[i]);
	}
	ryde_buf_puts(out, s->form->line_end);
	return 0;
}

/* The header stands also where there is no row. */
static int
end(void *state, struct ryde_buf *out, struct ryde_err *err)
{
	struct separated *s = state;

	(void)err;
	if (!s->headed)
		put_head(s, out);
	return 0;
}

const struct ryde_query_printer ryde_query_print_csv = {
    "csv", "\r\n", csv_start, row, end, free, NULL};
const struct ryde_query_printer ryde_query_print_tsv = {
    "tsv", "\n", tsv_start, row, end, free, NULL};
