#include "base/err.h"
#include "engine/policy_need.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define READ_STREAM                                                                  \
	"kinesis:DescribeStreamSummary kinesis:ListShards kinesis:GetShardIterator " \
	"kinesis:GetRecords"
#define RESHARD "kinesis:DescribeStreamSummary kinesis:ListShards"
#define READ_TABLE "dynamodb:DescribeTable dynamodb:Scan dynamodb:Query"
#define RUN_ATHENA                                             \
	"athena:StartQueryExecution athena:GetQueryExecution " \
	"athena:GetQueryResults athena:StopQueryExecution"
#define POSITIONS                                                       \
	"dynamodb:CreateTable dynamodb:DescribeTable dynamodb:GetItem " \
	"dynamodb:UpdateItem dynamodb:Query "                           \
	"dynamodb:DeleteItem"
#define WRITE_OBJECTS "s3:PutObject s3:GetObject s3:AbortMultipartUpload"
#define SEND "sqs:GetQueueUrl sqs:GetQueueAttributes sqs:SendMessage"
#define LOOK                                                         \
	"sqs:GetQueueUrl sqs:GetQueueAttributes sqs:ReceiveMessage " \
	"sqs:ChangeMessageVisibility"

/* What the text of a rule is. */
enum what {
	NAMED,	     /* a name of the rule's kind */
	PLACE,	     /* s3://bucket/prefix, firehose:name, or a folder */
	DESTINATION, /* s3://…, a path, or a queue */
	STATEMENT,   /* SQL */
	GROUPS,	     /* the table of positions, whatever the text says */
	CONSUMER,    /* a stream, and the consumers that are registered with it */
	CONSUMERS,   /* these alone */
	ENGINE,	     /* who runs SQL */
	EVERYTHING,  /* all of a kind */
};

