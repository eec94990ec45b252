/* Event patterns. Source: "Filter rule syntax" of Lambda's event filtering and
 * EventBridge's comparison operators, in the developer guides. */
#include "base/err.h"
#include "check.h"
#include "json/pattern.h"

#include <stdlib.h>

static const struct {
	const char *pattern, *data;
	bool matches;
} rows[] = {
    /* the guide's own examples */
    {"{\"data\":{\"tire_pressure\":[{\"numeric\":[\"<\",32]}]}}",
	"{\"partitionKey\":\"1\",\"data\":{\"tire_pressure\":31.9}}", true},
    {"{\"data\":{\"tire_pressure\":[{\"numeric\":[\"<\",32]}]}}",
	"{\"partitionKey\":\"1\",\"data\":{\"tire_pressure\":32}}", false},
    {"{\"UserID\":[null]}", "{\"UserID\":null}", true},
    {"{\"UserID\":[null]}", "{}", false},
    {"{\"LastName\":[\"\"]}", "{\"LastName\":\"\"}", true},
    {"{\"LastName\":[\"\"]}", "{\"LastName\":\"x\"}", false},
    {"{\"Name\":[\"Alice\"]}", "{\"Name\":\"Alice\"}", true},
    {"{\"Name\":[\"Alice\"]}", "{\"Name\":\"alice\"}", false},
    {"{\"Name\":[{\"equals-ignore-case\":\"alice\"}]}", "{\"Name\":\"ALICE\"}", true},
    {"{\"Name\":[{\"equals-ignore-case\":\"alice\"}]}", "{\"Name\":\"ALICES\"}", false},
    {"{\"Location\":[\"New York\"],\"Day\":[\"Monday\"]}",
	"{\"Day\":\"Monday\",\"Location\":\"New York\"}", true},
    {"{\"Location\":[\"New York\"],\"Day\":[\"Monday\"]}", "{\"Day\":\"Monday\"}", false},
    {"{\"PaymentType\":[\"Credit\",\"Debit\"]}", "{\"PaymentType\":\"Debit\"}", true},
    {"{\"$or\":[{\"Location\":[\"New York\"]},{\"Day\":[\"Monday\"]}]}",
	"{\"Day\":\"Monday\",\"Location\":\"x\"}", true},
    {"{\"$or\":[{\"Location\":[\"New York\"]},{\"Day\":[\"Monday\"]}]}",
	"{\"Day\":\"Sunday\",\"Location\":\"x\"}", false},
    {"{\"a\":[1],\"$or\":[{\"b\":[1]},{\"c\":[1]}]}", "{\"a\":1,\"c\":1}", true},
    {"{\"a\":[1],\"$or\":[{\"b\":[1]},{\"c\":[1]}]}", "{\"a\":2,\"c\":1}", false},
    {"{\"x\":{\"$or\":[{\"b\":[1]},{\"c\":[1]}]}}", "{\"x\":{\"c\":1}}", true},
    {"{\"Weather\":[{\"anything-but\":[\"Raining\"]}]}", "{\"Weather\":\"Sunny\"}", true},
    {"{\"Weather\":[{\"anything-but\":[\"Raining\"]}]}", "{\"Weather\":\"Raining\"}",
	false},
    {"{\"Weather\":[{\"anything-but\":[\"Raining\"]}]}", "{}", false},
    {"{\"Weather\":[{\"anything-but\":\"Raining\"}]}", "{\"Weather\":null}", true},
    {"{\"n\":[{\"anything-but\":[1,2]}]}", "{\"n\":2}", false},
    {"{\"n\":[{\"anything-but\":{\"prefix\":\"ab\"}}]}", "{\"n\":\"abc\"}", false},
    {"{\"n\":[{\"anything-but\":{\"suffix\":\"bc\"}}]}", "{\"n\":\"abd\"}", true},
    {"{\"Price\":[{\"numeric\":[\"=\",100]}]}", "{\"Price\":1e2}", true},
    {"{\"Price\":[{\"numeric\":[\">\",10,\"<=\",20]}]}", "{\"Price\":20}", true},
    {"{\"Price\":[{\"numeric\":[\">\",10,\"<=\",20]}]}",
	"{\"Price\":20.000000000000000001}", false},
    {"{\"Price\":[{\"numeric\":[\">=\",-5]}]}", "{\"Price\":-5.0}", true},
    {"{\"Price\":[{\"numeric\":[\"<\",10]}]}", "{\"Price\":\"5\"}", false},
    {"{\"id\":[{\"numeric\":[\">\",9007199254740992]}]}", "{\"id\":9007199254740993}",
	true},
    {"{\"n\":[300]}", "{\"n\":300}", true},
    {"{\"n\":[300]}", "{\"n\":300.0}", false},
    {"{\"n\":[300]}", "{\"n\":3.0e2}", false},
    {"{\"n\":[300]}", "{\"n\":\"300\"}", false},
    {"{\"ProductName\":[{\"exists\":true}]}", "{\"ProductName\":null}", true},
    {"{\"ProductName\":[{\"exists\":true}]}", "{}", false},
    {"{\"ProductName\":[{\"exists\":false}]}", "{}", true},
    {"{\"ProductName\":[{\"exists\":false}]}", "{\"ProductName\":0}", false},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":{\"b\":1}}", false}, /* leaves only */
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{}", true},
    {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":1}", true},
    {"{\"a\":[{\"exists\":true}]}", "{\"a\":[]}", false},
    {"{\"Region\":[{\"prefix\":\"us-\"}]}", "{\"Region\":\"us-east-1\"}", true},
    {"{\"Region\":[{\"prefix\":\"us-\"}]}", "{\"Region\":\"us\"}", false},
    {"{\"FileName\":[{\"suffix\":\".png\"}]}", "{\"FileName\":\"x.png\"}", true},
    {"{\"FileName\":[{\"suffix\":\".png\"}]}", "{\"FileName\":\"x.png \"}", false},
    /* arrays in the data, repeated and escaped keys, kinds */
    {"{\"a\":[2]}", "{\"a\":[1,2,3]}", true},
    {"{\"a\":[2]}", "{\"a\":[1,[2]]}", true},
    {"{\"a\":[4]}", "{\"a\":[1,2,3]}", false},
    {"{\"a\":{\"b\":[2]}}", "{\"a\":[{\"b\":1},{\"b\":2}]}", true},
    {"{\"a\":[1],\"a\":[2]}", "{\"a\":2}", true},
    {"{\"a\":[1],\"a\":[2]}", "{\"a\":1}", false},
    {"{\"a\":[1]}", "{\"a\":1,\"a\":2}", false},
    {"{\"a\":[\"\\u00e9\"]}", "{\"\\u0061\":\"\xc3\xa9\"}", true},
    {"{\"a\":[{\"prefix\":\"\\n\"}]}", "{\"a\":\"\\nx\"}", true},
    {"{\"a\":[true]}", "{\"a\":true}", true},
    {"{\"a\":[true]}", "{\"a\":false}", false},
    {"{\"a\":[true]}", "{\"a\":\"true\"}", false},
    {"{\"a\":[1]}", "7", false},
    {"{\"a\":[1]}", "[{\"a\":1}]", false},
};

