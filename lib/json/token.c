#include "json/token.h"

#include <string.h>

const char *
ryde_json_token_fail(const struct ryde_json_scan *s, const char *p, const char *what)
{
	s->fault->what = what;
	s->fault->at = (size_t)(p - s->begin);
	return NULL;
}

const char *
ryde_json_token_blanks(const struct ryde_json_scan *s, const char *p)
{
	while (p < s->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Behind the escape whose backslash is at p. */
static const char *
escape(const struct ryde_json_scan *s, const char *p)
{
	const char *q = p + 1;

	if (q == s->end)
		return ryde_json_token_fail(s, q, "unfinished string");
	if (*q != 'u') {
		if (*q == '\0' || strchr("\"\\/bfnrt", *q) == NULL)
			return ryde_json_token_fail(s, p, "bad escape in a string");
		return q + 1;
	}
	for (int i = 0; i < 4; i++) {
		q++;
		if (q == s->end)
			return ryde_json_token_fail(s, q, "unfinished string");
		if (ryde_json_bytes_hex(*q) < 0)
			return ryde_json_token_fail(s, p, "bad escape in a string");
	}
	return q + 1;
}

/* What plain strings need not: escapes, bytes over 0x7f, faults. At p is the first byte
 * that is not plain. */
const char *
ryde_json_token_string_rest(const struct ryde_json_scan *s, const char *p, bool *escaped)
{
	size_t n;

	for (;; p = ryde_json_token_plain(s, p)) {
		if (p == s->end)
			return ryde_json_token_fail(s, p, "unfinished string");
		if (*p == '"')
			return p;
		if (*p == '\\') {
			*escaped = true;
			p = escape(s, p);
			if (p == NULL)
				return NULL;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return ryde_json_token_fail(s, p,
			    *p == '\0' ? "NUL byte" : "control character in a string");
		while (p < s->end && (unsigned char)*p >= 0x80) {
			n = ryde_json_bytes_utf8(p, s->end);
			if (n == 0)
				return ryde_json_token_fail(s, p, "not UTF-8");
			p += n;
		}
	}
}

static const char *
digits(const struct ryde_json_scan *s, const char *p)
{
	while (p < s->end && ryde_json_bytes_is_digit(*p))
		p++;
	return p;
}

/* Any number, byte by byte. */
const char *
ryde_json_token_number_rest(const struct ryde_json_scan *s, const char *start)
{
	const char *p = start, *q;

	if (*p == '-')
		p++;
	q = digits(s, p);
	if (q == p || (q - p > 1 && *p == '0'))
		return ryde_json_token_fail(s, start, "bad number");
	p = q;
	if (p < s->end && *p == '.') {
		q = digits(s, p + 1);
		if (q == p + 1)
			return ryde_json_token_fail(s, start, "bad number");
		p = q;
	}
	if (p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		q = digits(s, p);
		if (q == p)
			return ryde_json_token_fail(s, start, "bad number");
		p = q;
	}
	return p;
}

const char *
ryde_json_token_literal(
    const struct ryde_json_scan *s, const char *p, struct ryde_json_value *to)
{
	static const struct {
		const char *text;
		size_t n;
		enum ryde_json_kind kind;
	} words[] = {
	    {"true", 4, RYDE_JSON_TRUE},
	    {"false", 5, RYDE_JSON_FALSE},
	    {"null", 4, RYDE_JSON_NULL},
	};
	size_t left = (size_t)(s->end - p);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (left < words[i].n || memcmp(p, words[i].text, words[i].n) != 0)
			continue;
		to->kind = words[i].kind;
		to->escaped = false;
		to->text = ryde_view_mem(p, words[i].n);
		return p + words[i].n;
	}
	return ryde_json_token_fail(
	    s, p, *p == '\0' ? "NUL byte" : "no value where one must be");
}

const char *
ryde_json_token_not_closed(const struct ryde_json_scan *s, const char *p, bool object)
{
	if (p == s->end)
		return ryde_json_token_fail(
		    s, p, object ? "unfinished object" : "unfinished array");
	if (*p == '\0')
		return ryde_json_token_fail(s, p, "NUL byte");
	return ryde_json_token_fail(s, p,
	    object ? "no comma or } behind a member" : "no comma or ] behind an element");
}

/* The arrays and objects that are open, a bit for each: 1 is an object. */
struct stack {
	uint64_t bits[RYDE_JSON_DEPTH_MAX / 64];
	size_t depth;
};

static inline bool
stack_object(const struct stack *st)
{
	return (st->bits[(st->depth - 1) / 64] >> ((st->depth - 1) % 64)) & 1;
}

/* Opens what begins at p; goes to its first value, or behind it (then *empty) where it
 * has none. */
static const char *
stack_open(const struct ryde_json_scan *s, struct stack *st, const char *p, bool *empty)
{
	struct ryde_json_value key;
	bool object = *p == '{';
	uint64_t bit = UINT64_C(1) << (st->depth % 64);

	if (st->depth == RYDE_JSON_DEPTH_MAX)
		return ryde_json_token_fail(s, p, "nested too deeply");
	if (st->depth % 64 == 0)
		st->bits[st->depth / 64] = 0;
	if (object)
		st->bits[st->depth / 64] |= bit;
	else
		st->bits[st->depth / 64] &= ~bit;
	p = ryde_json_token_blank(s, p + 1);
	*empty = p < s->end && *p == (object ? '}' : ']');
	if (*empty)
		return p + 1;
	st->depth++;
	return object ? ryde_json_token_key(s, p, &key) : p;
}

/* Behind a value: closes what ends here down to the depth `floor`, or goes to the next
 * value. */
static inline const char *
stack_behind(
    const struct ryde_json_scan *s, struct stack *st, size_t floor, const char *p)
{
	struct ryde_json_value key;

	while (st->depth > floor) {
		bool object = stack_object(st);

		p = ryde_json_token_blank(s, p);
		if (p < s->end && *p == ',') {
			p = ryde_json_token_blank(s, p + 1);
			return object ? ryde_json_token_key(s, p, &key) : p;
		}
		if (p == s->end || *p != (object ? '}' : ']'))
			return ryde_json_token_not_closed(s, p, object);
		st->depth--;
		p++;
	}
	return p;
}

/* Behind the value at p, whatever it is, which lies inside `depth` others. */
static const char *
skip(const struct ryde_json_scan *s, const char *p, size_t depth)
{
	struct ryde_json_value value;
	struct stack st;
	bool empty = false;

	/* Only the bits at and above `depth` are used, and each is written when it is
	 * opened. */
	st.bits[depth / 64] = 0;
	st.depth = depth;
	for (;;) {
		if (p == s->end)
			return ryde_json_token_fail(
			    s, p, "the text ends where a value must be");
		if (*p == '{' || *p == '[') {
			p = stack_open(s, &st, p, &empty);
			if (p == NULL)
				return NULL;
			if (!empty)
				continue;
		} else {
			p = ryde_json_token_scalar(s, p, &value);
			if (p == NULL)
				return NULL;
		}
		p = stack_behind(s, &st, depth, p);
		if (p == NULL || st.depth == depth)
			return p;
	}
}

/* Any value, checked whole and described. */
const char *
ryde_json_token_value(const struct ryde_json_scan *s, const char *p, size_t depth,
    struct ryde_json_value *to)
{
	const char *q;

	if (p == s->end)
		return ryde_json_token_fail(s, p, "the text ends where a value must be");
	if (*p != '{' && *p != '[')
		return ryde_json_token_scalar(s, p, to);
	q = skip(s, p, depth);
	if (q == NULL)
		return NULL;
	to->kind = *p == '{' ? RYDE_JSON_OBJECT : RYDE_JSON_ARRAY;
	to->escaped = false;
	to->text = ryde_view_mem(p, (size_t)(q - p));
	return q;
}

const char *
ryde_json_token_begin(const struct ryde_json_scan *s)
{
	const char *p = ryde_json_token_blank(s, s->begin);

	return p == s->end ? ryde_json_token_fail(s, p, "no JSON text") : p;
}

/* 0 where nothing but blanks follows from p (NULL: an earlier fault) on. */
int
ryde_json_token_finish(const struct ryde_json_scan *s, const char *p)
{
	if (p == NULL)
		return -1;
	p = ryde_json_token_blank(s, p);
	if (p == s->end)
		return 0;
	(void)ryde_json_token_fail(
	    s, p, *p == '\0' ? "NUL byte" : "something behind the JSON text");
	return -1;
}
