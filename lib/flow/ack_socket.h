/*
 * The wire between a reader and its sinks: a Unix stream socket in a private directory,
 * one JSON object a line in each direction. Both sides check that the directory and the
 * peer are the user's own.
 */
#ifndef RYDE_FLOW_ACK_SOCKET_H
#define RYDE_FLOW_ACK_SOCKET_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>

struct ryde_err;

/* One end of a connection. */
struct ryde_ack_socket {
	int fd; /* -1: closed */
	struct ryde_buf in, out;
	size_t taken; /* bytes of `in` that next has given */
	bool closed;  /* the other side is gone */
};

/*
 * The path of the socket of an `ack` token: $RYDE_RUN, else $XDG_RUNTIME_DIR/ryde, else
 * /tmp/ryde-UID, with the token as the file's name. make creates the directory. -1: not a
 * token, not ours, too long a name (RYDE_ECONFIG, RYDE_ENOPERM).
 */
int ryde_ack_socket_path(
    struct ryde_view token, bool make, char *to, size_t room, struct ryde_err *err);
#define RYDE_ACK_SOCKET_PATH 108

int ryde_ack_socket_listen(const char *path, struct ryde_err *err);
/* A connection accepted on a listening descriptor: 1, 0 when there is none, -1. A
 * stranger's is closed at once. */
int ryde_ack_socket_accept(int listener, struct ryde_ack_socket *s, struct ryde_err *err);
int ryde_ack_socket_connect(
    const char *path, struct ryde_ack_socket *s, struct ryde_err *err);
void ryde_ack_socket_close(struct ryde_ack_socket *s);

/* Sends what the socket takes now. Sets closed where the other side is gone. */
void ryde_ack_socket_send(struct ryde_ack_socket *s);
/* Receives what is there. Sets closed at the end of the connection, and where a message
 * grows over 4 MiB. */
void ryde_ack_socket_receive(struct ryde_ack_socket *s);
/* The next whole message (without its newline), good until the next receive; false when
 * there is none. */
bool ryde_ack_socket_next(struct ryde_ack_socket *s, struct ryde_view *message);

#endif
