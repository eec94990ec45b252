/*
 * Writing a batch of records with PutRecords. The batch is dealt to lanes by shard; a
 * lane has one request under way, so that the records of a key are never in two requests
 * at once, and lanes run side by side. What a request says has failed stays in its lane,
 * in order, and goes with the next one; nothing else is sent again.
 *
 * With `ordered` a request holds one record of a key at most: then no record can overtake
 * another one of its key when a request fails in part.
 *
 * Limits of a shard are learned: once it says that it is too fast, records go to it at
 * the rate that Kinesis promises (1,000 records or 1 MiB a second), less with each
 * further complaint, a little more with each request that goes well.
 */
#include "aws/kinesis_put.h"
#include "aws/kinesis_stream.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/waits.h"

#include <stdlib.h>
#include <string.h>

#define LANES 8
#define HASHED 256			/* keys at once */
#define REQUEST_BYTES ((size_t)5 << 20) /* of payloads and keys; 10 MiB is new, 5 old */
#define BODY_MAX ((size_t)32 << 20)
#define ANSWER_MAX ((size_t)1 << 20)
#define TIMEOUT_MS 30000
#define SHARD_RATE 1000.0
#define SHARD_RATE_MIN 5.0
#define BYTES_PER_RECORD 1049 /* 1 MiB a second, 1,000 records a second */
#define STUCK_MS 5000	      /* no record taken for so long: the caller is told */

/* What a shard lets through. rate 0: no limit is known. */
struct pace {
	double rate, tokens;
	int64_t at_mono_ms;	/* when tokens was right */
	int64_t pause_until_ms; /* after a complaint */
	unsigned complaints;	/* in a row */
};

struct lane {
	uint32_t *left; /* records not yet taken by Kinesis, in order */
	size_t n_left;
	uint32_t *sent; /* of the request under way: places in `left` */
	size_t n_sent;
	struct ryde_aws_call *call;
	struct ryde_buf body;
	int64_t not_before_ms;
	unsigned failures; /* InternalFailure in a row */
};

struct ryde_kinesis_write {
	struct lane lanes[LANES];
	uint32_t *places; /* of all lanes' `left`, one behind the other, and of `sent` */
	ryde_hash_value *hashes;
	size_t cap;
	struct pace *paces; /* by shard */
	size_t n_paces;
	struct ryde_kinesis_outcome outcomes[RYDE_KINESIS_PUT_RECORDS];
	struct ryde_record_in *records; /* of the batch under way; NULL: none is */
	size_t n, left;
	struct ryde_random random;
	int64_t progress_ms; /* when a record was taken last */
	int64_t wake_ms;     /* when a lane may go on */
	bool said;
};

void
ryde_kinesis_write_free(struct ryde_kinesis_write *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < LANES; i++) {
		ryde_aws_free(w->lanes[i].call);
		ryde_buf_free(&w->lanes[i].body);
	}
	free(w->places);
	free(w->hashes);
	free(w->paces);
	free(w);
}

static struct ryde_kinesis_write *
make(struct ryde_err *err)
{
	struct ryde_kinesis_write *w = calloc(1, sizeof(*w));
	uint64_t seed;

	if (w == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	if (ryde_random_bytes(&seed, sizeof(seed), err) != 0) {
		free(w);
		return NULL;
	}
	ryde_random_seed(&w->random, seed);
	for (size_t i = 0; i < LANES; i++)
		ryde_buf_init(&w->lanes[i].body, BODY_MAX);
	return w;
}

/* ---- the batch ---- */

static int
make_room(struct ryde_kinesis_write *w, size_t n, struct ryde_err *err)
{
	uint32_t *places;
	ryde_hash_value *hashes;

	if (n <= w->cap)
		return 0;
	places = realloc(w->places, 2 * n * sizeof(*places));
	if (places == NULL)
		return ryde_err_nomem(err);
	w->places = places;
	hashes = realloc(w->hashes, n * sizeof(*hashes));
	if (hashes == NULL)
		return ryde_err_nomem(err);
	w->hashes = hashes;
	w->cap = n;
	return 0;
}

static int
make_paces(struct ryde_kinesis_write *w, const struct ryde_kinesis_stream *s,
    struct ryde_err *err)
{
	struct pace *paces;

	if (s->n <= w->n_paces)
		return 0;
	paces = realloc(w->paces, s->n * sizeof(*paces));
	if (paces == NULL)
		return ryde_err_nomem(err);
	memset(paces + w->n_paces, 0, (s->n - w->n_paces) * sizeof(*paces));
	w->paces = paces;
	w->n_paces = s->n;
	return 0;
}

/* Where a record of that hash will go, as far as the list of shards is right. */
static int
shard_of(const struct ryde_kinesis_stream *s, ryde_hash_value hash)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->shards[i].open && s->ranges[i].known &&
		    hash >= s->ranges[i].first && hash <= s->ranges[i].last)
			return (int)i;
	return 0;
}

