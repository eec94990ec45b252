#include "engine/dlq.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/timestamp.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/aggregate.h"
#include "line/envelope.h"
#include "store/queue.h"
#include "store/stream.h"

#include <stdlib.h>

#define FETCH_MAX 500 /* records of one look into the stream */

enum field {
	CONDITION,
	STREAM,
	SHARD,
	FIRST,
	LAST,
	BATCH_SIZE,
	REDRIVES,
	ERROR,
	RECORDS,
	FIELDS
};
static const char *const field_paths[FIELDS] = {
    [CONDITION] = ".requestContext.condition",
    [STREAM] = ".KinesisBatchInfo.streamArn",
    [SHARD] = ".KinesisBatchInfo.shardId",
    [FIRST] = ".KinesisBatchInfo.startSequenceNumber",
    [LAST] = ".KinesisBatchInfo.endSequenceNumber",
    [BATCH_SIZE] = ".KinesisBatchInfo.batchSize",
    [REDRIVES] = ".ryde.redrives",
    [ERROR] = ".ryde.error",
    [RECORDS] = ".ryde.records",
};

/* A record as a document lists it; raw JSON. */
struct listed {
	struct ryde_pos seq;
	bool has_seq, has_arrival, has_data, base64, lf;
	uint32_t sub;
	bool has_sub, last;
	int64_t arrival_ms;
	struct ryde_view key, data;
};

struct ryde_dlq {
	const struct ryde_store_settings *settings;
	struct ryde_json_paths *paths;
	struct ryde_buf body; /* of the message at hand */
	struct ryde_dlq_letter letter;
	struct ryde_buf label, shard_id, key, data;

	/* the document's own list: `coming` is the one after the one that was given */
	bool lists;
	struct ryde_json_walk walk;
	struct listed coming;
	bool has_coming;
	struct ryde_pos given; /* the last one's position */

	/* the stream: what was fetched of the batch, from `from` on */
	struct ryde_stream *stream;
	struct ryde_stream_reader *reader;
	int shard; /* -1: the stream has no such shard */
	struct ryde_pos first, last, from;
	const struct ryde_record *got;
	size_t got_n, got_i;
	bool fetched;
	int64_t found;
	struct ryde_line_aggregate parts;   /* of the record at hand */
	size_t part;			    /* the next one; 0: a new record */
	const struct ryde_record *unpacked; /* whose parts they are; NULL: nobody's */
};

