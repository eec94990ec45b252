/*
 * Reading a stream on Kinesis: all started shards at once, each at its own pace
 * (kinesis_shard.h), merged by arrival time as far as records are at hand. A shard that
 * is behind and has nothing at hand is waited for a moment, so that a catching-up reader
 * does not print one shard after the other.
 */
#include "aws/kinesis_shard.h"
#include "aws/kinesis_stream.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 16		     /* requests under way */
#define BYTES_MAX ((size_t)64 << 20) /* of pages at hand */
#define LIMIT 10000		     /* records of a page */
#define LOOK_LIMIT 1000		     /* where it is only to be known how far behind */
#define MERGE_MS 300
#define REFRESH_MS 1000
#define LOOK_MS 15000

struct reader {
	struct ryde_stream_reader base;
	struct ryde_kinesis_stream *stream;
	struct ryde_kinesis_shard **shards; /* by their index in the stream; NULL: never
					       started */
	size_t n;
	struct ryde_record *out;
	size_t cap;
	bool fetched;	       /* reads, and does not only look */
	int64_t refresh_at_ms; /* when the list of shards may be asked for again */
	int64_t merge_until_ms;
	/* ryde_stream_reader_range */
	struct ryde_kinesis_shard *range;
};

static struct reader *
of(struct ryde_stream_reader *base)
{
	return (struct reader *)base;
}

static struct ryde_kinesis_shard *
shard_at(const struct reader *r, int index)
{
	return index >= 0 && (size_t)index < r->n ? r->shards[index] : NULL;
}

static void
free_reader(struct ryde_stream_reader *base)
{
	struct reader *r = of(base);

	for (size_t i = 0; i < r->n; i++)
		ryde_kinesis_shard_free(r->shards[i]);
	ryde_kinesis_shard_free(r->range);
	free(r->shards);
	free(r->out);
	free(r);
}

static int
start(struct ryde_stream_reader *base, int index, const struct ryde_stream_start *from,
    struct ryde_pos *resolved, bool *gap, char *gap_text, struct ryde_err *err)
{
	struct reader *r = of(base);
	struct ryde_kinesis_shard **more;
	size_t n = (size_t)index + 1;

	if (gap != NULL)
		*gap = false;
	if (gap_text != NULL)
		gap_text[0] = '\0';
	if (n > r->n) {
		more = realloc(r->shards, n * sizeof(*more));
		if (more == NULL)
			return ryde_err_nomem(err);
		r->shards = more;
		while (r->n < n)
			r->shards[r->n++] = NULL;
	}
	if (r->shards[index] == NULL) {
		r->shards[index] = ryde_kinesis_shard_new(r->stream, index, err);
		if (r->shards[index] == NULL)
			return -1;
	}
	ryde_kinesis_shard_start(r->shards[index], from);
	if (resolved != NULL)
		*resolved =
		    from->kind == RYDE_START_AFTER ? from->pos : (struct ryde_pos){0};
	return 0;
}

static void
stop(struct ryde_stream_reader *base, int index)
{
	struct ryde_kinesis_shard *s = shard_at(of(base), index);

	if (s != NULL)
		ryde_kinesis_shard_stop(s);
}

/* ---- turning ---- */

static int
turn_all(struct reader *r, size_t limit, struct ryde_err *err)
{
	size_t busy = 0, bytes = 0;

	if (ryde_aws_turn(r->stream->aws, err) != 0)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		if (r->shards[i] == NULL)
			continue;
		busy += r->shards[i]->call != NULL;
		bytes += ryde_kinesis_shard_bytes(r->shards[i]);
	}
	for (size_t i = 0; i < r->n; i++) {
		struct ryde_kinesis_shard *s = r->shards[i];
		bool asked;

		if (s == NULL || s->state == RYDE_KINESIS_STOPPED)
			continue;
		asked = s->call != NULL;
		/* a subscription is a request that lasts: it takes no other's place */
		if (ryde_kinesis_shard_turn(s,
			(busy < AT_ONCE || r->stream->consumer[0] != '\0') &&
			    bytes < BYTES_MAX,
			limit, err) != 0)
			return -1;
		busy += (s->call != NULL) - (size_t)asked;
	}
	return 0;
}

static bool
has_child(const struct ryde_kinesis_stream *s, int parent)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->shards[i].parent == parent || s->shards[i].parent2 == parent)
			return true;
	return false;
}

/* A shard that is read to its end has children, which the list of shards names. */
static int
look_for_children(struct reader *r, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	bool any = false;

	for (size_t i = 0; i < r->n; i++)
		any = any || (r->shards[i] != NULL && !r->shards[i]->settled &&
				 r->shards[i]->state == RYDE_KINESIS_READ);
	if (!any || ryde_clock_mono_ms() < r->refresh_at_ms)
		return 0;
	r->refresh_at_ms = ryde_clock_mono_ms() + REFRESH_MS;
	if (ryde_kinesis_stream_refresh(r->stream, &why) != 0) {
		if (why.code != RYDE_EUNAVAILABLE && why.code != RYDE_ETEMPFAIL) {
			*err = why;
			return -1;
		}
		ryde_log(RYDE_LOG_WARNING, "%s; trying again", why.msg);
		return 0;
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->shards[i] != NULL && r->shards[i]->state == RYDE_KINESIS_READ &&
		    (!r->shards[i]->children || has_child(r->stream, (int)i)))
			r->shards[i]->settled = true;
	return 0;
}

