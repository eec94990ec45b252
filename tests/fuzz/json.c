/*
 * Fuzz target for the scanner and the strings: faults of memory, and promises that must
 * hold for any bytes. find and check agree; what find gives lies in the text and is
 * itself JSON; a walk sees the members that find sees; decoding and writing a string
 * again loses nothing.
 */
#include "base/buf.h"
#include "base/err.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const char *const paths_text[] = {".", ".a", ".Name", ".Distance", ".a.b",
    ".a.b[0]", ".a[1].b", ".[0]", ".[2][1]", ".\"\"", ".\"a\\\"b\"", ".data",
    ".data.Name", ".a_key_of_more_than_16_bytes"};
#define N_PATHS (sizeof(paths_text) / sizeof(paths_text[0]))

static struct ryde_json_paths *
paths(void)
{
	static struct ryde_json_paths *set;
	struct ryde_err err = RYDE_ERR_INIT;

	if (set != NULL)
		return set;
	set = ryde_json_paths_new();
	MUST(set != NULL);
	for (size_t i = 0; i < N_PATHS; i++)
		MUST(ryde_json_paths_add(set, paths_text[i], NULL, &err) == 0);
	return set;
}

/* The value as it lies in the text, with the quotes of a string. */
static struct ryde_view
whole(const struct ryde_json_value *v)
{
	if (v->kind == RYDE_JSON_STRING)
		return ryde_view_mem(v->text.p - 1, v->text.n + 2);
	return v->text;
}

static void
try_string(const struct ryde_json_value *v)
{
	struct ryde_buf bytes, text, again;
	struct ryde_json_fault fault;
	enum ryde_json_kind kind;

	ryde_buf_init(&bytes, 1 << 26);
	ryde_buf_init(&text, 1 << 26);
	ryde_buf_init(&again, 1 << 26);
	ryde_json_string_decode(&bytes, v->text);
	MUST(v->escaped || ryde_view_eq(ryde_buf_as_view(&bytes), v->text));
	MUST(ryde_json_string_utf8(ryde_buf_as_view(&bytes)));
	ryde_json_string_put(&text, ryde_buf_as_view(&bytes));
	MUST(ryde_json_check(ryde_buf_as_view(&text), &kind, &fault) == 0);
	MUST(kind == RYDE_JSON_STRING);
	ryde_json_string_decode(&again, ryde_view_mem(text.p + 1, text.n - 2));
	MUST(ryde_view_eq(ryde_buf_as_view(&again), ryde_buf_as_view(&bytes)));
	ryde_buf_free(&bytes);
	ryde_buf_free(&text);
	ryde_buf_free(&again);
}

static void
try_values(struct ryde_view text, const struct ryde_json_value *values)
{
	struct ryde_json_fault fault;
	struct ryde_json_value key, value, last = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_walk walk;
	enum ryde_json_kind kind;
	struct ryde_view v;

	for (size_t i = 0; i < N_PATHS; i++) {
		if (values[i].kind == RYDE_JSON_ABSENT)
			continue;
		v = whole(&values[i]);
		MUST(v.p >= text.p && v.p + v.n <= text.p + text.n);
		MUST(ryde_json_check(v, &kind, &fault) == 0 && kind == values[i].kind);
		if (kind == RYDE_JSON_STRING)
			try_string(&values[i]);
	}
	if (!ryde_json_walk_begin(&walk, text))
		return;
	while (ryde_json_walk_next(&walk, &key, &value)) {
		MUST(value.kind != RYDE_JSON_ABSENT);
		if (key.kind != RYDE_JSON_STRING)
			continue;
		try_string(&key);
		if (!key.escaped && ryde_view_is(key.text, "Name"))
			last = value;
		else if (key.escaped)
			last = values[2]; /* it may mean the same key */
	}
	MUST(last.kind == values[2].kind && last.text.p == values[2].text.p);
}

static void
try_base64(struct ryde_view v)
{
	struct ryde_buf text, bytes;
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_buf_init(&text, 1 << 26);
	ryde_buf_init(&bytes, 1 << 26);
	ryde_json_string_base64_put(&text, v);
	MUST(ryde_json_string_base64_decode(&bytes, ryde_buf_as_view(&text), &err) == 0);
	MUST(ryde_view_eq(ryde_buf_as_view(&bytes), v));
	ryde_buf_clear(&text);
	ryde_buf_clear(&bytes);
	if (ryde_json_string_base64_decode(&bytes, v, &err) == 0) {
		ryde_json_string_base64_put(&text, ryde_buf_as_view(&bytes));
		MUST(ryde_view_eq(ryde_buf_as_view(&text), v));
	}
	ryde_buf_free(&text);
	ryde_buf_free(&bytes);
}

/* The text as a path: only that nothing breaks, and that a path added twice keeps its
 * number. */
static void
try_path(struct ryde_view v)
{
	struct ryde_json_paths *set = ryde_json_paths_new();
	struct ryde_buf text;
	struct ryde_err err = RYDE_ERR_INIT;
	size_t one, two;

	ryde_buf_init(&text, 1 << 26);
	ryde_buf_view(&text, v);
	MUST(set != NULL);
	if (ryde_json_paths_add(set, ryde_buf_str(&text), &one, &err) == 0) {
		MUST(ryde_json_paths_add(
			 set, ryde_json_paths_text(set, one), &two, &err) == 0);
		MUST(one == two);
	}
	ryde_buf_free(&text);
	ryde_json_paths_free(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view text = ryde_view_mem((const char *)data, size);
	struct ryde_json_value values[N_PATHS];
	struct ryde_json_fault fault = {NULL, 0}, same = {NULL, 0};
	enum ryde_json_kind top;
	int good = ryde_json_check(text, &top, &fault);

	MUST(ryde_json_find(text, paths(), values, &same) == good);
	if (good == 0) {
		MUST(values[0].kind == top);
		try_values(text, values);
	} else {
		MUST(fault.at <= size && fault.at == same.at &&
		     strcmp(fault.what, same.what) == 0);
	}
	try_base64(text);
	try_path(text);
	return 0;
}
