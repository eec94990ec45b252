/* Streams of the embedded store, in one process. Source: store/stream.h. */
#include "base/clock.h"
#include "base/err.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/group.h"
#include "store/name.h"
#include "store/stream.h"

static struct ryde_store_settings settings;

static struct ryde_stream *
open_stream(const char *name, enum ryde_stream_mode mode)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s = ryde_stream_open(&settings, name, mode, &err);

	if (s == NULL) {
		printf("%s\n", err.msg);
		exit(1);
	}
	return s;
}

static void
write_one(
    struct ryde_stream *s, const char *key, const char *data, struct ryde_record_in *in)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_record_in here;

	if (in == NULL)
		in = &here;
	*in = (struct ryde_record_in){.data = ryde_view_of(data),
	    .key = ryde_view_of(key),
	    .form = RYDE_RECORD_JSON};
	CHECK(ryde_stream_write(s, in, 1, &err) == 0, "%s", err.msg);
}

static struct ryde_stream_reader *
start_all(struct ryde_stream *s, enum ryde_start kind)
{
	const struct ryde_stream_start start = {.kind = kind};
	struct ryde_stream_reader *r;
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_shard *shards;
	size_t n = 0;

	r = ryde_stream_reader_new(s, &err);
	CHECK(r != NULL && ryde_stream_shards(s, &shards, &n, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < n; i++)
		CHECK(ryde_stream_reader_start(
			  r, (int)i, &start, NULL, NULL, NULL, &err) == 0,
		    "%s", err.msg);
	return r;
}

static const struct ryde_record *
fetch(struct ryde_stream_reader *r, size_t max, size_t *n)
{
	const struct ryde_record *out = NULL;
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(
	    ryde_stream_reader_fetch(r, max, 1 << 20, &out, n, &err) == 0, "%s", err.msg);
	return out;
}

static void
test_bytes(void)
{
	struct ryde_stream *s = open_stream("bytes", RYDE_STREAM_WRITE);
	struct ryde_stream_reader *r = start_all(s, RYDE_START_HORIZON);
	struct ryde_err err = RYDE_ERR_INIT;
	size_t large = ryde_stream_record_max(s) - 1, n;
	char *data = malloc(large);
	struct ryde_record_in in[3] = {
	    {.data = {"a\0b\xff\n", 5},
		.key = ryde_view_of("k\xc3\xa9y"),
		.form = RYDE_RECORD_BINARY},
	    {.data = {NULL, 0}, .key = ryde_view_of("k")},
	    {.data = {data, large}, .key = ryde_view_of("k"), .form = RYDE_RECORD_JSON},
	};
	const struct ryde_record *out;

	memset(data, 'x', large);
	CHECK(ryde_stream_write(s, in, 3, &err) == 0, "%s", err.msg);
	out = fetch(r, 100, &n);
	CHECK(n == 3 && ryde_view_eq(out[0].data, in[0].data), "%zu", n);
	CHECK(
	    ryde_view_is(out[0].key, "k\xc3\xa9y") && out[0].form == RYDE_RECORD_BINARY);
	CHECK(out[1].data.n == 0 && out[1].form == RYDE_RECORD_UNKNOWN);
	CHECK(ryde_view_eq(out[2].data, in[2].data) && out[2].form == RYDE_RECORD_JSON);
	for (size_t i = 0; i < n; i++)
		CHECK(ryde_pos_cmp(&out[i].seq, &in[i].seq) == 0 && out[i].shard == 0);
	fetch(r, 100, &n);
	CHECK(n == 0);
	free(data);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

static const struct {
	const char *key, *hash_key;
} refused[] = {
    {"", ""},
    {"k", "340282366920938463463374607431768211456"},
    {"k", "-1"},
    {"k", "0x10"},
};

static void
test_refused(void)
{
	struct ryde_stream *s = open_stream("bytes", RYDE_STREAM_WRITE);
	const struct ryde_shard *shards;
	struct ryde_pos last;
	size_t n;

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_record_in in[2] = {
		    {.data = ryde_view_of("1"), .key = ryde_view_of("k")},
		    {.data = ryde_view_of("1"),
			.key = ryde_view_of(refused[i].key),
			.hash_key = ryde_view_of(refused[i].hash_key)},
		};

		CHECK(ryde_stream_shards(s, &shards, &n, &err) == 0 && n == 1);
		last = shards[0].last;
		CHECK(ryde_stream_write(s, in, 2, &err) != 0 && err.code == RYDE_EDATA,
		    "row %zu", i);
		CHECK(ryde_stream_shards(s, &shards, &n, &err) == 0 &&
			  ryde_pos_cmp(&last, &shards[0].last) == 0,
		    "row %zu", i);
	}
	ryde_stream_close(s);
}

/* Shards: keys go where MD5 says (aws-facts 2.4's vectors), explicit hash keys win. */
static void
test_shards(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream_reader *r;
	const struct ryde_record *out;
	const struct ryde_shard *shards;
	struct ryde_record_in in[4] = {
	    {.key = ryde_view_of("Shadowfax"), .data = ryde_view_of("0")},  /* 1235… */
	    {.key = ryde_view_of("Bucephalus"), .data = ryde_view_of("1")}, /* 2660… */
	    {.key = ryde_view_of("1"), .data = ryde_view_of("2")},	    /* 2615… */
	    {.key = ryde_view_of("Shadowfax"),
		.data = ryde_view_of("3"),
		.hash_key = ryde_view_of("340282366920938463463374607431768211455")},
	};
	static const int want[4] = {0, 1, 1, 1};
	struct ryde_stream *s;
	size_t n;
	int shard;

	CHECK(
	    ryde_catalog_create_stream(&settings, "two", 2, 0, &err) == 0, "%s", err.msg);
	CHECK(
	    ryde_catalog_create_stream(&settings, "two", 2, 0, &err) == 0, "%s", err.msg);
	CHECK(ryde_catalog_create_stream(&settings, "two", 3, 0, &err) != 0 &&
	      err.code == RYDE_ECANTCREAT);
	s = open_stream("two", RYDE_STREAM_READ);
	CHECK(ryde_stream_shards(s, &shards, &n, &err) == 0 && n == 2);
	CHECK(strcmp(shards[1].id, "shardId-000000000001") == 0 && shards[1].open &&
	      shards[1].parent == -1 && shards[1].last.n == 0);
	CHECK(
	    strcmp(shards[0].last_hash, "170141183460469231731687303715884105727") == 0);
	CHECK(ryde_stream_write(s, in, 4, &err) == 0, "%s", err.msg);
	for (int i = 0; i < 4; i++) {
		CHECK(in[i].shard == want[i], "row %d", i);
		CHECK(ryde_stream_shard_of(s, in[i].key, in[i].hash_key, &shard, &err) ==
			      0 &&
			  shard == want[i],
		    "row %d", i);
	}
	CHECK(ryde_stream_shards(s, &shards, &n, &err) == 0 &&
	      ryde_pos_cmp(&shards[0].last, &in[0].seq) == 0 &&
	      ryde_pos_cmp(&shards[1].last, &in[3].seq) == 0);
	/* one shard alone, then the other from where it was stopped */
	r = start_all(s, RYDE_START_HORIZON);
	ryde_stream_reader_stop(r, 0);
	out = fetch(r, 100, &n);
	CHECK(n == 3 && ryde_view_is(out[0].data, "1") && ryde_view_is(out[2].data, "3"));
	CHECK(ryde_stream_reader_start(r, 0,
		  &(struct ryde_stream_start){.kind = RYDE_START_HORIZON}, NULL, NULL,
		  NULL, &err) == 0);
	write_one(s, "Bucephalus", "4", NULL);
	out = fetch(r, 100, &n);
	CHECK(n == 2 && ryde_view_is(out[0].data, "0") && ryde_view_is(out[1].data, "4"),
	    "%zu", n);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

static void
start_at(struct ryde_stream *s, const struct ryde_stream_start *start, const char *want)
{
	struct ryde_stream_reader *r;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_pos resolved;
	const struct ryde_record *out;
	bool gap = true;
	size_t n;

	r = ryde_stream_reader_new(s, &err);
	CHECK(ryde_stream_reader_start(r, 0, start, &resolved, &gap, NULL, &err) == 0,
	    "%s", err.msg);
	CHECK(!gap);
	for (int round = 0; round < 2; round++) {
		char text[16] = "";
		size_t got = 0;

		do {
			out = fetch(r, 2, &n);
			for (size_t i = 0; i < n && got < 15; i++)
				text[got++] = out[i].data.p[0];
		} while (n > 0);
		CHECK(strcmp(text, want) == 0, "start %d round %d: %s", (int)start->kind,
		    round, text);
		/* what was resolved leads to the same place */
		CHECK(ryde_stream_reader_start(r, 0,
			  &(struct ryde_stream_start){
			      .kind = RYDE_START_AFTER, .pos = resolved},
			  NULL, &gap, NULL, &err) == 0 &&
		      !gap);
	}
	ryde_stream_reader_free(r);
}

static void
test_starts(void)
{
	struct ryde_stream *s = open_stream("starts", RYDE_STREAM_WRITE);
	struct ryde_record_in in[5];
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream_start start = {.kind = RYDE_START_LATEST};
	char clock[16], text[2] = "0";

	start_at(s, &start, "");
	for (int i = 0; i < 5; i++) {
		(void)snprintf(clock, sizeof(clock), "@%d", 1000 + 100 * i);
		CHECK(ryde_clock_init(clock, &err) == 0);
		text[0] = (char)('0' + i);
		write_one(s, "k", text, &in[i]);
	}
	start.kind = RYDE_START_HORIZON;
	start_at(s, &start, "01234");
	start.kind = RYDE_START_LATEST;
	start_at(s, &start, "");
	start.kind = RYDE_START_AFTER;
	start_at(s, &start, "01234");
	start.pos = in[2].seq;
	start_at(s, &start, "34");
	/* the rest of a record begins with it; the same place is found again */
	start.pos.lines = 2;
	start_at(s, &start, "234");
	start.pos.lines = 0;
	start.kind = RYDE_START_AT;
	start_at(s, &start, "234");
	start = (struct ryde_stream_start){.kind = RYDE_START_TIME, .at_ms = 1100};
	start_at(s, &start, "1234");
	start.at_ms = 1101;
	start_at(s, &start, "234");
	start.at_ms = -5;
	start_at(s, &start, "01234");
	start.at_ms = 99999;
	start_at(s, &start, "");
	/* time never runs back */
	CHECK(ryde_clock_init("@500", &err) == 0);
	write_one(s, "k", "5", NULL);
	start.at_ms = 1400;
	start_at(s, &start, "45");
	CHECK(ryde_clock_init(NULL, &err) == 0);
	ryde_stream_close(s);
}

/* Positions of another stream, or from a stream that lost its end. */
static void
test_strange_positions(void)
{
	struct ryde_stream *s = open_stream("starts", RYDE_STREAM_READ);
	struct ryde_stream_start start = {.kind = RYDE_START_AFTER};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream_reader *r;
	const struct ryde_shard *shards;
	char text[256] = "";
	bool gap = false;
	size_t n;

	r = ryde_stream_reader_new(s, &err);
	CHECK(ryde_pos_set(&start.pos, ryde_view_of("12345")));
	CHECK(ryde_stream_reader_start(r, 0, &start, NULL, NULL, NULL, &err) != 0 &&
	      err.code == RYDE_EDATA);
	CHECK(ryde_stream_reader_start(r, 3, &start, NULL, NULL, NULL, &err) != 0);
	CHECK(ryde_stream_shards(s, &shards, &n, &err) == 0);
	/* add 2^36 * 10: ten records further on */
	start.pos = shards[0].last;
	for (int at = start.pos.n - 12, carry = 1; carry && at >= 0; at--) {
		carry = start.pos.seq[at] == '9';
		start.pos.seq[at] = carry ? '0' : (char)(start.pos.seq[at] + 1);
	}
	CHECK(ryde_stream_reader_start(r, 0, &start, NULL, &gap, text, &err) != 0 || gap);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

static void
test_range_and_lag(void)
{
	struct ryde_stream *s = open_stream("range", RYDE_STREAM_WRITE);
	struct ryde_stream_reader *r = start_all(s, RYDE_START_HORIZON);
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_record_in in[5];
	const struct ryde_record *out;
	int64_t age_ms = -1, behind = -1, at_ms = -1;
	char text[2] = "0";
	size_t n;

	CHECK(ryde_clock_init("@1000", &err) == 0);
	for (int i = 0; i < 5; i++) {
		text[0] = (char)('0' + i);
		write_one(s, "k", text, &in[i]);
	}
	CHECK(ryde_clock_init("@4000", &err) == 0);
	CHECK(ryde_stream_reader_lag(r, 0, &age_ms, &behind, &err) == 0 &&
	      age_ms == 3000 && behind == 5);
	CHECK(!ryde_stream_reader_caught_up(r, 0, &at_ms));
	fetch(r, 2, &n);
	CHECK(ryde_stream_reader_lag(r, 0, &age_ms, &behind, &err) == 0 && behind == 3);
	CHECK(!ryde_stream_reader_caught_up(r, 0, &at_ms));
	while (n > 0)
		fetch(r, 2, &n);
	CHECK(ryde_stream_reader_lag(r, 0, &age_ms, &behind, &err) == 0 && age_ms == 0 &&
	      behind == 0);
	CHECK(ryde_stream_reader_caught_up(r, 0, &at_ms) && at_ms == 4000, "%lld",
	    (long long)at_ms);
	CHECK(!ryde_stream_reader_ended(r, 0));
	CHECK(ryde_stream_reader_range(
		  r, 0, &in[1].seq, &in[3].seq, 10, &out, &n, &err) == 0 &&
	      n == 3 && ryde_view_is(out[0].data, "1") && ryde_view_is(out[2].data, "3"));
	CHECK(ryde_stream_reader_range(r, 0, &in[1].seq, &in[3].seq, 2, &out, &n, &err) ==
		  0 &&
	      n == 2);
	CHECK(ryde_clock_init(NULL, &err) == 0);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

/* Old records go as new ones are written; who has not read them is told. */
static void
test_retention(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream_reader *r, *late;
	struct ryde_stream_start start = {.kind = RYDE_START_AFTER};
	struct ryde_record_in first, second, third;
	struct ryde_stream *s;
	char text[256] = "";
	struct ryde_pos at;
	bool gap = false;
	int shard = -1;
	size_t n;

	CHECK(ryde_clock_init("@1000", &err) == 0);
	CHECK(ryde_catalog_create_stream(&settings, "short", 1, 1000, &err) == 0);
	s = open_stream("short", RYDE_STREAM_WRITE);
	CHECK(ryde_stream_retention_ms(s) == 1000);
	r = start_all(s, RYDE_START_HORIZON);
	write_one(s, "k", "0", &first);
	write_one(s, "k", "1", &second);
	fetch(r, 1, &n);
	CHECK(n == 1 && !ryde_stream_reader_gap(r, &shard, text));
	ryde_stream_close(s); /* one that is opened anew looks at once */
	CHECK(ryde_clock_init("@5000", &err) == 0);
	s = open_stream("short", RYDE_STREAM_WRITE);
	ryde_stream_reader_free(r);
	r = start_all(s, RYDE_START_HORIZON);
	start.pos = first.seq;
	CHECK(
	    ryde_stream_reader_start(r, 0, &start, NULL, &gap, text, &err) == 0 && !gap);
	write_one(s, "k", "2", &third);
	CHECK(ryde_view_is(fetch(r, 9, &n)[0].data, "2") && n == 1, "%zu", n);
	CHECK(ryde_stream_reader_gap(r, &shard, text) && shard == 0 &&
		  strstr(text, "no longer held"),
	    "%s", text);
	CHECK(!ryde_stream_reader_gap(r, &shard, text));
	CHECK(ryde_pos_cmp(&second.seq, &third.seq) < 0);
	late = ryde_stream_reader_new(s, &err);
	CHECK(ryde_stream_reader_start(late, 0, &start, NULL, &gap, text, &err) == 0 &&
	      gap);
	/* its own record is gone, but nothing behind it */
	start.pos = second.seq;
	CHECK(ryde_stream_reader_start(late, 0, &start, NULL, &gap, text, &err) == 0 &&
	      !gap);
	/* but the rest of it */
	start.pos.lines = 1;
	CHECK(
	    ryde_stream_reader_start(late, 0, &start, &at, &gap, text, &err) == 0 && gap);
	CHECK(ryde_pos_cmp(&at, &second.seq) == 0);
	start.kind = RYDE_START_AT;
	CHECK(ryde_stream_reader_start(late, 0, &start, NULL, &gap, text, &err) == 0 &&
	      gap);
	CHECK(ryde_clock_init(NULL, &err) == 0);
	ryde_stream_reader_free(late);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

static void
count_name(void *arg, const char *name)
{
	int *n = arg;

	(void)name;
	++*n;
}

/* Deleted under those who have it open, and made again under the same name. */
static void
test_deletion(void)
{
	struct ryde_stream *old = open_stream("gone", RYDE_STREAM_WRITE), *s;
	struct ryde_stream_reader *r = start_all(old, RYDE_START_HORIZON);
	struct ryde_record_in in = {.data = ryde_view_of("1"), .key = ryde_view_of("k")};
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_record *out;
	struct ryde_group *g;
	bool is[3];
	int groups = 0;
	size_t n;

	write_one(old, "k", "1", NULL);
	fetch(r, 9, &n);
	g = ryde_group_open(old, "g", &err);
	CHECK(g != NULL && ryde_group_acquire(g, NULL, &err) == RYDE_GROUP_HELD, "%s",
	    err.msg);
	CHECK(ryde_group_list(old, count_name, &groups, &err) == 0 && groups == 1);
	CHECK(ryde_catalog_delete(&settings, RYDE_CATALOG_STREAM, "gone", &err) == 0,
	    "%s", err.msg);
	CHECK(ryde_catalog_find(&settings, "gone", is, &err) == 0 &&
	      !is[RYDE_CATALOG_STREAM]);
	CHECK(ryde_stream_open(&settings, "gone", RYDE_STREAM_READ, &err) == NULL &&
	      err.code == RYDE_ENOINPUT);
	s = open_stream("gone", RYDE_STREAM_WRITE);
	write_one(s, "k", "new", NULL);
	CHECK(ryde_stream_write(old, &in, 1, &err) != 0 && err.code == RYDE_ENOINPUT);
	err.code = RYDE_OK;
	CHECK(ryde_stream_reader_fetch(r, 9, 999, &out, &n, &err) != 0 &&
	      err.code == RYDE_ENOINPUT);
	CHECK(ryde_group_store(g, NULL, 0, ryde_view_of(""), ryde_view_of(""), true,
		  &err) != RYDE_GROUP_HELD);
	ryde_group_close(g);
	ryde_stream_reader_free(r);
	ryde_stream_close(old);
	/* the end of the old one left the new one alone */
	groups = 0;
	CHECK(ryde_group_list(s, count_name, &groups, &err) == 0 && groups == 0);
	r = start_all(s, RYDE_START_HORIZON);
	CHECK(ryde_view_is(fetch(r, 9, &n)[0].data, "new") && n == 1);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	test_bytes();
	test_refused();
	test_shards();
	test_starts();
	test_strange_positions();
	test_range_and_lag();
	test_retention();
	test_deletion();
	scratch_end();
	return check_end("local_stream");
}
