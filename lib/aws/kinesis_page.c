#include "aws/kinesis_page.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/base64.h"
#include "json/literal.h"
#include "json/string.h"
#include "json/token.h"
#include "line/record.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

bool
ryde_kinesis_page_time(struct ryde_view number, int64_t *ms)
{
	struct ryde_literal l;
	int64_t places, value = 0;
	size_t n = 0;

	if (!ryde_literal_look(&l, number))
		return false;
	if (!l.nonzero) {
		*ms = 0;
		return true;
	}
	/* digits before the point once the number is in milliseconds */
	places = (int64_t)l.n_whole + l.exponent + 3;
	if (places > 16)
		return false;
	for (size_t i = 0; n < l.n_digits && i < number.n; i++) {
		const char c = l.digits[i];

		if (c == '.')
			continue;
		if ((int64_t)n >= places) {
			value += (int64_t)n == places && c >= '5';
			break;
		}
		value = value * 10 + (c - '0');
		n++;
	}
	for (; (int64_t)n < places; n++)
		value *= 10;
	*ms = l.negative ? -value : value;
	return true;
}

/* ---- one pass ---- */

struct reading {
	struct ryde_json_scan s;
	struct ryde_kinesis_page *page;
	struct ryde_json_fault fault;
	struct ryde_buf scratch; /* of strings with escapes */
};

/* Decodes the escapes of a string in its place: it never becomes longer. */
static struct ryde_view
plain(struct reading *r, const struct ryde_json_value *v)
{
	char *to = r->page->text + (v->text.p - r->page->text);

	if (!v->escaped)
		return v->text;
	ryde_buf_clear(&r->scratch);
	ryde_json_string_decode(&r->scratch, v->text);
	if (r->scratch.failed || r->scratch.n > v->text.n)
		return ryde_view_mem(to, 0);
	if (r->scratch.n > 0)
		memcpy(to, r->scratch.p, r->scratch.n);
	return ryde_view_mem(to, r->scratch.n);
}

static bool
is_string(const struct ryde_json_value *v)
{
	return v->kind == RYDE_JSON_STRING;
}

/* One member of a record. False where it is not what it has to be. */
static bool
take_member(struct reading *r, struct ryde_kinesis_entry *e, struct ryde_view key,
    const struct ryde_json_value *v, unsigned *got)
{
	struct ryde_view text;
	size_t n;

	if (ryde_view_is(key, "Data")) {
		char *to = r->page->text + (v->text.p - r->page->text);

		text = plain(r, v);
		if (!is_string(v) || !ryde_base64_decode(to, text.p, text.n, &n))
			return false;
		e->data = (uint32_t)(to - r->page->text);
		e->data_n = (uint32_t)n;
		*got |= 1;
	} else if (ryde_view_is(key, "PartitionKey")) {
		if (!is_string(v))
			return false;
		text = plain(r, v);
		e->key = (uint32_t)(text.p - r->page->text);
		e->key_n = (uint32_t)text.n;
		*got |= 2;
	} else if (ryde_view_is(key, "SequenceNumber")) {
		if (!is_string(v) || v->text.n == 0 || v->text.n > RYDE_SEQ_MAX)
			return false;
		for (size_t i = 0; i < v->text.n; i++)
			if (!ryde_json_bytes_is_digit(v->text.p[i]))
				return false;
		e->seq = (uint32_t)(v->text.p - r->page->text);
		e->seq_n = (uint32_t)v->text.n;
		*got |= 4;
	} else if (ryde_view_is(key, "ApproximateArrivalTimestamp")) {
		if (v->kind == RYDE_JSON_NULL)
			return true;
		return v->kind == RYDE_JSON_NUMBER &&
		       ryde_kinesis_page_time(v->text, &e->arrival_ms);
	}
	return true;
}

static bool
add(struct ryde_kinesis_page *page, const struct ryde_kinesis_entry *e)
{
	if (page->n == page->cap) {
		size_t cap = page->cap == 0 ? 256 : 2 * page->cap;
		struct ryde_kinesis_entry *more =
		    realloc(page->entries, cap * sizeof(*more));

		if (more == NULL)
			return false;
		page->entries = more;
		page->cap = cap;
	}
	page->entries[page->n++] = *e;
	return true;
}

/* The record at p; returns the place behind it, or NULL. */
static const char *
take_record(struct reading *r, const char *p)
{
	struct ryde_kinesis_entry e = {0};
	struct ryde_json_value key, v;
	unsigned got = 0;

	if (p == r->s.end || *p != '{')
		return ryde_json_token_fail(&r->s, p, "no record where one must be");
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p < r->s.end && *p != '}') {
		const char *at = p;

		p = ryde_json_token_key(&r->s, p, &key);
		if (p != NULL)
			p = ryde_json_token_value(&r->s, p, 2, &v);
		if (p == NULL)
			return NULL;
		if (!take_member(r, &e, key.text, &v, &got))
			return ryde_json_token_fail(
			    &r->s, at, "a record's field that is none");
		p = ryde_json_token_blank(&r->s, p);
		if (p < r->s.end && *p == ',')
			p = ryde_json_token_blank(&r->s, p + 1);
		else if (p == r->s.end || *p != '}')
			return ryde_json_token_not_closed(&r->s, p, true);
	}
	if (p == r->s.end)
		return ryde_json_token_not_closed(&r->s, p, true);
	if (got != 7)
		return ryde_json_token_fail(
		    &r->s, p, "a record without its data, key or sequence number");
	if (!add(r->page, &e))
		return ryde_json_token_fail(&r->s, p, "no memory");
	return p + 1;
}

