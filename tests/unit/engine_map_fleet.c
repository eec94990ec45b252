/* Who is on the map, and what each viewer is told of it. Source: engine/map_fleet.h,
 * engine/map_viewer.h. */
#include "engine/map_fleet.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "engine/map_viewer.h"

#include <stdio.h>
#include <stdlib.h>

/* What the fleet said of its lines. */
static struct {
	int done, overtaken, bad;
	uint64_t last_done, last_bad;
	char why[256];
} said;

static void
on_done(void *arg, uint64_t ticket, bool overtaken)
{
	(void)arg;
	said.done += !overtaken;
	said.overtaken += overtaken;
	said.last_done = ticket;
}

static int
on_bad(void *arg, const struct ryde_map_line *line, const char *why, struct ryde_err *err)
{
	(void)arg;
	(void)err;
	said.bad++;
	said.last_bad = line->ticket;
	(void)snprintf(said.why, sizeof(said.why), "%s", why);
	return 0;
}

static struct ryde_map_fleet *
new_fleet(int64_t forget_ms, int64_t mono_zero_ms)
{
	const struct ryde_map_fleet_opts o = {.forget_ms = forget_ms,
	    .mono_zero_ms = mono_zero_ms,
	    .done = on_done,
	    .bad = on_bad};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_map_fleet *f = ryde_map_fleet_new(&o, &err);

	CHECK(f != NULL, "%s", err.msg);
	memset(&said, 0, sizeof(said));
	return f;
}

static void
take(struct ryde_map_fleet *f, uint64_t ticket, const char *payload)
{
	const struct ryde_map_line line = {
	    .payload = ryde_view_of(payload), .ticket = ticket, .arrival_ms = -1};
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_map_fleet_take(f, &line, &err) == 0, "%s", err.msg);
}

static void
draw(struct ryde_map_fleet *f, int64_t at_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_map_fleet_draw(f, at_ms, &err) == 0, "%s", err.msg);
}

/* The changes after *since, as a C string good until the next call. */
static const char *
changes(struct ryde_map_fleet *f, uint64_t *since, bool trails, size_t most)
{
	static struct ryde_buf b;

	ryde_buf_free(&b);
	ryde_buf_init(&b, 1 << 20);
	ryde_map_fleet_changes(f, since, trails, most, &b);
	return ryde_buf_str(&b);
}

static const struct {
	const char *payload;
	const char *why; /* NULL: it is drawn */
	const char *entry;
} lines[] = {
    {"{\"Name\":\"a\",\"Latitude\":1.50,\"Longitude\":-2e1}", NULL,
	"[[1,\"a\",1.50,-2e1,null,null,null,null,5,1]]"},
    {"{\"Name\":\"a\",\"Latitude\":\"1.5\",\"Longitude\":2,\"Distance\":3,"
     "\"HealthPoints\":4,\"MagicPoints\":5.0,\"StatusTime\":\"1970-01-01 00:00:01\"}",
	NULL, "[[1,\"a\",1.5,2,3,4,5.0,1000,5,1]]"},
    {"{\"Name\":7,\"Latitude\":90,\"Longitude\":180}", NULL,
	"[[1,\"7\",90,180,null,null,null,null,5,1]]"},
    {"{\"Name\":\"a\\u0022\\n<b>\",\"Latitude\":-90,\"Longitude\":-180}", NULL,
	"[[1,\"a\\\"\\n<b>\",-90,-180,null,null,null,null,5,1]]"},
    {"{\"N\\u0061me\":\"x\",\"Latitude\":0,\"Longitude\":0}", NULL,
	"[[1,\"x\",0,0,null,null,null,null,5,1]]"},
    {"{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2,\"Distance\":\"3\","
     "\"HealthPoints\":null,\"StatusTime\":\"soon\"}",
	NULL, "[[1,\"a\",1,2,null,null,null,null,5,1]]"},
    {"{\"Latitude\":1,\"Longitude\":2}", "no name: there is no .Name", ""},
    {"{\"Name\":null,\"Latitude\":1,\"Longitude\":2}",
	"no name: .Name is neither a number nor a text", ""},
    {"{\"Name\":\"\",\"Latitude\":1,\"Longitude\":2}",
	"no name: .Name is neither a number nor a text", ""},
    {"{\"Name\":\"a\",\"Latitude\":90.1,\"Longitude\":2}",
	"no place: .Latitude is no latitude", ""},
    {"{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":-181}",
	"no place: .Longitude is no longitude", ""},
    {"{\"Name\":\"a\",\"Latitude\":1e999,\"Longitude\":2}",
	"no place: .Latitude is no latitude", ""},
    {"{\"Name\":\"a\",\"Latitude\":\"x\",\"Longitude\":2}",
	"no place: .Latitude is no latitude", ""},
    {"{\"Name\":\"a\",\"Latitude\":1}", "no place: .Longitude is no longitude", ""},
    {"{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2", "not JSON: ", ""},
    {"", "not JSON: ", ""},
};

