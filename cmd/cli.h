/*
 * What all programs' mains share: the options of every program, --help, messages on
 * stderr, --stats, --metrics, progress, systemd, and the exit status. Only cmd/ prints
 * messages and exits.
 *
 *	static struct cli cli;
 *	int main(int argc, char **argv)
 *	{
 *		const struct ryde_opt options[] = {…};
 *		const struct cli_program program = {.name = "ryde-put", …,
 *		    .options = options, …};
 *		cli_start(&cli, &program, argc, argv);
 *			exits by itself for --help, --version and usage errors
 *		…
 *		return cli_finish(&cli, status, &err);
 *	}
 */
#ifndef RYDE_CMD_CLI_H
#define RYDE_CMD_CLI_H

#include "base/err.h"
#include "base/opt.h"
#include "flow/books.h"
#include "store/name.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_intake_opts;
struct ryde_waits;

struct cli_program {
	const char *name;     /* "ryde-put" */
	const char *synopsis; /* "[OPTION...] TABLE [FILE...]" */
	const char *about;    /* one or two sentences, lines of at most 80 columns */
	const char *examples[2];
	const struct ryde_opt *options;
	size_t n_options;
	bool reads_lines; /* takes -f --rejects --strict --retry-for */
	bool is_sink; /* as a rule prints nothing on stdout, so that it may draw progress
			 beside it */
	int min_operands, max_operands; /* -1: any number */
};

struct cli {
	const struct cli_program *program;
	struct ryde_store_settings store;
	const char *filter, *rejects, *metrics, *log_form;
	bool strict, stats;
	int64_t grace_ms;     /* --grace */
	int64_t retry_for_ms; /* --retry-for; 0: for ever */
	int quiet, verbose;
	char **operands; /* NULL behind the last */
	int n_operands;
	int dashes; /* operands before "--", -1: there was none */
	struct ryde_books books;
	int64_t started_us;
};

/* Reads the command line and the environment, installs log and signals. */
void cli_start(struct cli *c, const struct cli_program *p, int argc, char **argv);
/* Says what is wrong with the command line, points to --help, exits 64. */
_Noreturn void cli_usage(const struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Call it about every turn of the loop: draws progress when stderr is a terminal,
 * rewrites --metrics, feeds systemd's watchdog; does nothing most of the time. Adds its
 * deadline to w (may be NULL).
 */
void cli_tick(struct cli *c, struct ryde_waits *w);
/* What the command line says of a program's input: the operands from the first-th on are
 * its files (none are: standard input), and the options of programs that read lines. */
void cli_input(struct cli *c, int first, struct ryde_intake_opts *in);
/* Text for the progress line and systemd's status beside the counts: "lag 3 s". Copied.
 */
void cli_note(struct cli *c, const char *text);
/* What --ready means: the program has opened what it needs. */
void cli_ready(struct cli *c);
/*
 * The end: prints err (where its code is set), checks the books (70 where they do not
 * balance), prints --stats, writes
 * --metrics, closes stdout and checks it. Returns the exit status: err's where it is set,
 * else status.
 */
int cli_finish(struct cli *c, int status, const struct ryde_err *err);
/* The same where the other end of stdout is gone: dies of SIGPIPE, as cat does. */
_Noreturn void cli_finish_closed(struct cli *c);

#endif
