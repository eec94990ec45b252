/* ryde-admin: creates, lists, describes and deletes what the other programs read and
 * write. */
#include "aws/whoami.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/timestamp.h"
#include "cli.h"
#include "engine/admin.h"
#include "engine/outlet.h"
#include "engine/policy.h"
#include "line/writer.h"
#include "store/catalog.h"

#include <string.h>
#include <unistd.h>

#define SHARDS_MAX 10000
#define LAGS 1 /* the exit status of --max-lag */

static struct cli cli;
static struct {
	int64_t shards, retention_ms, max_lag_ms;
	const char *key, *sort, *reset;
	bool delete, verify;
} opt = {.max_lag_ms = -1};

static const struct ryde_opt options[] = {
    {"shards", 0, RYDE_OPT_INT, &opt.shards, "N", "create stream: number of shards (1)",
	1, SHARDS_MAX},
    {"retention", 0, RYDE_OPT_DURATION, &opt.retention_ms, "DURATION",
	"create stream: how long records are kept (for ever)", 1, 0},
    {"key", 0, RYDE_OPT_STRING, &opt.key, "FIELD",
	"create table: the field that tells items apart", 0, 0},
    {"sort", 0, RYDE_OPT_STRING, &opt.sort, "FIELD",
	"create table: a second key field, by which items are sorted", 0, 0},
    {"reset", 0, RYDE_OPT_STRING, &opt.reset, "start|end|TIME",
	"positions: go on from there", 0, 0},
    {"delete", 0, RYDE_OPT_FLAG, &opt.delete, NULL, "positions: forget the group", 0, 0},
    {"max-lag", 0, RYDE_OPT_DURATION, &opt.max_lag_ms, "DURATION",
	"positions: exit 1 when the group is further behind", 0, 0},
    {"verify", 0, RYDE_OPT_FLAG, &opt.verify, NULL,
	"whoami: ask AWS who these credentials are", 0, 0},
};

static const struct cli_program program = {
    .name = "ryde-admin",
    .synopsis =
	"create stream NAME [--shards N] [--retention D]\n"
	"       ryde-admin create table NAME --key FIELD [--sort FIELD]\n"
	"       ryde-admin create queue NAME\n"
	"       ryde-admin list [streams|tables|queues|groups]\n"
	"       ryde-admin list consumers STREAM\n"
	"       ryde-admin describe NAME\n"
	"       ryde-admin delete stream|table|queue NAME\n"
	"       ryde-admin delete consumer STREAM CONSUMER\n"
	"       ryde-admin split STREAM SHARD\n"
	"       ryde-admin merge STREAM SHARD SHARD\n"
	"       ryde-admin reshard STREAM N\n"
	"       ryde-admin fan-out STREAM CONSUMER\n"
	"       ryde-admin positions STREAM GROUP [--reset start|end|TIME] [--delete]\n"
	"                            [--max-lag D]\n"
	"       ryde-admin whoami [--verify]\n"
	"       ryde-admin policy -- COMMAND-LINE...",
    .about =
	"Creates, lists, describes, reshards and deletes streams, tables and queues, "
	"and shows\n"
	"and sets how far the groups of a stream have read. Prints one JSON object per "
	"line.",
    .examples = {"ryde-admin create table UnicornSensorData --key Name --sort StatusTime",
	"ryde-admin positions wildrydes store --max-lag 5m"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .min_operands = 1,
    .max_operands = -1,
};

/* Options that belong to another command are mistakes, and so is a wrong number of
 * operands. */
static void
check(int operands, bool for_stream, bool for_table, bool for_positions)
{
	if (cli.n_operands != operands)
		cli_usage(&cli, "%s: %s", cli.operands[0],
		    cli.n_operands < operands ? "an operand is missing"
					      : "an operand too many");
	if (!for_stream && (opt.shards > 0 || opt.retention_ms > 0))
		cli_usage(&cli, "--shards and --retention are for create stream");
	if (!for_table && (opt.key != NULL || opt.sort != NULL))
		cli_usage(&cli, "--key and --sort are for create table");
	if (!for_positions && (opt.reset != NULL || opt.delete || opt.max_lag_ms >= 0))
		cli_usage(&cli, "--reset, --delete and --max-lag are for positions");
	if (opt.verify && strcmp(cli.operands[0], "whoami") != 0)
		cli_usage(&cli, "--verify is for whoami");
}

static bool
is(int operand, const char *word)
{
	return operand < cli.n_operands && strcmp(cli.operands[operand], word) == 0;
}

static int
create(struct ryde_buf *out, struct ryde_err *err)
{
	(void)out;
	check(3, is(1, "stream"), is(1, "table"), false);
	if (is(1, "stream"))
		return ryde_catalog_create_stream(&cli.store, cli.operands[2],
		    opt.shards > 0 ? (int)opt.shards : 1, opt.retention_ms, err);
	if (is(1, "queue"))
		return ryde_catalog_create_queue(&cli.store, cli.operands[2], err);
	if (!is(1, "table"))
		cli_usage(&cli, "create: '%s' is none of stream, table, queue",
		    cli.operands[1]);
	if (opt.key == NULL)
		cli_usage(&cli, "create table: --key FIELD is missing");
	if (opt.key[0] == '\0' || (opt.sort != NULL && opt.sort[0] == '\0'))
		cli_usage(&cli, "create table: a key field has a name");
	if (opt.sort != NULL && strcmp(opt.key, opt.sort) == 0)
		cli_usage(&cli, "create table: --key and --sort are the same field");
	return ryde_catalog_create_table(
	    &cli.store, cli.operands[2], opt.key, opt.sort, err);
}

static int
list(struct ryde_buf *out, struct ryde_err *err)
{
	static const char *const kinds[] = {"streams", "tables", "queues"};
	bool all = cli.n_operands == 1, known = all || is(1, "groups");

	if (is(1, "consumers")) {
		check(3, false, false, false);
		return ryde_admin_list_consumers(&cli.store, cli.operands[2], out, err);
	}
	check(all ? 1 : 2, false, false, false);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!all && !is(1, kinds[i]))
			continue;
		known = true;
		if (ryde_admin_list(&cli.store, kinds[i], out, err) != 0)
			return -1;
	}
	if (!known)
		cli_usage(&cli,
		    "list: '%s' is none of streams, tables, queues, groups, consumers",
		    cli.operands[1]);
	if (all || is(1, "groups"))
		return ryde_admin_list_groups(&cli.store, out, err);
	return 0;
}

