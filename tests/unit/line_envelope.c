/* Lines taken apart and put together: ryde-line(5). */
#include "line/envelope.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"

static const char whole[] =
    "{\"ryde\":1,\"stream\":\"local:w\",\"shardId\":\"shardId-000000000000\","
    "\"sequenceNumber\":\"4964\","
    "\"partitionKey\":\"Shadowfax\",\"approximateArrivalTimestamp\":\"2026-11-23T14:00:"
    "00.123Z\",\"ack\":"
    "\"mJ3mJ3mJ3mJ3mJ3mJ3mJ3A\",\"gen\":2,\"sub\":3,\"last\":true,\"more\":true,\"lf\":1,"
    "\"redrives\":"
    "4,\"data\":{\"a\":[1,\"}\"]}}";

static void
check_whole(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_line l;

	CHECK(ryde_line_parse(ryde_view_of(whole), &l, &err) == 0, "%s", err.msg);
	CHECK(l.kind == RYDE_LINE_ENVELOPE, "kind");
	CHECK(ryde_view_is(l.stream, "local:w"), "stream");
	CHECK(ryde_view_is(l.shard, "shardId-000000000000"), "shard");
	CHECK(ryde_view_is(l.seq, "4964"), "seq");
	CHECK(ryde_view_is(l.key, "Shadowfax"), "key");
	CHECK(l.has_arrival && l.arrival_ms == 1795442400123, "arrival %lld",
	    (long long)l.arrival_ms);
	CHECK(ryde_view_is(l.ack, "mJ3mJ3mJ3mJ3mJ3mJ3mJ3A"), "ack");
	CHECK(l.gen == 2 && l.has_sub && l.sub == 3 && l.last && l.redrives == 4 &&
		  l.more && l.lf && !l.end,
	    "flags");
	CHECK(ryde_view_is(l.data, "{\"a\":[1,\"}\"]}"), "data %.*s", (int)l.data.n,
	    l.data.p);
	CHECK(l.head.n > 0 && l.head.p[l.head.n - 1] == '4', "head");
}

/* What is an envelope, a mark, a payload, or broken; payloads are not looked into here.
 */
static const struct {
	const char *text;
	int kind; /* -1: refused */
	const char *data;
} kinds[] = {
    {"{\"a\":1}", RYDE_LINE_PAYLOAD, "{\"a\":1}"},
    {"{}", RYDE_LINE_PAYLOAD, "{}"},
    {"", RYDE_LINE_PAYLOAD, ""},
    {"12", RYDE_LINE_PAYLOAD, "12"},
    {"{\"a\":1,\"ryde\":1}", RYDE_LINE_PAYLOAD, "{\"a\":1,\"ryde\":1}"},
    {"{\"rydes\":1}", RYDE_LINE_PAYLOAD, "{\"rydes\":1}"},
    {"\"ryde\"", RYDE_LINE_PAYLOAD, "\"ryde\""},
    {"{\"ryde\":1,\"data\":7}", RYDE_LINE_ENVELOPE, "7"},
    {"{\"ryde\":1,\"data\":\"x\"}", RYDE_LINE_ENVELOPE, "\"x\""},
    /* other programs put blanks between the tokens */
    {" { \"ryde\" : 1 , \"stream\" : \"s\" , \"data\" : {\"b\": 2 } } ",
	RYDE_LINE_ENVELOPE, "{\"b\": 2 } "},
    {"{\"ryde\":1,\"unknown\":{\"x\":[1,2,\"]\"]},\"data\":0}", RYDE_LINE_ENVELOPE, "0"},
    {"{\"\\u0072yde\":1,\"data\":0}", RYDE_LINE_ENVELOPE, "0"},
    {"{\"ryde\":1,\"mark\":true}", RYDE_LINE_MARK, ""},
    {"{\"ryde\":1,\"mark\":true,\"end\":true}", RYDE_LINE_MARK, ""},
    {"{\"ryde\":1,\"dataBase64\":\"AAEC\"}", RYDE_LINE_ENVELOPE, ""},
    /* an envelope within an envelope is data: one level is unwrapped */
    {"{\"ryde\":1,\"data\":{\"ryde\":1,\"data\":1}}", RYDE_LINE_ENVELOPE,
	"{\"ryde\":1,\"data\":1}"},
    {"{\"ryde\":2,\"data\":1}", -1, NULL},
    {"{\"ryde\":\"x\"}", -1, NULL},
    {"{\"ryde\":1}", -1, NULL},
    {"{\"ryde\":1,\"data\":}", -1, NULL},
    {"{\"ryde\":1,\"data\":1", -1, NULL},
    {"{\"ryde\":1,\"stream\":7,\"data\":1}", -1, NULL},
    {"{\"ryde\":1,\"gen\":-1,\"data\":1}", -1, NULL},
    {"{\"ryde\":1,\"approximateArrivalTimestamp\":\"yesterday\",\"data\":1}", -1, NULL},
    {"{\"ryde\":1,\"mark\":true}x", -1, NULL},
    {"{\"ryde\":1,\"stream\":\"", -1, NULL},
    {"{\"ryde\":1,\"at\":{\"x\":\"", -1, NULL},
};

