#include "flow/ack_sink.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/waits.h"
#include "flow/ack_going.h"
#include "flow/ack_lane.h"
#include "flow/ack_sink_state.h"
#include "flow/ack_socket.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/envelope.h"
#include "line/position.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MS 30000

struct ryde_ack_sink *
ryde_ack_sink_new(enum ryde_ack_role role, const char *program, struct ryde_err *err)
{
	struct ryde_ack_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->role = role;
	(void)snprintf(s->program, sizeof(s->program), "%s", program);
	return s;
}

static void
free_reader(struct ryde_ack_reader *r)
{
	ryde_ack_socket_close(&r->socket);
	ryde_buf_free(&r->at);
	free(r);
}

void
ryde_ack_sink_free(struct ryde_ack_sink *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_lanes; i++)
		ryde_ack_lane_free(s->lanes[i]);
	for (int i = 0; i < s->n_readers; i++)
		free_reader(s->readers[i]);
	free(s->lanes);
	free(s);
}

void
ryde_ack_sink_fingerprint(struct ryde_ack_sink *s, const char *fingerprint)
{
	(void)snprintf(s->fingerprint, sizeof(s->fingerprint), "%s", fingerprint);
}

/* ---- hearing the reader ---- */

static void
gone(struct ryde_ack_reader *r, enum ryde_err_code code, struct ryde_view why)
{
	if (r->gone.code == RYDE_OK)
		(void)ryde_err_set(&r->gone, code, "%.*s", (int)why.n, why.p);
}

static void
on_welcome(struct ryde_ack_reader *r, struct ryde_json_walk *w)
{
	struct ryde_json_value key, v;

	r->welcomed = true;
	while (ryde_json_walk_next(w, &key, &v)) {
		if (ryde_view_is(key.text, "hold"))
			r->can_hold = v.kind == RYDE_JSON_TRUE;
		else if (ryde_view_is(key.text, "direct"))
			r->direct = v.kind == RYDE_JSON_TRUE;
		else if (ryde_view_is(key.text, "retention"))
			(void)ryde_num_i64(v.text, 0, INT64_MAX, &r->retention_ms);
		else if (ryde_view_is(key.text, "at"))
			ryde_buf_view(&r->at, v.text);
	}
}

static void
on_refused(
    struct ryde_ack_reader *r, struct ryde_json_value why, struct ryde_json_walk *w)
{
	enum ryde_err_code code = RYDE_ETEMPFAIL;
	struct ryde_json_value key, v;
	struct ryde_buf text;

	while (ryde_json_walk_next(w, &key, &v))
		if (ryde_view_is(key.text, "status") && ryde_view_is(v.text, "78"))
			code = RYDE_ECONFIG;
	ryde_buf_init(&text, 400);
	ryde_json_string_decode(&text, why.text);
	gone(r, code, ryde_buf_as_view(&text));
	ryde_buf_free(&text);
	r->refused = true;
}

static void
message(struct ryde_ack_reader *r, struct ryde_view text)
{
	struct ryde_json_value key, value;
	struct ryde_json_fault fault;
	struct ryde_json_walk w;

	if (ryde_json_check(text, NULL, &fault) != 0 || !ryde_json_walk_begin(&w, text) ||
	    !ryde_json_walk_next(&w, &key, &value))
		return;
	if (ryde_view_is(key.text, "welcome")) {
		on_welcome(r, &w);
	} else if (ryde_view_is(key.text, "refused")) {
		on_refused(r, value, &w);
	} else if (ryde_view_is(key.text, "clean")) {
		r->answered = true;
		r->clean = value.kind == RYDE_JSON_TRUE;
	} else if (ryde_view_is(key.text, "done")) {
		r->over = r->answered = r->clean = true;
	} else if (ryde_view_is(key.text, "gone")) {
		ryde_ack_going_hear(r, value.text, &w);
	} else if (ryde_view_is(key.text, "lost")) {
		gone(r, RYDE_ETEMPFAIL, value.text);
	}
}

static void
hear(struct ryde_ack_reader *r)
{
	struct ryde_view text;

	if (r->socket.fd < 0)
		return;
	ryde_ack_socket_receive(&r->socket);
	while (ryde_ack_socket_next(&r->socket, &text))
		message(r, text);
	if (!r->socket.closed)
		return;
	ryde_ack_socket_close(&r->socket);
	/* at its end a reader may leave: everything it waits for was said */
	if (!r->over)
		gone(r, RYDE_ETEMPFAIL,
		    ryde_view_of("the reader at the beginning of this pipe is gone: "
				 "nothing more is begun, "
				 "a new run goes on from its position"));
}

