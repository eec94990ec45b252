/* ryde-replay: prints recorded lines at the pace at which they were recorded. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/signals.h"
#include "base/waits.h"
#include "cli.h"
#include "engine/outlet.h"
#include "engine/replay.h"
#include "flow/intake.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/writer.h"

#include <unistd.h>

#define TURN_AFTER \
	4096 /* lines between two turns of the loop while nothing has to wait */

static struct cli cli;
static struct {
	const char *path, *speed;
	bool now;
} opt = {.speed = "1x"};

static const struct ryde_opt options[] = {
    {"time", 't', RYDE_OPT_STRING, &opt.path, "PATH",
	"field that holds a line's time (.StatusTime; envelopes: arrival)", 0, 0},
    {"speed", 0, RYDE_OPT_STRING, &opt.speed, "SPEED",
	"1x, 60x, 0.5x: so many times the recorded pace; max: no waiting (1x)", 0, 0},
    {"now", 0, RYDE_OPT_FLAG, &opt.now, NULL,
	"write the present into that field, in its own form", 0, 0},
};

static const struct cli_program program = {
    .name = "ryde-replay",
    .synopsis = "[-t PATH] [--speed 1x|60x|max] [--now] [FILE...]",
    .about = "Prints recorded lines at the pace of their own time field, or faster.",
    .examples = {"ryde-replay --speed 60x rides.ndjson.gz | ryde-produce wildrydes",
	"ryde-replay --now rides.ndjson | ryde-map"},
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .reads_lines = true,
    .min_operands = 0,
    .max_operands = -1,
};

enum verdict {
	GO_ON,
	STOP,	/* the end of the input, or nothing more is wanted */
	FAILED, /* err is set, or stdout is closed */
};

struct replay {
	struct ryde_replay *times;
	struct ryde_replay_schedule schedule;
	bool at_once; /* --speed max, or what is left of a group's lines after a signal to
			 stop */
	struct ryde_intake *in;
	struct ryde_writer *w;
	struct ryde_buf stamped, scratch[5];
	uint64_t since_turn;
};

/* An item that is not its line's own text: the payload in a new envelope, if it came in
 * one. */
static void
put_rebuilt(struct replay *r, const struct ryde_item *item, struct ryde_view payload,
    int64_t arrival_ms, struct ryde_buf *out)
{
	const struct ryde_line *l = &item->line;
	const struct ryde_view raw[] = {l->stream, l->shard, l->seq, l->key, l->ack};
	struct ryde_view *plain[5];
	struct ryde_line_head head = {
	    .arrival_ms = arrival_ms,
	    .has_arrival = l->has_arrival,
	    .gen = l->gen,
	    .redrives = l->redrives,
	    .has_sub = l->has_sub,
	    .sub = l->sub,
	    .last = l->last,
	    .more = l->more || item->more,
	    .lf = l->lf,
	};

	if (l->kind != RYDE_LINE_ENVELOPE) {
		ryde_buf_view(out, payload);
		ryde_buf_putc(out, '\n');
		return;
	}
	plain[0] = &head.stream;
	plain[1] = &head.shard;
	plain[2] = &head.seq;
	plain[3] = &head.key;
	plain[4] = &head.ack;
	for (size_t i = 0; i < 5; i++) {
		ryde_buf_clear(&r->scratch[i]);
		ryde_json_string_decode(&r->scratch[i], raw[i]);
		*plain[i] = ryde_buf_as_view(&r->scratch[i]);
	}
	ryde_line_put(out, &head, payload, l->is_base64 && cli.filter == NULL);
}

/* text with the piece at `piece` replaced by the present. */
static void
put_stamped(struct ryde_view text, const struct ryde_replay_time *time, int64_t now_ms,
    struct ryde_buf *out)
{
	size_t before = (size_t)(time->text.p - text.p);

	ryde_buf_add(out, text.p, before);
	ryde_replay_restamp(time->form, now_ms, out);
	ryde_buf_add(out, time->text.p + time->text.n, text.n - before - time->text.n);
}

