/* The rows of an archive. Source: engine/query_archive.h, query_source.h. */
#include "engine/query_archive.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "check.h"
#include "engine/query_filter.h"
#include "engine/query_source.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "json/scan.h"
#include "scratch.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static struct ryde_books books;
static struct ryde_intake_opts input;
static struct ryde_query_sources sources = {.books = &books, .input = &input};

static void
make(const char *folder, const char *name, const char *text)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char path[200];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	CHECK(ryde_file_mkdirs(folder, &err) == 0, "%s", err.msg);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && ryde_file_write_all(fd, ryde_view_of(text), path, &err) == 0,
	    "%s", path);
	(void)close(fd);
}

/* Walks over all rows, or those that the filter lets through: their texts with a blank
 * behind each, in *last the position of the last one. */
static void
walk(struct ryde_query_source *s, const struct ryde_query_filter *f, const char *want,
    int64_t *last)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_cursor *c = s->ops->cursor(s, f, &err);
	struct ryde_query_row row;
	struct ryde_buf b;
	int64_t before = -1;

	ryde_buf_init(&b, 4000);
	CHECK(c != NULL, "%s", err.msg);
	while (c != NULL && c->ops->next(c, &row, &err) == 1) {
		CHECK(c->ops->position(c) > before, "positions grow");
		*last = before = c->ops->position(c);
		ryde_buf_view(&b, row.data);
		ryde_buf_putc(&b, ' ');
	}
	CHECK(strcmp(ryde_buf_str(&b), want) == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
	if (c != NULL)
		c->ops->free_cursor(c);
}

static void
test_rows(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_source *s = ryde_query_archive(&sources, "a", &err);
	const struct ryde_query_filter none = {NULL, 0};
	struct ryde_query_test test = {
	    .op = SQLITE_INDEX_CONSTRAINT_EQ, .is_number = true, .number = 24};
	struct ryde_query_filter day = {&test, 1};
	int64_t all = 0, part = 0;
	double rows;
	struct ryde_buf words;

	CHECK(s != NULL, "%s", err.msg);
	if (s == NULL)
		return;
	CHECK(s->n_extras == 6 && strcmp(s->extras[2].name, "day") == 0 &&
	      strcmp(s->extras[5].name, "k") == 0);
	walk(s, &none, "{\"n\":1} {\"n\":2} {\"n\":3} ", &all);
	test.extra = 2;
	walk(s, &day, "{\"n\":2} {\"n\":3} ", &part);
	CHECK(all == part, "a row stands where it stands, with any filter");
	ryde_buf_init(&words, 1000);
	s->ops->plan(s, &day, &words, &rows);
	CHECK(strcmp(ryde_buf_str(&words), "1 of 2 objects, 16 bytes") == 0, "%s",
	    ryde_buf_str(&words));
	ryde_buf_free(&words);
	ryde_query_source_close(s);
}

static void
test_extras(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_source *s = ryde_query_archive(&sources, "a", &err);
	struct ryde_query_cursor *c = s->ops->cursor(s, NULL, &err);
	struct ryde_query_row row;
	struct ryde_view text;

	CHECK(c->ops->next(c, &row, &err) == 1);
	CHECK(c->ops->extra(c, 3, &text) && ryde_view_is(text, "14"));
	CHECK(
	    c->ops->extra(c, 4, &text) && ryde_view_is(text, "2026-11-23T14:00:00.000Z"));
	CHECK(!c->ops->extra(c, 5, &text), "this path has no such key");
	CHECK(c->ops->next(c, &row, &err) == 1);
	CHECK(c->ops->extra(c, 5, &text) && ryde_view_is(text, "v"));
	c->ops->free_cursor(c);
	ryde_query_source_close(s);
}

static int settled;

static int
settle(void *arg, struct ryde_err *err)
{
	(void)arg;
	(void)err;
	settled++;
	return 0;
}

/* Bad lines are counted once, however often they are met, and named where they are. */
static void
test_bad(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_query_source *s = ryde_query_archive(&sources, "bad", &err);
	const struct ryde_query_filter none = {NULL, 0};
	struct ryde_json_fault fault;
	uint64_t before = books.rejected;

	for (int i = 0; i < 2; i++) {
		struct ryde_query_cursor *c = s->ops->cursor(s, &none, &err);
		struct ryde_query_row row;

		c->settle = settle;
		while (c->ops->next(c, &row, &err) == 1)
			if (ryde_json_check(row.data, NULL, &fault) != 0)
				CHECK(c->ops->bad(c, c->ops->position(c), row.data,
					  &fault, &err) == 0);
		c->ops->free_cursor(c);
	}
	CHECK(books.rejected == before + 2, "%d", (int)(books.rejected - before));
	CHECK(settled == 2, "the empty line, each time: %d", settled);
	CHECK(sources.input_status == RYDE_EDATA);
	ryde_query_source_close(s);
}

int
main(void)
{
	CHECK(scratch_begin() == 0);
	make("a/2026/11/23/14", "x", "{\"n\":1}\n");
	make("a/2026/11/24/15/k=v", "x", "{\"n\":2}\n{\"n\":3}\n");
	make("bad", "x", "{\"n\":1}\n\nno JSON\n{\"n\":2}\n");
	test_rows();
	test_extras();
	test_bad();
	scratch_end();
	return check_end("engine_query_archive");
}
