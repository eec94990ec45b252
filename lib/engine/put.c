#include "engine/put.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/gather.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "line/writer.h"
#include "store/table.h"

#include <stdlib.h>

#define BATCH_AT_HAND 4096
#define BATCH_BYTES ((size_t)4 << 20)
#define REQUESTS_MAX ((size_t)256 << 20)

/* An item of the batch, by offsets: the buffers move while they grow. */
struct slot {
	size_t data, data_n, key, key_n, sort, sort_n;
	uint64_t line;
};

struct put {
	const struct ryde_put_opts *o;
	struct ryde_table *table;
	struct ryde_buf data, keys, sorts;
	struct slot *slots;
	struct ryde_table_item *items;
	size_t n, cap;
	bool under_way; /* items is made, and being written */
	bool written;	/* the batch stays until the next add: for what is refused */
	uint64_t batches;
	struct ryde_buf requests; /* of --dry-run: what a batch would send */
};

static int
make_room(struct put *p, struct ryde_err *err)
{
	size_t cap = p->cap == 0 ? 512 : p->cap * 2;
	struct ryde_table_item *items;
	struct slot *slots;

	if (p->n < p->cap)
		return 0;
	slots = realloc(p->slots, cap * sizeof(*slots));
	if (slots == NULL)
		return ryde_err_nomem(err);
	p->slots = slots;
	items = realloc(p->items, cap * sizeof(*items));
	if (items == NULL)
		return ryde_err_nomem(err);
	p->items = items;
	p->cap = cap;
	return 0;
}

static int
add(void *arg, const struct ryde_item *item, size_t *bytes, struct ryde_err *err)
{
	struct put *p = arg;
	struct ryde_err why = RYDE_ERR_INIT;
	struct slot *s;

	if (p->written) {
		p->written = false;
		p->n = 0;
		ryde_buf_clear(&p->data);
		ryde_buf_clear(&p->keys);
		ryde_buf_clear(&p->sorts);
	}
	if (make_room(p, err) != 0)
		return -1;
	s = &p->slots[p->n];
	*s = (struct slot){.data = p->data.n,
	    .line = item->number,
	    .data_n = item->payload.n,
	    .key = p->keys.n,
	    .sort = p->sorts.n};
	if (ryde_table_keys(p->table, item->payload, &p->keys, &p->sorts, &why) != 0) {
		if (why.code == RYDE_EDATA)
			return ryde_intake_reject(p->o->intake, item, why.msg, err);
		*err = why;
		return -1;
	}
	s->key_n = p->keys.n - s->key;
	s->sort_n = p->sorts.n - s->sort;
	ryde_buf_view(&p->data, item->payload);
	if (ryde_buf_check(&p->data, err) != 0)
		return -1;
	*bytes = item->payload.n;
	p->n++;
	return 1;
}

static int
describe(struct put *p, struct ryde_err *err)
{
	ryde_buf_printf(ryde_writer_buf(p->o->out),
	    "{\"batch\":%llu,\"table\":\"%s\",\"items\":%zu,\"bytes\":%zu",
	    (unsigned long long)++p->batches, p->o->table, p->n, p->data.n);
	if (p->requests.n > 0) {
		ryde_buf_puts(ryde_writer_buf(p->o->out), ",\"requests\":[");
		ryde_buf_view(ryde_writer_buf(p->o->out), ryde_buf_as_view(&p->requests));
		ryde_buf_putc(ryde_writer_buf(p->o->out), ']');
		ryde_buf_clear(&p->requests);
	}
	ryde_buf_puts(ryde_writer_buf(p->o->out), "}\n");
	return ryde_writer_drain(p->o->out, err);
}

static void
make_items(struct put *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct slot *s = &p->slots[i];

		p->items[i] = (struct ryde_table_item){
		    .data = ryde_buf_slice(&p->data, s->data, s->data_n),
		    .key = ryde_buf_slice(&p->keys, s->key, s->key_n),
		    .sort = ryde_buf_slice(&p->sorts, s->sort, s->sort_n)};
	}
}

static int
flush(void *arg, struct ryde_err *err)
{
	struct put *p = arg;
	int left;

	if (!p->under_way)
		make_items(p);
	p->under_way = true;
	left = ryde_table_write(p->table, p->items, p->n, err);
	if (left != 0)
		return left;
	p->under_way = false;
	if (p->o->dry_run && describe(p, err) != 0)
		return -1;
	p->written = true;
	return 0;
}

static void
under_way(void *arg, struct ryde_waits *w)
{
	struct put *p = arg;

	ryde_table_write_wait(p->table, w);
}

static const char *
refused(void *arg, size_t i, uint64_t *number, struct ryde_view *payload)
{
	struct put *p = arg;

	*number = p->slots[i].line;
	*payload = p->items[i].data;
	return p->items[i].refused;
}

static void
tick(void *arg, struct ryde_waits *w)
{
	struct put *p = arg;

	p->o->tick(p->o->arg, w);
}

int
ryde_put(const struct ryde_put_opts *opts, struct ryde_err *err)
{
	struct put p = {.o = opts};
	struct ryde_gather g = {.intake = opts->intake,
	    .books = opts->books,
	    .batch_size = opts->batch_size > 0 ? (size_t)opts->batch_size : BATCH_AT_HAND,
	    .batch_bytes = BATCH_BYTES,
	    .retry_for_ms = opts->retry_for_ms,
	    .add = add,
	    .flush = flush,
	    .under_way = under_way,
	    .refused = refused,
	    .tick = tick,
	    .arg = &p};
	int status = RYDE_ESOFTWARE;

	/* a batch, and the line that fills it */
	ryde_buf_init(&p.data, BATCH_BYTES + ((size_t)32 << 20));
	ryde_buf_init(&p.keys, BATCH_BYTES + ((size_t)32 << 20));
	ryde_buf_init(&p.sorts, BATCH_BYTES + ((size_t)32 << 20));
	p.table = ryde_table_open(opts->store, opts->table, err);
	ryde_buf_init(&p.requests, REQUESTS_MAX);
	if (p.table != NULL && opts->dry_run)
		ryde_table_rehearse(p.table, &p.requests);
	if (p.table != NULL)
		status = ryde_gather(&g, err);
	if (err->code != RYDE_OK)
		status = ryde_err_status(err);
	ryde_table_close(p.table);
	ryde_buf_free(&p.data);
	ryde_buf_free(&p.keys);
	ryde_buf_free(&p.sorts);
	ryde_buf_free(&p.requests);
	free(p.slots);
	free(p.items);
	return status;
}