/* The hashes of records, which are their own or those of their keys. */
static int
find_hashes(struct ryde_kinesis_stream *s, const struct ryde_record_in *records, size_t n,
    ryde_hash_value *hashes, struct ryde_err *err)
{
	struct ryde_view keys[HASHED];

	for (size_t from = 0; from < n; from += HASHED) {
		size_t some = n - from < HASHED ? n - from : HASHED;

		for (size_t i = 0; i < some; i++)
			keys[i] = records[from + i].key;
		ryde_hash_keys(s->hash, keys, some, hashes + from);
	}
	for (size_t i = 0; i < n; i++)
		if (records[i].hash_key.n > 0 &&
		    !ryde_hash_parse(records[i].hash_key, &hashes[i]))
			return ryde_err_set(err, RYDE_EDATA, "a hash key that is none");
	return 0;
}

/* Deals the records to lanes. */
static int
begin_batch(struct ryde_kinesis_stream *s, struct ryde_record_in *records, size_t n,
    struct ryde_err *err)
{
	struct ryde_kinesis_write *w = s->write;
	size_t counts[LANES] = {0}, at = 0;
	int only;

	if (make_room(w, n, err) != 0 ||
	    ((s->n == 0 || s->stale) && ryde_kinesis_stream_refresh(s, err) != 0) ||
	    make_paces(w, s, err) != 0)
		return -1;
	only = ryde_kinesis_stream_only(s);
	/* with `ordered` a request's keys are compared by their hashes first */
	if ((only < 0 || s->ordered) && find_hashes(s, records, n, w->hashes, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		records[i].shard = only >= 0 ? only : shard_of(s, w->hashes[i]);
		records[i].seq.n = 0;
		records[i].failed = true;
		counts[records[i].shard % LANES]++;
	}
	for (size_t i = 0; i < LANES; i++) {
		w->lanes[i].left = w->places + at;
		w->lanes[i].sent = w->places + n + at;
		w->lanes[i].n_left = 0;
		at += counts[i];
	}
	for (size_t i = 0; i < n; i++) {
		struct lane *l = &w->lanes[records[i].shard % LANES];

		l->left[l->n_left++] = (uint32_t)i;
	}
	w->records = records;
	w->n = w->left = n;
	w->progress_ms = ryde_clock_mono_ms();
	w->said = false;
	return 0;
}

/* ---- the pace of a shard ---- */

static double
cost(const struct ryde_record_in *r)
{
	double bytes = (double)(r->data.n + r->key.n);

	return bytes <= BYTES_PER_RECORD ? 1 : bytes / BYTES_PER_RECORD;
}

/* 0: the record may go now; else when to look again. */
static int64_t
not_yet(struct pace *p, double price, int64_t now)
{
	double most;

	if (now < p->pause_until_ms)
		return p->pause_until_ms;
	if (p->rate <= 0)
		return 0;
	most = p->rate / 4;
	p->tokens += p->rate * (double)(now - p->at_mono_ms) / 1000;
	p->at_mono_ms = now;
	if (p->tokens > most)
		p->tokens = most;
	/* a record that is larger than the bucket goes when the bucket is full */
	if (p->tokens >= price || (price > most && p->tokens >= most)) {
		p->tokens -= price;
		return 0;
	}
	return now + 1 + (int64_t)((price < most ? price : most) / p->rate * 1000);
}

static void
complained(struct ryde_kinesis_write *w, struct pace *p, int64_t now)
{
	int64_t ceiling = INT64_C(100) << (p->complaints < 5 ? p->complaints : 5);

	if (p->pause_until_ms > now)
		return; /* said already by another record of this request */
	p->complaints++;
	p->rate = p->rate <= 0 ? SHARD_RATE : p->rate * 0.7;
	if (p->rate < SHARD_RATE_MIN)
		p->rate = SHARD_RATE_MIN;
	p->tokens = 0;
	p->at_mono_ms = now;
	p->pause_until_ms =
	    now + 20 + (int64_t)((double)ceiling * ryde_random_unit(&w->random));
}

static void
went_well(struct pace *p)
{
	p->complaints = 0;
	if (p->rate > 0)
		p->rate *= 1.001;
}

/* ---- requests ---- */

/* Whether the request holds a record of the same key already. */
static bool
has_key(const struct ryde_kinesis_write *w, const struct lane *l, uint32_t record)
{
	for (size_t i = 0; i < l->n_sent; i++) {
		uint32_t other = l->left[l->sent[i]];

		if (w->hashes[other] == w->hashes[record] &&
		    ryde_view_eq(w->records[other].key, w->records[record].key))
			return true;
	}
	return false;
}

/* Puts what may go now into the lane's request. */
static void
fill(struct ryde_kinesis_stream *s, struct lane *l, int64_t now)
{
	struct ryde_kinesis_write *w = s->write;
	int64_t wake = INT64_MAX;
	size_t bytes = 0;

	l->n_sent = 0;
	for (size_t i = 0; i < l->n_left; i++) {
		struct ryde_record_in *r = &w->records[l->left[i]];
		size_t size = r->data.n + r->key.n;
		int64_t later;

		if (l->n_sent == RYDE_KINESIS_PUT_RECORDS ||
		    (l->n_sent > 0 && bytes + size > REQUEST_BYTES))
			break;
		if (s->ordered && has_key(w, l, l->left[i]))
			continue;
		later = not_yet(&w->paces[r->shard], cost(r), now);
		if (later > 0) {
			wake = later < wake ? later : wake;
			/* later ones of this shard wait as well */
			if (w->paces[r->shard].pause_until_ms < later)
				w->paces[r->shard].pause_until_ms = later;
			continue;
		}
		l->sent[l->n_sent++] = (uint32_t)i;
		bytes += size;
	}
	if (l->n_sent == 0 && wake < w->wake_ms)
		w->wake_ms = wake;
}

/* Takes what the request holds out of the lane, as if it had been taken. */
static int
rehearse(struct ryde_kinesis_stream *s, struct lane *l,
    const struct ryde_aws_request *request, struct ryde_err *err)
{
	size_t kept = 0, k = 0;

	for (size_t i = 0; i < l->n_left; i++) {
		if (k < l->n_sent && l->sent[k] == i)
			k++;
		else
			l->left[kept++] = l->left[i];
	}
	l->n_left = kept;
	s->write->left -= l->n_sent;
	if (s->rehearsal->n > 0)
		ryde_buf_putc(s->rehearsal, ',');
	return ryde_aws_describe(s->aws, request, s->rehearsal, err);
}

static int
send_lane(struct ryde_kinesis_stream *s, struct lane *l, struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_KINESIS,
	    .operation = "PutRecords",
	    .what = s->what,
	    .region = ryde_kinesis_stream_region(s),
	    .reply_max = ANSWER_MAX,
	    .timeout_ms = TIMEOUT_MS,
	    .own_pace = true};

