/*
 * What programs do with lines before their own work. Sources: flow/intake.h; ryde-line(5)
 * for the kinds of lines. Lines with an `ack` are flow_ack's and rules.bats' matter.
 */
#include "flow/intake.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/waits.h"
#include "check.h"
#include "flow/books.h"
#include "line/reader.h"
#include "scratch.h"

#include <fcntl.h>

/* How a case's input comes, and what the program asks for. */
enum {
	PIPE = 1,    /* not a regular file */
	REJECTS = 2, /* --rejects rejects */
	STRICT = 4,  /* --strict */
	REFUSE = 8,  /* the program rejects payloads that begin with "bad" */
};

#define E "{\"ryde\":1,\"shardId\":\"s\",\"sequenceNumber\":\"1\",\"data\":"
#define END_MARK "{\"ryde\":1,\"mark\":true,\"end\":true}\n"

/*
 * want: items in brackets (a `+` behind: more of the same line follow; `~`: the program
 * does not work on the line's own text), M for marks. said: how many messages. counts:
 * in, filtered, rejected.
 */
static const struct {
	const char *input;
	int how;
	const char *filter;
	const char *want;
	const char *rejects;
	bool clean;
	int status;
	uint64_t in, filtered, rejected;
	int said;
} rows[] = {
    {"", 0, NULL, "", "", true, 0, 0, 0, 0, 0},
    {"1\n{\"a\":2}\n", PIPE, NULL, "[1][{\"a\":2}]", "", true, 0, 2, 0, 0, 0},
    /* payloads are not looked into without -f: that is the program's part */
    {"1\n\nnot json\n", 0, NULL, "[1][][not json]", "", true, 0, 3, 0, 0, 0},
    {"1\n2", 0, NULL, "[1][2]", "", true, 0, 2, 0, 0, 0},
    {"1\n2", PIPE, NULL, "[1]", "", false, 75, 1, 0, 0, 1},
    /* envelopes are unwrapped, one level */
    {E "{\"a\":1}}\n" END_MARK, PIPE, NULL, "[{\"a\":1}]M", "", true, 0, 1, 0, 0, 0},
    {E "{\"ryde\":1,\"data\":7}}\n", 0, NULL, "[{\"ryde\":1,\"data\":7}]", "", true, 0, 1,
	0, 0, 0},
    {"{\"ryde\":1,\"dataBase64\":\"YQBi\"}\n", 0, NULL, "[a\\0b]~", "", true, 0, 1, 0, 0,
	0},
    {"{\"ryde\":1,\"lf\":1,\"dataBase64\":\"Y\"}\n7\n", REJECTS, NULL, "[7]",
	"{\"error\":\"dataBase64: ", true, 65, 2, 0, 1, 1},
    /* an envelope that lost its end mark */
    {E "1}\n{\"ryde\":1,\"mark\":true}\n", PIPE, NULL, "[1]M", "", false, 75, 1, 0, 0, 1},
    /* an envelope that is none */
    {"{\"ryde\":2}\n5\n", 0, NULL, "[5]", "", true, 65, 2, 0, 1, 1},
    {"{\"ryde\":2}\n5\n", REJECTS, NULL, "[5]", "{\"error\":\"", true, 65, 2, 0, 1, 1},
    {"5\n{\"ryde\":2}\n6\n", STRICT | REJECTS, NULL, "[5]", "{\"error\":\"", false, 65, 2,
	0, 1, 1},
    {"5\n{\"ryde\":2}\n6\n", STRICT, NULL, "[5]", "", false, 65, 2, 0, 1, 1},
    /* what the program rejects */
    {"1\nbad\n2\n", REFUSE, NULL, "[1][bad][2]", "", true, 65, 3, 0, 1, 1},
    {"1\nbad\n2\n", REFUSE | REJECTS, NULL, "[1][bad][2]",
	"{\"error\":\"no good\",\"line\":2,\"data\":\"bad\"}\n", true, 65, 3, 0, 1, 1},
    {"1\nbad\n2\n", REFUSE | STRICT, NULL, "[1][bad]", "", false, 65, 2, 0, 1, 1},
    /* torn as well: that calls for a new run, and outweighs the reject */
    {"bad\nbad", REFUSE | PIPE, NULL, "[bad]", "", false, 75, 1, 0, 1, 2},
    /* -f */
    {"{\"a\":1}\n{\"a\":2}\n", 0, ".a", "[1]~[2]~", "", true, 0, 2, 0, 0, 0},
    {"{\"a\":1}\n{\"a\":2}\n", 0, "select(.a > 1)", "[{\"a\":2}]~", "", true, 0, 2, 1, 0,
	0},
    {"[1,2]\n[]\n[3]\n", 0, ".[]", "[1]~+[2]~[3]~", "", true, 0, 4, 1, 0, 0},
    {E "[1,2]}\n" END_MARK, PIPE, ".[]", "[1]~+[2]~M", "", true, 0, 2, 0, 0, 0},
    {"1\nnope\n2\n", REJECTS, ".", "[1]~[2]~", "{\"error\":\"not JSON: ", true, 65, 3, 0,
	1, 1},
    {"1\n[1]\n2\n", REJECTS, ". + 1", "[2]~[3]~", "{\"error\":\"-f: ", true, 65, 3, 0, 1,
	1},
    {"1\n[1]\n2\n", STRICT, ". + 1", "[2]~", "", false, 65, 2, 0, 1, 1},
    /* what it gave before it failed is passed on */
    {"1\n", REJECTS, ".,error(\"x\")", "[1]~",
	"{\"error\":\"-f: jq: x\",\"line\":1,\"data\":1}\n", true, 65, 2, 0, 1, 1},
};