struct ryde_dlq *
ryde_dlq_new(const struct ryde_store_settings *settings, struct ryde_err *err)
{
	struct ryde_dlq *d = calloc(1, sizeof(*d));
	size_t index;

	if (d == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	d->settings = settings;
	ryde_buf_init(&d->body, RYDE_LINE_MAX);
	ryde_buf_init(&d->label, RYDE_LINE_MAX);
	ryde_buf_init(&d->shard_id, RYDE_LINE_MAX);
	ryde_buf_init(&d->key, RYDE_LINE_MAX);
	ryde_buf_init(&d->data, RYDE_LINE_MAX);
	d->paths = ryde_json_paths_new();
	if (d->paths == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < FIELDS; i++)
		if (ryde_json_paths_add(d->paths, field_paths[i], &index, err) != 0)
			goto out;
	return d;
out:
	ryde_dlq_free(d);
	return NULL;
}

void
ryde_dlq_free(struct ryde_dlq *d)
{
	if (d == NULL)
		return;
	ryde_stream_reader_free(d->reader);
	ryde_stream_close(d->stream);
	ryde_json_paths_free(d->paths);
	ryde_buf_free(&d->body);
	ryde_buf_free(&d->label);
	ryde_buf_free(&d->shard_id);
	ryde_buf_free(&d->key);
	ryde_buf_free(&d->data);
	ryde_line_aggregate_free(&d->parts);
	free(d);
}

static struct ryde_view
text_of(const struct ryde_json_value *v, enum ryde_json_kind kind)
{
	return v->kind == kind ? v->text : ryde_view_mem(NULL, 0);
}

int
ryde_dlq_letter(struct ryde_dlq *d, struct ryde_view body, struct ryde_dlq_letter *out,
    struct ryde_err *err)
{
	struct ryde_json_value v[FIELDS];
	struct ryde_json_fault fault;
	uint64_t redrives = 0;

	if (ryde_json_find(body, d->paths, v, &fault) != 0)
		return ryde_err_set(err, RYDE_EDATA, "not JSON: %s at byte %zu",
		    fault.what, fault.at + 1);
	*out = (struct ryde_dlq_letter){
	    .condition = text_of(&v[CONDITION], RYDE_JSON_STRING),
	    .stream = text_of(&v[STREAM], RYDE_JSON_STRING),
	    .shard = text_of(&v[SHARD], RYDE_JSON_STRING),
	    .first = text_of(&v[FIRST], RYDE_JSON_STRING),
	    .last = text_of(&v[LAST], RYDE_JSON_STRING),
	    .error = text_of(&v[ERROR], RYDE_JSON_STRING),
	    .records = text_of(&v[RECORDS], RYDE_JSON_ARRAY),
	};
	(void)ryde_num_i64(
	    text_of(&v[BATCH_SIZE], RYDE_JSON_NUMBER), 0, INT64_MAX, &out->batch_size);
	if (ryde_num_u64(
		text_of(&v[REDRIVES], RYDE_JSON_NUMBER), UINT32_MAX - 1, &redrives))
		out->redrives = (uint32_t)redrives;
	if (out->records.n == 0 && (out->stream.n == 0 || out->shard.n == 0 ||
				       out->first.n == 0 || out->last.n == 0))
		return ryde_err_set(err, RYDE_EDATA,
		    "no on-failure document: it names neither records nor a batch of a "
		    "stream");
	return 0;
}

/* ,"name":"raw" */
static void
put_raw(struct ryde_buf *out, const char *name, struct ryde_view raw)
{
	if (raw.n > 0)
		ryde_buf_printf(out, ",\"%s\":\"%.*s\"", name, (int)raw.n, raw.p);
}

void
ryde_dlq_list_line(const struct ryde_message *m, const struct ryde_dlq_letter *letter,
    struct ryde_buf *out)
{
	char sent[RYDE_TIMESTAMP_MAX];

	(void)ryde_timestamp_rfc3339(m->sent_ms, sent);
	ryde_buf_puts(out, "{\"id\":");
	ryde_json_string_put(out, ryde_view_of(m->id));
	ryde_buf_printf(out, ",\"sent\":\"%s\",\"receives\":%lld,\"hidden\":%s", sent,
	    (long long)m->receives, m->hidden ? "true" : "false");
	if (letter == NULL) {
		ryde_buf_puts(out, ",\"problem\":\"no on-failure document\"}\n");
		return;
	}
	put_raw(out, "condition", letter->condition);
	ryde_buf_printf(out, ",\"batchSize\":%lld", (long long)letter->batch_size);
	put_raw(out, "stream", letter->stream);
	put_raw(out, "shardId", letter->shard);
	put_raw(out, "startSequenceNumber", letter->first);
	put_raw(out, "endSequenceNumber", letter->last);
	ryde_buf_printf(out, ",\"redrives\":%u", (unsigned)letter->redrives);
	put_raw(out, "error", letter->error);
	ryde_buf_puts(out, "}\n");
}

/* The stream of the letter at hand, kept from one letter to the next. */
static int
open_stream(struct ryde_dlq *d, struct ryde_err *err)
{
	const struct ryde_shard *shards;
	const char *name = ryde_buf_str(&d->label);
	size_t n;

	if (d->stream == NULL || strcmp(ryde_stream_label(d->stream), name) != 0) {
		ryde_stream_reader_free(d->reader);
		ryde_stream_close(d->stream);
		d->reader = NULL;
		d->stream = ryde_stream_open(d->settings, name, RYDE_STREAM_READ, err);
		if (d->stream == NULL)
			return -1;
		d->reader = ryde_stream_reader_new(d->stream, err);
		if (d->reader == NULL) {
			ryde_stream_close(d->stream);
			d->stream = NULL;
			return -1;
		}
	}
	if (ryde_stream_shards(d->stream, &shards, &n, err) != 0)
		return -1;
	d->shard = -1;
	for (size_t i = 0; i < n; i++)
		if (ryde_view_is(ryde_buf_as_view(&d->shard_id), shards[i].id))
			d->shard = (int)i;
	return 0;
}

static int
fetch(struct ryde_dlq *d, const struct ryde_pos *from, struct ryde_err *err)
{
	d->from = *from;
	d->got_n = d->got_i = d->part = 0;
	d->unpacked = NULL;
	if (d->shard < 0)
		return 0;
	if (!d->fetched && open_stream(d, err) != 0)
		return -1;
	d->fetched = true;
	if (d->shard < 0)
		return 0;
	return ryde_stream_reader_range(
	    d->reader, d->shard, from, &d->last, FETCH_MAX, &d->got, &d->got_n, err);
}

/* The stream's record at seq, NULL where it holds none. */
static int
look_up(struct ryde_dlq *d, const struct ryde_pos *seq, const struct ryde_record **out,
    struct ryde_err *err)
{
	bool again = !d->fetched || ryde_pos_cmp_record(seq, &d->from) < 0;

	*out = NULL;
	for (;;) {
		if (again && fetch(d, seq, err) != 0)
			return -1;
		while (d->got_i < d->got_n &&
		       ryde_pos_cmp_record(&d->got[d->got_i].seq, seq) < 0)
			d->got_i++;
		if (d->got_i < d->got_n) {
			if (ryde_pos_cmp_record(&d->got[d->got_i].seq, seq) == 0)
				*out = &d->got[d->got_i];
			return 0;
		}
		if (again)
			return 0;
		again = true;
	}
}

static void
listed_field(struct listed *l, const struct ryde_json_value *key,
    const struct ryde_json_value *value, struct ryde_view array)
{
	bool string = value->kind == RYDE_JSON_STRING;
	uint64_t sub = 0;

	if (ryde_view_is(key->text, "sequenceNumber") && string) {
		l->has_seq = ryde_pos_set(&l->seq, value->text);
	} else if (ryde_view_is(key->text, "sub")) {
		l->has_sub = ryde_num_u64(value->text, RYDE_SUB_MAX, &sub);
		l->sub = (uint32_t)sub; /* at most RYDE_SUB_MAX */
	} else if (ryde_view_is(key->text, "last")) {
		l->last = value->kind == RYDE_JSON_TRUE;
	} else if (ryde_view_is(key->text, "partitionKey") && string) {
		l->key = value->text;
	} else if (ryde_view_is(key->text, "approximateArrivalTimestamp")) {
		l->has_arrival = ryde_timestamp_parse(value->text, &l->arrival_ms);
	} else if (ryde_view_is(key->text, "lf")) {
		l->lf = value->kind == RYDE_JSON_TRUE || ryde_view_is(value->text, "1");
	} else if (ryde_view_is(key->text, "dataBase64") && string) {
		l->has_data = l->base64 = true;
		l->data = value->text;
	} else if (ryde_view_is(key->text, "data")) {
		l->has_data = true;
		l->data = value->text;
		/* a string's quotes stand around its text, inside the array */
		if (string && l->data.p > array.p)
			l->data = ryde_view_mem(l->data.p - 1, l->data.n + 2);
		else if (string)
			l->data = ryde_view_of("\"\"");
	}
}

/* Reads the next entry of the list into d->coming. */
static void
read_coming(struct ryde_dlq *d)
{
	struct ryde_json_value key, value;
	struct ryde_json_walk members;

	d->coming = (struct listed){0};
	d->has_coming = d->lists && ryde_json_walk_next(&d->walk, &key, &value);
	if (!d->has_coming || value.kind != RYDE_JSON_OBJECT ||
	    !ryde_json_walk_begin(&members, value.text))
		return;
	while (ryde_json_walk_next(&members, &key, &value))
		listed_field(&d->coming, &key, &value, d->letter.records);
}

int
ryde_dlq_begin(struct ryde_dlq *d, struct ryde_view body, struct ryde_dlq_letter *letter,
    struct ryde_err *err)
{
	ryde_buf_clear(&d->body);
	ryde_buf_view(&d->body, body);
	if (ryde_buf_check(&d->body, err) != 0)
		return -1;
	d->fetched = false;
	d->shard = 0;
	d->got_n = d->got_i = d->part = 0;
	d->unpacked = NULL;
	d->found = 0;
	d->given = d->first = d->last = (struct ryde_pos){0};
	if (ryde_dlq_letter(d, ryde_buf_as_view(&d->body), &d->letter, err) != 0)
		return -1;
	*letter = d->letter;
	ryde_buf_clear(&d->label);
	ryde_json_string_decode(&d->label, d->letter.stream);
	ryde_buf_clear(&d->shard_id);
	ryde_json_string_decode(&d->shard_id, d->letter.shard);
	d->lists =
	    d->letter.records.n > 0 && ryde_json_walk_begin(&d->walk, d->letter.records);
	if ((!ryde_pos_set(&d->first, d->letter.first) ||
		!ryde_pos_set(&d->last, d->letter.last)) &&
	    !d->lists)
		return ryde_err_set(err, RYDE_EDATA,
		    "no on-failure document: its sequence numbers are no numbers");
	read_coming(d);
	return 0;
}

/* seq + 1, as a decimal number of any length. */
static void
step(struct ryde_pos *p)
{
	size_t i = p->n;

	while (i > 0 && p->seq[i - 1] == '9')
		p->seq[--i] = '0';
	if (i > 0) {
		p->seq[i - 1]++;
		return;
	}
	/* all nines, or nothing yet; the longest number of all has no successor */
	if (p->n == RYDE_SEQ_MAX)
		return;
	memmove(p->seq + 1, p->seq, p->n);
	p->seq[0] = '1';
	p->n++;
}

/* A record's bytes as an envelope carries them. */
static void
shape(struct ryde_dlq *d, const struct ryde_record *r, struct ryde_dlq_record *out)
{
	struct ryde_view text = r->data;

	if (text.n > 0 && text.p[text.n - 1] == '\n') {
		text.n--;
		out->lf = true;
	}
	out->data = text;
	if (r->form == RYDE_RECORD_JSON || r->form == RYDE_RECORD_IMITATES)
		return;
	if (ryde_json_check(text, NULL, &(struct ryde_json_fault){0}) != 0) {
		out->base64 = true;
		out->data = r->data;
		out->lf = false;
		return;
	}
	if (memchr(text.p, '\n', text.n) == NULL)
		return;
	/* newlines of a JSON text stand between its tokens only: blanks do as well */
	ryde_buf_clear(&d->data);
	ryde_buf_view(&d->data, text);
	for (size_t i = 0; i < d->data.n; i++)
		if (d->data.p[i] == '\n' || d->data.p[i] == '\r')
			d->data.p[i] = ' ';
	out->data = ryde_buf_as_view(&d->data);
}

/* Takes the record apart, if it is an aggregate. */
static int
unpack(struct ryde_dlq *d, const struct ryde_record *r, struct ryde_err *err)
{
	if (d->unpacked == r)
		return 0;
	d->unpacked = NULL;
	if (ryde_line_aggregate_parse(&d->parts, r->data, err) < 0)
		return -1;
	d->unpacked = r;
	return 0;
}

static void
take_part(const struct ryde_dlq *d, size_t i, struct ryde_record *line)
{
	line->data = d->parts.parts[i].data;
	line->key = d->parts.parts[i].key;
	line->form = RYDE_RECORD_UNKNOWN;
}

static void
from_stream(struct ryde_dlq *d, const struct ryde_record *r, struct ryde_dlq_record *out)
{
	out->key = r->key;
	out->arrival_ms = r->arrival_ms;
	out->has_arrival = true;
	shape(d, r, out);
}

/* Which line of its record it is. */
static void
set_part(struct ryde_dlq_record *out, bool has_sub, uint32_t sub, bool last)
{
	out->has_sub = has_sub;
	out->sub = sub;
	out->last = has_sub && last;
	out->seq.lines = has_sub && !last ? sub + 1 : 0;
}

/* What the stream has of a record of the list (NULL: nothing), or of the line of it. */
static int
from_record(struct ryde_dlq *d, const struct ryde_record *r, struct ryde_dlq_record *out,
    struct ryde_err *err)
{
	struct ryde_record line;

	out->missing = r == NULL;
	if (r == NULL)
		return 0;
	line = *r;
	if (out->has_sub) {
		if (unpack(d, r, err) != 0)
			return -1;
		out->missing = out->sub >= d->parts.n;
		if (out->missing)
			return 0;
		take_part(d, out->sub, &line);
	}
	from_stream(d, &line, out);
	return 0;
}

static int
from_list(struct ryde_dlq *d, const struct listed *l, struct ryde_dlq_record *out,
    struct ryde_err *err)
{
	const struct ryde_record *r = NULL;

	out->seq = l->seq;
	if (!l->has_seq) {
		out->seq = d->given;
		out->seq.lines = 0;
		step(&out->seq);
	}
	set_part(out, l->has_seq && l->has_sub, l->sub, l->last);
	if (!l->has_data) {
		if (l->has_seq && look_up(d, &l->seq, &r, err) != 0)
			return -1;
		return from_record(d, r, out, err);
	}
	ryde_buf_clear(&d->key);
	ryde_json_string_decode(&d->key, l->key);
	out->key = ryde_buf_as_view(&d->key);
	out->arrival_ms = l->arrival_ms;
	out->has_arrival = l->has_arrival;
	out->lf = l->lf;
	out->data = l->data;
	out->base64 = l->base64;
	if (l->base64) {
		ryde_buf_clear(&d->data);
		if (ryde_json_string_base64_decode(&d->data, l->data, err) != 0)
			return -1;
		out->data = ryde_buf_as_view(&d->data);
	}
	return 0;
}

static int
next_listed(struct ryde_dlq *d, struct ryde_dlq_record *out, struct ryde_err *err)
{
	struct listed l = d->coming;

	if (!d->has_coming)
		return 0;
	read_coming(d);
	if (from_list(d, &l, out, err) != 0)
		return -1;
	out->more = l.has_seq && d->has_coming && d->coming.has_seq &&
		    ryde_pos_cmp(&l.seq, &d->coming.seq) == 0 &&
		    l.has_sub == d->coming.has_sub && l.sub == d->coming.sub;
	d->given = out->seq;
	return 1;
}

/* A record of the stream as it was printed: an aggregate in its parts, one after the
 * other. */
static int
next_line(struct ryde_dlq *d, const struct ryde_record *r, struct ryde_dlq_record *out,
    struct ryde_err *err)
{
	struct ryde_record line = *r;
	size_t i = d->part;

	if (unpack(d, r, err) != 0)
		return -1;
	out->seq = r->seq;
	if (d->parts.n > 0) {
		take_part(d, i, &line);
		/* a record is far below 4 GiB */
		set_part(out, true, (uint32_t)i, i + 1 == d->parts.n);
	}
	from_stream(d, &line, out);
	d->found++; /* a batch counts lines */
	if (i + 1 < d->parts.n) {
		d->part++;
		return 1;
	}
	d->part = 0;
	d->got_i++;
	d->given = out->seq;
	return 1;
}

/* A document of Lambda's own: all records of the batch's range. */
static int
next_in_range(struct ryde_dlq *d, struct ryde_dlq_record *out, struct ryde_err *err)
{
	if (d->got_i == d->got_n) {
		struct ryde_pos from = d->found > 0 ? d->given : d->first;

		if (fetch(d, &from, err) != 0)
			return -1;
		if (d->found > 0 && d->got_n > 0 &&
		    ryde_pos_cmp(&d->got[0].seq, &d->given) == 0)
			d->got_i = 1;
		if (d->got_i == d->got_n)
			return 0;
	}
	return next_line(d, &d->got[d->got_i], out, err);
}

int
ryde_dlq_next(struct ryde_dlq *d, struct ryde_dlq_record *out, struct ryde_err *err)
{
	int rc;

	*out = (struct ryde_dlq_record){
	    .stream = ryde_buf_as_view(&d->label),
	    .shard = ryde_buf_as_view(&d->shard_id),
	};
	rc = d->lists ? next_listed(d, out, err) : next_in_range(d, out, err);
	if (rc == 1 && (d->key.failed || d->data.failed))
		return ryde_err_nomem(err);
	return rc;
}

int64_t
ryde_dlq_short(const struct ryde_dlq *d)
{
	return d->lists || d->found >= d->letter.batch_size
		   ? 0
		   : d->letter.batch_size - d->found;
}

void
ryde_dlq_put(const struct ryde_dlq_record *r, const struct ryde_line_head *more,
    struct ryde_buf *out)
{
	struct ryde_line_head head = {
	    .stream = r->stream,
	    .shard = r->shard,
	    .seq = ryde_pos_view(&r->seq),
	    .key = r->key,
	    .arrival_ms = r->arrival_ms,
	    .has_arrival = r->has_arrival,
	    .lf = r->lf,
	    .sub = r->sub,
	    .has_sub = r->has_sub,
	    .last = r->last,
	    .more = r->more,
	    .ack = more->ack,
	    .gen = more->gen,
	    .redrives = more->redrives,
	};

	ryde_line_put(out, &head, r->data, r->base64);
}
