#include "aws/kinesis_stream.h"

#include "aws/answer.h"
#include "aws/ask.h"
#include "aws/kinesis_consumer.h"
#include "aws/positions.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "json/scan.h"
#include "json/string.h"
#include "store/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS_MAX 100000
#define HOUR_MS INT64_C(3600000)
/* How long a stream that is being made or deleted is waited for. */
#define SETTLE_MS 120000
#define LOOK_MS 500

/* ---- shards ---- */

void
ryde_kinesis_stream_put_name(const struct ryde_kinesis_stream *s, struct ryde_buf *body)
{
	ryde_buf_puts(body, "\"StreamName\":");
	ryde_json_string_put(body, ryde_view_of(s->name));
	if (s->by_arn) {
		ryde_buf_puts(body, ",\"StreamARN\":");
		ryde_json_string_put(body, ryde_view_of(s->arn));
	}
}

static int
find_id(const struct ryde_kinesis_stream *s, struct ryde_view id)
{
	for (size_t i = s->n; id.n > 0 && i > 0; i--)
		if (ryde_view_is(id, s->shards[i - 1].id))
			return (int)(i - 1);
	return -1;
}

int
ryde_kinesis_stream_find(
    struct ryde_kinesis_stream *s, struct ryde_view id, int hint, struct ryde_err *err)
{
	struct ryde_kinesis_range *ranges;
	struct ryde_shard *shards;
	int i;

	if (hint >= 0 && (size_t)hint < s->n && ryde_view_is(id, s->shards[hint].id))
		return hint;
	i = find_id(s, id);
	if (i >= 0)
		return i;
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 16 : 2 * s->cap;

		shards = realloc(s->shards, cap * sizeof(*shards));
		if (shards == NULL)
			return ryde_err_nomem(err);
		s->shards = shards;
		ranges = realloc(s->ranges, cap * sizeof(*ranges));
		if (ranges == NULL)
			return ryde_err_nomem(err);
		s->ranges = ranges;
		s->cap = cap;
	}
	if (s->n == SHARDS_MAX || id.n == 0 || id.n > RYDE_SHARD_ID_MAX)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: a list of shards that makes no sense", s->what);
	s->ranges[s->n] = (struct ryde_kinesis_range){0};
	s->shards[s->n] = (struct ryde_shard){.parent = -1, .parent2 = -1, .open = true};
	(void)ryde_answer_copy(s->shards[s->n].id, sizeof(s->shards[s->n].id), id);
	return (int)s->n++;
}

/* One entry of ListShards. */
static int
take_shard(struct ryde_kinesis_stream *s, struct ryde_view entry, struct ryde_err *err)
{
	struct ryde_view hashes = ryde_answer_member(entry, "HashKeyRange").text;
	struct ryde_view seqs = ryde_answer_member(entry, "SequenceNumberRange").text;
	struct ryde_view first = ryde_answer_text(hashes, "StartingHashKey"),
			 last = ryde_answer_text(hashes, "EndingHashKey");
	int i = ryde_kinesis_stream_find(s, ryde_answer_text(entry, "ShardId"), -1, err);
	struct ryde_shard *shard;

	if (i < 0)
		return -1;
	shard = &s->shards[i];
	shard->open = ryde_answer_text(seqs, "EndingSequenceNumber").n == 0;
	/* a parent that is not listed has expired */
	shard->parent = find_id(s, ryde_answer_text(entry, "ParentShardId"));
	shard->parent2 = find_id(s, ryde_answer_text(entry, "AdjacentParentShardId"));
	s->ranges[i].known =
	    ryde_hash_parse(first, &s->ranges[i].first) &&
	    ryde_hash_parse(last, &s->ranges[i].last) &&
	    ryde_answer_copy(shard->first_hash, sizeof(shard->first_hash), first) &&
	    ryde_answer_copy(shard->last_hash, sizeof(shard->last_hash), last);
	return 0;
}

struct ryde_aws_call *
ryde_kinesis_stream_ask(struct ryde_kinesis_stream *s, const char *operation,
    struct ryde_buf *body, struct ryde_aws_fault *fault, struct ryde_err *err)
{
	const struct ryde_ask ask = {.aws = s->aws,
	    .service = RYDE_AWS_KINESIS,
	    .operation = operation,
	    .what = s->what,
	    .region = ryde_kinesis_stream_region(s),
	    .body = body};