static void
check_lines(void)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct ryde_map_fleet *f = new_fleet(0, 0);
		uint64_t since = 0;

		take(f, i + 1, lines[i].payload);
		draw(f, 5);
		if (lines[i].why == NULL) {
			CHECK(said.done == 1 && said.last_done == i + 1 && said.bad == 0,
			    "%s: %s", lines[i].payload, said.why);
			CHECK(
			    strcmp(changes(f, &since, false, 4096), lines[i].entry) == 0,
			    "%s", changes(f, &(uint64_t){0}, false, 4096));
		} else {
			CHECK(said.bad == 1 && said.last_bad == i + 1 && said.done == 0,
			    "%s", lines[i].payload);
			CHECK(strncmp(said.why, lines[i].why, strlen(lines[i].why)) == 0,
			    "%s: %s", lines[i].payload, said.why);
			CHECK(ryde_map_fleet_count(f) == 0, "nobody is on the map");
		}
		CHECK(ryde_map_fleet_pending(f) == 0, "none waits");
		ryde_map_fleet_free(f);
	}
}

static void
check_latest(void)
{
	struct ryde_map_fleet *f = new_fleet(1000, 0);
	uint64_t since = 0;

	take(f, 1, "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":1}");
	take(f, 2, "{\"Name\":\"b\",\"Latitude\":1,\"Longitude\":1}");
	take(f, 3, "{\"Name\":\"a\",\"Latitude\":2,\"Longitude\":1}");
	CHECK(said.overtaken == 1 && said.last_done == 1, "the first one is overtaken");
	CHECK(ryde_map_fleet_pending(f) == 2 && ryde_map_fleet_waiting(f), "two wait");
	draw(f, 10);
	CHECK(said.done == 2 && ryde_map_fleet_now(f) == 2, "two are drawn");
	CHECK(strstr(changes(f, &since, false, 4096),
		  "\"a\",2,1,null,null,null,null,10,2]") != NULL,
	    "the newest");
	CHECK(
	    since == 2 && strcmp(changes(f, &since, false, 4096), "[]") == 0, "no news");
	/* a bad line changes nothing, but is said */
	take(f, 4, "{\"Name\":\"a\",\"Latitude\":200,\"Longitude\":1}");
	draw(f, 500);
	CHECK(said.bad == 1 && ryde_map_fleet_now(f) == 2, "not drawn");
	take(f, 5, "{\"Name\":\"b\",\"Latitude\":3,\"Longitude\":1}");
	draw(f, 900);
	CHECK(ryde_map_fleet_count(f) == 2, "both");
	draw(f, 1010);
	CHECK(
	    ryde_map_fleet_count(f) == 1, "a is forgotten a second after its last line");
	since = 0;
	CHECK(
	    strcmp(changes(f, &since, true, 4096),
		"[[2,\"b\",3,1,null,null,null,null,900,2,[1.000000,1.000000,890]]]") == 0,
	    "b is left, with its trail: %s", changes(f, &(uint64_t){0}, true, 4096));
	ryde_map_fleet_free(f);
}