	ryde_buf_clear(&l->body);
	ryde_kinesis_put_begin(&l->body, s->name, s->by_arn ? s->arn : "");
	for (size_t i = 0; i < l->n_sent; i++)
		ryde_kinesis_put_add(
		    &l->body, &s->write->records[l->left[l->sent[i]]], i == 0);
	ryde_kinesis_put_end(&l->body);
	if (ryde_buf_check(&l->body, err) != 0)
		return -1;
	request.body = ryde_buf_as_view(&l->body);
	if (s->rehearsal != NULL)
		return rehearse(s, l, &request, err);
	l->call = ryde_aws_start(s->aws, &request, err);
	return l->call != NULL ? 0 : -1;
}

/* ---- answers ---- */

static void
say_slow(struct ryde_kinesis_stream *s, const struct ryde_kinesis_outcome *o, int shard)
{
	enum ryde_log_level level = s->write->said ? RYDE_LOG_DEBUG : RYDE_LOG_INFO;

	s->write->said = true;
	ryde_log(level, "%s: %s takes no more for now (%.*s): its records wait", s->what,
	    s->shards[shard].id, (int)o->code.n, o->code.p);
}

/* One record's outcome. 1: taken; 0: it stays; -1. */
static int
settle_record(struct ryde_kinesis_stream *s, struct lane *l, struct ryde_record_in *r,
    const struct ryde_kinesis_outcome *o, int64_t now, struct ryde_err *err)
{
	enum ryde_aws_kind kind;
	int shard;

	if (o->seq.n > 0 && ryde_pos_set(&r->seq, o->seq)) {
		shard = ryde_kinesis_stream_find(s, o->shard, r->shard, err);
		if (shard < 0 || make_paces(s->write, s, err) != 0)
			return -1;
		/* resharded: the next batch is dealt by a new list */
		s->stale = s->stale || shard != r->shard;
		r->shard = shard;
		r->failed = false;
		went_well(&s->write->paces[shard]);
		return 1;
	}
	kind = ryde_aws_fault_kind(o->code, 0);
	if (kind == RYDE_AWS_THROTTLED) {
		complained(s->write, &s->write->paces[r->shard], now);
		say_slow(s, o, r->shard);
		return 0;
	}
	if (kind != RYDE_AWS_TRANSIENT && o->code.n > 0 &&
	    !ryde_view_is(o->code, "InternalFailure"))
		return ryde_err_set(err,
		    kind == RYDE_AWS_DENIED ? RYDE_ENOPERM : RYDE_EDATA,
		    "%s refuses a record: %.*s: %.*s", s->what, (int)o->code.n, o->code.p,
		    o->message.n < 200 ? (int)o->message.n : 200,
		    o->message.n > 0 ? o->message.p : "");
	l->not_before_ms = now + 1;
	return 0;
}

