/* The positions of a window. Source: flow/window_at.h. */
#include "flow/window_at.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "json/scan.h"

#include <stdlib.h>

static const char whole[] =
    "{\"n\":7,\"window\":\"0123abc\",\"closed\":1764000000000,\"shards\":{"
    "\"shardId-000000000000\":{\"from\":\"49\",\"seen\":\"4950\"},"
    "\"shardId-000000000001\":{\"from\":null,\"seen\":null}}}";

static void
check_whole(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_at at;
	const struct ryde_window_at_shard *s;
	struct ryde_buf b;

	CHECK(ryde_window_at_parse(&at, ryde_view_of(whole), &err) == 0, "%s", err.msg);
	CHECK(at.n == 7 && strcmp(at.fingerprint, "0123abc") == 0, "head");
	CHECK(at.has_closed && at.closed_ms == 1764000000000 && at.n_shards == 2, "head");
	s = ryde_window_at_find(&at, ryde_view_of("shardId-000000000000"));
	CHECK(s != NULL && ryde_view_is(ryde_pos_view(&s->from), "49") &&
		  ryde_view_is(ryde_pos_view(&s->seen), "4950"),
	    "first shard");
	s = ryde_window_at_find(&at, ryde_view_of("shardId-000000000001"));
	CHECK(s != NULL && s->from.n == 0 && s->seen.n == 0, "second shard");
	CHECK(
	    ryde_window_at_find(&at, ryde_view_of("shardId-0")) == NULL, "no such shard");
	CHECK(ryde_window_at_find(&at, ryde_view_of("")) == NULL, "no such shard");
	ryde_buf_init(&b, 4096);
	ryde_window_at_put(&at, &b);
	CHECK(strcmp(ryde_buf_str(&b), whole) == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
	ryde_window_at_free(&at);
	CHECK(at.shards == NULL, "freed");
	ryde_window_at_free(&at);
}

/* What is read, and how it is written again; NULL: refused. */
static const struct {
	const char *text, *want;
} rows[] = {
    {"{}", "{\"n\":0,\"window\":\"\",\"closed\":null,\"shards\":{}}"},
    {" { \"shards\" : { } , \"closed\" : -5 } ",
	"{\"n\":0,\"window\":\"\",\"closed\":-5,\"shards\":{}}"},
    {"{\"unknown\":[{}],\"n\":18446744073709551615}",
	"{\"n\":18446744073709551615,\"window\":\"\",\"closed\":null,\"shards\":{}}"},
    {"{\"shards\":{\"s\":{\"seen\":\"0012\",\"other\":1}}}",
	"{\"n\":0,\"window\":\"\",\"closed\":null,\"shards\":{\"s\":{\"from\":null,"
	"\"seen\":\"12\"}}}"},
    /* what only some windows need */
    {"{\"closed\":5,\"fired\":9,\"revisions\":[[5,1],[-7,2]],\"shards\":{\"s\":{"
     "\"from\":\"1\",\"seen\":\"4\",\"time\":-3,\"floors\":[[null,1],[\"3\",2]]}}}",
	"{\"n\":0,\"window\":\"\",\"closed\":5,\"fired\":9,\"revisions\":[[5,1],[-7,2]],"
	"\"shards\":{\"s\":{\"from\":\"1\",\"seen\":\"4\",\"time\":-3,\"floors\":[[null,"
	"1],[\"3\",2]]}}}"},
    {"{\"fired\":null}", NULL},
    {"{\"revisions\":[5]}", NULL},
    {"{\"revisions\":[[5]]}", NULL},
    {"{\"revisions\":[[5,1,2]]}", NULL},
    {"{\"revisions\":[[5,-1]]}", NULL},
    {"{\"shards\":{\"s\":{\"floors\":[[1,1]]}}}", NULL},
    {"{\"shards\":{\"s\":{\"time\":\"1\"}}}", NULL},
    {"{\"shards\":{\"s\":{\"floors\":[[\"1\",1]],\"floors\":[]},\"t\":{}},\"shards\":{}}",
	"{\"n\":0,\"window\":\"\",\"closed\":null,\"shards\":{}}"},
    /* of a key that comes twice the last one counts */
    {"{\"n\":1,\"n\":2,\"window\":\"abcdef\",\"window\":\"xy\",\"closed\":1,"
     "\"closed\":null}",
	"{\"n\":2,\"window\":\"xy\",\"closed\":null,\"shards\":{}}"},
    {"{\"shards\":{\"s\":{}},\"shards\":{\"t\":{}}}",
	"{\"n\":0,\"window\":\"\",\"closed\":null,\"shards\":{\"t\":{\"from\":null,"
	"\"seen\":null}}}"},
    {"", NULL},
    {"{", NULL},
    {"[]", NULL},
    {"null", NULL},
    {"{} {}", NULL},
    {"{\"n\":-1}", NULL},
    {"{\"n\":1.5}", NULL},
    {"{\"n\":\"1\"}", NULL},
    {"{\"n\":null}", NULL},
    {"{\"n\":18446744073709551616}", NULL},
    {"{\"window\":7}", NULL},
    {"{\"window\":\"a\\u0062\"}", NULL},
    {"{\"closed\":\"5\"}", NULL},
    {"{\"closed\":1e3}", NULL},
    {"{\"closed\":true}", NULL},
    {"{\"closed\":9223372036854775808}", NULL},
    {"{\"shards\":[]}", NULL},
    {"{\"shards\":null}", NULL},
    {"{\"shards\":{\"s\":null}}", NULL},
    {"{\"shards\":{\"s\":[]}}", NULL},
    {"{\"shards\":{\"s\":{},\"t\":{\"from\":5}}}", NULL},
    {"{\"shards\":{\"s\":{\"from\":\"\"}}}", NULL},
    {"{\"shards\":{\"s\":{\"from\":\"-1\"}}}", NULL},
    {"{\"shards\":{\"s\":{\"seen\":\"12x\"}}}", NULL},
    {"{\"shards\":{\"s\\n\":{}}}", NULL},
};

static void
check_rows(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_window_at at;
		int rc = ryde_window_at_parse(&at, ryde_view_of(rows[i].text), &err);

		CHECK(rc == (rows[i].want != NULL ? 0 : -1), "%s: %s", rows[i].text,
		    err.msg);
		CHECK(rc == 0 ||
			  (err.code == RYDE_EDATA && strncmp(err.msg, "\"at\"", 4) == 0),
		    "%s: %s", rows[i].text, err.msg);
		if (rc != 0)
			continue;
		ryde_buf_clear(&b);
		ryde_window_at_put(&at, &b);
		CHECK(rows[i].want == NULL || strcmp(ryde_buf_str(&b), rows[i].want) == 0,
		    "%s", ryde_buf_str(&b));
		ryde_window_at_free(&at);
	}
	ryde_buf_free(&b);
}

