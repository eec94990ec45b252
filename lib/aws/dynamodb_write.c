/*
 * Writing a batch with BatchWriteItem. The items of a batch have different keys, so its
 * requests need no order among each other and run side by side. UnprocessedItems go again
 * as they came back. A request that is refused as a whole (one bad item spoils all) is
 * split in two, until the bad one stands alone and is reported.
 */
#include "aws/answer.h"
#include "aws/attribute.h"
#include "aws/dynamodb_item.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/waits.h"
#include "flow/backoff.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS 8
#define REQUEST_ITEMS 25
#define REQUEST_BYTES ((size_t)12 << 20) /* 16 MB with what is around the items */
#define BODY_MAX ((size_t)24 << 20)
#define TIMEOUT_MS 30000
#define STUCK_MS 5000
#define WHY_MAX 512

/* A stretch of the order: items that go together. */
struct piece {
	uint32_t first, n;
};

struct request {
	struct ryde_aws_call *call;
	struct ryde_buf body;
	struct piece piece;
	size_t left;	     /* items of it that are not written yet */
	bool again;	     /* body holds what came back unprocessed */
	int64_t due_mono_ms; /* where it is to be sent again */
	unsigned failures;   /* answers in a row that wrote nothing */
};

struct ryde_dynamodb_write {
	struct request requests[REQUESTS];
	struct ryde_table_item *items; /* of the batch under way; NULL: none is */
	size_t n, left;
	uint32_t *order; /* the items that are written: the last of each key */
	size_t n_order, next, cap;
	struct piece *pieces; /* halves of refused requests, to be sent first */
	size_t n_pieces, cap_pieces;
	char (*whys)[WHY_MAX]; /* what is wrong with refused items; owned */
	size_t n_whys;
	struct ryde_random random;
	int64_t progress_ms, wake_ms;
};

void
ryde_dynamodb_write_free(struct ryde_dynamodb_write *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < REQUESTS; i++) {
		ryde_aws_free(w->requests[i].call);
		ryde_buf_free(&w->requests[i].body);
	}
	free(w->order);
	free(w->pieces);
	free(w->whys);
	free(w);
}

static struct ryde_dynamodb_write *
make(struct ryde_err *err)
{
	struct ryde_dynamodb_write *w = calloc(1, sizeof(*w));
	uint64_t seed;

	if (w == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	if (ryde_random_bytes(&seed, sizeof(seed), err) != 0) {
		free(w);
		return NULL;
	}
	ryde_random_seed(&w->random, seed);
	for (size_t i = 0; i < REQUESTS; i++)
		ryde_buf_init(&w->requests[i].body, BODY_MAX);
	return w;
}

/* ---- the batch ---- */

static uint64_t
mix(uint64_t h, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++)
		h = (h ^ (unsigned char)v.p[i]) * UINT64_C(1099511628211);
	return h ^ (h >> 29);
}

static bool
same_key(const struct ryde_table_item *a, const struct ryde_table_item *b)
{
	return ryde_view_eq(a->key, b->key) && ryde_view_eq(a->sort, b->sort);
}

/* Leaves the last item of each key in the order: a table of places, from the last item
 * back. */
static int
find_last(struct ryde_dynamodb_write *w, struct ryde_err *err)
{
	size_t slots = 64, at;
	uint32_t *table;

	while (slots < 2 * w->n)
		slots *= 2;
	table = calloc(slots, sizeof(*table));
	if (table == NULL)
		return ryde_err_nomem(err);
	w->n_order = w->n;
	for (size_t i = w->n; i > 0; i--) {
		const struct ryde_table_item *it = &w->items[i - 1];
		bool later = false;

		at = mix(mix(UINT64_C(14695981039346656037), it->key), it->sort) &
		     (slots - 1);
		for (; table[at] != 0 && !later; at = (at + 1) & (slots - 1)) {
			later = same_key(it, &w->items[table[at] - 1]);
			if (later)
				break;
		}
		if (later)
			continue;
		table[at] = (uint32_t)i;
		w->order[--w->n_order] = (uint32_t)(i - 1);
	}
	free(table);
	/* the order was filled from its end */
	at = w->n_order;
	w->n_order = w->n - at;
	memmove(w->order, w->order + at, w->n_order * sizeof(*w->order));
	return 0;
}

static int
begin_batch(struct ryde_dynamodb_write *w, struct ryde_table_item *items, size_t n,
    struct ryde_err *err)
{
	uint32_t *order;

	if (n > w->cap) {
		order = realloc(w->order, n * sizeof(*order));
		if (order == NULL)
			return ryde_err_nomem(err);
		w->order = order;
		w->cap = n;
	}
	for (size_t i = 0; i < n; i++)
		items[i].refused = NULL;
	w->items = items;
	w->n = n;
	if (find_last(w, err) != 0) {
		w->items = NULL;
		return -1;
	}
	w->left = w->n_order;
	w->next = 0;
	w->n_pieces = w->n_whys = 0;
	for (size_t i = 0; i < REQUESTS; i++)
		w->requests[i].left = 0;
	w->progress_ms = ryde_clock_mono_ms();
	return 0;
}

