#include "engine/consume_run.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/consume.h"
#include "flow/ack_server.h"
#include "flow/books.h"
#include "flow/window_at.h"
#include "line/envelope.h"
#include "line/writer.h"
#include "store/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARENTS_MAX ((size_t)8 << 20)
#define PARENT_WAIT_MS                                                   \
	30000 /* rule 9: how long children wait for their parents' sinks \
	       */

struct ryde_consume_shard *
ryde_consume_shards_find(struct ryde_consume_run *c, int index)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->shards[i].index == index)
			return &c->shards[i];
	return NULL;
}

bool
ryde_consume_shards_reads(
    const struct ryde_consume_run *c, const struct ryde_consume_shard *s)
{
	return !s->held && !s->draining && !s->given && s->since <= c->fetches;
}

/* ---- shards ---- */

static bool
wanted(const struct ryde_consume_opts *o, const char *id)
{
	if (o->n_shards == 0)
		return true;
	for (size_t i = 0; i < o->n_shards; i++)
		if (strcmp(o->shards[i], id) == 0)
			return true;
	return false;
}

static void
note_gap(struct ryde_consume_run *c, const char *text)
{
	c->gap = true;
	ryde_log(RYDE_LOG_WARNING, "%s", text);
}

int
ryde_consume_shards_gaps(struct ryde_consume_run *c, struct ryde_err *err)
{
	char text[256];
	int shard;

	(void)err;
	while (ryde_stream_reader_gap(c->reader, &shard, text))
		note_gap(c, text);
	return 0;
}

/* Where to begin a shard of which `stored` is known (NULL: nothing). */
static struct ryde_stream_start
start_of(const struct ryde_consume_run *c, const struct ryde_group_position *stored,
    bool fresh)
{
	struct ryde_stream_start start = c->from;

	if (stored != NULL && stored->pos.n > 0)
		return (struct ryde_stream_start){
		    .kind = RYDE_START_AFTER, .pos = stored->pos};
	if (stored != NULL)
		start = (struct ryde_stream_start){
		    .kind = stored->at_ms > 0 ? RYDE_START_TIME : RYDE_START_HORIZON,
		    .at_ms = stored->at_ms};
	/* what a resharding made is read from its beginning */
	else if (!fresh && start.kind != RYDE_START_TIME)
		start.kind = RYDE_START_HORIZON;
	return start;
}

/* Reads the shard from there on. */
static int
start_shard(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_stream_start *start, struct ryde_err *err)
{
	char gap_text[256] = "";
	bool gap = false;

	s->base_at_ms = 0;
	s->base.n = 0;
	if (start->kind == RYDE_START_TIME)
		s->base_at_ms = start->at_ms;
	else if (start->kind == RYDE_START_LATEST)
		s->base_at_ms = ryde_stream_now_ms(c->stream);
	if (ryde_stream_reader_start(
		c->reader, s->index, start, &s->base, &gap, gap_text, err) != 0)
		return -1;
	if (s->base.n > 0)
		s->base_at_ms = 0;
	if (gap)
		note_gap(c, gap_text);
	s->printed = s->stored = s->base;
	s->since = c->fetches + 1;
	return 0;
}

static int
begin_shard(struct ryde_consume_run *c, const struct ryde_shard *info, int index,
    const struct ryde_stream_start *start, struct ryde_err *err)
{
	struct ryde_consume_shard *s = realloc(c->shards, (c->n + 1) * sizeof(*s));

	if (s == NULL)
		return ryde_err_nomem(err);
	c->shards = s;
	s = &s[c->n];
	memset(s, 0, sizeof(*s));
	s->index = index;
	memcpy(s->id, info->id, sizeof(s->id));
	if (start_shard(c, s, start, err) != 0)
		return -1;
	if (c->acks != NULL &&
	    (s->ack = ryde_ack_server_shard(c->acks, ryde_view_of(s->id))) < 0)
		return ryde_err_nomem(err);
	c->n++;
	return 0;
}

