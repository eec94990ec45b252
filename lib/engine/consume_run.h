/*
 * What the parts of ryde-consume share: the state of one run. consume.c turns the loop,
 * consume_shards.c prints, consume_positions.c holds the group. Private to them.
 */
#ifndef RYDE_ENGINE_CONSUME_RUN_H
#define RYDE_ENGINE_CONSUME_RUN_H

#include "base/buf.h"
#include "engine/consume_print.h"
#include "store/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_ack_server;
struct ryde_consume_opts;
struct ryde_err;
struct ryde_group;
struct ryde_share;
struct ryde_share_lease;
struct ryde_waits;
struct ryde_writer;

/* One shard that is read. `base` is where this life began: what a window's `from` of null
 * means. */
struct ryde_consume_shard {
	int index; /* in the stream */
	int ack;   /* in the acknowledgement server */
	char id[RYDE_SHARD_ID_MAX + 1];
	struct ryde_pos base, printed, stored;
	int64_t base_at_ms; /* where base is empty and this is not 0: from that time on */
	uint32_t gen;
	bool held, past_to, mark_due, any;
	bool followed;	     /* its children, if there are any, are read */
	bool said_closed;    /* a mark has said that nothing more comes of it */
	int64_t ended_at_ms; /* since when it waits for its sinks, read to its end; 0 */
	bool let_go;	     /* rule 9: its children waited for long enough */
	int64_t mark_at_mono_ms; /* when the last mark was printed */
	/* sharing: it is to be given away, its sinks were told to drop it, it was given
	 */
	bool draining, told, given;
	uint64_t since;	     /* what fetches before gave is not of its present reading */
	int64_t epoch;	     /* of our lease */
	int64_t drain_at_ms; /* since when it drains, monotonic */
};

struct ryde_consume_run {
	const struct ryde_consume_opts *o;
	struct ryde_stream *stream;
	struct ryde_stream_reader *reader;
	struct ryde_group *group;
	struct ryde_ack_server *acks;
	struct ryde_writer *out;
	struct ryde_consume_print print;
	struct ryde_consume_shard *shards;
	size_t n, known; /* shards read; shards that the stream had when it was last
			    looked at */
	struct ryde_stream_start from;
	bool to_end, at_end, has_to, ended, gap, windowed, out_is_file, marks, wrote;
	int64_t to_ms, printed_records;
	int64_t first_ms, last_ms; /* arrivals of the first and the last record printed */
	bool by_time;		   /* progress is measured by them */
	int64_t renew_at_ms, store_at_ms, time_at_ms, progress_at_ms;
	uint64_t progress;
	struct ryde_buf fingerprint,
	    at; /* of the window: as stored, and as last stored */
	bool lost;
	bool unstored; /* the last write of positions failed, and is to be repeated */
	bool waiting;  /* some shards wait for their parents */
	size_t known_first; /* shards that the stream had when the run began */
	struct ryde_group_position
	    *placed; /* of the group, when shards were last listed */
	size_t n_placed;
	struct ryde_share *share;	       /* NULL: the group is ours alone */
	const struct ryde_share_lease *leases; /* as last looked at */
	size_t n_leases;
	uint64_t fetches;
	uint64_t passed_on; /* records printed, not acknowledged, and given away */
	int64_t give_at_ms; /* not before, where the store could not be reached */
};

/* The shard with this index in the stream, NULL where it is not read. */
struct ryde_consume_shard *ryde_consume_shards_find(
    struct ryde_consume_run *c, int index);
/*
 * A mark for each shard that printed something, so that positions pass what filters drop;
 * and, once a second, one with the shard's time for each that has nothing more.
 */
void ryde_consume_lines_marks(struct ryde_consume_run *c, bool fetched);
/* At the end of the run, for each shard: with its time where --to end was reached, for
 * nobody waits for the next mark. */
void ryde_consume_lines_last_marks(struct ryde_consume_run *c);
/* Prints a mark of the shard: with a time unless at_ms is INT64_MIN, and with the shards
 * it came from (a JSON array) where that is not empty. */
