/* Words of a command line, and what a command prints. Source: base/capture.h; XCU 2.2 for
 * quoting. */
#include "base/buf.h"
#include "base/capture.h"
#include "base/err.h"
#include "base/signals.h"
#include "check.h"

static const struct {
	const char *text;
	int n;
	const char *words[4];
} rows[] = {
    {"", 0, {NULL}}, {"  \t\n", 0, {NULL}}, {"a b", 2, {"a", "b"}},
    {"  a\tb  ", 2, {"a", "b"}}, {"'a b' \"c d\"", 2, {"a b", "c d"}},
    {"a'b'\"c\"d", 1, {"abcd"}}, {"'' \"\"", 2, {"", ""}}, {"a\\ b", 1, {"a b"}},
    {"'a\\b' \"a\\b\\\"\\\\\"", 2, {"a\\b", "a\\b\"\\"}}, {"$HOME *", 2, {"$HOME", "*"}},
    {"a\\", 1, {"a\\"}}, {"'open", -1, {NULL}},
    {"a b c d", -1, {NULL}}, /* more than there is room for */
};

static void
test_words(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64], *words[4];
		int n;

		(void)snprintf(text, sizeof(text), "%s", rows[i].text);
		n = ryde_capture_words(text, words, 4);
		CHECK(n == rows[i].n, "row %zu: %d", i, n);
		for (int k = 0; n >= 0 && k < n; k++)
			CHECK(strcmp(words[k], rows[i].words[k]) == 0, "row %zu: %s", i,
			    words[k]);
		CHECK(n < 0 || words[n] == NULL, "row %zu", i);
	}
}

static const struct {
	const char *command;
	const char *prints; /* NULL: it fails */
	const char *words;
	int64_t timeout_ms;
} runs[] = {
    {"printf 'a\\nb'", "a\nb", "", 60000},
    {"true", "", "", 60000},
    {"cat", "", "", 60000}, /* nothing on standard input */
    {"exit 3", NULL, "it ended with status 3", 60000},
    {"kill -9 $$", NULL, "it died of signal 9", 60000},
    {"yes", NULL, "it prints more than 1000 bytes", 60000},
    {"exec sleep 60", NULL, "it has not ended after 0 s", 50},
};

static void
test_runs(void)
{
	char path[] = "/nonexistent", *nothing[] = {path, NULL};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf out;

	ryde_buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		char sh[] = "sh", c[] = "-c", command[64],
		     *words[] = {sh, c, command, NULL};

		(void)snprintf(command, sizeof(command), "%s", runs[i].command);
		ryde_buf_clear(&out);
		if (ryde_capture_run(words, runs[i].timeout_ms, &out, &err) == 0)
			CHECK(runs[i].prints != NULL &&
				  strcmp(ryde_buf_str(&out), runs[i].prints) == 0,
			    "%s: %s", command, ryde_buf_str(&out));
		else
			CHECK(runs[i].prints == NULL &&
				  strstr(err.msg, runs[i].words) != NULL,
			    "%s: %s", command, err.msg);
	}
	CHECK(ryde_capture_run(nothing, 1000, &out, &err) == -1 && err.sys != 0, "%s",
	    err.msg);
	ryde_buf_free(&out);
}

int
main(void)
{
	if (ryde_signals_init(NULL) != 0)
		return 1;
	test_words();
	test_runs();
	return check_end("base_capture");
}
