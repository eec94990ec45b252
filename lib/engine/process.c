#include "engine/process.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "engine/process_filter.h"
#include "engine/process_going.h"
#include "engine/process_invoke.h"
#include "engine/process_keep.h"
#include "engine/process_lane.h"
#include "engine/process_lineage.h"
#include "engine/process_open.h"
#include "engine/process_pool.h"
#include "engine/process_runtime.h"
#include "engine/process_source.h"
#include "engine/process_spawn.h"
#include "flow/ack_going.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "json/scan.h"
#include "json/shape.h"
#include "json/string.h"
#include "line/reader.h"
#include "line/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANY_SLOT (-1)
#define UNSAID_MAX (4 * RYDE_PROCESS_HAND_RECORDS)
#define LANES_TIDY 4096 /* idle lanes are forgotten when there are so many */

struct engine {
	const struct ryde_process_settings *settings;
	struct ryde_process_lane_common c;
	struct ryde_process_pool pool; /* with --keep and --runtime-api */
	struct ryde_process_lane **lanes;
	size_t n_lanes, cap_lanes;
	struct ryde_process_lane *last; /* the lane of the last record */
	uint32_t last_source;
	struct ryde_json_shapes *shapes;
	uint64_t spread;	  /* lines without a key, for their lanes */
	size_t turn;		  /* which lane goes first */
	size_t waiting;		  /* lanes that wait for their parents in this turn */
	bool ended;		  /* the input has */
	bool again;		  /* nothing whole is buffered: wait for the input */
	bool at_hand;		  /* all that could be had without waiting is taken */
	struct ryde_buf end_mark; /* waits until everything before it is done */
	struct ryde_buf scratch;
	int64_t deadline_ms, kill_ms; /* after a signal, or when something broke */
	struct ryde_err err;
};

/* Set-up. */

/* The number of a source; -1 without memory. */
static int
source_of(struct engine *e, const struct ryde_line *line, uint32_t *source,
    struct ryde_err *err)
{
	struct ryde_process_lane_common *c = &e->c;
	struct ryde_process_source *s;

	if (e->last_source < c->n_sources &&
	    ryde_view_is(line->ack, c->sources[e->last_source].raw)) {
		*source = e->last_source;
		return 0;
	}
	for (size_t i = 0; i < c->n_sources; i++) {
		if (ryde_view_is(line->ack, c->sources[i].raw)) {
			*source = e->last_source = (uint32_t)i;
			return 0;
		}
	}
	s = realloc(c->sources, (c->n_sources + 1) * sizeof *s);
	if (s == NULL)
		return ryde_err_nomem(err);
	c->sources = s;
	s += c->n_sources;
	if (ryde_process_source_init(s, line->ack, line->stream, err) != 0)
		return -1;
	*source = e->last_source = (uint32_t)c->n_sources++;
	return 0;
}

static void
open_pool(struct engine *e, const struct ryde_process_settings *settings)
{
	struct ryde_process_lane_common *c = &e->c;
	const char *name = getenv("AWS_LAMBDA_FUNCTION_NAME");

	if (settings->handler != RYDE_PROCESS_KEEP &&
	    settings->handler != RYDE_PROCESS_RUNTIME)
		return;
	e->pool = (struct ryde_process_pool){
	    .ops = settings->handler == RYDE_PROCESS_KEEP ? &ryde_process_keep_ops
							  : &ryde_process_runtime_ops,
	    .path = c->path,
	    .argv = settings->argv,
	    .envp = c->envp,
	    .n_env = c->n_env,
	    .function = name != NULL && *name != '\0'
			    ? name
			    : c->function + sizeof "command:" - 1,
	    .region = c->region,
	    .one_line = settings->event == RYDE_PROCESS_EVENT_LAMBDA,
	};
	c->pool = &e->pool;
}

static int
engine_open(struct engine *e, const struct ryde_process_settings *settings,
    struct ryde_intake *in, struct ryde_writer *out, struct ryde_books *books,
    struct ryde_err *err)
{
	const struct ryde_line nobody = {0};
	struct ryde_process_lane_common *c = &e->c;
	uint32_t source;

