#include "aws/kinesis_put.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/base64.h"
#include "json/repeat.h"
#include "json/string.h"
#include "json/token.h"
#include "line/record.h"

#include <string.h>

void
ryde_kinesis_put_begin(struct ryde_buf *body, const char *name, const char *arn)
{
	ryde_buf_puts(body, arn[0] != '\0' ? "{\"StreamARN\":" : "{\"StreamName\":");
	ryde_json_string_put(body, ryde_view_of(arn[0] != '\0' ? arn : name));
	ryde_buf_puts(body, ",\"Records\":[");
}

void
ryde_kinesis_put_add(
    struct ryde_buf *body, const struct ryde_record_in *record, bool first)
{
	static const char data[] = ",{\"Data\":\"", key[] = "\",\"PartitionKey\":";
	size_t size = ryde_base64_size(record->data.n);
	char *to = ryde_buf_room(body, size + sizeof(data) + sizeof(key)), *start = to;

	if (to == NULL)
		return;
	memcpy(to, data + first, sizeof(data) - 1 - first);
	to += sizeof(data) - 1 - first;
	to += ryde_base64_encode(to, record->data.p, record->data.n);
	memcpy(to, key, sizeof(key) - 1);
	to += sizeof(key) - 1;
	ryde_buf_added(body, (size_t)(to - start));
	ryde_json_string_put(body, record->key);
	if (record->hash_key.n > 0) {
		ryde_buf_puts(body, ",\"ExplicitHashKey\":");
		ryde_json_string_put(body, record->hash_key);
	}
	ryde_buf_putc(body, '}');
}

void
ryde_kinesis_put_end(struct ryde_buf *body)
{
	ryde_buf_puts(body, "]}");
}

/* ---- the answer, in one pass ---- */

struct reading {
	struct ryde_json_scan s;
	struct ryde_json_fault fault;
	struct ryde_json_repeat repeat;
	struct ryde_kinesis_outcome *out;
	size_t n, got; /* outcomes asked for, entries found */
};

enum member { SEQ, SHARD, CODE, MESSAGE, OTHER };

static enum member
member_of(struct ryde_view key)
{
	if (ryde_view_is(key, "SequenceNumber"))
		return SEQ;
	if (ryde_view_is(key, "ShardId"))
		return SHARD;
	if (ryde_view_is(key, "ErrorCode"))
		return CODE;
	return ryde_view_is(key, "ErrorMessage") ? MESSAGE : OTHER;
}

static void
take_outcome(struct reading *r, const struct ryde_view values[OTHER])
{
	if (r->got < r->n)
		r->out[r->got] =
		    (struct ryde_kinesis_outcome){/* one that has both failed */
			.seq = values[CODE].n > 0 ? ryde_view_mem(NULL, 0) : values[SEQ],
			.shard = values[SHARD],
			.code = values[CODE],
			.message = values[MESSAGE]};
	r->got++;
}

/* An entry of any kind. */
static const char *
take_any(struct reading *r, const char *p)
{
	struct ryde_view values[OTHER] = {{NULL, 0}};
	struct ryde_json_value key, v;

	ryde_json_repeat_begin(&r->repeat, p);
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p != NULL && p < r->s.end && *p != '}') {
		enum member m;

		p = ryde_json_token_key(&r->s, p, &key);
		if (p != NULL)
			p = ryde_json_token_value(&r->s, p, 2, &v);
		if (p == NULL)
			return NULL;
		m = member_of(key.text);
		if (m != OTHER && v.kind == RYDE_JSON_STRING) {
			ryde_json_repeat_see(&r->repeat, m, &v);
			values[m] = v.text;
		}
		p = ryde_json_token_comma(&r->s, p, '}');
	}
	if (p == NULL || p == r->s.end)
		return p == NULL ? NULL : ryde_json_token_not_closed(&r->s, p, true);
	ryde_json_repeat_end(&r->repeat, p + 1);
	take_outcome(r, values);
	return p + 1;
}

static const char *
take_entry(struct reading *r, const char *p)
{
	struct ryde_view values[RYDE_JSON_REPEAT_VALUES] = {{NULL, 0}};
	struct ryde_json_value v;
	const char *behind;

	behind = ryde_json_repeat_next(&r->repeat, &r->s, p, values);
	if (behind != NULL) {
		take_outcome(r, values);
		return behind;
	}
	if (*p == '{')
		return take_any(r, p);
	take_outcome(r, values);
	return ryde_json_token_value(&r->s, p, 2, &v);
}

static const char *
take_entries(struct reading *r, const char *p)
{
	r->got = 0; /* of two lists the last one counts */
	r->repeat.n = 0;
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p != NULL && p < r->s.end && *p != ']') {
		p = take_entry(r, p);
		if (p != NULL)
			p = ryde_json_token_comma(&r->s, p, ']');
	}
	if (p == NULL || p == r->s.end)
		return p == NULL ? NULL : ryde_json_token_not_closed(&r->s, p, false);
	return p + 1;
}

static const char *
take_answer(struct reading *r)
{
	const char *p = ryde_json_token_begin(&r->s);
	struct ryde_json_value key, v;

	if (p == NULL || *p != '{')
		return p == NULL ? NULL : ryde_json_token_value(&r->s, p, 0, &v);
	p = ryde_json_token_blank(&r->s, p + 1);
	while (p != NULL && p < r->s.end && *p != '}') {
		bool records;

		p = ryde_json_token_key(&r->s, p, &key);
		if (p == NULL)
			return NULL;
		records = ryde_view_is(key.text, "Records");
		if (records)
			r->got = 0;
		if (records && p < r->s.end && *p == '[')
			p = take_entries(r, p);
		else
			p = ryde_json_token_value(&r->s, p, 1, &v);
		if (p != NULL)
			p = ryde_json_token_comma(&r->s, p, '}');
	}
	if (p == NULL || p == r->s.end)
		return p == NULL ? NULL : ryde_json_token_not_closed(&r->s, p, true);
	return p + 1;
}

int
ryde_kinesis_put_read(struct ryde_view answer, struct ryde_kinesis_outcome *out, size_t n,
    struct ryde_err *err)
{
	struct reading r = {.out = out, .n = n};

	ryde_json_token_init(&r.s, answer, &r.fault);
	if (ryde_json_token_finish(&r.s, take_answer(&r)) != 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "PutRecords: an answer that makes no sense: %s at byte %zu",
		    r.fault.what, r.fault.at + 1);
	if (r.got != n)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "PutRecords: an answer for %zu records, and %zu were sent", r.got, n);
	return 0;
}
