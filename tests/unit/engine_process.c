/* The pure parts of ryde-process, and single runs of commands. Sources are named at each
 * table. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/signals.h"
#include "base/waits.h"
#include "check.h"
#include "engine/process_batch.h"
#include "engine/process_call.h"
#include "engine/process_child.h"
#include "engine/process_emit.h"
#include "engine/process_event.h"
#include "engine/process_fail.h"
#include "engine/process_response.h"
#include "engine/process_retry.h"
#include "engine/process_spawn.h"
#include "engine/process_tumble.h"
#include "json/scan.h"

#include <stdlib.h>

extern char **environ;

#define A RYDE_PROCESS_RETRY_ADVANCE
#define B RYDE_PROCESS_RETRY_BISECT
#define D RYDE_PROCESS_RETRY_DELAY
#define X RYDE_PROCESS_RETRY_DISCARD

/* Source: MaximumRetryAttempts and BisectBatchOnFunctionError in Lambda's developer
 * guide: N retries are N + 1 calls. */
static const struct {
	int64_t retries;
	bool bisect;
	enum ryde_process_retry_outcome outcome;
	unsigned calls;
	size_t records;
	enum ryde_process_retry_do want;
	int64_t delay_ms;
} decisions[] = {
    {2, false, RYDE_PROCESS_RETRY_OK, 1, 9, A, 0},
    {2, false, RYDE_PROCESS_RETRY_FAILED, 1, 9, D, 500},
    {2, false, RYDE_PROCESS_RETRY_FAILED, 2, 9, D, 1000},
    {2, false, RYDE_PROCESS_RETRY_FAILED, 3, 9, X, 0},
    {0, false, RYDE_PROCESS_RETRY_FAILED, 1, 1, X, 0},
    {-1, false, RYDE_PROCESS_RETRY_FAILED, 1000000, 1, D, 30000},
    {2, true, RYDE_PROCESS_RETRY_FAILED, 1, 9, B, 0},
    {0, true, RYDE_PROCESS_RETRY_FAILED, 1, 2, B, 0},
    {2, true, RYDE_PROCESS_RETRY_FAILED, 1, 1, D, 500},
    {2, true, RYDE_PROCESS_RETRY_FAILED, 3, 1, X, 0},
    {0, true, RYDE_PROCESS_RETRY_NOT_RUN, 0, 9, D, 500},
};

static void
test_decisions(void)
{
	for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++) {
		const struct ryde_process_retry_rules rules = {
		    .retries = decisions[i].retries,
		    .max_age_ms = -1,
		    .bisect = decisions[i].bisect,
		    .base_ms = 1000,
		    .cap_ms = 60000};
		struct ryde_process_retry got = ryde_process_retry_decide(&rules,
		    decisions[i].outcome, decisions[i].calls, decisions[i].records, 0.5);

		CHECK(got.what == decisions[i].want, "row %zu: %d", i, (int)got.what);
		CHECK(got.delay_ms == decisions[i].delay_ms, "row %zu: %lld", i,
		    (long long)got.delay_ms);
	}
}

static void
test_expired(void)
{
	struct ryde_process_retry_rules rules = {.max_age_ms = -1};

	CHECK(!ryde_process_retry_expired(&rules, 0, INT64_MAX), " ");
	rules.max_age_ms = 60000;
	CHECK(!ryde_process_retry_expired(&rules, 1000, 61000),
	    "exactly that old is not older");
	CHECK(ryde_process_retry_expired(&rules, 1000, 61001), " ");
	CHECK(!ryde_process_retry_expired(&rules, 61000, 1000), "from the future");
}

static void
add(struct ryde_process_batch *b, const char *data, const char *seq, uint32_t source)
{
	const struct ryde_process_batch_record r = {.data = ryde_view_of(data),
	    .seq = ryde_view_of(seq),
	    .key = ryde_view_of("k"),
	    .source = source,
	    .weight = strlen(data) + 1,
	    .arrival_ms = 1573691886021,
	    .has_arrival = true};
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_process_batch_add(b, &r, &err) == 0, "%s", err.msg);
}

