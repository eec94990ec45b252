/* ryde-archive: lines into files and objects. */
#include "cli.h"

#include "base/waits.h"
#include "engine/archive.h"
#include "engine/archive_firehose.h"
#include "flow/intake.h"
#include "line/writer.h"
#include "store/archive.h"

#include <unistd.h>

#define SIZE_BYTES (INT64_C(5) << 20)
#define EVERY_MS 300000

static struct cli cli;

static void
tick(void *arg, struct ryde_waits *w)
{
	cli_tick(arg, w);
}

static struct ryde_intake *
open_intake(struct ryde_archiver *archiver, bool keep, struct ryde_err *err)
{
	struct ryde_intake_opts in = {.role = RYDE_ACK_SINK,
	    .program = "ryde-archive",
	    .keep = keep ? ryde_archiver_keep : NULL,
	    .keep_arg = archiver};

	cli_input(&cli, 1, &in);
	return ryde_intake_new(&in, err);
}

/* Objects. Opens the place, then the input, and runs. */
static int
archive(struct ryde_archive_opts *o, struct ryde_err *err)
{
	struct ryde_archiver *archiver = ryde_archiver_new(o, err);
	struct ryde_intake *intake =
	    archiver != NULL ? open_intake(archiver, o->error_prefix != NULL, err) : NULL;
	int status = RYDE_ESOFTWARE;

	if (intake != NULL) {
		cli_ready(&cli);
		status = ryde_archiver_run(archiver, intake, err);
	}
	ryde_intake_free(intake);
	ryde_archiver_free(archiver);
	return status;
}

/* Records: the delivery stream itself gathers them, so nothing can be said of objects. */
static int
deliver(struct ryde_archive_opts *o, struct ryde_err *err)
{
	struct ryde_intake *intake;
	int status = RYDE_ESOFTWARE;

	if (o->size_bytes != 0 || o->every_ms >= 0 || o->level != 0 ||
	    o->prefix != NULL || o->error_prefix != NULL || o->time != NULL ||
	    o->receipts)
		cli_usage(&cli,
		    "%s: size, age, names and packing of objects are settings "
		    "of the delivery stream",
		    o->place);
	intake = open_intake(NULL, false, err);
	if (intake != NULL) {
		cli_ready(&cli);
		status = ryde_archive_firehose(o, intake, err);
	}
	ryde_intake_free(intake);
	return status;
}

static int
run(struct ryde_archive_opts *o, struct ryde_err *err)
{
	enum ryde_archive_kind kind;

	if (ryde_archive_kind_of(o->place, &kind, err) != 0)
		return ryde_err_status(err);
	if (kind == RYDE_ARCHIVE_FIREHOSE)
		return deliver(o, err);
	if (o->size_bytes == 0)
		o->size_bytes = SIZE_BYTES;
	if (o->every_ms < 0)
		o->every_ms = EVERY_MS;
	return archive(o, err);
}

int
main(int argc, char **argv)
{
	struct ryde_archive_opts o = {.every_ms = -1}; /* not given */
	int64_t level = 6;
	bool gzip = false;
	const struct ryde_opt options[] = {
	    {"size", 0, RYDE_OPT_SIZE, &o.size_bytes, "SIZE",
		"an object's bytes before compression (5M)", 1, INT64_C(1) << 40},
	    {"every", 0, RYDE_OPT_DURATION, &o.every_ms, "DURATION",
		"the age at which an object is written (300s)", 0, 0},
	    {"gzip", 0, RYDE_OPT_FLAG, &gzip, NULL, "pack objects, names end in .gz", 0,
		0},
	    {"level", 0, RYDE_OPT_INT, &level, "N", "of gzip: 1 is fast, 9 is small (6)",
		1, 9},
	    {"prefix", 0, RYDE_OPT_STRING, &o.prefix, "EXPR",
		"what names begin with: !{timestamp:...}, !{field:.Name}", 0, 0},
	    {"error-prefix", 0, RYDE_OPT_STRING, &o.error_prefix, "EXPR",
		"archive bad lines too, under such names", 0, 0},
	    {"time", 't', RYDE_OPT_STRING, &o.time, "PATH",
		"time of the prefix: a field of the payload (arrival)", 0, 0},
	    {"receipts", 0, RYDE_OPT_FLAG, &o.receipts, NULL,
		"print the name of each object once it is there", 0, 0},
	};
	const struct cli_program program = {.name = "ryde-archive",
	    .synopsis = "[OPTION...] PLACE [FILE...]",
	    .about = "Gathers lines into objects of PLACE, a directory or s3://BUCKET, "
		     "or puts them\ninto firehose:NAME, durably, and acknowledges them. "
		     "An object appears whole or not at all, in a folder of its hour.",
	    .examples = {"ryde-consume -g lake wildrydes | ryde-archive --gzip ./archive",
		"ryde-archive -t .StatusTime --prefix 'Name=!{field:.Name}/' ./archive "
		"rides.ndjson.gz"},
	    .options = options,
	    .n_options = sizeof(options) / sizeof(options[0]),
	    .reads_lines = true,
	    .is_sink = true,
	    .min_operands = 1,
	    .max_operands = -1};
	struct ryde_err err = RYDE_ERR_INIT;
	int status = RYDE_ESOFTWARE;

	cli_start(&cli, &program, argc, argv);
	o.store = &cli.store;
	o.place = cli.operands[0];
	o.level = gzip ? (int)level : 0;
	o.has_rejects = cli.rejects != NULL;
	o.retry_for_ms = cli.retry_for_ms;
	o.books = &cli.books;
	o.tick = tick;
	o.arg = &cli;
	o.out = ryde_writer_new(STDOUT_FILENO, &err);
	if (o.out != NULL)
		status = run(&o, &err);
	if (o.out != NULL && ryde_writer_closed(o.out))
		cli_finish_closed(&cli);
	ryde_writer_free(o.out);
	return cli_finish(&cli, status, &err);
}
