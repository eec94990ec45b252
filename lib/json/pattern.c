#include "json/pattern.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/decimal.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

enum test_kind {
	TEST_KIND,   /* null, true, false */
	TEST_NUMBER, /* its text */
	TEST_STRING,
	TEST_IGNORE_CASE,
	TEST_PREFIX,
	TEST_SUFFIX,
	TEST_NUMERIC,
	TEST_EXISTS,
	TEST_NONE_OF, /* anything-but */
};

enum relation {
	RELATION_NONE,
	RELATION_EQUAL,
	RELATION_LESS,
	RELATION_AT_MOST,
	RELATION_MORE,
	RELATION_AT_LEAST,
};

struct test {
	enum test_kind kind;
	enum ryde_json_kind value; /* TEST_KIND */
	bool exists;
	char *text; /* decoded */
	size_t text_n;
	enum relation relations[2];
	struct ryde_decimal limits[2];
	struct test *tests; /* TEST_NONE_OF */
	size_t n_tests;
};

enum field_kind {
	FIELD_TESTS,
	FIELD_OBJECT,
	FIELD_OR,
};

struct field {
	enum field_kind kind;
	char *key;
	size_t key_n;
	struct test *tests;
	size_t n_tests;
	struct object *objects; /* FIELD_OBJECT: one */
	size_t n_objects;
};

struct object {
	struct field *fields;
	size_t n;
};

struct ryde_json_pattern {
	struct object root;
};

/* Freeing. */

static void
tests_free(struct test *tests, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(tests[i].text);
		ryde_decimal_free(&tests[i].limits[0]);
		ryde_decimal_free(&tests[i].limits[1]);
		tests_free(tests[i].tests, tests[i].n_tests);
	}
	free(tests);
}

static void field_free(struct field *f);

static void
object_clear(struct object *o)
{
	for (size_t i = 0; i < o->n; i++)
		field_free(&o->fields[i]);
	free(o->fields);
}

static void
field_free(struct field *f)
{
	free(f->key);
	tests_free(f->tests, f->n_tests);
	for (size_t i = 0; i < f->n_objects; i++)
		object_clear(&f->objects[i]);
	free(f->objects);
}

void
ryde_json_pattern_free(struct ryde_json_pattern *p)
{
	if (p == NULL)
		return;
	object_clear(&p->root);
	free(p);
}

/* Compiling. */

static int
wrong(struct ryde_err *err, const char *what, struct ryde_view at)
{
	return ryde_err_set(err, RYDE_ECONFIG,
	    "invalid filter pattern definition: %s: %.*s", what,
	    (int)(at.n < 80 ? at.n : 80), at.n > 0 ? at.p : "");
}

/* The plain bytes of a string, NUL-ended. */
static int
decode(const struct ryde_json_value *v, char **text, size_t *n, struct ryde_err *err)
{
	struct ryde_buf b;

	ryde_buf_init(&b, v->text.n + 1);
	ryde_json_string_decode(&b, v->text);
	*text = ryde_view_copy(ryde_buf_as_view(&b));
	*n = b.n;
	ryde_buf_free(&b);
	return *text != NULL ? 0 : ryde_err_nomem(err);
}

/* One more entry of an array of size n. */
static void *
grown(void *array, size_t n, size_t size, struct ryde_err *err)
{
	char *more = realloc(array, (n + 1) * size);

	if (more == NULL)
		ryde_err_nomem(err);
	else
		memset(more + n * size, 0, size);
	return more;
}

static enum relation
relation_of(struct ryde_view text)
{
	static const char *const names[] = {NULL, "=", "<", "<=", ">", ">="};

	for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
		if (ryde_view_is(text, names[i]))
			return (enum relation)i;
	}
	return RELATION_NONE;
}

