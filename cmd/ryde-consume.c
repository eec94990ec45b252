/* ryde-consume: a stream into lines. */
#include "cli.h"

#include "base/waits.h"
#include "engine/consume.h"

#include <stdio.h>
#include <string.h>

static struct cli cli;

static void
tick(void *arg, struct ryde_waits *w, int64_t lag_ms)
{
	char text[64];

	if (lag_ms >= 0) {
		(void)snprintf(text, sizeof(text), "lag %.1f s", (double)lag_ms / 1000.0);
		cli_note(arg, text);
	}
	cli_tick(arg, w);
}

static void
ready(void *arg)
{
	cli_ready(arg);
}

#define ABOUT                                                                            \
	"Prints the records of STREAM as they arrive: payloads, or envelopes with -e "   \
	"or -g.\nWith -g the group's position moves when the end of the pipe says that " \
	"lines are done."

/* True where an option of two words is not left at its default. */
static bool
is_other(const char *name, const char *value, const char *usual, const char *other)
{
	if (value == NULL || strcmp(value, usual) == 0)
		return false;
	if (strcmp(value, other) != 0)
		cli_usage(
		    &cli, "%s: '%s' is neither %s nor %s", name, value, usual, other);
	return true;
}

static void
check_group(const struct ryde_consume_opts *o, bool acks, int64_t sinks)
{
	if (acks && o->group == NULL)
		cli_usage(&cli, "--ack moves the position of a group: it needs -g");
	if (o->ack_write && sinks > 1)
		cli_usage(&cli, "--sinks and --ack write exclude each other");
}

/* What has no meaning where others read the same group. */
static void
check_share(const struct ryde_consume_opts *o, size_t n_shards)
{
	if (!o->share)
		return;
	if (o->group == NULL)
		cli_usage(&cli, "--share divides the shards of a group: it needs -g");
	if (n_shards > 0)
		cli_usage(&cli, "--share and --shard exclude each other: which shards a "
				"reader has is settled among all");
	if (o->to != NULL)
		cli_usage(&cli, "--share and --to exclude each other: shards come and go "
				"while the group is read");
	if (o->from != NULL && ryde_consume_from_sequence(o->from))
		cli_usage(&cli,
		    "--share and --from SEQUENCE exclude each other: a sequence "
		    "number is of one shard");
}

int
main(int argc, char **argv)
{
	struct ryde_consume_opts o = {0};
	static struct ryde_strings shards; /* what is wrong with a command line ends us */
	const char *ack = NULL, *deaggregate = NULL;
	bool status_only = false, closed = false;
	int64_t sinks = 1;
	const struct ryde_opt options[] = {
	    {"group", 'g', RYDE_OPT_STRING, &o.group, "GROUP",
		"read as this group, from its position on", 0, 0},
	    {"envelopes", 'e', RYDE_OPT_FLAG, &o.envelopes, NULL,
		"print envelopes instead of payloads", 0, 0},
	    {"marks", 0, RYDE_OPT_FLAG, &o.marks, NULL,
		"print marks also without a group", 0, 0},
	    {"from", 0, RYDE_OPT_STRING, &o.from, "WHERE",
		"start|end|TIME|-DURATION|SEQUENCE", 0, 0},
	    {"to", 0, RYDE_OPT_STRING, &o.to, "WHERE", "TIME|end: stop there", 0, 0},
	    {"count", 'n', RYDE_OPT_INT, &o.count, "COUNT", "stop after COUNT records", 1,
		INT64_MAX},
	    {"shard", 0, RYDE_OPT_STRINGS, &shards, "ID", "only this shard (repeatable)",
		0, 0},
	    {"ack", 0, RYDE_OPT_STRING, &ack, "sink|write",
		"what moves the position (sink)", 0, 0},
	    {"sinks", 0, RYDE_OPT_INT, &sinks, "N", "how many programs acknowledge (1)",
		1, 16},
	    {"share", 0, RYDE_OPT_FLAG, &o.share, NULL,
		"divide the shards among all such readers of the group", 0, 0},
	    {"fan-out", 0, RYDE_OPT_STRING, &o.fan_out, "NAME",
		"have records sent, as this consumer (Kinesis)", 0, 0},
	    {"deaggregate", 0, RYDE_OPT_STRING, &deaggregate, "auto|off",
		"take aggregated records apart (auto)", 0, 0},
	    {"status", 0, RYDE_OPT_FLAG, &status_only, NULL,
		"print each shard's lag and exit", 0, 0},
	};
	const struct cli_program program = {.name = "ryde-consume",
	    .synopsis = "[OPTION...] STREAM",
	    .about = ABOUT,
	    .examples = {"ryde-consume --from start wildrydes | jq .Name",
		"ryde-consume -g store wildrydes | ryde-put UnicornSensorData"},
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .min_operands = 1,
	    .max_operands = 1};
	struct ryde_err err = RYDE_ERR_INIT;
	int status;

	cli_start(&cli, &program, argc, argv);
	o.ack_write = is_other("--ack", ack, "sink", "write");
	o.whole = is_other("--deaggregate", deaggregate, "auto", "off");
	check_group(&o, ack != NULL, sinks);
	check_share(&o, shards.n);
	o.sinks = (int)sinks;
	o.shards = shards.v;
	o.n_shards = shards.n;
	o.store = &cli.store;
	o.stream = cli.operands[0];
	o.grace_ms = cli.grace_ms;
	o.books = &cli.books;
	o.tick = tick;
	o.ready = ready;
	o.arg = &cli;
	if (status_only) {
		(void)ryde_consume_status(&o, &err);
		ryde_strings_free(&shards);
		return cli_finish(&cli, 0, &err);
	}
	status = ryde_consume(&o, &closed, &err);
	ryde_strings_free(&shards);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, status, &err);
}
