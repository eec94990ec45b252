#include "cli.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/num.h"
#include "base/signals.h"
#include "base/timestamp.h"
#include "base/waits.h"
#include "flow/intake.h"
#include "json/string.h"
#include "store/group.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 250
#define METRICS_MS 10000

/* A stream is read by buffers of megabytes that come and go: memory that is given back
 * each time is mapped, cleared and faulted in anew, which costs more than to fill it. */
#define MAPPED_BYTES (32 << 20) /* blocks of more than that are given back when freed */
#define KEPT_BYTES (64 << 20)

/* The state that a log function, which has no argument, needs: there is one program per
 * process. */
static struct {
	struct cli *cli;
	bool json, draws, drawn;
	char note[120];
	int64_t next_tick_ms, next_metrics_ms, next_watchdog_ms, watchdog_ms;
	uint64_t last_in;
	int64_t last_in_ms;
	double rate;
	bool ready;
} run;

static void
put_err(const char *text, size_t n)
{
	(void)ryde_file_write_all(
	    STDERR_FILENO, ryde_view_mem(text, n), "standard error", NULL);
}

static void
erase(void)
{
	if (run.drawn)
		put_err("\r\033[K", 4);
	run.drawn = false;
}

static void
print_message(enum ryde_log_level level, const char *text)
{
	static const char *const names[] = {
	    "error", "warning", "notice", "info", "debug"};
	char at[RYDE_TIMESTAMP_MAX];
	struct ryde_buf b;

	ryde_buf_init(&b, 16384);
	if (run.json) {
		(void)ryde_timestamp_rfc3339(ryde_clock_wall_ms(), at);
		ryde_buf_printf(&b,
		    "{\"ts\":\"%s\",\"level\":\"%s\",\"prog\":\"%s\",\"msg\":", at,
		    names[level], run.cli->program->name);
		ryde_json_string_put(&b, ryde_view_of(text));
		ryde_buf_puts(&b, "}\n");
	} else {
		ryde_buf_printf(&b, "%s: ", run.cli->program->name);
		if (level <= RYDE_LOG_WARNING)
			ryde_buf_printf(&b, "%s: ", names[level]);
		ryde_buf_printf(&b, "%s\n", text);
	}
	erase();
	put_err(b.p, b.n);
	ryde_buf_free(&b);
}

/* ---- the command line ---- */

#define COMMON_MAX 18

