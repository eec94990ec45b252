/* The books. Sources: flow/books.h; Prometheus' text format, version 0.0.4. */
#include "flow/books.h"

#include "base/buf.h"
#include "check.h"
#include "json/scan.h"

#include <stdlib.h>

static void
check_balance(void)
{
	struct ryde_books b = {0};

	CHECK(ryde_books_balanced(&b), "nothing in, nothing done");
	b = (struct ryde_books){.in = 21,
	    .handled = 1,
	    .filtered = 2,
	    .late = 3,
	    .rejected = 4,
	    .failed = 5,
	    .pending = 6,
	    .out = 1000,
	    .bytes = 1000};
	CHECK(ryde_books_balanced(&b), "what is printed does not count");
	for (int i = 0; i < 7; i++) {
		struct ryde_books wrong = b;
		uint64_t *const fields[] = {&wrong.in, &wrong.handled, &wrong.filtered,
		    &wrong.late, &wrong.rejected, &wrong.failed, &wrong.pending};

		++*fields[i];
		CHECK(!ryde_books_balanced(&wrong), "field %d", i);
	}
}

static void
check_extra(void)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
	    "j", "k", "l", "m", "n", "o", "p", "q", "r"};
	struct ryde_books b = {0};

	ryde_books_extra(&b, "IteratorAge", 7);
	ryde_books_extra(&b, "BatchSize", 0);
	ryde_books_extra(&b, "IteratorAge", 5);
	CHECK(b.extras == 2 && b.extra[0].value == 12 && b.extra[1].value == 0, "added");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ryde_books_extra(&b, names[i], i);
	CHECK(b.extras == 16 && strcmp(b.extra[15].name, "n") == 0, "no more than fit");
	ryde_books_extra(&b, "IteratorAge", 1);
	CHECK(b.extra[0].value == 13, "one that is there is still found");
	ryde_books_extra(&b, "zz", 1);
	CHECK(b.extras == 16, "%d", b.extras);
}

static struct ryde_books
sample(void)
{
	struct ryde_books b = {.in = 21,
	    .handled = 1,
	    .filtered = 2,
	    .late = 3,
	    .rejected = 4,
	    .failed = 5,
	    .pending = 6,
	    .out = UINT64_MAX,
	    .bytes = 8};

	ryde_books_extra(&b, "BatchSize", 9);
	return b;
}

static void
check_json(void)
{
	struct ryde_books b = sample();
	struct ryde_json_fault fault;
	struct ryde_buf out;

	ryde_buf_init(&out, 65536);
	ryde_books_json(&b, "ryde-put", 1.25, &out);
	CHECK(strcmp(ryde_buf_str(&out),
		  "{\"program\":\"ryde-put\",\"in\":21,\"handled\":1,\"filtered\":2,"
		  "\"late\":3,\"rejected\":4,\"failed\":5,\"pending\":6,"
		  "\"out\":18446744073709551615,\"bytes\":8,\"BatchSize\":9,"
		  "\"seconds\":1.250}\n") == 0,
	    "%s", ryde_buf_str(&out));
	CHECK(ryde_json_check(ryde_buf_as_view(&out), NULL, &fault) == 0, "JSON");
	ryde_buf_free(&out);
}

/* A sample: NAME{LABELS} VALUE. Its metric must have been given a type before. */
static bool
sample_is_typed(const char *text, const char *line)
{
	size_t n = strcspn(line, "{");
	char type[100];
	const char *at;

	(void)snprintf(type, sizeof(type), "# TYPE %.*s ", (int)n, line);
	at = strstr(text, type);
	return at != NULL && at < line && strstr(line, "} ") != NULL;
}

static void
check_prometheus(void)
{
	struct ryde_books b = sample();
	struct ryde_buf out;
	const char *text;
	int samples = 0;

	ryde_buf_init(&out, 65536);
	ryde_books_prometheus(&b, "ryde-put", 1.25, 1795442400007, &out);
	text = ryde_buf_str(&out);
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (line[0] == '#')
			continue;
		samples++;
		CHECK(sample_is_typed(text, line), "%.60s", line);
	}
	CHECK(samples == 12, "%d", samples);
	CHECK(out.p[out.n - 1] == '\n', "the last line is whole");
	CHECK(strstr(text,
		  "\nryde_lines_total{program=\"ryde-put\",outcome=\"in\"} 21\n") != NULL,
	    "in");
	CHECK(strstr(text, "outcome=\"pending\"} 6\n") != NULL, "pending");
	CHECK(strstr(text, "outcome=\"out\"") == NULL, "out is no outcome");
	CHECK(
	    strstr(text, "\nryde_BatchSize{program=\"ryde-put\"} 9\n") != NULL, "extra");
	CHECK(strstr(text, "\nryde_run_seconds{program=\"ryde-put\"} 1.250\n") != NULL,
	    "seconds");
	CHECK(strstr(text,
		  "ryde_updated_seconds{program=\"ryde-put\"} 1795442400.007\n") != NULL,
	    "%s", text);
	ryde_buf_free(&out);
}

int
main(void)
{
	check_balance();
	check_extra();
	check_json();
	check_prometheus();
	return check_end("flow_books");
}
