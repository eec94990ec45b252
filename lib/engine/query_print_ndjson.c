/* One JSON object per row, its keys the names of the columns. */
#include "base/buf.h"
#include "base/err.h"
#include "engine/query_print.h"
#include "engine/query_width.h"
#include "json/string.h"

#include <stdlib.h>

#define KEYS_MAX ((size_t)64 << 20)

struct ndjson {
	size_t n;
	struct ryde_buf keys; /* {"a": ,"b": … one after the other */
	size_t *ends;	      /* where each one ends in keys */
};

static void
put_text(struct ryde_buf *out, struct ryde_view text)
{
	struct ryde_buf clean;

	if (ryde_json_string_utf8(text)) {
		ryde_json_string_put(out, text);
		return;
	}
	ryde_buf_init(&clean, text.n * 3);
	ryde_query_width_utf8(&clean, text);
	if (clean.failed)
		out->failed = true;
	ryde_json_string_put(out, ryde_buf_as_view(&clean));
	ryde_buf_free(&clean);
}

static bool
is_taken(const struct ryde_query_head *head, size_t upto, struct ryde_view name)
{
	for (size_t i = 0; i < upto; i++)
		if (ryde_view_eq(head->names[i], name))
			return true;
	return false;
}

/* True where an earlier column was given this key. */
static bool
is_given(const struct ndjson *s, size_t upto, struct ryde_view key)
{
	size_t start = 0;

	for (size_t i = 0; i < upto; start = s->ends[i++])
		if (ryde_view_eq(
			ryde_view_mem(s->keys.p + start + 1, s->ends[i] - start - 1),
			key))
			return true;
	return false;
}

/* The key of column i; one whose name was there before gets _2, _3 … behind it. */
static void
put_key(struct ndjson *s, const struct ryde_query_head *head, size_t i)
{
	struct ryde_view name = head->names[i];
	struct ryde_buf other, key;
	bool again = is_taken(head, i, name);

	ryde_buf_init(&other, KEYS_MAX);
	ryde_buf_init(&key, KEYS_MAX);
	for (unsigned k = 2;; k++) {
		if (again) {
			ryde_buf_clear(&other);
			ryde_buf_view(&other, head->names[i]);
			ryde_buf_printf(&other, "_%u", k);
			name = ryde_buf_as_view(&other);
		}
		ryde_buf_clear(&key);
		put_text(&key, name);
		ryde_buf_putc(&key, ':');
		if (!again || key.failed ||
		    (!is_taken(head, head->n, name) &&
			!is_given(s, i, ryde_buf_as_view(&key))))
			break;
	}
	ryde_buf_putc(&s->keys, i == 0 ? '{' : ',');
	ryde_buf_view(&s->keys, ryde_buf_as_view(&key));
	s->keys.failed |= key.failed || other.failed;
	ryde_buf_free(&other);
	ryde_buf_free(&key);
}

static void
ndjson_free(void *state)
{
	struct ndjson *s = state;

	if (s == NULL)
		return;
	ryde_buf_free(&s->keys);
	free(s->ends);
	free(s);
}

static void *
ndjson_start(const struct ryde_query_head *head, struct ryde_err *err)
{
	struct ndjson *s = calloc(1, sizeof(*s));

	if (s == NULL)
		goto fail;
	ryde_buf_init(&s->keys, KEYS_MAX);
	s->n = head->n;
	s->ends = calloc(head->n + 1, sizeof(*s->ends));
	if (s->ends == NULL)
		goto fail;
	for (size_t i = 0; i < head->n; i++) {
		put_key(s, head, i);
		s->ends[i] = s->keys.n;
		if (s->keys.failed)
			goto fail;
	}
	return s;
fail:
	ndjson_free(s);
	(void)ryde_err_nomem(err);
	return NULL;
}

static void
put_cell(struct ryde_buf *out, const struct ryde_query_cell *cell)
{
	switch (cell->kind) {
	case RYDE_QUERY_NULL:
		ryde_buf_add(out, "null", 4);
		break;
	case RYDE_QUERY_NUMBER:
	case RYDE_QUERY_BOOL:
	case RYDE_QUERY_JSON:
		ryde_buf_view(out, cell->text);
		break;
	case RYDE_QUERY_TEXT:
		put_text(out, cell->text);
		break;
	case RYDE_QUERY_BYTES:
		ryde_buf_putc(out, '"');
		ryde_json_string_base64_put(out, cell->text);
		ryde_buf_putc(out, '"');
		break;
	}
}

static int
ndjson_row(void *state, const struct ryde_query_cell *cells, struct ryde_buf *out,
    struct ryde_err *err)
{
	const struct ndjson *s = state;
	size_t start = 0;

	(void)err;
	for (size_t i = 0; i < s->n; start = s->ends[i++]) {
		ryde_buf_add(out, s->keys.p + start, s->ends[i] - start);
		put_cell(out, &cells[i]);
	}
	ryde_buf_add(out, "}\n", 2);
	return 0;
}

static int
ndjson_end(void *state, struct ryde_buf *out, struct ryde_err *err)
{
	(void)state;
	(void)out;
	(void)err;
	return 0;
}

const struct ryde_query_printer ryde_query_print_ndjson = {
    "ndjson", "", ndjson_start, ndjson_row, ndjson_end, ndjson_free, NULL};
