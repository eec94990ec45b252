#include "engine/consume_print.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/shape.h"
#include "line/envelope.h"
#include "store/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum shape { ONE_LINE, SEVERAL_LINES, NO_JSON };

/* A stream mostly repeats a few shapes; without the memory for them all is scanned. */
static bool
is_json(struct ryde_consume_print *p, struct ryde_view text, size_t behind)
{
	struct ryde_json_fault fault;

	if (p->shapes == NULL) {
		p->shapes = malloc(sizeof(*p->shapes));
		if (p->shapes == NULL)
			return ryde_json_check(text, NULL, &fault) == 0;
		ryde_json_shapes_init(p->shapes);
	}
	return ryde_json_shapes_check(p->shapes, text, behind, &fault) == 0;
}

/* What the bytes are, where the writer did not say. *lf and data: without a final
 * newline. behind: so many bytes follow the record. */
static enum shape
shape_of(struct ryde_consume_print *p, const struct ryde_record *r, size_t behind,
    struct ryde_view *data, bool *lf)
{
	*data = r->data;
	*lf = data->n > 0 && data->p[data->n - 1] == '\n';
	if (*lf)
		data->n--;
	if (r->form == RYDE_RECORD_JSON || r->form == RYDE_RECORD_IMITATES)
		return ONE_LINE;
	if (!is_json(p, *data, behind + *lf))
		return NO_JSON;
	return memchr(data->p, '\n', data->n) == NULL ? ONE_LINE : SEVERAL_LINES;
}

/* Newlines of a JSON text stand between its tokens only: blanks do as well. */
static void
join(struct ryde_buf *out, size_t from)
{
	for (size_t i = from; i + 1 < out->n; i++)
		if (out->p[i] == '\n')
			out->p[i] = ' ';
}

/* Makes `front` and `back` for this shard and generation. False where they do not fit. */
static bool
prepare(struct ryde_consume_print *p, const char *shard, uint32_t gen)
{
	struct ryde_line_head head = {.stream = p->stream, .shard = ryde_view_of(shard)};
	struct ryde_buf b;
	bool fits;

	if (p->same.is && p->same.gen == gen && strcmp(p->same.shard, shard) == 0)
		return true;
	ryde_buf_init(&b, 4096);
	head.mark = true;
	ryde_line_put(&b, &head, ryde_view_mem(NULL, 0), false);
	/* what a mark has behind its shard gives way to the sequence number */
	b.n -= strlen(",\"mark\":true}\n");
	ryde_buf_puts(&b, ",\"sequenceNumber\":\"");
	fits = !b.failed && b.n <= sizeof(p->same.front);
	if (fits)
		memcpy(p->same.front, b.p, b.n);
	p->same.front_n = b.n;
	ryde_buf_clear(&b);
	ryde_buf_putc(&b, '"');
	if (p->ack.n > 0)
		ryde_buf_printf(&b, ",\"ack\":\"%.*s\"", (int)p->ack.n, p->ack.p);
	if (gen > 0)
		ryde_buf_printf(&b, ",\"gen\":%lu", (unsigned long)gen);
	fits = fits && !b.failed && b.n <= sizeof(p->same.back);
	if (fits)
		memcpy(p->same.back, b.p, b.n);
	p->same.back_n = b.n;
	ryde_buf_free(&b);
	(void)snprintf(p->same.shard, sizeof(p->same.shard), "%s", shard);
	p->same.gen = gen;
	p->same.is = fits;
	return fits;
}

/* The arrival time's 24 characters; those of a minute differ in their seconds only. */
static char *
put_arrival(struct ryde_consume_print *p, int64_t at_ms, char *to)
{
	int64_t in = at_ms - p->same.minute_ms;
	char *d;

	if (!p->same.has_minute || in < 0 || in >= 60000) {
		p->same.minute_ms = at_ms - (at_ms % 60000 + 60000) % 60000;
		p->same.has_minute =
		    ryde_timestamp_rfc3339(p->same.minute_ms, p->same.minute) == 24;
		in = at_ms - p->same.minute_ms;
	}
	if (!p->same.has_minute)
		return to + ryde_timestamp_rfc3339(at_ms, to);
	memcpy(to, p->same.minute, 24);
	d = to + 17;
	d[0] = (char)('0' + in / 10000);
	d[1] = (char)('0' + in / 1000 % 10);
	d[3] = (char)('0' + in / 100 % 10);
	d[4] = (char)('0' + in / 10 % 10);
	d[5] = (char)('0' + in % 10);
	return to + 24;
}

