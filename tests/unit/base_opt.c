/* Options from a table. Sources: base/opt.h; the GNU style of getopt_long(3). */
#include "base/opt.h"

#include "base/buf.h"
#include "base/err.h"
#include "check.h"

#include <stdlib.h>

static bool flag;
static int count;
static const char *text;
static struct ryde_strings texts;
static int64_t number, duration_ms, size_bytes, age_ms;

static const struct ryde_opt first[] = {
    {"flag", 'a', RYDE_OPT_FLAG, &flag, NULL, "a flag", 0, 0},
    {"verbose", 'v', RYDE_OPT_COUNT, &count, NULL, "counts", 0, 0},
    {"text", 't', RYDE_OPT_STRING, &text, "TEXT", "a text", 0, 0},
    {"by", 0, RYDE_OPT_STRINGS, &texts, "PATH", "texts", 0, 0},
    {"number", 'n', RYDE_OPT_INT, &number, "N", "a number", -5, 500},
};
static const struct ryde_opt second[] = {
    {"every", 0, RYDE_OPT_DURATION, &duration_ms, "DURATION", "a duration", 1000, 60000},
    {"size", 's', RYDE_OPT_SIZE, &size_bytes, "SIZE", "a size", 1, 0},
    {"max-age", 0, RYDE_OPT_DURATION, &age_ms, "DURATION", "off with -1", -1, 0},
    {"text", 0, RYDE_OPT_INT, &number, "N", "hidden by the first table's", 0, 9},
};
static const struct ryde_opts both = {.tables = {first, second},
    .counts = {sizeof(first) / sizeof(first[0]), sizeof(second) / sizeof(second[0])},
    .n = 2};

/* A command line in words parted by '|', and what becomes of it. */
static const struct {
	const char *line;
	const char *operands; /* parted by '|'; NULL: refused */
	int dashes;
	const char *message; /* what the refusal must say */
} lines[] = {
    {"", "", -1, NULL},
    {"x|y", "x|y", -1, NULL},
    {"-a|x|-v|y|-vv", "x|y", -1, NULL},
    {"-av|x", "x", -1, NULL},
    {"-tfoo|x", "x", -1, NULL},
    {"-t|foo|x", "x", -1, NULL},
    {"-avtfoo", "", -1, NULL},
    {"--text=foo", "", -1, NULL},
    {"--text|foo", "", -1, NULL},
    {"--text=", "", -1, NULL},
    {"--text|--flag", "", -1, NULL},
    {"--text=a=b", "", -1, NULL},
    {"-t|-|-", "-", -1, NULL},
    {"-n|-5", "", -1, NULL},
    {"-n-5", "", -1, NULL},
    {"--|-a|--nope", "-a|--nope", 0, NULL},
    {"x|--|-a|--", "x|-a|--", 1, NULL},
    {"--every|1m", "", -1, NULL},
    {"--every=1s", "", -1, NULL},
    {"--size=8388607T", "", -1, NULL},
    {"--max-age|-1", "", -1, NULL},
    {"--by|.a|--by=.b|--by=.a", "", -1, NULL},
    {"--nope", NULL, 0, "unknown option --nope"},
    {"--flog", NULL, 0, "unknown option --flog (did you mean --flag?)"},
    {"--tex=1", NULL, 0, "unknown option --tex (did you mean --text?)"},
    {"-x", NULL, 0, "unknown option -x"},
    {"-ax", NULL, 0, "unknown option -x"},
    {"-n", NULL, 0, "-n needs a value: N"},
    {"-an", NULL, 0, "-n needs a value: N"},
    {"--number", NULL, 0, "--number needs a value: N"},
    {"--flag=1", NULL, 0, "--flag takes no value"},
    {"-n|501", NULL, 0, "--number: 501 is not between -5 and 500"},
    {"-n|-6", NULL, 0, "--number: -6 is not between -5 and 500"},
    {"-n|5x", NULL, 0, "--number: '5x' is no whole number"},
    {"-n|", NULL, 0, "--number: '' is no whole number"},
    {"-n|99999999999999999999", NULL, 0, "is no whole number"},
    {"--every=1", NULL, 0, "--every: '1' is no duration (500ms 15s 1m 2h 7d)"},
    {"--every=999ms", NULL, 0, "--every: 999ms is out of range"},
    {"--every=61s", NULL, 0, "--every: 61s is out of range"},
    {"--every=-1", NULL, 0, "--every: '-1' is no duration"},
    {"--size=0", NULL, 0, "--size: 0 is out of range"},
    {"--size=x", NULL, 0, "--size: 'x' is no size (512k 5M 1G)"},
    {"--max-age=-2", NULL, 0, "--max-age: '-2' is no duration"},
    {"--=x", NULL, 0, "unknown option --"},
    {"---", NULL, 0, "unknown option ---"},
    {"--an-option-with-a-name-of-more-than-thirty-bytes", NULL, 0, "unknown option"},
};

