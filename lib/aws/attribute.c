#include "aws/attribute.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/literal.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

/* Powers of ten of a number's first digit. */
#define MAGNITUDE_MIN (-130)
#define MAGNITUDE_MAX 125

/* ---- to attributes ---- */

struct putting {
	struct ryde_buf *b;
	struct ryde_buf text; /* of strings with escapes */
	size_t size;
	struct ryde_err *err;
};

static int put_value(struct putting *p, const struct ryde_json_value *v, int depth);

/* A string as JSON has it, counted as DynamoDB does: by its bytes. */
static void
put_string(struct putting *p, const struct ryde_json_value *v)
{
	if (!v->escaped) {
		ryde_buf_putc(p->b, '"');
		ryde_buf_view(p->b, v->text);
		ryde_buf_putc(p->b, '"');
		p->size += v->text.n;
		return;
	}
	ryde_buf_clear(&p->text);
	ryde_json_string_decode(&p->text, v->text);
	ryde_json_string_put(p->b, ryde_buf_as_view(&p->text));
	p->size += p->text.n;
}

static int
put_number(struct putting *p, struct ryde_view number)
{
	struct ryde_literal l;
	size_t digits;
	int64_t magnitude;

	if (!ryde_literal_look(&l, number))
		return ryde_err_set(p->err, RYDE_EDATA, "no number");
	digits = l.nonzero ? l.last - l.first + 1 : 1;
	magnitude = (int64_t)l.n_whole - 1 - (int64_t)l.first + l.exponent;
	if (digits > RYDE_ATTRIBUTE_DIGITS_MAX)
		return ryde_err_set(p->err, RYDE_EDATA,
		    "a number of %zu digits: DynamoDB keeps %d", digits,
		    RYDE_ATTRIBUTE_DIGITS_MAX);
	if (l.nonzero && (magnitude < MAGNITUDE_MIN || magnitude > MAGNITUDE_MAX))
		return ryde_err_set(p->err, RYDE_EDATA,
		    "%.*s is beyond DynamoDB's numbers, 1e-130 to 9.9e125",
		    number.n < 40 ? (int)number.n : 40, number.p);
	ryde_buf_puts(p->b, "{\"N\":\"");
	/* a zero may be written with any exponent: 0e400 */
	if (l.nonzero)
		ryde_buf_view(p->b, number);
	else
		ryde_buf_putc(p->b, '0');
	ryde_buf_puts(p->b, "\"}");
	p->size += (digits + 1) / 2 + 1 + l.negative;
	return 0;
}

struct member {
	struct ryde_json_value key, value;
	size_t at;
	bool dropped;
};

/* The members of an object, without the earlier ones of those that share a key. */
struct members {
	struct member *v;
	size_t n, cap;
};

static int
by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t n = x->key.text.n < y->key.text.n ? x->key.text.n : y->key.text.n;
	int c = n > 0 ? memcmp(x->key.text.p, y->key.text.p, n) : 0;

	if (c == 0 && x->key.text.n != y->key.text.n)
		c = x->key.text.n < y->key.text.n ? -1 : 1;
	return c != 0 ? c : x->at < y->at ? -1 : 1;
}

static int
by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->at < y->at ? -1 : 1;
}

static int
gather(struct members *m, struct ryde_view object, struct ryde_err *err)
{
	struct ryde_json_walk w;
	struct ryde_json_value key, value;

	if (!ryde_json_walk_begin(&w, object))
		return 0;
	while (ryde_json_walk_next(&w, &key, &value)) {
		if (m->n == m->cap) {
			size_t cap = m->cap == 0 ? 16 : 2 * m->cap;
			struct member *more = realloc(m->v, cap * sizeof(*more));

			if (more == NULL)
				return ryde_err_nomem(err);
			m->v = more;
			m->cap = cap;
		}
		m->v[m->n] = (struct member){key, value, m->n, false};
		m->n++;
	}
	return 0;
}

/* Keys with escapes may be the same in other letters: `names` holds what they stand for.
 */
static int
decode_keys(struct members *m, struct ryde_buf *names, struct ryde_err *err)
{
	size_t at = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].key.escaped)
			ryde_json_string_decode(names, m->v[i].key.text);
	if (ryde_buf_check(names, err) != 0)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		struct ryde_buf one;

		if (!m->v[i].key.escaped)
			continue;
		ryde_buf_init(&one, m->v[i].key.text.n + 16);
		ryde_json_string_decode(&one, m->v[i].key.text);
		m->v[i].key.text = ryde_view_mem(names->p + at, one.n);
		at += one.n;
		ryde_buf_free(&one);
	}
	return 0;
}

static void
drop_duplicates(struct members *m)
{
	/* a few are compared with each other faster than sorted */
	for (size_t i = 0; m->n <= 16 && i < m->n; i++)
		for (size_t k = i + 1; k < m->n && !m->v[i].dropped; k++)
			m->v[i].dropped =
			    ryde_view_eq(m->v[i].key.text, m->v[k].key.text);
	if (m->n <= 16)
		return;
	qsort(m->v, m->n, sizeof(*m->v), by_key);
	for (size_t i = 0; i + 1 < m->n; i++)
		m->v[i].dropped = ryde_view_eq(m->v[i].key.text, m->v[i + 1].key.text);
	qsort(m->v, m->n, sizeof(*m->v), by_place);
}

