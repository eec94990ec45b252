/*
 * The window engine: results that do not depend on interleaving, ties, exactness,
 * watermarks, idle shards, lateness, and the restart rule (ryde-line(5), "Windows").
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "base/zone.h"
#include "check.h"
#include "engine/window.h"
#include "engine/window_number.h"
#include "json/decimal.h"

#include <stdlib.h>

#define OUT_MAX (64u << 20)

struct setting {
	int64_t size_ms, offset_ms, lateness_ms, idle_ms;
	const char *time, *by, *by2;
	const char *columns[8];
	enum ryde_window_extent_kind kind;
	int64_t step_ms;
};

static struct ryde_err err;

static struct ryde_window_def *
define(const struct setting *s)
{
	struct ryde_window_def *d = ryde_window_def_new(&err);

	d->extent.kind = s->kind;
	d->extent.size_ms = s->size_ms;
	d->extent.step_ms = s->step_ms;
	d->extent.offset_ms = s->offset_ms;
	d->lateness_ms = s->lateness_ms;
	d->idle_ms = s->idle_ms;
	if ((s->time != NULL && ryde_window_def_time(d, s->time, &err) != 0) ||
	    (s->by != NULL && ryde_window_def_by(d, s->by, &err) != 0) ||
	    (s->by2 != NULL && ryde_window_def_by(d, s->by2, &err) != 0))
		goto fail;
	for (size_t i = 0; i < 8 && s->columns[i] != NULL; i++)
		if (ryde_window_def_column(d, s->columns[i], &err) != 0)
			goto fail;
	if (ryde_window_def_finish(d, &err) == 0)
		return d;
fail:
	ryde_window_def_free(d);
	return NULL;
}

static void
take_rows(struct ryde_window *w, struct ryde_buf *out)
{
	while (ryde_window_due(w)) {
		CHECK(ryde_window_row(w, out, NULL, &err) == 0, "");
		ryde_buf_putc(out, '\n');
	}
}

/* One line of a shard; arrival is its sequence number in seconds. "" is the shard of
 * plain payloads. */
static enum ryde_window_fed
feed(struct ryde_window *w, const char *shard, unsigned seq, const char *payload)
{
	struct ryde_window_record r = {.payload = ryde_view_of(payload)};
	char digits[16];
	int n = snprintf(digits, sizeof(digits), "%u", seq);

	CHECK(ryde_window_shard(w, ryde_view_of(shard[0] != '\0' ? "local:s" : ""),
		  ryde_view_of(shard), &r.shard, &err) == 0,
	    "");
	if (shard[0] != '\0') {
		(void)ryde_pos_set(&r.pos, ryde_view_mem(digits, (size_t)n));
		r.has_arrival = true;
		r.arrival_ms = (int64_t)seq * 1000;
	}
	return ryde_window_feed(w, &r, &err);
}

static void
mark(struct ryde_window *w, const char *shard, unsigned seq, int64_t at_ms)
{
	struct ryde_pos pos = {0};
	char digits[16];
	int n = snprintf(digits, sizeof(digits), "%u", seq);
	uint32_t index;

	if (seq > 0)
		(void)ryde_pos_set(&pos, ryde_view_mem(digits, (size_t)n));
	CHECK(ryde_window_shard(
		  w, ryde_view_of("local:s"), ryde_view_of(shard), &index, &err) == 0,
	    "");
	ryde_window_mark(w, index, &pos, at_ms >= 0, at_ms);
}

/* ---- definitions ---- */

static void
test_columns(void)
{
	/* Source: CLI.md's list of functions. */
	static const struct {
		const char *column;
		bool good;
	} cases[] = {{"a=start", true}, {"a=end", true}, {"a=count()", true},
	    {"a=count(.x)", true}, {"a=sum(.x)", true}, {"a=min(.a.b[0])", true},
	    {"a=max(.\"odd key\")", true}, {"a=avg(.x)", true}, {"a=first(.x)", true},
	    {"a=last(.x)", true}, {"a=sum()", false}, {"a=start()", false},
	    {"a=sum", false}, {"a=sum(.x", false}, {"a=sum(x)", false},
	    {"=sum(.x)", false}, {"sum(.x)", false}, {"a=median(.x)", false},
	    {"a=", false}, {"a=SUM(.x)", false}, {"a=start(.x)", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setting s = {.size_ms = 1000, .columns = {cases[i].column}};
		struct ryde_window_def *d = define(&s);

		CHECK((d != NULL) == cases[i].good, "%s", cases[i].column);
		ryde_window_def_free(d);
	}
}

static void
test_fingerprint(void)
{
	static const struct setting settings[] = {
	    {.size_ms = 60000, .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60001, .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60000, .offset_ms = 1, .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60000, .lateness_ms = 1, .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60000, .time = ".t", .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60000,
		.time = ".StatusTime",
		.by = ".a",
		.columns = {"n=count()"}},
	    {.size_ms = 60000, .time = "arrival", .by = ".a", .columns = {"n=count()"}},
	    {.size_ms = 60000, .by = ".b", .columns = {"n=count()"}},
	    {.size_ms = 60000, .by = ".a", .by2 = ".b", .columns = {"n=count()"}},
	    {.size_ms = 60000, .columns = {"n=count()"}},
	    {.size_ms = 60000, .by = ".a", .columns = {"m=count()"}},
	    {.size_ms = 60000, .by = ".a", .columns = {"n=count(.x)"}},
	    {.size_ms = 60000, .by = ".a", .columns = {"n=sum(.x)"}},
	    {.size_ms = 60000, .by = ".a", .columns = {"n=count()", "m=count()"}},
	    {.size_ms = 60000,
		.by = ".a",
		.columns = {"n=count()"},
		.kind = RYDE_WINDOW_HOP,
		.step_ms = 30000},
	    {.size_ms = 60000,
		.by = ".a",
		.columns = {"n=count()"},
		.kind = RYDE_WINDOW_HOP,
		.step_ms = 60000},
	    {.size_ms = 60000,
		.by = ".a",
		.columns = {"n=count()"},
		.kind = RYDE_WINDOW_CUMULATE,
		.step_ms = 30000},
	};
	char seen[sizeof(settings) / sizeof(settings[0])][40];
	size_t n = sizeof(settings) / sizeof(settings[0]);
	struct setting same = settings[0];
	struct ryde_window_def *d;

	for (size_t i = 0; i < n; i++) {
		d = define(&settings[i]);
		memcpy(seen[i], d->fingerprint, sizeof(d->fingerprint));
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(seen[i], seen[k]) != 0, "%zu and %zu", i, k);
		ryde_window_def_free(d);
	}
	/* --idle decides when rows come out, not which. A whole window's offset is none.
	 */
	same.idle_ms = 5;
	same.offset_ms = 60000;
	d = define(&same);
	CHECK(strcmp(d->fingerprint, seen[0]) == 0, "");
	CHECK(strlen(d->fingerprint) == RYDE_WINDOW_DEF_FINGERPRINT, "");
	ryde_window_def_free(d);
}

