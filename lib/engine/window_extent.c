#include "engine/window_extent.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static const char *const names[] = {"tumble", "hop", "cumulate", "session"};

int
ryde_window_extent_read(struct ryde_window_extent *e, enum ryde_window_extent_kind kind,
    const char *text, struct ryde_err *err)
{
	bool two = kind == RYDE_WINDOW_HOP || kind == RYDE_WINDOW_CUMULATE;
	const char *slash = two ? strchr(text, '/') : NULL;
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	int64_t size_ms, step_ms = 0;

	if ((two && slash == NULL) ||
	    !ryde_num_duration_ms(ryde_view_mem(text, n), &size_ms) ||
	    (slash != NULL && !ryde_num_duration_ms(ryde_view_of(slash + 1), &step_ms)))
		return ryde_err_set(err, RYDE_EUSAGE, "--%s '%s': want %s", names[kind],
		    text,
		    !two		      ? "a duration such as 1m"
		    : kind == RYDE_WINDOW_HOP ? "SIZE/SLIDE, as in 1h/5m"
					      : "SIZE/STEP, as in 1d/1h");
	e->kind = kind;
	e->size_ms = size_ms;
	e->step_ms = step_ms;
	return 0;
}

int
ryde_window_extent_check(const struct ryde_window_extent *e, struct ryde_err *err)
{
	if (e->size_ms <= 0 || e->size_ms > RYDE_WINDOW_EXTENT_MAX_MS)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "a window's length must be between 1ms and 36525d");
	if (e->offset_ms < -RYDE_WINDOW_EXTENT_MAX_MS ||
	    e->offset_ms > RYDE_WINDOW_EXTENT_MAX_MS)
		return ryde_err_set(err, RYDE_EUSAGE, "--offset ends at 36525d");
	if (e->kind == RYDE_WINDOW_SESSION && e->offset_ms != 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--offset does not go with --session: sessions begin with a record");
	if (e->kind == RYDE_WINDOW_TUMBLE || e->kind == RYDE_WINDOW_SESSION)
		return 0;
	if (e->step_ms <= 0 || e->step_ms > e->size_ms)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--%s: the second length must be between 1ms and the first, or there "
		    "would be times in no window",
		    names[e->kind]);
	if (e->kind == RYDE_WINDOW_CUMULATE && e->size_ms % e->step_ms != 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--cumulate: SIZE must be a multiple of STEP, or the last step would "
		    "be shorter");
	if (e->size_ms / e->step_ms > RYDE_WINDOW_EXTENT_OVERLAP_MAX)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--%s: a line would count in more than %d windows", names[e->kind],
		    RYDE_WINDOW_EXTENT_OVERLAP_MAX);
	return 0;
}

/* The greatest offset + k * step at or before at_ms. */
static int64_t
floor_to(int64_t at_ms, int64_t step_ms, int64_t offset_ms)
{
	int64_t into_ms = (at_ms - offset_ms) % step_ms;

	return at_ms - (into_ms < 0 ? into_ms + step_ms : into_ms);
}

void
ryde_window_extent_put(const struct ryde_window_extent *e, struct ryde_buf *to)
{
	int64_t grid_ms = e->kind == RYDE_WINDOW_HOP ? e->step_ms : e->size_ms;

	/* Of offsets that mean the same one stands for all. */
	ryde_buf_printf(to, "%s %lld %lld", names[e->kind], (long long)e->size_ms,
	    (long long)floor_to(0, grid_ms, e->offset_ms));
	if (e->step_ms > 0)
		ryde_buf_printf(to, " %lld", (long long)e->step_ms);
	if (e->zone != NULL)
		ryde_buf_printf(to, " in %s", e->zone_name);
	ryde_buf_putc(to, '\n');
}

static int
reserve(struct ryde_window_extent_cell *cell, size_t n, struct ryde_err *err)
{
	struct ryde_window_extent_span *spans;

	if (n <= cell->cap)
		return 0;
	spans = realloc(cell->spans, n * sizeof(*spans));
	if (spans == NULL)
		return ryde_err_nomem(err);
	cell->spans = spans;
	cell->cap = n;
	return 0;
}

static void
add(struct ryde_window_extent_cell *cell, int64_t start_ms, int64_t end_ms)
{
	cell->spans[cell->n++] = (struct ryde_window_extent_span){start_ms, end_ms};
}

/*
 * A piece of less than a day, in which the clock changes by what is no multiple of its
 * length: it goes on behind the change where its local time does, and else ends there.
 */
static void
bend(const struct ryde_window_extent *e, const struct ryde_zone_span *s, int64_t local_ms,
    struct ryde_window_extent_span *piece)
{
	int64_t step_ms = piece->end_ms - piece->start_ms, other_ms, there_ms;

	if (piece->start_ms < s->from_ms) {
		other_ms = ryde_zone_at(e->zone, s->from_ms - 1).offset_ms;
		there_ms = floor_to(s->from_ms - 1 + other_ms, step_ms, e->offset_ms);
		if ((s->offset_ms - other_ms) % step_ms != 0)
			piece->start_ms =
			    there_ms == local_ms ? local_ms - other_ms : s->from_ms;
	}
	if (piece->end_ms >= s->to_ms) {
		other_ms = ryde_zone_at(e->zone, s->to_ms).offset_ms;
		there_ms = floor_to(s->to_ms + other_ms, step_ms, e->offset_ms);
		if ((s->offset_ms - other_ms) % step_ms != 0)
			piece->end_ms = there_ms == local_ms
					    ? local_ms + step_ms - other_ms
					    : s->to_ms;
	}
}