/* Whoever is slow gets some of it, the oldest first, and in the end all. */
static void
check_slow(void)
{
	struct ryde_map_fleet *f = new_fleet(0, 0);
	uint64_t since = 0, before;
	char text[128];
	int turns = 0;

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"Name\":\"n%d\",\"Latitude\":1,\"Longitude\":%d}", i, i % 90);
		take(f, (uint64_t)i + 1, text);
	}
	draw(f, 1);
	do {
		before = since;
		CHECK(strlen(changes(f, &since, false, 5000)) < 6000, "little at a time");
		turns++;
	} while (since != before);
	CHECK(since == 1000 && turns > 5, "%d turns", turns);
	ryde_map_fleet_free(f);
}

static void
check_details(void)
{
	struct ryde_map_fleet *f = new_fleet(0, 0);
	struct ryde_buf b;
	char *payload = malloc(5000);

	ryde_buf_init(&b, 1 << 20);
	take(f, 1, "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":1,\"x\":1.0}");
	draw(f, 1);
	CHECK(ryde_map_fleet_details(f, 1, &b) &&
		  strcmp(ryde_buf_str(&b),
		      "{\"id\":1,\"bytes\":47,\"payload\":\"{\\\"Name\\\":\\\"a\\\","
		      "\\\"Latitude\\\":1,\\\"Longitude\\\":1,\\\"x\\\":1.0}\"}\n") == 0,
	    "%s", ryde_buf_str(&b));
	CHECK(!ryde_map_fleet_details(f, 2, &b), "there is no second");
	CHECK(payload != NULL, "memory");
	if (payload == NULL)
		return;
	(void)snprintf(payload, 5000,
	    "{\"Name\":\"a\",\"Latitude\":2,\"Longitude\":1,\"x\":\"%04500d\"}", 7);
	take(f, 2, payload);
	free(payload); /* what is long is not kept */
	draw(f, 2);
	ryde_buf_clear(&b);
	CHECK(ryde_map_fleet_details(f, 1, &b) &&
		  strstr(ryde_buf_str(&b), "\"payload\":null") != NULL,
	    "%s", ryde_buf_str(&b));
	CHECK(said.done == 2, "but drawn");
	ryde_buf_free(&b);
	ryde_map_fleet_free(f);
}

/* All that a viewer reads in pieces of n bytes until there is nothing more. */
static void
read_all(
    struct ryde_map_viewer *v, bool bye, int64_t now_ms, size_t n, char *to, size_t max)
{
	size_t got, all = 0;

	while (all + n < max &&
	       (got = ryde_map_viewer_read(v, bye, now_ms, to + all, n)) > 0)
		all += got;
	to[all] = '\0';
}

static void
check_viewer(void)
{
	struct ryde_map_fleet *f = new_fleet(0, 1795442400000);
	struct ryde_map_viewer v;
	char text[4096];

	ryde_map_viewer_init(&v, f, "{\"life\":1}");
	read_all(&v, false, 100, 3, text, sizeof(text));
	CHECK(strcmp(text, "retry: 1000\nevent: hello\ndata: {\"life\":1}\n\n") == 0,
	    "%s", text);
	CHECK(!ryde_map_viewer_due(&v, false, 200), "nothing to say");
	take(f, 1, "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":1}");
	draw(f, 300);
	CHECK(ryde_map_viewer_due(&v, false, 300), "a change");
	read_all(&v, false, 320, 1000, text, sizeof(text));
	/* one clock for both times: where they are compared, nobody can have set it */
	CHECK(strncmp(text, "event: changes\ndata: {\"now\":1795442400320,", 42) == 0 &&
		  strstr(text, "\"changes\":[[1,\"a\",1,1,null") != NULL &&
		  strstr(text, ",1795442400300,1]") != NULL,
	    "%s", text);
	CHECK(!ryde_map_viewer_due(&v, false, 320 + RYDE_MAP_ALIVE_MS - 1), "quiet");
	CHECK(ryde_map_viewer_due(&v, false, 320 + RYDE_MAP_ALIVE_MS), "a sign of life");
	read_all(&v, false, 320 + RYDE_MAP_ALIVE_MS, 1000, text, sizeof(text));
	CHECK(strcmp(text, ":\n\n") == 0, "%s", text);
	read_all(&v, true, 400 + RYDE_MAP_ALIVE_MS, 5, text, sizeof(text));
	CHECK(strcmp(text, "event: bye\ndata: {}\n\n") == 0 && v.gone, "%s", text);
	CHECK(!ryde_map_viewer_due(&v, true, 500 + RYDE_MAP_ALIVE_MS), "no more");
	ryde_map_viewer_free(&v);
	ryde_map_fleet_free(f);
}