/* The windows of a time, "start-end start-end", and the cell that it shares them in. */
static void
spans(const struct ryde_window_extent *e, int64_t at_ms, char *to, size_t n)
{
	struct ryde_window_extent_cell cell = {0};
	size_t used = 0;

	CHECK(ryde_window_extent_find(e, at_ms, &cell, &err) == 0, "");
	to[0] = '\0';
	for (size_t i = 0; i < cell.n; i++)
		used += (size_t)snprintf(to + used, n - used, "%s%lld-%lld",
		    i > 0 ? " " : "", (long long)cell.spans[i].start_ms,
		    (long long)cell.spans[i].end_ms);
	(void)snprintf(to + used, n - used, " in %lld-%lld", (long long)cell.from_ms,
	    (long long)cell.to_ms);
	ryde_window_extent_cell_free(&cell);
}

static void
test_spans(void)
{
	/* Source: [start, end), aligned to the epoch; times before it too. */
	static const struct {
		struct ryde_window_extent e;
		int64_t at_ms;
		const char *spans;
	} cases[] = {
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, 0, "0-1000 in 0-1000"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, 999, "0-1000 in 0-1000"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, 1000,
		"1000-2000 in 1000-2000"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, -1, "-1000-0 in -1000-0"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, -1000, "-1000-0 in -1000-0"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 0, NULL, NULL}, -1001,
		"-2000--1000 in -2000--1000"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 300, NULL, NULL}, 299, "-700-300 in -700-300"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 300, NULL, NULL}, 300, "300-1300 in 300-1300"},
	    {{RYDE_WINDOW_TUMBLE, 1000, 0, 1300, NULL, NULL}, 300,
		"300-1300 in 300-1300"},
	    {{RYDE_WINDOW_HOP, 10, 5, 0, NULL, NULL}, 7, "0-10 5-15 in 5-10"},
	    {{RYDE_WINDOW_HOP, 10, 5, 0, NULL, NULL}, 10, "5-15 10-20 in 10-15"},
	    {{RYDE_WINDOW_HOP, 10, 4, 0, NULL, NULL}, 7, "0-10 4-14 in 6-8"},
	    {{RYDE_WINDOW_HOP, 10, 4, 0, NULL, NULL}, 9, "0-10 4-14 8-18 in 8-10"},
	    {{RYDE_WINDOW_HOP, 10, 4, 0, NULL, NULL}, 10, "4-14 8-18 in 10-12"},
	    {{RYDE_WINDOW_HOP, 10, 4, 0, NULL, NULL}, -1, "-8-2 -4-6 in -2-0"},
	    {{RYDE_WINDOW_HOP, 10, 4, 1, NULL, NULL}, 1, "-7-3 -3-7 1-11 in 1-3"},
	    {{RYDE_WINDOW_HOP, 10, 10, 0, NULL, NULL}, 3, "0-10 in 0-10"},
	    {{RYDE_WINDOW_CUMULATE, 12, 4, 0, NULL, NULL}, 0, "0-4 0-8 0-12 in 0-4"},
	    {{RYDE_WINDOW_CUMULATE, 12, 4, 0, NULL, NULL}, 7, "0-8 0-12 in 4-8"},
	    {{RYDE_WINDOW_CUMULATE, 12, 4, 0, NULL, NULL}, 11, "0-12 in 8-12"},
	    {{RYDE_WINDOW_CUMULATE, 12, 4, 1, NULL, NULL}, 0, "-11-1 in -3-1"},
	    {{RYDE_WINDOW_CUMULATE, 12, 4, 0, NULL, NULL}, -12,
		"-12--8 -12--4 -12-0 in -12--8"},
	};
	char text[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spans(&cases[i].e, cases[i].at_ms, text, sizeof(text));
		CHECK(strcmp(text, cases[i].spans) == 0, "%zu: %s", i, text);
	}
}

/* A cell is all times that lie in the same windows, and no others. */
static void
test_cells(void)
{
	static const struct ryde_window_extent extents[] = {
	    {RYDE_WINDOW_TUMBLE, 7, 0, 3, NULL, NULL},
	    {RYDE_WINDOW_HOP, 10, 4, 1, NULL, NULL},
	    {RYDE_WINDOW_HOP, 12, 4, 0, NULL, NULL},
	    {RYDE_WINDOW_HOP, 11, 1, 0, NULL, NULL},
	    {RYDE_WINDOW_CUMULATE, 12, 3, 2, NULL, NULL}};
	char here[512], there[512];

	for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++) {
		for (int64_t at = -60; at < 60; at++) {
			struct ryde_window_extent_cell cell = {0};

			(void)ryde_window_extent_find(&extents[i], at, &cell, &err);
			CHECK(cell.from_ms <= at && at < cell.to_ms, "");
			for (size_t k = 0; k < cell.n; k++)
				CHECK(cell.spans[k].start_ms <= at &&
					  at < cell.spans[k].end_ms,
				    "");
			spans(&extents[i], at, here, sizeof(here));
			spans(&extents[i], at + 1, there, sizeof(there));
			CHECK((strcmp(here, there) == 0) == (at + 1 < cell.to_ms), "%s",
			    here);
			ryde_window_extent_cell_free(&cell);
		}
	}
}

/* In a zone too the pieces of time follow each other, and each is the cell of all its
 * times. */
