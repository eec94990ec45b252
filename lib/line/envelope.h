/*
 * The three kinds of lines: payloads, envelopes, marks. The format is written down in
 * ryde-line(5).
 */
#ifndef RYDE_LINE_ENVELOPE_H
#define RYDE_LINE_ENVELOPE_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ryde_buf;
struct ryde_err;
struct ryde_pos;

#define RYDE_LINE_MAX (10u << 20) /* bytes of a payload */
/* An envelope's line: the longest payload, in base64 where it must be, and what stands
 * before it. */
#define RYDE_LINE_ENVELOPE_MAX (16u << 20)

enum ryde_line_kind {
	RYDE_LINE_PAYLOAD,
	RYDE_LINE_ENVELOPE,
	RYDE_LINE_MARK,
};

/* A line taken apart. All views are slices of `raw`; strings are raw JSON (no quotes,
 * escapes as written). */
struct ryde_line {
	enum ryde_line_kind kind;
	struct ryde_view raw;
	struct ryde_view
	    data; /* the payload's bytes; empty for marks and where base64 is set */
	struct ryde_view base64; /* content of dataBase64, empty if none */
	struct ryde_view head;	 /* an envelope's line up to, not with, `,"data…` : what
				    follows the payload around */
	struct ryde_view stream, shard, seq, key, ack;
	struct ryde_view at; /* a window's positions, a raw JSON object, empty if none */
	struct ryde_view parents; /* of a mark's shard, a raw JSON array, empty if none */
	int64_t arrival_ms;	  /* of approximateArrivalTimestamp */
	bool has_arrival;
	bool is_base64; /* the payload is in base64, not in data */
	bool has_sub;	/* its record is an aggregate, and sub tells which line of it */
	bool last;	/* of those the last one */
	bool more;	/* a filter made more lines of the same one, and they follow */
	bool end;	/* the very last line of a clean end */
	bool closed;	/* of a mark: its shard is closed and read to its end */
	bool lf;	/* the record ended in a newline */
	uint32_t sub;	/* from 0 */
	uint32_t gen;	/* generation of its shard's reading */
	uint32_t redrives; /* how often its message was redriven already */
};

/*
 * Takes raw (a line without its newline) apart. A line is an envelope exactly when it is
 * an object whose first key is `ryde`. The payload itself is not checked: whoever reads
 * it does. -1 with RYDE_EDATA where an envelope is malformed.
 */
int ryde_line_parse(struct ryde_view raw, struct ryde_line *line, struct ryde_err *err);

/* True for what is seen at its third byte to be a payload, as nearly all are: the r of
 * `ryde` may be written as an escape, and blanks may stand before it. */
static inline bool
ryde_line_is_bare(struct ryde_view raw)
{
	return raw.n >= 3 && raw.p[0] == '{' && raw.p[1] == '"' && raw.p[2] != 'r' &&
	       raw.p[2] != '\\';
}

/* Makes it the payload raw. This is done for each line: its size is hidden from the
 * compiler, which would clear it by an instruction that takes three times as long. */
static inline void
ryde_line_be_payload(struct ryde_line *l, struct ryde_view raw)
{
	size_t n = sizeof(*l);

	__asm__("" : "+r"(n));
	memset(l, 0, n);
	l->kind = RYDE_LINE_PAYLOAD;
	l->raw = l->data = raw;
}

/* True where the first key of the JSON object in text is `ryde`: such a payload must not
 * be printed bare. */
bool ryde_line_imitates(struct ryde_view text);

/*
 * The payload's own bytes: data, or base64 decoded into scratch (cleared first), with a
 * newline appended where lf is set (then also in scratch). -1 with RYDE_EDATA on bad
 * base64.
 */
int ryde_line_payload(const struct ryde_line *line, struct ryde_buf *scratch,
    struct ryde_view *out, struct ryde_err *err);

/* The line's place in its shard: all up to it, and with it, is behind. False where its
 * sequence number is none. */
bool ryde_line_pos(const struct ryde_line *line, struct ryde_pos *pos);

/* What an envelope is made of; empty views and zeros leave their key out. Strings are
 * plain bytes and get escaped. */
struct ryde_line_head {
	struct ryde_view stream, shard, seq, key, ack;
	int64_t arrival_ms;
	bool has_arrival;
	uint32_t sub, gen, redrives;
	bool has_sub, last, more, lf, mark, end, closed;
	struct ryde_view at, parents; /* raw JSON */
};

/* Appends one whole envelope or mark with its newline. data is one JSON text without
 * newlines; with base64 set it is any bytes. */
void ryde_line_put(struct ryde_buf *b, const struct ryde_line_head *head,
    struct ryde_view data, bool base64);

#endif
