/* The first member of an object, whatever stands behind it. Source: json/member.h. */
#include "json/member.h"

#include "check.h"
#include "json/scan.h"

static const struct {
	const char *text, *key;
	enum ryde_json_kind kind; /* ABSENT: not found */
	const char *value;
} cases[] = {
    {"{\"Name\":\"Shadowfax\",\"Distance\":30}", "Name", RYDE_JSON_STRING, "Shadowfax"},
    {"{\"Distance\":30.2,\"Name\":\"Shadowfax\"}", "Name", RYDE_JSON_STRING, "Shadowfax"},
    {" { \"a\" : [1,{\"Name\":2}] , \"Name\" : 7 } ", "Name", RYDE_JSON_NUMBER, "7"},
    {"{\"Name\":null}", "Name", RYDE_JSON_NULL, "null"},
    {"{\"Name\":{\"x\":[1]}}", "Name", RYDE_JSON_OBJECT, "{\"x\":[1]}"},
    {"{\"Name\":[]}", "Name", RYDE_JSON_ARRAY, "[]"},
    {"{\"Name\":\"a\\\"b\"}", "Name", RYDE_JSON_STRING, "a\\\"b"},
    {"{\"\":\"x\"}", "", RYDE_JSON_STRING, "x"},
    /* the first one counts, and nothing behind it is read */
    {"{\"Name\":1,\"Name\":2}", "Name", RYDE_JSON_NUMBER, "1"},
    {"{\"Name\":1 and then rubbish", "Name", RYDE_JSON_NUMBER, "1"},
    {"{\"name\":1}", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"Names\":1}", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"a\":{\"Name\":1}}", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"a\":\"Name\"}", "Name", RYDE_JSON_ABSENT, ""},
    {"{}", "Name", RYDE_JSON_ABSENT, ""},
    {"[\"Name\",1]", "Name", RYDE_JSON_ABSENT, ""},
    {"\"Name\"", "Name", RYDE_JSON_ABSENT, ""},
    {"", "Name", RYDE_JSON_ABSENT, ""},
    {"  ", "Name", RYDE_JSON_ABSENT, ""},
    {"{", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"Name\"", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"Name\":", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"Name\":\"un", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"Name\":1", "Name", RYDE_JSON_NUMBER, "1"},
    {"{\"a\":1,", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"a\":tru,\"Name\":1}", "Name", RYDE_JSON_ABSENT, ""},
    {"{\"a\":1 \"Name\":1}", "Name", RYDE_JSON_ABSENT, ""},
    {"{,\"Name\":1}", "Name", RYDE_JSON_ABSENT, ""},
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_json_value v = {0};
		bool found = ryde_json_member(
		    ryde_view_of(cases[i].text), ryde_view_of(cases[i].key), &v);

		CHECK(found == (cases[i].kind != RYDE_JSON_ABSENT), "%s", cases[i].text);
		if (found)
			CHECK(v.kind == cases[i].kind &&
				  ryde_view_is(v.text, cases[i].value),
			    "%s: %.*s", cases[i].text, (int)v.text.n, v.text.p);
	}
	return check_end("json_member");
}
