/*
 * What one viewer is told: server-sent events (HTML Living Standard, 9.2). First `hello`
 * with the settings, then `changes` with the time and what changed since the last ones,
 * at last `bye`; a comment now and then shows both ends that the other is there.
 *
 * A viewer has at most one event in hand. What happens while it is being sent is told in
 * the next one, the latest of each name.
 */
#ifndef RYDE_ENGINE_MAP_VIEWER_H
#define RYDE_ENGINE_MAP_VIEWER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_map_fleet;

#define RYDE_MAP_EVENT_MAX (128u << 10)
#define RYDE_MAP_ALIVE_MS 10000

struct ryde_map_viewer {
	const struct ryde_map_fleet *fleet;
	const char *settings; /* JSON object */
	struct ryde_buf event;
	size_t sent; /* bytes of event */
	uint64_t since;
	uint64_t trails_upto; /* changes up to here are told with their trails */
	bool welcomed, gone;
	int64_t told_mono_ms;
};

/* What is borrowed must outlive the viewer. */
void ryde_map_viewer_init(
    struct ryde_map_viewer *v, const struct ryde_map_fleet *fleet, const char *settings);
void ryde_map_viewer_free(struct ryde_map_viewer *v);
/* True where read would give something. */
bool ryde_map_viewer_due(const struct ryde_map_viewer *v, bool bye, int64_t now_mono_ms);
/*
 * Gives up to n bytes of what is to be told; 0: nothing at the moment. With bye set the
 * last event is made, after which v->gone is true and nothing more comes.
 */
size_t ryde_map_viewer_read(
    struct ryde_map_viewer *v, bool bye, int64_t now_mono_ms, char *to, size_t n);

#endif
