#include "json/scan.h"

#include "json/token.h"

int
ryde_json_check(
    struct ryde_view text, enum ryde_json_kind *top, struct ryde_json_fault *fault)
{
	struct ryde_json_value value;
	struct ryde_json_scan s;
	const char *p;

	ryde_json_token_init(&s, text, fault);
	p = ryde_json_token_begin(&s);
	if (p != NULL)
		p = ryde_json_token_value(&s, p, 0, &value);
	if (ryde_json_token_finish(&s, p) != 0)
		return -1;
	if (top != NULL)
		*top = value.kind;
	return 0;
}

bool
ryde_json_walk_begin(struct ryde_json_walk *w, struct ryde_view text)
{
	struct ryde_json_fault fault;
	struct ryde_json_scan s;
	const char *p;

	ryde_json_token_init(&s, text, &fault);
	p = ryde_json_token_blank(&s, s.begin);
	if (p == s.end || (*p != '{' && *p != '['))
		return false;
	w->text = text;
	w->object = *p == '{';
	w->at = (size_t)(ryde_json_token_blank(&s, p + 1) - s.begin);
	return true;
}

bool
ryde_json_walk_next(
    struct ryde_json_walk *w, struct ryde_json_value *key, struct ryde_json_value *value)
{
	struct ryde_json_fault fault;
	struct ryde_json_scan s;
	const char *p;

	ryde_json_token_init(&s, w->text, &fault);
	p = s.begin + w->at;
	if (p == s.end || *p == '}' || *p == ']')
		return false;
	*key = (struct ryde_json_value){.kind = RYDE_JSON_ABSENT};
	if (w->object)
		p = ryde_json_token_key(&s, p, key);
	if (p != NULL)
		p = ryde_json_token_value(&s, p, 0, value);
	if (p == NULL) {
		w->at = w->text.n;
		return false;
	}
	p = ryde_json_token_blank(&s, p);
	if (p < s.end && *p == ',')
		p = ryde_json_token_blank(&s, p + 1);
	w->at = (size_t)(p - s.begin);
	return true;
}
