/* Faults in AWS's words, XML, dates and endpoints. Sources: aws/fault.h, aws/xml.h, RFC
 * 9110 section 5.6.7, the partitions of botocore. */
#include "aws/endpoint.h"
#include "aws/fault.h"
#include "aws/http_date.h"
#include "aws/retry.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "flow/backoff.h"

static const struct {
	int status;
	const char *error_type, *content_type, *body;
	enum ryde_aws_kind kind;
	const char *code, *message;
} faults[] = {
    {200, "", "", "<html>", RYDE_AWS_FINE, "", ""},
    {204, "", "", "", RYDE_AWS_FINE, "", ""},
    {400, "", "",
	"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\","
	"\"message\":\"x\"}",
	RYDE_AWS_MISSING, "ResourceNotFoundException", "x"},
    {400, "", "",
	" \n{\"__type\":\"ThrottlingException\",\"Message\":\"Rate "
	"\\\"exceeded\\\"\\n\\u001b[2J\"}",
	RYDE_AWS_THROTTLED, "ThrottlingException", "Rate \"exceeded\"  [2J"},
    {400, "ValidationException:http://internal.amazon.com/coral/", "",
	"{\"message\":\"m\"}", RYDE_AWS_REFUSED, "ValidationException", "m"},
    {400, "AccessDeniedException", "", "", RYDE_AWS_DENIED, "AccessDeniedException", ""},
    {400, "", "", "{\"code\":\"ExpiredTokenException\"}", RYDE_AWS_EXPIRED,
	"ExpiredTokenException", ""},
    {400, "", "", "{\"error\":\"invalid_grant\",\"error_description\":\"d\"}",
	RYDE_AWS_REFUSED, "invalid_grant", "d"},
    {403, "", "",
	"<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>a "
	"&lt;b&gt; &#65;</Message></Error>",
	RYDE_AWS_SKEWED, "RequestTimeTooSkewed", "a <b> A"},
    {404, "", "", "<Error><Code>NoSuchBucket</Code></Error>", RYDE_AWS_MISSING,
	"NoSuchBucket", ""},
    {503, "", "", "<Error><Code>SlowDown</Code></Error>", RYDE_AWS_THROTTLED, "SlowDown",
	""},
    {403, "", "", "", RYDE_AWS_DENIED, "Forbidden", ""}, /* HEAD has no body */
    {404, "", "", "", RYDE_AWS_MISSING, "NotFound", ""},
    {429, "", "", "", RYDE_AWS_THROTTLED, "TooManyRequestsException", ""},
    {500, "", "text/html", "<html>", RYDE_AWS_TRANSIENT, "", ""},
    {502, "", "", "Bad Gateway", RYDE_AWS_TRANSIENT, "", ""},
    {400, "", "text/html", "<html>", RYDE_AWS_STRANGE, "",
	"the answer is HTTP 400 with text/html, which is not how AWS answers"},
    {404, "", "", "page not found", RYDE_AWS_STRANGE, "",
	"the answer is HTTP 404 with an unknown type, which is not how AWS answers"},
    {400, "", "", "{\"__type\":", RYDE_AWS_STRANGE, "",
	"the answer is HTTP 400 with an unknown type, which is not how AWS answers"},
    {302, "", "text/html", "<html>", RYDE_AWS_STRANGE, "",
	"the answer is HTTP 302 with text/html, which is not how AWS answers"},
    {400, "", "", "{\"__type\":7,\"message\":null}", RYDE_AWS_REFUSED, "", ""},
};

static void
test_faults(void)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct ryde_aws_fault f;

		ryde_aws_fault_read(&f, faults[i].status,
		    ryde_view_of(faults[i].error_type),
		    ryde_view_of(faults[i].content_type), ryde_view_of(faults[i].body));
		CHECK(f.kind == faults[i].kind, "row %zu: %d", i, (int)f.kind);
		CHECK(ryde_aws_fault_is(&f, faults[i].code), "row %zu: %s", i, f.code);
		CHECK(strcmp(f.message, faults[i].message) == 0, "row %zu: %s", i,
		    f.message);
	}
	/* of items inside a good answer */
	CHECK(ryde_aws_fault_kind(ryde_view_of("ProvisionedThroughputExceededException"),
		  0) == RYDE_AWS_THROTTLED,
	    " ");
	CHECK(
	    ryde_aws_fault_kind(ryde_view_of("InternalFailure"), 0) == RYDE_AWS_TRANSIENT,
	    " ");
	CHECK(ryde_aws_fault_kind(ryde_view_of("Anything"), 0) == RYDE_AWS_REFUSED, " ");
}