static int said;

static void
count_message(enum ryde_log_level level, const char *text)
{
	(void)text;
	said += level <= RYDE_LOG_WARNING;
}

static void
show_item(struct ryde_buf *got, const struct ryde_item *item)
{
	ryde_buf_putc(got, '[');
	for (size_t i = 0; i < item->payload.n; i++) {
		if (item->payload.p[i] == '\0')
			ryde_buf_puts(got, "\\0");
		else
			ryde_buf_putc(got, item->payload.p[i]);
	}
	ryde_buf_putc(got, ']');
	if (item->changed || item->line.is_base64)
		ryde_buf_putc(got, '~');
	if (item->more)
		ryde_buf_putc(got, '+');
}

/* The loop that flow/intake.h tells programs to have. */
static int
run(struct ryde_intake *in, bool refuse, struct ryde_buf *got, struct ryde_books *books,
    struct ryde_err *err)
{
	struct ryde_waits w = {0};
	struct ryde_item item;

	for (;;) {
		switch (ryde_intake_next(in, &item, err)) {
		case RYDE_INTAKE_ITEM:
			show_item(got, &item);
			if (!refuse || !ryde_view_starts(item.payload, "bad")) {
				books->handled++;
				ryde_intake_done(in, item.ticket);
			} else if (ryde_intake_reject(in, &item, "no good", err) != 0) {
				return -1;
			}
			continue;
		case RYDE_INTAKE_MARK:
			ryde_buf_putc(got, 'M');
			continue;
		case RYDE_INTAKE_AGAIN:
			ryde_waits_begin(&w);
			ryde_intake_wait(in, &w);
			if (ryde_waits_poll(&w, err) != 0 ||
			    ryde_intake_turn(in, err) != 0)
				return -1;
			continue;
		case RYDE_INTAKE_END:
			return ryde_intake_sync(in, err) != 0
				   ? -1
				   : ryde_intake_finish(in, err);
		case RYDE_INTAKE_FAILED:
			return -1;
		}
	}
}

