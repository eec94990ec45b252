#include "engine/window_group.h"

#include "base/err.h"
#include "engine/window_agg.h"
#include "engine/window_birth.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_FIRST 4

void
ryde_window_group_start(struct ryde_window_group *g, const struct ryde_window_def *def)
{
	memset(g, 0, sizeof(*g));
	g->def = def;
}

void
ryde_window_group_free(struct ryde_window_group *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		free(g->shards[i].stream);
		free(g->shards[i].id);
		free(g->shards[i].entries);
		free(g->shards[i].stored.floors);
	}
	free(g->shards);
	g->shards = NULL;
	g->n = 0;
}

static bool
is_shard(
    const struct ryde_window_group_shard *s, struct ryde_view stream, struct ryde_view id)
{
	return ryde_view_eq(id, ryde_view_mem(s->id, s->id_n)) &&
	       (s->stream == NULL ||
		   ryde_view_eq(stream, ryde_view_mem(s->stream, s->stream_n)));
}

static struct ryde_window_group_shard *
add_shard(struct ryde_window_group *g, struct ryde_view id, struct ryde_err *err)
{
	struct ryde_window_group_shard *s;

	if (g->n == 1u << RYDE_WINDOW_AGG_SHARD_BITS) {
		ryde_err_set(err, RYDE_ECONFIG, "more than %u shards",
		    1u << RYDE_WINDOW_AGG_SHARD_BITS);
		return NULL;
	}
	if (g->n == g->cap) {
		uint32_t cap = g->cap != 0 ? 2 * g->cap : 4;

		s = realloc(g->shards, cap * sizeof(*s));
		if (s == NULL) {
			ryde_err_nomem(err);
			return NULL;
		}
		g->shards = s;
		g->cap = cap;
	}
	s = &g->shards[g->n];
	memset(s, 0, sizeof(*s));
	s->id = ryde_view_copy(id);
	s->id_n = id.n;
	if (s->id == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	g->n++;
	return s;
}

int
ryde_window_group_shard(struct ryde_window_group *g, struct ryde_view stream,
    struct ryde_view id, uint32_t *index, struct ryde_err *err)
{
	uint32_t i = g->last;

	if (i >= g->n || !is_shard(&g->shards[i], stream, id)) {
		for (i = 0; i < g->n && !is_shard(&g->shards[i], stream, id); i++)
			;
		if (i == g->n && add_shard(g, id, err) == NULL)
			return -1;
	}
	if (g->shards[i].stream == NULL) {
		g->shards[i].stream = ryde_view_copy(stream);
		g->shards[i].stream_n = stream.n;
		if (g->shards[i].stream == NULL)
			return ryde_err_nomem(err);
	}
	*index = g->last = i;
	return 0;
}

int
ryde_window_group_cmp(const struct ryde_window_group *g, uint32_t a, uint32_t b)
{
	const struct ryde_window_group_shard *x = &g->shards[a], *y = &g->shards[b];
	int c = strcmp(x->stream, y->stream);

	return c != 0 ? c : strcmp(x->id, y->id);
}

int
ryde_window_group_restore(
    struct ryde_window_group *g, struct ryde_window_at *at, struct ryde_err *err)
{
	struct ryde_window_group_shard *s;

	g->tracks = true;
	if (at == NULL)
		return 0;
	if (strcmp(at->fingerprint, g->def->fingerprint) != 0)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "the group's positions belong to a window of another definition");
	g->count = at->n;
	g->has_watermark = g->has_closed = g->has_restored = at->has_closed;
	g->watermark_ms = at->has_fired ? at->fired_ms : at->closed_ms;
	g->closed_ms = g->restored_ms = at->closed_ms;
	for (size_t i = 0; i < at->n_shards; i++) {
		s = add_shard(g, ryde_view_of(at->shards[i].id), err);
		if (s == NULL)
			return -1;
		s->target = at->shards[i].seen;
		s->behind = s->target.n > 0;
		g->behind += s->behind;
		s->stored = at->shards[i];
		at->shards[i].floors = NULL;
		at->shards[i].n_floors = 0;
		s->has_time = s->stored.has_time;
		s->time_ms = s->stored.time_ms;
	}
	return 0;
}

bool
ryde_window_group_is_again(
    const struct ryde_window_group *g, uint32_t shard, const struct ryde_pos *pos)
{
	const struct ryde_window_group_shard *s = &g->shards[shard];

	return s->target.n > 0 && pos->n > 0 && ryde_pos_cmp(pos, &s->target) <= 0;
}

enum ryde_window_group_verdict
ryde_window_group_judge(const struct ryde_window_group *g, uint32_t shard,
    const struct ryde_pos *pos, int64_t end_ms)
{
	if (!ryde_window_group_is_closed(g, end_ms))
		return RYDE_WINDOW_GROUP_TAKE;
	return ryde_window_group_is_again(g, shard, pos) ? RYDE_WINDOW_GROUP_SKIP
							 : RYDE_WINDOW_GROUP_LATE;
}

