/* The state of the sink's side of acknowledgement: private to ack_sink.c and ack_going.c.
 */
#ifndef RYDE_FLOW_ACK_SINK_STATE_H
#define RYDE_FLOW_ACK_SINK_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "flow/ack_lane.h"
#include "flow/ack_sink.h"
#include "flow/ack_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_json_walk;

#define RYDE_ACK_READERS_MAX 64

struct ryde_ack_reader {
	struct ryde_ack_sink *sink;
	struct ryde_ack_socket socket;
	char token[32];
	size_t token_n;
	bool welcomed, can_hold, direct, refused;
	bool over; /* its end mark was seen, or it said that all is done */
	int64_t retention_ms;
	struct ryde_buf at; /* stored window positions */
	bool answered, clean;
	struct ryde_err gone; /* code is set once the reader is gone or refuses */
};

struct ryde_ack_sink {
	enum ryde_ack_role role;
	char program[64];
	char fingerprint[65];
	struct ryde_ack_reader *readers[RYDE_ACK_READERS_MAX];
	int n_readers;
	struct ryde_ack_lane **lanes;
	size_t n_lanes, cap_lanes;
	struct ryde_ack_lane *latest;
	uint64_t outstanding;
	bool marks_seen, end_was_last; /* lines without `ack` */
	bool heeds;
	size_t n_going;
};

/* A ticket: the lane's index plus 1, and the line's number. */
#define RYDE_ACK_LANE_SHIFT 40
#define RYDE_ACK_NUMBER_MASK (((uint64_t)1 << RYDE_ACK_LANE_SHIFT) - 1)

/* A new lane of the reader. NULL without memory. */
struct ryde_ack_lane *ryde_ack_sink_lane(struct ryde_ack_sink *s,
    struct ryde_ack_reader *r, struct ryde_view id, struct ryde_err *err);
/* The ticket's lane and entry; NULL where it was forgotten or is 0. */
struct ryde_ack_entry *ryde_ack_sink_entry(
    const struct ryde_ack_sink *s, uint64_t ticket, struct ryde_ack_lane **lane);

/* The reader's message that a shard goes; w stands behind its first member. */
void ryde_ack_going_hear(
    struct ryde_ack_reader *r, struct ryde_view shard, struct ryde_json_walk *w);
/* True where nothing of a shard that goes is under way any more. */
static inline bool
ryde_ack_going_ends(const struct ryde_ack_lane *l)
{
	return l->going && l->let_go && l->n == 0;
}
/* Tells the reader so. */
void ryde_ack_going_say(struct ryde_ack_sink *s, struct ryde_ack_lane *l);

#endif