static bool
needs_escape(struct ryde_view v)
{
	bool any = false;

	for (size_t i = 0; i < v.n; i++)
		any = any || (unsigned char)v.p[i] < 0x20 || v.p[i] == '"' ||
		      v.p[i] == '\\';
	return any;
}

static char *
put(char *to, const void *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

/* Which of the lines of its record a line is. */
struct part {
	bool is;
	uint32_t sub;
	bool last;
	size_t behind; /* bytes behind it that may be read */
};

/* `,"sub":N,"last":true`, at most PART_MAX bytes. */
#define PART_MAX 32
static char *
put_part(char *to, const struct part *part)
{
	if (!part->is)
		return to;
	return to + snprintf(to, PART_MAX, ",\"sub\":%lu%s", (unsigned long)part->sub,
			part->last ? ",\"last\":true" : "");
}

/* The envelope of an ordinary record, written straight into the buffer. False: it is not
 * ordinary. */
static bool
put_ordinary(struct ryde_consume_print *p, const struct ryde_record *r,
    const struct part *part, struct ryde_view data, bool lf, const char *shard,
    uint32_t gen, struct ryde_buf *out)
{
	static const char key[] = "\",\"partitionKey\":\"",
			  at[] = "\",\"approximateArrivalTimestamp\":\"";
	static const char newline[] = ",\"lf\":1", value[] = ",\"data\":";
	char *start, *to;

	if (p->redrives != 0 || needs_escape(r->key) || !prepare(p, shard, gen))
		return false;
	start = to = ryde_buf_room(
	    out, p->same.front_n + p->same.back_n + r->key.n + data.n + 384);
	if (to == NULL)
		return false;
	to = put(to, p->same.front, p->same.front_n);
	to = put(to, r->seq.seq, r->seq.n);
	if (r->key.n > 0) {
		to = put(to, key, sizeof(key) - 1);
		to = put(to, r->key.p, r->key.n);
	}
	to = put(to, at, sizeof(at) - 1);
	to = put_arrival(p, r->arrival_ms, to);
	to = put(to, p->same.back, p->same.back_n);
	to = put_part(to, part);
	if (lf)
		to = put(to, newline, sizeof(newline) - 1);
	to = put(to, value, sizeof(value) - 1);
	to = put(to, data.p, data.n);
	to = put(to, "}\n", 2);
	ryde_buf_added(out, (size_t)(to - start));
	return true;
}

/* A payload and its newline. */
static void
put_payload(struct ryde_view data, struct ryde_buf *out)
{
	char *to = ryde_buf_room(out, data.n + 1);

	if (to == NULL)
		return;
	memcpy(to, data.p, data.n);
	to[data.n] = '\n';
	ryde_buf_added(out, data.n + 1);
}

/* One line. */
static void
put_line(struct ryde_consume_print *p, const struct ryde_record *r,
    const struct part *part, const char *shard, uint32_t gen, struct ryde_buf *out)
{
	struct ryde_line_head head;
	struct ryde_view data;
	size_t from = out->n;
	enum shape shape;
	bool lf;

	shape = shape_of(p, r, part->behind, &data, &lf);
	if (!p->envelopes && shape != NO_JSON && r->form != RYDE_RECORD_IMITATES &&
	    (r->form == RYDE_RECORD_JSON || !ryde_line_imitates(data))) {
		put_payload(data, out);
		if (shape == SEVERAL_LINES)
			join(out, from);
		return;
	}
	if (shape == ONE_LINE && put_ordinary(p, r, part, data, lf, shard, gen, out))
		return;
	head = (struct ryde_line_head){.stream = p->stream,
	    .shard = ryde_view_of(shard),
	    .seq = ryde_pos_view(&r->seq),
	    .key = r->key,
	    .ack = p->ack,
	    .arrival_ms = r->arrival_ms,
	    .has_arrival = true,
	    .gen = gen,
	    .redrives = p->redrives,
	    .has_sub = part->is,
	    .sub = part->sub,
	    .last = part->last,
	    .lf = lf && shape != NO_JSON};
	ryde_line_put(out, &head, shape == NO_JSON ? r->data : data, shape == NO_JSON);
	if (shape == SEVERAL_LINES)
		join(out, from);
}

/* True where the record can be an aggregate that is to be taken apart. */
static bool
can_be_aggregate(const struct ryde_consume_print *p, const struct ryde_record *r)
{
	return !p->whole &&
	       (r->form == RYDE_RECORD_UNKNOWN || r->form == RYDE_RECORD_BINARY);
}

int
ryde_consume_print_ahead(struct ryde_consume_print *p, const struct ryde_record *records,
    size_t n, struct ryde_err *err)
{
	size_t candidates = 0;
	struct ryde_view *texts;
	bool *is;

	p->n_ahead = 0;
	for (size_t i = 0; i < n; i++)
		candidates += records[i].data.n > 0 && records[i].data.p[0] == '\xf3' &&
			      can_be_aggregate(p, &records[i]);
	if (candidates < 2)
		return 0;
	if (n > p->cap_ahead) {
		is = realloc(p->is_aggregate, n * sizeof(*is));
		if (is == NULL)
			return ryde_err_nomem(err);
		p->is_aggregate = is;
		texts = realloc(p->texts, n * sizeof(*texts));
		if (texts == NULL)
			return ryde_err_nomem(err);
		p->texts = texts;
		p->cap_ahead = n;
	}
	for (size_t i = 0; i < n; i++)
		p->texts[i] = can_be_aggregate(p, &records[i]) ? records[i].data
							       : ryde_view_mem(NULL, 0);
	ryde_line_aggregate_check(p->texts, n, p->is_aggregate);
	p->ahead = records;
	p->n_ahead = n;
	return 0;
}

/* Which of the records that were looked at r is; n_ahead: none of them. */
static size_t
place_ahead(const struct ryde_consume_print *p, const struct ryde_record *r)
{
	uintptr_t at = (uintptr_t)r - (uintptr_t)p->ahead;

	return at < p->n_ahead * sizeof(*r) ? at / sizeof(*r) : p->n_ahead;
}

uint64_t
ryde_consume_print_begin(struct ryde_consume_print *p, const struct ryde_record *r)
{
	size_t i = place_ahead(p, r);
	int rc = 0;

	p->aggregate.n = 0;
	if (i < p->n_ahead)
		rc = p->is_aggregate[i]
			 ? ryde_line_aggregate_open(&p->aggregate, r->data, NULL)
			 : 0;
	else if (can_be_aggregate(p, r))
		rc = ryde_line_aggregate_parse(&p->aggregate, r->data, NULL);
	return rc < 0 ? 0 : rc > 0 ? p->aggregate.n : 1;
}

void
ryde_consume_print_line(struct ryde_consume_print *p, const struct ryde_record *r,
    uint64_t i, const char *shard, uint32_t gen, struct ryde_buf *out)
{
	const struct ryde_line_aggregate *a = &p->aggregate;
	struct part part = {.behind = r->behind};
	struct ryde_record line = *r;

	if (a->n > 0) {
		line.form = RYDE_RECORD_UNKNOWN;
		line.data = a->parts[i].data;
		line.key = a->parts[i].key;
		/* a record is far below 4 GiB */
		part = (struct part){true, (uint32_t)i, i + 1 == a->n,
		    (size_t)(ryde_view_end(r->data) - ryde_view_end(line.data)) +
			r->behind};
	}
	put_line(p, &line, &part, shard, gen, out);
}

void
ryde_consume_print_free(struct ryde_consume_print *p)
{
	ryde_line_aggregate_free(&p->aggregate);
	free(p->is_aggregate);
	free(p->texts);
	free(p->shapes);
}
