#include "engine/window.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/window_agg.h"
#include "engine/window_block.h"
#include "engine/window_group.h"
#include "engine/window_having.h"
#include "engine/window_keys.h"
#include "engine/window_read.h"
#include "engine/window_rows.h"
#include "engine/window_session.h"
#include "engine/window_slices.h"
#include "flow/window_at.h"
#include "line/envelope.h"

#include <stdlib.h>

#define ROW_MAX (64u << 20)

struct ryde_window {
	const struct ryde_window_def *def;
	struct ryde_window_read read;
	struct ryde_window_keys keys;
	struct ryde_window_session_set sessions;
	struct ryde_window_group group;
	struct ryde_window_rows rows;
	struct ryde_window_block block;	     /* of lines that are fed at once */
	struct ryde_window_extent_cell cell; /* of the last record */
	struct ryde_window_at at;	     /* of the life before: its revisions */
	uint64_t ordinal;		     /* of the last record that was taken */
	uint64_t missed;
	/* With a condition on rows: the next row that meets it, made ahead. */
	struct ryde_window_having having;
	struct ryde_buf row, key;
	struct ryde_err why;
	bool ready, failed;
	bool session;
};

struct ryde_window *
ryde_window_new(const struct ryde_window_def *def, struct ryde_err *err)
{
	struct ryde_window *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	w->def = def;
	ryde_buf_init(&w->row, ROW_MAX);
	ryde_buf_init(&w->key, ROW_MAX);
	w->session = def->extent.kind == RYDE_WINDOW_SESSION;
	ryde_window_group_start(&w->group, def);
	if (ryde_window_keys_start(&w->keys, def, err) != 0 ||
	    ryde_window_read_start(&w->read, def, err) != 0 ||
	    ryde_window_having_start(&w->having, def, err) != 0 ||
	    ryde_window_block_start(&w->block, &w->read, &w->keys, &w->group, err) != 0) {
		ryde_window_free(w);
		return NULL;
	}
	ryde_window_session_start(&w->sessions, &w->keys, &w->group);
	w->rows = (struct ryde_window_rows){.def = def,
	    .group = &w->group,
	    .keys = &w->keys,
	    .sessions = w->session ? &w->sessions : NULL};
	return w;
}

void
ryde_window_free(struct ryde_window *w)
{
	if (w == NULL)
		return;
	ryde_window_rows_free(&w->rows);
	ryde_window_extent_cell_free(&w->cell);
	ryde_window_session_free(&w->sessions);
	ryde_window_keys_free(&w->keys);
	ryde_window_group_free(&w->group);
	ryde_window_read_free(&w->read);
	ryde_window_having_free(&w->having);
	ryde_window_block_free(&w->block);
	ryde_buf_free(&w->row);
	ryde_buf_free(&w->key);
	ryde_window_at_free(&w->at);
	free(w);
}

int
ryde_window_shard(struct ryde_window *w, struct ryde_view stream, struct ryde_view id,
    uint32_t *index, struct ryde_err *err)
{
	return ryde_window_group_shard(&w->group, stream, id, index, err);
}

/* How often the window was corrected in the life before. */
static uint64_t
revision_of(const struct ryde_window *w, int64_t end_ms)
{
	for (size_t i = 0; i < w->at.n_revisions; i++) {
		if (w->at.revisions[i].end_ms == end_ms)
			return w->at.revisions[i].n;
	}
	return 0;
}

/* The window of a span, which is made where there is none. */
static struct ryde_window_keys_pane *
open_pane(struct ryde_window *w, const struct ryde_window_extent_span *span,
    struct ryde_err *err)
{
	bool fired =
	    w->def->allow_ms > 0 && ryde_window_group_is_past(&w->group, span->end_ms);
	size_t n = w->keys.n;
	struct ryde_window_keys_pane *pane =
	    ryde_window_keys_open(&w->keys, span, fired, err);

	if (pane != NULL && w->keys.n > n && w->at.n_revisions > 0)
		pane->revision = revision_of(w, pane->end_ms);
	return pane;
}