/* [">", 0, "<=", 5] */
static int
read_numeric(struct test *t, struct ryde_view list, struct ryde_err *err)
{
	struct ryde_json_value key, op, number;
	struct ryde_json_walk w;
	int n = 0;

	t->kind = TEST_NUMERIC;
	if (!ryde_json_walk_begin(&w, list) || w.object)
		return wrong(err, "numeric takes a list", list);
	while (ryde_json_walk_next(&w, &key, &op)) {
		if (n == 2 || op.kind != RYDE_JSON_STRING ||
		    !ryde_json_walk_next(&w, &key, &number) ||
		    number.kind != RYDE_JSON_NUMBER)
			return wrong(err, "numeric takes one or two pairs", list);
		t->relations[n] = relation_of(op.text);
		if (t->relations[n] == RELATION_NONE)
			return wrong(err, "no operator of numeric", op.text);
		if (ryde_decimal_parse(&t->limits[n], number.text, err) != 0)
			return wrong(err, "no number to compare with", number.text);
		n++;
	}
	return n > 0 ? 0 : wrong(err, "numeric takes one or two pairs", list);
}

static int read_tests(struct ryde_view list, bool inside_but, struct test **tests,
    size_t *n, struct ryde_err *err);
static int read_test(const struct ryde_json_value *v, bool inside_but, struct test *t,
    struct ryde_err *err);

/* anything-but: one value, a list of them, or an operator. */
static int
read_but(struct test *t, const struct ryde_json_value *v, struct ryde_err *err)
{
	t->kind = TEST_NONE_OF;
	if (v->kind == RYDE_JSON_ARRAY)
		return read_tests(v->text, true, &t->tests, &t->n_tests, err);
	t->tests = grown(NULL, 0, sizeof *t->tests, err);
	if (t->tests == NULL)
		return -1;
	t->n_tests = 1;
	return read_test(v, true, t->tests, err);
}

/* {"prefix":"x"}: an object with one operator. */
static int
read_operator(
    struct test *t, struct ryde_view object, bool inside_but, struct ryde_err *err)
{
	static const struct {
		const char *name;
		enum test_kind kind;
	} strings[] = {{"prefix", TEST_PREFIX}, {"suffix", TEST_SUFFIX},
	    {"equals-ignore-case", TEST_IGNORE_CASE}};
	struct ryde_json_value key, v, more;
	struct ryde_json_walk w;

	if (!ryde_json_walk_begin(&w, object) || !ryde_json_walk_next(&w, &key, &v))
		return wrong(err, "an object without operator", object);
	if (ryde_json_walk_next(&w, &more, &more))
		return wrong(err, "an object with several operators", object);
	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		if (!ryde_view_is(key.text, strings[i].name))
			continue;
		t->kind = strings[i].kind;
		if (v.kind != RYDE_JSON_STRING)
			return wrong(err, "this operator takes a string", object);
		return decode(&v, &t->text, &t->text_n, err);
	}
	if (inside_but)
		return wrong(err, "not an operator inside anything-but", key.text);
	if (ryde_view_is(key.text, "exists")) {
		t->kind = TEST_EXISTS;
		t->exists = v.kind == RYDE_JSON_TRUE;
		if (v.kind != RYDE_JSON_TRUE && v.kind != RYDE_JSON_FALSE)
			return wrong(err, "exists takes true or false", object);
		return 0;
	}
	if (ryde_view_is(key.text, "numeric"))
		return read_numeric(t, v.text, err);
	if (ryde_view_is(key.text, "anything-but"))
		return read_but(t, &v, err);
	return wrong(err, "no operator that Lambda has", key.text);
}

static int
read_test(const struct ryde_json_value *v, bool inside_but, struct test *t,
    struct ryde_err *err)
{
	switch (v->kind) {
	case RYDE_JSON_STRING:
		t->kind = TEST_STRING;
		return decode(v, &t->text, &t->text_n, err);
	case RYDE_JSON_NUMBER:
		t->kind = TEST_NUMBER;
		t->text = ryde_view_copy(v->text);
		t->text_n = v->text.n;
		return t->text != NULL ? 0 : ryde_err_nomem(err);
	case RYDE_JSON_NULL:
	case RYDE_JSON_TRUE:
	case RYDE_JSON_FALSE:
		t->kind = TEST_KIND;
		t->value = v->kind;
		return 0;
	case RYDE_JSON_OBJECT:
		return read_operator(t, v->text, inside_but, err);
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_ABSENT:
		break;
	}
	return wrong(err, "a list inside a list of values", v->text);
}

