/* ryde-unicorn: prints the sensors of unicorns. */
#include "base/clock.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "cli.h"
#include "engine/outlet.h"
#include "engine/unicorn.h"
#include "line/writer.h"

#include <unistd.h>

#define CHUNK 256 /* lines between two looks at the writer */
#define PILL_AMONG \
	10 /* where -m is not given, --error puts the pill among the first lines */
#define TURN_AFTER (1 << 18) /* lines between two turns of the clockwork with --fast */

static struct cli cli;
static struct {
	struct ryde_strings names;
	int64_t count, messages, every_ms, seed;
	const char *start;
	bool error, fast;
} opt = {.messages = -1, .every_ms = 1000, .seed = -1};

static const struct ryde_opt options[] = {
    {"name", 'n', RYDE_OPT_STRINGS, &opt.names, "NAME",
	"a unicorn of this name; repeatable (Shadowfax)", 0, 0},
    {"count", 'c', RYDE_OPT_INT, &opt.count, "COUNT",
	"so many unicorns; built-in names where -n gives none", 1,
	RYDE_UNICORN_COUNT_MAX},
    {"messages", 'm', RYDE_OPT_INT, &opt.messages, "MSGS",
	"stop after so many lines in all (never)", 0, INT64_MAX},
    {"every", 0, RYDE_OPT_DURATION, &opt.every_ms, "DURATION",
	"time from one line of a unicorn to its next (1s)", 1, 86400000},
    {"error", 0, RYDE_OPT_FLAG, &opt.error, NULL,
	"add InputData to every line, \"error\" in one of them", 0, 0},
    {"seed", 0, RYDE_OPT_INT, &opt.seed, "N",
	"what all that is random follows from (from the kernel)", 0, INT64_MAX},
    {"start", 0, RYDE_OPT_STRING, &opt.start, "TIME",
	"StatusTime of the first line (now)", 0, 0},
    {"fast", 0, RYDE_OPT_FLAG, &opt.fast, NULL,
	"do not wait: time runs by --every, as fast as lines go out", 0, 0},
};

static const struct cli_program program = {
    .name = "ryde-unicorn",
    .synopsis = "[-n NAME]... [-c COUNT] [-m MSGS] [--every D] [--error] [--seed N]\n"
		"                    [--start TIME] [--fast]",
    .about = "Prints the sensor of one unicorn or more: where it is, how far it went, "
	     "how it is,\n"
	     "one line of JSON a second each.",
    .examples = {"ryde-unicorn -n Shadowfax | ryde-produce wildrydes",
	"ryde-unicorn -c 20 -m 1000 --fast --seed 1 --start '2026-11-23 14:00:00'"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
};

static struct ryde_unicorn_herd *
herd_new(struct ryde_err *err)
{
	struct ryde_unicorn_ride ride = {
	    .names = opt.names.v,
	    .n_names = opt.names.n,
	    .every_ms = opt.every_ms,
	    .start_ms = ryde_clock_data_ms(),
	    .input_data = opt.error,
	    .seed = (uint64_t)opt.seed,
	};

	ride.count = opt.count > 0     ? (size_t)opt.count
		     : opt.names.n > 0 ? opt.names.n
				       : 1;
	if (opt.error)
		ride.pill_among = opt.messages >= 0 ? (uint64_t)opt.messages : PILL_AMONG;
	if (opt.start != NULL &&
	    !ryde_timestamp_parse(ryde_view_of(opt.start), &ride.start_ms))
		cli_usage(&cli, "--start: '%s' is no time", opt.start);
	if (opt.seed < 0 && ryde_random_bytes(&ride.seed, sizeof(ride.seed), err) != 0)
		return NULL;
	return ryde_unicorn_new(&ride, err);
}

/* Lines of the present tick into the writer: as many as fit, none beyond -m. */
static int
put_some(struct ryde_unicorn_herd *h, struct ryde_writer *w, struct ryde_err *err)
{
	struct ryde_buf *to = ryde_writer_buf(w);
	uint64_t left = opt.messages < 0 ? CHUNK : (uint64_t)opt.messages - cli.books.out;

	cli.books.out += ryde_unicorn_put(h, left < CHUNK ? (size_t)left : CHUNK, to);
	cli.books.reached = cli.books.out;
	cli.books.whole = opt.messages < 0 ? 0 : (uint64_t)opt.messages;
	if (ryde_buf_check(to, err) != 0)
		return -1;
	return ryde_writer_added(w, err);
}

static bool
is_over(void)
{
	return ryde_signals_stop() > 0 ||
	       (opt.messages >= 0 && cli.books.out >= (uint64_t)opt.messages);
}

/* Waits until at_mono_ms, or for room in the pipe, or for the end of either side. */
static int
rest(struct ryde_writer *w, int64_t at_mono_ms, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	ryde_waits_begin(&waits);
	ryde_writer_wait(w, &waits);
	ryde_waits_until(&waits, at_mono_ms);
	cli_tick(&cli, &waits);
	if (ryde_waits_poll(&waits, err) != 0)
		return -1;
	if (ryde_writer_check_closed(w))
		return -1;
	return ryde_writer_flush(w, err) < 0 ? -1 : 0;
}

static int
ride_fast(struct ryde_unicorn_herd *h, struct ryde_writer *w, struct ryde_err *err)
{
	uint64_t turn_at = TURN_AFTER;

	while (!is_over()) {
		if (put_some(h, w, err) != 0)
			return -1;
		if (ryde_writer_pending(w) > RYDE_WRITER_HIGH &&
		    rest(w, RYDE_WAITS_FOREVER, err) != 0)
			return -1;
		if (cli.books.out >= turn_at) {
			cli_tick(&cli, NULL);
			turn_at = cli.books.out + TURN_AFTER;
		}
	}
	return 0;
}

/*
 * The k-th tick is due k * --every after the first one, however long printing took: a
 * tick that could not go out in time follows at once, with its own StatusTime.
 */
static int
ride_live(struct ryde_unicorn_herd *h, struct ryde_writer *w, struct ryde_err *err)
{
	int64_t start_us = ryde_clock_mono_us();

	while (!is_over()) {
		int64_t due_us =
		    start_us + (int64_t)ryde_unicorn_tick(h) * opt.every_ms * 1000;
		int64_t until_mono_ms = RYDE_WAITS_FOREVER;

		if (due_us <= ryde_clock_mono_us() &&
		    ryde_writer_pending(w) <= RYDE_WRITER_HIGH) {
			if (put_some(h, w, err) != 0)
				return -1;
			continue;
		}
		if (ryde_writer_pending(w) <= RYDE_WRITER_HIGH)
			until_mono_ms = (due_us + 999) / 1000;
		if (ryde_writer_flush(w, err) < 0 || rest(w, until_mono_ms, err) != 0)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_unicorn_herd *herd = NULL;
	struct ryde_writer *w = NULL;
	bool closed = false;

	cli_start(&cli, &program, argc, argv);
	herd = herd_new(&err);
	if (herd == NULL)
		goto out;
	w = ryde_writer_new(STDOUT_FILENO, &err);
	if (w == NULL)
		goto out;
	cli_ready(&cli);
	if ((opt.fast ? ride_fast : ride_live)(herd, w, &err) == 0)
		(void)ryde_outlet_drain(w, cli.grace_ms, &err);
	closed = ryde_writer_closed(w);
out:
	ryde_writer_free(w);
	ryde_unicorn_free(herd);
	ryde_strings_free(&opt.names);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, 0, &err);
}