	return ryde_ask(&ask, fault, err);
}

/* One page; next becomes its NextToken. */
static int
list_page(struct ryde_kinesis_stream *s, struct ryde_buf *next, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_aws_call *call;
	struct ryde_json_walk w;
	struct ryde_view body;
	struct ryde_buf b;
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	int rc = -1;

	ryde_buf_init(&b, (size_t)2 << 20);
	ryde_buf_putc(&b, '{');
	if (next->n > 0)
		ryde_buf_printf(&b, "\"NextToken\":\"%s\"", ryde_buf_str(next));
	else
		ryde_kinesis_stream_put_name(s, &b);
	ryde_buf_puts(&b, ",\"MaxResults\":1000}");
	ryde_buf_clear(next);
	call = ryde_kinesis_stream_ask(s, "ListShards", &b, &fault, &why);
	if (call == NULL && fault.kind == RYDE_AWS_MISSING)
		(void)ryde_err_set(
		    err, RYDE_ENOINPUT, "%s is there no longer: it was deleted", s->what);
	else if (call == NULL)
		*err = why;
	if (call == NULL || ryde_answer_body(call, "ListShards", &body, err) != 0)
		goto out;
	v = ryde_answer_member(body, "Shards");
	if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text))
		while (ryde_json_walk_next(&w, &key, &v))
			if (take_shard(s, v.text, err) != 0)
				goto out;
	ryde_buf_view(next, ryde_answer_text(body, "NextToken"));
	rc = ryde_buf_check(next, err);
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

int
ryde_kinesis_stream_refresh(struct ryde_kinesis_stream *s, struct ryde_err *err)
{
	struct ryde_buf next;
	int rc;

	ryde_buf_init(&next, (size_t)1 << 20);
	do
		rc = list_page(s, &next, err);
	while (rc == 0 && next.n > 0);
	ryde_buf_free(&next);
	if (rc == 0)
		s->stale = false;
	if (rc == 0 && s->n == 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE, "%s has no shards", s->what);
	return rc;
}

static int
shards(struct ryde_stream *base, const struct ryde_shard **out, size_t *n,
    struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);

	if ((s->n == 0 || s->stale) && ryde_kinesis_stream_refresh(s, err) != 0)
		return -1;
	*out = s->shards;
	*n = s->n;
	return 0;
}

int
ryde_kinesis_stream_only(const struct ryde_kinesis_stream *s)
{
	int only = -1;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->shards[i].open)
			continue;
		if (only >= 0 || !s->ranges[i].known || s->ranges[i].first != 0 ||
		    s->ranges[i].last != ~(ryde_hash_value)0)
			return -1;
		only = (int)i;
	}
	return only;
}

int
ryde_kinesis_stream_shard_of(struct ryde_stream *base, struct ryde_view key,
    struct ryde_view hash_key, int *shard, struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);
	ryde_hash_value value;

	if (s->n == 0 && ryde_kinesis_stream_refresh(s, err) != 0)
		return -1;
	if (hash_key.n > 0 && !ryde_hash_parse(hash_key, &value))
		return -1;
	*shard = ryde_kinesis_stream_only(s);
	if (*shard >= 0)
		return 0;
	if (hash_key.n == 0)
		value = ryde_hash_key(s->hash, key);
	for (size_t i = 0; i < s->n && *shard < 0; i++)
		if (s->shards[i].open && s->ranges[i].known &&
		    value >= s->ranges[i].first && value <= s->ranges[i].last)
			*shard = (int)i;
	s->stale = s->stale || *shard < 0;
	if (*shard < 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: no open shard for a key: it is being resharded", s->what);
	return 0;
}

/* ---- opening ---- */

static void
close_stream(struct ryde_stream *base)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);

	ryde_kinesis_write_free(s->write);
	ryde_hash_free(s->hash);
	if (s->aws != NULL)
		ryde_aws_close(s->aws);
	free(s->shards);
	free(s->ranges);
	free(s);
}

static const char *
label(const struct ryde_stream *base)
{
	return ((const struct ryde_kinesis_stream *)base)->label;
}

static size_t
record_max(const struct ryde_stream *base)
{
	return ((const struct ryde_kinesis_stream *)base)->record_max;
}