/* ---- merging ---- */

/* Whether a shard that is behind will have records in a moment. */
static bool
worth_waiting(struct reader *r)
{
	int64_t now = ryde_clock_mono_ms();
	bool any = false;

	r->merge_until_ms = RYDE_WAITS_FOREVER;
	for (size_t i = 0; i < r->n; i++) {
		const struct ryde_kinesis_shard *s = r->shards[i];
		int64_t until;

		if (s == NULL || s->state == RYDE_KINESIS_STOPPED ||
		    s->state == RYDE_KINESIS_READ || s->caught_up || s->n_pages > 0 ||
		    s->pace.failures > 0)
			continue;
		until = s->empty_mono_ms + MERGE_MS;
		if (now >= until)
			continue;
		any = true;
		if (until < r->merge_until_ms)
			r->merge_until_ms = until;
	}
	return any;
}

/* The shard whose next record arrived first. */
static struct ryde_kinesis_shard *
earliest(const struct reader *r, struct ryde_record *head)
{
	struct ryde_kinesis_shard *best = NULL;
	struct ryde_record one;

	for (size_t i = 0; i < r->n; i++) {
		if (r->shards[i] == NULL || r->shards[i]->n_pages == 0 ||
		    !ryde_kinesis_shard_head(r->shards[i], &one))
			continue;
		if (best == NULL || one.arrival_ms < head->arrival_ms) {
			best = r->shards[i];
			*head = one;
		}
	}
	return best;
}

