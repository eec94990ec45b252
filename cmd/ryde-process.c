/* ryde-process: runs a command for each batch of records. */
#include "base/log.h"
#include "base/num.h"
#include "base/view.h"
#include "cli.h"
#include "engine/process.h"
#include "flow/intake.h"
#include "line/writer.h"

#include <stdlib.h>
#include <unistd.h>

/* Lambda's range of MaximumRecordAgeInSeconds. */
#define MAX_AGE_LEAST_MS 60000
#define MAX_AGE_MOST_MS 604800000

static struct cli cli;
static struct {
	int64_t batch_size, batch_window_ms, batch_bytes, retries, timeout_ms, backoff_ms;
	int64_t tumble_ms, parallel;
	const char *max_age, *invoke, *filter_criteria, *on_failure, *event;
	bool bisect, partial, emit, keep, runtime_api;
} opt = {
    .parallel = 1,
    .batch_size = 100,
    .batch_bytes = 6 << 20,
    .retries = -1,
    .timeout_ms = 60000,
    .backoff_ms = 1000,
    .max_age = "-1",
};

static const struct ryde_opt options[] = {
    {"batch-size", 0, RYDE_OPT_INT, &opt.batch_size, "N", "most records of a batch (100)",
	1, RYDE_PROCESS_BATCH_MAX},
    {"batch-window", 0, RYDE_OPT_DURATION, &opt.batch_window_ms, "D",
	"gather for so long after the previous call (0s: take what is at hand)", 0,
	300000},
    {"batch-bytes", 0, RYDE_OPT_SIZE, &opt.batch_bytes, "SIZE",
	"most bytes of what a call reads (6M)", 1, 64 << 20},
    {"retries", 0, RYDE_OPT_INT, &opt.retries, "N",
	"calls after the first failed one, -1: for ever (-1)", -1, 10000},
    {"max-age", 0, RYDE_OPT_STRING, &opt.max_age, "D",
	"discard records that arrived longer ago, -1: never (-1)", 0, 0},
    {"bisect", 0, RYDE_OPT_FLAG, &opt.bisect, NULL,
	"cut a failed batch in two, down to the record that fails", 0, 0},
    {"partial", 0, RYDE_OPT_FLAG, &opt.partial, NULL,
	"the response names the records that failed (ReportBatchItemFailures)", 0, 0},
    {"tumble", 0, RYDE_OPT_DURATION, &opt.tumble_ms, "D",
	"windows of arrival time with state, up to 15m", 0, 900000},
    {"event", 0, RYDE_OPT_STRING, &opt.event, "ndjson|lambda",
	"what a call reads: payloads, or one Lambda event (ndjson)", 0, 0},
    {"parallel", 0, RYDE_OPT_INT, &opt.parallel, "N",
	"batches of a shard at a time, in order for each partition key (1)", 1, 10},
    {"keep", 0, RYDE_OPT_FLAG, &opt.keep, NULL,
	"keep one COMMAND running and give it batch after batch", 0, 0},
    {"runtime-api", 0, RYDE_OPT_FLAG, &opt.runtime_api, NULL,
	"COMMAND is a Lambda runtime: serve it the Runtime API", 0, 0},
    {"invoke", 0, RYDE_OPT_STRING, &opt.invoke, "NAME|ARN",
	"call this Lambda function of AWS's in place of a command", 0, 0},
    {"filter-criteria", 0, RYDE_OPT_STRING, &opt.filter_criteria, "FILE",
	"only records that match a pattern in it (Lambda's FilterCriteria)", 0, 0},
    {"on-failure", 0, RYDE_OPT_STRING, &opt.on_failure, "QUEUE|PATH|s3://...",
	"keep what is discarded in a queue, a file, a directory, S3", 0, 0},
    {"emit", 0, RYDE_OPT_FLAG, &opt.emit, NULL,
	"print what the command printed, once its batch has succeeded", 0, 0},
    {"timeout", 0, RYDE_OPT_DURATION, &opt.timeout_ms, "D",
	"a call that takes longer is ended, and has failed; 0: none (60s)", 0, 0},
    {"backoff", 0, RYDE_OPT_DURATION, &opt.backoff_ms, "D",
	"delay before the first retry, doubling up to 60s, at random below that (1s)", 0,
	0},
};

static const struct cli_program program = {
    .name = "ryde-process",
    .synopsis =
	"[OPTION...] -- COMMAND [ARG...] | [OPTION...] --invoke FUNCTION [FILE...]",
    .about =
	"Runs COMMAND for each batch of records, one payload a line on its stdin; its "
	"exit\n"
	"status decides. Failed batches are retried, cut in two, kept aside: an event\n"
	"source mapping, as AWS Lambda has it, for any command.",
    .examples =
	{"ryde-consume -g store wildrydes |\n"
	 "      ryde-process --retries 2 --bisect --on-failure wildrydes-queue -- "
	 "ryde-put UnicornSensorData",
	    "ryde-process --emit -- jq -c '{Name, Distance}' < rides.ndjson"},
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .reads_lines = true,
    .is_sink = true,
    .min_operands = 0,
    .max_operands = -1,
};

static void
tick(void *arg, struct ryde_waits *w)
{
	(void)arg;
	cli_tick(&cli, w);
}

/* The command is what stands behind "--"; nothing may stand before it. --invoke has none.
 */