static int
read_tests(struct ryde_view list, bool inside_but, struct test **tests, size_t *n,
    struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	struct test *more;

	if (!ryde_json_walk_begin(&w, list))
		return wrong(err, "no list of values", list);
	while (ryde_json_walk_next(&w, &key, &v)) {
		more = grown(*tests, *n, sizeof **tests, err);
		if (more == NULL)
			return -1;
		*tests = more;
		if (read_test(&v, inside_but, &more[(*n)++], err) != 0)
			return -1;
	}
	return *n > 0 ? 0 : wrong(err, "an empty list of values", list);
}

static int read_object(
    struct object *o, struct ryde_view text, int depth, struct ryde_err *err);

static int
read_inner(struct field *f, struct ryde_view text, int depth, struct ryde_err *err)
{
	struct object *more = grown(f->objects, f->n_objects, sizeof *more, err);

	if (more == NULL)
		return -1;
	f->objects = more;
	return read_object(&more[f->n_objects++], text, depth + 1, err);
}

static int
read_or(struct field *f, struct ryde_view list, int depth, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;

	f->kind = FIELD_OR;
	if (!ryde_json_walk_begin(&w, list) || w.object)
		return wrong(err, "$or takes a list of objects", list);
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (v.kind != RYDE_JSON_OBJECT)
			return wrong(err, "$or takes a list of objects", list);
		if (read_inner(f, v.text, depth, err) != 0)
			return -1;
	}
	return f->n_objects > 0 ? 0 : wrong(err, "$or takes a list of objects", list);
}

/* The field of that key: of repeated ones the last counts, so that an earlier one makes
 * room. */
static struct field *
field_for(struct object *o, char *key, size_t n, struct ryde_err *err)
{
	struct field *more;

	for (size_t i = 0; i < o->n; i++) {
		struct field *f = &o->fields[i];

		if (f->key_n == n && memcmp(f->key, key, n) == 0) {
			field_free(f);
			*f = (struct field){.key = key, .key_n = n};
			return f;
		}
	}
	more = grown(o->fields, o->n, sizeof *more, err);
	if (more == NULL) {
		free(key);
		return NULL;
	}
	o->fields = more;
	more[o->n] = (struct field){.key = key, .key_n = n};
	return &more[o->n++];
}

static int
read_object(struct object *o, struct ryde_view text, int depth, struct ryde_err *err)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	struct field *f;
	char *name;
	size_t n;
	int r = 0;

	if (depth > RYDE_JSON_PATTERN_DEPTH_MAX)
		return wrong(err, "nested too deeply", text);
	if (!ryde_json_walk_begin(&w, text) || !w.object)
		return wrong(err, "no object", text);
	while (r == 0 && ryde_json_walk_next(&w, &key, &v)) {
		if (decode(&key, &name, &n, err) != 0)
			return -1;
		f = field_for(o, name, n, err);
		if (f == NULL)
			return -1;
		if (ryde_view_is(ryde_view_mem(f->key, n), "$or")) {
			r = read_or(f, v.text, depth, err);
		} else if (v.kind == RYDE_JSON_ARRAY) {
			r = read_tests(v.text, false, &f->tests, &f->n_tests, err);
		} else if (v.kind == RYDE_JSON_OBJECT) {
			f->kind = FIELD_OBJECT;
			r = read_inner(f, v.text, depth, err);
		} else {
			r = wrong(err, "a value must be in a list", key.text);
		}
	}
	if (r == 0 && o->n == 0)
		r = wrong(err, "an empty object", text);
	return r;
}

