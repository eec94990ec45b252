/* Who is at the other end of a connection on loopback: the ports of 127.0.0.1 are open to
 * every user of the machine, what we serve there is not. */
#ifndef RYDE_ENGINE_PROCESS_PEER_H
#define RYDE_ENGINE_PROCESS_PEER_H

#include <stdbool.h>

/* True where the socket at the other end belongs to our user or to root. Source:
 * /proc/net/tcp in proc(5); without it nobody is ours. */
bool ryde_process_peer_is_ours(int fd);

#endif
