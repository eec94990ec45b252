/*
 * Acknowledgement, the reader's side, and the state machine of the whole.
 *
 * A reader (ryde-consume -g, ryde-dlq redrive) prints lines that carry its `ack`, a token
 * of 128 random bits which is also the name of a Unix socket in a private directory.
 * Programs further down the pipe connect to it at their first line, before any effect,
 * and say which lines are done. The reader alone moves the position.
 *
 * THE READER'S LIFE, seen from here:
 *
 *	READING   lines are printed (ryde_ack_server_printed), acknowledgements come in,
 *	          the position follows
 *	ENDED     the end mark is printed and stdout closed (ryde_ack_server_ended); what
 *	          is outstanding may still be acknowledged; ends when all is (exit 0), or
 *	          nothing has come for --grace (exit 75)
 *	FROZEN    a rule was broken; no acknowledgement counts any more, the position
 *	          stays where it was (exit 75, or 78)
 *
 * A SINK'S LIFE, one connection each:
 *
 *	NEW       connected, has not said hello
 *	LIVE      hello was answered by welcome; sends ack, at, hold, resume, eof
 *	GONE      said bye, or its connection broke; what it acknowledged counts, nothing
 *	          more comes
 *
 * MESSAGES, one JSON object a line. To the reader:
 *
 *	{"hello":"sink"|"filter"|"window","program":P,"stdin":"DEV:INO",
 *	 "plain":BOOL,"window":FINGERPRINT}
 *	          plain: its first line named a shard, so it does not stand behind a
 *	          window
 *	{"ack":SHARD,"gen":G,"seq":POSITION}
 *	          a position as line/position.h writes it: every line of SHARD up to
 *	          (G, POSITION) is done. Later ones replace earlier ones, so a sender that
 *	          must wait keeps only the last per shard, and neither side ever blocks
 *	{"at":{…}}
 *	          a window's positions, as they stood on a line that is done, and all
 *	          lines before it
 *	{"hold":SHARD,"gen":G}
 *	          print no more of SHARD
 *	{"resume":SHARD,"gen":G}
 *	          read it again from its position, as gen G+1
 *	{"eof":{SHARD:POSITION,…}}
 *	          the input ended without an end mark; these were the last lines received:
 *	          is that all?
 *	{"bye":true}
 *
 * From the reader:
 *
 *	{"welcome":true,"hold":BOOL,"direct":BOOL,"retention":MS,"at":{…}}
 *	or {"refused":WHY,"status":75|78}
 *	{"clean":BOOL}
 *	          the answer to eof
 *	{"lost":WHY}
 *	          the lease is gone: begin nothing more
 *	{"gone":SHARD,"gen":G}
 *	          the shard goes to another reader of the shared group: lines of it up to
 *	          G that were not begun are to be dropped; answered by
 *	          {"forgot":SHARD,"gen":G} once nothing of it is under way, after the last
 *	          ack
 *	{"done":true}
 *	          all is acknowledged, the reader ends with 0: its connection closes, and
 *	          that is not its death
 *
 * WHAT IS CHECKED HERE (numbers are the rules of ryde-line(5), "Rules"):
 *
 *	1   hellos of sinks are counted over the reader's life: one more than --sinks is
 *	    refused and freezes; a sink that is GONE while lines that it has not
 *	    acknowledged are outstanding freezes
 *	3   eof is clean only in ENDED, and only where the last position named for each
 *	    shard is the last record printed
 *	5   (sinks never send a line with `more`; an ack beyond what was printed freezes)
 *	7   hold and resume become events for the reader; generations are its business,
 *	    the pair (gen, seq) orders lines
 *	-   one window per reader; its fingerprint must be the stored one; a sink that
 *	    acknowledges plain lines of a group with a window is refused: 78
 *
 * The position of a shard is the least of what all --sinks sinks have acknowledged; while
 * one of them has not acknowledged anything there is none.
 */
#ifndef RYDE_FLOW_ACK_SERVER_H
#define RYDE_FLOW_ACK_SERVER_H

#include "base/view.h"
#include "line/position.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_ack_server;
struct ryde_err;
struct ryde_waits;

