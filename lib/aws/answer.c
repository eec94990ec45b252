#include "aws/answer.h"

#include "aws/client.h"
#include "base/err.h"
#include "base/num.h"

#include <string.h>

int
ryde_answer_body(const struct ryde_aws_call *call, const char *operation,
    struct ryde_view *body, struct ryde_err *err)
{
	struct ryde_json_fault fault;

	*body = ryde_aws_reply(call)->body;
	/* some answers that say nothing have no body at all */
	if (body->n == 0)
		*body = ryde_view_of("{}");
	if (ryde_json_check(*body, NULL, &fault) != 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s: an answer that makes no sense: %s at byte %zu", operation,
		    fault.what, fault.at + 1);
	return 0;
}

struct ryde_json_value
ryde_answer_member(struct ryde_view object, const char *name)
{
	struct ryde_json_value found = {.kind = RYDE_JSON_ABSENT}, key, v;
	struct ryde_json_walk w;

	if (object.n > 0 && ryde_json_walk_begin(&w, object) && w.object)
		while (ryde_json_walk_next(&w, &key, &v))
			if (ryde_view_is(key.text, name) && v.kind != RYDE_JSON_NULL)
				found = v;
	return found;
}

struct ryde_view
ryde_answer_text(struct ryde_view object, const char *name)
{
	struct ryde_json_value v = ryde_answer_member(object, name);

	return v.kind == RYDE_JSON_STRING ? v.text : ryde_view_mem(NULL, 0);
}

int64_t
ryde_answer_number(struct ryde_view object, const char *name, int64_t otherwise)
{
	struct ryde_json_value v = ryde_answer_member(object, name);
	int64_t n = otherwise;

	if (v.kind == RYDE_JSON_NUMBER)
		(void)ryde_num_i64(v.text, 0, INT64_MAX / 4, &n);
	return n;
}

bool
ryde_answer_copy(char *to, size_t room, struct ryde_view v)
{
	to[0] = '\0';
	if (v.n >= room)
		return false;
	if (v.n > 0)
		memcpy(to, v.p, v.n);
	to[v.n] = '\0';
	return true;
}
