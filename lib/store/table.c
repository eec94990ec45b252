#include "store/table.h"

#include "aws/dynamodb_table.h"
#include "line/store_ops.h"
#include "local/table.h"
#include "store/name.h"

struct ryde_table *
ryde_table_open(
    const struct ryde_store_settings *settings, const char *name, struct ryde_err *err)
{
	struct ryde_store_name found;
	char dir[4096];

	if (ryde_store_resolve(settings, name, &found, err) != 0)
		return NULL;
	if (found.kind == RYDE_STORE_AWS)
		return ryde_dynamodb_table_open(settings, &found, err);
	if (ryde_store_data_dir(settings, dir, err) != 0)
		return NULL;
	return ryde_table_local_open(dir, found.name, err);
}

void
ryde_table_close(struct ryde_table *t)
{
	if (t != NULL)
		t->ops->close(t);
}

const char *
ryde_table_key(const struct ryde_table *t)
{
	return t->ops->key(t);
}

const char *
ryde_table_sort(const struct ryde_table *t)
{
	return t->ops->sort(t);
}

int
ryde_table_keys(struct ryde_table *t, struct ryde_view data, struct ryde_buf *key,
    struct ryde_buf *sort, struct ryde_err *err)
{
	return t->ops->keys(t, data, key, sort, err);
}

int
ryde_table_write(
    struct ryde_table *t, struct ryde_table_item *items, size_t n, struct ryde_err *err)
{
	if (t->rehearses && t->ops->rehearse == NULL)
		return 0;
	return t->ops->write(t, items, n, err);
}

void
ryde_table_rehearse(struct ryde_table *t, struct ryde_buf *requests)
{
	t->rehearses = true;
	if (t->ops->rehearse != NULL)
		t->ops->rehearse(t, requests);
}

void
ryde_table_write_wait(struct ryde_table *t, struct ryde_waits *w)
{
	if (t->ops->write_wait != NULL)
		t->ops->write_wait(t, w);
}

struct ryde_table_cursor *
ryde_table_cursor_new(struct ryde_table *t, struct ryde_err *err)
{
	return t->ops->cursor(t, err);
}

int
ryde_table_cursor_next(
    struct ryde_table_cursor *c, struct ryde_view *item, struct ryde_err *err)
{
	return c->ops->next(c, item, err);
}

void
ryde_table_cursor_free(struct ryde_table_cursor *c)
{
	if (c != NULL)
		c->ops->free(c);
}

int
ryde_table_count(struct ryde_table *t, int64_t *n, struct ryde_err *err)
{
	return t->ops->count(t, n, err);
}
