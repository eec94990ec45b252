#include "engine/redrive.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "engine/dlq.h"
#include "flow/ack_server.h"
#include "line/envelope.h"
#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>

/* Messages printed and not yet acknowledged. */
#define FLIGHT_MAX 1000
/* How long a message of ours is hidden, and how often that is renewed. */
#define VISIBILITY_MS 60000
#define RENEW_MS 20000
/* How long one that we leave is hidden, so that it does not come again and again. */
#define LEFT_MS 900000
#define LEFT_MAX 10000
#define SINK_WAIT_MS 30000
/* Where plain lines are from: sinks acknowledge per shard. */
#define NO_SHARD "lines"

/* A message that was taken. */
struct taken {
	char id[RYDE_QUEUE_ID_MAX], receipt[RYDE_QUEUE_ID_MAX];
	int shard; /* of the acknowledgement server; -1: no record was printed */
	uint32_t gen;
	struct ryde_pos last;
	uint64_t records;
	bool keep; /* some of its records are gone: it is not deleted */
};

struct ryde_redrive {
	struct ryde_redrive_opts opts;
	struct ryde_queue *queue;
	struct ryde_dlq *dlq;
	struct ryde_ack_server *server;
	int64_t began_wall_ms;
	int64_t renew_mono_ms; /* when hidden messages are hidden anew */

	struct taken now; /* the message whose records are being printed */
	struct ryde_dlq_letter letter;
	bool printing, all_taken, ended;
	uint32_t gen;

	struct taken flight[FLIGHT_MAX];
	size_t n_flight;
	struct taken *left; /* id and receipt only matter */
	size_t n_left, cap_left;

	uint64_t progress;
	int64_t progress_mono_ms;
	struct ryde_redrive_counts counts;
};

struct ryde_redrive *
ryde_redrive_new(const struct ryde_store_settings *settings, struct ryde_queue *queue,
    const struct ryde_redrive_opts *opts, struct ryde_err *err)
{
	/* no out_fd: the payloads may be the messages' own, so no sink may take them for
	 * the stream's records */
	struct ryde_ack_server_opts server = {
	    .sinks = opts->sinks, .out_fd = -1, .sink_wait_ms = SINK_WAIT_MS};
	struct ryde_redrive *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	r->opts = *opts;
	r->queue = queue;
	r->began_wall_ms = ryde_clock_wall_ms();
	r->renew_mono_ms = r->progress_mono_ms = ryde_clock_mono_ms();
	r->dlq = ryde_dlq_new(settings, err);
	if (r->dlq != NULL)
		r->server = ryde_ack_server_new(&server, err);
	if (r->server == NULL) {
		ryde_redrive_free(r);
		return NULL;
	}
	return r;
}

static void
give_back(struct ryde_redrive *r, const struct taken *t)
{
	/* where this fails the time-out does it */
	(void)ryde_queue_extend(r->queue, t->receipt, 0, NULL);
}

void
ryde_redrive_free(struct ryde_redrive *r)
{
	if (r == NULL)
		return;
	if (r->printing)
		give_back(r, &r->now);
	for (size_t i = 0; i < r->n_flight; i++)
		give_back(r, &r->flight[i]);
	for (size_t i = 0; i < r->n_left; i++)
		give_back(r, &r->left[i]);
	(void)ryde_queue_flush(r->queue, NULL);
	ryde_ack_server_free(r->server);
	ryde_dlq_free(r->dlq);
	free(r->left);
	free(r);
}

/* ---- taking ---- */

/* Hides the message until the end, so that it is not received again and again. */
static int
leave(struct ryde_redrive *r, const char *why, bool unread, struct ryde_err *err)
{
	size_t i;

	for (i = 0; i < r->n_left; i++)
		if (strcmp(r->left[i].id, r->now.id) == 0)
			break;
	if (i == r->n_left) {
		if (r->n_left == LEFT_MAX) {
			ryde_log(RYDE_LOG_WARNING,
			    "%d messages are left already: no more are taken", LEFT_MAX);
			r->all_taken = true;
			give_back(r, &r->now);
			return 0;
		}
		if (r->n_left == r->cap_left) {
			size_t cap = r->cap_left == 0 ? 16 : 2 * r->cap_left;
			struct taken *more = realloc(r->left, cap * sizeof(*more));

			if (more == NULL)
				return ryde_err_nomem(err);
			r->left = more;
			r->cap_left = cap;
		}
		r->n_left++;
		r->counts.left++;
		r->counts.unread += unread ? 1 : 0;
		ryde_log(RYDE_LOG_WARNING, "message %s is left: %s", r->now.id, why);
	}
	r->left[i] = r->now;
	return ryde_queue_extend(r->queue, r->now.receipt, LEFT_MS, err);
}