/* Lines in many forms; most begin alike. */
static const char *const forms[] = {
    "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}",
    "{\"Name\":\"b with a longer name\",\"Latitude\":3,\"Longitude\":4}",
    "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2,\"Distance\":7,\"HealthPoints\":8}",
    "{\"Name\":\"12345678\",\"Latitude\":5,\"Longitude\":6}",
    "{\"Name\":\"123456789\",\"Latitude\":5,\"Longitude\":6}",
    "{\"Name\":\"\\u0061\",\"Latitude\":9,\"Longitude\":9}",
    "{\"Name\":\"\xc3\xbc\",\"Latitude\":9,\"Longitude\":9}",
    "{\"Name\":12,\"Latitude\":9,\"Longitude\":9}",
    "{ \"Name\":\"a\",\"Latitude\":8,\"Longitude\":8}",
    "{\"x\":1,\"Name\":\"a\",\"Latitude\":8,\"Longitude\":8}",
    "{\"Name\":\"\",\"Latitude\":1,\"Longitude\":2}",
    "{\"Name\":\"a",
    "{\"Name\":\"a\",\"Latitude\":1000,\"Longitude\":2}",
    "{\"r\":1,\"Name\":\"a\",\"Latitude\":8,\"Longitude\":8}",
    "x",
    "",
};

struct outcome {
	int done, overtaken, bad;
	uint64_t in_lines; /* taken many at once */
	char entries[4096];
};

/* Takes text's lines; `many`: by take_lines as far as that goes. Some have tickets. */
static void
take_text(const char *text, size_t n, bool many, struct outcome *o)
{
	struct ryde_map_fleet *f = new_fleet(0, 0);
	struct ryde_err err = RYDE_ERR_INIT;
	uint64_t number = 1, since = 0;

	*o = (struct outcome){0};
	for (size_t at = 0; at < n;) {
		const char *nl = memchr(text + at, '\n', n - at);
		struct ryde_map_line line = {.number = number,
		    .ticket = number % 5 == 0 ? number : 0,
		    .arrival_ms = -1,
		    .lasting = true};
		struct ryde_map_taken t;

		line.payload = ryde_view_mem(text + at, (size_t)(nl - text) - at);
		CHECK(ryde_map_fleet_take(f, &line, &err) == 0, "%s", err.msg);
		at += line.payload.n + 1;
		number++;
		/* as long as no line that has a ticket is among them */
		if (!many || number % 5 == 0)
			continue;
		t = ryde_map_fleet_take_lines(
		    f, ryde_view_mem(text + at, n - at), number);
		at += t.bytes;
		number += t.lines;
		said.overtaken += (int)t.overtaken;
		o->in_lines += t.lines;
	}
	draw(f, 5);
	o->done = said.done;
	o->overtaken = said.overtaken;
	o->bad = said.bad;
	(void)snprintf(
	    o->entries, sizeof(o->entries), "%s", changes(f, &since, false, 4096));
	ryde_map_fleet_free(f);
}

