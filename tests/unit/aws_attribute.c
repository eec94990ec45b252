/* DynamoDB's JSON. Source: lib/aws/attribute.h; aws-facts 5: types, 38 digits, sizes, 32
 * levels. */
#include "aws/attribute.h"
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stdio.h>

#define D38 "12345678901234567890123456789012345678"

static const struct {
	const char *item, *attributes; /* NULL: refused … */
	const char *why;	       /* … with these words */
	size_t size;
} rows[] = {
    {"{}", "{}", NULL, 0},
    {"{\"Name\":\"Shadowfax\"}", "{\"Name\":{\"S\":\"Shadowfax\"}}", NULL, 13},
    {"{\"a\":\"\"}", "{\"a\":{\"S\":\"\"}}", NULL, 1},
    {" { \"n\" : 30.2 } ", "{\"n\":{\"N\":\"30.2\"}}", NULL, 4},
    {"{\"n\":-1}", "{\"n\":{\"N\":\"-1\"}}", NULL, 4},
    {"{\"n\":1e2}", "{\"n\":{\"N\":\"1e2\"}}", NULL, 3},
    {"{\"n\":0e999}", "{\"n\":{\"N\":\"0\"}}", NULL, 3},
    {"{\"n\":" D38 "}", "{\"n\":{\"N\":\"" D38 "\"}}", NULL, 21},
    {"{\"n\":" D38 "000}", "{\"n\":{\"N\":\"" D38 "000\"}}", NULL, 21},
    {"{\"n\":0.000" D38 "}", "{\"n\":{\"N\":\"0.000" D38 "\"}}", NULL, 21},
    {"{\"n\":" D38 "9}", NULL, "a number of 39 digits", 0},
    {"{\"n\":0." D38 "9}", NULL, "field \"n\": a number of 39 digits", 0},
    {"{\"n\":9.9e125}", "{\"n\":{\"N\":\"9.9e125\"}}", NULL, 3},
    {"{\"n\":1e126}", NULL, "beyond DynamoDB's numbers", 0},
    {"{\"n\":1e-130}", "{\"n\":{\"N\":\"1e-130\"}}", NULL, 3},
    {"{\"n\":1e-131}", NULL, "beyond DynamoDB's numbers", 0},
    {"{\"t\":true,\"f\":false,\"z\":null}",
	"{\"t\":{\"BOOL\":true},\"f\":{\"BOOL\":false},\"z\":{\"NULL\":true}}", NULL, 6},
    {"{\"l\":[1,\"a\",[]]}", "{\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"a\"},{\"L\":[]}]}}",
	NULL, 13},
    {"{\"m\":{\"k\":{}}}", "{\"m\":{\"M\":{\"k\":{\"M\":{}}}}}", NULL, 8},
    {"{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":{\"N\":\"2\"},\"a\":{\"N\":\"3\"}}", NULL, 6},
    {"{\"a\":1,\"\\u0061\":2}", "{\"a\":{\"N\":\"2\"}}", NULL, 3},
    {"{\"q\\\"\":\"\\ud83d\\ude00\\/\"}", "{\"q\\\"\":{\"S\":\"\xf0\x9f\x98\x80/\"}}",
	NULL, 7},
    {"{\"a\":\"\\ud800\"}", "{\"a\":{\"S\":\"\xef\xbf\xbd\"}}", NULL, 4},
    {"{\"\":1}", NULL, "empty name", 0},
    {"{\"m\":{\"\":1}}", NULL, "field \"m\": a field has an empty name", 0},
    {"[1]", NULL, "an item is a JSON object", 0},
    {"\"x\"", NULL, "an item is a JSON object", 0},
};

static void
table(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		size_t size = 99;
		int rc;

		ryde_buf_clear(&b);
		rc = ryde_attribute_put_item(&b, ryde_view_of(rows[i].item), &size, &err);
		if (rows[i].attributes == NULL) {
			CHECK(rc == -1 && err.code == RYDE_EDATA &&
				  strstr(err.msg, rows[i].why) != NULL,
			    "row %zu: %s", i, err.msg);
			continue;
		}
		CHECK(rc == 0 && strcmp(ryde_buf_str(&b), rows[i].attributes) == 0,
		    "row %zu: %s %s", i, ryde_buf_str(&b), err.msg);
		CHECK(size == rows[i].size, "row %zu: size %zu", i, size);
	}
	ryde_buf_free(&b);
}

