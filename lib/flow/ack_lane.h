/*
 * Lanes: the lines of one shard of one reader that were taken and are not acknowledged,
 * in order. Private to ack_sink.c.
 */
#ifndef RYDE_FLOW_ACK_LANE_H
#define RYDE_FLOW_ACK_LANE_H

#include "base/buf.h"
#include "line/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_ack_reader;
struct ryde_line;

/* One line that was taken and is not acknowledged. There may be millions: what it says of
 * its place is in the lane's bytes. */
struct ryde_ack_entry {
	uint64_t from;	     /* its sequence number, and behind it `at` */
	uint32_t lines, gen; /* as struct ryde_pos has them */
	uint32_t at_n;	     /* window positions to hand back */
	uint8_t seq_n;
	bool done, more;
	bool unsaid; /* nothing is known of a record by it: a mark, or what stands for
			lines that were kept over a hold */
};

/* What the reader is told: all up to here is done. */
struct ryde_ack_due {
	struct ryde_pos pos;
	uint32_t gen;
	struct ryde_buf at; /* empty: none */
};

/*
 * The lines of one shard of one reader, in order. Entry i of the ring is line number
 * first + i; a ticket is the lane's index and that number. Window rows have no shard:
 * theirs is the lane without a name.
 */
struct ryde_ack_lane {
	struct ryde_ack_reader *reader;
	char id[RYDE_SHARD_ID_MAX + 1];
	size_t id_n;
	struct ryde_ack_entry *ring;
	size_t cap, head, n; /* cap is a power of two */
	uint64_t first;
	struct ryde_buf bytes; /* of the entries' places; byte i of all is at i - gone */
	uint64_t gone;
	bool due; /* to_send holds what the reader does not know yet */
	struct ryde_ack_due to_send;
	struct ryde_pos last; /* last line taken, for eof */
	bool last_more;
	uint32_t gen; /* of the last line taken */
	bool held;    /* lines of a generation up to held_gen are stale */
	uint32_t held_gen;
	/* What a held shard's reader prints again and is not handled again: all up to
	 * `kept`, and what was done of the lines behind it, in order. */
	struct ryde_pos kept;
	struct ryde_pos *known;
	size_t n_known, at_known;
	/* sharing: the shard goes to another reader, and ours waits until we are done */
	bool going, let_go;
	uint32_t going_gen;
	uint64_t dropped; /* so many numbers are not to be used again */
};

/* An empty lane, in zeroed memory. */
void ryde_ack_lane_init(struct ryde_ack_lane *l);
/* A new entry at the end for a line at pos (n == 0: it has no place); NULL without
 * memory. */
struct ryde_ack_entry *ryde_ack_lane_push(
    struct ryde_ack_lane *l, const struct ryde_line *line, const struct ryde_pos *pos);
/* Moves the done front of the lane into what is to be sent; returns how many lines that
 * were. */
size_t ryde_ack_lane_advance(struct ryde_ack_lane *l);
/*
 * Forgets all lines behind line `number`, which has no `more`, and remembers which
 * of them were done; without the memory for that they are handled twice. Returns how many
 * lines that were.
 */
size_t ryde_ack_lane_forget(struct ryde_ack_lane *l, uint64_t number);
/*
 * 1 where the line was done, or kept, before its shard was held: it is taken in as done,
 * which counts once all before it is. *more is how many entries more there are then. 0:
 * it is new. -1 without memory.
 */
int ryde_ack_lane_again(struct ryde_ack_lane *l, const struct ryde_line *line,
    const struct ryde_pos *pos, size_t *more);
/* Forgets the lines behind number `last`, done or not; returns how many those were. */
size_t ryde_ack_lane_truncate(struct ryde_ack_lane *l, uint64_t last);
void ryde_ack_lane_free(struct ryde_ack_lane *l);

#endif