/* Puts what was read last into a window, or into a slice of several, of which the last
 * one ends at end_ms. NULL without memory. */
static struct ryde_window_keys_group *
take_into(struct ryde_window *w, struct ryde_window_keys_pane *pane, int64_t end_ms,
    uint32_t hash, const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_keys_group *g;
	int entered;

	if (w->group.tracks) {
		entered = ryde_window_keys_enter(pane, order->shard, err);
		if (entered < 0 || (entered > 0 && ryde_window_group_enter(&w->group,
						       order->shard, end_ms, err) != 0))
			return NULL;
	}
	g = ryde_window_keys_group(
	    &w->keys, pane, w->read.key, hash, w->read.written, order, err);
	if (g == NULL || ryde_window_agg_take(w->def, ryde_window_keys_states(g),
			     w->read.inputs, w->read.passes, order, err) != 0)
		return NULL;
	return g;
}

/* Puts it into one of its windows. */
static int
take_window(struct ryde_window *w, size_t span, uint32_t hash,
    const struct ryde_window_agg_order *order, bool again, struct ryde_err *err)
{
	struct ryde_window_keys_pane *pane = w->keys.last;
	struct ryde_window_keys_group *g;

	if (pane == NULL || pane->end_ms != w->cell.spans[span].end_ms) {
		pane = open_pane(w, &w->cell.spans[span], err);
		if (pane == NULL)
			return -1;
	}
	g = take_into(w, pane, pane->end_ms, hash, order, err);
	if (g == NULL)
		return -1;
	pane->records += span + 1 == w->cell.n;
	/* What was seen in the life before was in the row that was given out then. */
	if (!(again && pane->fired)) {
		g->changed = 1;
		pane->changed = true;
		w->rows.touched |= pane->fired;
	}
	return 0;
}

/* Puts it into the slice of its windows that are open, from the first-th on. */
static int
take_slice(struct ryde_window *w, size_t first, uint32_t hash,
    const struct ryde_window_agg_order *order, struct ryde_err *err)
{
	struct ryde_window_keys_pane *pane =
	    ryde_window_slices_open(&w->keys, &w->cell, w->cell.spans[first].end_ms, err);

	if (pane == NULL ||
	    take_into(w, pane, pane->last_end_ms, hash, order, err) == NULL)
		return -1;
	pane->records++;
	return 0;
}

/* Puts what was read last into those of its windows that are open. */
static enum ryde_window_fed
take(struct ryde_window *w, const struct ryde_window_record *record, struct ryde_err *err)
{
	struct ryde_window_agg_order order = {w->read.at_ms, w->ordinal + 1,
	    record->shard, &w->group, w->def->max_bytes > 0 ? &w->keys.bytes : NULL};
	bool again = w->def->allow_ms > 0 &&
		     ryde_window_group_is_again(&w->group, record->shard, &record->pos);
	enum ryde_window_group_verdict verdict;
	enum ryde_window_fed fed = RYDE_WINDOW_TAKEN;
	uint32_t hash = ryde_window_keys_hash(&w->keys, w->read.key);
	size_t first = w->cell.n;

	for (; first > 0; first--) {
		/* From the last one to end to the first: where one is closed, so are the
		 * others. */
		verdict = ryde_window_group_judge(&w->group, record->shard, &record->pos,
		    w->cell.spans[first - 1].end_ms);
		if (verdict != RYDE_WINDOW_GROUP_TAKE) {
			fed = verdict == RYDE_WINDOW_GROUP_SKIP ? RYDE_WINDOW_SKIPPED
								: RYDE_WINDOW_LATE;
			break;
		}
		if (!w->keys.sliced &&
		    take_window(w, first - 1, hash, &order, again, err) != 0)
			return RYDE_WINDOW_FAILED;
	}
	if (first == w->cell.n)
		return fed;
	if (w->keys.sliced && take_slice(w, first, hash, &order, err) != 0)
		return RYDE_WINDOW_FAILED;
	w->ordinal++;
	w->missed += fed == RYDE_WINDOW_LATE;
	return RYDE_WINDOW_TAKEN;
}