/* Makes the input a file, or what a pipe holds on stdin. */
static void
give_input(struct ryde_view input, bool piped)
{
	int p[2] = {-1, -1}, fd;

	if (!piped) {
		fd = open("in", O_RDWR | O_CREAT | O_TRUNC, 0600);
		(void)ryde_file_write_all(fd, input, "in", NULL);
		(void)lseek(fd, 0, SEEK_SET);
	} else {
		if (pipe(p) != 0)
			return;
		(void)ryde_file_write_all(p[1], input, "pipe", NULL);
		(void)close(p[1]);
		fd = p[0];
	}
	(void)dup2(fd, STDIN_FILENO);
	(void)close(fd);
}

static void
check_row(size_t i)
{
	struct ryde_books books = {0};
	const struct ryde_intake_opts opts = {.filter = rows[i].filter,
	    .rejects = (rows[i].how & REJECTS) != 0 ? "rejects" : NULL,
	    .strict = (rows[i].how & STRICT) != 0,
	    .grace_ms = 1000,
	    .role = RYDE_ACK_SINK,
	    .program = "test",
	    .books = &books};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake *in;
	struct ryde_buf got;

	said = 0;
	(void)unlink("rejects");
	ryde_buf_init(&got, 1 << 20);
	give_input(ryde_view_of(rows[i].input), (rows[i].how & PIPE) != 0);
	in = ryde_intake_new(&opts, &err);
	CHECK(in != NULL, "row %zu: %s", i, err.msg);
	if (in == NULL)
		return;
	CHECK(run(in, (rows[i].how & REFUSE) != 0, &got, &books, &err) == 0,
	    "row %zu: %s", i, err.msg);
	CHECK(strcmp(ryde_buf_str(&got), rows[i].want) == 0, "row %zu: %s", i,
	    ryde_buf_str(&got));
	CHECK(ryde_intake_clean(in) == rows[i].clean, "row %zu", i);
	CHECK(ryde_intake_status(in) == rows[i].status, "row %zu: %d", i,
	    ryde_intake_status(in));
	CHECK(books.in == rows[i].in && books.filtered == rows[i].filtered &&
		  books.rejected == rows[i].rejected && ryde_books_balanced(&books),
	    "row %zu: in %d filtered %d rejected %d handled %d", i, (int)books.in,
	    (int)books.filtered, (int)books.rejected, (int)books.handled);
	CHECK(said == rows[i].said, "row %zu: %d messages", i, said);
	ryde_buf_clear(&got);
	if ((rows[i].how & REJECTS) != 0)
		CHECK(ryde_file_read("rejects", &got, &err) == 0, "%s", err.msg);
	CHECK(strncmp(ryde_buf_str(&got), rows[i].rejects, strlen(rows[i].rejects)) == 0,
	    "row %zu: %s", i, ryde_buf_str(&got));
	ryde_intake_free(in);
	ryde_buf_free(&got);
}

/* A line over 10 MiB: its beginning is kept, the next one is taken. */
static void
check_long(void)
{
	size_t n = (size_t)RYDE_LINE_MAX + 1;
	struct ryde_books books = {0};
	const struct ryde_intake_opts opts = {
	    .rejects = "rejects", .program = "test", .books = &books};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake *in;
	char *text = malloc(n + 3);
	struct ryde_buf got;

	if (text == NULL)
		return;
	memset(text, '7', n);
	memcpy(text + n, "\n8\n", 3);
	(void)unlink("rejects");
	give_input(ryde_view_mem(text, n + 3), false);
	ryde_buf_init(&got, 1 << 20);
	in = ryde_intake_new(&opts, &err);
	CHECK(in != NULL && run(in, false, &got, &books, &err) == 0, "%s", err.msg);
	CHECK(strcmp(ryde_buf_str(&got), "[8]") == 0, "%.20s", ryde_buf_str(&got));
	CHECK(
	    books.in == 2 && books.rejected == 1 && ryde_books_balanced(&books), "books");
	CHECK(ryde_intake_status(in) == 65, "status");
	ryde_buf_clear(&got);
	CHECK(ryde_file_read("rejects", &got, &err) == 0 && got.n > 1024 &&
		  got.n < 1200 && strstr(ryde_buf_str(&got), "10 MiB") != NULL,
	    "%s", ryde_buf_str(&got));
	ryde_intake_free(in);
	ryde_buf_free(&got);
	free(text);
}

