#include "engine/window_read.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "engine/window.h"
#include "engine/window_canon.h"
#include "engine/window_expr.h"
#include "json/path.h"
#include "json/shape.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define SHOWN 40 /* bytes of a value in a message */
/* The years 0 to 9999: a time in microseconds or nanoseconds would otherwise close every
 * window there is. */
#define TIME_MIN_MS INT64_C(-62167219200000)
#define TIME_MAX_MS INT64_C(253402300799999)

int
ryde_window_read_start(
    struct ryde_window_read *r, const struct ryde_window_def *def, struct ryde_err *err)
{
	memset(r, 0, sizeof(*r));
	r->def = def;
	ryde_buf_init(&r->key_buf, RYDE_WINDOW_CANON_MAX);
	ryde_buf_init(&r->written_buf, RYDE_WINDOW_CANON_MAX);
	r->values = calloc(def->n_paths, sizeof(*r->values));
	r->inputs = calloc(def->n_paths, sizeof(*r->inputs));
	r->passes = calloc(def->n_conditions + 1, sizeof(*r->passes));
	r->shapes = malloc(sizeof(*r->shapes));
	if (r->values == NULL || r->inputs == NULL || r->passes == NULL ||
	    r->shapes == NULL)
		return ryde_err_nomem(err);
	ryde_json_shapes_init(r->shapes);
	return 0;
}

void
ryde_window_read_free(struct ryde_window_read *r)
{
	for (size_t i = 0; r->inputs != NULL && i < r->def->n_paths; i++)
		ryde_decimal_free(&r->inputs[i].exact);
	free(r->inputs);
	free(r->values);
	free(r->shapes);
	free(r->passes);
	ryde_buf_free(&r->key_buf);
	ryde_buf_free(&r->written_buf);
	memset(r, 0, sizeof(*r));
}

static const char *
kind_name(enum ryde_json_kind kind)
{
	static const char *const names[] = {"missing", "null", "false", "true",
	    "a number", "a string", "an array", "an object"};

	return names[kind];
}