static void
test_zones(void)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York",
	    "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "America/Havana"};
	static const int64_t minutes[] = {
	    15, 45, 60, 90, 120, 360, 420, 720, 1440, 2880, 10080};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		struct ryde_zone *z = ryde_zone_open(zones[i], &err);

		for (size_t k = 0; k < sizeof(minutes) / sizeof(minutes[0]); k++) {
			struct ryde_window_extent e = {.size_ms = minutes[k] * 60000,
			    .offset_ms = k % 3 == 0 ? 600000 : 0,
			    .zone = z};
			struct ryde_window_extent_cell c = {0};
			int64_t at = 1767225600000, end = at; /* the year 2026 */

			(void)ryde_window_extent_find(&e, at, &c, &err);
			for (end = c.to_ms; end < 1798761600000; end = c.to_ms) {
				CHECK(
				    ryde_window_extent_find(&e, end, &c, &err) == 0, "");
				CHECK(c.from_ms == end && c.to_ms > end, "%s %d: %lld",
				    zones[i], (int)minutes[k], (long long)end);
				at = c.from_ms + (c.to_ms - c.from_ms) / 2;
				end = c.to_ms;
				(void)ryde_window_extent_find(&e, at, &c, &err);
				CHECK(c.to_ms == end, "%s %d: %lld", zones[i],
				    (int)minutes[k], (long long)at);
				(void)ryde_window_extent_find(&e, end - 1, &c, &err);
				CHECK(c.to_ms == end && c.spans[0].end_ms == end,
				    "%s %d: %lld", zones[i], (int)minutes[k],
				    (long long)end);
			}
			ryde_window_extent_cell_free(&c);
		}
		ryde_zone_free(z);
	}
}