static void
forget(void)
{
	flag = false;
	count = 0;
	text = NULL;
	ryde_strings_free(&texts);
	number = duration_ms = size_bytes = age_ms = 0;
}

/* Splits line into argv[1..]; room has the words. */
static int
split(const char *line, char *room, char **argv)
{
	int argc = 1;

	memcpy(room, line, strlen(line) + 1);
	if (*line == '\0')
		return 1;
	for (argv[argc++] = room; *room != '\0'; room++) {
		if (*room == '|') {
			*room = '\0';
			argv[argc++] = room + 1;
		}
	}
	return argc;
}

static void
join(struct ryde_buf *b, char **argv, int n)
{
	ryde_buf_clear(b);
	for (int i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(b, '|');
		ryde_buf_puts(b, argv[1 + i]);
	}
}

static void
check_lines(void)
{
	struct ryde_buf got;

	ryde_buf_init(&got, 4096);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		char room[200], name[] = "x", *argv[20] = {name};
		int argc = split(lines[i].line, room, argv), n = -7, dashes = -7, rc;

		forget();
		rc = ryde_opts_parse(&both, argc, argv, &n, &dashes, &err);
		CHECK(rc == (lines[i].operands != NULL ? 0 : -1), "'%s': %s",
		    lines[i].line, err.msg);
		if (rc == 0 && lines[i].operands != NULL) {
			join(&got, argv, n);
			CHECK(strcmp(ryde_buf_str(&got), lines[i].operands) == 0,
			    "'%s': %s", lines[i].line, ryde_buf_str(&got));
			CHECK(
			    dashes == lines[i].dashes, "'%s': %d", lines[i].line, dashes);
		} else if (lines[i].message != NULL) {
			CHECK(err.code == RYDE_EUSAGE &&
				  strstr(err.msg, lines[i].message) != NULL,
			    "'%s': %s", lines[i].line, err.msg);
		}
	}
	ryde_buf_free(&got);
	forget();
}

static int
parse(const struct ryde_opts *o, const char *line, int *n)
{
	static char room[200]; /* the options keep pointers into it */
	struct ryde_err err = RYDE_ERR_INIT;
	char name[] = "x", *argv[20] = {name};

	forget();
	return ryde_opts_parse(o, split(line, room, argv), argv, n, NULL, &err);
}

static void
check_values(void)
{
	struct ryde_opts stop = both;
	int n;

	CHECK(parse(&both, "-avv|--text=a=b|-n|-5|--every|1m|-s5M|--max-age=-1", &n) == 0,
	    "parses");
	CHECK(flag && count == 2 && number == -5, "%d %d %lld", flag, count,
	    (long long)number);
	CHECK(text != NULL && strcmp(text, "a=b") == 0, "%s", text);
	CHECK(duration_ms == 60000 && size_bytes == 5 << 20 && age_ms == -1, "%lld %lld",
	    (long long)duration_ms, (long long)size_bytes);
	CHECK(parse(&both, "--text|--flag", &n) == 0 && !flag &&
		  strcmp(text, "--flag") == 0,
	    "a value may look like an option");
	CHECK(parse(&both, "-t1|-t2", &n) == 0 && strcmp(text, "2") == 0,
	    "the last one counts");
	CHECK(parse(&both, "--by|.a|x|--by=.b|--by=", &n) == 0 && n == 1 && texts.n == 3,
	    "%zu", texts.n);
	CHECK(texts.n == 3 && strcmp(texts.v[0], ".a") == 0 &&
		  strcmp(texts.v[1], ".b") == 0 && strcmp(texts.v[2], "") == 0,
	    "repeated, in their order");
	stop.stop_at_operand = true;
	CHECK(parse(&stop, "-v|cmd|-v|--nope", &n) == 0 && n == 3 && count == 1,
	    "the first operand ends options: %d %d", n, count);
	forget();
}

static void
check_help(void)
{
	static const struct ryde_opt wide[] = {
	    {"a-name-of-thirty-bytes-and-more", 'x', RYDE_OPT_STRING, &text, "TEXT",
		"its help", 0, 0},
	};
	const struct ryde_opts o = {.tables = {first, wide}, .counts = {2, 1}, .n = 2};
	struct ryde_buf b;

	ryde_buf_init(&b, 4096);
	ryde_opts_help(&o, 0, &b);
	CHECK(strcmp(ryde_buf_str(&b), "  -a, --flag                    a flag\n"
				       "  -v, --verbose                 counts\n") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_clear(&b);
	ryde_opts_help(&o, 1, &b);
	CHECK(strcmp(ryde_buf_str(&b), "  -x, --a-name-of-thirty-bytes-and-more TEXT\n"
				       "                                its help\n") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

int
main(void)
{
	check_lines();
	check_values();
	check_help();
	return check_end("base_opt");
}