static int
wrong(
    const struct ryde_window_read *r, size_t path, const char *want, struct ryde_err *err)
{
	const struct ryde_json_value *v = &r->values[path];

	if (v->kind == RYDE_JSON_STRING)
		return ryde_err_set(err, RYDE_EDATA, "%s is %s: \"%.*s\"",
		    ryde_json_paths_text(r->def->paths, path), want,
		    (int)(v->text.n < SHOWN ? v->text.n : SHOWN), v->text.p);
	return ryde_err_set(err, RYDE_EDATA, "%s is %s: %s",
	    ryde_json_paths_text(r->def->paths, path), want, kind_name(v->kind));
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What follows "YYYY-MM-DD HH:MM" in the usual forms, ":SS" and ":SS.mmm" with or without
 * Z, in milliseconds. */
static bool
read_tail(struct ryde_view v, int64_t *ms)
{
	const char *p = v.p + RYDE_WINDOW_READ_MINUTE;
	size_t n = v.n - RYDE_WINDOW_READ_MINUTE;

	if (n > 0 && p[n - 1] == 'Z')
		n--;
	if ((n != 3 && n != 7) || p[0] != ':' || p[1] < '0' || p[1] > '5' ||
	    !is_digit(p[2]))
		return false;
	*ms = ((p[1] - '0') * 10 + (p[2] - '0')) * 1000;
	if (n == 3)
		return true;
	if (p[3] != '.' || !is_digit(p[4]) || !is_digit(p[5]) || !is_digit(p[6]))
		return false;
	*ms += (p[4] - '0') * 100 + (p[5] - '0') * 10 + (p[6] - '0');
	return true;
}

/* Streams stay in one minute for long: its beginning is read once. */
static bool
read_minute(struct ryde_window_read *r, struct ryde_view v, int64_t *out_ms)
{
	int64_t tail_ms = 0;
	bool usual = v.n > RYDE_WINDOW_READ_MINUTE && read_tail(v, &tail_ms);

	if (usual && r->has_minute &&
	    memcmp(v.p, r->minute, RYDE_WINDOW_READ_MINUTE) == 0) {
		*out_ms = r->minute_ms + tail_ms;
		return true;
	}
	if (!ryde_timestamp_parse(v, out_ms))
		return false;
	if (usual) {
		memcpy(r->minute, v.p, RYDE_WINDOW_READ_MINUTE);
		r->minute_ms = *out_ms - tail_ms;
		r->has_minute = true;
	}
	return true;
}

/* Many records of a stream have the very time of the one before. */
static inline bool
read_timestamp(struct ryde_window_read *r, struct ryde_view v, int64_t *out_ms)
{
	if (v.n == r->time_n && memcmp(v.p, r->time, v.n) == 0) {
		*out_ms = r->time_ms;
		return true;
	}
	if (!read_minute(r, v, out_ms))
		return false;
	if (v.n <= RYDE_WINDOW_READ_TIME) {
		memcpy(r->time, v.p, v.n);
		r->time_n = v.n;
		r->time_ms = *out_ms;
	}
	return true;
}

static int
read_time(struct ryde_window_read *r, bool has_arrival, int64_t arrival_ms,
    struct ryde_err *err)
{
	const struct ryde_window_def *d = r->def;
	const struct ryde_json_value *v = &r->values[d->time_path];
	bool field = d->time != RYDE_WINDOW_DEF_ARRIVAL && v->kind != RYDE_JSON_ABSENT &&
		     v->kind != RYDE_JSON_NULL;
	struct ryde_view text = v->text;

	if (d->time == RYDE_WINDOW_DEF_NOW) {
		r->at_ms = ryde_clock_data_ms();
		return 0;
	}
	if (!field && d->time != RYDE_WINDOW_DEF_FIELD && has_arrival) {
		r->at_ms = arrival_ms;
		return 0;
	}
	if (!field && d->time == RYDE_WINDOW_DEF_ARRIVAL)
		return ryde_err_set(
		    err, RYDE_EDATA, "the line has no arrival time: it is no envelope");
	if (!field)
		return wrong(r, d->time_path, "the record's time", err);
	if (v->kind != RYDE_JSON_STRING && v->kind != RYDE_JSON_NUMBER)
		return wrong(r, d->time_path, "no time", err);
	if (v->escaped) {
		ryde_buf_clear(&r->key_buf);
		ryde_json_string_decode(&r->key_buf, text);
		if (ryde_buf_check(&r->key_buf, err) != 0)
			return -1;
		text = ryde_buf_as_view(&r->key_buf);
	}
	if (!read_timestamp(r, text, &r->at_ms))
		return wrong(r, d->time_path, "no time", err);
	if (d->early)
		ryde_clock_observe(r->at_ms);
	if (r->at_ms < TIME_MIN_MS || r->at_ms > TIME_MAX_MS)
		return wrong(r, d->time_path, "not between the years 0 and 9999", err);
	return 0;
}

/* True where a function looks at what the path points at in this record: the conditions
 * of the others are not true. */
static bool
is_wanted(const struct ryde_window_read *r, size_t path, bool numeric)
{
	for (size_t i = 0; i < r->def->n_states; i++) {
		const struct ryde_window_def_state *s = &r->def->states[i];

		if (s->has_path && s->path == path &&
		    (numeric ? ryde_window_agg_is_numeric(s->function)
			     : ryde_window_agg_is_scalar(s->function)) &&
		    (s->where == RYDE_WINDOW_DEF_ALWAYS || r->passes[s->where]))
			return true;
	}
	return false;
}

static int
read_inputs(struct ryde_window_read *r, struct ryde_err *err)
{
	for (size_t k = 0; k < r->def->n_used; k++) {
		size_t i = r->def->used[k];
		const struct ryde_json_value *v = &r->values[i];
		struct ryde_window_agg_input *in = &r->inputs[i];
		bool string = v->kind == RYDE_JSON_STRING;

		in->kind = v->kind;
		in->escaped = v->escaped;
		in->text = string ? ryde_view_mem(v->text.p - 1, v->text.n + 2) : v->text;
		if (r->def->scalar[i] &&
		    (v->kind == RYDE_JSON_ARRAY || v->kind == RYDE_JSON_OBJECT) &&
		    is_wanted(r, i, false))
			return wrong(r, i, "nothing that can be told apart", err);
		if (!r->def->numeric[i] || v->kind == RYDE_JSON_ABSENT ||
		    v->kind == RYDE_JSON_NULL)
			continue;
		if (v->kind != RYDE_JSON_NUMBER) {
			if (is_wanted(r, i, true))
				return wrong(r, i, "not a number", err);
			continue;
		}
		ryde_window_number_read(&in->number, v->text);
		if (!in->number.small &&
		    ryde_decimal_parse(&in->exact, v->text, err) != 0)
			return ryde_err_prefix(
			    err, "%s", ryde_json_paths_text(r->def->paths, i));
	}
	return 0;
}

static int
read_conditions(struct ryde_window_read *r, struct ryde_err *err)
{
	for (size_t i = 0; i < r->def->n_conditions; i++) {
		if (i != r->def->where && ryde_window_expr_test(r->def->conditions[i],
					      r->values, NULL, &r->passes[i], err) != 0)
			return -1;
	}
	return 0;
}

/* The condition on all records, which is looked at before anything else can be wrong. */
static int
read_where(struct ryde_window_read *r, struct ryde_err *err)
{
	size_t where = r->def->where;

	r->filtered = false;
	if (where == RYDE_WINDOW_DEF_ALWAYS)
		return 0;
	if (ryde_window_expr_test(
		r->def->conditions[where], r->values, NULL, &r->passes[where], err) != 0)
		return -1;
	r->filtered = !r->passes[where];
	return 0;
}

/* Appends the i-th key to both forms. */
static int
add_key(struct ryde_window_read *r, size_t i, bool *number, struct ryde_err *err)
{
	size_t path = r->def->keys[i].path, begin;
	const struct ryde_json_value *v = &r->values[path];
	struct ryde_buf *key = &r->key_buf, *written = &r->written_buf;

	if (i > 0) {
		ryde_buf_putc(key, ',');
		ryde_buf_putc(written, ',');
	}
	begin = key->n;
	switch (v->kind) {
	case RYDE_JSON_ABSENT: /* SQL has one group for what has no value */
	case RYDE_JSON_NULL:
		ryde_buf_puts(key, "null");
		break;
	case RYDE_JSON_FALSE:
	case RYDE_JSON_TRUE:
		ryde_buf_view(key, v->text);
		break;
	case RYDE_JSON_STRING:
		if (ryde_window_canon_string(key,
			ryde_view_mem(v->text.p - 1, v->text.n + 2), v->escaped,
			err) != 0)
			return -1;
		break;
	case RYDE_JSON_NUMBER:
		*number = true;
		ryde_buf_view(written, v->text);
		if (ryde_window_canon_number(key, v->text, err) != 0)
			return ryde_err_prefix(
			    err, "%s", ryde_json_paths_text(r->def->paths, path));
		return 0;
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
		return wrong(r, path, "no key", err);
	}
	if (ryde_buf_check(key, err) != 0)
		return -1;
	ryde_buf_add(written, key->p + begin, key->n - begin);
	return 0;
}

static int
read_key(struct ryde_window_read *r, struct ryde_err *err)
{
	const struct ryde_window_def *d = r->def;
	const struct ryde_json_value *v;
	struct ryde_view key;
	bool number = false;

	if (d->n_keys == 0) {
		r->key = r->written = ryde_view_mem("", 0);
		return 0;
	}
	v = &r->values[d->keys[0].path];
	if (d->n_keys == 1 && v->kind == RYDE_JSON_STRING && !v->escaped) {
		key = ryde_view_mem(v->text.p - 1, v->text.n + 2);
		r->key.p = r->written.p = key.p;
		r->key.n = r->written.n = key.n;
		return 0;
	}
	ryde_buf_clear(&r->key_buf);
	ryde_buf_clear(&r->written_buf);
	for (size_t i = 0; i < d->n_keys; i++) {
		if (add_key(r, i, &number, err) != 0)
			return -1;
	}
	if (ryde_buf_check(&r->key_buf, err) != 0 ||
	    ryde_buf_check(&r->written_buf, err) != 0)
		return -1;
	r->key = ryde_buf_as_view(&r->key_buf);
	r->written = number ? ryde_buf_as_view(&r->written_buf) : r->key;
	return 0;
}

/* What r->values say of a payload that was found to be JSON. */
static int
read_values(struct ryde_window_read *r, bool has_arrival, int64_t arrival_ms,
    struct ryde_err *err)
{
	if (read_where(r, err) != 0)
		return -1;
	if (r->filtered) {
		/* It moves the watermark where it can, and need not have a time. */
		struct ryde_err unused;

		r->has_time = read_time(r, has_arrival, arrival_ms, &unused) == 0;
		return 0;
	}
	r->has_time = true;
	if (read_time(r, has_arrival, arrival_ms, err) != 0 ||
	    read_conditions(r, err) != 0 || read_inputs(r, err) != 0)
		return -1;
	return read_key(r, err);
}

/* ":SS.mmm" in milliseconds; v is these bytes and zeros above. False: something else. */
static inline bool
read_seconds(uint64_t v, int64_t *ms)
{
	/* What each byte is more than its first value; more than it may be shows in its
	 * highest bit. */
	uint64_t x = v ^ UINT64_C(0x003030302e30303a);

	if (((x | (x + UINT64_C(0x007676767f767a7f))) & UINT64_C(0x8080808080808080)) !=
	    0)
		return false;
	*ms = (int64_t)((x >> 8 & 0xff) * 10000 + (x >> 16 & 0xff) * 1000 +
			(x >> 32 & 0xff) * 100 + (x >> 40 & 0xff) * 10 + (x >> 48));
	return true;
}

bool
ryde_window_read_time(struct ryde_window_read *r, struct ryde_view v, int64_t *out_ms)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t a, b, c, d, tail;

	if (v.n == RYDE_WINDOW_READ_MINUTE + 7 && r->has_minute) {
		memcpy(&a, v.p, 8);
		memcpy(&b, v.p + 8, 8);
		memcpy(&c, r->minute, 8);
		memcpy(&d, r->minute + 8, 8);
		memcpy(&tail, v.p + RYDE_WINDOW_READ_MINUTE, 8);
		tail = tail << 8 >> 8;
		if (((a ^ c) | (b ^ d)) == 0 &&
		    (tail == r->tail || read_seconds(tail, &r->tail_ms))) {
			r->tail = tail;
			*out_ms = r->minute_ms + r->tail_ms;
			return true;
		}
	}
#endif
	return read_timestamp(r, v, out_ms) && *out_ms >= TIME_MIN_MS &&
	       *out_ms <= TIME_MAX_MS;
}

bool
ryde_window_read_found(struct ryde_window_read *r, const struct ryde_json_value *values)
{
	struct ryde_err unused;

	memcpy(r->values, values, r->def->n_paths * sizeof(*values));
	return read_values(r, false, 0, &unused) == 0;
}

int
ryde_window_read(struct ryde_window_read *r, const struct ryde_window_record *record,
    struct ryde_err *err)
{
	struct ryde_view payload = record->payload;
	struct ryde_json_fault fault;

	/* Streams repeat a shape: mostly the values are found by what lies between them.
	 */
	if (!ryde_json_shapes_find(
		r->shapes, payload, record->behind, r->values, r->def->n_paths)) {
		if (ryde_json_find(payload, r->def->paths, r->values, &fault) != 0)
			return ryde_err_set(err, RYDE_EDATA, "no JSON: %s at byte %zu",
			    fault.what, fault.at + 1);
		ryde_json_shapes_learn(r->shapes, payload, r->values, r->def->n_paths);
	}
	return read_values(r, record->has_arrival, record->arrival_ms, err);
}
