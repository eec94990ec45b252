#include "aws/kinesis_shard.h"

#include "aws/answer.h"
#include "aws/kinesis_fan.h"
#include "aws/kinesis_stream.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/waits.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITERATOR_MAX 4096
#define ITERATOR_LIFE_MS 270000 /* of the five minutes */
#define ITERATOR_YOUNG_MS 5000
#define TIMEOUT_MS 30000
#define END_MS 10000 /* how long a closed shard may keep silent about its end */
#define PAGE_MAX ((size_t)32 << 20) /* 10 MB of records in base64, and what is around */
/* How far arrival times may lie before the moment in which a record can be read. */
#define ARRIVAL_SLACK_MS 2000

struct ryde_kinesis_shard *
ryde_kinesis_shard_new(
    struct ryde_kinesis_stream *stream, int index, struct ryde_err *err)
{
	struct ryde_kinesis_shard *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	s->stream = stream;
	s->index = index;
	ryde_buf_init(&s->iterator, ITERATOR_MAX);
	ryde_buf_init(&s->body, ITERATOR_MAX + 1024);
	return s;
}

static void
forget(struct ryde_kinesis_shard *s)
{
	ryde_aws_free(s->call);
	s->call = NULL;
	ryde_kinesis_fan_reset(s->fan);
	for (size_t i = 0; i < s->n_pages; i++)
		ryde_kinesis_page_free(&s->pages[i]);
	s->n_pages = s->at = 0;
}

void
ryde_kinesis_shard_free(struct ryde_kinesis_shard *s)
{
	if (s == NULL)
		return;
	forget(s);
	ryde_kinesis_fan_free(s->fan);
	ryde_buf_free(&s->iterator);
	ryde_buf_free(&s->body);
	free(s);
}

void
ryde_kinesis_shard_start(
    struct ryde_kinesis_shard *s, const struct ryde_stream_start *start)
{
	forget(s);
	s->state = RYDE_KINESIS_PLACED;
	s->from = *start;
	s->skip.n = 0;
	s->silent_mono_ms = INT64_MAX;
	s->end_missed = false;
	s->check_gap = s->gap = s->caught_up = s->settled = s->children = false;
	s->behind_ms = -1;
	s->empty_mono_ms = ryde_clock_mono_ms();
	ryde_pace_begin(&s->pace, s->empty_mono_ms);
}

void
ryde_kinesis_shard_stop(struct ryde_kinesis_shard *s)
{
	forget(s);
	s->state = RYDE_KINESIS_STOPPED;
}

/* ---- asking ---- */

static const char *
id_of(const struct ryde_kinesis_shard *s)
{
	return s->stream->shards[s->index].id;
}

int64_t
ryde_kinesis_shard_server_ms(const struct ryde_kinesis_shard *s)
{
	return ryde_clock_wall_ms() + ryde_aws_skew_ms(s->stream->aws);
}

static int
ask(struct ryde_kinesis_shard *s, const char *operation, struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_KINESIS,
	    .operation = operation,
	    .what = s->stream->what,
	    .region = ryde_kinesis_stream_region(s->stream),
	    .body = ryde_buf_as_view(&s->body),
	    .reply_max = PAGE_MAX,
	    .timeout_ms = TIMEOUT_MS,
	    .own_pace = true};

	if (ryde_buf_check(&s->body, err) != 0)
		return -1;
	ryde_pace_asked(&s->pace, ryde_clock_mono_ms());
	s->asked_server_ms = ryde_kinesis_shard_server_ms(s);
	s->call = ryde_aws_start(s->stream->aws, &request, err);
	return s->call != NULL ? 0 : -1;
}

static void
put_time(struct ryde_kinesis_shard *s, struct ryde_buf *b, int64_t at_ms)
{
	/* a time in the future is an error, also where our clock says so */
	if (at_ms > ryde_kinesis_shard_server_ms(s))
		at_ms = ryde_kinesis_shard_server_ms(s);
	if (at_ms < 0)
		at_ms = 0;
	ryde_buf_printf(b, "\"AT_TIMESTAMP\",\"Timestamp\":%lld.%03lld",
	    (long long)(at_ms / 1000), (long long)(at_ms % 1000));
}

