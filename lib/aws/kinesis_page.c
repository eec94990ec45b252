#include "aws/kinesis_page.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/base64.h"
#include "json/literal.h"
#include "json/repeat.h"
#include "json/shape.h"
#include "json/string.h"
#include "json/token.h"
#include "line/record.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

#define DIGITS_MAX 16 /* of milliseconds */

/* Reads digits at *p onto *value, of which there are *n then. */
static void
take_digits(const char **p, const char *end, int64_t *value, int *n)
{
	for (; *p < end && ryde_json_bytes_is_digit(**p) && *n <= DIGITS_MAX; (*p)++) {
		*value = *value * 10 + (**p - '0');
		++*n;
	}
}

/*
 * A number as servers mostly write it, in milliseconds, where nothing is to be rounded:
 * 1.441215410867E9, 1545084650.987. False: it is another one, or none.
 */
static bool
usual_time(struct ryde_view number, int64_t *ms)
{
	static const int64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
	    100000000, 1000000000, 10000000000, 100000000000, 1000000000000};
	const char *p = number.p, *end = p + number.n;
	int64_t value = 0, exponent = 0;
	int whole = 0, n, n_exponent = 0, shift = 3;

	if (number.n == 0 || *p < '1' || *p > '9')
		return false;
	take_digits(&p, end, &value, &whole);
	n = whole;
	if (p < end && *p == '.') {
		p++;
		take_digits(&p, end, &value, &n);
		if (n == whole)
			return false;
		shift -= n - whole;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		take_digits(&p, end, &exponent, &n_exponent);
		if (n_exponent == 0 || n_exponent > 2)
			return false;
		shift += (int)exponent;
	}
	if (p < end || shift < 0 || shift > 12 || n + shift > DIGITS_MAX)
		return false;
	*ms = value * tens[shift];
	return true;
}

bool
ryde_kinesis_page_time(struct ryde_view number, int64_t *ms)
{
	struct ryde_literal l;
	int64_t places, value = 0;
	size_t n = 0;

	if (usual_time(number, ms))
		return true;
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
	struct ryde_json_repeat repeat;
};

enum member { DATA, KEY, SEQ, TIME, OTHER };
#define REQUIRED (1u << DATA | 1u << KEY | 1u << SEQ)

static enum member
member_of(struct ryde_view key)
{
	if (ryde_view_is(key, "Data"))
		return DATA;
	if (ryde_view_is(key, "PartitionKey"))
		return KEY;
	if (ryde_view_is(key, "SequenceNumber"))
		return SEQ;
	return ryde_view_is(key, "ApproximateArrivalTimestamp") ? TIME : OTHER;
}

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

static uint32_t
place_of(const struct reading *r, const char *p)
{
	return (uint32_t)(p - r->page->text); /* below TEXT_MAX */
}

/* The payload takes its base64's place. */
static bool
take_data(struct reading *r, struct ryde_kinesis_entry *e, struct ryde_view text)
{
	char *to = r->page->text + (text.p - r->page->text);
	size_t n;

	if (!ryde_base64_decode(to, text.p, text.n, &n))
		return false;
	e->data = place_of(r, to);
	e->data_n = (uint32_t)n;
	return true;
}

static void
take_key(struct reading *r, struct ryde_kinesis_entry *e, struct ryde_view text)
{
	e->key = place_of(r, text.p);
	e->key_n = (uint32_t)text.n;
}

static bool
take_seq(struct reading *r, struct ryde_kinesis_entry *e, struct ryde_view text)
{
	if (!ryde_pos_is(text))
		return false;
	e->seq = place_of(r, text.p);
	e->seq_n = (uint32_t)text.n;
	return true;
}