static int
put_members(struct putting *p, struct members *m, int depth)
{
	bool first = true;

	ryde_buf_putc(p->b, '{');
	for (size_t i = 0; i < m->n; i++) {
		struct member *one = &m->v[i];

		if (one->dropped)
			continue;
		if (one->key.text.n == 0)
			return ryde_err_set(
			    p->err, RYDE_EDATA, "a field has an empty name");
		if (!first)
			ryde_buf_putc(p->b, ',');
		first = false;
		if (one->key.escaped)
			ryde_json_string_put(p->b, one->key.text);
		else
			ryde_buf_printf(
			    p->b, "\"%.*s\"", (int)one->key.text.n, one->key.text.p);
		p->size += one->key.text.n;
		ryde_buf_putc(p->b, ':');
		if (put_value(p, &one->value, depth) != 0)
			return ryde_err_prefix(p->err, "field \"%.*s\"",
			    one->key.text.n < 80 ? (int)one->key.text.n : 80,
			    one->key.text.p);
	}
	ryde_buf_putc(p->b, '}');
	return 0;
}

static int
put_object(struct putting *p, struct ryde_view object, int depth)
{
	struct members m = {0};
	struct ryde_buf names;
	int rc = -1;

	ryde_buf_init(&names, object.n + 16);
	if (gather(&m, object, p->err) == 0 && decode_keys(&m, &names, p->err) == 0) {
		drop_duplicates(&m);
		rc = put_members(p, &m, depth);
	}
	ryde_buf_free(&names);
	free(m.v);
	return rc;
}

static int
put_array(struct putting *p, struct ryde_view array, int depth)
{
	struct ryde_json_walk w;
	struct ryde_json_value key, v;
	bool first = true;

	ryde_buf_puts(p->b, "{\"L\":[");
	p->size += 3;
	if (ryde_json_walk_begin(&w, array)) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			if (!first)
				ryde_buf_putc(p->b, ',');
			first = false;
			p->size++;
			if (put_value(p, &v, depth) != 0)
				return -1;
		}
	}
	ryde_buf_puts(p->b, "]}");
	return 0;
}

/* depth: of the containers around it. */
static int
put_value(struct putting *p, const struct ryde_json_value *v, int depth)
{
	bool container = v->kind == RYDE_JSON_ARRAY || v->kind == RYDE_JSON_OBJECT;
	int rc;

	if (container && depth >= RYDE_ATTRIBUTE_DEPTH_MAX)
		return ryde_err_set(p->err, RYDE_EDATA,
		    "more than %d levels of lists and objects", RYDE_ATTRIBUTE_DEPTH_MAX);
	switch (v->kind) {
	case RYDE_JSON_STRING:
		ryde_buf_puts(p->b, "{\"S\":");
		put_string(p, v);
		ryde_buf_putc(p->b, '}');
		return 0;
	case RYDE_JSON_NUMBER:
		return put_number(p, v->text);
	case RYDE_JSON_TRUE:
	case RYDE_JSON_FALSE:
		ryde_buf_puts(p->b,
		    v->kind == RYDE_JSON_TRUE ? "{\"BOOL\":true}" : "{\"BOOL\":false}");
		p->size++;
		return 0;
	case RYDE_JSON_NULL:
	case RYDE_JSON_ABSENT:
		ryde_buf_puts(p->b, "{\"NULL\":true}");
		p->size++;
		return 0;
	case RYDE_JSON_ARRAY:
		return put_array(p, v->text, depth + 1);
	case RYDE_JSON_OBJECT:
		ryde_buf_puts(p->b, "{\"M\":");
		p->size += 3;
		rc = put_object(p, v->text, depth + 1);
		ryde_buf_putc(p->b, '}');
		return rc;
	}
	return 0;
}

int
ryde_attribute_put_item(
    struct ryde_buf *b, struct ryde_view object, size_t *size, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct putting p = {.b = b, .err = &why};
	struct ryde_json_walk w;
	int rc;

	if (!ryde_json_walk_begin(&w, object) || !w.object)
		return ryde_err_set(err, RYDE_EDATA, "an item is a JSON object");
	ryde_buf_init(&p.text, object.n + 16);
	rc = put_object(&p, object, 0);
	if (rc == 0)
		rc = ryde_buf_check(b, &why);
	if (rc == 0 && p.size > RYDE_ATTRIBUTE_ITEM_MAX)
		rc = ryde_err_set(&why, RYDE_EDATA,
		    "an item of %zu bytes: DynamoDB takes at most 400 KB (%zu)", p.size,
		    RYDE_ATTRIBUTE_ITEM_MAX);
	ryde_buf_free(&p.text);
	if (rc != 0 && err != NULL)
		*err = why;
	if (rc == 0 && size != NULL)
		*size = p.size;
	return rc;
}

