#include "aws/kinesis_fan.h"

#include "aws/answer.h"
#include "aws/event_stream.h"
#include "aws/kinesis_consumer.h"
#include "aws/kinesis_shard.h"
#include "aws/kinesis_stream.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"
#include "json/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_MS                                                                   \
	12000	      /* events come every five seconds: then the connection is dead \
		       */
#define AGAIN_MS 5000 /* between two subscriptions to one shard */
#define IDLE_MS 60000 /* of the connection, which our own watch comes before */
/* How far arrival times may lie before the moment in which a record can be read. */
#define ARRIVAL_SLACK_MS 2000

struct ryde_kinesis_fan {
	struct ryde_event_stream events;
	struct ryde_pos continuation; /* n 0: none yet, begin where the shard is placed */
	int64_t heard_mono_ms, heard_server_ms;
	/* When the last subscription was made, at the latest; INT64_MIN: never. The
	 * service took it somewhere between the request and the first of its answer. */
	int64_t subscribed_mono_ms;
	bool answered;
	bool blocked;		/* bytes are kept back until there is room */
	bool ended;		/* the shard is read to its end */
	bool children;		/* its last event names some */
	struct ryde_err broken; /* the subscription failed from inside */
	bool missing;		/* an exception: no such consumer, stream or shard */
	bool in_use;		/* an exception: somebody else has subscribed */
};

void
ryde_kinesis_fan_reset(struct ryde_kinesis_fan *f)
{
	if (f == NULL)
		return;
	ryde_event_stream_clear(&f->events);
	f->continuation.n = 0;
	f->blocked = f->ended = f->missing = f->in_use = false;
	f->broken = (struct ryde_err)RYDE_ERR_INIT;
}

void
ryde_kinesis_fan_free(struct ryde_kinesis_fan *f)
{
	if (f == NULL)
		return;
	ryde_event_stream_free(&f->events);
	free(f);
}

static struct ryde_kinesis_fan *
fan_of(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	if (s->fan == NULL) {
		s->fan = calloc(1, sizeof(*s->fan));
		if (s->fan == NULL) {
			(void)ryde_err_nomem(err);
			return NULL;
		}
		ryde_event_stream_init(&s->fan->events);
		s->fan->subscribed_mono_ms = INT64_MIN;
	}
	return s->fan;
}

/* ---- events ---- */

static const char *
id_of(const struct ryde_kinesis_shard *s)
{
	return s->stream->shards[s->index].id;
}

/* A page of records and where it goes on. -1: it makes no sense. */
static int
take_page(struct ryde_kinesis_shard *s, struct ryde_view payload, struct ryde_err *err)
{
	struct ryde_kinesis_fan *f = s->fan;
	struct ryde_kinesis_page page;

	if (ryde_kinesis_page_read(&page, payload, err) != 0)
		return -1;
	if (page.continuation.n > 0 &&
	    !ryde_pos_set(&f->continuation, page.continuation)) {
		ryde_kinesis_page_free(&page);
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "an event whose continuation is no number");
	}
	s->pace.failures = 0;
	s->behind_ms = page.behind_ms > 0 ? page.behind_ms : 0;
	s->caught_up = s->behind_ms == 0;
	s->quiet_ms = f->heard_server_ms - ARRIVAL_SLACK_MS;
	f->ended = page.continuation.n == 0;
	f->children = page.children;
	ryde_kinesis_shard_add(s, &page);
	return 0;
}

static void
take_exception(struct ryde_kinesis_fan *f, const struct ryde_event *e)
{
	struct ryde_json_fault fault;
	struct ryde_view text = e->message;

	if (text.n == 0 && ryde_json_check(e->payload, NULL, &fault) == 0) {
		text = ryde_answer_text(e->payload, "message");
		if (text.n == 0)
			text = ryde_answer_text(e->payload, "Message");
	}
	f->missing = ryde_view_is(e->type, "ResourceNotFoundException");
	f->in_use = ryde_view_is(e->type, "ResourceInUseException");
	(void)ryde_err_set(&f->broken, RYDE_EUNAVAILABLE, "%.*s%s%.*s",
	    (int)(e->type.n < 90 ? e->type.n : 90), e->type.p, text.n > 0 ? ": " : "",
	    (int)(text.n < 200 ? text.n : 200), text.p);
}

static bool
is_over(const struct ryde_kinesis_fan *f)
{
	return f->ended || f->broken.code != RYDE_OK;
}