void
ryde_kinesis_shard_put_place(
    struct ryde_kinesis_shard *s, struct ryde_buf *b, const char *sequence)
{
	switch (s->from.kind) {
	case RYDE_START_HORIZON:
		ryde_buf_puts(b, "\"TRIM_HORIZON\"");
		break;
	case RYDE_START_LATEST:
		/* once: what arrives before it is asked again is not to be missed */
		ryde_buf_puts(b, "\"LATEST\"");
		s->from = (struct ryde_stream_start){
		    .kind = RYDE_START_TIME, .at_ms = ryde_kinesis_shard_server_ms(s)};
		break;
	case RYDE_START_TIME:
		put_time(s, b, s->from.at_ms);
		break;
	case RYDE_START_AFTER:
		s->skip = s->from.pos;
		s->check_gap = true;
		__attribute__((fallthrough));
	case RYDE_START_AT:
		ryde_buf_printf(b, "\"AT_SEQUENCE_NUMBER\",\"%s\":\"%.*s\"", sequence,
		    (int)s->from.pos.n, s->from.pos.seq);
		break;
	}
}

static int
ask_iterator(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_buf *b = &s->body;

	ryde_buf_clear(b);
	ryde_buf_putc(b, '{');
	ryde_kinesis_stream_put_name(s->stream, b);
	ryde_buf_printf(b, ",\"ShardId\":\"%s\",\"ShardIteratorType\":", id_of(s));
	ryde_kinesis_shard_put_place(s, b, "StartingSequenceNumber");
	ryde_buf_putc(b, '}');
	s->state = RYDE_KINESIS_ASKING;
	return ask(s, "GetShardIterator", err);
}

static int
ask_records(struct ryde_kinesis_shard *s, size_t limit, struct ryde_err *err)
{
	struct ryde_buf *b = &s->body;

	ryde_buf_clear(b);
	ryde_buf_printf(b, "{\"ShardIterator\":\"%s\",\"Limit\":%zu",
	    ryde_buf_str(&s->iterator), limit);
	if (s->stream->by_arn)
		ryde_buf_printf(b, ",\"StreamARN\":\"%s\"", s->stream->arn);
	ryde_buf_putc(b, '}');
	s->limit = limit;
	s->state = RYDE_KINESIS_READING;
	return ask(s, "GetRecords", err);
}

/* ---- hearing ---- */

static int
take_iterator(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_view body;

	if (ryde_answer_body(s->call, "GetShardIterator", &body, err) != 0)
		return -1;
	ryde_buf_clear(&s->iterator);
	ryde_buf_view(&s->iterator, ryde_answer_text(body, "ShardIterator"));
	if (ryde_buf_check(&s->iterator, err) != 0)
		return -1;
	if (s->iterator.n == 0)
		return ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "GetShardIterator: %s: an answer without an iterator",
		    s->stream->what);
	s->state = RYDE_KINESIS_RESTING;
	s->iterator_mono_ms = ryde_clock_mono_ms();
	ryde_pace_worked(&s->pace, s->iterator_mono_ms);
	return 0;
}

static void
note_gap(struct ryde_kinesis_shard *s, const struct ryde_pos *first)
{
	s->gap = true;
	(void)snprintf(s->gap_text, sizeof(s->gap_text),
	    "%.80s: records behind %.*s and up to %.*s are no longer held", id_of(s),
	    (int)(s->skip.n < 60 ? s->skip.n : 60), s->skip.seq,
	    (int)(first->n < 60 ? first->n : 60), first->seq);
}

/* Passes over what was read before. Returns the first entry that was not. */
static size_t
pass_over(struct ryde_kinesis_shard *s, const struct ryde_kinesis_page *page)
{
	struct ryde_record r;
	size_t i = 0;

	if (s->skip.n == 0 || page->n == 0)
		return 0;
	ryde_kinesis_page_record(page, 0, &r);
	if (s->check_gap && ryde_pos_cmp_record(&r.seq, &s->skip) > 0)
		note_gap(s, &r.seq);
	s->check_gap = false;
	for (; i < page->n; i++) {
		ryde_kinesis_page_record(page, i, &r);
		if (ryde_pos_cmp(&r.seq, &s->skip) > 0)
			break;
	}
	if (i < page->n)
		s->skip.n = 0;
	return i;
}

static void
place_next(struct ryde_kinesis_shard *s, const struct ryde_kinesis_page *page)
{
	struct ryde_record last;

	if (page->n > 0) {
		ryde_kinesis_page_record(page, page->n - 1, &last);
		s->from =
		    (struct ryde_stream_start){.kind = RYDE_START_AFTER, .pos = last.seq};
	}
	ryde_buf_clear(&s->iterator);
	if (page->next.n == 0) {
		s->state = RYDE_KINESIS_READ;
		s->children = page->children;
		return;
	}
	ryde_buf_view(&s->iterator, page->next);
	s->iterator_mono_ms = ryde_clock_mono_ms();
	s->state = s->iterator.failed ? RYDE_KINESIS_PLACED : RYDE_KINESIS_RESTING;
}

