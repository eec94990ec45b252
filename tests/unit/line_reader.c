/* Lines from files and pipes. Sources: line/reader.h; RFC 1952 for gzip's members. */
#include "line/reader.h"

#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "base/waits.h"
#include "check.h"
#include "line/envelope.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <zlib.h>

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void
write_file(const char *name, struct ryde_view data)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && ryde_file_write_all(fd, data, name, NULL) == 0, "%s", name);
	(void)close(fd);
}

/* What a reader gave, as text: lines in brackets, LONG( ) and TORN( ), then END or the
 * error. */
struct got {
	char text[2000];
	size_t n;
	uint64_t lines, line_bytes, last_number;
};

static void
add(struct got *g, const char *before, struct ryde_view v, const char *after)
{
	int n = snprintf(g->text + g->n, sizeof(g->text) - g->n, "%s%.*s%s", before,
	    v.n > 20 ? 20 : (int)v.n, v.p, after);

	g->n += n > 0 ? (size_t)n : 0;
	if (g->n >= sizeof(g->text))
		g->n = sizeof(g->text) - 1;
}

static void
drain(struct ryde_reader *r, struct got *g)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_view line;

	for (;;) {
		switch (ryde_reader_next(r, &line)) {
		case RYDE_READER_LINE:
			add(g, "[", line, "]");
			g->lines++;
			g->line_bytes += line.n;
			g->last_number = ryde_reader_line_number(r);
			continue;
		case RYDE_READER_LONG:
			add(g, "LONG(", ryde_view_mem(line.p, 3), ")");
			continue;
		case RYDE_READER_TORN:
			add(g, "TORN(", line, ")");
			continue;
		case RYDE_READER_END:
			add(g, "END", ryde_view_of(""), "");
			return;
		case RYDE_READER_AGAIN:
			break;
		}
		if (ryde_reader_fill(r, &err) != 0) {
			add(g, "FAILED", ryde_view_of(""), "");
			return;
		}
	}
}

/* Reads the files named in words parted by blanks; with input not NULL, stdin is a pipe
 * that holds it. */
static void
read_all(const char *names, const struct ryde_view *input, struct got *g)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_reader *r;
	char room[200], *files[10];
	int n = 0, p[2];

	memset(g, 0, sizeof(*g));
	(void)snprintf(room, sizeof(room), "%s", names);
	for (char *s = room; *s != '\0'; n++) {
		files[n] = s;
		while (*s != ' ' && *s != '\0')
			s++;
		if (*s == ' ')
			*s++ = '\0';
	}
	if (input != NULL && pipe(p) == 0) {
		(void)ryde_file_write_all(p[1], *input, "pipe", NULL);
		(void)close(p[1]);
		(void)dup2(p[0], STDIN_FILENO);
		(void)close(p[0]);
	}
	r = ryde_reader_new(files, n, &err);
	if (r == NULL)
		add(g, "REFUSED", ryde_view_of(""), "");
	else
		drain(r, g);
	ryde_reader_free(r);
}

/* Files: a content under a name; then what reading some of them gives. */
static const struct {
	const char *name, *content;
} files[] = {
    {"empty", ""},
    {"a", "a1\na2\n"},
    {"b", "b1\nb2"},
    {"one", "x"},
    {"blank", "\n\n"},
    {"crlf", "a\r\nb\r\n"},
};

static const struct {
	const char *names, *want;
} from_files[] = {
    {"empty", "END"},
    {"a", "[a1][a2]END"},
    /* a regular file's last line needs no newline, also when another file follows */
    {"b", "[b1][b2]END"},
    {"b a b", "[b1][b2][a1][a2][b1][b2]END"},
    {"one one one", "[x][x][x]END"},
    {"empty a empty empty b empty", "[a1][a2][b1][b2]END"},
    {"blank", "[][]END"},
    {"crlf", "[a\r][b\r]END"},
    {"absent", "REFUSED"},
    {".", "REFUSED"},
    {"a absent a", "[a1][a2]FAILED"},
    {"a . a", "[a1][a2]FAILED"},
};

