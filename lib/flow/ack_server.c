#include "flow/ack_server.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/random.h"
#include "base/waits.h"
#include "flow/ack_socket.h"
#include "flow/ack_state.h"
#include "flow/window_at.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
ryde_ack_server_freeze(struct ryde_ack_server *s, enum ryde_err_code code,
    const char *program, const char *what)
{
	if (s->frozen)
		return;
	s->frozen = true;
	(void)ryde_err_set(&s->why, code, "%s%s%s", program != NULL ? program : "",
	    program != NULL ? " " : "", what);
}

struct ryde_ack_server *
ryde_ack_server_new(const struct ryde_ack_server_opts *opts, struct ryde_err *err)
{
	struct ryde_ack_server *s = calloc(1, sizeof(*s));
	struct stat st;

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->opts = *opts;
	s->listener = -1;
	s->first_mono_ms = -1;
	ryde_buf_init(&s->stored_at, (size_t)4 << 20);
	ryde_buf_init(&s->stored_fingerprint, 256);
	for (int i = 0; i < RYDE_ACK_SINKS_MAX; i++)
		ryde_buf_init(&s->at[i], (size_t)4 << 20);
	if (fstat(opts->out_fd, &st) == 0)
		(void)snprintf(s->direct, sizeof(s->direct), "%llu:%llu",
		    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	if (ryde_random_token(s->token, err) != 0 ||
	    ryde_ack_socket_path(
		ryde_view_of(s->token), true, s->path, sizeof(s->path), err) != 0) {
		s->path[0] = '\0';
		ryde_ack_server_free(s);
		return NULL;
	}
	s->listener = ryde_ack_socket_listen(s->path, err);
	if (s->listener < 0) {
		s->path[0] = '\0';
		ryde_ack_server_free(s);
		return NULL;
	}
	return s;
}

void
ryde_ack_server_free(struct ryde_ack_server *s)
{
	if (s == NULL)
		return;
	if (s->listener >= 0)
		(void)close(s->listener);
	if (s->path[0] != '\0')
		(void)unlink(s->path);
	for (int i = 0; i < s->n_peers; i++) {
		ryde_ack_socket_close(&s->peers[i]->socket);
		free(s->peers[i]);
	}
	for (int i = 0; i < RYDE_ACK_SINKS_MAX; i++)
		ryde_buf_free(&s->at[i]);
	ryde_buf_free(&s->stored_at);
	ryde_buf_free(&s->stored_fingerprint);
	free(s->shards);
	free(s);
}

struct ryde_view
ryde_ack_server_token(const struct ryde_ack_server *s)
{
	return ryde_view_of(s->token);
}

int
ryde_ack_server_window(struct ryde_ack_server *s, struct ryde_view at,
    struct ryde_view fingerprint, struct ryde_err *err)
{
	ryde_buf_view(&s->stored_at, at);
	ryde_buf_view(&s->stored_fingerprint, fingerprint);
	if (ryde_buf_check(&s->stored_at, err) != 0)
		return -1;
	return ryde_buf_check(&s->stored_fingerprint, err);
}

int
ryde_ack_server_shard(struct ryde_ack_server *s, struct ryde_view id)
{
	struct ryde_ack_shard *more;

	for (int i = 0; i < s->n_shards; i++)
		if (ryde_view_is(id, s->shards[i].id))
			return i;
	if (id.n > RYDE_SHARD_ID_MAX)
		return -1;
	more = realloc(s->shards, (size_t)(s->n_shards + 1) * sizeof(*more));
	if (more == NULL)
		return -1;
	s->shards = more;
	memset(&more[s->n_shards], 0, sizeof(*more));
	memcpy(more[s->n_shards].id, id.p, id.n);
	return s->n_shards++;
}

void
ryde_ack_server_printed(struct ryde_ack_server *s, int shard, uint32_t gen,
    const struct ryde_pos *pos, bool record)
{
	struct ryde_ack_place p = {true, gen, *pos};

	if (s->first_mono_ms < 0)
		s->first_mono_ms = ryde_clock_mono_ms();
	s->shards[shard].printed = p;
	if (record)
		s->shards[shard].record = p;
}

void
ryde_ack_server_ended(struct ryde_ack_server *s)
{
	s->ended = true;
}

/* ---- what is acknowledged ---- */

bool
ryde_ack_server_position(
    const struct ryde_ack_server *s, int shard, uint32_t *gen, struct ryde_pos *pos)
{
	const struct ryde_ack_place *least = NULL;

	if (s->n_sinks < s->opts.sinks)
		return false;
	for (int i = 0; i < s->opts.sinks; i++) {
		const struct ryde_ack_place *a = &s->shards[shard].acked[i];

		if (!a->is)
			return false;
		if (least == NULL || ryde_ack_state_compare(least, a->gen, &a->pos) > 0)
			least = a;
	}
	*gen = least->gen;
	*pos = least->pos;
	return true;
}

static int
oldest_at(const struct ryde_ack_server *s)
{
	int oldest = 0;

	if (s->n_sinks < s->opts.sinks)
		return -1;
	for (int i = 0; i < s->opts.sinks; i++) {
		if (s->at[i].n == 0)
			return -1;
		if (s->at_n[i] < s->at_n[oldest])
			oldest = i;
	}
	return oldest;
}

struct ryde_view
ryde_ack_server_at(const struct ryde_ack_server *s)
{
	int i = oldest_at(s);

	return i < 0 ? ryde_view_mem(NULL, 0) : ryde_buf_as_view(&s->at[i]);
}

bool
ryde_ack_server_has_window(const struct ryde_ack_server *s)
{
	return s->has_window;
}

/* Every record printed is in what sink i acknowledged, or in the `seen` of the positions
 * it handed back. */
static bool
sink_complete(const struct ryde_ack_server *s, int i)
{
	struct ryde_window_at at = {0};
	bool windowed = s->at[i].n > 0, all = true;

	if (windowed && ryde_window_at_parse(&at, ryde_buf_as_view(&s->at[i]), NULL) != 0)
		return false;
	for (int k = 0; k < s->n_shards && all; k++) {
		const struct ryde_ack_shard *h = &s->shards[k];
		const struct ryde_window_at_shard *w;

		if (!h->record.is)
			continue;
		if (ryde_ack_state_compare(&h->acked[i], h->record.gen, &h->record.pos) >=
		    0)
			continue;
		w = windowed ? ryde_window_at_find(&at, ryde_view_of(h->id)) : NULL;
		all = w != NULL && ryde_pos_cmp(&w->seen, &h->record.pos) >= 0;
	}
	ryde_window_at_free(&at);
	return all;
}

bool
ryde_ack_server_complete(const struct ryde_ack_server *s)
{
	bool any = false;

	for (int k = 0; k < s->n_shards; k++)
		any = any || s->shards[k].record.is;
	if (!any)
		return true;
	if (s->n_sinks < s->opts.sinks)
		return false;
	for (int i = 0; i < s->opts.sinks; i++)
		if (!sink_complete(s, i))
			return false;
	return true;
}

uint64_t
ryde_ack_server_progress(const struct ryde_ack_server *s)
{
	return s->progress;
}

bool
ryde_ack_server_deserted(const struct ryde_ack_server *s)
{
	if (s->n_sinks < s->opts.sinks)
		return false;
	for (int i = 0; i < s->n_peers; i++)
		if (s->peers[i]->state != RYDE_ACK_PEER_GONE)
			return false;
	return true;
}

bool
ryde_ack_server_leave(struct ryde_ack_server *s)
{
	bool told = s->n_sinks >= s->opts.sinks;

	for (int i = 0; i < s->n_peers && told; i++) {
		struct ryde_ack_peer *p = s->peers[i];

		if (p->state != RYDE_ACK_PEER_LIVE)
			continue;
		if (!p->told)
			ryde_buf_puts(&p->socket.out, "{\"done\":true}\n");
		p->told = true;
		ryde_ack_socket_send(&p->socket);
		told = p->socket.closed || p->socket.out.n == 0;
	}
	return told;
}

enum ryde_ack_server_event
ryde_ack_server_next_event(struct ryde_ack_server *s, int *shard, uint32_t *gen)
{
	enum ryde_ack_server_event kind;

	if (s->n_events == 0)
		return RYDE_ACK_SERVER_NONE;
	kind = s->events[0].kind;
	*shard = s->events[0].shard;
	*gen = s->events[0].gen;
	s->n_events--;
	memmove(&s->events[0], &s->events[1], (size_t)s->n_events * sizeof(s->events[0]));
	return kind;
}

/* ---- sharing ---- */

void
ryde_ack_server_tell_gone(struct ryde_ack_peer *p, struct ryde_ack_shard *h)
{
	h->awaits |= (uint64_t)1 << p->slot;
	ryde_buf_printf(&p->socket.out, "{\"gone\":\"%s\",\"gen\":%lu}\n", h->id,
	    (unsigned long)h->gone_gen);
	ryde_ack_socket_send(&p->socket);
}

void
ryde_ack_server_gone(struct ryde_ack_server *s, int shard, uint32_t gen)
{
	struct ryde_ack_shard *h = &s->shards[shard];

	h->gone = true;
	h->gone_gen = gen;
	for (int i = 0; i < s->n_peers; i++)
		if (s->peers[i]->state == RYDE_ACK_PEER_LIVE)
			ryde_ack_server_tell_gone(s->peers[i], h);
}

bool
ryde_ack_server_forgotten(const struct ryde_ack_server *s, int shard)
{
	const struct ryde_ack_shard *h = &s->shards[shard];

	return h->gone && h->awaits == 0 && s->n_sinks >= s->opts.sinks;
}

void
ryde_ack_server_forget(struct ryde_ack_server *s, int shard, uint32_t gen)
{
	struct ryde_ack_shard *h = &s->shards[shard];

	h->gone = false;
	h->min_gen = gen;
	h->printed.is = h->record.is = false;
	for (int i = 0; i < RYDE_ACK_SINKS_MAX; i++)
		h->acked[i].is = false;
}

/* ---- turns ---- */

/* The lowest number that no connection has. */
static int
free_slot(const struct ryde_ack_server *s)
{
	uint64_t used = 0;
	int slot = 0;

	for (int i = 0; i < s->n_peers; i++)
		used |= (uint64_t)1 << s->peers[i]->slot;
	while ((used >> slot & 1) != 0)
		slot++;
	return slot;
}

static void
accept_all(struct ryde_ack_server *s)
{
	while (s->n_peers < RYDE_ACK_PEERS_MAX) {
		struct ryde_ack_peer *p = calloc(1, sizeof(*p));
		struct ryde_err err = RYDE_ERR_INIT;

		if (p == NULL)
			return;
		p->sink = -1;
		p->slot = free_slot(s);
		if (ryde_ack_socket_accept(s->listener, &p->socket, &err) != 1) {
			free(p);
			return;
		}
		s->peers[s->n_peers++] = p;
	}
}

static void
hear(struct ryde_ack_server *s, struct ryde_ack_peer *p)
{
	struct ryde_view text;

	if (p->state == RYDE_ACK_PEER_GONE)
		return;
	ryde_ack_socket_send(&p->socket);
	ryde_ack_socket_receive(&p->socket);
	while (!s->frozen && ryde_ack_socket_next(&p->socket, &text))
		ryde_ack_hear(s, p, text);
	if (p->socket.closed) {
		for (int i = 0; i < s->n_shards; i++)
			s->shards[i].awaits &= ~((uint64_t)1 << p->slot);
		p->state = RYDE_ACK_PEER_GONE;
		ryde_ack_socket_close(&p->socket);
	}
}

/* Forgets connections that were never a sink's, or more than a filter's. */
static void
forget(struct ryde_ack_server *s)
{
	int kept = 0;

	for (int i = 0; i < s->n_peers; i++) {
		if (s->peers[i]->state == RYDE_ACK_PEER_GONE && s->peers[i]->sink < 0 &&
		    s->peers[i]->role != RYDE_ACK_PEER_WINDOW)
			free(s->peers[i]);
		else
			s->peers[kept++] = s->peers[i];
	}
	s->n_peers = kept;
}

/* Rule 1: a sink that is gone while something it has not acknowledged is outstanding. */
static void
check_gone(struct ryde_ack_server *s)
{
	for (int i = 0; i < s->n_peers && !s->frozen; i++) {
		const struct ryde_ack_peer *p = s->peers[i];

		if (p->state != RYDE_ACK_PEER_GONE || (s->ended && p->bye))
			continue;
		if (p->sink >= 0 && !sink_complete(s, p->sink))
			ryde_ack_server_freeze(s, RYDE_ETEMPFAIL, p->program,
			    "is gone, with lines it had not acknowledged");
	}
}

static void
check_came(struct ryde_ack_server *s)
{
	struct ryde_err *why = &s->why;

	if (s->frozen || s->first_mono_ms < 0 || s->n_sinks >= s->opts.sinks ||
	    ryde_clock_mono_ms() - s->first_mono_ms < s->opts.sink_wait_ms)
		return;
	s->frozen = true;
	if (s->n_sinks > 0)
		(void)ryde_err_set(why, RYDE_ETEMPFAIL,
		    "only %d of --sinks %d programs acknowledge what this reader prints",
		    s->n_sinks, s->opts.sinks);
	else
		(void)ryde_err_set(why, RYDE_ETEMPFAIL,
		    "no program acknowledges what this reader prints: end the pipe with "
		    "ryde-put, "
		    "ryde-produce, ryde-archive or ryde-process -- COMMAND, or use --ack "
		    "write");
}

int
ryde_ack_server_turn(struct ryde_ack_server *s, struct ryde_err *err)
{
	if (!s->frozen) {
		accept_all(s);
		for (int i = 0; i < s->n_peers; i++)
			hear(s, s->peers[i]);
		check_gone(s);
		check_came(s);
		forget(s);
	}
	if (!s->frozen)
		return 0;
	if (err != NULL)
		*err = s->why;
	return -1;
}

void
ryde_ack_server_wait(const struct ryde_ack_server *s, struct ryde_waits *w)
{
	if (s->n_peers < RYDE_ACK_PEERS_MAX)
		ryde_waits_fd(w, s->listener, POLLIN);
	for (int i = 0; i < s->n_peers; i++)
		if (s->peers[i]->state != RYDE_ACK_PEER_GONE)
			ryde_waits_fd(w, s->peers[i]->socket.fd,
			    (short)(POLLIN |
				    (s->peers[i]->socket.out.n > 0 ? POLLOUT : 0)));
	if (s->first_mono_ms >= 0 && s->n_sinks < s->opts.sinks)
		ryde_waits_until(w, s->first_mono_ms + s->opts.sink_wait_ms);
}

void
ryde_ack_server_lost(struct ryde_ack_server *s, const char *why)
{
	for (int i = 0; i < s->n_peers; i++) {
		struct ryde_ack_peer *p = s->peers[i];

		if (p->state != RYDE_ACK_PEER_LIVE)
			continue;
		ryde_buf_puts(&p->socket.out, "{\"lost\":");
		ryde_json_string_put(&p->socket.out, ryde_view_of(why));
		ryde_buf_puts(&p->socket.out, "}\n");
		ryde_ack_socket_send(&p->socket);
	}
	ryde_ack_server_freeze(s, RYDE_ETEMPFAIL, NULL, why);
}
