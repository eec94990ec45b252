/*
 * Fuzz target for lines: faults of memory, and that an envelope which ryde_line_put has
 * made parses back to what went in, whatever the fields hold. The input is taken twice:
 * as a line, and as the fields of one (the first bytes are switches, then strings parted
 * by newlines).
 */
#include "line/envelope.h"
#include "base/buf.h"
#include "base/err.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static bool
inside(struct ryde_view v, struct ryde_view text)
{
	return v.n == 0 || (v.p >= text.p && v.p + v.n <= text.p + text.n);
}

static void
try_line(struct ryde_view raw)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf scratch;
	struct ryde_view payload;
	struct ryde_line l;
	int rc = ryde_line_parse(raw, &l, &err);

	MUST(ryde_line_imitates(raw) == (rc != 0 || l.kind != RYDE_LINE_PAYLOAD));
	MUST(rc == 0 || (err.code == RYDE_EDATA && err.msg[0] != '\0'));
	if (rc != 0)
		return;
	MUST(ryde_view_eq(l.raw, raw));
	MUST(inside(l.data, raw) && inside(l.base64, raw) && inside(l.head, raw));
	MUST(inside(l.stream, raw) && inside(l.shard, raw) && inside(l.seq, raw));
	MUST(inside(l.key, raw) && inside(l.ack, raw) && inside(l.at, raw));
	if (l.kind == RYDE_LINE_PAYLOAD)
		MUST(ryde_view_eq(l.data, raw));
	ryde_buf_init(&scratch, 1 << 26);
	if (ryde_line_payload(&l, &scratch, &payload, &err) == 0)
		MUST(!l.lf || (payload.n > 0 && payload.p[payload.n - 1] == '\n'));
	else
		MUST(l.is_base64);
	ryde_buf_free(&scratch);
}

/* The next string of the input, up to a newline. */
static struct ryde_view
take(struct ryde_view *in)
{
	const char *nl = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
	struct ryde_view v = {in->p, nl != NULL ? (size_t)(nl - in->p) : in->n};

	in->p += v.n + (nl != NULL ? 1 : 0);
	in->n -= v.n + (nl != NULL ? 1 : 0);
	return v;
}

/* Bytes of the input as a number, little end first. */
static uint64_t
number(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	while (n > 0)
		x = x << 8 | p[--n];
	return x;
}

static void
must_be(struct ryde_view raw, struct ryde_view bytes)
{
	struct ryde_buf b;

	/* what has nothing to escape stands as it was, though it be no UTF-8 */
	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL) {
		MUST(ryde_view_eq(raw, bytes));
		return;
	}
	ryde_buf_init(&b, 1 << 26);
	ryde_json_string_decode(&b, raw);
	MUST(ryde_view_eq(ryde_buf_as_view(&b), bytes));
	ryde_buf_free(&b);
}

static void
must_be_head(const struct ryde_line *l, const struct ryde_line_head *h)
{
	MUST(l->kind == (h->mark ? RYDE_LINE_MARK : RYDE_LINE_ENVELOPE));
	must_be(l->stream, h->stream);
	must_be(l->shard, h->shard);
	must_be(l->seq, h->seq);
	must_be(l->key, h->key);
	must_be(l->ack, h->ack);
	MUST(l->has_arrival == h->has_arrival);
	MUST(!h->has_arrival || l->arrival_ms == h->arrival_ms);
	MUST(l->sub == (h->has_sub ? h->sub : 0) && l->gen == h->gen);
	MUST(l->has_sub == h->has_sub && l->last == h->last);
	MUST(l->redrives == h->redrives && l->more == h->more && l->lf == h->lf);
	MUST(l->end == h->end && ryde_view_eq(l->at, h->at));
}

static void
try_put(const struct ryde_line_head *h, struct ryde_view data, bool base64)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf text, scratch;
	struct ryde_view payload;
	struct ryde_line l;

	ryde_buf_init(&text, 1 << 26);
	ryde_buf_init(&scratch, 1 << 26);
	ryde_line_put(&text, h, data, base64);
	MUST(text.n > 0 && memchr(text.p, '\n', text.n) == text.p + text.n - 1);
	MUST(ryde_line_imitates(ryde_buf_as_view(&text)));
	MUST(ryde_line_parse(ryde_view_mem(text.p, text.n - 1), &l, &err) == 0);
	must_be_head(&l, h);
	if (!h->mark) {
		MUST(l.is_base64 == base64);
		MUST(ryde_line_payload(&l, &scratch, &payload, &err) == 0);
		MUST(payload.n == data.n + (h->lf ? 1 : 0));
		MUST(data.n == 0 || memcmp(payload.p, data.p, data.n) == 0);
	}
	ryde_buf_free(&text);
	ryde_buf_free(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view in = ryde_view_mem((const char *)data, size), payload;
	struct ryde_json_fault fault;
	struct ryde_line_head h = {.arrival_ms = 0};
	bool base64;

	try_line(in);
	if (size < 20)
		return 0;
	h.has_arrival = (data[0] & 1) != 0;
	h.has_sub = (data[0] & 2) != 0;
	h.more = (data[0] & 4) != 0;
	h.lf = (data[0] & 8) != 0;
	h.mark = (data[0] & 16) != 0;
	h.end = h.mark && (data[0] & 32) != 0;
	base64 = !h.mark && (data[0] & 64) != 0;
	/* times that RYDE_CLOCK can have */
	h.arrival_ms = (int64_t)number(data + 1, 8) / 4;
	h.sub = (uint32_t)number(data + 9, 4) / 2;
	h.last = (data[17] & 1) != 0;
	h.gen = (uint32_t)number(data + 13, 4);
	h.redrives = data[17];
	in.p += 18;
	in.n -= 18;
	h.stream = take(&in);
	h.shard = take(&in);
	h.seq = take(&in);
	h.key = take(&in);
	h.ack = take(&in);
	if ((data[0] & 128) != 0)
		h.at = ryde_view_of("{\"n\":1,\"shards\":{\"s\":{\"seen\":\"}\"}}}");
	payload = in;
	/* only one JSON text on one line is put there as it is */
	if (!base64 && !h.mark &&
	    (ryde_json_check(payload, NULL, &fault) != 0 ||
		memchr(payload.p, '\n', payload.n) != NULL))
		payload = ryde_view_of("{\"data\":[\"}\",{}]}");
	try_put(&h, payload, base64);
	return 0;
}
