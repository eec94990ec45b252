/*
 * Dead letters: the messages that ryde-process and Lambda leave in an on-failure queue,
 * taken apart, and the records that they tell of, fetched again. Source: Lambda's
 * on-failure document, with the last key "ryde" of ryde-line(5).
 */
#ifndef RYDE_ENGINE_DLQ_H
#define RYDE_ENGINE_DLQ_H

#include "base/view.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_dlq;
struct ryde_err;
struct ryde_line_head;
struct ryde_message;
struct ryde_store_settings;

/* A message's document taken apart. Views are slices of its body: raw JSON, strings
 * without quotes. */
struct ryde_dlq_letter {
	struct ryde_view condition, stream, shard, first, last, error;
	struct ryde_view records; /* an array; empty where the records are not listed */
	int64_t batch_size;
	uint32_t redrives; /* how often its records were redriven before they came here */
};

/* settings are borrowed and say where the streams are. */
struct ryde_dlq *ryde_dlq_new(
    const struct ryde_store_settings *settings, struct ryde_err *err);
void ryde_dlq_free(struct ryde_dlq *d);

/* Takes a message's body apart. -1 with RYDE_EDATA where it is no on-failure document. */
int ryde_dlq_letter(struct ryde_dlq *d, struct ryde_view body,
    struct ryde_dlq_letter *out, struct ryde_err *err);
/* Appends `ryde-dlq list`'s line of a message. letter NULL: it is no on-failure document.
 */
void ryde_dlq_list_line(const struct ryde_message *m,
    const struct ryde_dlq_letter *letter, struct ryde_buf *out);

/* A failed record. Views are good until the next call. */
struct ryde_dlq_record {
	struct ryde_view stream, shard, key; /* plain bytes, as envelopes want them */
	struct ryde_pos
	    seq; /* with sub; where the document has none, the one before plus one */
	int64_t arrival_ms;
	bool has_arrival;
	struct ryde_view
	    data; /* one JSON text on one line, or any bytes where base64 is set */
	bool base64, lf;
	uint32_t sub;	    /* which of the lines that its aggregate became, … */
	bool has_sub, last; /* … if it is one, and whether it is the last of them */
	bool more;	    /* another one that was made of the same line follows */
	bool missing; /* the stream does not hold it any more, and the message has no
			 data: only seq counts */
};
/* Begins with the records of a message, whose body is copied. -1 with RYDE_EDATA where it
 * is no on-failure document. */
int ryde_dlq_begin(struct ryde_dlq *d, struct ryde_view body,
    struct ryde_dlq_letter *letter, struct ryde_err *err);
/* The next record, in the order of the document: 1, or 0 after the last one, or -1:
 * RYDE_ENOINPUT where there is no such stream. */
int ryde_dlq_next(struct ryde_dlq *d, struct ryde_dlq_record *out, struct ryde_err *err);
/* After the last one: how many records fewer there were than a document that lists none
 * promises. */
int64_t ryde_dlq_short(const struct ryde_dlq *d);

/* Appends a record as an envelope; more sets what a redrive adds: ack, gen, redrives. */
void ryde_dlq_put(const struct ryde_dlq_record *record, const struct ryde_line_head *more,
    struct ryde_buf *out);

#endif