struct ryde_json_pattern *
ryde_json_pattern_new(struct ryde_view text, struct ryde_err *err)
{
	struct ryde_json_pattern *p = calloc(1, sizeof *p);
	struct ryde_json_fault fault;

	if (p == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	if (ryde_json_check(text, NULL, &fault) != 0)
		wrong(err, fault.what, text);
	else if (read_object(&p->root, text, 1, err) == 0)
		return p;
	ryde_json_pattern_free(p);
	return NULL;
}

static bool
names(const struct object *o, const char *field, bool *object)
{
	bool any = false;

	for (size_t i = 0; i < o->n; i++) {
		const struct field *f = &o->fields[i];

		if (ryde_view_is(ryde_view_mem(f->key, f->key_n), field)) {
			any = true;
			*object = *object && f->kind == FIELD_OBJECT;
		}
		for (size_t k = 0; f->kind == FIELD_OR && k < f->n_objects; k++)
			any = names(&f->objects[k], field, object) || any;
	}
	return any;
}

bool
ryde_json_pattern_names(
    const struct ryde_json_pattern *p, const char *field, bool *object)
{
	*object = true;
	return names(&p->root, field, object);
}

/* Matching. */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
test_string(const struct test *t, struct ryde_view v)
{
	struct ryde_view want = ryde_view_mem(t->text, t->text_n);

	if (t->kind == TEST_STRING)
		return ryde_view_eq(v, want);
	if (v.n < want.n || (t->kind == TEST_IGNORE_CASE && v.n != want.n))
		return false;
	if (want.n == 0)
		return true;
	if (t->kind == TEST_PREFIX)
		return memcmp(v.p, want.p, want.n) == 0;
	if (t->kind == TEST_SUFFIX)
		return memcmp(v.p + (v.n - want.n), want.p, want.n) == 0;
	for (size_t i = 0; i < v.n; i++) {
		if (lower(v.p[i]) != lower(want.p[i]))
			return false;
	}
	return true;
}

static bool
test_numeric(const struct test *t, struct ryde_view number)
{
	struct ryde_decimal d = {0};
	bool ok = ryde_decimal_parse(&d, number, NULL) == 0;

	for (int i = 0; ok && i < 2 && t->relations[i] != RELATION_NONE; i++) {
		int c = ryde_decimal_cmp(&d, &t->limits[i]);

		switch (t->relations[i]) {
		case RELATION_EQUAL:
			ok = c == 0;
			break;
		case RELATION_LESS:
			ok = c < 0;
			break;
		case RELATION_AT_MOST:
			ok = c <= 0;
			break;
		case RELATION_MORE:
			ok = c > 0;
			break;
		case RELATION_AT_LEAST:
			ok = c >= 0;
			break;
		case RELATION_NONE:
			break;
		}
	}
	ryde_decimal_free(&d);
	return ok;
}

/* A value that is neither array nor object; plain is a string's decoded text. */
static bool
test_scalar(const struct test *t, const struct ryde_json_value *v, struct ryde_view plain)
{
	switch (t->kind) {
	case TEST_KIND:
		return v->kind == t->value;
	case TEST_NUMBER:
		return v->kind == RYDE_JSON_NUMBER &&
		       ryde_view_eq(v->text, ryde_view_mem(t->text, t->text_n));
	case TEST_STRING:
	case TEST_IGNORE_CASE:
	case TEST_PREFIX:
	case TEST_SUFFIX:
		return v->kind == RYDE_JSON_STRING && test_string(t, plain);
	case TEST_NUMERIC:
		return v->kind == RYDE_JSON_NUMBER && test_numeric(t, v->text);
	case TEST_EXISTS:
		return t->exists;
	case TEST_NONE_OF:
		for (size_t i = 0; i < t->n_tests; i++) {
			if (test_scalar(&t->tests[i], v, plain))
				return false;
		}
		return true;
	}
	return false;
}

static bool
any_test(const struct field *f, const struct ryde_json_value *v)
{
	struct ryde_view plain = v->text;
	struct ryde_buf b;
	bool any = false;

	ryde_buf_init(&b, v->text.n + 1);
	if (v->kind == RYDE_JSON_STRING && v->escaped) {
		ryde_json_string_decode(&b, v->text);
		plain = ryde_buf_as_view(&b);
	}
	for (size_t i = 0; !any && !b.failed && i < f->n_tests; i++)
		any = test_scalar(&f->tests[i], v, plain);
	ryde_buf_free(&b);
	return any;
}

/* True where a value matches; *found becomes true where there is one, in arrays too. */
static bool
match_values(const struct field *f, const struct ryde_json_value *v, bool *found)
{
	struct ryde_json_value key, element;
	struct ryde_json_walk w;

	if (v->kind == RYDE_JSON_ABSENT || v->kind == RYDE_JSON_OBJECT)
		return false;
	if (v->kind != RYDE_JSON_ARRAY) {
		*found = true;
		return any_test(f, v);
	}
	if (!ryde_json_walk_begin(&w, v->text))
		return false;
	while (ryde_json_walk_next(&w, &key, &element)) {
		if (match_values(f, &element, found))
			return true;
	}
	return false;
}

static bool
match_tests(const struct field *f, const struct ryde_json_value *v)
{
	bool found = false, any = match_values(f, v, &found);

	for (size_t i = 0; !any && !found && i < f->n_tests; i++)
		any = f->tests[i].kind == TEST_EXISTS && !f->tests[i].exists;
	return any;
}

static bool
is_key(const struct ryde_json_value *key, const struct field *f)
{
	struct ryde_view want = ryde_view_mem(f->key, f->key_n);
	struct ryde_buf b;
	bool same;

	if (!key->escaped)
		return ryde_view_eq(key->text, want);
	ryde_buf_init(&b, key->text.n + 1);
	ryde_json_string_decode(&b, key->text);
	same = ryde_view_eq(ryde_buf_as_view(&b), want);
	ryde_buf_free(&b);
	return same;
}

static struct ryde_json_value
member(struct ryde_view object, const struct field *f)
{
	struct ryde_json_value key, v, found = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_walk w;

	if (object.n == 0 || !ryde_json_walk_begin(&w, object) || !w.object)
		return found;
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (is_key(&key, f))
			found = v;
	}
	return found;
}

