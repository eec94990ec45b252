#include "engine/map_assets.h"

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define HTML "text/html; charset=utf-8"
#define STYLE "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"
#define JSON "application/json"

/* The page's own files are in lib/engine/map_page; the Makefile packs them, Leaflet and
 * the base map into RYDE_MAP_PAGE, a folder of the build. */
#define ASSETS(X)                                  \
	X(index, "index.html", HTML)               \
	X(style, "style.css", STYLE)               \
	X(icon, "icon.svg", "image/svg+xml")       \
	X(main, "main.js", SCRIPT)                 \
	X(live, "live.js", SCRIPT)                 \
	X(fleet, "fleet.js", SCRIPT)               \
	X(herd, "herd.js", SCRIPT)                 \
	X(sheet, "sheet.js", SCRIPT)               \
	X(ground, "ground.js", SCRIPT)             \
	X(list, "list.js", SCRIPT)                 \
	X(card, "card.js", SCRIPT)                 \
	X(words, "words.js", SCRIPT)               \
	X(leaflet, "leaflet.js", SCRIPT)           \
	X(leaflet_css, "leaflet.css", STYLE)       \
	X(world_110m, "world-110m.json", JSON)     \
	X(world_50m, "world-50m.json", JSON)       \
	X(world_10m, "world-10m.json", JSON)       \
	X(states, "states.json", JSON)             \
	X(counties, "counties.json", JSON)         \
	X(cities_large, "cities-large.json", JSON) \
	X(cities, "cities.json", JSON)

#define EMBED(id, file, type)                                                       \
	__asm__(".pushsection .rodata\n"                                            \
		".globl ryde_map_assets_" #id "\n.hidden ryde_map_assets_" #id "\n" \
		"ryde_map_assets_" #id ":\n.incbin \"" RYDE_MAP_PAGE file ".gz\"\n" \
		".globl ryde_map_assets_" #id "_end\n"                              \
		".hidden ryde_map_assets_" #id "_end\n"                             \
		"ryde_map_assets_" #id "_end:\n.byte 0\n.popsection\n");            \
	extern const char ryde_map_assets_##id[], ryde_map_assets_##id##_end[];

ASSETS(EMBED)

#define ENTRY(id, file, type) {file, type, {ryde_map_assets_##id, 0}, ""},
#define END(id, file, type) ryde_map_assets_##id##_end,

static struct ryde_map_asset assets[] = {ASSETS(ENTRY)};
static const char *const ends[] = {ASSETS(END)};

/* The last eight bytes of a gzip member: CRC-32 and length of the content, little-endian
 * (RFC 1952, 2.3.1). */
static uint32_t
trailer(const struct ryde_map_asset *a, size_t at)
{
	const unsigned char *p = (const unsigned char *)a->gzip.p + a->gzip.n - 8 + at;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

const struct ryde_map_asset *
ryde_map_assets_find(const char *name)
{
	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
		struct ryde_map_asset *a = &assets[i];

		if (strcmp(a->name, name) != 0)
			continue;
		if (a->gzip.n == 0) {
			a->gzip.n = (size_t)(ends[i] - a->gzip.p);
			(void)snprintf(a->etag, sizeof(a->etag), "\"%08x%x\"",
			    trailer(a, 0), trailer(a, 4));
		}
		return a;
	}
	return NULL;
}

int
ryde_map_assets_unpack(
    const struct ryde_map_asset *a, struct ryde_buf *out, struct ryde_err *err)
{
	size_t n = trailer(a, 4);
	char *to = ryde_buf_room(out, n + 1);
	unsigned char packed[4096];
	z_stream z = {0};
	size_t at = 0;
	int rc = Z_OK;

	if (to == NULL)
		return ryde_buf_check(out, err);
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return ryde_err_nomem(err);
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)n + 1;
	while (rc == Z_OK && at < a->gzip.n) {
		size_t step =
		    a->gzip.n - at < sizeof(packed) ? a->gzip.n - at : sizeof(packed);

		/* zlib's pointer to its input is not const */
		memcpy(packed, a->gzip.p + at, step);
		z.next_in = packed;
		z.avail_in = (uInt)step;
		rc = inflate(&z, Z_NO_FLUSH);
		at += step;
	}
	(void)inflateEnd(&z);
	if (rc != Z_STREAM_END || z.total_out != n)
		return ryde_err_set(
		    err, RYDE_ESOFTWARE, "the embedded %s is broken", a->name);
	ryde_buf_added(out, n);
	return 0;
}
