#include "line/envelope.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/timestamp.h"
#include "json/string.h"
#include "line/position.h"

#include <string.h>

/* A walk over the members of the envelope. `at` never passes raw.n. */
struct cursor {
	struct ryde_view raw;
	size_t at;
};

static void
blanks(struct cursor *c)
{
	while (
	    c->at < c->raw.n && (c->raw.p[c->at] == ' ' || c->raw.p[c->at] == '\t' ||
				    c->raw.p[c->at] == '\r' || c->raw.p[c->at] == '\n'))
		c->at++;
}

static bool
take(struct cursor *c, char want)
{
	if (c->at >= c->raw.n || c->raw.p[c->at] != want)
		return false;
	c->at++;
	return true;
}

/* A string's raw content; the cursor stands behind its closing quote. */
static bool
string(struct cursor *c, struct ryde_view *out)
{
	const char *start, *p, *end = c->raw.p + c->raw.n;

	if (!take(c, '"'))
		return false;
	start = c->raw.p + c->at;
	for (p = start;; p++) {
		p = memchr(p, '"', (size_t)(end - p));
		if (p == NULL)
			return false;
		const char *q = p;

		while (q > start && q[-1] == '\\')
			q--;
		if ((p - q) % 2 == 0)
			break;
	}
	*out = ryde_view_mem(start, (size_t)(p - start));
	c->at = (size_t)(p + 1 - c->raw.p);
	return true;
}

/* Any value as a slice: brackets are counted, what is inside them is not checked. */
static bool
value(struct cursor *c, struct ryde_view *out)
{
	size_t start = c->at, depth = 0;
	struct ryde_view ignored;

	while (c->at < c->raw.n) {
		char ch = c->raw.p[c->at];

		if (ch == '"') {
			if (!string(c, &ignored))
				return false;
			continue;
		}
		if (depth == 0 && (ch == ',' || ch == '}' || ch == ']'))
			break;
		if (ch == '{' || ch == '[')
			depth++;
		else if (ch == '}' || ch == ']')
			depth--;
		c->at++;
	}
	*out = ryde_view_mem(c->raw.p + start, c->at - start);
	while (out->n > 0 && (out->p[out->n - 1] == ' ' || out->p[out->n - 1] == '\t'))
		out->n--;
	return out->n > 0 && depth == 0;
}

static bool
key_is_ryde(struct ryde_view key)
{
	char room[64];
	struct ryde_buf b = {.p = room, .cap = sizeof(room), .max = sizeof(room) - 1};

	if (ryde_view_is(key, "ryde"))
		return true;
	/* "\u0072yde" is the same key; a longer one than four escapes cannot be */
	if (key.n == 0 || key.n > 24 || memchr(key.p, '\\', key.n) == NULL)
		return false;
	ryde_json_string_decode(&b, key);
	return ryde_view_is(ryde_buf_as_view(&b), "ryde");
}

/* Up to the value of the first key, where that is `ryde`. */
static bool
begins(struct cursor *c)
{
	struct ryde_view key;

	blanks(c);
	if (!take(c, '{'))
		return false;
	blanks(c);
	if (!string(c, &key) || !key_is_ryde(key))
		return false;
	blanks(c);
	if (!take(c, ':'))
		return false;
	blanks(c);
	return true;
}

bool
ryde_line_imitates(struct ryde_view text)
{
	struct cursor c = {text, 0};

	return !ryde_line_is_bare(text) && begins(&c);
}

static bool
set_u32(struct ryde_view v, uint32_t *out)
{
	uint64_t x;

	if (!ryde_num_u64(v, UINT32_MAX, &x))
		return false;
	*out = (uint32_t)x;
	return true;
}

static bool
set_flag(struct ryde_view v, bool *out)
{
	*out = ryde_view_is(v, "true") || ryde_view_is(v, "1");
	return *out || ryde_view_is(v, "false") || ryde_view_is(v, "0") ||
	       ryde_view_is(v, "null");
}

enum field {
	STREAM,
	SHARD,
	SEQ,
	KEY,
	ACK,
	ARRIVAL,
	AT,
	PARENTS,
	GEN,
	SUB,
	LAST,
	REDRIVES,
	MORE,
	LF,
	MARK,
	END,
	CLOSED,
	BASE64,
	OTHER
};

