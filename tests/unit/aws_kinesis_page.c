/* What GetRecords and PutRecords say. Source: lib/aws/kinesis_page.h and kinesis_put.h;
 * aws-facts 2.1 (timestamps in exponent form) and servers that write explicit nulls. */
#include "aws/kinesis_page.h"
#include "aws/kinesis_put.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "check.h"
#include "line/record.h"

static const struct {
	const char *text;
	bool is;
	int64_t ms;
} times[] = {
    {"1.441215410867E9", true, INT64_C(1441215410867)},
    {"1441215410.867", true, INT64_C(1441215410867)},
    {"1545084650.987", true, INT64_C(1545084650987)},
    {"1545084650", true, INT64_C(1545084650000)},
    {"1545084650.98749", true, INT64_C(1545084650987)},
    {"1545084650.9875", true, INT64_C(1545084650988)},
    {"1545084650987e-3", true, INT64_C(1545084650987)},
    {"0", true, 0},
    {"0E9", true, 0},
    {"0.001", true, 1},
    {"0.0004", true, 0},
    {"1e-9", true, 0},
    {"-1.5", true, -1500},
    {"1e14", false, 0},
    {"null", false, 0},
    {"", false, 0},
};

#define REC(seq, time, data, key)                                               \
	"{\"SequenceNumber\":\"" seq "\",\"ApproximateArrivalTimestamp\":" time \
	",\"Data\":\"" data "\",\"PartitionKey\":\"" key "\"}"

static void
page(void)
{
	static const char text[] =
	    "{\"ChildShards\":null,\"MillisBehindLatest\":1500,\"NextShardIterator\":"
	    "\"AAA=\","
	    "\"Records\":[" REC("4959", "1.5E9", "eyJuIjoxfQ==", "Shadowfax") "," REC(
		"4960", "1500000000.25", "eyJuIjoxfQ\\u003d=",
		"a\\u0022b\\ud83d\\ude00") ","
					   "{\"PartitionKey\":\"k\",\"Data\":\"\","
					   "\"EncryptionType\":\"KMS\",\"more\":[{}],"
					   "\"SequenceNumber\":\"49600\","
					   "\"ApproximateArrivalTimestamp\":null}]} ";
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_kinesis_page p;
	struct ryde_record r;

	CHECK(ryde_kinesis_page_read(&p, ryde_view_of(text), &err) == 0, "%s", err.msg);
	CHECK(p.n == 3 && p.behind_ms == 1500 && !p.children &&
		  ryde_view_is(p.next, "AAA="),
	    "%zu records", p.n);
	if (p.n == 3) {
		ryde_kinesis_page_record(&p, 0, &r);
		CHECK(ryde_view_is(r.data, "{\"n\":1}") &&
			  ryde_view_is(r.key, "Shadowfax") &&
			  ryde_view_is(ryde_pos_view(&r.seq), "4959") &&
			  r.arrival_ms == INT64_C(1500000000000),
		    "the first");
		ryde_kinesis_page_record(&p, 1, &r);
		CHECK(ryde_view_is(r.data, "{\"n\":1}") &&
			  ryde_view_is(r.key, "a\"b\xf0\x9f\x98\x80") &&
			  r.arrival_ms == INT64_C(1500000000250),
		    "the second, with escapes");
		ryde_kinesis_page_record(&p, 2, &r);
		CHECK(r.data.n == 0 && ryde_view_is(r.key, "k") && r.arrival_ms == 0,
		    "the third, empty");
	}
	ryde_kinesis_page_free(&p);
}

static const struct {
	const char *text;
	bool is, next, children;
	size_t n;
} pages[] = {
    {"{}", true, false, false, 0},
    {"{\"Records\":null,\"NextShardIterator\":null,\"MillisBehindLatest\":null}", true,
	false, false, 0},
    {"{\"Records\":[],\"NextShardIterator\":\"x\"}", true, true, false, 0},
    {"{\"Records\":[],\"ChildShards\":[{\"ShardId\":\"s\"}]}", true, false, true, 0},
    {"{\"Records\":[],\"ChildShards\":[]}", true, false, false, 0},
    {"", false, false, false, 0},
    {"<html>", false, false, false, 0},
    {"[]", false, false, false, 0},
    {"{\"Records\":[", false, false, false, 0},
    {"{\"Records\":[]}x", false, false, false, 0},
    {"{\"Records\":[],}", false, false, false, 0},
    {"{\"Records\":[" REC("4959", "1", "", "k") ",]}", false, false, false, 0},
    {"{\"Records\":[{}]}", false, false, false, 0},
    {"{\"Records\":[1]}", false, false, false, 0},
    {"{\"Records\":[" REC("4959", "1", "e", "k") "]}", false, false, false, 0},
    {"{\"Records\":[" REC("4x", "1", "", "k") "]}", false, false, false, 0},
    {"{\"Records\":[" REC("", "1", "", "k") "]}", false, false, false, 0},
    {"{\"Records\":[" REC("4959", "\"1\"", "", "k") "]}", false, false, false, 0},
    {"{\"Records\":[" REC("4959", "1", "", "k") REC("4959", "1", "", "k") "]}", false,
	false, false, 0},
    {"{\"Records\":[" REC("4959", "1", "", "k") "", false, false, false, 0},
};

