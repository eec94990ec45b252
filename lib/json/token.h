/*
 * The words of JSON: strings, numbers, literals, and what lies between them. For what
 * puts texts together from them: scan.c and find.c, and readers of one answer in one pass
 * (aws/kinesis_page.c). What is called for each word is inlined here, the rest is in
 * token.c.
 */
#ifndef RYDE_JSON_TOKEN_H
#define RYDE_JSON_TOKEN_H

#include "json/bytes.h"
#include "json/scan.h"

/*
 * Functions below take the place to read from and return the place behind what they read,
 * or NULL with the fault set. No byte outside the text is ever read; the last block of 16
 * is read by moving the window back and shifting.
 */
struct ryde_json_scan {
	const char *begin, *end;
	const char *tail; /* end - 16, or NULL where the text is shorter */
	struct ryde_json_fault *fault;
};

static inline void
ryde_json_token_init(
    struct ryde_json_scan *s, struct ryde_view text, struct ryde_json_fault *fault)
{
	s->begin = text.n > 0 ? text.p : "";
	s->end = s->begin + text.n;
	s->tail = NULL;
#ifdef __SSE2__
	if (text.n >= RYDE_JSON_BLOCK)
		s->tail = s->end - RYDE_JSON_BLOCK;
#endif
	s->fault = fault;
}

const char *ryde_json_token_fail(
    const struct ryde_json_scan *s, const char *p, const char *what);
const char *ryde_json_token_blanks(const struct ryde_json_scan *s, const char *p);
const char *ryde_json_token_string_rest(
    const struct ryde_json_scan *s, const char *p, bool *escaped);
const char *ryde_json_token_number_rest(
    const struct ryde_json_scan *s, const char *start);
const char *ryde_json_token_literal(
    const struct ryde_json_scan *s, const char *p, struct ryde_json_value *to);
const char *ryde_json_token_not_closed(
    const struct ryde_json_scan *s, const char *p, bool object);
const char *ryde_json_token_value(const struct ryde_json_scan *s, const char *p,
    size_t depth, struct ryde_json_value *to);
const char *ryde_json_token_begin(const struct ryde_json_scan *s);
int ryde_json_token_finish(const struct ryde_json_scan *s, const char *p);

static inline const char *
ryde_json_token_blank(const struct ryde_json_scan *s, const char *p)
{
	if (p < s->end && (unsigned char)*p > ' ')
		return p;
	return ryde_json_token_blanks(s, p);
}

/* The first byte from p on that is not plain in a string, or the end. */
static inline const char *
ryde_json_token_plain(const struct ryde_json_scan *s, const char *p)
{
#ifdef __SSE2__
	uint32_t special;

	/*
	 * Two loads, not one whose place is computed: the branch is predicted, so what
	 * follows need not wait for the place. Waiting is most of the cost of a short
	 * string.
	 */
	while (s->tail != NULL && p <= s->tail) {
		special = ryde_json_bytes_special(ryde_json_bytes_load(p));
		if (special != 0)
			return p + __builtin_ctz(special);
		p += RYDE_JSON_BLOCK;
	}
	if (s->tail != NULL) {
		special = ryde_json_bytes_special(ryde_json_bytes_load(s->tail));
		special >>= p - s->tail;
		return special != 0 ? p + __builtin_ctz(special) : s->end;
	}
#endif
	return ryde_json_bytes_plain(p, s->end);
}

/* The closing quote of the string whose content begins at p. */
static inline const char *
ryde_json_token_string(const struct ryde_json_scan *s, const char *p, bool *escaped)
{
	const char *q = ryde_json_token_plain(s, p);

	*escaped = false;
	if (q < s->end && *q == '"')
		return q;
	return ryde_json_token_string_rest(s, q, escaped);
}

#ifdef __SSE2__
/*
 * Behind the number at p if it has no exponent, ends within one block and before the text
 * does; else NULL. Where it ends is known from one look; whether it is well formed is
 * decided beside that, so that nobody waits for it.
 */
