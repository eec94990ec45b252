/* Strings of JSON, and base64. */
#include "base/buf.h"
#include "base/err.h"
#include "json/string.h"

#include "check.h"

/* RFC 8259, section 7. */
static const struct {
	const char *bytes;
	size_t n;
	const char *text; /* as ryde_json_string_put writes it, without the quotes */
} puts_[] = {
    {"", 0, ""},
    {"Shadowfax", 9, "Shadowfax"},
    {"a\"b\\c/d", 7, "a\\\"b\\\\c/d"},
    {"\b\f\n\r\t", 5, "\\b\\f\\n\\r\\t"},
    {"\0\x01\x1f\x7f", 4, "\\u0000\\u0001\\u001f\x7f"},
    {"\xc3\xa9\xf0\x9f\xa6\x84", 6, "\xc3\xa9\xf0\x9f\xa6\x84"},
    {"0123456789abcdef\"0123456789abcdef\n", 34,
	"0123456789abcdef\\\"0123456789abcdef\\n"},
};

static void
test_put(struct ryde_buf *b)
{
	for (size_t i = 0; i < sizeof(puts_) / sizeof(puts_[0]); i++) {
		struct ryde_view v = ryde_view_mem(puts_[i].bytes, puts_[i].n);
		size_t n = strlen(puts_[i].text);

		ryde_buf_clear(b);
		ryde_json_string_put(b, v);
		CHECK(b->n == n + 2 && b->p[0] == '"' && b->p[n + 1] == '"');
		CHECK(memcmp(b->p + 1, puts_[i].text, n) == 0, "%s", puts_[i].text);
		ryde_buf_clear(b);
		ryde_json_string_decode(b, ryde_view_of(puts_[i].text));
		CHECK(ryde_view_eq(ryde_buf_as_view(b), v), "%s", puts_[i].text);
	}
	ryde_buf_clear(b);
	ryde_json_string_put(b, ryde_view_mem(NULL, 0));
	CHECK(ryde_view_is(ryde_buf_as_view(b), "\"\""));
}

/* RFC 8259, section 7 (escapes) and Unicode 15, 3.9 (U+FFFD for what is no character). */
static void
test_decode(struct ryde_buf *b)
{
	static const char *const rows[][2] = {
	    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
	    {"\\u0041\\u00E9\\u20ac", "A\xc3\xa9\xe2\x82\xac"},
	    {"\\ud83e\\udd84!", "\xf0\x9f\xa6\x84!"},
	    {"\\ud83ex", "\xef\xbf\xbdx"},
	    {"\\udd84", "\xef\xbf\xbd"},
	    {"\\ud83e\\ud83e\\udd84", "\xef\xbf\xbd\xf0\x9f\xa6\x84"},
	    {"\\ud83e\\n", "\xef\xbf\xbd\n"},
	    {"\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ryde_buf_clear(b);
		ryde_json_string_decode(b, ryde_view_of(rows[i][0]));
		CHECK(ryde_view_is(ryde_buf_as_view(b), rows[i][1]), "%s", rows[i][0]);
	}
}

/* RFC 3629, sections 3 and 4. */
static void
test_utf8(void)
{
	static const char *const good[] = {"", "plain", "\xc2\x80", "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	    "0123456789abcdef0123456789abcdef\xc3\xa9"};
	static const char *const bad[] = {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf",
	    "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1", "0123456789abcdef\xff"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(ryde_json_string_utf8(ryde_view_of(good[i])), "good %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!ryde_json_string_utf8(ryde_view_of(bad[i])), "bad %zu", i);
}

/* RFC 4648, section 10 (vectors), 3.5 (padding bits), 4 (alphabet). */
static void
test_base64(struct ryde_buf *b)
{
	static const char *const rows[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm 9",
	    "Zm9v\n", "====", "=AAA", "Z===", "Zg==Zg==", "-_-_", "A=AA",
	    "\xff\xff\xff\xff"};
	struct ryde_err err = RYDE_ERR_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ryde_buf_clear(b);
		ryde_json_string_base64_put(b, ryde_view_of(rows[i][0]));
		CHECK(ryde_view_is(ryde_buf_as_view(b), rows[i][1]), "%s", rows[i][1]);
		ryde_buf_clear(b);
		CHECK(ryde_json_string_base64_decode(b, ryde_view_of(rows[i][1]), &err) ==
		      0);
		CHECK(ryde_view_is(ryde_buf_as_view(b), rows[i][0]), "%s", rows[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ryde_buf_clear(b);
		CHECK(ryde_json_string_base64_decode(b, ryde_view_of(bad[i]), &err) == -1,
		    "%s", bad[i]);
		CHECK(err.code == RYDE_EDATA && b->n == 0);
	}
}

int
main(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	test_put(&b);
	test_decode(&b);
	test_utf8();
	test_base64(&b);
	ryde_buf_free(&b);
	return check_end("json_string");
}