/* What many fields, deep ones and large ones come to. */
static void
limits(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf in, out;
	size_t size;

	ryde_buf_init(&in, 4 << 20);
	ryde_buf_init(&out, 16 << 20);
	ryde_buf_putc(&in, '{');
	for (int i = 0; i < 3000; i++)
		ryde_buf_printf(&in, "%s\"k%d\":%d", i > 0 ? "," : "", i % 1000, i);
	ryde_buf_putc(&in, '}');
	CHECK(ryde_attribute_put_item(&out, ryde_buf_as_view(&in), &size, &err) == 0 &&
		  strstr(ryde_buf_str(&out), "\"k999\":{\"N\":\"2999\"}") != NULL &&
		  strstr(ryde_buf_str(&out), "\"N\":\"1999\"") == NULL,
	    "the last of many duplicates: %s", err.msg);
	for (int depth = 31; depth <= 33; depth++) {
		ryde_buf_clear(&in);
		ryde_buf_clear(&out);
		ryde_buf_puts(&in, "{\"a\":");
		for (int i = 0; i < depth; i++)
			ryde_buf_putc(&in, '[');
		for (int i = 0; i < depth; i++)
			ryde_buf_putc(&in, ']');
		ryde_buf_putc(&in, '}');
		CHECK((ryde_attribute_put_item(&out, ryde_buf_as_view(&in), &size,
			   &err) == 0) == (depth <= 32),
		    "%d levels", depth);
	}
	for (size_t n = RYDE_ATTRIBUTE_ITEM_MAX - 1; n <= RYDE_ATTRIBUTE_ITEM_MAX; n++) {
		ryde_buf_clear(&in);
		ryde_buf_clear(&out);
		ryde_buf_puts(&in, "{\"a\":\"");
		for (size_t i = 0; i < n; i++)
			ryde_buf_putc(&in, 'x');
		ryde_buf_puts(&in, "\"}");
		err = (struct ryde_err)RYDE_ERR_INIT;
		CHECK((ryde_attribute_put_item(&out, ryde_buf_as_view(&in), &size,
			   &err) == 0) == (n < RYDE_ATTRIBUTE_ITEM_MAX),
		    "%zu bytes and a name of one: %s", n, err.msg);
	}
	ryde_buf_free(&in);
	ryde_buf_free(&out);
}

static const struct {
	const char *attributes, *item; /* NULL: refused */
} back[] = {
    {"{}", "{}"},
    {"{\"n\":{\"N\":\"1E+2\"},\"s\":{\"S\":\"a\\nb\"}}", "{\"n\":1E+2,\"s\":\"a\\nb\"}"},
    {"{\"t\":{\"BOOL\":true},\"z\":{\"NULL\":true}}", "{\"t\":true,\"z\":null}"},
    {"{\"l\":{\"L\":[{\"S\":\"a\"},{\"M\":{\"k\":{\"N\":\"1\"}}}]}}",
	"{\"l\":[\"a\",{\"k\":1}]}"},
    {"{\"s\":{\"SS\":[\"a\",\"b\"]},\"n\":{\"NS\":[\"1\",\"2\"]},\"b\":{\"B\":\"AA==\"}}",
	"{\"s\":[\"a\",\"b\"],\"n\":[1,2],\"b\":\"AA==\"}"},
    {"{\"n\":{\"N\":\"NaN\"}}", "{\"n\":\"NaN\"}"},
    {"{\"n\":{\"Q\":\"1\"}}", NULL},
    {"{\"n\":1}", NULL},
    {"{\"n\":{\"N\":1}}", NULL},
    {"{\"n\":{}}", NULL},
    {"[]", NULL},
};

static void
and_back(void)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1 << 20);
	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		int rc;

		ryde_buf_clear(&b);
		rc = ryde_attribute_get_item(&b, ryde_view_of(back[i].attributes), &err);
		CHECK((rc == 0) == (back[i].item != NULL), "row %zu: %s", i, err.msg);
		if (rc == 0)
			CHECK(strcmp(ryde_buf_str(&b), back[i].item) == 0, "row %zu: %s",
			    i, ryde_buf_str(&b));
	}
	ryde_buf_free(&b);
}

static void
texts(void)
{
	char kind;
	struct ryde_view v = ryde_attribute_text(ryde_view_of("{\"S\":\"x\"}"), &kind);

	CHECK(kind == 'S' && ryde_view_is(v, "x"), "a string's text");
	v = ryde_attribute_text(ryde_view_of("{\"N\":\"1.5\"}"), &kind);
	CHECK(kind == 'N' && ryde_view_is(v, "1.5"), "a number's text");
	v = ryde_attribute_text(ryde_view_of("{\"BOOL\":true}"), &kind);
	CHECK(kind == 0 && v.n == 0, "no text");
}

int
main(void)
{
	table();
	limits();
	and_back();
	texts();
	return check_end("aws_attribute");
}