/* True where all that was printed of the shard is acknowledged, or `seen` by a window. */
static bool
is_done(struct ryde_consume_run *c, const struct ryde_consume_shard *s)
{
	struct ryde_window_at at;
	const struct ryde_window_at_shard *in;
	struct ryde_pos pos;
	uint32_t gen;
	bool done = false;

	if (c->acks == NULL || !s->any ||
	    (ryde_ack_server_position(c->acks, s->ack, &gen, &pos) &&
		ryde_pos_cmp(&pos, &s->printed) >= 0))
		return true;
	if (!ryde_ack_server_has_window(c->acks) || ryde_ack_server_at(c->acks).n == 0 ||
	    ryde_window_at_parse(&at, ryde_ack_server_at(c->acks), NULL) != 0)
		return false;
	in = ryde_window_at_find(&at, ryde_view_of(s->id));
	done = in != NULL && ryde_pos_cmp(&in->seen, &s->printed) >= 0;
	ryde_window_at_free(&at);
	return done;
}

/* The stream's shards, parents before children. */
struct listing {
	struct ryde_shard *all; /* a copy: starting one may read the list anew */
	size_t n;
	bool *followed;	 /* something that came out of it has a position */
	bool *is_parent; /* it has children */
	bool *done;	 /* it holds its children back no longer */
	bool *came_from; /* scratch: a shard came from it */
};

static int
listing_make(
    struct listing *l, const struct ryde_shard *all, size_t n, struct ryde_err *err)
{
	l->n = n;
	l->all = malloc((n + 1) * sizeof(*all));
	l->followed = calloc(n + 1, sizeof(bool));
	l->is_parent = calloc(n + 1, sizeof(bool));
	l->done = calloc(n + 1, sizeof(bool));
	l->came_from = calloc(n + 1, sizeof(bool));
	if (l->all == NULL || l->followed == NULL || l->is_parent == NULL ||
	    l->done == NULL || l->came_from == NULL)
		return ryde_err_nomem(err);
	memcpy(l->all, all, n * sizeof(*all));
	return 0;
}

static void
listing_free(struct listing *l)
{
	free(l->all);
	free(l->followed);
	free(l->is_parent);
	free(l->done);
	free(l->came_from);
}

static const struct ryde_group_position *
find_placed(const struct ryde_consume_run *c, const char *id)
{
	for (size_t i = 0; i < c->n_placed; i++)
		if (strcmp(c->placed[i].shard, id) == 0)
			return &c->placed[i];
	return NULL;
}

/* What the group has stored, once per list of shards: asking may cost a request. */
static int
load_placed(struct ryde_consume_run *c, struct ryde_err *err)
{
	const struct ryde_group_position *p;
	struct ryde_group_position *copy;
	size_t n;

	if (c->group == NULL)
		return 0;
	if (ryde_group_load(c->group, &p, &n, err) != 0)
		return -1;
	copy = malloc((n + 1) * sizeof(*copy));
	if (copy == NULL)
		return ryde_err_nomem(err);
	if (n > 0)
		memcpy(copy, p, n * sizeof(*copy));
	free(c->placed);
	c->placed = copy;
	c->n_placed = n;
	return 0;
}

/* Children stand behind their parents: one pass from the end finds all ancestors. */
static void
find_followed(const struct ryde_consume_run *c, struct listing *l)
{
	for (size_t i = l->n; i-- > 0;) {
		const struct ryde_shard *s = &l->all[i];
		bool followed = l->followed[i] || find_placed(c, s->id) != NULL;

		if (s->parent >= 0) {
			l->is_parent[s->parent] = true;
			l->followed[s->parent] = l->followed[s->parent] || followed;
		}
		if (s->parent2 >= 0) {
			l->is_parent[s->parent2] = true;
			l->followed[s->parent2] = l->followed[s->parent2] || followed;
		}
	}
}

static bool
parents_done(const struct listing *l, size_t i)
{
	const struct ryde_shard *s = &l->all[i];

	return (s->parent < 0 || l->done[s->parent]) &&
	       (s->parent2 < 0 || l->done[s->parent2]);
}

/*
 * Closed shards that a run from the end on, or a group that already reads what came out
 * of them, has no business with; nor has anyone with one that holds nothing any more.
 */
static bool
is_past(const struct ryde_consume_run *c, const struct listing *l, size_t i)
{
	if (l->all[i].open || find_placed(c, l->all[i].id) != NULL)
		return false;
	if (l->all[i].gone)
		return true;
	if (c->n_placed > 0)
		return l->followed[i];
	/* a shard that opened and closed while this run goes on is not one of them */
	return c->from.kind == RYDE_START_LATEST && (c->known == 0 || i < c->known_first);
}