static void
check_files(void)
{
	char *names[] = {(char[]){"a"}, (char[]){"b"}};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_reader *r;
	struct ryde_view line;
	struct got g;

	for (size_t i = 0; i < N(files); i++)
		write_file(files[i].name, ryde_view_of(files[i].content));
	for (size_t i = 0; i < N(from_files); i++) {
		read_all(from_files[i].names, NULL, &g);
		CHECK(strcmp(g.text, from_files[i].want) == 0, "'%s' gave %s",
		    from_files[i].names, g.text);
	}
	read_all("a b", NULL, &g);
	CHECK(g.last_number == 4, "numbers run over all files: %d", (int)g.last_number);
	r = ryde_reader_new(names, 2, &err);
	CHECK(r != NULL && ryde_reader_total_bytes(r) == 11 && ryde_reader_bytes(r) == 0,
	    "sizes");
	CHECK(ryde_reader_ready(r) && strcmp(ryde_reader_file(r), "a") == 0, "ready");
	CHECK(ryde_reader_next(r, &line) == RYDE_READER_AGAIN, "nothing read yet");
	while (ryde_reader_next(r, &line) != RYDE_READER_END)
		CHECK(ryde_reader_fill(r, &err) == 0 || line.n > 0, "%s", err.msg);
	CHECK(ryde_reader_bytes(r) == 11 && strcmp(ryde_reader_file(r), "b") == 0, "%s",
	    ryde_reader_file(r));
	CHECK(ryde_reader_next(r, &line) == RYDE_READER_END, "the end stays the end");
	CHECK(
	    ryde_reader_fill(r, &err) == 0 && ryde_reader_ready(r), "and does not block");
	ryde_reader_free(r);
	ryde_reader_free(NULL);
	errno = 0;
	names[0] = (char[]){"absent"};
	CHECK(ryde_reader_new(names, 1, &err) == NULL && err.code == RYDE_ENOINPUT &&
		  strstr(err.msg, "absent") != NULL,
	    "%s", err.msg);
}

/* What a pipe holds, and what reading it gives. */
static const struct {
	const char *bytes;
	size_t n;
	const char *names, *want;
} from_pipe[] = {
    {"", 0, "", "END"},
    {"p1\np2\n", 6, "", "[p1][p2]END"},
    /* a pipe's writer that died within a line */
    {"p1\np2", 5, "", "[p1]TORN(p2)END"},
    {"p", 1, "-", "TORN(p)END"},
    {"p1\n", 3, "a - b", "[a1][a2][p1][b1][b2]END"},
    /* what follows a torn input is not begun */
    {"p1\np2", 5, "a - b", "[a1][a2][p1]TORN(p2)END"},
    {"p1\n", 3, "- -", "[p1]END"},
    /* only the beginning of an input can be gzip's */
    {"x\n\x1f\x8b\n", 5, "", "[x][\x1f\x8b]END"},
    {"\x1f\n", 2, "", "[\x1f]END"},
};

static void
check_pipe(void)
{
	struct ryde_view v;
	struct got g;

	for (size_t i = 0; i < N(from_pipe); i++) {
		v = ryde_view_mem(from_pipe[i].bytes, from_pipe[i].n);
		read_all(from_pipe[i].names, &v, &g);
		CHECK(
		    strcmp(g.text, from_pipe[i].want) == 0, "row %zu gave %s", i, g.text);
	}
	v = ryde_view_mem("a\0b\n\0\n\0\0", 8);
	read_all("", &v, &g);
	CHECK(g.lines == 2 && g.line_bytes == 4, "NULs are bytes: %d %d", (int)g.lines,
	    (int)g.line_bytes);
}

/* A writer that gives one byte at a time, never two at once. */
static void
check_byte_by_byte(struct ryde_view data, const char *want)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {0};
	struct ryde_reader *r;
	struct ryde_view line;
	struct got g = {0};
	int p[2], asked[2], again = 0;
	char c;
	pid_t pid;

	if (pipe(p) != 0 || pipe(asked) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)close(asked[1]);
		for (size_t i = 0; i < data.n; i++)
			if (read(asked[0], &c, 1) != 1 || write(p[1], data.p + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	(void)close(p[1]);
	(void)close(asked[0]);
	(void)dup2(p[0], STDIN_FILENO);
	(void)close(p[0]);
	/* fill must also do where the descriptor does not block */
	(void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	r = ryde_reader_new(NULL, 0, &err);
	CHECK(r != NULL && ryde_reader_file(r) == NULL, "stdin alone has no name");
	for (enum ryde_reader_event e = RYDE_READER_AGAIN; e != RYDE_READER_END;) {
		e = ryde_reader_next(r, &line);
		if (e == RYDE_READER_LINE)
			add(&g, "[", line, "]");
		else if (e == RYDE_READER_TORN)
			add(&g, "TORN(", line, ")");
		if (e != RYDE_READER_AGAIN)
			continue;
		again++;
		/* behind the last byte the writer has gone: the pipe ends */
		if ((size_t)again <= data.n)
			CHECK(write(asked[1], "", 1) == 1, "the writer is gone");
		ryde_waits_begin(&w);
		ryde_reader_wait(r, &w);
		CHECK(ryde_waits_poll(&w, &err) == 0 && ryde_reader_ready(r), "ready");
		CHECK(ryde_reader_fill(r, &err) == 0, "%s", err.msg);
	}
	CHECK(strcmp(g.text, want) == 0, "%s", g.text);
	CHECK((size_t)again >= data.n, "it came in pieces: %d", again);
	ryde_reader_free(r);
	(void)close(asked[1]);
	(void)waitpid(pid, NULL, 0);
}

/* Appends one gzip member that holds data. */
static size_t
pack(char *to, size_t room, struct ryde_view data)
{
	z_stream z;

	memset(&z, 0, sizeof(z));
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	/* zlib's pointer is not const, what it points at is left alone */
	memcpy(&z.next_in, &data.p, sizeof(z.next_in));
	z.avail_in = (uInt)data.n;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)room;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END, "packed");
	(void)deflateEnd(&z);
	return room - z.avail_out;
}