int
ryde_attribute_put(
    struct ryde_buf *b, const struct ryde_json_value *v, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct putting p = {.b = b, .err = &why};
	int rc;

	ryde_buf_init(&p.text, v->text.n + 16);
	rc = put_value(&p, v, 0);
	if (rc == 0)
		rc = ryde_buf_check(b, &why);
	ryde_buf_free(&p.text);
	if (rc != 0 && err != NULL)
		*err = why;
	return rc;
}

/* ---- and back ---- */

static int get_value(
    struct ryde_buf *b, const struct ryde_json_value *attribute, int depth);

static void
put_raw_string(struct ryde_buf *b, struct ryde_view raw)
{
	ryde_buf_putc(b, '"');
	ryde_buf_view(b, raw);
	ryde_buf_putc(b, '"');
}

/* A number as it is; text that is no JSON number stays a string. */
static void
get_number(struct ryde_buf *b, struct ryde_view text)
{
	struct ryde_literal l;

	if (ryde_literal_look(&l, text))
		ryde_buf_view(b, text);
	else
		put_raw_string(b, text);
}

/* {"NAME":ATTRIBUTE,…} or [ATTRIBUTE,…]. */
static int
get_all(struct ryde_buf *b, struct ryde_view text, int depth)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	bool first = true;

	if (depth > 2 * RYDE_ATTRIBUTE_DEPTH_MAX || !ryde_json_walk_begin(&w, text))
		return -1;
	ryde_buf_putc(b, w.object ? '{' : '[');
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (!first)
			ryde_buf_putc(b, ',');
		first = false;
		if (w.object) {
			put_raw_string(b, key.text);
			ryde_buf_putc(b, ':');
		}
		if (get_value(b, &v, depth) != 0)
			return -1;
	}
	ryde_buf_putc(b, w.object ? '}' : ']');
	return 0;
}

/* SS, NS, BS. */
static int
get_set(struct ryde_buf *b, const struct ryde_json_value *set, bool numbers)
{
	struct ryde_json_value key, v;
	struct ryde_json_walk w;
	bool first = true;

	if (set->kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&w, set->text))
		return -1;
	ryde_buf_putc(b, '[');
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (v.kind != RYDE_JSON_STRING)
			return -1;
		if (!first)
			ryde_buf_putc(b, ',');
		first = false;
		if (numbers)
			get_number(b, v.text);
		else
			put_raw_string(b, v.text);
	}
	ryde_buf_putc(b, ']');
	return 0;
}

static int
get_value(struct ryde_buf *b, const struct ryde_json_value *attribute, int depth)
{
	struct ryde_json_value type, v;
	struct ryde_json_walk w;

	if (attribute->kind != RYDE_JSON_OBJECT ||
	    !ryde_json_walk_begin(&w, attribute->text) ||
	    !ryde_json_walk_next(&w, &type, &v))
		return -1;
	if (ryde_view_is(type.text, "S") || ryde_view_is(type.text, "B")) {
		if (v.kind != RYDE_JSON_STRING)
			return -1;
		put_raw_string(b, v.text);
	} else if (ryde_view_is(type.text, "N")) {
		if (v.kind != RYDE_JSON_STRING)
			return -1;
		get_number(b, v.text);
	} else if (ryde_view_is(type.text, "BOOL")) {
		ryde_buf_puts(b, v.kind == RYDE_JSON_TRUE ? "true" : "false");
	} else if (ryde_view_is(type.text, "NULL")) {
		ryde_buf_puts(b, "null");
	} else if (ryde_view_is(type.text, "M") || ryde_view_is(type.text, "L")) {
		return get_all(b, v.text, depth + 1);
	} else if (ryde_view_is(type.text, "SS") || ryde_view_is(type.text, "BS")) {
		return get_set(b, &v, false);
	} else if (ryde_view_is(type.text, "NS")) {
		return get_set(b, &v, true);
	} else {
		return -1;
	}
	return 0;
}

int
ryde_attribute_get_item(struct ryde_buf *b, struct ryde_view item, struct ryde_err *err)
{
	struct ryde_json_walk w;

	if (!ryde_json_walk_begin(&w, item) || !w.object || get_all(b, item, 0) != 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "an item that makes no sense: %.*s", item.n < 60 ? (int)item.n : 60,
		    item.n > 0 ? item.p : "");
	return ryde_buf_check(b, err);
}

struct ryde_view
ryde_attribute_text(struct ryde_view attribute, char *kind)
{
	struct ryde_json_value type, v;
	struct ryde_json_walk w;

	*kind = 0;
	if (!ryde_json_walk_begin(&w, attribute) || !ryde_json_walk_next(&w, &type, &v) ||
	    v.kind != RYDE_JSON_STRING || type.text.n != 1 ||
	    (type.text.p[0] != 'S' && type.text.p[0] != 'N'))
		return ryde_view_mem(NULL, 0);
	*kind = type.text.p[0];
	return v.text;
}