static int
fetch(struct ryde_stream_reader *base, size_t max, size_t max_bytes,
    const struct ryde_record **out, size_t *n, struct ryde_err *err)
{
	struct reader *r = of(base);
	size_t got = 0, bytes = 0;

	*n = 0;
	r->fetched = true;
	for (size_t i = 0; i < r->n; i++)
		if (r->shards[i] != NULL)
			ryde_kinesis_shard_drop(r->shards[i]);
	if (turn_all(r, LIMIT, err) != 0 || look_for_children(r, err) != 0)
		return -1;
	if (max > r->cap) {
		struct ryde_record *more = realloc(r->out, max * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		r->out = more;
		r->cap = max;
	}
	if (worth_waiting(r))
		return 0;
	while (got < max && bytes < max_bytes) {
		struct ryde_kinesis_shard *s = earliest(r, &r->out[got]);

		if (s == NULL)
			break;
		ryde_kinesis_shard_take(s);
		bytes += r->out[got].data.n + r->out[got].key.n;
		got++;
	}
	*out = r->out;
	*n = got;
	return 0;
}

static void
wait_for(struct ryde_stream_reader *base, struct ryde_waits *w)
{
	struct reader *r = of(base);

	ryde_aws_wait(r->stream->aws, w);
	ryde_waits_until(w, r->merge_until_ms);
	for (size_t i = 0; i < r->n; i++) {
		const struct ryde_kinesis_shard *s = r->shards[i];

		if (s == NULL)
			continue;
		ryde_kinesis_shard_wait(s, w);
		if (s->state == RYDE_KINESIS_READ && !s->settled)
			ryde_waits_until(w, r->refresh_at_ms);
	}
}

/* ---- where shards stand ---- */

static bool
gap(struct ryde_stream_reader *base, int *index, char *gap_text)
{
	struct reader *r = of(base);

	for (size_t i = 0; i < r->n; i++) {
		if (r->shards[i] == NULL || !r->shards[i]->gap)
			continue;
		r->shards[i]->gap = false;
		*index = (int)i;
		memcpy(gap_text, r->shards[i]->gap_text, sizeof(r->shards[i]->gap_text));
		return true;
	}
	return false;
}

static bool
has_records(const struct ryde_kinesis_shard *s)
{
	struct ryde_record head;

	return ryde_kinesis_shard_head(s, &head);
}

static bool
ended(struct ryde_stream_reader *base, int index)
{
	const struct ryde_kinesis_shard *s = shard_at(of(base), index);

	return s != NULL && s->state == RYDE_KINESIS_READ && s->settled &&
	       !has_records(s);
}

static bool
caught_up(struct ryde_stream_reader *base, int index, int64_t *at_ms)
{
	const struct ryde_kinesis_shard *s = shard_at(of(base), index);

	if (s == NULL || s->state == RYDE_KINESIS_STOPPED || has_records(s))
		return false;
	if (s->state == RYDE_KINESIS_READ) {
		*at_ms = ryde_clock_wall_ms() + ryde_aws_skew_ms(s->stream->aws);
		return s->settled;
	}
	*at_ms = s->quiet_ms;
	return s->caught_up;
}

/* Waits, for a look at a shard that nobody reads yet. */
static int
look(struct reader *r, struct ryde_kinesis_shard *s, size_t limit, struct ryde_err *err)
{
	int64_t until = ryde_clock_mono_ms() + LOOK_MS;

	while (s->behind_ms < 0 && s->state != RYDE_KINESIS_READ &&
	       s->state != RYDE_KINESIS_STOPPED) {
		struct ryde_waits w = {0};

		if (ryde_aws_turn(r->stream->aws, err) != 0 ||
		    ryde_kinesis_shard_turn(s, true, limit, err) != 0)
			return -1;
		if (s->behind_ms >= 0 || s->state == RYDE_KINESIS_READ)
			break;
		if (ryde_signals_stop() > 0 || ryde_clock_mono_ms() >= until)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "%s: no answer about a shard, for now", r->stream->what);
		ryde_waits_begin(&w);
		ryde_aws_wait(r->stream->aws, &w);
		ryde_kinesis_shard_wait(s, &w);
		ryde_waits_until(&w, until);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
	return 0;
}

static int
lag(struct ryde_stream_reader *base, int index, int64_t *age_ms, int64_t *records,
    struct ryde_err *err)
{
	struct reader *r = of(base);
	struct ryde_kinesis_shard *s = shard_at(r, index);
	struct ryde_record head;

	*age_ms = 0;
	*records = -1;
	if (s == NULL)
		return 0;
	if (!r->fetched && look(r, s, LOOK_LIMIT, err) != 0)
		return -1;
	if (ryde_kinesis_shard_head(s, &head)) {
		*age_ms = ryde_clock_wall_ms() + ryde_aws_skew_ms(r->stream->aws) -
			  head.arrival_ms;
		if (*age_ms < 0)
			*age_ms = 0;
	} else if (s->behind_ms > 0 && s->state != RYDE_KINESIS_READ) {
		*age_ms = s->behind_ms;
	}
	/* how many is known where the tip is in sight */
	if (s->caught_up || s->state == RYDE_KINESIS_READ) {
		*records = -(int64_t)s->at;
		for (size_t i = 0; i < s->n_pages; i++)
			*records += (int64_t)s->pages[i].n;
	}
	return 0;
}

/* ---- a stretch of one shard ---- */

/* Pages of r->range until `last` is passed; records go to out. */
static int
read_range(struct reader *r, const struct ryde_pos *last, size_t max, size_t *got,
    struct ryde_err *err)
{
	struct ryde_kinesis_shard *s = r->range;

	for (;;) {
		struct ryde_record head;

		s->behind_ms = -1;
		if (look(r, s, LIMIT, err) != 0)
			return -1;
		while (*got < max && ryde_kinesis_shard_head(s, &head)) {
			if (ryde_pos_cmp_record(&head.seq, last) > 0)
				return 0;
			r->out[(*got)++] = head;
			ryde_kinesis_shard_take(s);
		}
		/* pages stay: what was given points into them */
		if (*got == max || s->n_pages > 0 || s->caught_up ||
		    s->state == RYDE_KINESIS_READ)
			return 0;
	}
}

static int
range(struct ryde_stream_reader *base, int index, const struct ryde_pos *first,
    const struct ryde_pos *last, size_t max, const struct ryde_record **out, size_t *n,
    struct ryde_err *err)
{
	struct ryde_stream_start from = {.kind = RYDE_START_AT, .pos = *first};
	struct ryde_err why = RYDE_ERR_INIT;
	struct reader *r = of(base);

	*n = 0;
	if (max > r->cap) {
		struct ryde_record *more = realloc(r->out, max * sizeof(*more));

		if (more == NULL)
			return ryde_err_nomem(err);
		r->out = more;
		r->cap = max;
	}
	*out = r->out;
	ryde_kinesis_shard_free(r->range);
	r->range = ryde_kinesis_shard_new(r->stream, index, err);
	if (r->range == NULL)
		return -1;
	r->range->polls = true;
	if (first->n == 0)
		from.kind = RYDE_START_HORIZON;
	ryde_kinesis_shard_start(r->range, &from);
	if (read_range(r, last, max, n, &why) == 0)
		return 0;
	/* a position that is none of the shard: it holds no such records */
	if (why.code == RYDE_EDATA)
		return 0;
	*err = why;
	return -1;
}

static const struct ryde_stream_reader_ops ops = {
    .free = free_reader,
    .start = start,
    .stop = stop,
    .fetch = fetch,
    .gap = gap,
    .caught_up = caught_up,
    .ended = ended,
    .lag = lag,
    .wait = wait_for,
    .range = range,
};

struct ryde_stream_reader *
ryde_kinesis_read_new(struct ryde_stream *base, struct ryde_err *err)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	r->base.ops = &ops;
	r->stream = ryde_kinesis_stream_of(base);
	r->merge_until_ms = RYDE_WAITS_FOREVER;
	return &r->base;
}
