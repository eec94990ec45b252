#include "engine/window_having.h"

#include "base/err.h"
#include "engine/window_agg.h"
#include "engine/window_expr.h"
#include "json/path.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX (64u << 20)

int
ryde_window_having_start(
    struct ryde_window_having *h, const struct ryde_window_def *def, struct ryde_err *err)
{
	memset(h, 0, sizeof(*h));
	ryde_buf_init(&h->texts, TEXTS_MAX);
	h->def = def;
	if (def->having == NULL)
		return 0;
	h->values = calloc(ryde_json_paths_count(def->row_paths) + 1, sizeof(*h->values));
	h->calls = calloc(def->n_hidden + 1, sizeof(*h->calls));
	h->ends = calloc(def->n_hidden + 1, sizeof(*h->ends));
	return h->values != NULL && h->calls != NULL && h->ends != NULL
		   ? 0
		   : ryde_err_nomem(err);
}

void
ryde_window_having_free(struct ryde_window_having *h)
{
	free(h->values);
	free(h->calls);
	free(h->ends);
	ryde_buf_free(&h->texts);
}

/* The kind of a value of ours, by its first byte. */
static struct ryde_json_value
value_of(struct ryde_view text)
{
	struct ryde_json_value v = {RYDE_JSON_NUMBER, false, text};

	switch (text.p[0]) {
	case 'n':
		v.kind = RYDE_JSON_NULL;
		break;
	case 't':
		v.kind = RYDE_JSON_TRUE;
		break;
	case 'f':
		v.kind = RYDE_JSON_FALSE;
		break;
	case '"':
		v.kind = RYDE_JSON_STRING;
		v.text = ryde_view_mem(text.p + 1, text.n - 2);
		v.escaped = memchr(v.text.p, '\\', v.text.n) != NULL;
		break;
	case '[':
		v.kind = RYDE_JSON_ARRAY;
		break;
	case '{':
		v.kind = RYDE_JSON_OBJECT;
		break;
	default:
		break;
	}
	return v;
}

int
ryde_window_having_test(struct ryde_window_having *h, const void *states,
    struct ryde_view row, bool *passes, struct ryde_err *err)
{
	const struct ryde_window_def *d = h->def;
	struct ryde_json_fault fault;
	size_t begin = 0;

	ryde_buf_clear(&h->texts);
	for (size_t i = 0; i < d->n_hidden; i++) {
		if (ryde_window_agg_put(d, states, d->n_columns + i, &h->texts, err) != 0)
			return -1;
		h->ends[i] = h->texts.n;
	}
	if (ryde_buf_check(&h->texts, err) != 0)
		return -1;
	for (size_t i = 0; i < d->n_hidden; begin = h->ends[i++])
		h->calls[i] =
		    value_of(ryde_view_mem(h->texts.p + begin, h->ends[i] - begin));
	if (ryde_json_find(row, d->row_paths, h->values, &fault) != 0)
		return ryde_err_set(err, RYDE_ESOFTWARE,
		    "a row that is no JSON: %s at byte %zu", fault.what, fault.at + 1);
	if (ryde_window_expr_test(d->having, h->values, h->calls, passes, err) != 0)
		return ryde_err_prefix(err, "--having");
	return 0;
}
