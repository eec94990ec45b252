/* Which process this is, in words that another one on the same machine can check. */
#ifndef RYDE_BASE_ALIVE_H
#define RYDE_BASE_ALIVE_H

#include <stdbool.h>

#define RYDE_ALIVE_MAX 160

/* Boot, process namespace, number and start time of this process; "" where they cannot be
 * told. */
void ryde_alive_identity(char to[RYDE_ALIVE_MAX]);
/* True where identity is one of this machine, boot and namespace, and its process is
 * gone. False says nothing. */
bool ryde_alive_is_gone(const char *identity);

#endif
