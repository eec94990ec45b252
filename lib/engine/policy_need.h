/* What a policy is made of. Private to the policy's files. */
#ifndef RYDE_ENGINE_POLICY_NEED_H
#define RYDE_ENGINE_POLICY_NEED_H

struct ryde_err;
struct ryde_policy;

enum ryde_policy_kind {
	RYDE_POLICY_STREAM,
	RYDE_POLICY_TABLE,
	RYDE_POLICY_QUEUE,
	RYDE_POLICY_DELIVERY,  /* a Firehose stream */
	RYDE_POLICY_BUCKET,    /* "bucket", or "bucket/prefix*" for its objects */
	RYDE_POLICY_WORKGROUP, /* of Athena */
	RYDE_POLICY_FUNCTION,  /* of Lambda */
	RYDE_POLICY_ANY,       /* actions that know no resources */
};

/* Adds actions ("kinesis:PutRecords kinesis:ListShards") on what a name or ARN stands
 * for; nothing for a local name. */
int ryde_policy_need(struct ryde_policy *p, enum ryde_policy_kind kind, const char *text,
    const char *actions, struct ryde_err *err);

/* One program of a command line, its options apart from its operands. */
struct ryde_policy_stage {
	const char *program;
	const char *operands[64];
	int n_operands;
	struct {
		const char *name, *value; /* value "" of a flag */
	} options[64];
	int n_options;
};

/* The value of an option; NULL where it is not given. */
const char *ryde_policy_option(const struct ryde_policy_stage *stage, const char *name);
/* Adds what the stage needs. */
int ryde_policy_rules(
    struct ryde_policy *p, const struct ryde_policy_stage *stage, struct ryde_err *err);

#endif
