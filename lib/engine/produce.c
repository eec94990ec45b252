#include "engine/produce.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "engine/gather.h"
#include "engine/produce_pack.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/shape.h"
#include "json/string.h"
#include "line/writer.h"
#include "store/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 256
#define BATCH_AT_HAND 4096
#define BATCH_BYTES ((size_t)4 << 20)
#define REQUESTS_MAX ((size_t)256 << 20)

/* A record of the batch, by offsets: the buffers move while they grow. */
struct slot {
	size_t data, data_n, key, key_n, hash, hash_n;
	enum ryde_record_form form;
	uint64_t line;
};

struct produce {
	const struct ryde_produce_opts *o;
	struct ryde_stream *stream;
	struct ryde_json_paths *paths;
	struct ryde_json_shapes *shapes;
	size_t key_path, hash_path, time_path;
	struct ryde_json_value values[3];
	struct ryde_buf data, keys; /* of the batch */
	struct slot *slots;
	struct ryde_record_in *records;
	size_t n, cap;
	struct ryde_produce_pack pack; /* with --aggregate */
	struct ryde_record_in *out;    /* what is written: records, or pack's */
	size_t n_out;
	bool under_way;	 /* records is made, and being written */
	uint64_t spread; /* counts up: the keys of lines that have none */
	uint64_t batches;
	struct ryde_buf requests; /* of --dry-run: what a batch would send */
};

static int
reject(struct produce *p, const struct ryde_item *item, const char *why,
    struct ryde_err *err)
{
	return ryde_intake_reject(p->o->intake, item, why, err);
}

static size_t
characters(struct ryde_view v)
{
	size_t n = 0;

	for (size_t i = 0; i < v.n; i++)
		n += ((unsigned char)v.p[i] & 0xc0) != 0x80;
	return n;
}

/* Appends the key's bytes to keys. NULL, or what is wrong. */
static const char *
put_key(struct produce *p, const struct ryde_item *item)
{
	size_t from = p->keys.n;
	struct ryde_view key;

	if (p->o->key != NULL) {
		const struct ryde_json_value *v = &p->values[p->key_path];

		if (v->kind == RYDE_JSON_STRING)
			ryde_json_string_decode(&p->keys, v->text);
		else if (v->kind == RYDE_JSON_NUMBER)
			ryde_buf_view(&p->keys, v->text);
		else
			return v->kind == RYDE_JSON_ABSENT
				   ? "the key field is missing"
				   : "the key field is neither string nor number";
	} else if (item->line.key.n > 0) {
		ryde_json_string_decode(&p->keys, item->line.key);
	} else {
		ryde_buf_u64(&p->keys, p->spread++);
	}
	key = ryde_buf_slice(&p->keys, from, p->keys.n - from);
	if (key.n == 0)
		return "the key is empty";
	return characters(key) > KEY_MAX ? "the key is longer than 256 characters" : NULL;
}

static const char *
put_hash(struct produce *p)
{
	const struct ryde_json_value *v = &p->values[p->hash_path];
	/* 2^128 - 1 */
	static const char most[] = "340282366920938463463374607431768211455";

	if (v->kind != RYDE_JSON_STRING && v->kind != RYDE_JSON_NUMBER)
		return "the hash key field is missing";
	if (v->text.n == 0 || v->text.n > strlen(most))
		return "the hash key is no integer from 0 to 2^128 - 1";
	for (size_t i = 0; i < v->text.n; i++)
		if (v->text.p[i] < '0' || v->text.p[i] > '9')
			return "the hash key is no integer from 0 to 2^128 - 1";
	if (v->text.n == strlen(most) && memcmp(v->text.p, most, v->text.n) > 0)
		return "the hash key is no integer from 0 to 2^128 - 1";
	ryde_buf_view(&p->keys, v->text);
	return NULL;
}