/* The piece that at_ms lies in, of those that begin at offset + k * step, in local
 * time. */
static struct ryde_window_extent_span
piece_of(const struct ryde_window_extent *e, int64_t step_ms, int64_t at_ms)
{
	struct ryde_window_extent_span piece;
	struct ryde_zone_span s;
	int64_t local_ms;

	if (e->zone == NULL) {
		piece.start_ms = floor_to(at_ms, step_ms, e->offset_ms);
		piece.end_ms = piece.start_ms + step_ms;
		return piece;
	}
	s = ryde_zone_at(e->zone, at_ms);
	local_ms = floor_to(at_ms + s.offset_ms, step_ms, e->offset_ms);
	if (step_ms >= DAY_MS) {
		piece.start_ms = ryde_zone_from_local(e->zone, local_ms);
		piece.end_ms = ryde_zone_from_local(e->zone, local_ms + step_ms);
		return piece;
	}
	piece.start_ms = local_ms - s.offset_ms;
	piece.end_ms = piece.start_ms + step_ms;
	bend(e, &s, local_ms, &piece);
	return piece;
}

/* The end of the hopping window that begins at start_ms. */
static int64_t
hop_end(const struct ryde_window_extent *e, int64_t start_ms)
{
	/* Days end at midnight. Others do not: when the clock goes back two of them would
	 * end together. */
	if (e->zone == NULL || e->size_ms % DAY_MS != 0 || e->step_ms % DAY_MS != 0)
		return start_ms + e->size_ms;
	return ryde_zone_from_local(
	    e->zone, start_ms + ryde_zone_at(e->zone, start_ms).offset_ms + e->size_ms);
}

/* One window begins with each piece; a time lies in those that have not ended. The cell
 * ends where the next one begins, or the first one ends. */
static int
find_hop(const struct ryde_window_extent *e, int64_t at_ms,
    struct ryde_window_extent_cell *cell, struct ryde_err *err)
{
	struct ryde_window_extent_span last = piece_of(e, e->step_ms, at_ms), p = last;
	size_t n = 0;
	int64_t ended_ms;

	while ((ended_ms = hop_end(e, p.start_ms)) > at_ms) {
		n++;
		p = piece_of(e, e->step_ms, p.start_ms - 1);
	}
	if (reserve(cell, n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		p = piece_of(e, e->step_ms, p.end_ms);
		add(cell, p.start_ms, hop_end(e, p.start_ms));
	}
	cell->from_ms = last.start_ms > ended_ms ? last.start_ms : ended_ms;
	cell->to_ms = last.end_ms;
	if (cell->to_ms > cell->spans[0].end_ms)
		cell->to_ms = cell->spans[0].end_ms;
	return 0;
}

static int
find_cumulate(const struct ryde_window_extent *e, int64_t at_ms,
    struct ryde_window_extent_cell *cell, struct ryde_err *err)
{
	struct ryde_window_extent_span whole = piece_of(e, e->size_ms, at_ms);
	struct ryde_window_extent_span p = piece_of(e, e->step_ms, at_ms);
	size_t most = (size_t)((whole.end_ms - whole.start_ms) / e->step_ms);

	/* Where the clock changes there may be two more, one before it and one behind. */
	if (reserve(cell, most + 3, err) != 0)
		return -1;
	cell->from_ms = p.start_ms > whole.start_ms ? p.start_ms : whole.start_ms;
	cell->to_ms = p.end_ms < whole.end_ms ? p.end_ms : whole.end_ms;
	while (p.end_ms < whole.end_ms && cell->n + 1 < cell->cap) {
		add(cell, whole.start_ms, p.end_ms);
		p = piece_of(e, e->step_ms, p.end_ms);
	}
	add(cell, whole.start_ms, whole.end_ms);
	return 0;
}

int
ryde_window_extent_find(const struct ryde_window_extent *e, int64_t at_ms,
    struct ryde_window_extent_cell *cell, struct ryde_err *err)
{
	struct ryde_window_extent_span piece;

	cell->n = 0;
	switch (e->kind) {
	case RYDE_WINDOW_TUMBLE:
		if (reserve(cell, 1, err) != 0)
			return -1;
		piece = piece_of(e, e->size_ms, at_ms);
		cell->from_ms = piece.start_ms;
		cell->to_ms = piece.end_ms;
		add(cell, piece.start_ms, piece.end_ms);
		break;
	case RYDE_WINDOW_HOP:
		return find_hop(e, at_ms, cell, err);
	case RYDE_WINDOW_CUMULATE:
		return find_cumulate(e, at_ms, cell, err);
	case RYDE_WINDOW_SESSION:
		break;
	}
	return 0;
}

void
ryde_window_extent_cell_free(struct ryde_window_extent_cell *cell)
{
	free(cell->spans);
	*cell = (struct ryde_window_extent_cell){0};
}
