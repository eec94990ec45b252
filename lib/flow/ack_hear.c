#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "flow/ack_state.h"
#include "flow/window_at.h"
#include "json/scan.h"
#include "json/string.h"

static void
refuse(struct ryde_ack_server *s, struct ryde_ack_peer *p, enum ryde_err_code code,
    const char *what)
{
	struct ryde_buf *out = &p->socket.out;

	ryde_buf_puts(out, "{\"refused\":");
	ryde_json_string_put(out, ryde_view_of(what));
	ryde_buf_printf(out, ",\"status\":%d}\n", (int)code);
	ryde_ack_socket_send(&p->socket);
	ryde_ack_server_freeze(s, code, NULL, what);
}

static void
welcome(struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view in)
{
	struct ryde_buf *out = &p->socket.out;

	ryde_buf_printf(out,
	    "{\"welcome\":true,\"hold\":%s,\"direct\":%s,\"retention\":%lld",
	    s->opts.can_hold ? "true" : "false",
	    in.n > 0 && ryde_view_is(in, s->direct) ? "true" : "false",
	    (long long)s->opts.retention_ms);
	if (p->role == RYDE_ACK_PEER_WINDOW && s->stored_at.n > 0) {
		ryde_buf_puts(out, ",\"at\":");
		ryde_buf_view(out, ryde_buf_as_view(&s->stored_at));
	}
	ryde_buf_puts(out, "}\n");
	p->state = RYDE_ACK_PEER_LIVE;
	for (int i = 0; i < s->n_shards; i++)
		if (s->shards[i].gone)
			ryde_ack_server_tell_gone(p, &s->shards[i]);
	ryde_ack_socket_send(&p->socket);
}

static void
hello_window(
    struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view fingerprint)
{
	if (s->opts.shared) {
		refuse(s, p, RYDE_ECONFIG,
		    "ryde-window cannot stand behind one of several readers: its group "
		    "is "
		    "read without --share");
		return;
	}
	if (s->has_window) {
		refuse(s, p, RYDE_ECONFIG,
		    "two ryde-window on one group: each needs a group of its own, and a "
		    "window "
		    "behind a window a stream between them");
		return;
	}
	if (s->stored_fingerprint.n > 0 &&
	    !ryde_view_eq(fingerprint, ryde_buf_as_view(&s->stored_fingerprint))) {
		refuse(s, p, RYDE_ECONFIG,
		    "this group's position belongs to a window of another definition: "
		    "use another "
		    "group, or forget its open windows with ryde-admin positions "
		    "--reset");
		return;
	}
	s->has_window = true;
}

static void
hello_sink(struct ryde_ack_server *s, struct ryde_ack_peer *p)
{
	if (s->n_sinks == s->opts.sinks) {
		refuse(s, p, RYDE_ETEMPFAIL,
		    "one sink more than --sinks says came to this reader: what an "
		    "earlier one lost "
		    "might be taken for done");
		return;
	}
	if (p->plain && (s->has_window || s->stored_fingerprint.n > 0)) {
		refuse(s, p, RYDE_ECONFIG,
		    "this group's position belongs to a window, and a sink without it "
		    "would skip "
		    "its open windows: use another group, or ryde-admin positions "
		    "--reset");
		return;
	}
	p->sink = s->n_sinks++;
}

static void
hello(struct ryde_ack_server *s, struct ryde_ack_peer *p, const struct ryde_json_value *v)
{
	struct ryde_view role = v[0].text, program = v[1].text;

	p->role = ryde_view_is(role, "window")	 ? RYDE_ACK_PEER_WINDOW
		  : ryde_view_is(role, "filter") ? RYDE_ACK_PEER_FILTER
						 : RYDE_ACK_PEER_SINK;
	p->plain = v[3].kind == RYDE_JSON_TRUE;
	if (program.n >= sizeof(p->program))
		program.n = sizeof(p->program) - 1;
	if (program.n > 0)
		memcpy(p->program, program.p, program.n);
	if (p->role == RYDE_ACK_PEER_WINDOW)
		hello_window(s, p, v[4].text);
	else if (p->role == RYDE_ACK_PEER_SINK)
		hello_sink(s, p);
	if (!s->frozen) {
		welcome(s, p, v[2].text);
		ryde_log(RYDE_LOG_INFO, "%s has connected", p->program);
	}
}

/* ---- the other messages ---- */

static void
on_ack(
    struct ryde_ack_server *s, struct ryde_ack_peer *p, const struct ryde_json_value *v)
{
	struct ryde_pos pos;
	uint64_t gen = 0;
	struct ryde_ack_shard *h;
	int k = -1;

	for (int i = 0; i < s->n_shards; i++)
		if (ryde_view_is(v[0].text, s->shards[i].id))
			k = i;
	/* late: the shard was given away meanwhile */
	if (k >= 0 && ryde_num_u64(v[1].text, UINT32_MAX, &gen) &&
	    gen < s->shards[k].min_gen)
		return;
	if (k < 0 || p->sink < 0 || !ryde_pos_parse(&pos, v[2].text) ||
	    (v[1].kind != RYDE_JSON_ABSENT &&
		!ryde_num_u64(v[1].text, UINT32_MAX, &gen)) ||
	    ryde_ack_state_compare(&s->shards[k].printed, (uint32_t)gen, &pos) < 0) {
		ryde_ack_server_freeze(
		    s, RYDE_ETEMPFAIL, p->program, "acknowledged what was never printed");
		return;
	}
	if (s->has_window) {
		refuse(s, p, RYDE_ECONFIG,
		    "a sink acknowledges lines of this group beside its window: give it "
		    "a group of its own");
		return;
	}
	h = &s->shards[k];
	if (ryde_ack_state_compare(&h->acked[p->sink], (uint32_t)gen, &pos) < 0) {
		h->acked[p->sink] = (struct ryde_ack_place){true, (uint32_t)gen, pos};
		s->progress++;
	}
}