/* What the condition on all records keeps out still moves time and positions. */
static void
pass_filtered(struct ryde_window *w, const struct ryde_window_record *record)
{
	if (w->read.has_time)
		ryde_window_group_time(&w->group, record->shard, w->read.at_ms,
		    record->has_arrival, record->arrival_ms);
	ryde_window_pass(w, record);
}

/* Puts what was read last into its session. */
static enum ryde_window_fed
take_session(
    struct ryde_window *w, const struct ryde_window_record *record, struct ryde_err *err)
{
	struct ryde_window_agg_order order = {w->read.at_ms, w->ordinal + 1,
	    record->shard, &w->group, w->def->max_bytes > 0 ? &w->sessions.bytes : NULL};
	enum ryde_window_group_verdict verdict;
	struct ryde_window_session *s;

	if (ryde_window_group_judge_session(&w->group, record->shard, &record->pos,
		w->read.at_ms, &verdict, err) != 0)
		return RYDE_WINDOW_FAILED;
	if (verdict != RYDE_WINDOW_GROUP_TAKE)
		return verdict == RYDE_WINDOW_GROUP_SKIP ? RYDE_WINDOW_SKIPPED
							 : RYDE_WINDOW_LATE;
	if (w->group.tracks &&
	    ryde_window_birth_note(&w->sessions.birth, &w->group, w->ordinal, err) != 0)
		return RYDE_WINDOW_FAILED;
	s = ryde_window_session_take(
	    &w->sessions, w->read.key, w->read.written, &order, err);
	if (s == NULL || ryde_window_agg_take(w->def, ryde_window_keys_states(&s->group),
			     w->read.inputs, w->read.passes, &order, err) != 0)
		return RYDE_WINDOW_FAILED;
	w->ordinal++;
	return RYDE_WINDOW_TAKEN;
}

/* Takes what was read last. */
static enum ryde_window_fed
feed(struct ryde_window *w, const struct ryde_window_record *record, struct ryde_err *err)
{
	enum ryde_window_fed fed;

	if (w->read.filtered) {
		pass_filtered(w, record);
		return RYDE_WINDOW_FILTERED;
	}
	if (!w->session &&
	    (w->read.at_ms < w->cell.from_ms || w->read.at_ms >= w->cell.to_ms) &&
	    ryde_window_extent_find(&w->def->extent, w->read.at_ms, &w->cell, err) != 0)
		return RYDE_WINDOW_FAILED;
	fed = w->session ? take_session(w, record, err) : take(w, record, err);
	if (fed == RYDE_WINDOW_FAILED)
		return fed;
	ryde_window_group_time(&w->group, record->shard, w->read.at_ms,
	    record->has_arrival, record->arrival_ms);
	if (!record->more)
		ryde_window_group_seen(&w->group, record->shard, &record->pos);
	return fed;
}

/* False where advance would find nothing. */
static inline bool
may_be_due(const struct ryde_window *w)
{
	return w->group.stale || w->rows.touched || w->rows.has_row ||
	       w->def->max_bytes > 0;
}

enum ryde_window_fed
ryde_window_feed(
    struct ryde_window *w, const struct ryde_window_record *record, struct ryde_err *err)
{
	if (ryde_window_read(&w->read, record, err) != 0)
		return err->code == RYDE_EDATA ? RYDE_WINDOW_WRONG : RYDE_WINDOW_FAILED;
	return feed(w, record, err);
}

/* The i-th line of the block, by itself: 1; 0: it needs a closer look; -1: no memory. */
static int
feed_line(struct ryde_window *w, size_t i, const struct ryde_window_record *record,
    struct ryde_window_lines *did, struct ryde_err *err)
{
	struct ryde_view line = ryde_window_block_line(&w->block, i);