/* The item as a line with its newline. Only what has to change changes. */
static void
put_item(struct replay *r, const struct ryde_item *item,
    const struct ryde_replay_time *time, struct ryde_buf *out)
{
	bool own_text = !item->changed || cli.filter == NULL;
	int64_t now_ms = opt.now ? ryde_clock_data_ms() : 0;

	if (own_text && !opt.now) {
		ryde_buf_view(out, item->line.raw);
		ryde_buf_putc(out, '\n');
	} else if (own_text && (time->arrival || !item->line.is_base64)) {
		put_stamped(item->line.raw, time, now_ms, out);
		ryde_buf_putc(out, '\n');
	} else if (opt.now && !time->arrival) {
		ryde_buf_clear(&r->stamped);
		put_stamped(item->payload, time, now_ms, &r->stamped);
		put_rebuilt(
		    r, item, ryde_buf_as_view(&r->stamped), item->line.arrival_ms, out);
	} else {
		put_rebuilt(r, item, item->payload,
		    opt.now ? now_ms : item->line.arrival_ms, out);
	}
}

/* True where the program ends at once on a signal; a group's lines are passed on to their
 * end mark instead. */
static bool
stops_now(struct replay *r)
{
	if (ryde_signals_stop() == 0)
		return false;
	r->at_once = r->at_once || ryde_ack_sink_in_group(ryde_intake_sink(r->in));
	return !r->at_once;
}

/* Waits until at_mono_ms for anything but more input: that is not wanted before this line
 * is out. */
static int
rest(struct replay *r, int64_t at_mono_ms, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	if (ryde_writer_flush(r->w, err) < 0)
		return -1;
	ryde_waits_begin(&waits);
	ryde_writer_wait(r->w, &waits);
	ryde_intake_wait_quietly(r->in, &waits);
	ryde_waits_until(&waits, at_mono_ms);
	cli_tick(&cli, &waits);
	if (ryde_waits_poll(&waits, err) != 0 || ryde_writer_check_closed(r->w))
		return -1;
	if (ryde_writer_flush(r->w, err) < 0)
		return -1;
	return ryde_intake_turn_quietly(r->in, err);
}

/* Waits until the held line is due. */
static enum verdict
hold(struct replay *r, int64_t due_us, struct ryde_err *err)
{
	while (!r->at_once && ryde_clock_mono_us() < due_us) {
		if (stops_now(r))
			return STOP;
		if (!r->at_once && rest(r, (due_us + 999) / 1000, err) != 0)
			return FAILED;
	}
	return GO_ON;
}

static enum verdict
replay_item(struct replay *r, const struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_replay_time time = {0};
	struct ryde_err why = RYDE_ERR_INIT;
	struct ryde_buf *out = ryde_writer_buf(r->w);
	uint64_t ticket = item->ticket;
	int64_t due_us;
	enum verdict v;

	if (!r->at_once || opt.now) {
		if (ryde_replay_find(
			r->times, &item->line, item->payload, opt.now, &time, &why) != 0)
			return ryde_intake_reject(r->in, item, why.msg, err) == 0
				   ? GO_ON
				   : FAILED;
	}
	if (!r->at_once) {
		due_us =
		    ryde_replay_due_us(&r->schedule, time.at_ms, ryde_clock_mono_us());
		if (due_us > ryde_clock_mono_us()) {
			v = hold(r, due_us, err);
			if (v != GO_ON) {
				cli.books.pending++;
				return v;
			}
		}
	}
	put_item(r, item, &time, out);
	cli.books.out++;
	cli.books.handled++;
	ryde_intake_done(r->in, ticket);
	return ryde_writer_added(r->w, err) == 0 ? GO_ON : FAILED;
}

/* Nothing to read at the moment: what is gathered goes out first. */
static enum verdict
wait_for_input(struct replay *r, struct ryde_err *err)
{
	struct ryde_waits waits = {0};

	if (ryde_writer_flush(r->w, err) < 0)
		return FAILED;
	ryde_waits_begin(&waits);
	ryde_writer_wait(r->w, &waits);
	ryde_intake_wait(r->in, &waits);
	cli_tick(&cli, &waits);
	if (ryde_waits_poll(&waits, err) != 0 || ryde_writer_check_closed(r->w) ||
	    ryde_writer_flush(r->w, err) < 0)
		return FAILED;
	return ryde_intake_turn(r->in, err) == 0 ? GO_ON : FAILED;
}