/* Rule 9: true once the sinks of a shard that is read to its end are done with it, or
 * have been waited for. */
static bool
is_let_go(struct ryde_consume_run *c, struct ryde_consume_shard *s)
{
	int64_t now = ryde_clock_mono_ms();

	if (s->let_go || is_done(c, s))
		return true;
	if (s->ended_at_ms == 0) {
		s->ended_at_ms = now;
		ryde_log(RYDE_LOG_NOTICE,
		    "%s is read to its end: its children wait until it is acknowledged",
		    s->id);
	}
	s->let_go = now - s->ended_at_ms >= PARENT_WAIT_MS;
	if (s->let_go)
		ryde_log(RYDE_LOG_WARNING,
		    "%s is not acknowledged after %d s: its children are read now", s->id,
		    PARENT_WAIT_MS / 1000);
	return s->let_go;
}

static const struct ryde_share_lease *
find_leased(const struct ryde_consume_run *c, const char *id)
{
	for (size_t i = 0; i < c->n_leases; i++)
		if (strcmp(c->leases[i].shard, id) == 0)
			return &c->leases[i];
	return NULL;
}

/* True where shard i and all that it came from hold its children back no longer. */
static bool
shard_done(struct ryde_consume_run *c, const struct listing *l, size_t i)
{
	const struct ryde_share_lease *lease;
	struct ryde_consume_shard *s;

	if (!wanted(c->o, l->all[i].id))
		return true;
	/* whoever has read it to its end has said so */
	if (c->share != NULL)
		return (lease = find_leased(c, l->all[i].id)) != NULL && lease->done
			   ? true
			   : is_past(c, l, i) && parents_done(l, i);
	s = ryde_consume_shards_find(c, (int)i);
	if (s == NULL) /* it waits itself, or is never to be read */
		return is_past(c, l, i) && parents_done(l, i);
	return ryde_stream_reader_ended(c->reader, s->index) &&
	       (!l->is_parent[i] || is_let_go(c, s));
}

/* The shards that shard i came from, as a JSON array; of one that is not read, in its
 * place those that it came from. */
static void
put_parents(struct ryde_consume_run *c, struct listing *l, size_t i, struct ryde_buf *out)
{
	memset(l->came_from, 0, l->n * sizeof(bool));
	l->came_from[i] = true;
	for (size_t k = i + 1; k-- > 0;) {
		const struct ryde_shard *s = &l->all[k];

		if (!l->came_from[k])
			continue;
		if (k < i && ryde_consume_shards_find(c, (int)k) != NULL) {
			ryde_buf_putc(out, out->n == 0 ? '[' : ',');
			ryde_buf_printf(out, "\"%s\"", s->id);
			continue;
		}
		if (s->parent >= 0)
			l->came_from[s->parent] = true;
		if (s->parent2 >= 0)
			l->came_from[s->parent2] = true;
	}
	if (out->n > 0)
		ryde_buf_putc(out, ']');
}

/* The first mark of a shard that was begun: it names its parents, so that those
 * who part lines by shard keep a key's order. */
static int
announce(struct ryde_consume_run *c, struct listing *l, size_t i,
    struct ryde_consume_shard *s, struct ryde_err *err)
{
	struct ryde_buf parents;
	int rc;

	ryde_buf_init(&parents, PARENTS_MAX);
	put_parents(c, l, i, &parents);
	rc = ryde_buf_check(&parents, err);
	if (rc == 0)
		ryde_consume_lines_mark(
		    c, s, INT64_MIN, ryde_buf_as_view(&parents), ryde_clock_mono_ms());
	ryde_buf_free(&parents);
	return rc;
}