static void
check_many(void)
{
	char text[8192];
	struct outcome one, many;
	uint32_t random = 1;
	uint64_t in_lines = 0;

	for (int round = 0; round < 500; round++) {
		size_t n = 0;

		for (int i = 0; i < 40; i++) {
			/* in half of the rounds nearly all are of the first five */
			random = random * 1664525 + 1013904223;
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n",
			    forms[(random >> 24) % (round % 2 == 0 ? 5 : 16)]);
		}
		take_text(text, n, false, &one);
		take_text(text, n, true, &many);
		CHECK(one.bad == many.bad && one.overtaken == many.overtaken &&
			  one.done == many.done && strcmp(one.entries, many.entries) == 0,
		    "%s\n%s\n%s", text, one.entries, many.entries);
		in_lines += many.in_lines;
	}
	CHECK(in_lines > 1000, "many are taken at once: %llu",
	    (unsigned long long)in_lines);
}

/* What take_lines leaves to take. */
static void
check_many_left(void)
{
	static char text[3 * RYDE_MAP_LINE_MAX];
	const char *first = "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}";
	struct ryde_map_fleet *f = new_fleet(0, 0);
	struct ryde_map_taken t;
	int n;

	n = snprintf(text, sizeof(text), "%s\n", first);
	t = ryde_map_fleet_take_lines(f, ryde_view_mem(text, (size_t)n), 1);
	CHECK(t.lines == 0 && t.bytes == 0, "nobody is known yet");
	take(f, 3, first);
	t = ryde_map_fleet_take_lines(f, ryde_view_mem(text, (size_t)n), 1);
	CHECK(t.lines == 1 && t.bytes == (size_t)n && t.overtaken == 0 &&
		  said.overtaken == 1 && said.last_done == 3,
	    "a line with a ticket is told as overtaken");
	for (size_t k = 0; k < (size_t)n; k++)
		CHECK(ryde_map_fleet_take_lines(f, ryde_view_mem(text, k), 1).lines == 0,
		    "not whole: %zu", k);
	CHECK(ryde_map_fleet_pending(f) == 1, "one waits");
	n = snprintf(text, sizeof(text), "{\"Name\":\"a\",\"x\":\"%0*d\"}\n",
	    RYDE_MAP_LINE_MAX - 19, 0);
	CHECK(n == RYDE_MAP_LINE_MAX + 1, "%d", n);
	t = ryde_map_fleet_take_lines(f, ryde_view_mem(text, (size_t)n), 1);
	CHECK(t.lines == 1 && t.overtaken == 1, "as long as can be kept");
	n = snprintf(text, sizeof(text), "{\"Name\":\"a\",\"x\":\"%0*d\"}\n",
	    RYDE_MAP_LINE_MAX - 18, 0);
	t = ryde_map_fleet_take_lines(f, ryde_view_mem(text, (size_t)n), 1);
	CHECK(t.lines == 0, "too long to be kept");
	ryde_map_fleet_free(f);
}

/* Who came behind whom is not looked for where it is not any more. */
static void
check_many_forgotten(void)
{
	const char *text = "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}\n"
			   "{\"Name\":\"b\",\"Latitude\":1,\"Longitude\":2}\n"
			   "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}\n"
			   "{\"Name\":\"b\",\"Latitude\":1,\"Longitude\":2}\n";
	struct ryde_map_fleet *f = new_fleet(100, 0);

	take(f, 0, "{\"Name\":\"b\",\"Latitude\":1,\"Longitude\":2}");
	take(f, 0, "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}");
	CHECK(ryde_map_fleet_take_lines(f, ryde_view_of(text), 1).lines == 4, "all");
	draw(f, 5);
	take(f, 0, "{\"Name\":\"a\",\"Latitude\":1,\"Longitude\":2}");
	draw(f, 90);
	draw(f, 110);
	CHECK(ryde_map_fleet_count(f) == 1, "b is forgotten");
	CHECK(ryde_map_fleet_take_lines(f, ryde_view_of(text), 1).lines == 1, "a alone");
	ryde_map_fleet_free(f);
}

int
main(void)
{
	check_many_forgotten();
	check_many();
	check_many_left();
	check_lines();
	check_latest();
	check_slow();
	check_details();
	check_viewer();
	return check_end("engine_map_fleet");
}
