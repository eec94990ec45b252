/*
 * A place in a shard: a sequence number (opaque decimal digits, up to 129), and where a
 * record becomes several lines (an aggregate), how many of them are before it. As text it
 * is SEQUENCE, or SEQUENCE.SUB where line SUB of the record, counted from 0, is the last
 * one before it and not the last one of the record.
 */
#ifndef RYDE_LINE_POSITION_H
#define RYDE_LINE_POSITION_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;

#define RYDE_SEQ_MAX 129
#define RYDE_SHARD_ID_MAX 128
#define RYDE_SUB_MAX (UINT32_MAX - 1)

struct ryde_pos {
	uint32_t lines; /* so many of the record's lines; 0: the whole record */
	uint8_t n;	/* digits; 0: before everything (TRIM_HORIZON) */
	char seq[RYDE_SEQ_MAX];
};

/* True where seq is 1 to RYDE_SEQ_MAX decimal digits. */
bool ryde_pos_is(struct ryde_view seq);
/* The whole record seq. False where seq is not 1 to RYDE_SEQ_MAX decimal digits. Leading
 * zeros are dropped. */
bool ryde_pos_set(struct ryde_pos *p, struct ryde_view seq);
/* The same of text as above. False also where SUB is none up to RYDE_SUB_MAX. */
bool ryde_pos_parse(struct ryde_pos *p, struct ryde_view text);
/* Appends p as text; nothing where n is 0. */
void ryde_pos_put(struct ryde_buf *b, const struct ryde_pos *p);
/* -1, 0, 1: numbers by their value, within a record its lines; the empty position comes
 * first, a whole record behind each of its lines. */
int ryde_pos_cmp(const struct ryde_pos *a, const struct ryde_pos *b);
/* The same of the records alone. */
int ryde_pos_cmp_record(const struct ryde_pos *a, const struct ryde_pos *b);
static inline struct ryde_view
ryde_pos_view(const struct ryde_pos *p)
{
	return (struct ryde_view){p->seq, p->n};
}

#endif
