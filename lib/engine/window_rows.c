#include "engine/window_rows.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "base/zone.h"
#include "engine/window_agg.h"
#include "engine/window_slices.h"
#include "json/string.h"

#include <stdlib.h>

void
ryde_window_rows_free(struct ryde_window_rows *r)
{
	if (r->session != NULL)
		ryde_window_session_drop(r->sessions, r->session);
	if (r->pane != NULL && r->keys->sliced)
		ryde_window_keys_pane_free(r->keys, r->pane);
	r->pane = NULL;
	free(r->early);
	r->session = NULL;
	r->early = NULL;
}

void
ryde_window_rows_begin(struct ryde_window_rows *r, enum ryde_window_rows_pass pass)
{
	r->pass = pass;
	r->next = 0;
	if (pass == RYDE_WINDOW_ROWS_TERMINATED)
		ryde_window_group_forget(r->group);
	if (pass != RYDE_WINDOW_ROWS_EARLY || r->sessions == NULL)
		return;
	free(r->early);
	r->early = ryde_window_session_changed(r->sessions, &r->n_early);
	r->failed = r->early == NULL && r->n_early > 0;
}

/* ---- sessions ---- */

static bool
session_row(struct ryde_window_rows *r, struct ryde_window_session *s)
{
	s->group.changed = false;
	r->row = (struct ryde_window_rows_row){
	    &s->group, s->first_ms, ryde_window_session_end(r->sessions, s), 0};
	r->has_row = true;
	return true;
}

static bool
next_session(struct ryde_window_rows *r)
{
	struct ryde_window_session *s;
	int64_t end_ms;

	if (r->session != NULL)
		ryde_window_session_drop(r->sessions, r->session);
	r->session = NULL;
	if (r->pass == RYDE_WINDOW_ROWS_EARLY) {
		if (r->next < r->n_early)
			return session_row(r, r->early[r->next++]);
		free(r->early);
		r->early = NULL;
		r->n_early = 0;
		return false;
	}
	while ((s = ryde_window_session_first(r->sessions)) != NULL) {
		end_ms = ryde_window_session_end(r->sessions, s);
		if (!r->closing && r->pass != RYDE_WINDOW_ROWS_TERMINATED &&
		    !ryde_window_group_is_past(r->group, end_ms))
			return false;
		ryde_window_session_pop(r->sessions);
		if (r->group->has_restored && end_ms <= r->group->restored_ms) {
			/* Given out in the life before, whole. */
			r->recounted += s->records;
			ryde_window_session_drop(r->sessions, s);
			continue;
		}
		r->session = s;
		return session_row(r, s);
	}
	return false;
}

/* ---- windows ---- */

/* Begins to give out a window. */
static bool
open_pane(struct ryde_window_rows *r, struct ryde_window_keys_pane *p, bool changed)
{
	bool last =
	    r->pass == RYDE_WINDOW_ROWS_TERMINATED ||
	    (r->pass == RYDE_WINDOW_ROWS_CLOSED && (r->closing || r->def->allow_ms == 0));

	if (p->fired)
		p->revision++;
	r->pane = p;
	r->failed = ryde_window_keys_begin(r->keys, p, changed, last, NULL) != 0;
	return true;
}

static bool
is_over(const struct ryde_window_rows *r, const struct ryde_window_keys_pane *p)
{
	return r->closing || r->pass == RYDE_WINDOW_ROWS_TERMINATED ||
	       ryde_window_group_is_closed(r->group, p->end_ms);
}

/* The next window that is put together from slices. */
static bool
next_joined(struct ryde_window_rows *r)
{
	struct ryde_window_keys_pane *p;
	int64_t end_ms;

	if (!ryde_window_slices_end(r->keys, &end_ms) ||
	    (!r->closing && !ryde_window_group_is_past(r->group, end_ms)))
		return false;
	p = ryde_window_slices_join(r->keys, r->group);
	r->failed = p == NULL;
	return p == NULL || open_pane(r, p, false);
}

