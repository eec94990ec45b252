#include "engine/map_entry.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "json/decimal.h"
#include "json/member.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field { NAME, LATITUDE, LONGITUDE, TIME, DISTANCE, HEALTH, MAGIC, FIELDS };

#define WAY_MAX 64

struct ryde_map_entry {
	struct ryde_json_paths *paths;
	size_t index[FIELDS]; /* where a field's value stands in `values` */
	struct ryde_json_value *values;
	struct ryde_json_paths *name_path; /* the name alone */
	struct ryde_view key;		   /* of a name at the top, else empty */
	char way[WAY_MAX]; /* what stood before the last name, its quote included */
	size_t way_n;	   /* 0: no such name yet */
	struct ryde_buf plain, scratch;
};

/* ---- making ---- */

static const char *const defaults[FIELDS] = {".Name", ".Latitude", ".Longitude",
    ".StatusTime", ".Distance", ".HealthPoints", ".MagicPoints"};

static int
add_fields(
    struct ryde_map_entry *e, const struct ryde_map_fields *o, struct ryde_err *err)
{
	const char *const given[FIELDS] = {o->name, o->latitude, o->longitude, o->time,
	    o->distance, o->health, o->magic};
	size_t only;

	for (size_t i = 0; i < FIELDS; i++)
		if (ryde_json_paths_add(e->paths,
			given[i] != NULL ? given[i] : defaults[i], &e->index[i],
			err) != 0)
			return -1;
	e->values = calloc(ryde_json_paths_count(e->paths), sizeof(*e->values));
	if (e->values == NULL)
		return ryde_err_nomem(err);
	return ryde_json_paths_add(
	    e->name_path, ryde_json_paths_text(e->paths, e->index[NAME]), &only, err);
}

/* The key of a name that is a plain member of the payload itself. */
static struct ryde_view
top_key(const struct ryde_json_paths *set, size_t index)
{
	const char *text = ryde_json_paths_text(set, index);
	const char *leaf = ryde_json_paths_leaf(set, index);

	if (text[0] == '.' && leaf[0] != '\0' && strcmp(text + 1, leaf) == 0)
		return ryde_view_of(leaf);
	return ryde_view_mem(NULL, 0);
}

struct ryde_map_entry *
ryde_map_entry_new(const struct ryde_map_fields *fields, struct ryde_err *err)
{
	struct ryde_map_entry *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&e->plain, 16 * RYDE_MAP_NAME_MAX);
	ryde_buf_init(&e->scratch, 4096);
	e->paths = ryde_json_paths_new();
	e->name_path = ryde_json_paths_new();
	if (e->paths == NULL || e->name_path == NULL) {
		(void)ryde_err_nomem(err);
		goto fail;
	}
	if (add_fields(e, fields, err) != 0)
		goto fail;
	e->key = top_key(e->paths, e->index[NAME]);
	return e;
fail:
	ryde_map_entry_free(e);
	return NULL;
}

void
ryde_map_entry_free(struct ryde_map_entry *e)
{
	if (e == NULL)
		return;
	free(e->values);
	ryde_json_paths_free(e->paths);
	ryde_json_paths_free(e->name_path);
	ryde_buf_free(&e->plain);
	ryde_buf_free(&e->scratch);
	free(e);
}

/* ---- names ---- */

void
ryde_map_entry_no_name(
    struct ryde_map_entry *e, struct ryde_view payload, char *why, size_t n)
{
	const char *path = ryde_json_paths_text(e->paths, e->index[NAME]);
	struct ryde_json_value value;
	struct ryde_json_fault fault;

	if (ryde_json_find(payload, e->name_path, &value, &fault) != 0)
		(void)snprintf(
		    why, n, "not JSON: %s at byte %zu", fault.what, fault.at + 1);
	else if (value.kind == RYDE_JSON_ABSENT)
		(void)snprintf(why, n, "no name: there is no %.100s", path);
	else if (value.kind == RYDE_JSON_STRING && value.text.n > 0)
		(void)snprintf(
		    why, n, "%.100s is longer than %d bytes", path, RYDE_MAP_NAME_MAX);
	else
		(void)snprintf(
		    why, n, "no name: %.100s is neither a number nor a text", path);
}

/* Keeps the way to a text of a member at the top. */
static void
keep_way(struct ryde_map_entry *e, struct ryde_view payload, struct ryde_view name)
{
	size_t n = (size_t)(name.p - payload.p);

	e->way_n = 0;
	if (n > sizeof(e->way))
		return;
	memcpy(e->way, payload.p, n);
	e->way_n = n;
}

bool
ryde_map_entry_same_way(
    const struct ryde_map_entry *e, struct ryde_view text, struct ryde_view *name)
{
	return e->way_n > 0 &&
	       ryde_json_member_same_way(text, ryde_view_mem(e->way, e->way_n), name) &&
	       name->n > 0 && name->n <= RYDE_MAP_NAME_MAX;
}

bool
ryde_map_entry_same_name(
    const struct ryde_map_entry *e, struct ryde_view text, struct ryde_view name)
{
	const char *p = text.p + e->way_n;

	return e->way_n > 0 && text.n > e->way_n + name.n && p[name.n] == '"' &&
	       memcmp(text.p, e->way, e->way_n) == 0 && memcmp(p, name.p, name.n) == 0;
}