static void
check_gzip(void)
{
	char gz[4000], twice[4000];
	size_t one = pack(gz, sizeof(gz), ryde_view_of("g1\ng")), n = one, empty, m;
	struct ryde_view v;
	struct got g;

	empty = pack(gz + n, sizeof(gz) - n, ryde_view_of(""));
	n += empty;
	n += pack(gz + n, sizeof(gz) - n, ryde_view_of("2\ng3\n"));
	write_file("g.gz", ryde_view_mem(gz, n));
	read_all("g.gz", NULL, &g);
	CHECK(strcmp(g.text, "[g1][g2][g3]END") == 0, "members are joined: %s", g.text);
	read_all("b g.gz b g.gz", NULL, &g);
	CHECK(strcmp(g.text, "[b1][b2][g1][g2][g3][b1][b2][g1][g2][g3]END") == 0,
	    "among plain files: %s", g.text);
	v = ryde_view_mem(gz, n);
	read_all("", &v, &g);
	CHECK(strcmp(g.text, "[g1][g2][g3]END") == 0, "in a pipe: %s", g.text);
	check_byte_by_byte(v, "[g1][g2][g3]");
	write_file("cut.gz", ryde_view_mem(gz, one));
	read_all("cut.gz a", NULL, &g);
	CHECK(strcmp(g.text, "[g1][g][a1][a2]END") == 0, "no last newline: %s", g.text);
	/* cut anywhere but between members, it says so and makes up no line */
	for (size_t k = 2; k < n; k++) {
		if (k == one || k == one + empty)
			continue;
		write_file("cut.gz", ryde_view_mem(gz, k));
		read_all("cut.gz", NULL, &g);
		m = strlen(g.text);
		CHECK(m >= 6 && strcmp(g.text + m - 6, "FAILED") == 0, "cut at %zu: %s",
		    k, g.text);
		CHECK(strstr(g.text, "[g]") == NULL, "cut at %zu: %s", k, g.text);
	}
	memcpy(twice, gz, n);
	memset(twice + n, 0, 600);
	write_file("padded.gz", ryde_view_mem(twice, n + 600));
	read_all("padded.gz", NULL, &g);
	CHECK(strcmp(g.text, "[g1][g2][g3]END") == 0, "zeros behind it: %s", g.text);
	twice[n + 5] = 'x';
	write_file("garbage.gz", ryde_view_mem(twice, n + 600));
	read_all("garbage.gz", NULL, &g);
	CHECK(strstr(g.text, "FAILED") != NULL, "garbage behind it: %s", g.text);
	gz[n - 6] = (char)(gz[n - 6] ^ 1);
	write_file("bad.gz", ryde_view_mem(gz, n));
	read_all("bad.gz", NULL, &g);
	CHECK(strstr(g.text, "FAILED") != NULL, "a wrong check sum: %s", g.text);
}

/* A program may call fill again before it has taken all lines: see ryde_intake_turn. */
static void
check_filled_ahead(void)
{
	char *names[] = {
	    (char[]){"a"}, (char[]){"g.gz"}, (char[]){"fake"}, (char[]){"a"}};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_reader *r;
	struct got g = {0};

	write_file("fake", ryde_view_of("f\n\x1f\x8b\n"));
	r = ryde_reader_new(names, 4, &err);
	CHECK(r != NULL, "%s", err.msg);
	for (int i = 0; i < 40; i++)
		CHECK(ryde_reader_fill(r, &err) == 0, "%s", err.msg);
	drain(r, &g);
	CHECK(strcmp(g.text, "[a1][a2][g1][g2][g3][f][\x1f\x8b][a1][a2]END") == 0, "%s",
	    g.text);
	ryde_reader_free(r);
}