static int
make_room(struct produce *p, struct ryde_err *err)
{
	size_t cap = p->cap == 0 ? 512 : p->cap * 2;
	struct ryde_record_in *records;
	struct slot *slots;

	if (p->n < p->cap)
		return 0;
	slots = realloc(p->slots, cap * sizeof(*slots));
	if (slots == NULL)
		return ryde_err_nomem(err);
	p->slots = slots;
	records = realloc(p->records, cap * sizeof(*records));
	if (records == NULL)
		return ryde_err_nomem(err);
	p->records = records;
	p->cap = cap;
	return 0;
}

static enum ryde_record_form
form_of(struct ryde_view payload)
{
	if (memchr(payload.p, '\n', payload.n) != NULL)
		return RYDE_RECORD_UNKNOWN;
	return ryde_line_imitates(payload) ? RYDE_RECORD_IMITATES : RYDE_RECORD_JSON;
}

static void
observe_time(const struct produce *p)
{
	const struct ryde_json_value *v = &p->values[p->time_path];
	int64_t ms;

	if ((v->kind == RYDE_JSON_STRING || v->kind == RYDE_JSON_NUMBER) &&
	    ryde_timestamp_parse(v->text, &ms))
		ryde_clock_observe(ms);
}

/* Checks the payload and finds what is wanted of it. */
static int
find_values(
    struct produce *p, const struct ryde_item *item, struct ryde_json_fault *fault)
{
	size_t n = ryde_json_paths_count(p->paths);

	if (ryde_json_shapes_find(p->shapes, item->payload, item->behind, p->values, n))
		return 0;
	if (ryde_json_find(item->payload, p->paths, p->values, fault) != 0)
		return -1;
	ryde_json_shapes_learn(p->shapes, item->payload, p->values, n);
	return 0;
}

/* Looks through the payload. NULL, or what is wrong with it. */
static const char *
look(struct produce *p, const struct ryde_item *item, struct slot *s, char *text,
    size_t room)
{
	struct ryde_json_fault fault;

	if (find_values(p, item, &fault) != 0) {
		/* what came in base64 need not be JSON */
		if (item->line.is_base64 && !item->changed && p->o->key == NULL &&
		    p->o->hash_key == NULL) {
			s->form = RYDE_RECORD_BINARY;
			return NULL;
		}
		(void)snprintf(
		    text, room, "not JSON: %s at byte %zu", fault.what, fault.at + 1);
		return text;
	}
	s->form = form_of(item->payload);
	if (ryde_clock_follows())
		observe_time(p);
	return NULL;
}

static int
add(void *arg, const struct ryde_item *item, size_t *bytes, struct ryde_err *err)
{
	struct produce *p = arg;
	size_t keys = p->keys.n;
	const char *wrong;
	struct slot *s;
	char text[160];

	if (make_room(p, err) != 0)
		return -1;
	s = &p->slots[p->n];
	*s = (struct slot){.data = p->data.n, .key = keys, .line = item->number};
	wrong = look(p, item, s, text, sizeof(text));
	if (wrong == NULL)
		wrong = put_key(p, item);
	s->key_n = p->keys.n - s->key;
	s->hash = p->keys.n;
	if (wrong == NULL && p->o->hash_key != NULL)
		wrong = put_hash(p);
	s->hash_n = p->keys.n - s->hash;
	s->data_n = item->payload.n + (item->line.lf || p->o->newline ? 1 : 0);
	if (wrong == NULL && s->data_n + s->key_n > ryde_stream_record_max(p->stream)) {
		(void)snprintf(text, sizeof(text),
		    "a record of %zu bytes, and the stream takes %zu",
		    s->data_n + s->key_n, ryde_stream_record_max(p->stream));
		wrong = text;
	}
	if (wrong != NULL) {
		p->keys.n = keys;
		return reject(p, item, wrong, err);
	}
	ryde_buf_view(&p->data, item->payload);
	if (s->data_n > item->payload.n)
		ryde_buf_putc(&p->data, '\n');
	if (ryde_buf_check(&p->data, err) != 0 || ryde_buf_check(&p->keys, err) != 0)
		return -1;
	*bytes = s->data_n + s->key_n;
	p->n++;
	return 1;
}