bool
ryde_map_entry_name(
    struct ryde_map_entry *e, struct ryde_view payload, struct ryde_view *name)
{
	struct ryde_json_value value;
	struct ryde_json_fault fault;
	bool at_top = e->key.n > 0 && ryde_json_member(payload, e->key, &value);

	/* a key may be written with escapes: then the long way finds it */
	if (!at_top && ryde_json_find(payload, e->name_path, &value, &fault) != 0)
		return false;
	if (at_top && value.kind == RYDE_JSON_STRING)
		keep_way(e, payload, value.text);
	if ((value.kind != RYDE_JSON_STRING && value.kind != RYDE_JSON_NUMBER) ||
	    value.text.n == 0 || value.text.n > 6 * RYDE_MAP_NAME_MAX)
		return false;
	*name = value.text;
	if (value.escaped) {
		ryde_buf_clear(&e->plain);
		ryde_json_string_decode(&e->plain, value.text);
		*name = ryde_buf_as_view(&e->plain);
	}
	return name->n > 0 && name->n <= RYDE_MAP_NAME_MAX;
}

/* ---- entries ---- */

/* A coordinate: a JSON number, or a string that holds one, from -limit to limit. */
static bool
coordinate(const struct ryde_json_value *v, int limit, double *out)
{
	struct ryde_decimal d = {0};
	struct ryde_err ignored = RYDE_ERR_INIT;

	if ((v->kind != RYDE_JSON_NUMBER && v->kind != RYDE_JSON_STRING) ||
	    v->text.n > 64 || ryde_decimal_parse(&d, v->text, &ignored) != 0)
		return false;
	*out = ryde_decimal_double(&d);
	ryde_decimal_free(&d);
	return *out >= -limit && *out <= limit;
}

/* A value of the line as a JSON number, or null. */
static void
put_number(struct ryde_buf *b, const struct ryde_json_value *v)
{
	ryde_buf_putc(b, ',');
	if (v->kind == RYDE_JSON_NUMBER && v->text.n <= 64)
		ryde_buf_view(b, v->text);
	else
		ryde_buf_puts(b, "null");
}

static void
put_time(struct ryde_map_entry *e, struct ryde_buf *b, const struct ryde_json_value *v,
    int64_t arrival_ms)
{
	struct ryde_view text = v->text;
	int64_t at_ms;

	if (v->kind == RYDE_JSON_STRING && v->escaped && text.n <= 256) {
		ryde_buf_clear(&e->scratch);
		ryde_json_string_decode(&e->scratch, text);
		text = ryde_buf_as_view(&e->scratch);
	}
	ryde_buf_putc(b, ',');
	if ((v->kind == RYDE_JSON_STRING || v->kind == RYDE_JSON_NUMBER) &&
	    ryde_timestamp_parse(text, &at_ms))
		ryde_buf_i64(b, at_ms);
	else if (arrival_ms >= 0)
		ryde_buf_i64(b, arrival_ms);
	else
		ryde_buf_puts(b, "null");
}

/* The entry of the line whose values were found, without what its drawing adds. */
static void
put_entry(
    struct ryde_map_entry *e, const struct ryde_map_whose *whose, struct ryde_buf *b)
{
	ryde_buf_putc(b, '[');
	ryde_buf_u64(b, whose->id);
	ryde_buf_putc(b, ',');
	ryde_json_string_put(b, whose->name);
	ryde_buf_putc(b, ',');
	ryde_buf_view(b, e->values[e->index[LATITUDE]].text);
	ryde_buf_putc(b, ',');
	ryde_buf_view(b, e->values[e->index[LONGITUDE]].text);
	put_number(b, &e->values[e->index[DISTANCE]]);
	put_number(b, &e->values[e->index[HEALTH]]);
	put_number(b, &e->values[e->index[MAGIC]]);
	put_time(e, b, &e->values[e->index[TIME]], whose->arrival_ms);
}

bool
ryde_map_entry_read(struct ryde_map_entry *e, struct ryde_view payload,
    const struct ryde_map_whose *whose, struct ryde_buf *out,
    struct ryde_map_place *place, char *why, size_t n)
{
	double latitude, longitude;
	struct ryde_json_fault fault;

	if (ryde_json_find(payload, e->paths, e->values, &fault) != 0) {
		(void)snprintf(
		    why, n, "not JSON: %s at byte %zu", fault.what, fault.at + 1);
		return false;
	}
	if (!coordinate(&e->values[e->index[LATITUDE]], 90, &latitude)) {
		(void)snprintf(why, n, "no place: %.100s is no latitude",
		    ryde_json_paths_text(e->paths, e->index[LATITUDE]));
		return false;
	}
	if (!coordinate(&e->values[e->index[LONGITUDE]], 180, &longitude)) {
		(void)snprintf(why, n, "no place: %.100s is no longitude",
		    ryde_json_paths_text(e->paths, e->index[LONGITUDE]));
		return false;
	}
	*place = (struct ryde_map_place){
	    (int32_t)(latitude * 1e6), (int32_t)(longitude * 1e6)};
	put_entry(e, whose, out);
	return true;
}