void ryde_consume_lines_mark(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    int64_t at_ms, struct ryde_view parents, int64_t now);
/* True where what the last fetch gave of the shard is to be printed. */
bool ryde_consume_shards_reads(
    const struct ryde_consume_run *c, const struct ryde_consume_shard *s);
/* Prints a record of the shard: the lines of it that were not printed yet. */
int ryde_consume_lines_record(struct ryde_consume_run *c, struct ryde_consume_shard *s,
    const struct ryde_record *r, struct ryde_err *err);
/* Waits until the pipe has taken most of what is gathered, and serves the group
 * meanwhile.
 */
int ryde_consume_room(struct ryde_consume_run *c, struct ryde_err *err);
/* Begins shards that are not read yet: all of them at first, later those that a
 * resharding made. */
int ryde_consume_shards_begin(
    struct ryde_consume_run *c, bool at_start, struct ryde_err *err);
/*
 * Sharing. The stream's shards as the group stands, into *out (to be freed): who has
 * them, and whether they may be read.
 */
int ryde_consume_shards_leases(struct ryde_consume_run *c, struct ryde_share_lease **out,
    size_t *n, struct ryde_err *err);
/* Where a new group begins: the positions of all shards that it would read now, into
 * *out (to be freed); none where it has positions. */
int ryde_consume_shards_first(struct ryde_consume_run *c,
    struct ryde_group_position **out, size_t *n, struct ryde_err *err);
/* Begins a shard that was taken under this epoch, or begins it again; at NULL: it has no
 * position yet. */
int ryde_consume_shards_taken(struct ryde_consume_run *c, const char *id, int64_t epoch,
    const struct ryde_group_position *at, struct ryde_err *err);
/* Says what records the stream lost before the reader came to them. */
int ryde_consume_shards_gaps(struct ryde_consume_run *c, struct ryde_err *err);
/* Rule 7: holds shards and reads them again, as sinks ask. */
int ryde_consume_shards_requests(struct ryde_consume_run *c, struct ryde_err *err);

/* Takes the lease, standing by while another reader has it. 0: held; 1: told to stop
 * meanwhile; -1. */
int ryde_consume_positions_take(struct ryde_consume_run *c, struct ryde_err *err);
/* A group's first positions are stored before anything is read, so that a killed first
 * run does not move its start. */
int ryde_consume_positions_first(struct ryde_consume_run *c, struct ryde_err *err);
/* Stores what was acknowledged since the last time; at most ten times a second unless it
 * is the end. */
int ryde_consume_positions_store(
    struct ryde_consume_run *c, bool now_or_never, struct ryde_err *err);
/* --ack write: the position follows what stdout has taken, synced where it is a file. */
int ryde_consume_positions_written(
    struct ryde_consume_run *c, bool now_or_never, struct ryde_err *err);
/* The lease is another one's now: says so to all, and to err. Always -1. */
int ryde_consume_positions_lost(struct ryde_consume_run *c, struct ryde_err *err);
/* Records printed of a shard and not stored as done. */
uint64_t ryde_consume_positions_open(
    struct ryde_consume_run *c, const struct ryde_consume_shard *s);
/* Renews the lease when it is time. */
int ryde_consume_positions_renew(struct ryde_consume_run *c, struct ryde_err *err);

/* Sharing: becomes a member of the group. */
int ryde_consume_share_join(struct ryde_consume_run *c, struct ryde_err *err);
/* Does what is due: beats, looks, gives. between: no record is in hand, so that shards
 * can be taken as well, and those read to their end left. */
int ryde_consume_share_turn(
    struct ryde_consume_run *c, bool between, struct ryde_err *err);
/* True while records may be printed: our lease stands. Also where nothing is shared. */
bool ryde_consume_share_stands(const struct ryde_consume_run *c);
void ryde_consume_share_wait(const struct ryde_consume_run *c, struct ryde_waits *w);
void ryde_consume_share_leave(struct ryde_consume_run *c);

#endif