/* Names and numbers of just the longest length, and one byte more. */
static void
check_lengths(void)
{
	static const struct {
		const char *before, *after;
		int longest;
	} fields[] = {
	    {"{\"window\":\"", "\"}", 64},
	    {"{\"shards\":{\"", "\":{}}}", RYDE_SHARD_ID_MAX},
	    {"{\"shards\":{\"s\":{\"seen\":\"", "\"}}}", RYDE_SEQ_MAX},
	};

	for (int i = 0; i < 6; i++) {
		const int field = i / 2, more = i % 2;
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_window_at at;
		struct ryde_buf b;
		int rc;

		ryde_buf_init(&b, 4096);
		ryde_buf_puts(&b, fields[field].before);
		for (int n = 0; n < fields[field].longest + more; n++)
			ryde_buf_putc(&b, '7');
		ryde_buf_puts(&b, fields[field].after);
		rc = ryde_window_at_parse(&at, ryde_buf_as_view(&b), &err);
		CHECK(rc == -more, "field %d and %d more: %s", field, more, err.msg);
		if (rc == 0)
			ryde_window_at_free(&at);
		ryde_buf_free(&b);
	}
}

/* A stream of many shards. */
static void
check_many(void)
{
	enum { SHARDS = 1000 };
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_window_at at, again;
	struct ryde_buf b, c;

	ryde_buf_init(&b, 1 << 20);
	ryde_buf_init(&c, 1 << 20);
	ryde_buf_puts(&b, "{\"n\":1,\"window\":\"f\",\"closed\":null,\"shards\":{");
	for (int i = 0; i < SHARDS; i++)
		ryde_buf_printf(&b,
		    "%s\"shardId-%012d\":{\"from\":\"%d\",\"seen\":\"%d\"}",
		    i > 0 ? "," : "", i, i + 1, i + 2);
	ryde_buf_puts(&b, "}}");
	CHECK(ryde_window_at_parse(&at, ryde_buf_as_view(&b), &err) == 0, "%s", err.msg);
	CHECK(at.n_shards == SHARDS, "%zu", at.n_shards);
	ryde_window_at_put(&at, &c);
	CHECK(ryde_view_eq(ryde_buf_as_view(&b), ryde_buf_as_view(&c)), "the same text");
	CHECK(
	    ryde_window_at_parse(&again, ryde_buf_as_view(&c), &err) == 0, "%s", err.msg);
	CHECK(
	    ryde_pos_cmp(&again.shards[999].seen, &at.shards[999].seen) == 0, "position");
	ryde_window_at_free(&at);
	ryde_window_at_free(&again);
	ryde_buf_free(&b);
	ryde_buf_free(&c);
}

int
main(void)
{
	check_whole();
	check_rows();
	check_lengths();
	check_many();
	return check_end("flow_window_at");
}