/* A long message is cut between characters. */
static void
test_long_message(void)
{
	struct ryde_aws_fault f;
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	ryde_buf_puts(&b, "{\"__type\":\"X\",\"message\":\"a");
	for (int i = 0; i < 400; i++)
		ryde_buf_puts(&b, "\xc3\xa4");
	ryde_buf_puts(&b, "\"}");
	ryde_aws_fault_read(
	    &f, 400, ryde_view_of(""), ryde_view_of(""), ryde_buf_as_view(&b));
	CHECK(strlen(f.message) > 300 || (f.message[strlen(f.message) - 1] & 0x80) == 0,
	    "%zu", strlen(f.message));
	ryde_buf_free(&b);
}

static const struct {
	const char *text, *name, *content[4];
} elements[] = {
    {"<a><b>1</b><b>2</b></a>", "b", {"1", "2"}},
    {"<a><b x=\"1\">1</b><b/><bc>3</bc><b>4</b></a>", "b", {"1", "", "4"}},
    {"<Contents><Key>k</Key></Contents><Contents></Contents>", "Contents",
	{"<Key>k</Key>", ""}},
    {"<b>", "b", {NULL}},
    {"<b>1</b", "b", {NULL}},
    {"b>1</b>", "b", {NULL}},
    {"<b", "b", {NULL}},
    {"", "b", {NULL}},
    {"</b><b>1</b>", "b", {"1"}},
};

static const struct {
	const char *content, *text;
} texts[] = {
    {"a&amp;b&lt;&gt;&quot;&apos;", "a&b<>\"'"},
    {"&#65;&#x42;&#xe4;&#x20AC;&#x1F984;", "AB\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x84"},
    {"&nope; & &#; &#x; &#xzz; &amp", "&nope; & &#; &#x; &#xzz; &amp"},
    {"&#0;&#xD800;&#x110000;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

static void
test_xml(void)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		struct ryde_view text = ryde_view_of(elements[i].text), found;
		size_t at = 0, n = 0;

		for (; ryde_xml_next(text, &at, elements[i].name, &found); n++)
			CHECK(elements[i].content[n] != NULL &&
				  ryde_view_is(found, elements[i].content[n]),
			    "row %zu: %.*s", i, (int)found.n, found.p);
		CHECK(elements[i].content[n] == NULL, "row %zu: %zu found", i, n);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ryde_buf b;

		ryde_buf_init(&b, 4096);
		ryde_xml_text(&b, ryde_view_of(texts[i].content));
		CHECK(strcmp(ryde_buf_str(&b), texts[i].text) == 0, "row %zu: %s", i,
		    ryde_buf_str(&b));
		ryde_buf_free(&b);
	}
}

static void
test_dates(void)
{
	CHECK(ryde_http_date(ryde_view_of("Sun, 06 Nov 1994 08:49:37 GMT")) == 784111777,
	    " ");
	CHECK(ryde_http_date(ryde_view_of("Thu, 29 Feb 2024 23:59:59 GMT")) == 1709251199,
	    " ");
	CHECK(ryde_http_date(ryde_view_of("Sun, 06 Nov 1994 08:49:37 UTC")) == -1, " ");
	CHECK(ryde_http_date(ryde_view_of("Sunday, 06-Nov-94 08:49:37 GMT")) == -1, " ");
	CHECK(ryde_http_date(ryde_view_of("Sun, 06 Foo 1994 08:49:37 GMT")) == -1, " ");
	CHECK(ryde_http_date(ryde_view_of("Sun, 36 Nov 1994 08:49:37 GMT")) == -1, " ");
	CHECK(ryde_http_date(ryde_view_of("")) == -1, " ");
}