static void
shapes(void)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_kinesis_page p;
		int rc = ryde_kinesis_page_read(&p, ryde_view_of(pages[i].text), &err);

		CHECK((rc == 0) == pages[i].is, "row %zu: %s", i, err.msg);
		if (rc == 0)
			CHECK(p.n == pages[i].n && (p.next.n > 0) == pages[i].next &&
				  p.children == pages[i].children,
			    "row %zu", i);
		else
			CHECK(p.n == 0 && err.code == RYDE_EUNAVAILABLE, "row %zu", i);
		ryde_kinesis_page_free(&p);
	}
}

static void
put_body(void)
{
	struct ryde_record_in r = {
	    .data = ryde_view_of("{\"n\":1}"), .key = ryde_view_of("a\"b")};
	struct ryde_buf b;

	ryde_buf_init(&b, 1000);
	ryde_kinesis_put_begin(&b, "s", "");
	ryde_kinesis_put_add(&b, &r, true);
	r.hash_key = ryde_view_of("12");
	r.data = ryde_view_of("");
	ryde_kinesis_put_add(&b, &r, false);
	ryde_kinesis_put_end(&b);
	CHECK(
	    strcmp(ryde_buf_str(&b),
		"{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"eyJuIjoxfQ==\","
		"\"PartitionKey\":\"a\\\"b\"},{\"Data\":\"\",\"PartitionKey\":\"a\\\"b\","
		"\"ExplicitHashKey\":\"12\"}]}") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_clear(&b);
	ryde_kinesis_put_begin(&b, "s", "arn:aws:kinesis:r:1:stream/s");
	CHECK(strcmp(ryde_buf_str(&b),
		  "{\"StreamARN\":\"arn:aws:kinesis:r:1:stream/s\",\"Records\":[") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

static void
put_answer(void)
{
	struct ryde_kinesis_outcome o[2];
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_kinesis_put_read(
		  ryde_view_of(
		      "{\"FailedRecordCount\":1,\"Records\":[{\"SequenceNumber\":"
		      "\"49\",\"ShardId\":\"shardId-0\",\"ErrorCode\":null},"
		      "{\"ErrorCode\":\"InternalFailure\",\"ErrorMessage\":\"m\"}]}"),
		  o, 2, &err) == 0 &&
		  ryde_view_is(o[0].seq, "49") && ryde_view_is(o[0].shard, "shardId-0") &&
		  o[0].code.n == 0 && o[1].seq.n == 0 &&
		  ryde_view_is(o[1].code, "InternalFailure") &&
		  ryde_view_is(o[1].message, "m"),
	    "%s", err.msg);
	CHECK(ryde_kinesis_put_read(ryde_view_of("{\"Records\":[{}]}"), o, 2, &err) == -1,
	    "too few");
	CHECK(ryde_kinesis_put_read(
		  ryde_view_of("{\"Records\":[{},{},{}]}"), o, 2, &err) == -1,
	    "too many");
	CHECK(ryde_kinesis_put_read(ryde_view_of("<html>"), o, 2, &err) == -1, "no JSON");
	CHECK(
	    ryde_kinesis_put_read(ryde_view_of("{\"Records\":[1,2]}"), o, 2, &err) == 0 &&
		o[0].seq.n == 0 && o[1].seq.n == 0,
	    "entries that are none count as failed");
}

#define ENTRIES 5
#define TEXT 4096

/* One of a few kinds of record, with values of its own. */
static size_t
make_record(struct ryde_random *r, char *to, size_t kind)
{
	static const char *const data[] = {
	    "eyJuIjoxfQ==", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1", ""};
	static const char *const keys[] = {"a", "Shadowfax", "\\u0041", "\303\244"};
	static const char *const arrivals[] = {
	    "1.5E9", "1545084650.987", "0", "-1.5", "null"};
	const char *d = data[ryde_random_u64(r) % 3], *k = keys[ryde_random_u64(r) % 4],
		   *t = arrivals[ryde_random_u64(r) % (kind == 3 ? 5 : 2)];
	unsigned seq = 49000 + (unsigned)(ryde_random_u64(r) % 1000);
	int n;

	if (kind == 0)
		n = snprintf(to, TEXT, REC("%u", "%s", "%s", "%s"), seq, t, d, k);
	else if (kind == 1)
		n = snprintf(to, TEXT,
		    "{\"Data\":\"%s\",\"PartitionKey\":\"%s\",\"SequenceNumber\":\"%u\"}",
		    d, k, seq);
	else
		n = snprintf(to, TEXT,
		    "{ "
		    "\"PartitionKey\":\"%s\",\"Data\":\"%s\",\"EncryptionType\":\"KMS\","
		    "\"ApproximateArrivalTimestamp\":%s, \"SequenceNumber\" : \"%u\"}",
		    k, d, t, seq);
	return (size_t)n;
}

/* An entry of a PutRecords answer. */
static size_t
make_outcome(struct ryde_random *r, char *to, size_t kind)
{
	static const char *const behind[] = {"", ",\"ErrorCode\":null",
	    ",\"ErrorCode\":\"c\",\"ErrorMessage\":\"m\\\"\"", ",\"a\":[1]"};
	unsigned x = (unsigned)(ryde_random_u64(r) % 1000);

	return (size_t)snprintf(to, TEXT,
	    "{\"SequenceNumber\":\"%u\",\"ShardId\":\"shardId-%u\"%s}", x, x / 2,
	    behind[kind]);
}

static void
mutate(struct ryde_random *r, char *text, size_t *n)
{
	static const char bytes[] = "\"\\{}:,.-+eE01A= \t\001\377";
	size_t at = (size_t)(ryde_random_u64(r) % *n);

	if (ryde_random_u64(r) % 2 == 0)
		text[at] = bytes[ryde_random_u64(r) % (sizeof(bytes) - 1)];
	else
		memmove(text + at, text + at + 1, --*n - at);
}

static bool
same_view(struct ryde_view a, struct ryde_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The same entry among others that are like it or not, and alone. */
static void
check_page(struct ryde_view all, struct ryde_view one, size_t place)
{
	struct ryde_kinesis_page page, alone;
	struct ryde_record a, b;
	bool is = ryde_kinesis_page_read(&page, all, NULL) == 0;
	bool is_alone = ryde_kinesis_page_read(&alone, one, NULL) == 0;

	CHECK(is == is_alone && (!is || (page.n == ENTRIES && alone.n == 1)), "%.*s",
	    (int)all.n, all.p);
	if (is && is_alone && page.n == ENTRIES && alone.n == 1) {
		ryde_kinesis_page_record(&page, place, &a);
		ryde_kinesis_page_record(&alone, 0, &b);
		CHECK(same_view(a.data, b.data) && same_view(a.key, b.key) &&
			  a.arrival_ms == b.arrival_ms &&
			  ryde_pos_cmp(&a.seq, &b.seq) == 0,
		    "%.*s", (int)all.n, all.p);
	}
	ryde_kinesis_page_free(&page);
	ryde_kinesis_page_free(&alone);
}

static void
check_answer(struct ryde_view all, struct ryde_view one, size_t place)
{
	struct ryde_kinesis_outcome o[ENTRIES], alone;
	bool is = ryde_kinesis_put_read(all, o, ENTRIES, NULL) == 0;
	bool is_alone = ryde_kinesis_put_read(one, &alone, 1, NULL) == 0;

	CHECK(is == is_alone, "%.*s", (int)all.n, all.p);
	if (is && is_alone)
		CHECK(same_view(o[place].seq, alone.seq) &&
			  same_view(o[place].shard, alone.shard) &&
			  same_view(o[place].code, alone.code) &&
			  same_view(o[place].message, alone.message),
		    "%.*s", (int)all.n, all.p);
}

/* Lists whose entries are alike, or nearly: each reads as it does alone. */
static void
alike(void)
{
	struct ryde_random r;

	ryde_random_seed(&r, 5);
	for (int i = 0; i < 20000; i++) {
		bool is_page = i % 2 == 0;
		size_t place = (size_t)(ryde_random_u64(&r) % ENTRIES), kind = 0, n, at,
		       m;
		char entry[TEXT], all[ENTRIES * TEXT], one[TEXT];

		at = (size_t)snprintf(all, sizeof(all), "{\"Records\":[");
		m = (size_t)snprintf(one, sizeof(one), "{\"Records\":[");
		kind = (size_t)(ryde_random_u64(&r) % 4);
		for (size_t k = 0; k < ENTRIES; k++) {
			if (ryde_random_u64(&r) % 4 == 0)
				kind = (size_t)(ryde_random_u64(&r) % 4);
			n = is_page ? make_record(&r, entry, kind)
				    : make_outcome(&r, entry, kind);
			if (k == place && i % 3 == 0)
				mutate(&r, entry, &n);
			at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%.*s",
			    k > 0 ? "," : "", (int)n, entry);
			if (k == place)
				m += (size_t)snprintf(
				    one + m, sizeof(one) - m, "%.*s", (int)n, entry);
		}
		at += (size_t)snprintf(all + at, sizeof(all) - at, "]}");
		m += (size_t)snprintf(one + m, sizeof(one) - m, "]}");
		(is_page ? check_page : check_answer)(
		    ryde_view_mem(all, at), ryde_view_mem(one, m), place);
	}
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t ms = 0;
		bool is = ryde_kinesis_page_time(ryde_view_of(times[i].text), &ms);

		CHECK(is == times[i].is && (!is || ms == times[i].ms), "%s: %lld",
		    times[i].text, (long long)ms);
	}
	page();
	shapes();
	put_body();
	put_answer();
	alike();
	return check_end("aws_kinesis_page");
}