/* Takes events while there is room for their pages. */
static void
take_events(struct ryde_kinesis_shard *s, size_t pages)
{
	struct ryde_kinesis_fan *f = s->fan;
	struct ryde_event e;
	int rc = 1;

	while (!is_over(f) && s->n_pages < pages &&
	       (rc = ryde_event_stream_next(&f->events, &e, &f->broken)) == 1) {
		if (e.kind != RYDE_EVENT)
			take_exception(f, &e);
		else if (ryde_view_is(e.type, "SubscribeToShardEvent"))
			(void)take_page(s, e.payload, &f->broken);
		/* initial-response says nothing, and what else there may be is not for us
		 */
	}
}

/* Bytes of the answer. 1: not now. */
static int
on_bytes(void *arg, struct ryde_view chunk)
{
	struct ryde_kinesis_shard *s = arg;
	struct ryde_kinesis_fan *f = s->fan;

	f->heard_mono_ms = ryde_clock_mono_ms();
	if (!f->answered)
		f->subscribed_mono_ms = f->heard_mono_ms;
	f->answered = true;
	f->heard_server_ms = ryde_kinesis_shard_server_ms(s);
	if (is_over(f))
		return 0;
	if (s->n_pages == RYDE_KINESIS_PAGES && ryde_event_stream_ready(&f->events)) {
		f->blocked = true;
		return 1;
	}
	if (ryde_event_stream_add(&f->events, chunk, &f->broken) != 0)
		return -1;
	take_events(s, RYDE_KINESIS_PAGES);
	return 0;
}

/* ---- a subscription ---- */

static void
put_position(struct ryde_kinesis_shard *s, struct ryde_buf *b)
{
	const struct ryde_kinesis_fan *f = s->fan;

	ryde_buf_puts(b, ",\"StartingPosition\":{\"Type\":");
	if (f->continuation.n > 0)
		ryde_buf_printf(b,
		    "\"AFTER_SEQUENCE_NUMBER\",\"SequenceNumber\":\"%.*s\"",
		    (int)f->continuation.n, f->continuation.seq);
	else
		ryde_kinesis_shard_put_place(s, b, "SequenceNumber");
	ryde_buf_putc(b, '}');
}

static int
subscribe(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_kinesis_fan *f = s->fan;
	struct ryde_aws_request request = {.service = RYDE_AWS_KINESIS,
	    .operation = "SubscribeToShard",
	    .what = s->stream->what,
	    .region = ryde_kinesis_stream_region(s->stream),
	    .on_data = on_bytes,
	    .arg = s,
	    .idle_timeout_ms = IDLE_MS,
	    .multiplex = true,
	    .own_pace = true};
	struct ryde_buf *b = &s->body;

	ryde_event_stream_clear(&f->events);
	f->blocked = f->ended = f->missing = f->in_use = false;
	f->broken = (struct ryde_err)RYDE_ERR_INIT;
	ryde_buf_clear(b);
	ryde_buf_printf(b, "{\"ConsumerARN\":\"%s\",\"ShardId\":\"%s\"",
	    s->stream->consumer, id_of(s));
	put_position(s, b);
	ryde_buf_putc(b, '}');
	if (ryde_buf_check(b, err) != 0)
		return -1;
	request.body = ryde_buf_as_view(b);
	f->heard_mono_ms = f->subscribed_mono_ms = ryde_clock_mono_ms();
	f->answered = false;
	s->call = ryde_aws_start(s->stream->aws, &request, err);
	if (s->call == NULL)
		return -1;
	s->state = RYDE_KINESIS_READING;
	return 0;
}

/* The subscription is over: when the next one may be made. */
static void
leave(struct ryde_kinesis_shard *s)
{
	ryde_aws_free(s->call);
	s->call = NULL;
	s->state = RYDE_KINESIS_PLACED;
	s->pace.due_ms = s->fan->subscribed_mono_ms + AGAIN_MS;
}

static void
leave_and_pause(struct ryde_kinesis_shard *s, int64_t base_ms, const char *why)
{
	int64_t due_mono_ms;
	char text[400];

	leave(s);
	due_mono_ms = s->pace.due_ms;
	(void)snprintf(
	    text, sizeof(text), "SubscribeToShard: %.100s: %.250s", id_of(s), why);
	ryde_kinesis_shard_failed(s, false, base_ms, text);
	if (s->pace.due_ms < due_mono_ms)
		s->pace.due_ms = due_mono_ms;
}

/* No such consumer, or no such shard any more: the first is an error, the second an end.
 */
