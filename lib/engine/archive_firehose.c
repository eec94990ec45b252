#include "engine/archive_firehose.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/archive.h"
#include "engine/gather.h"
#include "flow/intake.h"
#include "json/scan.h"
#include "store/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINGER_MS 100

struct sending {
	const struct ryde_archive_opts *o;
	struct ryde_intake *intake;
	struct ryde_archive_records *place;
	struct ryde_buf data; /* of the batch, records one behind the other */
	size_t at[RYDE_ARCHIVE_RECORDS_MAX + 1];
	bool sent[RYDE_ARCHIVE_RECORDS_MAX];
	size_t n;
};

static int
add(void *arg, const struct ryde_item *item, size_t *bytes, struct ryde_err *err)
{
	struct sending *s = arg;
	struct ryde_json_fault fault;
	char text[160];

	if (ryde_json_check(item->payload, NULL, &fault) != 0) {
		(void)snprintf(text, sizeof(text), "not JSON: %s at byte %zu", fault.what,
		    fault.at + 1);
		return ryde_intake_reject(s->intake, item, text, err);
	}
	if (item->payload.n + 1 > RYDE_ARCHIVE_RECORD_MAX) {
		(void)snprintf(text, sizeof(text),
		    "a record of %zu bytes, and Firehose takes %d", item->payload.n + 1,
		    RYDE_ARCHIVE_RECORD_MAX);
		return ryde_intake_reject(s->intake, item, text, err);
	}
	s->at[s->n] = s->data.n;
	s->sent[s->n] = false;
	ryde_buf_view(&s->data, item->payload);
	/* between its tokens they would make several lines of a record */
	for (size_t i = s->at[s->n]; item->line.is_base64 && i < s->data.n; i++)
		if (s->data.p[i] == '\n')
			s->data.p[i] = ' ';
	ryde_buf_putc(&s->data, '\n');
	if (ryde_buf_check(&s->data, err) != 0)
		return -1;
	*bytes = item->payload.n + 1;
	s->at[++s->n] = s->data.n;
	return 1;
}

/* Sends what of the batch was not taken yet. */
static int
flush(void *arg, struct ryde_err *err)
{
	struct ryde_view records[RYDE_ARCHIVE_RECORDS_MAX];
	bool failed[RYDE_ARCHIVE_RECORDS_MAX] = {false};
	size_t of[RYDE_ARCHIVE_RECORDS_MAX], n = 0, left = 0;
	struct sending *s = arg;
	char why[200];

	for (size_t i = 0; i < s->n; i++) {
		if (s->sent[i])
			continue;
		of[n] = i;
		records[n++] =
		    ryde_view_mem(s->data.p + s->at[i], s->at[i + 1] - s->at[i]);
	}
	if (n > 0 &&
	    ryde_archive_records_put(s->place, records, n, failed, why, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		s->sent[of[i]] = !failed[i];
		left += failed[i];
	}
	if (left > 0)
		return ryde_err_set(err, RYDE_ETEMPFAIL,
		    "%s: %zu of %zu records were not taken: %s", s->o->place, left, n,
		    why);
	s->n = 0;
	ryde_buf_clear(&s->data);
	return 0;
}

static void
tick(void *arg, struct ryde_waits *w)
{
	struct sending *s = arg;

	s->o->tick(s->o->arg, w);
}

int
ryde_archive_firehose(const struct ryde_archive_opts *opts, struct ryde_intake *intake,
    struct ryde_err *err)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct ryde_gather g = {.intake = intake,
	    .books = opts->books,
	    .batch_size = RYDE_ARCHIVE_RECORDS_MAX,
	    /* the record that reaches it is in the batch */
	    .batch_bytes = RYDE_ARCHIVE_RECORDS_BYTES - RYDE_ARCHIVE_RECORD_MAX,
	    .linger_ms = LINGER_MS,
	    .retry_for_ms = opts->retry_for_ms,
	    .add = add,
	    .flush = flush,
	    .tick = tick,
	    .arg = s};
	int status = RYDE_ESOFTWARE;

	if (s == NULL) {
		(void)ryde_err_nomem(err);
		return ryde_err_status(err);
	}
	s->o = opts;
	s->intake = intake;
	ryde_buf_init(&s->data, RYDE_ARCHIVE_RECORDS_BYTES);
	s->place = ryde_archive_records_open(opts->store, opts->place, err);
	if (s->place != NULL)
		status = ryde_gather(&g, err);
	if (err->code != RYDE_OK)
		status = ryde_err_status(err);
	ryde_archive_records_close(s->place);
	ryde_buf_free(&s->data);
	free(s);
	return status;
}