/* The next window to give out, looking at r->next and behind. Those that are over and
 * have nothing new are dropped on the way. */
static bool
next_pane(struct ryde_window_rows *r)
{
	struct ryde_window_keys *k = r->keys;
	struct ryde_window_keys_pane *p;

	if (k->sliced)
		return next_joined(r);
	while (r->next < k->n) {
		p = k->panes[r->next];
		if (r->pass == RYDE_WINDOW_ROWS_EARLY) {
			r->next++;
			if (!p->fired && p->changed)
				return open_pane(r, p, true);
			continue;
		}
		if (!p->fired) {
			if (!r->closing && r->pass == RYDE_WINDOW_ROWS_CLOSED &&
			    !ryde_window_group_is_past(r->group, p->end_ms))
				return false;
			return open_pane(r, p, false);
		}
		if (p->changed)
			return open_pane(r, p, true);
		if (is_over(r, p))
			ryde_window_keys_drop(k, r->next);
		else if (r->touched || r->pass != RYDE_WINDOW_ROWS_CLOSED)
			r->next++;
		else
			r->next = k->n_fired;
	}
	r->touched = false;
	return false;
}

/* All of its rows are out. */
static void
close_pane(struct ryde_window_rows *r)
{
	struct ryde_window_keys_pane *p = r->pane;

	r->pane = NULL;
	if (r->keys->sliced) {
		ryde_window_slices_done(r->keys, p->end_ms);
		ryde_window_keys_pane_free(r->keys, p);
		return;
	}
	if (r->pass == RYDE_WINDOW_ROWS_EARLY)
		return;
	p->records = 0;
	if (!p->fired) {
		p->fired = true;
		r->keys->n_fired++;
	}
	if (is_over(r, p))
		ryde_window_keys_drop(r->keys, r->next);
	else
		r->next++;
}

static bool
next_row(struct ryde_window_rows *r)
{
	struct ryde_window_keys_group *g;

	if (r->sessions != NULL)
		return next_session(r);
	for (;;) {
		if (r->pane == NULL && !next_pane(r))
			return false;
		if (r->failed)
			return true;
		g = ryde_window_keys_next(r->pane);
		if (g != NULL)
			break;
		close_pane(r);
	}
	r->row = (struct ryde_window_rows_row){g, r->pane->start_ms, r->pane->end_ms,
	    r->pass == RYDE_WINDOW_ROWS_CLOSED ? r->pane->revision : 0};
	r->has_row = true;
	return true;
}

bool
ryde_window_rows_due(struct ryde_window_rows *r)
{
	if (r->has_row || r->failed)
		return true;
	if (r->group->behind > 0 && !r->closing)
		return false;
	if (next_row(r))
		return true;
	/* The usual pass begins anew each time. */
	r->pass = RYDE_WINDOW_ROWS_CLOSED;
	r->next = 0;
	return false;
}

/* ---- text ---- */

/* The length of the first of several JSON scalars that are joined by commas. */
static size_t
scalar_length(struct ryde_view text)
{
	size_t i = 0;

	if (text.n > 0 && text.p[0] == '"') {
		for (i = 1; i < text.n && text.p[i] != '"'; i++)
			i += text.p[i] == '\\';
		return i + 1;
	}
	while (i < text.n && text.p[i] != ',')
		i++;
	return i;
}

static void
put_keys(const struct ryde_window_def *d, struct ryde_view text, struct ryde_buf *row,
    struct ryde_buf *key)
{
	for (size_t i = 0; i < d->n_keys; i++) {
		size_t n = scalar_length(text);

		ryde_buf_add(row, d->keys[i].label, d->keys[i].label_n);
		ryde_buf_add(row, text.p, n);
		if (key != NULL) {
			if (i > 0)
				ryde_buf_putc(key, ',');
			if (text.p[0] == '"')
				ryde_json_string_decode(
				    key, ryde_view_mem(text.p + 1, n - 2));
			else
				ryde_buf_add(key, text.p, n);
		}
		text.p += n + 1;
		text.n -= n < text.n ? n + 1 : n;
	}
}

