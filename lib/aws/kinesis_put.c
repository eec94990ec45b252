#include "aws/kinesis_put.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/base64.h"
#include "json/scan.h"
#include "json/string.h"
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

/* One entry of the answer. */
static void
read_outcome(struct ryde_view entry, struct ryde_kinesis_outcome *out)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;

	*out = (struct ryde_kinesis_outcome){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	if (!ryde_json_walk_begin(&w, entry))
		return;
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (v.kind != RYDE_JSON_STRING)
			continue;
		if (ryde_view_is(key.text, "SequenceNumber"))
			out->seq = v.text;
		else if (ryde_view_is(key.text, "ShardId"))
			out->shard = v.text;
		else if (ryde_view_is(key.text, "ErrorCode"))
			out->code = v.text;
		else if (ryde_view_is(key.text, "ErrorMessage"))
			out->message = v.text;
	}
	/* one that has both failed */
	if (out->code.n > 0)
		out->seq = ryde_view_mem(NULL, 0);
}

int
ryde_kinesis_put_read(struct ryde_view answer, struct ryde_kinesis_outcome *out, size_t n,
    struct ryde_err *err)
{
	struct ryde_json_value key, v, records = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_fault fault;
	struct ryde_json_walk w;
	size_t got = 0;

	if (ryde_json_check(answer, NULL, &fault) != 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "PutRecords: an answer that makes no sense: %s at byte %zu",
		    fault.what, fault.at + 1);
	if (ryde_json_walk_begin(&w, answer) && w.object)
		while (ryde_json_walk_next(&w, &key, &v))
			if (ryde_view_is(key.text, "Records"))
				records = v;
	if (records.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, records.text)) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			if (got < n)
				read_outcome(v.kind == RYDE_JSON_OBJECT
						 ? v.text
						 : ryde_view_mem(NULL, 0),
				    &out[got]);
			got++;
		}
	}
	if (got != n)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "PutRecords: an answer for %zu records, and %zu were sent", got, n);
	return 0;
}
