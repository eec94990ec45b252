/* ryde-dlq: lists, reads, redrives and deletes the messages of an on-failure queue. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "cli.h"
#include "engine/dlq.h"
#include "engine/outlet.h"
#include "engine/redrive.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/writer.h"
#include "store/queue.h"

#include <string.h>
#include <unistd.h>

#define PEEK 10 /* messages looked at in one go: each may have a megabyte */

static struct cli cli;
static struct {
	int64_t messages, max_redrives, sinks;
	bool dry_run;
} opt = {.messages = -1, .max_redrives = 3, .sinks = 1};

static const struct ryde_opt options[] = {
    {"messages", 'n', RYDE_OPT_INT, &opt.messages, "COUNT",
	"list, read, redrive: so many messages (all)", 0, INT64_MAX},
    {"max-redrives", 0, RYDE_OPT_INT, &opt.max_redrives, "N",
	"redrive: leave what was redriven so often already (3)", 0, 1000000},
    {"dry-run", 0, RYDE_OPT_FLAG, &opt.dry_run, NULL,
	"redrive: print the records, take and delete nothing", 0, 0},
    {"sinks", 0, RYDE_OPT_INT, &opt.sinks, "N",
	"redrive: so many programs acknowledge at the end of the pipe (1)", 1, 16},
};

