#include "engine/query_scalar.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/query_number.h"
#include "json/scan.h"
#include "json/string.h"

static int
read_number(struct ryde_query_scalar *s, struct ryde_view number, struct ryde_buf *text,
    struct ryde_err *err)
{
	struct ryde_query_number n;

	ryde_buf_clear(text);
	if (ryde_query_number(&n, number, text) != 0)
		return ryde_err_nomem(err);
	if (n.kind == RYDE_QUERY_NUMBER_EXACT)
		return RYDE_QUERY_PLAIN;
	s->kind = n.kind == RYDE_QUERY_NUMBER_INTEGER ? RYDE_QUERY_SCALAR_INTEGER
						      : RYDE_QUERY_SCALAR_REAL;
	s->integer = n.integer;
	s->real = n.real;
	return 0;
}

int
ryde_query_scalar(struct ryde_query_scalar *s, const struct ryde_json_value *value,
    struct ryde_buf *text, struct ryde_err *err)
{
	s->kind = RYDE_QUERY_SCALAR_TEXT;
	s->text = value->text;
	switch (value->kind) {
	case RYDE_JSON_ABSENT:
	case RYDE_JSON_NULL:
		s->kind = RYDE_QUERY_SCALAR_NULL;
		break;
	case RYDE_JSON_FALSE:
	case RYDE_JSON_TRUE:
		s->kind = RYDE_QUERY_SCALAR_INTEGER;
		s->integer = value->kind == RYDE_JSON_TRUE;
		break;
	case RYDE_JSON_NUMBER:
		return read_number(s, value->text, text, err);
	case RYDE_JSON_STRING:
		if (!value->escaped)
			break;
		ryde_buf_clear(text);
		ryde_json_string_decode(text, value->text);
		s->text = ryde_buf_as_view(text);
		return ryde_buf_check(text, err);
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
		break;
	}
	return 0;
}

int
ryde_query_scalar_order(
    const struct ryde_query_scalar *a, const struct ryde_query_scalar *b)
{
	double x, y;

	if ((a->kind == RYDE_QUERY_SCALAR_TEXT) != (b->kind == RYDE_QUERY_SCALAR_TEXT))
		return a->kind == RYDE_QUERY_SCALAR_TEXT ? 1 : -1;
	if (a->kind == RYDE_QUERY_SCALAR_TEXT)
		return ryde_view_order(a->text, b->text);
	if (a->kind == RYDE_QUERY_SCALAR_INTEGER && b->kind == RYDE_QUERY_SCALAR_INTEGER)
		return (a->integer > b->integer) - (a->integer < b->integer);
	x = a->kind == RYDE_QUERY_SCALAR_INTEGER ? (double)a->integer : a->real;
	y = b->kind == RYDE_QUERY_SCALAR_INTEGER ? (double)b->integer : b->real;
	if (a->kind != b->kind &&
	    (x > RYDE_QUERY_SCALAR_WHOLE || x < -RYDE_QUERY_SCALAR_WHOLE))
		return RYDE_QUERY_SCALAR_UNSURE;
	return (x > y) - (x < y);
}