static int64_t
retention_ms(const struct ryde_stream *base)
{
	return ((const struct ryde_kinesis_stream *)base)->retention_ms;
}

static struct ryde_group *
open_group(struct ryde_stream *base, const char *name, struct ryde_err *err)
{
	const struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);

	return ryde_positions_open(
	    s->aws, ryde_kinesis_stream_region(s), s->name, name, err);
}

static int
list_groups(struct ryde_stream *base, void (*fn)(void *arg, const char *name), void *arg,
    struct ryde_err *err)
{
	const struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);

	return ryde_positions_list(
	    s->aws, ryde_kinesis_stream_region(s), s->name, fn, arg, err);
}

static void
rehearse(struct ryde_stream *base, struct ryde_buf *requests)
{
	ryde_kinesis_stream_of(base)->rehearsal = requests;
}

static void
keep_order(struct ryde_stream *base)
{
	ryde_kinesis_stream_of(base)->ordered = true;
}

static int64_t
now_ms(struct ryde_stream *base)
{
	return ryde_clock_wall_ms() + ryde_aws_skew_ms(ryde_kinesis_stream_of(base)->aws);
}

static const struct ryde_stream_ops ops = {
    .close = close_stream,
    .label = label,
    .record_max = record_max,
    .retention_ms = retention_ms,
    .shards = shards,
    .write = ryde_kinesis_write,
    .write_wait = ryde_kinesis_write_wait,
    .rehearse = rehearse,
    .keep_order = keep_order,
    .shard_of = ryde_kinesis_stream_shard_of,
    .reader = ryde_kinesis_read_new,
    .group = open_group,
    .groups = list_groups,
    .now_ms = now_ms,
    .fan_out = ryde_kinesis_consumer_register,
    .consumer_delete = ryde_kinesis_consumer_delete,
    .consumers = ryde_kinesis_consumer_list,
};

void
ryde_kinesis_stream_name(
    struct ryde_kinesis_stream *s, const struct ryde_store_name *name)
{
	(void)snprintf(s->name, sizeof(s->name), "%s", name->name);
	(void)snprintf(s->what, sizeof(s->what), "stream %s", name->name);
	(void)snprintf(s->region, sizeof(s->region), "%s", name->region);
	(void)snprintf(s->label, sizeof(s->label), "%s", name->label);
	(void)snprintf(s->arn, sizeof(s->arn), "%s", name->arn);
	s->by_arn = name->arn[0] != '\0';
}

/* One look at the stream: status[16] becomes ACTIVE, CREATING, …, "" where there is none.
 */
static int
look(struct ryde_kinesis_stream *s, char *status, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	struct ryde_aws_call *call;
	struct ryde_view body, d;
	struct ryde_buf b;
	int rc = -1;

	status[0] = '\0';
	ryde_buf_init(&b, 4096);
	ryde_buf_putc(&b, '{');
	ryde_kinesis_stream_put_name(s, &b);
	ryde_buf_putc(&b, '}');
	call = ryde_kinesis_stream_ask(s, "DescribeStreamSummary", &b, &fault, &why);
	if (call == NULL) {
		if (fault.kind == RYDE_AWS_MISSING)
			rc = 0;
		else if (err != NULL)
			*err = why;
		goto out;
	}
	if (ryde_answer_body(call, "DescribeStreamSummary", &body, err) != 0)
		goto out;
	d = ryde_answer_member(body, "StreamDescriptionSummary").text;
	if (!ryde_answer_copy(status, 16, ryde_answer_text(d, "StreamStatus")) ||
	    status[0] == '\0') {
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "%s: the answer does not describe a stream: is the endpoint Kinesis?",
		    s->what);
		goto out;
	}
	s->record_max = (size_t)ryde_answer_number(d, "MaxRecordSizeInKiB", 1024) << 10;
	s->retention_ms = ryde_answer_number(d, "RetentionPeriodHours", 24) * HOUR_MS;
	s->on_demand =
	    ryde_view_is(ryde_answer_text(ryde_answer_member(d, "StreamModeDetails").text,
			     "StreamMode"),
		"ON_DEMAND");
	if (ryde_answer_text(d, "StreamARN").n > 0 &&
	    ryde_answer_copy(s->arn, sizeof(s->arn), ryde_answer_text(d, "StreamARN")))
		memcpy(s->label, s->arn, sizeof(s->label));
	rc = 0;
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return rc;
}