	e->settings = c->settings = settings;
	c->in = in;
	c->out = out;
	c->books = books;
	e->deadline_ms = e->kill_ms = RYDE_WAITS_FOREVER;
	e->shapes = malloc(sizeof *e->shapes);
	if (e->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(e->shapes);
	ryde_buf_init(&e->end_mark, RYDE_LINE_MAX);
	ryde_buf_init(&e->scratch, 2 * (size_t)RYDE_LINE_MAX);
	if (ryde_process_open(c, err) != 0)
		return -1;
	open_pool(e, settings);
	ryde_ack_going_heed(ryde_intake_sink(in));
	return source_of(e, &nobody, &source, err);
}

static void
engine_close(struct engine *e)
{
	struct ryde_process_lane_common *c = &e->c;

	for (size_t i = 0; i < e->n_lanes; i++)
		ryde_process_lane_free(e->lanes[i]);
	free(e->lanes);
	free(e->shapes);
	if (c->pool != NULL)
		ryde_process_pool_close(c->pool);
	ryde_process_invoke_close(c->invoke);
	for (size_t i = 0; i < c->n_sources; i++)
		ryde_process_source_free(&c->sources[i]);
	free(c->sources);
	ryde_process_fail_close(c->fail);
	ryde_process_filter_free(c->filter);
	free(c->path);
	free(c->function);
	free(c->envp);
	ryde_buf_free(&e->end_mark);
	ryde_buf_free(&e->scratch);
}

/* Begins nothing new; what runs may end within --grace. The first reason counts. */
static void
stop(struct engine *e, const struct ryde_err *why, int64_t now_ms)
{
	if (e->err.code == RYDE_OK)
		e->err = *why;
	e->c.stopping = true;
	if (e->deadline_ms > now_ms + e->settings->grace_ms)
		e->deadline_ms = now_ms + e->settings->grace_ms;
}

/* Input. */

/* Lanes with nothing in hand are worth little: with very many shards they make room. */
static void
tidy(struct engine *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->n_lanes; i++) {
		struct ryde_process_lane *l = e->lanes[i];

		if (ryde_process_lane_busy(l) || l->held || l->sibling != l ||
		    l->parents != NULL || l->phase != RYDE_PROCESS_LANE_IDLE)
			e->lanes[kept++] = l;
		else
			ryde_process_lane_free(l);
	}
	e->n_lanes = kept;
	e->last = NULL;
}

static struct ryde_process_lane *
find_lane(struct engine *e, const struct ryde_line *line, int slot)
{
	struct ryde_process_lane *l = e->last;

	if (l != NULL && ryde_process_lane_is(l, line->stream, line->shard) &&
	    (slot == ANY_SLOT || l->slot == (unsigned)slot))
		return l;
	for (size_t i = 0; i < e->n_lanes; i++) {
		l = e->lanes[i];
		if (ryde_process_lane_is(l, line->stream, line->shard) &&
		    (slot == ANY_SLOT || l->slot == (unsigned)slot))
			return e->last = l;
	}
	return NULL;
}

/*
 * Which of its shard's lanes a record goes to: the same for the same key, so that its
 * order is kept. Lines without a key have no order to keep; they fill one batch after the
 * other, all items of a line in one.
 */
static int
slot_of(struct engine *e, const struct ryde_item *item)
{
	uint64_t n = (uint64_t)e->settings->parallel,
		 hash = UINT64_C(14695981039346656037);

	if (n <= 1)
		return 0;
	if (item->line.key.n == 0) {
		hash = e->spread / (uint64_t)e->settings->batch_size;
		e->spread += !item->more;
		return (int)(hash % n);
	}
	for (size_t i = 0; i < item->line.key.n; i++) /* FNV-1a */
		hash =
		    (hash ^ (unsigned char)item->line.key.p[i]) * UINT64_C(1099511628211);
	return (int)((hash >> 32) % n);
}

