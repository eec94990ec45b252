/*
 * The state of the reader's side of acknowledgement: private to ack_server.c and
 * ack_hear.c. What it means stands in flow/ack_server.h.
 */
#ifndef RYDE_FLOW_ACK_STATE_H
#define RYDE_FLOW_ACK_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "flow/ack_server.h"
#include "flow/ack_socket.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

#define RYDE_ACK_PEERS_MAX 64
#define RYDE_ACK_SINKS_MAX 16
#define RYDE_ACK_EVENTS_MAX 256

/* A place in the order in which a shard's lines are printed. */
struct ryde_ack_place {
	bool is;
	uint32_t gen;
	struct ryde_pos pos;
};

struct ryde_ack_shard {
	char id[RYDE_SHARD_ID_MAX + 1];
	struct ryde_ack_place printed; /* last line, marks included */
	struct ryde_ack_place record;  /* last record */
	struct ryde_ack_place acked[RYDE_ACK_SINKS_MAX];
	/* sharing: it goes to another reader, and these peers have not forgotten it yet
	 */
	bool gone;
	uint32_t gone_gen;
	uint64_t awaits;  /* a bit per peer's slot */
	uint32_t min_gen; /* what is said of an earlier generation counts no longer */
};

enum ryde_ack_peer_role {
	RYDE_ACK_PEER_SINK,
	RYDE_ACK_PEER_FILTER,
	RYDE_ACK_PEER_WINDOW
};

/* One connection. Sinks keep their number, and what they acknowledged, after they are
 * gone. */
struct ryde_ack_peer {
	struct ryde_ack_socket socket;
	enum { RYDE_ACK_PEER_NEW, RYDE_ACK_PEER_LIVE, RYDE_ACK_PEER_GONE } state;
	enum ryde_ack_peer_role role;
	bool plain, bye, told; /* told: that the reader leaves */
	int sink;	       /* 0.. in order of their hellos, -1 for others */
	int slot;	       /* 0 to 63: no two connections have the same one */
	char program[64];
};

struct ryde_ack_server {
	struct ryde_ack_server_opts opts;
	char token[RYDE_RANDOM_TOKEN + 1];
	char path[RYDE_ACK_SOCKET_PATH];
	int listener;
	struct ryde_ack_peer *peers[RYDE_ACK_PEERS_MAX];
	int n_peers, n_sinks;
	struct ryde_ack_shard *shards;
	int n_shards;
	bool ended, has_window, frozen;
	struct ryde_err why; /* of frozen */
	struct ryde_buf stored_at, stored_fingerprint;
	struct ryde_buf at[RYDE_ACK_SINKS_MAX]; /* handed back, per sink */
	uint64_t at_n[RYDE_ACK_SINKS_MAX];
	int64_t first_mono_ms; /* when the first line was printed, -1 */
	uint64_t progress;
	struct {
		enum ryde_ack_server_event kind;
		int shard;
		uint32_t gen;
	} events[RYDE_ACK_EVENTS_MAX];
	int n_events;
	char direct[64]; /* DEV:INO of our output */
};

/* -1, 0, 1: a place before, at or behind (gen, pos); no place comes first. */
static inline int
ryde_ack_state_compare(
    const struct ryde_ack_place *a, uint32_t gen, const struct ryde_pos *pos)
{
	if (!a->is)
		return -1;
	if (a->gen != gen)
		return a->gen < gen ? -1 : 1;
	return ryde_pos_cmp(&a->pos, pos);
}

/* Nothing counts any more. program (or NULL) comes before what. The first reason stays.
 */
void ryde_ack_server_freeze(struct ryde_ack_server *s, enum ryde_err_code code,
    const char *program, const char *what);
/* Tells a peer that the shard goes to another reader. */
void ryde_ack_server_tell_gone(struct ryde_ack_peer *p, struct ryde_ack_shard *h);
/* One message of a peer: hello and all that follows. */
void ryde_ack_hear(
    struct ryde_ack_server *s, struct ryde_ack_peer *p, struct ryde_view text);

#endif