	if (line.n > RYDE_LINE_MAX || !ryde_line_is_bare(line) ||
	    !ryde_window_read_found(&w->read, w->block.values + i * w->def->n_paths))
		return 0;
	switch (feed(w, record, err)) {
	case RYDE_WINDOW_TAKEN:
		did->taken++;
		return 1;
	case RYDE_WINDOW_SKIPPED:
	case RYDE_WINDOW_FILTERED:
		did->filtered++;
		return 1;
	case RYDE_WINDOW_LATE:
		did->late = line;
		return 1;
	case RYDE_WINDOW_WRONG:
	case RYDE_WINDOW_FAILED:
		break;
	}
	return -1;
}

/* Lines of the block from the i-th on: how many, or -1 without memory. */
static int
feed_block(struct ryde_window *w, size_t i, uint32_t shard, struct ryde_err *err)
{
	int64_t latest_ms = INT64_MIN;
	int n;

	if (!ryde_window_group_is_plain(&w->group, shard))
		return 0;
	n = ryde_window_block_take(
	    &w->block, i, &w->cell, shard, w->ordinal + 1, &latest_ms, err);
	if (n > 0) {
		w->ordinal += (uint64_t)n;
		ryde_window_group_time(&w->group, shard, latest_ms, false, 0);
	}
	return n;
}

int
ryde_window_feed_lines(struct ryde_window *w, struct ryde_view lines, uint32_t shard,
    struct ryde_window_lines *did, struct ryde_err *err)
{
	struct ryde_window_record record = {.shard = shard};
	size_t found, i = 0;
	bool due = false;

	*did = (struct ryde_window_lines){0};
	found = ryde_window_block_find(&w->block, lines);
	while (i < found && !due && did->late.n == 0) {
		int n = feed_block(w, i, shard, err);

		if (n > 0)
			did->taken += (uint64_t)n;
		else if (n == 0)
			n = feed_line(w, i, &record, did, err);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		i += (size_t)n;
		due = may_be_due(w) && ryde_window_advance(w);
	}
	did->bytes = i > 0 ? w->block.ends[i - 1] + 1 : 0;
	ryde_window_block_used(&w->block, i);
	return 0;
}

void
ryde_window_pass(struct ryde_window *w, const struct ryde_window_record *record)
{
	if (!record->more)
		ryde_window_group_seen(&w->group, record->shard, &record->pos);
}

void
ryde_window_mark(struct ryde_window *w, uint32_t shard, const struct ryde_pos *pos,
    bool has_time, int64_t at_ms)
{
	ryde_window_group_seen(&w->group, shard, pos);
	if (has_time)
		ryde_window_group_mark(&w->group, shard, at_ms);
}

void
ryde_window_closed(struct ryde_window *w, uint32_t shard)
{
	ryde_window_group_end(&w->group, shard);
}

/* Begins to give all out where they take too much. */
static bool
overflows(struct ryde_window *w)
{
	size_t bytes = w->keys.bytes + w->sessions.bytes;

	if (w->def->max_bytes == 0 || bytes <= w->def->max_bytes || w->group.behind > 0)
		return false;
	ryde_window_rows_begin(&w->rows, RYDE_WINDOW_ROWS_TERMINATED);
	return true;
}

bool
ryde_window_advance(struct ryde_window *w)
{
	bool moved = ryde_window_group_advance(&w->group);

	if (!moved && !w->rows.touched && !w->rows.has_row)
		return overflows(w) && ryde_window_due(w);
	return ryde_window_due(w) || (overflows(w) && ryde_window_due(w));
}

/* True when a group is due, whether its row is printed or not. */
static bool
is_due(struct ryde_window *w)
{
	return ryde_window_rows_due(&w->rows);
}

/* The row of the next group; its states stay as they are. */
static int
next_row(struct ryde_window *w, struct ryde_buf *row, struct ryde_buf *key,
    struct ryde_err *err)
{
	return ryde_window_rows_put(&w->rows, row, key, err);
}

bool
ryde_window_early(struct ryde_window *w)
{
	if (w->group.behind > 0 || ryde_window_due(w))
		return ryde_window_due(w);
	ryde_window_rows_begin(&w->rows, RYDE_WINDOW_ROWS_EARLY);
	return ryde_window_due(w);
}