static struct ryde_process_lane *
make_lane(struct engine *e, const struct ryde_line *line, int slot, struct ryde_err *err)
{
	struct ryde_process_lane **more, *l, *of;
	size_t cap;

	if (e->n_lanes == e->cap_lanes && e->n_lanes >= LANES_TIDY)
		tidy(e);
	if (e->n_lanes == e->cap_lanes) {
		cap = e->cap_lanes > 0 ? e->cap_lanes * 2 : 16;
		more = realloc(e->lanes, cap * sizeof(struct ryde_process_lane *));
		if (more == NULL) {
			ryde_err_nomem(err);
			return NULL;
		}
		e->lanes = more;
		e->cap_lanes = cap;
	}
	l = ryde_process_lane_new(line->stream, line->shard, e->settings->tumble_ms, err);
	if (l == NULL)
		return NULL;
	of = find_lane(e, line, ANY_SLOT);
	if (of != NULL)
		ryde_process_lane_join(l, of);
	l->slot = (unsigned)slot;
	e->lanes[e->n_lanes++] = e->last = l;
	return l;
}

/*
 * What the command reads of an item: its payload, if that is one JSON text on one line;
 * else, where the record came in base64, that, as a JSON string. False where it is
 * neither (fault says why).
 */
static bool
readable(struct engine *e, const struct ryde_item *item, struct ryde_view *data,
    bool *base64, struct ryde_json_fault *fault)
{
	*base64 = false;
	*data = item->payload;
	if (ryde_json_shapes_check(e->shapes, item->payload, item->behind, fault) == 0 &&
	    memchr(item->payload.p, '\n', item->payload.n) == NULL)
		return true;
	if (!item->line.is_base64)
		return false;
	*base64 = true;
	ryde_buf_clear(&e->scratch);
	ryde_buf_putc(&e->scratch, '"');
	ryde_json_string_base64_put(&e->scratch, item->payload);
	ryde_buf_putc(&e->scratch, '"');
	*data = ryde_buf_as_view(&e->scratch);
	return true;
}

static int
take_item(struct engine *e, const struct ryde_item *item, struct ryde_err *err)
{
	struct ryde_json_fault fault = {"a newline inside", 0};
	struct ryde_process_lane *l;
	struct ryde_view data;
	char text[160];
	uint32_t source;
	bool base64;
	int slot;

	if (!readable(e, item, &data, &base64, &fault)) {
		snprintf(text, sizeof text, "not JSON: %s at byte %zu", fault.what,
		    fault.at + 1);
		return ryde_intake_reject(e->c.in, item, text, err);
	}
	if (source_of(e, &item->line, &source, err) != 0)
		return -1;
	slot = slot_of(e, item);
	l = find_lane(e, &item->line, slot);
	if (l == NULL)
		l = make_lane(e, &item->line, slot, err);
	if (l == NULL)
		return -1;
	return ryde_process_lane_add(l, &e->c, item, data, base64, source, err);
}

/* --emit passes marks on: a shard's when its records in hand are done, the end's when all
 * are. */
static int
take_mark(struct engine *e, const struct ryde_line *line, struct ryde_err *err)
{
	struct ryde_process_lane *l;
	uint32_t source;

	if (line->parents.n > 0) {
		l = find_lane(e, line, ANY_SLOT);
		if (l == NULL)
			l = make_lane(e, line, 0, err);
		if (l == NULL || ryde_process_lineage_hear(l, line, e->c.order, err) != 0)
			return -1;
	}

	if (!line->end && e->settings->tumble_ms > 0 &&
	    (l = find_lane(e, line, ANY_SLOT)) != NULL)
		ryde_process_lane_hear(l, line);
	if (e->c.out == NULL)
		return 0;
	if (source_of(e, line, &source, err) != 0)
		return -1;
	if (line->end) {
		ryde_buf_clear(&e->end_mark);
		ryde_buf_view(&e->end_mark, line->raw);
		e->c.sources[source].ended = true;
		return ryde_buf_check(&e->end_mark, err);
	}
	l = find_lane(e, line, ANY_SLOT);
	if (l == NULL || ryde_process_lane_oldest(l) == UINT64_MAX)
		return ryde_writer_line(e->c.out, line->raw, err);
	return ryde_process_lane_mark(l, &e->c, line->raw, err);
}

