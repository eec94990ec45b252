#include "engine/policy.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/policy_need.h"
#include "json/string.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 64
#define ARN_MAX 512
#define ACTIONS_MAX 1024

struct resource {
	char arn[ARN_MAX];
	char
	    actions[ACTIONS_MAX]; /* "kinesis:PutRecords kinesis:ListShards", each once */
};

struct ryde_policy {
	char region[64];
	const char *partition;
	struct resource resources[RESOURCES_MAX];
	size_t n;
};

struct ryde_policy *
ryde_policy_new(const char *region, struct ryde_err *err)
{
	struct ryde_policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	(void)snprintf(p->region, sizeof(p->region), "%s", region != NULL ? region : "*");
	p->partition = strncmp(p->region, "cn-", 3) == 0       ? "aws-cn"
		       : strncmp(p->region, "us-gov-", 7) == 0 ? "aws-us-gov"
							       : "aws";
	return p;
}

void
ryde_policy_free(struct ryde_policy *p)
{
	free(p);
}

/* ---- resources ---- */

static bool
has_word(const char *words, const char *word, size_t n)
{
	for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
		if ((at == words || at[-1] == ' ') && strncmp(at, word, n) == 0 &&
		    (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static int
add_actions(struct resource *r, const char *actions, struct ryde_err *err)
{
	while (*actions != '\0') {
		size_t n = strcspn(actions, " "), had = strlen(r->actions);
		char word[80];

		(void)snprintf(word, sizeof(word), "%.*s", (int)n, actions);
		if (!has_word(r->actions, word, n)) {
			if (had + n + 2 > sizeof(r->actions))
				return ryde_err_set(err, RYDE_ESOFTWARE,
				    "too many actions on %.100s", r->arn);
			(void)snprintf(r->actions + had, sizeof(r->actions) - had, "%s%s",
			    had > 0 ? " " : "", word);
		}
		actions += n + (actions[n] == ' ');
	}
	return 0;
}

static int
need(struct ryde_policy *p, const char *arn, const char *actions, struct ryde_err *err)
{
	struct resource *r = p->resources;

	while (r < p->resources + p->n && strcmp(r->arn, arn) != 0)
		r++;
	if (r == p->resources + RESOURCES_MAX)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "more than %d resources in one command line", RESOURCES_MAX);
	if (r == p->resources + p->n) {
		p->n++;
		(void)snprintf(r->arn, sizeof(r->arn), "%s", arn);
	}
	return add_actions(r, actions, err);
}

/* A name without "aws:"; NULL where it is not on AWS. */
static const char *
on_aws(const char *name)
{
	if (strncmp(name, "local:", 6) == 0 || name[0] == '\0')
		return NULL;
	return strncmp(name, "aws:", 4) == 0 ? name + 4 : name;
}

int
ryde_policy_need(struct ryde_policy *p, enum ryde_policy_kind kind, const char *text,
    const char *actions, struct ryde_err *err)
{
	const char *name = on_aws(text), *region = p->region;
	char arn[ARN_MAX];

	if (name == NULL)
		return 0;
	switch (kind) {
	case RYDE_POLICY_STREAM:
		(void)snprintf(arn, sizeof(arn), "arn:%s:kinesis:%s:*:stream/%.200s",
		    p->partition, region, name);
		break;
	case RYDE_POLICY_TABLE:
		(void)snprintf(arn, sizeof(arn), "arn:%s:dynamodb:%s:*:table/%.200s",
		    p->partition, region, name);
		break;
	case RYDE_POLICY_QUEUE:
		(void)snprintf(arn, sizeof(arn), "arn:%s:sqs:%s:*:%.200s", p->partition,
		    region, name);
		break;
	case RYDE_POLICY_DELIVERY:
		(void)snprintf(arn, sizeof(arn),
		    "arn:%s:firehose:%s:*:deliverystream/%.200s", p->partition, region,
		    name);
		break;
	case RYDE_POLICY_BUCKET:
		(void)snprintf(
		    arn, sizeof(arn), "arn:%s:s3:::%.300s", p->partition, name);
		break;
	case RYDE_POLICY_WORKGROUP:
		(void)snprintf(arn, sizeof(arn), "arn:%s:athena:%s:*:workgroup/%.200s",
		    p->partition, region, name);
		break;
	case RYDE_POLICY_FUNCTION:
		(void)snprintf(arn, sizeof(arn), "arn:%s:lambda:%s:*:function:%.200s",
		    p->partition, region, name);
		break;
	case RYDE_POLICY_ANY:
		(void)snprintf(arn, sizeof(arn), "*");
		break;
	}
	return need(p, strncmp(name, "arn:", 4) == 0 ? name : arn, actions, err);
}

/* ---- printing ---- */

static void
put_actions(struct ryde_buf *out, const char *actions)
{
	const char *comma = "";

	while (*actions != '\0') {
		size_t n = strcspn(actions, " ");

		ryde_buf_puts(out, comma);
		ryde_json_string_put(out, ryde_view_mem(actions, n));
		comma = ",";
		actions += n + (actions[n] == ' ');
	}
}

int
ryde_policy_print(const struct ryde_policy *p, struct ryde_buf *out, struct ryde_err *err)
{
	ryde_buf_puts(out, "{\"Version\":\"2012-10-17\",\"Statement\":[");
	for (size_t i = 0; i < p->n; i++) {
		ryde_buf_printf(
		    out, "%s{\"Effect\":\"Allow\",\"Action\":[", i > 0 ? "," : "");
		put_actions(out, p->resources[i].actions);
		ryde_buf_puts(out, "],\"Resource\":");
		ryde_json_string_put(out, ryde_view_of(p->resources[i].arn));
		ryde_buf_putc(out, '}');
	}
	ryde_buf_puts(out, "]}\n");
	return ryde_buf_check(out, err);
}