/* Goes on to the next row for which the condition on rows is true. What goes wrong is
 * kept for the call that takes the row. */
static bool
find_row(struct ryde_window *w)
{
	bool passes = false;

	while (!w->ready && is_due(w)) {
		ryde_buf_clear(&w->row);
		ryde_buf_clear(&w->key);
		if (next_row(w, &w->row, &w->key, &w->why) != 0 ||
		    ryde_window_having_test(&w->having,
			ryde_window_keys_states(w->rows.row.group),
			ryde_buf_as_view(&w->row), &passes, &w->why) != 0)
			w->failed = passes = true;
		w->ready = passes;
	}
	return w->ready;
}

bool
ryde_window_due(struct ryde_window *w)
{
	return w->def->having != NULL ? find_row(w) : is_due(w);
}

int
ryde_window_row(struct ryde_window *w, struct ryde_buf *row, struct ryde_buf *key,
    struct ryde_err *err)
{
	if (w->def->having == NULL)
		return next_row(w, row, key, err);
	w->ready = false;
	if (w->failed) {
		*err = w->why;
		return -1;
	}
	ryde_buf_view(row, ryde_buf_as_view(&w->row));
	if (key != NULL) {
		ryde_buf_view(key, ryde_buf_as_view(&w->key));
		if (ryde_buf_check(key, err) != 0)
			return -1;
	}
	return ryde_buf_check(row, err);
}

void
ryde_window_close(struct ryde_window *w)
{
	w->rows.closing = true;
}

void
ryde_window_now(struct ryde_window *w, int64_t now_ms)
{
	ryde_window_group_now(&w->group, now_ms);
}

bool
ryde_window_next_end(struct ryde_window *w, int64_t *end_ms)
{
	struct ryde_window_session *s =
	    w->session ? ryde_window_session_first(&w->sessions) : NULL;

	if (s != NULL)
		*end_ms = ryde_window_session_end(&w->sessions, s);
	else if (w->keys.sliced)
		return ryde_window_slices_end(&w->keys, end_ms);
	else if (!w->session && w->keys.n > w->keys.n_fired)
		*end_ms = w->keys.panes[w->keys.n_fired]->end_ms;
	else
		return false;
	return true;
}

uint64_t
ryde_window_pending(const struct ryde_window *w)
{
	uint64_t n = 0;

	for (size_t i = 0; i < w->keys.n; i++)
		n += w->keys.panes[i]->records;
	for (size_t i = 0; i < w->sessions.n; i++)
		n += w->sessions.heap[i].session->records;
	return n + (w->rows.session != NULL && w->rows.has_row ? w->rows.session->records
							       : 0);
}

uint64_t
ryde_window_missed(const struct ryde_window *w)
{
	return w->missed;
}

uint64_t
ryde_window_recounted(const struct ryde_window *w)
{
	return w->rows.recounted;
}

int
ryde_window_restore(struct ryde_window *w, struct ryde_view at, struct ryde_err *err)
{
	if (at.n == 0)
		return ryde_window_group_restore(&w->group, NULL, err);
	if (ryde_window_at_parse(&w->at, at, err) != 0)
		return -1;
	return ryde_window_group_restore(&w->group, &w->at, err);
}

bool
ryde_window_is_behind(const struct ryde_window *w)
{
	return w->group.behind > 0;
}

bool
ryde_window_has_moved(const struct ryde_window *w)
{
	return w->group.moved;
}

int
ryde_window_positions(struct ryde_window *w, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_window_at at = {0};
	int rc = ryde_window_group_put(
	    &w->group, w->session ? &w->sessions.birth : NULL, &at, err);

	for (size_t i = 0; rc == 0 && i < w->keys.n_fired; i++) {
		const struct ryde_window_keys_pane *p = w->keys.panes[i];

		if (p->revision > 0)
			rc =
			    ryde_window_at_add_revision(&at, p->end_ms, p->revision, err);
	}
	if (rc == 0)
		ryde_window_at_put(&at, to);
	ryde_window_at_free(&at);
	return rc == 0 ? ryde_buf_check(to, err) : -1;
}