static void
fill(struct ryde_process_batch *b, int n)
{
	char data[16];

	for (int i = 1; i <= n; i++) {
		snprintf(data, sizeof data, "%d", i);
		add(b, data, data, 0);
	}
}

/* Bisecting goes down the lower half first and keeps the order: the workshop's nine
 * records, the fifth bad. */
static void
test_bisect(void)
{
	static const struct {
		const char *first;
		size_t size;
		bool fails;
	} calls[] = {{"1", 9, true}, {"1", 4, false}, {"5", 5, true}, {"5", 2, true},
	    {"5", 1, false}, {"6", 1, false}, {"7", 3, false}};
	const struct ryde_process_batch_limits limits = {10, 1000, 0};
	struct ryde_process_batch b = {0};

	fill(&b, 9);
	CHECK(!ryde_process_batch_full(&b, &limits), " ");
	ryde_process_batch_cut(&b, &limits);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		CHECK(ryde_process_batch_size(&b) == calls[i].size, "call %zu: %zu", i,
		    ryde_process_batch_size(&b));
		CHECK(ryde_view_is(ryde_process_batch_at(&b, 0)->data, calls[i].first),
		    " ");
		if (calls[i].fails)
			ryde_process_batch_bisect(&b);
		else
			ryde_process_batch_release(&b, calls[i].size);
	}
	CHECK(ryde_process_batch_size(&b) == 0 && b.n == 0 && b.bytes == 0, " ");
	CHECK(b.n_chunks == 0, "all memory is given back");
	ryde_process_batch_free(&b);
}

static void
test_cut(void)
{
	struct ryde_process_batch b = {0};
	const struct ryde_process_batch_limits by_count = {3, 1000, 0},
					       by_bytes = {100, 5, 0}, tiny = {100, 1, 0};

	fill(&b, 4);
	add(&b, "5", "5", 1);
	ryde_process_batch_cut(&b, &by_count);
	CHECK(ryde_process_batch_size(&b) == 3, " ");
	ryde_process_batch_release(&b, 3);
	ryde_process_batch_cut(&b, &by_count);
	CHECK(ryde_process_batch_size(&b) == 1, "two sources are never in one batch");
	ryde_process_batch_release(&b, 1);
	ryde_process_batch_release(&b, 1);
	fill(&b, 4);
	ryde_process_batch_cut(&b, &by_bytes);
	CHECK(ryde_process_batch_size(&b) == 2, "two bytes each, newline included");
	CHECK(ryde_process_batch_total(&b) == 2, " ");
	ryde_process_batch_release(&b, 2);
	ryde_process_batch_cut(&b, &tiny);
	CHECK(ryde_process_batch_size(&b) == 1, "at least one");
	CHECK(ryde_process_batch_truncate(&b, 1) == 1 && b.n == 1, " ");
	ryde_process_batch_free(&b);
}

static void
test_input(void)
{
	const struct ryde_process_batch_limits limits = {100000, 100 << 20, 0};
	struct ryde_process_batch b = {0};
	struct ryde_err err = RYDE_ERR_INIT;
	struct iovec *iov = NULL;
	size_t cap = 0, bytes = 0, sum = 0;
	int n = 0;

	fill(&b, 20000);
	ryde_process_batch_cut(&b, &limits);
	CHECK(ryde_process_batch_input(&b, &iov, &cap, &n, &err) == 0, " ");
	CHECK(n > 1 && n < 30, "a few long runs: %d", n);
	CHECK(memcmp(iov[0].iov_base, "1\n2\n3\n", 6) == 0, " ");
	for (int i = 0; i < n; i++)
		bytes += iov[i].iov_len;
	for (int i = 1; i <= 20000; i++)
		sum += (size_t)snprintf(NULL, 0, "%d\n", i);
	CHECK(bytes == sum, "%zu, %zu", bytes, sum);
	free(iov);
	ryde_process_batch_free(&b);
}