/* A line of just the longest length, and one byte more; last with and without newline. */
static void
check_long(void)
{
	size_t n = (size_t)RYDE_LINE_MAX;
	char *big = malloc(n + 10);
	struct got g;

	if (big == NULL)
		return;
	memset(big, 'x', n + 10);
	memcpy(big, "abc", 3);
	big[n] = '\n';
	memcpy(big + n + 1, "z\n", 2);
	write_file("long", ryde_view_mem(big, n + 3));
	read_all("long", NULL, &g);
	CHECK(
	    strcmp(g.text, "[abcxxxxxxxxxxxxxxxxx][z]END") == 0 && g.line_bytes == n + 1,
	    "the longest: %s %d", g.text, (int)g.line_bytes);
	write_file("long", ryde_view_mem(big, n));
	read_all("long", NULL, &g);
	CHECK(g.lines == 1 && g.line_bytes == n, "without newline: %s", g.text);
	big[n] = 'x';
	memcpy(big + n + 1, "\nz\n", 3);
	write_file("long", ryde_view_mem(big, n + 4));
	read_all("long long a", NULL, &g);
	CHECK(strcmp(g.text, "LONG(abc)[z]LONG(abc)[z][a1][a2]END") == 0, "%s", g.text);
	CHECK(g.last_number == 6, "a long line has a number: %d", (int)g.last_number);
	write_file("long", ryde_view_mem(big, n + 1));
	read_all("long", NULL, &g);
	CHECK(strcmp(g.text, "LONG(abc)END") == 0, "one more, no newline: %s", g.text);
	read_all("long a", NULL, &g);
	CHECK(
	    strcmp(g.text, "LONG(abc)[a1][a2]END") == 0, "and another file: %s", g.text);
	free(big);
}

static void
check_packed_after_long(char *text, char *gz, size_t room)
{
	struct ryde_random random;
	size_t n = room / 4;
	struct got g;

	/* hardly packable, so that the packed file is larger than a block */
	ryde_random_seed(&random, 1);
	for (size_t i = 0; i < n; i++)
		text[i] =
		    i % 100 == 99 ? '\n' : (char)('0' + ryde_random_u64(&random) % 64);
	write_file("noise.gz", ryde_view_mem(gz, pack(gz, room, ryde_view_mem(text, n))));
	memset(text, 'x', room);
	write_file("long", ryde_view_mem(text, room));
	read_all("long noise.gz long", NULL, &g);
	CHECK(g.lines == n / 100 + 3, "%d lines", (int)g.lines);
}

/* Many lines, whose ends fall everywhere in blocks; packed and not. */
static void
check_many(void)
{
	enum { LINES = 100000, ROOM = 8 << 20 };
	char *text = malloc(ROOM), *gz = malloc(ROOM);
	size_t n = 0, bytes = 0;
	struct got g;

	if (text == NULL || gz == NULL)
		return;
	for (size_t i = 0; i < LINES; i++) {
		memset(text + n, 'a' + (int)(i % 26), i * 7 % 60);
		n += i * 7 % 60;
		text[n++] = '\n';
	}
	bytes = n - LINES;
	write_file("many", ryde_view_mem(text, n));
	read_all("many many", NULL, &g);
	CHECK(g.lines == 2 * LINES && g.line_bytes == 2 * bytes, "%d", (int)g.lines);
	write_file("many.gz", ryde_view_mem(gz, pack(gz, ROOM, ryde_view_mem(text, n))));
	read_all("many.gz many", NULL, &g);
	CHECK(g.lines == 2 * LINES && g.line_bytes == 2 * bytes, "%d", (int)g.lines);
	/* the room that a long line needed is there when the next file turns out packed
	 */
	check_packed_after_long(text, gz, ROOM);
	free(text);
	free(gz);
}

int
main(void)
{
	int in = dup(STDIN_FILENO);

	if (scratch_begin() != 0)
		return 1;
	check_files();
	check_pipe();
	check_byte_by_byte(ryde_view_of("one\ntwo\n\nthree"), "[one][two][]TORN(three)");
	check_gzip();
	check_filled_ahead();
	check_long();
	check_many();
	scratch_end();
	if (in >= 0)
		(void)close(in);
	return check_end("line_reader");
}
