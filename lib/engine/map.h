/* The live map: lines in, a web page out, and with a writer the lines handed on. What
 * ryde-map does. */
#ifndef RYDE_ENGINE_MAP_H
#define RYDE_ENGINE_MAP_H

#include "engine/map_fleet.h"
#include "engine/map_http.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_books;
struct ryde_err;
struct ryde_intake;
struct ryde_waits;
struct ryde_writer;

struct ryde_map_opts {
	struct ryde_map_fields fields;
	int64_t forget_ms; /* a name goes so long after its last line; 0: never */
	struct ryde_map_http_opts http; /* without its fleet */
	struct ryde_intake *intake;
	struct ryde_writer *out; /* takes each line and mark as it came; NULL: none */
	bool stay;		 /* serve on after the end of the lines, until a signal */
	int64_t grace_ms;
	struct ryde_books *books;
	/* called once the map can be looked at */
	void (*ready)(void *arg, const struct ryde_map_http *http);
	/* called about every turn */
	void (*tick)(void *arg, struct ryde_waits *w, size_t names, size_t viewers);
	void *arg;
};

/* Runs to the end. The exit status, with err set where a message is due. */
int ryde_map(const struct ryde_map_opts *opts, struct ryde_err *err);

#endif
