/* Rows in each form, and how wide texts are. Source: engine/query_print.h,
 * query_width.h. */
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "engine/query_print.h"
#include "engine/query_width.h"

#define CELL(k, s)                       \
	{                                \
		RYDE_QUERY_##k,          \
		{                        \
			s, sizeof(s) - 1 \
		}                        \
	}

static const struct ryde_query_cell rows[][3] = {
    {CELL(NUMBER, "1.5"), CELL(TEXT, "a\"b,\tc"), CELL(BOOL, "true")},
    {CELL(NUMBER, "1234567890123456789012"), CELL(TEXT, ""), CELL(JSON, "[1]")},
    {CELL(NULL, ""), CELL(TEXT, "\xff\\\n"), CELL(BYTES, "\0\xff")},
};

static const struct {
	const char *form, *want;
	size_t width;
	bool ascii;
} forms[] = {
    {"ndjson",
	"{\"n\":1.5,\"t\":\"a\\\"b,\\tc\",\"n_2\":true}\n"
	"{\"n\":1234567890123456789012,\"t\":\"\",\"n_2\":[1]}\n"
	"{\"n\":null,\"t\":\"\xef\xbf\xbd\\\\\\n\",\"n_2\":\"AP8=\"}\n",
	0, false},
    {"csv",
	"n,t,n\r\n1.5,\"a\"\"b,\tc\",true\r\n1234567890123456789012,\"\",[1]\r\n"
	",\"\xff\\\n\",AP8=\r\n",
	0, false},
    {"tsv",
	"n\tt\tn\n1.5\ta\"b,\\tc\ttrue\n1234567890123456789012\t\t[1]\n"
	"\t\xff\\\\\\n\tAP8=\n",
	0, false},
    {"table",
	"                     n  t        n\n"
	"----------------------  -------  ----\n"
	"                   1.5  a\"b,\\tc  true\n"
	"1234567890123456789012           [1]\n"
	"                        \xef\xbf\xbd\\\\n     AP8=\n",
	0, false},
};

static void
test_forms(void)
{
	static const struct ryde_view names[] = {{"n", 1}, {"t", 1}, {"n", 1}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct ryde_query_printer *p = ryde_query_print(forms[i].form);
		struct ryde_query_head head = {names, 3, forms[i].width, forms[i].ascii};
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_buf out;
		void *state = p->start(&head, &err);

		ryde_buf_init(&out, 10000);
		CHECK(state != NULL, "%s", err.msg);
		for (size_t k = 0; k < 3; k++)
			CHECK(p->row(state, rows[k], &out, &err) == 0, "%s", err.msg);
		CHECK(p->end(state, &out, &err) == 0, "%s", err.msg);
		p->free(state);
		CHECK(strcmp(ryde_buf_str(&out), forms[i].want) == 0, "%s:\n%s",
		    forms[i].form, ryde_buf_str(&out));
		ryde_buf_free(&out);
	}
	CHECK(ryde_query_print("xml") == NULL, "an unknown form");
}

static const struct {
	const char *text;
	size_t width;
} widths[] = {
    {"", 0}, {"abc", 3}, {"日本", 4}, {"e\xcc\x81", 1}, /* a combining accent */
    {"\xf0\x9f\xa6\x84", 2},				/* a unicorn */
    {"\n\t", 4},					/* shown as escapes */
    {"\x1b", 4}, {"\xff\xfe", 2},			/* no UTF-8 */
    {"\xe3\x81", 2},					/* cut in the middle */
};

static void
test_widths(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		size_t got = ryde_query_width(ryde_view_of(widths[i].text));

		CHECK(got == widths[i].width, "text %zu: %zu", i, got);
		ryde_buf_clear(&b);
		CHECK(ryde_query_width_put(&b, ryde_view_of(widths[i].text), 100) ==
			  widths[i].width,
		    "text %zu", i);
	}
	ryde_buf_clear(&b);
	CHECK(ryde_query_width_put(&b, ryde_view_of("日本語"), 5) == 5, "cut");
	CHECK(strcmp(ryde_buf_str(&b), "日本…") == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

/* Charts: bars with a zero in the middle, a line, and what cannot be one. */
static void
chart(const struct ryde_query_cell (*cells)[2], size_t n, bool ascii, const char *want)
{
	static const struct ryde_view names[] = {{"label", 5}, {"v", 1}};
	const struct ryde_query_printer *p = ryde_query_print("chart");
	struct ryde_query_head head = {names, 2, 30, ascii};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf out;
	void *state = p->start(&head, &err);
	int rc;

	ryde_buf_init(&out, 100000);
	for (size_t k = 0; k < n; k++)
		CHECK(p->row(state, cells[k], &out, &err) == 0, "%s", err.msg);
	rc = p->end(state, &out, &err);
	CHECK((rc == 0) == (want != NULL), "%s", err.msg);
	CHECK(want == NULL || strcmp(ryde_buf_str(&out), want) == 0, "\n%s",
	    ryde_buf_str(&out));
	p->free(state);
	ryde_buf_free(&out);
}

static void
test_charts(void)
{
	static const struct ryde_query_cell bars[][2] = {
	    {CELL(TEXT, "a"), CELL(NUMBER, "10")},
	    {CELL(TEXT, "日本"), CELL(NUMBER, "-5")},
	    {CELL(TEXT, "c"), CELL(NULL, "")},
	    {CELL(NULL, ""), CELL(NUMBER, "2.5")},
	};
	static const struct ryde_query_cell line[][2] = {
	    {CELL(TEXT, "2026-11-23 14:00:10"), CELL(NUMBER, "1")},
	    {CELL(TEXT, "2026-11-23 14:00:00"), CELL(NUMBER, "0")},
	    {CELL(TEXT, "2026-11-23 14:00:05"), CELL(NULL, "")},
	};
	static const struct ryde_query_cell texts[][2] = {
	    {CELL(TEXT, "a"), CELL(TEXT, "b")},
	};

	chart(bars, 4, true,
	    "v\n"
	    "a           ##############  10\n"
	    "日本 #######                -5\n"
	    "c                             \n"
	    "            ###            2.5\n");
	chart(bars, 1, false, "v\na █████████████████████████ 10\n");
	chart(line, 3, true,
	    "v\n"
	    "1 |                         **\n"
	    "  |                       **  \n"
	    "  |                     **    \n"
	    "  |                  ***      \n"
	    "  |                **         \n"
	    "  |             ***           \n"
	    "  |           **              \n"
	    "  |         **                \n"
	    "  |      ***                  \n"
	    "  |    **                     \n"
	    "  |  **                       \n"
	    "0 |**                         \n"
	    "   2026-11-23 14:00:00.000 - 2026-11-23 14:00:10.000\n");
	chart(line, 0, true, "");
	chart(texts, 1, true, NULL);
}

int
main(void)
{
	test_charts();
	test_forms();
	test_widths();
	return check_end("engine_query_print");
}
