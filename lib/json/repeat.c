#include "json/repeat.h"

#include "json/token.h"

#include <string.h>

void
ryde_json_repeat_begin(struct ryde_json_repeat *r, const char *p)
{
	r->n = 0;
	r->from = p;
	r->spoiled = false;
}

void
ryde_json_repeat_see(
    struct ryde_json_repeat *r, size_t id, const struct ryde_json_value *v)
{
	bool number = v->kind == RYDE_JSON_NUMBER;

	for (size_t i = 0; i < r->n; i++)
		r->spoiled = r->spoiled || r->ids[i] == id;
	if (r->n == RYDE_JSON_REPEAT_VALUES || v->escaped ||
	    (!number && v->kind != RYDE_JSON_STRING))
		r->spoiled = true;
	if (r->spoiled)
		return;
	r->before[r->n] = ryde_view_mem(r->from, (size_t)(v->text.p - r->from));
	r->ids[r->n] = id;
	r->numbers[r->n++] = number;
	r->from = v->text.p + v->text.n;
}

void
ryde_json_repeat_end(struct ryde_json_repeat *r, const char *p)
{
	r->behind = ryde_view_mem(r->from, (size_t)(p - r->from));
	if (r->spoiled)
		r->n = 0;
}

static inline bool
pass(const char **p, const char *end, struct ryde_view same)
{
	if ((size_t)(end - *p) < same.n || memcmp(*p, same.p, same.n) != 0)
		return false;
	*p += same.n;
	return true;
}

const char *
ryde_json_repeat_next(const struct ryde_json_repeat *r, const struct ryde_json_scan *s,
    const char *p, struct ryde_view values[RYDE_JSON_REPEAT_VALUES])
{
	for (size_t i = 0; i < r->n; i++) {
		const char *q;

		if (!pass(&p, s->end, r->before[i]) || p == s->end)
			return NULL;
		if (!r->numbers[i])
			q = ryde_json_token_plain(s, p); /* a quote: compared next */
		else if (*p == '-' || ryde_json_bytes_is_digit(*p))
			q = ryde_json_token_number(s, p);
		else
			return NULL;
		if (q == NULL)
			return NULL;
		values[r->ids[i]] = ryde_view_mem(p, (size_t)(q - p));
		p = q;
	}
	return r->n > 0 && pass(&p, s->end, r->behind) ? p : NULL;
}