/* Begins the shards of the list that are wanted, not read yet, and may be read now. */
static int
begin_new(struct ryde_consume_run *c, struct listing *l, bool fresh, struct ryde_err *err)
{
	bool waiting = false;

	for (size_t i = 0; i < l->n; i++) {
		const struct ryde_shard *s = &l->all[i];
		struct ryde_stream_start start;

		if (ryde_consume_shards_find(c, (int)i) == NULL && wanted(c->o, s->id) &&
		    !is_past(c, l, i)) {
			if (parents_done(l, i)) {
				start = start_of(c, find_placed(c, s->id), fresh);
				if (begin_shard(c, s, (int)i, &start, err) != 0)
					return -1;
				if (c->marks &&
				    announce(c, l, i, &c->shards[c->n - 1], err) != 0)
					return -1;
			} else {
				waiting = true;
			}
		}
		l->done[i] = shard_done(c, l, i);
	}
	c->waiting = waiting;
	return 0;
}

/* A shard that ended and whose children all are read holds nothing back any more. */
static void
note_followed(struct ryde_consume_run *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->shards[i].followed = !c->waiting && ryde_stream_reader_ended(
							   c->reader, c->shards[i].index);
}

int
ryde_consume_shards_begin(struct ryde_consume_run *c, bool at_start, struct ryde_err *err)
{
	const struct ryde_shard *info;
	struct listing l = {0};
	size_t n, before = c->n;
	int rc = -1;

	if (ryde_stream_shards(c->stream, &info, &n, err) != 0)
		return -1;
	if (!at_start && n == c->known && !c->waiting) {
		if (c->marks)
			note_followed(c);
		return 0;
	}
	if (listing_make(&l, info, n, err) != 0)
		goto out;
	if ((at_start || n != c->known) && load_placed(c, err) != 0)
		goto out;
	find_followed(c, &l);
	if (begin_new(c, &l, at_start && c->n_placed == 0, err) != 0)
		goto out;
	/* else a shard whose children are done before it would be taken for past */
	if (!at_start && c->group != NULL && c->n > before &&
	    ryde_consume_positions_first(c, err) != 0)
		goto out;
	if (c->known == 0)
		c->known_first = n;
	c->known = n;
	if (c->n == 0) {
		(void)ryde_err_set(
		    err, RYDE_ENOINPUT, "%s has no such shard", c->o->stream);
		goto out;
	}
	note_followed(c);
	rc = 0;
out:
	listing_free(&l);
	return rc;
}

/* ---- sharing ---- */

/* The stream's shards, and where the group stands in each. Free l in any case. */
static int
list_all(struct ryde_consume_run *c, struct listing *l, struct ryde_err *err)
{
	const struct ryde_shard *info;
	size_t n;

	*l = (struct listing){0};
	if (ryde_stream_shards(c->stream, &info, &n, err) != 0 ||
	    listing_make(l, info, n, err) != 0 || load_placed(c, err) != 0)
		return -1;
	find_followed(c, l);
	if (c->known == 0)
		c->known_first = n;
	c->known = n;
	return 0;
}

int
ryde_consume_shards_leases(struct ryde_consume_run *c, struct ryde_share_lease **out,
    size_t *n, struct ryde_err *err)
{
	struct listing l;
	int rc = -1;

	*out = NULL;
	*n = 0;
	if (list_all(c, &l, err) != 0)
		goto out;
	*out = calloc(l.n + 1, sizeof(**out));
	if (*out == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < l.n; i++) {
		const struct ryde_share_lease *lease = find_leased(c, l.all[i].id);
		struct ryde_share_lease *to = &(*out)[i];

		if (lease != NULL)
			*to = *lease;
		memcpy(to->shard, l.all[i].id, sizeof(to->shard));
		to->ready = !to->done && !is_past(c, &l, i) && parents_done(&l, i);
		l.done[i] = shard_done(c, &l, i);
	}
	*n = l.n;
	rc = 0;
out:
	listing_free(&l);
	return rc;
}

int
ryde_consume_shards_first(struct ryde_consume_run *c, struct ryde_group_position **out,
    size_t *n, struct ryde_err *err)
{
	struct ryde_consume_shard s;
	struct listing l;
	int rc = -1;

	*out = NULL;
	*n = 0;
	if (list_all(c, &l, err) != 0)
		goto out;
	*out = calloc(l.n + 1, sizeof(**out));
	if (*out == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; c->n_placed == 0 && i < l.n; i++) {
		if (!is_past(c, &l, i) && parents_done(&l, i)) {
			struct ryde_group_position *p = &(*out)[(*n)++];

			memset(&s, 0, sizeof(s));
			s.index = (int)i;
			if (start_shard(c, &s, &c->from, err) != 0)
				goto out;
			ryde_stream_reader_stop(c->reader, (int)i);
			memcpy(p->shard, l.all[i].id, sizeof(p->shard));
			p->pos = s.base;
			p->at_ms = s.base_at_ms;
		}
		l.done[i] = shard_done(c, &l, i);
	}
	rc = 0;
out:
	listing_free(&l);
	return rc;
}

