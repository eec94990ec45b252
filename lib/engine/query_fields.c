#include "engine/query_fields.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_table.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)64 << 20)
#define MASK_BITS 64
#define NO_SLOT SIZE_MAX

void
ryde_query_fields_free(struct ryde_query_fields *f)
{
	ryde_json_paths_free(f->paths);
	free(f->shapes);
	free(f->values);
	free(f->slots);
	*f = (struct ryde_query_fields){0};
}

/* The path of a column: its key as the payload spells it, in quotes. */
static int
add_path(struct ryde_query_fields *f, const struct ryde_query_column *column,
    size_t *slot, struct ryde_err *err)
{
	struct ryde_buf text;
	int rc = -1;

	ryde_buf_init(&text, TEXT_MAX);
	ryde_buf_puts(&text, ".\"");
	ryde_buf_add(&text, column->raw, column->raw_n);
	ryde_buf_putc(&text, '"');
	if (ryde_buf_check(&text, err) == 0)
		rc = ryde_json_paths_add(f->paths, ryde_buf_str(&text), slot, err);
	ryde_buf_free(&text);
	return rc;
}

int
ryde_query_fields_want(struct ryde_query_fields *f, const struct ryde_query_table *t,
    uint64_t mask, struct ryde_err *err)
{
	size_t n = t->columns.n_keys;

	if (f->paths != NULL && f->mask == mask && f->n_slots == n)
		return 0;
	ryde_query_fields_free(f);
	f->paths = ryde_json_paths_new();
	f->values = calloc(n + 1, sizeof(*f->values));
	f->slots = calloc(n + 1, sizeof(*f->slots));
	f->shapes = malloc(sizeof(*f->shapes));
	if (f->paths == NULL || f->values == NULL || f->slots == NULL ||
	    f->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(f->shapes);
	f->mask = mask;
	f->n_slots = n;
	f->spellings = false;
	for (size_t i = 0; i < n; i++) {
		const struct ryde_query_column *k = &t->columns.keys[i];
		size_t bit = k->index < MASK_BITS ? k->index : MASK_BITS - 1;

		f->slots[i] = NO_SLOT;
		if (k->index >= t->n_columns || (mask >> bit & 1) == 0)
			continue;
		if (t->columns.columns[k->index] != i)
			f->spellings = true;
		if (add_path(f, k, &f->slots[i], err) != 0)
			return -1;
	}
	return 0;
}

bool
ryde_query_fields_read(
    struct ryde_query_fields *f, struct ryde_view payload, struct ryde_json_fault *fault)
{
	return ryde_json_shapes_read(f->shapes, payload, f->paths, f->values, fault) == 0;
}

const struct ryde_json_value *
ryde_query_fields_find(
    const struct ryde_query_fields *f, const struct ryde_query_columns *columns, size_t i)
{
	size_t slot = f->slots[columns->columns[i]];

	if (slot != NO_SLOT && f->values[slot].kind != RYDE_JSON_ABSENT)
		return &f->values[slot];
	for (size_t k = 0; f->spellings && k < f->n_slots; k++)
		if (columns->keys[k].index == i && f->slots[k] != NO_SLOT &&
		    f->values[f->slots[k]].kind != RYDE_JSON_ABSENT)
			return &f->values[f->slots[k]];
	return NULL;
}