/* Waits until *flag is set, the reader is gone, or it has not answered in time. */
static int
await(struct ryde_ack_reader *r, const bool *flag, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + ANSWER_MS;

	for (;;) {
		struct ryde_waits w = {0};

		ryde_ack_socket_send(&r->socket);
		hear(r);
		if (*flag)
			return 0;
		if (r->gone.code != RYDE_OK) {
			*err = r->gone;
			return -1;
		}
		if (ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "the reader of this pipe does not answer");
		ryde_waits_begin(&w);
		ryde_waits_fd(&w, r->socket.fd,
		    (short)(POLLIN | (r->socket.out.n > 0 ? POLLOUT : 0)));
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
}

/* ---- taking lines ---- */

static void
put_hello(
    struct ryde_ack_sink *s, struct ryde_ack_reader *r, const struct ryde_line *line)
{
	static const char *const roles[] = {"sink", "filter", "window"};
	struct ryde_buf *out = &r->socket.out;
	struct stat st;

	ryde_buf_printf(out, "{\"hello\":\"%s\",\"program\":", roles[s->role]);
	ryde_json_string_put(out, ryde_view_of(s->program));
	if (fstat(STDIN_FILENO, &st) == 0)
		ryde_buf_printf(out, ",\"stdin\":\"%llu:%llu\"",
		    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	ryde_buf_printf(out, ",\"plain\":%s", line->shard.n > 0 ? "true" : "false");
	if (s->role == RYDE_ACK_WINDOW)
		ryde_buf_printf(out, ",\"window\":\"%s\"", s->fingerprint);
	ryde_buf_puts(out, "}\n");
}

static struct ryde_ack_reader *
connect_to(struct ryde_ack_sink *s, const struct ryde_line *line, struct ryde_err *err)
{
	char path[RYDE_ACK_SOCKET_PATH];
	struct ryde_ack_reader *r;

	if (s->n_readers == RYDE_ACK_READERS_MAX || line->ack.n >= sizeof(r->token)) {
		(void)ryde_err_set(err, RYDE_ETEMPFAIL, "lines of more than %d readers",
		    RYDE_ACK_READERS_MAX);
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	r->sink = s;
	r->socket.fd = -1;
	ryde_buf_init(&r->at, (size_t)4 << 20);
	memcpy(r->token, line->ack.p, line->ack.n);
	r->token_n = line->ack.n;
	s->readers[s->n_readers++] = r;
	if (ryde_ack_socket_path(line->ack, false, path, sizeof(path), err) != 0 ||
	    ryde_ack_socket_connect(path, &r->socket, err) != 0) {
		r->gone = *err;
		return NULL;
	}
	put_hello(s, r, line);
	return await(r, &r->welcomed, err) == 0 ? r : NULL;
}

static struct ryde_ack_reader *
reader_of(struct ryde_ack_sink *s, const struct ryde_line *line, struct ryde_err *err)
{
	for (int i = 0; i < s->n_readers; i++) {
		struct ryde_ack_reader *r = s->readers[i];

		if (ryde_view_eq(line->ack, ryde_view_mem(r->token, r->token_n))) {
			if (r->gone.code == RYDE_OK)
				return r;
			*err = r->gone;
			return NULL;
		}
	}
	return connect_to(s, line, err);
}

struct ryde_ack_lane *
ryde_ack_sink_lane(struct ryde_ack_sink *s, struct ryde_ack_reader *r,
    struct ryde_view id, struct ryde_err *err)
{
	struct ryde_ack_lane *l = calloc(1, sizeof(*l));

	if (l == NULL || id.n > RYDE_SHARD_ID_MAX)
		goto fail;
	if (s->n_lanes == s->cap_lanes) {
		size_t cap = s->cap_lanes == 0 ? 8 : s->cap_lanes * 2;
		struct ryde_ack_lane **more = realloc(s->lanes, cap * sizeof(*more));

		if (more == NULL)
			goto fail;
		s->lanes = more;
		s->cap_lanes = cap;
	}
	l->reader = r;
	if (id.n > 0)
		memcpy(l->id, id.p, id.n);
	l->id_n = id.n;
	ryde_ack_lane_init(l);
	s->lanes[s->n_lanes++] = l;
	return l;
fail:
	free(l);
	(void)ryde_err_nomem(err);
	return NULL;
}

static bool
is_lane(const struct ryde_ack_lane *l, const struct ryde_line *line)
{
	return ryde_view_eq(line->shard, ryde_view_mem(l->id, l->id_n)) &&
	       ryde_view_eq(
		   line->ack, ryde_view_mem(l->reader->token, l->reader->token_n));
}

static struct ryde_ack_lane *
lane_of(struct ryde_ack_sink *s, const struct ryde_line *line, struct ryde_err *err)
{
	struct ryde_ack_reader *r;

	if (s->latest != NULL && is_lane(s->latest, line) &&
	    s->latest->reader->gone.code == RYDE_OK)
		return s->latest;
	r = reader_of(s, line, err);
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < s->n_lanes; i++)
		if (is_lane(s->lanes[i], line))
			return s->latest = s->lanes[i];
	return s->latest = ryde_ack_sink_lane(s, r, line->shard, err);
}

static enum ryde_ack_take
take_without_ack(struct ryde_ack_sink *s, const struct ryde_line *line)
{
	if (line->kind == RYDE_LINE_MARK)
		s->marks_seen = true;
	s->end_was_last = line->kind == RYDE_LINE_MARK && line->end;
	return RYDE_ACK_TAKEN;
}

__attribute__((noinline)) static enum ryde_ack_take
take_with_ack(struct ryde_ack_sink *s, const struct ryde_line *line, uint64_t *ticket,
    struct ryde_err *err)
{
	static const struct ryde_pos nowhere;
	const struct ryde_pos *pos = &nowhere;
	struct ryde_ack_entry *e;
	struct ryde_ack_lane *l;
	size_t index;

	l = lane_of(s, line, err);
	if (l == NULL)
		return RYDE_ACK_FAILED;
	if (l->held && line->gen <= l->held_gen && line->kind != RYDE_LINE_PAYLOAD &&
	    !line->end)
		return RYDE_ACK_STALE;
	l->gen = line->gen;
	if (line->end)
		l->reader->over = true;
	if (line->seq.n > 0 && ryde_line_pos(line, &l->last))
		pos = &l->last;
	l->last_more = line->more;
	if (s->role != RYDE_ACK_SINK)
		return RYDE_ACK_TAKEN;
	if (l->held) {
		size_t more;
		int known = ryde_ack_lane_again(l, line, pos, &more);

		if (known < 0)
			goto no_memory;
		if (known > 0) {
			s->outstanding += more;
			s->outstanding -= ryde_ack_lane_advance(l);
			return RYDE_ACK_STALE;
		}
	}
	e = ryde_ack_lane_push(l, line, pos);
	if (e == NULL)
		goto no_memory;
	s->outstanding++;
	if (e->done) {
		if (l->n == 1)
			s->outstanding -= ryde_ack_lane_advance(l);
		return RYDE_ACK_TAKEN;
	}
	for (index = 0; s->lanes[index] != l; index++)
		continue;
	*ticket = (uint64_t)(index + 1) << RYDE_ACK_LANE_SHIFT |
		  ((l->first + l->n - 1) & RYDE_ACK_NUMBER_MASK);
	return RYDE_ACK_TAKEN;
no_memory:
	(void)ryde_err_nomem(err);
	return RYDE_ACK_FAILED;
}

enum ryde_ack_take
ryde_ack_sink_take(struct ryde_ack_sink *s, const struct ryde_line *line,
    uint64_t *ticket, struct ryde_err *err)
{
	*ticket = 0;
	return line->ack.n == 0 ? take_without_ack(s, line)
				: take_with_ack(s, line, ticket, err);
}

struct ryde_ack_entry *
ryde_ack_sink_entry(
    const struct ryde_ack_sink *s, uint64_t ticket, struct ryde_ack_lane **lane)
{
	size_t index = (size_t)(ticket >> RYDE_ACK_LANE_SHIFT);
	uint64_t number = ticket & RYDE_ACK_NUMBER_MASK;
	struct ryde_ack_lane *l;

	if (index == 0 || index > s->n_lanes)
		return NULL;
	l = s->lanes[index - 1];
	*lane = l;
	if (number < l->first || number - l->first >= l->n)
		return NULL;
	return &l->ring[(l->head + (size_t)(number - l->first)) & (l->cap - 1)];
}

void
ryde_ack_sink_done(struct ryde_ack_sink *s, uint64_t ticket)
{
	struct ryde_ack_lane *l;
	struct ryde_ack_entry *e = ryde_ack_sink_entry(s, ticket, &l);

	if (e == NULL)
		return;
	e->done = true;
	s->outstanding -= ryde_ack_lane_advance(l);
}

void
ryde_ack_sink_done_all(struct ryde_ack_sink *s)
{
	for (size_t i = 0; i < s->n_lanes; i++) {
		struct ryde_ack_lane *l = s->lanes[i];

		for (size_t k = 0; k < l->n; k++)
			l->ring[(l->head + k) & (l->cap - 1)].done = true;
		s->outstanding -= ryde_ack_lane_advance(l);
	}
}

/* ---- telling the reader ---- */

static void
put_due(struct ryde_ack_lane *l)
{
	struct ryde_buf *out = &l->reader->socket.out;
	const struct ryde_ack_due *e = &l->to_send;

	if (e->at.n > 0) {
		ryde_buf_puts(out, "{\"at\":");
		ryde_buf_view(out, ryde_buf_as_view(&e->at));
		ryde_buf_puts(out, "}\n");
	} else if (e->pos.n > 0 && l->id_n > 0) {
		ryde_buf_puts(out, "{\"ack\":\"");
		ryde_buf_add(out, l->id, l->id_n);
		ryde_buf_puts(out, "\",\"gen\":");
		ryde_buf_u64(out, e->gen);
		ryde_buf_puts(out, ",\"seq\":\"");
		ryde_pos_put(out, &e->pos);
		ryde_buf_puts(out, "\"}\n");
	}
	ryde_buf_clear(&l->to_send.at);
	l->due = false;
}

/* While the socket is full, only the latest of each lane is kept: memory stays bounded,
 * nobody blocks. */
static void
send_due(struct ryde_ack_sink *s)
{
	for (size_t i = 0; i < s->n_lanes; i++) {
		struct ryde_ack_lane *l = s->lanes[i];

		if (l->due && l->reader->socket.fd >= 0 &&
		    l->reader->socket.out.n < 65536)
			put_due(l);
		if (ryde_ack_going_ends(l) && !l->due)
			ryde_ack_going_say(s, l);
	}
	for (int i = 0; i < s->n_readers; i++)
		if (s->readers[i]->socket.fd >= 0)
			ryde_ack_socket_send(&s->readers[i]->socket);
}

int
ryde_ack_sink_turn(struct ryde_ack_sink *s, struct ryde_err *err)
{
	send_due(s);
	for (int i = 0; i < s->n_readers; i++) {
		hear(s->readers[i]);
		if (s->readers[i]->gone.code != RYDE_OK) {
			*err = s->readers[i]->gone;
			return -1;
		}
	}
	return 0;
}

static bool
has_due(const struct ryde_ack_sink *s, const struct ryde_ack_reader *r)
{
	for (size_t i = 0; i < s->n_lanes; i++) {
		const struct ryde_ack_lane *l = s->lanes[i];

		if (l->reader == r && (l->due || ryde_ack_going_ends(l)))
			return true;
	}
	return r->socket.out.n > 0;
}

void
ryde_ack_sink_wait(struct ryde_ack_sink *s, struct ryde_waits *w)
{
	for (int i = 0; i < s->n_readers; i++)
		if (s->readers[i]->socket.fd >= 0)
			ryde_waits_fd(w, s->readers[i]->socket.fd,
			    (short)(POLLIN | (has_due(s, s->readers[i]) ? POLLOUT : 0)));
}

static int
ask_clean(
    struct ryde_ack_sink *s, struct ryde_ack_reader *r, bool *clean, struct ryde_err *err)
{
	struct ryde_buf *out = &r->socket.out;
	bool first = true;

	ryde_buf_puts(out, "{\"eof\":{");
	for (size_t i = 0; i < s->n_lanes; i++) {
		const struct ryde_ack_lane *l = s->lanes[i];

		if (l->reader != r || l->last.n == 0 || l->last_more)
			continue;
		ryde_buf_printf(
		    out, "%s\"%.*s\":\"", first ? "" : ",", (int)l->id_n, l->id);
		ryde_pos_put(out, &l->last);
		ryde_buf_putc(out, '"');
		first = false;
	}
	ryde_buf_puts(out, "}}\n");
	if (await(r, &r->answered, err) != 0)
		return -1;
	*clean = *clean && r->clean;
	return 0;
}

int
ryde_ack_sink_eof(struct ryde_ack_sink *s, bool *clean, struct ryde_err *err)
{
	*clean = true;
	if (s->n_readers == 0)
		*clean = !s->marks_seen || s->end_was_last;
	for (int i = 0; i < s->n_readers; i++) {
		struct ryde_ack_reader *r = s->readers[i];

		if (r->over && r->gone.code == RYDE_OK)
			continue;
		send_due(s);
		if (r->gone.code != RYDE_OK) {
			*err = r->gone;
			return -1;
		}
		if (ask_clean(s, r, clean, err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_ack_sink_finish(struct ryde_ack_sink *s, int64_t timeout_ms, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + timeout_ms;

	for (int i = 0; i < s->n_readers; i++) {
		struct ryde_ack_reader *r = s->readers[i];

		while (r->gone.code == RYDE_OK && !r->socket.closed && has_due(s, r)) {
			struct ryde_waits w = {0};

			send_due(s);
			if (!has_due(s, r))
				break;
			if (ryde_clock_mono_ms() >= until)
				return ryde_err_set(err, RYDE_ETEMPFAIL,
				    "acknowledgements could not be sent in time");
			ryde_waits_begin(&w);
			ryde_waits_fd(&w, r->socket.fd, POLLOUT);
			ryde_waits_until(&w, until);
			if (ryde_waits_poll(&w, err) != 0)
				return -1;
		}
		if (r->gone.code != RYDE_OK || r->socket.closed)
			continue;
		ryde_buf_puts(&r->socket.out, "{\"bye\":true}\n");
		ryde_ack_socket_send(&r->socket);
	}
	return 0;
}

bool
ryde_ack_sink_in_group(const struct ryde_ack_sink *s)
{
	return s->n_readers > 0;
}

uint64_t
ryde_ack_sink_outstanding(const struct ryde_ack_sink *s)
{
	return s->outstanding;
}

static struct ryde_ack_reader *
known_reader(const struct ryde_ack_sink *s, const struct ryde_line *line)
{
	for (int i = 0; i < s->n_readers; i++)
		if (line->ack.n > 0 &&
		    ryde_view_eq(line->ack,
			ryde_view_mem(s->readers[i]->token, s->readers[i]->token_n)))
			return s->readers[i];
	return NULL;
}

bool
ryde_ack_sink_direct(const struct ryde_ack_sink *s, const struct ryde_line *line)
{
	const struct ryde_ack_reader *r = known_reader(s, line);

	return r != NULL && r->direct;
}

bool
ryde_ack_sink_can_hold(const struct ryde_ack_sink *s, const struct ryde_line *line)
{
	const struct ryde_ack_reader *r = known_reader(s, line);

	return r != NULL && r->can_hold && s->role == RYDE_ACK_SINK;
}

static void
put_request(struct ryde_ack_lane *l, const char *what, uint32_t gen)
{
	struct ryde_buf *out = &l->reader->socket.out;

	if (l->due)
		put_due(l);
	ryde_buf_printf(out, "{\"%s\":\"%.*s\",\"gen\":%lu}\n", what, (int)l->id_n, l->id,
	    (unsigned long)gen);
	ryde_ack_socket_send(&l->reader->socket);
}

void
ryde_ack_sink_hold(struct ryde_ack_sink *s, uint64_t last)
{
	size_t index = (size_t)(last >> RYDE_ACK_LANE_SHIFT);
	uint64_t number = last & RYDE_ACK_NUMBER_MASK;
	struct ryde_ack_lane *l;

	if (index == 0 || index > s->n_lanes)
		return;
	l = s->lanes[index - 1];
	s->outstanding -= ryde_ack_lane_forget(l, number);
	l->held = true;
	l->held_gen = l->gen;
	put_request(l, "hold", l->held_gen);
}

void
ryde_ack_sink_resume(struct ryde_ack_sink *s, uint64_t last)
{
	size_t index = (size_t)(last >> RYDE_ACK_LANE_SHIFT);

	if (index == 0 || index > s->n_lanes)
		return;
	put_request(s->lanes[index - 1], "resume", s->lanes[index - 1]->held_gen);
}

struct ryde_view
ryde_ack_sink_window_at(const struct ryde_ack_sink *s)
{
	return s->n_readers > 0 ? ryde_buf_as_view(&s->readers[0]->at)
				: ryde_view_mem(NULL, 0);
}

int64_t
ryde_ack_sink_retention_ms(const struct ryde_ack_sink *s)
{
	return s->n_readers > 0 ? s->readers[0]->retention_ms : 0;
}
