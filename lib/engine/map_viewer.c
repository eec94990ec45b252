#include "engine/map_viewer.h"

#include "engine/map_fleet.h"

#include <string.h>

/* An event is begun with less than this; an entry and its trail are smaller. */
#define EVENT_FULL ((size_t)64 << 10)

void
ryde_map_viewer_init(
    struct ryde_map_viewer *v, const struct ryde_map_fleet *fleet, const char *settings)
{
	*v = (struct ryde_map_viewer){.fleet = fleet,
	    .settings = settings,
	    .trails_upto = ryde_map_fleet_now(fleet)};
	ryde_buf_init(&v->event, RYDE_MAP_EVENT_MAX);
}

void
ryde_map_viewer_free(struct ryde_map_viewer *v)
{
	ryde_buf_free(&v->event);
}

bool
ryde_map_viewer_due(const struct ryde_map_viewer *v, bool bye, int64_t now_mono_ms)
{
	return v->sent < v->event.n || !v->welcomed || (bye && !v->gone) ||
	       ryde_map_fleet_now(v->fleet) > v->since ||
	       now_mono_ms - v->told_mono_ms >= RYDE_MAP_ALIVE_MS;
}

static void
make_event(struct ryde_map_viewer *v, bool bye, int64_t now_mono_ms)
{
	struct ryde_buf *b = &v->event;

	ryde_buf_clear(b);
	v->sent = 0;
	if (!v->welcomed) {
		ryde_buf_puts(b, "retry: 1000\nevent: hello\ndata: ");
		ryde_buf_puts(b, v->settings);
		ryde_buf_puts(b, "\n\n");
		v->welcomed = true;
	} else if (ryde_map_fleet_now(v->fleet) > v->since) {
		ryde_buf_puts(b, "event: changes\ndata: {\"now\":");
		ryde_buf_i64(b, ryde_map_fleet_told_ms(v->fleet, now_mono_ms));
		ryde_buf_puts(b, ",\"changes\":");
		ryde_map_fleet_changes(
		    v->fleet, &v->since, v->since < v->trails_upto, EVENT_FULL, b);
		ryde_buf_puts(b, "}\n\n");
	} else if (bye) {
		ryde_buf_puts(b, "event: bye\ndata: {}\n\n");
		v->gone = true;
	} else {
		ryde_buf_puts(b, ":\n\n");
	}
	v->told_mono_ms = now_mono_ms;
	/* without memory this event is lost, and its changes come with the next ones */
	if (b->failed)
		ryde_buf_clear(b);
}

size_t
ryde_map_viewer_read(
    struct ryde_map_viewer *v, bool bye, int64_t now_mono_ms, char *to, size_t n)
{
	size_t left;

	if (v->sent == v->event.n && !v->gone && ryde_map_viewer_due(v, bye, now_mono_ms))
		make_event(v, bye, now_mono_ms);
	left = v->event.n - v->sent;
	n = n < left ? n : left;
	if (n > 0)
		memcpy(to, v->event.p + v->sent, n);
	v->sent += n;
	return n;
}
