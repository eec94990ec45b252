/* What paths tell, and what conditions leave out. Source: engine/query_partition.h,
 * query_filter.h. */
#include "base/buf.h"
#include "check.h"
#include "engine/query_filter.h"
#include "engine/query_partition.h"
#include "engine/query_source.h"

#include <sqlite3.h>

static const struct {
	const char *path, *hour; /* NULL: none */
} hours[] = {
    {"a/2026/11/23/14/x", "2026-11-23-14"},
    {"2026/11/23/14/x", "2026-11-23-14"},
    {"2026/11/23/2027/01/02/03/x", "2027-01-02-03"},
    {"2026/11/23/14", NULL},
    {"2026/13/23/14/x", NULL},
    {"2026/11/23/24/x", NULL},
    {"2026/1/23/14/x", NULL},
    {"12026/11/23/14/x", NULL},
    {"x", NULL},
    {"", NULL},
};

static void
test_hours(void)
{
	struct ryde_view parts[RYDE_QUERY_HOUR_PARTS];
	char got[64];

	for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		bool found =
		    ryde_query_partition_hour(ryde_view_of(hours[i].path), parts);

		CHECK(found == (hours[i].hour != NULL), "%s", hours[i].path);
		if (!found)
			continue;
		(void)snprintf(got, sizeof(got), "%.*s-%.*s-%.*s-%.*s", (int)parts[0].n,
		    parts[0].p, (int)parts[1].n, parts[1].p, (int)parts[2].n, parts[2].p,
		    (int)parts[3].n, parts[3].p);
		CHECK(strcmp(got, hours[i].hour) == 0, "%s", got);
	}
}

static void
test_keys(void)
{
	struct ryde_view path = ryde_view_of("a=1/x/=2/b=/c%3D=%2f%zz/d=4"), key, value;
	struct ryde_buf b;

	ryde_buf_init(&b, 100);
	while (ryde_query_partition_next(&path, &key, &value)) {
		ryde_query_partition_decode(&b, key);
		ryde_buf_putc(&b, ':');
		ryde_query_partition_decode(&b, value);
		ryde_buf_putc(&b, ' ');
	}
	CHECK(strcmp(ryde_buf_str(&b), "a:1 b: c=:/%zz ") == 0, "%s", ryde_buf_str(&b));
	ryde_buf_free(&b);
}

/* kind, the column's text, op, a number or a text: whether it is let through. */
#define EQ SQLITE_INDEX_CONSTRAINT_EQ
#define LT SQLITE_INDEX_CONSTRAINT_LT
#define GE SQLITE_INDEX_CONSTRAINT_GE
static const struct {
	enum ryde_query_extra_kind kind;
	const char *text;
	int op;
	double number;
	const char *word; /* NULL: the number */
	bool let;
} filters[] = {
    {RYDE_QUERY_EXTRA_TEXT, "2026-11-23T14", LT, 0, "2026-11-23T15", true},
    {RYDE_QUERY_EXTRA_TEXT, "2026-11-23T14", GE, 0, "2026-11-23T15", false},
    {RYDE_QUERY_EXTRA_TEXT, "2026", EQ, 2026, NULL, true},
    {RYDE_QUERY_EXTRA_INTEGER, "09", EQ, 9, NULL, true},
    {RYDE_QUERY_EXTRA_INTEGER, "09", LT, 9, NULL, false},
    {RYDE_QUERY_EXTRA_INTEGER, "09", LT, 9.5, NULL, true},
    {RYDE_QUERY_EXTRA_EITHER, "x", EQ, 0, "x", true},
    {RYDE_QUERY_EXTRA_EITHER, "x", EQ, 0, "y", false},
    {RYDE_QUERY_EXTRA_EITHER, "x", LT, 1e9, NULL, false},
    {RYDE_QUERY_EXTRA_EITHER, "7", GE, 0, "x", false},
    {RYDE_QUERY_EXTRA_EITHER, "1e1", EQ, 11, NULL, true},
    {RYDE_QUERY_EXTRA_EITHER, "7", EQ, 0, " 7", true},
};

static void
test_filters(void)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct ryde_query_test t = {.extra = 1,
		    .op = filters[i].op,
		    .is_number = filters[i].word == NULL,
		    .is_text = filters[i].word != NULL,
		    .number = filters[i].number,
		    .text = ryde_view_of(filters[i].word)};
		struct ryde_query_filter f = {&t, 1};
		struct ryde_query_extra extra = {"e", 0};

		extra.kind = filters[i].kind;
		CHECK(ryde_query_filter_lets(
			  &f, 1, &extra, ryde_view_of(filters[i].text)) == filters[i].let,
		    "filter %zu", i);
		CHECK(ryde_query_filter_lets(&f, 0, &extra, ryde_view_of("other")),
		    "another column");
	}
}

int
main(void)
{
	test_hours();
	test_keys();
	test_filters();
	return check_end("engine_query_partition");
}
