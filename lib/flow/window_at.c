#include "flow/window_at.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

static bool
set_pos(struct ryde_pos *p, const struct ryde_json_value *v)
{
	p->n = 0;
	return v->kind == RYDE_JSON_NULL ||
	       (v->kind == RYDE_JSON_STRING && ryde_pos_parse(p, v->text));
}

static bool
set_time(int64_t *to, const struct ryde_json_value *v)
{
	return v->kind == RYDE_JSON_NUMBER &&
	       ryde_num_i64(v->text, INT64_MIN, INT64_MAX, to);
}

int
ryde_window_at_add_floor(struct ryde_window_at_shard *s, const struct ryde_pos *before,
    int64_t at_ms, struct ryde_err *err)
{
	struct ryde_window_at_floor *more =
	    realloc(s->floors, (s->n_floors + 1) * sizeof(*more));

	if (more == NULL)
		return ryde_err_nomem(err);
	s->floors = more;
	more[s->n_floors++] = (struct ryde_window_at_floor){*before, at_ms};
	return 0;
}

int
ryde_window_at_add_revision(
    struct ryde_window_at *at, int64_t end_ms, uint64_t n, struct ryde_err *err)
{
	struct ryde_window_at_revision *more =
	    realloc(at->revisions, (at->n_revisions + 1) * sizeof(*more));

	if (more == NULL)
		return ryde_err_nomem(err);
	at->revisions = more;
	more[at->n_revisions++] = (struct ryde_window_at_revision){end_ms, n};
	return 0;
}

/* The two values of [a, b]. */
static bool
parse_pair(
    const struct ryde_json_value *v, struct ryde_json_value *a, struct ryde_json_value *b)
{
	struct ryde_json_value none;
	struct ryde_json_walk w;

	return v->kind == RYDE_JSON_ARRAY && ryde_json_walk_begin(&w, v->text) &&
	       ryde_json_walk_next(&w, &none, a) && ryde_json_walk_next(&w, &none, b) &&
	       !ryde_json_walk_next(&w, &none, &none);
}

/* *nomem tells apart why it is false, here and below. */
static bool
parse_floors(
    struct ryde_window_at_shard *s, const struct ryde_json_value *list, bool *nomem)
{
	struct ryde_json_value none, pair, before, time;
	struct ryde_json_walk w;
	struct ryde_pos pos;
	int64_t at_ms;

	s->n_floors = 0;
	if (list->kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&w, list->text))
		return false;
	while (ryde_json_walk_next(&w, &none, &pair)) {
		if (!parse_pair(&pair, &before, &time) || !set_pos(&pos, &before) ||
		    !set_time(&at_ms, &time))
			return false;
		*nomem = ryde_window_at_add_floor(s, &pos, at_ms, NULL) != 0;
		if (*nomem)
			return false;
	}
	return true;
}

static bool
parse_revisions(
    struct ryde_window_at *at, const struct ryde_json_value *list, bool *nomem)
{
	struct ryde_json_value none, pair, end, count;
	struct ryde_json_walk w;
	int64_t end_ms;
	uint64_t n;

	at->n_revisions = 0;
	if (list->kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&w, list->text))
		return false;
	while (ryde_json_walk_next(&w, &none, &pair)) {
		if (!parse_pair(&pair, &end, &count) || !set_time(&end_ms, &end) ||
		    count.kind != RYDE_JSON_NUMBER ||
		    !ryde_num_u64(count.text, UINT64_MAX, &n))
			return false;
		*nomem = ryde_window_at_add_revision(at, end_ms, n, NULL) != 0;
		if (*nomem)
			return false;
	}
	return true;
}

static bool
parse_shard(struct ryde_window_at_shard *s, const struct ryde_json_value *id,
    struct ryde_view text, bool *nomem)
{
	struct ryde_json_value key, value;
	struct ryde_json_walk w;

	/* an id has nothing to escape: what is written is what is read */
	if (id->text.n > RYDE_SHARD_ID_MAX || id->escaped ||
	    !ryde_json_walk_begin(&w, text))
		return false;
	memcpy(s->id, id->text.p, id->text.n);
	while (ryde_json_walk_next(&w, &key, &value)) {
		if (ryde_view_is(key.text, "from") && !set_pos(&s->from, &value))
			return false;
		if (ryde_view_is(key.text, "seen") && !set_pos(&s->seen, &value))
			return false;
		if (ryde_view_is(key.text, "time")) {
			s->has_time = true;
			if (!set_time(&s->time_ms, &value))
				return false;
		}
		if (ryde_view_is(key.text, "floors") && !parse_floors(s, &value, nomem))
			return false;
	}
	return true;
}

static bool
parse_shards(struct ryde_window_at *at, struct ryde_view text, bool *nomem)
{
	struct ryde_json_value key, value;
	struct ryde_json_walk w;

	/* of a key that comes twice the last one counts */
	while (at->n_shards > 0)
		free(at->shards[--at->n_shards].floors);
	if (!ryde_json_walk_begin(&w, text))
		return false;
	while (ryde_json_walk_next(&w, &key, &value)) {
		struct ryde_window_at_shard *more;

		more = realloc(at->shards, (at->n_shards + 1) * sizeof(*more));
		if (more == NULL) {
			*nomem = true;
			return false;
		}
		at->shards = more;
		more += at->n_shards++;
		memset(more, 0, sizeof(*more));
		if (value.kind != RYDE_JSON_OBJECT ||
		    !parse_shard(more, &key, value.text, nomem))
			return false;
	}
	return true;
}