static int
open_message(struct ryde_redrive *r, const struct ryde_message *m, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	char text[80];

	r->now = (struct taken){.shard = -1};
	memcpy(r->now.id, m->id, sizeof(r->now.id));
	memcpy(r->now.receipt, m->receipt, sizeof(r->now.receipt));
	if (ryde_dlq_begin(r->dlq, m->body, &r->letter, &why) != 0) {
		return leave(r, why.msg, true, err);
	}
	if (r->letter.redrives >= r->opts.max_redrives) {
		(void)snprintf(text, sizeof(text),
		    "its records were redriven %u times already",
		    (unsigned)r->letter.redrives);
		return leave(r, text, false, err);
	}
	r->now.gen = ++r->gen;
	r->printing = true;
	return 0;
}

/* The next message, if there is one: then `printing`, or it was left. */
static int
take_message(struct ryde_redrive *r, struct ryde_err *err)
{
	const struct ryde_message *m;
	size_t n;

	if (r->opts.max_messages >= 0 &&
	    r->counts.messages >= (uint64_t)r->opts.max_messages) {
		r->all_taken = true;
		return 0;
	}
	if (ryde_queue_receive(
		r->queue, 1, r->began_wall_ms, VISIBILITY_MS, &m, &n, err) != 0)
		return -1;
	if (n == 0) {
		r->all_taken = true;
		return 0;
	}
	return open_message(r, &m[0], err);
}

/* ---- printing ---- */

static void
put_mark(struct ryde_redrive *r, const struct ryde_dlq_record *at, bool end,
    struct ryde_buf *out)
{
	struct ryde_line_head head = {
	    .ack = ryde_ack_server_token(r->server), .mark = true, .end = end};

	if (at != NULL) {
		head.stream = at->stream;
		head.shard = at->shard;
		head.seq = ryde_pos_view(&r->now.last);
		head.has_sub = r->now.last.lines > 0;
		head.sub = r->now.last.lines - 1;
		head.gen = r->now.gen;
	}
	ryde_line_put(out, &head, ryde_view_mem(NULL, 0), false);
}

static int
put_record(struct ryde_redrive *r, const struct ryde_dlq_record *record,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_line_head more = {
	    .ack = ryde_ack_server_token(r->server), .redrives = r->letter.redrives + 1};
	bool back = r->now.records > 0 && ryde_pos_cmp(&record->seq, &r->now.last) < 0;

	/* a list that is out of order; positions must not run back */
	if (back)
		r->now.gen = ++r->gen;
	more.gen = r->now.gen;
	r->now.shard = ryde_ack_server_shard(r->server, record->shard);
	if (r->now.shard < 0)
		return ryde_err_set(err, RYDE_EDATA,
		    "message %s: a shard id that is too long", r->now.id);
	ryde_dlq_put(record, &more, out);
	r->now.last = record->seq;
	r->now.records++;
	r->counts.records++;
	if (!record->more)
		ryde_ack_server_printed(
		    r->server, r->now.shard, r->now.gen, &record->seq, true);
	return 0;
}

/* All of the message is printed, or all that can be. */
static int
end_message(struct ryde_redrive *r, const struct ryde_dlq_record *last,
    struct ryde_buf *out, struct ryde_err *err)
{
	int64_t lacking = ryde_dlq_short(r->dlq);

	if (lacking > 0) {
		ryde_log(RYDE_LOG_WARNING,
		    "message %s: %lld records of its batch are no longer held by the "
		    "stream",
		    r->now.id, (long long)lacking);
		r->counts.missing += (uint64_t)lacking;
		r->now.keep = true;
	}
	r->printing = false;
	if (r->now.records == 0)
		return leave(r, "none of its records is held any more", false, err);
	r->counts.messages++;
	put_mark(r, last, false, out);
	ryde_ack_server_printed(r->server, r->now.shard, r->now.gen, &r->now.last, false);
	r->flight[r->n_flight++] = r->now;
	return 0;
}

static int
print_next(struct ryde_redrive *r, struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_dlq_record record;
	struct ryde_err why = RYDE_ERR_INIT;
	int rc = ryde_dlq_next(r->dlq, &record, &why);

	if (record.shard.n == 0)
		record.shard = ryde_view_of(NO_SHARD);
	if (rc < 0 && why.code == RYDE_ENOINPUT && r->now.records == 0) {
		r->printing = false;
		return leave(r, why.msg, true, err);
	}
	if (rc < 0) {
		*err = why;
		return -1;
	}
	if (rc == 0)
		return end_message(r, &record, out, err);
	if (!record.missing)
		return put_record(r, &record, out, err);
	ryde_log(RYDE_LOG_WARNING,
	    "message %s: record %.*s is no longer held by the stream", r->now.id,
	    (int)record.seq.n, record.seq.seq);
	r->counts.missing++;
	r->now.keep = true;
	return 0;
}