static void
check_kinds(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_line l;
		int rc = ryde_line_parse(ryde_view_of(kinds[i].text), &l, &err);

		CHECK(
		    (rc == 0) == (kinds[i].kind >= 0), "%s: %s", kinds[i].text, err.msg);
		if (rc != 0 || kinds[i].kind < 0)
			continue;
		CHECK((int)l.kind == kinds[i].kind, "%s: kind %d", kinds[i].text,
		    (int)l.kind);
		CHECK(ryde_view_is(l.data, kinds[i].data), "%s: data %.*s", kinds[i].text,
		    (int)l.data.n, l.data.p);
	}
}

/* Put, then parse: the same again. */
static void
check_put(void)
{
	static const char odd[] = "a \"quoted\" \\ key\n";
	struct ryde_line_head h = {.stream = ryde_view_of("local:w"),
	    .shard = ryde_view_of("shardId-000000000001"),
	    .seq = ryde_view_of("49"),
	    .key = ryde_view_of(odd),
	    .arrival_ms = -1,
	    .has_arrival = true,
	    .lf = true,
	    .at = ryde_view_of("{\"n\":1}")};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_view payload;
	struct ryde_buf b, scratch;
	struct ryde_line l;

	ryde_buf_init(&b, 4096);
	ryde_buf_init(&scratch, 4096);
	ryde_line_put(&b, &h, ryde_view_of("[1.10]"), false);
	CHECK(b.n > 0 && b.p[b.n - 1] == '\n', "newline");
	CHECK(ryde_line_parse(ryde_view_mem(b.p, b.n - 1), &l, &err) == 0, "%s", err.msg);
	CHECK(ryde_view_is(l.key, "a \\\"quoted\\\" \\\\ key\\n"), "%.*s", (int)l.key.n,
	    l.key.p);
	CHECK(l.arrival_ms == -1 && ryde_view_is(l.at, "{\"n\":1}"), "at");
	CHECK(ryde_line_payload(&l, &scratch, &payload, &err) == 0 &&
		  ryde_view_is(payload, "[1.10]\n"),
	    "lf");
	ryde_buf_clear(&b);
	ryde_line_put(&b, &h, ryde_view_mem("\0\xff\n", 3), true);
	CHECK(ryde_line_parse(ryde_view_mem(b.p, b.n - 1), &l, &err) == 0 && l.is_base64,
	    "%s", err.msg);
	l.lf = false;
	CHECK(ryde_line_payload(&l, &scratch, &payload, &err) == 0 &&
		  ryde_view_eq(payload, ryde_view_mem("\0\xff\n", 3)),
	    "base64");
	ryde_buf_free(&b);
	ryde_buf_free(&scratch);
}

/* Nothing of an earlier line is left, whatever stood there. */
static void
test_payload_is_clean(void)
{
	const char *text = "{\"a\":1}";
	struct ryde_line l;

	memset(&l, 0xff, sizeof(l));
	CHECK(ryde_line_parse(ryde_view_of(text), &l, NULL) == 0, "%s", text);
	CHECK(l.kind == RYDE_LINE_PAYLOAD && l.raw.p == text && l.data.p == text &&
		  l.data.n == 7 && l.raw.n == 7,
	    "the payload");
	CHECK(l.base64.n == 0 && l.head.n == 0 && l.stream.n == 0 && l.shard.n == 0 &&
		  l.seq.n == 0 && l.key.n == 0 && l.ack.n == 0 && l.at.n == 0 &&
		  l.parents.n == 0 && l.arrival_ms == 0 && !l.has_arrival &&
		  !l.is_base64 && !l.more && !l.end && !l.lf && l.sub == 0 &&
		  l.gen == 0 && l.redrives == 0,
	    "all else");
}

int
main(void)
{
	check_whole();
	check_kinds();
	check_put();
	CHECK(ryde_line_imitates(ryde_view_of(" {\"ryde\":0}")), "imitates");
	CHECK(!ryde_line_imitates(ryde_view_of("{\"Ryde\":0}")), "imitates");
	test_payload_is_clean();
	return check_end("line_envelope");
}