static void
put_receipts(struct produce *p, const struct ryde_shard *shards)
{
	struct ryde_buf *out = ryde_writer_buf(p->o->out);

	for (size_t i = 0; i < p->n; i++) {
		const struct ryde_produce_place *place =
		    p->o->aggregate ? &p->pack.places[i] : NULL;
		const struct ryde_record_in *r =
		    place != NULL ? &p->pack.records[place->record] : &p->records[i];

		ryde_buf_puts(out, "{\"line\":");
		ryde_buf_u64(out, p->slots[i].line);
		ryde_buf_printf(out, ",\"shardId\":\"%s\",\"sequenceNumber\":\"",
		    shards[r->shard].id);
		ryde_buf_view(out, ryde_pos_view(&r->seq));
		ryde_buf_putc(out, '"');
		if (place != NULL && place->is_part)
			ryde_buf_printf(out, ",\"sub\":%zu", place->sub);
		ryde_buf_puts(out, "}\n");
	}
}

/* --dry-run: what would have been sent, a line a batch. */
static int
describe(struct produce *p, struct ryde_record_in *records, size_t n,
    const struct ryde_shard *shards, size_t n_shards, struct ryde_err *err)
{
	struct ryde_buf *out = ryde_writer_buf(p->o->out);
	size_t *per_shard = calloc(n_shards, sizeof(*per_shard)), bytes = 0;
	bool first = true;

	if (per_shard == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		struct ryde_record_in *r = &records[i];

		if (ryde_stream_shard_of(
			p->stream, r->key, r->hash_key, &r->shard, err) != 0) {
			free(per_shard);
			return -1;
		}
		per_shard[r->shard]++;
		bytes += r->data.n + r->key.n + r->hash_key.n;
	}
	ryde_buf_printf(out, "{\"batch\":%llu,\"stream\":\"%s\",",
	    (unsigned long long)++p->batches, ryde_stream_label(p->stream));
	if (p->o->aggregate)
		ryde_buf_printf(out, "\"lines\":%zu,", p->n);
	ryde_buf_printf(out, "\"records\":%zu,\"bytes\":%zu,\"shards\":{", n, bytes);
	for (size_t i = 0; i < n_shards; i++) {
		if (per_shard[i] == 0)
			continue;
		ryde_buf_printf(
		    out, "%s\"%s\":%zu", first ? "" : ",", shards[i].id, per_shard[i]);
		first = false;
	}
	ryde_buf_putc(out, '}');
	if (p->requests.n > 0) {
		ryde_buf_puts(out, ",\"requests\":[");
		ryde_buf_view(out, ryde_buf_as_view(&p->requests));
		ryde_buf_putc(out, ']');
		ryde_buf_clear(&p->requests);
	}
	ryde_buf_puts(out, "}\n");
	free(per_shard);
	return 0;
}

static void
make_records(struct produce *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct slot *s = &p->slots[i];

		p->records[i] = (struct ryde_record_in){
		    .data = ryde_buf_slice(&p->data, s->data, s->data_n),
		    .key = ryde_buf_slice(&p->keys, s->key, s->key_n),
		    .hash_key = ryde_buf_slice(&p->keys, s->hash, s->hash_n),
		    .form = s->form};
	}
}

/* The records that are written: the batch's own, or what they were packed into. */
static int
prepare(struct produce *p, struct ryde_err *err)
{
	make_records(p);
	p->out = p->records;
	p->n_out = p->n;
	if (!p->o->aggregate)
		return 0;
	if (ryde_produce_pack(&p->pack, p->stream, p->records, p->n, err) != 0)
		return -1;
	p->out = p->pack.records;
	p->n_out = p->pack.n;
	return 0;
}

/* True where the stream was resharded since the batch was packed: it is packed anew. */
static bool
any_misplaced(const struct produce *p)
{
	for (size_t i = 0; i < p->n_out; i++)
		if (p->out[i].misplaced)
			return true;
	return false;
}