static const char *
take_records(struct reading *r, const char *p)
{
	struct ryde_json_value none;

	if (p == r->s.end || *p != '[')
		return ryde_json_token_value(&r->s, p, 1, &none);
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p < r->s.end && *p != ']') {
		p = take_record(r, p);
		if (p == NULL)
			return NULL;
		p = ryde_json_token_blank(&r->s, p);
		if (p < r->s.end && *p == ',')
			p = ryde_json_token_blank(&r->s, p + 1);
		else if (p == r->s.end || *p != ']')
			return ryde_json_token_not_closed(&r->s, p, false);
	}
	return p < r->s.end ? p + 1 : ryde_json_token_not_closed(&r->s, p, false);
}

static const char *
take_field(struct reading *r, struct ryde_view key, const char *p)
{
	struct ryde_kinesis_page *page = r->page;
	struct ryde_json_value v;
	struct ryde_json_walk w;

	if (ryde_view_is(key, "Records"))
		return take_records(r, p);
	p = ryde_json_token_value(&r->s, p, 1, &v);
	if (p == NULL)
		return NULL;
	if (ryde_view_is(key, "NextShardIterator") && v.kind == RYDE_JSON_STRING) {
		page->next = v.text;
	} else if (ryde_view_is(key, "ContinuationSequenceNumber") &&
		   v.kind == RYDE_JSON_STRING) {
		page->continuation = v.text;
	} else if (ryde_view_is(key, "MillisBehindLatest") &&
		   v.kind == RYDE_JSON_NUMBER) {
		int64_t ms;

		/* milliseconds read as seconds, a thousandth of that */
		if (ryde_kinesis_page_time(v.text, &ms))
			page->behind_ms = ms / 1000;
	} else if (ryde_view_is(key, "ChildShards") && v.kind == RYDE_JSON_ARRAY &&
		   ryde_json_walk_begin(&w, v.text)) {
		struct ryde_json_value k, child;

		page->children = ryde_json_walk_next(&w, &k, &child);
	}
	return p;
}

static const char *
take_page(struct reading *r)
{
	const char *p = ryde_json_token_begin(&r->s);
	struct ryde_json_value key;

	if (p == NULL || *p != '{')
		return p == NULL ? NULL
				 : ryde_json_token_fail(&r->s, p, "no JSON object");
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p < r->s.end && *p != '}') {
		p = ryde_json_token_key(&r->s, p, &key);
		if (p != NULL)
			p = take_field(r, key.text, p);
		if (p == NULL)
			return NULL;
		p = ryde_json_token_blank(&r->s, p);
		if (p < r->s.end && *p == ',')
			p = ryde_json_token_blank(&r->s, p + 1);
		else if (p == r->s.end || *p != '}')
			return ryde_json_token_not_closed(&r->s, p, true);
	}
	return p < r->s.end ? p + 1 : ryde_json_token_not_closed(&r->s, p, true);
}

int
ryde_kinesis_page_read(
    struct ryde_kinesis_page *page, struct ryde_view text, struct ryde_err *err)
{
	struct reading r = {.page = page};
	int rc = 0;

	*page = (struct ryde_kinesis_page){.behind_ms = -1};
	if (text.n == 0 || text.n > TEXT_MAX)
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "GetRecords: an answer of %zu bytes", text.n);
	page->text = malloc(text.n);
	if (page->text == NULL)
		return ryde_err_nomem(err);
	memcpy(page->text, text.p, text.n);
	page->text_n = text.n;
	ryde_buf_init(&r.scratch, TEXT_MAX);
	ryde_json_token_init(&r.s, ryde_view_mem(page->text, text.n), &r.fault);
	if (ryde_json_token_finish(&r.s, take_page(&r)) != 0) {
		rc = ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "GetRecords: an answer that makes no sense: %s at byte %zu",
		    r.fault.what, r.fault.at + 1);
		ryde_kinesis_page_free(page);
	}
	ryde_buf_free(&r.scratch);
	return rc;
}

void
ryde_kinesis_page_free(struct ryde_kinesis_page *page)
{
	free(page->text);
	free(page->entries);
	*page = (struct ryde_kinesis_page){0};
}

void
ryde_kinesis_page_record(
    const struct ryde_kinesis_page *page, size_t i, struct ryde_record *out)
{
	const struct ryde_kinesis_entry *e = &page->entries[i];

	*out = (struct ryde_record){
	    .data = ryde_view_mem(page->text + e->data, e->data_n),
	    .key = ryde_view_mem(page->text + e->key, e->key_n),
	    .arrival_ms = e->arrival_ms,
	};
	(void)ryde_pos_set(&out->seq, ryde_view_mem(page->text + e->seq, e->seq_n));
}