static void
test_extents(void)
{
	/* Source: every line is in a window, and the last step is as long as the others.
	 */
	static const struct {
		enum ryde_window_extent_kind kind;
		const char *text;
		bool good;
	} cases[] = {{RYDE_WINDOW_TUMBLE, "1m", true}, {RYDE_WINDOW_TUMBLE, "0s", false},
	    {RYDE_WINDOW_TUMBLE, "1m/1s", false}, {RYDE_WINDOW_TUMBLE, "", false},
	    {RYDE_WINDOW_TUMBLE, "36526d", false}, {RYDE_WINDOW_HOP, "1h/5m", true},
	    {RYDE_WINDOW_HOP, "1h/7m", true}, {RYDE_WINDOW_HOP, "5m/1h", false},
	    {RYDE_WINDOW_HOP, "1h", false}, {RYDE_WINDOW_HOP, "1h/0s", false},
	    {RYDE_WINDOW_HOP, "1h/", false}, {RYDE_WINDOW_HOP, "/1h", false},
	    {RYDE_WINDOW_HOP, "1d/1ms", false}, {RYDE_WINDOW_CUMULATE, "1d/1h", true},
	    {RYDE_WINDOW_CUMULATE, "1h/7m", false},
	    {RYDE_WINDOW_CUMULATE, "1h/1h", true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_window_extent e = {0};

		CHECK((ryde_window_extent_read(&e, cases[i].kind, cases[i].text, &err) ==
			      0 &&
			  ryde_window_extent_check(&e, &err) == 0) == cases[i].good,
		    "%s", cases[i].text);
	}
}

/* ---- numbers ---- */

static void
test_numbers(void)
{
	/* Source: RFC 8259, section 6. text: NULL where it is none of the small ones. */
	static const struct {
		const char *number, *text;
		bool plain;
	} cases[] = {{"0", "0", true}, {"-0", "0", false}, {"0.10", "0.10", true},
	    {"-1.5", "-1.5", true}, {"-0.05", "-0.05", true},
	    {"123456789012345678", "123456789012345678", true},
	    {"1234567890123456789", NULL, false},
	    {"999999999999999999999999", NULL, false},
	    {"0.12345678901234567", "0.12345678901234567", true}, {"-0.0", "0.0", false},
	    {"1e3", "1000", false}, {"1E+3", "1000", false}, {"1e-05", "0.00001", false},
	    {"1.50e1", "15", false}, {"1e18", NULL, false},
	    {"1e-18", "0.000000000000000001", false}, {"1e-19", NULL, false},
	    {"10e-19", "0.000000000000000001", false}, {"1e400", NULL, false},
	    {"0e400", "0", false}, {"1e-999999999999", NULL, false},
	    {"1e999999999999", NULL, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_window_number n;
		char text[RYDE_WINDOW_NUMBER_TEXT];
		size_t length;

		ryde_window_number_read(&n, ryde_view_of(cases[i].number));
		CHECK(n.small == (cases[i].text != NULL), "%s", cases[i].number);
		if (!n.small || cases[i].text == NULL)
			continue;
		CHECK(n.plain == cases[i].plain, "%s", cases[i].number);
		length = ryde_window_number_text(n.coefficient, n.scale, text);
		CHECK(ryde_view_is(ryde_view_mem(text, length), cases[i].text),
		    "%s: %.*s", cases[i].number, (int)length, text);
	}
}

/* ---- results of plain payloads ---- */

static void
test_results(void)
{
#define T "\"StatusTime\":\"1970-01-01 00:00:0"
	/* Each: columns, lines, the rows at the end. Source: CLI.md ryde-window, and SQL
	 * for nulls. */
	static const struct {
		struct setting setting;
		const char *lines[8];
		const char *rows;
	} cases[] = {
	    {{.size_ms = 1000,
		 .by = ".k",
		 .columns = {"d=sum(.v)", "n=count(.v)", "all=count()", "a=avg(.v)"}},
		{"{\"k\":\"a\"," T "0\",\"v\":0.1}", "{\"k\":\"a\"," T "0\",\"v\":0.2}",
		    "{\"k\":\"a\"," T "0\",\"v\":null}", "{\"k\":\"a\"," T "0\"}"},
		"{\"k\":\"a\",\"windowStart\":\"1970-01-01 "
		"00:00:00.000\",\"windowEnd\":\"1970-01-01 00:00:01.000\","
		"\"d\":0.3,\"n\":2,\"all\":4,\"a\":0.15}\n"},
	    {{.size_ms = 1000,
		 .columns = {"s=start", "d=sum(.v)", "a=avg(.v)", "m=min(.v)",
		     "f=first(.v)"}},
		{"{" T "0\"}"},
		"{\"s\":\"1970-01-01 "
		"00:00:00.000\",\"d\":null,\"a\":null,\"m\":null,\"f\":null}\n"},
	    /* keys: escapes do not tell strings apart, nor forms tell numbers apart */
	    {{.size_ms = 1000, .by = ".k", .columns = {"e=end", "n=count()"}},
		{"{\"k\":\"\\u0041\\/\"," T "0\"}", "{\"k\":\"A/\"," T "0\"}",
		    "{\"k\":1.0," T "0\"}", "{\"k\":1," T "0\"}", "{\"k\":true," T "0\"}",
		    "{\"k\":null," T "0\"}", "{" T "0\"}"},
		"{\"k\":\"A/\",\"e\":\"1970-01-01 "
		"00:00:01.000\",\"n\":2}\n{\"k\":1.0,\"e\":\"1970-01-01 "
		"00:00:01.000\",\"n\":2}\n"
		"{\"k\":null,\"e\":\"1970-01-01 "
		"00:00:01.000\",\"n\":2}\n{\"k\":true,\"e\":\"1970-01-01 "
		"00:00:01.000\",\"n\":1}\n"},
	    /* two keys, one of them with a comma and a quote in it */
	    {{.size_ms = 1000,
		 .by = ".a.x",
		 .by2 = ".b",
		 .columns = {"e=end", "n=count()"}},
		{"{\"a\":{\"x\":\"p\\\",q\"},\"b\":2," T "0\"}",
		    "{\"a\":{\"x\":\"p\"},\"b\":\",q\"," T "0\"}"},
		"{\"x\":\"p\",\"b\":\",q\",\"e\":\"1970-01-01 00:00:01.000\",\"n\":1}\n"
		"{\"x\":\"p\\\",q\",\"b\":2,\"e\":\"1970-01-01 "
		"00:00:01.000\",\"n\":1}\n"},
	    /* extremes: of equals the first by time, as it was written */
	    {{.size_ms = 9000,
		 .lateness_ms = 9000,
		 .columns = {"s=start", "m=min(.v)", "x=max(.v)", "f=first(.v)",
		     "l=last(.v)"}},
		{"{" T "2\",\"v\":1.50}", "{" T "1\",\"v\":15e-1}",
		    "{" T "3\",\"v\":1.5}"},
		"{\"s\":\"1970-01-01 "
		"00:00:00.000\",\"m\":15e-1,\"x\":15e-1,\"f\":15e-1,\"l\":1.5}\n"},
	    {{.size_ms = 9000,
		 .columns = {"s=start", "m=min(.v)", "x=max(.v)", "d=sum(.v)"}},
		{"{" T "1\",\"v\":1e30}", "{" T "1\",\"v\":-0}", "{" T "1\",\"v\":1e-30}",
		    "{" T "1\",\"v\":"
		    "12345678901234567890123456789012345678901234567890123456}"},
		"{\"s\":\"1970-01-01 "
		"00:00:00.000\",\"m\":-0,\"x\":"
		"12345678901234567890123456789012345678901234567890123456,"
		"\"d\":12345678901234567890123457789012345678901234567890123456"
		".000000000000000000000000000001}\n"},
	    {{.size_ms = 9000,
		 .columns = {"s=start", "f=first(.v)", "l=last(.v)", "n=count(.v)"}},
		{"{" T "1\",\"v\":[1, 2]}", "{" T "1\",\"v\":\"\\u0041\"}",
		    "{" T "2\",\"v\":{}}", "{" T "2\",\"v\":null}"},
		"{\"s\":\"1970-01-01 00:00:00.000\",\"f\":[1, 2],\"l\":{},\"n\":3}\n"},
	};
#undef T

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_window_def *d = define(&cases[i].setting);
		struct ryde_window *w = ryde_window_new(d, &err);
		struct ryde_buf out;

		ryde_buf_init(&out, OUT_MAX);
		for (size_t k = 0; k < 8 && cases[i].lines[k] != NULL; k++)
			CHECK(feed(w, "", 0, cases[i].lines[k]) == RYDE_WINDOW_TAKEN,
			    "%s: %s", cases[i].lines[k], err.msg);
		ryde_window_close(w);
		take_rows(w, &out);
		CHECK(strcmp(ryde_buf_str(&out), cases[i].rows) == 0, "\n%s%s",
		    ryde_buf_str(&out), cases[i].rows);
		ryde_buf_free(&out);
		ryde_window_free(w);
		ryde_window_def_free(d);
	}
}

static void
test_wrong(void)
{
	static const struct {
		const char *time, *line, *why;
	} cases[] = {
	    {NULL, "{\"StatusTime\":0,\"v\":\"1\"}", ".v is not a number: \"1\""},
	    {NULL, "{\"StatusTime\":0,\"v\":[]}", ".v is not a number: an array"},
	    {NULL, "{\"StatusTime\":0,\"v\":1e999999999}", ".v: "},
	    {NULL, "{\"StatusTime\":\"soon\",\"v\":1}",
		".StatusTime is no time: \"soon\""},
	    {NULL, "{\"StatusTime\":true,\"v\":1}", ".StatusTime is no time: true"},
	    {NULL, "{\"StatusTime\":1763906400000000,\"v\":1}",
		".StatusTime is not between the years"},
	    {NULL, "{\"v\":1}", ".StatusTime is the record's time: missing"},
	    {NULL, "{\"StatusTime\":null,\"v\":1}",
		".StatusTime is the record's time: null"},
	    {".t", "{\"StatusTime\":0,\"v\":1}", ".t is the record's time: missing"},
	    {"arrival", "{\"StatusTime\":0,\"v\":1}", "the line has no arrival time"},
	    {NULL, "{\"StatusTime\":0,\"v\":1,\"k\":{}}", ".k is no key: an object"},
	    {NULL, "{\"StatusTime\":0,\"v\":1", "no JSON: "},
	    {NULL, "", "no JSON: "},
	    {NULL, "7", ".StatusTime is the record's time: missing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setting s = {.size_ms = 1000,
		    .time = cases[i].time,
		    .by = ".k",
		    .columns = {"n=sum(.v)"}};
		struct ryde_window_def *d = define(&s);
		struct ryde_window *w = ryde_window_new(d, &err);

		CHECK(feed(w, "", 0, cases[i].line) == RYDE_WINDOW_WRONG, "%s",
		    cases[i].line);
		CHECK(strncmp(err.msg, cases[i].why, strlen(cases[i].why)) == 0, "%s: %s",
		    cases[i].line, err.msg);
		CHECK(ryde_window_pending(w) == 0, "");
		ryde_window_free(w);
		ryde_window_def_free(d);
	}
}

/* ---- time ---- */

static void
number_line(char *to, size_t n, int64_t at_ms, const char *key, const char *value)
{
	(void)snprintf(to, n, "{\"k\":\"%s\",\"StatusTime\":%lld,\"v\":%s}", key,
	    (long long)(at_ms + 1000000000000), value);
}

static enum ryde_window_fed
feed_at(struct ryde_window *w, const char *shard, unsigned seq, int64_t at_ms)
{
	char line[128];

	number_line(line, sizeof(line), at_ms, "a", "1");
	return feed(w, shard, seq, line);
}

static bool
fires(struct ryde_window *w)
{
	struct ryde_buf out;
	bool any = ryde_window_advance(w);

	ryde_buf_init(&out, OUT_MAX);
	take_rows(w, &out);
	ryde_buf_free(&out);
	return any;
}

static void
test_lateness(void)
{
	struct setting s = {
	    .size_ms = 1000, .lateness_ms = 500, .by = ".k", .columns = {"n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);

	CHECK(feed_at(w, "", 0, 999) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "", 0, 1499) == RYDE_WINDOW_TAKEN, "");
	CHECK(!fires(w), "the watermark is 999");
	CHECK(feed_at(w, "", 0, 0) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "", 0, 1500) == RYDE_WINDOW_TAKEN, "");
	CHECK(fires(w), "the watermark is 1000, the end");
	CHECK(feed_at(w, "", 0, 999) == RYDE_WINDOW_LATE, "");
	CHECK(feed_at(w, "", 0, 1000) == RYDE_WINDOW_TAKEN, "");
	CHECK(ryde_window_pending(w) == 3, "");
	ryde_window_free(w);
	ryde_window_def_free(d);
}

static void
test_shards(void)
{
	struct setting s = {
	    .size_ms = 1000, .idle_ms = 30000, .by = ".k", .columns = {"n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);

	/* Shard 1 is announced, has no record, and holds the watermark until it is idle
	 * by the times of marks. */
	mark(w, "shardId-0", 0, -1);
	mark(w, "shardId-1", 0, -1);
	CHECK(feed_at(w, "shardId-0", 100, 0) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "shardId-0", 101, 5000) == RYDE_WINDOW_TAKEN, "");
	CHECK(!fires(w), "");
	mark(w, "shardId-1", 0, 50000);
	CHECK(!fires(w), "its first mark with a time");
	mark(w, "shardId-1", 0, 79999);
	CHECK(!fires(w), "");
	mark(w, "shardId-1", 0, 80000);
	CHECK(fires(w), "idle");
	/* With a record it counts again, and the watermark does not run back. */
	CHECK(feed_at(w, "shardId-1", 102, 3000) == RYDE_WINDOW_LATE, "");
	CHECK(feed_at(w, "shardId-1", 103, 5500) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "shardId-0", 104, 7000) == RYDE_WINDOW_TAKEN, "");
	CHECK(!fires(w), "");
	/* Its last record arrived at 103 s: idle from 133 s on. */
	mark(w, "shardId-1", 103, 132999);
	CHECK(!fires(w), "");
	mark(w, "shardId-1", 103, 133000);
	CHECK(fires(w), "");
	/* All are idle: none holds anything back, and what the furthest shard has reached
	 * is closed. */
	CHECK(ryde_window_pending(w) == 1, "");
	mark(w, "shardId-0", 104, 200000);
	CHECK(!fires(w), "the window of 7000 is not over by shard 0's own time");
	ryde_window_free(w);
	ryde_window_def_free(d);
}

static void
test_arrival(void)
{
	struct setting s = {.size_ms = 10000,
	    .idle_ms = 30000,
	    .time = "arrival",
	    .columns = {"n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);

	CHECK(feed(w, "shardId-0", 5, "{}") == RYDE_WINDOW_TAKEN, "");
	mark(w, "shardId-0", 5, 9999);
	CHECK(!fires(w), "");
	mark(w, "shardId-0", 5, 10000);
	CHECK(fires(w), "a mark moves the time of arrivals");
	ryde_window_free(w);
	ryde_window_def_free(d);
}

/* ---- interleaving ---- */

#define LINES 600
#define SHARDS 3

/* The same lines, each shard's in its order, in an order of the shards that follows from
 * seed. */
static void
run_interleaved(const struct ryde_window_def *d, char lines[][128], uint64_t seed,
    struct ryde_buf *out)
{
	struct ryde_window *w = ryde_window_new(d, &err);
	static const char *const shards[SHARDS] = {"shardId-2", "shardId-0", "shardId-1"};
	size_t next[SHARDS] = {0};
	struct ryde_random r;

	ryde_random_seed(&r, seed);
	for (size_t i = 0; i < SHARDS; i++) /* announced in any order */
		mark(w, shards[(i + seed) % SHARDS], 0, -1);
	for (size_t left = LINES; left > 0;) {
		size_t s = (size_t)(ryde_random_u64(&r) % SHARDS);

		if (next[s] == LINES / SHARDS)
			continue;
		CHECK(feed(w, shards[s], (unsigned)next[s] + 1,
			  lines[s * (LINES / SHARDS) + next[s]]) == RYDE_WINDOW_TAKEN,
		    "");
		next[s]++;
		left--;
		(void)ryde_window_advance(w);
		take_rows(w, out);
	}
	ryde_window_close(w);
	take_rows(w, out);
	ryde_window_free(w);
}

static void
test_interleaving(enum ryde_window_extent_kind kind, int64_t size_ms, int64_t step_ms)
{
	static const char *const values[] = {
	    "1", "1.0", "10e-1", "0.1e1", "1.00", "100e-2", "-1", "-1.0", "null", "2e30"};
	static const char *const keys[] = {"1", "1.0", "\"b\"", "\"\\u0062\"", "1e0"};
	struct setting s = {.size_ms = size_ms,
	    .kind = kind,
	    .step_ms = step_ms,
	    .lateness_ms = 50,
	    .idle_ms = 30000,
	    .by = ".k",
	    .columns = {"f=first(.v)", "l=last(.v)", "m=min(.v)", "x=max(.v)",
		"d=sum(.v)", "n=count()"}};
	static char lines[LINES][128];
	struct ryde_window_def *d = define(&s);
	struct ryde_buf first, other;
	struct ryde_random r;

	ryde_buf_init(&first, OUT_MAX);
	ryde_buf_init(&other, OUT_MAX);
	ryde_random_seed(&r, 7);
	for (size_t i = 0; i < LINES; i++) {
		/* Ties are frequent; times run back by up to the lateness. */
		int64_t at = (int64_t)(i % (LINES / SHARDS)) * 5 / 10 * 10 -
			     (int64_t)(ryde_random_u64(&r) % 5) * 10;

		(void)snprintf(lines[i], sizeof(lines[i]),
		    "{\"k\":%s,\"StatusTime\":%lld,\"v\":%s}",
		    keys[ryde_random_u64(&r) % 5], (long long)(at + 1000000000000),
		    values[ryde_random_u64(&r) % 10]);
	}
	run_interleaved(d, lines, 0, &first);
	CHECK(first.n > 1000, "");
	for (uint64_t seed = 1; seed <= 40; seed++) {
		ryde_buf_clear(&other);
		run_interleaved(d, lines, seed, &other);
		CHECK(ryde_view_eq(ryde_buf_as_view(&first), ryde_buf_as_view(&other)),
		    "seed %llu\n%s\n%s", (unsigned long long)seed, ryde_buf_str(&first),
		    ryde_buf_str(&other));
	}
	ryde_buf_free(&first);
	ryde_buf_free(&other);
	ryde_window_def_free(d);
}

/* ---- positions ---- */

static void
check_at(struct ryde_window *w, const struct ryde_window_def *d, int n, const char *rest)
{
	struct ryde_buf at;
	char want[512];

	ryde_buf_init(&at, OUT_MAX);
	CHECK(ryde_window_positions(w, &at, &err) == 0, "");
	(void)snprintf(want, sizeof(want), "{\"n\":%d,\"window\":\"%s\",%s", n,
	    d->fingerprint, rest);
	CHECK(strcmp(ryde_buf_str(&at), want) == 0, "\n%s\n%s", ryde_buf_str(&at), want);
	ryde_buf_free(&at);
}

static void
test_positions(void)
{
	struct setting s = {.size_ms = 1000,
	    .lateness_ms = 1000,
	    .idle_ms = 30000,
	    .by = ".k",
	    .columns = {"n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);

	CHECK(ryde_window_restore(w, ryde_view_of(""), &err) == 0, "");
	mark(w, "s0", 0, -1);
	mark(w, "s1", 40, -1);
	CHECK(feed_at(w, "s0", 11, 100) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s0", 12, 1100) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s0", 13, 200) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s1", 41, 1200) == RYDE_WINDOW_TAKEN, "");
	CHECK(!fires(w), "");
	check_at(w, d, 1,
	    "\"closed\":1000000000100,\"shards\":{\"s0\":{\"from\":null,\"seen\":\"13\"},"
	    "\"s1\":{\"from\":\"40\",\"seen\":\"41\"}}}");
	CHECK(!ryde_window_has_moved(w), "");
	CHECK(feed_at(w, "s0", 14, 2500) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s1", 42, 2000) == RYDE_WINDOW_TAKEN, "");
	CHECK(fires(w), "");
	/* [1000, 2000) is open: s0 needs it from record 12 on, which stands behind 11. */
	check_at(w, d, 2,
	    "\"closed\":1000000001000,\"shards\":{\"s0\":{\"from\":\"11\",\"seen\":"
	    "\"14\"},\"s1\":{\"from\":\"40\",\"seen\":\"42\"}}}");
	/* Marks carry seen past what a filter dropped. */
	mark(w, "s1", 50, -1);
	CHECK(ryde_window_has_moved(w), "");
	CHECK(feed_at(w, "s0", 15, 9000) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s1", 51, 9000) == RYDE_WINDOW_TAKEN, "");
	CHECK(fires(w), "");
	check_at(w, d, 3,
	    "\"closed\":1000000008000,\"shards\":{\"s0\":{\"from\":\"14\",\"seen\":"
	    "\"15\"},\"s1\":{\"from\":\"50\",\"seen\":\"51\"}}}");
	ryde_window_free(w);
	ryde_window_def_free(d);
}

static void
test_restart(void)
{
	struct setting s = {.size_ms = 1000,
	    .idle_ms = 30000,
	    .by = ".k",
	    .columns = {"s=start", "n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);
	struct ryde_buf out;
	char at[512];

	ryde_buf_init(&out, OUT_MAX);
	(void)snprintf(at, sizeof(at),
	    "{\"n\":7,\"window\":\"%s\",\"closed\":1000000001000,\"shards\":{\"s0\":{"
	    "\"from\":\"10\",\"seen\":\"13\"},\"s1\":{\"from\":\"20\",\"seen\":\"22\"},"
	    "\"s2\":{\"from\":null,\"seen\":null}}}",
	    d->fingerprint);
	CHECK(ryde_window_restore(w, ryde_view_of(at), &err) == 0, "");
	CHECK(ryde_window_is_behind(w), "");
	CHECK(feed_at(w, "s0", 11, 900) == RYDE_WINDOW_SKIPPED, "was counted");
	CHECK(feed_at(w, "s0", 12, 1500) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s0", 13, 5000) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s0", 14, 900) == RYDE_WINDOW_LATE, "beyond seen");
	CHECK(!fires(w) && ryde_window_is_behind(w), "s1 is behind");
	CHECK(feed_at(w, "s1", 21, 4000) == RYDE_WINDOW_TAKEN, "");
	CHECK(feed_at(w, "s0", 15, 1600) == RYDE_WINDOW_TAKEN,
	    "the watermark stays at closed");
	CHECK(!fires(w), "");
	mark(w, "s1", 30, -1);
	CHECK(!ryde_window_is_behind(w), "");
	CHECK(!fires(w), "s2 has neither a record nor been idle");
	mark(w, "s2", 0, 0);
	mark(w, "s2", 0, 30000);
	CHECK(ryde_window_advance(w), "");
	take_rows(w, &out);
	CHECK(strcmp(ryde_buf_str(&out),
		  "{\"k\":\"a\",\"s\":\"2001-09-09 01:46:41.000\",\"n\":2}\n") == 0,
	    "%s", ryde_buf_str(&out));
	check_at(w, d, 8,
	    "\"closed\":1000000004000,\"shards\":{\"s0\":{\"from\":\"12\",\"seen\":"
	    "\"15\"},\"s1\":{\"from\":null,\"seen\":\"30\"},\"s2\":{\"from\":null,"
	    "\"seen\":null}}}");
	ryde_window_free(w);

	w = ryde_window_new(d, &err);
	at[20] = at[20] == 'f' ? '0' : 'f';
	CHECK(ryde_window_restore(w, ryde_view_of(at), &err) != 0 &&
		  err.code == RYDE_ECONFIG,
	    "%s", err.msg);
	ryde_window_free(w);
	ryde_buf_free(&out);
	ryde_window_def_free(d);
}

/* Where shard `id` is read again from: `from` of at, of null where this life began. */
static size_t
from_of(struct ryde_buf *at, const char *id, size_t began)
{
	char name[16];
	const char *p;
	size_t from = 0;

	(void)snprintf(name, sizeof(name), "\"%s\":", id);
	p = strstr(ryde_buf_str(at), name);
	CHECK(p != NULL, "%s", ryde_buf_str(at));
	p = strstr(p, "\"from\":") + 7;
	if (*p == 'n')
		return began;
	for (p++; *p >= '0' && *p <= '9'; p++)
		from = from * 10 + (size_t)(*p - '0');
	return from;
}

/*
 * Lives are cut at random records, each after its positions were put; the next one reads
 * from `from`, and interleaves the shards in another way. The rows of all together are
 * those of one undisturbed life.
 */
static void
one_cut(const struct ryde_window_def *d, char lines[][128], uint64_t seed,
    const struct ryde_buf *whole)
{
	struct ryde_random r;
	struct ryde_window *w = NULL;
	struct ryde_buf out, at;
	static const char *const shards[SHARDS] = {"s2", "s0", "s1"};
	size_t next[SHARDS] = {0}, began[SHARDS], per = LINES / SHARDS;

	ryde_buf_init(&out, OUT_MAX);
	ryde_buf_init(&at, OUT_MAX);
	ryde_random_seed(&r, seed);
	for (size_t life = seed % 5; life < 6; life++) {
		bool last = life == 5;
		size_t left =
		    last ? 2 * LINES : (size_t)(ryde_random_u64(&r) % (LINES / 2));

		w = ryde_window_new(d, &err);
		CHECK(ryde_window_restore(w, ryde_buf_as_view(&at), &err) == 0, "");
		memcpy(began, next, sizeof(began));
		for (size_t i = 0; i < SHARDS; i++)
			mark(w, shards[i], 0, -1);
		for (; left > 0 || ryde_window_is_behind(w); left -= left > 0) {
			size_t k = (size_t)(ryde_random_u64(&r) % SHARDS);

			for (size_t i = 0; next[k] == per && i < SHARDS; i++)
				k = i;
			if (next[k] == per)
				break;
			CHECK(feed(w, shards[k], (unsigned)next[k] + 1,
				  lines[k * per + next[k]]) <= RYDE_WINDOW_SKIPPED,
			    "");
			next[k]++;
			(void)ryde_window_advance(w);
			take_rows(w, &out);
		}
		if (last)
			break;
		ryde_buf_clear(&at);
		CHECK(ryde_window_positions(w, &at, &err) == 0, "");
		ryde_window_free(w);
		for (size_t i = 0; i < SHARDS; i++)
			next[i] = from_of(&at, shards[i], began[i]);
	}
	ryde_window_close(w);
	take_rows(w, &out);
	CHECK(ryde_view_eq(ryde_buf_as_view(&out), ryde_buf_as_view(whole)),
	    "seed %llu\n%s\n%s", (unsigned long long)seed, ryde_buf_str(&out),
	    ryde_buf_str((struct ryde_buf *)(uintptr_t)whole));
	ryde_window_free(w);
	ryde_buf_free(&out);
	ryde_buf_free(&at);
}

static void
test_cuts(enum ryde_window_extent_kind kind, int64_t size_ms, int64_t step_ms)
{
	struct setting s = {.size_ms = size_ms,
	    .kind = kind,
	    .step_ms = step_ms,
	    .lateness_ms = 50,
	    .idle_ms = 30000,
	    .by = ".k",
	    .columns = {"f=first(.v)", "x=max(.v)", "d=sum(.v)", "n=count()"}};
	static char lines[LINES][128];
	struct ryde_window_def *d = define(&s);
	struct ryde_buf whole;
	struct ryde_random r;

	ryde_buf_init(&whole, OUT_MAX);
	ryde_random_seed(&r, 11);
	for (size_t i = 0; i < LINES; i++) {
		int64_t at = (int64_t)(i % (LINES / SHARDS)) * 7 -
			     (int64_t)(ryde_random_u64(&r) % 50);
		char key[4] = {(char)('a' + ryde_random_u64(&r) % 3), '\0'}, value[24];

		(void)snprintf(value, sizeof(value), "%llu.%llu",
		    (unsigned long long)(ryde_random_u64(&r) % 100),
		    (unsigned long long)(ryde_random_u64(&r) % 100));
		number_line(lines[i], sizeof(lines[i]), at, key, value);
	}
	run_interleaved(d, lines, 3, &whole);
	for (uint64_t seed = 0; seed < 200; seed++)
		one_cut(d, lines, seed, &whole);
	ryde_buf_free(&whole);
	ryde_window_def_free(d);
}

/* The number behind the next `"name":` from *p on; *p moves behind it. */
static bool
next_number(const char **p, const char *name, long *to)
{
	char label[16], *end;

	(void)snprintf(label, sizeof(label), "\"%s\":", name);
	*p = strstr(*p, label);
	if (*p == NULL)
		return false;
	*p += strlen(label);
	*to = 0;
	for (end = (char *)(uintptr_t)*p; *end >= '0' && *end <= '9'; end++)
		*to = *to * 10 + (*end - '0');
	return true;
}

/*
 * Times run back by more than the lateness, shards fall silent until they are idle and
 * come back with old records, and lives are cut. Which records are late then depends on
 * the interleaving; that each is late or in one row, and not in two, must not.
 */
static void
one_disorder(const struct ryde_window_def *d, uint64_t seed)
{
	static const char *const shards[SHARDS] = {"s2", "s0", "s1"};
	struct ryde_random r;
	struct ryde_window *w = NULL;
	struct ryde_buf out, at;
	size_t next[SHARDS] = {0}, began[SHARDS], per = 100;
	int64_t silent[SHARDS] = {0};
	static long values[SHARDS][100], times[SHARDS][100];
	static bool told[SHARDS][100];
	long all = 0, sum = 0, n = 0, late = 0, count = 0, value;
	char line[128];

	ryde_buf_init(&out, OUT_MAX);
	ryde_buf_init(&at, OUT_MAX);
	ryde_random_seed(&r, seed);
	memset(told, 0, sizeof(told));
	for (size_t k = 0; k < SHARDS; k++) {
		for (size_t i = 0; i < per; i++) {
			values[k][i] = (long)(ryde_random_u64(&r) % 1000000);
			times[k][i] = (long)i * 20 -
				      (long)(ryde_random_u64(&r) %
					     (ryde_random_u64(&r) % 4 == 0 ? 200 : 30));
			all += values[k][i];
		}
	}
	for (size_t life = 0; life < 8; life++) {
		size_t left = life == 7 ? SIZE_MAX : (size_t)(ryde_random_u64(&r) % 80);

		w = ryde_window_new(d, &err);
		CHECK(ryde_window_restore(w, ryde_buf_as_view(&at), &err) == 0, "");
		memcpy(began, next, sizeof(began));
		for (size_t i = 0; i < SHARDS; i++)
			mark(w, shards[i], 0, -1);
		for (; left > 0 || ryde_window_is_behind(w); left -= left > 0) {
			size_t k = (size_t)(ryde_random_u64(&r) % SHARDS);

			if (ryde_random_u64(&r) % 30 == 0 && !ryde_window_is_behind(w)) {
				silent[k] = 40;
				mark(w, shards[k], 0, (int64_t)next[k] * 1000 + 6000);
			}
			for (size_t i = 0;
			     i < SHARDS &&
			     (next[k] == per ||
				 (silent[k] > 0 && !ryde_window_is_behind(w)));
			     i++) {
				silent[k] -= silent[k] > 0;
				k = (k + 1) % SHARDS;
			}
			if (next[0] == per && next[1] == per && next[2] == per)
				break;
			if (next[k] == per)
				continue;
			(void)snprintf(line, sizeof(line),
			    "{\"k\":\"%c\",\"StatusTime\":%ld,\"v\":%ld}",
			    "ab"[values[k][next[k]] % 2],
			    times[k][next[k]] + 1000000000000, values[k][next[k]]);
			switch (feed(w, shards[k], (unsigned)next[k] + 1, line)) {
			case RYDE_WINDOW_LATE:
				CHECK(!told[k][next[k]], "late twice");
				told[k][next[k]] = true;
				sum += values[k][next[k]];
				late++;
				break;
			case RYDE_WINDOW_SKIPPED:
			case RYDE_WINDOW_TAKEN:
				break;
			case RYDE_WINDOW_FILTERED:
			case RYDE_WINDOW_WRONG:
			case RYDE_WINDOW_FAILED:
				CHECK(false, "%s", err.msg);
			}
			next[k]++;
			(void)ryde_window_advance(w);
			take_rows(w, &out);
		}
		if (life == 7)
			break;
		ryde_buf_clear(&at);
		CHECK(ryde_window_positions(w, &at, &err) == 0, "");
		ryde_window_free(w);
		for (size_t i = 0; i < SHARDS; i++)
			next[i] = from_of(&at, shards[i], began[i]);
	}
	ryde_window_close(w);
	take_rows(w, &out);
	for (const char *p = ryde_buf_str(&out); next_number(&p, "n", &value); n += value)
		count++;
	for (const char *p = ryde_buf_str(&out); next_number(&p, "d", &value);)
		sum += value;
	CHECK(late + count > 20, "%d %ld %ld", (int)d->extent.kind, late, count);
	CHECK(n + late == (long)(SHARDS * per) && sum == all,
	    "kind %d gap %d seed %llu: %ld in rows, %ld late", (int)d->extent.kind,
	    (int)d->extent.size_ms, (unsigned long long)seed, n, late);
	ryde_window_free(w);
	ryde_buf_free(&out);
	ryde_buf_free(&at);
}

static void
test_disorder(enum ryde_window_extent_kind kind, int64_t size_ms)
{
	struct setting s = {.kind = kind,
	    .size_ms = size_ms,
	    .lateness_ms = 30,
	    .idle_ms = 5000,
	    .by = ".k",
	    .columns = {"n=count()", "d=sum(.v)"}};
	struct ryde_window_def *d = define(&s);

	for (uint64_t seed = 0; seed < 300; seed++)
		one_disorder(d, seed);
	ryde_window_def_free(d);
}

static void
test_many_keys(void)
{
	struct setting s = {
	    .size_ms = 1000, .by = ".k", .columns = {"e=end", "n=count()"}};
	struct ryde_window_def *d = define(&s);
	struct ryde_window *w = ryde_window_new(d, &err);
	struct ryde_buf out;
	char line[128], key[32];
	size_t rows = 0;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++) {
			(void)snprintf(key, sizeof(key), "%0*d", 1 + i % 20, i);
			number_line(line, sizeof(line), 0, key, "1");
			CHECK(feed(w, "", 0, line) == RYDE_WINDOW_TAKEN, "");
		}
	}
	ryde_buf_init(&out, OUT_MAX);
	ryde_window_close(w);
	take_rows(w, &out);
	for (const char *p = ryde_buf_str(&out); (p = strstr(p, "\"n\":2}\n")) != NULL;
	     p++)
		rows++;
	CHECK(rows == 20000, "%zu", rows);
	ryde_buf_free(&out);
	ryde_window_free(w);
	ryde_window_def_free(d);
}

int
main(void)
{
	test_columns();
	test_fingerprint();
	test_spans();
	test_cells();
	test_extents();
	test_zones();
	test_numbers();
	test_results();
	test_wrong();
	test_lateness();
	test_shards();
	test_arrival();
	test_interleaving(RYDE_WINDOW_TUMBLE, 100, 0);
	test_interleaving(RYDE_WINDOW_HOP, 100, 30);
	test_interleaving(RYDE_WINDOW_CUMULATE, 100, 25);
	test_interleaving(RYDE_WINDOW_SESSION, 11, 0);
	test_interleaving(RYDE_WINDOW_SESSION, 20, 0);
	test_positions();
	test_restart();
	test_cuts(RYDE_WINDOW_TUMBLE, 100, 0);
	test_cuts(RYDE_WINDOW_HOP, 100, 30);
	test_cuts(RYDE_WINDOW_CUMULATE, 100, 25);
	test_cuts(RYDE_WINDOW_SESSION, 15, 0);
	test_cuts(RYDE_WINDOW_SESSION, 40, 0);
	test_disorder(RYDE_WINDOW_TUMBLE, 100);
	test_disorder(RYDE_WINDOW_SESSION, 15);
	test_disorder(RYDE_WINDOW_SESSION, 25);
	test_many_keys();
	return check_end("engine_window");
}