static inline const char *
ryde_json_token_short_number(const struct ryde_json_scan *s, const char *p)
{
	size_t shift = p <= s->tail ? 0 : (size_t)(p - s->tail);
	__m128i block = ryde_json_bytes_load(p - shift);
	uint32_t minus = *p == '-', first = UINT32_C(1) << minus;
	uint32_t digits = ryde_json_bytes_digits(block) >> shift;
	uint32_t dots = ryde_json_bytes_equal(block, '.') >> shift;
	int n = __builtin_ctz(~(digits | dots | minus));

	if (n == RYDE_JSON_BLOCK || n >= s->end - p || (p[n] | 0x20) == 'e')
		return NULL;
	dots &= (UINT32_C(1) << n) - 1;
	if ((digits & first) == 0 || (p[minus] == '0' && (digits & (first << 1)) != 0))
		return NULL;
	if (dots != 0) {
		/* One point, and a digit behind it. */
		int point = __builtin_ctz(dots);

		if (dots >> point != 1 || point == n - 1)
			return NULL;
	}
	return p + n;
}
#endif

/* Behind the number at p. */
static inline const char *
ryde_json_token_number(const struct ryde_json_scan *s, const char *p)
{
#ifdef __SSE2__
	const char *q;

	if (s->tail != NULL) {
		q = ryde_json_token_short_number(s, p);
		if (q != NULL)
			return q;
	}
#endif
	return ryde_json_token_number_rest(s, p);
}

/* A value that is neither array nor object; p < end. */
static inline const char *
ryde_json_token_scalar(
    const struct ryde_json_scan *s, const char *p, struct ryde_json_value *to)
{
	const char *q;

	if (*p == '"') {
		q = ryde_json_token_string(s, p + 1, &to->escaped);
		if (q == NULL)
			return NULL;
		to->kind = RYDE_JSON_STRING;
		to->text = ryde_view_mem(p + 1, (size_t)(q - p - 1));
		return q + 1;
	}
	if (!ryde_json_bytes_is_digit(*p) && *p != '-')
		return ryde_json_token_literal(s, p, to);
	q = ryde_json_token_number(s, p);
	if (q == NULL)
		return NULL;
	to->kind = RYDE_JSON_NUMBER;
	to->escaped = false;
	to->text = ryde_view_mem(p, (size_t)(q - p));
	return q;
}

/* Behind the colon of a member and the blanks around it; p is behind the key's closing
 * quote. */
static inline const char *
ryde_json_token_colon(const struct ryde_json_scan *s, const char *p)
{
	p = ryde_json_token_blank(s, p);
	if (p == s->end || *p != ':')
		return ryde_json_token_fail(s, p, "no colon behind a key");
	return ryde_json_token_blank(s, p + 1);
}

/* Behind a comma and what follows it, or at the bracket that closes; a comma with nothing
 * behind it is a fault. p is behind a value. */
static inline const char *
ryde_json_token_comma(const struct ryde_json_scan *s, const char *p, char close)
{
	p = ryde_json_token_blank(s, p);
	if (p < s->end && *p == ',') {
		p = ryde_json_token_blank(s, p + 1);
		if (p < s->end && *p != close)
			return p;
	} else if (p < s->end && *p == close) {
		return p;
	}
	return ryde_json_token_not_closed(s, p, close == '}');
}

/* The key of a member and its colon: p becomes where the value begins. */
static inline const char *
ryde_json_token_key(
    const struct ryde_json_scan *s, const char *p, struct ryde_json_value *key)
{
	const char *q;

	if (p == s->end || *p != '"')
		return ryde_json_token_fail(s, p, "no key where one must be");
	q = ryde_json_token_string(s, p + 1, &key->escaped);
	if (q == NULL)
		return NULL;
	key->kind = RYDE_JSON_STRING;
	key->text = ryde_view_mem(p + 1, (size_t)(q - p - 1));
	return ryde_json_token_colon(s, q + 1);
}

#endif
