/*
 * The map's web server: the page, a stream of changes for each viewer, and nothing that
 * changes anything. One thread, in the program's own loop:
 *
 *	ryde_map_http_wait(h, &waits); ryde_waits_poll(…); ryde_map_http_turn(h, …);
 *
 * A viewer gets the latest of each name, as fast as it takes it: there is no backlog. One
 * that takes nothing for patience_ms is dropped. So is whoever connects and does not
 * finish a request in that time.
 */
#ifndef RYDE_ENGINE_MAP_HTTP_H
#define RYDE_ENGINE_MAP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_map_fleet;
struct ryde_map_http;
struct ryde_waits;

#define RYDE_MAP_VIEWERS_MAX 64

struct ryde_map_http_opts {
	const char *listen;	  /* HOST:PORT, [HOST]:PORT, :PORT, PORT; port 0: any */
	const char *const *hosts; /* names that it answers to, besides addresses */
	size_t n_hosts;
	const char *token; /* NULL: none is asked for */
	const char *tiles; /* URL of map tiles, NULL: none */
	int64_t patience_ms;
	const char *settings; /* JSON object, the first event of each viewer */
	const struct ryde_map_fleet *fleet;
};

/*
 * Listens. NULL with RYDE_EUSAGE where listen or tiles is malformed, RYDE_EUNAVAILABLE
 * where the address cannot be had. opts is copied, what it points at must outlive it.
 */
struct ryde_map_http *ryde_map_http_new(
    const struct ryde_map_http_opts *opts, struct ryde_err *err);
void ryde_map_http_free(struct ryde_map_http *h);
/* The address that a browser on this machine may use, "http://127.0.0.1:8808/". */
const char *ryde_map_http_url(const struct ryde_map_http *h);
/* True where other machines can connect. */
bool ryde_map_http_is_public(const struct ryde_map_http *h);

void ryde_map_http_wait(struct ryde_map_http *h, struct ryde_waits *w);
/* Takes connections, answers, hands changes out. */
int ryde_map_http_turn(
    struct ryde_map_http *h, int64_t now_mono_ms, struct ryde_err *err);
/* Tells all viewers that the lines have ended, and waits a moment until they know. */
void ryde_map_http_bye(struct ryde_map_http *h);
size_t ryde_map_http_viewers(const struct ryde_map_http *h);

#endif