static void
check_command(void)
{
	if (opt.invoke != NULL && cli.dashes >= 0)
		cli_usage(&cli, "--invoke calls a function: it takes no command");
	if (opt.invoke == NULL && (cli.dashes < 0 || cli.n_operands == cli.dashes))
		cli_usage(&cli, "no command: put it behind --");
	if (opt.invoke == NULL && cli.dashes != 0)
		cli_usage(&cli,
		    "the command belongs behind --: ryde-process -- COMMAND [ARG...]");
}

static int64_t
max_age_ms(void)
{
	int64_t ms;

	if (ryde_view_is(ryde_view_of(opt.max_age), "-1"))
		return -1;
	if (!ryde_num_duration_ms(ryde_view_of(opt.max_age), &ms) ||
	    ms < MAX_AGE_LEAST_MS || ms > MAX_AGE_MOST_MS)
		cli_usage(
		    &cli, "--max-age %s: a duration from 60s to 7d, or -1", opt.max_age);
	return ms;
}

static enum ryde_process_event_form
event_form(void)
{
	struct ryde_view form = ryde_view_of(opt.event);

	if (opt.event == NULL && !opt.runtime_api && opt.invoke == NULL)
		return RYDE_PROCESS_EVENT_NDJSON;
	if (opt.event == NULL || ryde_view_is(form, "lambda"))
		return RYDE_PROCESS_EVENT_LAMBDA;
	if (!ryde_view_is(form, "ndjson"))
		cli_usage(&cli, "--event %s: ndjson or lambda", opt.event);
	return RYDE_PROCESS_EVENT_NDJSON;
}

/* Options that do not go together. */
static void
check_options(enum ryde_process_event_form form)
{
	const char *what = opt.partial ? "--partial" : "--tumble";

	if (opt.keep && opt.runtime_api)
		cli_usage(&cli, "--keep and --runtime-api: one of them");
	if (opt.invoke != NULL && (opt.keep || opt.runtime_api))
		cli_usage(&cli, "--invoke has no command that %s could keep",
		    opt.keep ? "--keep" : "--runtime-api");
	if ((opt.runtime_api || opt.invoke != NULL) && form != RYDE_PROCESS_EVENT_LAMBDA)
		cli_usage(&cli, "%s hands out Lambda events, no ndjson",
		    opt.invoke != NULL ? "--invoke" : "--runtime-api");
	if (opt.tumble_ms > 0 && opt.parallel > 1)
		cli_usage(&cli, "--tumble has one state for each shard: no --parallel");
	if (opt.tumble_ms % 1000 != 0)
		cli_usage(&cli, "--tumble: a whole number of seconds");
	if (!opt.partial && opt.tumble_ms == 0)
		return;
	if (form == RYDE_PROCESS_EVENT_NDJSON)
		cli_usage(&cli,
		    "%s needs --event lambda: an event to answer with a response", what);
	if (opt.emit)
		cli_usage(&cli,
		    "%s and --emit: the output is the response, it cannot be passed on",
		    what);
}

/* The line for each call: with -v, and always where a program reads the messages. */
static enum ryde_log_level
report_level(void)
{
	return cli.log_form != NULL && ryde_view_is(ryde_view_of(cli.log_form), "json")
		   ? RYDE_LOG_NOTICE
		   : RYDE_LOG_INFO;
}

/* out: where --emit writes, opened here; the caller frees it */
static int
run(struct ryde_writer **out, struct ryde_err *err)
{
	const struct ryde_process_settings settings = {
	    .handler = opt.invoke != NULL ? RYDE_PROCESS_INVOKE
		       : opt.keep	  ? RYDE_PROCESS_KEEP
		       : opt.runtime_api  ? RYDE_PROCESS_RUNTIME
					  : RYDE_PROCESS_SPAWN,
	    .argv = cli.operands,
	    .function = opt.invoke,
	    .parallel = opt.parallel,
	    .event = event_form(),
	    .batch_size = opt.batch_size,
	    .batch_window_ms = opt.batch_window_ms,
	    .batch_bytes = opt.batch_bytes,
	    .retries = opt.retries,
	    .max_age_ms = max_age_ms(),
	    .bisect = opt.bisect,
	    .partial = opt.partial,
	    .tumble_ms = opt.tumble_ms,
	    .report_level = report_level(),
	    .filter_criteria = opt.filter_criteria,
	    .on_failure = opt.on_failure,
	    .filtered = cli.filter != NULL,
	    .timeout_ms = opt.timeout_ms,
	    .backoff_ms = opt.backoff_ms,
	    .retry_for_ms = cli.retry_for_ms,
	    .grace_ms = cli.grace_ms,
	    .store = &cli.store,
	    .tick = tick,
	};
	struct ryde_intake_opts input = {
	    .role = opt.emit ? RYDE_ACK_FILTER : RYDE_ACK_SINK,
	    .program = program.name,
	};
	struct ryde_intake *in;
	int status = 0;

	check_options(settings.event);
	if (opt.emit && (*out = ryde_writer_new(STDOUT_FILENO, err)) == NULL)
		return 0;
	/* behind --invoke operands are free: files to read */
	cli_input(&cli, opt.invoke != NULL ? 0 : cli.n_operands, &input);
	in = ryde_intake_new(&input, err);
	if (in == NULL)
		return 0;
	cli_ready(&cli);
	ryde_process_run(&settings, in, *out, &cli.books, &status, err);
	ryde_intake_free(in);
	return status;
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_writer *out = NULL;
	bool closed;
	int status = 0;

	cli_start(&cli, &program, argc, argv);
	check_command();
	status = run(&out, &err);
	if (out != NULL && err.code == RYDE_OK)
		ryde_writer_drain(out, &err);
	closed = out != NULL && ryde_writer_closed(out);
	ryde_writer_free(out);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, status, &err);
}