static bool
hand_full(const struct engine *e)
{
	return e->c.hand_records >= RYDE_PROCESS_HAND_RECORDS ||
	       e->c.hand_bytes >= RYDE_PROCESS_HAND_BYTES;
}

/* With --parallel what is done beside a batch that is not cannot be acknowledged, and is
 * not forgotten either: true where it is more than max. */
static bool
unsaid(const struct engine *e, uint64_t max)
{
	return e->settings->parallel > 1 &&
	       ryde_ack_sink_outstanding(ryde_intake_sink(e->c.in)) > max;
}

/* True while more input is wanted. */
static bool
wants_input(const struct engine *e)
{
	return !e->ended && !e->c.stopping && e->end_mark.n == 0 && !hand_full(e) &&
	       !unsaid(e, 2 * UNSAID_MAX) &&
	       (e->c.out == NULL || ryde_writer_pending(e->c.out) < RYDE_WRITER_HIGH);
}

static void
take(struct engine *e, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_item item;
	int r = 0;

	e->again = e->at_hand = false;
	while (r == 0 && wants_input(e)) {
		switch (ryde_intake_next(e->c.in, &item, &err)) {
		case RYDE_INTAKE_ITEM:
			r = take_item(e, &item, &err);
			break;
		case RYDE_INTAKE_MARK:
			r = take_mark(e, &item.line, &err);
			break;
		case RYDE_INTAKE_AGAIN:
			e->again = true;
			e->at_hand = !ryde_reader_ready(ryde_intake_reader(e->c.in));
			return;
		case RYDE_INTAKE_END:
			e->ended = true;
			/* In a group the next run goes on with the windows. */
			e->c.close_windows =
			    ryde_intake_clean(e->c.in) &&
			    !ryde_ack_sink_in_group(ryde_intake_sink(e->c.in));
			break;
		case RYDE_INTAKE_FAILED:
			r = -1;
			break;
		}
	}
	if (r != 0)
		stop(e, &err, now_ms);
}

/* Rule 7: a shard that keeps failing must not keep the others from going on. Held is the
 * one that frees most of what is in hand, or else the one that has failed for longest. */
static void
relieve(struct engine *e)
{
	struct ryde_process_lane_hold h, most = {.first = NULL};
	bool full = hand_full(e), crowded = full || unsaid(e, UNSAID_MAX);

	for (size_t i = 0; i < e->n_lanes; i++) {
		e->lanes[i]->begin_up_to = UINT64_MAX;
		if (crowded && ryde_process_lane_holdable(e->lanes[i], &h) &&
		    (most.first == NULL ||
			(full ? h.frees > most.frees : h.up_to < most.up_to)))
			most = h;
	}
	if (most.first != NULL && (!full || most.frees > 0))
		ryde_process_lane_hold(&most, &e->c);
}

/* The loop. */

static void
turn_lanes(struct engine *e, int64_t now_ms)
{
	bool flush = e->ended || hand_full(e) || e->end_mark.n > 0 ||
		     (e->at_hand && e->settings->batch_window_ms == 0);
	struct ryde_err err = RYDE_ERR_INIT;

	ryde_process_going_turn(&e->c, e->lanes, e->n_lanes);
	/* Another one goes first each time, so that none waits for ever for a free child.
	 */
	e->turn++;
	e->waiting = 0;
	for (size_t i = 0; i < e->n_lanes; i++) {
		struct ryde_process_lane *l = e->lanes[(e->turn + i) % e->n_lanes];

		if (!ryde_process_lane_busy(l))
			continue;
		if (ryde_process_lineage_waits(l, e->lanes, e->n_lanes))
			e->waiting++;
		else if (ryde_process_lane_turn(l, &e->c, flush, now_ms, &err) != 0)
			stop(e, &err, now_ms);
	}
}