/* Source: the on-failure record of Kinesis event source mappings in Lambda's developer
 * guide. */
static void
test_document(void)
{
	const struct ryde_process_batch_limits limits = {100, 1000, 0};
	struct ryde_process_batch b = {0};
	struct ryde_process_fail_batch doc = {.batch = &b,
	    .stream = "local:s",
	    .shard = "shardId-000000000000",
	    .function = "command:h",
	    .request = "",
	    .region = "us-east-1",
	    .error = "exit status 1",
	    .calls = 3};
	struct ryde_json_fault fault;
	struct ryde_buf out;

	ryde_clock_init("@1573691886021", NULL);
	add(&b, "{\"a\":\"x\"}", "4959", 0);
	add(&b, "\"/wA=\"", "4960", 0);
	ryde_process_batch_at(&b, 1)->keep_data = ryde_process_batch_at(&b, 1)->base64 =
	    true;
	ryde_process_batch_cut(&b, &limits);
	ryde_buf_init(&out, 1 << 20);
	ryde_process_fail_document(&out, &doc, 2, "ID", false, false);
	CHECK(
	    strcmp(ryde_buf_str(&out),
		"{\"requestContext\":{\"requestId\":\"ID\",\"functionArn\":\"command:h\","
		"\"condition\":\"RetryAttemptsExhausted\",\"approximateInvokeCount\":3},"
		"\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\","
		"\"functionError\":\"Unhandled\"},\"version\":\"1.0\","
		"\"timestamp\":\"2019-11-14T00:38:06.021Z\",\"KinesisBatchInfo\":{"
		"\"shardId\":\"shardId-000000000000\",\"startSequenceNumber\":\"4959\","
		"\"endSequenceNumber\":\"4960\","
		"\"approximateArrivalOfFirstRecord\":\"2019-11-14T00:38:06.021Z\","
		"\"approximateArrivalOfLastRecord\":\"2019-11-14T00:38:06.021Z\","
		"\"batchSize\":2,\"streamArn\":\"local:s\"},\"ryde\":{\"redrives\":0,"
		"\"error\":\"exit status 1\",\"records\":[{\"sequenceNumber\":\"4959\","
		"\"partitionKey\":\"k\","
		"\"approximateArrivalTimestamp\":\"2019-11-14T00:38:06.021Z\"},"
		"{\"sequenceNumber\":\"4960\",\"partitionKey\":\"k\","
		"\"approximateArrivalTimestamp\":\"2019-11-14T00:38:06.021Z\","
		"\"dataBase64\":\"/wA=\"}]}}") == 0,
	    "%s", ryde_buf_str(&out));
	doc.response = RYDE_PROCESS_FAIL_ANSWERED;
	ryde_buf_clear(&out);
	ryde_process_fail_document(&out, &doc, 2, "ID", false, false);
	CHECK(strstr(ryde_buf_str(&out), "\"responseContext\":{\"statusCode\":200,"
					 "\"executedVersion\":\"$LATEST\","
					 "\"functionError\":null},") != NULL,
	    "%s", ryde_buf_str(&out));
	ryde_buf_clear(&out);
	doc.condition = RYDE_PROCESS_FAIL_EXPIRED;
	doc.calls = 0;
	ryde_process_fail_document(&out, &doc, 2, "ID", true, false);
	CHECK(ryde_json_check(ryde_buf_as_view(&out), NULL, &fault) == 0, " ");
	CHECK(strstr(ryde_buf_str(&out), "responseContext") == NULL, " ");
	CHECK(strstr(ryde_buf_str(&out), "\"condition\":\"RecordAgeExceeded\","
					 "\"approximateInvokeCount\":1}") != NULL,
	    " ");
	CHECK(
	    strstr(ryde_buf_str(&out), "\\\"data\\\":\\\"eyJhIjoieCJ9\\\"") != NULL, " ");
	CHECK(strstr(ryde_buf_str(&out), "\\\"approximateArrivalTimestamp\\\":"
					 "1573691886.021}") != NULL,
	    " ");
	ryde_buf_free(&out);
	ryde_process_batch_free(&b);
	ryde_clock_init(NULL, NULL);
}