/* Takes what was taken out of the lane. */
static int
settle_lane(struct ryde_kinesis_stream *s, struct lane *l, struct ryde_err *err)
{
	struct ryde_kinesis_write *w = s->write;
	int64_t now = ryde_clock_mono_ms();
	size_t kept = 0, k = 0, taken = 0;
	int rc = 0;

	if (ryde_kinesis_put_read(
		ryde_aws_reply(l->call)->body, w->outcomes, l->n_sent, err) != 0)
		return -1;
	for (size_t i = 0; i < l->n_left; i++) {
		int done = 0;

		if (k < l->n_sent && l->sent[k] == i)
			done = rc < 0 ? 0
				      : settle_record(s, l, &w->records[l->left[i]],
					    &w->outcomes[k], now, err),
			k++;
		if (done < 0)
			rc = -1;
		if (done > 0)
			taken++;
		else
			l->left[kept++] = l->left[i];
	}
	l->n_left = kept;
	w->left -= taken;
	if (taken > 0) {
		w->progress_ms = now;
		l->failures = 0;
	} else if (l->not_before_ms > now) {
		unsigned doublings = l->failures < 7 ? l->failures : 7;

		l->failures++;
		l->not_before_ms = now + 1 +
				   (int64_t)((double)(INT64_C(50) << doublings) *
					     ryde_random_unit(&w->random));
	}
	return rc;
}

static int
turn_lane(struct ryde_kinesis_stream *s, struct lane *l, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();
	int rc;

	if (l->call != NULL) {
		if (!ryde_aws_done(l->call))
			return 0;
		rc = ryde_aws_reply(l->call)->fault.kind == RYDE_AWS_FINE
			 ? settle_lane(s, l, err)
			 : ryde_aws_reply_err(l->call, err);
		ryde_aws_free(l->call);
		l->call = NULL;
		if (rc != 0)
			return -1;
	}
	if (l->n_left == 0)
		return 0;
	if (now < l->not_before_ms) {
		if (l->not_before_ms < s->write->wake_ms)
			s->write->wake_ms = l->not_before_ms;
		return 0;
	}
	fill(s, l, now);
	return l->n_sent > 0 ? send_lane(s, l, err) : 0;
}

int
ryde_kinesis_write(struct ryde_stream *base, struct ryde_record_in *records, size_t n,
    struct ryde_err *err)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);
	struct ryde_kinesis_write *w = s->write;
	struct ryde_err first = RYDE_ERR_INIT;

	if (n == 0)
		return 0;
	if (w == NULL && (w = s->write = make(err)) == NULL)
		return -1;
	if (w->records == NULL && begin_batch(s, records, n, err) != 0)
		return -1;
	if (ryde_aws_turn(s->aws, err) != 0)
		return -1;
	do {
		w->wake_ms = INT64_MAX;
		for (size_t i = 0; i < LANES; i++) {
			struct ryde_err why = RYDE_ERR_INIT;

			/* the others go on: what they bring counts */
			if (turn_lane(s, &w->lanes[i], &why) != 0 &&
			    first.code == RYDE_OK)
				first = why;
		}
	} while (s->rehearsal != NULL && w->left > 0 && first.code == RYDE_OK);
	if (first.code != RYDE_OK) {
		if (err != NULL)
			*err = first;
		return -1;
	}
	if (w->left == 0) {
		w->records = NULL;
		return 0;
	}
	if (ryde_clock_mono_ms() - w->progress_ms >= STUCK_MS &&
	    w->wake_ms != INT64_MAX) {
		w->progress_ms = ryde_clock_mono_ms();
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "%s has taken no record for %d s: its shards are too slow for this",
		    s->what, STUCK_MS / 1000);
	}
	return (int)w->left;
}

void
ryde_kinesis_write_wait(struct ryde_stream *base, struct ryde_waits *waits)
{
	struct ryde_kinesis_stream *s = ryde_kinesis_stream_of(base);

	ryde_aws_wait(s->aws, waits);
	if (s->write != NULL && s->write->wake_ms != INT64_MAX)
		ryde_waits_until(waits, s->write->wake_ms);
}
