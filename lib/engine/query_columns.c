#include "engine/query_columns.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/string.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES ((size_t)16 << 20)

static struct ryde_query_column *
find_key(const struct ryde_query_columns *c, const char *name)
{
	for (size_t i = 0; i < c->n_keys; i++)
		if (sqlite3_stricmp(c->keys[i].name, name) == 0)
			return &c->keys[i];
	return NULL;
}

struct ryde_query_column *
ryde_query_columns_find(const struct ryde_query_columns *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (sqlite3_stricmp(ryde_query_columns_at(c, i)->name, name) == 0)
			return ryde_query_columns_at(c, i);
	return NULL;
}

static int
make_room(struct ryde_query_columns *c, struct ryde_err *err)
{
	if (c->n_keys == c->cap_keys) {
		size_t cap = c->cap_keys * 2 + 16;
		struct ryde_query_column *keys = realloc(c->keys, cap * sizeof(*keys));

		if (keys == NULL)
			return ryde_err_nomem(err);
		c->keys = keys;
		c->cap_keys = cap;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap * 2 + 16;
		size_t *columns = realloc(c->columns, cap * sizeof(*columns));

		if (columns == NULL)
			return ryde_err_nomem(err);
		c->columns = columns;
		c->cap = cap;
	}
	return 0;
}

/* Adds a key, as a column or not. */
static int
add_key(struct ryde_query_columns *c, struct ryde_view raw, const char *name, bool column,
    struct ryde_err *err)
{
	struct ryde_query_column *k;
	char *copy, *raw_copy;

	if (make_room(c, err) != 0)
		return -1;
	copy = strdup(name);
	raw_copy = malloc(raw.n + 1);
	if (copy == NULL || raw_copy == NULL) {
		free(copy);
		free(raw_copy);
		return ryde_err_nomem(err);
	}
	if (raw.n > 0)
		memcpy(raw_copy, raw.p, raw.n);
	k = &c->keys[c->n_keys];
	*k = (struct ryde_query_column){.name = copy,
	    .raw = raw_copy,
	    .raw_n = raw.n,
	    .index = RYDE_QUERY_COLUMNS_MAX};
	if (column) {
		k->index = c->n;
		c->columns[c->n++] = c->n_keys;
	}
	c->n_keys++;
	return 0;
}

/* A key that was not met before, in this spelling. */
static int
take_new(struct ryde_query_columns *c, struct ryde_view raw, struct ryde_err *err)
{
	struct ryde_buf name;
	int rc;

	ryde_buf_init(&name, NAME_MAX_BYTES);
	ryde_json_string_decode(&name, raw);
	if (ryde_buf_check(&name, err) != 0) {
		rc = -1;
	} else if (c->n_keys >= RYDE_QUERY_COLUMNS_MAX) {
		/* also a bound on what is remembered of keys that are no columns */
		c->overflow = true;
		rc = 0;
	} else {
		bool good = name.n > 0 && memchr(name.p, '\0', name.n) == NULL;
		const struct ryde_query_column *other =
		    good ? find_key(c, ryde_buf_str(&name)) : NULL;
		size_t index = other != NULL ? other->index : RYDE_QUERY_COLUMNS_MAX;
		bool column = good && other == NULL && !c->fixed;

		rc = add_key(c, raw, column ? ryde_buf_str(&name) : "", column, err);
		if (rc == 0 && !column)
			c->keys[c->n_keys - 1].index = index;
	}
	ryde_buf_free(&name);
	return rc;
}

static bool
is_key(const struct ryde_query_column *k, struct ryde_view raw)
{
	return ryde_view_eq(ryde_view_mem(k->raw, k->raw_n), raw);
}

static bool
knows(struct ryde_query_columns *c, struct ryde_view raw)
{
	if (c->expected < c->n_keys && is_key(&c->keys[c->expected], raw)) {
		c->expected++;
		return true;
	}
	for (size_t i = 0; i < c->n_keys; i++) {
		if (is_key(&c->keys[i], raw)) {
			c->expected = i + 1;
			return true;
		}
	}
	return false;
}

int
ryde_query_columns_take(
    struct ryde_query_columns *c, struct ryde_view payload, struct ryde_err *err)
{
	struct ryde_json_walk walk;
	struct ryde_json_value key, value;

	if (!ryde_json_walk_begin(&walk, payload) || !walk.object)
		return 0;
	c->expected = 0;
	while (ryde_json_walk_next(&walk, &key, &value))
		if (!knows(c, key.text) && take_new(c, key.text, err) != 0)
			return -1;
	return 0;
}

int
ryde_query_columns_reserve(
    struct ryde_query_columns *c, const char *name, struct ryde_err *err)
{
	return add_key(c, ryde_view_of(name), name, false, err);
}

int
ryde_query_columns_add(
    struct ryde_query_columns *c, const char *name, struct ryde_err *err)
{
	struct ryde_buf raw;
	int rc = -1;

	if (find_key(c, name) != NULL)
		return 0;
	ryde_buf_init(&raw, NAME_MAX_BYTES);
	ryde_json_string_put(&raw, ryde_view_of(name));
	if (ryde_buf_check(&raw, err) == 0)
		rc = add_key(c, ryde_view_mem(raw.p + 1, raw.n - 2), name, true, err);
	ryde_buf_free(&raw);
	return rc;
}

void
ryde_query_columns_free(struct ryde_query_columns *c)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		free(c->keys[i].raw);
		free(c->keys[i].name);
	}
	free(c->keys);
	free(c->columns);
	*c = (struct ryde_query_columns){0};
}