/* In a zone RFC 3339 with the offset: the plain form means UTC. */
static void
put_local(struct ryde_buf *row, const struct ryde_zone *zone, int64_t at_ms)
{
	int64_t offset_ms = ryde_zone_at(zone, at_ms).offset_ms, minutes;
	char text[RYDE_TIMESTAMP_MAX];
	size_t n;

	/* Offsets of old, before railways, have seconds, which RFC 3339 cannot say. */
	if (offset_ms % 60000 != 0)
		offset_ms = 0;
	minutes = (offset_ms < 0 ? -offset_ms : offset_ms) / 60000;
	n = ryde_timestamp_rfc3339(at_ms + offset_ms, text);
	ryde_buf_add(row, text, n - 1); /* without its Z */
	ryde_buf_printf(row, "%c%02d:%02d", offset_ms < 0 ? '-' : '+',
	    (int)(minutes / 60), (int)(minutes % 60));
}

/* Rows of one window have the same times. */
static void
put_time(const struct ryde_window_def *d, struct ryde_buf *row, int64_t at_ms,
    struct ryde_window_rows_time *last)
{
	ryde_buf_putc(row, '"');
	if (d->zone != NULL) {
		put_local(row, d->zone, at_ms);
	} else {
		if (last->n == 0 || last->at_ms != at_ms) {
			last->n = ryde_timestamp_plain(at_ms, last->text);
			last->at_ms = at_ms;
		}
		ryde_buf_add(row, last->text, last->n);
	}
	ryde_buf_putc(row, '"');
}

static void
put_bounds(struct ryde_window_rows *r, struct ryde_buf *row)
{
	if (!r->def->bounds)
		return;
	ryde_buf_puts(
	    row, r->def->n_keys == 0 ? "{\"windowStart\":" : ",\"windowStart\":");
	put_time(r->def, row, r->row.start_ms, &r->start);
	ryde_buf_puts(row, ",\"windowEnd\":");
	put_time(r->def, row, r->row.end_ms, &r->end);
}

static void
put_kind(const struct ryde_window_rows *r, struct ryde_buf *row)
{
	if (r->pass == RYDE_WINDOW_ROWS_EARLY) {
		ryde_buf_puts(row, ",\"early\":true");
	} else if (r->pass == RYDE_WINDOW_ROWS_TERMINATED) {
		ryde_buf_puts(row, ",\"terminatedEarly\":true");
	} else if (r->row.revision > 0) {
		ryde_buf_puts(row, ",\"revision\":");
		ryde_buf_u64(row, r->row.revision);
	}
}

int
ryde_window_rows_put(struct ryde_window_rows *r, struct ryde_buf *row,
    struct ryde_buf *key, struct ryde_err *err)
{
	struct ryde_window_keys_group *g = r->row.group;

	if (r->failed)
		return ryde_err_nomem(err);
	put_keys(r->def, ryde_window_keys_text(r->keys, g), row, key);
	put_bounds(r, row);
	for (size_t i = 0; i < r->def->n_columns; i++) {
		const struct ryde_window_def_column *c = &r->def->columns[i];

		ryde_buf_add(row, c->label, c->label_n);
		if (c->function == RYDE_WINDOW_DEF_START)
			put_time(r->def, row, r->row.start_ms, &r->start);
		else if (c->function == RYDE_WINDOW_DEF_END)
			put_time(r->def, row, r->row.end_ms, &r->end);
		else if (ryde_window_agg_put(
			     r->def, ryde_window_keys_states(g), i, row, err) != 0)
			return -1;
	}
	put_kind(r, row);
	ryde_buf_putc(row, '}');
	r->has_row = false;
	if (key != NULL && ryde_buf_check(key, err) != 0)
		return -1;
	return ryde_buf_check(row, err);
}