/* Lines that the program takes itself are counted as if next had given them. */
static void
check_rest(void)
{
	static const char text[] = "{\"a\":1}\n{\"a\":22}\n{\"a\":3}\n{\"a\":4}\n{\"a";
	struct ryde_books books = {0};
	struct ryde_intake_opts opts = {.program = "test", .books = &books};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_item item;

	for (int filter = 0; filter < 2; filter++) {
		struct ryde_intake *in;
		struct ryde_view rest;

		opts.filter = filter ? "." : NULL;
		books = (struct ryde_books){0};
		give_input(ryde_view_of(text), false);
		in = ryde_intake_new(&opts, &err);
		while (ryde_intake_next(in, &item, &err) == RYDE_INTAKE_AGAIN)
			CHECK(ryde_intake_turn(in, &err) == 0, "%s", err.msg);
		rest = ryde_intake_rest(in);
		if (filter) {
			CHECK(rest.n == 0, "-f must see all lines");
		} else {
			CHECK(ryde_view_is(rest, text + 8), "%.*s", (int)rest.n, rest.p);
			ryde_intake_took(in, 17, 2);
			CHECK(ryde_intake_next(in, &item, &err) == RYDE_INTAKE_ITEM &&
				  ryde_view_is(item.payload, "{\"a\":4}") &&
				  item.number == 4,
			    "%d", (int)item.number);
			CHECK(books.in == 4 && books.bytes == 29, "%d, %d", (int)books.in,
			    (int)books.bytes);
			CHECK(ryde_view_is(ryde_intake_rest(in), "{\"a"), "");
		}
		ryde_intake_free(in);
	}
}

static void
check_errors(void)
{
	char *names[] = {(char[]){"absent"}};
	struct ryde_books books = {0};
	struct ryde_intake_opts opts = {.program = "test", .books = &books};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake *in;
	struct ryde_buf got;

	opts.files = names;
	opts.n_files = 1;
	CHECK(ryde_intake_new(&opts, &err) == NULL && err.code == RYDE_ENOINPUT, "%s",
	    err.msg);
	opts.n_files = 0;
	opts.filter = ".[";
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(ryde_intake_new(&opts, &err) == NULL && err.code == RYDE_EUSAGE, "%s",
	    err.msg);
	opts.filter = NULL;
	opts.rejects = "no/such/folder";
	CHECK(ryde_intake_new(&opts, &err) == NULL && err.code == RYDE_ECANTCREAT, "%s",
	    err.msg);
	/* rejects that cannot be kept stop the program: nothing is dropped in silence */
	opts.rejects = "/dev/full";
	give_input(ryde_view_of("1\n{\"ryde\":2}\n3\n"), false);
	ryde_buf_init(&got, 4096);
	in = ryde_intake_new(&opts, &err);
	CHECK(in != NULL && run(in, false, &got, &books, &err) == -1 &&
		  err.code == RYDE_EIO && strstr(err.msg, "/dev/full") != NULL,
	    "%s", err.msg);
	CHECK(strcmp(ryde_buf_str(&got), "[1]") == 0, "%s", ryde_buf_str(&got));
	CHECK(ryde_books_balanced(&books), "books");
	ryde_intake_free(in);
	ryde_buf_free(&got);
	ryde_intake_free(NULL);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	ryde_log_set(count_message, RYDE_LOG_NOTICE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(i);
	check_long();
	check_rest();
	check_errors();
	scratch_end();
	return check_end("flow_intake");
}