/* Begins shard i of the list, or begins it again. */
static int
begin_taken(struct ryde_consume_run *c, struct listing *l, size_t i,
    const struct ryde_stream_start *start, int64_t epoch, struct ryde_err *err)
{
	struct ryde_consume_shard *s = ryde_consume_shards_find(c, (int)i);

	if (s == NULL) {
		if (begin_shard(c, &l->all[i], (int)i, start, err) != 0)
			return -1;
		s = &c->shards[c->n - 1];
	} else {
		if (start_shard(c, s, start, err) != 0)
			return -1;
		s->any = s->held = s->mark_due = false;
		s->given = s->draining = s->told = false;
	}
	s->epoch = epoch;
	return c->marks ? announce(c, l, i, s, err) : 0;
}

int
ryde_consume_shards_taken(struct ryde_consume_run *c, const char *id, int64_t epoch,
    const struct ryde_group_position *at, struct ryde_err *err)
{
	struct ryde_stream_start start = start_of(c, at, false);
	const struct ryde_shard *info;
	struct listing l = {0};
	size_t n;
	int rc = -1;

	if (ryde_stream_shards(c->stream, &info, &n, err) != 0 ||
	    listing_make(&l, info, n, err) != 0)
		goto out;
	for (size_t i = 0; i < l.n; i++) {
		if (strcmp(l.all[i].id, id) == 0) {
			rc = begin_taken(c, &l, i, &start, epoch, err);
			goto out;
		}
	}
	rc = ryde_err_set(
	    err, RYDE_ETEMPFAIL, "%s is no shard of %s any more", id, c->o->stream);
out:
	listing_free(&l);
	return rc;
}

/* ---- holding (rule 7) ---- */

static int
resume(struct ryde_consume_run *c, struct ryde_consume_shard *s, struct ryde_err *err)
{
	struct ryde_stream_start start = {
	    .kind = RYDE_START_AFTER, .pos = s->base, .at_ms = s->base_at_ms};
	struct ryde_pos pos;
	uint32_t gen;
	bool gap = false;
	char text[256] = "";

	if (ryde_ack_server_position(c->acks, s->ack, &gen, &pos))
		start.pos = pos;
	if (start.pos.n == 0)
		start.kind = s->base_at_ms > 0 ? RYDE_START_TIME : RYDE_START_HORIZON;
	s->printed = start.pos;
	s->gen++;
	s->since = c->fetches + 1;
	s->held = false;
	if (ryde_stream_reader_start(
		c->reader, s->index, &start, NULL, &gap, text, err) != 0)
		return -1;
	if (gap)
		note_gap(c, text);
	ryde_log(RYDE_LOG_NOTICE, "%s is read again", s->id);
	return 0;
}

int
ryde_consume_shards_requests(struct ryde_consume_run *c, struct ryde_err *err)
{
	enum ryde_ack_server_event kind;
	uint32_t gen;
	int index;

	while ((kind = ryde_ack_server_next_event(c->acks, &index, &gen)) !=
	       RYDE_ACK_SERVER_NONE) {
		for (size_t i = 0; i < c->n; i++) {
			struct ryde_consume_shard *s = &c->shards[i];

			if (s->ack != index || gen != s->gen || s->given || s->draining)
				continue;
			if (kind == RYDE_ACK_SERVER_HOLD && !s->held) {
				s->held = true;
				s->mark_due = false;
				ryde_stream_reader_stop(c->reader, s->index);
				ryde_log(RYDE_LOG_NOTICE,
				    "%s is held: its batch keeps failing", s->id);
			} else if (kind == RYDE_ACK_SERVER_RESUME && s->held &&
				   resume(c, s, err) != 0) {
				return -1;
			}
		}
	}
	return 0;
}