static void
on_at(struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view text)
{
	struct ryde_window_at at;
	struct ryde_err err;

	if (p->sink < 0 || ryde_window_at_parse(&at, text, &err) != 0) {
		ryde_ack_server_freeze(
		    s, RYDE_ETEMPFAIL, p->program, "handed back broken window positions");
		return;
	}
	if (s->at[p->sink].n == 0 || at.n > s->at_n[p->sink]) {
		ryde_buf_clear(&s->at[p->sink]);
		ryde_buf_view(&s->at[p->sink], text);
		s->at_n[p->sink] = at.n;
		s->progress++;
	}
	ryde_window_at_free(&at);
}

static void
on_event(struct ryde_ack_server *s, struct ryde_ack_peer *p,
    enum ryde_ack_server_event kind, struct ryde_view shard, struct ryde_view gen)
{
	uint64_t g = 0;

	if (gen.n > 0 && !ryde_num_u64(gen, UINT32_MAX, &g))
		return;
	for (int k = 0; k < s->n_shards; k++) {
		if (!ryde_view_is(shard, s->shards[k].id))
			continue;
		if (!s->opts.can_hold || p->role != RYDE_ACK_PEER_SINK ||
		    s->n_events == RYDE_ACK_EVENTS_MAX) {
			ryde_ack_server_freeze(s, RYDE_ETEMPFAIL, p->program,
			    "asked to hold a shard, which cannot be done here");
			return;
		}
		s->events[s->n_events].kind = kind;
		s->events[s->n_events].shard = k;
		s->events[s->n_events++].gen = (uint32_t)g;
		s->progress++;
	}
}

/* The peer has nothing of the shard under way any more. */
static void
on_forgot(
    struct ryde_ack_server *s, struct ryde_ack_peer *p, const struct ryde_json_value *v)
{
	uint64_t gen = 0;

	for (int k = 0; k < s->n_shards; k++) {
		struct ryde_ack_shard *h = &s->shards[k];

		if (!ryde_view_is(v[0].text, h->id) || !h->gone ||
		    !ryde_num_u64(v[1].text, UINT32_MAX, &gen) || gen != h->gone_gen)
			continue;
		h->awaits &= ~((uint64_t)1 << p->slot);
		s->progress++;
	}
}

/* Rule 3: whole, when the last line named of each shard is at or behind the last record
 * printed. */
static bool
is_whole(const struct ryde_ack_server *s, struct ryde_view named)
{
	for (int k = 0; k < s->n_shards; k++) {
		const struct ryde_ack_place *last = &s->shards[k].record;
		struct ryde_json_value key, value;
		struct ryde_json_walk w;
		bool found = false;

		if (!last->is)
			continue;
		if (!ryde_json_walk_begin(&w, named))
			return false;
		while (!found && ryde_json_walk_next(&w, &key, &value)) {
			struct ryde_pos pos;

			found = ryde_view_is(key.text, s->shards[k].id) &&
				ryde_pos_parse(&pos, value.text) &&
				ryde_pos_cmp(&pos, &last->pos) >= 0;
		}
		if (!found)
			return false;
	}
	return true;
}

static void
on_eof(struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view named)
{
	bool clean = s->ended && !s->frozen && is_whole(s, named);

	ryde_buf_printf(&p->socket.out, "{\"clean\":%s}\n", clean ? "true" : "false");
	ryde_ack_socket_send(&p->socket);
}

void
ryde_ack_hear(struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view text)
{
	struct ryde_json_value v[5] = {{0}}, key, value;
	struct ryde_json_fault fault;
	struct ryde_json_walk w;
	struct ryde_view first = {NULL, 0};
	static const char *const names[] = {"program", "stdin", "plain", "window"};

	if (ryde_json_check(text, NULL, &fault) != 0 || !ryde_json_walk_begin(&w, text))
		return;
	/* v[0] is the first member's value, v[1..] the others by name: a hello's, or gen
	 * and seq */
	while (ryde_json_walk_next(&w, &key, &value)) {
		if (first.p == NULL) {
			first = key.text;
			v[0] = value;
			continue;
		}
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (ryde_view_is(key.text, names[i]))
				v[i + 1] = value;
		if (ryde_view_is(key.text, "gen"))
			v[1] = value;
		if (ryde_view_is(key.text, "seq"))
			v[2] = value;
	}
	if (p->state == RYDE_ACK_PEER_NEW) {
		if (ryde_view_is(first, "hello"))
			hello(s, p, v);
	} else if (ryde_view_is(first, "ack")) {
		on_ack(s, p, v);
	} else if (ryde_view_is(first, "at")) {
		on_at(s, p, v[0].text);
	} else if (ryde_view_is(first, "hold")) {
		on_event(s, p, RYDE_ACK_SERVER_HOLD, v[0].text, v[1].text);
	} else if (ryde_view_is(first, "resume")) {
		on_event(s, p, RYDE_ACK_SERVER_RESUME, v[0].text, v[1].text);
	} else if (ryde_view_is(first, "forgot")) {
		on_forgot(s, p, v);
	} else if (ryde_view_is(first, "eof")) {
		on_eof(s, p, v[0].text);
	} else if (ryde_view_is(first, "bye")) {
		p->bye = true;
	}
}
