/* A record as a line. */
#ifndef RYDE_ENGINE_CONSUME_PRINT_H
#define RYDE_ENGINE_CONSUME_PRINT_H

#include "base/timestamp.h"
#include "base/view.h"
#include "line/aggregate.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;
struct ryde_json_shapes;
struct ryde_record;

struct ryde_consume_print {
	struct ryde_view stream; /* its label */
	struct ryde_view ack;	 /* empty: none */
	bool envelopes;
	bool whole; /* aggregates are printed as they are, not taken apart */
	uint32_t redrives;
	struct ryde_json_shapes *shapes;      /* private, NULL at first */
	struct ryde_line_aggregate aggregate; /* the last one */
	/* of the records that were looked at ahead, which are aggregates */
	const struct ryde_record *ahead;
	size_t n_ahead, cap_ahead;
	bool *is_aggregate;
	struct ryde_view *texts;
	/* the parts of an envelope that stay the same from record to record; private, {0}
	 * at first */
	struct {
		char front[512],
		    back[128]; /* before the sequence number, behind the arrival time */
		size_t front_n, back_n;
		char shard[RYDE_SHARD_ID_MAX + 1];
		uint32_t gen;
		bool is;
		char minute[RYDE_TIMESTAMP_MAX]; /* the text of arrival times of one
						    minute */
		int64_t minute_ms;
		bool has_minute;
	} same;
};

/* Looks at n records that are printed next, if they are: at several at once this takes
 * less time. They must live until then. -1 without memory. */
int ryde_consume_print_ahead(struct ryde_consume_print *p,
    const struct ryde_record *records, size_t n, struct ryde_err *err);
/*
 * How many lines the record becomes: more than one where it is an aggregate, which is
 * then the one that lines are taken from. 0 only without memory.
 */
uint64_t ryde_consume_print_begin(
    struct ryde_consume_print *p, const struct ryde_record *r);
/*
 * Appends the i-th line of the record that was begun last: its payload, or an envelope
 * where that is asked for or needed (its first key is `ryde`, or it is not one JSON
 * text). A payload that is JSON over several lines is joined into one.
 */
void ryde_consume_print_line(struct ryde_consume_print *p, const struct ryde_record *r,
    uint64_t i, const char *shard, uint32_t gen, struct ryde_buf *out);
/* Frees what it holds. */
void ryde_consume_print_free(struct ryde_consume_print *p);

#endif