/* The next stretch to send; n 0: there is none. */
static struct piece
next_piece(struct ryde_dynamodb_write *w)
{
	struct piece p = {(uint32_t)w->next, 0};
	size_t bytes = 0;

	if (w->n_pieces > 0)
		return w->pieces[--w->n_pieces];
	while (w->next < w->n_order && p.n < REQUEST_ITEMS) {
		size_t size = w->items[w->order[w->next]].data.n;

		if (p.n > 0 && bytes + 2 * size > REQUEST_BYTES)
			break;
		bytes += 2 * size;
		p.n++;
		w->next++;
	}
	return p;
}

/* ---- requests ---- */

static int
send_request(struct ryde_dynamodb_table *t, struct request *r, struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_DYNAMODB,
	    .operation = "BatchWriteItem",
	    .what = t->what,
	    .region = t->region[0] != '\0' ? t->region : NULL,
	    .timeout_ms = TIMEOUT_MS,
	    .reply_max = BODY_MAX,
	    .own_pace = true};

	request.body = ryde_buf_as_view(&r->body);
	if (t->rehearsal != NULL) {
		t->write->left -= r->left;
		r->left = 0;
		if (t->rehearsal->n > 0)
			ryde_buf_putc(t->rehearsal, ',');
		return ryde_aws_describe(t->aws, &request, t->rehearsal, err);
	}
	r->call = ryde_aws_start(t->aws, &request, err);
	return r->call != NULL ? 0 : -1;
}

static int
make_body(struct ryde_dynamodb_table *t, struct request *r, struct ryde_err *err)
{
	const struct ryde_dynamodb_write *w = t->write;
	struct ryde_buf *b = &r->body;

	ryde_buf_clear(b);
	ryde_buf_puts(b, "{\"RequestItems\":{");
	ryde_json_string_put(b, ryde_view_of(t->name));
	ryde_buf_puts(b, ":[");
	for (uint32_t i = 0; i < r->piece.n; i++) {
		const struct ryde_table_item *it =
		    &w->items[w->order[r->piece.first + i]];

		ryde_buf_puts(b,
		    i > 0 ? ",{\"PutRequest\":{\"Item\":" : "{\"PutRequest\":{\"Item\":");
		if (ryde_attribute_put_item(b, it->data, NULL, err) != 0)
			return -1;
		ryde_buf_puts(b, "}}");
	}
	ryde_buf_puts(b, "]}}");
	return ryde_buf_check(b, err);
}

static int
push_piece(
    struct ryde_dynamodb_write *w, uint32_t first, uint32_t n, struct ryde_err *err)
{
	if (w->n_pieces == w->cap_pieces) {
		size_t cap = w->cap_pieces == 0 ? 64 : 2 * w->cap_pieces;
		struct piece *more = realloc(w->pieces, cap * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		w->pieces = more;
		w->cap_pieces = cap;
	}
	w->pieces[w->n_pieces++] = (struct piece){first, n};
	return 0;
}

static int
refuse(struct ryde_dynamodb_write *w, struct ryde_table_item *item, const char *why,
    struct ryde_err *err)
{
	if (w->whys == NULL) {
		w->whys = calloc(w->cap, WHY_MAX);
		if (w->whys == NULL)
			return ryde_err_nomem(err);
	}
	(void)ryde_answer_copy(w->whys[w->n_whys], WHY_MAX, ryde_view_of(why));
	item->refused = w->whys[w->n_whys++];
	return 0;
}

/* The whole request was refused. */
static int
split(struct ryde_dynamodb_table *t, struct request *r, struct ryde_err *err)
{
	const char *why = ryde_aws_reply(r->call)->fault.message;
	struct ryde_dynamodb_write *w = t->write;
	uint32_t half = r->piece.n / 2;
	size_t was = r->left;

	/* what came back unprocessed was taken as it is before */
	if (r->again)
		return ryde_aws_reply_err(r->call, err);
	r->left = 0;
	if (r->piece.n == 1) {
		w->left -= was;
		return refuse(w, &w->items[w->order[r->piece.first]], why, err);
	}
	if (push_piece(w, r->piece.first + half, r->piece.n - half, err) != 0)
		return -1;
	return push_piece(w, r->piece.first, half, err);
}

/* How many elements an array has. */
static size_t
count(struct ryde_view array)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	size_t n = 0;

	if (ryde_json_walk_begin(&w, array))
		while (ryde_json_walk_next(&w, &key, &v))
			n++;
	return n;
}

/* Puts what was not processed into the request again, and says when it is due. */
static int
keep_unprocessed(
    struct ryde_dynamodb_table *t, struct request *r, struct ryde_view unprocessed)
{
	struct ryde_dynamodb_write *w = t->write;
	struct ryde_json_value table = ryde_answer_member(unprocessed, t->name);
	size_t n = table.kind == RYDE_JSON_ARRAY ? count(table.text) : 0;
	int64_t now = ryde_clock_mono_ms();