/* With what program, command and option which text names what. */
static const struct rule {
	const char *program, *command; /* command: its first operand; NULL: it has none */
	const char *option;	       /* only with it; NULL: always */
	int operand; /* which one has the text; -1: the option's value */
	enum what what;
	enum ryde_policy_kind kind;
	const char *actions;
} rules[] = {
    {"ryde-produce", NULL, NULL, 0, NAMED, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamSummary kinesis:ListShards kinesis:PutRecords"},
    {"ryde-consume", NULL, NULL, 0, NAMED, RYDE_POLICY_STREAM, READ_STREAM},
    {"ryde-consume", NULL, "group", -1, GROUPS, RYDE_POLICY_TABLE, POSITIONS},
    {"ryde-consume", NULL, "fan-out", 0, CONSUMER, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamConsumer kinesis:SubscribeToShard"},
    {"ryde-put", NULL, NULL, 0, NAMED, RYDE_POLICY_TABLE,
	"dynamodb:DescribeTable dynamodb:BatchWriteItem"},
    {"ryde-process", NULL, "invoke", -1, NAMED, RYDE_POLICY_FUNCTION,
	"lambda:InvokeFunction"},
    {"ryde-process", NULL, "on-failure", -1, DESTINATION, RYDE_POLICY_QUEUE, SEND},
    {"ryde-archive", NULL, NULL, 0, PLACE, RYDE_POLICY_BUCKET, NULL},
    {"ryde-dlq", "list", NULL, 1, NAMED, RYDE_POLICY_QUEUE, LOOK},
    {"ryde-dlq", "read", NULL, 1, NAMED, RYDE_POLICY_QUEUE, LOOK},
    {"ryde-dlq", "read", NULL, 1, EVERYTHING, RYDE_POLICY_STREAM, READ_STREAM},
    {"ryde-dlq", "redrive", NULL, 1, NAMED, RYDE_POLICY_QUEUE,
	LOOK " sqs:DeleteMessage sqs:SendMessage"},
    {"ryde-dlq", "redrive", NULL, 1, EVERYTHING, RYDE_POLICY_STREAM, READ_STREAM},
    {"ryde-dlq", "delete", NULL, 1, NAMED, RYDE_POLICY_QUEUE, LOOK " sqs:DeleteMessage"},
    {"ryde-dlq", "count", NULL, 1, NAMED, RYDE_POLICY_QUEUE,
	"sqs:GetQueueUrl sqs:GetQueueAttributes"},
    {"ryde-dlq", "purge", NULL, 1, NAMED, RYDE_POLICY_QUEUE,
	"sqs:GetQueueUrl sqs:GetQueueAttributes sqs:PurgeQueue"},
    {"ryde-query", NULL, NULL, 0, STATEMENT, RYDE_POLICY_TABLE, NULL},
    {"ryde-query", NULL, "engine", -1, ENGINE, RYDE_POLICY_ANY, NULL},
    {"ryde-query", NULL, "file", -1, EVERYTHING, RYDE_POLICY_TABLE, READ_TABLE},
    {"ryde-query", NULL, "file", -1, EVERYTHING, RYDE_POLICY_STREAM, READ_STREAM},
    {"ryde-admin", "create stream", NULL, 2, NAMED, RYDE_POLICY_STREAM,
	"kinesis:CreateStream kinesis:DescribeStreamSummary"},
    {"ryde-admin", "create stream", "retention", 2, NAMED, RYDE_POLICY_STREAM,
	"kinesis:IncreaseStreamRetentionPeriod"},
    {"ryde-admin", "create table", NULL, 2, NAMED, RYDE_POLICY_TABLE,
	"dynamodb:CreateTable dynamodb:DescribeTable"},
    {"ryde-admin", "create queue", NULL, 2, NAMED, RYDE_POLICY_QUEUE,
	"sqs:CreateQueue sqs:GetQueueUrl"},
    {"ryde-admin", "split", NULL, 1, NAMED, RYDE_POLICY_STREAM,
	RESHARD " kinesis:SplitShard"},
    {"ryde-admin", "merge", NULL, 1, NAMED, RYDE_POLICY_STREAM,
	RESHARD " kinesis:MergeShards"},
    {"ryde-admin", "reshard", NULL, 1, NAMED, RYDE_POLICY_STREAM,
	RESHARD " kinesis:UpdateShardCount"},
    {"ryde-admin", "fan-out", NULL, 1, CONSUMER, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamConsumer"},
    {"ryde-admin", "list consumers", NULL, 2, NAMED, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamSummary kinesis:ListStreamConsumers"},
    {"ryde-admin", "delete consumer", NULL, 2, NAMED, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamSummary kinesis:DescribeStreamConsumer "
	"kinesis:DeregisterStreamConsumer"},
    {"ryde-admin", "delete consumer", NULL, 2, CONSUMERS, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamConsumer kinesis:DeregisterStreamConsumer"},
    {"ryde-admin", "delete stream", NULL, 2, NAMED, RYDE_POLICY_STREAM,
	"kinesis:DeleteStream kinesis:DescribeStreamSummary"},
    {"ryde-admin", "delete stream", NULL, 2, GROUPS, RYDE_POLICY_TABLE,
	"dynamodb:Query dynamodb:DeleteItem"},
    {"ryde-admin", "delete table", NULL, 2, NAMED, RYDE_POLICY_TABLE,
	"dynamodb:DeleteTable"},
    {"ryde-admin", "delete queue", NULL, 2, NAMED, RYDE_POLICY_QUEUE,
	"sqs:DeleteQueue sqs:GetQueueUrl"},
    {"ryde-admin", "list", NULL, 0, NAMED, RYDE_POLICY_ANY,
	"kinesis:ListStreams dynamodb:ListTables sqs:ListQueues"},
    {"ryde-admin", "list", NULL, 0, GROUPS, RYDE_POLICY_TABLE, "dynamodb:Query"},
    {"ryde-admin", "describe", NULL, 1, NAMED, RYDE_POLICY_STREAM,
	"kinesis:DescribeStreamSummary kinesis:ListShards"},
    {"ryde-admin", "describe", NULL, 1, NAMED, RYDE_POLICY_TABLE,
	"dynamodb:DescribeTable"},
    {"ryde-admin", "describe", NULL, 1, NAMED, RYDE_POLICY_QUEUE,
	"sqs:GetQueueUrl sqs:GetQueueAttributes"},
    {"ryde-admin", "describe", NULL, 1, GROUPS, RYDE_POLICY_TABLE, "dynamodb:Query"},
    {"ryde-admin", "positions", NULL, 1, NAMED, RYDE_POLICY_STREAM, READ_STREAM},
    {"ryde-admin", "positions", NULL, 1, GROUPS, RYDE_POLICY_TABLE, POSITIONS},
};

/* True where the first operands are the words of a rule's command. */
static int
is_command(const struct ryde_policy_stage *s, const char *command)
{
	int i = 0;

	while (command != NULL && *command != '\0') {
		size_t n = strcspn(command, " ");

		if (i == s->n_operands || strlen(s->operands[i]) != n ||
		    strncmp(s->operands[i], command, n) != 0)
			return 0;
		command += n + (command[n] == ' ');
		i++;
	}
	return 1;
}

/* ---- places ---- */

static int
bucket(
    struct ryde_policy *p, const char *place, const char *actions, struct ryde_err *err)
{
	int n = (int)strcspn(place, "/");
	char text[400];

	(void)snprintf(text, sizeof(text), "%.*s", n, place);
	if (ryde_policy_need(p, RYDE_POLICY_BUCKET, text, "s3:ListBucket", err) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "%.*s/%.300s*", n, place,
	    place[n] == '/' ? place + n + 1 : "");
	return ryde_policy_need(p, RYDE_POLICY_BUCKET, text, actions, err);
}

static int
place(struct ryde_policy *p, const char *text, struct ryde_err *err)
{
	if (strncmp(text, "s3://", 5) == 0)
		return bucket(p, text + 5, WRITE_OBJECTS, err);
	if (strncmp(text, "firehose:", 9) == 0)
		return ryde_policy_need(
		    p, RYDE_POLICY_DELIVERY, text + 9, "firehose:PutRecordBatch", err);
	return 0;
}

/* ---- SQL: what stands behind FROM and JOIN ---- */

static int
is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static int
source(struct ryde_policy *p, const char *from, size_t n, const char *engine,
    struct ryde_err *err)
{
	char name[1200];

	if (n == 0 || n >= sizeof(name) || (n == 1 && *from == '-'))
		return 0;
	(void)snprintf(name, sizeof(name), "%.*s", (int)n, from);
	if (strcmp(engine, "dynamodb") == 0)
		return ryde_policy_need(p, RYDE_POLICY_TABLE, name,
		    "dynamodb:DescribeTable dynamodb:Query dynamodb:PartiQLSelect", err);
	if (strncmp(name, "s3://", 5) == 0)
		return bucket(p, name + 5, "s3:GetObject", err);
	if (strchr(name, '/') != NULL)
		return 0;
	/* it may be either: only AWS knows */
	if (ryde_policy_need(p, RYDE_POLICY_TABLE, name, READ_TABLE, err) != 0)
		return -1;
	return ryde_policy_need(p, RYDE_POLICY_STREAM, name, READ_STREAM, err);
}

static int
statement(
    struct ryde_policy *p, const char *sql, const char *engine, struct ryde_err *err)
{
	int expects = 0;

	while (*sql != '\0') {
		size_t n = 0;

		if (*sql == '\'' || *sql == '"') {
			const char *end = strchr(sql + 1, *sql);

			n = end != NULL ? (size_t)(end - sql - 1) : strlen(sql + 1);
			if (expects && *sql == '"' &&
			    source(p, sql + 1, n, engine, err) != 0)
				return -1;
			sql += n + 1 + (end != NULL);
			expects = 0;
			continue;
		}
		while (is_name(sql[n]))
			n++;
		if (n > 0) {
			if (expects && source(p, sql, n, engine, err) != 0)
				return -1;
			expects = (n == 4 && (strncasecmp(sql, "from", 4) == 0 ||
						 strncasecmp(sql, "join", 4) == 0));
			sql += n;
			continue;
		}
		if (*sql == '(')
			expects = 0;
		sql++;
	}
	return 0;
}

static int
consumers(
    struct ryde_policy *p, const struct rule *r, const char *stream, struct ryde_err *err)
{
	char text[400];

	if (strncmp(stream, "local:", 6) == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%.300s/consumer/*", stream);
	return ryde_policy_need(p, r->kind, text, r->actions, err);
}

static int
consumer(
    struct ryde_policy *p, const struct rule *r, const char *stream, struct ryde_err *err)
{
	if (strncmp(stream, "local:", 6) == 0)
		return 0;
	if (ryde_policy_need(p, r->kind, stream,
		"kinesis:DescribeStreamSummary kinesis:RegisterStreamConsumer "
		"kinesis:DescribeStreamConsumer",
		err) != 0)
		return -1;
	return consumers(p, r, stream, err);
}

/* What Athena itself needs; the places of its tables only their owner knows. */
static int
athena(struct ryde_policy *p, const struct ryde_policy_stage *s, struct ryde_err *err)
{
	const char *workgroup = ryde_policy_option(s, "workgroup");
	const char *results = ryde_policy_option(s, "results");

	if (ryde_policy_need(p, RYDE_POLICY_WORKGROUP,
		workgroup != NULL ? workgroup : "primary", RUN_ATHENA, err) != 0 ||
	    ryde_policy_need(p, RYDE_POLICY_ANY, "*",
		"glue:GetDatabase glue:GetTable glue:GetPartitions", err) != 0)
		return -1;
	if (results == NULL || strncmp(results, "s3://", 5) != 0)
		return 0;
	return bucket(p, results + 5, WRITE_OBJECTS, err);
}

static const char *
engine_of(const struct ryde_policy_stage *s)
{
	const char *engine = ryde_policy_option(s, "engine");

	return engine != NULL ? engine : "";
}

/* ---- all of it ---- */

static int
apply(struct ryde_policy *p, const struct rule *r, const struct ryde_policy_stage *s,
    const char *text, struct ryde_err *err)
{
	const char *groups = getenv("RYDE_POSITIONS");

	switch (r->what) {
	case NAMED:
		return ryde_policy_need(p, r->kind, text, r->actions, err);
	case PLACE:
		return place(p, text, err);
	case DESTINATION:
		if (strncmp(text, "s3://", 5) == 0)
			return bucket(p, text + 5, WRITE_OBJECTS, err);
		return strchr(text, '/') != NULL
			   ? 0
			   : ryde_policy_need(p, r->kind, text, r->actions, err);
	case STATEMENT:
		return statement(p, text, engine_of(s), err);
	case ENGINE:
		return strcmp(text, "athena") == 0 ? athena(p, s, err) : 0;
	case GROUPS:
		return ryde_policy_need(p, r->kind,
		    groups != NULL && groups[0] != '\0' ? groups : "ryde-positions",
		    r->actions, err);
	case CONSUMER:
		return consumer(p, r, text, err);
	case CONSUMERS:
		return consumers(p, r, text, err);
	case EVERYTHING:
		return ryde_policy_need(p, r->kind, "*", r->actions, err);
	}
	return 0;
}

/* A group of a local stream has its positions there. */
static int
is_local(const struct rule *r, const struct ryde_policy_stage *s)
{
	const char *name = r->operand >= 0     ? s->operands[r->operand]
			   : s->n_operands > 0 ? s->operands[0]
					       : "";

	return (r->what == GROUPS || r->what == EVERYTHING) &&
	       strncmp(name, "local:", 6) == 0;
}

int
ryde_policy_rules(
    struct ryde_policy *p, const struct ryde_policy_stage *s, struct ryde_err *err)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];
		const char *value =
		    r->option != NULL ? ryde_policy_option(s, r->option) : NULL;

		if (strcmp(r->program, s->program) != 0 || !is_command(s, r->command) ||
		    (r->option != NULL && value == NULL) || r->operand >= s->n_operands ||
		    is_local(r, s))
			continue;
		/* the SQL's place is free where it comes from a file; what Athena's
		 * names mean is Glue's affair */
		if (r->what == STATEMENT && (ryde_policy_option(s, "file") != NULL ||
						strcmp(engine_of(s), "athena") == 0))
			continue;
		if (apply(p, r, s, r->operand >= 0 ? s->operands[r->operand] : value,
			err) != 0)
			return -1;
	}
	return 0;
}