static int
missing(const struct ryde_kinesis_stream *s, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ENOINPUT,
	    "there is no stream %s here on AWS (%s); to create it: ryde-admin create "
	    "stream aws:%s",
	    s->name, s->region[0] != '\0' ? s->region : ryde_aws_region(s->aws, NULL),
	    s->name);
}

int
ryde_kinesis_stream_rest(int64_t ms, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + ms;

	while (ryde_clock_mono_ms() < until) {
		struct ryde_waits w = {0};

		ryde_waits_begin(&w);
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		if (ryde_signals_stop() > 0)
			return ryde_err_set(err, RYDE_ETEMPFAIL, "told to stop");
	}
	return 0;
}

/* What a stream is waited for to become. */
enum rest_of { USABLE, WHOLE, GONE };

static int
settle(struct ryde_kinesis_stream *s, enum rest_of what, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + SETTLE_MS, pause = LOOK_MS / 10;
	bool said = false;
	char status[16];

	for (;;) {
		if (look(s, status, err) != 0)
			return -1;
		if (status[0] == '\0')
			return what == GONE ? 0 : missing(s, err);
		if (what != GONE && strcmp(status, "ACTIVE") == 0)
			return 0;
		if (what == USABLE && strcmp(status, "UPDATING") == 0)
			return 0;
		if (what != GONE && strcmp(status, "DELETING") == 0)
			return ryde_err_set(
			    err, RYDE_ENOINPUT, "%s is being deleted", s->what);
		if (ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "%s is %s, still; try again", s->what, status);
		if (!said && ryde_clock_mono_ms() >= until - SETTLE_MS + 2000) {
			ryde_log(RYDE_LOG_NOTICE, "%s is %s: waiting", s->what, status);
			said = true;
		}
		if (ryde_kinesis_stream_rest(pause, err) != 0)
			return -1;
		pause = pause * 2 < LOOK_MS ? pause * 2 : LOOK_MS;
	}
}

int
ryde_kinesis_stream_settle(
    struct ryde_kinesis_stream *s, bool whole, struct ryde_err *err)
{
	return settle(s, whole ? WHOLE : USABLE, err);
}

struct ryde_stream *
ryde_kinesis_stream_open(const struct ryde_store_settings *settings,
    const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->base.ops = &ops;
	ryde_kinesis_stream_name(s, name);
	s->aws = ryde_aws_open(settings, err);
	s->hash = s->aws != NULL ? ryde_hash_new(err) : NULL;
	if (s->hash != NULL && settle(s, USABLE, err) == 0)
		return &s->base;
	close_stream(&s->base);
	return NULL;
}

/* ---- what there is ---- */

int
ryde_kinesis_stream_order(struct ryde_kinesis_stream *s, const char *operation,
    const char *more, struct ryde_aws_fault *fault, struct ryde_err *err)
{
	struct ryde_aws_call *call;
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	ryde_buf_putc(&b, '{');
	ryde_kinesis_stream_put_name(s, &b);
	ryde_buf_puts(&b, more);
	ryde_buf_putc(&b, '}');
	call = ryde_kinesis_stream_ask(s, operation, &b, fault, err);
	ryde_aws_free(call);
	ryde_buf_free(&b);
	return call != NULL ? 0 : -1;
}

int
ryde_kinesis_stream_open_shards(const struct ryde_kinesis_stream *s)
{
	int open = 0;

	for (size_t i = 0; i < s->n; i++)
		open += s->shards[i].open;
	return open;
}

static int
same_shape(struct ryde_kinesis_stream *s, int want, int64_t want_retention_ms,
    struct ryde_err *err)
{
	int open;

	if (settle(s, USABLE, err) != 0 || ryde_kinesis_stream_refresh(s, err) != 0)
		return -1;
	open = ryde_kinesis_stream_open_shards(s);
	if (open != want || s->retention_ms != want_retention_ms)
		return ryde_err_set(err, RYDE_ECANTCREAT,
		    "stream %s exists already, with %d shard%s and a retention of %lld h",
		    s->name, open, open == 1 ? "" : "s",
		    (long long)(s->retention_ms / HOUR_MS));
	return 0;
}

