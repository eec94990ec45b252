/* Where the map is served: an address to listen at, and the URL that leads there. */
#ifndef RYDE_ENGINE_MAP_LISTEN_H
#define RYDE_ENGINE_MAP_LISTEN_H

#include <stdbool.h>

struct ryde_err;

#define RYDE_MAP_URL_MAX 320

struct ryde_map_listen {
	int fd;	     /* non-blocking, close-on-exec; the caller closes it */
	int port;    /* the real one, also where 0 was asked for */
	bool public; /* other machines may connect */
	char url[RYDE_MAP_URL_MAX]; /* "http://127.0.0.1:8808/" */
};

/*
 * Listens at HOST:PORT, [IPV6]:PORT, :PORT or PORT (both: 127.0.0.1); HOST may be a name
 * or
 * * for all addresses. -1 with RYDE_EUSAGE where that is malformed, RYDE_EUNAVAILABLE
 * where the address cannot be had, RYDE_ENOPERM where the port is not for us.
 */
int ryde_map_listen(const char *where, struct ryde_map_listen *out, struct ryde_err *err);

#endif