static enum field
field_of(struct ryde_view key)
{
	static const struct {
		const char *name;
		enum field field;
	} names[] = {{"stream", STREAM}, {"shardId", SHARD}, {"sequenceNumber", SEQ},
	    {"partitionKey", KEY}, {"approximateArrivalTimestamp", ARRIVAL}, {"ack", ACK},
	    {"gen", GEN}, {"sub", SUB}, {"last", LAST}, {"more", MORE}, {"lf", LF},
	    {"redrives", REDRIVES}, {"mark", MARK}, {"end", END}, {"closed", CLOSED},
	    {"at", AT}, {"parents", PARENTS}, {"dataBase64", BASE64}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ryde_view_is(key, names[i].name))
			return names[i].field;
	return OTHER;
}

static bool
set_field(struct ryde_line *l, enum field field, struct ryde_view v, bool quoted)
{
	bool mark;

	switch (field) {
	case STREAM:
		l->stream = v;
		return quoted;
	case SHARD:
		l->shard = v;
		return quoted;
	case SEQ:
		l->seq = v;
		return quoted;
	case KEY:
		l->key = v;
		return quoted;
	case ACK:
		l->ack = v;
		return quoted;
	case ARRIVAL:
		l->has_arrival = ryde_timestamp_parse(v, &l->arrival_ms);
		return l->has_arrival;
	case BASE64:
		l->base64 = v;
		l->is_base64 = true;
		return quoted;
	case AT:
		l->at = v;
		return !quoted && v.p[0] == '{';
	case PARENTS:
		l->parents = v;
		return !quoted && v.p[0] == '[';
	case GEN:
		return set_u32(v, &l->gen);
	case SUB:
		l->has_sub = true;
		return set_u32(v, &l->sub) && l->sub <= RYDE_SUB_MAX;
	case LAST:
		return set_flag(v, &l->last);
	case REDRIVES:
		return set_u32(v, &l->redrives);
	case MORE:
		return set_flag(v, &l->more);
	case LF:
		return set_flag(v, &l->lf);
	case END:
		return set_flag(v, &l->end);
	case CLOSED:
		return set_flag(v, &l->closed);
	case MARK:
		if (!set_flag(v, &mark))
			return false;
		if (mark)
			l->kind = RYDE_LINE_MARK;
		return true;
	case OTHER:
		return true;
	}
	return false;
}

/* The payload is what stands between `"data":` and the brace that ends the line. */
static bool
set_data(struct ryde_line *l, struct cursor *c)
{
	size_t end = c->raw.n;

	while (end > c->at && (c->raw.p[end - 1] == ' ' || c->raw.p[end - 1] == '\t' ||
				  c->raw.p[end - 1] == '\r'))
		end--;
	if (end <= c->at || c->raw.p[end - 1] != '}')
		return false;
	end--;
	l->data = ryde_view_mem(c->raw.p + c->at, end - c->at);
	return l->data.n > 0;
}

/* The members behind the first. */
static int
members(struct ryde_line *l, struct cursor *c, struct ryde_err *err)
{
	struct ryde_view key, v;
	bool has_data = false;

	for (;;) {
		size_t comma = c->at;
		bool quoted;

		blanks(c);
		if (take(c, '}'))
			break;
		if (!take(c, ','))
			return ryde_err_set(
			    err, RYDE_EDATA, "broken envelope at byte %zu", c->at + 1);
		blanks(c);
		if (!string(c, &key))
			return ryde_err_set(
			    err, RYDE_EDATA, "broken envelope at byte %zu", c->at + 1);
		blanks(c);
		if (!take(c, ':'))
			return ryde_err_set(
			    err, RYDE_EDATA, "broken envelope at byte %zu", c->at + 1);
		blanks(c);
		if (ryde_view_is(key, "data")) {
			l->head = ryde_view_mem(c->raw.p, comma);
			if (!set_data(l, c))
				return ryde_err_set(
				    err, RYDE_EDATA, "envelope without an end");
			has_data = true;
			c->at = c->raw.n;
			break;
		}
		if (ryde_view_is(key, "dataBase64"))
			l->head = ryde_view_mem(c->raw.p, comma);
		quoted = c->at < c->raw.n && c->raw.p[c->at] == '"';
		if (!(quoted ? string(c, &v) : value(c, &v)) ||
		    !set_field(l, field_of(key), v, quoted))
			return ryde_err_set(err, RYDE_EDATA,
			    "envelope: bad value of \"%.*s\"",
			    (int)(key.n < 40 ? key.n : 40), key.p);
	}
	blanks(c);
	if (c->at != c->raw.n)
		return ryde_err_set(err, RYDE_EDATA, "something behind the envelope");
	if (l->kind != RYDE_LINE_MARK && !has_data && !l->is_base64)
		return ryde_err_set(err, RYDE_EDATA, "envelope without data");
	return 0;
}