static size_t
common_options(struct cli *c, struct ryde_opt *to, bool *help, bool *version)
{
	const struct ryde_opt all[] = {
	    {"help", 'h', RYDE_OPT_FLAG, help, NULL, "this text", 0, 0},
	    {"version", 0, RYDE_OPT_FLAG, version, NULL, "name and version", 0, 0},
	    {"quiet", 'q', RYDE_OPT_COUNT, &c->quiet, NULL,
		"fewer messages (twice: errors only)", 0, 0},
	    {"verbose", 'v', RYDE_OPT_COUNT, &c->verbose, NULL,
		"more messages (repeatable)", 0, 0},
	    {"log", 0, RYDE_OPT_STRING, &c->log_form, "text|json",
		"form of the messages on stderr (text)", 0, 0},
	    {"store", 0, RYDE_OPT_STRING, &c->store.engine, "local|aws",
		"default store for bare names (RYDE_STORE, local)", 0, 0},
	    {"data", 0, RYDE_OPT_STRING, &c->store.data, "DIR",
		"directory of the embedded store (RYDE_DATA)", 0, 0},
	    {"region", 0, RYDE_OPT_STRING, &c->store.region, "REGION",
		"AWS region (AWS_REGION, the profile's)", 0, 0},
	    {"profile", 0, RYDE_OPT_STRING, &c->store.profile, "NAME",
		"AWS profile (AWS_PROFILE)", 0, 0},
	    {"endpoint-url", 0, RYDE_OPT_STRING, &c->store.endpoint_url, "URL",
		"where AWS's services are (AWS_ENDPOINT_URL)", 0, 0},
	    {"identity-pool", 0, RYDE_OPT_STRING, &c->store.identity_pool, "REGION:ID",
		"credentials from a Cognito identity pool", 0, 0},
	    {"login", 0, RYDE_OPT_STRING, &c->store.login, "PROVIDER=TOKENFILE",
		"log in to the identity pool", 0, 0},
	    {"stats", 0, RYDE_OPT_FLAG, &c->stats, NULL,
		"one JSON line of counts on stderr at the end", 0, 0},
	    {"metrics", 0, RYDE_OPT_STRING, &c->metrics, "FILE",
		"keep a Prometheus text file", 0, 0},
	    {"grace", 0, RYDE_OPT_DURATION, &c->grace_ms, "DURATION",
		"how long a stop may take (10s)", 0, 0},
	};

	memcpy(to, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static size_t
line_options(struct cli *c, struct ryde_opt *to)
{
	const struct ryde_opt all[] = {
	    {"filter", 'f', RYDE_OPT_STRING, &c->filter, "PROGRAM",
		"jq program applied to each payload", 0, 0},
	    {"rejects", 0, RYDE_OPT_STRING, &c->rejects, "FILE",
		"append lines that could not be handled", 0, 0},
	    {"strict", 0, RYDE_OPT_FLAG, &c->strict, NULL, "stop at the first such line",
		0, 0},
	    {"retry-for", 0, RYDE_OPT_DURATION, &c->retry_for_ms, "DURATION",
		"give up when a service has failed for this long (never)", 0, 0},
	};

	memcpy(to, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static void
end_with_text(struct ryde_buf *b)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int rc = ryde_file_write_all(
	    STDOUT_FILENO, ryde_buf_as_view(b), "standard output", &err);

	if (rc == 0 && close(STDOUT_FILENO) != 0)
		rc = ryde_err_sys(&err, RYDE_EIO, "cannot write to standard output");
	if (rc != 0)
		print_message(RYDE_LOG_ERROR, err.msg);
	ryde_buf_free(b);
	exit(rc == 0 ? 0 : ryde_err_status(&err));
}

static _Noreturn void
print_help(const struct cli_program *p, const struct ryde_opts *opts)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 65536);
	ryde_buf_printf(&b, "usage: %s %s\n\n%s\n", p->name, p->synopsis, p->about);
	if (p->n_options > 0) {
		ryde_buf_puts(&b, "\nOptions:\n");
		ryde_opts_help(opts, 0, &b);
	}
	if (p->reads_lines) {
		ryde_buf_puts(&b, "\nOptions of programs that read lines:\n");
		ryde_opts_help(opts, 1, &b);
	}
	ryde_buf_puts(&b, "\nOptions of all programs:\n");
	ryde_opts_help(opts, 2, &b);
	ryde_buf_puts(&b, "\nExamples:\n");
	for (size_t i = 0; i < 2; i++)
		if (p->examples[i] != NULL)
			ryde_buf_printf(&b, "  %s\n", p->examples[i]);
	ryde_buf_printf(
	    &b, "\nThe manual: man %s, and man ryde for the whole.\n", p->name);
	end_with_text(&b);
	exit(RYDE_ESOFTWARE);
}

static _Noreturn void
print_version(const struct cli_program *p)
{
	struct ryde_buf b;

	ryde_buf_init(&b, 1024);
	ryde_buf_printf(&b, "%s %s\n", p->name, RYDE_VERSION);
	end_with_text(&b);
	exit(RYDE_ESOFTWARE);
}

void
cli_usage(const struct cli *c, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 60, fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = '\0';
	print_message(RYDE_LOG_ERROR, text);
	(void)snprintf(text, sizeof(text), "try: %s --help\n", c->program->name);
	put_err(text, strlen(text));
	exit(RYDE_EUSAGE);
}

static void
from_environment(struct cli *c)
{
	const char *lease = getenv("RYDE_LEASE");
	struct ryde_err err = RYDE_ERR_INIT;
	int64_t ms;

	c->store.engine = getenv("RYDE_STORE");
	c->store.data = getenv("RYDE_DATA");
	if (ryde_clock_init(getenv("RYDE_CLOCK"), &err) != 0) {
		print_message(RYDE_LOG_ERROR, err.msg);
		exit(ryde_err_status(&err));
	}
	if (lease != NULL && ryde_num_duration_ms(ryde_view_of(lease), &ms) && ms >= 100)
		ryde_group_set_lease_ms(ms);
}

static void
check_operands(const struct cli *c)
{
	const struct cli_program *p = c->program;

	if (c->n_operands < p->min_operands)
		cli_usage(c, "an operand is missing: %s %s", p->name, p->synopsis);
	if (p->max_operands >= 0 && c->n_operands > p->max_operands)
		cli_usage(c, "one operand too many: '%s'", c->operands[p->max_operands]);
}

/*
 * Progress is a line that is rewritten, only where nothing else is written: on a
 * terminal, by the last program of a pipe, and not beside lines that go to the same
 * terminal.
 */
static bool
may_draw(const struct cli_program *p)
{
	struct stat st;

	if (!isatty(STDERR_FILENO) || fstat(STDOUT_FILENO, &st) != 0 ||
	    S_ISFIFO(st.st_mode))
		return false;
	return p->is_sink || !isatty(STDOUT_FILENO);
}

static void
start_log(struct cli *c)
{
	int level = (int)RYDE_LOG_NOTICE + c->verbose - c->quiet;

	if (c->log_form != NULL && strcmp(c->log_form, "json") == 0)
		run.json = true;
	else if (c->log_form != NULL && strcmp(c->log_form, "text") != 0)
		cli_usage(c, "--log: '%s' is neither text nor json", c->log_form);
	if (level < (int)RYDE_LOG_ERROR)
		level = (int)RYDE_LOG_ERROR;
	if (level > (int)RYDE_LOG_DEBUG)
		level = (int)RYDE_LOG_DEBUG;
	ryde_log_set(print_message, (enum ryde_log_level)level);
	run.draws = !run.json && c->quiet == 0 && may_draw(c->program);
}

static void
keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
#endif
}

