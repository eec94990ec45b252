/*
 * Fuzz target for what strangers send to the map: payloads, the Host header, cookies.
 * Faults of memory, and that what is found lies inside what was given.
 */
#include "base/buf.h"
#include "base/err.h"
#include "engine/map_auth.h"
#include "engine/map_entry.h"
#include "json/member.h"
#include "json/scan.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void
try_payload(struct ryde_map_entry *e, struct ryde_view payload)
{
	struct ryde_map_whose whose = {.id = 1, .arrival_ms = -1};
	struct ryde_map_place place = {0};
	struct ryde_json_fault fault;
	struct ryde_json_value value;
	struct ryde_buf out;
	char why[256];

	if (ryde_json_member(payload, ryde_view_of("Name"), &value))
		MUST(value.text.p >= payload.p &&
		     value.text.p + value.text.n <= payload.p + payload.n);
	if (!ryde_map_entry_name(e, payload, &whose.name)) {
		ryde_map_entry_no_name(e, payload, why, sizeof(why));
		return;
	}
	MUST(whose.name.n > 0 && whose.name.n <= RYDE_MAP_NAME_MAX);
	ryde_buf_init(&out, 16384);
	if (ryde_map_entry_read(e, payload, &whose, &out, &place, why, sizeof(why))) {
		MUST(place.latitude_e6 >= -90000000 && place.latitude_e6 <= 90000000);
		MUST(place.longitude_e6 >= -180000000 && place.longitude_e6 <= 180000000);
		ryde_buf_putc(&out, ']');
		MUST(ryde_buf_check(&out, NULL) == 0);
		/* what a browser gets is JSON, and one line */
		MUST(ryde_json_check(ryde_buf_as_view(&out), NULL, &fault) == 0);
		for (size_t i = 0; i < out.n; i++)
			MUST(out.p[i] != '\n' && out.p[i] != '\r');
	}
	ryde_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"maps.example.com"};
	const struct ryde_map_fields fields = {0};
	struct ryde_view v = ryde_view_mem((const char *)data, size), cookie;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_map_entry *e = ryde_map_entry_new(&fields, &err);

	MUST(e != NULL);
	try_payload(e, v);
	ryde_map_entry_free(e);
	if (size == 0)
		return 0;
	(void)ryde_map_auth_host(v, names, 1);
	cookie = ryde_map_auth_cookie(v, "ryde-map-8808");
	if (cookie.n > 0)
		MUST(cookie.p >= v.p && cookie.p + cookie.n <= v.p + v.n);
	MUST(ryde_map_auth_equal(v, v));
	return 0;
}