static const struct {
	const char *pattern, *error;
} bad[] = {
    {"", "invalid filter pattern definition"},
    {"[]", "no object"},
    {"{}", "an empty object"},
    {"{\"a\":{}}", "an empty object"},
    {"{\"a\":1}", "a value must be in a list"},
    {"{\"a\":\"x\"}", "a value must be in a list"},
    {"{\"a\":[]}", "an empty list"},
    {"{\"a\":[[1]]}", "a list inside"},
    {"{\"a\":[{}]}", "without operator"},
    {"{\"a\":[{\"prefix\":\"a\",\"suffix\":\"b\"}]}", "several operators"},
    {"{\"a\":[{\"prefix\":1}]}", "takes a string"},
    {"{\"a\":[{\"wildcard\":\"a*\"}]}", "no operator that Lambda has"},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "no operator that Lambda has"},
    {"{\"a\":[{\"exists\":1}]}", "exists takes"},
    {"{\"a\":[{\"numeric\":[\">\"]}]}", "one or two pairs"},
    {"{\"a\":[{\"numeric\":[\">\",\"1\"]}]}", "one or two pairs"},
    {"{\"a\":[{\"numeric\":[\"!=\",1]}]}", "no operator of numeric"},
    {"{\"a\":[{\"numeric\":5}]}", "numeric takes a list"},
    {"{\"a\":[{\"numeric\":[]}]}", "one or two pairs"},
    {"{\"a\":[{\"numeric\":[\">\",1,\"<\",2,\"=\",3]}]}", "one or two pairs"},
    {"{\"a\":[{\"anything-but\":[]}]}", "an empty list"},
    {"{\"a\":[{\"anything-but\":{\"exists\":true}}]}", "inside anything-but"},
    {"{\"$or\":{\"a\":[1]}}", "$or takes"},
    {"{\"$or\":[]}", "$or takes"},
    {"{\"$or\":[1]}", "$or takes"},
    {"{\"a\":[1]} x", "invalid filter pattern definition"},
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_json_pattern *p =
		    ryde_json_pattern_new(ryde_view_of(rows[i].pattern), &err);

		CHECK(p != NULL, "row %zu: %s", i, err.msg);
		if (p != NULL)
			CHECK(ryde_json_pattern_matches(p, ryde_view_of(rows[i].data)) ==
				  rows[i].matches,
			    "row %zu: %s on %s", i, rows[i].pattern, rows[i].data);
		ryde_json_pattern_free(p);
	}
}

static void
test_bad(void)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_json_pattern *p =
		    ryde_json_pattern_new(ryde_view_of(bad[i].pattern), &err);

		CHECK(p == NULL && err.code == RYDE_ECONFIG, "row %zu", i);
		CHECK(strstr(err.msg, bad[i].error) != NULL, "row %zu: %s", i, err.msg);
		ryde_json_pattern_free(p);
	}
}

static void
test_names(void)
{
	static const struct {
		const char *pattern;
		bool names, object;
	} cases[] = {{"{\"data\":{\"a\":[1]}}", true, true},
	    {"{\"data\":[1]}", true, false}, {"{\"a\":{\"data\":[1]}}", false, true},
	    {"{\"$or\":[{\"a\":[1]},{\"data\":{\"b\":[1]}}]}", true, true},
	    {"{\"data\":{\"a\":[1]},\"$or\":[{\"data\":[1]}]}", true, false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ryde_json_pattern *p =
		    ryde_json_pattern_new(ryde_view_of(cases[i].pattern), NULL);
		bool object = false;

		CHECK(p != NULL, "row %zu", i);
		CHECK(ryde_json_pattern_names(p, "data", &object) == cases[i].names,
		    "row %zu", i);
		CHECK(object == cases[i].object, "row %zu", i);
		ryde_json_pattern_free(p);
	}
}

static void
test_deep(void)
{
	char text[2000] = "";
	size_t n = 0;

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "{\"a\":");
	n += (size_t)snprintf(text + n, sizeof text - n, "[1]");
	for (int i = 0; i < 100; i++)
		text[n++] = '}';
	CHECK(ryde_json_pattern_new(ryde_view_mem(text, n), NULL) == NULL, " ");
}

int
main(void)
{
	test_rows();
	test_bad();
	test_names();
	test_deep();
	return check_end("json_pattern");
}
