/* Tables of the embedded store. Source: store/table.h; aws-facts 5 (which keys DynamoDB
 * takes for one). */
#include "base/buf.h"
#include "base/err.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/name.h"
#include "store/table.h"

static struct ryde_store_settings settings;

static const struct {
	const char *item, *key, *sort; /* key NULL: refused */
} items[] = {
    {"{\"Name\":\"Shadowfax\",\"T\":\"2026\"}", "SShadowfax", "S2026"},
    {"{\"T\":1,\"Name\":\"a\"}", "Sa", "N1"},
    {"{\"T\":1.0,\"Name\":\"a\"}", "Sa", "N1"},
    {"{\"T\":1e0,\"Name\":\"a\"}", "Sa", "N1"},
    {"{\"T\":-0,\"Name\":1e3}", "N1000", "N0"},
    {"{\"T\":\"1\",\"Name\":\"\\u0041\"}", "SA", "S1"},
    {"{\"Name\":\"a\"}", NULL, NULL},
    {"{\"Name\":\"\",\"T\":1}", NULL, NULL},
    {"{\"Name\":\"a\",\"T\":\"\"}", NULL, NULL},
    {"{\"Name\":null,\"T\":1}", NULL, NULL},
    {"{\"Name\":[1],\"T\":1}", NULL, NULL},
    {"{\"Name\":\"a\",\"T\":true}", NULL, NULL},
    {"[1]", NULL, NULL},
    {"\"x\"", NULL, NULL},
    {"{\"Name\":\"a\",\"T\":1", NULL, NULL},
    {"", NULL, NULL},
};

static void
test_keys(struct ryde_table *t)
{
	struct ryde_buf key, sort;

	ryde_buf_init(&key, 1000);
	ryde_buf_init(&sort, 1000);
	for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		int rc;

		ryde_buf_clear(&key);
		ryde_buf_clear(&sort);
		ryde_buf_puts(&key, "before");
		rc = ryde_table_keys(t, ryde_view_of(items[i].item), &key, &sort, &err);
		CHECK((rc == 0) == (items[i].key != NULL), "row %zu: %s", i, err.msg);
		if (items[i].key != NULL) {
			CHECK(strcmp(ryde_buf_str(&key) + 6, items[i].key) == 0,
			    "row %zu: %s", i, ryde_buf_str(&key));
			CHECK(strcmp(ryde_buf_str(&sort), items[i].sort) == 0, "row %zu",
			    i);
		} else {
			CHECK(err.code == RYDE_EDATA && key.n == 6 && sort.n == 0,
			    "row %zu", i);
		}
	}
	ryde_buf_free(&key);
	ryde_buf_free(&sort);
}

static int
put(struct ryde_table *t, const char *text, struct ryde_err *err)
{
	struct ryde_buf key, sort;
	struct ryde_table_item item = {.data = ryde_view_of(text)};
	int rc;

	ryde_buf_init(&key, 1000);
	ryde_buf_init(&sort, 1000);
	rc = ryde_table_keys(t, item.data, &key, &sort, err);
	item.key = ryde_buf_as_view(&key);
	item.sort = ryde_buf_as_view(&sort);
	if (rc == 0)
		rc = ryde_table_write(t, &item, 1, err);
	ryde_buf_free(&key);
	ryde_buf_free(&sort);
	return rc;
}

/* Appends up to `most` items, a line each, and returns how many there were. */
static int
gather(struct ryde_table *t, int most, struct ryde_buf *b)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_table_cursor *c = ryde_table_cursor_new(t, &err);
	struct ryde_view item;
	int n = 0, rc = 0;

	CHECK(c != NULL, "%s", err.msg);
	while (
	    c != NULL && n < most && (rc = ryde_table_cursor_next(c, &item, &err)) == 1) {
		ryde_buf_view(b, item);
		ryde_buf_putc(b, '\n');
		n++;
	}
	CHECK(rc >= 0, "%s", err.msg);
	ryde_table_cursor_free(c);
	return n;
}

static void
test_items(struct ryde_table *t)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;
	int64_t n = -1;

	ryde_buf_init(&b, 10000);
	CHECK(put(t, "{\"Name\":\"b\",\"T\":1.0,\"x\":1}", &err) == 0, "%s", err.msg);
	CHECK(put(t, "{\"Name\":\"b\",\"T\":1,\"x\":2.50}", &err) == 0, "%s", err.msg);
	CHECK(put(t, "{\"Name\":\"a\",\"T\":1}", &err) == 0, "%s", err.msg);
	CHECK(ryde_table_count(t, &n, &err) == 0 && n == 2, "%lld", (long long)n);
	CHECK(gather(t, 10, &b) == 2, "two");
	CHECK(strcmp(ryde_buf_str(&b),
		  "{\"Name\":\"a\",\"T\":1}\n{\"Name\":\"b\",\"T\":1,\"x\":2.50}\n") == 0,
	    "%s", ryde_buf_str(&b));
	ryde_buf_clear(&b);
	CHECK(gather(t, 1, &b) == 1, "one");
	CHECK(strcmp(ryde_buf_str(&b), "{\"Name\":\"a\",\"T\":1}\n") == 0, "%s",
	    ryde_buf_str(&b));
	ryde_buf_free(&b);
}

/* More items than a scan copies at once, written in one transaction. */
static void
test_many(void)
{
	static struct ryde_table_item many[3500];
	static char texts[3500][32];
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_table *t;
	struct ryde_buf b;

	CHECK(ryde_catalog_create_table(&settings, "many", "k", NULL, &err) == 0);
	t = ryde_table_open(&settings, "many", &err);
	CHECK(t != NULL && ryde_table_sort(t) == NULL);
	if (t == NULL)
		return;
	for (int i = 0; i < 3500; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "S%d", i);
		many[i].key = many[i].data = ryde_view_of(texts[i]);
	}
	CHECK(ryde_table_write(t, many, 3500, &err) == 0, "%s", err.msg);
	ryde_buf_init(&b, 100000);
	CHECK(gather(t, 4000, &b) == 3500);
	ryde_buf_free(&b);
	ryde_table_close(t);
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_table *t;

	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	CHECK(ryde_table_open(&settings, "sensors", &err) == NULL &&
	      err.code == RYDE_ENOINPUT && strstr(err.msg, "ryde-admin create table"));
	CHECK(ryde_catalog_create_table(&settings, "sensors", "Name", "T", &err) == 0,
	    "%s", err.msg);
	CHECK(ryde_catalog_create_table(&settings, "sensors", "Name", "T", &err) == 0);
	CHECK(ryde_catalog_create_table(&settings, "sensors", "Name", NULL, &err) != 0 &&
	      err.code == RYDE_ECANTCREAT);
	t = ryde_table_open(&settings, "sensors", &err);
	if (t == NULL) {
		printf("%s\n", err.msg);
		return 1;
	}
	CHECK(strcmp(ryde_table_key(t), "Name") == 0 &&
	      strcmp(ryde_table_sort(t), "T") == 0);
	test_keys(t);
	test_items(t);
	test_many();
	CHECK(ryde_catalog_delete(&settings, RYDE_CATALOG_TABLE, "sensors", &err) == 0);
	CHECK(put(t, "{\"Name\":\"a\",\"T\":1}", &err) != 0 && err.code == RYDE_ENOINPUT);
	ryde_table_close(t);
	scratch_end();
	return check_end("local_table");
}