static enum verdict
replay_some(struct replay *r, struct ryde_err *err)
{
	struct ryde_item item;

	if (stops_now(r))
		return STOP;
	while (ryde_writer_pending(r->w) > RYDE_WRITER_HIGH)
		if (rest(r, RYDE_WAITS_FOREVER, err) != 0)
			return FAILED;
	if (++r->since_turn >= TURN_AFTER) {
		r->since_turn = 0;
		cli_tick(&cli, NULL);
		if (ryde_intake_turn_quietly(r->in, err) != 0)
			return FAILED;
	}
	switch (ryde_intake_next(r->in, &item, err)) {
	case RYDE_INTAKE_ITEM:
		return replay_item(r, &item, err);
	case RYDE_INTAKE_MARK:
		return ryde_writer_line(r->w, item.line.raw, err) == 0 ? GO_ON : FAILED;
	case RYDE_INTAKE_AGAIN:
		return wait_for_input(r, err);
	case RYDE_INTAKE_END:
		return STOP;
	case RYDE_INTAKE_FAILED:
		break;
	}
	return FAILED;
}

static int
replay_new(struct replay *r, struct ryde_err *err)
{
	struct ryde_intake_opts in = {.role = RYDE_ACK_FILTER, .program = program.name};

	cli_input(&cli, 0, &in);
	if (!ryde_replay_speed(ryde_view_of(opt.speed), &r->schedule.speed, &r->at_once))
		cli_usage(&cli, "--speed: '%s' is no speed (1x 60x 0.5x max)", opt.speed);
	ryde_buf_init(&r->stamped, 2 * RYDE_LINE_MAX);
	for (size_t i = 0; i < 5; i++)
		ryde_buf_init(&r->scratch[i], RYDE_LINE_MAX);
	r->times = ryde_replay_new(opt.path, err);
	if (r->times == NULL)
		return -1;
	r->in = ryde_intake_new(&in, err);
	if (r->in == NULL)
		return -1;
	r->w = ryde_writer_new(STDOUT_FILENO, err);
	return r->w != NULL ? 0 : -1;
}

static void
replay_free(struct replay *r)
{
	ryde_writer_free(r->w);
	ryde_intake_free(r->in);
	ryde_replay_free(r->times);
	ryde_buf_free(&r->stamped);
	for (size_t i = 0; i < 5; i++)
		ryde_buf_free(&r->scratch[i]);
}

static int
see_off(struct replay *r, struct ryde_err *err)
{
	bool stopped = stops_now(r);

	if (ryde_outlet_drain(r->w, cli.grace_ms, err) != 0 ||
	    ryde_intake_finish(r->in, err) != 0)
		return -1;
	if (stopped)
		return cli.books.rejected > 0 ? RYDE_EDATA : 0;
	return ryde_intake_status(r->in);
}

int
main(int argc, char **argv)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct replay r = {0};
	enum verdict v = GO_ON;
	bool closed = false;
	int status = 0;

	cli_start(&cli, &program, argc, argv);
	if (replay_new(&r, &err) != 0)
		goto out;
	cli_ready(&cli);
	while (v == GO_ON)
		v = replay_some(&r, &err);
	status = v == STOP ? see_off(&r, &err) : 0;
	/* lines before an input that cannot be read are whole; behind a reader that is
	 * gone they are not */
	if (v == FAILED && err.code != RYDE_ETEMPFAIL && !ryde_writer_closed(r.w))
		(void)ryde_outlet_drain(r.w, cli.grace_ms, NULL);
	closed = ryde_writer_closed(r.w);
out:
	replay_free(&r);
	if (closed)
		cli_finish_closed(&cli);
	return cli_finish(&cli, status, &err);
}