static const struct cli_program program = {
    .name = "ryde-dlq",
    .synopsis = "(list | read | count | purge) QUEUE\n"
		"       ryde-dlq delete QUEUE ID...\n"
		"       ryde-dlq redrive [--max-redrives 3] [--dry-run] QUEUE",
    .about =
	"Shows and redrives what ryde-process left in an on-failure queue.\n"
	"list shows the messages, read prints the failed records, redrive prints them "
	"and\n"
	"deletes each message once the end of the pipe has acknowledged its records.",
    .examples = {"ryde-dlq list wildrydes-queue",
	"ryde-dlq redrive wildrydes-queue | ryde-process -- ryde-put UnicornSensorData"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .min_operands = 2,
    .max_operands = -1,
};

struct job {
	struct ryde_queue *queue;
	struct ryde_dlq *dlq;
	struct ryde_writer *w;
	int status; /* what cannot be read or found makes it 65 or 66 */
};

/* Lets the pipe take what is gathered. False once nothing more is wanted, or with err. */
static bool
goes_on(struct job *j, struct ryde_err *err)
{
	cli_tick(&cli, NULL);
	if (ryde_writer_added(j->w, err) != 0)
		return false;
	if (ryde_writer_pending(j->w) > RYDE_WRITER_HIGH &&
	    ryde_outlet_drain(j->w, cli.grace_ms, err) != 0)
		return false;
	return ryde_signals_stop() == 0;
}

/* Calls fn for each message of the queue, without taking it, up to -n. */
static int
each_message(struct job *j,
    int (*fn)(struct job *j, const struct ryde_message *m, struct ryde_err *err),
    struct ryde_err *err)
{
	char after[RYDE_QUEUE_ID_MAX] = "";
	const struct ryde_message *m;
	int64_t left = opt.messages < 0 ? INT64_MAX : opt.messages;
	size_t n;

	while (left > 0) {
		if (ryde_queue_peek(j->queue, after, left < PEEK ? (size_t)left : PEEK,
			&m, &n, err) != 0)
			return -1;
		if (n == 0)
			return 0;
		for (size_t i = 0; i < n; i++) {
			memcpy(after, m[i].id, sizeof(after));
			if (fn(j, &m[i], err) != 0)
				return -1;
			if (!goes_on(j, err))
				return err->code == RYDE_OK && !ryde_writer_closed(j->w)
					   ? 0
					   : -1;
		}
		left -= (int64_t)n;
	}
	return 0;
}

/* ---- list, count, delete, purge ---- */

static int
list_message(struct job *j, const struct ryde_message *m, struct ryde_err *err)
{
	struct ryde_dlq_letter letter;
	bool is = ryde_dlq_letter(j->dlq, m->body, &letter, NULL) == 0;

	ryde_dlq_list_line(m, is ? &letter : NULL, ryde_writer_buf(j->w));
	cli.books.out++;
	return ryde_buf_check(ryde_writer_buf(j->w), err);
}

static int
list(struct job *j, struct ryde_err *err)
{
	return each_message(j, list_message, err);
}

static void
put_queue(struct job *j)
{
	struct ryde_buf *out = ryde_writer_buf(j->w);

	ryde_buf_puts(out, "{\"queue\":");
	ryde_json_string_put(out, ryde_view_of(ryde_queue_label(j->queue)));
	cli.books.out++;
}

static int
count(struct job *j, struct ryde_err *err)
{
	int64_t visible, hidden;

	if (ryde_queue_count(j->queue, &visible, &hidden, err) != 0)
		return -1;
	put_queue(j);
	ryde_buf_printf(ryde_writer_buf(j->w), ",\"visible\":%lld,\"hidden\":%lld}\n",
	    (long long)visible, (long long)hidden);
	return 0;
}

static int
purge(struct job *j, struct ryde_err *err)
{
	int64_t n;

	if (ryde_queue_purge(j->queue, &n, err) != 0)
		return -1;
	put_queue(j);
	ryde_buf_printf(ryde_writer_buf(j->w), ",\"purged\":%lld}\n", (long long)n);
	return 0;
}

static int delete (struct job *j, struct ryde_err *err)
{
	for (int i = 2; i < cli.n_operands; i++) {
		bool found;

		if (ryde_queue_remove(j->queue, cli.operands[i], &found, err) != 0)
			return -1;
		if (found) {
			ryde_log(RYDE_LOG_INFO, "message %s is deleted", cli.operands[i]);
			continue;
		}
		ryde_log(RYDE_LOG_WARNING, "%s holds no message %s",
		    ryde_queue_label(j->queue), cli.operands[i]);
		j->status = RYDE_ENOINPUT;
	}
	return 0;
}

/* ---- read, redrive --dry-run ---- */

static int
read_record(struct job *j, const char *id, const struct ryde_dlq_record *record,
    const struct ryde_line_head *more, struct ryde_err *err)
{
	cli.books.in++;
	if (record->missing) {
		ryde_log(RYDE_LOG_WARNING,
		    "message %s: record %.*s is no longer held by the stream", id,
		    (int)record->seq.n, record->seq.seq);
		cli.books.failed++;
		j->status = RYDE_EDATA;
		return 0;
	}
	ryde_dlq_put(record, more, ryde_writer_buf(j->w));
	cli.books.handled++;
	cli.books.out++;
	if (ryde_buf_check(ryde_writer_buf(j->w), err) != 0)
		return -1;
	return goes_on(j, err) || (err->code == RYDE_OK && !ryde_writer_closed(j->w))
		   ? 0
		   : -1;
}

static int
read_message(struct job *j, const struct ryde_message *m, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_line_head more = {0};
	struct ryde_dlq_letter letter;
	struct ryde_dlq_record record;
	char id[RYDE_QUEUE_ID_MAX];
	int64_t lacking;
	int rc;

	memcpy(id, m->id, sizeof(id));
	rc = ryde_dlq_begin(j->dlq, m->body, &letter, &why);
	if (rc == 0) {
		more.redrives = letter.redrives + (opt.dry_run ? 1 : 0);
		if (opt.dry_run && letter.redrives >= opt.max_redrives) {
			ryde_log(RYDE_LOG_WARNING,
			    "message %s is left: its records were redriven %u times "
			    "already",
			    id, (unsigned)letter.redrives);
			return 0;
		}
		while ((rc = ryde_dlq_next(j->dlq, &record, &why)) == 1)
			if (read_record(j, id, &record, &more, err) != 0)
				return -1;
	}
	if (rc < 0 && why.code != RYDE_EDATA && why.code != RYDE_ENOINPUT) {
		*err = why;
		return -1;
	}
	if (rc < 0) {
		ryde_log(RYDE_LOG_WARNING, "message %s: %s", id, why.msg);
		j->status = RYDE_EDATA;
		return 0;
	}
	lacking = ryde_dlq_short(j->dlq);
	if (lacking > 0) {
		ryde_log(RYDE_LOG_WARNING,
		    "message %s: %lld records of its batch are no longer held by the "
		    "stream",
		    id, (long long)lacking);
		j->status = RYDE_EDATA;
	}
	return 0;
}

static int
read_all(struct job *j, struct ryde_err *err)
{
	return each_message(j, read_message, err);
}

/* ---- redrive ---- */

static void
keep_books(struct ryde_redrive *r)
{
	struct ryde_redrive_counts n = ryde_redrive_counts(r);

	cli.books.in = n.records + n.missing;
	cli.books.handled = n.acknowledged;
	cli.books.failed = n.missing;
	cli.books.pending = n.records - n.acknowledged;
	cli.books.out = n.records;
	cli.books.reached = n.messages + n.left;
}

/* Waits for whatever comes: room in the pipe, acknowledgements, signals. */
static int
rest(struct ryde_redrive *r, struct ryde_writer *w, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	ryde_waits_begin(&waits);
	if (w != NULL)
		ryde_writer_wait(w, &waits);
	ryde_redrive_wait(r, &waits);
	keep_books(r);
	cli_tick(&cli, &waits);
	if (ryde_waits_poll(&waits, err) != 0)
		return -1;
	if (w != NULL && (ryde_writer_check_closed(w) || ryde_writer_flush(w, err) < 0))
		return -1;
	return ryde_redrive_turn(r, err);
}

/* Prints the records of all messages, as fast as pipe and sinks take them. */
static int
print_all(struct job *j, struct ryde_redrive *r, struct ryde_err *err)
{
	for (;;) {
		enum ryde_redrive_step step = RYDE_REDRIVE_WAIT;

		if (ryde_signals_stop() > 0)
			ryde_redrive_stop(r);
		if (ryde_writer_pending(j->w) <= RYDE_WRITER_HIGH)
			step = ryde_redrive_step(r, ryde_writer_buf(j->w), err);
		switch (step) {
		case RYDE_REDRIVE_MORE:
			if (ryde_writer_added(j->w, err) != 0 ||
			    ryde_redrive_turn(r, err) != 0)
				return -1;
			continue;
		case RYDE_REDRIVE_WAIT:
			if (ryde_writer_flush(j->w, err) < 0 || rest(r, j->w, err) != 0)
				return -1;
			continue;
		case RYDE_REDRIVE_PRINTED:
			ryde_redrive_end(r, ryde_writer_buf(j->w));
			return 0;
		case RYDE_REDRIVE_FAILED:
			break;
		}
		return -1;
	}
}

/* The end mark goes out, stdout is closed, and the sinks finish. */
static int
await_sinks(struct job *j, struct ryde_redrive *r, struct ryde_err *err)
{
	int64_t until_mono_ms = RYDE_WAITS_FOREVER;

	while (ryde_writer_flush(j->w, err) == 0) {
		if (ryde_signals_stop() > 0 && until_mono_ms == RYDE_WAITS_FOREVER)
			until_mono_ms = ryde_clock_mono_ms() + cli.grace_ms;
		if (ryde_clock_mono_ms() >= until_mono_ms)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "standard output did not take the last lines within --grace");
		if (rest(r, j->w, err) != 0)
			return -1;
	}
	if (err->code != RYDE_OK || ryde_writer_closed(j->w) ||
	    ryde_writer_close(j->w, err) != 0)
		return -1;
	ryde_redrive_ended(r);
	while (!ryde_redrive_over(r))
		if (rest(r, NULL, err) != 0)
			return -1;
	return 0;
}