/* Source: the event of Kinesis mappings in Lambda's developer guide, and of its tumbling
 * windows; recorded ones for the order of keys. */
static void
test_event(void)
{
	const struct ryde_process_event_source source = {
	    "local:s", "shardId-000000000006", "us-east-1"};
	const struct ryde_process_event_window window = {
	    .start_ms = INT64_C(1607497440000),
	    .end_ms = INT64_C(1607497560000),
	    .state = ryde_view_of("{\"1\":282}"),
	    .final = true};
	struct ryde_process_batch b = {0};
	struct ryde_buf out;

	add(&b, "\"Hello\"", "4959", 0);
	ryde_process_batch_at(&b, 0)->lf = true;
	ryde_buf_init(&out, 1 << 20);
	ryde_process_event_put(&out, &source, &b, 0, 1, NULL);
	CHECK(strcmp(ryde_buf_str(&out),
		  "{\"Records\":[{\"kinesis\":{\"kinesisSchemaVersion\":\"1.0\","
		  "\"partitionKey\":\"k\",\"sequenceNumber\":\"4959\","
		  "\"data\":\"IkhlbGxvIgo=\","
		  "\"approximateArrivalTimestamp\":1573691886.021},"
		  "\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\","
		  "\"eventID\":\"shardId-000000000006:4959\","
		  "\"eventName\":\"aws:kinesis:record\","
		  "\"invokeIdentityArn\":\"arn:aws:iam::000000000000:role/ryde-process\","
		  "\"awsRegion\":\"us-east-1\",\"eventSourceARN\":"
		  "\"arn:aws:kinesis:us-east-1:000000000000:stream/s\"}]}") == 0,
	    "%s", ryde_buf_str(&out));
	CHECK(out.n <= RYDE_PROCESS_EVENT_AROUND + ryde_process_event_bytes(&source,
						       ryde_process_batch_at(&b, 0)),
	    "the weight is at least what is written");
	ryde_buf_clear(&out);
	ryde_process_event_put(&out, &source, &b, 0, 0, &window);
	CHECK(strcmp(ryde_buf_str(&out),
		  "{\"Records\":[],\"window\":{\"start\":\"2020-12-09T07:04:00Z\","
		  "\"end\":\"2020-12-09T07:06:00Z\"},\"state\":{\"1\":282},"
		  "\"shardId\":\"shardId-000000000006\",\"eventSourceARN\":"
		  "\"arn:aws:kinesis:us-east-1:000000000000:stream/s\","
		  "\"isFinalInvokeForWindow\":true,"
		  "\"isWindowTerminatedEarly\":false}") == 0,
	    "%s", ryde_buf_str(&out));
	ryde_buf_free(&out);
	ryde_process_batch_free(&b);
}