void
cli_start(struct cli *c, const struct cli_program *p, int argc, char **argv)
{
	struct ryde_opt common[COMMON_MAX], lines[4];
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_opts opts = {.n = 3};
	bool help = false, version = false;

	*c = (struct cli){.program = p, .grace_ms = 10000, .dashes = -1};
	c->started_us = ryde_clock_mono_us();
	run.cli = c;
	keep_memory();
	from_environment(c);
	opts.tables[0] = p->options;
	opts.counts[0] = p->n_options;
	opts.tables[1] = lines;
	opts.counts[1] = p->reads_lines ? line_options(c, lines) : 0;
	opts.tables[2] = common;
	opts.counts[2] = common_options(c, common, &help, &version);
	if (ryde_opts_parse(&opts, argc, argv, &c->n_operands, &c->dashes, &err) != 0)
		cli_usage(c, "%s", err.msg);
	c->operands = argv + 1;
	c->operands[c->n_operands] = NULL;
	if (help)
		print_help(p, &opts);
	if (version)
		print_version(p);
	start_log(c);
	check_operands(c);
	if (ryde_signals_init(&err) != 0) {
		print_message(RYDE_LOG_ERROR, err.msg);
		exit(ryde_err_status(&err));
	}
	run.watchdog_ms = ryde_notify_watchdog_ms();
}

/* ---- while it runs ---- */

static double
seconds(const struct cli *c)
{
	return (double)(ryde_clock_mono_us() - c->started_us) / 1e6;
}

static void
write_metrics(const struct cli *c)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf b;

	ryde_buf_init(&b, 65536);
	ryde_books_prometheus(
	    &c->books, c->program->name, seconds(c), ryde_clock_wall_ms(), &b);
	if (ryde_file_replace(c->metrics, ryde_buf_as_view(&b), &err) != 0)
		print_message(RYDE_LOG_WARNING, err.msg);
	ryde_buf_free(&b);
}

/* What one line of the terminal holds; the last column stays free, for some wrap there.
 */
static int
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1;
	return 79;
}

/* ", 37 %, 1:05 left" where an end is known, else nothing. */
static void
put_left(const struct cli *c, struct ryde_buf *b)
{
	const struct ryde_books *n = &c->books;
	double left;

	if (n->whole == 0 || n->reached == 0)
		return;
	left = n->reached >= n->whole
		   ? 0
		   : seconds(c) * (double)(n->whole - n->reached) / (double)n->reached;
	ryde_buf_printf(b, ", %.0f %%",
	    n->reached >= n->whole ? 100.0
				   : 100.0 * (double)n->reached / (double)n->whole);
	if (left < 60)
		ryde_buf_printf(b, ", %.0f s left", left);
	else if (left < 3600)
		ryde_buf_printf(b, ", %d:%02d left", (int)left / 60, (int)left % 60);
	else if (left < 360000)
		ryde_buf_printf(b, ", %d:%02d:%02d left", (int)left / 3600,
		    (int)left / 60 % 60, (int)left % 60);
}