enum ryde_redrive_step
ryde_redrive_step(struct ryde_redrive *r, struct ryde_buf *out, struct ryde_err *err)
{
	if (r->printing)
		return print_next(r, out, err) == 0 ? RYDE_REDRIVE_MORE
						    : RYDE_REDRIVE_FAILED;
	if (r->all_taken)
		return RYDE_REDRIVE_PRINTED;
	if (r->n_flight == FLIGHT_MAX)
		return RYDE_REDRIVE_WAIT;
	return take_message(r, err) == 0 ? RYDE_REDRIVE_MORE : RYDE_REDRIVE_FAILED;
}

void
ryde_redrive_stop(struct ryde_redrive *r)
{
	r->all_taken = true;
	if (!r->printing)
		return;
	r->printing = false;
	give_back(r, &r->now);
	if (r->now.records > 0)
		r->counts.half++;
}

void
ryde_redrive_end(struct ryde_redrive *r, struct ryde_buf *out)
{
	/* where nothing was printed there is no pipe to end */
	if (r->counts.records > 0)
		put_mark(r, NULL, true, out);
}

void
ryde_redrive_ended(struct ryde_redrive *r)
{
	ryde_ack_server_ended(r->server);
	r->ended = true;
	r->progress_mono_ms = ryde_clock_mono_ms();
}

/* ---- what comes back ---- */

static bool
is_acknowledged(const struct ryde_redrive *r, const struct taken *t)
{
	struct ryde_pos pos;
	uint32_t gen;

	if (!ryde_ack_server_position(r->server, t->shard, &gen, &pos))
		return false;
	return gen > t->gen || (gen == t->gen && ryde_pos_cmp(&pos, &t->last) >= 0);
}

static int
settle(struct ryde_redrive *r, const struct taken *t, struct ryde_err *err)
{
	bool stale = false;

	r->counts.acknowledged += t->records;
	if (t->keep) {
		give_back(r, t);
		return 0;
	}
	if (ryde_queue_delete(r->queue, t->receipt, &stale, err) != 0)
		return -1;
	if (stale)
		ryde_log(RYDE_LOG_WARNING,
		    "message %s was taken by somebody else meanwhile", t->id);
	else
		r->counts.deleted++;
	return 0;
}

static int
settle_all(struct ryde_redrive *r, struct ryde_err *err)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < r->n_flight; i++) {
		if (rc == 0 && is_acknowledged(r, &r->flight[i]))
			rc = settle(r, &r->flight[i], err);
		else
			r->flight[kept++] = r->flight[i];
	}
	r->n_flight = kept;
	return rc == 0 ? ryde_queue_flush(r->queue, err) : rc;
}

static int
renew(struct ryde_redrive *r, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();

	if (now < r->renew_mono_ms)
		return 0;
	r->renew_mono_ms = now + RENEW_MS;
	if (r->printing &&
	    ryde_queue_extend(r->queue, r->now.receipt, VISIBILITY_MS, err) != 0)
		return -1;
	for (size_t i = 0; i < r->n_flight; i++)
		if (ryde_queue_extend(
			r->queue, r->flight[i].receipt, VISIBILITY_MS, err) != 0)
			return -1;
	return ryde_queue_flush(r->queue, err);
}

int
ryde_redrive_turn(struct ryde_redrive *r, struct ryde_err *err)
{
	uint64_t progress;

	if (ryde_ack_server_turn(r->server, err) != 0) {
		/* what was acknowledged before counts */
		(void)settle_all(r, NULL);
		return -1;
	}
	if (ryde_ack_server_has_window(r->server))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "ryde-window cannot stand behind ryde-dlq redrive, which keeps no "
		    "position "
		    "for it: put a stream between them");
	progress = ryde_ack_server_progress(r->server);
	if (progress != r->progress) {
		r->progress = progress;
		r->progress_mono_ms = ryde_clock_mono_ms();
		if (settle_all(r, err) != 0)
			return -1;
	}
	return renew(r, err);
}

bool
ryde_redrive_over(struct ryde_redrive *r)
{
	if (r->counts.records == 0)
		return true;
	if (r->n_flight == 0 && ryde_ack_server_complete(r->server) &&
	    ryde_ack_server_leave(r->server))
		return true;
	return ryde_ack_server_deserted(r->server) ||
	       ryde_clock_mono_ms() >= r->progress_mono_ms + r->opts.grace_ms;
}

void
ryde_redrive_wait(const struct ryde_redrive *r, struct ryde_waits *w)
{
	ryde_ack_server_wait(r->server, w);
	if (r->n_flight > 0 || r->printing)
		ryde_waits_until(w, r->renew_mono_ms);
	if (r->ended)
		ryde_waits_until(w, r->progress_mono_ms + r->opts.grace_ms);
}

struct ryde_redrive_counts
ryde_redrive_counts(const struct ryde_redrive *r)
{
	return r->counts;
}