int
ryde_kinesis_stream_create(struct ryde_aws *aws, const struct ryde_store_name *name,
    int n_shards, int64_t want_retention_ms, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_aws_fault fault;
	int64_t hours;
	char more[80];
	int rc = -1;

	if (want_retention_ms == 0)
		want_retention_ms = 24 * HOUR_MS;
	hours = (want_retention_ms + HOUR_MS - 1) / HOUR_MS;
	if (hours < 24 || hours > 8760)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "Kinesis keeps records for 24 hours to 365 days (--retention)");
	ryde_kinesis_stream_name(&s, name);
	(void)snprintf(more, sizeof(more), ",\"ShardCount\":%d", n_shards);
	if (ryde_kinesis_stream_order(&s, "CreateStream", more, &fault, &why) != 0) {
		if (!ryde_aws_fault_is(&fault, "ResourceInUseException")) {
			*err = why;
			goto out;
		}
		rc = same_shape(&s, n_shards, hours * HOUR_MS, err);
		goto out;
	}
	if (settle(&s, USABLE, err) != 0)
		goto out;
	(void)snprintf(
	    more, sizeof(more), ",\"RetentionPeriodHours\":%lld", (long long)hours);
	rc = hours == 24 ? 0
			 : ryde_kinesis_stream_order(
			       &s, "IncreaseStreamRetentionPeriod", more, NULL, err);
out:
	free(s.shards);
	free(s.ranges);
	return rc;
}

int
ryde_kinesis_stream_delete(
    struct ryde_aws *aws, const struct ryde_store_name *name, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	char status[16];

	ryde_kinesis_stream_name(&s, name);
	if (look(&s, status, err) != 0)
		return -1;
	if (status[0] == '\0')
		return ryde_err_set(
		    err, RYDE_ENOINPUT, "there is no stream %s on AWS", s.name);
	/* positions without their stream would be taken for those of the next one of that
	 * name */
	if (ryde_positions_delete_all(aws, ryde_kinesis_stream_region(&s), s.name, err) !=
	    0)
		return -1;
	if (strcmp(status, "DELETING") != 0 &&
	    ryde_kinesis_stream_order(&s, "DeleteStream", "", NULL, err) != 0)
		return -1;
	return settle(&s, GONE, err);
}

int
ryde_kinesis_stream_exists(struct ryde_aws *aws, const struct ryde_store_name *name,
    bool *exists, struct ryde_err *err)
{
	struct ryde_kinesis_stream s = {.aws = aws};
	char status[16];

	ryde_kinesis_stream_name(&s, name);
	if (look(&s, status, err) != 0)
		return -1;
	*exists = status[0] != '\0';
	return 0;
}

int
ryde_kinesis_stream_list(struct ryde_aws *aws, void (*fn)(void *arg, const char *name),
    void *arg, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_aws_call *call = NULL;
	struct ryde_json_walk w;
	struct ryde_view body;
	struct ryde_buf b, last;
	struct ryde_ask ask = {.aws = aws,
	    .service = RYDE_AWS_KINESIS,
	    .operation = "ListStreams",
	    .body = &b};
	bool more = true;
	int rc = -1;

	ryde_buf_init(&b, 4096);
	ryde_buf_init(&last, 256);
	while (more) {
		ryde_buf_clear(&b);
		ryde_buf_puts(&b, "{\"Limit\":100");
		if (last.n > 0)
			ryde_buf_printf(&b, ",\"ExclusiveStartStreamName\":\"%s\"",
			    ryde_buf_str(&last));
		ryde_buf_putc(&b, '}');
		ryde_aws_free(call);
		call = ryde_ask(&ask, NULL, err);
		if (call == NULL ||
		    ryde_answer_body(call, "ListStreams", &body, err) != 0)
			goto out;
		v = ryde_answer_member(body, "StreamNames");
		more = false;
		if (v.kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v.text)) {
			while (ryde_json_walk_next(&w, &key, &v)) {
				ryde_buf_clear(&last);
				ryde_buf_view(&last, v.text);
				fn(arg, ryde_buf_str(&last));
				more = true;
			}
		}
		v = ryde_answer_member(body, "HasMoreStreams");
		more = more && v.kind == RYDE_JSON_TRUE;
	}
	rc = 0;
out:
	ryde_aws_free(call);
	ryde_buf_free(&b);
	ryde_buf_free(&last);
	return rc;
}
