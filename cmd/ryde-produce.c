/* ryde-produce: lines into a stream. */
#include "cli.h"

#include "base/num.h"
#include "base/waits.h"
#include "engine/produce.h"
#include "flow/intake.h"
#include "line/writer.h"

#include <string.h>
#include <unistd.h>

static struct cli cli;

static void
tick(void *arg, struct ryde_waits *w)
{
	cli_tick(arg, w);
}

/* "500/s" or "500". */
static int64_t
rate_of(const char *text)
{
	struct ryde_view v = ryde_view_of(text);
	int64_t rate;

	if (v.n > 2 && strcmp(v.p + v.n - 2, "/s") == 0)
		v.n -= 2;
	if (!ryde_num_i64(v, 1, INT64_C(1000000000), &rate))
		cli_usage(&cli, "--rate: '%s' is no rate such as 500/s", text);
	return rate;
}

int
main(int argc, char **argv)
{
	struct ryde_produce_opts o = {.linger_ms = 100};
	const char *rate = NULL;
	const struct ryde_opt options[] = {
	    {"key", 'k', RYDE_OPT_STRING, &o.key, "PATH",
		"partition key: a field of the payload", 0, 0},
	    {"hash-key", 0, RYDE_OPT_STRING, &o.hash_key, "PATH",
		"explicit hash key: a field of the payload", 0, 0},
	    {"batch-size", 0, RYDE_OPT_INT, &o.batch_size, "N",
		"records in a batch, at most (as many as are at hand)", 1, 500},
	    {"linger", 0, RYDE_OPT_DURATION, &o.linger_ms, "DURATION",
		"how long a batch waits for more (100ms)", 0, 0},
	    {"rate", 0, RYDE_OPT_STRING, &rate, "N/s", "at most N records a second", 0,
		0},
	    {"ordered", 0, RYDE_OPT_FLAG, &o.ordered, NULL,
		"strict order also where a request fails in part", 0, 0},
	    {"newline", 0, RYDE_OPT_FLAG, &o.newline, NULL,
		"end each record with a newline", 0, 0},
	    {"aggregate", 0, RYDE_OPT_FLAG, &o.aggregate, NULL,
		"pack lines for one shard into one record, as the KPL does", 0, 0},
	    {"receipts", 0, RYDE_OPT_FLAG, &o.receipts, NULL,
		"print where each line went", 0, 0},
	    {"dry-run", 0, RYDE_OPT_FLAG, &o.dry_run, NULL,
		"print what would be sent, and send nothing", 0, 0},
	};
	const struct cli_program program = {.name = "ryde-produce",
	    .synopsis = "[OPTION...] STREAM [FILE...]",
	    .about = "Writes each line's payload as one record of STREAM, durably, and "
		     "acknowledges it.",
	    .examples = {"ryde-unicorn -n Shadowfax | ryde-produce -k .Name wildrydes",
		"zcat fixes.ndjson.gz | ryde-produce -k .Name --rejects bad.ndjson gps"},
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .reads_lines = true,
	    .is_sink = true,
	    .min_operands = 1,
	    .max_operands = -1};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake_opts in = {.role = RYDE_ACK_SINK, .program = "ryde-produce"};
	int status = RYDE_ESOFTWARE;

	cli_start(&cli, &program, argc, argv);
	if (rate != NULL)
		o.rate_per_s = rate_of(rate);
	cli_input(&cli, 1, &in);
	o.store = &cli.store;
	o.stream = cli.operands[0];
	o.retry_for_ms = cli.retry_for_ms;
	o.books = &cli.books;
	o.tick = tick;
	o.arg = &cli;
	o.out = ryde_writer_new(STDOUT_FILENO, &err);
	o.intake = o.out != NULL ? ryde_intake_new(&in, &err) : NULL;
	if (o.intake == NULL)
		goto out;
	cli_ready(&cli);
	status = ryde_produce(&o, &err);
	if (ryde_writer_closed(o.out))
		cli_finish_closed(&cli);
out:
	ryde_intake_free(o.intake);
	ryde_writer_free(o.out);
	return cli_finish(&cli, status, &err);
}