void
ryde_kinesis_shard_add(struct ryde_kinesis_shard *s, struct ryde_kinesis_page *page)
{
	size_t first = pass_over(s, page);

	if (first == page->n) {
		ryde_kinesis_page_free(page);
		return;
	}
	if (s->n_pages == 0)
		s->at = first;
	s->pages[s->n_pages++] = *page;
}

/* A closed shard that gives no more records is to say that it has ended; until it does,
 * its children are not read. */
static void
watch_end(struct ryde_kinesis_shard *s, size_t n)
{
	int64_t now = ryde_clock_mono_ms();

	if (s->stream->shards[s->index].open || !s->caught_up || n > 0) {
		s->silent_mono_ms = INT64_MAX;
	} else if (s->silent_mono_ms == INT64_MAX) {
		s->silent_mono_ms = now;
	} else if (!s->end_missed && now - s->silent_mono_ms >= END_MS) {
		s->end_missed = true;
		ryde_log(RYDE_LOG_WARNING,
		    "%s: %s is closed, and all of it is read, but the service does not "
		    "say that it has ended: its children wait for that",
		    s->stream->what, id_of(s));
	}
}

static int
take_page(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_kinesis_page page;

	if (ryde_kinesis_page_read(&page, ryde_aws_reply(s->call)->body, err) != 0)
		return -1;
	s->behind_ms = page.behind_ms > 0 ? page.behind_ms : 0;
	s->caught_up = s->behind_ms == 0 && page.n < s->limit;
	s->quiet_ms = s->asked_server_ms - ARRIVAL_SLACK_MS;
	/* three bytes of records are four of text */
	watch_end(s, page.n);
	ryde_pace_got(&s->pace, page.n, page.text_n / 4 * 3, s->caught_up);
	place_next(s, &page);
	ryde_kinesis_shard_add(s, &page);
	return 0;
}

void
ryde_kinesis_shard_failed(
    struct ryde_kinesis_shard *s, bool throttled, int64_t base_ms, const char *what)
{
	int64_t now = ryde_clock_mono_ms();
	uint64_t random = 0;
	unsigned n;
	double unit;

	(void)ryde_random_bytes(&random, 4, NULL);
	unit = (double)random / 4294967296.0;
	if (throttled)
		ryde_pace_throttled(&s->pace, now, unit);
	else
		ryde_pace_failed(&s->pace, now, base_ms, unit);
	n = s->pace.failures;
	ryde_log(n == 3 || n % 16 == 0 ? RYDE_LOG_WARNING : RYDE_LOG_INFO,
	    "%s; trying again", what);
}

/* A call that failed: what it means for the shard. -1 where it is the end. */
static int
hear_failure(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	const struct ryde_aws_fault *f = &ryde_aws_reply(s->call)->fault;
	bool iterator = s->state == RYDE_KINESIS_ASKING;
	struct ryde_err why = RYDE_ERR_INIT;

	(void)ryde_aws_reply_err(s->call, &why);
	s->state = iterator ? RYDE_KINESIS_PLACED : RYDE_KINESIS_RESTING;
	if (f->kind == RYDE_AWS_THROTTLED || f->kind == RYDE_AWS_TRANSIENT) {
		ryde_kinesis_shard_failed(s, f->kind == RYDE_AWS_THROTTLED, 0, why.msg);
		return 0;
	}
	if (!iterator && ryde_aws_fault_is(f, "ExpiredIteratorException")) {
		int64_t now = ryde_clock_mono_ms();

		s->state = RYDE_KINESIS_PLACED;
		s->pace.due_ms = now;
		/* so young a one has not: the next one will be no better at once */
		if (now - s->iterator_mono_ms < ITERATOR_YOUNG_MS)
			ryde_kinesis_shard_failed(s, false, 0, why.msg);
		return 0;
	}
	if (f->kind == RYDE_AWS_MISSING) {
		/* trimmed away with all its records; or the stream is gone, which the
		 * list of shards will say */
		s->state = RYDE_KINESIS_READ;
		return 0;
	}
	if (iterator && f->kind == RYDE_AWS_REFUSED && s->from.pos.n > 0)
		return ryde_err_set(err, RYDE_EDATA,
		    "%s is no position of %s in %s: was the stream created anew? "
		    "(ryde-admin positions --reset; %.120s)",
		    s->from.pos.n > 60 ? "its number" : "the stored number", id_of(s),
		    s->stream->what, f->message);
	*err = why;
	return -1;
}

