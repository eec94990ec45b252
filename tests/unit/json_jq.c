/* jq programs on payloads: plain paths without libjq, everything else with it. */
#include "base/buf.h"
#include "base/err.h"
#include "json/jq.h"

#include "check.h"

/* jq 1.6's manual; the third column is all outputs, each followed by a newline; a message
 * where it ends in an error. */
static const struct {
	const char *program, *text, *outputs, *complaint;
} rows[] = {
    {".", " {\"a\": 1.0, \"id\":12345678901234567890} ",
	"{\"a\": 1.0, \"id\":12345678901234567890}\n", NULL},
    {".Name", "{\"Name\":\"Shadow\\u0066ax\"}", "\"Shadow\\u0066ax\"\n", NULL},
    {".id", "{\"id\":12345678901234567890}", "12345678901234567890\n", NULL},
    {".a", "{}", "null\n", NULL},
    {".a", "null", "null\n", NULL},
    {".a.b[1].c", "{\"a\":null}", "null\n", NULL},
    {".a[5]", "{\"a\":[1]}", "null\n", NULL},
    {".a", "5", "", "Cannot index number with string \"a\""},
    {".a", "[]", "", "Cannot index array with"},
    {".a[0]", "{\"a\":{}}", "", "Cannot index object with number"},
    {".a.b", "{\"a\":\"x\"}", "", "Cannot index string with"},
    {"select(.d > 1)", "{\"d\": 2.50, \"id\": 12345678901234567890}",
	"{\"d\": 2.50, \"id\": 12345678901234567890}\n", NULL},
    {"select(.d > 1)", "{\"d\":1}", "", NULL},
    {"if .d then . else empty end", " [ 1e2 ] ", "", "Cannot index array with"},
    {".[]", "[1,{\"a\": \"x\\ny\"}]", "1\n{\"a\":\"x\\ny\"}\n", NULL},
    {".a, .b", "{\"a\":{\"a\":1},\"b\":2}", "{\"a\":1}\n2\n", NULL},
    {"{d: .d}", "{\"d\": 1, \"e\":2}", "{\"d\":1}\n", NULL},
    {"empty", "1", "", NULL},
    {"1, error(\"boom\"), 2", "null", "1\n", "boom"},
    {"error({\"a\":1})", "null", "", "(not a string): {\"a\":1}"},
    {"\"bye\" | halt_error", "null", "", "bye"},
    {"1, halt, 2", "null", "1\n", NULL},
};

static void
run(struct ryde_jq *jq, size_t row, struct ryde_buf *out, struct ryde_buf *all)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int result = ryde_jq_start(jq, ryde_view_of(rows[row].text), &err);

	ryde_buf_clear(all);
	if (result == 0) {
		while ((result = ryde_jq_next(jq, out, &err)) == 1) {
			ryde_buf_view(all, ryde_buf_as_view(out));
			ryde_buf_putc(all, '\n');
		}
	}
	CHECK(strcmp(ryde_buf_str(all), rows[row].outputs) == 0, "%s on %s: %s",
	    rows[row].program, rows[row].text, ryde_buf_str(all));
	CHECK(result == (rows[row].complaint != NULL ? -1 : 0), "%s on %s: %s",
	    rows[row].program, rows[row].text, err.msg);
	if (rows[row].complaint != NULL) {
		CHECK(err.code == RYDE_EDATA);
		CHECK(strstr(err.msg, rows[row].complaint) != NULL, "%s", err.msg);
		CHECK(ryde_jq_next(jq, out, &err) == 0);
	}
}

static void
test_complaints(void)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_jq_new(".a |", &err) == NULL);
	CHECK(err.code == RYDE_EUSAGE && strstr(err.msg, "syntax error") != NULL, "%s",
	    err.msg);
	CHECK(strchr(err.msg, '\n') == NULL);
	CHECK(ryde_jq_new("nosuch(1)", &err) == NULL);
	CHECK(strstr(err.msg, "nosuch/1 is not defined") != NULL, "%s", err.msg);
	ryde_jq_free(NULL);
}

int
main(void)
{
	struct ryde_buf out, all;
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_buf_init(&out, 1 << 16);
	ryde_buf_init(&all, 1 << 16);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ryde_jq *jq = ryde_jq_new(rows[i].program, &err);

		CHECK(jq != NULL, "%s: %s", rows[i].program, err.msg);
		if (jq == NULL)
			continue;
		/* Twice: an error or a halt leaves the program fit for the next text. */
		run(jq, i, &out, &all);
		run(jq, i, &out, &all);
		/* An abandoned run is cleaned up. */
		CHECK(ryde_jq_start(jq, ryde_view_of("null"), &err) == 0);
		ryde_jq_free(jq);
	}
	test_complaints();
	ryde_buf_free(&out);
	ryde_buf_free(&all);
	return check_end("json_jq");
}