/* The floor that a record of the life before had. */
static bool
floor_again(const struct ryde_window_group_shard *s, const struct ryde_pos *pos,
    int64_t *floor_ms)
{
	size_t i = s->stored.n_floors;

	while (i > 0 && ryde_pos_cmp(pos, &s->stored.floors[i - 1].before) <= 0)
		i--;
	if (i > 0)
		*floor_ms = s->stored.floors[i - 1].at_ms;
	return i > 0;
}

/* A shard that is new to us, or comes back, must not go behind what was closed. */
static void
wake(struct ryde_window_group *g, struct ryde_window_group_shard *s)
{
	if ((!s->idle && s->has_floor) || !g->has_watermark)
		return;
	s->has_floor = true;
	s->floor_ms = g->watermark_ms;
}

int
ryde_window_group_judge_session(struct ryde_window_group *g, uint32_t shard,
    const struct ryde_pos *pos, int64_t at_ms, enum ryde_window_group_verdict *verdict,
    struct ryde_err *err)
{
	struct ryde_window_group_shard *s = &g->shards[shard];
	bool again = ryde_window_group_is_again(g, shard, pos);
	int64_t floor_ms;

	*verdict = RYDE_WINDOW_GROUP_TAKE;
	wake(g, s);
	floor_ms = s->floor_ms;
	if (s->has_time && at_ms < s->time_ms) {
		*verdict = again ? RYDE_WINDOW_GROUP_SKIP : RYDE_WINDOW_GROUP_LATE;
		return 0;
	}
	if (again) {
		if (floor_again(s, pos, &floor_ms) && at_ms < floor_ms)
			*verdict = RYDE_WINDOW_GROUP_SKIP;
		return 0;
	}
	if (!s->has_floor || at_ms >= floor_ms)
		return 0;
	*verdict = RYDE_WINDOW_GROUP_LATE;
	if (!g->tracks || (s->stored.n_floors > 0 &&
			      s->stored.floors[s->stored.n_floors - 1].at_ms == floor_ms))
		return 0;
	return ryde_window_at_add_floor(&s->stored, &s->seen, floor_ms, err);
}

/* Forgets the entries of windows that are closed. */
static void
sweep(const struct ryde_window_group *g, struct ryde_window_group_shard *s)
{
	size_t n = 0;

	for (size_t i = s->first; i < s->first + s->n; i++) {
		if (!ryde_window_group_is_closed(g, s->entries[i].end_ms))
			s->entries[n++] = s->entries[i];
	}
	s->first = 0;
	s->n = n;
}

int
ryde_window_group_enter(
    struct ryde_window_group *g, uint32_t shard, int64_t end_ms, struct ryde_err *err)
{
	struct ryde_window_group_shard *s = &g->shards[shard];
	struct ryde_window_group_entry *entries;
	size_t cap;

	if (s->first + s->n == s->cap) {
		sweep(g, s);
		if (2 * s->n >= s->cap) {
			cap = s->cap != 0 ? 2 * s->cap : ENTRIES_FIRST;
			entries = realloc(s->entries, cap * sizeof(*entries));
			if (entries == NULL)
				return ryde_err_nomem(err);
			s->entries = entries;
			s->cap = cap;
		}
	}
	s->entries[s->first + s->n++] = (struct ryde_window_group_entry){end_ms, s->seen};
	return 0;
}

static void
rise(struct ryde_window_group *g, struct ryde_window_group_shard *s, int64_t to_ms)
{
	if (s->has_time && s->time_ms >= to_ms)
		return;
	/* A shard that stands ahead of the overall watermark does not hold it. */
	if (!s->has_time || !g->has_watermark || s->time_ms <= g->watermark_ms)
		g->stale = true;
	s->has_time = true;
	s->time_ms = to_ms;
}

void
ryde_window_group_time(struct ryde_window_group *g, uint32_t shard, int64_t at_ms,
    bool has_arrival, int64_t arrival_ms)
{
	struct ryde_window_group_shard *s = &g->shards[shard];

	wake(g, s);
	s->idle = false;
	if (has_arrival && (!s->heard || arrival_ms > s->heard_ms)) {
		s->heard = true;
		s->heard_ms = arrival_ms;
	} else if (!has_arrival && s->has_mark) {
		s->heard_ms = s->mark_ms;
	}
	rise(g, s, at_ms - g->def->lateness_ms);
}

void
ryde_window_group_seen(
    struct ryde_window_group *g, uint32_t shard, const struct ryde_pos *pos)
{
	struct ryde_window_group_shard *s = &g->shards[shard];

	if (!g->tracks || pos->n == 0 || ryde_pos_cmp(pos, &s->seen) <= 0)
		return;
	s->seen.n = pos->n;
	s->seen.lines = pos->lines;
	memcpy(s->seen.seq, pos->seq, pos->n);
	g->moved = true;
	if (s->behind && ryde_pos_cmp(pos, &s->target) >= 0) {
		s->behind = false;
		g->behind--;
		g->stale = true;
	}
}

void
ryde_window_group_end(struct ryde_window_group *g, uint32_t shard)
{
	g->stale = g->stale || !g->shards[shard].idle;
	g->shards[shard].idle = true;
}