/* Records of all forms never take more in an event than they weigh. */
static void
test_event_weight(void)
{
	static const struct {
		const char *data, *stream, *shard;
		bool base64, lf;
	} rows[] = {{"1", "", "", false, false},
	    {"{\"a\":\"\xc3\xa9\"}", "local:s", "shardId-000000000000", false, true},
	    {"\"/wA=\"", "arn:aws:kinesis:eu-west-1:123456789012:stream/x", "a\"b\x01",
		true, true},
	    {"\"/w==\"", "aws:x", "s", true, false}};
	struct ryde_buf out;

	ryde_buf_init(&out, 1 << 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ryde_process_event_source source = {
		    rows[i].stream, rows[i].shard, "eu-west-1"};
		struct ryde_process_batch b = {0};
		struct ryde_process_batch_record *r;
		size_t one;

		add(&b, rows[i].data, i % 2 == 0 ? "" : "49590338271490256608559692538",
		    0);
		add(&b, rows[i].data, i % 2 == 0 ? "" : "49590338271490256608559692539",
		    0);
		for (size_t k = 0; k < 2; k++) {
			r = ryde_process_batch_at(&b, k);
			r->base64 = rows[i].base64;
			r->lf = rows[i].lf;
			r->number = UINT64_MAX;
		}
		ryde_buf_clear(&out);
		ryde_process_event_put(&out, &source, &b, 0, 1, NULL);
		one = out.n;
		ryde_buf_clear(&out);
		ryde_process_event_put(&out, &source, &b, 0, 2, NULL);
		CHECK(out.n - one <=
			  ryde_process_event_bytes(&source, ryde_process_batch_at(&b, 1)),
		    "row %zu: %zu", i, out.n - one);
		ryde_process_batch_free(&b);
	}
	ryde_buf_free(&out);
}

/*
 * Source: ReportBatchItemFailures in Lambda's developer guide, and recorded runs of each
 * shape; the batch is the records 101 to 105.
 */
static void
test_response(void)
{
	static const struct {
		const char *text;
		size_t done;
		bool partial, stateful;
		const char *state;
	} rows[] = {
	    {"", 5, true, false, ""},
	    {" \n", 5, true, false, ""},
	    {"\"\"", 5, true, false, ""},
	    {"[]", 5, true, false, ""},
	    {"null", 5, true, false, ""},
	    {"{}", 5, true, false, ""},
	    {"\"Delivered 9 records\"", 5, true, false, ""},
	    {"{\"statusCode\":200}", 5, true, false, ""},
	    {"{\"batchItemFailures\":[]}", 5, true, false, ""},
	    {"{\"batchItemFailures\":null}", 5, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"103\"}]}", 2, true, false,
		""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"00103\"}]}", 2, true, false,
		""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"105\"},"
	     "{\"itemIdentifier\":\"102\"},{\"itemIdentifier\":\"104\"}]}",
		1, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"101\"}]}", 0, true, false,
		""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"\"}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":null}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":103}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"103\"},"
	     "{\"itemIdentifier\":\"106\"}]}",
		0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"1\"}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"x\"}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"foo\":123}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"foo\":null}]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":[\"103\"]}", 0, true, false, ""},
	    {"{\"batchItemFailures\":\"103\"}", 0, true, false, ""},
	    {"{\"batchItemFailures\":{}}", 0, true, false, ""},
	    {"{\"b\\u0061tchItemFailures\":[{\"itemIdentifier\":\"103\"}]}", 2, true,
		false, ""},
	    {"{", 0, true, false, ""},
	    {"done", 0, true, false, ""},
	    {"{\"batchItemFailures\":[{\"itemIdentifier\":\"103\"}]}", 5, false, false,
		""},
	    {"{\"state\":{\"a\":1}}", 5, false, true, "{\"a\":1}"},
	    {"{\"state\":{},\"batchItemFailures\":[{\"itemIdentifier\":\"103\"}]}", 2,
		true, true, "{}"},
	    {"{\"batchItemFailures\":[]}", 0, true, true, ""},
	    {"{\"state\":null}", 0, false, true, ""},
	    {"{\"state\":[]}", 0, false, true, ""},
	    {"null", 0, false, true, ""},
	    {"", 0, false, true, ""},
	};
	struct ryde_process_batch b = {0};
	char seq[8];

	for (int i = 1; i <= 5; i++) {
		snprintf(seq, sizeof seq, "%d", 100 + i);
		add(&b, "{}", seq, 0);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_process_response r;

		ryde_process_response_read(&r, ryde_view_of(rows[i].text), &b, 5,
		    rows[i].partial, rows[i].stateful);
		CHECK(r.done == rows[i].done, "row %zu: %zu (%s)", i, r.done, r.what);
		CHECK((r.what[0] != '\0') == (r.done < 5), "row %zu: %s", i, r.what);
		CHECK(ryde_view_is(r.state, rows[i].state), "row %zu", i);
	}
	ryde_process_batch_free(&b);
}