/* Lines in, or out where nothing comes in; their rate, smoothed; and what is left. */
static void
draw(const struct cli *c, int64_t now)
{
	uint64_t lines = c->books.in > 0 ? c->books.in : c->books.out;
	double passed = (double)(now - run.last_in_ms) / 1000.0;
	size_t width = (size_t)columns();
	struct ryde_buf b;

	if (run.last_in_ms != 0 && passed > 0) {
		double rate = (double)(lines - run.last_in) / passed;

		run.rate = run.rate * 0.7 + rate * 0.3;
	} else if (seconds(c) > 0) {
		run.rate = (double)lines / seconds(c);
	}
	run.last_in = lines;
	run.last_in_ms = now;
	ryde_buf_init(&b, 1024);
	ryde_buf_printf(&b, "%s: %llu line%s, %.0f/s", c->program->name,
	    (unsigned long long)lines, lines == 1 ? "" : "s", run.rate);
	put_left(c, &b);
	if (run.note[0] != '\0')
		ryde_buf_printf(&b, ", %s", run.note);
	put_err("\r\033[K", 4);
	put_err(b.p, b.n < width ? b.n : width);
	ryde_buf_free(&b);
	run.drawn = true;
}

void
cli_input(struct cli *c, int first, struct ryde_intake_opts *in)
{
	in->files = c->operands + first;
	in->n_files = c->n_operands - first;
	in->filter = c->filter;
	in->rejects = c->rejects;
	in->strict = c->strict;
	in->grace_ms = c->grace_ms;
	in->books = &c->books;
}

void
cli_note(struct cli *c, const char *text)
{
	(void)c;
	(void)snprintf(run.note, sizeof(run.note), "%s", text);
}

void
cli_ready(struct cli *c)
{
	(void)c;
	if (!run.ready)
		ryde_notify("READY=1");
	run.ready = true;
}

void
cli_tick(struct cli *c, struct ryde_waits *w)
{
	int64_t now;

	if (!run.draws && c->metrics == NULL && run.watchdog_ms == 0)
		return;
	now = ryde_clock_mono_ms();
	if (now >= run.next_tick_ms) {
		if (run.draws && run.next_tick_ms != 0)
			draw(c, now);
		run.next_tick_ms = now + TICK_MS;
	}
	if (c->metrics != NULL && now >= run.next_metrics_ms) {
		write_metrics(c);
		run.next_metrics_ms = now + METRICS_MS;
	}
	if (run.watchdog_ms != 0 && now >= run.next_watchdog_ms) {
		char text[200];

		(void)snprintf(text, sizeof(text),
		    "WATCHDOG=1\nSTATUS=%llu in, %llu done%s%s",
		    (unsigned long long)c->books.in, (unsigned long long)c->books.handled,
		    run.note[0] != '\0' ? ", " : "", run.note);
		ryde_notify(text);
		run.next_watchdog_ms = now + run.watchdog_ms;
	}
	if (w == NULL)
		return;
	if (run.draws)
		ryde_waits_until(w, run.next_tick_ms);
	if (c->metrics != NULL)
		ryde_waits_until(w, run.next_metrics_ms);
	if (run.watchdog_ms != 0)
		ryde_waits_until(w, run.next_watchdog_ms);
}

/* ---- the end ---- */

static void
report(struct cli *c)
{
	struct ryde_buf b;

	erase();
	if (c->metrics != NULL)
		write_metrics(c);
	if (!c->stats)
		return;
	ryde_buf_init(&b, 16384);
	ryde_books_json(&c->books, c->program->name, seconds(c), &b);
	put_err(b.p, b.n);
	ryde_buf_free(&b);
}

int
cli_finish(struct cli *c, int status, const struct ryde_err *err)
{
	if (run.ready)
		ryde_notify("STOPPING=1");
	if (err != NULL && err->code != RYDE_OK) {
		print_message(RYDE_LOG_ERROR, err->msg);
		status = ryde_err_status(err);
	}
	if (!ryde_books_balanced(&c->books)) {
		print_message(RYDE_LOG_ERROR, "the books do not balance: this is a bug "
					      "in the program (see --stats)");
		c->stats = true;
		status = RYDE_ESOFTWARE;
	}
	report(c);
	if (close(STDOUT_FILENO) != 0 && status == 0) {
		struct ryde_err e = RYDE_ERR_INIT;

		/* a writer may have closed it already, and has checked it then */
		if (ryde_err_sys(&e, RYDE_EIO, "standard output") != 0 &&
		    e.sys != EBADF) {
			print_message(RYDE_LOG_ERROR, e.msg);
			status = ryde_err_status(&e);
		}
	}
	return status;
}

void
cli_finish_closed(struct cli *c)
{
	report(c);
	ryde_signals_die_of_pipe();
}