static int
hear_missing(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	char status[16];

	leave(s);
	if (ryde_kinesis_consumer_describe(s->stream, status, err) != 0)
		return -1;
	/* or the stream with it */
	if (status[0] == '\0' && ryde_kinesis_stream_refresh(s->stream, err) != 0)
		return -1;
	if (status[0] == '\0' || strcmp(status, "DELETING") == 0)
		return ryde_err_set(err, RYDE_ENOINPUT,
		    "%s: its consumer %s was deregistered", s->stream->what,
		    s->stream->consumer_name);
	s->state = RYDE_KINESIS_READ;
	return 0;
}

/* An answer that is no stream of events. */
static int
hear_refusal(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	const struct ryde_aws_fault *f = &ryde_aws_reply(s->call)->fault;
	bool in_use = ryde_aws_fault_is(f, "ResourceInUseException");
	struct ryde_err why = RYDE_ERR_INIT;

	(void)ryde_aws_reply_err(s->call, &why);
	if (f->kind == RYDE_AWS_THROTTLED || f->kind == RYDE_AWS_TRANSIENT || in_use ||
	    ryde_aws_fault_is(f, "LimitExceededException")) {
		leave_and_pause(s, in_use ? AGAIN_MS : 0, why.msg);
		return 0;
	}
	if (f->kind == RYDE_AWS_MISSING)
		return hear_missing(s, err);
	if (f->kind == RYDE_AWS_REFUSED && s->from.pos.n > 0 &&
	    s->fan->continuation.n == 0)
		return ryde_err_set(err, RYDE_EDATA,
		    "the stored number is no position of %s in %s: was the stream "
		    "created "
		    "anew? (ryde-admin positions --reset; %.120s)",
		    id_of(s), s->stream->what, f->message);
	*err = why;
	return -1;
}

/* The subscription ended, by itself or by what came. */
static int
hear_end(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_kinesis_fan *f = s->fan;
	struct ryde_err why = f->broken;

	if (f->ended) {
		leave(s);
		s->state = RYDE_KINESIS_READ;
		s->children = f->children;
		return 0;
	}
	if (f->missing)
		return hear_missing(s, err);
	if (why.code == RYDE_EOSERR) {
		*err = why;
		return -1;
	}
	if (f->in_use && !s->stream->contested) {
		s->stream->contested = true;
		ryde_log(RYDE_LOG_WARNING,
		    "%s: its consumer %s is used by another reader, too: they take the "
		    "shards from each other, each is slow, and both get all records",
		    s->stream->what, s->stream->consumer_name);
	}
	if (why.code != RYDE_OK) {
		leave_and_pause(s, f->in_use ? AGAIN_MS : 0, why.msg);
		return 0;
	}
	if (ryde_aws_reply(s->call)->fault.kind != RYDE_AWS_FINE)
		return hear_refusal(s, err);
	if (ryde_event_stream_inside(&f->events)) {
		leave_and_pause(s, 0, "the stream of events broke off inside an event");
		return 0;
	}
	/* five minutes are over */
	leave(s);
	return 0;
}

int
ryde_kinesis_fan_turn(struct ryde_kinesis_shard *s, bool may_ask, struct ryde_err *err)
{
	struct ryde_kinesis_fan *f = fan_of(s, err);
	size_t pages = may_ask ? RYDE_KINESIS_PAGES : 1;
	int64_t now = ryde_clock_mono_ms();

	if (f == NULL)
		return -1;
	if (s->call != NULL) {
		take_events(s, pages);
		if (!is_over(f) && ryde_event_stream_ready(&f->events))
			return 0; /* no room for what is at hand */
		if (f->blocked) {
			f->blocked = false;
			f->heard_mono_ms = now;
			ryde_aws_resume(s->call);
		}
		if (is_over(f) || ryde_aws_done(s->call))
			return hear_end(s, err);
		if (now - f->heard_mono_ms >= SILENCE_MS)
			leave_and_pause(s, 0, "nothing came: the connection is dead");
		return 0;
	}
	if (s->state == RYDE_KINESIS_PLACED && may_ask && now >= s->pace.due_ms)
		return subscribe(s, err);
	return 0;
}

void
ryde_kinesis_fan_wait(const struct ryde_kinesis_shard *s, struct ryde_waits *w)
{
	if (s->call == NULL && s->state == RYDE_KINESIS_PLACED)
		ryde_waits_until(w, s->pace.due_ms);
	else if (s->call != NULL && !s->fan->blocked)
		ryde_waits_until(w, s->fan->heard_mono_ms + SILENCE_MS);
}