/* Several items of one record (-f) have one number: the first of them counts. Lines
 * without a number have that of their line. */
static void
test_response_numbers(void)
{
	static const char two[] = "{\"batchItemFailures\":[{\"itemIdentifier\":\"8\"}]}";
	struct ryde_process_batch b = {0};
	struct ryde_process_response r;

	add(&b, "1", "7", 0);
	for (int i = 0; i < 3; i++)
		add(&b, "2", "8", 0);
	ryde_process_response_read(&r, ryde_view_of(two), &b, 4, true, false);
	CHECK(r.done == 1, "%zu", r.done);
	ryde_process_batch_free(&b);
	for (uint64_t i = 0; i < 4; i++) {
		add(&b, "1", "", 0);
		ryde_process_batch_at(&b, i)->number = 10 - i; /* not even in order */
	}
	ryde_process_response_read(&r, ryde_view_of(two), &b, 4, true, false);
	CHECK(r.done == 2, "%zu", r.done);
	ryde_process_batch_free(&b);
}

static void
test_response_error(void)
{
	static const struct {
		const char *text, *what;
	} rows[] = {{"{\"errorMessage\":\"no\",\"errorType\":\"Error\"}", "Error: no"},
	    {"{\"errorMessage\":null}", "null"}, {"{\"error\":1}", NULL}, {"[", NULL},
	    {"null", NULL}};
	char what[40];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool is = ryde_process_response_error(
		    ryde_view_of(rows[i].text), what, sizeof what);

		CHECK(is == (rows[i].what != NULL), "row %zu", i);
		CHECK(!is || strcmp(what, rows[i].what) == 0, "row %zu: %s", i, what);
	}
}

/* Source: the contract in engine/process_tumble.h; windows are aligned to the epoch. */
static void
test_tumble_over(void)
{
	static const struct {
		int64_t later_ms, heard_ms, data_ms;
		bool own_time, marked, over;
		int64_t until_ms;
	} rows[] = {
	    {INT64_MIN, 0, 119999, true, true, false, RYDE_WAITS_FOREVER},
	    {120000, 0, 0, false, true, true, RYDE_WAITS_FOREVER},
	    {119999, 0, 500000, false, true, false, RYDE_WAITS_FOREVER},
	    {INT64_MIN, 900000, 119000, true, false, false, 1001000},
	    {INT64_MIN, 900000, 120000, true, false, true, 1000000},
	    {INT64_MIN, 900000, 500000, false, false, false, 1020000},
	    {INT64_MIN, 880000, 500000, false, false, true, 1000000},
	    {INT64_MIN, 880000, 100000, false, false, false, 1020000},
	};
	struct ryde_process_tumble t;
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_process_tumble_init(&t, 60000);
	CHECK(ryde_process_tumble_open(&t, 119999, &err) == 0, " ");
	CHECK(t.start_ms == 60000 && ryde_process_tumble_end_ms(&t) == 120000, " ");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t until_ms;

		t.later_ms = rows[i].later_ms;
		t.heard_mono_ms = rows[i].heard_ms;
		t.own_time = rows[i].own_time;
		t.marked = rows[i].marked;
		CHECK(ryde_process_tumble_over(&t, rows[i].data_ms, 1000000, &until_ms) ==
			  rows[i].over,
		    "row %zu", i);
		CHECK(until_ms == rows[i].until_ms, "row %zu: %lld", i,
		    (long long)until_ms);
	}
	CHECK(ryde_process_tumble_open(&t, -1, &err) == 0 && t.start_ms == -60000,
	    "before the epoch windows round down too");
	ryde_process_tumble_free(&t);
}