static bool
parse_member(struct ryde_window_at *at, struct ryde_view key,
    const struct ryde_json_value *v, bool *nomem)
{
	if (ryde_view_is(key, "n"))
		return v->kind == RYDE_JSON_NUMBER &&
		       ryde_num_u64(v->text, UINT64_MAX, &at->n);
	if (ryde_view_is(key, "window")) {
		if (v->kind != RYDE_JSON_STRING || v->escaped ||
		    v->text.n >= sizeof(at->fingerprint))
			return false;
		memcpy(at->fingerprint, v->text.p, v->text.n);
		at->fingerprint[v->text.n] = '\0';
		return true;
	}
	if (ryde_view_is(key, "closed")) {
		at->has_closed = v->kind == RYDE_JSON_NUMBER;
		return v->kind == RYDE_JSON_NULL ||
		       (at->has_closed &&
			   ryde_num_i64(v->text, INT64_MIN, INT64_MAX, &at->closed_ms));
	}
	if (ryde_view_is(key, "fired")) {
		at->has_fired = true;
		return set_time(&at->fired_ms, v);
	}
	if (ryde_view_is(key, "revisions"))
		return parse_revisions(at, v, nomem);
	if (ryde_view_is(key, "shards"))
		return v->kind == RYDE_JSON_OBJECT && parse_shards(at, v->text, nomem);
	return true;
}

int
ryde_window_at_parse(
    struct ryde_window_at *at, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_json_value key, value;
	struct ryde_json_fault fault;
	enum ryde_json_kind top;
	struct ryde_json_walk w;
	bool nomem = false;

	memset(at, 0, sizeof(*at));
	if (ryde_json_check(text, &top, &fault) != 0 || top != RYDE_JSON_OBJECT ||
	    !ryde_json_walk_begin(&w, text))
		return ryde_err_set(err, RYDE_EDATA, "\"at\" is no object");
	while (ryde_json_walk_next(&w, &key, &value)) {
		if (!parse_member(at, key.text, &value, &nomem)) {
			ryde_window_at_free(at);
			if (nomem)
				return ryde_err_nomem(err);
			return ryde_err_set(err, RYDE_EDATA,
			    "\"at\": bad value of \"%.*s\"",
			    (int)(key.text.n < 40 ? key.text.n : 40), key.text.p);
		}
	}
	return 0;
}

void
ryde_window_at_free(struct ryde_window_at *at)
{
	for (size_t i = 0; i < at->n_shards; i++)
		free(at->shards[i].floors);
	free(at->shards);
	free(at->revisions);
	memset(at, 0, sizeof(*at));
}

static void
put_pos(struct ryde_buf *out, const struct ryde_pos *p)
{
	if (p->n == 0) {
		ryde_buf_puts(out, "null");
		return;
	}
	ryde_buf_putc(out, '"');
	ryde_pos_put(out, p);
	ryde_buf_putc(out, '"');
}

static void
put_shard(struct ryde_buf *out, const struct ryde_window_at_shard *s)
{
	ryde_json_string_put(out, ryde_view_of(s->id));
	ryde_buf_puts(out, ":{\"from\":");
	put_pos(out, &s->from);
	ryde_buf_puts(out, ",\"seen\":");
	put_pos(out, &s->seen);
	if (s->has_time) {
		ryde_buf_puts(out, ",\"time\":");
		ryde_buf_i64(out, s->time_ms);
	}
	for (size_t i = 0; i < s->n_floors; i++) {
		ryde_buf_puts(out, i == 0 ? ",\"floors\":[[" : ",[");
		put_pos(out, &s->floors[i].before);
		ryde_buf_putc(out, ',');
		ryde_buf_i64(out, s->floors[i].at_ms);
		ryde_buf_puts(out, i + 1 == s->n_floors ? "]]" : "]");
	}
	ryde_buf_putc(out, '}');
}

static void
put_revisions(struct ryde_buf *out, const struct ryde_window_at *at)
{
	for (size_t i = 0; i < at->n_revisions; i++) {
		ryde_buf_puts(out, i == 0 ? ",\"revisions\":[[" : ",[");
		ryde_buf_i64(out, at->revisions[i].end_ms);
		ryde_buf_putc(out, ',');
		ryde_buf_u64(out, at->revisions[i].n);
		ryde_buf_puts(out, i + 1 == at->n_revisions ? "]]" : "]");
	}
}

void
ryde_window_at_put(const struct ryde_window_at *at, struct ryde_buf *out)
{
	ryde_buf_puts(out, "{\"n\":");
	ryde_buf_u64(out, at->n);
	ryde_buf_puts(out, ",\"window\":");
	ryde_json_string_put(out, ryde_view_of(at->fingerprint));
	ryde_buf_puts(out, ",\"closed\":");
	if (at->has_closed)
		ryde_buf_i64(out, at->closed_ms);
	else
		ryde_buf_puts(out, "null");
	if (at->has_fired) {
		ryde_buf_puts(out, ",\"fired\":");
		ryde_buf_i64(out, at->fired_ms);
	}
	put_revisions(out, at);
	ryde_buf_puts(out, ",\"shards\":{");
	for (size_t i = 0; i < at->n_shards; i++) {
		if (i > 0)
			ryde_buf_putc(out, ',');
		put_shard(out, &at->shards[i]);
	}
	ryde_buf_puts(out, "}}");
}

struct ryde_window_at_shard *
ryde_window_at_find(const struct ryde_window_at *at, struct ryde_view id)
{
	for (size_t i = 0; i < at->n_shards; i++)
		if (ryde_view_is(id, at->shards[i].id))
			return &at->shards[i];
	return NULL;
}
