#include "json/member.h"

#include "json/token.h"

#include <string.h>

bool
ryde_json_member(
    struct ryde_view text, struct ryde_view key, struct ryde_json_value *value)
{
	struct ryde_json_fault fault;
	struct ryde_json_scan s;
	struct ryde_json_value name;
	const char *p;

	ryde_json_token_init(&s, text, &fault);
	p = ryde_json_token_blank(&s, s.begin);
	if (p == s.end || *p != '{')
		return false;
	do {
		p = ryde_json_token_blank(&s, p + 1);
		p = ryde_json_token_key(&s, p, &name);
		if (p == NULL || p == s.end)
			return false;
		p = ryde_json_token_value(&s, p, 1, value);
		if (p == NULL)
			return false;
		if (ryde_view_eq(name.text, key))
			return true;
		p = ryde_json_token_blank(&s, p);
	} while (p < s.end && *p == ',');
	return false;
}

bool
ryde_json_member_same_way(
    struct ryde_view text, struct ryde_view way, struct ryde_view *value)
{
	const char *end = ryde_view_end(text), *p, *q;

	if (text.n <= way.n || memcmp(text.p, way.p, way.n) != 0)
		return false;
	p = text.p + way.n;
	q = ryde_json_bytes_plain(p, end);
	*value = ryde_view_mem(p, (size_t)(q - p));
	return q < end && *q == '"';
}