void
ryde_window_group_mark(struct ryde_window_group *g, uint32_t shard, int64_t at_ms)
{
	struct ryde_window_group_shard *s = &g->shards[shard];

	if (!s->has_mark || at_ms > s->mark_ms)
		s->mark_ms = at_ms;
	s->has_mark = true;
	if (!s->heard) {
		s->heard = true;
		s->heard_ms = at_ms;
	}
	if (g->def->time == RYDE_WINDOW_DEF_ARRIVAL)
		rise(g, s, at_ms);
	if (!s->idle && s->mark_ms - s->heard_ms >= g->def->idle_ms) {
		s->idle = true;
		g->stale = true;
	}
}

/* The watermark that the shards make together; false: none. */
static bool
together(const struct ryde_window_group *g, int64_t *to_ms)
{
	int64_t least = INT64_MAX, greatest = INT64_MIN;
	bool active = false, any = false;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct ryde_window_group_shard *s = &g->shards[i];

		if (!s->idle && !s->has_time)
			return false;
		if (!s->has_time)
			continue;
		any = true;
		greatest = s->time_ms > greatest ? s->time_ms : greatest;
		if (!s->idle) {
			active = true;
			least = s->time_ms < least ? s->time_ms : least;
		}
	}
	*to_ms = active ? least : greatest;
	return any;
}

bool
ryde_window_group_advance(struct ryde_window_group *g)
{
	int64_t to_ms = 0;

	if (!g->stale || g->behind > 0)
		return false;
	g->stale = false;
	if (!together(g, &to_ms) || ryde_window_group_is_past(g, to_ms))
		return false;
	g->has_watermark = true;
	g->watermark_ms = to_ms;
	for (uint32_t i = 0; i < g->n; i++) {
		struct ryde_window_group_shard *s = &g->shards[i];

		while (s->n > 0 &&
		       ryde_window_group_is_closed(g, s->entries[s->first].end_ms)) {
			s->first++;
			s->n--;
		}
	}
	return true;
}

void
ryde_window_group_now(struct ryde_window_group *g, int64_t now_ms)
{
	for (uint32_t i = 0; i < g->n; i++)
		rise(g, &g->shards[i], now_ms - g->def->lateness_ms);
}

void
ryde_window_group_forget(struct ryde_window_group *g)
{
	g->has_closed = g->has_watermark;
	g->closed_ms = g->watermark_ms;
	for (uint32_t i = 0; i < g->n; i++)
		g->shards[i].n = g->shards[i].first = 0;
}

/* Forgets the floors that no record behind `from` needs. */
static void
drop_floors(struct ryde_window_at_shard *stored, const struct ryde_pos *from)
{
	size_t needless = 0;

	while (needless + 1 < stored->n_floors &&
	       ryde_pos_cmp(&stored->floors[needless + 1].before, from) <= 0)
		needless++;
	if (needless == 0)
		return;
	stored->n_floors -= needless;
	memmove(stored->floors, stored->floors + needless,
	    stored->n_floors * sizeof(*stored->floors));
}

static int
put_session_shard(const struct ryde_window_birth_place *place,
    struct ryde_window_group_shard *s, struct ryde_window_at_shard *to,
    struct ryde_err *err)
{
	to->from = place->seen;
	to->has_time = place->has_time;
	to->time_ms = place->time_ms;
	drop_floors(&s->stored, &to->from);
	for (size_t i = 0; i < s->stored.n_floors; i++) {
		if (ryde_window_at_add_floor(to, &s->stored.floors[i].before,
			s->stored.floors[i].at_ms, err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_window_group_put(struct ryde_window_group *g, const struct ryde_window_birth *birth,
    struct ryde_window_at *at, struct ryde_err *err)
{
	struct ryde_window_birth_place place;

	at->n = g->count + 1;
	at->has_closed = g->has_watermark;
	at->closed_ms = g->watermark_ms - g->def->allow_ms;
	if (g->has_closed && g->closed_ms > at->closed_ms)
		at->closed_ms = g->closed_ms;
	at->has_fired = g->has_watermark && at->closed_ms != g->watermark_ms;
	at->fired_ms = g->watermark_ms;
	memcpy(at->fingerprint, g->def->fingerprint, sizeof(g->def->fingerprint));
	at->shards = calloc(g->n + 1, sizeof(*at->shards));
	if (at->shards == NULL)
		return ryde_err_nomem(err);
	at->n_shards = g->n;
	for (uint32_t i = 0; i < g->n; i++) {
		struct ryde_window_group_shard *s = &g->shards[i];
		struct ryde_window_at_shard *to = &at->shards[i];

		/* Ids were checked for their length by whoever took the line apart. */
		memcpy(to->id, s->id, s->id_n + 1);
		to->seen = s->seen;
		if (birth == NULL) {
			to->from = s->n > 0 ? s->entries[s->first].before : s->seen;
			continue;
		}
		place = ryde_window_birth_oldest(birth, g, i);
		if (put_session_shard(&place, s, to, err) != 0)
			return -1;
	}
	g->count++;
	g->moved = false;
	return 0;
}