static int
describe(struct ryde_buf *out, struct ryde_err *err)
{
	check(2, false, false, false);
	return ryde_admin_describe(&cli.store, cli.operands[1], out, err);
}

static int delete (struct ryde_buf *out, struct ryde_err *err)
{
	enum ryde_catalog_kind kind = RYDE_CATALOG_STREAM;

	(void)out;
	if (is(1, "consumer")) {
		check(4, false, false, false);
		return ryde_admin_delete_consumer(
		    &cli.store, cli.operands[2], cli.operands[3], err);
	}
	check(3, false, false, false);
	if (is(1, "table"))
		kind = RYDE_CATALOG_TABLE;
	else if (is(1, "queue"))
		kind = RYDE_CATALOG_QUEUE;
	else if (!is(1, "stream"))
		cli_usage(&cli, "delete: '%s' is none of stream, table, queue, consumer",
		    cli.operands[1]);
	return ryde_catalog_delete(&cli.store, kind, cli.operands[2], err);
}

static int
split(struct ryde_buf *out, struct ryde_err *err)
{
	(void)out;
	check(3, false, false, false);
	return ryde_catalog_split(&cli.store, cli.operands[1], cli.operands[2], err);
}

static int
merge(struct ryde_buf *out, struct ryde_err *err)
{
	(void)out;
	check(4, false, false, false);
	return ryde_catalog_merge(
	    &cli.store, cli.operands[1], cli.operands[2], cli.operands[3], err);
}

static int
reshard(struct ryde_buf *out, struct ryde_err *err)
{
	int64_t n;

	(void)out;
	check(3, false, false, false);
	if (!ryde_num_i64(ryde_view_of(cli.operands[2]), 1, SHARDS_MAX, &n))
		cli_usage(&cli, "reshard: '%s' is no number of shards from 1 to %d",
		    cli.operands[2], SHARDS_MAX);
	return ryde_catalog_reshard(&cli.store, cli.operands[1], (int)n, err);
}