static int
hear(struct ryde_kinesis_shard *s, struct ryde_err *err)
{
	struct ryde_err why = RYDE_ERR_INIT;
	bool iterator = s->state == RYDE_KINESIS_ASKING;
	int rc;

	if (ryde_aws_reply(s->call)->fault.kind != RYDE_AWS_FINE) {
		rc = hear_failure(s, err);
	} else {
		rc = iterator ? take_iterator(s, &why) : take_page(s, &why);
		/* half an answer: the same again */
		if (rc != 0 && why.code == RYDE_EUNAVAILABLE) {
			s->state = iterator ? RYDE_KINESIS_PLACED : RYDE_KINESIS_RESTING;
			ryde_kinesis_shard_failed(s, false, 0, why.msg);
			rc = 0;
		} else if (rc != 0) {
			*err = why;
		}
	}
	ryde_aws_free(s->call);
	s->call = NULL;
	return rc;
}

int
ryde_kinesis_shard_turn(
    struct ryde_kinesis_shard *s, bool may_ask, size_t limit, struct ryde_err *err)
{
	int64_t now;

	if (s->stream->consumer[0] != '\0' && !s->polls)
		return ryde_kinesis_fan_turn(s, may_ask, err);
	if (s->call != NULL) {
		if (!ryde_aws_done(s->call))
			return 0;
		if (hear(s, err) != 0)
			return -1;
	}
	now = ryde_clock_mono_ms();
	if (s->state == RYDE_KINESIS_RESTING &&
	    now - s->iterator_mono_ms >= ITERATOR_LIFE_MS)
		s->state = RYDE_KINESIS_PLACED;
	if (!may_ask || now < s->pace.due_ms || s->n_pages == RYDE_KINESIS_PAGES)
		return 0;
	if (s->state == RYDE_KINESIS_PLACED)
		return ask_iterator(s, err);
	if (s->state == RYDE_KINESIS_RESTING)
		return ask_records(s, limit, err);
	return 0;
}

void
ryde_kinesis_shard_wait(const struct ryde_kinesis_shard *s, struct ryde_waits *w)
{
	if (s->fan != NULL) {
		ryde_kinesis_fan_wait(s, w);
		return;
	}
	if (s->call == NULL && s->n_pages < RYDE_KINESIS_PAGES &&
	    (s->state == RYDE_KINESIS_PLACED || s->state == RYDE_KINESIS_RESTING))
		ryde_waits_until(w, s->pace.due_ms);
}

/* ---- giving ---- */

/* The page that the next record is on, NULL where none is at hand; *at becomes its place.
 */
static const struct ryde_kinesis_page *
page_of(const struct ryde_kinesis_shard *s, size_t *at)
{
	*at = s->at;
	for (size_t i = 0; i < s->n_pages; i++) {
		if (*at < s->pages[i].n)
			return &s->pages[i];
		*at -= s->pages[i].n;
	}
	return NULL;
}

bool
ryde_kinesis_shard_head(const struct ryde_kinesis_shard *s, struct ryde_record *out)
{
	size_t at;
	const struct ryde_kinesis_page *page = page_of(s, &at);

	if (page == NULL)
		return false;
	ryde_kinesis_page_record(page, at, out);
	out->shard = s->index;
	return true;
}

void
ryde_kinesis_shard_take(struct ryde_kinesis_shard *s)
{
	size_t at;

	s->at++;
	if (page_of(s, &at) == NULL)
		s->empty_mono_ms = ryde_clock_mono_ms();
}

void
ryde_kinesis_shard_drop(struct ryde_kinesis_shard *s)
{
	while (s->n_pages > 0 && s->at >= s->pages[0].n) {
		s->at -= s->pages[0].n;
		ryde_kinesis_page_free(&s->pages[0]);
		s->n_pages--;
		memmove(&s->pages[0], &s->pages[1], s->n_pages * sizeof(s->pages[0]));
	}
}

size_t
ryde_kinesis_shard_bytes(const struct ryde_kinesis_shard *s)
{
	size_t sum = 0;

	for (size_t i = 0; i < s->n_pages; i++)
		sum += s->pages[i].text_n;
	return sum;
}
