/* Paths: which texts are paths, what they are called, and where a text stops being one.
 */
#include "base/err.h"
#include "json/path.h"

#include "check.h"

/* jq 1.6's manual, "Basic filters", as far as path.h promises; NULL is no path. */
static const struct {
	const char *path, *leaf;
	const char *complaint; /* part of the message */
} paths[] = {
    {".", "", NULL},
    {" . ", "", NULL},
    {".Name", "Name", NULL},
    {"._a9", "_a9", NULL},
    {".a.b[0]", "", NULL},
    {".a.Name", "Name", NULL},
    {".[0]", "", NULL},
    {".[0].x", "x", NULL},
    {".\"odd key\"", "odd key", NULL},
    {".[\"odd key\"]", "odd key", NULL},
    {".a[\"b\"].c", "c", NULL},
    {".a.[\"b\"]", "b", NULL},
    {".\"\\u00e9\\\"]\"", "\xc3\xa9\"]", NULL},
    {".\"\"", "", NULL},
    {"", NULL, "no dot at character 1"},
    {"Name", NULL, "no dot at character 1"},
    {"..", NULL, "no key at character 2"},
    {".a.", NULL, "no key at character 4"},
    {".a b", NULL, "no dot and no bracket at character 3"},
    {".my-key", NULL, "no dot and no bracket at character 4"},
    {".9a", NULL, "no key at character 2"},
    {".a[-1]", NULL, "no index and no quoted key at character 4"},
    {".a[]", NULL, "no index and no quoted key at character 4"},
    {".a[1", NULL, "no closing bracket at character 5"},
    {".a[1:2]", NULL, "no closing bracket at character 5"},
    {".a[99999999999]", NULL, "no index and no quoted key at character 4"},
    {".[\"a\"", NULL, "no closing bracket at character 6"},
    {".\"a", NULL, "unfinished string at character 2"},
    {".\"a\\", NULL, "unfinished string at character 2"},
    {".\"\\(1)\"", NULL, "bad escape in a string at character 3"},
    {".\"\xff\"", NULL, "not UTF-8 at character 3"},
    {".\"\\u0000\"", NULL, "a key with a NUL at character 2"},
    {".a?", NULL, "no dot and no bracket at character 3"},
    {".a | .b", NULL, "no dot and no bracket at character 3"},
};

static void
test_forms(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct ryde_json_paths *set = ryde_json_paths_new();
		struct ryde_err err = RYDE_ERR_INIT;
		size_t index = 99;
		int result = ryde_json_paths_add(set, paths[i].path, &index, &err);

		CHECK(result == (paths[i].leaf != NULL ? 0 : -1), "%s", paths[i].path);
		if (result == 0 && paths[i].leaf != NULL) {
			CHECK(index == 0 && ryde_json_paths_count(set) == 1);
			CHECK(strcmp(ryde_json_paths_leaf(set, 0), paths[i].leaf) == 0,
			    "%s", paths[i].path);
		} else if (paths[i].complaint != NULL) {
			CHECK(err.code == RYDE_EUSAGE);
			CHECK(strstr(err.msg, paths[i].complaint) != NULL, "%s", err.msg);
			CHECK(ryde_json_paths_count(set) == 0);
		}
		ryde_json_paths_free(set);
	}
}

static void
test_set(void)
{
	struct ryde_json_paths *set = ryde_json_paths_new();
	struct ryde_err err = RYDE_ERR_INIT;
	size_t a = 9, b = 9, c = 9;
	char deep[3 * 65 + 1];

	CHECK(ryde_json_paths_add(set, ".a.b", &a, &err) == 0 && a == 0);
	CHECK(ryde_json_paths_add(set, ".a", &b, &err) == 0 && b == 1);
	CHECK(ryde_json_paths_add(set, ".[\"a\"].b", &c, &err) == 0 && c == 0);
	CHECK(ryde_json_paths_count(set) == 2);
	CHECK(strcmp(ryde_json_paths_text(set, 0), ".a.b") == 0);
	CHECK(strcmp(ryde_json_paths_text(set, 1), ".a") == 0);
	for (size_t i = 0; i < 65; i++)
		memcpy(deep + 3 * i, "[0]", 4);
	deep[0] = '.';
	CHECK(ryde_json_paths_add(set, deep, &c, &err) == -1);
	ryde_json_paths_free(set);
	ryde_json_paths_free(NULL);

	set = ryde_json_paths_new();
	CHECK(ryde_json_paths_add_chain(set, ".a[3].c", &err) == 0);
	CHECK(ryde_json_paths_count(set) == 4);
	CHECK(strcmp(ryde_json_paths_text(set, 0), ".") == 0);
	CHECK(strcmp(ryde_json_paths_text(set, 1), ".a") == 0);
	CHECK(strcmp(ryde_json_paths_text(set, 2), ".a[3]") == 0);
	CHECK(strcmp(ryde_json_paths_text(set, 3), ".a[3].c") == 0);
	CHECK(ryde_json_paths_is_index(set, 2) && !ryde_json_paths_is_index(set, 3));
	CHECK(!ryde_json_paths_is_index(set, 0));
	ryde_json_paths_free(set);
}

int
main(void)
{
	test_forms();
	test_set();
	return check_end("json_path");
}