/* Prints the input's end mark once everything before it is done. */
static void
turn_end_mark(struct engine *e, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;

	if (e->end_mark.n == 0 || e->c.hand_records > 0 || e->c.stopping)
		return;
	if (ryde_writer_line(e->c.out, ryde_buf_as_view(&e->end_mark), &err) != 0)
		stop(e, &err, now_ms);
	ryde_buf_clear(&e->end_mark);
}

static void
turn_output(struct engine *e, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;

	if (e->c.out == NULL || ryde_writer_closed(e->c.out))
		return;
	if (ryde_writer_flush(e->c.out, &err) < 0)
		stop(e, &err, now_ms);
	else if (ryde_writer_check_closed(e->c.out)) {
		ryde_err_set(&err, RYDE_EIO, "stdout was closed");
		stop(e, &err, now_ms);
	}
}

/* After a signal there is --grace; then commands are ended, and what they worked on is
 * pending. */
static void
turn_stop(struct engine *e, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;

	if (ryde_signals_stop() > 0 && e->c.told_ms == 0)
		e->c.told_ms = now_ms;
	if (e->c.told_ms != 0 && e->deadline_ms == RYDE_WAITS_FOREVER)
		e->deadline_ms = now_ms + e->settings->grace_ms;
	if (now_ms < e->deadline_ms || e->kill_ms != RYDE_WAITS_FOREVER)
		return;
	ryde_err_set(&err, RYDE_ETEMPFAIL,
	    "told to stop: %zu records are not done after --grace", e->c.hand_records);
	stop(e, &err, now_ms);
	e->kill_ms = now_ms + RYDE_PROCESS_SPAWN_KILL_MS + 500;
	for (size_t i = 0; i < e->n_lanes; i++)
		ryde_process_lane_stop(e->lanes[i], now_ms);
}

/* True where a window is still to be closed in this run. */
static bool
any_window(const struct engine *e)
{
	for (size_t i = 0; i < e->n_lanes; i++) {
		const struct ryde_process_tumble *t = &e->lanes[i]->tumble;

		if (t->closing != RYDE_PROCESS_TUMBLE_NO ||
		    (e->c.close_windows && t->open))
			return true;
	}
	return false;
}

static bool
finished(const struct engine *e, int64_t now_ms)
{
	if (e->c.stopping)
		return e->c.children == 0 || now_ms >= e->kill_ms;
	if (any_window(e))
		return false;
	return e->ended && e->c.hand_records == 0 && e->end_mark.n == 0 &&
	       (e->c.out == NULL || ryde_writer_pending(e->c.out) == 0);
}

/* What lanes wait for. A lane whose parents came behind it in this turn goes on in the
 * next. */
static void
wait_for_lanes(struct engine *e, struct ryde_waits *w)
{
	size_t waiting = 0;

	for (size_t i = 0; i < e->n_lanes; i++) {
		struct ryde_process_lane *l = e->lanes[i];

		if (!ryde_process_lineage_waits(l, e->lanes, e->n_lanes))
			ryde_process_lane_wait(l, &e->c, w);
		else if (ryde_process_lane_busy(l))
			waiting++;
	}
	if (waiting < e->waiting)
		ryde_waits_until(w, 0);
}