static const struct {
	const char *url, *host, *base;
	bool tls;
} urls[] = {
    {"http://localhost:4566", "localhost:4566", "", false},
    {"https://kinesis.us-east-1.amazonaws.com/", "kinesis.us-east-1.amazonaws.com", "",
	true},
    {"https://h:443/a/b//", "h", "/a/b", true},
    {"http://h:80", "h", "", false},
    {"http://[::1]:8000/x", "[::1]:8000", "/x", false},
    {"HTTP://h", NULL, NULL, false},
    {"localhost:4566", NULL, NULL, false},
    {"http://", NULL, NULL, false},
    {"http://h:0", NULL, NULL, false},
    {"http://h:65536", NULL, NULL, false},
    {"http://h:", NULL, NULL, false},
    {"http://u@h", NULL, NULL, false},
    {"http://h?q", NULL, NULL, false},
    {"http://h/#f", NULL, NULL, false},
    {"http://h h", NULL, NULL, false},
    {"http://[::1", NULL, NULL, false},
    {"http://[::1]x", NULL, NULL, false},
};

static void
test_endpoints(void)
{
	struct ryde_aws_endpoint e;
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		bool good = ryde_aws_endpoint_parse(urls[i].url, "X", &e, &err) == 0;

		CHECK(good == (urls[i].host != NULL), "%s", urls[i].url);
		CHECK(!good || (strcmp(e.host, urls[i].host) == 0 &&
				   strcmp(e.base, urls[i].base) == 0 &&
				   e.tls == urls[i].tls && e.own),
		    "%s: %s %s", urls[i].url, e.host, e.base);
		CHECK(good || err.code == RYDE_ECONFIG, "%s", urls[i].url);
	}
	CHECK(ryde_aws_region_valid("us-gov-east-1") &&
		  !ryde_aws_region_valid("US-EAST-1") && !ryde_aws_region_valid("") &&
		  !ryde_aws_region_valid("a.b") && !ryde_aws_region_valid("-a"),
	    " ");
	ryde_aws_endpoint_default(RYDE_AWS_DYNAMODB, "cn-north-1", false, false, &e);
	CHECK(strcmp(e.host, "dynamodb.cn-north-1.amazonaws.com.cn") == 0 && !e.own &&
		  e.tls,
	    "%s", e.host);
	ryde_aws_endpoint_default(RYDE_AWS_S3, "us-east-1", true, true, &e);
	CHECK(strcmp(e.host, "s3-fips.dualstack.us-east-1.amazonaws.com") == 0, "%s",
	    e.host);
	ryde_aws_endpoint_default(RYDE_AWS_SSO, "eu-west-1", false, false, &e);
	CHECK(strcmp(e.host, "portal.sso.eu-west-1.amazonaws.com") == 0, "%s", e.host);
}

/* ---- retries ---- */

static const struct {
	enum ryde_aws_kind kind;
	int made;
	int64_t retry_after_ms, skew_ms;
	unsigned tokens;
	bool started, clock_mended, keys_renewed;
	enum ryde_aws_verdict want;
	int64_t delay_ms; /* with half of the randomness */
} retries[] = {
    {RYDE_AWS_TRANSIENT, 1, -1, 0, 500, false, false, false, RYDE_AWS_AGAIN, 25},
    {RYDE_AWS_TRANSIENT, 2, -1, 0, 500, false, false, false, RYDE_AWS_AGAIN, 50},
    {RYDE_AWS_TRANSIENT, 3, -1, 0, 500, false, false, false, RYDE_AWS_STOP, 0},
    {RYDE_AWS_TRANSIENT, 1, -1, 0, 13, false, false, false, RYDE_AWS_STOP,
	0}, /* the quota is used up */
    {RYDE_AWS_TRANSIENT, 1, -1, 0, 500, true, false, false, RYDE_AWS_STOP,
	0}, /* a part was handed over */
    {RYDE_AWS_THROTTLED, 1, -1, 0, 500, false, false, false, RYDE_AWS_AGAIN, 500},
    {RYDE_AWS_THROTTLED, 2, -1, 0, 5, false, false, false, RYDE_AWS_AGAIN, 1000},
    {RYDE_AWS_THROTTLED, 1, 2000, 0, 500, false, false, false, RYDE_AWS_AGAIN, 2000},
    {RYDE_AWS_THROTTLED, 1, 60000, 0, 500, false, false, false, RYDE_AWS_AGAIN,
	5500}, /* believed up to 5 s more */
    {RYDE_AWS_THROTTLED, 1, 0, 0, 500, false, false, false, RYDE_AWS_AGAIN, 500},
    {RYDE_AWS_REFUSED, 1, -1, 0, 500, false, false, false, RYDE_AWS_STOP, 0},
    {RYDE_AWS_MISSING, 1, -1, 0, 500, false, false, false, RYDE_AWS_STOP, 0},
    {RYDE_AWS_STRANGE, 1, -1, 0, 500, false, false, false, RYDE_AWS_STOP, 0},
    {RYDE_AWS_DENIED, 1, -1, 299999, 500, false, false, false, RYDE_AWS_STOP, 0},
    {RYDE_AWS_DENIED, 1, -1, 300000, 500, false, false, false, RYDE_AWS_AGAIN_CLOCK, 0},
    {RYDE_AWS_DENIED, 1, -1, -300000, 500, false, false, false, RYDE_AWS_AGAIN_CLOCK, 0},
    {RYDE_AWS_SKEWED, 1, -1, 900000, 500, false, true, false, RYDE_AWS_STOP,
	0}, /* once */
    {RYDE_AWS_EXPIRED, 1, -1, 900000, 500, false, false, false, RYDE_AWS_AGAIN_CLOCK, 0},
    {RYDE_AWS_EXPIRED, 3, -1, 0, 500, false, false, false, RYDE_AWS_AGAIN_KEYS, 0},
    {RYDE_AWS_EXPIRED, 1, -1, 0, 500, false, false, true, RYDE_AWS_STOP, 0},
};