static void
test_tumble_state(void)
{
	struct ryde_process_tumble t;
	struct ryde_err err = RYDE_ERR_INIT;
	char *large = malloc(RYDE_PROCESS_TUMBLE_STATE_MAX + 1);

	if (large == NULL)
		return;
	memset(large, ' ', RYDE_PROCESS_TUMBLE_STATE_MAX + 1);
	ryde_process_tumble_init(&t, 1000);
	ryde_process_tumble_open(&t, 0, &err);
	CHECK(ryde_view_is(ryde_process_tumble_window(&t).state, "{}"), " ");
	CHECK(ryde_process_tumble_state(
		  &t, ryde_view_mem(large, RYDE_PROCESS_TUMBLE_STATE), &err) == 0 &&
		  t.closing == RYDE_PROCESS_TUMBLE_NO,
	    "1 MiB is not too much");
	CHECK(ryde_process_tumble_state(
		  &t, ryde_view_mem(large, RYDE_PROCESS_TUMBLE_STATE + 1), &err) == 0 &&
		  t.closing == RYDE_PROCESS_TUMBLE_EARLY,
	    "a byte more ends the window early");
	for (uint64_t i = 1; i <= 300; i++)
		CHECK(ryde_process_tumble_keep(&t, i, i == 300, &err) == 0, " ");
	CHECK(t.n == 300 && t.handled == 299 && t.failed == 1, " ");
	ryde_process_tumble_closed(&t);
	CHECK(t.open && t.n == 0 && t.handled == 0, "the same window goes on");
	CHECK(ryde_view_is(ryde_process_tumble_window(&t).state, "{}"), " ");
	CHECK(ryde_process_tumble_state(
		  &t, ryde_view_mem(large, RYDE_PROCESS_TUMBLE_STATE_MAX + 1), &err) != 0,
	    " ");
	CHECK(ryde_view_is(ryde_process_tumble_window(&t).state, "{}"), "unchanged");
	ryde_process_tumble_free(&t);
	free(large);
}

static void
test_emit_check(void)
{
	static const struct {
		const char *output, *error;
	} rows[] = {{"", ""}, {"{\"a\":1}\n2\n", ""}, {"1", ""},
	    {"1\n{\n", "line 2 of its output is not JSON"}, {"1\n\n", "line 2"},
	    {"1 2\n", "line 1"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		int r = ryde_process_emit_check(ryde_view_of(rows[i].output), &err);

		CHECK((r == 0) == (*rows[i].error == '\0'), "row %zu", i);
		CHECK(strncmp(err.msg, rows[i].error, strlen(rows[i].error)) == 0, "%s",
		    err.msg);
	}
}

/* Runs a script to its end; the caller frees. */
static struct ryde_process_call *
run_script(const char *script, struct iovec *input, int n_input, bool capture,
    int64_t timeout_ms)
{
	char *copy = strdup(script);
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, copy, NULL};
	struct ryde_process_call_task task = {.path = "/bin/sh",
	    .argv = argv,
	    .envp = environ,
	    .input = input,
	    .n_input = n_input,
	    .capture = capture,
	    .timeout_ms = timeout_ms};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_process_call *c = ryde_process_child_start(&task, &err);
	struct ryde_waits w = {.n = 0};

	free(copy);
	CHECK(c != NULL, "%s", err.msg);
	while (c != NULL && !c->ops->turn(c, ryde_clock_mono_ms())) {
		ryde_waits_begin(&w);
		c->ops->wait(c, &w);
		ryde_waits_poll(&w, &err);
	}
	return c;
}