/* How many messages progress is measured against. Nobody who does not look at it pays for
 * the question, or needs the permission to ask it. */
static void
count_whole(struct job *j)
{
	int64_t visible, hidden;

	if (isatty(STDERR_FILENO) &&
	    ryde_queue_count(j->queue, &visible, &hidden, NULL) == 0)
		cli.books.whole = (uint64_t)visible;
}

static int
redrive(struct job *j, struct ryde_err *err)
{
	struct ryde_redrive_opts opts = {
	    .sinks = (int)opt.sinks,
	    .max_messages = opt.messages,
	    .max_redrives = opt.max_redrives,
	    .grace_ms = cli.grace_ms,
	};
	struct ryde_redrive_counts n;
	struct ryde_redrive *r;
	int rc;

	if (opt.dry_run)
		return each_message(j, read_message, err);
	r = ryde_redrive_new(&cli.store, j->queue, &opts, err);
	if (r == NULL)
		return -1;
	count_whole(j);
	rc = print_all(j, r, err);
	if (rc == 0)
		rc = await_sinks(j, r, err);
	keep_books(r);
	n = ryde_redrive_counts(r);
	ryde_redrive_free(r);
	ryde_books_extra(&cli.books, "messages", n.messages);
	ryde_books_extra(&cli.books, "deleted", n.deleted);
	ryde_books_extra(&cli.books, "left", n.left);
	if (rc == 0 && n.acknowledged < n.records)
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "%llu of %llu records were not acknowledged: their messages are in "
		    "the queue "
		    "again",
		    (unsigned long long)(n.records - n.acknowledged),
		    (unsigned long long)n.records);
	j->status = n.missing > 0 || n.unread > 0 ? RYDE_EDATA : 0;
	return rc;
}