/* One member of a record. False where it is not what it has to be. */
static bool
take_member(struct reading *r, struct ryde_kinesis_entry *e, enum member m,
    const struct ryde_json_value *v)
{
	switch (m) {
	case DATA:
		return is_string(v) && take_data(r, e, plain(r, v));
	case KEY:
		if (is_string(v))
			take_key(r, e, plain(r, v));
		return is_string(v);
	case SEQ:
		return is_string(v) && take_seq(r, e, v->text);
	case TIME:
		return v->kind == RYDE_JSON_NULL ||
		       (v->kind == RYDE_JSON_NUMBER &&
			   ryde_kinesis_page_time(v->text, &e->arrival_ms));
	case OTHER:
		break;
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

/* A record that is like an earlier one; NULL: it is another one, or none, and nothing was
 * touched. */
static const char *
take_alike(struct reading *r, const char *p)
{
	struct ryde_view values[RYDE_JSON_REPEAT_VALUES] = {{NULL, 0}};
	struct ryde_kinesis_entry e = {0};

	p = ryde_json_repeat_next(&r->repeat, &r->s, p, values);
	if (p == NULL || !take_seq(r, &e, values[SEQ]) ||
	    (values[TIME].n > 0 && !ryde_kinesis_page_time(values[TIME], &e.arrival_ms)))
		return NULL;
	take_key(r, &e, values[KEY]);
	/* last: what cannot be decoded is changed */
	if (!take_data(r, &e, values[DATA]))
		return ryde_json_token_fail(
		    &r->s, values[DATA].p, "a record's field that is none");
	return add(r->page, &e) ? p : ryde_json_token_fail(&r->s, p, "no memory");
}

/* The record at p; returns the place behind it, or NULL. */
static const char *
take_any(struct reading *r, const char *p)
{
	struct ryde_kinesis_entry e = {0};
	struct ryde_json_value key, v;
	unsigned got = 0;

	if (p == r->s.end || *p != '{')
		return ryde_json_token_fail(&r->s, p, "no record where one must be");
	ryde_json_repeat_begin(&r->repeat, p);
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p < r->s.end && *p != '}') {
		const char *at = p;
		enum member m;

		p = ryde_json_token_key(&r->s, p, &key);
		if (p != NULL)
			p = ryde_json_token_value(&r->s, p, 2, &v);
		if (p == NULL)
			return NULL;
		m = member_of(key.text);
		got |= 1u << m;
		if (m != OTHER && v.kind != RYDE_JSON_NULL)
			ryde_json_repeat_see(&r->repeat, m, &v);
		if (!take_member(r, &e, m, &v))
			return ryde_json_token_fail(
			    &r->s, at, "a record's field that is none");
		p = ryde_json_token_comma(&r->s, p, '}');
		if (p == NULL)
			return NULL;
	}
	if (p == r->s.end)
		return ryde_json_token_not_closed(&r->s, p, true);
	if ((got & REQUIRED) != REQUIRED)
		return ryde_json_token_fail(
		    &r->s, p, "a record without its data, key or sequence number");
	if (!add(r->page, &e))
		return ryde_json_token_fail(&r->s, p, "no memory");
	ryde_json_repeat_end(&r->repeat, p + 1);
	return p + 1;
}

static const char *
take_record(struct reading *r, const char *p)
{
	const char *behind;

	/* what has a fault has it in any order of members */
	r->fault.what = NULL;
	behind = take_alike(r, p);
	return behind != NULL || r->fault.what != NULL ? behind : take_any(r, p);
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
		p = ryde_json_token_comma(&r->s, p, ']');
		if (p == NULL)
			return NULL;
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
		p = ryde_json_token_comma(&r->s, p, '}');
		if (p == NULL)
			return NULL;
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
	page->text = malloc(text.n + RYDE_JSON_SHAPE_BEHIND);
	if (page->text == NULL)
		return ryde_err_nomem(err);
	memcpy(page->text, text.p, text.n);
	memset(page->text + text.n, 0, RYDE_JSON_SHAPE_BEHIND);
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
	    .behind = RYDE_JSON_SHAPE_BEHIND,
	};
	(void)ryde_pos_set(&out->seq, ryde_view_mem(page->text + e->seq, e->seq_n));
}