static int
flush(void *arg, struct ryde_err *err)
{
	const struct ryde_shard *shards = NULL;
	struct produce *p = arg;
	size_t n_shards = 0;
	int left = 0;

	if (!p->under_way && prepare(p, err) != 0)
		return -1;
	p->under_way = true;
	left = ryde_stream_write(p->stream, p->out, p->n_out, err);
	if (left < 0 && any_misplaced(p))
		p->under_way = false;
	if (left != 0)
		return left;
	p->under_way = false;
	if (p->o->receipts || p->o->dry_run) {
		if (ryde_stream_shards(p->stream, &shards, &n_shards, err) != 0)
			return -1;
		if (p->o->dry_run &&
		    describe(p, p->out, p->n_out, shards, n_shards, err) != 0)
			return -1;
		if (p->o->receipts && !p->o->dry_run)
			put_receipts(p, shards);
		if (ryde_writer_drain(p->o->out, err) != 0)
			return -1;
	}
	p->n = 0;
	ryde_buf_clear(&p->data);
	ryde_buf_clear(&p->keys);
	return 0;
}

static void
under_way(void *arg, struct ryde_waits *w)
{
	struct produce *p = arg;

	ryde_stream_write_wait(p->stream, w);
}

static void
tick(void *arg, struct ryde_waits *w)
{
	struct produce *p = arg;

	p->o->tick(p->o->arg, w);
}

static int
add_paths(struct produce *p, struct ryde_err *err)
{
	p->paths = ryde_json_paths_new();
	p->shapes = malloc(sizeof(*p->shapes));
	if (p->shapes != NULL)
		ryde_json_shapes_init(p->shapes);
	if (p->paths == NULL || p->shapes == NULL)
		return ryde_err_nomem(err);
	if (p->o->key != NULL &&
	    ryde_json_paths_add(p->paths, p->o->key, &p->key_path, err) != 0)
		return ryde_err_prefix(err, "--key");
	if (p->o->hash_key != NULL &&
	    ryde_json_paths_add(p->paths, p->o->hash_key, &p->hash_path, err) != 0)
		return ryde_err_prefix(err, "--hash-key");
	if (ryde_clock_follows() &&
	    ryde_json_paths_add(p->paths, ".StatusTime", &p->time_path, err) != 0)
		return -1;
	return 0;
}

int
ryde_produce(const struct ryde_produce_opts *opts, struct ryde_err *err)
{
	struct produce p = {.o = opts};
	struct ryde_gather g = {.intake = opts->intake,
	    .books = opts->books,
	    .batch_size = opts->batch_size > 0 ? (size_t)opts->batch_size : BATCH_AT_HAND,
	    .batch_bytes = BATCH_BYTES,
	    .linger_ms = opts->linger_ms,
	    .retry_for_ms = opts->retry_for_ms,
	    .rate_per_s = opts->rate_per_s,
	    .add = add,
	    .flush = flush,
	    .under_way = under_way,
	    .tick = tick,
	    .arg = &p};
	int status = RYDE_ESOFTWARE;

	/* a batch, and the line that fills it */
	ryde_produce_pack_init(&p.pack, 2 * BATCH_BYTES + ((size_t)32 << 20));
	ryde_buf_init(&p.data, BATCH_BYTES + ((size_t)32 << 20));
	ryde_buf_init(&p.keys, BATCH_BYTES + ((size_t)32 << 20));
	ryde_buf_init(&p.requests, REQUESTS_MAX);
	if (ryde_random_bytes(&p.spread, 4, err) != 0 || add_paths(&p, err) != 0)
		goto out;
	p.stream = ryde_stream_open(opts->store, opts->stream, RYDE_STREAM_WRITE, err);
	if (p.stream == NULL)
		goto out;
	if (opts->ordered)
		ryde_stream_keep_order(p.stream);
	if (opts->dry_run)
		ryde_stream_rehearse(p.stream, &p.requests);
	status = ryde_gather(&g, err);
out:
	if (err->code != RYDE_OK)
		status = ryde_err_status(err);
	ryde_stream_close(p.stream);
	ryde_json_paths_free(p.paths);
	free(p.shapes);
	ryde_buf_free(&p.data);
	ryde_buf_free(&p.keys);
	ryde_produce_pack_free(&p.pack);
	ryde_buf_free(&p.requests);
	free(p.slots);
	free(p.records);
	return status;
}