static int
fan_out(struct ryde_buf *out, struct ryde_err *err)
{
	check(3, false, false, false);
	return ryde_admin_fan_out(&cli.store, cli.operands[1], cli.operands[2], out, err);
}

static int
reset(struct ryde_err *err)
{
	struct ryde_stream_start start = {.kind = RYDE_START_TIME};

	if (strcmp(opt.reset, "start") == 0)
		start.kind = RYDE_START_HORIZON;
	else if (strcmp(opt.reset, "end") == 0)
		start.kind = RYDE_START_LATEST;
	else if (!ryde_timestamp_parse(ryde_view_of(opt.reset), &start.at_ms))
		cli_usage(
		    &cli, "--reset: '%s' is neither start nor end nor a time", opt.reset);
	return ryde_admin_reset(
	    &cli.store, cli.operands[1], cli.operands[2], &start, err);
}

/* 1 where the group lags. */
static int
positions(struct ryde_buf *out, struct ryde_err *err)
{
	int64_t lag_ms;

	check(3, false, false, true);
	if (opt.delete &&(opt.reset != NULL || opt.max_lag_ms >= 0))
		cli_usage(&cli, "--delete stands alone");
	if (opt.delete)
		return ryde_admin_forget(
		    &cli.store, cli.operands[1], cli.operands[2], err);
	if (opt.reset != NULL && reset(err) != 0)
		return -1;
	if (ryde_admin_positions(
		&cli.store, cli.operands[1], cli.operands[2], out, &lag_ms, err) != 0)
		return -1;
	return opt.max_lag_ms >= 0 && lag_ms > opt.max_lag_ms ? LAGS : 0;
}

static int
whoami(struct ryde_buf *out, struct ryde_err *err)
{
	check(1, false, false, false);
	return ryde_aws_whoami(&cli.store, opt.verify, out, err);
}

static int
policy(struct ryde_buf *out, struct ryde_err *err)
{
	char region[64];
	struct ryde_policy *p;
	int rc;

	check(cli.n_operands, false, false, false);
	if (cli.dashes != 1 || cli.n_operands < 2)
		cli_usage(&cli, "policy: put the command line behind --");
	p = ryde_policy_new(
	    ryde_aws_whoami_region(&cli.store, region, sizeof(region)) ? region : NULL,
	    err);
	if (p == NULL)
		return -1;
	rc = ryde_policy_read(p, cli.operands + 1, (size_t)cli.n_operands - 1, err);
	if (rc == 0)
		rc = ryde_policy_print(p, out, err);
	ryde_policy_free(p);
	return rc;
}

static int
run(struct ryde_buf *out, struct ryde_err *err)
{
	static const struct {
		const char *name;
		int (*run)(struct ryde_buf *out, struct ryde_err *err);
	} commands[] = {
	    {"create", create},
	    {"list", list},
	    {"describe", describe},
	    {"delete", delete},
	    {"split", split},
	    {"merge", merge},
	    {"reshard", reshard},
	    {"fan-out", fan_out},
	    {"positions", positions},
	    {"whoami", whoami},
	    {"policy", policy},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is(0, commands[i].name))
			return commands[i].run(out, err);
	cli_usage(&cli,
	    "'%s' is none of create, list, describe, delete, split, merge, reshard, "
	    "fan-out, positions, whoami, policy",
	    cli.operands[0]);
}

int
main(int argc, char **argv)
{
	static struct ryde_writer
	    *w; /* what is wrong with a command line ends us anywhere */
	struct ryde_err err = RYDE_ERR_INIT;
	bool closed = false;
	int rc = 0;

	cli_start(&cli, &program, argc, argv);
	w = ryde_writer_new(STDOUT_FILENO, &err);
	if (w == NULL)
		goto out;
	rc = run(ryde_writer_buf(w), &err);
	/* whoami says what it has found out also where something is wrong */
	if (rc >= 0)
		(void)ryde_outlet_drain(w, cli.grace_ms, &err);
	else if (is(0, "whoami"))
		(void)ryde_outlet_drain(w, cli.grace_ms, NULL);
	closed = ryde_writer_closed(w);
out:
	ryde_writer_free(w);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, rc > 0 ? rc : 0, &err);
}