int
ryde_line_parse(struct ryde_view raw, struct ryde_line *l, struct ryde_err *err)
{
	struct cursor c = {raw, 0};
	struct ryde_view version;

	ryde_line_be_payload(l, raw);
	if (ryde_line_is_bare(raw) || !begins(&c))
		return 0;
	l->kind = RYDE_LINE_ENVELOPE;
	l->data = ryde_view_mem(NULL, 0);
	if (!value(&c, &version) || !ryde_view_is(version, "1"))
		return ryde_err_set(err, RYDE_EDATA,
		    "an object whose first key is \"ryde\" is an envelope, and this is "
		    "none that "
		    "this version knows");
	return members(l, &c, err);
}

int
ryde_line_payload(const struct ryde_line *l, struct ryde_buf *scratch,
    struct ryde_view *out, struct ryde_err *err)
{
	if (!l->is_base64 && !l->lf) {
		*out = l->data;
		return 0;
	}
	ryde_buf_clear(scratch);
	if (l->is_base64) {
		if (ryde_json_string_base64_decode(scratch, l->base64, err) != 0)
			return ryde_err_prefix(err, "dataBase64");
	} else {
		ryde_buf_view(scratch, l->data);
	}
	if (l->lf)
		ryde_buf_putc(scratch, '\n');
	*out = ryde_buf_as_view(scratch);
	return ryde_buf_check(scratch, err);
}

bool
ryde_line_pos(const struct ryde_line *l, struct ryde_pos *pos)
{
	if (!ryde_pos_set(pos, l->seq))
		return false;
	if (l->has_sub && !l->last)
		pos->lines = l->sub + 1; /* at most RYDE_SUB_MAX */
	return true;
}

/* Strings without anything to escape, which nearly all are, are copied as they stand. */
static void
put_string(struct ryde_buf *b, const char *name, struct ryde_view v)
{
	bool plain = true;

	if (v.n == 0)
		return;
	for (size_t i = 0; i < v.n; i++)
		plain = plain && (unsigned char)v.p[i] >= 0x20 && v.p[i] != '"' &&
			v.p[i] != '\\';
	ryde_buf_puts(b, name);
	if (!plain) {
		ryde_json_string_put(b, v);
		return;
	}
	ryde_buf_putc(b, '"');
	ryde_buf_view(b, v);
	ryde_buf_putc(b, '"');
}

static void
put_number(struct ryde_buf *b, const char *name, uint64_t v)
{
	ryde_buf_puts(b, name);
	ryde_buf_u64(b, v);
}

void
ryde_line_put(struct ryde_buf *b, const struct ryde_line_head *h, struct ryde_view data,
    bool base64)
{
	ryde_buf_puts(b, "{\"ryde\":1");
	put_string(b, ",\"stream\":", h->stream);
	put_string(b, ",\"shardId\":", h->shard);
	put_string(b, ",\"sequenceNumber\":", h->seq);
	put_string(b, ",\"partitionKey\":", h->key);
	if (h->has_arrival) {
		char text[RYDE_TIMESTAMP_MAX];

		put_string(b, ",\"approximateArrivalTimestamp\":",
		    ryde_view_mem(text, ryde_timestamp_rfc3339(h->arrival_ms, text)));
	}
	put_string(b, ",\"ack\":", h->ack);
	if (h->gen != 0)
		put_number(b, ",\"gen\":", h->gen);
	if (h->has_sub)
		put_number(b, ",\"sub\":", h->sub);
	if (h->last)
		ryde_buf_puts(b, ",\"last\":true");
	if (h->more)
		ryde_buf_puts(b, ",\"more\":true");
	if (h->lf)
		ryde_buf_puts(b, ",\"lf\":1");
	if (h->redrives != 0)
		put_number(b, ",\"redrives\":", h->redrives);
	if (h->mark)
		ryde_buf_puts(b, ",\"mark\":true");
	if (h->end)
		ryde_buf_puts(b, ",\"end\":true");
	if (h->closed)
		ryde_buf_puts(b, ",\"closed\":true");
	if (h->parents.n > 0) {
		ryde_buf_puts(b, ",\"parents\":");
		ryde_buf_view(b, h->parents);
	}
	if (h->at.n > 0) {
		ryde_buf_puts(b, ",\"at\":");
		ryde_buf_view(b, h->at);
	}
	if (base64) {
		ryde_buf_puts(b, ",\"dataBase64\":\"");
		ryde_json_string_base64_put(b, data);
		ryde_buf_puts(b, "\"}\n");
	} else if (!h->mark) {
		ryde_buf_puts(b, ",\"data\":");
		ryde_buf_view(b, data);
		ryde_buf_puts(b, "}\n");
	} else {
		ryde_buf_puts(b, "}\n");
	}
}
