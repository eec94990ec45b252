/* ryde-put: lines into a table. */
#include "cli.h"

#include "base/waits.h"
#include "engine/put.h"
#include "flow/intake.h"
#include "line/writer.h"

#include <unistd.h>

static struct cli cli;

static void
tick(void *arg, struct ryde_waits *w)
{
	cli_tick(arg, w);
}

int
main(int argc, char **argv)
{
	struct ryde_put_opts o = {0};
	const struct ryde_opt options[] = {
	    {"batch-size", 0, RYDE_OPT_INT, &o.batch_size, "N",
		"items in a batch, at most (as many as are at hand)", 1, 4096},
	    {"dry-run", 0, RYDE_OPT_FLAG, &o.dry_run, NULL,
		"print what would be written, and write nothing", 0, 0},
	};
	const struct cli_program program = {.name = "ryde-put",
	    .synopsis = "[OPTION...] TABLE [FILE...]",
	    .about = "Writes each line's payload as an item of TABLE, durably, and "
		     "acknowledges it.\n"
		     "Of two items with one key the later wins. Numbers are stored as "
		     "they are written.",
	    .examples = {"ryde-consume -g store wildrydes | ryde-put UnicornSensorData",
		"ryde-put --rejects bad.ndjson UnicornSensorData items.ndjson"},
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .reads_lines = true,
	    .is_sink = true,
	    .min_operands = 1,
	    .max_operands = -1};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake_opts in = {.role = RYDE_ACK_SINK, .program = "ryde-put"};
	int status = RYDE_ESOFTWARE;

	cli_start(&cli, &program, argc, argv);
	cli_input(&cli, 1, &in);
	o.store = &cli.store;
	o.table = cli.operands[0];
	o.retry_for_ms = cli.retry_for_ms;
	o.books = &cli.books;
	o.tick = tick;
	o.arg = &cli;
	o.out = ryde_writer_new(STDOUT_FILENO, &err);
	o.intake = o.out != NULL ? ryde_intake_new(&in, &err) : NULL;
	if (o.intake == NULL)
		goto out;
	cli_ready(&cli);
	status = ryde_put(&o, &err);
	if (ryde_writer_closed(o.out))
		cli_finish_closed(&cli);
out:
	ryde_intake_free(o.intake);
	ryde_writer_free(o.out);
	return cli_finish(&cli, status, &err);
}