/* Source: the contract in engine/process_child.h. */
static void
test_children(void)
{
	static const struct {
		const char *script, *output, *what;
		bool capture, ok;
		int64_t timeout_ms;
	} rows[] = {
	    {"cat", "hello\n", "exit status 0", true, true, 5000},
	    {"cat; exit 3", NULL, "exit status 3", true, false, 5000},
	    {"kill -9 $$", NULL, "killed by signal 9 (Killed)", true, false, 5000},
	    {"exec sleep 60", NULL, "timed out after 0.100 s", true, false, 100},
	    {"exec sleep 60", NULL, "timed out after 0.100 s", false, false, 100},
	    {"trap '' TERM; echo x; sleep 60", NULL, "timed out after 0.050 s", true,
		false, 50},
	    {"exec <&-; exit 0", "", "exit status 0", true, true, 5000},
	    {"sleep 60 & echo y", "y\n", "exit status 0", true, true, 5000},
	    {"sleep 60 & exit 0", NULL, "exit status 0", false, true, 5000},
	    {"sleep 60 & exit 1", NULL, "exit status 1", true, false, 5000},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct iovec input = {(char[]){"hello\n"}, 6};
		struct ryde_process_call *c = run_script(
		    rows[i].script, &input, 1, rows[i].capture, rows[i].timeout_ms);
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_view output;

		CHECK(c->succeeded == rows[i].ok, "row %zu", i);
		CHECK(strcmp(c->what, rows[i].what) == 0, "row %zu: %s", i, c->what);
		CHECK(c->ended_ms - c->started_ms < 4000, "row %zu", i);
		if (rows[i].output != NULL) {
			CHECK(c->ops->output(c, &output, &err) == 0, "%s", err.msg);
			CHECK(ryde_view_is(output, rows[i].output), "row %zu: %.*s", i,
			    (int)output.n, output.p);
		}
		c->ops->free(c);
	}
}

static void
test_much_data(void)
{
	size_t size = 20 << 20;
	char *data = malloc(size);
	struct ryde_err err = RYDE_ERR_INIT;
	struct iovec input[2];
	struct ryde_process_call *c;
	struct ryde_view output = {NULL, 0};

	if (data == NULL)
		return;
	for (size_t i = 0; i < size; i++)
		data[i] = (char)('a' + i % 23);
	input[0] = (struct iovec){data, 1000};
	input[1] = (struct iovec){data + 1000, size - 1000};
	c = run_script("cat", input, 2, true, 30000);
	CHECK(c->succeeded, "%s", c->what);
	CHECK(c->ops->output(c, &output, &err) == 0, "%s", err.msg);
	CHECK(ryde_view_eq(output, ryde_view_mem(data, size)), "through memory and file");
	c->ops->free(c);
	input[0] = (struct iovec){data, size};
	c = run_script("head -c 10 >/dev/null", input, 1, false, 30000);
	CHECK(c->succeeded, "not reading is no failure: %s", c->what);
	c->ops->free(c);
	free(data);
}

static void
test_find(void)
{
	static const struct {
		const char *name;
		enum ryde_err_code code;
	} rows[] = {{"sh", RYDE_OK}, {"/bin/sh", RYDE_OK},
	    {"no-such-command", RYDE_ENOINPUT}, {"/no/such", RYDE_ENOINPUT},
	    {"/etc/passwd", RYDE_ECONFIG}, {"/", RYDE_ECONFIG}, {"", RYDE_ENOINPUT}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		char *path = ryde_process_spawn_find(rows[i].name, &err);

		CHECK((path != NULL) == (rows[i].code == RYDE_OK), "%s", rows[i].name);
		CHECK(err.code == rows[i].code, "%s: %d", rows[i].name, (int)err.code);
		free(path);
	}
}

int
main(void)
{
	ryde_signals_init(NULL);
	test_decisions();
	test_expired();
	test_bisect();
	test_cut();
	test_input();
	test_document();
	test_event();
	test_event_weight();
	test_response();
	test_response_numbers();
	test_response_error();
	test_tumble_over();
	test_tumble_state();
	test_emit_check();
	test_find();
	test_children();
	test_much_data();
	return check_end("engine_process");
}