static bool match_object(const struct object *o, struct ryde_view text);

/* An object, or one of an array's; nothing else has members. */
static bool
match_inner(const struct object *o, const struct ryde_json_value *v)
{
	struct ryde_json_value key, element;
	struct ryde_json_walk w;

	if (v->kind != RYDE_JSON_ARRAY)
		return match_object(
		    o, v->kind == RYDE_JSON_OBJECT ? v->text : ryde_view_mem(NULL, 0));
	if (!ryde_json_walk_begin(&w, v->text))
		return false;
	while (ryde_json_walk_next(&w, &key, &element)) {
		if (match_inner(o, &element))
			return true;
	}
	return false;
}

/* One of the objects of $or. */
static bool
match_any(const struct field *f, struct ryde_view text)
{
	bool any = false;

	for (size_t i = 0; !any && i < f->n_objects; i++)
		any = match_object(&f->objects[i], text);
	return any;
}

/* The empty text has no members. */
static bool
match_object(const struct object *o, struct ryde_view text)
{
	bool all = true;

	for (size_t i = 0; all && i < o->n; i++) {
		const struct field *f = &o->fields[i];
		struct ryde_json_value v = {.kind = RYDE_JSON_ABSENT};

		if (f->kind != FIELD_OR)
			v = member(text, f);
		if (f->kind == FIELD_TESTS)
			all = match_tests(f, &v);
		else if (f->kind == FIELD_OBJECT)
			all = match_inner(&f->objects[0], &v);
		else
			all = match_any(f, text);
	}
	return all;
}

bool
ryde_json_pattern_matches(const struct ryde_json_pattern *p, struct ryde_view text)
{
	return match_object(&p->root, text);
}