static void
wait_for_something(struct engine *e, struct ryde_waits *w, int64_t now_ms)
{
	struct ryde_err err = RYDE_ERR_INIT;
	bool wants = wants_input(e), input = wants && e->again;

	ryde_waits_begin(w);
	if (input)
		ryde_intake_wait(e->c.in, w);
	else if (!e->c.stopping)
		ryde_intake_wait_quietly(e->c.in, w);
	if (wants && !input) /* lines are buffered that there was no room for before */
		ryde_waits_until(w, 0);
	wait_for_lanes(e, w);
	if (e->c.pool != NULL)
		ryde_process_pool_wait(e->c.pool, w);
	if (e->c.invoke != NULL)
		ryde_process_invoke_wait(e->c.invoke, w);
	if (e->c.out != NULL && !ryde_writer_closed(e->c.out))
		ryde_writer_wait(e->c.out, w);
	ryde_waits_until(
	    w, e->kill_ms != RYDE_WAITS_FOREVER ? e->kill_ms : e->deadline_ms);
	if (e->settings->tick != NULL)
		e->settings->tick(e->settings->tick_arg, w);
	if (ryde_waits_poll(w, &err) != 0)
		stop(e, &err, now_ms);
	else if (!e->c.stopping && (input ? ryde_intake_turn(e->c.in, &err)
					  : ryde_intake_turn_quietly(e->c.in, &err)) != 0)
		stop(e, &err, now_ms);
}

/* The end marks that the input should have had: a filter dropped them, but the readers
 * say that it is whole. */
static int
print_end_marks(struct engine *e, struct ryde_err *err)
{
	if (e->c.out == NULL || !ryde_intake_clean(e->c.in))
		return 0;
	for (size_t i = 0; i < e->c.n_sources; i++) {
		const struct ryde_process_source *s = &e->c.sources[i];
		const struct ryde_line_head head = {.stream = ryde_view_of(s->stream),
		    .ack = ryde_view_of(s->ack),
		    .mark = true,
		    .end = true};

		if (s->ended || *s->ack == '\0')
			continue;
		ryde_line_put(ryde_writer_buf(e->c.out), &head, ryde_view_of(""), false);
		if (ryde_writer_added(e->c.out, err) != 0)
			return -1;
	}
	return 0;
}

static int
finish(struct engine *e, int *status, struct ryde_err *err)
{
	struct ryde_err gone = RYDE_ERR_INIT;

	e->c.books->pending += e->c.hand_records + e->c.window_records;
	if (e->err.code != RYDE_OK) {
		/* What was done is told to the readers that are still there. */
		ryde_intake_finish(e->c.in, &gone);
		*err = e->err;
		return -1;
	}
	if (print_end_marks(e, err) != 0 || ryde_intake_finish(e->c.in, err) != 0)
		return -1;
	*status = ryde_intake_status(e->c.in);
	if (*status == 0 && e->c.window_records > 0) {
		ryde_log(RYDE_LOG_NOTICE,
		    "%zu records of windows that are still open come again with the next "
		    "run",
		    e->c.window_records);
		*status = RYDE_ETEMPFAIL;
	}
	if (*status == 0 && e->c.lost)
		*status = RYDE_EDATA;
	return 0;
}

int
ryde_process_run(const struct ryde_process_settings *settings, struct ryde_intake *in,
    struct ryde_writer *out, struct ryde_books *books, int *status, struct ryde_err *err)
{
	struct engine e = {.err = RYDE_ERR_INIT};
	struct ryde_waits w = {.n = 0};
	int64_t now_ms;
	int result = -1;

	if (engine_open(&e, settings, in, out, books, err) != 0)
		goto out;
	for (;;) {
		now_ms = ryde_clock_mono_ms();
		/* a handler that has ended gets its next batch before more is read */
		if (e.c.children > 0)
			turn_lanes(&e, now_ms);
		take(&e, now_ms);
		relieve(&e);
		if (e.c.pool != NULL)
			ryde_process_pool_turn(e.c.pool, now_ms);
		if (e.c.invoke != NULL && e.err.code == RYDE_OK)
			(void)ryde_process_invoke_turn(e.c.invoke, &e.err);
		turn_lanes(&e, now_ms);
		turn_end_mark(&e, now_ms);
		turn_output(&e, now_ms);
		turn_stop(&e, now_ms);
		if (finished(&e, now_ms))
			break;
		wait_for_something(&e, &w, now_ms);
	}
	result = finish(&e, status, err);
out:
	engine_close(&e);
	return result;
}