static void
test_retries(void)
{
	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++) {
		struct ryde_aws_tries tries = {.made = retries[i].made,
		    .most = 3,
		    .clock_mended = retries[i].clock_mended,
		    .keys_renewed = retries[i].keys_renewed,
		    .started = retries[i].started};
		struct ryde_aws_fault f = {
		    .kind = retries[i].kind, .retry_after_ms = retries[i].retry_after_ms};
		struct ryde_backoff_budget quota = {retries[i].tokens, 500};
		int64_t delay_ms = -1;
		enum ryde_aws_verdict verdict = ryde_aws_retry_decide(
		    &tries, &f, retries[i].skew_ms, &quota, 0.5, &delay_ms);

		CHECK(verdict == retries[i].want && delay_ms == retries[i].delay_ms,
		    "row %zu: %d, %lld", i, (int)verdict, (long long)delay_ms);
		CHECK(quota.tokens == retries[i].tokens - tries.paid, "row %zu", i);
		ryde_aws_retry_worked(&tries, &quota);
		CHECK(verdict != RYDE_AWS_AGAIN || quota.tokens == retries[i].tokens,
		    "row %zu: given back", i);
	}
}

/* Nobody is slowed down before the first throttle; then to 70 % of what was measured, and
 * slowly back. */
static void
test_pace(void)
{
	struct ryde_aws_pace p = {.on = false};
	int64_t now = 1000000;
	double slow;

	for (int i = 0; i < 300; i++, now += 10) {
		CHECK(ryde_aws_pace_take(&p, now) == 0, "call %d", i);
		ryde_aws_pace_update(&p, false, now);
	}
	CHECK(p.measured > 80 && p.measured < 120, "%f", p.measured);
	ryde_aws_pace_update(&p, true, now);
	slow = p.rate;
	CHECK(p.on && slow > 55 && slow < 85, "%f", slow);
	CHECK(ryde_aws_pace_take(&p, now) > 0, "the bucket begins empty");
	for (int i = 0; i < 2000; i++) {
		int64_t wait = ryde_aws_pace_take(&p, now);

		now += wait > 0 ? wait : 1;
		if (wait == 0)
			ryde_aws_pace_update(&p, false, now);
	}
	CHECK(p.rate > slow, "%f", p.rate);
	for (int i = 0; i < 50; i++)
		ryde_aws_pace_update(&p, true, now += 600);
	CHECK(p.rate >= 0.5 && p.rate < 3, "never slower than one in two seconds: %f",
	    p.rate);
	CHECK(ryde_aws_pace_take(&p, now) <= 2000, " ");
}

int
main(void)
{
	test_faults();
	test_long_message();
	test_xml();
	test_dates();
	test_endpoints();
	test_retries();
	test_pace();
	return check_end("aws_fault");
}