struct ryde_ack_server_opts {
	int sinks;     /* --sinks: 1 to 16 */
	bool can_hold; /* rule 7 is offered */
	bool shared;   /* one of several readers of its group: no windows */
	int out_fd; /* where lines are printed, to tell a sink whether it reads that very
		       pipe */
	int64_t retention_ms; /* of the stream, for windows; 0: for ever */
	int64_t sink_wait_ms; /* how long after the first line all sinks must have come
				 (30 s) */
};

/* Makes the socket. Options are copied. */
struct ryde_ack_server *ryde_ack_server_new(
    const struct ryde_ack_server_opts *opts, struct ryde_err *err);
/* Closes all connections and removes the socket. */
void ryde_ack_server_free(struct ryde_ack_server *s);
/* The token for the lines' `ack`; good while s is. */
struct ryde_view ryde_ack_server_token(const struct ryde_ack_server *s);
/* The group's stored window positions (raw JSON) and fingerprint, empty: none. Copied;
 * before the first line. */
int ryde_ack_server_window(struct ryde_ack_server *s, struct ryde_view at,
    struct ryde_view fingerprint, struct ryde_err *err);

/* The index of a shard, new ones are added. -1 without memory. */
int ryde_ack_server_shard(struct ryde_ack_server *s, struct ryde_view id);
/* Lines were put into the output, up to pos: of records, or (record false) marks. gen and
 * pos never run back. */
void ryde_ack_server_printed(struct ryde_ack_server *s, int shard, uint32_t gen,
    const struct ryde_pos *pos, bool record);
/* The end mark is out and stdout is closed. */
void ryde_ack_server_ended(struct ryde_ack_server *s);
/* Tells all that the lease is lost; the state is FROZEN. */
void ryde_ack_server_lost(struct ryde_ack_server *s, const char *why);

/* Accepts, hears, answers; never blocks. -1 once FROZEN, with the reason in err
 * (RYDE_ETEMPFAIL or RYDE_ECONFIG). */
int ryde_ack_server_turn(struct ryde_ack_server *s, struct ryde_err *err);
void ryde_ack_server_wait(const struct ryde_ack_server *s, struct ryde_waits *w);

/* Up to where all sinks have acknowledged the shard; false where that is nothing yet. */
bool ryde_ack_server_position(
    const struct ryde_ack_server *s, int shard, uint32_t *gen, struct ryde_pos *pos);
/* The window positions that all sinks have handed back (the oldest of them), raw JSON;
 * empty: none yet. Good until the next turn. */
struct ryde_view ryde_ack_server_at(const struct ryde_ack_server *s);
/* True once a window has said hello. */
bool ryde_ack_server_has_window(const struct ryde_ack_server *s);
/* True where every record printed is acknowledged by all sinks, or is `seen` in what
 * ryde_ack_server_at gives. */
bool ryde_ack_server_complete(const struct ryde_ack_server *s);
/* Counts up with each acknowledgement: progress. */
uint64_t ryde_ack_server_progress(const struct ryde_ack_server *s);
/* True when all sinks have come and all are GONE: nothing more will be acknowledged. */
bool ryde_ack_server_deserted(const struct ryde_ack_server *s);
/*
 * Once the reader has ended and is complete: tells all that it leaves, so that its end is
 * not taken for its death by those that have not come to the end mark or the end of the
 * pipe (which whoever started the reader may hold open). True when it may leave: all
 * sinks have come, and so has every filter before them, and all were told.
 */
bool ryde_ack_server_leave(struct ryde_ack_server *s);

/* Sharing: the shard goes to another reader. Tells all, and those that come later, to
 * drop what they have not begun of it, up to generation gen. */
void ryde_ack_server_gone(struct ryde_ack_server *s, int shard, uint32_t gen);
/* True once all have: nothing of the shard is under way any more. */
bool ryde_ack_server_forgotten(const struct ryde_ack_server *s, int shard);
/* The shard was given away: what was printed of it before generation gen is nobody's
 * business here any more. */
void ryde_ack_server_forget(struct ryde_ack_server *s, int shard, uint32_t gen);

enum ryde_ack_server_event {
	RYDE_ACK_SERVER_NONE,
	RYDE_ACK_SERVER_HOLD,
	RYDE_ACK_SERVER_RESUME,
};
/* The next request about a shard, in the order they came. */
enum ryde_ack_server_event ryde_ack_server_next_event(
    struct ryde_ack_server *s, int *shard, uint32_t *gen);

#endif