	if (n > r->left)
		return -1;
	if (n < r->left) {
		w->left -= r->left - n;
		w->progress_ms = now;
		r->failures = 0;
	}
	r->left = n;
	if (n == 0)
		return 0;
	r->failures++;
	r->due_mono_ms =
	    now + 1 +
	    ryde_backoff_delay_ms(50, 5000, r->failures, ryde_random_unit(&w->random));
	r->again = true;
	ryde_buf_clear(&r->body);
	ryde_buf_puts(&r->body, "{\"RequestItems\":{");
	ryde_json_string_put(&r->body, ryde_view_of(t->name));
	ryde_buf_putc(&r->body, ':');
	ryde_buf_view(&r->body, table.text);
	ryde_buf_puts(&r->body, "}}");
	ryde_log(RYDE_LOG_DEBUG, "%s: %zu items unprocessed: they go again", t->what, n);
	return 0;
}

static int
hear(struct ryde_dynamodb_table *t, struct request *r, struct ryde_err *err)
{
	const struct ryde_aws_fault *f = &ryde_aws_reply(r->call)->fault;
	struct ryde_json_value unprocessed;
	struct ryde_view body;

	if (f->kind == RYDE_AWS_REFUSED)
		return split(t, r, err);
	if (f->kind != RYDE_AWS_FINE) {
		r->due_mono_ms = ryde_clock_mono_ms();
		return ryde_aws_reply_err(r->call, err);
	}
	if (ryde_answer_body(r->call, "BatchWriteItem", &body, err) != 0)
		return -1;
	unprocessed = ryde_answer_member(body, "UnprocessedItems");
	if (unprocessed.kind != RYDE_JSON_OBJECT ||
	    keep_unprocessed(t, r, unprocessed.text) != 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "BatchWriteItem: %s: an answer that makes no sense", t->what);
	return 0;
}

static int
turn_request(struct ryde_dynamodb_table *t, struct request *r, struct ryde_err *err)
{
	struct ryde_dynamodb_write *w = t->write;
	int rc;

	if (r->call != NULL) {
		if (!ryde_aws_done(r->call))
			return 0;
		rc = hear(t, r, err);
		ryde_aws_free(r->call);
		r->call = NULL;
		if (rc != 0)
			return -1;
	}
	if (r->left > 0 && ryde_clock_mono_ms() < r->due_mono_ms) {
		if (r->due_mono_ms < w->wake_ms)
			w->wake_ms = r->due_mono_ms;
		return 0;
	}
	if (r->left == 0) {
		r->piece = next_piece(w);
		if (r->piece.n == 0)
			return 0;
		r->left = r->piece.n;
		r->again = false;
		r->failures = 0;
		r->due_mono_ms = 0;
		if (make_body(t, r, err) != 0)
			return -1;
	}
	return send_request(t, r, err);
}

int
ryde_dynamodb_write(struct ryde_table *base, struct ryde_table_item *items, size_t n,
    struct ryde_err *err)
{
	struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);
	struct ryde_dynamodb_write *w = t->write;
	struct ryde_err first = RYDE_ERR_INIT;

	if (n == 0)
		return 0;
	if (w == NULL && (w = t->write = make(err)) == NULL)
		return -1;
	if (w->items == NULL && begin_batch(w, items, n, err) != 0)
		return -1;
	if (ryde_aws_turn(t->aws, err) != 0)
		return -1;
	do {
		w->wake_ms = INT64_MAX;
		for (size_t i = 0; i < REQUESTS; i++) {
			struct ryde_err why = RYDE_ERR_INIT;

			/* the others go on: what they bring counts */
			if (turn_request(t, &w->requests[i], &why) != 0 &&
			    first.code == RYDE_OK)
				first = why;
		}
	} while (t->rehearsal != NULL && w->left > 0 && first.code == RYDE_OK);
	if (first.code != RYDE_OK) {
		if (err != NULL)
			*err = first;
		return -1;
	}
	if (w->left == 0) {
		w->items = NULL;
		return 0;
	}
	if (ryde_clock_mono_ms() - w->progress_ms >= STUCK_MS &&
	    w->wake_ms != INT64_MAX) {
		w->progress_ms = ryde_clock_mono_ms();
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s has taken no item for %d s: its capacity is exceeded", t->what,
		    STUCK_MS / 1000);
	}
	return (int)w->left;
}

void
ryde_dynamodb_write_wait(struct ryde_table *base, struct ryde_waits *waits)
{
	struct ryde_dynamodb_table *t = ryde_dynamodb_item_table(base);

	ryde_aws_wait(t->aws, waits);
	if (t->write != NULL && t->write->wake_ms != INT64_MAX)
		ryde_waits_until(waits, t->write->wake_ms);
}