/* ---- */

static const struct command {
	const char *name;
	int (*run)(struct job *j, struct ryde_err *err);
} commands[] = {
    {"list", list},
    {"read", read_all},
    {"delete", delete},
    {"count", count},
    {"purge", purge},
    {"redrive", redrive},
};

static const struct command *
find_command(void)
{
	const struct command *c = NULL;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(cli.operands[0], commands[i].name) == 0)
			c = &commands[i];
	if (c == NULL)
		cli_usage(&cli,
		    "'%s' is none of list, read, delete, count, purge, redrive",
		    cli.operands[0]);
	if (c->run == delete &&cli.n_operands < 3)
		cli_usage(&cli, "delete wants the ids of messages (purge deletes all)");
	if (c->run != delete &&cli.n_operands > 2)
		cli_usage(&cli, "one operand too many: '%s'", cli.operands[2]);
	if (c->run != redrive && (opt.dry_run || opt.sinks != 1 || opt.max_redrives != 3))
		cli_usage(&cli, "--dry-run, --sinks and --max-redrives are for redrive");
	return c;
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	const struct command *command;
	struct job j = {0};
	bool closed = false;

	cli_start(&cli, &program, argc, argv);
	command = find_command();
	j.queue = ryde_queue_open(&cli.store, cli.operands[1], false, &err);
	if (j.queue != NULL)
		j.dlq = ryde_dlq_new(&cli.store, &err);
	if (j.dlq != NULL)
		j.w = ryde_writer_new(STDOUT_FILENO, &err);
	if (j.w == NULL)
		goto out;
	cli_ready(&cli);
	if (command->run(&j, &err) == 0 && ryde_writer_pending(j.w) > 0)
		(void)ryde_outlet_drain(j.w, cli.grace_ms, &err);
	closed = ryde_writer_closed(j.w);
out:
	ryde_writer_free(j.w);
	ryde_dlq_free(j.dlq);
	ryde_queue_close(j.queue);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, j.status, &err);
}
